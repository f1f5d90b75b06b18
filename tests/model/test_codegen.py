"""Generated kernels: one file a formula, a new one where the formula changes, none where none can be kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim.model import ClosedForm, Entries, component
from photosim.model.codegen import kernels
from photosim.model.quantities import Length, Power

FACTOR = 2


def scaled(m: Any, x: Any) -> Any:
    """A helper that the formula calls by its global name."""
    return FACTOR * x / m.pi


def formula(m: Any, wl: Any, *, reflection: Power = 0.25, length: Length = 10.0) -> Entries:
    """Guide behind a mirror.

    Settings:
        reflection: power sent back.
        length: length of the guide.
    """
    through = m.sqrt(1 - reflection) * m.cis(scaled(m, length) / wl)
    return {("o1", "o2"): through, ("o1", "o1"): 1j * m.sqrt(reflection)}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where kernels are kept."""
    monkeypatch.setattr("photosim.model.codegen.cache_folder", lambda: tmp_path / "kernels")
    return tmp_path / "kernels"


def declared(function: Callable[..., Entries] = formula) -> ClosedForm:
    return component(ports=("o1", "o2"), source="saleh2007")(function)


def values(model: ClosedForm, wl: Any, **settings: float) -> dict[tuple[str, str], Any]:
    """Elements (W,) of the generated kernel by (from, to)."""
    kernel = kernels(model)
    params = np.array([[[settings[n] for n in kernel.parameters]]])
    out = np.zeros((1, 1, kernel.values, 2, len(wl)))
    kernel.evaluate(np.atleast_2d(wl), params, out)
    return {pair: out[0, 0, v, 0] + 1j * out[0, 0, v, 1] for pair, v in kernel.value_of.items()}


def test_kernel_is_the_formula_in_the_order_of_the_signature(cache: Path) -> None:
    model, wl = declared(), np.array([1.5, 1.6])
    assert kernels(model).parameters == ("reflection", "length")
    found = values(model, wl, reflection=0.36, length=7.0)
    np.testing.assert_allclose(found["o1", "o2"], 0.8 * np.exp(1j * 14 / np.pi / wl), rtol=1e-14)
    assert np.array_equal(found["o1", "o2"], found["o2", "o1"])
    np.testing.assert_allclose(found["o1", "o1"], 0.6j, rtol=1e-14)
    assert len(list(cache.glob("formula_*.py"))) == 1


def test_series_is_the_derivative_by_wavelength(cache: Path) -> None:
    del cache
    kernel = kernels(declared())
    out = np.zeros((1, 1, kernel.values, 3, 2, 1))
    kernel.series(np.array([[1.55]]), np.array([[[0.0, 7.0]]]), out)
    value, slope, bend = (out[0, 0, kernel.value_of["o1", "o2"]] @ np.eye(1))[:, :, 0] @ [1, 1j]
    turn = 14 / np.pi / 1.55
    assert value == pytest.approx(np.exp(1j * turn), rel=1e-13)
    assert slope == pytest.approx(-1j * turn / 1.55 * np.exp(1j * turn), rel=1e-13)
    second = (2j * turn / 1.55**2 - (turn / 1.55) ** 2) * np.exp(1j * turn)
    assert bend == pytest.approx(second / 2, rel=1e-12)


def test_changed_helper_or_constant_is_a_new_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = values(declared(), [1.55], reflection=0.0, length=7.0)["o1", "o2"]
    again = values(declared(), [1.55], reflection=0.0, length=7.0)["o1", "o2"]
    assert np.array_equal(before, again)
    assert len(list(cache.glob("*.py"))) == 1
    monkeypatch.setitem(scaled.__globals__, "FACTOR", 4)
    after = values(declared(), [1.55], reflection=0.0, length=7.0)["o1", "o2"]
    np.testing.assert_allclose(after, before**2, rtol=1e-14)
    assert len(list(cache.glob("*.py"))) == 2


def test_folder_that_cannot_be_written_costs_no_result(cache: Path) -> None:
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file stands where the folder should be", encoding="utf-8")
    found = values(declared(), [1.55], reflection=0.36, length=7.0)
    np.testing.assert_allclose(np.abs(found["o1", "o2"]), 0.8, rtol=1e-14)


def test_formula_typed_at_a_prompt_has_a_kernel_of_its_own(cache: Path) -> None:
    def six(m: Any, wl: Any) -> Entries:
        """A splitter."""
        return {("o1", "o2"): m.sqrt(0.36) + 0.0 * wl}

    def eight(m: Any, wl: Any) -> Entries:
        """A splitter."""
        return {("o1", "o2"): m.sqrt(0.64) + 0.0 * wl}

    for function, expected in ((six, 0.6), (eight, 0.8)):
        function.__code__ = function.__code__.replace(co_filename="<stdin>")
        assert values(declared(function), np.array([1.5]))["o1", "o2"] == pytest.approx(expected)
    assert len(list(cache.glob("*.py"))) == 2


@pytest.mark.usefixtures("cache")
def test_formula_with_other_values_around_it_has_a_kernel_of_its_own() -> None:
    """A helper's default that no file holds, what a function around it holds, a list, an array."""

    def typed(part: float) -> Callable[..., Entries]:
        outside: dict[str, Any] = {"__name__": __name__}
        text = f"""
def part(m, x, power=0.5, *, of={part}):
    return m.sqrt(of) * x**power

def typed(m, wl):
    return {{("o1", "o2"): part(m, 1.0) + 0.0 * wl}}
"""
        exec(compile(text, "<stdin>", "exec"), outside)  # noqa: S102 - as a prompt does
        typed: Callable[..., Entries] = outside["typed"]
        return typed

    def captured(part: Any) -> Callable[..., Entries]:
        def inside(m: Any, wl: Any) -> Entries:
            """A splitter."""
            return {("o1", "o2"): m.sqrt(part if isinstance(part, float) else float(part[0])) + 0.0 * wl}

        return inside

    kinds: list[Callable[[float], Callable[..., Entries]]] = [
        typed, captured, lambda part: captured([part]), lambda part: captured(np.array([part])),
    ]  # fmt: skip
    for kind in kinds:
        for part in (0.36, 0.64):
            found = values(declared(kind(part)), np.array([1.5]))
            assert abs(found["o1", "o2"]) == pytest.approx(np.sqrt(part)), kind

"""What declarations of closed forms claim beyond the laws of photosim.testing, which tests/testing tries."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.model import ClosedForm, Model, registry

NAMES = tuple(n for n in registry.names() if isinstance(registry.get(n), ClosedForm))
WL = np.array([1.31, 1.5437, 1.55, 1.6])


def closed_form(name: str) -> ClosedForm:
    model: Model = registry.get(name)
    assert isinstance(model, ClosedForm)
    return model


@pytest.mark.parametrize("name", [n for n in NAMES if closed_form(n).active])
def test_active_components_amplify_and_emit(name: str) -> None:
    model = closed_form(name)
    assert np.linalg.norm(model.s(WL), 2, axis=(-2, -1)).max() > 1.0
    assert all(np.all(density > 0) for density in model.emission(WL).values())


@pytest.mark.parametrize("name", [n for n in NAMES if not closed_form(n).reciprocal])
def test_parts_declared_one_way_are_not_symmetric(name: str) -> None:
    s = closed_form(name).s(WL)
    assert np.abs(s - np.swapaxes(s, -2, -1)).max() > 0.1


@pytest.mark.parametrize("name", [n for n in NAMES if closed_form(n).lossless_when is None])
def test_components_not_declared_lossless_lose_power(name: str) -> None:
    model = closed_form(name)
    s = model.s(WL)
    assert np.abs(np.swapaxes(s, -2, -1).conj() @ s - np.eye(len(model.ports))).max() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_plan_pattern_holds_every_element_that_is_not_zero(name: str) -> None:
    model = closed_form(name)
    switches = [n for n, p in model.parameters.items() if p.structural]
    for on in (0.0, 0.1):
        given_settings = dict.fromkeys(switches, on)
        s = np.abs(model.s(WL, **given_settings)).max(axis=0)
        pattern = np.zeros_like(s, dtype=bool)
        for to, start in model.structure(given_settings):
            pattern[to, start] = True
        assert not s[~pattern].any()


@pytest.mark.parametrize("name", NAMES)
def test_latex_renders(name: str) -> None:
    from matplotlib.mathtext import MathTextParser

    model = closed_form(name)
    text = model.latex().removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}")
    rows = [row.partition(" &= ") for row in text.split(r" \\ ")]
    assert sum(left.startswith(r"S_{\mathrm") for left, _, _ in rows) == len(model.formula())
    parser = MathTextParser("path")
    for right in dict.fromkeys(right for _, _, right in rows):
        assert parser.parse(f"${right}$").width > 0


@pytest.mark.parametrize("name", NAMES)
def test_formula_evaluates_to_the_reference(name: str) -> None:
    model = closed_form(name)
    # A kilometre of fibre turns the phase by 6e9 rad, whose rounding alone is 1e-6 rad.
    short = {"length_km": 1e-8} if "length_km" in model.parameters else {}
    values = {**model.defaults, **short, "wl": 1.5437}
    s = model.s([1.5437], **short)[0]
    table, formula = model.symbols(), model.formula()
    inputs = {table[n]: v for n, v in values.items()}
    numbers = {
        value: complex(value.subs(inputs).evalf(20)) if value != 0 else 0 for value in formula.values()
    }
    for (a, b), value in formula.items():
        number = numbers[value]
        assert number == pytest.approx(s[model.ports.index(b), model.ports.index(a)], abs=1e-12, rel=1e-12)

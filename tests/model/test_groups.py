"""Groups of settings: flat for users, one object for the formula, one place for units and descriptions."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.model import (
    Composite,
    Entries,
    Index,
    Length,
    Loss_dB,
    Netlist,
    SettingsGroup,
    Wavelength,
    component,
    composite,
    grouped,
    part,
)
from photosim.model.codegen import kernels


def bent(index: Any) -> Any:
    """A helper that a group's method calls."""
    return index * BEND


BEND = 1.0


@dataclass(frozen=True)
class Cold(SettingsGroup):
    """Guide at room temperature.

    Settings:
        neff: effective index at wl0.
        wl0: wavelength at which neff
            is given.
    """

    neff: Index = 2.5
    wl0: Wavelength = 1.55

    def phase(self, m: Any, wl: Any, length: Any) -> Any:
        """Phase of a length in rad."""
        return 2 * m.pi * bent(self.neff) * length / wl


@dataclass(frozen=True)
class Lossy(Cold):
    """The same with loss.

    Settings:
        loss_dB: insertion loss of the guide.
        neff: effective index of the core.
    """

    loss_dB: Loss_dB = 1.0


@dataclass(frozen=True)
class Pair(SettingsGroup):
    """Two things.

    Settings:
        gap: distance between them.
    """

    gap: Length = 0.2
    guide: Cold = Cold().changed(neff=3.0)  # noqa: RUF009 - frozen


DENSE = Lossy(neff=3.5)


def guide(m: Any, wl: Any, *, length: Length = 10.0, guide: Lossy = DENSE, tail: Length = 1.0) -> Entries:
    """Guide of a group.

    Settings:
        tail: length of a stub.
        length: length of the guide.
        loss_dB: insertion loss, stub included.
    """
    return {("o1", "o2"): m.amplitude_dB(guide.loss_dB) * m.cis(guide.phase(m, wl, length + tail))}


def doubled(*, wl0: Wavelength = 1.3, pair: Pair = Pair(), cold: Cold = Cold()) -> Netlist:
    """Two guides.

    Settings:
        wl0: of both.
    """
    assert pair.guide.wl0 == cold.wl0 == wl0
    return Netlist({"a": part("a", **pair.settings()), "b": part("b", **cold.settings())})


def test_settings_are_flat_in_place_with_units_defaults_and_texts() -> None:
    model = component(ports=("o1", "o2"), source="saleh2019")(guide)
    assert list(model.parameters) == ["length", "neff", "wl0", "loss_dB", "tail"]
    assert model.defaults == {"length": 10.0, "neff": 3.5, "wl0": 1.55, "loss_dB": 1.0, "tail": 1.0}
    assert model.parameters["wl0"].unit == "um"
    assert {n: p.text for n, p in model.parameters.items()} == {
        "length": "length of the guide.",
        "neff": "effective index of the core.",
        "wl0": "wavelength at which neff is given.",
        "loss_dB": "insertion loss, stub included.",
        "tail": "length of a stub.",
    }


def test_signature_and_docstring_list_every_setting() -> None:
    model = component(ports=("o1", "o2"), source="saleh2019")(guide)
    assert list(inspect.signature(model.function).parameters) == ["m", "wl", *model.parameters]
    assert "    neff: effective index of the core.\n    wl0:" in model.doc
    assert model.summary == "Guide of a group."


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where kernels are kept."""
    monkeypatch.setattr("photosim.model.codegen.cache_folder", lambda: tmp_path)
    return tmp_path


def test_formula_gets_the_values_and_a_changed_method_a_new_kernel(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def phase() -> Any:
        model = component(ports=("o1", "o2"), source="saleh2019")(guide)
        kernel = kernels(model)
        out = np.zeros((1, 1, kernel.values, 2, 1))
        kernel.evaluate(np.array([[1.5]]), np.array([[[7.0, 2.0, 1.55, 0.0, 0.5]]]), out)
        compiled = out[0, 0, 0] @ np.ones(1) @ [1, 1j]
        direct = model.s([1.5], length=7.0, neff=2.0, loss_dB=0.0, tail=0.5)[0, 1, 0]
        assert compiled == pytest.approx(direct, rel=1e-13)
        return direct

    assert phase() == pytest.approx(np.exp(2j * np.pi * 2 * 7.5 / 1.5), rel=1e-12)
    # The group's method calls `bent`, which reads BEND: the kernel of old must not be taken.
    monkeypatch.setitem(bent.__globals__, "BEND", 1.5)
    assert phase() == pytest.approx(np.exp(2j * np.pi * 3 * 7.5 / 1.5), rel=1e-12)
    assert len(list(cache.glob("guide_*.py"))) == 2


def test_a_setting_of_two_groups_is_one_and_an_own_keyword_wins() -> None:
    model = composite(source="saleh2019", ports=("o1", "o2"))(doubled)
    assert isinstance(model, Composite)
    assert list(model.parameters) == ["wl0", "gap", "neff"]
    assert model.defaults == {"wl0": 1.3, "gap": 0.2, "neff": 3.0}
    assert model.parameters["wl0"].text == "of both."
    net = model.build({"neff": 2.2, "wl0": 1.4})
    assert net.instances["a"].settings == {"gap": 0.2, "neff": 2.2, "wl0": 1.4}
    assert net.instances["b"].settings == {"neff": 2.2, "wl0": 1.4}


def test_settings_of_chosen_groups_only() -> None:
    assert DENSE.settings(Cold) == {"neff": 3.5, "wl0": 1.55}
    assert Pair().settings(Lossy) == {"neff": 3.0, "wl0": 1.55}


def test_helper_takes_single_settings_too() -> None:
    @grouped
    def helper(length: float, *, guide: Cold, **rest: Any) -> Any:
        return length, guide, rest

    assert helper(2.0, neff=3.1, wl0=1.2, loss_dB=4.0) == (2.0, Cold(3.1, 1.2), {"loss_dB": 4.0})


def test_setting_of_a_group_without_description_is_refused() -> None:
    @dataclass(frozen=True)
    class Silent(SettingsGroup):
        """Nothing is said."""

        neff: Index = 2.0

    def silent(*, guide: Silent = Silent()) -> Netlist:
        """A part."""
        return Netlist({"a": part("straight", **guide.settings())})

    silent.__annotations__["guide"] = Silent
    with pytest.raises(ParameterError, match="'silent', parameter 'neff' is not described"):
        composite(source="saleh2019")(silent)

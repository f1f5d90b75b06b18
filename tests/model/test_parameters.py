"""Parameters read from signature and docstring, and what is said of a declaration or value that is wrong."""

from __future__ import annotations

import warnings
from typing import Any, Literal, get_type_hints

import numpy as np
import pytest

import photosim as ps
from photosim.components.guides import Guide
from photosim.errors import NetlistError, ParameterError
from photosim.model.parameters import Parameter, hints_of, read_parameters, read_settings
from photosim.model.quantities import Count, Index, Length, Power


def told(
    m: Any, wl: Any, *, length: Length = 10.0, neff: Index | None = None, arms: Count = 2,
    shape: Literal["bar", "cross"] = "bar", closed: bool = False,
) -> None:  # fmt: skip
    """Guide of many kinds of setting.

    Settings:
        length: distance that
            light travels.
        neff: effective index.
        arms: number of arms.
        shape: which way light goes.
        closed: whether the end is closed.
    """


def test_everything_is_read_in_order() -> None:
    found = read_parameters(told, ["neff"])
    assert list(found) == ["length", "neff", "arms", "shape", "closed"]
    assert found["length"] == Parameter(
        "length", 10.0, "um", 0.0, np.inf, "distance that light travels.", "real", structural=False
    )
    assert [p.kind for p in found.values()] == ["real", "real", "whole", "choice", "flag"]
    assert [p.structural for p in found.values()] == [False, True, True, True, True]
    assert found["neff"].default is None
    assert found["shape"].choices == ("bar", "cross")


def no_default(*, power: Power) -> None:
    """Part.

    Settings:
        power: ratio that passes.
    """


def no_text(*, power: Power = 0.5) -> None:
    """Nothing is said."""


def no_unit(*, power: float = 0.5) -> None:
    """Part.

    Settings:
        power: ratio that passes.
    """


def too_much(*, power: Power = 0.5) -> None:
    """Part.

    Settings:
        power: ratio that passes.
        loss: what is lost.
    """


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_default, r"'no_default', parameter 'power' has no default"),
        (no_text, r"'no_text', parameter 'power' is not described: add a line"),
        (no_unit, r"'no_unit', parameter 'power' has no unit"),
        (too_much, r"'too_much' describes loss, which it does not have"),
    ],
)
def test_incomplete_declaration_names_what_is_missing(function: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        read_parameters(function, ())


def test_structural_setting_must_exist() -> None:
    with pytest.raises(ParameterError, match="reflection, which it does not have"):
        read_parameters(told, ["reflection"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length": -1.0}, r"setting 'length' is -1 um, but must be 0 or more um"),
        ({"length": np.array([1.0, -2.0])}, r"setting 'length' is -2 um"),
        ({"length": float("nan")}, r"setting 'length' is nan um"),
        ({"length": "10"}, r"setting 'length' must be a number in um, got '10'"),
        ({"length": True}, r"setting 'length' must be a number in um, got True"),
        ({"arms": 2.5}, r"setting 'arms' must be a whole number, got 2\.5"),
        ({"neff": 11.0}, r"setting 'neff' is 11, but must be 0\.5 to 10\."),
        ({"shape": "bra"}, r"setting 'shape' must be one of bar, cross, got 'bra'. Did you mean 'bar'"),
        ({"closed": 1}, r"setting 'closed' must be one of true or false, got 1"),
        ({"lenght": 1.0}, r"no setting 'lenght'\. It has: .*Did you mean 'length'"),
    ],
)
def test_wrong_value_is_one_sentence(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=r"^component 'told'.*" + message):
        read_settings(read_parameters(told, ()), (), settings, "component 'told'")


def test_none_and_layout_settings_pass() -> None:
    read_settings(read_parameters(told, ()), ("layer",), {"length": None, "layer": 3}, "component 'told'")


def _read(component: str, **settings: float) -> list[str]:
    """Return the warnings of a circuit of one instance."""
    net = {"instances": {"a": {"component": component, "settings": settings}, "b": "straight"},
           "connections": {"a,o1": "b,o1"}, "ports": {"o2": "b,o2"}}  # fmt: skip
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        ps.Circuit(net)(1.55)
    return [str(own.message) for own in found]


@pytest.mark.parametrize("component", ["ring_single", "ring_double", "racetrack", "ring_modulator", "crow"])
@pytest.mark.parametrize(("value", "wanted"), [(1e-5, "10"), (5.5e-6, "5.5"), (25e-6, "25")])
def test_the_radius_of_a_ring_in_metres_is_refused(component: str, value: float, wanted: str) -> None:
    with pytest.raises(NetlistError, match=rf"'radius' is .* um, but must .* looks like m: write {wanted}\."):
        _read(component, radius=value)


@pytest.mark.parametrize(
    ("component", "settings", "hint"),
    [
        ("straight", {"length": 1e-4}, "m: write 100"),
        ("spiral", {"length": 5e-4}, "m: write 500"),
        ("ring_single", {"gap": 2e-7}, "m: write 0.2"),
        ("coupler", {"gap": 1.5e-7}, "m: write 0.15"),
        ("bend_euler", {"radius": 5e-6}, "m: write 5"),
        ("mzi", {"delta_length": 3e-5}, "m: write 30"),
        ("straight", {"temperature": 25.0}, "degrees Celsius: write 298.15"),
    ],
)
def test_lengths_in_metres_and_degrees_celsius_warn(component: str, settings: Any, hint: str) -> None:
    said = _read(component, **settings)
    assert any(f"It looks like {hint}." in text for text in said), said


@pytest.mark.parametrize(("setting", "value"), [("width", 5e-7), ("width", 500.0), ("height", 2.2e-7)])
def test_widths_in_metres_or_nanometres_are_refused(setting: str, value: float) -> None:
    with pytest.raises(NetlistError, match=r"It looks like (m|nm): write 0\.(5|22)\."):
        _read("straight_strip", **{setting: value})


@pytest.mark.parametrize(
    ("component", "setting", "value", "unit"),
    [
        ("photodetector", "dark_current", 5.0, "A"),
        ("avalanche_photodetector", "dark_current", 1.0, "A"),
        ("laser", "power", 10.0, "W"),
        ("laser", "linewidth", 1.0, "Hz"),
        ("photodetector", "bandwidth", 4.0, "Hz"),
        ("mach_zehnder_modulator", "voltage", 3000.0, "V"),
        ("straight", "loss_dB_cm", 2000.0, "dB/cm"),
        ("frequency_comb", "spacing", 100.0, "Hz"),
    ],
)
def test_values_far_from_use_warn_with_their_unit(
    component: str, setting: str, value: float, unit: str
) -> None:
    said = _read(component, **{setting: value})
    assert any(f"is it in {unit}?" in text for text in said), said


def test_annotations_mean_what_the_type_system_says() -> None:
    """Names are looked up and other texts evaluated: both give what typing gives, for groups too."""
    for declared in (told, Guide):
        expected = get_type_hints(declared, include_extras=True)
        found = hints_of(declared)
        assert {name: found[name] for name in expected if name != "return"} == {
            name: hint for name, hint in expected.items() if name != "return"
        }

"""What every component of the library states: unit, bounds, default, meaning, source, what it leaves out."""

from __future__ import annotations

import math

import pytest

from photosim.errors import ParameterError
from photosim.model import registry

ISSUED = {
    "attenuator", "balanced_photodetector", "bend_euler", "circulator", "coupler", "crossing", "isolator",
    "laser", "mmi1x2", "mmi2x2", "mzi", "phase_shifter", "photodetector", "reflector", "ring_double",
    "ring_double_ideal", "ring_single", "ring_single_ideal", "speckle_medium", "splitter", "straight",
    "terminator", "weight_bank",
}  # fmt: skip


def test_library_is_complete() -> None:
    assert set(registry.names()) >= ISSUED


@pytest.mark.parametrize("name", registry.names())
def test_component_describes_itself(name: str) -> None:
    model = registry.get(name)
    assert len(model.summary) > 20
    assert "Left out:" in " ".join(model.doc.split())


@pytest.mark.parametrize("name", registry.names())
def test_parameters_have_unit_bounds_and_a_default_inside(name: str) -> None:
    for parameter in registry.get(name).parameters.values():
        assert parameter.unit, parameter.name
        assert len(parameter.text) > 10, parameter.name
        assert parameter.low < parameter.high or parameter.kind in {"choice", "text"}
        parameter.check(parameter.default, name)
        losses = "loss" in parameter.name and parameter.unit != "1"
        if losses or parameter.unit in {"dB", "dB/cm", "dB/Hz"}:
            assert parameter.name.endswith(("_dB", "_dB_cm", "_dB_Hz", "_dB_km")), parameter.name


@pytest.mark.parametrize("name", registry.names())
def test_value_out_of_bounds_is_refused_with_name_and_bounds(name: str) -> None:
    model = registry.get(name)
    for parameter in model.parameters.values():
        if parameter.kind not in {"real", "whole"} or not math.isfinite(parameter.low):
            continue
        with pytest.raises(ParameterError, match=parameter.name) as caught:
            # One less, or half where one is lost in the rounding of a density of 1e17.
            parameter.check(parameter.low - max(1.0, abs(parameter.low) / 2), f"component {name!r}")
        assert parameter.bounds() in str(caught.value)


def test_coupling_of_1_69_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'coupling' is 1\.69, but must be 0 to 1"):
        registry.get("coupler").check({"coupling": 1.69})


def test_settings_that_exclude_each_other_are_refused() -> None:
    for name, settings in (
        ("coupler", {"gap": 0.2, "coupling": 0.1}),
        ("ring_single", {"gap": 0.2, "coupling": 0.1}),
        ("ring_double", {"gap_top": 0.2, "coupling_drop": 0.1}),
        ("bend_euler", {"length": 10.0, "radius": 5.0}),
    ):
        with pytest.raises(ParameterError, match="exclude each other: give one of them"):
            registry.get(name).check(settings)


def test_setting_that_needs_another_is_not_dropped() -> None:
    with pytest.raises(ParameterError, match="'radius' has an effect only together with 'gap'"):
        registry.get("coupler").check({"radius": 5.0})


@pytest.mark.parametrize("name", ["straight", "bend_euler", "coupler", "mmi1x2", "ring_double", "mzi"])
def test_layout_settings_are_accepted(name: str) -> None:
    registry.get(name).check({"cross_section": "strip"})

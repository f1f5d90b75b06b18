"""Every declared bound: a component answers finite numbers there, or the bound excludes what it cannot do."""

from __future__ import annotations

import math
import string
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import NetlistError, ParameterError, PhotosimError, PhotosimWarning, UnphysicalResult
from photosim.model import (
    ClosedForm,
    Composite,
    Detector,
    Electronic,
    Model,
    Network,
    Nonlinear,
    Numerical,
    Source,
    registry,
)

LARGE = {"hexagonal_mesh", "spectrum_slicer", "weight_bank", "mesh_filter"}
"""Components of hundreds of parts: one circuit of each takes its settings from the calls."""
MOST_COUNTED = 8
"""Counts are tried up to here: what they build grows with them."""
WL = np.array([1.5501, 1.551])
LINKED = ["photodetector", "balanced_photodetector", "avalanche_photodetector", "transimpedance_amplifier",
          "adc", "dac", "current_driver", "heater_driver", "laser", "frequency_comb",
          "pulsed_laser"]  # fmt: skip


def ends(model: Model) -> list[tuple[str, Any]]:
    """Return every numeric parameter with its finite bounds; of 72 equal couplers of a mesh, one."""
    found: list[tuple[str, Any]] = []
    families = {(p.name.rstrip(string.digits), p.low, p.high): p for p in model.parameters.values()}
    for p in families.values():
        if p.kind == "whole":
            found += [(p.name, int(v)) for v in {p.low, min(p.high, MOST_COUNTED)} if v >= p.low]
        elif p.kind == "real":
            found += [(p.name, v) for v in (p.low, p.high) if math.isfinite(v)]
    return found


@cache
def circuit_of(name: str, **settings: Any) -> ps.Circuit:
    """Return a circuit of one component at settings."""
    ports = registry.get(name).ports_for(settings)
    net = {"instances": {"it": {"component": name, "settings": settings}},
           "ports": {f"p{k}": f"it,{port}" for k, port in enumerate(ports)}}  # fmt: skip
    return ps.Circuit(net)


def composed(model: Composite, settings: dict[str, Any]) -> Any:
    """Return the S-matrix of a component of components; of a large one only counts make another circuit."""
    if model.name in LARGE and all(model.parameters[setting].kind == "real" for setting in settings):
        return circuit_of(model.name)(WL, it=settings).values
    return circuit_of.__wrapped__(model.name, **settings)(WL).values


def numbers(model: Model, settings: dict[str, Any]) -> list[Any]:
    """Return all that a component answers by itself, at settings."""
    name, _, variant = model.name.partition(".")
    if variant:
        settings = {variant: model.parameters[variant].default, **settings}
        return [registry.get(name).s(WL, **settings)]  # type: ignore[attr-defined]
    if isinstance(model, ClosedForm):
        return [model.s(WL, **settings), *model.emission(WL, **settings).values()]
    if isinstance(model, Numerical):
        return [model.s(WL, **settings), model.series(WL, 2, **settings)]
    if isinstance(model, Composite):
        return [composed(model, settings)]
    if isinstance(model, Detector):
        return [*model.responsivity(WL, **settings).values(), *model.multiplication(**settings)]
    if isinstance(model, Source):
        return [*model.lines(**settings)]
    if isinstance(model, Network):
        return [element.values for element in model.elements(**settings)]
    if isinstance(model, Electronic):
        stage = model.stage(**settings)
        return [stage.gain, stage.step, stage.level, stage.low, stage.high]
    if isinstance(model, Nonlinear):
        constants = model.constants(settings)
        return [constants, model.start_state(constants[:, 0], 1)]
    return []


@pytest.mark.parametrize("name", registry.names())
def test_a_component_answers_at_its_bounds(name: str) -> None:
    model = registry.get(name)
    if any(p.kind == "table" for p in model.parameters.values()):
        pytest.skip("needs a file")
    for parameter, value in ends(model):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                found = numbers(model, {parameter: value})
            except (ParameterError, NetlistError):
                continue  # a sentence is an answer too: settings that do not go together
        assert all(np.isfinite(x).all() for x in found), (parameter, value)


def lit(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return a link through one component, from a laser to a detector and what reads it."""
    instances: dict[str, Any] = {"l": "laser", "pd": "photodetector", "tia": "transimpedance_amplifier"}
    instances |= {"adc": "adc"}
    joined = {"l,o1": "pd,o1", "pd,e1": "tia,e1", "tia,e2": "adc,e1"}
    model = registry.get(name)
    own = {"component": name, "settings": settings}
    if isinstance(model, Source):
        instances["l"] = own
    elif isinstance(model, Detector):
        instances["pd"] = own
        if "o2" in model.ports:
            instances["l2"], joined["l2,o1"] = "laser", "pd,o2"
    elif name in {"adc", "transimpedance_amplifier"}:
        instances["adc" if name == "adc" else "tia"] = own
    else:
        driven = {"dac": "mach_zehnder_modulator", "current_driver": "variable_attenuator",
                  "heater_driver": "thermo_optic_shifter"}[name]  # fmt: skip
        instances |= {"drive": own, "part": driven}
        joined |= {"l,o1": "part,o1", "part,o2": "pd,o1", "drive,e1": "part,e1"}
    return {"instances": instances, "connections": joined}


@pytest.mark.parametrize("name", LINKED)
def test_a_link_answers_at_the_bounds_of_its_parts(name: str) -> None:
    for parameter, value in ends(registry.get(name)):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                circuit = ps.Circuit(lit(name, {parameter: value}))
                found = ps.link(circuit)["pd"]
                currents = circuit.photocurrents().values
            except (ParameterError, NetlistError):
                continue  # one sentence
        assert np.isfinite(currents).all(), (parameter, value)
        assert np.isfinite(found.current), (parameter, value)
        assert not np.isnan(sum(found.variances.values())), (parameter, value)


def shone_on(name: str, settings: dict[str, Any]) -> tuple[ps.Circuit, dict[str, Any]]:
    """Return a component in a circuit, and the light into it where it has none of its own."""
    if name in LINKED:
        return ps.Circuit(lit(name, settings)), {}
    ports = [port for port in registry.get(name).ports if port.startswith("o")]
    net = {"instances": {"it": {"component": name, "settings": settings}},
           "ports": {f"p{k}": f"it,{port}" for k, port in enumerate(ports)}}  # fmt: skip
    light = {"p0": ps.waveforms.pulse(at=4e-10, width=1e-10, high=1e-3)}
    return ps.Circuit(net), {"inputs": light, "wl": 1.55}


def in_time(name: str, settings: dict[str, Any], drive: dict[str, Any]) -> None:
    """Hold a short run in time to finite numbers or one sentence, without warnings of numpy's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", PhotosimWarning)
        try:
            circuit, light = shone_on(name, settings)
            out = ps.transient(circuit, 1e-9, sample_rate=1e11, drive=drive, **light)
        except PhotosimError:
            return  # one sentence
    assert all(np.isfinite(found.values).all() for found in out.data_vars.values()), (settings, drive)


@pytest.mark.parametrize("name", LINKED)
def test_a_run_in_time_answers_at_the_bounds_of_its_parts(name: str) -> None:
    for parameter, value in ends(registry.get(name)):
        in_time(name, {parameter: value}, {})


@pytest.mark.parametrize("name", [n for n in registry.names() if registry.get(n).drives])
def test_a_drive_to_the_bounds_of_a_setting_is_followed_or_refused(name: str) -> None:
    model = registry.get(name)
    for parameter in dict.fromkeys(model.drives.values()):
        declared = model.parameters[parameter]
        for end in (declared.low, declared.high, -1e308, 1e308):
            if math.isfinite(end):
                to = ps.waveforms.pulse(at=5e-10, width=2e-10, low=declared.default, high=end)
                in_time(name, {}, {f"it.{parameter}": to})


@pytest.mark.parametrize("phase", [1e13, 1e18, 1e308])
def test_an_angle_of_which_no_digit_is_known_has_no_s_matrix(phase: float) -> None:
    """At 1e18 rad the kernels answered a transmission of 1e23; at 1e12 three digits are known."""
    net = {"instances": {"it": "phase_shifter"}, "ports": {"in": "it,o1", "out": "it,o2"}}
    with pytest.raises(UnphysicalResult, match="too large or too small to compute with"):
        ps.Circuit(net)([1.55], it={"phase": phase})
    right = ps.Circuit(net)([1.55])["in", "out"].values * np.exp(1e12j)
    assert ps.Circuit(net)([1.55], it={"phase": 1e12})["in", "out"].values == pytest.approx(right, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "setting", "value", "advice"),
    [
        ("coupler", "gap", 200.0, "It looks like nm: write 0.2"),
        ("ring_single", "gap", 150.0, "It looks like nm: write 0.15"),
        ("straight_strip", "width", 500.0, "It looks like nm: write 0.5"),
        ("straight_strip", "height", 220.0, "It looks like nm: write 0.22"),
        ("photodetector", "saturation_power", 0.0, "must be 1e-12 to 1e"),
        ("soa", "saturation_power", 0.0, "must be 1e-12 to 1e"),
        ("nonlinear_ring", "radius", 0.0, "must be 0.1 to 100000 um"),
        ("adc", "bandwidth", 0.0, "must be 0.001 to 1e"),
        ("pulsed_laser", "repetition_rate", 0.0, "must be 1 to 1e"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_unit(
    name: str, setting: str, value: float, advice: str
) -> None:
    with pytest.raises(ParameterError, match=advice):
        registry.get(name).check({setting: value})


@pytest.mark.parametrize(
    ("name", "settings", "unit"),
    [
        ("straight", {"loss_dB_cm": 2500.0}, "dB/cm"),
        ("attenuator", {"loss_dB": 900.0}, "dB"),
        ("laser", {"linewidth": 1.0}, "Hz"),
        ("laser", {"linewidth": 1e13}, "Hz"),
        ("laser", {"power": 13.0}, "W"),
        ("photodetector", {"bandwidth": 2.0}, "Hz"),
    ],
)
def test_a_value_far_from_use_warns_with_its_unit(name: str, settings: dict[str, Any], unit: str) -> None:
    (setting,) = settings
    instances: dict[str, Any] = {"it": {"component": name, "settings": settings}}
    net = {"instances": instances, "ports": {p: f"it,{p}" for p in registry.get(name).ports}}
    with pytest.warns(PhotosimWarning, match=rf"'it' \({name}\) is used at '{setting}' .* is it in {unit}\?"):
        ps.Circuit(net)
    with pytest.raises(ParameterError, match=setting):
        ps.Circuit(net, windows="error")
    instances["it"] = {"component": name, "settings": {setting: 0.0}}
    if setting != "power":
        ps.Circuit(net)  # 0 says that there is none


@pytest.mark.parametrize("name", registry.names())
def test_defaults_lie_in_windows_and_in_usual_ranges(name: str) -> None:
    model = registry.get(name)
    for window in model.windows:
        if window.of == "wl" or model.defaults[window.of] is None:
            continue
        low, high = window.span(model.defaults)
        value = model.defaults[window.of]
        assert low <= value <= high or (window.zero and value == 0), (window.of, value)

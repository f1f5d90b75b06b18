"""Electrical ports carry units: a wire between two of them that differ is refused, naming what is missing."""

from __future__ import annotations

from typing import Any

import pytest

import photosim as ps
from photosim.errors import NetlistError, PhotosimError
from photosim.model import Detector, Electronic, registry

SOURCES = {"V": "dac", "A": "current_driver", "W": "heater_driver"}
DRIVEN = [
    (model.name, port)
    for model in map(registry.get, registry.names())
    for port in model.drives
    if "." not in model.name and model.kind != "network"  # sources of nets are driven, and need their nets
]


def driven(driver: str, name: str, port: str, *, turned: bool) -> dict[str, Any]:
    """Return a netlist in which a driver is wired to a part; `turned` writes the driven part first."""
    ports = registry.get(name).ports
    wire = {f"part,{port}": "driver,e1"} if turned else {"driver,e1": f"part,{port}"}
    return {
        "instances": {"driver": driver, "part": name},
        "connections": wire,
        "ports": {p: f"part,{p}" for p in ports},
    }


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("name", "port"), DRIVEN)
def test_only_a_driver_of_the_right_unit_drives(name: str, port: str, turned: bool) -> None:
    model = registry.get(name)
    unit = model.parameters[model.drives[port]].unit
    for given, driver in SOURCES.items():
        net = driven(driver, name, port, turned=turned)
        if given == unit:
            ps.Circuit(net)
            continue
        with pytest.raises(NetlistError) as caught:
            ps.Circuit(net)
        text = str(caught.value)
        assert f"'driver,e1' ({driver}) is in {given}" in text
        assert f"'part,{port}' ({name}) is in {unit}" in text
        assert f"a driver is missing that gives {unit}, such as a {SOURCES[unit]}" in text


def test_a_dac_of_one_volt_drives_no_diode_and_no_heater() -> None:
    for name, wanted in (
        ("variable_attenuator", "current_driver"),
        ("thermo_optic_shifter", "heater_driver"),
    ):
        with pytest.raises(NetlistError, match=f"such as a {wanted} in place of a dac"):
            ps.Circuit(driven("dac", name, "e1", turned=False))


def test_a_current_is_not_a_voltage_behind_detectors_either() -> None:
    net: dict[str, Any] = {
        "instances": {"laser": "laser", "pd": "photodetector", "adc": "adc"},
        "connections": {"laser,o1": "pd,o1", "pd,e1": "adc,e1"},
    }
    with pytest.raises(
        NetlistError, match=r"gives V, such as .* a transimpedance_amplifier behind a detector"
    ):
        ps.Circuit(net)
    net["instances"]["tia"] = "transimpedance_amplifier"
    net["connections"] = {"laser,o1": "pd,o1", "pd,e1": "tia,e1", "tia,e2": "adc,e1"}
    assert ps.link(ps.Circuit(net))["pd"].current > 0


def test_units_are_seen_through_netlists_and_composites() -> None:
    inner = {
        "instances": {"m": "variable_attenuator"},
        "ports": {"a": "m,o1", "b": "m,o2", "drive": "m,e1"},
    }
    outer: dict[str, Any] = {
        "instances": {"box": "inner", "dac": "dac"},
        "connections": {"dac,e1": "box,drive"},
        "ports": {"a": "box,a", "b": "box,b"},
    }
    with pytest.raises(NetlistError, match=r"'dac,e1' \(dac\) is in V, 'box,drive' \(inner\) is in A"):
        ps.Circuit({"outer": outer, "inner": inner})
    net = {
        "instances": {"rx": "coherent_receiver", "adc": "adc", "l1": "laser", "l2": "laser"},
        "connections": {"l1,o1": "rx,o1", "l2,o1": "rx,o2", "rx,e1": "adc,e1"},
    }
    with pytest.raises(
        NetlistError, match=r"'rx,e1' \(coherent_receiver\) is in A, 'adc,e1' \(adc\) is in V"
    ):
        ps.Circuit(net)


def test_every_electrical_port_of_the_library_has_a_unit() -> None:
    for name in registry.names():
        model = registry.get(name)
        for port in model.electrical_for({}):
            if model.domain_of(port, {}):
                continue  # pins have volts and amperes alike
            assert model.electrical_unit(port, {}) in {"A", "V", "W"}, (name, port)
            if isinstance(model, Detector):
                assert model.electrical_unit(port, {}) == "A"
    assert {m.name for m in map(registry.get, registry.names()) if isinstance(m, Electronic)} >= {
        "dac",
        "adc",
    }


def test_a_net_of_two_signals_is_a_wire_whose_units_are_compared() -> None:
    """A dac, in V, drove the current of an attenuator where the wire was written as a net of two."""
    net: dict[str, Any] = {
        "instances": {"dac": "dac", "part": "variable_attenuator"},
        "nets": [["dac,e1", "part,e1"]],
        "ports": {"in": "part,o1", "out": "part,o2"},
    }
    with pytest.raises(NetlistError, match=r"'dac,e1' \(dac\) is in V, .* such as a current_driver"):
        ps.Circuit(net)


@pytest.mark.parametrize("component", ["pid_controller", "integrator"])
def test_a_controller_whose_range_is_upside_down_is_refused(component: str) -> None:
    """Its output stood still between the two ends, without a word."""
    own = {"component": component, "settings": {"output_low": 5.0, "output_high": -5.0}}
    net: dict[str, Any] = {
        "instances": {"src": "voltage_source", "lock": own, "r": "resistor"},
        "nets": [["src,e1", "lock,e1"], ["lock,e3", "r,e1"], ["src,e2", "r,e2", "lock,e2", "gnd"]],
    }
    with pytest.raises(PhotosimError, match=r"'lock' \(.*'output_low' is 5 V, but must be below"):
        ps.Circuit(net)

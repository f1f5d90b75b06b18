"""What a call says about wrong settings: it names what was given, and array members by their name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.cli.settings import read_settings
from photosim.engine.bindings import owner, steps
from photosim.errors import ParameterError

WL = np.linspace(1.545, 1.555, 5)
RING: dict[str, Any] = {
    "instances": {"ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.1}}},
    "ports": {"in": "ring,o1", "drop": "ring,o2", "add": "ring,o3", "through": "ring,o4"},
}
ARRAY: dict[str, Any] = {
    "instances": {"a": {"component": "straight", "array": {"columns": 2, "rows": 1}}},
    "connections": {"a<0.0>,o2": "a<1.0>,o1"},
    "ports": {"in": "a<0.0>,o1", "out": "a<1.0>,o2"},
}


@pytest.mark.parametrize(
    ("setting", "value", "found"),
    [
        (
            "coupling",
            2.0,
            r"^instance 'ring' \(ring_double\): setting 'coupling' is 2, but must be 0 to 1",
        ),
        ("radius", -2.0, r"^instance 'ring' \(ring_double\): setting 'radius' is -2 um"),
        ("coupling", [0.1, -0.5], r"^instance 'ring' \(ring_double\): setting 'coupling' is -0.5"),
    ],
)
def test_a_composite_is_blamed_for_what_it_was_given(setting: str, value: Any, found: str) -> None:
    circuit = ps.Circuit(RING)
    with pytest.raises(ParameterError, match=found):
        circuit(WL, ring={setting: value})


def test_a_count_out_of_bounds_is_refused_before_the_graph_is_made() -> None:
    mesh = {"component": "clements_mesh", "settings": {"n": 3}}
    ports = {f"o{k}": f"b,o{k}" for k in range(1, 7)}
    circuit = ps.Circuit({"instances": {"b": mesh}, "ports": ports})
    for value, found in ((-3, r"is -3, but must be 2 to 256"), (2.5, r"must be a whole number, got 2\.5")):
        with pytest.raises(ParameterError, match=rf"^instance 'b' \(clements_mesh\): setting 'n' {found}"):
            circuit(WL, b={"n": value})


def test_what_follows_from_a_setting_names_the_setting() -> None:
    coupler = {"component": "coupler", "settings": {"coupling": "2*k"}}
    ports = {f"o{k}": f"c,o{k}" for k in range(1, 5)}
    circuit = ps.Circuit({"settings": {"k": 0.2}, "instances": {"c": coupler}, "ports": ports})
    found = r"^The values of k lead out of bounds: instance 'c' \(coupler\): setting 'coupling' is 1\.8"
    with pytest.raises(ParameterError, match=found):
        circuit(WL, k=0.9)


def test_the_temperature_of_the_circuit_has_bounds() -> None:
    net = {"instances": {"a": "straight_heater"}, "ports": {"in": "a,o1", "out": "a,o2"}}
    with pytest.raises(ParameterError, match=r"^the circuit: setting 'temperature' is -5 K"):
        ps.Circuit(net)(WL, temperature=-5.0)


def test_dots_of_array_members_part_no_names() -> None:
    assert steps("bank<0.1>.ring<12.0>.phase") == ["bank<0.1>", "ring<12.0>", "phase"]
    assert steps("temperature") == ["temperature"]
    assert owner("bank<0.1>.ring<12.0>.phase") == ("bank<0.1>.ring<12.0>", "phase")
    assert owner("bank<0.1>") == ("", "bank<0.1>")
    assert owner("x.bank<0.1>") == ("x", "bank<0.1>")


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"a<0.0>": {"lenght": 3.0}}, r"^Instance 'a<0\.0>' has no setting 'lenght'\..*mean 'length'\?$"),
        ({"a<0.0>": {"length": -3.0}}, r"^instance 'a<0\.0>' \(straight\): setting 'length' is -3 um"),
        ({"a<0.0>": 3.0}, r"^'a<0\.0>' is an instance, which takes its settings by name: \{'length': "),
        ({"b": {"length": 3.0}}, r"no setting 'b\.length'\. It has: a<0\.0>, a<1\.0>, temperature\."),
    ],
)
def test_messages_keep_names_of_array_members_whole(settings: dict[str, Any], found: str) -> None:
    with pytest.raises(ParameterError, match=found):
        ps.Circuit(ARRAY)(WL, **settings)


def test_instances_called_as_arguments_take_dotted_names() -> None:
    net = {
        "instances": {"wl": "straight", "ports": "straight"},
        "connections": {"wl,o2": "ports,o1"},
        "ports": {"in": "wl,o1", "out": "ports,o2"},
    }
    circuit = ps.Circuit(net)
    given: dict[str, Any] = {"wl.length": 3.0, "ports.length": 7.0}
    same = ps.Circuit({"instances": {"a": "straight"}, "ports": {"in": "a,o1", "out": "a,o2"}})
    np.testing.assert_allclose(
        circuit(WL, **given)["in", "out"].values, same(WL, a={"length": 10.0})["in", "out"].values, atol=1e-12
    )
    wrong: Any = {"length": 3.0}
    with pytest.raises(ParameterError, match=r"^ports is an argument .* as in \*\*\{'ports\.length': "):
        circuit(WL, ports=wrong)
    with pytest.raises(ParameterError, match=r"^wl is an argument of this call, .*'wl\.length'"):
        circuit(wl=wrong)
    with pytest.raises(ParameterError, match=r"^ports must be a list of names, as in ports=\['in'\]"):
        circuit(WL, ports="in")


def test_the_name_of_an_instance_is_not_taken_for_a_setting() -> None:
    circuit = ps.load("add_drop_ring")
    said = r"^'ring' is an instance: name one of its settings, as in 'ring\.radius'\. It has: radius, "
    with pytest.raises(ParameterError, match=said):
        circuit.jacobian([1.55], ["in"], ["drop"], ["ring"])
    with pytest.raises(ParameterError, match=said):
        ps.sweep(circuit, {"ring": [1.0, 2.0]}, wl=[1.55])
    with pytest.raises(ParameterError, match=said):
        read_settings(["ring=3"], circuit)

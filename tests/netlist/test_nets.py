"""Electrical nets in netlists: how they are written, read, checked and refused."""

from __future__ import annotations

from typing import Any

import pytest

import photosim as ps
from photosim.netlist import from_dict, read_text, to_gdsfactory, to_yaml

RC: dict[str, Any] = {
    "instances": {"src": "voltage_source", "r": "resistor", "c": "capacitor"},
    "nets": [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["src,e2", "c,e2", "gnd"]],
}


def changed(**parts: Any) -> dict[str, Any]:
    """Return the netlist with other instances beside its own, and other sections."""
    instances = {**RC["instances"], **parts.pop("instances", {})}
    return {**RC, "instances": instances, **parts}


def joined(data: dict[str, Any]) -> set[frozenset[tuple[str, str]]]:
    """Return the nets of the circuit, members in any order."""
    return {frozenset(net) for net in ps.Circuit(data).graph.nets}


def test_nets_are_read_and_written_as_they_are() -> None:
    net = from_dict(RC)
    assert net.nets == (ps.net("src,e1", "r,e1"), ps.net("r,e2", "c,e1"), ps.net("src,e2", "c,e2", "gnd"))
    assert read_text(to_yaml(net)) == net
    assert ps.Circuit(net).graph.nets == net.nets


def test_nets_of_two_kinds_stand_beside_each_other() -> None:
    nets = [*RC["nets"], {"p1": "a,o2", "p2": "b,o1"}]
    data = changed(instances={"a": "straight", "b": "straight"}, nets=nets)
    data["ports"] = {"in": "a,o1", "out": "b,o2"}
    net = from_dict(data)
    assert len(net.nets) == 3
    assert net.connections == ((("a", "o2"), ("b", "o1")),)
    assert read_text(to_yaml(net)) == net


def test_connections_of_pins_are_nets_and_join_those_that_share_one() -> None:
    data = changed(connections={"src,e1": "r,e1", "r,e2": "c,e1"}, nets=[["src,e2", "c,e2", "gnd"]])
    assert joined(data) == joined(RC)
    chain = {"instances": dict.fromkeys("abc", "resistor"), "connections": {"a,e1": "b,e1", "b,e1": "c,e1"},
             "nets": [["a,e2", "b,e2", "c,e2", "gnd"]]}  # fmt: skip
    assert frozenset([("a", "e1"), ("b", "e1"), ("c", "e1")]) in joined(chain)


def test_pins_go_through_sub_netlists() -> None:
    inner = {"instances": {"r": "resistor", "c": "capacitor"}, "nets": [["r,e2", "c,e1"], ["c,e2", "gnd"]],
             "ports": {"in": "r,e1", "out": "c,e1"}}  # fmt: skip
    top = {"instances": {"src": "voltage_source", "low": "rc", "next": "rc"},
           "nets": [["src,e1", "low,in"], ["low,out", "next,in"], ["src,e2", "gnd"]]}  # fmt: skip
    nets = joined({"top_level": top, "rc": inner})
    assert frozenset([("low.r", "e2"), ("low.c", "e1"), ("next.r", "e1")]) in nets


def test_one_way_ports_in_a_net_are_wired_as_by_connections() -> None:
    parts = {"l": "laser", "d": "dac", "m": "mach_zehnder_modulator", "pd": "photodetector"}
    lit = {"l,o1": "m,o1", "m,o2": "pd,o1"}
    by_net = ps.Circuit({"instances": parts, "connections": lit, "nets": [["m,e1", "d,e1"]]})
    by_wire = ps.Circuit({"instances": parts, "connections": {**lit, "d,e1": "m,e1"}})
    assert by_net.graph.wires == by_wire.graph.wires


ENDS = ["src,e2", "c,e2", "gnd"]
REFUSED: dict[str, tuple[dict[str, Any], list[Any], str]] = {
    "unknown member": ({}, [["src,e1", "r,e1"], ["src,e2", "gdn"]],
                       r"net 2: 'gdn' is not a member of a net.*Did you mean 'gnd'\?"),
    "unknown pin": ({}, [["src,e1", "r,e9"], ENDS],
                    r"instance 'r' \(resistor\) has no port 'e9'. It has: e1, e2"),
    "unknown instance": ({}, [["src,e1", "rr,e1"]], r"no such instance. Did you mean 'r'"),
    "one end": ({}, [{"p1": "src,e1"}], "net 1 needs the key 'p2'"),
    "another key": ({}, [{"p1": "src,e1", "p3": "r,e1"}], "net 1 has no key 'p3'"),
    "one member": ({}, [["src,e1"]], "net 1 has 1 member, but a net joins two or more"),
    "not a member": ({}, [["src,e1", 3]], "net 1: 3 is not a member of a net: write instance,port"),
    "ground with a pin": ({}, [["src,e1", "r,e1"], ["src,e2", "gnd,e1"]],
                          "In nets the ground stands alone: gnd."),
    "two nets": ({}, [["src,e1", "r,e1"], ["r,e1", "c,e1"], ENDS], "'r,e1' stands in two nets, 1 and 2"),
    "twice": ({}, [["src,e1", "r,e1", "r,e1"]], "'r,e1' stands twice in one net"),
    "optical": ({"g": "straight"}, [["src,e1", "g,o1"]],
                "net 1 joins the optical port 'g,o1' with 'src,e1'. Nets are electrical"),
    "power": ({"h": "thermo_optic_shifter"}, [["src,e1", "r,e1"], ["r,e2", "c,e1", "h,e1"], ENDS],
              "'h,e1' is a signal in W and 'r,e2' a pin"),
    "floating": ({}, [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["src,e2", "c,e2"]], "no path to gnd at rest"),
    "behind capacitors": ({"c2": "capacitor"}, [["src,e1", "r,e1", "c,e1"], ["c,e2", "c2,e1"],
                                                ["src,e2", "r,e2", "c2,e2", "gnd"]],
                          "The net of 'c,e2' has no path to gnd at rest: only the capacitors c.c, c2.c lead"),
    "behind a capacitor": ({"e": "voltage_controlled_voltage_source"},
                           [["src,e1", "r,e1", "c,e1"], ["r,e2", "e,e1"], ["c,e2", "e,e3"],
                            ["src,e2", "e,e2", "e,e4", "gnd"]],
                           "'c,e2' has no path to gnd at rest: only the capacitor c.c leads there"),
    "loop of voltages": ({"v2": "voltage_source"},
                         [["src,e1", "r,e1", "v2,e1"], ["r,e2", "c,e1"], ["v2,e2", *ENDS]],
                         "src.v, v2.v form a loop of ideal voltage sources"),
    "inductor across a source": ({"l": "inductor"},
                                 [["src,e1", "r,e1", "l,e1"], ["r,e2", "c,e1"], ["l,e2", *ENDS]],
                                 "form a loop of voltage sources and inductors"),
    "source across itself": ({}, [["src,e1", "src,e2", "r,e1", "gnd"], ["r,e2", "c,e1"], ["c,e2", "gnd"]],
                             "Both ends of src.v are in one net, so that nothing limits its current"),
    "source into a shorted line": ({"t": "transmission_line"},
                                   [["src,e1", "r,e1", "t,e1"], ["r,e2", "c,e1"],
                                    ["t,e3", "t,e2", "t,e4", *ENDS]],
                                   "At rest src.v and line 't.t' form a loop, whose current nothing limits"),
    "lines side by side": ({"t": "transmission_line", "u": "transmission_line"},
                           [["src,e1", "r,e1"], ["r,e2", "t,e1", "u,e1"], ["t,e3", "u,e3", "c,e1"],
                            ["t,e2", "t,e4", "u,e2", "u,e4", *ENDS]],
                           "At rest t.t and line 'u.t' form a loop, whose current nothing limits"),
    "line beside an inductor": ({"t": "transmission_line", "l": "inductor"},
                                [["src,e1", "r,e1"], ["r,e2", "t,e1", "l,e1"], ["t,e3", "l,e2", "c,e1"],
                                 ["t,e2", "t,e4", *ENDS]],
                                "At rest l.l and line 't.t' form a loop"),
    "line into itself": ({"t": "transmission_line"},
                         [["src,e1", "r,e1"], ["r,e2", "c,e1", "t,e1", "t,e3"], ["t,e2", "t,e4", *ENDS]],
                         "Both ends of line 't.t' are in the same nets"),
    "line shorted twice": ({"t": "transmission_line"},
                           [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["t,e1", "t,e2", "t,e3", "t,e4", *ENDS]],
                           "line 't.t' are in the same nets"),
    "line with a floating end": ({"t": "transmission_line", "q": "resistor"},
                                 [["src,e1", "r,e1", "t,e1"], ["r,e2", "c,e1"], ["t,e2", *ENDS],
                                  ["t,e3", "q,e1"], ["t,e4", "q,e2"]],
                                 "The nets of 't,e3', 't,e4' have no path to gnd at rest.*into one of them"),
    "cut of currents": ({"i": "current_source"}, [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["i,e2", "src,e2"],
                                                  ["i,e1", "c,e2", "gnd"]],
                        "no path for the current of i.i: only current sources"),
    "voltage into a current": ({"d": "dac", "a": "variable_attenuator"},
                               [["src,e1", "r,e1"], ["r,e2", "c,e1", "d,e1", "a,e1"], ENDS],
                               "The voltage of 'd,e1' drives 'a,e1', which takes a current"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_nets_that_are_no_circuit_are_refused_in_a_sentence(case: str) -> None:
    instances, nets, sentence = REFUSED[case]
    with pytest.raises(ps.NetlistError, match=sentence):
        ps.Circuit(changed(instances=instances, nets=nets))


def test_a_voltage_of_an_open_net_does_not_drive_light() -> None:
    """A modulator stayed at its own voltage, whatever the probe between the nets was wired for."""
    light = {"l": "laser", "m": "mach_zehnder_modulator", "pd": "photodetector", "q": "resistor"}
    data = changed(
        instances={**light, "p": "voltage_probe"},
        nets=[["src,e1", "r,e1", "p,e1"], ["r,e2", "c,e1"], ["p,e2", "q,e1"], ENDS],
        connections={"l,o1": "m,o1", "m,o2": "pd,o1", "p,e3": "m,e1"},
    )
    said = "The net of '{}', whose voltage drives 'm.voltage', has no path to gnd"
    with pytest.raises(ps.NetlistError, match=said.format("p,e2")):
        ps.Circuit({**data, "terminate": ["q,e2"]})
    own = [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["q,e1", "m,e1"], ENDS]
    data = changed(instances=light, nets=own, connections={"l,o1": "m,o1", "m,o2": "pd,o1"})
    with pytest.raises(ps.NetlistError, match=said.format("q,e1")):
        ps.Circuit({**data, "terminate": ["q,e2"]})
    # A pin that the circuit exposes may be driven from outside.
    ps.Circuit({**data, "ports": {"e": "q,e2"}})


def test_a_pin_does_not_meet_light() -> None:
    data = changed(instances={"g": "straight"}, connections={"r,e1": "g,o1"})
    with pytest.raises(
        ps.NetlistError, match="the electrical port 'r,e1' cannot be connected with the optical"
    ):
        ps.Circuit(data)


def test_a_refusal_names_its_line() -> None:
    text = "instances:\n  r: resistor\n  c: capacitor\nnets:\n- ['r,e1', 'c,e1']\n- ['r,e2', 'c,e7', gnd]\n"
    with pytest.raises(ps.NetlistError, match=r"no port 'e7'") as caught:
        ps.Circuit(read_text(text))
    assert caught.value.mark is not None
    assert caught.value.mark.line == 6


def test_an_open_pin_is_shown() -> None:
    nets = [["src,e1", "r,e1"], ["r,e2", "c,e1", "r2,e1"], ENDS]
    data = changed(instances={"r2": "resistor"}, nets=nets)
    with pytest.warns(ps.PhotosimWarning, match="Pin 'r2,e2' is in no net: no current flows there"):
        ps.Circuit(data)
    ps.Circuit({**data, "terminate": ["r2,e2"]})


def test_gdsfactory_has_no_form_for_nets() -> None:
    with pytest.raises(ps.NetlistError, match="has electrical nets of its parts, which gdsfactory's form"):
        to_gdsfactory(from_dict(RC))

"""kfnetlist's JSON: nets of members, arrays counted from 1, placements, cells of several netlists."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim import netlist
from photosim.circuit import Circuit
from photosim.errors import NetlistError

DATA = Path(__file__).parents[1] / "data" / "layouts"
WL = np.linspace(1.5, 1.6, 41)


def member(text: str) -> dict[str, Any]:
    """A member of a net: a port of the circuit by its name, or instance,port, or instance,port,ia,ib."""
    words = text.split(",")
    if len(words) == 1:
        return {"name": text}
    at = {"ia": int(words[2]), "ib": int(words[3])} if len(words) == 4 else {}
    return {"instance": words[0], "port": words[1], **at}


def instance(component: str, na: int = 1, **settings: Any) -> dict[str, Any]:
    return {"kcl": "KIT", "component": component, "settings": settings, "array": {"na": na, "nb": 1}}


def kf(*nets: str) -> dict[str, Any]:
    return {
        "instances": {
            "cross": instance("coupler", coupling=0.2),
            "loop": instance("straight", length=30.0, loss_dB_cm=3.0),
            "delay": instance("straight", na=3, length=5.0),
        },
        "nets": [[member(text) for text in net.split(" ")] for net in nets],
        "ports": [{"name": "in"}, {"name": "out"}],
    }


NETS = ("cross,o3 loop,o1", "loop,o2 cross,o2", "cross,o4 delay,o1,1,1", "delay,o2,1,1 delay,o1,2,1",
        "delay,o2,2,1 delay,o1,3,1", "in cross,o1", "out delay,o2,3,1")  # fmt: skip
YAML = """\
instances:
  cross: {component: coupler, settings: {coupling: 0.2}}
  loop: {component: straight, settings: {length: 30.0, loss_dB_cm: 3.0}}
  delay: {component: straight, settings: {length: 5.0}, array: {columns: 3, rows: 1}}
connections: {'cross,o3': 'loop,o1', 'loop,o2': 'cross,o2', 'cross,o4': 'delay<0.0>,o1',
              'delay<0.0>,o2': 'delay<1.0>,o1', 'delay<1.0>,o2': 'delay<2.0>,o1'}
ports: {in: 'cross,o1', out: 'delay<2.0>,o2'}
"""


def test_it_is_the_circuit_that_yaml_describes() -> None:
    found = Circuit(netlist.from_dict(kf(*NETS)), strict=True)(WL)
    expected = Circuit(netlist.read_text(YAML), strict=True)(WL)
    assert found.ports == expected.ports
    assert np.abs(found.values - expected.values).max() < 1e-15


def test_a_netlist_with_a_member_0_counts_from_0() -> None:
    # kfnetlist 0.3 writes arrays so when it extracts them from a layout.
    data, shifted = kf(*NETS), kf(*NETS)
    for net in shifted["nets"]:
        for part in net:
            for key in {"ia", "ib"} & set(part):
                part[key] -= 1
    found = Circuit(netlist.from_dict(shifted), strict=True)(WL)
    assert np.array_equal(found.values, Circuit(netlist.from_dict(data))(WL).values)
    shifted["nets"][2][1]["ia"] = 3
    with pytest.raises(NetlistError, match="has no member ia 3, ib 0, which count from 0"):
        netlist.from_dict(shifted)


def test_the_shared_file_is_read(shared: Path) -> None:
    circuit = Circuit(shared / "data" / "forms" / "ring_and_delays.kfnetlist.json")
    assert np.abs(circuit(WL).values - Circuit(netlist.read_text(YAML))(WL).values).max() < 1e-15


@pytest.mark.parametrize(
    ("nets", "says"),
    [
        (("cross,o3 loop,o1 loop,o2",), "net 1 joins 3 ports that carry light: cross,o3; loop,o1; loop,o2; "),
        (("cross,o1 loop,o1 in",), "net 1 joins 3 ports that carry light: cross,o1; loop,o1; port 'in'"),
        (("in out",), "net 1 joins two ports of the circuit through nothing"),
        (
            ("cross,o4 delay,o1",),
            "'delay' is an array of 3 x 1, so its member needs ia and ib, which count from",
        ),
        (
            ("cross,o4 delay,o1,-1,1",),
            "member delay,o1 has ia -1 and ib 1, but they are whole numbers that count from 1",
        ),
        (("cross,o4 delay,o1,0,1",), "has no member ia 0, ib 1, which count from 0"),
        (("cross,o4 delay,o1,4,1",), "'delay' is an array of 3 x 1 and has no member ia 4, ib 1"),
        (("in cross,o1",), "port 'out' of the circuit is joined to no instance"),
        (("in cross,o1", "in cross,o2"), "port 'in' of the circuit is in two nets"),
    ],
)
def test_a_net_that_light_cannot_follow_is_named(nets: tuple[str, ...], says: str) -> None:
    with pytest.raises(NetlistError) as caught:
        netlist.from_dict(kf(*nets))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        ({"na": 0, "nb": 1}, "whole numbers from 1"),
        ({"na": 1000, "nb": 1000}, "array of 1000 x 1000 parts; a netlist may have 200000"),
        ("three", "must be {na: ..., nb: ...}"),
    ],
)
def test_an_array_out_of_bounds_is_refused(array: Any, says: str) -> None:
    data = kf(*NETS)
    data["instances"]["delay"]["array"] = array
    with pytest.raises(NetlistError) as caught:
        netlist.from_dict(data)
    assert says in str(caught.value)


def test_an_error_of_a_file_names_its_line(tmp_path: Path) -> None:
    data = kf(*NETS)
    data["instances"]["loop"]["settings"]["lenght"] = 3.0
    (tmp_path / "a.json").write_text(json.dumps(data, indent=1), encoding="utf-8")
    line = next(k for k, t in enumerate((tmp_path / "a.json").read_text().splitlines(), 1) if "lenght" in t)
    with pytest.raises(NetlistError, match=rf"a\.json:{line}:\d+: .*no setting 'lenght'"):
        Circuit(netlist.read(tmp_path / "a.json"))


def test_a_placed_netlist_says_where_its_parts_are() -> None:
    data = json.loads((DATA / "ring_double.kfnetlist.json").read_text(encoding="utf-8"))
    with pytest.raises(NetlistError, match=r"\(coupler_ring\): setting '\w+' is null, and neither its info"):
        netlist.from_dict(data)
    for body in data.values():
        for part in body["instances"].values():
            if part["settings"].get("radius", 0) is None:
                part["info"] = {"radius": 10.0}
    found = netlist.from_dict(data)
    corners = sorted((at.x, at.y) for at in found.placements.values())
    assert corners == [
        pytest.approx(at) for at in ((-10.01, 10.7), (-0.01, 21.41), (0.0, 0.0), (10.0, 10.71))
    ]
    yaml = json.loads((DATA / "ring_double.json").read_text(encoding="utf-8"))
    expected = Circuit(netlist.from_dict(yaml))(WL)
    assert np.abs(Circuit(found)(WL).values - expected.values).max() < 1e-15


def test_cells_of_a_file_are_found_by_the_instances(tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text("cross_sections: {strip: {radius: 10.0}}", encoding="utf-8")
    found = netlist.read(DATA / "mzi_pin.kfnetlist.json", cell_map=tmp_path / "m.yml")
    inner = [i.component for i in found.instances.values() if i.component in found.components]
    assert len(inner) == 1
    assert {i.component for i in found.components[inner[0]].instances.values()} == {"straight", "taper"}
    assert Circuit(found).ports == ("o1", "o2")
    again = copy.deepcopy(json.loads((DATA / "mzi_pin.kfnetlist.json").read_text(encoding="utf-8")))
    twin = next(name for name, body in again.items() if name.startswith("straight_pin"))
    again[twin[:-1] + "x"] = again[twin]
    with pytest.raises(NetlistError, match=r"may be any of the cells .*: write a PlacedNetlist"):
        netlist.from_dict(again)

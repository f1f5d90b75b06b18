"""The schematic is checked on the finished SVG: all parts there, no overlap, no wire through a box."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photosim import drawing
from photosim.errors import ParameterError
from photosim.model import Instance, Netlist, PortRef, links, part
from photosim.netlist import find, gallery, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

SVG = "{http://www.w3.org/2000/svg}"
FOUR = ("o1", "o2", "o3", "o4")


@dataclass(frozen=True)
class Sheet:
    """What stands in an SVG: texts, boxes as (x0, y0, x1, y1) by name, wires as points (n, 2)."""

    texts: list[str]
    boxes: dict[str, tuple[float, float, float, float]]
    wires: list[NDArray[np.float64]]
    dots: NDArray[np.float64]
    size: tuple[float, float]


def sheet(netlist: Netlist) -> Sheet:
    root = ET.fromstring(drawing.svg(netlist))  # noqa: S314 - our own output
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    boxes = {}
    for group in root.iter(f"{SVG}g"):
        if "box" in (group.get("class") or "").split():
            name = (group.findtext(f"{SVG}title") or "").partition(": ")[0]
            x, y, w, h = (
                float(group.findall(f"{SVG}rect")[-1].get(key, "nan"))
                for key in ("x", "y", "width", "height")
            )
            boxes[name] = (x, y, x + w, y + h)
    wires = [points(path.get("d", "")) for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]
    dots = [(float(c.get("cx", "nan")), float(c.get("cy", "nan"))) for c in root.iter(f"{SVG}circle")]
    size = (float(root.get("width", "nan")), float(root.get("height", "nan")))
    return Sheet(texts, boxes, wires, np.array(dots).reshape(-1, 2), size)


def points(path: str) -> NDArray[np.float64]:
    """Follow a path of M, H, L and C commands in small steps."""
    found: list[NDArray[np.float64]] = []
    for command, numbers in re.findall(r"([MHLC])([^MHLC]*)", path):
        values = [float(number) for number in numbers.split()]
        if command == "M":
            found.append(np.array([values]))
            continue
        start = found[-1][-1]
        if command == "H":
            values = [values[0], start[1]]
        t = np.linspace(0.0, 1.0, 40)[:, np.newaxis]
        corners = np.array([start, *np.reshape(values, (-1, 2))])
        if command == "C":
            weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
        else:
            weights = np.hstack([1 - t, t])
        found.append(weights @ corners)
    return np.vstack(found)


def check_geometry(found: Sheet) -> None:
    """No two boxes touch, no wire enters a box, every wire ends on port marks, all inside the sheet."""
    places = list(found.boxes.values())
    for k, (x0, y0, x1, y1) in enumerate(places):
        assert 0 <= x0 < x1 <= found.size[0]
        assert 0 <= y0 < y1 <= found.size[1]
        for a0, b0, a1, b1 in places[k + 1 :]:
            assert x1 <= a0 or a1 <= x0 or y1 <= b0 or b1 <= y0
    for wire in found.wires:
        assert np.all((wire >= -20.0) & (wire <= np.array(found.size)))
        for x0, y0, x1, y1 in places:
            inside = (wire[:, 0] > x0 + 0.5) & (wire[:, 0] < x1 - 0.5) & (wire[:, 1] > y0) & (wire[:, 1] < y1)
            assert not inside.any()
        for end in (wire[0], wire[-1]):
            assert np.min(np.hypot(*(found.dots - end).T)) < 0.2


def middle(found: Sheet, name: str) -> float:
    x0, _, x1, _ = found.boxes[name]
    return (x0 + x1) / 2.0


def interferometer() -> Netlist:
    return Netlist(
        {
            "a": part("coupler"),
            "b": part("coupler"),
            "long": part("straight", length=50.0),
            "short": part("straight"),
        },
        links("a,o3:long,o1", "a,o4:short,o1", "long,o2:b,o2", "short,o2:b,o1"),
        {"in1": ("a", "o1"), "in2": ("a", "o2"), "out1": ("b", "o4"), "out2": ("b", "o3")},
        name="interferometer",
    )


def ring() -> Netlist:
    return Netlist(
        {"c": part("coupler", coupling=0.1), "loop": part("straight", length=60.0)},
        links("c,o3:loop,o1", "loop,o2:c,o2"),
        {"in": ("c", "o1"), "through": ("c", "o4")},
    )


def test_every_part_port_and_key_setting_is_labelled() -> None:
    found = sheet(interferometer())
    assert set(found.boxes) == {"a", "b", "long", "short"}
    assert {"interferometer", "a", "long", "coupler", "straight", "in1", "out2", "o3", "length 50 um"} <= set(
        found.texts
    )
    # Four connections and four exposed ports.
    assert len(found.wires) == 8
    check_geometry(found)


def test_instances_wires_and_ports_can_be_found_in_the_picture() -> None:
    root = ET.fromstring(drawing.svg(interferometer()))  # noqa: S314 - our own output
    found = {
        key: {e.get(key) for e in root.iter() if e.get(key)}
        for key in ("data-instance", "data-wire", "data-port")
    }
    assert found["data-instance"] == {"a", "b", "long", "short"}
    assert {"a,o3:long,o1", "short,o2:b,o1"} <= found["data-wire"]
    assert found["data-port"] == {"in1", "in2", "out1", "out2"}
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(set(ids)) == len(ids) == 4 + 8 + 4


def test_light_flows_from_left_to_right() -> None:
    found = sheet(interferometer())
    assert middle(found, "a") < middle(found, "long") == middle(found, "short") < middle(found, "b")


def test_ports_stand_clockwise_from_the_lower_left() -> None:
    box = drawing.lay_out(interferometer()).boxes["a"]
    o1, o2, o3, o4 = (box.port(port) for port in FOUR)
    assert o1.x == o2.x < o3.x == o4.x
    assert o1.y == o4.y > o2.y == o3.y


def test_a_feedback_loop_goes_round_the_boxes() -> None:
    found = sheet(ring())
    check_geometry(found)
    assert middle(found, "c") < middle(found, "loop")


def test_a_part_entered_from_its_right_is_mirrored() -> None:
    netlist = Netlist(
        {"a": part("straight"), "b": part("straight")},
        links("a,o2:b,o2"),
        {"in": ("a", "o1"), "out": ("b", "o1")},
    )
    placed = drawing.lay_out(netlist).boxes
    assert placed["b"].box.left == ("o2",)
    assert placed["a"].x < placed["b"].x
    check_geometry(sheet(netlist))


def test_open_and_terminated_ports_are_marked_apart() -> None:
    netlist = Netlist(
        {"a": part("coupler")}, (), {"in": ("a", "o1"), "out": ("a", "o4")}, terminate=(("a", "o3"),)
    )
    text = drawing.svg(netlist)
    assert text.count('stroke="#C43C3C"') == 1
    assert "open" not in text


def test_aliases_and_sub_netlists_are_understood() -> None:
    inner = Netlist({"s": part("straight")}, (), {"in": ("s", "in"), "out": ("s", "out")}, name="inner")
    netlist = Netlist(
        {"x": Instance("inner"), "y": part("coupler")},
        links("x,out:y,in0"),
        {"in": ("x", "in"), "out": ("y", "out0")},
        components={"inner": inner},
    )
    found = sheet(netlist)
    check_geometry(found)
    assert middle(found, "x") < middle(found, "y")
    placed = drawing.lay_out(netlist).boxes["x"].box
    assert (placed.kind, placed.left, placed.right) == ("group", ("in",), ("out",))


def test_names_cannot_break_the_document() -> None:
    netlist = Netlist(
        {"a<0.1>": part("straight", length=1.0)}, (), {"in & <out>": ("a<0.1>", "o1")}, name='"<x>&"'
    )
    found = sheet(netlist)
    assert {"a<0.1>", "in & <out>", '"<x>&"'} <= set(found.texts)


def test_unknown_parts_and_ports_are_errors() -> None:
    with pytest.raises(ParameterError, match="no component 'couplr'"):
        drawing.svg(Netlist({"a": part("couplr")}))
    with pytest.raises(ParameterError, match="has no port 'o9'"):
        drawing.svg(Netlist({"a": part("coupler")}, (), {"in": ("a", "o9")}))


def test_an_empty_circuit_is_an_empty_sheet() -> None:
    assert not sheet(Netlist({})).boxes


@st.composite
def circuits(draw: st.DrawFn) -> Netlist:
    """Couplers and guides wired at random: loops, self-loops, open ports, ports met from the wrong side."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    instances: dict[str, Instance] = {}
    ends: list[PortRef] = []
    for k in range(draw(st.integers(1, 12))):
        component, ports = (("coupler", FOUR), ("straight", FOUR[:2]))[int(rng.integers(2))]
        instances[f"i{k}"] = part(component)
        ends += [(f"i{k}", port) for port in ports]
    order = [ends[k] for k in rng.permutation(len(ends))]
    wired = 2 * int(rng.integers(len(order) // 2 + 1))
    connections = tuple(zip(order[:wired:2], order[1:wired:2], strict=True))
    exposed = order[wired:][: int(rng.integers(1, 6))]
    return Netlist(instances, connections, {f"p{k}": end for k, end in enumerate(exposed)})


@given(circuits())
def test_no_wire_crosses_a_box_whatever_the_circuit(netlist: Netlist) -> None:
    found = sheet(netlist)
    assert set(found.boxes) == set(netlist.instances)
    assert len(found.wires) == len(netlist.connections) + len(netlist.ports)
    check_geometry(found)


@pytest.mark.parametrize("name", list(gallery()))
def test_the_gallery_draws(name: str) -> None:
    netlist = read(find(name))
    found = sheet(netlist)
    assert len(found.boxes) == len(netlist.instances)
    check_geometry(found)

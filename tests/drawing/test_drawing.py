"""The schematic is checked on the finished SVG: all parts there, no overlap, no wire through a box."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import photosim as ps
from photosim import drawing
from photosim.errors import ParameterError
from photosim.model import Instance, Netlist, PortRef, links, part
from photosim.netlist import find, gallery, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

SVG = "{http://www.w3.org/2000/svg}"
FOUR = ("o1", "o2", "o3", "o4")


Area = tuple[float, float, float, float]


@dataclass(frozen=True)
class Sheet:
    """What stands in an SVG: texts, areas of symbols and labels (x0, y0, x1, y1), wires as points (n, 2)."""

    texts: list[str]
    boxes: dict[str, Area]
    labels: list[tuple[str, Area]]
    wires: dict[str, NDArray[np.float64]]
    size: tuple[float, float]
    frames: dict[str, Area]


def sheet(netlist: Netlist, **options: Any) -> Sheet:
    return parsed(drawing.draw(netlist, **options).text)


def parsed(text: str) -> Sheet:
    root = ET.fromstring(text)  # noqa: S314 - our own output
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    boxes: dict[str, Area] = {}
    frames: dict[str, Area] = {}
    labels: list[tuple[str, Area]] = []
    wires: dict[str, NDArray[np.float64]] = {}
    for group in root.iter(f"{SVG}g"):
        kinds = (group.get("class") or "").split()
        name = group.get("data-instance") or ""
        if "instance" in kinds:
            first = points(group.findall(f"{SVG}path")[0].get("d", ""))
            (frames if "open" in kinds else boxes)[name] = (*first.min(axis=0), *first.max(axis=0))
    for path in root.iter(f"{SVG}path"):
        if path.get("data-wire"):
            wires[path.get("data-wire", "")] = points(path.get("d", ""))
    for element in root.iter(f"{SVG}text"):
        x, y, letters = (float(element.get(key, "nan")) for key in ("x", "y", "font-size"))
        width = 0.52 * letters * len(element.text or "")  # a common sans-serif is narrower
        left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[element.get("text-anchor", "")]
        labels.append((element.text or "", (left, y - 0.72 * letters, left + width, y)))
    size = (float(root.get("width", "nan")), float(root.get("height", "nan")))
    return Sheet(texts, boxes, labels, wires, size, frames)


def points(path: str) -> NDArray[np.float64]:
    """Follow a path of M, L, C and Z commands in small steps."""
    found: list[NDArray[np.float64]] = []
    for command, numbers in re.findall(r"([MLC])([^MLCZ]*)", path):
        values = [float(number) for number in numbers.split()]
        if command == "M":
            found.append(np.array([values]))
            continue
        start = found[-1][-1]
        t = np.linspace(0.0, 1.0, 40)[:, np.newaxis]
        corners = np.array([start, *np.reshape(values, (-1, 2))])
        if command == "C":
            weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
        else:
            weights = np.hstack([1 - t, t])
        found.append(weights @ corners)
    return np.vstack(found)


def apart(one: Area, other: Area, by: float = 0.0) -> bool:
    return (
        one[2] <= other[0] + by
        or other[2] <= one[0] + by
        or one[3] <= other[1] + by
        or other[3] <= one[1] + by
    )


def check_geometry(found: Sheet) -> None:
    """No two boxes touch, no wire enters another box, all is inside the sheet, labels keep apart."""
    places = list(found.boxes.items())
    for k, (_, area) in enumerate(places):
        assert 0 <= area[0] < area[2] <= found.size[0]
        assert 0 <= area[1] < area[3] <= found.size[1]
        for _, other in places[k + 1 :]:
            assert apart(area, other)
    for name, wire in found.wires.items():
        assert np.all((wire >= -1.0) & (wire <= np.array(found.size)))
        own = {end.rpartition(",")[0] for end in name.split(":")}
        for box, (x0, y0, x1, y1) in places:
            if box not in own:
                x, y = wire.T
                assert not ((x > x0 + 0.5) & (x < x1 - 0.5) & (y > y0) & (y < y1)).any(), (name, box)
    for k, (text, area) in enumerate(found.labels):
        for another, place in found.labels[k + 1 :]:
            assert apart(area, place, 0.5), (text, another)


def crossings(found: Sheet) -> int:
    """Count the pairs of wires that cross: corners of their paths, cut into short straight steps."""
    count = 0
    wires = list(found.wires.values())
    for k, one in enumerate(wires):
        for other in wires[k + 1 :]:
            count += crossed(one, other)
    return count


def crossed(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    def side(a: Any, b: Any, c: Any) -> Any:
        return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
            c[..., 0] - a[..., 0]
        )

    a, b = one[:-1, np.newaxis], one[1:, np.newaxis]
    c, d = other[np.newaxis, :-1], other[np.newaxis, 1:]
    return bool(np.any((side(a, b, c) * side(a, b, d) < 0.0) & (side(c, d, a) * side(c, d, b) < 0.0)))


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
    texts = {
        "interferometer",
        "a",
        "long",
        "coupler",
        "straight",
        "in1",
        "out2",
        "o3",
        "length 50 um",
        "light",
    }
    assert texts <= set(found.texts)
    # Four connections and four exposed ports.
    assert len(found.wires) == 8
    check_geometry(found)


def test_instances_wires_and_ports_can_be_found_in_the_picture() -> None:
    root = ET.fromstring(drawing.svg(interferometer()))  # noqa: S314 - our own output
    keys = ("data-instance", "data-wire", "data-port")
    found = {key: {e.get(key) for e in root.iter() if e.get(key)} for key in keys}
    assert found["data-instance"] == {"a", "b", "long", "short"}
    assert {"a,o3:long,o1", "short,o2:b,o1", "port in1,in1:a,o1"} <= found["data-wire"]
    assert found["data-port"] == {"in1", "in2", "out1", "out2"}
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(set(ids)) == len(ids) == 4 + 8 + 4


def test_light_flows_from_left_to_right() -> None:
    found = sheet(interferometer())
    assert middle(found, "a") < middle(found, "long") == middle(found, "short") < middle(found, "b")


def test_arms_of_an_interferometer_do_not_cross() -> None:
    assert crossings(sheet(interferometer())) == 0
    # The second splitter is met from its other side, its arms in the order that would twist them.
    assert crossings(sheet(read(find("mzi_balanced")))) == 0


def test_ports_stand_clockwise_from_the_lower_left() -> None:
    netlist = Netlist({"a": part("coupler")}, (), {"in": ("a", "o1"), "out": ("a", "o3")})
    box = drawing.lay_out(netlist).boxes["a"]
    o1, o2, o3, o4 = (box.port(port) for port in FOUR)
    assert o1.x == o2.x < o3.x == o4.x
    assert o1.y == o4.y > o2.y == o3.y


def test_wires_end_at_the_pins_of_their_symbols() -> None:
    for netlist in (interferometer(), read(find("wdm_link")), read(find("modulator"))):
        layout = drawing.lay_out(netlist)
        for placed in layout.wires:
            ends = [(placed.trail[0][1][:2]), (placed.trail[-1][1][-2:])]
            for (name, pin), (x, y) in zip(placed.wire.pins, ends, strict=True):
                at = layout.boxes[name].port(pin)
                assert (at.x, at.y) == pytest.approx((x, y))


@pytest.mark.parametrize("name", ["wdm_link", "wdm_rings", "polarization_diversity", "ring_lock"])
def test_strokes_of_a_symbol_reach_its_wires(name: str) -> None:
    root = ET.fromstring(drawing.draw(read(find(name))).text)  # noqa: S314 - our own output
    strokes = {
        group.get("data-instance", ""): np.vstack(
            [points(p.get("d", "")) for p in group.iter(f"{SVG}path") if p.get("class") != "area"]
        )
        for group in root.iter(f"{SVG}g")
        if group.get("data-instance")
    }
    for path in root.iter(f"{SVG}path"):
        ends = path.get("data-wire", "").split(":")
        for end, place in zip(
            ends, points(path.get("d", ""))[[0, -1]] if len(ends) == 2 else (), strict=False
        ):
            own = end.rpartition(",")[0]
            if own in strokes:
                assert np.hypot(*(strokes[own] - place).T).min() < 0.6, end


def test_a_ring_of_coupler_and_guide_is_drawn_as_a_ring() -> None:
    found = sheet(ring())
    assert found.boxes["loop"][3] < found.boxes["c"][1]  # the loop stands above its coupler
    assert middle(found, "loop") == pytest.approx(middle(found, "c"))
    both = np.vstack([found.wires["c,o3:loop,o1"], found.wires["loop,o2:c,o2"]])
    x0, _, x1, _ = found.boxes["c"]
    assert both[:, 0].min() < x0
    assert both[:, 0].max() > x1
    assert crossings(found) == 0


def test_a_crow_is_a_chain_of_rings() -> None:
    found = sheet(read(find("crow")))
    couplers = [found.boxes[f"k{k}"] for k in range(6)]
    assert len({round(area[0] + area[2], 1) for area in couplers}) == 1
    assert [area[1] for area in couplers] == sorted((area[1] for area in couplers), reverse=True)
    for k in range(5):
        sides = sorted((middle(found, f"up{k}"), middle(found, f"down{k}")))
        assert sides[0] < couplers[k][0] + 10 < couplers[k][2] - 10 < sides[1]
    assert crossings(found) == 0
    assert set(found.boxes) == set(read(find("crow")).instances)


def test_a_loop_through_other_components_goes_round_the_boxes() -> None:
    netlist = Netlist(
        {"split": part("splitter"), "join": part("splitter"), "gain": part("soa")},
        links("join,o1:split,o1", "split,o2:gain,o1", "gain,o2:join,o3"),
        {"in": ("join", "o2"), "out": ("split", "o3")},
    )
    found = sheet(netlist)
    check_geometry(found)
    assert middle(found, "join") < middle(found, "split") < middle(found, "gain")


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
    root = ET.fromstring(drawing.svg(netlist))  # noqa: S314 - our own output
    loose = {(e.get("data-end"), e.get("class")) for e in root.iter() if e.get("data-end")}
    assert loose == {("a,o2", "loose open"), ("a,o3", "loose terminated")}


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
    opened = sheet(netlist, depth=1)
    assert set(opened.boxes) == {"x.s", "y"}
    frame, inside = opened.frames["x"], opened.boxes["x.s"]
    assert frame[0] < inside[0] < inside[2] < frame[2] < opened.boxes["y"][0]


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
        name = "abcdefghijkl"[k]  # names without numbers: those of one name are an array, drawn once
        instances[name] = part(component)
        ends += [(name, port) for port in ports]
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
    places = list(found.boxes.items())
    for k, (_, area) in enumerate(places):
        for _, other in places[k + 1 :]:
            assert apart(area, other)
    for name, wire in found.wires.items():
        own = {end.rpartition(",")[0] for end in name.split(":")}
        for box, (x0, y0, x1, y1) in places:
            x, y = wire.T
            inside = (x > x0 + 0.5) & (x < x1 - 0.5) & (y > y0) & (y < y1)
            assert box in own or not inside.any(), (name, box)


@pytest.mark.parametrize("name", list(gallery()))
def test_the_gallery_draws(name: str) -> None:
    netlist = read(find(name))
    found = sheet(netlist)
    check_geometry(found)
    assert found.size[0] <= drawing.PAGE + 80.0
    root = ET.fromstring(drawing.svg(netlist))  # noqa: S314 - our own output
    counts = [int(e.get("data-count", "1")) for e in root.iter() if e.get("data-instance")]
    assert sum(counts) == len(netlist.instances)
    assert min(float(e.get("font-size", "nan")) for e in root.iter(f"{SVG}text")) >= 8.0


UNCROSSED = (
    "mzi_balanced", "mzi_lattice", "clements_4x4", "lattice_filter", "wdm_link", "single_chip", "opu",
    "wdm_rings", "polarization_diversity", "speckle_projection", "modulator", "crow", "ring_lock",
    "pound_drever_hall",
)  # fmt: skip


@pytest.mark.parametrize("name", UNCROSSED)
def test_wires_do_not_cross_without_need(name: str) -> None:
    assert crossings(sheet(read(find(name)))) == 0


def test_detectors_stand_to_the_right_of_the_rings_that_they_read() -> None:
    found = sheet(read(find("wdm_link")))
    for k in range(4):
        assert middle(found, f"ring{k}") < middle(found, f"pd{k}") < middle(found, f"tia{k}")


def test_numbered_instances_stand_from_the_top() -> None:
    found = sheet(read(find("speckle_projection")), fold=100)
    heights = [found.boxes[f"pixel<{k}.0>"][1] for k in range(16)]
    assert heights == sorted(heights)


def test_long_chains_go_on_in_a_row_below() -> None:
    found = sheet(read(find("mzi_lattice")))
    assert found.size[0] <= drawing.PAGE + 80.0
    assert found.boxes["coupler<10.0>"][1] > found.boxes["coupler<0.0>"][3]
    assert middle(found, "coupler<10.0>") > middle(found, "coupler<7.0>")


def test_ports_of_a_table_face_those_that_their_light_reaches(tmp_path: Path) -> None:
    table = Path(__file__).parents[1] / "data" / "siepic" / "ybranch_te1550.sparam"
    (tmp_path / table.name).write_bytes(table.read_bytes())
    branch = {"component": "sampled", "settings": {"file": table.name}}
    arms = {name: {"component": "straight", "settings": {"length": 100.0}} for name in ("short", "long")}
    document = {
        "instances": {"split": branch, **arms, "join": branch},
        "connections": {
            "split,o2": "short,o1",
            "split,o3": "long,o1",
            "short,o2": "join,o2",
            "long,o2": "join,o3",
        },
        "ports": {"in": "split,o1", "out": "join,o1"},
    }
    (tmp_path / "two.json").write_text(json.dumps(document), encoding="utf-8")
    found = sheet(read(tmp_path / "two.json"))
    assert crossings(found) == 0
    assert middle(found, "split") < middle(found, "short") < middle(found, "join")
    assert middle(found, "short") == pytest.approx(middle(found, "long"))  # side by side, not one in a loop


def end_marks(text: str) -> dict[str, Area]:
    """Return the areas of grounds, terminators and open ports, by port, without their leads."""
    found = {}
    for group in ET.fromstring(text).iter(f"{SVG}g"):  # noqa: S314 - our own output
        if group.get("data-end"):
            marks = np.vstack([points(path.get("d", "")) for path in group.findall(f"{SVG}path")[1:]])
            found[group.get("data-end", "")] = (*marks.min(axis=0), *marks.max(axis=0))
    return found


@pytest.mark.parametrize("name", list(gallery()))
def test_wires_labels_and_end_marks_keep_apart(name: str) -> None:
    text = drawing.draw(read(find(name))).text
    found, marks = parsed(text), end_marks(text)
    labels = [(label, (x0, y0 + 1.0, x1, y1 - 2.0)) for label, (x0, y0, x1, y1) in found.labels]
    for owner, (x0, y0, x1, y1) in [*labels, *marks.items()]:
        for wire, places in found.wires.items():
            x, y = places.T
            assert not ((x > x0) & (x < x1) & (y > y0) & (y < y1)).any(), (owner, wire)
    for port, area in marks.items():
        for label, place in labels:
            assert apart(area, place), (port, label)
        for box, place in found.boxes.items():
            assert box == port.rpartition(",")[0] or apart(area, place), (port, box)


def test_long_names_of_components_stand_in_two_lines() -> None:
    netlist = {
        "instances": {"m": "mach_zehnder_modulator", "s": "scatterer"},
        "connections": {"m,o2": "s,o1"},
        "ports": {"in": "m,o1", "out": "s,o2"},
    }
    texts = parsed(ps.Circuit(netlist).draw().text).texts
    assert texts.index("modulator") == texts.index("mach_zehnder_") + 1
    assert not any("..." in text for text in texts)

"""What can be asked of a drawing: open composites, folded arrays, powers, files; and what it refuses."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import drawing
from photosim.drawing.catalogue import SYMBOLS
from photosim.drawing.palette import DOMAINS
from photosim.drawing.symbols import symbol
from photosim.errors import DataError, ParameterError
from photosim.model import Instance, Netlist, links, net, part, registry
from photosim.netlist import find, gallery, read

SVG = "{http://www.w3.org/2000/svg}"


def elements(picture: Any, key: str) -> dict[str, ET.Element]:
    root = ET.fromstring(picture.text)  # noqa: S314 - our own output
    return {e.get(key, ""): e for e in root.iter() if e.get(key) is not None}


def mesh(n: int) -> Netlist:
    ports = {f"{way}{k}": ("mesh", f"{way}{k}") for way in ("in", "out") for k in range(n)}
    return Netlist({"mesh": Instance("clements_mesh", {"n": n})}, (), ports, name="mesh")


def test_every_component_of_the_library_has_a_symbol() -> None:
    names = {
        name.partition(".")[0]
        for name in registry.names()
        if registry.get(name).origin.startswith("photosim.components")
    }
    assert names <= set(SYMBOLS)
    for found in SYMBOLS.values():
        for name in found.split():
            assert symbol(name).strokes


def test_a_component_of_somebody_else_is_a_box_with_its_ports() -> None:
    inner = Netlist({"a": part("straight")}, (), {"left": ("a", "o1"), "right": ("a", "o2")})
    picture = drawing.draw(
        Netlist({"x": Instance("mine")}, (), {"in": ("x", "left")}, components={"mine": inner})
    )
    assert {"x", "mine", "left", "right"} <= {e.text for e in ET.fromstring(picture.text).iter(f"{SVG}text")}  # noqa: S314
    assert drawing.lay_out(Netlist({"a": part("straight")})).boxes["a"].box.symbol is symbol("guide")


def test_composites_open_level_by_level() -> None:
    netlist = mesh(4)
    assert set(elements(drawing.draw(netlist), "data-instance")) == {"mesh"}
    one = set(elements(drawing.draw(netlist, depth=1), "data-instance"))
    assert {"mesh", "mesh.m0_0", "mesh.end3"} <= one
    assert "mesh.m0_0.split" not in one
    named = set(elements(drawing.draw(netlist, expand="mesh.m0_0"), "data-instance"))
    assert {"mesh.m0_0", "mesh.m0_0.split", "mesh.m1_1"} <= named
    assert "mesh.m1_1.split" not in named


def test_a_mesh_of_16_is_as_wide_as_the_page() -> None:
    picture = drawing.draw(mesh(16), depth=1)
    assert picture.scene.width <= drawing.PAGE + 80.0
    assert (
        sum(e.get("data-component") == "mzi_block" for e in elements(picture, "data-instance").values())
        == 120
    )
    sizes = [float(e.get("font-size", "nan")) for e in ET.fromstring(picture.text).iter(f"{SVG}text")]  # noqa: S314
    assert min(sizes) > 4.5
    assert np.median(sizes) > 6.0


def test_arrays_are_folded_into_one_with_a_bus() -> None:
    netlist = read(find("speckle_projection"))
    found = elements(drawing.draw(netlist), "data-instance")
    assert found["pixel<0.0>"].get("data-count") == "16"
    assert found["pixel<0.0>"].get("data-last") == "pixel<15.0>"
    assert "pixel<1.0>" not in found
    assert [e.get("data-waves") for e in elements(drawing.draw(netlist), "data-waves").values()] == ["16"]
    apart = elements(drawing.draw(netlist, fold=16), "data-instance")
    assert "pixel<1.0>" in apart
    rows = elements(drawing.draw(read(find("mrr_weight_bank_50x20")), expand="bank"), "data-instance")
    assert rows["bank.row0"].get("data-count") == "50"


def test_members_whose_ports_are_exposed_are_not_hidden_among_others() -> None:
    instances = {f"i{k}": part("coupler") for k in range(12)}
    alike = {f"in{k}": (f"i{k}", "o1") for k in range(12)}
    one = {"in": ("i7", "o1")}
    assert len(elements(drawing.draw(Netlist(instances, ports=alike)), "data-instance")) == 1
    assert len(elements(drawing.draw(Netlist(instances, ports=one)), "data-instance")) == 12


@pytest.mark.parametrize("name", gallery())
def test_composites_of_every_circuit_open(name: str) -> None:
    netlist = read(find(name))
    closed, opened = (elements(drawing.draw(netlist, depth=depth), "data-instance") for depth in (0, 1))
    assert set(opened) >= {own for own in closed if closed[own].get("data-count") is None}


def test_heat_of_neighbours_is_named_in_an_open_mesh() -> None:
    text = drawing.draw(read(find("single_chip")), expand="mesh1").text
    assert "by other parts" in text
    assert "m0_0.outer.held" in text  # the whole expression, where the pointer rests


def test_a_chain_is_not_taken_for_an_array() -> None:
    found = elements(drawing.draw(read(find("mzi_lattice"))), "data-instance")
    assert len(found) == 31


def test_buses_of_free_space_have_their_width_and_colour() -> None:
    found = elements(drawing.draw(read(find("ngrc"))), "data-wire")
    bus = found["medium,out:camera,in"] if "medium,out:camera,in" in found else found["medium,o2:camera,o1"]
    assert bus.get("data-waves") == "2500"
    assert "free-space" in (bus.get("class") or "").split()


def electronics() -> Netlist:
    return Netlist(
        {
            "src": part("voltage_source"), "r": part("resistor"), "c": part("capacitor"),
            "laser": part("laser"), "pd": part("photodetector"),
            "mod": part("mach_zehnder_modulator", bandwidth=0.0),
        },
        links("laser,o1:mod,o1", "mod,o2:pd,o1"),
        {},
        nets=(net("src,e1", "r,e1"), net("r,e2", "c,e1", "mod,e1"), net("src,e2", "c,e2", "gnd")),
        name="electronics",
    )  # fmt: skip


def test_electrical_nets_are_drawn_in_their_colour() -> None:
    picture = drawing.draw(electronics())
    wires = elements(picture, "data-wire")
    electrical = {name for name, e in wires.items() if "electricity" in (e.get("class") or "").split()}
    # A net of two is a wire, one of three a wire from each member to the point where they meet.
    assert len(wires) == 2 + 1 + 3
    assert len(electrical) == 4
    colour = DOMAINS["electricity"][0]
    assert all(wires[name].get("stroke") == colour for name in electrical)
    grounds = [
        e.get("data-end") for e in elements(picture, "data-end").values() if e.get("class") == "loose ground"
    ]
    assert sorted(str(end) for end in grounds) == ["c,e2", "src,e2"]


def test_the_legend_has_the_domains_that_are_there() -> None:
    def words(netlist: Netlist) -> set[str]:
        legend = elements(drawing.draw(netlist), "class")["legend"]
        return {str(e.text) for e in legend.iter(f"{SVG}text")}

    assert words(mesh(2)) == {"light"}
    assert words(electronics()) == {"light", "electricity"}
    assert words(read(find("opu"))) == {"light", "free space"}


def test_a_choice_by_name_has_no_unit() -> None:
    texts = re.findall(r">([^<]*)</text>", drawing.svg(read(find("mzi_unbalanced"))))
    assert "splitter coupler" in texts


# --- powers -------------------------------------------------------------------------------------------


def watts(picture: Any) -> dict[str, float]:
    found = {}
    for name, wire in elements(picture, "data-wire").items():
        title = wire.findtext(f"{SVG}title") or ""
        if title.endswith(" W"):
            found[name] = float(title.removesuffix(" W").rpartition(": ")[2])
    return found


def test_powers_are_those_of_the_waves() -> None:
    circuit = ps.Circuit(
        {
            "name": "tap",
            "instances": {
                "tap": {"component": "coupler", "settings": {"coupling": 0.25}},
                "drop": {"component": "attenuator", "settings": {"loss_dB": 10.0}},
                "rest": "straight",
            },
            "connections": {"tap,o3": "drop,o1", "tap,o4": "rest,o1"},
            "ports": {"in": "tap,o1", "a": "drop,o2", "b": "rest,o2"},
            "terminate": ["tap,o2"],
        }
    )
    found = watts(circuit.draw(power=True, wl=1.55))
    assert found["tap,o3:drop,o1"] == pytest.approx(0.25e-3, rel=1e-2)
    assert found["tap,o4:rest,o1"] == pytest.approx(0.75e-3, rel=1e-2)
    assert found["port a,a:drop,o2"] == pytest.approx(0.025e-3, rel=1e-2)
    assert found["port in,in:tap,o1"] == pytest.approx(1e-3, rel=1e-2)
    doubled = watts(circuit.draw(power=True, wl=1.55, inputs={"in": 2e-3}, tap={"coupling": 0.5}))
    assert doubled["tap,o3:drop,o1"] == pytest.approx(1e-3, rel=1e-2)


def test_powers_inside_of_an_open_ring_are_those_of_its_resonance() -> None:
    circuit = ps.load("add_drop_ring")
    wl = np.linspace(1.54, 1.56, 4001)
    peak = float(wl[np.argmax(circuit(wl=wl)["in", "drop"].power)])
    found = watts(circuit.draw(power=True, wl=peak, depth=1))
    expected = abs(circuit.fields(peak, {"in": 1e-3}, ["ring.right,o1:in"])["ring.right,o1:in"][0]) ** 2
    inside = next(power for name, power in found.items() if "ring.right,o1" in name)
    assert inside == pytest.approx(expected, rel=1e-2)
    assert inside > 5e-3  # more than what is sent in


def test_powers_under_the_own_light_need_no_wavelength() -> None:
    found = watts(ps.load("link").draw(power=True))
    assert found["laser,o1:isolator,o1"] == pytest.approx(2e-3, rel=1e-2)
    assert found["edge,o2:modulator,o1"] == pytest.approx(1e-3, rel=1e-2)


# --- files and refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_drawings_are_saved_as_svg_pdf_and_png(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ring{suffix}"
    ps.load("add_drop_ring").draw(path)
    start = {".svg": b"<svg", ".pdf": b"%PDF", ".png": b"\x89PNG"}[suffix]
    assert path.read_bytes().startswith(start)


def test_names_that_are_not_there_are_refused(tmp_path: Path) -> None:
    circuit = ps.load("link")
    with pytest.raises(ParameterError, match=r"no instance 'modulatr' to expand.*Did you mean 'modulator'"):
        circuit.draw(expand="modulatr")
    with pytest.raises(ParameterError, match=r"no instance 'slit' of 'modulator'.*Did you mean 'split'"):
        circuit.draw(expand="modulator.slit")
    with pytest.raises(ParameterError, match="'edge' cannot be expanded: 'attenuator' has no circuit inside"):
        circuit.draw(expand=["modulator", "edge"])
    with pytest.raises(ParameterError, match="depth is -1, but must be 0"):
        circuit.draw(depth=-1)
    with pytest.raises(ParameterError, match="fold is 0, but must be 1 or more"):
        circuit.draw(fold=0)
    with pytest.raises(DataError, match=r"known are \.svg, \.pdf, \.png"):
        circuit.draw(tmp_path / "a.gif")
    with pytest.raises(ParameterError, match="give power=True"):
        circuit.draw(wl=1.55)
    ring = ps.load("add_drop_ring")
    with pytest.raises(ParameterError, match="give wl in um"):
        ring.draw(power=True)
    with pytest.raises(ParameterError, match=r"no port 'trough'.*Did you mean 'through'"):
        ring.draw(power=True, wl=1.55, inputs={"trough": 1e-3})
    with pytest.raises(ParameterError, match="has no setting 'radios'"):
        ring.draw(power=True, wl=1.55, ring={"radios": 1.0})

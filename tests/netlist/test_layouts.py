"""Netlists as layout tools write them: every optical cell of three kits, null settings, other names."""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim import netlist
from photosim.circuit import Circuit
from photosim.errors import NetlistError, PhotosimError
from photosim.model import registry
from photosim.netlist.layout_table import RULES, SYNONYMS
from photosim.testing.dense import dense

DATA = Path(__file__).parents[1] / "data" / "layouts"
CELLS: dict[str, Any] = json.loads(gzip.decompress((DATA / "cells.json.gz").read_bytes()))
EVERY = [(kit, cell) for kit, found in CELLS.items() for cell in found["cells"]]
WL = np.array([1.545, 1.55, 1.5567])
# What a cell without parts of its own must say: which component it is, or how to say what it is.
SAYS = ("ps.from_gdsfactory", "given with --map", "is null, and neither its info", "has nothing to compute")


def written(kit: str, cell: str) -> Any:
    return CELLS[kit]["cells"][cell]["netlist"]


@pytest.fixture
def quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read(data: Any, tmp_path: Path, name: str = "cell.json", **options: Any) -> Any:
    file = tmp_path / name
    file.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return netlist.read(file, **options)


@pytest.mark.usefixtures("quiet")
def test_every_optical_cell_simulates_or_says_what_is_missing(tmp_path: Path) -> None:
    simulated: dict[str, list[str]] = {kit: [] for kit in CELLS}
    refused: dict[tuple[str, str], str] = {}
    for kit, cell in EVERY:
        try:
            circuit = Circuit(read(written(kit, cell), tmp_path))
        except PhotosimError as error:
            refused[kit, cell] = str(error)
            continue
        assert set(circuit.ports) == set(CELLS[kit]["cells"][cell]["ports"]), cell
        simulated[kit].append(cell)
    assert [cell for cell, error in refused.items() if not any(text in error for text in SAYS)] == []
    assert {kit: len(found) for kit, found in simulated.items()} == {
        "gdsfactory": 50,
        "cspdk.si220": 9,
        "ubcpdk": 12,
    }
    wanted = {"mzi", "ring_double", "ring_single", "straight_pin", "mzi_lattice", "awg", "spiral_racetrack"}
    assert wanted < set(simulated["gdsfactory"])


@pytest.mark.usefixtures("quiet")
def test_a_file_whose_cells_were_sorted_is_the_same_circuit(tmp_path: Path) -> None:
    data = written("gdsfactory", "mzi_lattice")
    turned = Circuit(read(json.dumps(dict(reversed(data.items()))), tmp_path))
    assert np.array_equal(turned(WL).values, Circuit(read(data, tmp_path))(WL).values)
    assert any("which no other netlist" in line for line in netlist.notes(turned.netlist))
    plain = {"inner": {"instances": {"s": "straight"}, "ports": {"o1": "s,o1", "o2": "s,o2"}},
             "outer": {"instances": {"x": "inner"}, "ports": {"in": "x,o1", "out": "x,o2"}}}  # fmt: skip
    first = netlist.from_dict(plain)  # SAX takes the first one
    assert tuple(first.ports) == ("o1", "o2")
    assert netlist.notes(first)[0].startswith(
        "The circuit is 'inner', the first netlist of the file, although"
    )


@pytest.mark.usefixtures("quiet")
def test_what_an_instance_says_goes_before_its_cross_section(tmp_path: Path) -> None:
    (tmp_path / "kit.map.yml").write_text("cross_sections: {strip: {radius: 10.0}}", encoding="utf-8")
    settings = {"radius": 8, "length_x": 3.0, "length_extension": None, "cross_section": "strip"}
    data = {"instances": {"c": {"component": "coupler_ring", "settings": settings, "info": {}}},
            "nets": [], "placements": {}, "ports": {f"o{k}": f"c,o{k}" for k in (1, 2, 3, 4)}}  # fmt: skip
    found = read(data, tmp_path, cell_map=tmp_path / "kit.map.yml")
    assert found.instances["c"].settings["length_extension"] == 11.0


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("kit", "cell"),
    [("gdsfactory", name) for name in ("ring_double", "ring_single", "mzi_pin", "mzi_lattice", "awg", "mzm",
                                       "coupler_bend", "crossing45", "splitter_tree", "spiral_racetrack")]
    + [("cspdk.si220", "ring_single"), ("cspdk.si220", "mzi_heater_loop"), ("ubcpdk", "mzi_heater")],
)  # fmt: skip
def test_cells_are_composed_as_a_dense_solution_has_it(kit: str, cell: str, tmp_path: Path) -> None:
    circuit = Circuit(read(written(kit, cell), tmp_path))
    # Kernel and numpy round phases of some thousand rad differently.
    assert np.abs(circuit(WL).values - dense(circuit, WL)).max() < 1e-11


RING = {
    "instances": {
        "c": {"component": "coupler_ring", "settings": {"gap": 0.2, "length_x": 4.0, "radius": None},
              "info": {"radius": 10.0}},
        "t": {"component": "straight", "settings": {"length": 4.0}},
        "l": {"component": "bend_euler", "settings": {"radius": None, "angle": 90},
              "info": {"radius": 10.0, "length": 16.637}},
        "r": {"component": "bend_euler", "settings": {"radius": None, "angle": -90},
              "info": {"radius": 10.0, "length": 16.637}},
    },
    "nets": [{"p1": "c,o2", "p2": "l,o2"}, {"p1": "l,o1", "p2": "t,o1"}, {"p1": "t,o2", "p2": "r,o2"},
             {"p1": "r,o1", "p2": "c,o3"}],
    "ports": {"o1": "c,o1", "o2": "c,o4"},
}  # fmt: skip


def test_a_null_takes_the_value_that_was_drawn(tmp_path: Path) -> None:
    found = read(RING, tmp_path)
    wl = np.linspace(1.5, 1.6, 20001)
    power = np.abs(Circuit(found)(wl)["o1", "o2"].values) ** 2
    dips = wl[1:-1][(power[1:-1] < power[:-2]) & (power[1:-1] < power[2:])]
    around = 4 * 16.637 + 2 * 4.0
    expected = 1.55**2 / (3.4 * around)
    middle = np.searchsorted(dips, 1.55)
    assert dips[middle] - dips[middle - 1] == pytest.approx(expected, rel=0.005)
    notes = netlist.notes(found)
    assert any("(coupler_ring): 'radius' is null; 10 um is taken from info" in note for note in notes)
    assert any(note.startswith("2 instances, such as 'l', (bend_euler): 'radius' is null") for note in notes)


@pytest.mark.parametrize(
    ("settings", "info", "says"),
    [
        ({"radius": None}, {}, "'b' (bend_euler): setting 'radius' is null, and neither its info nor its"),
        ({"radius": None}, {"radius": "big"}, "default 10.0 um"),
        ({"neff": None}, {"length": 3.0}, "setting 'neff' is null"),
    ],
)
def test_a_null_that_nothing_explains_is_an_error(settings: Any, info: Any, says: str) -> None:
    data = {"instances": {"b": {"component": "bend_euler", "settings": settings, "info": info}},
            "ports": {"in": "b,o1", "out": "b,o2"}}  # fmt: skip
    with pytest.raises(NetlistError) as caught:
        netlist.from_dict(data)
    assert says in str(caught.value)


def test_a_null_of_a_setting_that_is_none_by_default_stays_the_default() -> None:
    data = {"instances": {"r": {"component": "ring_single", "settings": {"coupling": 0.2, "gap": None}}},
            "ports": {"in": "r,o1", "out": "r,o2"}}  # fmt: skip
    assert netlist.from_dict(data).instances["r"].settings == {"coupling": 0.2}


def test_a_null_takes_what_the_cross_section_says(tmp_path: Path) -> None:
    data = {"instances": {"b": {"component": "bend_euler",
                                "settings": {"radius": None, "cross_section": "wide"}, "info": {}}},
            "ports": {"in": "b,o1", "out": "b,o2"}}  # fmt: skip
    (tmp_path / "cell.map.yml").write_text("cross_sections: {wide: {radius: 25.0, neff: 2.6, width: 0.8}}")
    found = read(data, tmp_path)
    assert found.instances["b"].settings["radius"] == 25.0
    assert found.instances["b"].settings["neff"] == 2.6
    assert "25 um is taken from its cross-section" in netlist.notes(found)[0]


@pytest.mark.parametrize("cell", ["straight", "bend_s", "mmi1x2", "straight_heater_meander"])
def test_a_cell_without_parts_is_named_with_its_component(cell: str, tmp_path: Path) -> None:
    with pytest.raises(NetlistError) as caught:
        read(written("gdsfactory", cell), tmp_path)
    component = {"straight_heater_meander": "straight_heater"}.get(cell, cell)
    assert f"circuit {cell!r} has no instances" in str(caught.value)
    assert f"here {component!r}" in str(caught.value)
    assert "cell.json:1:1" in str(caught.value)


@pytest.mark.parametrize("cell", ["dbr", "disk_heater", "mode_converter", "grating_coupler_dual_pol"])
def test_cells_that_are_not_what_they_are_drawn_with_are_refused(cell: str, tmp_path: Path) -> None:
    with pytest.raises(NetlistError, match=rf"cell {cell!r} is drawn with are not its circuit"):
        read(written("gdsfactory", cell), tmp_path)


@pytest.mark.parametrize("cell", ["ring_double", "ring_single"])
def test_a_ring_of_parts_is_not_the_component_of_its_name(cell: str) -> None:
    part = {"component": cell, "settings": {"radius": 10.0}, "info": {}}
    with pytest.raises(NetlistError, match=rf"{cell!r} is drawn with parts, .*recursive=True"):
        netlist.from_dict({"instances": {"r": part}, "ports": {"in": "r,o1", "out": "r,o2"}})


def test_a_map_gives_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text("cells: {coupler: {component: coupler, settings: {length: 14.5}}}")
    found = read(written("cspdk.si220", "mzi"), tmp_path, cell_map=tmp_path / "m.yml")
    assert found.instances["cp1"].settings == {"length": 14.5, "gap": 0.27}
    assert len(Circuit(found).ports) == 4


def test_what_carries_no_light_is_left_out_and_said(tmp_path: Path) -> None:
    found = read(written("gdsfactory", "straight_pin"), tmp_path)
    assert {i.component for i in found.instances.values()} == {"straight", "taper"}
    assert any("2 instances are layout only and not simulated: via_stack" in n for n in netlist.notes(found))
    assert any("cross_section" in line for line in netlist.not_simulated(found))


def test_a_junction_guide_that_is_not_written_out_is_a_guide_of_its_length() -> None:
    part = {"component": "straight_pin", "settings": {"length": 500.0, "taper": None}, "info": {}}
    found = netlist.from_dict({"instances": {"a": part}, "ports": {"in": "a,o1", "out": "a,o2"}})
    assert found.instances["a"].component == "straight"
    assert found.instances["a"].settings["length"] == 500.0


@pytest.mark.parametrize(
    ("name", "component"),
    [("waveguide", "straight"), ("y_branch", "splitter"), ("dc", "coupler"), ("microring", "ring_single"),
     ("Straight Waveguide", "straight"), ("Y-Branch", "splitter"), ("mmi1x2_ideal", "splitter")],
)  # fmt: skip
def test_names_of_other_tools_are_found(name: str, component: str) -> None:
    data = {"instances": {"a": name}, "ports": {"in": "a,o1", "out": "a,o2"}}
    found = netlist.from_dict(data)
    assert found.instances["a"].component == component
    assert any(f"{name!r} is the component {component!r}" in note for note in netlist.notes(found))


def test_no_name_of_a_layout_hides_a_component() -> None:
    both = [name for name in RULES if registry.known(name)]
    assert "straight_heater_metal" in RULES
    assert [name for name in both if RULES[name].component != name] == []
    assert [name for name in SYNONYMS if registry.known(name)] == []
    assert all(registry.known(rule.component) for rule in RULES.values())
    assert all(registry.known(name) for name in SYNONYMS.values())


def test_an_unknown_setting_of_a_layout_is_not_dropped() -> None:
    data = {"instances": {"a": {"component": "straight", "settings": {"lenght": 3.0}, "info": {}}},
            "ports": {"in": "a,o1", "out": "a,o2"}}  # fmt: skip
    with pytest.raises(NetlistError, match="no setting 'lenght'"):
        netlist.check(netlist.from_dict(data))


def joint(left: float, right: float, section: str = "strip") -> dict[str, Any]:
    guides = {
        name: {"component": "straight", "settings": {"length": 10.0, "cross_section": section},
               "info": {"width": width}}
        for name, width in (("a", left), ("b", right))
    }  # fmt: skip
    return {"instances": guides, "connections": {"a,o2": "b,o1"}, "ports": {"in": "a,o1", "out": "b,o2"}}


def test_where_two_widths_meet_light_is_lost_and_reflected() -> None:
    found = netlist.from_dict(joint(0.5, 0.45))
    s = Circuit(found)([1.55])
    assert float(s["in", "in"].power[0]) == pytest.approx(2.3e-4, rel=0.05)
    assert 0.015 < -float(s["in", "out"].power_dB[0]) < 0.025
    assert any("guides of 0.5 and 0.45 um meet" in note for note in netlist.notes(found))
    assert len(netlist.from_dict(joint(0.5, 0.5)).instances) == 2


@pytest.mark.parametrize(("right", "section"), [(0.45, "nitride"), (5.0, "strip")])
def test_a_step_that_no_model_describes_is_refused(right: float, section: str) -> None:
    with pytest.raises(NetlistError, match=r"meet at 'a,o2' and 'b,o1', and `width_step` describes silicon"):
        netlist.from_dict(joint(0.5, right, section))

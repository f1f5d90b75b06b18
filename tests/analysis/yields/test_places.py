"""Where parts lie for the local field: placements of layouts, turned, mirrored, nested and in arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.analysis.yields import field
from photosim.errors import ParameterError
from photosim.netlist import to_gdsfactory

RING = {"component": "ring_single", "settings": {"radius": 10.0}}


def guide(length: float) -> dict[str, Any]:
    return {"component": "straight", "settings": {"length": length}}


def lines(circuit: ps.Circuit) -> dict[str, Any]:
    parts = circuit.graph.parts
    return dict(zip((part.name for part in parts), field.lines_of(circuit, parts, {}), strict=True))


def middle(line: Any) -> Any:
    return line[:-1].mean(axis=0) if len(line) > 2 else line.mean(axis=0)


CELL = {
    "instances": {"a": guide(30.0), "r": RING},
    "connections": {"a,o2": "r,o1"},
    "ports": {"i": "a,o1", "o": "r,o2"},
    "placements": {"a": {"x": 0, "y": 0, "rotation": 90}, "r": {"x": 60, "y": 40, "dx": 10}},
}
TOP = {
    "instances": {"u": "cell", "v": "cell"},
    "ports": {"iu": "u,i", "ou": "u,o", "iv": "v,i", "ov": "v,o"},
    "placements": {"u": {"x": 0, "y": 0}, "v": {"x": 1000, "y": 200, "rotation": 180, "mirror": True}},
}


def test_netlists_within_netlists_are_turned_mirrored_and_moved() -> None:
    circuit = ps.Circuit({"top": TOP, "cell": CELL})
    found = lines(circuit)
    assert np.allclose(found["u.a"], [[0, 0], [0, 30]])
    assert np.allclose(middle(found["u.r.loop"]), [70, 40])
    # (x, y) is mirrored to (x, -y), turned to (-x, y), moved to (1000 - x, 200 + y).
    assert np.allclose(found["v.a"], [[1000, 200], [1000, 230]])
    assert np.allclose(middle(found["v.r.loop"]), [930, 240])
    again = ps.Circuit(to_gdsfactory(circuit.netlist))
    assert again.netlist.placements == circuit.netlist.placements
    other = ps.Circuit(
        {"top": TOP, "cell": {**CELL, "placements": {"a": {"x": 0, "y": 0}, "r": {"x": 9, "y": 0}}}}
    )
    assert not np.allclose(lines(other)["v.r.loop"], found["v.r.loop"])


def test_members_of_an_array_lie_a_pitch_apart() -> None:
    array = {"columns": 2, "rows": 2, "column_pitch": 100, "row_pitch": -50}
    netlist = {
        "instances": {"r": {**RING, "array": array}},
        "ports": {f"{p}{k}": f"r<{k // 2}.{k % 2}>,{p}" for k in range(4) for p in ("o1", "o2")},
        "placements": {"r": {"x": 1000, "y": 0}},
    }
    circuit = ps.Circuit(netlist)
    found = {name: middle(line) for name, line in lines(circuit).items() if name.endswith("loop")}
    expected = {f"r<{c}.{r}>.loop": (1000 + 100 * c, -50 * r) for c in range(2) for r in range(2)}
    assert found.keys() == expected.keys()
    assert all(np.allclose(found[name], at) for name, at in expected.items())
    again = ps.Circuit(to_gdsfactory(circuit.netlist))
    assert again.netlist.placements == circuit.netlist.placements
    without = {**netlist, "instances": {"r": {**RING, "array": {"columns": 2, "rows": 2}}}}
    with pytest.raises(ParameterError, match=r"instance 'r<0.0>' has none"):
        lines(ps.Circuit(without))


def test_the_placements_of_kfnetlist_have_an_orientation(tmp_path: Path) -> None:
    placed = {"x": 100.0, "y": 20.0, "orientation": 90, "mirror": False}
    body = {
        "instances": {"g": {"kcl": "p", **guide(50.0), "placement": placed}},
        "nets": [[{"instance": "g", "port": p}, {"name": n}] for p, n in (("o1", "i"), ("o2", "o"))],
        "ports": [{"name": "i"}, {"name": "o"}],
    }  # fmt: skip
    path = tmp_path / "guide.json"
    path.write_text(json.dumps(body))
    assert np.allclose(lines(ps.load(path))["g"], [[100, 20], [100, 70]])


def test_turned_guides_that_cross_share_a_point_only() -> None:
    """Two long guides at right angles: the mean of exp(-(x^2+y^2)/l^2) over both, (sqrt(pi) l/(2 L))^2."""
    places = {"a": {"x": 0, "y": 0, "rotation": 90}, "b": {"x": 0, "y": 0}}
    netlist = {
        "instances": {"a": guide(5000.0), "b": guide(5000.0)},
        "ports": {"ia": "a,o1", "oa": "a,o2", "ib": "b,o1", "ob": "b,o2"},
        "placements": places,
    }
    share = field.correlation([*lines(ps.Circuit(netlist)).values()], 100.0)
    assert share[0, 1] == pytest.approx(np.pi * 100.0**2 / 4 / 5000.0**2, rel=1e-6)
    assert share[0, 0] == pytest.approx(np.sqrt(np.pi) * 100.0 / 5000.0, rel=0.02)


def test_arms_of_an_interferometer_lie_apart() -> None:
    """Up and down by half the length that is not along, and back; variance of their difference by hand."""
    settings = {"delta_length": 20.0, "length_y": 100.0, "length_x": 10.0}
    netlist = {
        "instances": {"m": {"component": "mzi", "settings": settings}},
        "ports": {"in": "m,o1", "out": "m,o2"},
    }
    placed = ps.Circuit({**netlist, "placements": {"m": {"x": 50, "y": 5}}})
    found = lines(placed)
    assert np.allclose(found["m.top"], [[50, 5], [50, 105], [60, 105], [60, 5]])
    assert np.allclose(found["m.bottom"], [[50, 5], [50, -105], [60, -105], [60, 5]])
    assert np.allclose(found["m.split"], [[50, 5]])
    assert np.allclose(found["m.join"], [[60, 5]])
    parts = placed.graph.parts
    again = field.lines_of(ps.Circuit(netlist), parts, {"m": [50, 5]})
    assert all(np.allclose(a, b) for a, b in zip(again, found.values(), strict=True))
    assert not field.at_one_point(parts, again, {})
    # Far apart on the scale of the field two halves of each arm are two errors of their own.
    covariance = field.correlation([found["m.top"], found["m.bottom"]], 30.0)
    assert 0.0 < covariance[0, 1] < 0.2 * covariance[0, 0]


def test_parts_at_one_point_are_named() -> None:
    ports = {f"o{k}": f"m,o{k}" for k in range(1, 7)}
    mesh = ps.Circuit(
        {"instances": {"m": {"component": "clements_mesh", "settings": {"n": 3}}}, "ports": ports}
    )
    spec = [{"quantity": "power_dB", "from": "o1", "to": "o4", "at_most": -1.0}]
    question: dict[str, Any] = {"wl": 1.55, "specification": spec, "samples": 8}
    variation = {"gap": {"local": 1e-3}, "correlation_length": 100.0}
    with pytest.warns(ps.PhotosimWarning, match=r"Inner parts of m lie at one point.*places: \{m\.m0_0: "):
        ps.montecarlo(mesh, {**variation, "places": {"m": [0, 0]}}, **question)
    blocks = dict.fromkeys(p.name.rpartition(".")[0] for p in mesh.graph.parts)
    places = {name: [50.0 * k, 0.0] for k, name in enumerate(blocks) if name.count(".") == 1}
    ps.montecarlo(mesh, {**variation, "places": {"m": [0, 0], **places}}, **question)

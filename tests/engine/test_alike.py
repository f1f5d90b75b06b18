"""Parts that are alike are looked at once; circuits are those that looking at each of them gives."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.engine import alike
from photosim.engine.graph import Graph
from photosim.errors import ParameterError, PhotosimWarning

MIXED = {
    "settings": {"half": 20.0, "temperature": 305.0},
    "instances": {
        "a": {"component": "coupler", "settings": {"coupling": 0.1}},
        "b": {"component": "coupler", "settings": {"coupling": 0.2}},
        "ring": {"component": "ring_single", "settings": {"radius": 10.0}},
        "c": {"component": "coupler", "settings": {"coupling": 0.3, "reflection": 1e-3}},
        "d": {"component": "coupler", "settings": {"gap": 0.2}},
        "up": {"component": "straight", "settings": {"length": 10.0}},
        "down": {"component": "straight", "settings": {"length": 12}},
        "own": {"component": "straight", "settings": {"length": "2 * half"}},
        "warm": {"component": "straight", "settings": {"length": 7.0, "temperature": 310.0}},
        "laid": {"component": "straight", "settings": {"length": 8.0, "cross_section": "strip"}},
        "several": {"component": "straight", "settings": {"length": 9.0}, "array": {"columns": 2, "rows": 1}},
        "inner": {"component": "arm"},
        "plain": {"component": "straight"},
        "last": {"component": "straight", "settings": {"length": 3.0, "loss_dB_cm": 2.0}},
    },
    "connections": {
        "a,out0": "b,o1", "b,o4": "ring,o1", "ring,o2": "c,in0", "c,out0": "d,in0", "d,out0": "up,o1",
        "up,o2": "down,in0", "down,out0": "own,o1", "own,o2": "warm,in", "warm,out": "laid,o1",
        "laid,o2": "several<0.0>,o1", "several<0.0>,o2": "several<1.0>,o1", "several<1.0>,o2": "inner,in",
        "inner,out": "plain,o1", "plain,o2": "last,o1",
    },
    "ports": {"in": "a,o1", "out": "last,o2"},
}  # fmt: skip
ARM = {
    "settings": {"temperature": 320.0},
    "instances": {
        "x": {"component": "coupler", "settings": {"coupling": 0.4}},
        "y": {"component": "straight", "settings": {"length": 5.0}},
    },
    "connections": {"x,o4": "y,in"},
    "ports": {"in": "x,o1", "out": "y,o2"},
}
TEXT = {"mixed": MIXED, "arm": ARM}


def circuit(made_of: Any) -> ps.Circuit:
    """Return a circuit of the gallery or of TEXT, its warnings kept silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        return ps.load(made_of) if isinstance(made_of, str) else ps.Circuit(made_of)


def contents(graph: Graph) -> list[Any]:
    """Return all that a graph says, in its order, but which numbers parts hold themselves."""
    return [
        [part[:-1] for part in graph.parts],
        graph.partner.tolist(),
        list(graph.exposed.items()),
        [(name, repr(value)) for name, value in graph.bindings.bound.items()],
        [(name, repr(value)) for name, value in graph.structural.items()],
        [{n: repr(v) for n, v in graph.settings_of(part).items()} for part in graph.parts],
        dict(graph.without_temperature),
        graph.wires,
        graph.nets,
        graph.index,
    ]


@pytest.mark.parametrize("made_of", [
    TEXT, "add_drop_ring", "clements_4x4", "crow", "modulator", "wdm_rings", "bragg_filter", "ring_lock",
    "polarization_diversity", "mzi_te1310",
], ids=lambda made_of: "mixed" if isinstance(made_of, dict) else made_of)  # fmt: skip
def test_a_circuit_is_the_same_whether_parts_alike_are_looked_at_once(
    made_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = circuit(made_of)
    monkeypatch.setattr(alike, "MANY", 0)
    quick = circuit(made_of)
    assert contents(quick.graph) == contents(plain.graph)
    assert [*quick.parameters] == [*plain.parameters]
    assert any(part.numbers is not None for part in quick.graph.parts) or made_of != TEXT
    assert all(part.numbers is None for part in plain.graph.parts)
    for one, other in zip(quick.compiled.parts.groups, plain.compiled.parts.groups, strict=True):
        np.testing.assert_array_equal(one.parameters, other.parameters)
        assert one.rows == other.rows
    np.testing.assert_array_equal(quick.compiled.parts.elements(), plain.compiled.parts.elements())


def test_results_calls_and_derivatives_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    wl = np.linspace(1.54, 1.56, 5)
    call = {"a": {"coupling": [0.15, 0.4]}, "up": {"length": 11.0}, "half": 25.0}
    loss = ps.losses.power([("in", "out")])
    plain = circuit(TEXT)
    monkeypatch.setattr(alike, "MANY", 0)
    quick = circuit(TEXT)
    for settings in ({}, call, {"temperature": 330.0}, {"a": {"reflection": 1e-4}}):
        np.testing.assert_array_equal(quick(wl, **settings).values, plain(wl, **settings).values)
    names = ["a.coupling", "half", "last.loss_dB_cm", "temperature"]
    slopes = [c.value_and_grad(loss, wl=wl, parameters=names) for c in (quick, plain)]
    assert slopes[0] == slopes[1]


def test_alike_parts_outside_of_a_window_are_named_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    guides = {f"g{k}": ps.part("straight", length=10.0 + k) for k in range(5)}
    guides |= {"far": ps.part("straight", length=1e-5), "wide": ps.part("straight", delta_width=0.3)}
    ports = {f"{name}_{port}": (name, port) for name in guides for port in ("o1", "o2")}
    netlist = ps.Netlist(guides, ports=ports)
    said = []
    for many in (alike.MANY, 0):
        monkeypatch.setattr(alike, "MANY", many)
        with pytest.warns(PhotosimWarning) as caught:
            ps.Circuit(netlist)
        said.append([str(one.message) for one in caught])
    assert said[0] == said[1]
    assert any("'wide'" in text for text in said[0])
    assert any("'far'" in text for text in said[0])


@pytest.mark.parametrize(
    "settings", [{"coupling": 2.0}, {"coupling": float("nan")}, {"coupling": 0.1, "gap": 0.2}]
)
def test_a_setting_that_is_wrong_is_refused_in_the_same_words(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from photosim.engine.flatten import flatten

    wrong = ps.Netlist({"good": ps.part("coupler", coupling=0.1), "bad": ps.part("coupler", **settings)})
    said = []
    for many in (alike.MANY, 0):
        monkeypatch.setattr(alike, "MANY", many)
        with pytest.raises(ParameterError) as caught:
            flatten(wrong)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "'bad'" in said[0]

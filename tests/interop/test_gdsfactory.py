"""Components of gdsfactory as circuits and back; stand-ins for them here, since it needs Python 3.12."""

from __future__ import annotations

import gzip
import json
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import NetlistError, ParameterError, PhotosimError
from photosim.model import registry

DATA = Path(__file__).parents[1] / "data" / "layouts"
CELLS: dict[str, Any] = json.loads(gzip.decompress((DATA / "cells.json.gz").read_bytes()))
WL = np.array([1.545, 1.55, 1.5567])


@dataclass
class Port:
    """A port by its name."""

    name: str
    port_type: str = "optical"


@dataclass
class Component:
    """What from_gdsfactory uses of a component."""

    name: str
    netlist_: Any
    function_name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    ports: list[Port] = field(default_factory=list)

    def get_netlist(self, *, recursive: bool) -> Any:
        """Return the netlist, or fail as gdsfactory does."""
        assert recursive
        if isinstance(self.netlist_, Exception):
            raise self.netlist_
        return self.netlist_


def test_a_component_brings_its_own_netlist() -> None:
    ring = Component("ring", CELLS["gdsfactory"]["cells"]["ring_double"]["netlist"])
    circuit = ps.from_gdsfactory(ring)
    assert np.array_equal(circuit(WL).values, ps.Circuit(DATA / "ring_double.json")(WL).values)
    assert not [name for name in sys.modules if name.partition(".")[0] in {"gdsfactory", "kfactory"}]


def test_a_component_that_is_one_shape_is_one_part() -> None:
    empty: Any = {"bend": {"instances": {}, "nets": [], "ports": {}, "placements": {}}}
    bend = Component("bend_1", empty, "bend_euler", {"radius": None, "angle": -90, "npoints": None},
                     {"radius": 12.0, "length": 19.9}, [Port("o1"), Port("o2"), Port("e1", "electrical")]
                     )  # fmt: skip
    circuit = ps.from_gdsfactory(bend)
    assert circuit.ports == ("o1", "o2")
    assert circuit.netlist.instances["cell"].settings == {"radius": 12.0, "angle": 90.0, "npoints": None}


def test_what_cannot_give_a_netlist_is_refused_in_a_sentence() -> None:
    with pytest.raises(ParameterError, match=r"takes a component, which has get_netlist\(\); got 3"):
        ps.from_gdsfactory(3)
    with pytest.raises(NetlistError, match=r"component 'x' cannot write its netlist: More than two ports"):
        ps.from_gdsfactory(Component("x", ValueError("More than two ports overlapping\nat 0")))


@pytest.mark.parametrize("cell", ["ring_double", "mzi_pin", "straight_array", "mzi_lattice"])
def test_a_circuit_goes_back_and_comes_again(cell: str) -> None:
    circuit = ps.Circuit(CELLS["gdsfactory"]["cells"][cell]["netlist"])
    data = circuit.to_gdsfactory_netlist()
    assert json.loads(json.dumps(data)) == data
    assert np.array_equal(ps.Circuit(data)(WL).values, circuit(WL).values)


@pytest.mark.parametrize("name", ["add_drop_ring", "all_pass_ring", "clements_4x4", "crow"])
def test_circuits_of_the_gallery_go_and_come_back(name: str) -> None:
    circuit = ps.load(name)
    data = circuit.to_gdsfactory_netlist()
    back = ps.Circuit(json.loads(json.dumps(data)))
    assert back.ports == circuit.ports
    np.testing.assert_allclose(back(WL).values, circuit(WL).values, atol=1e-13)


def test_a_sub_netlist_is_one_cell_for_each_set_of_its_settings() -> None:
    straight = {"component": "straight", "settings": {"length": "2 * size"}}
    arm = {"settings": {"size": 3.0}, "ports": {"o1": "s,o1", "o2": "s,o2"}, "instances": {"s": straight}}
    long = {"component": "arm", "settings": {"size": 5.0}}
    top = {
        "instances": {"a": long, "b": "arm", "c": "arm"},
        "connections": {"a,o2": "b,o1", "b,o2": "c,o1"},
        "ports": {"in": "a,o1", "out": "c,o2"},
    }
    data = ps.Circuit({"top": top, "arm": arm}).to_gdsfactory_netlist()
    lengths = {name: body["instances"]["s"]["settings"]["length"] for name, body in list(data.items())[1:]}
    used = [one["component"] for one in data["top"]["instances"].values()]
    assert [lengths[cell] for cell in used] == [10.0, 6.0, 6.0]
    assert len(lengths) == 2


def test_expressions_are_worked_out_and_arrays_stay_arrays() -> None:
    circuit = ps.Circuit(
        {"settings": {"r": 5.0}, "ports": {"in": "a<0.0>,o1", "out": "a<1.0>,o2"},
         "connections": {"a<0.0>,o2": "a<1.0>,o1"},
         "instances": {"a": {"component": "straight", "settings": {"length": "2*pi*r"},
                             "array": {"columns": 2, "rows": 1}}}}
    )  # fmt: skip
    (body,) = circuit.to_gdsfactory_netlist().values()
    assert body["instances"]["a"]["settings"]["length"] == pytest.approx(10 * np.pi)
    assert body["instances"]["a"]["array"] == {"columns": 2, "rows": 1}
    assert np.array_equal(ps.Circuit({"circuit": body})(WL).values, circuit(WL).values)


def parts_of(netlist: Any, models: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """One netlist in SAX's form, with a model of SAX for each kind of part, whose S-matrix is ours."""

    def clean(name: str) -> str:
        return "".join(c if c.isalnum() else "_" for c in name)

    def end(port: tuple[str, str]) -> str:
        inner = netlist.instances[port[0]]
        if inner.component in netlist.components:
            return f"{clean(port[0])},{port[1]}"
        names = registry.get(inner.component).aliases_for(inner.settings)
        return f"{clean(port[0])},{names.get(port[1], port[1])}"

    instances = {}
    for name, part in netlist.instances.items():
        if part.component in netlist.components:
            instances[clean(name)] = clean(part.component)
            continue
        key = json.dumps([part.component, dict(part.settings)], sort_keys=True, default=str)
        if key not in known:
            known[key] = f"part_{len(known)}"
            ports = registry.get(part.component).ports_for(part.settings)
            alone = {"instances": {"x": {"component": part.component, "settings": dict(part.settings)}},
                     "ports": {port: f"x,{port}" for port in ports}}  # fmt: skip
            s = ps.Circuit(alone)(WL)
            table = {(a, b): s[a, b].values for a in ports for b in ports}
            models[known[key]] = lambda wl=1.55, table=table: table  # noqa: ARG005 - SAX hands it over
        instances[clean(name)] = known[key]
    return {
        "instances": instances,
        "connections": {end(a): end(b) for a, b in netlist.connections},
        "ports": {outer: end(port) for outer, port in netlist.ports.items()},
    }


def test_sax_composes_the_same_parts_to_the_same_circuit() -> None:
    jax = pytest.importorskip("jax", reason="SAX is an extra: pip install 'photosim[sax]'")
    sax = pytest.importorskip("sax", reason="SAX is an extra: pip install 'photosim[sax]'")
    jax.config.update("jax_enable_x64", True)
    worst: dict[str, float] = {}
    for kit, found in CELLS.items():
        for cell, data in found["cells"].items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    circuit = ps.Circuit(data["netlist"])
                except PhotosimError:
                    continue
            models: dict[str, Any] = {}
            known: dict[str, str] = {}
            netlists = {"top_level": parts_of(circuit.netlist, models, known)}
            for name, inner in circuit.netlist.components.items():
                netlists["".join(c if c.isalnum() else "_" for c in name)] = parts_of(inner, models, known)
            composed, _ = sax.circuit(netlists, models, backend="filipsson_gunnar")
            theirs, ours = sax.sdict(composed(wl=WL)), circuit(WL)
            worst[f"{kit} {cell}"] = max(
                float(np.abs(np.asarray(theirs.get((a, b), 0.0)) - ours[a, b].values).max())
                for a in circuit.ports for b in circuit.ports
            )  # fmt: skip
    assert len(worst) == 71
    assert max(worst.values()) < 1e-12

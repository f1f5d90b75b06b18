"""What it takes to make a result again: version, hash of the netlist, settings and seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.result import plain
from photosim.errors import NetlistError

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.model import Netlist


def netlist_hash(circuit: Circuit) -> str:
    """Return the SHA-256 of a circuit's netlist: of its instances, connections, ports and settings."""
    from photosim import netlist as netlists

    try:
        text = netlists.to_yaml(circuit.netlist)
    except NetlistError:  # holds what YAML cannot, such as a table that came from no file
        text = repr(circuit.netlist)
    return hashlib.sha256(text.encode()).hexdigest()


def models_of(circuit: Circuit) -> list[Any]:
    """Return the components that a circuit uses, each once, by name."""
    graph = circuit.graph
    models = [part.model for part in graph.parts] + list(graph.composites.values())
    return [model for _, model in sorted({model.name: model for model in models}.items())]


def content_of(circuit: Circuit) -> tuple[Any, ...]:
    """Return all that decides the answers of a circuit: its netlist without questions, and its components."""
    bare = replace(circuit.netlist, analyses=(), specification=())
    functions = [(model.name, model.function) for model in models_of(circuit)]
    return netlist_hash(circuit), bare, _placements(circuit.netlist), functions


def _placements(netlist: Netlist) -> list[Any]:
    """Return where a layout puts the instances of a netlist and of those below it: records leave that out."""
    inner = [(name, _placements(sub)) for name, sub in netlist.components.items()]
    return [dict(netlist.placements), inner]


class OfCircuit:
    """What works on a circuit have in common: what a reader is told of them, and the components they use."""

    circuit: Circuit
    question: Mapping[str, Any]
    seed: int

    def about(self) -> dict[str, Any]:
        """Return circuit, question and seed."""
        found = provenance(self.circuit, self.question, self.seed)
        return {key: found[key] for key in ("circuit", "netlist_sha256", "seed", "question")}

    def models(self) -> list[Any]:
        """Return the circuit's components."""
        return models_of(self.circuit)


def provenance(circuit: Circuit, question: Mapping[str, Any], seed: int | None) -> dict[str, Any]:
    """Return attributes of a Dataset: who made it from what; the question as JSON text."""
    from photosim import __version__

    return {
        "photosim": __version__,
        "circuit": circuit.name,
        "netlist_sha256": netlist_hash(circuit),
        "seed": -1 if seed is None else seed,
        "question": json.dumps(plain({k: shortened(v) for k, v in question.items()}), allow_nan=False),
    }


def shortened(value: Any) -> Any:
    """Return a value for JSON; of a long array its hash, so that a different one reads differently."""
    if isinstance(value, Mapping):
        return {key: shortened(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray) and value.size > 32:
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]
        return (
            f"{value.size} values from {float(value.flat[0])!r} to {float(value.flat[-1])!r}, sha256 {digest}"
        )
    return value

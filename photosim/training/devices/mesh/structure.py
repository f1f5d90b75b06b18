"""Meshes found by how their parts are joined, whatever they are called.

Light is followed from the inputs through couplers and phase shifters. A block is two couplers on the same two
guides with a shifter between them on the first guide and another ahead of it there; the blocks must stand as
in a known arrangement, an output shifter behind them on every guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from photosim.components.mesh_places import PLACES, Arrangement
from photosim.display import Brief
from photosim.engine.bindings import owner
from photosim.training.arrays import FloatArray
from photosim.training.devices.mesh.blocks import Blocks, OneMesh
from photosim.training.devices.mesh.decomposition import MeshPhases

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.engine.graph import Graph, Part

_ACROSS = {"o1": "o4", "o2": "o3", "o3": "o2", "o4": "o1"}
"""The bar port of a coupler."""
_SIDES = ({"o1", "o2"}, {"o3", "o4"})
SAME = 1e-12
"""Largest difference of a matrix from the engine's."""
KNOWN = ("clements", "reck")
"""Arrangements that are recognised; the engine computes all others."""


class NotAMeshError(Exception):
    """Why the parts of a circuit are not those of a mesh; caught by the search for meshes."""


@dataclass(frozen=True)
class Names:
    """Dotted settings of a mesh in the order of its blocks: phases of shifters, powers of couplers."""

    theta: tuple[str, ...]
    phi: tuple[str, ...]
    end: tuple[str, ...]
    split: tuple[str, ...]
    join: tuple[str, ...]

    @property
    def phases(self) -> tuple[tuple[str, ...], ...]:
        """Names of theta, phi and end."""
        return self.theta, self.phi, self.end

    def settings(self, phases: MeshPhases, blocks: Blocks) -> dict[str, float]:
        """Return phases, as they act, and couplings as settings by dotted name."""
        values = (phases.theta, phases.phi, phases.end, blocks.split, blocks.join)
        names = (*self.phases, self.split, self.join)
        pairs = zip(names, values, strict=True)
        return {name: float(value) for own, held in pairs for name, value in zip(own, held, strict=True)}


@dataclass(frozen=True)
class FoundMesh(Brief):
    """A mesh found in a circuit: as built, and the names of its settings."""

    mesh: OneMesh
    names: Names


@dataclass
class _Guide:
    """A guide on the way: the port at which its light arrives next, and what it passed since a coupler."""

    port: int
    shifters: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    coupler: tuple[str, int, bool] | None = None
    column: int = 0


@dataclass
class _Block:
    first: int
    column: int
    outer: str
    inner: str
    split: str
    join: str


def find_by_structure(
    circuit: Circuit, inputs: Sequence[str], outputs: Sequence[str], wl: float
) -> FoundMesh:
    """Return the mesh between exposed ports; NotAMeshError says where its parts stand otherwise.

    What is found gives the engine's matrix at the netlist's own phases, within SAME.
    """
    found = _followed(circuit, tuple(inputs), tuple(outputs), wl)
    held = circuit.parameters
    phases = [np.array([float(held[name]) for name in own]) for own in found.names.phases]
    made = found.mesh.matrix(MeshPhases(found.mesh.arrangement, *phases))
    exact = circuit.transfer([wl], list(outputs), list(inputs)).reshape(made.shape)
    if not np.abs(made - exact).max() < SAME:
        message = "the engine finds another matrix"
        raise NotAMeshError(message)
    return found


def _followed(circuit: Circuit, inputs: tuple[str, ...], outputs: tuple[str, ...], wl: float) -> FoundMesh:
    graph = circuit.graph
    _check_ports(graph, inputs, outputs)
    guides = [_Guide(graph.exposed[port]) for port in inputs]
    ends = {graph.exposed[port]: k for k, port in enumerate(outputs)}
    blocks: list[_Block] = []
    while any([_advance(circuit, guide, ends) for guide in guides]):  # noqa: C419 - all of them advance
        waiting: dict[str, list[int]] = {}
        for k, guide in enumerate(guides):
            if guide.port not in ends:
                waiting.setdefault(graph.owners[guide.port].name, []).append(k)
        met = [pair for pair in waiting.values() if len(pair) == 2]
        if not met:
            message = "light of one guide alone reaches a coupler"
            raise NotAMeshError(message)
        for low, high in met:
            _couple(graph, guides, low, high, blocks)
    for k, guide in enumerate(guides):
        if ends[guide.port] != k or guide.coupler is not None or len(guide.shifters) != 1:
            message = f"guide {k} does not end with one phase shifter at {outputs[k]!r}"
            raise NotAMeshError(message)
    found = {(block.column, block.first): block for block in blocks}
    fitting: list[Arrangement] = [
        own for own in get_args(Arrangement) if own in KNOWN and set(PLACES[own](len(inputs))) == set(found)
    ]
    if len(found) != len(blocks) or not fitting:
        message = f"its {len(blocks)} blocks are not in a known arrangement"
        raise NotAMeshError(message)
    placed = [found[place] for place in PLACES[fitting[0]](len(inputs))]
    names = Names(
        tuple(f"{block.inner}.phase" for block in placed),
        tuple(f"{block.outer}.phase" for block in placed),
        tuple(f"{guide.shifters[0]}.phase" for guide in guides),
        tuple(f"{block.split}.coupling" for block in placed),
        tuple(f"{block.join}.coupling" for block in placed),
    )
    return FoundMesh(_built(graph, fitting[0], placed, names, wl), names)


def _check_ports(graph: Graph, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    unknown = [port for port in (*inputs, *outputs) if port not in graph.exposed]
    if unknown:
        message = f"{unknown[0]!r} is not one of its ports"
        raise NotAMeshError(message)
    if len(inputs) != len(outputs) or len(inputs) < 2:
        message = f"it has {len(inputs)} inputs and {len(outputs)} outputs"
        raise NotAMeshError(message)


def _advance(circuit: Circuit, guide: _Guide, ends: Mapping[int, int]) -> bool:
    """Carry a guide's light through phase shifters up to a coupler; False at an output."""
    graph, held = circuit.graph, circuit.compiled.parameters
    while guide.port not in ends:
        part = graph.owners[guide.port]
        if part.model.name == "coupler":
            return True
        if part.model.name != "phase_shifter" or f"{owner(part.name)[0]}.held" in held:
            message = f"instance {part.name!r} is a {part.model.name}, or driven by a converter"
            raise NotAMeshError(message)
        guide.shifters.append(part.name)
        leaving = 2 * part.first_port + 1 - guide.port
        after = leaving if leaving in ends else int(graph.partner[leaving])
        if after < 0:
            message = f"{part.name!r} ends where no output is"
            raise NotAMeshError(message)
        guide.port = after
    return False


def _couple(graph: Graph, guides: list[_Guide], low: int, high: int, blocks: list[_Block]) -> None:
    """Send two guides through the coupler at which both wait, which begins or ends a block."""
    one, other = guides[low], guides[high]
    part = graph.owners[one.port]
    entered = [part.ports[guide.port - part.first_port] for guide in (one, other)]
    if set(entered) not in _SIDES or high != low + 1:
        message = f"coupler {part.name!r} does not join neighbouring guides"
        raise NotAMeshError(message)
    opened = one.coupler is not None and one.coupler == other.coupler
    if opened and one.coupler is not None:
        if len(one.shifters) != 1 or other.shifters:
            message = f"coupler {part.name!r} does not follow one phase shifter on the first guide"
            raise NotAMeshError(message)
        column = max(one.column, other.column)
        blocks.append(_Block(low, column, one.before[0], one.shifters[0], one.coupler[0], part.name))
        one.column = other.column = column + 1
    elif one.coupler is not None or other.coupler is not None:
        message = f"coupler {part.name!r} lies inside a block"
        raise NotAMeshError(message)
    elif len(one.shifters) != 1 or other.shifters:
        message = f"coupler {part.name!r} does not follow one phase shifter on the first guide"
        raise NotAMeshError(message)
    for guide, port in zip((one, other), entered, strict=True):
        guide.before, guide.shifters = guide.shifters, []
        guide.coupler = None if opened else (part.name, low, True)
        after = int(graph.partner[part.first_port + part.ports.index(_ACROSS[port])])
        if after < 0:
            message = f"coupler {part.name!r} ends where no output is"
            raise NotAMeshError(message)
        guide.port = after


def _built(
    graph: Graph, arrangement: Arrangement, placed: Sequence[_Block], names: Names, wl: float
) -> OneMesh:
    """Return the mesh as built, from the settings of its parts."""

    def of(parts: Sequence[str], setting: str) -> FloatArray:
        return np.array([_setting(graph, graph.part(name), setting) for name in parts], dtype=np.float64)

    splits, joins = [block.split for block in placed], [block.join for block in placed]
    outers, inners = [block.outer for block in placed], [block.inner for block in placed]
    ends = [owner(name)[0] for name in names.end]
    if of(splits, "reflection").any() or of(joins, "reflection").any():
        message = "its couplers reflect"
        raise NotAMeshError(message)
    turn = of(outers, "wl0") / wl
    if not np.array_equal(turn, of(inners, "wl0") / wl):
        message = "the phases of a block are given at two wavelengths"
        raise NotAMeshError(message)
    zero = np.zeros(len(placed))
    blocks = Blocks(
        of(splits, "coupling"),
        of(joins, "coupling"),
        _amplitude(of(splits, "loss_dB") + of(joins, "loss_dB")),
        _amplitude(of(outers, "loss_dB")),
        _amplitude(of(inners, "loss_dB")),
        turn,
        zero,
        zero,
    )
    loss, turns = _amplitude(of(ends, "loss_dB")), of(ends, "wl0") / wl
    return OneMesh(arrangement, blocks, loss, turns, np.zeros(len(ends)))


def _setting(graph: Graph, part: Part, name: str) -> float:
    value: Any = graph.settings_of(part).get(name)
    if not isinstance(value, int | float):
        message = f"{part.name!r} has no number as {name}"
        raise NotAMeshError(message)
    return float(value)


def _amplitude(loss_dB: FloatArray) -> FloatArray:
    return np.asarray(10.0 ** (-loss_dB / 20.0))

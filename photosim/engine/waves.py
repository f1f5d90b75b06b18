"""The travelling waves of a flat circuit: their numbers, names, mirrors, and the edges between them.

Wave p (p < N ports) arrives at port p; where p is joined to q it is the wave
that leaves q. Wave N + p leaves an exposed or open port p to the outside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from photosim.engine.plan import EdgeList, WantedElement, columns_of, ends_of, numbers_of
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.kernels.graphs import components
from photosim.model import Detector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Graph
    from photosim.engine.parts import Parts

UNIT_VALUE = 0
"""Number of the value that is always 1: the edge from a wave to a probe of it."""


@dataclass(frozen=True)
class Request:
    """Edges and wanted elements of one question to the circuit, ready to be planned."""

    edges: Mapping[tuple[int, int], int]
    wanted: tuple[WantedElement, ...]
    mirror: Mapping[int, int] = field(default_factory=dict)


def leaving(graph: Graph, port: int) -> int:
    """Return the wave that leaves a part at a port."""
    joined = int(graph.partner[port])
    return joined if joined >= 0 else len(graph.partner) + port


def find_wave(graph: Graph, name: str, *, entering: bool) -> int:
    """Return the wave of a name.

    An exposed port means the wave entering the circuit there (`entering`) or
    leaving it. "inst,port" means the wave leaving the instance, or arriving
    where the instance is a detector; "inst,port:in" the wave arriving.
    """
    if name in graph.exposed:
        port = one_wave(graph, graph.exposed[name], name)
        return port if entering else len(graph.partner) + port
    inner, colon, side = str(name).partition(":")
    instance, comma, port_name = inner.rpartition(",")
    if not comma or (colon and side != "in"):
        known = list(graph.exposed)
        message = (
            f"{name!r} names no port of the circuit: its exposed ports are {listing(known)}; "
            f"inner waves are written instance,port.{did_you_mean(name, known)}"
        )
        raise ParameterError(message)
    port = one_wave(graph, graph.port(instance.strip(), port_name.strip()), name)
    at = graph.index.get(instance.strip())  # not there for an instance with parts inside
    arriving = bool(colon) or (at is not None and isinstance(graph.parts[at].model, Detector))
    return port if arriving else leaving(graph, port)


def one_wave(graph: Graph, port: int, name: str) -> int:
    """Return a port that is requested by name; ParameterError where it carries a bus of many waves."""
    if port in graph.buses:
        message = (
            f"{name!r} is the bus {graph.buses[port]!r} of free space, not a single wave: "
            "circuit.chain() gives the blocks and what they do to fields."
        )
        raise ParameterError(message)
    return port


def part_edges(graph: Graph, parts: Parts) -> EdgeList:
    """Return the edges of all parts: (wave arriving, wave leaving) to the number of the value between."""
    size = len(graph.partner)
    after = np.where(graph.partner >= 0, graph.partner, np.arange(size) + size)
    arriving, leaving, values = parts.elements().T
    return EdgeList(np.column_stack([arriving, after[leaving]]), values)


def strongly_connected(arcs: Iterable[tuple[int, int]], size: int) -> NDArray[np.int64]:
    """Return the number of the strongly connected set that each of `size` nodes lies in, (size,).

    arcs: (from, to) between nodes 0 to size - 1.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not size:
        return np.empty(0, dtype=np.int64)
    ends = ends_of(arcs)
    links = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=(size, size))
    return np.asarray(connected_components(links, directed=True, connection="strong")[1], dtype=np.int64)


def loops(edges: Collection[tuple[int, int]]) -> list[list[int]]:
    """Return the sets of waves that light runs round in, each by rising number."""
    size = 1 + max(map(max, edges), default=-1)
    label = strongly_connected(edges, size).tolist()
    found: dict[int, set[int]] = {}
    for a, b in edges:
        if label[a] == label[b]:
            found.setdefault(label[a], set()).update((a, b))
    return [sorted(waves) for waves in found.values()]


def matrix_request(
    graph: Graph, edges: Mapping[tuple[int, int], int], ports: Sequence[int], *, reciprocal: bool
) -> Request:
    """Return the request for the S-matrix between exposed ports, place = to * P + from.

    In a reciprocal circuit half of the elements are computed and each serves
    two places. Where the two directions of travel never mix, only one is
    planned; where they do, waves are paired with their mirror images.
    """
    size, count = len(graph.partner), len(ports)
    places = [(f, t) for f in range(count) for t in range(count)]
    if not reciprocal:
        return Request(
            edges, tuple(WantedElement(ports[f], size + ports[t], t * count + f) for f, t in places)
        )
    component, mirror, alone = _halves(graph, edges)
    wanted = []
    for f, t in places:
        source, target = ports[f], size + ports[t]
        own = component[source]
        paired = own >= 0 and alone[own]
        if own >= 0 and own == component[target] and not (paired and t > f):
            wanted.append(WantedElement(source, target, t * count + f, f * count + t if t != f else -1))
    paired_waves = {w: int(mirror[w]) for w in np.flatnonzero((component >= 0) & alone[component]).tolist()}
    return Request(edges, tuple(wanted), paired_waves)


def wave_request(
    edges: Mapping[tuple[int, int], int], outputs: Sequence[int], inputs: Sequence[int]
) -> Request:
    """Return the request for waves `outputs` per waves `inputs`, place = output * n_in + input.

    Probes and injected waves become ends of their own, joined by an edge of
    value 1, so that a wave in the middle of the circuit can be either.
    """
    ends = ends_of(edges)
    base = 1 + int(ends.max(initial=0)) + max([*outputs, *inputs], default=0)
    wanted = []
    added = [(base + i, source) for i, source in enumerate(inputs)]
    for o, probed in enumerate(outputs):
        end = base + len(inputs) + o
        added.append((probed, end))
        wanted += [WantedElement(base + i, end, o * len(inputs) + i) for i in range(len(inputs))]
    numbers = numbers_of(edges)
    units = np.full(len(added), UNIT_VALUE, dtype=numbers.dtype)
    extended = EdgeList(np.concatenate([ends, ends_of(added)]), np.concatenate([numbers, units]))
    return Request(extended, tuple(wanted))


def _halves(
    graph: Graph, edges: Mapping[tuple[int, int], int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the connected component and the mirror of each wave, and whether a component mirrors itself.

    The mirror of a wave travels the same way back. Of two components that
    mirror each other one is numbered -1: its results follow from the other.
    """
    size = len(graph.partner)
    a, b = columns_of(edges)  # as a plan has them: the kernel is compiled once
    component = components(a, b, 2 * size)
    mirror = np.empty(2 * size, dtype=np.int64)
    ports = np.arange(size)
    mirror[:size] = np.where(graph.partner >= 0, graph.partner, ports + size)
    mirror[size:] = ports
    image = np.full(2 * size, -1, dtype=np.int64)
    image[component] = component[mirror]
    number = np.arange(len(image))
    return np.where(image < number, -1, number)[component], mirror, image == number

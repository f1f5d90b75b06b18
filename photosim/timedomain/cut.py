"""A circuit cut into linear islands by what is nonlinear or driven: who lights whom, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from photosim.engine.guards import reached
from photosim.engine.waves import leaving, loops, strongly_connected
from photosim.kernels.graphs import components
from photosim.model import Detector, Nonlinear, Source

if TYPE_CHECKING:
    from photosim.engine.graph import Graph, Part

Edges = dict[tuple[int, int], int]


@dataclass(frozen=True)
class Element:
    """What stands between islands: a nonlinear part, a driven part, or a driven resonator.

    arrivals, departures: waves.  paths: (number of an arrival, number of a departure) that light takes.
    emits: numbers of departures that are lit by themselves.  parts: names of the parts it is made of.
    kind: "nonlinear"; "factor", a driven part that multiplies the waves that leave it; "matrix", one that is
    a matrix at the carrier; "resonator", a driven resonator as one matrix; "delay", a long loop that is cut.
    """

    name: str
    kind: str
    arrivals: tuple[int, ...]
    departures: tuple[int, ...]
    paths: tuple[tuple[int, int], ...]
    emits: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    edges: Mapping[tuple[int, int], int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Cut:
    """The circuit without its elements: edges of linear parts, elements, and the waves that carry light.

    ahead: wave to the waves it leads to.  lit: injected waves that carry light.  order: groups of elements to
    compute one after the other; a group of several, or of one that lights itself, is a loop.
    """

    edges: Edges
    elements: tuple[Element, ...]
    ahead: Mapping[int, Sequence[int]]
    lit: frozenset[int]
    order: tuple[tuple[int, ...], ...]
    loops: frozenset[int]


def nonlinear_element(graph: Graph, part: Part, *, noisy: bool) -> Element:
    """Return the element of a nonlinear part; its own light counts where it has a line, or noise is on."""
    model = part.model
    assert isinstance(model, Nonlinear)  # noqa: S101 - the caller chose by kind
    ports = range(part.first_port, part.first_port + len(part.ports))
    number = {port: k for k, port in enumerate(part.ports)}
    glows = model.emits if noisy or model.line is not None else ()
    return Element(
        part.name, "nonlinear", tuple(ports), tuple(leaving(graph, port) for port in ports),
        tuple((number[a], number[b]) for a, b in model.paths), tuple(number[p] for p in glows), (part.name,),
    )  # fmt: skip


def part_edges(graph: Graph, part: Part, edges: Edges) -> Edges:
    """Return the edges of one part."""
    own = set(range(part.first_port, part.first_port + len(part.ports)))
    del graph
    return {pair: value for pair, value in edges.items() if pair[0] in own}


def factor_element(part: Part, own: Edges, edges: Edges, fresh: int) -> Element:
    """Return the element that multiplies the waves a driven part sends out; `edges` lose the direct way.

    The part itself stays in its island as it is at the first sample; its waves end in new ones, numbered
    from `fresh`, and the element carries them on.
    """
    arrivals = []
    for k, (pair, value) in enumerate(own.items()):
        del edges[pair]
        edges[pair[0], fresh + k] = value
        arrivals.append(fresh + k)
    numbers = tuple((k, k) for k in range(len(own)))
    departures = tuple(target for _, target in own)
    return Element(part.name, "factor", tuple(arrivals), departures, numbers, (), (part.name,), own)


def matrix_element(name: str, kind: str, parts: Iterable[str], own: Edges, edges: Edges) -> Element:
    """Return the element that stands in for parts with the edges `own`, which `edges` lose."""
    for pair in own:
        edges.pop(pair, None)
    sources, targets = {a for a, _ in own}, {b for _, b in own}
    if kind == "matrix":
        arrivals, departures = tuple(sorted(sources)), tuple(sorted(targets))
        paths = tuple((arrivals.index(a), departures.index(b)) for a, b in own)
        return Element(name, kind, arrivals, departures, paths, (), tuple(parts), own)
    arrivals, departures = tuple(sorted(sources - targets)), tuple(sorted(targets - sources))
    ahead = adjacency(own)
    paths = tuple(
        (i, departures.index(d))
        for i, a in enumerate(arrivals)
        for d in sorted(reached(ahead, [a]) & set(departures))
    )
    return Element(name, kind, arrivals, departures, paths, (), tuple(parts), own)


def adjacency(edges: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Return which waves each wave leads to."""
    ahead: dict[int, list[int]] = {}
    for a, b in edges:
        ahead.setdefault(a, []).append(b)
    return ahead


def resonators(graph: Graph, edges: Edges) -> list[frozenset[str]]:
    """Return the sets of parts that light runs round in, by name."""
    return list({frozenset(graph.owners[w].name for w in loop): None for loop in loops(edges)})


def nonlinear_paths(graph: Graph) -> Edges:
    """Return the ways that light takes through nonlinear parts, as edges."""
    found: Edges = {}
    for part in graph.parts:
        if isinstance(part.model, Nonlinear):
            number = {port: part.first_port + k for k, port in enumerate(part.ports)}
            found |= {(number[a], leaving(graph, number[b])): 0 for a, b in part.model.paths}
    return found


def finish(graph: Graph, edges: Edges, elements: Sequence[Element], lit: Iterable[int]) -> Cut:
    """Return the cut circuit: which injected waves carry light, and the order of its elements."""
    del graph
    ahead = adjacency(edges)
    injected = set(lit)
    for element in elements:
        injected |= {element.departures[k] for k in element.emits}
    seen = reached(ahead, injected)
    growing = True
    while growing:
        new = {
            element.departures[b]
            for element in elements
            for a, b in element.paths
            if element.arrivals[a] in seen
        } - injected
        injected |= new
        seen |= reached(ahead, new)
        growing = bool(new)
    arcs = []
    for k, element in enumerate(elements):
        own = reached(ahead, [d for d in element.departures if d in injected])
        arcs += [(k, n) for n, other in enumerate(elements) if own.intersection(other.arrivals)]
    count = len(elements)
    label = strongly_connected(arcs, count).tolist()
    order = _sorted(1 + max(label, default=-1), [(label[a], label[b]) for a, b in arcs])
    members = [tuple(k for k in range(count) if label[k] == g) for g in order]
    alone = {a for a, b in arcs if a == b}
    turning = frozenset(g[0] for g in members if len(g) > 1 or g[0] in alone)
    return Cut(edges, tuple(elements), ahead, frozenset(injected), tuple(members), turning)


def _sorted(count: int, arcs: Iterable[tuple[int, int]]) -> list[int]:
    """Return groups so that each comes after those that light it."""
    from graphlib import TopologicalSorter

    waits: dict[int, set[int]] = {k: set() for k in range(count)}
    for a, b in arcs:
        if a != b:
            waits[b].add(a)
    return list(TopologicalSorter(waits).static_order())


def islands(edges: Iterable[tuple[int, int]], waves: Iterable[int]) -> dict[int, int]:
    """Return the island that each wave lies in: waves that linear parts join, in either direction."""
    pairs = list(edges)
    number = {wave: k for k, wave in enumerate(dict.fromkeys([*waves, *chain.from_iterable(pairs)]))}
    ends = np.array([(number[a], number[b]) for a, b in pairs], dtype=np.int64).reshape(-1, 2)
    label = components(ends[:, 0], ends[:, 1], len(number)).tolist()
    return {wave: label[k] for wave, k in number.items()}


def source_waves(graph: Graph) -> dict[str, int]:
    """Return the wave that each light source sends out."""
    return {
        part.name: leaving(graph, part.first_port) for part in graph.parts if isinstance(part.model, Source)
    }


def detector_waves(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Return the waves that arrive at the ports of each detector."""
    return {
        part.name: tuple(range(part.first_port, part.first_port + len(part.ports)))
        for part in graph.parts
        if isinstance(part.model, Detector)
    }

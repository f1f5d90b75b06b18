"""Plan sweeps for a circuit in which reflections send light back: what they run over, and in what order.

Parts that many waves join are first made one: the waves between them are eliminated, which costs a wavelength
little and leaves fewer elements. The waves that are left stand in the order in which light that no part
reflects meets them; that needs light that is not reflected to run in no loop.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from photosim.engine.plan import Plan, Planned, WantedElement, columns_of
from photosim.engine.plan_search import Elimination, make_plan
from photosim.kernels.graphs import components
from photosim.kernels.two_way import COLUMNS, PROBED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Graph
    from photosim.engine.waves import Request

TERM = 3
"""Cost of a term of a sweep, for a group of columns, in multiply-adds of elimination at a wavelength."""
PATIENCE = 30
"""Sweeps that are worth planning for; one that needs more is slow even beside a large elimination."""
TAKING = 20
"""Cost of a term until its coefficient is there, in the same."""
PREPARING = 0.08
"""Share of an elimination that may be spent before it is known whether sweeps settle."""
FEWEST_EDGES = 500
"""Below this number of edges elimination is fast, and sweeps are not thought of."""


class Program(NamedTuple):
    """Rows (n, 4), source of each term, rows of the outputs (n, 4), and waves of the inputs, by number."""

    rows: NDArray[np.int32]
    sources: NDArray[np.int32]
    ends: NDArray[np.int32]
    inputs: NDArray[np.int32]


class Backwards(NamedTuple):
    """Rows and sources of transposed sweeps, forward number of each term, and ends of forward terms."""

    rows: NDArray[np.int32]
    sources: NDArray[np.int32]
    numbers: NDArray[np.int32]
    arcs: NDArray[np.int32]


@dataclass(frozen=True)
class Draft:
    """Sweeps for a request, of which nobody knows yet whether they pay.

    `plan` computes the coefficient of each term, one place a term; `order` is each wave's place among all.
    `wanted` (n, 4) has the input's number, the output's wave, place and mirror's place of each element.
    """

    request: Request
    inside: tuple[int, ...]
    order: Mapping[int, int]
    plan: Plan
    program: Program
    wanted: NDArray[np.int64]

    @property
    def groups(self) -> int:
        """Number of groups of columns."""
        return -(-len(self.program.inputs) // COLUMNS)

    @property
    def sweep_cost(self) -> int:
        """Cost of a sweep in multiply-adds of elimination at a wavelength."""
        return TERM * len(self.program.sources) * self.groups

    def against(self, products: int | None) -> TwoWay | None:
        """Return sweeps, or None where they do not pay: products of an elimination, None of a large one."""
        most = PATIENCE
        if products is not None:
            probing = self.plan.products + (TAKING + PROBED * TERM) * len(self.program.sources)
            most = min(PATIENCE, products // self.sweep_cost)
            if probing > PREPARING * products or most <= PROBED:
                return None
        return TwoWay(self, most)


@dataclass(frozen=True)
class TwoWay:
    """Sweeps that answer a request; `most` is their number up to which they cost less than elimination."""

    draft: Draft
    most: int

    @property
    def terms(self) -> int:
        """Number of coefficients."""
        return len(self.draft.program.sources)

    @property
    def products(self) -> int:
        """Multiply-adds of a few sweeps over all columns of one wavelength."""
        return 2 * PROBED * self.terms * self.draft.groups * COLUMNS

    @cached_property
    def kept_plan(self) -> Plan:
        """The plan of the coefficients that keeps all its slots, for the reverse pass."""
        of = self.draft
        return _reduced(of.request, of.inside, of.order, keep=True)[0]

    @cached_property
    def backwards(self) -> Backwards:
        """What transposed sweeps run over."""
        rows, sources, ends, inputs = self.draft.program
        targets = np.empty(self.terms, dtype=np.int32)
        for wave, first, _, last in [*rows.tolist(), *ends.tolist()]:
            targets[first:last] = wave
        chosen = np.flatnonzero(~np.isin(sources, inputs))
        # By wave from the last to the first; of each, terms from later waves come first: they are new.
        order = chosen[np.lexsort((-targets[chosen], -sources[chosen]))]
        back = sources[order]
        starts = np.flatnonzero(np.diff(back, prepend=-1))
        found = []
        for first, last in pairwise([*starts.tolist(), len(back)]):
            wave = int(back[first])
            new = int((targets[order[first:last]] > wave).sum())
            found.append((wave, first, first + new, last))
        table = np.array(found, dtype=np.int32).reshape(-1, 4)
        arcs = np.column_stack([sources, targets]).astype(np.int32)
        return Backwards(table, np.ascontiguousarray(targets[order]), order.astype(np.int32), arcs)


def planned_request(graph: Graph, request: Request, *, keep: bool) -> Planned:
    """Return a request with what answers it: sweeps where they may pay, and the elimination plan.

    A plan of more multiply-adds than the most sweeps is made only when a wavelength needs it.
    """

    def make() -> Plan:
        return make_plan(request.edges, request.wanted, mirror=request.mirror, keep=keep)

    sweeps = draft(graph, request)
    if sweeps is None:
        plan = make()
        return Planned(request, lambda: plan)
    elimination = Elimination(request.edges, list(request.wanted), request.mirror, keep=keep)
    found = elimination.plan(PATIENCE * sweeps.sweep_cost)
    if found is None:
        return Planned(request, make, sweeps.against(None))
    return Planned(request, lambda: found, sweeps.against(found.products))


def draft(graph: Graph, request: Request) -> Draft | None:
    """Return sweeps for a request; None where light is not reflected, or runs in a loop without that."""
    if len(request.edges) < FEWEST_EDGES or not request.wanted:
        return None
    turned = _reflected(graph, request.edges)
    if not turned.any():
        return None
    order = _order(request, turned)
    if order is None:
        return None
    inside = _inside(graph, request)
    plan, edges = _reduced(request, inside, order, keep=False)
    number, program = _program(request, edges, order)
    if not all(map(len, program)):  # a chain that is one block: nothing is left to sweep
        return None
    inputs = {wave: k for k, wave in enumerate(dict.fromkeys(w.input for w in request.wanted))}
    wanted = [
        (inputs[w.input], number[w.output], w.place, w.mirror) for w in request.wanted if w.output in number
    ]
    table = np.array(sorted(wanted), dtype=np.int64).reshape(-1, 4)
    return Draft(request, inside, order, plan, program, table)


def _reflected(graph: Graph, edges: Mapping[tuple[int, int], int]) -> NDArray[np.bool_]:
    """Return whether each edge leaves a part on the side where it arrives."""
    size = len(graph.partner)
    sides: dict[tuple[int, int], list[bool]] = {}  # of parts of one model once
    left: list[bool] = []
    for part in graph.parts:
        key = id(part.ports), id(part.aliases)
        if key not in sides:
            entered = {port for name, port in part.aliases.items() if name.startswith("in")}
            sides[key] = [port in entered for port in part.ports]
        left += sides[key]
    owner = np.repeat(np.arange(len(graph.parts)), [len(part.ports) for part in graph.parts])
    a, b = columns_of(edges)
    on_left = np.array(left, dtype=bool)
    known = (a < size) & (b < 2 * size)
    arrives = np.where(known, a, 0)
    leaves = np.where(known, np.where(b < size, graph.partner[np.minimum(b, size - 1)], b - size), 0)
    known &= (leaves >= 0) & (leaves < size)
    leaves = np.where(known, leaves, 0)
    return np.asarray(known & (owner[arrives] == owner[leaves]) & (on_left[arrives] == on_left[leaves]))


def _order(request: Request, turned: NDArray[np.bool_]) -> dict[int, int] | None:
    """Return each wave's place in the order of light that is not reflected; None where that runs in a loop.

    Of the two ways through the circuit one comes as a whole before the other.
    """
    ends = columns_of(request.edges).T
    straight = ends[~turned]
    size = int(ends.max()) + 1
    label = components(straight[:, 0].copy(), straight[:, 1].copy(), size)
    after: dict[int, list[int]] = {}
    waiting = np.zeros(size, dtype=np.int64)
    for a, b in straight.tolist():
        after.setdefault(a, []).append(b)
        waiting[b] += 1
    waves = np.unique(ends).tolist()
    ready = [wave for wave in waves if not waiting[wave]]
    found: list[int] = []
    while ready:
        wave = ready.pop()
        found.append(wave)
        for following in after.get(wave, ()):
            waiting[following] -= 1
            if not waiting[following]:
                ready.append(following)
    if len(found) < len(waves):
        return None
    found.sort(key=lambda wave: label[wave])  # stable: the order within one way stays
    return {wave: k for k, wave in enumerate(found)}


def _inside(graph: Graph, request: Request) -> tuple[int, ...]:
    """Return the waves to eliminate first: those between parts that many waves join.

    Two parts of p and q ports with k joints between them have p^2 + q^2 elements apart and (p + q - 2k)^2 as
    one. Ports that are left open carry no light and do not count.
    """
    size = len(graph.partner)
    ends = {wave for w in request.wanted for wave in (w.input, w.output)}
    touched = {wave for pair in request.edges for wave in pair}
    number = np.empty(size, dtype=np.int64)
    for k, part in enumerate(graph.parts):
        number[part.first_port : part.first_port + len(part.ports)] = k
    joints: dict[int, dict[int, list[int]]] = {}
    ports: dict[int, int] = {}
    for p in range(size):
        q = int(graph.partner[p])
        if not (p in touched or (q if q >= 0 else size + p) in touched):
            continue
        a = int(number[p])
        ports[a] = ports.get(a, 0) + 1
        if q > p and p not in ends and q not in ends and number[q] != a:
            b = int(number[q])
            joints.setdefault(a, {}).setdefault(b, []).append(p)
            joints.setdefault(b, {}).setdefault(a, []).append(p)
    removed: list[int] = []
    for p in _merged(joints, ports):
        removed += [w for w in (p, int(graph.partner[p])) if w in touched]
    return tuple(removed)


def _merged(joints: dict[int, dict[int, list[int]]], ports: dict[int, int]) -> Iterator[int]:
    """Yield the joints of parts that are made one, as long as that leaves no more elements."""
    queue = sorted(joints)
    while queue:
        a = queue.pop(0)
        if a not in joints:
            continue
        for b, between in sorted(joints[a].items()):
            left = ports[a] + ports[b] - 2 * len(between)
            if left * left > ports[a] ** 2 + ports[b] ** 2 - 2:
                continue
            yield from between
            ports[a] = left
            del joints[a][b]
            for c, others in joints.pop(b).items():
                if c == a:
                    continue
                del joints[c][b]
                joints[a].setdefault(c, []).extend(others)
                joints[c][a] = joints[a][c]
            queue.append(a)
            break


class _Reduction(Elimination):
    """An elimination of some waves alone."""

    compiled_from = sys.maxsize

    def reduced(
        self, inside: tuple[int, ...], order: Mapping[int, int]
    ) -> tuple[Plan, list[tuple[int, int]]]:
        """Return the plan, and the edges that are left: its places, by target, earlier sources first."""
        for v in inside:
            if v in self.following and v in self.leading and v not in self.ends:
                self.remove(v)
        edges = sorted(
            ((a, b) for a, row in self.following.items() for b in row),
            key=lambda ab: (order[ab[1]], order[ab[0]]),
        )
        place = {edge: k for k, edge in enumerate(edges)}
        wanted = []
        for (a, b), k in place.items():
            image = (
                place.get((self.mirror[b], self.mirror[a]), k) if a in self.mirror and b in self.mirror else k
            )
            if image >= k:
                wanted.append(WantedElement(a, b, k, image if image > k else -1))
        return self.written(self.left(wanted)), edges


def _reduced(
    request: Request, inside: tuple[int, ...], order: Mapping[int, int], *, keep: bool
) -> tuple[Plan, list[tuple[int, int]]]:
    """Return the plan that eliminates the waves inside, and the edges left, in the order of its places."""
    return _Reduction(request.edges, list(request.wanted), request.mirror, keep=keep).reduced(inside, order)


def _program(
    request: Request, edges: list[tuple[int, int]], order: dict[int, int]
) -> tuple[dict[int, int], Program]:
    """Return the number of each wave that is left, and rows of sweeps, for terms in the order of edges."""
    waves = sorted({wave for pair in edges for wave in pair}, key=order.__getitem__)
    number = {wave: k for k, wave in enumerate(waves)}
    inputs = list(dict.fromkeys(w.input for w in request.wanted))
    for wave in inputs:
        number.setdefault(wave, len(number))  # an input from which nothing leads on
    outputs = {w.output for w in request.wanted}
    rows: list[tuple[int, int, int, int]] = []
    ends: list[tuple[int, int, int, int]] = []
    first = 0
    while first < len(edges):
        target = edges[first][1]
        last, new = first, 0
        while last < len(edges) and edges[last][1] == target:
            new += order[edges[last][0]] < order[target]
            last += 1
        row = (number[target], first, first + new, last)
        (ends if target in outputs else rows).append(row)
        first = last
    table = np.array(rows, dtype=np.int32).reshape(-1, 4)
    sources = np.array([number[a] for a, _ in edges], dtype=np.int32)
    starts = np.array([number[wave] for wave in inputs], dtype=np.int32)
    return number, Program(table, sources, np.array(ends, dtype=np.int32).reshape(-1, 4), starts)

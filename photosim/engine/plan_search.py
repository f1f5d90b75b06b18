"""Turn a signal-flow graph into an elimination plan.

A node is a travelling wave, an edge an S-matrix element that can be non-zero.
Removing an inner wave v replaces every path i -> v -> j by
K[j,i] += K[j,v] K[v,i] / (1 - K[v,v]); what is left joins inputs to outputs.
The order is the greedy one of least products (Markowitz). The plan depends on
topology alone, so it is made once and run for every wavelength and setting.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from photosim.engine.large_plan import Arcs, remove_all, useful_arcs
from photosim.engine.plan import Plan, WantedElement
from photosim.kernels.elimination import GUARD_SLOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_SLOT = GUARD_SLOT + 1


def make_plan(
    edges: Mapping[tuple[int, int], int],
    wanted: Iterable[WantedElement],
    *,
    mirror: Mapping[int, int] | None = None,
    keep: bool = False,
) -> Plan:
    """Return the plan that computes the wanted elements.

    `edges` maps (from wave, to wave) to the number of the S-matrix value on
    it. Inputs have no edge into them and outputs none out of them. `mirror`
    gives, for waves of a reciprocal circuit, the wave that travels the same
    way back: such waves are removed in pairs and one of each two equal
    elements is computed. With `keep` no slot is used twice, as the reverse
    pass needs.
    """
    plan = Elimination(edges, list(wanted), mirror or {}, keep=keep).plan()
    assert plan is not None  # noqa: S101 - any number of products will do
    return plan


class Elimination:
    """The graph while waves are removed from it, and the code written so far.

    An edge is a number: >= 0 a slot of the work array, < 0 the value -1 - v
    that was not loaded yet. Mirrored edges always hold the same number. A large graph without mirrors is
    not written out: a kernel removes its waves, in the same order.
    """

    compiled_from = 50_000
    """Edges from which a kernel removes the waves: it takes seconds to compile, once, and 30 ms to load."""

    def __init__(
        self,
        edges: Mapping[tuple[int, int], int],
        wanted: list[WantedElement],
        mirror: Mapping[int, int],
        *,
        keep: bool,
    ) -> None:
        self.wanted = wanted
        self.mirror = mirror
        self.keep = keep
        self.ends = {w.input for w in wanted} | {w.output for w in wanted}
        self.ends |= {mirror[v] for v in self.ends if v in mirror}
        self.following: dict[int, dict[int, int]] = {}
        self.leading: dict[int, dict[int, int]] = {}
        arcs, self.islands = useful_arcs(edges, wanted, mirror)
        self.large = None if mirror or len(arcs.numbers) < self.compiled_from else arcs
        if self.large is None:
            self._write_out(arcs)
        self.free: list[int] = []
        self.next_slot = FIRST_SLOT
        self.code = array("i")
        self.starts = array("q")
        self.products = self.removed = self.loops = self.fill = 0

    def _write_out(self, arcs: Arcs) -> None:
        """Put edges into the tables by source and by target."""
        waves = list(range(arcs.size))  # one object for each number, however many edges it has
        following, leading = self.following, self.leading
        sources, targets = (map(waves.__getitem__, ends.tolist()) for ends in (arcs.a, arcs.b))
        for source, target, edge in zip(sources, targets, (-1 - arcs.numbers).tolist(), strict=True):
            following.setdefault(source, {})[target] = edge
            leading.setdefault(target, {})[source] = edge

    def plan(self, at_most: float = np.inf) -> Plan | None:
        """Remove every inner wave, cheapest first, and gather the results; None after too many products."""
        if self.large is not None:
            return self._plan_of_large(self.large, at_most)
        inner = [v for v in self.following if v in self.leading and v not in self.ends]
        heap = [(self._cost(v), v) for v in inner]
        heapq.heapify(heap)
        while heap:
            if self.products > at_most:
                return None
            cost, v = heapq.heappop(heap)
            if v not in self.following:
                continue
            now = self._cost(v)
            if now > cost:
                heapq.heappush(heap, (now, v))
                continue
            touched = self.remove(v)
            # Costs mostly rise, and a wave whose cost rose is found out when its turn comes. Where pairs are
            # removed they fall often enough to look again, by a bound that needs no counting.
            for u in touched if self.mirror else ():
                if u in self.mirror and u not in self.ends:
                    bound = len(self.leading[u]) + len(self.following[u])
                    heapq.heappush(heap, (bound * bound, u))
        return self.written(self.left(self.wanted))

    def _plan_of_large(self, arcs: Arcs, at_most: float) -> Plan | None:
        """Return the plan of a large graph, or None after too many products."""
        done = remove_all(arcs, self.ends, at_most, keep=self.keep)
        self.next_slot, self.products, self.removed, self.loops, self.fill = done.counts
        if self.products > at_most:
            return None
        for source, target, edge in done.left:
            self.following.setdefault(source, {})[target] = edge
        self.free = done.free
        last = self.written(self.left(self.wanted))  # a step for elements that no wave lies between
        code = np.concatenate([done.code, last.code]) if len(last.code) else done.code
        return replace(last, code=code, starts=np.concatenate([done.starts, last.starts + len(done.code)]))

    def remove(self, v: int) -> list[int]:
        """Write the steps that remove a wave, and its mirror; return waves whose cost may have fallen."""
        return self._remove_pair(v, self.mirror[v]) if v in self.mirror else self._remove(v)

    def written(self, exits: NDArray[np.int64]) -> Plan:
        """Return the plan of what was written so far."""
        return Plan(
            np.array(self.code, dtype=np.int32), np.array(self.starts, dtype=np.int64), exits,
            self.next_slot, self.products, self.removed, self.loops, self.fill, self.islands,
        )  # fmt: skip

    def _cost(self, v: int) -> int:
        """Return about how many products removing a wave, or it and its mirror, costs."""
        sources = self.leading[v]
        if v not in self.mirror:
            return len(sources) * len(self.following[v])
        near = len(sources.keys() | self.leading[self.mirror[v]].keys())
        return near * near

    def _slot(self) -> int:
        if self.free and not self.keep:
            return self.free.pop()
        self.next_slot += 1
        return self.next_slot - 1

    # --- one wave --------------------------------------------------------------------------------

    def _remove(self, v: int) -> list[int]:
        """Write the step that removes wave v; return the waves whose cost may have fallen."""
        sources, targets = self.leading.pop(v), self.following.pop(v)
        own = sources.pop(v, None)
        targets.pop(v, None)
        step = Step()
        from_slots = [e if e >= 0 else self._loaded(e, step) for e in sources.values()]
        to_slots = [e if e >= 0 else self._loaded(e, step) for e in targets.values()]
        released = [*from_slots, *to_slots]
        if own is not None:
            own_slot, inverse = self._loaded(own, step), self._slot()
            step.pivot = [own_slot, inverse, GUARD_SLOT]
            released += [own_slot, inverse]
            side = from_slots if len(from_slots) <= len(to_slots) else to_slots
            for k, slot in enumerate(side):
                side[k] = self._slot() if self.keep else slot
                step.mix(side[k], slot, inverse, first=True)
            self.loops += 1
        leading, note = self.leading, step.marks.append
        for i in sources:
            row = self.following[i]
            del row[v]
            for j in targets:
                edge = row.get(j)
                if edge is not None and edge >= 0:
                    note(2 * edge)
                    continue
                slot = self._slot() if edge is None else self._loaded(edge, step)
                self.fill += edge is None
                row[j] = leading[j][i] = slot
                note(2 * slot + (edge is None))
        for j in targets:
            del self.leading[j][v]
        step.starts, step.sources, step.targets = [0] * len(from_slots), from_slots, to_slots
        self._emit(step)
        self._release(released)
        self.removed += 1
        return [*sources, *targets]

    # --- a wave and its mirror --------------------------------------------------------------------

    def _remove_pair(self, v: int, back: int) -> list[int]:
        """Write the steps that remove a wave and the wave back; return the waves whose cost may have fallen.

        The waves p that lead into v carry x1[p], those that lead into `back`
        x2[p]; by reciprocity x2[p] also leads from v to the mirror of p. The
        element from p to the mirror of q gains x2[q] z1[p] + x1[q] z2[p] with
        z = M x, and equals the element from q to the mirror of p.
        """
        x1, x2 = self.leading.pop(v), self.leading.pop(back)
        own, forth, back_edge = x1.pop(v, None), x2.pop(v, None), x1.pop(back, None)
        x2.pop(back, None)
        del self.following[v], self.following[back]
        step = Step()
        first = {p: self._loaded(e, step) for p, e in x1.items()}
        second = {p: self._loaded(e, step) for p, e in x2.items()}
        released = [*first.values(), *second.values()]
        z1, z2 = first, second
        if own is not None or forth is not None or back_edge is not None:
            z1, z2 = self._mixed(step, first, second, (own, back_edge, forth), released)
        for p in x1:
            del self.following[p][v]
            del self.leading[self.mirror[p]][back]
        for p in x2:
            del self.following[p][back]
            del self.leading[self.mirror[p]][v]
        self._meet(step, z1, second)
        self._emit(step)
        again = Step()
        self._meet(again, z2, first)
        if again.marks:
            self._emit(again)
        self._release(released)
        self.removed += 2
        near = {*x1, *x2}
        return [*near, *(self.mirror[p] for p in near)]

    def _mixed(
        self,
        step: Step,
        first: dict[int, int],
        second: dict[int, int],
        loop: tuple[int | None, int | None, int | None],
        released: list[int],
    ) -> tuple[dict[int, int], dict[int, int]]:
        """Write the 2 x 2 pivot and z = M x; return the slots of z1 and z2."""
        loaded = [-1 if e is None else self._loaded(e, step) for e in loop]
        m11, m12, m21 = (self._slot() for _ in range(3))
        step.pivot = [GUARD_SLOT, m11, m12, m21, *loaded]
        released += [m11, m12, m21, *(s for s in loaded if s >= 0)]
        self.loops += 1
        z1: dict[int, int] = {}
        z2: dict[int, int] = {}
        _, back_edge, forth = loop
        for z, direct, crossed, weight, crosses in (
            (z1, first, second, m12, back_edge is not None),
            (z2, second, first, m21, forth is not None),
        ):
            for p in dict.fromkeys([*direct, *(crossed if crosses else ())]):
                slot = z[p] = self._slot()
                if p in direct:
                    step.mix(slot, direct[p], m11, first=True)
                if crosses and p in crossed:
                    step.mix(slot, crossed[p], weight, first=p not in direct)
                released.append(slot)
        return z1, z2

    def _meet(self, step: Step, z: dict[int, int], x: dict[int, int]) -> None:
        """Add z[p] x[q] to the element from p to the mirror of q, for q >= p: the rest are mirror images."""
        sources, others = sorted(z), sorted(x)
        step.sources, step.targets = [z[p] for p in sources], [x[q] for q in others]
        step.starts = []
        # The innermost loop of planning: what it looks up is bound once.
        mirror, leading, following, note = self.mirror, self.leading, self.following, step.marks.append
        images = [mirror[q] for q in others]
        at = 0
        for p in sources:
            while at < len(others) and others[at] < p:
                at += 1
            step.starts.append(at)
            row, back = following.setdefault(p, {}), mirror[p]
            for q, j in zip(others[at:], images[at:], strict=True):
                edge = row.get(j)
                if edge is not None and edge >= 0:
                    note(2 * edge)
                    continue
                slot = self._slot() if edge is None else self._loaded(edge, step)
                self.fill += edge is None
                row[j] = leading[j][p] = following[q][back] = leading[back][q] = slot
                note(2 * slot + (edge is None))

    # --- code ------------------------------------------------------------------------------------

    def _loaded(self, edge: int, step: Step) -> int:
        """Return the slot of an edge, noting a load where it still is a bare S-matrix value."""
        if edge >= 0:
            return edge
        slot = self._slot()
        step.loads += [slot, -1 - edge]
        return slot

    def _release(self, slots: list[int]) -> None:
        if not self.keep:
            self.free += set(slots)

    def _emit(self, step: Step) -> None:
        self.starts.append(len(self.code))
        loads, mixed, sources, targets = step.loads, step.mixed, step.sources, step.targets
        marks = step.marks
        head = [len(loads) // 2, len(step.pivot), len(mixed) // 3, len(sources), len(targets)]
        self.code.fromlist([*head, *loads, *step.pivot, *mixed, *step.starts, *sources, *targets, *marks])
        self.products += len(marks)

    def left(self, wanted: Iterable[WantedElement]) -> NDArray[np.int64]:
        """Load what still is a bare value of some elements that are left, and list where all of them are."""
        step = Step()
        exits = []
        for w in wanted:
            edge = self.following.get(w.input, {}).get(w.output)
            if edge is None:
                continue  # no path: the element is structurally zero
            if edge < 0:
                edge = self._loaded(edge, step)
                self.following[w.input][w.output] = edge
                if w.input in self.mirror:
                    self.following[self.mirror[w.output]][self.mirror[w.input]] = edge
            exits.append((edge, w.place, w.mirror))
        if step.loads:
            self._emit(step)
        return np.array(exits, dtype=np.int64).reshape(-1, 3)


class Step:
    """The lists of one step while it is written."""

    __slots__ = ("loads", "marks", "mixed", "pivot", "sources", "starts", "targets")

    def __init__(self) -> None:
        self.loads: list[int] = []
        self.pivot: list[int] = []
        self.mixed: list[int] = []
        self.starts: list[int] = []
        self.sources: list[int] = []
        self.targets: list[int] = []
        self.marks: list[int] = []

    def mix(self, to: int, a: int, c: int, *, first: bool) -> None:
        """Note that slot `to` becomes (or gains) the product of two slots."""
        self.mixed += [2 * to + first, a, c]

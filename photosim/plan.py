"""Turn a signal-flow graph into an elimination plan: a list of steps over slots of a work array.

A node is a travelling wave, an edge an S-matrix element that can be non-zero.
Removing an inner wave v replaces every path i -> v -> j by
K[j,i] += K[j,v] K[v,i] / (1 - K[v,v]); what is left joins inputs to outputs.
The order is the greedy one of least products (Markowitz). The plan depends on
topology alone, so it is made once and run for every wavelength and setting.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.kernels.lanes import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

GUARD_SLOT = 0
"""Slot that keeps the smallest |1 - K|^2 of each lane."""
SPARE_SLOT = 1
"""Slot for intermediate results of the reverse pass."""
FIRST_SLOT = 2


@dataclass(frozen=True)
class Wanted:
    """An element to compute: the wave at `output` per wave at `input`, and where it goes in the result.

    `mirror` is the place of the equal element of the reciprocal path, or -1.
    """

    input: int
    output: int
    place: int
    mirror: int = -1


@dataclass(frozen=True)
class Plan:
    """The steps (see kernels.elimination for their layout), and where results are left.

    `code` holds all steps; `starts` the position of each. `exits` (n, 3) is
    slot, place, mirror of each wanted element. `slots` counts the slots of
    the work array, `products` the complex multiply-adds of one wavelength,
    `removed` the waves that were eliminated, `loops` those among them with a
    path back to themselves.
    """

    code: NDArray[np.int32]
    starts: NDArray[np.int64]
    exits: NDArray[np.int64]
    slots: int
    products: int
    removed: int
    loops: int

    @property
    def work_bytes(self) -> int:
        """Size of the work array of one block of wavelengths."""
        return self.slots * WIDTH * 8

    def explain(self) -> str:
        """Return the plan's size in words."""
        return (
            f"{self.removed} waves eliminated ({self.loops} of them in loops), {self.products} complex "
            f"multiply-adds a wavelength, {len(self.exits)} elements computed, {self.slots} slots "
            f"({self.work_bytes / 1024:.0f} KiB of work array)"
        )


def make_plan(edges: dict[tuple[int, int], int], wanted: Iterable[Wanted], *, keep: bool = False) -> Plan:
    """Return the plan that computes the wanted elements.

    `edges` maps (from wave, to wave) to the number of the S-matrix value on
    it. Inputs have no edge into them and outputs none out of them. With
    `keep` no slot is used twice, as the reverse pass needs.
    """
    wanted = list(wanted)
    return _Elimination(edges, wanted, keep=keep).plan()


class _Elimination:
    """The graph while waves are removed from it, and the code written so far."""

    def __init__(self, edges: dict[tuple[int, int], int], wanted: list[Wanted], *, keep: bool) -> None:
        self.wanted = wanted
        self.keep = keep
        self.ends = {w.input for w in wanted} | {w.output for w in wanted}
        self.following: dict[int, dict[int, int]] = {}
        self.leading: dict[int, dict[int, int]] = {}
        self._keep_useful(edges)
        # An edge is a number: >= 0 a slot of the work array, < 0 the value -1 - v that was not loaded yet.
        self.free: list[int] = []
        self.next_slot = FIRST_SLOT
        self.code: list[int] = []
        self.starts: list[int] = []
        self.products = self.removed = self.loops = 0

    def _keep_useful(self, edges: dict[tuple[int, int], int]) -> None:
        """Keep the edges on a path from some wanted input to some wanted output."""
        forwards: dict[int, list[int]] = {}
        backwards: dict[int, list[int]] = {}
        for a, b in edges:
            forwards.setdefault(a, []).append(b)
            backwards.setdefault(b, []).append(a)
        useful = _reach({w.input for w in self.wanted}, forwards) & _reach({w.output for w in self.wanted}, backwards)
        for (a, b), value in edges.items():
            if a in useful and b in useful:
                self.following.setdefault(a, {})[b] = -1 - value
                self.leading.setdefault(b, {})[a] = -1 - value

    def plan(self) -> Plan:
        """Remove every inner wave, cheapest first, and gather the results."""
        inner = [v for v in self.following if v in self.leading and v not in self.ends]
        heap = [(self._cost(v), v) for v in inner]
        heapq.heapify(heap)
        while heap:
            cost, v = heapq.heappop(heap)
            if v not in self.following:
                continue
            now = self._cost(v)
            if now > cost:
                heapq.heappush(heap, (now, v))
                continue
            touched = self._remove(v)
            for u in touched:
                if u not in self.ends:
                    heapq.heappush(heap, (self._cost(u), u))
        exits = self._finish()
        return Plan(
            np.array(self.code, dtype=np.int32), np.array(self.starts, dtype=np.int64), exits,
            self.next_slot, self.products, self.removed, self.loops,
        )  # fmt: skip

    def _cost(self, v: int) -> int:
        return len(self.leading[v]) * len(self.following[v])

    def _slot(self) -> int:
        if self.free and not self.keep:
            return self.free.pop()
        self.next_slot += 1
        return self.next_slot - 1

    def _remove(self, v: int) -> list[int]:
        """Write the step that removes wave v; return the waves whose cost may have fallen."""
        sources, targets = self.leading.pop(v), self.following.pop(v)
        own = sources.pop(v, None)
        targets.pop(v, None)
        loads: list[int] = []
        own_slot = self._loaded(own, loads) if own is not None else -1
        from_slots = [self._loaded(e, loads) for e in sources.values()]
        to_slots = [self._loaded(e, loads) for e in targets.values()]
        released = [*from_slots, *to_slots, *([own_slot] if own is not None else [])]
        scaled: list[int] = []
        inverse = GUARD_SLOT
        if own is not None:
            inverse = self._slot()
            released.append(inverse)
            side = from_slots if len(from_slots) <= len(to_slots) else to_slots
            for k, slot in enumerate(side):
                fresh = self._slot() if self.keep else slot
                scaled += [fresh, slot]
                side[k] = fresh
            self.loops += 1
        marks = self._connect(v, sources, targets, loads)
        self._emit(loads, own_slot, inverse, scaled, from_slots, to_slots, marks)
        if not self.keep:
            self.free += released
        self.removed += 1
        return [*sources, *targets]

    def _connect(self, v: int, sources: dict[int, int], targets: dict[int, int], loads: list[int]) -> list[int]:
        """Join every source of v to every target; return the target marks, source by source."""
        marks = []
        for i in sources:
            row = self.following[i]
            del row[v]
            for j in targets:
                edge = row.get(j)
                if edge is None:
                    slot = self._slot()
                    row[j] = self.leading[j][i] = slot
                    marks.append(2 * slot * WIDTH + 1)
                    continue
                if edge < 0:
                    edge = row[j] = self.leading[j][i] = self._loaded(edge, loads)
                marks.append(2 * edge * WIDTH)
        for j in targets:
            del self.leading[j][v]
        self.products += len(marks)
        return marks

    def _loaded(self, edge: int, loads: list[int]) -> int:
        """Return the slot of an edge, noting a load where it still is a bare S-matrix value."""
        if edge >= 0:
            return edge
        slot = self._slot()
        loads += [slot * WIDTH, -1 - edge]
        return slot

    def _emit(  # noqa: PLR0913 - the parts of one step, in the order they are written
        self,
        loads: list[int],
        own: int,
        inverse: int,
        scaled: list[int],
        sources: list[int],
        targets: list[int],
        marks: list[int],
    ) -> None:
        self.starts.append(len(self.code))
        self.code += [len(loads) // 2, own * WIDTH if own >= 0 else -1, inverse * WIDTH, GUARD_SLOT * WIDTH,
                      len(scaled) // 2, len(sources), len(targets)]  # fmt: skip
        self.code += loads
        for part in (scaled, sources, targets):
            self.code += [slot * WIDTH for slot in part]
        self.code += marks

    def _finish(self) -> NDArray[np.int64]:
        """Load what goes straight from input to output, and list the exits."""
        loads: list[int] = []
        exits = []
        for w in self.wanted:
            edge = self.following.get(w.input, {}).get(w.output)
            if edge is None:
                continue  # no path: the element is structurally zero
            if edge < 0:
                edge = self.following[w.input][w.output] = self._loaded(edge, loads)
            exits.append((edge * WIDTH, w.place, w.mirror))
        if loads:
            self._emit(loads, -1, GUARD_SLOT, [], [], [], [])
        return np.array(exits, dtype=np.int64).reshape(-1, 3)


def _reach(starts: set[int], steps: dict[int, list[int]]) -> set[int]:
    """Return all nodes that can be reached."""
    seen = set(starts)
    open_nodes: list[Any] = list(starts)
    while open_nodes:
        for following in steps.get(open_nodes.pop(), ()):
            if following not in seen:
                seen.add(following)
                open_nodes.append(following)
    return seen

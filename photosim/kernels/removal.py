"""The kernel that removes the waves of a large circuit one by one, and writes the elimination plan.

The edges stand in a table, a row each: source, target, slot, then the edge after and the edge before it among
those that leave its source, and the same among those that lead into its target, -1 where there is none. A
slot below 0 is the value -1 - slot that was not loaded yet. A row of `ends` for each wave has the first and
the last edge that leave it and their number, and the same of those that lead into it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

SOURCE, TARGET, SLOT, AFTER, BEFORE = 0, 1, 2, 3, 4
COLUMNS = 7
FIRST, LAST, COUNT = 0, 1, 2
LEAVING, ENTERING = 0, 1


@njit(cache=True, error_model="numpy", nogil=True)
def _append(ends: Any, links: Any, edge: Any, side: Any) -> None:
    """Put an edge last among those that leave its source (side 0) or that lead into its target (1)."""
    node = links[edge, side]
    last = ends[node, 3 * side + LAST]
    links[edge, AFTER + 2 * side] = -1
    links[edge, BEFORE + 2 * side] = last
    if last >= 0:
        links[last, AFTER + 2 * side] = edge
    else:
        ends[node, 3 * side + FIRST] = edge
    ends[node, 3 * side + LAST] = edge
    ends[node, 3 * side + COUNT] += 1


@njit(cache=True, error_model="numpy", nogil=True)
def _unlink(ends: Any, links: Any, edge: Any, side: Any) -> None:
    """Take an edge out from those that leave its source (side 0) or that lead into its target (1)."""
    node = links[edge, side]
    after, before = links[edge, AFTER + 2 * side], links[edge, BEFORE + 2 * side]
    if before >= 0:
        links[before, AFTER + 2 * side] = after
    else:
        ends[node, 3 * side + FIRST] = after
    if after >= 0:
        links[after, BEFORE + 2 * side] = before
    else:
        ends[node, 3 * side + LAST] = before
    ends[node, 3 * side + COUNT] -= 1


@njit(cache=True, error_model="numpy", nogil=True)
def _home(source: Any, target: Any, mask: Any) -> Any:
    """Return where the search for an edge begins in the table of places."""
    mixed = int(source) * 73856093 + int(target) * 19349663
    return (mixed ^ (mixed >> 15)) & mask


@njit(cache=True, error_model="numpy", nogil=True)
def _find(places: Any, links: Any, source: Any, target: Any) -> Any:
    """Return the place of the edge between two waves, or the empty one where it would stand."""
    mask = places.shape[0] - 1
    k = _home(source, target, mask)
    while places[k] > 0:
        edge = places[k] - 1
        if links[edge, SOURCE] == source and links[edge, TARGET] == target:
            break
        k = (k + 1) & mask
    return k


@njit(cache=True, error_model="numpy", nogil=True)
def _forget(places: Any, links: Any, edge: Any) -> None:
    """Take an edge out of the table of places, and move those behind it up where they are sought earlier."""
    mask = places.shape[0] - 1
    hole = _find(places, links, links[edge, SOURCE], links[edge, TARGET])
    k = (hole + 1) & mask
    while places[k] > 0:
        other = places[k] - 1
        home = _home(links[other, SOURCE], links[other, TARGET], mask)
        if ((k - home) & mask) >= ((k - hole) & mask):
            places[hole] = places[k]
            hole = k
        k = (k + 1) & mask
    places[hole] = 0


@njit(cache=True, error_model="numpy", nogil=True)
def _sink(heap: Any, count: int) -> None:
    """Let the first entry of a heap of `count` sink to where it belongs: no entry is above a smaller one."""
    if count == 0:
        return
    k, entry = 0, heap[0]
    while 2 * k + 1 < count:
        child = 2 * k + 1
        if child + 1 < count and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= entry:
            break
        heap[k] = heap[child]
        k = child
    heap[k] = entry


@njit(cache=True, error_model="numpy", nogil=True)
def _longer(array: Any, used: int, more: int) -> Any:
    """Return an array with room for `more` beyond those used: itself, or a copy of twice the length."""
    if used + more <= array.shape[0]:
        return array
    out = np.empty(2 * (used + more), np.int32)
    for k in range(used):  # compiled ten times faster than a copy of slices
        out[k] = array[k]
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _more_rows(links: Any, used: int, more: int) -> Any:
    """Return the edges with room for `more` beyond those used: the same, or a copy of half as many again."""
    if used + more <= links.shape[0]:
        return links
    out = np.empty((used + more + used // 2, COLUMNS), np.int32)
    for edge in range(used):
        for column in range(COLUMNS):
            out[edge, column] = links[edge, column]
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _roomier(places: Any, links: Any, more: int) -> Any:
    """Return the table of places, at least twice as long as the edges with `more`."""
    size = places.shape[0]
    if size >= 2 * more:
        return places
    while size < 2 * more:
        size *= 2
    out = np.zeros(size, np.int32)
    for k in range(places.shape[0]):
        if places[k] > 0:
            edge = places[k] - 1
            out[_find(out, links, links[edge, SOURCE], links[edge, TARGET])] = places[k]
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def _slot(free: Any, free_slots: Any, slots: Any) -> Any:
    """Return a slot that is free, or a new one, with the number of all slots and of the free ones."""
    if free_slots > 0:
        return int(free[free_slots - 1]), slots, free_slots - 1
    return slots, slots + 1, free_slots


@njit(cache=True, error_model="numpy", nogil=True)
def _add(ends: Any, links: Any, places: Any, edge: Any, source: Any, target: Any) -> None:
    """Let an edge lead from a source to a target, last of those of both."""
    links[edge, SOURCE], links[edge, TARGET] = source, target
    for side in range(2):
        _append(ends, links, edge, side)
    places[_find(places, links, source, target)] = edge + 1


@njit(cache=True, error_model="numpy", nogil=True)
def _count_loads(ends: Any, links: Any, places: Any, v: Any, met: Any) -> Any:
    """Return how many of the edges of a wave, and of those that its removal changes, were not loaded yet.

    met: filled with the edges from its sources to its targets, -1 where there is none.
    """
    loads, k = 0, 0
    f = ends[v, FIRST]
    while f >= 0:
        loads += links[f, SLOT] < 0
        f = links[f, AFTER]
    e = ends[v, 3 + FIRST]
    while e >= 0:
        loads += links[e, SLOT] < 0
        f = ends[v, FIRST]
        while f >= 0:
            met[k] = places[_find(places, links, links[e, SOURCE], links[f, TARGET])] - 1
            loads += met[k] >= 0 and links[met[k], SLOT] < 0
            k += 1
            f = links[f, AFTER]
        e = links[e, AFTER + 2]
    return loads


@njit(cache=True, error_model="numpy", nogil=True)
def _discard(ends: Any, links: Any, places: Any, v: Any, spare: Any) -> Any:
    """Take the edges of a wave out of the lists of its neighbours; return the first of the unused edges."""
    for side in range(2):
        e = ends[v, 3 * side + FIRST]
        while e >= 0:
            _forget(places, links, e)
            _unlink(ends, links, e, 1 - side)
            after = links[e, AFTER + 2 * side]
            links[e, AFTER], spare = spare, e
            e = after
    return spare


@njit(cache=True, error_model="numpy", nogil=True)
def remove_waves(  # noqa: C901, PLR0915 - one step after the other, and a step has four parts
    a: Any, b: Any, numbers: Any, heap: Any, ends: Any, guard: int, keep: bool, at_most: float
) -> Any:
    """Remove the waves of a heap, cheapest first, and write a step for each; return steps and what is left.

    Edges lead from wave a[k] to b[k] with the value numbers[k]. heap: cost * size + wave, a heap already.
    ends: (size, 6) without edges.  keep: no slot is used twice.  at_most: products after which to stop.

    Returns the code, the start of each step, the edges left (n, 3) with source, target and slot, the slots
    that are free, and counts: slots, products, waves removed, those in loops, elements of fill, and the
    lengths that are used of the code and of the free slots. There are as many starts as waves removed.
    """
    size, used, live = ends.shape[0], a.shape[0], a.shape[0]
    links = np.empty((used + used // 8 + 16, COLUMNS), np.int32)
    places = _roomier(np.zeros(16, np.int32), links, used)
    for k in range(used):
        links[k, SLOT] = -1 - numbers[k]
        _add(ends, links, places, k, a[k], b[k])
    code, written = np.empty(32 * heap.shape[0] + 16, np.int32), 0
    starts = np.empty(heap.shape[0], np.int64)
    met, free = np.empty(64, np.int32), np.empty(64, np.int32)
    spare, free_slots, slots = -1, 0, guard + 1
    waiting, removed, products, loops, fill = heap.shape[0], 0, 0, 0, 0
    while waiting > 0 and products <= at_most:
        cost, v = heap[0] // size, heap[0] % size
        n_to, n_from = int(ends[v, COUNT]), int(ends[v, 3 + COUNT])
        if n_from * n_to > cost:
            heap[0] = n_from * n_to * size + v
            _sink(heap, waiting)
            continue
        waiting -= 1
        heap[0] = heap[waiting]
        _sink(heap, waiting)

        own = places[_find(places, links, v, v)] - 1
        if own >= 0:
            _forget(places, links, own)
            for side in range(2):
                _unlink(ends, links, own, side)
            n_from, n_to, live = n_from - 1, n_to - 1, live - 1
        pairs = n_from * n_to
        links = _more_rows(links, used, pairs)
        places = _roomier(places, links, live + pairs)
        met = _longer(met, 0, pairs)
        free = _longer(free, free_slots, n_from + n_to + 2)

        n_loads = _count_loads(ends, links, places, v, met)
        n_loads += own >= 0 and links[own, SLOT] < 0
        n_pivot, n_mixed = 0, 0
        if own >= 0:
            n_pivot, n_mixed = 3, min(n_from, n_to)
        load = written + 5
        pivot = load + 2 * n_loads
        mixed = pivot + n_pivot
        first = mixed + 3 * n_mixed
        source = first + n_from
        target = source + n_from
        mark = target + n_to
        code = _longer(code, written, mark + pairs - written)
        code[written], code[written + 1], code[written + 2] = n_loads, n_pivot, n_mixed
        code[written + 3], code[written + 4] = n_from, n_to
        starts[removed], written = written, mark + pairs

        # Slots of the edges from sources and to targets, then of the wave's own.
        for side in (ENTERING, LEAVING):
            k, e = (source, ends[v, 3 + FIRST]) if side == ENTERING else (target, ends[v, FIRST])
            while e >= 0:
                slot = links[e, SLOT]
                if slot < 0:
                    code[load + 1] = -1 - slot
                    slot, slots, free_slots = _slot(free, free_slots, slots)
                    code[load] = slot
                    load += 2
                code[k] = slot
                k, e = k + 1, links[e, AFTER + 2 * side]
        if own >= 0:
            slot = links[own, SLOT]
            if slot < 0:
                code[load + 1] = -1 - slot
                slot, slots, free_slots = _slot(free, free_slots, slots)
                code[load] = slot
                load += 2
            code[pivot], code[pivot + 2] = slot, guard
            code[pivot + 1], slots, free_slots = _slot(free, free_slots, slots)
            k = source if n_from <= n_to else target
            for _ in range(n_mixed):
                code[mixed + 1], code[mixed + 2] = code[k], code[pivot + 1]
                if keep:
                    code[k], slots, free_slots = _slot(free, free_slots, slots)
                code[mixed] = 2 * code[k] + 1
                mixed, k = mixed + 3, k + 1
            loops += 1

        # Every source meets every target.
        k, e = 0, ends[v, 3 + FIRST]
        while e >= 0:
            code[first] = 0
            first += 1
            f = ends[v, FIRST]
            while f >= 0:
                m = met[k]
                slot, fresh = -1, m < 0
                if not fresh:
                    slot = links[m, SLOT]
                if slot < 0:
                    if not fresh:
                        code[load + 1] = -1 - slot
                    slot, slots, free_slots = _slot(free, free_slots, slots)
                    if not fresh:
                        code[load] = slot
                        load += 2
                if fresh:
                    m = used
                    if spare >= 0:
                        m, spare = spare, links[spare, AFTER]
                    else:
                        used += 1
                    _add(ends, links, places, m, links[e, SOURCE], links[f, TARGET])
                    fill, live = fill + 1, live + 1
                links[m, SLOT] = slot
                code[mark] = 2 * slot + fresh
                mark, k, f = mark + 1, k + 1, links[f, AFTER]
            e = links[e, AFTER + 2]
        products += pairs
        removed += 1
        live -= n_from + n_to

        spare = _discard(ends, links, places, v, spare)
        if own >= 0:
            links[own, AFTER], spare = spare, own
        if not keep:
            for k in range(source, source + n_from + n_to):
                free[free_slots] = code[k]
                free_slots += 1
            if own >= 0:
                free[free_slots], free[free_slots + 1] = code[pivot], code[pivot + 1]
                free_slots += 2

    left, k = np.empty((live, 3), np.int32), 0
    for place in places:
        if place > 0:
            left[k, 0], left[k, 1], left[k, 2] = (
                links[place - 1, SOURCE], links[place - 1, TARGET], links[place - 1, SLOT],
            )  # fmt: skip
            k += 1
    return code, starts, left, free, (slots, products, removed, loops, fill, written, free_slots)

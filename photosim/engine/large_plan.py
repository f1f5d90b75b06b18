"""The edges of a request as arrays, and the removal of all waves of a large circuit by a kernel.

The steps are those that `plan_search` writes, in the same order, so results have the same bits; only slots
are given back in another order. Its dictionaries would take most of the memory of a circuit of many parts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from photosim.engine.plan import WantedElement, columns_of, numbers_of
from photosim.kernels.elimination import GUARD_SLOT
from photosim.kernels.graphs import components, reach

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Arcs(NamedTuple):
    """Edges from wave a[k] to b[k] with the value numbers[k]; waves are numbers below `size`."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    numbers: NDArray[np.integer]
    size: int


class Removed(NamedTuple):
    """Code and starts of the steps, (source, target, edge) of what is left, free slots, and the counts."""

    code: NDArray[np.int32]
    starts: NDArray[np.int64]
    left: list[list[int]]
    free: list[int]
    counts: list[int]


def useful_arcs(
    edges: Mapping[tuple[int, int], int], wanted: Sequence[WantedElement], mirror: Mapping[int, int]
) -> tuple[Arcs, int]:
    """Return the edges on a path from a wanted input to a wanted output, and the number of islands."""
    inputs = np.array([w.input for w in wanted], dtype=np.int64)
    outputs = np.array([w.output for w in wanted], dtype=np.int64)
    a, b = columns_of(edges)
    size = 1 + max(int(waves.max(initial=-1)) for waves in (a, b, inputs, outputs))
    useful = reach(a, b, inputs, size) & reach(b, a, outputs, size)
    # Mirrored waves go together: the mirror image of a useful path serves the mirrored element.
    mirrored = [mirror[v] for v in np.flatnonzero(useful).tolist() if v in mirror] if mirror else []
    useful[np.array(mirrored, dtype=np.int64)] = True
    kept = useful[a] & useful[b]
    a, b = a[kept], b[kept]
    labels = components(a, b, size)
    return Arcs(a, b, numbers_of(edges)[kept], size), len(np.unique(labels[a]))


def remove_all(arcs: Arcs, ends: Collection[int], at_most: float, *, keep: bool) -> Removed:
    """Remove all waves of a graph without mirrors but the ends, or as many as `at_most` products allow."""
    from photosim.kernels.removal import remove_waves

    known = np.zeros(arcs.size, dtype=bool)
    known[arcs.a] = known[arcs.b] = True
    waves = np.flatnonzero(known)
    number = np.cumsum(known, dtype=np.int32) - np.int32(1)  # by rising wave: ties are decided as before
    a, b = number[arcs.a], number[arcs.b]
    costs = np.bincount(a, minlength=len(waves)) * np.bincount(b, minlength=len(waves))
    costs[number[[v for v in ends if v < arcs.size and known[v]]]] = 0
    inner = np.flatnonzero(costs)
    heap = np.sort(costs[inner] * len(waves) + inner)
    numbers = arcs.numbers.astype(np.int32, copy=False)
    del known, number, costs, inner  # the kernel takes the most memory of all
    table = np.tile(np.array([-1, -1, 0], dtype=np.int32), (len(waves), 2))
    code, starts, left, free, counts = remove_waves(
        a, b, numbers, heap, table, GUARD_SLOT, keep, float(at_most)
    )
    left[:, :2] = waves[left[:, :2]]
    *counts, written, unused = counts
    return Removed(code[:written], starts[: counts[2]], left.tolist(), free[:unused].tolist(), counts)

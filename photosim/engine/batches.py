"""Long batches of settings, a slice at a time: threads each solve a slice and hand its result on.

A slice's result depends on its own settings alone, so neither the number of threads nor the size of a slice
changes a bit of it, and memory is that of one slice a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from photosim.engine.guards import check_finite, check_passive, check_stable
from photosim.engine.solve import threads
from photosim.engine.trapped import NEARLY_SINGULAR, mend
from photosim.engine.two_way import solve_planned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point
    from photosim.engine.plan import Planned

SLICE_BYTES = 4_000_000
"""Results of one slice: they stay in the last cache until they are read."""
FEWEST_SLICES = 8
"""Slices a thread, at least: what one waits for another at the end is a part of one of them."""

Take = Callable[[int, int, "NDArray[np.complex128]"], None]
"""take(first, last, values (last - first, places, W)) is called once for each slice, from several threads."""


def solve_slices(
    compiled: Compiled, planned: Planned, point: Point, wl: NDArray[np.float64], places: int, take: Take
) -> None:
    """Solve a plan for every batch entry of a point at wl (W,) or (B, W) in um, and hand on each slice.

    Raises what `Compiled.solve` raises.
    """
    compiled.windows.look(point, wl)
    size = _slice_size(compiled, point.batch, wl.shape[-1], places)
    slices = -(-point.batch // size)
    crew = min(threads(), slices)
    numbers = count()

    def turns(member: int) -> None:
        while (number := next(numbers)) < slices:
            first, last = number * size, min((number + 1) * size, point.batch)
            own = wl[first:last] if wl.ndim > 1 else wl
            part = point.part_of_batch(first, last)
            take(first, last, _solved(compiled, planned, part, own, places, member))

    if crew == 1:
        turns(0)
        return
    with ThreadPoolExecutor(crew, thread_name_prefix="photosim-slices") as pool:
        for job in [pool.submit(turns, member) for member in range(crew)]:
            job.result()


def _slice_size(compiled: Compiled, batch: int, points: int, places: int) -> int:
    values = sum(len(g.parts) * g.kernel.values for g in compiled.parts.groups if g.kernel.dispersive)
    each = 16 * points * (places + values)
    most = max(1, SLICE_BYTES // each)
    return min(most, max(1, -(-batch // (FEWEST_SLICES * threads()))))


def _solved(
    compiled: Compiled, planned: Planned, point: Point, wl: NDArray[np.float64], places: int, member: int
) -> NDArray[np.complex128]:
    """Return the elements (B, places, W) of one slice, guarded as those of `Compiled.solve` are."""
    parts = compiled.parts
    grid = wl if wl.ndim == 1 else np.unique(wl[:: max(1, len(wl) // 8)])
    check_passive(parts, point, grid)
    if parts.active:
        for b in range(point.batch if wl.ndim > 1 else 0):
            one = point.part_of_batch(b, b + 1)
            check_stable(compiled.graph, parts, compiled.edges, one, wl[b])
        if wl.ndim == 1:
            check_stable(compiled.graph, parts, compiled.edges, point, wl)
    out, smallest = solve_planned(parts, planned, point, wl, places, member=member)
    least = smallest.min()
    if not np.isfinite(least):
        check_finite(parts, point, grid)
    if not least > NEARLY_SINGULAR and planned.plan.loops:
        for b in np.flatnonzero(~(smallest.min(axis=-1) > NEARLY_SINGULAR)).tolist():
            one, own = point.part_of_batch(b, b + 1), wl[b] if wl.ndim > 1 else wl
            mended = out[b : b + 1].copy()
            mend(parts, planned.request, one, own, smallest[b : b + 1], mended, compiled.netlist.name)
            out[b] = mended[0]
    return out

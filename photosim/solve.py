"""Run a plan over wavelengths and a batch of settings: chunks, blocks, threads.

A chunk is as many wavelengths as keep the values of all parts within a few
megabytes; a block is LANES of them. Blocks are independent, so threads share
them out and results do not depend on how many there are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.kernels.elimination import LANES, WIDTH, run, run_reverse, run_series
from photosim.plan import GUARD_SLOT, SPARE_SLOT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.parts import Parts, Point
    from photosim.plan import Plan
    from photosim.values import Table

CHUNK_BYTES = 400_000
"""Values of one chunk, for each thread: they stay in the core's second cache until they are used."""

BLOCKS_A_THREAD = 4
"""Fewest blocks of a chunk for each thread: what one waits for another is a part of one of them."""

SLOPE_BYTES = 32_000_000
"""Derivatives by S-matrix values of one chunk of the reverse pass."""

SERIAL_PRODUCTS = 400_000
"""Below this many multiply-adds in a chunk, handing work to threads costs more than it saves."""


def threads() -> int:
    """Return the number of threads: numba's setting, capped by PHOTOSIM_THREADS where that is set."""
    import numba

    chosen = os.environ.get("PHOTOSIM_THREADS")
    if chosen is None:
        return int(numba.get_num_threads())
    if not chosen.isdigit() or int(chosen) < 1:
        message = f"PHOTOSIM_THREADS must be a whole number of threads, 1 or more, got {chosen!r}."
        raise ParameterError(message)
    return int(chosen)


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="photosim")


def solve(
    parts: Parts, plan: Plan, point: Point, wl: NDArray[np.float64], places: int
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return the wanted elements (B, places, W) and the smallest |1 - K|^2 met at each (B, W).

    wl (W,) in um. Elements that no path reaches are zero.
    """
    out = np.zeros((point.batch, places, len(wl)), dtype=np.complex128)
    smallest = np.empty((point.batch, len(wl)), dtype=np.float64)
    most = _blocks_of_a_chunk(parts, point)
    for start, blocks, table in _chunks(parts, point, wl, most):

        def work(
            first: int, last: int, start: int = start, blocks: int = blocks, table: Table = table
        ) -> None:
            span = np.array([first, last, blocks, start, GUARD_SLOT * WIDTH], dtype=np.int64)
            run(plan.code, table.address, table.values, plan.exits, out, smallest, _work(plan, 1)[0], span)

        _share(work, point.batch * blocks, plan.products * LANES)
    return out, smallest


def solve_series(
    parts: Parts, plan: Plan, point: Point, wl: NDArray[np.float64], places: int
) -> NDArray[np.complex128]:
    """Return the Taylor coefficients in wavelength of the wanted elements, (orders, B, places, W).

    The plan must have been made with as many orders.
    """
    orders = plan.width // WIDTH
    out = np.zeros((orders, point.batch, places, len(wl)), dtype=np.complex128)
    most = _blocks_of_a_chunk(parts, point)
    for start, blocks, table in _chunks(parts, point, wl, most, orders):

        def work(
            first: int, last: int, start: int = start, blocks: int = blocks, table: Table = table
        ) -> None:
            span = np.array([first, last, blocks, start, GUARD_SLOT * plan.width], dtype=np.int64)
            run_series(plan.code, table.address, table.values, plan.exits, out, _work(plan, 1)[0], span)

        _share(work, point.batch * blocks, 6 * plan.products * LANES)
    return out


def solve_reverse(
    parts: Parts,
    plan: Plan,
    point: Point,
    wl: NDArray[np.float64],
    cotangent: NDArray[np.complex128],
    collect: Callable[[int, int, NDArray[np.float64], NDArray[np.float64]], None],
) -> None:
    """Carry cotangents (B, places, W) back to the S-matrix values, chunk by chunk.

    `collect(start, count, wl, slopes)` is called for every chunk with slopes
    (B * blocks, values, 2 * LANES), the derivatives dL/dRe and dL/dIm of every
    value by block; `count` of its wavelengths, from `start`, are real, the
    rest padding. The plan must keep all its slots.
    """
    cotangent = np.ascontiguousarray(cotangent)
    program = (plan.code, plan.starts, plan.exits)
    most = max(1, SLOPE_BYTES // (parts.count * WIDTH * 8 * point.batch))
    for start, blocks, table in _chunks(parts, point, wl, most):
        slopes = np.empty((point.batch * blocks, parts.count, WIDTH), dtype=np.float64)

        def work(
            first: int,
            last: int,
            start: int = start,
            blocks: int = blocks,
            table: Table = table,
            slopes: NDArray[np.float64] = slopes,
        ) -> None:
            span = np.array([first, last, blocks, start, GUARD_SLOT * WIDTH, SPARE_SLOT * WIDTH])
            work_pair, rows = _work(plan, 2), slopes[first:last]
            run_reverse(program, table.address, table.values, cotangent, work_pair, span, rows)

        _share(work, point.batch * blocks, 3 * plan.products * LANES)
        count = min(blocks * LANES, len(wl) - start)
        collect(start, count, _padded(wl[start : start + count], blocks * LANES), slopes)


def _chunks(
    parts: Parts, point: Point, wl: NDArray[np.float64], most: int, orders: int = 1
) -> Iterator[tuple[int, int, Table]]:
    """Yield (first wavelength, blocks, filled table), at most `most` blocks each; the table is used again."""
    total = -(-len(wl) // LANES)
    blocks = min(total, most)
    table, parameters = parts.values.table(point, blocks * LANES, orders)
    try:
        for first in range(0, total, blocks):
            start = first * LANES
            table.fill(parts, point, parameters, _padded(wl[start : start + blocks * LANES], blocks * LANES))
            yield start, min(blocks, total - first), table
    finally:
        table.lock.release()


def _blocks_of_a_chunk(parts: Parts, point: Point) -> int:
    """Return how many blocks keep a chunk's values in cache, and every thread at work."""
    count = threads()
    least = 1 if count == 1 else BLOCKS_A_THREAD * count
    return max(least, count * CHUNK_BYTES // (parts.values.bytes_per_wavelength(point) * LANES))


def _padded(wl: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return wl repeated at its end up to a length, so that every block is full."""
    if len(wl) == length:
        return np.ascontiguousarray(wl)
    return np.concatenate([wl, np.full(length - len(wl), wl[-1])])


_kept = threading.local()


def _work(plan: Plan, copies: int) -> NDArray[np.float64]:
    """Return this thread's work array: fresh pages for every chunk would cost as much as the work."""
    size = copies * plan.work_size
    if getattr(_kept, "work", np.empty(0)).size < size:
        _kept.work = np.empty(size, dtype=np.float64)
    whole: NDArray[np.float64] = _kept.work[:size]
    return whole.reshape(copies, -1)


def _share(work: Callable[[int, int], Any], blocks: int, products: int) -> None:
    """Run work(first, last) over all blocks, on several threads where it pays."""
    count = min(threads(), blocks)
    if count <= 1 or blocks * products < SERIAL_PRODUCTS:
        work(0, blocks)
        return
    bounds = np.linspace(0, blocks, count + 1).astype(int).tolist()
    jobs = [_pool(count).submit(work, a, b) for a, b in pairwise(bounds[:-1])]
    work(*bounds[-2:])  # this thread takes a share too
    for job in jobs:
        job.result()

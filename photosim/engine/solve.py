"""Run a plan over wavelengths and a batch of settings: chunks, blocks, threads.

A chunk is as many wavelengths as keep the values of all parts within a few
hundred kilobytes; a block is the lanes of a slot. Blocks are independent, so
threads share them out and results do not depend on how many there are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import get_num_threads

from photosim.errors import ParameterError
from photosim.kernels.elimination import (
    Across,
    Narrow,
    OneLane,
    Span,
    Wide,
    run,
    run_across,
    run_reverse,
    run_series,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.parts import Parts, Point
    from photosim.engine.plan import Plan
    from photosim.engine.values import Table

CHUNK_BYTES = 800_000
"""Values of one chunk: they stay in the core's second cache until they are used."""

CHUNKS_A_THREAD = 4
"""Fewest chunks for each thread: what one waits for another is a part of one of them."""

SLOPE_BYTES = 16_000_000
"""Derivatives by S-matrix values of one chunk of the reverse pass."""

SERIAL_PRODUCTS = 400_000
"""Below this many multiply-adds in a sweep, handing work to threads costs more than it saves."""

FEW = 2
"""Up to so many wavelengths are run one by one: filling the lanes of a block would be wasted work."""
WIDE_SLOTS, WIDE_POINTS = 500, 128
"""Up to so many slots, and from so many wavelengths on, a plan runs in wide blocks: they stay in cache."""


def threads() -> int:
    """Return the number of threads: numba's setting, capped by PHOTOSIM_THREADS where that is set."""
    chosen = os.environ.get("PHOTOSIM_THREADS")
    if chosen is None:
        return int(get_num_threads())
    if not chosen.isdigit() or int(chosen) < 1:
        message = f"PHOTOSIM_THREADS must be a whole number of threads, 1 or more, got {chosen!r}."
        raise ParameterError(message)
    return int(chosen)


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="photosim")


def solve(
    parts: Parts,
    plan: Plan,
    point: Point,
    wl: NDArray[np.float64],
    places: int,
    *,
    member: int | None = None,
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return the wanted elements (B, places, W) and the smallest |1 - K|^2 met at each (B, W).

    wl (W,) in um, or (B, W) where each batch entry has its own. Elements that no path reaches are zero.
    With `member` the caller's thread does all the work, in tables of that number, for threads that each solve
    a part of a batch.
    """
    points = wl.shape[-1]
    out = np.zeros((point.batch, places, points), dtype=np.complex128)
    smallest = np.empty((point.batch, points), dtype=np.float64)

    def work(table: Table, span: Span) -> None:
        slots = _work(plan.slots, span)
        kernel = run_across if span.ACROSS else run
        kernel(plan.code, table.address, table.values, plan.exits, out, smallest, slots, span)

    kind = Across if points < Narrow.LANES <= point.batch else _kind(plan.slots, points)
    sweep = Sweep(parts, point, wl, kind, plan.products, member=member)
    _sweep_blocks(sweep, work)
    return out, smallest


def solve_series(
    parts: Parts, plan: Plan, point: Point, wl: NDArray[np.float64], places: int, orders: int
) -> NDArray[np.complex128]:
    """Return the Taylor coefficients in wavelength of the wanted elements, (orders, B, places, W).

    wl (W,) in um, or (B, W) where each batch entry has its own.
    """
    out = np.zeros((orders, point.batch, places, wl.shape[-1]), dtype=np.complex128)

    def work(table: Table, span: Span) -> None:
        slots = _work(orders * plan.slots, span)
        run_series(plan.code, table.address, table.values, plan.exits, out, slots, span)

    _sweep_blocks(Sweep(parts, point, wl, Narrow, 6 * plan.products, orders), work)
    return out


def solve_reverse(
    parts: Parts,
    plan: Plan,
    point: Point,
    wl: NDArray[np.float64],
    cotangent: NDArray[np.complex128],
    collect: Callable[[int, int, NDArray[np.float64], NDArray[np.float64]], None],
) -> NDArray[np.float64]:
    """Carry cotangents (B, places, W) back to the S-matrix values; return the smallest |1 - K|^2 met (B, W).

    `collect(start, count, wl, slopes)` is called for every chunk with slopes
    (B * blocks, values, 2 * lanes), the derivatives dL/dRe and dL/dIm of every
    value by block; `count` of its wavelengths, from `start`, are real, the
    rest padding. The plan must keep all its slots.
    """
    cotangent = np.ascontiguousarray(cotangent)
    smallest = np.empty((point.batch, len(wl)), dtype=np.float64)
    program = (plan.code, plan.starts, plan.exits)
    kind = _kind(2 * plan.slots, len(wl))

    def chunk(table: Table, start: int, blocks: int, crew: int) -> None:
        slopes = np.empty((point.batch * blocks, parts.count, 2 * kind.LANES), dtype=np.float64)

        def work(first: int, last: int) -> None:
            span = kind(first, last, blocks, start)
            slots = _work(2 * plan.slots, span).reshape(2, -1)
            own = slopes[first:last]
            run_reverse(program, table.address, table.values, cotangent, smallest, slots, own, span)

        share(work, point.batch * blocks, crew)
        collect(start, min(blocks * kind.LANES, len(wl) - start), table.wl, slopes)

    most = max(1, SLOPE_BYTES // (parts.count * kind.LANES * 16 * point.batch))
    _sweep(Sweep(parts, point, wl, kind, 3 * plan.products), chunk, most)
    return smallest


@dataclass(frozen=True)
class Sweep:
    """One sweep: parts, settings, wavelengths, block kind, and multiply-adds per wavelength."""

    parts: Parts
    point: Point
    wl: NDArray[np.float64]
    kind: type[Span]
    products: int
    orders: int = 1
    member: int | None = None

    @property
    def lanes(self) -> int:
        """Wavelengths of a block."""
        return 1 if self.kind.ACROSS else self.kind.LANES

    @property
    def entries(self) -> int:
        """Blocks of the batch at each block of wavelengths."""
        return -(-self.point.batch // self.kind.LANES) if self.kind.ACROSS else self.point.batch


def _sweep_blocks(sweep: Sweep, work: Callable[[Table, Span], Any]) -> None:
    """Call work(table, span) until all blocks of a sweep are done."""

    def chunk(table: Table, start: int, blocks: int, crew: int) -> None:
        batch = sweep.point.batch
        share(lambda a, b: work(table, sweep.kind(a, b, blocks, start, batch)), sweep.entries * blocks, crew)

    _sweep(sweep, chunk)


def _sweep(sweep: Sweep, work: Callable[[Table, int, int, int], Any], most: int = 1 << 30) -> None:
    """Call work(table, first wavelength, blocks, crew) for all chunks, of at most so many blocks, of a sweep.

    Threads take whole chunks, with the evaluation of their values. Where there are too few of these, as at a
    lone wavelength, a crew of them shares the blocks of each.
    """
    lanes, batch = sweep.lanes, sweep.point.batch
    total = -(-sweep.wl.shape[-1] // lanes)
    crew = threads() if sweep.member is None else 1
    if batch * total * lanes * sweep.products < SERIAL_PRODUCTS:
        crew = 1
    parameters = sweep.parts.values.at(sweep.point, lanes, sweep.orders, own_grids=sweep.wl.ndim > 1)
    fit = CHUNK_BYTES // (parameters.bytes_per_wavelength * lanes)
    least = total if crew == 1 else -(-total // (CHUNKS_A_THREAD * crew))
    blocks = max(1, min(most, fit, least))
    chunks = -(-total // blocks)
    tables = parameters.tables(blocks * lanes, chunks if sweep.member is None else None)

    def chunk(number: int, member: int, crew: int) -> None:
        first = number * blocks
        grid = _padded(sweep.wl[..., first * lanes : (first + blocks) * lanes], blocks * lanes)
        with tables.filled(number, member, grid) as table:
            work(table, first * lanes, min(blocks, total - first), crew)

    if crew == 1 or chunks < crew:
        for number in range(chunks):
            chunk(number, sweep.member or 0, crew)
    else:
        _take_turns(lambda number, member: chunk(number, member, 1), chunks, crew)


def _kind(slots: int, points: int) -> type[Span]:
    """Return the kind of blocks in which a plan of so many slots runs fastest."""
    if points <= FEW:
        return OneLane
    return Wide if slots <= WIDE_SLOTS and points >= WIDE_POINTS else Narrow


def _padded(wl: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return wl repeated at its end up to a length, so that every block is full."""
    points = wl.shape[-1]
    if points == length:
        return np.ascontiguousarray(wl)
    out = np.empty((*wl.shape[:-1], length))
    out[..., :points], out[..., points:] = wl, wl[..., -1:]
    return out


_kept = threading.local()


def _work(slots: int, span: Span) -> NDArray[np.float64]:
    """Return this thread's work array: fresh pages for every chunk would cost as much as the work."""
    size = 2 * slots * span.LANES
    if getattr(_kept, "work", np.empty(0)).size < size:
        _kept.work = np.empty(size, dtype=np.float64)
    whole: NDArray[np.float64] = _kept.work[:size]
    return whole


def share(work: Callable[[int, int], Any], blocks: int, crew: int) -> None:
    """Run work(first, last) over all blocks, parted evenly among a crew of threads."""
    crew = min(crew, blocks)
    if crew == 1:
        work(0, blocks)
        return
    bounds = np.linspace(0, blocks, crew + 1).astype(int).tolist()
    jobs = [_pool(crew).submit(work, a, b) for a, b in pairwise(bounds[:-1])]
    work(*bounds[-2:])  # this thread takes a share too
    for job in jobs:
        job.result()


def _take_turns(work: Callable[[int, int], Any], jobs: int, crew: int) -> None:
    """Run work(job, member) for all jobs: each member of a crew takes the next one when it is free."""
    numbers = count()

    def turns(member: int) -> None:
        while (number := next(numbers)) < jobs:
            work(number, member)

    others = [_pool(crew).submit(turns, member) for member in range(1, crew)]
    turns(0)
    for other in others:
        other.result()

"""Answer a request by sweeps at the wavelengths where they settle, and by elimination at the others.

Which of the two a wavelength gets follows from the circuit and its own elements alone, so neither threads nor
its neighbours in a batch or a sweep change a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from photosim.engine.solve import SERIAL_PRODUCTS, share, solve, solve_reverse, threads
from photosim.engine.trapped import NEARLY_SINGULAR
from photosim.kernels.two_way import run_sweeps, run_sweeps_reverse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.parts import Parts, Point
    from photosim.engine.plan import Planned
    from photosim.engine.two_way_plan import TwoWay

TOLERANCE = 1e-12
"""Change of all waves together, to a unit input or cotangent, at which sweeps end."""
COEFFICIENT_BYTES = 64_000_000
"""Coefficients that are there at once."""

Tables = list["NDArray[np.float64]"]


class Collector(NamedTuple):
    """`empty(W)` returns tables of derivatives at so many wavelengths, and `collect(tables, ...)` fills them.

    What else `collect` takes is what `solve_reverse` gives.
    """

    empty: Callable[[int], Tables]
    collect: Callable[..., None]


def solve_planned(
    parts: Parts,
    planned: Planned,
    point: Point,
    wl: NDArray[np.float64],
    places: int,
    *,
    member: int | None = None,
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return the wanted elements (B, places, W) and the smallest |1 - K|^2 met, as `solve` does.

    Where sweeps settle the latter is 1: then no loop is near singular.
    """
    two_way = planned.two_way
    if two_way is None:
        return solve(parts, planned.plan, point, wl, places, member=member)
    points = wl.shape[-1]
    out = np.zeros((point.batch, places, points), dtype=np.complex128)
    solved = np.zeros((point.batch, points), dtype=np.bool_)
    for b, w in _cuts(two_way, point.batch, points):
        coefficients, good = _coefficients(parts, two_way, point, wl, (b, w), member)
        settled = np.zeros_like(good)
        own = out if good.shape == solved.shape else np.zeros((len(good), places, good.shape[1]), out.dtype)
        sweeps: Callable[..., None] = partial(
            run_sweeps,
            two_way.draft.program,
            coefficients,
            two_way.draft.wanted,
            own,
            settled,
            _limits(two_way),
        )
        _shared(two_way, good.size, member, sweeps)
        solved[b, w] = settled & good
        if own is not out:
            out[b, :, w] = own
    smallest = np.ones(solved.shape)
    if solved.all():
        return out, smallest
    if not solved.any():
        return solve(parts, planned.plan, point, wl, places, member=member)
    for entry in np.flatnonzero(~solved.all(axis=1)).tolist():
        left = ~solved[entry]
        grid = np.ascontiguousarray(wl[left] if wl.ndim == 1 else wl[entry, left])
        one = point.part_of_batch(entry, entry + 1) if point.batch > 1 else point
        found, least = solve(parts, planned.plan, one, grid, places, member=member)
        out[entry][:, left], smallest[entry, left] = found[0], least[0]
    return out, smallest


def reverse_planned(
    parts: Parts,
    planned: Planned,
    point: Point,
    wl: NDArray[np.float64],
    cotangent: NDArray[np.complex128],
    collector: Collector,
) -> tuple[Tables, NDArray[np.float64]]:
    """Carry cotangents (B, places, W) back into tables of derivatives; return these, and least |1 - K|^2."""
    empty, collect = collector
    tables = empty(len(wl))
    two_way = planned.two_way

    def into(tables: Tables, first: int = 0) -> Callable[..., None]:
        return lambda start, *rest: collect(tables, first + start, *rest)

    if two_way is None:
        return tables, solve_reverse(parts, planned.plan, point, wl, cotangent, into(tables))
    cotangent = np.ascontiguousarray(cotangent)
    smallest = np.ones((point.batch, len(wl)))
    solved = np.zeros(smallest.shape, dtype=np.bool_)
    for _, w in _cuts(two_way, 1, len(wl), point.batch):
        coefficients, good = _coefficients(parts, two_way, point, wl, (slice(None), w), None)
        slopes, settled = np.zeros_like(coefficients), np.zeros_like(good)
        given = np.ascontiguousarray(cotangent[..., w])
        programs = two_way.draft.program, two_way.backwards
        sweeps: Callable[..., None] = partial(
            run_sweeps_reverse,
            programs,
            coefficients,
            two_way.draft.wanted,
            given,
            slopes,
            settled,
            _limits(two_way),
        )
        _shared(two_way, good.size, None, sweeps)
        solved[:, w] = settled & good
        slopes.transpose(0, 2, 1)[~solved[:, w]] = 0.0
        grid = np.ascontiguousarray(wl[w])
        solve_reverse(parts, two_way.kept_plan, point, grid, slopes, into(tables, w.start))
    left = np.flatnonzero(~solved.all(axis=0))
    if len(left):
        others = empty(len(left))
        given = np.ascontiguousarray(cotangent[..., left])
        least = solve_reverse(parts, planned.plan, point, np.ascontiguousarray(wl[left]), given, into(others))
        for b, k in np.argwhere(~solved[:, left]).tolist():
            smallest[b, left[k]] = least[b, k]
            for table, other in zip(tables, others, strict=True):
                table[:, b, :, left[k]] = other[:, b, :, k]
    return tables, smallest


def _cuts(two_way: TwoWay, batch: int, points: int, each: int = 1) -> Iterator[tuple[slice, slice]]:
    """Yield (batch entries, wavelengths) whose coefficients fit into memory together."""
    most = max(1, COEFFICIENT_BYTES // (16 * two_way.terms * each))
    entries = max(1, most // points)
    step = min(points, most)
    for b in range(0, batch, entries):
        for w in range(0, points, step):
            yield slice(b, min(b + entries, batch)), slice(w, min(w + step, points))


def _coefficients(
    parts: Parts,
    two_way: TwoWay,
    point: Point,
    wl: NDArray[np.float64],
    cut: tuple[slice, slice],
    member: int | None,
) -> tuple[NDArray[np.complex128], NDArray[np.bool_]]:
    """Return coefficients (B, terms, W) of some batch entries and wavelengths, and whether each is sound."""
    b, w = cut
    whole = b.start is None or b.stop - b.start == point.batch
    one = point if whole else point.part_of_batch(b.start, b.stop)
    grid = np.ascontiguousarray(wl[b, w] if wl.ndim > 1 else wl[w])
    found, least = solve(parts, two_way.draft.plan, one, grid, two_way.terms, member=member)
    return found, least > NEARLY_SINGULAR


def _limits(two_way: TwoWay) -> tuple[int, float]:
    return two_way.most, TOLERANCE


def _shared(two_way: TwoWay, points: int, member: int | None, work: Callable[..., None]) -> None:
    """Run work((first, last)) over so many points, shared among threads where that pays."""
    crew = 1 if member is not None or points * two_way.products < SERIAL_PRODUCTS else threads()
    share(lambda first, last: work((first, last)), points, crew)

"""Wavelengths of a sweep: ranges that refine themselves where a resonance would be missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.units import as_wavelengths, parse_wavelengths, power_dB, wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point

FIRST_POINTS = 129
"""Points of the first grid: a line 2000 times narrower than their distance bends the cubic between two."""
TOLERANCE = 5e-4
"""Largest error of an amplitude half-way between points of a refined grid."""
MISSED, COARSE = 3e-3, 0.05
"""Errors of an amplitude half-way between points from which a grid that stays is said to miss something.

From the first on where they do not fall to a quarter as the interval is halved, as those of a cubic through
points that resolve a line do; from the second on anyhow."""
MOST_POINTS = 20_000
MOST_VARIANTS = 16
"""Points of settings, spread over the sweep, at which a grid is refined and checked."""
_HALFWAY = 512
_NARROWEST_UM = 1e-9
_NULL_dB, _SHOWN_dB = -60.0, 0.05
"""Power below which the depth of a null is not searched, and how near the points of a grid come to others."""
_PLACES, _ROUNDS = 16, 3


def is_auto(wl: Any) -> bool:
    """Return whether wavelengths are given as a range that refines itself, "1.54:1.56:auto"."""
    return isinstance(wl, str) and wl.rpartition(":")[2].strip() == "auto"


def auto_ends(text: str) -> tuple[float, float]:
    """Return the ends in um of "1.54:1.56:auto"."""
    fields = text.split(":")
    if len(fields) != 3:
        message = f"Cannot read wavelengths from {text!r}: write start:stop:auto, as in 1.54:1.56:auto."
        raise ParameterError(message)
    grid = parse_wavelengths(":".join([*fields[:2], "2"]))
    return float(grid[0]), float(grid[-1])


def checked(wl: Any) -> Any:
    """Return wavelengths that a file gives: an array (W,), or as written a range that is refined later."""
    if is_auto(wl):
        auto_ends(wl)
        return wl
    return parse_wavelengths(wl)


def resolve(
    circuit: Circuit, wl: Any, settings: dict[str, Any], outputs: Any = None, inputs: Any = None
) -> NDArray[np.float64]:
    """Return wavelengths (W,) in um of a text, a number or an array; "auto" is refined for a circuit."""
    if not isinstance(wl, str):
        return as_wavelengths(wl)
    if not is_auto(wl):
        return parse_wavelengths(wl)
    ends = auto_ends(wl)
    outputs, inputs = outputs or circuit.ports, inputs or circuit.ports
    if not (outputs and inputs):
        message = f"Circuit {circuit.name!r} exposes no port to refine {wl!r} by: give a number of points."
        raise ParameterError(message)
    return refined(*circuit.at(settings), ends, outputs, inputs)


def refined(
    compiled: Compiled,
    point: Point,
    ends: tuple[float, float],
    outputs: Sequence[str],
    inputs: Sequence[str],
    *,
    first: int = FIRST_POINTS,
    most: int = MOST_POINTS,
) -> NDArray[np.float64]:
    """Return wavelengths (W,) in um between two ends, close where elements of the S-matrix change fast.

    An interval is halved while the amplitude in its middle is off the cubic through both ends with their
    exact slopes, the delay of the ends taken out. A resonance between two points shows by its tails.
    Then the bottoms of nulls and the tops of peaks get points of their own. The first grid has `first` even
    points; ParameterError where more than `most` are needed.
    """
    few = _few(point)
    grid = wavelengths(*ends, first)
    known = _values(compiled, few, grid, outputs, inputs)
    open_intervals = np.arange(len(grid) - 1)
    while len(open_intervals):
        middle = 0.5 * (grid[open_intervals] + grid[open_intervals + 1])
        found = _values(compiled, few, middle, outputs, inputs)
        error = _errors(grid, known, open_intervals, found)
        narrow = np.diff(grid)[open_intervals] < _NARROWEST_UM
        keep = np.flatnonzero((error > TOLERANCE) & ~narrow)
        places = open_intervals[keep] + 1
        if not len(places):
            break
        if len(grid) + len(places) > most:
            message = (
                f"The spectrum needs more than {most:,} wavelengths between {ends[0]:g} and "
                f"{ends[1]:g} um: sweep a smaller range, or give a number of points."
            )
            raise ParameterError(message)
        grid = np.insert(grid, places, middle[keep])
        known = np.insert(known, places, found[:, :, keep], axis=2)
        new = places + np.arange(len(places))
        open_intervals = np.sort(np.concatenate([new - 1, new]))
    for _ in range(_ROUNDS):
        wl = _turning_points(grid, known)
        if not len(wl) or len(grid) + len(wl) > most:
            break
        found = _values(compiled, few, wl, outputs, inputs)
        places = np.searchsorted(grid, wl)
        grid, known = np.insert(grid, places, wl), np.insert(known, places, found, axis=2)
    return grid


def _turning_points(grid: NDArray[np.float64], known: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return wavelengths in um at which a power is lower or higher than at both points around, by the cubics.

    Intervals are halved by the error of amplitudes, so that a point may stand beside the bottom of a null.
    """
    left = np.flatnonzero(np.diff(grid) > 2 * _PLACES * _NARROWEST_UM)
    ends = np.array([power_dB(np.abs(known[0][:, at]) ** 2) for at in (left, left + 1)])
    lowest, highest = ends.min(axis=0) - _SHOWN_dB, ends.max(axis=0) + _SHOWN_dB
    lowest[ends.min(axis=0) < _NULL_dB] = -np.inf
    highest = np.maximum(highest, _NULL_dB)
    place = np.zeros((2, *lowest.shape))
    near = 0.5 ** np.arange(9, 4, -2)  # the bottom may lie close to a point
    for part in np.concatenate([near, np.arange(1, _PLACES) / _PLACES, 1 - near]):
        level = power_dB(np.abs(_cubic(grid, known, left, part)) ** 2)
        place[0] = np.where(level < lowest, part, place[0])
        place[1] = np.where(level > highest, part, place[1])
        lowest, highest = np.minimum(lowest, level), np.maximum(highest, level)
    wl = [
        grid[left][:, np.newaxis] + _vertex(grid, known, left, at) * np.diff(grid)[left][:, np.newaxis]
        for at in place
    ]
    found = np.unique(np.array(wl)[place > 0])
    behind = np.searchsorted(grid, found)
    near = np.minimum(found - grid[behind - 1], grid[behind] - found)
    apart = np.minimum(near, np.diff(found, prepend=-np.inf)) >= _NARROWEST_UM  # many pairs turn at one place
    return np.asarray(found[apart])


def _vertex(
    grid: NDArray[np.float64], known: NDArray[np.complex128], left: NDArray[np.int64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the parts of intervals (B, n, pairs) at which parabolas of power about other parts turn."""
    near = 1 / _PLACES
    before, here, after = (np.abs(_cubic(grid, known, left, at + d)) ** 2 for d in (-near, 0.0, near))
    bend = before - 2 * here + after
    shift = 0.5 * near * (before - after) / np.where(bend == 0, 1.0, bend)
    turn = at + np.clip(shift, -0.5 * near, 0.5 * near)
    return np.asarray(np.clip(turn, 0.5 * at, 0.5 * (1 + at)))  # inside of the interval


def missed(
    compiled: Compiled, point: Point, wl: NDArray[np.float64], outputs: Sequence[str], inputs: Sequence[str]
) -> tuple[str, ...]:
    """Return a remark where elements change between the points of a grid (W,) unseen by these."""
    grid = np.unique(wl)
    if len(grid) < 3:
        return ()
    few = _few(point, 3)
    chosen = np.unique(np.linspace(0, len(grid) - 2, min(_HALFWAY, len(grid) - 1)).astype(int))
    middle = 0.5 * (grid[chosen] + grid[chosen + 1])
    at = np.unique(np.concatenate([chosen, chosen + 1]))
    whole = np.zeros((2, few.batch, len(grid), len(outputs) * len(inputs)), dtype=np.complex128)
    whole[:, :, at] = _values(compiled, few, grid[at], outputs, inputs)
    error = _errors(grid, whole, chosen, _values(compiled, few, middle, outputs, inputs))
    worst = int(error.argmax())

    def settles() -> bool:
        ends = grid[chosen[worst] : chosen[worst] + 2]
        return _settles(compiled, few, ends, float(error[worst]), outputs, inputs)

    if error[worst] <= MISSED or (error[worst] <= COARSE and settles()):
        return ()
    step = 1e6 * (grid[chosen[worst] + 1] - grid[chosen[worst]])
    message = (
        f"The grid undersamples the spectrum: near {middle[worst]:.7g} um it changes within the step of "
        f"{step:.3g} pm (amplitudes half-way are off by up to {error[worst]:.2g}): give more points, or "
        f"wl={grid[0]:g}:{grid[-1]:g}:auto."
    )
    return (message,)


def _settles(
    compiled: Compiled, point: Point, ends: NDArray[np.float64], error: float, outputs: Any, inputs: Any
) -> bool:
    """Return whether the error of a cubic falls as it should where an interval (2,) is halved."""
    grid = np.array([ends[0], ends.mean(), ends[1]])
    middle = 0.5 * (grid[:-1] + grid[1:])
    known = _values(compiled, point, grid, outputs, inputs)
    found = _values(compiled, point, middle, outputs, inputs)
    return bool(_errors(grid, known, np.arange(2), found).max() < 0.25 * error)


def _few(point: Point, most: int = MOST_VARIANTS) -> Point:
    """Return a point with at most so many entries of its batch, spread over it."""
    if point.batch <= most:
        return point
    chosen = np.unique(np.linspace(0, point.batch - 1, most).astype(int))
    return point.entries(chosen)


def _values(
    compiled: Compiled, point: Point, wl: NDArray[np.float64], outputs: Sequence[str], inputs: Sequence[str]
) -> NDArray[np.complex128]:
    """Return values and slopes of all elements, (2, B, W, pairs)."""
    series = compiled.wave_series(tuple(outputs), tuple(inputs), point, wl)[:2]
    return series.reshape(2, point.batch, len(wl), -1)


def _errors(
    grid: NDArray[np.float64],
    known: NDArray[np.complex128],
    left: NDArray[np.int64],
    found: NDArray[np.complex128],
) -> NDArray[np.float64]:
    """Return the largest error of an amplitude in the middle of intervals, of the largest there is, (n,)."""
    off = np.abs(found[0] - _cubic(grid, known, left, 0.5))
    return np.asarray(off.max(axis=(0, 2)) / _largest(known))


def _largest(known: NDArray[np.complex128]) -> float:
    return max(float(np.abs(known[0]).max()), 1e-300)


def _cubic(
    grid: NDArray[np.float64], known: NDArray[np.complex128], left: NDArray[np.int64], part: Any
) -> NDArray[np.complex128]:
    """Return elements (B, n, pairs) within intervals (n,), by cubics through values and slopes at the ends.

    part: 0 is the left end of an interval, 1 the right; a number, or an array (B, n, pairs). The delay of
    the ends is taken out first, so that the phase is that of the place.
    """
    step = (grid[left + 1] - grid[left])[:, np.newaxis]
    a, b = known[:, :, left], known[:, :, left + 1]
    # Of strong elements: the delay next to a null says nothing about the interval.
    turning = sum((x[0].conj() * x[1]).imag for x in (a, b))
    delay = turning / (np.abs(a[0]) ** 2 + np.abs(b[0]) ** 2 + 0.1 * _largest(known) ** 2)
    turn_a, turn_b = np.exp(1j * delay * step * part), np.exp(-1j * delay * step * (1 - part))
    value_a, value_b = a[0] * turn_a, b[0] * turn_b
    slope_a = (a[1] - 1j * delay * a[0]) * turn_a
    slope_b = (b[1] - 1j * delay * b[0]) * turn_b
    rest = 1 - part
    return np.asarray(
        rest**2 * (1 + 2 * part) * value_a
        + part**2 * (3 - 2 * part) * value_b
        + step * part * rest * (rest * slope_a - part * slope_b)
    )

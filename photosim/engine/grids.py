"""Wavelengths of a sweep: ranges that refine themselves where a resonance would be missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.units import as_wavelengths, parse_wavelengths, wavelengths

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
    The first grid has `first` even points; ParameterError where more than `most` are needed.
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
    return grid


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
    half = (0.5 * (grid[left + 1] - grid[left]))[:, np.newaxis]
    a, b = known[:, :, left], known[:, :, left + 1]
    size = max(float(np.abs(known[0]).max()), 1e-300)
    # Of strong elements: the delay next to a null says nothing about the interval.
    turning = sum((x[0].conj() * x[1]).imag for x in (a, b))
    delay = turning / (np.abs(a[0]) ** 2 + np.abs(b[0]) ** 2 + 0.1 * size**2)
    turn_a, turn_b = np.exp(1j * delay * half), np.exp(-1j * delay * half)  # seen from the middle
    value_a, value_b = a[0] * turn_a, b[0] * turn_b
    slope_a = (a[1] - 1j * delay * a[0]) * turn_a
    slope_b = (b[1] - 1j * delay * b[0]) * turn_b
    expected = 0.5 * (value_a + value_b) + 0.25 * half * (slope_a - slope_b)
    return np.asarray(np.abs(found[0] - expected).max(axis=(0, 2)) / size)

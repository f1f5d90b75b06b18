"""Reading the lines of spectra: by a local model, and exactly where a circuit gives derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.kernels import spectra as kernel
from photosim.metrics.numbers import Reading, base_of
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

Series = Callable[["NDArray[np.float64]"], "NDArray[np.complex128]"]
"""series(wl (B, K)) gives value, slope and half the curvature of an element of S by wavelength, (3, B, K)."""

PART = 0.25
"""A line stands out by more than this part of the range of the power."""
MOST_LINES = 64
"""Lines that are kept of a spectrum: those next to the wavelength that counts."""
_ROUNDS = 6


def check_places(near: float | None, channels: Sequence[float] | None, wl: NDArray[np.float64]) -> None:
    """Raise ParameterError for a `near` outside the sweep wl (W,) and channels that have no crosstalk."""
    low, high = float(wl.min()), float(wl.max())
    places = [] if near is None else [float(near)]
    for place in as_wavelengths([*places, *(channels or ())]) if places or channels else ():
        if places and place == places[0] and not low <= place <= high:
            message = f"near: there is no line next to {place:g} um in a sweep from {low:g} to {high:g} um."
            raise ParameterError(message)
    if channels is not None and sum(low <= c <= high for c in channels) < 2:
        message = (
            f"Crosstalk needs two channels or more inside the sweep, {low:g} to {high:g} um, got "
            f"{', '.join(f'{c:g}' for c in channels) or 'none'}."
        )
        raise ParameterError(message)


def read(
    wl: NDArray[np.float64],
    s: NDArray[np.complex128],
    *,
    near: float | NDArray[np.float64] | None = None,
    part: float = PART,
    most: int = MOST_LINES,
) -> Reading:
    """Return the lines of spectra s (..., W) at wavelengths wl (W,) in um, in any order.

    near: wavelength in um next to which the line that counts lies; the middle of the sweep if None.  part:
    how far a line stands out, of the range of the power.  Raises ParameterError for wavelengths that repeat.
    """
    order = np.argsort(wl, kind="stable")
    grid = np.ascontiguousarray(wl[order])
    if np.any(np.diff(grid) <= 0.0):
        again = grid[np.flatnonzero(np.diff(grid) <= 0.0)[0]]
        message = f"Metrics need different wavelengths, but {again:g} um is given twice."
        raise ParameterError(message)
    if not 0.0 < part < 1.0:
        message = f"The prominence of a line is a fraction of the range, between 0 and 1, got {part!r}."
        raise ParameterError(message)
    if most < 1:
        message = f"At least 1 line must be kept, got {most!r}."
        raise ParameterError(message)
    middle = 0.5 * (grid[0] + grid[-1]) if near is None else float(np.asarray(near))
    flat = np.ascontiguousarray(s.reshape(-1, 1, len(wl))[..., order], dtype=np.complex128)
    found = read_flat(grid[np.newaxis], flat, middle, part, most)
    return found.reshaped(s.shape[:-1])


def read_flat(
    wl: NDArray[np.float64],
    s: NDArray[np.complex128],
    near: Any,
    part: float = PART,
    most: int = MOST_LINES,
) -> Reading:
    """Return the lines of spectra s (B, P, W) at rising wavelengths wl (1 or B, W) in um."""
    lines = np.full((*s.shape[:2], most, kernel.COLUMNS), np.nan)
    lines[..., kernel.FLAGS] = 0.0
    counts = np.zeros((*s.shape[:2], 3), dtype=np.int64)
    summary = np.zeros((*s.shape[:2], 2))
    kernel.read_lines(wl, s, part, np.atleast_1d(np.asarray(near, dtype=np.float64)), lines, counts, summary)
    return Reading(lines, counts, summary, (float(wl.min()), float(wl.max())))


def polish(reading: Reading, series: Series, wl: NDArray[np.float64]) -> Reading:
    """Return the lines of spectra (B, L, COLUMNS) exactly: Newton's rule on the circuit's own derivatives."""
    lines = reading.lines.copy()
    found = np.flatnonzero(np.isfinite(lines[..., kernel.AT]).any(axis=0))
    if not len(found):
        return reading
    low, high = float(wl.min()), float(wl.max())
    work = lines[:, found]
    for _ in range(_ROUNDS):
        work = _step(work, reading.counts[:, 1], series, (low, high))
    lines[:, found] = work
    return reading.replaced(lines)


def _step(
    lines: NDArray[np.float64], kinds: NDArray[np.int64], series: Series, ends: tuple[float, float]
) -> NDArray[np.float64]:
    """Return lines (B, L, COLUMNS) one step of Newton's rule further."""
    k = kernel
    columns = [k.AT, k.LOW, k.HIGH, *range(k.HALF_LOW, k.THREE_HIGH + 1)]
    at = lines[..., columns]
    safe = np.where(np.isfinite(at), at, np.where(np.isfinite(at[..., :1]), at[..., :1], ends[0]))
    s, slope, half = series(safe.reshape(len(lines), -1))
    s, slope, half = (x.reshape(at.shape) for x in (s, slope, half))
    power = s.real**2 + s.imag**2
    first = 2.0 * (s.conj() * slope).real
    second = 2.0 * (np.abs(slope) ** 2 + 2.0 * (s.conj() * half).real)
    out = lines.copy()
    out[..., k.POWER], out[..., k.LOW_POWER], out[..., k.HIGH_POWER] = np.moveaxis(power[..., :3], -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        out[..., k.DELAY] = (slope[..., 0] / s[..., 0]).imag
        move = np.zeros_like(at)
        move[..., :3] = -first[..., :3] / second[..., :3]
        move[..., 3:] = -(power[..., 3:] - _levels(out, kinds)) / first[..., 3:]
    flags = lines[..., k.FLAGS].astype(int)
    move[..., 1][(flags & k.CUT_LOW) > 0] = 0.0
    move[..., 2][(flags & k.CUT_HIGH) > 0] = 0.0
    # No further than to half-way between neighbouring places: a bad start must not leave its own flank.
    width = np.abs(at[..., 4:5] - at[..., 3:4])
    far = np.abs(move) > 0.25 * np.where(np.isfinite(width), width, np.inf)
    move = np.where(np.isfinite(move) & ~far, move, 0.0)
    out[..., columns] = np.clip(at + move, *ends)
    return out


def _levels(lines: NDArray[np.float64], kinds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the levels (B, L, 6) that the crossings of lines have: half-way, 1 dB, 3 dB, on both sides."""
    k = kernel
    low, high, power = lines[..., k.LOW_POWER], lines[..., k.HIGH_POWER], lines[..., k.POWER]
    reference = np.where(kinds[:, np.newaxis] > 0, power, np.maximum(low, high))
    half = 0.5 * (power + base_of(lines, kinds[:, np.newaxis]))
    return np.stack([half, half, *(reference * 10.0**-x for x in (0.1, 0.1, 0.3, 0.3))], axis=-1)

"""Spectra with their extremes: points added where peaks and dips lie between those of the grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from photosim.units import power_dB

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.smatrix.matrix import SMatrix

    FloatArray = NDArray[np.float64]

MOST = 96
"""Number of peaks and dips that are refined, the largest ones first."""
MOST_POINTS = 200_000
"""Wavelengths times entries of a batch that are computed for a picture, at most."""
_ROUNDS, _PLACES = 4, 9
_WORTH_dB, _DARK_dB = 0.02, -120.0


def sharpened(s: SMatrix, pairs: Sequence[tuple[str, str]]) -> tuple[FloatArray, list[FloatArray]]:
    """Return wavelengths (V,) in um and the powers in dB of pairs, each (..., V), extremes among them.

    A result of a circuit is computed at some wavelengths more about every peak and dip; one of a file has
    the points of its grid.
    """
    values = getattr(s.find_series, "values", None)
    order = np.argsort(s.wl)
    wl = s.wl[order]
    places = [(s.ports.index(b), s.ports.index(a)) for a, b in pairs]
    shape = s.values.shape[:-3]

    def levels(found: NDArray[np.complex128]) -> FloatArray:
        picked = np.stack([found[..., out, into] for out, into in places])
        return power_dB(picked.real**2 + picked.imag**2).reshape(-1, found.shape[-3])

    level = levels(s.values[..., order, :, :])
    count = int(np.prod(shape)) or 1
    if values is not None and wl.size > 2 and np.all(np.diff(wl) > 0.0):
        most = min(MOST, MOST_POINTS // (count * _ROUNDS * _PLACES))
        wl, level = with_extremes(wl, level, lambda at: levels(values(at)), most)
    return wl, list(level.reshape(len(pairs), *shape, wl.size))


def with_extremes(
    wl: FloatArray, level: FloatArray, evaluate: Callable[[FloatArray], FloatArray], most: int = MOST
) -> tuple[FloatArray, FloatArray]:
    """Return wavelengths (V,) and levels (rows, V) in dB with points added about the extremes of every row.

    evaluate: returns the levels (rows, n) at wavelengths (n,).  most: peaks and dips that get points.
    """
    shown = np.maximum(level, _DARK_dB)
    row, at, sign = _extremes(shown)
    rise = sign * (2.0 * shown[row, at] - shown[row, at - 1] - shown[row, at + 1])
    keep = np.argsort(-rise, kind="stable")[: max(most, 0)]
    keep = keep[rise[keep] > _WORTH_dB]
    row, at, sign = row[keep], at[keep], sign[keep]
    if not row.size:
        return wl, level
    low, high = wl[at - 1], wl[at + 1]
    column = np.arange(row.size)
    points, found = [wl], [level]
    for _ in range(_ROUNDS):
        places = np.linspace(low, high, _PLACES)[1:-1]
        own = evaluate(places.ravel())
        points.append(places.ravel())
        found.append(own)
        best = (own.reshape(len(level), _PLACES - 2, row.size)[row, :, column] * sign[:, np.newaxis]).argmax(
            axis=1
        )
        step = (high - low) / (_PLACES - 1)
        middle = places[best, column]
        low, high = middle - step, middle + step
    every, first = np.unique(np.concatenate(points), return_index=True)
    return every, np.concatenate(found, axis=1)[:, first]


def _extremes(level: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Return row, place and sign of all peaks (1) and dips (-1) of levels (rows, W), ends left out."""
    left, right = np.diff(level[:, :-1], axis=1), np.diff(level[:, 1:], axis=1)
    peak, dip = (left > 0.0) & (right <= 0.0), (left < 0.0) & (right >= 0.0)
    rows, places = np.nonzero(peak | dip)
    return rows, places + 1, np.where(peak[rows, places], 1.0, -1.0)

"""Whether a grid of wavelengths shows a spectrum as it is: extremes and features between its points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from photosim.units import power_dB

FloatArray = NDArray[np.float64]
Evaluate = Callable[[FloatArray], FloatArray]
"""evaluate(wl) returns power ratios (pairs, W) at wavelengths (W,) in um."""

ALLOWED_dB = 0.5
"""Errors below this are not worth a word."""
_NULL_dB = -60.0
"""A lowest power below this is a null, whose depth no grid shows."""
_ALLOWED_PART = 0.05
"""Error of the power halfway between points, of the highest, from which on a grid is too coarse."""
_PLACES = 9
_ROUNDS = 4
"""Rounds that narrow the place of an extreme, each four times."""
_MOST_PAIRS = 16
_HALFWAY = 512
"""Intervals that are looked at halfway; evenly chosen from more."""


def check_resolution(
    evaluate: Evaluate, wl: FloatArray, pairs: Sequence[tuple[str, str]], power: FloatArray
) -> tuple[str, ...]:
    """Return remarks on what the grid wl (W,) in um does not show of powers (pairs, W); none if it is fine.

    Costs some hundred further wavelengths, whatever the grid.
    """
    order = np.argsort(wl)
    grid, first = wl[order], list(pairs[:_MOST_PAIRS])
    level = power_dB(power[: len(first), order])
    if grid.size < 3 or np.any(np.diff(grid) == 0):
        return ()

    def levels(at: FloatArray) -> FloatArray:
        return power_dB(evaluate(at)[: len(first)])

    return (*_extremes(levels, grid, first, level), *_halfway(levels, grid, first, level))


def _extremes(
    levels: Evaluate, wl: FloatArray, pairs: Sequence[tuple[str, str]], level: FloatArray
) -> list[str]:
    """Return remarks on the highest and lowest power of pairs where they lie between points."""
    at = np.concatenate([level.argmax(axis=1), level.argmin(axis=1)])
    sign = np.repeat([1.0, -1.0], len(pairs))
    row = np.tile(np.arange(len(pairs)), 2)
    low, high = wl[np.maximum(at - 1, 0)], wl[np.minimum(at + 1, wl.size - 1)]
    best, place = level[row, at], wl[at]
    column = np.arange(at.size)
    for _ in range(_ROUNDS):
        places = np.linspace(low, high, _PLACES)
        found = levels(places.ravel()).reshape(len(pairs), _PLACES, at.size)[row, :, column].T
        k = (found * sign).argmax(axis=0)
        better = found[k, column] * sign > best * sign
        best = np.where(better, found[k, column], best)
        place = np.where(better, places[k, column], place)
        low, high = places[np.maximum(k - 1, 0), column], places[np.minimum(k + 1, _PLACES - 1), column]
    remarks = []
    for n in column:
        shown, (start, end) = level[row[n], at[n]], pairs[row[n]]
        if shown < _NULL_dB or abs(best[n] - shown) <= ALLOWED_dB:
            continue
        what = "highest" if sign[n] > 0 else "lowest"
        value = f"{best[n]:.2f} dB" if best[n] > _NULL_dB else f"below {_NULL_dB:.0f} dB"
        remarks.append(
            f"{start} to {end}: the {what} power is {value} at {place[n]:.7g} um, between points; the grid "
            f"shows {shown:.2f} dB."
        )
    return remarks


def _halfway(
    levels: Evaluate, wl: FloatArray, pairs: Sequence[tuple[str, str]], level: FloatArray
) -> list[str]:
    """Return remarks on pairs whose power halfway between points is not what a cubic through them says."""
    if wl.size < 5:
        return []
    every = np.arange(1, wl.size - 2)
    chosen = np.unique(every[np.linspace(0, every.size - 1, min(_HALFWAY, every.size)).astype(int)])
    middle = (wl[chosen] + wl[chosen + 1]) / 2
    power, found = 10 ** (level / 10), 10 ** (levels(middle) / 10)
    around = [power[:, chosen + k] for k in (-1, 0, 1, 2)]
    expected = np.clip(
        (9 * (around[1] + around[2]) - around[0] - around[3]) / 16,
        np.minimum.reduce(around),
        np.maximum.reduce(around),
    )
    off = np.abs(found - expected) / np.maximum(power.max(axis=1, keepdims=True), 1e-300)
    remarks = []
    for k, (start, end) in enumerate(pairs):
        worst = int(off[k].argmax())
        if off[k, worst] > _ALLOWED_PART and level[k].max() > _NULL_dB:
            step = 1e6 * (wl[chosen[worst] + 1] - wl[chosen[worst]])
            remarks.append(
                f"{start} to {end}: features are narrower than the grid's {step:.3g} pm; at "
                f"{middle[worst]:.7g} um, halfway between points, the power is off by "
                f"{100 * off[k, worst]:.0f} % of the highest."
            )
    return remarks

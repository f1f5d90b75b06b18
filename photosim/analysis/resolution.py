"""Where a spectrum is highest and lowest between the points of its grid, and what the grid hides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from photosim.display import Brief
from photosim.units import power_dB

FloatArray = NDArray[np.float64]
Evaluate = Callable[[FloatArray], FloatArray]
"""evaluate(wl) returns power ratios (pairs, W) at wavelengths (W,) in um."""

ALLOWED_dB = 0.1
"""Errors of a curve below this are not worth a word: nobody reads them off a picture."""
_NULL_dB = -60.0
"""A lowest power below this is a null, whose depth no grid shows."""
_ALLOWED_PART = 0.05
"""Error of the power halfway between points, of the highest, from which on a grid is too coarse."""
_PLACES = 9
_ROUNDS = 6
"""Rounds that narrow the place of an extreme, each four times."""
_MOST_PAIRS = 16
_HALFWAY = 512
"""Most intervals whose middle is computed; evenly chosen from more."""


class Extreme(NamedTuple):
    """The highest or lowest power of a spectrum in dB, and its wavelength in um."""

    power_dB: float
    wl: float


@dataclass(frozen=True)
class Resolution(Brief):
    """What lies between the points of a grid: the (highest, lowest) power of each pair, and remarks.

    at: power in dB of (from, to, wavelength in um) at given wavelengths.
    """

    extremes: Mapping[tuple[str, str], tuple[Extreme, Extreme]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    at: Mapping[tuple[str, str, float], float] = field(default_factory=dict)


def check_resolution(
    evaluate: Evaluate,
    wl: FloatArray,
    pairs: Sequence[tuple[str, str]],
    power: FloatArray,
    places: Sequence[float] = (),
) -> Resolution:
    """Return the extremes of the first 16 pairs, and what the grid wl (W,) in um hides of powers (pairs, W).

    Costs some hundred further wavelengths a pair, whatever the grid. Grids of fewer than three wavelengths
    and those with a repeated one are not refined. places: wavelengths in um to find the power at, too.
    """
    order = np.argsort(wl)
    grid, first = wl[order], list(pairs[:_MOST_PAIRS])
    level = power_dB(power[: len(first), order])
    if grid.size < 3 or np.any(np.diff(grid) == 0):
        return Resolution()

    def levels(at: FloatArray) -> FloatArray:
        return power_dB(evaluate(at)[: len(first)])

    best, place = _extremes(levels, grid, first, level)
    found = [Extreme(float(b), float(p)) for b, p in zip(best, place, strict=True)]
    extremes = {pair: (found[k], found[len(first) + k]) for k, pair in enumerate(first)}
    remarks = (*_hidden(extremes, level), *_halfway(levels, grid, first, level))
    inside = [place for place in places if grid[0] <= place <= grid[-1]]
    there = levels(np.array(inside)) if inside else np.empty((len(first), 0))
    at = {(*pair, w): float(there[k, n]) for k, pair in enumerate(first) for n, w in enumerate(inside)}
    return Resolution(extremes, remarks, at)


def _extremes(
    levels: Evaluate, wl: FloatArray, pairs: Sequence[tuple[str, str]], level: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return powers in dB and wavelengths of the highest of all pairs, and then of the lowest."""
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
    return best, place


def _hidden(extremes: Mapping[tuple[str, str], tuple[Extreme, Extreme]], level: FloatArray) -> Iterator[str]:
    """Return remarks on extremes that the points of the grid, level (pairs, W) in dB, do not come near."""
    for row, ((start, end), both) in enumerate(extremes.items()):
        for what, extreme, shown in zip(
            ("highest", "lowest"), both, (level[row].max(), level[row].min()), strict=True
        ):
            if shown < _NULL_dB or abs(extreme.power_dB - shown) <= ALLOWED_dB:
                continue
            null = extreme.power_dB <= _NULL_dB
            value = f"below {_NULL_dB:.0f} dB" if null else f"{extreme.power_dB:.2f} dB"
            yield (
                f"{start} to {end}: the {what} power is {value} at {extreme.wl:.7g} um, between points; the "
                f"points of the grid and the curve through them show {shown:.2f} dB."
            )


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

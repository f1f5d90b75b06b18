"""Tables of S-parameters made ready: gain and asymmetry are measured, and removed where asked.

A spline rises between its points, so gain between them is found and clipped too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.model.interpolation import Interpolant
from photosim.units import wavelength

if TYPE_CHECKING:
    from photosim.model.sampled import SampledData

ROUNDING = 1e-9
"""Excess of a singular value over 1 that is rounding."""
DIVERGED = 2.0
"""Beyond it a table is the output of a solve that diverged, which no clipping makes right."""
_BETWEEN = 8
"""First looks for gain at this many places in every interval: a spline can rise between its points."""
_MAX_BETWEEN = 64
_NEAR_HIGHEST = 1e-2
"""Maxima of the singular value that are this close to the highest found so far are followed to their tops."""
_FOLLOWED = 9
"""Rounds in which the place of a maximum is narrowed, each four times: to 4e-6 of its interval."""
_FAINT_POWER = 1e-4
"""Below -40 dB a phase that jumps is noise."""
_ROUNDS = 400


@dataclass(frozen=True)
class Conditioned:
    """A table ready to be evaluated, and what it was like.

    largest_singular_value: of the table as given, between its points too, found at wl_um. asymmetry: largest
    difference between the two directions of a path. removed: largest change that `enforce` made to a matrix,
    as a singular value. coarse: (element, wavelength in um, power) of phase steps above pi/2.
    """

    interpolant: Interpolant
    largest_singular_value: float
    wl_um: float
    asymmetry: float
    removed: float
    coarse: tuple[tuple[str, float, float], ...]


def _grid(curve: Interpolant) -> Any:
    """Return the frequencies with places between them added, shape (F',).

    Elements of unlike delays turn against each other, and singular values with them: eight places a turn.
    """
    frequency = curve.frequency_Hz
    wide = float(np.diff(frequency).max(initial=0.0))
    turns = wide * _spread(curve)
    between = min(max(_BETWEEN, int(np.ceil(_BETWEEN * turns))), _MAX_BETWEEN)
    places = np.arange(between * (len(frequency) - 1) + 1) / between
    return np.interp(places, np.arange(len(frequency)), frequency)


def _spread(curve: Interpolant) -> float:
    """Return the longest minus the shortest delay of elements that are not zero, in s."""
    found = curve.delay_s[np.abs(curve.s).max(axis=0) > ROUNDING]
    return float(np.ptp(found)) if found.size else 0.0


def _norms(curve: Interpolant, frequency: Any) -> Any:
    """Return the largest singular value at frequencies, shape (F,)."""
    return np.linalg.norm(curve(frequency), 2, axis=(1, 2))


def _gain(table: SampledData, s: Any, near_s: float | None) -> tuple[float, float]:
    """Return the largest singular value of the spline, and its frequency in Hz.

    Every maximum on a grid that comes close to the highest is followed to its top, which the grid misses.
    """
    curve = Interpolant(table.frequency_Hz, s, near_s=near_s)
    grid = _grid(curve)
    norms = _norms(curve, grid)
    best = int(norms.argmax())
    edged = np.concatenate([[-np.inf], norms, [-np.inf]])
    tops = (norms >= edged[:-2]) & (norms >= edged[2:]) & (norms > norms[best] - _NEAR_HIGHEST)
    at = np.flatnonzero(tops)
    low, high = grid[np.maximum(at - 1, 0)], grid[np.minimum(at + 1, len(grid) - 1)]
    found = norms[best], grid[best]
    for _ in range(_FOLLOWED):
        places = np.linspace(low, high, 9)
        values = _norms(curve, places.ravel()).reshape(places.shape)
        k = values.argmax(axis=0)
        column = np.arange(len(at))
        top = int(values[k, column].argmax())
        found = max(found, (values[k[top], top], places[k[top], top]))
        low, high = places[np.maximum(k - 1, 0), column], places[np.minimum(k + 1, 8), column]
    return float(found[0]), float(found[1])


def _clipped(s: Any, most: float) -> Any:
    left, values, right = np.linalg.svd(s)
    return (left * np.minimum(values, most)[:, np.newaxis, :]) @ right


def _symmetric(s: Any) -> Any:
    return (s + np.swapaxes(s, 1, 2)) / 2


def _enforced(table: SampledData, enforce: str, near_s: float | None) -> Any:
    """Return S (F, P, P) with what `enforce` names removed.

    Singular values are clipped at the points, until the spline between them exceeds 1 by rounding alone.
    """
    reciprocal = enforce in {"reciprocal", "both"}
    wanted = _symmetric(table.s) if reciprocal else table.s
    if enforce not in {"passive", "both"}:
        return wanted
    s, most = wanted, 1.0
    largest, at = _gain(table, table.s, near_s)
    if largest > DIVERGED:
        message = (
            f"table {table.name!r} has a largest singular value of {largest:.4g} at "
            f"{float(wavelength(at)):.5g} um: the simulation that made it diverged, and enforce: {enforce} "
            f"clips up to {DIVERGED:g}; simulate it again."
        )
        raise ParameterError(message)
    for attempt in range(_ROUNDS):
        gain, _ = _gain(table, s, near_s)
        if gain <= 1.0 + ROUNDING:
            return s
        most -= 1.1 * (gain - 1.0) if attempt else 0.0
        s = _clipped(wanted, most)
        s = _symmetric(s) if reciprocal else s
    message = (
        f"table {table.name!r} jumps too wildly between its points to be made passive: {gain:.4f} is left."
    )
    raise ParameterError(message)


def asymmetry_of(table: SampledData) -> float:
    """Return the largest difference between the two directions of a path."""
    return float(np.abs(table.s - np.swapaxes(table.s, 1, 2)).max())


@lru_cache(maxsize=256)
def condition(table: SampledData, enforce: str = "none", near_s: float | None = None) -> Conditioned:
    """Return a table with its interpolant; the same table is worked out once.

    near_s: the delay in s that chooses among those that the table allows.
    """
    gain, at = _gain(table, table.s, near_s)
    asymmetry = asymmetry_of(table)
    s = _enforced(table, enforce, near_s)
    interpolant = Interpolant(table.frequency_Hz, s, f"table {table.name!r}", near_s)
    removed = float(np.linalg.norm(s - table.s, 2, axis=(1, 2)).max())
    steps = interpolant.steps(_FAINT_POWER)
    wl = wavelength(table.frequency_Hz)
    power = np.minimum(np.abs(s[1:]), np.abs(s[:-1])) ** 2
    coarse = tuple(
        (f"{table.ports[b]} to {table.ports[a]}", float(wl[k]), float(power[k, a, b]))
        for k, a, b in np.argwhere(steps > np.pi / 2)
    )
    return Conditioned(interpolant, gain, float(wavelength(at)), asymmetry, removed, coarse)

"""Tabulated S-parameters of networks as rational fits behind delays, passive where they must be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from photosim.electronics.vector_fit import RationalFit, fit, largest_gain, passive, probing
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.model.electrical_table import ElectricalTable

    FloatArray = NDArray[np.float64]

MOST_POINTS = 1200
"""Frequencies that a fit is made from; of a longer table some are left out."""
WORST = 0.05
"""Error of a fit above which a table is refused."""
_BEYOND = 0.1
"""Weight, over the tolerance, with which a fit is held down above the band."""
_LEADS = (0.0, 0.7, 0.85, 0.95, 1.0)
_PROBED = (6,)
_TURNS = 0.5
_STRONG = 0.05


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A network as a rational fit of its S-matrix, row by row, behind delays (P P,) in s.

    error: largest difference from the table.  moved: largest change that passivity needed.
    left: largest singular value of the fit.
    """

    fit: RationalFit
    delays: FloatArray
    ohm: FloatArray
    error: float
    moved: float
    left: float


@lru_cache(maxsize=64)
def fitted_network(table: ElectricalTable, tolerance: float, *, enforce: bool) -> FittedNetwork:
    """Return the fit of a table to a tolerance; made passive where `enforce` says so.

    Raises ParameterError for a table that no fit follows to WORST.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # small matrices: threads would wait for each other
        return _fitted(table, tolerance, enforce=enforce)


def _fitted(table: ElectricalTable, tolerance: float, *, enforce: bool) -> FittedNetwork:
    every = max(1, -(-table.frequency_Hz.size // MOST_POINTS))
    kept = np.unique(np.append(np.arange(0, table.frequency_Hz.size, every), table.frequency_Hz.size - 1))
    frequency, s = table.frequency_Hz[kept], table.s[kept]
    size = len(table.ohm)
    if frequency[0] == 0.0:
        s = np.concatenate([s[:1].real.astype(np.complex128), s[1:]])
    flat = s.reshape(len(s), -1)
    delays, weak = np.zeros(size**2), _BEYOND * tolerance
    found = fit(frequency, flat, tolerance=tolerance, beyond=weak)
    if found.error > tolerance:  # too long for poles alone
        own = [0.0 if k // size == k % size else _delay(frequency, flat[:, k]) for k in range(size**2)]
        late = np.array(own)
        turned = flat * np.exp(2j * np.pi * frequency[:, np.newaxis] * late)
        behind = fit(frequency, turned, tolerance=tolerance, beyond=weak)
        if behind.error < found.error:
            found, delays = behind, late
    whole = table.s.reshape(len(table.s), -1)
    moved, left = 0.0, float(largest_gain(found, delays, probing(found, frequency, delays)).max())
    if enforce and left > 1.0:
        before = found
        found, left = passive(found, delays, frequency)
        moved = float(np.abs(found.at(frequency) - before.at(frequency)).max())
    turn = np.exp(-2j * np.pi * table.frequency_Hz[:, np.newaxis] * delays)
    error = float(np.abs(found.at(table.frequency_Hz) * turn - whole).max())
    if error > WORST:
        message = (
            f"Table {table.name!r} cannot be followed in time: its best rational fit, of {found.poles.size} "
            f"poles, is off by {error:.2g} where 1 is all. Leave out frequencies that do not matter, or "
            "smooth the measurement."
        )
        raise ParameterError(message)
    return FittedNetwork(found, delays, table.ohm, error, moved, left)


def gain_of(table: ElectricalTable) -> tuple[float, float]:
    """Return the largest singular value of a table, and its frequency in Hz."""
    gains = np.linalg.norm(table.s, 2, (1, 2))
    top = int(gains.argmax())
    return float(gains[top]), float(table.frequency_Hz[top])


def _delay(frequency: FloatArray, values: NDArray[np.complex128]) -> float:
    """Return the delay in s in front of a response (F,): none where that is a small part of a wave."""
    strong = np.abs(values) > _STRONG * float(np.abs(values).max(initial=0.0))
    pairs = strong[1:] & strong[:-1] & (frequency[:-1] > 0.0)
    if not pairs.any():
        return 0.0
    slope = -np.angle(values[1:] * values[:-1].conj())[pairs] / (2 * np.pi * np.diff(frequency)[pairs])
    late = float(np.median(slope))
    if late * frequency[-1] < _TURNS:
        return 0.0
    best, chosen = np.inf, 0.0
    for lead in _LEADS:
        turned = values * np.exp(2j * np.pi * frequency * late * lead)
        error = fit(frequency, turned[:, np.newaxis], tolerance=0.0, orders=_PROBED).error
        if error < best:
            best, chosen = error, late * lead
    return chosen

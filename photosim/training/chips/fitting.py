"""All numbers of a chip from all readings: least squares with what is known beforehand as a weak pull."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from photosim.training.arrays import FloatArray, IndexArray
from photosim.training.chips.model import Model, Numbers

CHUNK = 256
"""Readings whose derivatives are held at a time."""
WIDTHS = {
    "split": 0.06, "join": 0.06, "offset": 3.0, "per_pi": 0.1, "loss": 0.03, "entry": 0.5, "leave": 0.5,
    "share": 0.02, "reach": 0.7, "extra": 0.005,
}  # fmt: skip
"""How far a chip may be from its design, as standard deviations of the numbers of a Model."""
_STIFFEST, _SOFTEST = 1e8, 1e-6


@dataclass(frozen=True)
class Seen:
    """Readings as arrays: powers (R, H), inputs (R,), outputs (R, n)."""

    powers: FloatArray
    entrances: IndexArray
    outputs: FloatArray

    def some(self, rows: slice) -> Seen:
        """Return some of the readings."""
        return Seen(self.powers[rows], self.entrances[rows], self.outputs[rows])

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self.entrances)


@dataclass(frozen=True)
class Fit:
    """Numbers found; error: root mean square of the readings' misfit in units of their noise.

    information: of the numbers' row, shape (numbers, numbers).
    """

    numbers: Numbers
    error: float
    information: FloatArray


def widths(numbers: Numbers) -> FloatArray:
    """Return the standard deviation of each number beforehand."""
    return np.concatenate(
        [np.full(getattr(numbers, own.name).size, WIDTHS[own.name]) for own in fields(numbers)]
    )


def fit(
    model: Model,
    seen: Seen,
    start: Numbers,
    free: IndexArray,
    *,
    noise: float = 0.01,
    floor: float = 1e-3,
    rounds: int = 30,
    enough: float = 1e-4,
) -> Fit:
    """Return the numbers that explain the readings best, by Levenberg and Marquardt; only those `free` move.

    noise: deviation of a reading relative to it.  floor: what is added to it, in units of the light sent in.
    enough: relative fall of the cost by a step at which the search ends.
    """
    design, width = model.start().vector(), widths(start)
    vector, damping = start.vector(), 1e-3
    value, slope, bend = _normal(model, seen, start.of(vector), free, noise, floor)

    def pulled(row: FloatArray) -> float:
        return float(np.sum(((row - design) / width)[free] ** 2))

    cost = value + pulled(vector)
    for _ in range(rounds):
        gradient = slope + ((vector - design) / width**2)[free]
        curved = bend + np.diag(width[free] ** -2.0)
        step = np.linalg.solve(curved + damping * np.diag(np.diag(curved)), -gradient)
        moved = vector.copy()
        moved[free] += step
        numbers = start.of(moved)
        inside = numbers.reach[0] > 0.1 and np.all(np.abs(numbers.loss) < 1.0)
        trial = misfit(model, seen, numbers, noise, floor) + pulled(moved) if inside else np.inf
        if trial < cost:
            gain = (cost - trial) / cost
            vector, cost, damping = moved, trial, max(damping / 5.0, _SOFTEST)
            value, slope, bend = _normal(model, seen, start.of(vector), free, noise, floor)
            if gain < enough:
                break
        else:
            damping *= 8.0
            if damping > _STIFFEST:
                break
    return Fit(start.of(vector), float(np.sqrt(value / seen.outputs.size)), bend)


def misfit(model: Model, seen: Seen, numbers: Numbers, noise: float, floor: float) -> float:
    """Return the sum of squared errors of the readings in units of their deviations."""
    total = 0.0
    for first in range(0, len(seen), CHUNK):
        some = seen.some(slice(first, first + CHUNK))
        expected = model.readings(numbers, some.powers, some.entrances)
        total += float(np.sum(((expected - some.outputs) / _deviation(expected, noise, floor)) ** 2))
    return total


def _normal(
    model: Model, seen: Seen, numbers: Numbers, free: IndexArray, noise: float, floor: float
) -> tuple[float, FloatArray, FloatArray]:
    """Return the sum of squares, half its gradient and half its curvature (Gauss and Newton)."""
    value, slope, bend = 0.0, np.zeros(free.size), np.zeros((free.size, free.size))
    for first in range(0, len(seen), CHUNK):
        some = seen.some(slice(first, first + CHUNK))
        expected, slopes = model.slopes(numbers, some.powers, some.entrances)
        weight = 1.0 / _deviation(expected, noise, floor)
        error = ((expected - some.outputs) * weight).ravel()
        moved = (slopes * weight[..., np.newaxis]).reshape(error.size, -1)[:, free]
        value += float(error @ error)
        slope += moved.T @ error
        bend += moved.T @ moved
    return value, slope, bend


def _deviation(expected: FloatArray, noise: float, floor: float) -> FloatArray:
    return np.hypot(noise * expected, floor)

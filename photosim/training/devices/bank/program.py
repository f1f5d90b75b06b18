"""Heater phases that program a matrix of weights into a bank, crosstalk included.

There are two steps. First each ring is set as if it were alone, less the weight that its neighbours add.
Where this does not converge, damped Newton steps on all rings of a row follow, with exact derivatives of the
circuit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photosim.display import Brief
from photosim.errors import ParameterError
from photosim.training.arrays import BoolArray, FloatArray
from photosim.training.devices.bank.circuit import BankCircuit

COARSE = 64
"""Phases of the first scan of each ring: enough to see a resonance of finesse 100 between two of them."""
FINE = 9
"""Phases of the second scan, around the resonance; the resonance curve has five unknowns."""
TOLERANCE = 1e-9
"""Largest weight error left, as a share of the reach; far below any converter and well above rounding."""
MAX_STEPS = 40
ALONE_STEPS = 20
SLOW = 0.5
"""Share of an error that a step as if alone must leave, or Newton's take over."""
SHORTEST_STEP = 1e-3
"""Below this share of a Newton step a row is given up: its rings cannot reach the weights."""
LARGEST_MOVE = 0.1
"""Largest change of a phase in one step, in rad."""


@dataclass(frozen=True)
class Calibration(Brief):
    """Weight of each ring as a function of its own phase, with the other rings as in the netlist.

    The power at a port is (p0 + p1 cos + p2 sin)/(1 + q1 cos + q2 sin) of the phase of one ring, since the
    ring enters the circuit's equations with one round trip exp(i phase): curve holds p0, p1, p2, q1, q2,
    shape (M, N, 5).
    centre, low, high: phase of the resonance in rad, and the smallest and largest weight in A, shape (M, N).
    """

    curve: FloatArray
    centre: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def reach(self) -> float:
        """Largest weight in A that every ring can hold with either sign."""
        return float(min(self.high.min(), -self.low.max()))


def calibrate(bank: BankCircuit) -> Calibration:
    """Scan every ring over one turn, column by column, and fit its resonance.

    Raises ParameterError when the rings do not reach weights of both signs.
    """
    turn = np.arange(COARSE) * (2.0 * np.pi / COARSE)
    coarse = _scan(bank, np.broadcast_to(turn, (bank.rows, bank.channels, COARSE)))
    peak = turn[coarse.argmax(axis=-1)]
    around = peak[..., np.newaxis] + np.linspace(-1.0, 1.0, FINE) * (2.0 * np.pi / COARSE)
    fine = _scan(bank, around)
    curve = _fit_curve(around, fine)
    dense = peak[..., np.newaxis] + np.linspace(-1.0, 1.0, 201) * (2.0 * np.pi / COARSE)
    weights = _evaluate(curve[..., np.newaxis, :], dense)
    best = weights.argmax(axis=-1)[..., np.newaxis]
    centre = np.take_along_axis(dense, best, axis=-1)[..., 0]
    found = Calibration(
        curve, centre, coarse.min(axis=-1), np.take_along_axis(weights, best, axis=-1)[..., 0]
    )
    if not found.reach > 0.0:
        message = (
            f"The rings of {bank.name!r} do not reach weights of both signs (from {found.low.max():.3g} A to "
            f"{found.high.min():.3g} A): their loss is too high for their coupling."
        )
        raise ParameterError(message)
    return found


def solve(bank: BankCircuit, calibration: Calibration, targets: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return heater phases (B, M, N) in rad for weights `targets` (B, M, N) in A, and where they exist.

    The second result, shape (B,), is true where every weight of a tile is right to 1e-9 of the reach. Rows do
    not act on each other, so each takes Newton steps of its own length: halved after a step that made its
    error larger, doubled after one that did not.
    """
    phases, off = _alone(bank, calibration, targets)
    rest = np.flatnonzero((off > TOLERANCE * calibration.reach).any(axis=-1))
    found: BoolArray = np.asarray((off <= TOLERANCE * calibration.reach).all(axis=-1))
    if rest.size:
        phases[rest], found[rest] = _newton(bank, calibration, targets[rest], phases[rest])
    return np.mod(phases, 2.0 * np.pi), found


def _alone(bank: BankCircuit, calibration: Calibration, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return phases (B, M, N) and the largest error (B, M) of each row, rings set as if each were alone.

    What neighbours add is taken off the target weight of a ring, step by step: weights alone are needed,
    whose slopes cost several times as much, and each step leaves the crosstalk's share of the error.
    """
    asked = targets.copy()
    best, off = np.zeros_like(targets), np.full(targets.shape[:2], np.inf)
    moving = np.arange(len(targets))
    for _ in range(ALONE_STEPS):
        trial = _guess(calibration, asked[moving])
        error = targets[moving] - bank.weights(trial)
        size = np.abs(error).max(axis=-1)
        better = size < off[moving]
        gained = (size < SLOW * off[moving]).any(axis=-1)
        tile, row = moving[np.nonzero(better)[0]], np.nonzero(better)[1]
        best[tile, row], off[tile, row] = trial[better], size[better]
        asked[moving] += error
        wrong = (off[moving] > TOLERANCE * calibration.reach).any(axis=-1)
        moving = moving[wrong & gained]
        if not moving.size:
            break
    return best, off


def _newton(
    bank: BankCircuit, calibration: Calibration, targets: FloatArray, phases: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Return phases (B, M, N) by Newton steps from given ones, and which tiles (B,) are right."""
    phases = phases.copy()
    weights, slopes = bank.weights_and_slopes(phases)
    step = np.ones(targets.shape[:2])
    for _ in range(MAX_STEPS):
        error = targets - weights
        wrong = np.abs(error).max(axis=-1) > TOLERANCE * calibration.reach
        moving = np.flatnonzero((wrong & (step > SHORTEST_STEP)).any(axis=-1))
        if not moving.size:
            break
        trial = phases[moving] + step[moving, :, np.newaxis] * _newton_move(slopes[moving], error[moving])
        new_weights, new_slopes = bank.weights_and_slopes(trial)
        better = wrong[moving] & (_norm(targets[moving] - new_weights) < _norm(error[moving]))
        tile, row = moving[np.nonzero(better)[0]], np.nonzero(better)[1]
        phases[tile, row], weights[tile, row] = trial[better], new_weights[better]
        slopes[tile, row] = new_slopes[better]
        step[moving] = np.where(better, np.minimum(1.0, 2.0 * step[moving]), 0.5 * step[moving])
    wrong = np.abs(targets - weights).max(axis=-1) > TOLERANCE * calibration.reach
    return phases, ~wrong.any(axis=-1)


def _norm(error: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(error, axis=-1))


def _newton_move(slopes: FloatArray, error: FloatArray) -> FloatArray:
    """Return the Newton step, shortened as a whole row so that no phase moves by more than LARGEST_MOVE."""
    move = np.linalg.solve(slopes, error[..., np.newaxis])[..., 0]
    largest = np.abs(move).max(axis=-1, keepdims=True)
    return np.asarray(move * np.minimum(1.0, LARGEST_MOVE / np.maximum(largest, 1e-300)))


def _scan(bank: BankCircuit, phases: FloatArray) -> FloatArray:
    """Return the weight in A of each ring's own channel over its own phases, both of shape (M, N, K)."""
    return np.stack([bank.own_weights(n, phases[:, n]) for n in range(bank.channels)], axis=1)


def _fit_curve(phases: FloatArray, weights: FloatArray) -> FloatArray:
    """Fit w (1 + q1 cos + q2 sin) = p0 + p1 cos + p2 sin by least squares; shapes (M, N, K) to (M, N, 5)."""
    cos, sin = np.cos(phases), np.sin(phases)
    system = np.stack([np.ones_like(cos), cos, sin, -weights * cos, -weights * sin], axis=-1)
    return np.asarray((np.linalg.pinv(system) @ weights[..., np.newaxis])[..., 0])


def _evaluate(curve: FloatArray, phases: FloatArray) -> FloatArray:
    p0, p1, p2, q1, q2 = np.moveaxis(curve, -1, 0)
    cos, sin = np.cos(phases), np.sin(phases)
    return np.asarray((p0 + p1 * cos + p2 * sin) / (1.0 + q1 * cos + q2 * sin))


def _guess(calibration: Calibration, targets: FloatArray) -> FloatArray:
    """Return phases (B, M, N) beyond the resonances, where heating leads, that suit each ring alone.

    w (1 + q1 cos + q2 sin) = p0 + p1 cos + p2 sin is a cos + b sin = c, solved by atan2(b, a) +- arccos(c/|a,
    b|).
    """
    p0, p1, p2, q1, q2 = np.moveaxis(calibration.curve, -1, 0)
    a, b, c = p1 - targets * q1, p2 - targets * q2, targets - p0
    middle, half = np.arctan2(b, a), np.arccos(np.clip(c / np.hypot(a, b), -1.0, 1.0))
    beyond = [np.mod(middle + sign * half - calibration.centre, 2.0 * np.pi) for sign in (1.0, -1.0)]
    return np.asarray(calibration.centre + np.minimum(*beyond))

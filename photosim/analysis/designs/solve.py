"""Optimisers: least p-th powers by Gauss and Newton, then linear programs for the worst violation; L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.designs.aims import Aim

    FloatArray = NDArray[np.float64]

FIRST = (2.0, 6.0, 18.0)
"""Sharpness of the rounds from a start: exp(sharpness violation) is added up over all violations."""
LAST = (10.0, 30.0, 90.0, 270.0)
"""Sharpness of the rounds that refine the best."""
FIRST_STEPS, LAST_STEPS, PROGRAMS = 25, 120, 40
TRUST = 0.02
"""First reach of a linear program in rad."""
OFF = 0.05
"""Step in rad off a start at which no slope says where to go."""
PENALTY = 30.0
"""What a violated constraint weighs beside the others while powers are added up."""
_FLAT = 1e-7


@dataclass
class Trail:
    """Every evaluation: the worst violation or the loss, and the best x so far."""

    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        """Note an evaluation."""
        self.values.append(value)


class Minimax:
    """The largest violation of an aim, made small."""

    def __init__(self, aim: Aim, trail: Trail) -> None:
        self.aim, self.trail = aim, trail
        self._last: tuple[bytes, FloatArray, FloatArray] | None = None

    def rows(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return all violations and their slopes; those of the last x are kept."""
        key = x.tobytes()
        if self._last is None or self._last[0] != key:
            v, slopes = self.aim.violations(x)
            self._last = (key, v, slopes)
            self.trail.add(float(v.max()))
        return self._last[1], self._last[2]

    def powers(self, x: FloatArray, sharpness: tuple[float, ...], steps: int) -> FloatArray:
        """Return x after rounds of least squares of exp(sharpness/2 violation), ever sharper."""
        from scipy.optimize import least_squares

        low, high = self.aim.space.bounds
        for sharp in sharpness:
            top = float(_pressed(self.rows(x)[0]).max())

            def residuals(z: FloatArray, sharp: float = sharp, top: float = top) -> FloatArray:
                v = _pressed(self.rows(z)[0])
                extra = np.maximum(self.aim.constraints(z)[0], 0.0)
                return np.concatenate(
                    [np.exp(np.clip(0.5 * sharp * (v - top), -40.0, 40.0)), PENALTY * extra]
                )

            def slopes(z: FloatArray, sharp: float = sharp, top: float = top) -> FloatArray:
                v, slope = self.rows(z)
                own = np.exp(np.clip(0.5 * sharp * (_pressed(v) - top), -40.0, 40.0))
                inner = (0.5 * sharp * own / (1.0 + np.abs(v)))[:, np.newaxis] * slope
                extra, by = self.aim.constraints(z)
                return np.vstack([inner, PENALTY * by * (extra > 0.0)[:, np.newaxis]])

            start = np.clip(x, low + 1e-9, high - 1e-9)
            x = np.asarray(least_squares(residuals, start, slopes, bounds=(low, high), max_nfev=steps).x)
        return x

    def programs(self, x: FloatArray, most: int) -> FloatArray:
        """Return x after linear programs in a trust region, which meet the constraints."""
        from scipy.optimize import linprog

        low, high = self.aim.space.bounds
        reach, n = TRUST, len(x)
        v, slopes = self.rows(x)
        merit = self.merit(x)
        for _ in range(most):
            extra, by = self.aim.constraints(x)
            table = np.vstack(
                [np.column_stack([slopes, -np.ones(len(v))]), np.column_stack([by, np.zeros(len(extra))])]
            )
            goal = np.zeros(n + 1)
            goal[-1] = 1.0
            box = np.column_stack([np.maximum(low - x, -reach), np.minimum(high - x, reach)])
            limits = [*map(tuple, box), (None, None)]
            found = linprog(goal, A_ub=table, b_ub=-np.concatenate([v, extra]), bounds=limits, method="highs")
            if found.status == 2:  # the constraints lie beyond the reach
                reach *= 2.0
                if reach > 10.0:
                    break
                continue
            if found.status != 0 or found.x is None:
                break
            hoped = merit - float(found.x[-1])
            if hoped < _FLAT:
                break
            tried = np.clip(x + found.x[:-1], low, high)
            new = self.merit(tried)
            share = (merit - new) / hoped
            if share > 0.05:
                x, merit = tried, new
                v, slopes = self.rows(x)
            reach = min(1.0, reach * 2.0) if share > 0.7 else reach * 0.4 if share < 0.25 else reach
            if reach < 1e-9:
                break
        return x

    def merit(self, x: FloatArray) -> float:
        """Return the worst violation, with a penalty for constraints that are not met."""
        extra = self.aim.constraints(x)[0]
        over = float(np.maximum(extra, 0.0).sum()) if len(extra) else 0.0
        return float(self.rows(x)[0].max()) + PENALTY * over


def _pressed(v: FloatArray) -> FloatArray:
    """Return violations with large ones pressed together, in the same order."""
    return np.asarray(np.sign(v) * np.log1p(np.abs(v)))


def minimax(
    aim: Aim, starts: list[FloatArray], trail: Trail, report: Callable[[int], None]
) -> tuple[FloatArray, FloatArray]:
    """Return the best x and the worst violation of every start after its first rounds, the best refined."""
    solver = Minimax(aim, trail)
    found = []
    for k, x in enumerate(starts):
        rough = solver.powers(x, FIRST, FIRST_STEPS)
        found.append((solver.merit(rough), rough))
        report(k + 1)
    worst = np.array([f for f, _ in found])
    best: tuple[float, FloatArray] = min(found, key=lambda one: one[0])
    for k in np.argsort(worst, kind="stable")[:2].tolist():
        fine = solver.powers(found[k][1], LAST, LAST_STEPS)
        fine = solver.programs(fine, PROGRAMS)
        value = solver.merit(fine)
        worst[k] = min(worst[k], value)
        best = min(best, (value, fine), key=lambda one: one[0])
    return best[1], worst


Valued = Callable[[Any], "tuple[float, FloatArray]"]


def smooth(
    valued: Valued,
    aim: Any,
    starts: list[FloatArray],
    trail: Trail,
    report: Callable[[int], None],
    steps: int = 500,
) -> tuple[FloatArray, FloatArray]:
    """Return the best x of a loss with exact slopes, and the loss of every start.

    L-BFGS-B between bounds; SLSQP where there are linear constraints.
    """
    from scipy.optimize import minimize

    low, high = aim.space.bounds

    def counted(x: FloatArray) -> tuple[float, FloatArray]:
        value, slope = valued(x)
        trail.add(value)
        return value, slope

    pairs = [(None if np.isinf(a) else a, None if np.isinf(b) else b) for a, b in zip(low, high, strict=True)]
    more: dict[str, Any] = {"method": "L-BFGS-B", "options": {"maxiter": steps, "ftol": 1e-15, "gtol": 1e-9}}
    if aim.bounds:
        held = {
            "type": "ineq",
            "fun": lambda x: -aim.constraints(x)[0],
            "jac": lambda x: -aim.constraints(x)[1],
        }
        more = {"method": "SLSQP", "constraints": held, "options": {"maxiter": steps, "ftol": 1e-12}}
    found = []
    for k, x in enumerate(starts):
        done = minimize(counted, x, jac=True, bounds=pairs, **more)
        if done.nit == 0:  # a level spot, such as between two equal answers: step off it
            off = np.random.default_rng(k).normal(0.0, OFF, len(x))
            done = minimize(counted, np.clip(x + off, low, high), jac=True, bounds=pairs, **more)
        found.append((float(done.fun), np.asarray(done.x)))
        report(k + 1)
    values = np.array([value for value, _ in found])
    return found[int(values.argmin())][1], values

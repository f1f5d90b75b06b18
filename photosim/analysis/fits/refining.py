"""Least squares from one start to the minimum next to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.fits.problem import Problem


@dataclass(frozen=True, eq=False)
class Found:
    """A minimum: x in scaled units, (n,), and its cost, half the sum of squares."""

    x: NDArray[np.float64]
    cost: float


def refine(
    problem: Problem,
    x: NDArray[np.float64],
    *,
    steps: int = 100,
    robust: bool = False,
    tolerance: float = 1e-9,
) -> Found:
    """Return the minimum next to x."""
    from scipy.optimize import least_squares
    from threadpoolctl import threadpool_limits

    low, high = problem.bounds()
    inside = np.clip(x, low, high)
    margin = 1e-9 * np.where(np.isfinite(high - low), high - low, 1.0)
    inside = np.clip(inside, low + margin, high - margin)
    with threadpool_limits(1):  # a Jacobian is too narrow for more
        found = least_squares(
            problem.residuals,
            inside,
            jac=problem.jacobian,
            bounds=(low, high),
            method="trf",
            max_nfev=steps,
            loss="soft_l1" if robust else "linear",
            ftol=tolerance,
            xtol=max(1e-8, 0.1 * tolerance),
            gtol=1e-10,
        )
    return Found(found.x, 0.5 * float(np.sum(found.fun**2)))

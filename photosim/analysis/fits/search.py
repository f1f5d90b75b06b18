"""The search for the best settings: many starts computed, few refined from smooth to sharp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.fits.fringes import period, thinned
from photosim.analysis.fits.refining import Found, refine
from photosim.analysis.fits.starts import SMOOTH, StartsWork
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.fits.problem import Problem
    from photosim.jobs.work import Arrays

LOOKED_AT = 2048
"""Starts that are computed before a few are refined, where all data are small."""
_POINTS = 4_000_000
_TREND = 2
_SAME = 0.3
_KEPT, _WORSE = 5, 3.0


def search(
    problem: Problem,
    starts: int,
    seed: int,
    solve: Callable[[StartsWork], Arrays],
    question: Mapping[str, Any],
) -> tuple[Problem, list[Found], NDArray[np.float64]]:
    """Return the problem at fewer wavelengths, its minima, best first, and each start's cost, rising.

    solve: refines all starts, here or on workers.  question: for the reader of kept chunks.
    """
    few = thinned(problem.data)
    fringe = period(few)
    width = fringe if fringe < 0.5 * len(few.wl) else 0.1 * len(few.wl)
    sparse = problem.changed(data=few)
    chosen = np.array(_starts(sparse, starts, seed, SMOOTH[0] * width / 2.355))
    refined = solve(StartsWork(sparse, chosen, width, question, seed))
    rough = [Found(x, float(cost)) for x, cost in zip(refined["x"], refined["cost"], strict=True)]
    rough = [one for one in rough if np.isfinite(one.cost)]
    if not rough:
        message = (
            "No start of the fit lies within the bounds of all parts: narrow the bounds of the fitted "
            "settings."
        )
        raise ParameterError(message)
    rough.sort(key=lambda one: one.cost)
    found: list[Found] = []
    for one in rough:
        if len(found) >= _KEPT or one.cost > _WORSE * rough[0].cost + 1e-12:
            break
        if any(np.abs(one.x - other.x).max() < _SAME for other in found):
            continue
        minimum = refine(sparse, one.x, steps=80)
        if not any(np.abs(minimum.x - other.x).max() < _SAME for other in found):
            found.append(minimum)
    found.sort(key=lambda one: one.cost)
    return sparse, found, np.array([one.cost for one in rough])


def _starts(problem: Problem, count: int, seed: int, sigma: float) -> list[NDArray[np.float64]]:
    """Return the starts to refine: the first guess, and those of many draws whose smooth spectra fit best."""
    from photosim.analysis.sweeps.points import unit_samples

    parameters, data = problem.parameters, problem.data
    guess = np.array([p.start for p in parameters])
    if count <= 1:
        return [guess]
    most = int(min(LOOKED_AT, max(4 * count, _POINTS // (len(data.wl) * problem.columns))))
    unit = unit_samples(len(parameters), most, seed, "sobol" if len(parameters) < 100 else "random")
    drawn = np.stack([p.draw(unit[:, k]) for k, p in enumerate(parameters)], axis=-1)
    drawn[0] = guess
    costs = np.concatenate(
        [_costs(problem, part, sigma) for part in np.array_split(drawn, max(1, most // 128))]
    )
    order = np.argsort(costs, kind="stable")
    chosen = [guess]
    spread = np.array([max(p.spread, 1e-12) for p in parameters])
    for number in order:
        if len(chosen) >= count or not np.isfinite(costs[number]):
            break
        if all(np.abs((drawn[number] - other) / spread).max() > 0.02 for other in chosen):
            chosen.append(drawn[number])
    return chosen


def _costs(problem: Problem, drawn: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return the cost of settings (B, n) after the best parabola in dB is taken off each column, (B,)."""
    from scipy.ndimage import gaussian_filter1d

    data = problem.data
    try:
        power = problem.powers.values(data.wl, drawn)
    except ParameterError:
        if len(drawn) == 1:
            return np.array([np.inf])
        return np.concatenate([_costs(problem, drawn[k : k + 1], sigma) for k in range(len(drawn))])
    goal = gaussian_filter1d(np.nan_to_num(data.power), sigma, axis=-1, mode="nearest", truncate=3.0)
    power = gaussian_filter1d(power, sigma, axis=-1, mode="nearest", truncate=3.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = 10.0 * np.log10(np.maximum(power, 1e-30)) - 10.0 * np.log10(np.maximum(goal, 1e-30))
    q, _ = np.linalg.qr(np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, len(data.wl)), _TREND))
    left = left - (left @ q) @ q.T
    # A deep null that lies beside the measured one must not decide.
    found = np.sum(np.minimum(left**2, 25.0), axis=(-2, -1))
    for k, p in enumerate(problem.parameters):
        if p.has_prior:
            found = found + ((drawn[:, k] - p.mean) / p.sigma) ** 2
    return np.where(np.isfinite(found), found, np.inf)


def scan(
    problem: Problem, settings: NDArray[np.float64], changes: NDArray[np.float64], extra: NDArray[np.float64]
) -> NDArray[Any]:
    """Return half the sum of squares at settings (n,) plus changes (B, n), all else as it is, (B,)."""
    theta = settings + changes
    low = np.array([p.low for p in problem.parameters])
    high = np.array([p.high for p in problem.parameters])
    inside = ((theta >= low) & (theta <= high)).all(axis=1)
    theta = np.clip(theta, low, high)
    try:
        power = problem.powers.values(problem.data.wl, theta)
    except ParameterError:
        if len(theta) == 1:
            return np.array([np.inf])
        return np.concatenate([scan(problem, settings, changes[k : k + 1], extra) for k in range(len(theta))])
    costs = np.array(
        [problem.cost_of(np.concatenate([t, extra]), p) for t, p in zip(theta, power, strict=True)]
    )
    return np.where(inside, costs, np.inf)

"""How well a fit knows its settings: covariance, block bootstrap, and what the data cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.analysis.fits.fringes import correlation_length, period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.fits.problem import Problem

FRINGES = 8.0
"""Fringes that a block of the bootstrap covers, where the spectra have twice as many."""
_WEAK = 2.0
"""A direction is open where its error is so many times how far off the settings may be."""
_NOTHING = 0.02
_EXTRA = 20.0
_LENGTHS = 2.0


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Errors of x, in units of the problem's scales.

    draws: changes of x by the block bootstrap, (B, n).  white: standard errors if residuals were independent,
    (n,). free: directions (n, k) that the data leave open.  open: whether each of x moves along them by more
    than its error, (n,). noise: rms of the residuals times the root of the samples along which they stay
    alike.  block: samples of a block.
    """

    draws: NDArray[np.float64]
    white: NDArray[np.float64]
    free: NDArray[np.float64]
    open: NDArray[np.bool_]
    noise: float
    block: int

    @property
    def error(self) -> NDArray[np.float64]:
        """Standard errors (n,) of the block bootstrap, no smaller than if residuals were independent.

        A spectrum of few blocks has few sums to draw from, which may happen to be alike.
        """
        return np.asarray(np.maximum(self.draws.std(axis=0, ddof=1), self.white))


def noise_of(problem: Problem, x: NDArray[np.float64]) -> float:
    """Return the standard deviation of a residual that counts for one: correlated ones count for less."""
    left = _field(problem, x)
    rms = float(np.sqrt(np.nanmean(left**2)))
    return max(rms * float(np.sqrt(correlation_length(left))), 1e-9)


def block_length(problem: Problem, left: NDArray[np.float64]) -> int:
    """Return the samples of a block: longer than a fringe, and than residuals stay alike."""
    count = len(problem.data.wl)
    fringe = period(problem.data)
    longest = max(count // 2, 1)
    wanted = FRINGES * fringe if fringe < 0.5 * count else count / 6.0
    return int(min(max(wanted, _LENGTHS * correlation_length(left), 1.0), longest))


def uncertainty(
    problem: Problem, x: NDArray[np.float64], draws: int, seed: int, block: int | None
) -> Uncertainty:
    """Return the errors at a minimum, from so many resamples of blocks of residuals."""
    left = _field(problem, x)
    known = int(problem.known.sum())
    jacobian = problem.jacobian(x)
    data, priors = jacobian[:known], jacobian[known:]
    spread = _spreads(problem)
    information = data.T @ data
    size = block if block is not None else block_length(problem, left)
    free = _free(information * np.outer(spread, spread)) * spread[:, np.newaxis]
    whole = information + priors.T @ priors
    inverse = _inverse(whole * np.outer(spread, spread)) * np.outer(spread, spread)
    rng = np.random.default_rng(seed)
    table = np.zeros((*problem.known.shape, problem.size))
    table[problem.known] = data
    mean = np.nanmean(left, axis=1, keepdims=True)
    filled = np.nan_to_num(np.where(np.isfinite(left), left - mean, 0.0)) / problem.noise
    count = left.shape[1]
    blocks = -(-count // size)
    scores = np.empty((draws, problem.size))
    for number in range(draws):
        first = rng.integers(0, count - size + 1, blocks)
        places = (first[:, np.newaxis] + np.arange(size)).ravel()[:count]
        scores[number] = np.einsum("cwn,cw->n", table, filled[:, places])
    scores += rng.standard_normal((draws, len(priors))) @ priors
    # As many residuals as settings vanish by the fit itself.
    lost = known / max(known - problem.size, 1)
    rms = float(np.sum(filled**2)) / max(known - problem.size, 1)
    white = np.sqrt(np.maximum(np.diag(inverse @ (rms * information + priors.T @ priors) @ inverse), 0.0))
    found = scores @ inverse * np.sqrt(lost)
    return Uncertainty(
        found, white, free, _open(free, spread, found.std(axis=0, ddof=1)), problem.noise, size
    )


def _field(problem: Problem, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the residuals (C, W) in dB, or over the strongest power; nan where nothing is known."""
    found = np.full(problem.known.shape, np.nan)
    found[problem.known] = problem.residuals(x)[: int(problem.known.sum())] * problem.noise
    return found


def _spreads(problem: Problem) -> NDArray[np.float64]:
    """Return how far off each of x may be, in its scale, before the data are seen."""
    own = [
        p.spread / s
        for p, s in zip(problem.parameters, problem.scales[: len(problem.parameters)], strict=True)
    ]
    return np.array([*own, *[_EXTRA] * len(problem.extra)])


def _free(information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the directions (n, k), in spreads, that the data leave open."""
    values, vectors = np.linalg.eigh(information)
    return np.asarray(vectors[:, values < 1.0 / _WEAK**2])


def _inverse(whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse in all directions that are known at all."""
    values, vectors = np.linalg.eigh(whole)
    kept = values > _NOTHING
    return np.asarray((vectors[:, kept] / values[kept]) @ vectors[:, kept].T)


def _open(
    free: NDArray[np.float64], spread: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which of x move by more than their error before one that moves along reaches its spread."""
    moved = np.zeros(len(spread), dtype=bool)
    for direction in free.T:
        reach = np.abs(direction) / np.max(np.abs(direction) / spread)
        moved |= (reach > error) & (reach > 1e-3 * spread)
    return moved

"""Yields of rare failures: importance sampling about the most probable failures of every limit.

Each side of each limit is a margin g(z) that is negative where a chip fails. Its most probable failure, the
point of g = 0 next to the origin, is found from linear fits of the margin; failures are then drawn from a
mixture of normals about these points and about the origin, and weighted by the ratio of the densities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.yields.judging import Judge

    FloatArray = NDArray[np.float64]

FITS = 3
"""Rounds of linear fits of each margin."""
FIT_SAMPLES = 12
"""Chips of a fit for each normal, at least 200 in all."""
WITHOUT = 0.1
"""Share of the chips that are drawn about the origin."""
FURTHEST = 8.0
"""Standard deviations beyond which a failure is left to the chips about the origin."""
_NARROW = 0.5


@dataclass(frozen=True)
class Rare:
    """Probability of failure with its standard error, of all entries and of each, and the chips it took."""

    probability: float
    error: float
    by_entry: FloatArray
    error_by_entry: FloatArray
    samples: int


def rare_failures(judge: Judge, samples: int, seed: int) -> Rare:
    """Return the probability that a chip fails, from about so many chips in all."""
    stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 0x5A5E)))
    points, used = _most_probable(judge, stream, samples // 2)
    left = max(samples - used, 256)
    d = judge.draws.dimensions
    weights = np.array([WITHOUT, *([(1.0 - WITHOUT) / max(1, len(points))] * len(points))])
    weights /= weights.sum()
    centres = np.vstack([np.zeros((1, d)), *[p[np.newaxis] for p in points]])
    counts = np.floor(weights * left).astype(int)
    counts[0] += left - counts.sum()
    z = np.concatenate([c + stream.standard_normal((n, d)) for c, n in zip(centres, counts, strict=True)])
    # Ratio of densities, of the normal to the mixture: sum over centres of exp(z.c - |c|^2/2).
    exponents = z @ centres.T - 0.5 * (centres**2).sum(axis=1)
    top = exponents.max(axis=1, keepdims=True)
    shares = counts / counts.sum()
    ratio = np.exp(-top[:, 0]) / (np.exp(exponents - top) @ shares)
    failed = np.array([e.margin(v) < 0.0 for e, v in zip(judge.entries, judge.values(z), strict=True)])
    parts = np.repeat(np.arange(len(counts)), counts)
    together = _estimate(ratio * failed.any(axis=0), parts)
    single = [_estimate(ratio * f, parts) for f in failed]
    by_entry, errors = (np.array([s[k] for s in single]) for k in range(2))
    return Rare(*together, by_entry, errors, used + left)


def _estimate(terms: FloatArray, parts: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean and standard error of terms drawn in fixed numbers from each part of a mixture."""
    total, variance = float(terms.mean()), 0.0
    for part in np.unique(parts):
        own = terms[parts == part]
        if len(own) > 1:
            variance += own.var(ddof=1) * len(own) / len(terms) ** 2
    return total, float(np.sqrt(variance))


def _most_probable(judge: Judge, stream: np.random.Generator, most: int) -> tuple[list[FloatArray], int]:
    """Return the most probable failures, and how many chips finding them took."""
    d = judge.draws.dimensions
    sides = [
        (k, side)
        for k, entry in enumerate(judge.entries)
        for side in (0, 1)
        if np.isfinite(entry.limits[side])
    ]
    each = max(200, FIT_SAMPLES * d)
    found: list[FloatArray] = []
    used = 0
    shared: FloatArray | None = None
    values = np.empty(0)
    for k, side in sides:
        centre, spread = np.zeros(d), 1.0
        for number in range(FITS):
            if used + each > most and number:
                break
            if number == 0 and shared is not None:
                z = shared
            else:
                z = centre + spread * stream.standard_normal((each, d))
                values, used = judge.values(z), used + each
                if number == 0:
                    shared, first = z, values
            own = (first if number == 0 else values)[k]
            entry = judge.entries[k]
            margin = own - entry.limits[0] if side == 0 else entry.limits[1] - own
            good = np.isfinite(margin)
            if good.sum() < d + 2:
                break
            fit = np.linalg.lstsq(np.column_stack([np.ones(good.sum()), z[good]]), margin[good], rcond=None)[
                0
            ]
            steep = float(fit[1:] @ fit[1:])
            if steep == 0.0:
                break
            centre, spread = -fit[0] * fit[1:] / steep, _NARROW
            if np.linalg.norm(centre) > FURTHEST:
                break
        if 0.0 < np.linalg.norm(centre) <= FURTHEST:
            found.append(centre)
    return found, used

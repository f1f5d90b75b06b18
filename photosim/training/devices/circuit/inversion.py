"""Settings that give a circuit the matrices wanted of it: damped least squares on all tiles at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from photosim.training.arrays import FloatArray

Slopes = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Settings (T, P) to matrices (T, M) as real numbers and their slopes (T, M, P)."""
Made = Callable[[FloatArray], FloatArray]
"""Settings (T, P) to matrices (T, M) alone."""
STEPS = 60
"""Steps of one start; most matrices that a circuit can hold take 10 to 30."""
WAYS = ("start", "scan", "free", "drawn", "drawn", "drawn")
"""Where descents begin, one after the other, for tiles that are not yet held."""
ROUNDING = 1e-14
SCAN = 96
"""Values of a setting that a scan tries: enough to see a resonance of finesse 100 between two of them."""
SCANS = 2
CLOSE = 1e-9
"""Share of the target's norm below which a matrix counts as held."""
STUCK = 1e-7
"""Relative gain of a step below which a start is given up."""
FIRST_DAMPING, LARGEST_DAMPING = 1e-2, 1e8


@dataclass(frozen=True)
class Solution:
    """Settings (T, P), gains (T,) that matrices are multiplied by, and the share (T,) that is missed."""

    settings: FloatArray
    gains: FloatArray
    missed: FloatArray


def invert(
    slopes: Slopes,
    made: Made,
    targets: FloatArray,
    start: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    units: FloatArray,
) -> Solution:
    """Return settings (T, P) whose matrices, each times a gain of its own, come closest to targets (T, M).

    Levenberg and Marquardt's steps with exact slopes, all tiles side by side. Gains are `units` (T,) at
    first: from `start` (P,), then from where a scan of one setting after the other ends, which finds
    resonances that slopes do not see. For tiles that still miss their target gains are free, from the best
    settings so far and from others drawn within the bounds (P,), or within a turn where there are none. The
    best is kept; zero targets have gain 0 and the start's settings.
    """
    rng = np.random.default_rng(0)
    count, (low, high) = len(targets), bounds
    norms = np.linalg.norm(targets, axis=1)
    best = Solution(np.tile(start, (count, 1)), np.zeros(count), np.where(norms > 0.0, 1.0, 0.0))
    for way in WAYS if start.size else WAYS[:1]:
        todo = np.flatnonzero(best.missed > CLOSE)
        if not todo.size:
            break
        own, held = targets[todo] / norms[todo, np.newaxis], units[todo] / norms[todo]
        gains = held if way in {"start", "scan"} and start.size else None
        match way:
            case "start":
                first = best.settings[todo]
            case "scan":
                first = _scanned(made, own, np.tile(start, (todo.size, 1)), bounds, held)
            case "free":
                first = best.settings[todo]
            case _:
                first = _drawn(rng, todo.size, low, high)
        found = _descend(slopes, own, first, bounds, gains)
        better = found.missed < best.missed[todo]
        rows = todo[better]
        best.settings[rows], best.missed[rows] = found.settings[better], found.missed[better]
        best.gains[rows] = found.gains[better] * norms[rows]
    return best


def _drawn(rng: np.random.Generator, count: int, low: FloatArray, high: FloatArray) -> FloatArray:
    inside = np.isfinite(low) & np.isfinite(high)
    first = np.where(inside, low, 0.0)
    return np.asarray(rng.uniform(first, np.where(inside, high, 2.0 * np.pi), (count, low.size)))


def _scanned(
    made: Made,
    targets: FloatArray,
    settings: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    gains: FloatArray,
) -> FloatArray:
    """Return settings (T, P) each of which, the others as they are, comes closest to the target."""
    settings, (low, high) = settings.copy(), bounds
    inside = np.isfinite(low) & np.isfinite(high)
    first, last = np.where(inside, low, 0.0), np.where(inside, high, 2.0 * np.pi)
    count, number = settings.shape
    wanted = (targets / gains[:, np.newaxis])[:, np.newaxis]
    for k in list(range(number)) * SCANS:
        trial = np.repeat(settings[:, np.newaxis], SCAN + 1, axis=1)
        trial[:, 1:, k] = first[k] + (last[k] - first[k]) * np.arange(SCAN) / SCAN
        found = made(trial.reshape(-1, number)).reshape(count, SCAN + 1, -1)
        best = np.linalg.norm(found - wanted, axis=2).argmin(axis=1)
        settings[:, k] = trial[np.arange(count), best, k]
    return settings


def _descend(
    slopes: Slopes,
    targets: FloatArray,
    settings: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    held: FloatArray | None,
) -> Solution:
    """Go down from settings (T, P) towards targets (T, M) of norm 1; tiles leave when they are done.

    held: gains (T,) that stay; else each matrix has the best one.
    """
    settings = settings.copy()
    made, by = slopes(settings)
    gains = _best_gain(made, targets) if held is None else held.copy()
    missed = np.linalg.norm(gains[:, np.newaxis] * made - targets, axis=1)
    damping, moving = np.full(len(targets), FIRST_DAMPING), np.ones(len(targets), dtype=bool)
    for _ in range(STEPS):
        rows = np.flatnonzero(moving)
        if not rows.size or not settings.shape[1]:
            break
        step = _step(gains[rows], made[rows], by[rows], targets[rows], damping[rows], free=held is None)
        trial = np.clip(settings[rows] + step, *bounds)
        new_made, new_by = slopes(trial)
        new_gains = _best_gain(new_made, targets[rows]) if held is None else held[rows]
        new_missed = np.linalg.norm(new_gains[:, np.newaxis] * new_made - targets[rows], axis=1)
        better = new_missed < missed[rows]
        gained = np.where(better, missed[rows] - new_missed, np.inf)
        own = rows[better]
        settings[own], made[own], by[own] = trial[better], new_made[better], new_by[better]
        gains[own], missed[own] = new_gains[better], new_missed[better]
        damping[rows] = np.where(better, np.maximum(damping[rows] / 5.0, 1e-12), damping[rows] * 4.0)
        moving[rows] = (
            (missed[rows] > ROUNDING) & (damping[rows] < LARGEST_DAMPING) & (gained > STUCK * missed[rows])
        )
    return Solution(settings, gains, missed)


def _best_gain(made: FloatArray, targets: FloatArray) -> FloatArray:
    """Return the factor (T,) by which each matrix comes closest to its target."""
    own = np.sum(made * made, axis=1)
    return np.asarray(np.sum(made * targets, axis=1) / np.where(own > 0.0, own, 1.0))


def _step(
    gains: FloatArray,
    made: FloatArray,
    by: FloatArray,
    targets: FloatArray,
    damping: FloatArray,
    *,
    free: bool,
) -> FloatArray:
    """Return the damped step of settings, (T, P), the gain moving with them where it is free."""
    jacobian = gains[:, np.newaxis, np.newaxis] * by
    if free:
        jacobian = np.concatenate([jacobian, made[:, :, np.newaxis]], axis=2)
    rest = targets - gains[:, np.newaxis] * made
    normal = np.matmul(jacobian.transpose(0, 2, 1), jacobian)
    diagonal = np.einsum("tpp->tp", normal)
    # Each setting by its own slope, as Marquardt has it; those without effect by the mean, so that they stay.
    floor = 1e-3 * diagonal.mean(axis=1, keepdims=True)
    scale = np.maximum(diagonal, np.where(floor > 0.0, floor, 1.0))
    normal = normal + damping[:, np.newaxis, np.newaxis] * scale[:, np.newaxis] * np.eye(scale.shape[1])
    toward = np.matmul(jacobian.transpose(0, 2, 1), rest[:, :, np.newaxis])
    return np.asarray(np.linalg.solve(normal, toward)[:, : by.shape[2], 0])


def bounds_of(parameters: Mapping[str, tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper bounds (P,) of settings by name."""
    pairs = np.array(list(parameters.values()), dtype=np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]

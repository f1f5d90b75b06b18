"""What a fit knows although it does not know the settings in it: products, ratios and sums of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.fits.problem import Problem
    from photosim.analysis.fits.uncertainty import Uncertainty

_NEAR = 0.06
_TRIED = 0.01
_PRODUCT_UNITS = {("1", "um"): "um", ("um", "1"): "um", ("1", "1"): "1"}


@dataclass(frozen=True)
class Combination:
    """A function of several settings that the data tell: its value, error and 95 % interval.

    kind: product, sum, derived (an expression of the user's), or either, one of the lists `choices`.
    """

    name: str
    kind: str
    settings: tuple[str, ...]
    value: float
    error: float
    low: float
    high: float
    unit: str
    choices: tuple[tuple[float, ...], ...] = ()


def combinations(problem: Problem, x: NDArray[np.float64], found: Uncertainty) -> list[Combination]:
    """Return the combinations of settings that the open directions leave as they are."""
    members = np.flatnonzero(found.open)
    if not members.size or not found.free.size:
        return []
    theta = x * problem.scales
    steps = found.free * problem.scales[:, np.newaxis]
    steps = steps[:, np.abs(found.free[members]).max(axis=0) > 0.0]
    draws = found.draws * problem.scales
    listed = []
    for group, directions in _groups(members, steps, problem):
        products = _are_products(problem, theta, group, directions)
        own = directions[group] / (theta[group, np.newaxis] if products else 1.0)
        pivots = _pivots(own, problem, group)
        others = [i for i in range(len(group)) if i not in pivots]
        weights = own[others] @ np.linalg.pinv(own[pivots])
        for row, i in zip(weights, others, strict=True):
            powers = {int(group[i]): 1.0} | {
                int(group[p]): -float(w) for p, w in zip(pivots, row, strict=True)
            }
            powers = {k: w for k, w in powers.items() if abs(w) > 1e-3}
            if len(powers) > 1:
                make = _product if products else _sum
                listed.append(make(problem, theta, draws, powers))
    return listed


def _groups(
    members: NDArray[np.int64], steps: NDArray[np.float64], problem: Problem
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return the open settings, with the directions, group by group: those that share no direction part."""
    if steps.shape[1] == 1:
        return [(members, steps)]
    scaled = steps[members] / problem.scales[members, np.newaxis]
    reduced = _reduced(scaled)
    linked = np.abs(reduced) > 0.02 * np.abs(reduced).max(axis=0)
    left = list(range(reduced.shape[1]))
    groups = []
    while left:
        chosen = [left.pop(0)]
        rows = linked[:, chosen[0]].copy()
        grown = True
        while grown:
            more = [j for j in left if (linked[:, j] & rows).any()]
            grown = bool(more)
            for j in more:
                left.remove(j)
                chosen.append(j)
                rows |= linked[:, j]
        full = np.zeros((len(steps), len(chosen)))
        full[members] = reduced[:, chosen] * problem.scales[members, np.newaxis]
        groups.append((members[rows], full))
    return groups


def _reduced(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return directions that span the same, each with a setting of its own."""
    from scipy.linalg import qr

    *_, order = qr(directions.T, pivoting=True)
    pivots = order[: directions.shape[1]]
    return np.asarray(directions @ np.linalg.pinv(directions[pivots]))


def _pivots(own: NDArray[np.float64], problem: Problem, group: NDArray[np.int64]) -> list[int]:
    """Return the rows that all others are combined with: one that makes products, not ratios."""
    from scipy.linalg import qr

    del problem, group
    if own.shape[1] > 1:
        *_, order = qr(own.T, pivoting=True)
        return [int(k) for k in order[: own.shape[1]]]
    column = own[:, 0]
    large = np.flatnonzero(np.abs(column) > 0.3 * np.abs(column).max())
    return [int(max(large, key=lambda k: np.sum(column[large] * column[k] < 0.0)))]


def _are_products(
    problem: Problem, theta: NDArray[np.float64], group: NDArray[np.int64], directions: NDArray[np.float64]
) -> bool:
    """Return whether settings leave the spectra more as they are when they change by factors than by sums."""
    if any(k >= len(problem.parameters) for k in group) or (theta[group] == 0.0).any():
        return False
    if any(problem.units[k].startswith("dB") for k in group):
        return False
    base = problem.residuals(theta / problem.scales)
    change = []
    direction = directions[:, 0]
    size = _TRIED / np.max(np.abs(direction[group] / theta[group]))
    for factor in (True, False):
        moved = theta.copy()
        if factor:
            moved[group] = theta[group] * np.exp(size * direction[group] / theta[group])
        else:
            moved[group] = theta[group] + size * direction[group]
        change.append(float(np.sum((problem.residuals(moved / problem.scales) - base) ** 2)))
    return change[0] <= change[1]


def _product(
    problem: Problem, theta: NDArray[np.float64], draws: NDArray[np.float64], powers: dict[int, float]
) -> Combination:
    powers = {
        k: (round(2.0 * w) / 2.0 if abs(2.0 * w - round(2.0 * w)) < 2 * _NEAR else w)
        for k, w in powers.items()
    }
    powers = {k: w for k, w in powers.items() if w != 0.0}
    value = float(
        np.prod([theta[k] ** w if theta[k] > 0.0 else _signed(theta[k], w) for k, w in powers.items()])
    )
    relative = sum(w * draws[:, k] / theta[k] for k, w in powers.items())
    names = [(_name(problem, k), w) for k, w in powers.items()]
    text = "*".join(n if w == 1.0 else f"{n}**{w:.4g}" for n, w in names if w > 0.0)
    for name, w in names:
        if w < 0.0:
            text += f"/{name}" if w == -1.0 else f"/{name}**{-w:.4g}"
    units = [(problem.units[k], w) for k, w in powers.items()]
    return _made(text, "product", problem, powers, value, value * np.asarray(relative), _unit(units))


def _signed(value: float, power: float) -> float:
    return float(np.sign(value) * abs(value) ** power)


def _sum(
    problem: Problem, theta: NDArray[np.float64], draws: NDArray[np.float64], powers: dict[int, float]
) -> Combination:
    value = float(sum(w * theta[k] for k, w in powers.items()))
    terms = []
    for k, w in powers.items():
        size = "" if abs(abs(w) - 1.0) < 1e-3 else f"{abs(w):.4g}*"
        terms.append(f"{'-' if w < 0.0 else '+'} {size}{_name(problem, k)}")
    text = " ".join(terms).removeprefix("+ ")
    first = next(iter(powers))
    changes = sum(w * draws[:, k] for k, w in powers.items())
    return _made(text, "sum", problem, powers, value, np.asarray(changes), problem.units[first])


def _made(
    text: str,
    kind: str,
    problem: Problem,
    powers: dict[int, float],
    value: float,
    changes: NDArray[np.float64],
    unit: str,
) -> Combination:
    low, high = np.quantile(changes, [0.025, 0.975]).tolist()
    names = tuple(problem.names[k] for k in powers)
    return Combination(text, kind, names, value, float(changes.std(ddof=1)), value + low, value + high, unit)


def _name(problem: Problem, k: int) -> str:
    return problem.names[k]


def _unit(units: list[tuple[str, float]]) -> str:
    parts = [u if w == 1.0 else f"{u}^{w:g}" for u, w in units if u not in ("1", "")]
    return " ".join(parts) or "1"

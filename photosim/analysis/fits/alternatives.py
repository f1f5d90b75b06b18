"""Other settings that fit as well: other orders of the fringes, and pairs of settings that change places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from photosim.analysis.fits.fringes import period
from photosim.analysis.fits.refining import Found, refine
from photosim.analysis.fits.search import scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.fits.problem import Problem

_SAMPLES = 401
_FINE = 61
_SMOOTH = 0.12
_FEWEST = 12
_ZOOMS = 6
_GRID = 19
_MOST = 5
_ABOUT = 30.0
_DEEP = 0.15
"""Depth of the next fringes' minima, as a share of the usual cost: side lobes reach 0.2."""
_FRINGES = 3.0
_WINDOW = 60
_NEARER = 0.99
_NEAR = 0.2
"""How far the first order may be off, of a step, and be the measure of the second."""
_EQUAL = 9.0
"""Twice the rise of the cost, in units of the residuals' noise, up to which settings fit as well."""


@dataclass(frozen=True, eq=False)
class Alternative:
    """Another minimum that fits as well: what it is, `order` or `exchange`, of which settings, and its x."""

    kind: str
    names: tuple[str, ...]
    found: Found


def alternatives(problem: Problem, best: Found, others: list[Found]) -> list[Alternative]:
    """Return what fits as well as the best minimum of a problem whose noise is known.

    others: minima that the search met.
    """
    found: list[Alternative] = []
    orders = list(_orders(problem, best))
    moved = {name for _, names, _ in orders for name in names}
    met = [one for one in _met(problem, best, others) if not moved & set(one[1])]
    for kind, names, x in (*orders, *_exchanges(problem, best), *met):
        one = refine(problem, x, steps=40)
        if 2.0 * (one.cost - best.cost) > _EQUAL:
            continue
        if all(_apart(problem, one.x, other) for other in (best.x, *(a.found.x for a in found))):
            changed = _changed(problem, one.x, best.x)
            found.append(Alternative(kind, names if kind == "order" else changed, one))
    return found


def is_better(one: Found, other: Found) -> bool:
    """Return whether a minimum is lower than another one by more than what fits as well."""
    return 2.0 * (other.cost - one.cost) > _EQUAL


def confirmed(problem: Problem, best: Found, found: list[Alternative]) -> list[Alternative]:
    """Return those that fit as well, and elsewhere, at all wavelengths too: fewer may miss narrow lines."""
    kept: list[Alternative] = []
    for alternative in found:
        one = refine(problem, alternative.found.x, steps=30, tolerance=1e-6)
        apart = all(_apart(problem, one.x, other) for other in (best.x, *(a.found.x for a in kept)))
        if apart and 2.0 * (one.cost - best.cost) <= _EQUAL:
            kept.append(replace(alternative, found=one))
    return kept


def _apart(problem: Problem, x: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether two minima differ by more than what no data decide: across flat valleys they are one."""
    jacobian = problem.jacobian(other)[: int(problem.known.sum())]
    step = x - other
    # Along a valley no residual changes, however long the step.
    return bool(np.sum((jacobian @ step) ** 2) > _EQUAL)


def _changed(problem: Problem, x: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[str, ...]:
    step = np.abs(x - other)[: len(problem.parameters)]
    return tuple(p.name for p, s in zip(problem.parameters, step, strict=True) if s > 0.1 * step.max())


def _met(
    problem: Problem, best: Found, others: list[Found]
) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
    """Yield minima of the search that lie about as low."""
    for other in others:
        if other is not best and other.cost < 1.5 * best.cost + 1e-12:
            names = _changed(problem, other.x, best.x)
            phases = {
                p.name for p in problem.parameters if p.kind == "plain" and p.unit in ("1", "rad", "um")
            }
            yield ("order" if set(names) <= phases else "exchange"), names, other.x


def home(problem: Problem, best: Found) -> Found:
    """Return the minimum at the order of the fringes next to the first guess, where it fits as well."""
    for k in _movers(problem):
        parameter, step = problem.parameters[k], order_step(problem, best, k)
        if step is None:
            continue
        centre = parameter.mean if parameter.has_prior else parameter.start
        whole = round((centre - best.x[k] * problem.scales[k]) / step)
        x = best.x.copy()
        x[k] += whole * step / problem.scales[k]
        if whole and parameter.low <= x[k] * problem.scales[k] <= parameter.high:
            one = refine(problem, x, steps=40)
            return one if 2.0 * (one.cost - best.cost) <= _EQUAL else best
        return best
    return best


def next_to_guess(problem: Problem, best: Found, others: list[Alternative]) -> Found:
    """Return, of what fits as well by an exchange of settings, the answer next to the first guess."""
    nearest = best
    for one in others:
        if one.kind == "exchange":
            away = [from_guess(problem, one.names, x) for x in (one.found.x, nearest.x)]
            nearest = one.found if away[0] < _NEARER * away[1] else nearest
    return nearest


def from_guess(problem: Problem, names: tuple[str, ...], x: NDArray[np.float64]) -> float:
    """Return how far settings lie from their first guess: couplings by their angle, losses by factors."""
    theta, total = x * problem.scales, 0.0
    for k, p in enumerate(problem.parameters):
        if p.name not in names:
            continue
        ends = np.array([theta[k], p.mean if p.has_prior else p.start])
        if p.kind == "logit":
            ends = np.arcsin(np.sqrt(np.clip(ends, 0.0, 1.0)))
        elif p.kind == "log":
            ends = np.log(np.maximum(ends, 1e-12))
        else:
            ends = ends / max(p.spread, 1e-12)
        total += float(ends[1] - ends[0]) ** 2
    return float(np.sqrt(total))


def _movers(problem: Problem) -> list[int]:
    """Return the settings that may move fringes: phases first, then indices, temperatures and lengths."""
    ranks = {"rad": 0, "1": 1, "K": 2, "um": 3}
    chosen = [k for k, p in enumerate(problem.parameters) if p.kind == "plain" and p.unit in ranks]
    return sorted(chosen, key=lambda k: ranks[problem.parameters[k].unit])


def _orders(problem: Problem, best: Found) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
    """Yield starts one and two orders of the fringes away, of the first setting that moves them."""
    for k in _movers(problem):
        parameter, step = problem.parameters[k], order_step(problem, best, k)
        if step is None:
            continue
        steps = {sign: sign * step / problem.scales[k] for sign in (-1, 1)}
        for order in (-1, 1, -2, 2):
            sign = 1 if order > 0 else -1
            x = best.x.copy()
            x[k] += abs(order) * steps[sign]
            if not parameter.low <= x[k] * problem.scales[k] <= parameter.high:
                continue
            if order == sign:
                # Two inexact steps lose narrow lines: the second is as long as the first proves to be.
                x = refine(problem, x, steps=40).x
                moved = x[k] - best.x[k]
                steps[sign] = moved if abs(moved - steps[sign]) < _NEAR * abs(steps[sign]) else steps[sign]
            yield "order", (parameter.name,), x
        return


def order_step(problem: Problem, best: Found, k: int) -> float | None:
    """Return how far a setting moves the fringes onto the next ones, in its unit; None where it does not."""
    parameter, data = problem.parameters[k], problem.data
    fringe = period(data)
    middle, half = len(data.wl) // 2, int(max(0.5 * _FRINGES * fringe, 0.5 * _WINDOW))
    window = slice(max(middle - half, 0), middle + half + 1)
    near = problem.changed(
        data=data.at(window), smooth=_SMOOTH * min(fringe, 2.0 * half) / 2.355, degree=None, divided=False
    )
    theta = best.x * problem.scales
    n = len(problem.parameters)
    extra = theta[len(theta) - problem.columns :] if problem.floor is not None else theta[n:n]
    near.shift(problem, theta, window)
    sharp = near.changed(smooth=0.2 * near.smooth)
    sharp.shift(problem, theta, window)
    reach = parameter.spread if np.isfinite(parameter.spread) else 1.0
    for _ in range(_ZOOMS):
        changes = np.zeros((_SAMPLES, n))
        changes[:, k] = np.linspace(-reach, reach, _SAMPLES)
        costs = scan(near, theta[:n], changes, extra)
        known = costs[np.isfinite(costs)]
        if known.size < _SAMPLES // 4:
            reach /= 4.0
            continue
        deep = costs <= costs[_SAMPLES // 2] + _DEEP * (np.median(known) - costs[_SAMPLES // 2])
        inner = np.flatnonzero(deep[1:-1] & (costs[1:-1] <= costs[:-2]) & (costs[1:-1] < costs[2:])) + 1
        away = np.abs(inner - _SAMPLES // 2)
        beside = inner[away >= 3]
        if beside.size:
            nearest = int(np.abs(beside - _SAMPLES // 2).min())
            if nearest >= _FEWEST:
                sign = 1.0 if _SAMPLES // 2 + nearest in beside else -1.0
                coarse = reach / (_SAMPLES // 2)
                return abs(_sharpened(sharp, theta[:n], extra, k, sign * coarse * nearest, coarse))
        elif not (deep.sum() < 3 or reach == parameter.spread):
            return None
        reach /= 4.0
    return None


def _sharpened(
    sharp: Problem, theta: NDArray[np.float64], extra: NDArray[np.float64], k: int, step: float, reach: float
) -> float:
    """Return the step of one setting, within `reach` of one, to where the spectra lie closest."""
    changes = np.zeros((_FINE, len(theta)))
    changes[:, k] = np.linspace(step - 1.2 * reach, step + 1.2 * reach, _FINE)
    return float(changes[int(np.argmin(scan(sharp, theta, changes, extra))), k])


def _exchanges(problem: Problem, best: Found) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
    """Yield starts at other minima over pairs of couplings and losses."""
    theta = best.x * problem.scales
    n = len(problem.parameters)
    chosen = [
        k for k, p in enumerate(problem.parameters) if p.kind in ("logit", "log") and p.unit in ("1", "dB/cm")
    ]
    for k in chosen[:_MOST]:
        parameter, other = problem.parameters[k], 1.0 - theta[k]
        if parameter.kind == "logit" and parameter.low <= other <= parameter.high:
            x = best.x.copy()  # one coupling of several couplers, for what it leaves
            x[k] = other / problem.scales[k]
            if _about(problem, best, x):
                yield "exchange", (parameter.name,), x
    for a, b in combinations(chosen[:_MOST], 2):
        lines = [_line(problem, theta, k) for k in (a, b)]
        grid = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)
        changes = np.zeros((len(grid), n))
        changes[:, a], changes[:, b] = grid[:, 0] - theta[a], grid[:, 1] - theta[b]
        costs = np.concatenate(
            [scan(problem, theta[:n], part, theta[n:]) for part in np.array_split(changes, 4)]
        )
        table = np.full((_GRID + 2, _GRID + 2), np.inf)
        table[1:-1, 1:-1] = costs.reshape(_GRID, _GRID)
        inner = table[1:-1, 1:-1]
        around = np.min(
            [
                table[1 + i : 1 + i + _GRID, 1 + j : 1 + j + _GRID]
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
                if i or j
            ],
            axis=0,
        )
        lowest = np.argwhere((inner < around) & (inner < np.median(costs)))
        lowest = lowest[np.argsort(inner[tuple(lowest.T)])][:3]
        for x in _mirrored(problem, best, a, b):
            yield "exchange", (problem.parameters[a].name, problem.parameters[b].name), x
        for i, j in lowest:
            x = best.x.copy()
            x[a], x[b] = lines[0][i] / problem.scales[a], lines[1][j] / problem.scales[b]
            yield "exchange", (problem.parameters[a].name, problem.parameters[b].name), x


def _mirrored(problem: Problem, best: Found, a: int, b: int) -> Iterator[NDArray[np.float64]]:
    """Yield x with two alike settings exchanged, or by what they leave, where that fits about as well."""
    one, two = problem.parameters[a], problem.parameters[b]
    if one.kind != two.kind:
        return
    theta = best.x * problem.scales
    p, q = theta[a], theta[b]
    pairs = [(q, p)] + ([(1.0 - p, 1.0 - q), (1.0 - q, 1.0 - p)] if one.kind == "logit" else [])
    for first, second in pairs:
        x = best.x.copy()
        x[a], x[b] = first / problem.scales[a], second / problem.scales[b]
        inside = one.low <= first <= one.high and two.low <= second <= two.high
        if inside and _about(problem, best, x):
            yield x


def _about(problem: Problem, best: Found, x: NDArray[np.float64]) -> bool:
    """Return whether x fits about as well, before it is refined."""
    return 0.5 * float(np.sum(problem.residuals(x) ** 2)) < _ABOUT * best.cost


def _line(problem: Problem, theta: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return values of a coupling or a loss from far below to far above what was found."""
    parameter, value = problem.parameters[k], float(theta[k])
    if parameter.kind == "log":
        return np.clip(max(value, 1e-6) * np.geomspace(0.03, 30.0, _GRID), parameter.low, parameter.high)
    value = min(max(value, 1e-5), 1.0 - 1e-5)
    turn = np.log(value / (1.0 - value))
    ends = (
        min(turn - 3.5, -4.0 if turn > -3.0 else turn - 3.5),
        max(turn + 3.5, 4.0 if turn > -3.0 else turn + 3.5),
    )
    return np.clip(1.0 / (1.0 + np.exp(-np.linspace(*ends, _GRID))), parameter.low, parameter.high)

"""Causes of the spread of a metric: first-order variance by level and part, and Sobol indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.analysis.sweeps.points import unit_samples
from photosim.memory import require_memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.yields.judging import Judge
    from photosim.analysis.yields.variation import Draws

    FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class FirstOrder:
    """First-order variances of each entry, in the square of its unit.

    total (entries,).  by_level, by_part, by_quantity (entries, levels or parts or quantities): each adds up
    to the total; a part's is the covariance of its own term with the metric and may be negative.
    """

    total: FloatArray
    levels: tuple[str, ...]
    by_level: FloatArray
    parts: tuple[str, ...]
    by_part: FloatArray
    quantities: tuple[str, ...]
    by_quantity: FloatArray


def first_order(draws: Draws, gradient: FloatArray) -> FirstOrder:
    """Return the variances that a gradient (entries, items + settings) gives over the independent normals."""
    items = len(draws.items)
    mixing = draws.mixing
    slopes = gradient[:, :items]
    by_normal = slopes @ mixing  # of the process quantities; settings have columns of their own
    settings = {source.quantity: gradient[:, items + k] for k, source in enumerate(draws.drawn)}
    levels = tuple(dict.fromkeys(source.level for source in draws.sources))
    quantities = tuple(dict.fromkeys(source.quantity for source in draws.sources))
    by_level, by_quantity = np.zeros((len(gradient), len(levels))), np.zeros((len(gradient), len(quantities)))
    for source in draws.sources:
        if source.matrix is None:
            variance = settings[source.quantity] ** 2
        else:
            variance = (by_normal[:, source.columns] ** 2).sum(axis=1)
        by_level[:, levels.index(source.level)] += variance
        by_quantity[:, quantities.index(source.quantity)] += variance
    names = tuple(dict.fromkeys(item.part for item in draws.items)) + tuple(settings)
    by_part = np.zeros((len(gradient), len(names)))
    shares = slopes * (by_normal @ mixing.T)  # Cov(g_i x_i, metric)
    for k, item in enumerate(draws.items):
        by_part[:, names.index(item.part)] += shares[:, k]
    for name, slope in settings.items():
        by_part[:, names.index(name)] += slope**2
    return FirstOrder(by_level.sum(axis=1), levels, by_level, names, by_part, quantities, by_quantity)


def sobol_groups(draws: Draws) -> dict[str, list[int]]:
    """Return the columns of the normals by group: each level's quantity, and each drawn setting."""
    groups: dict[str, list[int]] = {}
    for source in draws.sources:
        name = source.quantity if source.matrix is None else f"{source.level} {source.quantity}"
        groups.setdefault(name, []).extend(range(source.columns.start, source.columns.stop))
    return groups


def sobol_indices(judge: Judge, samples: int, seed: int) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Return groups and their Sobol indices of first and total order, (entries, groups), from draws.

    saltelli2010: first order by its table 2 (b), total by Jansen's (f), over chips with values for all rows.
    """
    from scipy.special import ndtri

    groups = sobol_groups(judge.draws)
    d = judge.draws.dimensions
    what = f"Sobol indices from {samples:,} samples of {d:,} numbers"
    require_memory(8.0 * samples * (6 * d + len(groups)), what, "take fewer")
    unit = np.clip(
        unit_samples(2 * d, samples, seed, "sobol" if 2 * d <= 21201 else "random"), 1e-16, 1 - 1e-16
    )
    a, b = ndtri(unit[:, :d]), ndtri(unit[:, d:])
    at_a, at_b = judge.values(a), judge.values(b)
    mixed = []
    for columns in groups.values():
        one = a.copy()
        one[:, columns] = b[:, columns]
        mixed.append(judge.values(one))
    good = np.isfinite(at_a) & np.isfinite(at_b) & np.isfinite(mixed).all(axis=0)
    first, total = (np.full((len(at_a), len(groups)), np.nan) for _ in range(2))
    for k in range(len(at_a)):
        rows = good[k]
        if rows.sum() < 2:
            continue
        fa, fb = at_a[k, rows], at_b[k, rows]
        middle = 0.5 * (fa.mean() + fb.mean())  # centred: less noise in the products
        variance = np.concatenate([fa, fb]).var()
        for g, values in enumerate(mixed):
            fm = values[k, rows]
            if variance > 0.0:
                first[k, g] = np.mean((fb - middle) * (fm - fa)) / variance
                total[k, g] = 0.5 * np.mean((fa - fm) ** 2) / variance
    return tuple(groups), first, total

"""The Dataset of a yield: chips, margins, yields, corners, and the variance by level and part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.analysis.yields.blame import FirstOrder
    from photosim.analysis.yields.judging import Judge
    from photosim.analysis.yields.rare import Rare

    FloatArray = NDArray[np.float64]

NORMAL_95 = 1.959963984540054
"""Two-sided 95 % of a standard normal."""
WORST = 10
"""Chips that are listed as the worst."""


@dataclass(frozen=True)
class Tabled:
    """All that a yield's Dataset is made of; arrays over entries come first, over chips last."""

    values: FloatArray
    tuned: FloatArray | None
    heaters: tuple[str, ...]
    phases: FloatArray | None
    power: FloatArray | None
    nominal: FloatArray
    gradient: FloatArray
    first: FirstOrder
    corners: tuple[tuple[str, ...], FloatArray]
    sobol: tuple[tuple[str, ...], FloatArray, FloatArray] | None
    rare: Rare | None
    places: Mapping[str, tuple[float, float]]


def wilson(passed: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a yield by Wilson's score, of `passed` chips out of `count`."""
    share, z2 = passed / count, NORMAL_95**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = NORMAL_95 * np.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    # Rounding must not leave a share itself outside.
    return float(min(max(0.0, middle - half), share)), float(max(min(1.0, middle + half), share))


def dataset(judge: Judge, of: Tabled) -> xarray.Dataset:
    """Return the Dataset of a yield."""
    import xarray

    entries = judge.entries
    names = [entry.label for entry in entries]
    margins = np.array([e.margin(v) for e, v in zip(entries, of.values, strict=True)])
    variables = _yields(margins, "")
    variables["value"] = (("specification", "chip"), of.values, {"long_name": "value of each entry"})
    variables["margin"] = (("specification", "chip"), margins, {"long_name": "distance inside the limit"})
    variables["nominal"] = (("specification",), of.nominal, {})
    known = [v[np.isfinite(v)] for v in of.values]
    means = np.array([v.mean() if v.size else np.nan for v in known])
    spreads = np.array([v.std(ddof=1) if v.size > 1 else np.nan for v in known])
    variables["mean"], variables["std"] = (("specification",), means, {}), (("specification",), spreads, {})
    variables |= _blame(of)
    corners, at_corners = of.corners
    variables["corner_value"] = (("specification", "corner"), at_corners, {})
    worst = np.argsort(_scaled(margins, of.values).min(axis=0), kind="stable")[:WORST]
    variables["worst_chip"] = (("rank",), worst, {"long_name": "numbers of the chips with the worst margins"})
    coords: dict[str, Any] = {
        "specification": names,
        "limit": ("specification", [e.words for e in entries]),
        "units": ("specification", [e.unit for e in entries]),
        "limit_low": ("specification", [e.limits[0] for e in entries]),
        "limit_high": ("specification", [e.limits[1] for e in entries]),
        "level": list(of.first.levels),
        "part": list(of.first.parts),
        "quantity": list(of.first.quantities),
        "corner": list(corners),
    }
    if of.places:
        for axis, name in enumerate(("part_x", "part_y")):
            at = [of.places[p][axis] if p in of.places else np.nan for p in of.first.parts]
            coords[name] = ("part", at, {"units": "um"})
    if of.tuned is not None and of.power is not None and of.phases is not None:
        tuned = np.array([e.margin(v) for e, v in zip(entries, of.tuned, strict=True)])
        variables |= _yields(tuned, "tuned_")
        variables["tuned_value"] = (("specification", "chip"), of.tuned, {})
        variables["tuning_power"] = (("chip",), of.power, {"units": "W", "long_name": "power of all heaters"})
        variables["tuning_phase"] = (("heater", "chip"), of.phases, {"units": "rad"})
        coords["heater"] = list(of.heaters)
    if of.sobol is not None:
        groups, first, total = of.sobol
        coords["group"] = list(groups)
        variables["sobol_first"] = (("specification", "group"), first, {})
        variables["sobol_total"] = (("specification", "group"), total, {})
    if of.rare is not None:
        variables |= _rare(of.rare)
    return xarray.Dataset(variables, coords=coords)


def _yields(margins: FloatArray, prefix: str) -> dict[str, Any]:
    passed = margins >= 0.0
    count = margins.shape[1]
    whole = passed.all(axis=0)
    low, high = wilson(int(whole.sum()), count)
    ends = np.array([wilson(int(row.sum()), count) for row in passed])
    meaning = {"units": "1", "long_name": "share of chips that meet every entry"}
    return {
        f"{prefix}yield": ((), float(whole.mean()), meaning),
        f"{prefix}yield_low": ((), low, {"units": "1", "long_name": "lower end of its 95 % interval"}),
        f"{prefix}yield_high": ((), high, {"units": "1", "long_name": "upper end of its 95 % interval"}),
        f"{prefix}passed": (("chip",), whole, {}),
        f"{prefix}yield_by": (("specification",), passed.mean(axis=1), {"units": "1"}),
        f"{prefix}yield_by_low": (("specification",), ends[:, 0], {"units": "1"}),
        f"{prefix}yield_by_high": (("specification",), ends[:, 1], {"units": "1"}),
    }


def _blame(of: Tabled) -> dict[str, Any]:
    sampled = np.array(
        [v[np.isfinite(v)].var(ddof=1) if np.isfinite(v).sum() > 1 else np.nan for v in of.values]
    )
    words = {"long_name": "variance in the square of the entry's unit"}
    return {
        "variance": (("specification",), sampled, words),
        "variance_first_order": (("specification",), of.first.total, words),
        "variance_rest": (
            ("specification",),
            sampled - of.first.total,
            {"long_name": "curvature and interactions: sampled less first order"},
        ),
        "variance_by_level": (("specification", "level"), of.first.by_level, words),
        "variance_by_quantity": (("specification", "quantity"), of.first.by_quantity, words),
        "variance_by_part": (
            ("specification", "part"),
            of.first.by_part,
            {"long_name": "covariance of the part's own term with the metric; may be negative"},
        ),
    }


def _rare(rare: Rare) -> dict[str, Any]:
    def ends(p: Any, e: Any) -> tuple[Any, Any]:
        # On the logarithm: an estimate of a small probability is skewed.
        with np.errstate(divide="ignore", invalid="ignore"):
            wide = np.where(p > 0.0, np.exp(NORMAL_95 * e / np.where(p > 0.0, p, 1.0)), 1.0)
        return p / wide, np.minimum(p * wide, 1.0)

    low, high = ends(rare.probability, rare.error)
    return {
        "failure": (
            (),
            rare.probability,
            {"units": "1", "long_name": "probability of failure, importance sampling"},
        ),
        "failure_error": ((), rare.error, {"units": "1", "long_name": "standard error of the probability"}),
        "failure_low": ((), float(low), {"units": "1"}),
        "failure_high": ((), float(high), {"units": "1"}),
        "failure_by": (("specification",), rare.by_entry, {"units": "1"}),
        "failure_by_error": (("specification",), rare.error_by_entry, {"units": "1"}),
        "failure_samples": ((), rare.samples, {}),
    }


def _scaled(margins: FloatArray, values: FloatArray) -> FloatArray:
    """Return margins in units of the spread of each entry."""
    spreads = np.array([v[np.isfinite(v)].std() if np.isfinite(v).any() else 0.0 for v in values])
    return np.asarray(margins / np.where(spreads > 0.0, spreads, 1.0)[:, np.newaxis])

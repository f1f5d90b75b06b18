"""The Dataset of a fit: values, errors, correlations, combinations, alternatives, spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.fits.alternatives import Alternative, from_guess
from photosim.analysis.fits.combinations import Combination, combinations
from photosim.analysis.fits.lines import has_loops, line_table
from photosim.analysis.fits.problem import Problem
from photosim.analysis.fits.refining import Found
from photosim.analysis.fits.uncertainty import Uncertainty
from photosim.expressions import parse

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.circuit import Circuit


_NEARER = 0.5
"""Distance from the first guess, over that of the other answer, up to which the guess decides."""


@dataclass(frozen=True, eq=False)
class Tabled:
    """All that a Dataset of a fit is made of."""

    problem: Problem
    found: Found
    errors: Uncertainty
    others: tuple[Alternative, ...]
    costs: NDArray[np.float64]
    derived: Mapping[str, str]
    circuit: Circuit


def dataset_of(made: Tabled) -> xarray.Dataset:
    """Return everything over named dimensions."""
    import xarray

    problem, errors = made.problem, made.errors
    x, scales = made.found.x, problem.scales
    names = list(problem.names)
    data = problem.data
    exchanged, moved = _exchanged(made)
    known = ~errors.open & ~np.isin(names, list(exchanged))
    # A setting that the data leave open is known as well as its prior says, or not at all.
    held = np.array([p.has_prior for p in problem.parameters] + [False] * len(problem.extra))
    told = ~errors.open | held | _through_priors(problem, errors)
    error = np.where(told, np.hypot(errors.error, moved) * scales, np.nan)
    draws = errors.draws * scales
    sizes = draws.std(axis=0)
    wider = np.maximum(errors.error * scales / np.where(sizes > 0.0, sizes, np.inf), 1.0)
    low, high = np.quantile(draws * wider, [0.025, 0.975], axis=0) + x * scales
    for a in made.others:  # an interval holds all that may be exchanged
        if a.kind == "exchange":
            other = np.where(moved > 0.0, a.found.x * scales, x * scales)
            low, high = np.minimum(low, low + other - x * scales), np.maximum(high, high + other - x * scales)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.cov(draws.T).reshape(len(names), len(names)) / np.outer(sizes, sizes)
    found = xarray.Dataset(
        coords={
            "parameter": names,
            "other_parameter": names,
            "column": list(data.names),
            "wavelength": ("wavelength", data.wl, {"units": "um"}),
            "start": np.arange(len(made.costs)),
        }
    )
    found["value"] = ("parameter", x * scales, {"long_name": "fitted value, in the unit of `unit`"})
    words = "standard error under correlated residuals, by block bootstrap; nan where the data leave it open"
    found["standard_error"] = ("parameter", error, {"long_name": words})
    words = "standard error if residuals were independent"
    found["standard_error_independent"] = ("parameter", errors.white * scales, {"long_name": words})
    found["low"] = (
        "parameter",
        np.where(np.isfinite(error), low, np.nan),
        {"long_name": "2.5 % of the bootstrap"},
    )
    found["high"] = (
        "parameter",
        np.where(np.isfinite(error), high, np.nan),
        {"long_name": "97.5 % of the bootstrap"},
    )
    found["unit"] = ("parameter", list(problem.units))
    found["identified"] = ("parameter", known, {"long_name": "whether the data alone tell it"})
    correlation = np.where(np.eye(len(names), dtype=bool), 1.0, np.clip(correlation, -1.0, 1.0))
    found["correlation"] = (("parameter", "other_parameter"), correlation, {"units": "1"})
    measured, curves = problem.data.decibels, problem.curves_dB(x)
    pairs = [f"{a}->{b}" for a, b in data.pairs]
    found["pair"] = ("column", pairs)
    for name, values in (
        ("measured_dB", measured),
        ("fitted_dB", curves),
        ("residual_dB", measured - curves),
    ):
        found[name] = (("column", "wavelength"), values, {"units": "dB"})
    left = measured - curves
    found["residual_rms_dB"] = ((), float(np.sqrt(np.nanmean(left**2))), {"units": "dB"})
    found["residual_rms_dB_by"] = ("column", np.sqrt(np.nanmean(left**2, axis=1)), {"units": "dB"})
    rms = made.costs
    found["start_rms"] = ("start", rms, {"units": "1" if problem.linear else "dB"})
    found["block"] = ((), errors.block, {"long_name": "samples of a block of the bootstrap"})
    listed = [*combinations(problem, x, errors), *_derived(made), *_either(made)]
    found = _combined(found, listed)
    found = _others(found, made)
    if has_loops(problem):
        found = found.assign(line_table(problem, x, errors.draws))
    return found


def _exchanged(made: Tabled) -> tuple[list[str], NDArray[np.float64]]:
    """Return the settings that may be exchanged for others, and how far half of that is where values change.

    Couplers that change places, or each for what it leaves, keep the errors of the answer next to the guess,
    where that is the nearer by far. A coupling and a loss that change places do not: under- and over-coupled
    rings are different chips.
    """
    names, moved = list(made.problem.names), np.zeros(made.problem.size)
    found: list[str] = []
    for a in made.others:
        if a.kind != "exchange":
            continue
        rows = [names.index(n) for n in a.names]
        found += a.names
        near, far = (from_guess(made.problem, a.names, x) for x in (made.found.x, a.found.x))
        if len({made.problem.units[k] for k in rows}) == 1 and near < _NEARER * far:
            continue
        half = 0.5 * np.abs(a.found.x - made.found.x)[rows]
        moved[rows] = np.maximum(moved[rows], half)
    return found, moved


def _through_priors(problem: Problem, errors: Uncertainty) -> NDArray[np.bool_]:
    """Return which of x the priors of others hold, along every direction that the data leave open."""
    if not errors.free.size:
        return np.ones(problem.size, dtype=bool)
    held = np.linalg.norm(problem.priors() * problem.scales @ errors.free, axis=0) > 0.5
    loose = errors.free[:, ~held]
    return np.asarray(np.abs(loose).max(axis=1, initial=0.0) <= 1e-3 * np.abs(errors.free).max())


def _derived(made: Tabled) -> list[Combination]:
    """Return the derived expressions over settings, with errors."""
    problem, listed = made.problem, []
    compiled, point = made.circuit.at(made.problem.powers.fixed)
    del compiled
    settings: dict[str, Any] = {**made.circuit.parameters, **point.settings}
    theta = made.found.x * problem.scales
    draws = made.errors.draws * problem.scales
    n = len(problem.parameters)
    names = [p.name for p in problem.parameters]
    for name, text in made.derived.items():
        expression = parse(str(text))
        constants = {k: float(settings[k]) for k in expression.names if k not in names}
        value = float(expression.evaluate({**constants, **dict(zip(names, theta[:n].tolist(), strict=True))}))
        at = {**constants, **dict(zip(names, theta[:n].tolist(), strict=True))}
        slopes = expression.partials(at)
        changes = sum(draws[:, i] * float(slopes.get(k, 0.0)) for i, k in enumerate(names))
        many = value + np.broadcast_to(changes, (len(draws),))
        low, high = np.quantile(many, [0.025, 0.975]).tolist()
        used = tuple(k for k in names if k in expression.names)
        listed.append(Combination(name, "derived", used, value, float(many.std(ddof=1)), low, high, ""))
    return listed


def _either(made: Tabled) -> list[Combination]:
    """Return settings that change places: the lists of values that fit as well."""
    found: list[Combination] = []
    index = {name: k for k, name in enumerate(made.problem.names)}
    groups = dict.fromkeys(a.names for a in made.others if a.kind == "exchange")
    for group in groups:
        xs = [made.found.x, *(a.found.x for a in made.others if a.kind == "exchange" and a.names == group)]
        choices = tuple(tuple(float(x[index[n]] * made.problem.scales[index[n]]) for n in group) for x in xs)
        words = " or ".join("(" + ", ".join(f"{v:.4g}" for v in choice) + ")" for choice in choices)
        name = f"{', '.join(group)} = {words}"
        found.append(Combination(name, "either", group, np.nan, np.nan, np.nan, np.nan, "", choices))
    return found


def _combined(found: xarray.Dataset, listed: list[Combination]) -> xarray.Dataset:
    columns: dict[str, Any] = {
        "combination_kind": [c.kind for c in listed],
        "combination_settings": [" ".join(c.settings) for c in listed],
        "combination_value": np.array([c.value for c in listed], dtype=np.float64),
        "combination_error": np.array([c.error for c in listed], dtype=np.float64),
        "combination_low": np.array([c.low for c in listed], dtype=np.float64),
        "combination_high": np.array([c.high for c in listed], dtype=np.float64),
        "combination_unit": [c.unit for c in listed],
    }
    if not listed:
        return found
    return found.assign_coords(combination=[c.name for c in listed]).assign(
        {name: ("combination", values) for name, values in columns.items()}
    )


def _others(found: xarray.Dataset, made: Tabled) -> xarray.Dataset:
    if not made.others:
        return found
    problem = made.problem
    values = np.array([a.found.x * problem.scales for a in made.others])
    rms = []
    for one in made.others:
        left = problem.data.decibels - problem.curves_dB(one.found.x)
        rms.append(float(np.sqrt(np.nanmean(left**2))))
    return found.assign(
        alternative_kind=("alternative", [a.kind for a in made.others]),
        alternative_of=("alternative", [" ".join(a.names) for a in made.others]),
        alternative_value=(("alternative", "parameter"), values),
        alternative_rms_dB=("alternative", np.array(rms), {"units": "dB"}),
    )

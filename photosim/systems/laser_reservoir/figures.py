"""Tables and pictures: the order of the rules, what the chain takes away, the study, locking, hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from photosim.analysis.chart import Chart, Curve, Level, Picture, Scale
from photosim.analysis.result import Table
from photosim.systems.harness.system import Outcome
from photosim.systems.laser_reservoir.recipe import FULL, SMALL, Recipe
from photosim.systems.laser_reservoir.runs import SWEEPS, kept_at
from photosim.training.readouts import weight_rules

LABELS: Mapping[str, str] = {
    "greedy-boolean": "greedy, Boolean", "multi-flip-boolean": "multi-flip, Boolean",
    "greedy-ternary": "greedy, ternary", "multi-flip-ternary": "multi-flip, ternary",
    "ridge": "ridge regression, real weights, no noise",
}  # fmt: skip
PAIRS = (
    ("greedy-boolean", "greedy-ternary"),
    ("greedy-ternary", "ridge"),
    ("greedy-boolean", "multi-flip-boolean"),
    ("greedy-ternary", "multi-flip-ternary"),
    ("multi-flip-ternary", "ridge"),
)
"""The lower accuracy first, as expected; multi-flip and greedy have as many evaluations."""
STEPS: Mapping[str, str] = {
    "pixels": "Boolean pixels, no optics", "grey pixels": "grey pixels, no optics",
    "nodes": "independent nodes |T u|^2, Boolean", "grey nodes": "independent nodes |T u|^2, grey",
    "speckle": "grains of the fibre's speckle, no laser", "laser": "the laser, no noise",
    "noise": "the laser, noise of light and detector",
}  # fmt: skip
_SWEPT = {
    "speckle": ("Size of the speckle's grains", "size of a grain, um"),
    "reach": ("Coupling of the laser's cells by diffraction", "diffraction over the netlist's"),
    "rin": ("Noise of the light", "relative intensity noise, dB/Hz"),
}


def recipe_of(outcome: Outcome) -> Recipe:
    """Return the recipe of what has been computed."""
    found = outcome.of("study")
    small = found and len(found[0]["classes ternary"]) == len(SMALL.firsts) * len(SMALL.decays)
    return SMALL if small else FULL


def tables(outcome: Outcome) -> Sequence[Table]:
    """Return which rules differ, what each step of the chain leaves, and what readouts cost."""
    found = (_order(outcome), _steps(outcome), _costs(outcome))
    return [table for table in found if table is not None]


def _order(outcome: Outcome) -> Table | None:
    if len(outcome.of("classes")) < 2:
        return None
    rows = []
    for lower, higher in PAIRS:
        one, other = outcome.values("classes", lower), outcome.values("classes", higher)
        gap = float(other.mean() - one.mean())
        error = float(np.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size))
        verdict = "not distinguished" if abs(gap) < 2.0 * error else "yes" if gap > 0.0 else "reversed"
        rows.append((f"{LABELS[lower]} < {LABELS[higher]}", f"{gap:+.2f}", f"{error:.2f}", verdict))
    return Table("Expected order of accuracies", ("pair", "gap, %", "standard error", "holds"), tuple(rows))


def _steps(outcome: Outcome) -> Table | None:
    if not outcome.of("ceiling"):
        return None
    rows, before = [], None
    for key, label in STEPS.items():
        own = outcome.values("ceiling", key)
        spread = f"{own.std(ddof=1):.2f}" if own.size > 1 else "-"
        taken = (
            ""
            if before is None or key not in ("speckle", "laser", "noise")
            else f"{own.mean() - before:+.2f}"
        )
        rows.append((label, f"{own.mean():.2f}", spread, taken))
        before = own.mean() if key != "grey nodes" else before
    columns = ("ridge regression of", "test accuracy, %", "spread", "than the step before, same images")
    return Table("What each step of the chain takes away", columns, tuple(rows))


def _costs(outcome: Outcome) -> Table | None:
    if not outcome.of("classes"):
        return None
    rows = []
    for name in weight_rules():
        evaluations, readings = (
            outcome.values("classes", f"{name} {key}").mean() for key in ("evaluations", "readings")
        )
        error = outcome.values("classes", f"{name} error")[:, -1].mean()
        rows.append((LABELS[name], f"{evaluations:,.0f}", f"{readings:,.0f}", f"{error:.3f}"))
    columns = ("rule", "evaluations of all readouts", "readings of all samples", "last mean error")
    return Table("What the hardware is asked", columns, tuple(rows))


def pictures(outcome: Outcome) -> Sequence[Picture]:
    """Return errors against evaluations, sweeps, the study, spectra and hours."""
    return [*_curves(outcome), *_sweeps(outcome), *_study(outcome), *_locked(outcome), *_hours(outcome)]


def _curves(outcome: Outcome) -> list[Picture]:
    if not outcome.of("classes"):
        return []
    most = int(outcome.of("classes")[0]["greedy-boolean evaluations"])
    at = kept_at(max(1, most // 10))
    curves = [
        Curve.over_seeds(LABELS[name], values, at)
        for name in weight_rules()
        if (values := outcome.values("classes", f"{name} error")).shape[1] == at.size
    ]
    title = "Readouts learnt by flipping weights"
    return [
        Chart("rules", title, "evaluations of each readout", "mean normalised error", curves, xscale="log")
    ]


def _sweeps(outcome: Outcome) -> list[Picture]:
    if not outcome.of("sweeps"):
        return []
    found: list[Picture] = []
    for name, (title, label) in _SWEPT.items():
        curve = Curve.over_seeds("ridge regression", outcome.values("sweeps", name), SWEEPS[name])
        scale: Scale = "log" if name == "reach" else "linear"
        found.append(Chart(name, title, label, "held-out accuracy, %", [curve], xscale=scale))
    return found


def _study(outcome: Outcome) -> list[Picture]:
    if not outcome.of("study"):
        return []
    own, recipe = outcome.of("study")[0], recipe_of(outcome)
    curves = []
    for kind in ("boolean", "ternary"):
        values = np.array(own[f"classes {kind}"]).reshape(len(recipe.decays), len(recipe.firsts))
        curves += [
            Curve(f"{kind}, decay {decay:g}", np.array(recipe.firsts), row)
            for decay, row in zip(recipe.decays, values, strict=True)
        ]
    title = "Weights flipped at first, 3 classes"
    chart = Chart("study", title, "weights flipped at first", "error kept last", curves, xscale="log")
    headers = np.array(own["headers ternary"]).reshape(len(recipe.decays), len(recipe.firsts))
    lines = [
        Curve(f"decay {decay:g}", np.array(recipe.firsts), row)
        for decay, row in zip(recipe.decays, headers, strict=True)
    ]
    other = Chart(
        "study-headers", "Weights flipped at first, headers of 3 bits, ternary", "weights flipped at first",
        "error kept last", lines, xscale="log",
    )  # fmt: skip
    return [chart, other]


def _locked(outcome: Outcome) -> list[Picture]:
    if not outcome.of("locking"):
        return []
    own = outcome.of("locking")[0]
    x = np.array(own["frequency"])
    curves = [
        Curve("a hundredth of the light", x, np.array(own["free power"])),
        Curve("netlist's light", x, np.array(own["power"])),
    ]
    title = "Spectrum with spontaneous emission, dimmest image"
    return [Chart("spectrum", title, "offset from the injected line, GHz", "part of the power, dB", curves)]


def _hours(outcome: Outcome) -> list[Picture]:
    if not outcome.of("consistency"):
        return []
    values = outcome.values("consistency", "curve")
    hours = 0.5 * np.arange(1, values.shape[1] + 1)
    curve = Curve.over_seeds("mean over images", values, hours)
    levels = [Level("published: above", 99.0)] if "consistency" in outcome.comparable else []
    title = "States of equal images, hours apart"
    return [Chart("consistency", title, "time, h", "correlation with the first, %", [curve], levels)]

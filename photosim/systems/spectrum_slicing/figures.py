"""Tables and pictures: filters searched, accuracy against nodes, curves, costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from photosim.analysis.chart import Chart, Curve, Level, Picture
from photosim.analysis.result import Table
from photosim.systems.harness.pictures import is_trend
from photosim.systems.harness.system import Outcome
from photosim.systems.spectrum_slicing import chip
from photosim.systems.spectrum_slicing.recipe import FULL, SMALL, Optics, Recipe
from photosim.systems.spectrum_slicing.runs import candidates

LABELS = {"ideal": "7 nodes", "chip": "3 nodes, data sheet", "digital": "digital CNN"}
LAYERS = {"one": "1 layer", "two": "2 layers"}


def recipe_of(outcome: Outcome) -> Recipe:
    """Return the recipe of what has been computed."""
    found = outcome.of("nodes")
    return SMALL if found and len(found[0]["one"]) == len(SMALL.swept) else FULL


def tables(outcome: Outcome) -> Sequence[Table]:
    """Return what the search found, and what an image costs."""
    return [
        table for table in (_searched(outcome), chip.table(outcome), _costs(outcome)) if table is not None
    ]


def _words(optics: Optics) -> tuple[str, ...]:
    rings = optics.nodes - optics.interferometers
    return (
        f"{rings} rings, {optics.interferometers} interferometers", f"{optics.coupling:g}",
        f"{optics.spacing / 1e9:.3g}", f"{optics.detuning / 1e9:g}", f"{optics.pixel * 1e12:g}",
        f"{optics.patch} x {optics.patch}, {optics.stride} apart", f"{optics.pooling:g}",
        "no" if optics.mixed is None else "yes",
    )  # fmt: skip


def _searched(outcome: Outcome) -> Table | None:
    if not outcome.of("search"):
        return None
    own = outcome.of("search")[0]
    chosen = candidates(recipe_of(outcome))
    marks = {own["best one"]: "best", own["median one"]: "median"}
    rows = tuple(
        (*_words(optics), f"{found:.2f}", marks.get(number, ""))
        for number, (optics, found) in enumerate(zip(chosen, own["found"], strict=True))
    )
    columns = (
        "filters",
        "coupling",
        "spacing, GHz",
        "middle, GHz",
        "pixel, ps",
        "patches",
        "pooling",
        "decorrelated",
        "held-out accuracy, %",
        "",
    )
    return Table("Filters tried on held-out training images", columns, rows)


def _costs(outcome: Outcome) -> Table | None:
    if not outcome.of("costs"):
        return None
    own = outcome.of("costs")[0]
    rows = [
        (
            f"{label}, {layers}", f"{own[f'{name} {key}'][0]:.0f}", f"{own[f'{name} {key}'][1]:.0f}",
            f"{own[f'{name} {key}'][2]:.3g}", f"{own[f'{name} {key}'][3]:.4g}",
        )
        for name, label in LABELS.items()
        for key, layers in LAYERS.items()
    ]  # fmt: skip
    columns = ("network", "parameters", "digital multiply-adds", "energy, nJ an image", "latency, ns")
    return Table("What an image costs", columns, tuple(rows))


def pictures(outcome: Outcome) -> Sequence[Picture]:
    """Return accuracy against nodes, learning curves, and the filters that were searched."""
    found: list[Picture] = []
    if outcome.of("nodes"):
        swept = recipe_of(outcome).swept
        curves = [
            Curve.over_seeds(label, outcome.values("nodes", key), swept) for key, label in LAYERS.items()
        ]
        if is_trend(np.array([curve.y for curve in curves]), len(swept)):
            found.append(Chart("nodes", "Accuracy against filters read", "nodes", "test accuracy, %", curves))
    curves = [
        Curve.over_seeds(f"{label}, {layers}", outcome.values(case, f"{key} curve"))
        for case, label in LABELS.items()
        if outcome.of(case)
        for key, layers in LAYERS.items()
    ]
    if curves:
        found.append(Chart("curves", "Back ends behind filters", "epoch", "test accuracy, %", curves))
    if outcome.of("search"):
        own = np.sort(np.array(outcome.of("search")[0]["found"]))
        curve = Curve("filters", np.arange(1, own.size + 1), own, points=True)
        levels = [Level("median", float(np.median(own)))]
        found.append(Chart("search", "Filters tried", "rank", "held-out accuracy, %", [curve], levels))
    return found

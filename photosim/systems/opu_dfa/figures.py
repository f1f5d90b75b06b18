"""Figures of the co-processor: learning curves, alignment, and the accuracy that the optics cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from photosim.analysis.chart import Chart, Curve, Level, Picture, Scale
from photosim.analysis.result import Table
from photosim.systems.harness.pictures import is_trend
from photosim.systems.harness.system import Outcome
from photosim.systems.opu_dfa.runs import RULES, SWEEPS


def pictures(outcome: Outcome) -> Sequence[Picture]:
    """Return the learning curves, the angles to the gradient, and a picture of each sweep."""
    found: list[Picture] = []
    curves = outcome.curves(RULES, "curve")
    if curves:
        found.append(
            Chart("accuracy", "Learning through a scattering medium", "epoch", "test accuracy, %", curves)
        )
    angles = [
        Curve.over_seeds(f"{RULES[name]}, layer {layer + 1}", values[..., layer])
        for name in ("dfa", "ternary", "optical")
        if all("angles" in numbers for numbers in outcome.of(name)) and outcome.of(name)
        for values in [outcome.values(name, "angles")]
        for layer in range(values.shape[2])
    ]
    if angles:
        title = "Angle between updates and gradient"
        found.append(
            Chart("alignment", title, "epoch", "angle, degrees", angles, [Level("no descent", 90.0)])
        )
    return (*found, *_sweep_pictures(outcome))


def _sweep_pictures(outcome: Outcome) -> list[Picture]:
    found: list[Picture] = []
    exact = outcome.of("sweep exact")
    levels = (
        [Level("exact products", float(np.mean(outcome.values("sweep exact", "accuracy"))))] if exact else []
    )
    for key, (label, values) in SWEEPS.items():
        if outcome.of(f"sweep {key}"):
            accuracy = outcome.values(f"sweep {key}", "accuracy")
            x = values[:: len(values) - 1] if accuracy.shape[1] != len(values) else values
            if not is_trend(accuracy.mean(axis=0), len(x)):
                continue
            scale: Scale = "log" if key in {"light", "persistence"} else "linear"
            curve = Curve.over_seeds("by the medium", accuracy, x)
            title = f"What the optics cost: {key}"
            found.append(
                Chart(f"sweep_{key}", title, label, "test accuracy, %", [curve], levels, xscale=scale)
            )
    return found


def tables(outcome: Outcome) -> Sequence[Table]:
    """Return where each property of the optics costs 1.8 points, the published gap."""
    rows = []
    if not outcome.of("sweep exact"):
        return ()
    exact = float(np.mean(outcome.values("sweep exact", "accuracy")))
    for key, (label, values) in SWEEPS.items():
        if outcome.of(f"sweep {key}"):
            accuracy = outcome.values(f"sweep {key}", "accuracy")
            x = values[:: len(values) - 1] if accuracy.shape[1] != len(values) else values
            rows += [
                (label, f"{at:g}", f"{mean:.2f}", f"{mean - exact:+.2f}")
                for at, mean in zip(x, accuracy.mean(axis=0), strict=True)
            ]
    columns = ("setting", "value", "accuracy, %", "against exact products")
    return (Table("What in the optics costs accuracy", columns, tuple(rows)),)

"""Training runs of the co-processor: one network by one rule, and sweeps of one setting of the optics."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from photosim.errors import PhotosimWarning
from photosim.systems.harness.data import samples as loaded
from photosim.systems.harness.optics import NETLIST, Point, medium, rule_of, work
from photosim.systems.harness.system import Options, Report
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.layers import dense_network
from photosim.training.optimisers import Adam
from photosim.training.trainer import Schedule, Streams, fit

RULES = {
    "backprop": "backpropagation",
    "shallow": "hidden layers frozen",
    "dfa": "DFA, exact products",
    "ternary": "DFA of a ternary error, exact products",
    "optical": "DFA by the medium",
}
SHOWN = 2_000
"""Training samples over which the angles to the gradient are taken."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    hidden: widths.  samples: training samples used, all if None.  threshold: of the ternary error, on each
    sample's own; 0.15 is that of the code that descends from the co-processor's. The published learning
    rate, 0.01, is recalled only; here all rules get the same, smaller one.
    """

    hidden: tuple[int, ...] = (1024, 1024)
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    threshold: float = 0.15
    samples: int | None = None


FULL = Recipe()
SMALL = Recipe((64, 64), epochs=8, batch_size=32, learning_rate=3e-3)
SWEPT = Recipe((512, 512), epochs=5, samples=5_000)
SWEPT_SMALL = replace(SMALL, hidden=(32, 32), epochs=2)


SWEEPS: dict[str, tuple[str, tuple[float, ...]]] = {
    "light": ("laser power over the netlist's", (0.001, 0.003, 0.01, 0.03, 0.1, 1.0, 10.0)),
    "bits": ("bits of the camera", (1, 2, 3, 4, 6, 8)),
    "persistence": ("persistence of the medium, s", (1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)),
    "wander": ("wander of the reference in 1 s, rad", (0.0, 0.03, 0.1, 0.3, 1.0)),
    "threshold": ("threshold of the ternary error", (0.02, 0.05, 0.1, 0.15, 0.25, 0.4, 0.6)),
}
"""What is swept, one at a time, and where."""


def train(
    options: Options,
    recipe: Recipe,
    name: str,
    point: Point,
    seed: int,
    checkpoint: Path | None,
    report: Report,
) -> dict[str, Any]:
    """Return the accuracy after training by a rule, in %, its curve, and what the optics had to do."""
    data = _data(options, recipe)
    network = dense_network((data.features, *recipe.hidden, data.classes))
    streams = Streams.tree(seed, 1)[0]
    state = int(streams.feedback.generate_state(1)[0])
    optics = medium(recipe.hidden, data.classes, state, point, options.netlist(NETLIST))
    rule = rule_of(name, optics, point.threshold)
    aligned = SHOWN if name not in {"backprop", "shallow"} else 0
    schedule = Schedule(recipe.epochs, recipe.batch_size, checkpoint=checkpoint, alignment=aligned)
    history = fit(
        network,
        rule,
        Adam(recipe.learning_rate),
        data,
        schedule,
        streams,
        lambda epoch: report(epoch, recipe.epochs),
    )
    curve = 100.0 * history.accuracy
    found = {"accuracy": curve[-1], "curve": curve, "wander": float(np.ptp(curve[-3:]))}
    if aligned:
        found["angles"] = history.angles
    if name == "optical":
        found |= work(network, optics[0])
    return found


def sweep(
    options: Options, recipe: Recipe, key: str, seed: int, _checkpoint: Path, report: Report
) -> dict[str, Any]:
    """Return the accuracy, in %, and the time of the optics, in minutes, at each value of a swept setting."""
    values = swept(options, key)
    found = []
    for done, value in enumerate(values, start=1):
        changed: dict[str, Any] = {"threshold": recipe.threshold, key: value}
        with warnings.catch_warnings():  # thresholds that are too low are among what is shown
            warnings.simplefilter("ignore", PhotosimWarning)
            own = train(options, recipe, "optical", Point(**changed), seed, None, lambda _done, _total: None)
        found.append(own)
        report(done, len(values))
    return {"accuracy": [own["accuracy"] for own in found], "minutes": [own["minutes"] for own in found]}


def swept(options: Options, key: str) -> tuple[float, ...]:
    """Return the values of a swept setting: all of them, or the first and the last of a quick run."""
    values = SWEEPS[key][1]
    return values[:: len(values) - 1] if options.quick else values


def _data(options: Options, recipe: Recipe) -> Dataset:
    data = loaded(options)
    if recipe.samples is None:
        return data
    return replace(data, train=Samples(data.train.x[: recipe.samples], data.train.y[: recipe.samples]))

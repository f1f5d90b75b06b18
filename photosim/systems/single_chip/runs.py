"""The cases: a chip that learns 20 choices of six classes by several rules, a digital network, latency."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from photosim.files.atomic import write_text
from photosim.systems.harness.system import Options, Report
from photosim.systems.single_chip.chip import MODES, NETLIST, Chip, Faults
from photosim.systems.single_chip.parting import choices, chosen, discriminants, table
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.layers import Network, dense_network
from photosim.training.losses import share_correct
from photosim.training.optimisers import Adam, StepDecay
from photosim.training.rules import SPSA, Backprop, PhysicsAware, Rule
from photosim.training.trainer import Schedule, Streams, fit

DRAWN = 20
"""Choices of six classes."""
DIGITAL = (MODES, MODES, MODES, MODES)
"""Widths of the digital network: 126 weights and biases, where the chip learns 132 phases and taps."""


@dataclass(frozen=True)
class Recipe:
    """How the chip learns: by which rule, and for how long; all samples at once, by Adam.

    step: of the moves of `spsa`, in rad.  The rate falls to a tenth after three quarters of the epochs.
    brightest: the electronics' gain.  drawn: choices of six classes.  faults: of the chips.
    """

    rule: str
    learning_rate: float
    epochs: int
    step: float = 0.05
    brightest: float = 400.0
    drawn: int = DRAWN
    faults: Faults = field(default_factory=Faults)

    def plain(self) -> dict[str, Any]:
        """Return the recipe in plain JSON types."""
        return asdict(self)


FULL = {
    "in situ": Recipe("spsa", 0.03, 3000),
    "backprop": Recipe("backprop", 0.02, 200),
    "physics-aware": Recipe("physics-aware", 0.02, 200),
    "model": Recipe("model", 0.02, 200),
    "digital": Recipe("digital", 0.02, 300),
}
"""Recipes by case."""


def recipes(*, quick: bool) -> Mapping[str, Recipe]:
    """Return the recipes of all cases, small ones if quick."""
    if not quick:
        return FULL
    return {name: replace(own, epochs=own.epochs // 10, drawn=3) for name, own in FULL.items()}


def learnt(
    options: Options, recipe: Recipe, seed: int, checkpoint: Path, report: Report
) -> Mapping[str, Any]:
    """Return the accuracies in % of the drawn choices, those of the best and the median by the learning half.

    Finished choices are kept in the file `checkpoint`.
    """
    whole = table(options)
    chip = Chip.read(options.netlist(NETLIST))
    sets = choices(whole, recipe.drawn, seed)
    found: list[list[float]] = []
    if checkpoint.exists():
        found = json.loads(checkpoint.read_text(encoding="utf-8"))
    for number in range(len(found), len(sets)):
        data = chosen(whole, sets[number], seed, chip.light)
        found.append([*_trained(chip, recipe, data, seed, number), discriminants(data)])
        write_text(checkpoint, json.dumps(found))
        report(number + 1, len(sets))
    half, judged, linear = np.array(found).T
    order = np.argsort(-half, kind="stable")
    best, median = int(order[0]), int(order[(len(order) - 1) // 2])
    return {
        "best": judged[best], "median": judged[median], "mean": judged.mean(), "learnt": half,
        "judged": judged, "linear": linear, "best linear": linear[best], "median linear": linear[median],
        "best classes": sets[best], "median classes": sets[median],
    }  # fmt: skip


def _trained(chip: Chip, recipe: Recipe, data: Dataset, seed: int, number: int) -> tuple[float, float]:
    """Return the accuracies in % on what was learnt from and on what judges."""
    network = chip.layers(recipe.faults, seed, brightest=recipe.brightest)
    streams = Streams.tree(seed, number + 1)[number]
    learning = network
    if recipe.rule == "digital":
        learning, data = dense_network(DIGITAL), _numbers(data, chip)
    elif recipe.rule == "model":
        learning = Network(PhysicsAware.of(network).models or ())
    history = fit(
        learning, _rule(recipe, network, streams),
        Adam(recipe.learning_rate, schedule=StepDecay((max(2, round(0.75 * recipe.epochs)),))),
        data, Schedule(recipe.epochs, None, np.float64), streams,
    )  # fmt: skip
    # What a model has learnt is set on the chip, which judges it.
    judge = learning if recipe.rule == "digital" else network
    half, judged = (
        100.0 * share_correct(judge.predict(history.parameters, part.x), part.y)
        for part in (data.train, data.test)
    )
    return half, judged


def _rule(recipe: Recipe, network: Network, streams: Streams) -> Rule:
    """Return the rule; the in-situ one measures the loss on the chip, noise and converters included."""
    made: Mapping[str, Callable[[], Rule]] = {
        "spsa": lambda: SPSA(step=recipe.step, rng=np.random.default_rng(streams.noise)),
        "physics-aware": lambda: PhysicsAware.of(network),
    }
    return made.get(recipe.rule, Backprop)()


def _numbers(data: Dataset, chip: Chip) -> Dataset:
    """Return samples as the numbers that modulators are set to."""
    parts = [Samples(part.x / chip.light, part.y) for part in (data.train, data.validation, data.test)]
    return Dataset(data.name, parts[0], parts[1], parts[2], data.classes)

"""Two layers of meshes, how they learn, and the choice of plan and start within the learning half."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from photosim.systems.harness.circuits import mesh
from photosim.systems.harness.system import Report
from photosim.systems.vowels.parting import MODES
from photosim.training.arrays import RealArray
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.history import History
from photosim.training.layers import Network, Parameters
from photosim.training.layers.mesh import MeshLayer, SaturableAbsorber, detected
from photosim.training.optimisers import Adam, StepDecay
from photosim.training.rules import Backprop
from photosim.training.trainer import Schedule, Streams, fit

NETLIST = "vowels"


@dataclass(frozen=True)
class Plan:
    """How long and how fast is learnt: epochs of batches (None: all samples), and the rate of Adam.

    The rate falls to a tenth after three quarters of the epochs and to a hundredth after nine tenths.
    """

    learning_rate: float
    epochs: int
    batch_size: int | None = None

    @property
    def decay(self) -> tuple[int, ...]:
        """Epochs at whose beginning the rate falls."""
        return tuple(max(2, 1 + round(part * self.epochs)) for part in (0.75, 0.9))


@dataclass(frozen=True)
class Recipe:
    """What is trained by which of the ten ratios.

    transmission: of the absorber for weak light.  gain: of amplitudes, by the electronics behind each mesh.
    folds: parts of the learning half by which vowels, plan and start are chosen.  plans: among which one is
    chosen, by the mean over `tried` starts.  starts: among which one is chosen with that plan.
    """

    ratios: tuple[int, ...] = (0, 1, 2, 3)
    folds: int = 5
    transmission: float = 0.05
    gain: float = 2.0
    plans: tuple[Plan, ...] = (
        Plan(0.02, 400), Plan(0.05, 400), Plan(0.02, 800), Plan(0.05, 800), Plan(0.01, 100, 20),
    )  # fmt: skip
    tried: int = 2
    starts: int = 6


QUICK = Recipe(folds=2, plans=(Plan(0.05, 60), Plan(0.02, 60)), tried=1, starts=2)
PIXELS = (26, 33, 34, 42)
"""The four pixels of digits whose means differ most between the classes, by analysis of variance."""


def network(recipe: Recipe, netlist: str = NETLIST, **settings: float) -> Network:
    """Return two layers of four modes, each a pair of meshes; settings: of the component, as `coupling`."""
    circuit = mesh(netlist, MODES, **settings)
    return Network(
        (
            MeshLayer.of(circuit, detection="amplitude", gain=recipe.gain),
            SaturableAbsorber(MODES, recipe.transmission),
            MeshLayer.of(circuit, detection="power", gain=recipe.gain),
        )
    )


def noisy(
    layers: Network, parameters: list[Parameters], x: RealArray, phase: float, reading: float, rng: Any
) -> RealArray:
    """Return what the network says with phases off by `phase` in rad and fields read off by a share."""
    for layer, own in zip(layers.layers, parameters, strict=True):
        if isinstance(layer, MeshLayer):
            moved = {
                name: value + phase * rng.standard_normal(value.shape) * (not name.endswith("end"))
                for name, value in own.items()
            }
            fields = layer.forward(moved, x).pre
            x = detected(fields * (1.0 + reading * rng.standard_normal(fields.shape)), layer.detection)
        else:
            x = layer.forward(own, x).outputs
    return x


def learnt(
    layers: Network,
    plan: Plan,
    data: Dataset,
    start: tuple[int, int],
    checkpoint: Path | None = None,
    report: Report = lambda _done, _total: None,
) -> History:
    """Train by a plan from a start, which is a seed and a number."""
    return fit(
        layers,
        Backprop(),
        Adam(plan.learning_rate, schedule=StepDecay(plan.decay)),
        data,
        Schedule(plan.epochs, plan.batch_size, dtype=np.float64, checkpoint=checkpoint),
        Streams.tree(start[0], start[1] + 1)[start[1]],
        lambda epoch: report(epoch, plan.epochs),
    )


def held_out(
    layers: Network, plan: Plan, half: Samples, folds: int, start: tuple[int, int], classes: int
) -> float:
    """Return the accuracy in % on parts of the learning half, each after learning from the other parts."""
    from sklearn.model_selection import StratifiedKFold

    scores = []
    for rows, rest in StratifiedKFold(folds, shuffle=True, random_state=start[0]).split(half.x, half.y):
        train, held = Samples(half.x[rows], half.y[rows]), Samples(half.x[rest], half.y[rest])
        data = Dataset("vowels", train, Samples(half.x[:0], half.y[:0]), held, classes)
        scores.append(100.0 * learnt(layers, plan, data, start).accuracy[-1])
    return float(np.mean(scores))


def choice(
    layers: Network, recipe: Recipe, half: Samples, seed: int, classes: int, report: Report
) -> tuple[Plan, int, float]:
    """Return the plan and the start that serve held-out parts of the learning half best, and how well."""
    total = len(recipe.plans) * recipe.tried + recipe.starts - min(recipe.tried, recipe.starts) + 1
    done: dict[tuple[Plan, int], float] = {}

    def score(plan: Plan, start: int) -> float:
        if (plan, start) not in done:
            done[plan, start] = held_out(layers, plan, half, recipe.folds, (seed, start), classes)
            report(len(done), total)
        return done[plan, start]

    plan = max(recipe.plans, key=lambda own: np.mean([score(own, start) for start in range(recipe.tried)]))
    start = max(range(recipe.starts), key=lambda number: score(plan, number))
    return plan, start, score(plan, start)

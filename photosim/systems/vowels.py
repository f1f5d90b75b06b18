"""Vowels told apart by two layers of interferometers and a saturable absorber (shen2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from photosim.analysis.chart import HeatMap, Picture
from photosim.analysis.result import Table as Shown
from photosim.errors import DataError, listing
from photosim.systems.harness.system import Case, Options, Outcome, Published, Report, Row, System
from photosim.training.arrays import FloatArray, IndexArray, RealArray
from photosim.training.data.datasets import DATASETS, Dataset, Samples, Table
from photosim.training.devices.mesh.circuit import mesh_chip
from photosim.training.layers import Network, Parameters
from photosim.training.layers.mesh import MeshLayer, SaturableAbsorber, detected
from photosim.training.optimisers import Adam
from photosim.training.rules import Backprop
from photosim.training.trainer import Schedule, Streams, fit


@dataclass(frozen=True)
class Recipe:
    """What is trained by which of the ten ratios.

    transmission: of the absorber for weak light.  gain: of amplitudes, by the electronics behind each mesh.
    folds: parts of the learning half by which the vowels are chosen.
    """

    ratios: tuple[int, ...] = (0, 1, 2, 3)
    folds: int = 5
    transmission: float = 0.05
    gain: float = 2.0
    epochs: int = 600
    batch_size: int = 20
    learning_rate: float = 0.02


IDEAL, MEASURED = 91.7, 76.7
"""Published accuracies in %, of the network in a computer and of the best run on the chip."""
VOWELS = 11
LEAST = 20
"""Samples of a vowel without which halves and folds have no room for it."""
MODES = 4
"""Guides of a mesh, vowels told apart, ratios used."""
PHASES = np.linspace(0.0, 0.2, 6)
"""Deviations of all phases in rad."""
READINGS = np.linspace(0.0, 0.2, 6)
"""Deviations of what a layer's detectors read, relative to it."""


def table(folder: Path | None) -> Table:
    """Return the whole set: 990 vowels of 15 speakers, ten log-area ratios each.

    Raises DataError for a file without the 11 vowels, or with one too rare to be parted.
    """
    whole = DATASETS["vowels"](folder, False)
    found, counts = np.unique(whole.y, return_counts=True)
    if not np.array_equal(found, np.arange(VOWELS)) or counts.min() < LEAST:
        message = (
            f"The vowels must have the classes 0 to {VOWELS - 1}, {LEAST} samples of each or more, got "
            f"classes {listing([str(k) for k in found.tolist()])}, {counts.min()} of one."
        )
        raise DataError(message)
    return whole


def halves(whole: Table, seed: int) -> dict[int, tuple[IndexArray, IndexArray]]:
    """Return by vowel the rows to learn from and the rows that judge, half of each vowel's."""
    rng = np.random.default_rng(np.random.SeedSequence(2017, spawn_key=(seed,)))
    drawn = {vowel: rng.permutation(np.flatnonzero(whole.y == vowel)) for vowel in range(VOWELS)}
    return {vowel: (rows[::2], rows[1::2]) for vowel, rows in drawn.items()}


def chosen(whole: Table, vowels: Sequence[int], ratios: Sequence[int], seed: int) -> Dataset:
    """Return 360 samples of four vowels, half of each to learn and half to judge."""
    parted = halves(whole, seed)
    rows = [np.concatenate([parted[vowel][half] for vowel in vowels]) for half in (0, 1)]
    x: FloatArray = np.asarray(whole.x, dtype=np.float64)[:, list(ratios)]
    # Powers do not tell x from -x: the ratios stay as they are, away from 0, in one common unit.
    x = x / np.sqrt(np.mean(x[rows[0]] ** 2))
    number = {vowel: k for k, vowel in enumerate(vowels)}
    parts = [Samples(x[half], np.array([number[v] for v in whole.y[half].tolist()])) for half in rows]
    return Dataset("vowels", parts[0], Samples(x[:0], parts[0].y[:0]), parts[1], len(vowels))


def network(recipe: Recipe, **settings: float) -> Network:
    """Return two layers of four modes, each a pair of meshes; settings: of the component, as `coupling`."""
    circuit = mesh_chip("svd_mesh", MODES, **settings)
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


def _learnt(recipe: Recipe, data: Dataset, seed: int, checkpoint: Path | None, report: Report) -> Any:
    return fit(
        network(recipe),
        Backprop(),
        Adam(recipe.learning_rate),
        data,
        Schedule(recipe.epochs, recipe.batch_size, dtype=np.float64, checkpoint=checkpoint),
        Streams.tree(seed, 1)[0],
        lambda epoch: report(epoch, recipe.epochs),
    )


def _train(
    options: Options, recipe: Recipe, repeats: int, seed: int, checkpoint: Path, report: Report
) -> Mapping[str, Any]:
    """Train once, and judge the network as it is and with errors of phases and readings."""
    whole = table(options.data_dir)
    ranked = ranking(whole, recipe, seed)
    scores = np.array([score for score, _ in ranked])
    vowels = ranked[0][1]
    data = chosen(whole, vowels, recipe.ratios, seed)
    history = _learnt(recipe, data, seed, checkpoint, report)
    layers, rng = network(recipe), np.random.default_rng(Streams.tree(seed, 1)[0].noise)

    def accuracy(phase: float, reading: float) -> float:
        right = [
            noisy(layers, history.parameters, data.test.x, phase, reading, rng).argmax(axis=1) == data.test.y
            for _ in range(repeats)
        ]
        return 100.0 * float(np.mean(right))

    found = np.array([[accuracy(phase, reading) for phase in PHASES] for reading in READINGS])
    return {
        "accuracy": 100.0 * history.accuracy[-1],
        "map": found,
        "best": found.max(),
        "worst": found.min(),
        # Along the map's edge without errors of readings; the mean of many draws falls steadily.
        "phases of 76.7": float(np.interp(-MEASURED, -found[0], PHASES)),
        "vowels": vowels,
        "discriminants": _discriminants(data),
        "easiest": scores[0],
        "median": np.median(scores),
        "hardest": scores[-1],
    }


def ranking(whole: Table, recipe: Recipe, seed: int) -> list[tuple[float, tuple[int, ...]]]:
    """Return all sets of four vowels, those that linear discriminants tell apart best first.

    Beside each its accuracy in % over the parts of the half that is learnt from: the other half takes no
    part in the choice.
    """
    from sklearn.model_selection import StratifiedKFold

    found = []
    for vowels in combinations(range(VOWELS), MODES):
        half = chosen(whole, vowels, recipe.ratios, seed).train
        parts = StratifiedKFold(recipe.folds, shuffle=True, random_state=seed).split(half.x, half.y)
        scores = [
            _discriminants(Dataset("vowels", learnt, held, held, MODES))
            for rows, rest in parts
            for learnt, held in [(Samples(half.x[rows], half.y[rows]), Samples(half.x[rest], half.y[rest]))]
        ]
        found.append((float(np.mean(scores)), vowels))
    return sorted(found, reverse=True)


def _discriminants(data: Dataset) -> float:
    """Return the accuracy in % of linear discriminants."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    discriminants = LinearDiscriminantAnalysis().fit(data.train.x, data.train.y)
    return 100.0 * float(discriminants.score(data.test.x, data.test.y))


def _cases(options: Options) -> Sequence[Case]:
    recipe = Recipe(epochs=40, folds=2) if options.quick else Recipe()
    repeats = 5 if options.quick else 50

    def compute(seed: int, checkpoint: Path, report: Report) -> Mapping[str, Any]:
        return _train(options, recipe, repeats, seed, checkpoint, report)

    return [Case("network", compute, {**asdict(recipe), "repeats": repeats})]


def _rows(_options: Options) -> Sequence[Row]:
    return [
        Row("test accuracy, ideal", "network", "accuracy", "%", Published(IDEAL, "read")),
        Row("phases off by this leave the measured 76.7 %", "network", "phases of 76.7", "rad", digits=3),
        Row("highest of the map", "network", "best", "%"),
        Row("lowest of the map", "network", "worst", "%"),
        Row("linear discriminants of the same vowels", "network", "discriminants", "%"),
        Row("discriminants, learning half in parts, easiest four vowels", "network", "easiest", "%"),
        Row("the same, median of all 330 sets of four", "network", "median", "%"),
        Row("the same, hardest four vowels", "network", "hardest", "%"),
    ]


def _pictures(outcome: Outcome) -> Sequence[Picture]:
    maps = outcome.values("network", "map")
    if not maps.size:
        return ()
    lines = (
        (60.0, 70.0, MEASURED, 85.0, 90.0) if "network" in outcome.comparable else (60.0, 70.0, 80.0, 90.0)
    )
    return (
        HeatMap(
            "map", "Vowels through imperfect meshes", "deviation of phases (rad)", "deviation of readings",
            "test accuracy (%)", PHASES, READINGS, maps.mean(axis=0), lines,
        ),
    )  # fmt: skip


def _tables(outcome: Outcome) -> Sequence[Shown]:
    """Return the vowels that each seed has chosen."""
    rows = [
        (str(seed), ", ".join(str(vowel) for vowel in own["vowels"]), f"{own['accuracy']:.2f}")
        for seed, own in sorted(outcome.found.get("network", {}).items())
    ]
    return [Shown("Vowels chosen", ("seed", "classes", "test accuracy, %"), tuple(rows))] if rows else ()


SYSTEM = System(
    name="vowels",
    title="vowels by two layers of interferometers",
    source="shen2017",
    cases=_cases,
    rows=_rows,
    data=("vowels",),
    quick_data="vowels",
    pictures=_pictures,
    tables=_tables,
    remarks=(
        (
            "Which four of the eleven vowels and of the ten ratios were used is not published. Ours are the "
            "first four ratios, and for each seed the four vowels that linear discriminants tell apart best "
            "within the half that is learnt from. 180 test samples carry 2 points."
        ),
        (
            "The gain was chosen within the learning halves of two seeds: at 1, 1.5, 2 and 3 three parts of "
            "them gave 50.6, 80.3, 87.2 and 79.4 %, 3 points either way, for classes 0, 2, 4 and 7. So was "
            "the length: after 200 epochs the network knows 89 % of what it learns from, after 600 96 %."
        ),
        (
            f"The measured accuracy, {MEASURED} %, lies on the map of errors; where is not published. The "
            "absorber's transmission for weak light, 0.05, is not published either."
        ),
    ),
)

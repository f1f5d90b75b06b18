"""Learning in situ beside rules that only send light forwards: how far so many runs of the hardware lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from photosim.analysis.chart import Chart, Curve
from photosim.analysis.result import UNKNOWN, Cell, Table
from photosim.systems.harness.system import Case, Outcome, Report, Row
from photosim.training.arrays import FloatArray
from photosim.training.data.datasets import Dataset
from photosim.training.layers import Network
from photosim.training.losses import Objective
from photosim.training.optimisers import Adam
from photosim.training.rules import SPSA, EvolutionStrategy, FiniteDifference, InSitu, InSituErrors
from photosim.training.trainer import Schedule, Streams, fit

WANTED = 85.0
"""Test accuracy in % that all rules are timed to, in runs."""
TAP = 0.01
"""K of the taps' readings, for the rule that has taps."""
STARTS = 5
"""Draws of points and starts that one seed averages over."""
QUARTER = 4
"""Part of the runs that a quick look takes, with one start."""


@dataclass(frozen=True)
class Rival:
    """A rule and its settings, for about as many runs as the others have.

    epochs: of the full comparison.  step, repeats: of the rules that measure the loss.
    """

    rule: str
    epochs: int
    learning_rate: float
    step: float | None = None
    repeats: int | None = None

    @property
    def case(self) -> str:
        """Name of its case."""
        return f"circle by {self.rule}"

    def made(self, rng: np.random.Generator) -> InSitu | FiniteDifference | SPSA | EvolutionStrategy:
        """Return the rule, nothing counted yet."""
        if self.rule == "in-situ":
            return InSitu(InSituErrors(tap=TAP), rng=rng)
        if self.step is None:
            raise AssertionError  # all of RIVALS that measure the loss have one
        if self.repeats is None:
            return FiniteDifference(self.step, rng)
        if self.rule == "spsa":
            return SPSA(self.step, rng, repeats=self.repeats)
        return EvolutionStrategy(self.step, rng, repeats=self.repeats)


RIVALS = (
    Rival("in-situ", 60, 0.02),
    Rival("finite-difference", 4, 0.02, 0.01),
    Rival("spsa", 30, 0.02, 0.05, 3),
    Rival("evolution-strategy", 30, 0.02, 0.02, 3),
)
"""Rates and steps are the best of a few tried on four other draws of points, by their loss and accuracy."""


@dataclass(frozen=True)
class Task:
    """What the rules are compared on.

    network(): layers of meshes.  samples(number): a draw of the points, by its number.
    """

    network: Callable[[], Network]
    samples: Callable[[int], Dataset]
    objective: Objective
    batch_size: int
    recipe: Mapping[str, Any]


def cases(task: Task, *, quick: bool) -> list[Case]:
    """Return a case for each rule; `--quick` takes a part of the runs and one start."""
    return [_case(task, rival, quick=quick) for rival in RIVALS]


def _case(task: Task, rival: Rival, *, quick: bool) -> Case:
    starts = 1 if quick else STARTS
    epochs = max(1, rival.epochs // QUARTER) if quick else rival.epochs

    def compute(seed: int, _checkpoint: Path, report: Report) -> Mapping[str, Any]:
        return compared(task, rival, [STARTS * seed + start for start in range(starts)], epochs, report)

    recipe = {
        **task.recipe,
        **asdict(rival),
        "epochs": epochs,
        "starts": starts,
        "batch_size": task.batch_size,
    }
    whole = {**recipe, "tap": TAP} if rival.rule == "in-situ" else recipe
    return Case(rival.case, compute, whole, uses_data=False)


def compared(
    task: Task, rival: Rival, starts: Sequence[int], epochs: int, report: Report
) -> Mapping[str, Any]:
    """Train from several starts and return test accuracies (starts, epochs) in %, and runs of one start.

    A run is one sample through one mesh: three a mesh in situ, the first of which is the forward pass, and
    one a mesh for each sample that the other rules send forward.
    """
    network, curves, runs = task.network(), [], 0
    for number, start in enumerate(starts):
        done = number * epochs
        streams = Streams.tree(start, 1)[0]
        rule = rival.made(np.random.default_rng(streams.noise))
        history = fit(
            network,
            rule,
            Adam(rival.learning_rate),
            task.samples(start),
            Schedule(epochs, task.batch_size),
            streams,
            partial(_told, report, done, len(starts) * epochs),
            task.objective,
        )
        curves.append(100.0 * history.accuracy)
        runs = rule.counters["runs"] + len(network.layers) * rule.counters["evaluations"]
    return {"accuracy": float(np.mean([own[-1] for own in curves])), "curves": np.array(curves), "runs": runs}


def _told(report: Report, before: int, total: int, epoch: int) -> None:
    report(before + epoch, total)


def rows() -> list[Row]:
    """Return a line of the table for each rule."""
    return [Row(f"test accuracy, circle, {rival.rule}", rival.case, "accuracy") for rival in RIVALS]


def runs_to(curves: FloatArray, runs: float, wanted: float = WANTED) -> float:
    """Return the runs after which the mean over starts has reached an accuracy; infinite if it never does.

    curves: accuracy after each epoch, shape (starts, epochs).  runs: of all epochs together.
    """
    there = curves.mean(axis=0) >= wanted
    return float(runs * (there.argmax() + 1) / there.size) if there.any() else np.inf


def tables(outcome: Outcome) -> list[Table]:
    """Return what each rule reached with how many runs; none before a seed is finished."""
    found = []
    for rival in RIVALS:
        curves = outcome.values(rival.case, "curves")
        if not curves.size:
            continue
        all_starts = curves.reshape(-1, curves.shape[-1])
        runs = float(outcome.values(rival.case, "runs")[0])
        final, needed = all_starts[:, -1], runs_to(all_starts, runs)
        spread = f"{np.std(final, ddof=1):.1f}" if len(final) > 1 else UNKNOWN
        row: tuple[Cell, ...] = (
            rival.rule,
            str(len(final)),
            f"{runs:,.0f}",
            f"{np.mean(final):.1f}",
            spread,
            f"{needed:,.0f}" if np.isfinite(needed) else f"over {runs:,.0f}",
        )
        found.append(row)
    columns = ("rule", "starts", "runs", "test accuracy %", "spread", f"runs to {WANTED:.0f} % on average")
    title = "The circle at about as many runs of the hardware, one sample through one mesh each"
    return [Table(title, columns, tuple(found))] if found else []


def pictures(outcome: Outcome) -> list[Chart]:
    """Return accuracy over runs, a curve for each rule with the standard error of its mean over starts.

    None before a seed is finished.
    """
    curves = []
    for rival in RIVALS:
        found = outcome.values(rival.case, "curves")
        if found.size:
            flat, runs = found.reshape(-1, found.shape[-1]), float(outcome.values(rival.case, "runs")[0])
            along = runs * np.arange(1, flat.shape[1] + 1) / flat.shape[1]
            spread = flat.std(axis=0, ddof=1) / np.sqrt(len(flat)) if len(flat) > 1 else None
            curves.append(Curve(rival.rule, along, flat.mean(axis=0), spread))
    if not curves:
        return []
    title = "The circle: in situ and by forward runs alone"
    return [Chart("runs", title, "runs of one sample through one mesh", "test accuracy (%)", curves)]

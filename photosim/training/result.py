"""The outcome of a training analysis: what was learnt, how well, and what the hardware was asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosim.analysis.budgets.work import Work
from photosim.analysis.result import UNKNOWN, Cell, Table
from photosim.arguments import public
from photosim.display import Tabled
from photosim.smatrix import ByValue
from photosim.training.architecture import label, plain

FloatArray = NDArray[np.float64]
DIVERGED = "diverged"
"""Stands for the accuracy of a seed whose training diverged."""


@public
def spread(values: FloatArray) -> float | None:
    """Return the sample standard deviation of `values`, (n,); None for a single value."""
    return float(np.std(values, ddof=1)) if np.size(values) > 1 else None


@public
@dataclass(frozen=True, eq=False)
class RuleResult(ByValue):
    """Result of one learning rule over all seeds.

    accuracy, validation, loss: (seeds, epochs), for the seeds that did not diverge: fraction of the test and
    validation samples that are classified correctly after each epoch (nan without validation samples), and
    mean training loss of the epoch in nats.  angles: degrees between the rule's updates and the gradient
    after each epoch, (seeds, epochs, hidden layers); nan if `alignment` is 0.  counters: numbers of
    operations of the hardware over all seeds, either of the rule's device (cycles, samples, clipped
    conversions, ...) or of a rule that measures the loss (evaluations, samples); empty for other rules.
    effective_bits: log2(2 / sigma) of the device's products, normalised to [-1, 1] (filipovich2022); None
    without a weight bank or without an error. uses: use of the hardware for each trainable layer; empty
    without hardware.  diverged: message of each diverged seed, by its number.
    """

    rule: str
    accuracy: FloatArray
    validation: FloatArray
    loss: FloatArray
    angles: FloatArray = field(default_factory=lambda: np.empty((0, 0, 0)))
    counters: Mapping[str, float] = field(default_factory=dict)
    effective_bits: float | None = None
    uses: tuple[Mapping[str, Any], ...] = ()
    diverged: Mapping[int, str] = field(default_factory=dict)

    @property
    def aligned(self) -> bool:
        """Whether the angles of at least one hidden layer are known; frozen layers have none."""
        return bool(self.angles.size and np.isfinite(self.angles).all())

    @property
    def final(self) -> FloatArray:
        """Test accuracy of each seed that did not diverge after the last epoch, shape (seeds,)."""
        return np.asarray(self.accuracy[:, -1])

    @property
    def mean(self) -> float:
        """Mean test accuracy over the seeds after the last epoch; nan where all diverged."""
        return float(np.mean(self.final)) if self.final.size else float("nan")

    @property
    def spread(self) -> float | None:
        """Sample standard deviation of that accuracy over the seeds; None of one, or of none."""
        return spread(self.final)


@public
@dataclass(frozen=True, eq=False)
class WeightMap(ByValue):
    """The target matrix of a device and the matrices that it holds, each (outputs, inputs).

    target: the wanted effective weights.  programmed: those of the computed settings, before the converters.
    quantised: those of the settings that the converters can hold.  name: of the device.
    """

    name: str
    target: FloatArray
    programmed: FloatArray
    quantised: FloatArray

    @property
    def programming_rms(self) -> float:
        """Root mean square of programmed - target."""
        return float(np.sqrt(np.mean((self.programmed - self.target) ** 2)))

    @property
    def quantised_rms(self) -> float:
        """Root mean square of quantised - target."""
        return float(np.sqrt(np.mean((self.quantised - self.target) ** 2)))


@public
@dataclass(frozen=True, eq=False)
class TrainingResult(Tabled, ByValue):
    """All rules of one training analysis; `seeds` are the spawned run numbers 0, 1, ... of `seed`.

    samples: training samples of an epoch.  products: multiply-adds of one sample in each layer that learns.
    name: of the analysis.  data: name of the data set.  network: entries of the layers, as written.  epochs:
    number of epochs.  weights: target and programmed matrices of devices.  settings: options of the analysis.
    regression: whether targets are numbers.
    """

    name: str
    data: str
    network: tuple[Any, ...]
    epochs: int
    seed: int
    seeds: int
    rules: tuple[RuleResult, ...]
    weights: tuple[WeightMap, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    regression: bool = False
    samples: int = 0
    products: tuple[int, ...] = ()

    def rule(self, name: str) -> RuleResult:
        """The outcome of the rule called `name`; KeyError if it was not trained."""
        for outcome in self.rules:
            if outcome.rule == name:
                return outcome
        raise KeyError(name)

    def work(self) -> tuple[Work, ...]:
        """Return the work of hardware and computer under every rule, for `ps.budget(training=...)`."""
        return tuple(self._work(outcome) for outcome in self.rules)

    def _work(self, outcome: RuleResult) -> Work:
        """Return the work of one rule.

        A computer multiplies forward in the layers that no hardware carries, backward through them where the
        rule sends errors back through weights, and once for the update of every layer that learns.
        """
        counters, batch = outcome.counters, int(self.settings.get("batch_size", 1))
        updates = self.seeds * self.epochs * -(-self.samples // batch)
        held = [use["layer"] - 1 for use in outcome.uses if "forward" in use]
        forward = sum(p for k, p in enumerate(self.products) if k not in held)
        learning = self.products[-1:] if outcome.rule == "frozen" else self.products
        back = sum(self.products[1:]) if outcome.rule == "backprop" else 0
        seen = self.seeds * self.epochs * self.samples
        measured = counters.get("evaluations", 0.0) * forward  # of rules that measure the loss
        return Work(
            name=outcome.rule,
            cycles=float(counters.get("cycles", counters.get("frames", 0.0))),
            seconds=float(counters.get("time in s", 0.0)),
            updates=float(max(1, updates)),
            inferences=float(counters.get("samples", 0.0)) / len(held) if held else 0.0,
            forward_products=float(forward),
            update_products=float((forward + sum(learning) + back) * seen + measured) / max(1, updates),
        )

    def numbers(self) -> dict[str, Any]:
        """Everything as plain JSON types: numbers, strings, lists and dicts."""
        return {
            "kind": "train",
            "name": self.name,
            "data": self.data,
            "network": plain(self.network),
            "epochs": self.epochs,
            "seed": self.seed,
            "seeds": self.seeds,
            "settings": dict(self.settings),
            "rules": {outcome.rule: _rule_numbers(outcome) for outcome in self.rules},
            "weights": {weights.name: _weight_numbers(weights) for weights in self.weights},
        }

    def tables(self) -> tuple[Table, ...]:
        """Accuracy of every rule; then, where hardware was used, its work, weight errors, and what it did."""
        tables = [self._accuracy_table()]
        if any(outcome.counters for outcome in self.rules):
            tables.append(self._device_table())
        if self.weights:
            tables.append(self._weight_table())
        # Rules of the device carry feedback by it, as their names say.
        if any(outcome.uses and not outcome.rule.startswith("dfa-device") for outcome in self.rules):
            tables.append(self._use_table())
        return tuple(tables)

    def _accuracy_table(self) -> Table:
        rows = tuple(
            (
                outcome.rule,
                _mean(outcome),
                UNKNOWN if outcome.spread is None else f"{100 * outcome.spread:.2f}",
                "  ".join(_each(outcome)),
            )
            for outcome in self.rules
        )
        length = f"{self.epochs} epoch{'s' if self.epochs > 1 else ''}"
        repeats = f"{self.seeds} seed{'s' if self.seeds > 1 else ''}"
        scope = f"{label(self.network)} on {self.data}, {length}, {repeats}"
        score = "R2" if self.regression else "accuracy"
        title = f"{self.name}: test {score} in %, {scope}"
        return Table(title, ("rule", "mean", "spread", "each seed"), rows)

    def _use_table(self) -> Table:
        rows = tuple(
            (
                outcome.rule,
                str(use["layer"]),
                str(use.get("hardware", UNKNOWN)),
                str(use.get("forward", UNKNOWN)),
                str(use.get("backward", UNKNOWN)),
            )
            for outcome in self.rules
            for use in outcome.uses
        )
        columns = ("rule", "layer", "hardware", "forward", "backward")
        return Table(f"{self.name}: what hardware did for each layer", columns, rows)

    def _device_table(self) -> Table:
        with_device = [outcome for outcome in self.rules if outcome.counters]
        names = tuple(dict.fromkeys(name for outcome in with_device for name in outcome.counters))
        rows = tuple(
            (
                outcome.rule,
                _bits(outcome.effective_bits),
                *(_count(outcome.counters.get(name)) for name in names),
            )
            for outcome in with_device
        )
        return Table(
            f"{self.name}: the hardware's work over all seeds", ("rule", "effective bits", *names), rows
        )

    def _weight_table(self) -> Table:
        rows = tuple(
            (
                weights.name,
                f"{weights.target.shape[0]} x {weights.target.shape[1]}",
                f"{weights.programming_rms:.1e}",
                f"{weights.quantised_rms:.1e}",
            )
            for weights in self.weights
        )
        columns = ("matrix", "size", "rms error before the DAC", "rms error after the DAC")
        return Table(f"{self.name}: programmed weights of the first seed", columns, rows)


def _mean(outcome: RuleResult) -> str:
    lost = len(outcome.diverged)
    if not outcome.final.size:
        return DIVERGED
    return f"{100 * outcome.mean:.2f}" + (
        f", {lost} of {lost + outcome.final.size} {DIVERGED}" if lost else ""
    )


def _each(outcome: RuleResult) -> list[str]:
    """Return the accuracy of each seed in %, or that it diverged."""
    found = iter(outcome.final)
    seeds = range(outcome.final.size + len(outcome.diverged))
    return [DIVERGED if seed in outcome.diverged else f"{100 * next(found):.2f}" for seed in seeds]


def _bits(value: float | None) -> Cell:
    return None if value is None else f"{value:.2f}"


def _count(value: float | None) -> Cell:
    if value is None:
        return None
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def _rule_numbers(outcome: RuleResult) -> dict[str, Any]:
    return {
        "mean": outcome.mean if outcome.final.size else None,
        "spread": outcome.spread,
        "accuracy": outcome.accuracy.tolist(),
        "validation": outcome.validation.tolist() if np.isfinite(outcome.validation).all() else None,
        "loss": outcome.loss.tolist(),
        "angles": outcome.angles.tolist() if outcome.aligned else None,
        "counters": dict(outcome.counters),
        "effective_bits": outcome.effective_bits,
        "uses": [dict(use) for use in outcome.uses],
        "diverged": {str(seed): why for seed, why in outcome.diverged.items()},
    }


def _weight_numbers(weights: WeightMap) -> dict[str, Any]:
    return {
        "target": weights.target.tolist(),
        "programmed": weights.programmed.tolist(),
        "quantised": weights.quantised.tolist(),
        "programming_rms": weights.programming_rms,
        "quantised_rms": weights.quantised_rms,
    }

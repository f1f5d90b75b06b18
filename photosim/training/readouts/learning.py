"""Readouts learnt one after the other, and the class that the largest of them names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.reals import shown
from photosim.training.arrays import FloatArray, LabelArray, RealArray
from photosim.training.readouts.rules import Learnt, WeightRule, find_weight_rule

if TYPE_CHECKING:
    from photosim.training.readouts.measured import Measured


@public
@dataclass(frozen=True)
class Readouts:
    """Trained readouts, and mean and standard deviation (outputs,) of each on the training samples."""

    learnt: tuple[Learnt, ...]
    mean: FloatArray
    deviation: FloatArray

    @property
    def curves(self) -> FloatArray:
        """Errors kept after each evaluation, (outputs, evaluations)."""
        return np.stack([one.curve for one in self.learnt])

    def outputs(self, readout: Measured) -> FloatArray:
        """Return the normalised outputs (samples, outputs) of hardware that sees other samples."""
        found = np.stack([readout.read(one.weights) for one in self.learnt], axis=1)
        return np.asarray((found - self.mean) / self.deviation)

    def classes(self, readout: Measured) -> LabelArray:
        """Return the number of the largest normalised output, (samples,)."""
        return np.asarray(np.argmax(self.outputs(readout), axis=1))


@public(types=False)
def learn_readouts(
    rule: WeightRule | str,
    readout: Measured,
    targets: RealArray,
    evaluations: int,
    rng: np.random.Generator,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Readouts:
    """Return readouts trained one by one, each for a column of targets (samples, outputs).

    Each readout minimises its own normalised error. One more reading gives mean and standard deviation of
    each output.

    rule: one of `weight_rules()`, or an object.  readout: the hardware.  evaluations: of the hardware, for
    each output.  rng: draws the random numbers.  report: called as report(done, total).
    """
    if not all(hasattr(readout, name) for name in ("error", "read", "nodes", "counters")):
        message = f"learn_readouts: readout needs a method error(weights, target), got {shown(readout)}."
        raise ParameterError(message)
    made = find_weight_rule(rule) if isinstance(rule, str) else rule
    if targets.ndim != 2:
        message = f"Targets are (samples, outputs), got {targets.shape}."
        raise ParameterError(message)
    found: list[Learnt] = []
    for number in range(targets.shape[1]):
        target = np.ascontiguousarray(targets[:, number])
        found.append(made.learn(_asked(readout, target), readout.nodes, evaluations, rng))
        report(number + 1, targets.shape[1])
    read = np.stack([readout.read(one.weights) for one in found], axis=1)
    width = read.std(axis=0)
    return Readouts(tuple(found), read.mean(axis=0), np.where(width > 0.0, width, 1.0))


def _asked(readout: Measured, target: RealArray) -> Callable[..., float]:
    return lambda weights: readout.error(weights, target)


@public
def one_against_all(labels: LabelArray, classes: int) -> FloatArray:
    """Return targets (samples, classes): 1 for the right class, 0 for all others."""
    return np.eye(classes)[labels]

"""Tasks on bits: headers, exclusive or, conversion to a level; and how far states stay the same for hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from photosim.systems.harness.system import Options, Report
from photosim.systems.laser_reservoir.recipe import Recipe, device, images, patterns
from photosim.systems.laser_reservoir.runs import noisy, readout, rule_of
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.devices.reservoir import LaserReservoir
from photosim.training.readouts import Readouts, StateReadout, learn_readouts

SIDE = 28
"""Mirrors along a side that show bits, as many as an image of MNIST has."""
RULES = ("greedy-boolean", "multi-flip-ternary")
"""Rules of the tasks on bits."""
SHOWN = 640
"""Samples that errors are measured over: every value as often."""


def shown_bits(count: int, along: int) -> RealArray:
    """Return what the mirrors show for all 2^count values, first bit left: a stripe of mirrors a bit."""
    values = np.arange(2**count)
    bits = (values[:, np.newaxis] >> np.arange(count)[::-1]) & 1
    stripes = np.array([len(part) for part in np.array_split(np.arange(along), count)])
    rows = np.repeat(bits, stripes, axis=1).astype(np.float32)
    pixels = np.repeat(rows[:, np.newaxis], along, axis=1)
    return patterns(pixels.reshape(len(values), -1), along)


def bits(options: Options, recipe: Recipe, seed: int, _path: Path, report: Report) -> Mapping[str, Any]:
    """Return errors in % and rms errors of the tasks on bits, by rule.

    Headers: the wrong ones of many readings. Exclusive or: outputs on the wrong side of the targets' mean.
    Conversion: the root mean square of the output's error in units of the full scale.
    """
    made = device(options, SIDE, seed)
    found: dict[str, Any] = {}
    jobs = [(name, n) for name in RULES for n in recipe.bits]
    for number, (name, count) in enumerate(jobs):
        powers = made.states(shown_bits(count, SIDE))
        task = _Task(made, powers, recipe, name, np.random.default_rng([seed, 5, number]))
        learnt, judged = task.learn(np.eye(len(powers)))
        right = task.values(len(judged))
        found[f"header {count} {name}"] = 100.0 * np.mean(np.argmax(judged, axis=1) != right)
        found[f"header {count} {name} error"] = learnt.curves[:, -1].mean()
        if count == 2:
            xor = np.array([0.0, 1.0, 1.0, 0.0])[:, np.newaxis]
            judged = task.learn(xor)[1][:, 0]
            found[f"xor {name}"] = 100.0 * np.mean((judged > 0.0) != (xor[right, 0] > 0.5))
            found[f"xor {name} rms"] = _rms(judged, xor[:, 0], right)
            level = np.arange(4)[:, np.newaxis] / 3.0
            found[f"dac {name}"] = _rms(task.learn(level)[1][:, 0], level[:, 0], right)
        report(number + 1, len(jobs))
    return found


def _rms(outputs: FloatArray, targets: FloatArray, right: Any) -> float:
    """Return the root mean square error of normalised outputs on the targets' own scale."""
    return float(np.sqrt(np.mean((outputs * targets.std() + targets.mean() - targets[right]) ** 2)))


@dataclass(frozen=True)
class _Task:
    """Powers (values, nodes) of the nodes for all values, and what is learnt of them."""

    made: LaserReservoir
    powers: RealArray
    recipe: Recipe
    rule: str
    rng: np.random.Generator

    def values(self, count: int) -> Any:
        """Return the value of each of `count` readings."""
        return np.repeat(np.arange(len(self.powers)), count // len(self.powers))

    def _readout(self, count: int) -> StateReadout:
        shown = np.repeat(self.powers, count // len(self.powers), axis=0)
        return readout(self.made, shown, self.rng)

    def learn(self, targets: FloatArray) -> tuple[Readouts, FloatArray]:
        """Return readouts learnt of targets (values, outputs), and normalised outputs of other readings."""
        asked = self._readout(SHOWN)
        rule = rule_of(self.rule, self.recipe)
        learnt = learn_readouts(
            rule, asked, targets[self.values(SHOWN)], self.recipe.bit_evaluations, self.rng
        )
        return learnt, learnt.outputs(self._readout(self.recipe.readings))


@dataclass(frozen=True)
class Drifts:
    """How far a laboratory drifts: stationary processes of first order, by their root mean squares.

    room: temperature in K that the fibre follows, in an air-conditioned room.  cooler: of the wide laser in
    K, held by a thermoelectric cooler.  line: of the injection laser in Hz.  power: of its light, relative.
    memory: time in s in which a drift forgets; a set-up with micro-mirrors takes about an hour to settle.
    Every figure was fixed before a consistency was computed with it.
    """

    room: float = 0.25
    cooler: float = 0.01
    line: float = 50e6
    power: float = 1e-3
    memory: float = 3600.0
    step: float = 1800.0


DRIFTS = Drifts()


def consistency(
    options: Options, recipe: Recipe, seed: int, _path: Path, report: Report
) -> Mapping[str, Any]:
    """Return the mean correlation in % of states of equal images with those of the first moment."""
    own = images(options, recipe)
    made = device(options, own.side, seed)
    shown = patterns(own.judged[: recipe.steady], own.side)
    rng = np.random.default_rng([seed, 9])
    kept = float(np.exp(-DRIFTS.step / DRIFTS.memory))
    sizes = np.array([DRIFTS.room, DRIFTS.cooler, DRIFTS.line, DRIFTS.power])
    drift = sizes * rng.standard_normal(4)
    first = _state(made, shown, drift, rng)
    steps = round(recipe.hours * 3600.0 / DRIFTS.step)
    found = []
    for number in range(steps):
        drift = kept * drift + np.sqrt(1.0 - kept**2) * sizes * rng.standard_normal(4)
        found.append(100.0 * float(np.mean(alike(first, _state(made, shown, drift, rng)))))
        report(number + 1, steps)
    return {"mean": float(np.mean(found)), "curve": found, "least": float(np.min(found))}


def _state(made: LaserReservoir, shown: RealArray, drift: FloatArray, rng: np.random.Generator) -> RealArray:
    room, cooler, line, power = (float(one) for one in drift)
    moved = made.warmer(room, cooler, line)
    brighter = LaserReservoir(
        moved.images, moved.fibre, moved.laser, moved.mirrors, moved.detector, moved.wl,
        moved.beam * float(np.sqrt(1.0 + power)), moved.rin,
    )  # fmt: skip
    return noisy(made, brighter.states(shown), rng)


def alike(one: RealArray, other: RealArray) -> FloatArray:
    """Return the correlation over nodes of two states (samples, nodes) of each sample."""
    a, b = (part - part.mean(axis=1, keepdims=True) for part in (np.float64(one), np.float64(other)))
    return np.asarray(np.sum(a * b, axis=1) / np.sqrt(np.sum(a * a, axis=1) * np.sum(b * b, axis=1)))


def plain() -> dict[str, float]:
    """Return the drifts in plain JSON types."""
    return asdict(DRIFTS)

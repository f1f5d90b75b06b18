"""What a rule asks of hardware: the error of weights over all samples; what it is asked is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.readouts.rules import WeightArray

if TYPE_CHECKING:
    from photosim.media.weighing import WeighingDetector, WeighingMirrors
    from photosim.training.devices.device import Device


FEW = 60
"""Mirrors up to which a product with the covariance is updated: rounding adds up to nothing that shows."""


class Measured(Protocol):
    """Hardware that weighs nodes; every sample is shown once for a reading."""

    @property
    def counters(self) -> Counter[str]:
        """Evaluations and readings so far."""

    @property
    def nodes(self) -> int:
        """Number of nodes that are weighed."""

    def error(self, weights: WeightArray, target: RealArray) -> float:
        """Return the normalised error of the outputs for weights (nodes,) and a target (samples,)."""

    def read(self, weights: WeightArray) -> FloatArray:
        """Return the outputs (samples,) for weights (nodes,)."""


@public
def normalised(values: RealArray) -> FloatArray:
    """Return values (samples, ...) minus their mean over samples, divided by their standard deviation.

    A standard deviation of 0 counts as 1.
    """
    found = np.asarray(values, dtype=np.float64)
    moved = found - found.mean(axis=0)
    width = moved.std(axis=0)
    return np.asarray(moved / np.where(width > 0.0, width, 1.0))


@public
def normalised_error(outputs: RealArray, target: RealArray) -> float:
    """Return the mean square difference of outputs and target (samples,), normalised: 2 - 2 correlation."""
    return float(np.mean((normalised(outputs) - normalised(target)) ** 2))


@public
@dataclass(frozen=True)
class DeviceReadout:
    """A readout by any device with a matrix: its first output, with the weights programmed.

    x: inputs (samples, nodes) of all samples. A device that can hold signs is read once. With `two` readings,
    weights of 1 and of -1 are programmed one after the other, as Boolean hardware needs. Counters:
    evaluations, readings.
    """

    device: Device
    x: RealArray
    two: bool = False
    counters: Counter[str] = field(default_factory=Counter, compare=False)

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return int(self.x.shape[1])

    def read(self, weights: WeightArray) -> FloatArray:
        """Return the outputs (samples,) for weights (nodes,)."""
        own = np.asarray(weights, dtype=np.float64)
        shown = (np.maximum(own, 0.0), np.maximum(-own, 0.0)) if self.two and (own < 0).any() else (own,)
        outputs = [self.device.program(one[np.newaxis]).apply(self.x)[:, 0] for one in shown]
        self.counters["readings"] += len(shown)
        return np.asarray(outputs[0] - outputs[1] if len(shown) > 1 else outputs[0], dtype=np.float64)

    def error(self, weights: WeightArray, target: RealArray) -> float:
        """Return the normalised error for weights (nodes,) and a target (samples,)."""
        self.counters["evaluations"] += 1
        return normalised_error(self.read(weights), target)


@public
@dataclass(frozen=True, eq=False)
class StateReadout:
    """Mirrors and a detector before nodes whose powers are known, for readings by the thousand.

    states: powers (samples, nodes) in W at the mirrors.  rin: relative intensity noise in 1/Hz. Errors come
    of the states' mean and covariance: over many samples noise reaches an error only through its variance
    and its correlation with outputs and target, which are drawn; `read` reads sample by sample, and is what
    they are drawn for. Weights below 0 take two readings. Counters: evaluations, readings, clipped.
    """

    states: RealArray
    mirrors: WeighingMirrors
    detector: WeighingDetector
    rin: float
    rng: np.random.Generator
    counters: Counter[str] = field(default_factory=Counter)
    mean: FloatArray = field(init=False)
    covariance: FloatArray = field(init=False)
    _known: dict[int, Any] = field(init=False, default_factory=dict)
    _last: dict[int, tuple[FloatArray, FloatArray]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.states.ndim != 2 or self.states.shape[1] != self.mirrors.nodes:
            message = (
                f"States are (samples, {self.mirrors.nodes}), one for each mirror, got {self.states.shape}."
            )
            raise ParameterError(message)
        mean = self.states.mean(axis=0, dtype=np.float64)
        moved = self.states - mean.astype(self.states.dtype)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", (moved.T @ moved).astype(np.float64) / len(moved))

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return self.mirrors.nodes

    def masks(self, weights: WeightArray) -> list[FloatArray]:
        """Return what mirrors send on, (nodes,), in each reading that weights take."""
        own = np.asarray(weights)
        shown = (own > 0, own < 0) if (own < 0).any() else (own > 0,)
        return [self.mirrors.sent(one) for one in shown]

    def read(self, weights: WeightArray) -> FloatArray:
        """Return the outputs (samples,) in W, with noise and steps."""
        found = []
        for mask in self.masks(weights):
            reading, clipped = self.detector.read(self.states @ mask, self.rin, self.rng)
            self.counters["readings"] += 1
            self.counters["clipped"] += clipped
            found.append(reading)
        return np.asarray(found[0] - found[1] if len(found) > 1 else found[0])

    def error(self, weights: WeightArray, target: RealArray) -> float:
        """Return the normalised error for weights (nodes,) and a target (samples,)."""
        slope, width = self._target(target)
        masks = self.masks(weights)
        self.counters["evaluations"] += 1
        self.counters["readings"] += len(masks)
        products = [self._product(place, mask) for place, mask in enumerate(masks)]
        spreads = [float(mask @ own) for mask, own in zip(masks, products, strict=True)]
        noise = sum(
            self._variance(float(mask @ self.mean), spread)
            for mask, spread in zip(masks, spreads, strict=True)
        )
        power, along = sum(spreads), float(masks[0] @ slope)
        if len(masks) > 1:
            power -= 2.0 * float(masks[0] @ products[1])
            along -= float(masks[1] @ slope)
        return self._drawn(max(power, 0.0), along / width if width > 0 else 0.0, noise)

    def _product(self, place: int, mask: FloatArray) -> FloatArray:
        """Return covariance times a mask: from the last one at this place, where few of its mirrors moved."""
        before = self._last.get(place)
        moved = None if before is None else np.flatnonzero(mask != before[0])
        if before is None or moved is None or moved.size > FEW:
            product = self.covariance @ mask
        else:
            product = before[1] + (mask - before[0])[moved] @ self.covariance[moved]
        self._last[place] = (mask, product)
        return np.asarray(product)

    def _drawn(self, power: float, along: float, noise: float) -> float:
        """Return an error of outputs with this variance and covariance with the unit target, and noise."""
        count = len(self.states)
        one, other, third = self.rng.standard_normal(3)
        deviation, sigma = np.sqrt(power), np.sqrt(noise / count)
        r = np.clip(along / deviation, -1.0, 1.0) if deviation > 0 else 0.0
        beside = r * one + np.sqrt(1.0 - r * r) * other  # what the noise has of the outputs
        total = power + 2 * deviation * sigma * beside + noise * (1.0 + np.sqrt(2 / count) * third)
        if total <= 0.0:
            return 2.0
        return float(2.0 - 2.0 * np.clip((along + sigma * one) / np.sqrt(total), -1.0, 1.0))

    def _variance(self, mean: float, spread: float) -> float:
        """Return the variance in W^2 of the noise of readings with this mean and variance."""
        return float(self.detector.variance(mean, mean**2 + spread, self.rin))

    def _target(self, target: RealArray) -> tuple[FloatArray, float]:
        """Return the covariance (nodes,) of states and a target, and the target's deviation; kept."""
        known = self._known.get(id(target))
        if known is None or known[2] is not target:
            moved = np.asarray(target, dtype=np.float64) - np.mean(target)
            slope = (moved.astype(self.states.dtype) @ self.states).astype(np.float64) / len(moved)
            known = (slope, float(moved.std()), target)
            self._known[id(target)] = known
        return known[0], known[1]

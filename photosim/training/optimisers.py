"""Optimisers and schedules of their rate: frozen recipes; what they remember lives in arrays outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.layers import Parameters


class RateSchedule(Protocol):
    """What an optimiser's rate is multiplied with as training goes on."""

    def factor(self, step: int, epoch: int) -> float:
        """Return the factor for a step and its epoch, both counted from 1 since the run began."""


@dataclass(frozen=True)
class Constant:
    """The rate as it is."""

    def factor(self, step: int, epoch: int) -> float:  # noqa: ARG002 - part of the protocol
        """Return 1."""
        return 1.0


@dataclass(frozen=True)
class StepDecay:
    """The rate times `ratio` from each of some epochs on (counted from 1)."""

    epochs: tuple[int, ...]
    ratio: float = 0.1

    def __post_init__(self) -> None:
        """Raise ParameterError for a ratio that is no positive number."""
        _positive("ratio", self.ratio)

    def factor(self, step: int, epoch: int) -> float:  # noqa: ARG002 - part of the protocol
        """Return ratio to the number of epochs of the list that have begun."""
        return float(self.ratio ** sum(epoch >= begin for begin in self.epochs))


@dataclass(frozen=True)
class Noam:
    """1/sqrt(width) times the smaller of 1/sqrt(step) and step / warmup^1.5 (vaswani2017, equation 3).

    The factor rises in a line for `warmup` steps and falls from there; width: of the model.
    """

    width: int
    warmup: int = 4000

    def __post_init__(self) -> None:
        """Raise ParameterError for a width or warm-up that is not positive."""
        _positive("width", self.width)
        _positive("warmup", self.warmup)

    def factor(self, step: int, epoch: int) -> float:  # noqa: ARG002 - part of the protocol
        """Return the factor of a step."""
        return float(self.width**-0.5 * min(step**-0.5, step * self.warmup**-1.5))


class Optimiser(Protocol):
    """Turns updates into changes of the parameters of one layer."""

    @property
    def schedule(self) -> RateSchedule:
        """What whoever trains multiplies the rate with, step by step."""

    def start(self, parameters: Parameters) -> Parameters:
        """Return the memory of a fresh run for these parameters."""

    def step(
        self, parameters: Parameters, update: Parameters, memory: Parameters, factor: float = 1.0
    ) -> None:
        """Change parameters and memory in place by one step against `update`, at `factor` times the rate."""


@dataclass(frozen=True)
class SGD:
    """v <- momentum v + g + decay p; p <- p - rate v (as PyTorch's SGD, not damped).

    decay: of the weights, half its product with their square being added to the loss.  schedule: of the rate.
    """

    rate: float
    momentum: float = 0.9
    decay: float = 0.0
    schedule: RateSchedule = field(default_factory=Constant)

    def __post_init__(self) -> None:
        """Raise ParameterError for a rate or momentum that does not descend."""
        _positive("rate", self.rate)
        _share("momentum", self.momentum)
        _share("decay", self.decay)

    def start(self, parameters: Parameters) -> Parameters:
        """Return zero velocities."""
        return {name: np.zeros_like(value) for name, value in parameters.items()}

    def step(
        self, parameters: Parameters, update: Parameters, memory: Parameters, factor: float = 1.0
    ) -> None:
        """Change parameters and velocities in place, at `factor` times the rate."""
        from photosim.kernels.descent import sgd

        for name, value in parameters.items():
            numbers = np.array([factor * self.rate, self.momentum, self.decay], dtype=value.dtype)
            sgd(_flat(value), _flat(memory[name]), np.ravel(update[name]), *numbers)


@dataclass(frozen=True)
class Adam:
    """Steps scaled by running moments of the gradient (kingma2015, algorithm 1).

    decay: of the weights, added to the gradient as in SGD.  schedule: of the rate.
    """

    rate: float = 1e-3
    first: float = 0.9
    second: float = 0.999
    floor: float = 1e-8
    decay: float = 0.0
    schedule: RateSchedule = field(default_factory=Constant)

    def __post_init__(self) -> None:
        """Raise ParameterError for a rate, floor or decay that does not descend."""
        _positive("rate", self.rate)
        _positive("floor", self.floor)
        _share("first", self.first)
        _share("second", self.second)
        _share("decay", self.decay)

    def start(self, parameters: Parameters) -> Parameters:
        """Return zero moments and a step count of zero."""
        memory = {f"first {name}": np.zeros_like(value) for name, value in parameters.items()}
        memory |= {f"second {name}": np.zeros_like(value) for name, value in parameters.items()}
        memory["steps"] = np.zeros(1)
        return memory

    def step(
        self, parameters: Parameters, update: Parameters, memory: Parameters, factor: float = 1.0
    ) -> None:
        """Change parameters, moments and count in place, at `factor` times the rate."""
        memory["steps"] += 1.0
        steps = float(memory["steps"][0])
        rate = factor * self.rate * np.sqrt(1.0 - self.second**steps) / (1.0 - self.first**steps)
        floor = self.floor * np.sqrt(1.0 - self.second**steps)
        from photosim.kernels.descent import adam

        for name, value in parameters.items():
            mean, square = memory[f"first {name}"], memory[f"second {name}"]
            numbers = np.array([rate, 1.0 - self.first, 1.0 - self.second, floor, self.decay], value.dtype)
            adam(_flat(value), _flat(mean), _flat(square), np.ravel(update[name]), numbers)


def _flat(array: RealArray) -> RealArray:
    """Return a flat view of an array that is to be changed in place."""
    return array.reshape(-1, copy=False)


def _positive(name: str, value: float) -> None:
    if not 0.0 < value < np.inf:
        message = f"{name} must be a positive number, got {value!r}."
        raise ParameterError(message)


def _share(name: str, value: float) -> None:
    """Refuse what no memory that fades can keep of itself at each step."""
    if not 0.0 <= value < 1.0:
        message = f"{name} must be 0 or more and less than 1, got {value!r}."
        raise ParameterError(message)

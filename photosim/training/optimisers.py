"""Optimisers and schedules of their learning rate: frozen recipes; their memory lives in arrays outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Protocol

import numpy as np
from pydantic import Field

from photosim.arguments import public
from photosim.bounds import check_whole, is_number
from photosim.errors import ParameterError
from photosim.netlist.forms import LIST, Choice
from photosim.reals import shown
from photosim.training.arrays import RealArray
from photosim.training.layers import Parameters
from photosim.training.layers.products import formed


class RateSchedule(Protocol):
    """Factor of an optimiser's learning rate as training goes on."""

    def factor(self, step: int, epoch: int) -> float:
        """Return the factor for a step and its epoch, both counted from 1 since the run began."""


@public
@dataclass(frozen=True)
class Constant:
    """A constant learning rate."""

    def factor(self, step: int, epoch: int) -> float:  # noqa: ARG002 - part of the protocol
        """Return 1."""
        return 1.0


@public
@dataclass(frozen=True)
class StepDecay:
    """A learning rate that is multiplied by `ratio` at the beginning of each given epoch (counted from 1)."""

    epochs: Annotated[tuple[Annotated[int, Field(ge=1)], ...], LIST]
    ratio: float = 0.1

    def __post_init__(self) -> None:
        """Raise ParameterError for epochs out of order or a ratio that is not a positive number."""
        given: object = self.epochs
        if not isinstance(given, list | tuple):
            message = f"epochs must be different and in order, as [20, 30], got {shown(self.epochs)}."
            raise ParameterError(message)
        for epoch in self.epochs:
            check_whole("epochs", 1, epoch=epoch)
        if not self.epochs or sorted(set(self.epochs)) != list(self.epochs):
            message = f"epochs must be different and in order, as [20, 30], got {list(self.epochs)}."
            raise ParameterError(message)
        _positive("ratio", self.ratio)

    def factor(self, step: int, epoch: int) -> float:  # noqa: ARG002 - part of the protocol
        """Return ratio to the number of epochs of the list that have begun."""
        return float(self.ratio ** sum(epoch >= begin for begin in self.epochs))


@public
@dataclass(frozen=True)
class Noam:
    """1/sqrt(width) times the smaller of 1/sqrt(step) and step / warmup^1.5 (vaswani2017, equation 3).

    The factor rises linearly for `warmup` steps and then falls.

    width: of the model.
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


@public
@dataclass(frozen=True)
class Cosine:
    """Half a cosine from 1 in the first epoch to `floor` in epoch `epochs`, and `floor` from there on.

    loshchilov2017, equation 5, without restarts.
    """

    epochs: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError for no epochs, or a floor that is not from 0 to 1."""
        check_whole("Cosine", 1, epochs=self.epochs)
        _fraction("floor", self.floor)

    def factor(self, step: int, epoch: int) -> float:  # noqa: ARG002 - part of the protocol
        """Return the factor of an epoch."""
        way = min((epoch - 1) / max(self.epochs - 1, 1), 1.0)
        return float(self.floor + (1.0 - self.floor) * 0.5 * (1.0 + np.cos(np.pi * way)))


@public
@dataclass(frozen=True)
class Exponential:
    """A learning rate that is multiplied by `ratio` after every epoch."""

    ratio: float = 0.95

    def __post_init__(self) -> None:
        """Raise ParameterError for a ratio that is not a positive number."""
        _positive("ratio", self.ratio)

    def factor(self, step: int, epoch: int) -> float:  # noqa: ARG002 - part of the protocol
        """Return ratio to the number of epochs before this one."""
        return float(self.ratio ** (epoch - 1))


SCHEDULES: Mapping[str, type[StepDecay | Noam | Cosine | Exponential]] = MappingProxyType(
    {"steps": StepDecay, "noam": Noam, "cosine": Cosine, "exponential": Exponential}
)
"""Schedules by the `method` that a mapping names."""
SCHEDULE = Choice("method", SCHEDULES)


class Optimiser(Protocol):
    """Turns updates into changes of the parameters of one layer."""

    @property
    def learning_rate(self) -> float:
        """Learning rate before the schedule changes it."""

    @property
    def schedule(self) -> RateSchedule:
        """Factor of the learning rate, which the training loop passes to each step."""

    def start(self, parameters: Parameters) -> Parameters:
        """Return the memory of a fresh run for these parameters."""

    def step(
        self, parameters: Parameters, update: Parameters, memory: Parameters, factor: float = 1.0
    ) -> None:
        """Take a step against `update`, `factor` times as long as usual, changing parameters and memory."""


@public
@dataclass(frozen=True)
class SGD:
    """v <- momentum v + g + weight_decay p; p <- p - learning_rate v (as PyTorch's SGD, not damped).

    weight_decay: L2 penalty; weight_decay |p|^2 / 2 is added to the loss.  schedule: of the learning rate.
    """

    learning_rate: float
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Annotated[RateSchedule, SCHEDULE] = field(default_factory=Constant)

    def __post_init__(self) -> None:
        """Raise ParameterError for a learning rate, momentum or weight decay out of bounds."""
        _positive("learning_rate", self.learning_rate)
        _check_schedule(self.schedule)
        _fraction("momentum", self.momentum)
        _fraction("weight_decay", self.weight_decay)

    def start(self, parameters: Parameters) -> Parameters:
        """Return zero velocities."""
        return {name: np.zeros_like(value) for name, value in parameters.items()}

    def step(
        self, parameters: Parameters, update: Parameters, memory: Parameters, factor: float = 1.0
    ) -> None:
        """Update parameters and velocities in place, with `factor` times the learning rate."""
        from photosim.kernels.descent import sgd

        for name, value in parameters.items():
            numbers = np.array(
                [factor * self.learning_rate, self.momentum, self.weight_decay, _smallest(value)],
                dtype=value.dtype,
            )
            sgd(_flat(value), _flat(memory[name]), np.ravel(formed(update, name)), numbers)


@public
@dataclass(frozen=True)
class Adam:
    """The Adam optimiser (kingma2015, algorithm 1).

    learning_rate: size of a step.  beta1, beta2: decay of the running means of the gradient and of its
    square. eps: added to the root of the latter.  weight_decay: L2 penalty, added to the gradient as in SGD.
    schedule: of the learning rate.
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    schedule: Annotated[RateSchedule, SCHEDULE] = field(default_factory=Constant)

    def __post_init__(self) -> None:
        """Raise ParameterError for a learning rate, eps or decay out of bounds."""
        _positive("learning_rate", self.learning_rate)
        _check_schedule(self.schedule)
        _positive("eps", self.eps)
        _fraction("beta1", self.beta1)
        _fraction("beta2", self.beta2)
        _fraction("weight_decay", self.weight_decay)

    def start(self, parameters: Parameters) -> Parameters:
        """Return zero moments and a step count of zero."""
        memory = {f"first {name}": np.zeros_like(value) for name, value in parameters.items()}
        memory |= {f"second {name}": np.zeros_like(value) for name, value in parameters.items()}
        memory["steps"] = np.zeros(1)
        return memory

    def step(
        self, parameters: Parameters, update: Parameters, memory: Parameters, factor: float = 1.0
    ) -> None:
        """Update parameters, moments and count in place, with `factor` times the learning rate."""
        memory["steps"] += 1.0
        steps = float(memory["steps"][0])
        rate = factor * self.learning_rate * np.sqrt(1.0 - self.beta2**steps) / (1.0 - self.beta1**steps)
        eps = self.eps * np.sqrt(1.0 - self.beta2**steps)
        from photosim.kernels.descent import adam

        for name, value in parameters.items():
            mean, square = memory[f"first {name}"], memory[f"second {name}"]
            numbers = np.array(
                [rate, 1.0 - self.beta1, 1.0 - self.beta2, eps, self.weight_decay, _smallest(value)],
                value.dtype,
            )
            adam(_flat(value), _flat(mean), _flat(square), np.ravel(formed(update, name)), numbers)


OPTIMISERS: Mapping[str, type[SGD | Adam]] = MappingProxyType({"sgd": SGD, "adam": Adam})
"""Optimisers by the `method` that a mapping names."""
OPTIMISER = Choice("method", OPTIMISERS)


def _flat(array: RealArray) -> RealArray:
    """Return a flat view of an array that is to be changed in place."""
    return array.reshape(-1, copy=False)


def _smallest(array: RealArray) -> float:
    """Return the smallest normal number of an array's precision."""
    return float(np.finfo(array.dtype).smallest_normal)


def _positive(name: str, value: float) -> None:
    if not (is_number(value) and 0.0 < value < np.inf):
        message = f"{name} must be a positive number, got {shown(value)}."
        raise ParameterError(message)


def _check_schedule(schedule: object) -> None:
    if not callable(getattr(schedule, "factor", None)):
        message = f"schedule must be a RateSchedule such as StepDecay or Noam, got {shown(schedule)}."
        raise ParameterError(message)


def _fraction(name: str, value: float) -> None:
    """Require 0 <= value < 1."""
    if not (is_number(value) and 0.0 <= value < 1.0):
        message = f"{name} must be 0 or more and less than 1, got {shown(value)}."
        raise ParameterError(message)

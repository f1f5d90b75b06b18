"""Optimisers: frozen recipes; what they remember between steps lives in arrays outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from photosim.errors import ParameterError
from photosim.training.layers import Parameters


class Optimiser(Protocol):
    """Turns updates into changes of the parameters of one layer."""

    def start(self, parameters: Parameters) -> Parameters:
        """Return the memory of a fresh run for these parameters."""

    def step(self, parameters: Parameters, update: Parameters, memory: Parameters) -> None:
        """Change parameters and memory in place by one step against `update`."""


@dataclass(frozen=True)
class SGD:
    """v <- momentum v + g; p <- p - rate v (as PyTorch's SGD, not damped)."""

    rate: float
    momentum: float = 0.9

    def __post_init__(self) -> None:
        """Raise ParameterError for a rate or momentum that does not descend."""
        _positive("rate", self.rate)
        _share("momentum", self.momentum)

    def start(self, parameters: Parameters) -> Parameters:
        """Return zero velocities."""
        return {name: np.zeros_like(value) for name, value in parameters.items()}

    def step(self, parameters: Parameters, update: Parameters, memory: Parameters) -> None:
        """Change parameters and velocities in place."""
        for name, value in parameters.items():
            velocity = memory[name]
            velocity *= self.momentum
            velocity += update[name]
            value -= self.rate * velocity  # noqa: PLW2901 - in place, on the caller's array


@dataclass(frozen=True)
class Adam:
    """Steps scaled by running moments of the gradient (kingma2015, algorithm 1)."""

    rate: float = 1e-3
    first: float = 0.9
    second: float = 0.999
    floor: float = 1e-8

    def __post_init__(self) -> None:
        """Raise ParameterError for a rate, floor or decay that does not descend."""
        _positive("rate", self.rate)
        _positive("floor", self.floor)
        _share("first", self.first)
        _share("second", self.second)

    def start(self, parameters: Parameters) -> Parameters:
        """Return zero moments and a step count of zero."""
        memory = {f"first {name}": np.zeros_like(value) for name, value in parameters.items()}
        memory |= {f"second {name}": np.zeros_like(value) for name, value in parameters.items()}
        memory["steps"] = np.zeros(1)
        return memory

    def step(self, parameters: Parameters, update: Parameters, memory: Parameters) -> None:
        """Change parameters, moments and count in place."""
        memory["steps"] += 1.0
        steps = float(memory["steps"][0])
        rate = self.rate * np.sqrt(1.0 - self.second**steps) / (1.0 - self.first**steps)
        floor = self.floor * np.sqrt(1.0 - self.second**steps)
        for name, value in parameters.items():
            mean, square = memory[f"first {name}"], memory[f"second {name}"]
            mean += (1.0 - self.first) * (update[name] - mean)
            square += (1.0 - self.second) * (update[name] ** 2 - square)
            change = rate * mean / (np.sqrt(square) + floor)
            value -= change.astype(value.dtype, copy=False)  # noqa: PLW2901 - in place, as above


def _positive(name: str, value: float) -> None:
    if not 0.0 < value < np.inf:
        message = f"{name} must be a positive number, got {value!r}."
        raise ParameterError(message)


def _share(name: str, value: float) -> None:
    """Refuse what no memory that fades can keep of itself at each step."""
    if not 0.0 <= value < 1.0:
        message = f"{name} must be 0 or more and less than 1, got {value!r}."
        raise ParameterError(message)

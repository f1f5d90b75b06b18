"""Activations: functions of each unit alone, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.arrays import RealArray


@public
@dataclass(frozen=True)
class Activation:
    """A function of each unit alone: value(pre) and its derivative derivative(pre, value).

    name: as networks name it.
    """

    name: str
    value: Callable[[RealArray], RealArray]
    derivative: Callable[[RealArray, RealArray], RealArray]


def _relu(pre: RealArray) -> RealArray:
    return np.maximum(pre, 0.0)


def _relu_derivative(pre: RealArray, _value: RealArray) -> RealArray:
    return (pre > 0.0).astype(pre.dtype)


def _tanh_derivative(_pre: RealArray, value: RealArray) -> RealArray:
    return np.asarray(1.0 - value * value)


def _sigmoid(pre: RealArray) -> RealArray:
    # Through tanh: exp would overflow for large negative inputs.
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * pre)))


def _sigmoid_derivative(_pre: RealArray, value: RealArray) -> RealArray:
    return np.asarray(value * (1.0 - value))


def _linear(pre: RealArray) -> RealArray:
    return pre


def _linear_derivative(pre: RealArray, _value: RealArray) -> RealArray:
    return np.ones_like(pre)


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation("tanh", np.tanh, _tanh_derivative),
    "relu": Activation("relu", _relu, _relu_derivative),
    "sigmoid": Activation("sigmoid", _sigmoid, _sigmoid_derivative),
    "linear": Activation("linear", _linear, _linear_derivative),
}


@public
def activation(name: Any) -> Activation:
    """Return the activation called `name`; ParameterError with the nearest name if there is none."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        known = listing(ACTIVATIONS)
        message = f"There is no activation {name!r}: known are {known}.{did_you_mean(str(name), ACTIVATIONS)}"
        raise ParameterError(message)
    return ACTIVATIONS[name]

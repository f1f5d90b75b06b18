"""Dense layers: every unit sees every input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.training.arrays import RealArray
from photosim.training.layers.activations import Activation
from photosim.training.layers.layer import Parameters, Randomness, Trace, uniform
from photosim.training.layers.products import Products

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

MANY = 4096
"""Fewer numbers than this do not need a kernel."""


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
        pre = _turned_sum(parameters["weights"] @ x.T, parameters["bias"])
        return Trace(x, pre, self.activation.value(pre))

    def derivative(self, trace: Trace) -> RealArray:
        """Return the activation's derivative at each unit, shape (batch, outputs)."""
        return self.activation.derivative(trace.pre, trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the mean of dL/dweights and dL/dbias from each sample's dL/dpre, shape (batch, outputs)."""
        share = delta / samples
        return {"weights": share.T @ trace.inputs, "bias": share.sum(axis=0)}

    def products(self, trace: Trace, delta: RealArray, samples: int) -> Parameters | Products:
        """Return what `gradient` returns, formed when it is read."""
        inputs: Any = trace.inputs  # of a graph's nodes they may be sparse
        share = delta / samples
        plain = isinstance(inputs, np.ndarray) and inputs.dtype == share.dtype
        return Products(share, inputs) if plain else self.gradient(trace, delta, samples)

    def back(
        self,
        parameters: Parameters,
        trace: Trace,  # noqa: ARG002 - part of the protocol
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs), through the transposed weights."""
        return np.asarray(delta @ parameters["weights"])


def _turned_sum(product: RealArray, bias: RealArray) -> RealArray:
    """Return product.T + bias, (batch, outputs), row by row; NumPy takes several times longer for it."""
    alike = product.dtype == bias.dtype and product.dtype.kind == "f"
    if not (alike and product.size >= MANY and product.flags.c_contiguous and bias.flags.c_contiguous):
        return np.add(product.T, bias, order="C")
    from photosim.kernels.turning import turned_sum

    out = np.empty(product.shape[::-1], product.dtype)
    turned_sum(product, bias, out)
    return out

"""What a layer is: shape and function. Parameters live outside and are passed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from photosim.arguments import public
from photosim.training.arrays import RealArray

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Parameters = dict[str, RealArray]
"""One layer's arrays by name, or an update of the same names and shapes; empty where nothing is learnt."""


@public(types=False)
@dataclass(frozen=True)
class Trace:
    """Record of one layer for a batch: inputs (batch, in), pre and outputs (batch, out).

    pre: before the activation.  memo: further arrays that the layer needs later, such as the factors of a
    dropout or the patches of a convolution.
    """

    inputs: RealArray
    pre: RealArray
    outputs: RealArray
    memo: Any = None


Randomness = np.random.Generator | Trace | None
"""Where a layer's randomness comes from: a generator while training, the trace of a pass to be repeated with
the same draws, or None: inference mode (no dropout).
"""


class Layer(Protocol):
    """A layer is shape and function; its parameters are passed in and never kept.

    Batches are flat, (batch, features), whatever a layer makes of its features. A layer that learns has an
    array `weights` and an activation; one that does not has outputs equal to pre.
    """

    @property
    def inputs(self) -> int:
        """Number of input features."""

    @property
    def outputs(self) -> int:
        """Number of output features."""

    @property
    def weights_shape(self) -> tuple[int, int] | None:
        """Shape (products, summands of each) of `weights`; None for a layer that learns nothing."""

    def initial(self, rng: np.random.Generator, dtype: DTypeLike) -> Parameters:
        """Draw initial parameters."""

    def forward(self, parameters: Parameters, x: RealArray, rng: Randomness = None) -> Trace:
        """Return the trace of the layer for x, shape (batch, inputs).

        rng: draws what is random in training, such as dropout; None for inference.
        """

    def derivative(self, trace: Trace) -> RealArray:
        """Return the local derivative of outputs with respect to pre, shape (batch, outputs)."""

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the derivatives by the parameters, summed over the batch and divided by `samples`.

        delta: each sample's dL/dpre, shape (batch, outputs).
        """

    def back(self, parameters: Parameters, trace: Trace, delta: RealArray) -> RealArray:
        """Return each sample's dL/dinputs (batch, inputs) from dL/dpre, through the transposed weights."""


def uniform(rng: np.random.Generator, shape: tuple[int, int], dtype: DTypeLike) -> Parameters:
    """Draw weights (products, summands) and biases uniformly from +-1/sqrt(summands) (filipovich2022)."""
    bound = 1.0 / np.sqrt(shape[1])
    return {
        "weights": rng.uniform(-bound, bound, shape).astype(dtype),
        "bias": rng.uniform(-bound, bound, shape[0]).astype(dtype),
    }


class Weightless:
    """Base of layers without parameters: outputs are equal to pre, so that delta is dL/doutputs."""

    @property
    def weights_shape(self) -> None:
        """None: there are no weights."""

    def initial(
        self,
        rng: np.random.Generator,  # noqa: ARG002 - part of the protocol
        dtype: DTypeLike = np.float64,  # noqa: ARG002 - part of the protocol
    ) -> Parameters:
        """Return no parameters."""
        return {}

    def derivative(self, trace: Trace) -> RealArray:
        """Return ones, shape (batch, outputs)."""
        return np.ones_like(trace.outputs)

    def gradient(
        self,
        trace: Trace,  # noqa: ARG002 - part of the protocol
        delta: RealArray,  # noqa: ARG002 - part of the protocol
        samples: int,  # noqa: ARG002 - part of the protocol
    ) -> Parameters:
        """Return nothing: there are no parameters."""
        return {}


@dataclass(frozen=True)
class UnitWise(Weightless):
    """Base of layers that act on each of `units` features alone: as many features come out as go in."""

    units: int

    @property
    def inputs(self) -> int:
        """Number of units."""
        return self.units

    @property
    def outputs(self) -> int:
        """Number of units."""
        return self.units

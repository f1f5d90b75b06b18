"""Networks of many simple ones side by side: each branch sees its own part of the input (ahmadnejad2024)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.devices.mesh.tiled import TiledMesh
from photosim.training.layers import Activation, Parameters, Randomness, Trace
from photosim.training.layers.held import Kept
from photosim.training.layers.layer import uniform

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@dataclass(frozen=True)
class Branches:
    """`count` dense layers side by side, each of `wide` inputs and `units` outputs of its own.

    Features lie branch by branch; weights have shape (count * units, wide), biases (count * units,).
    """

    count: int
    wide: int
    units: int
    activation: Activation

    @property
    def inputs(self) -> int:
        """Number of input features."""
        return self.count * self.wide

    @property
    def outputs(self) -> int:
        """Number of output features."""
        return self.count * self.units

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of the weights."""
        return self.outputs, self.wide

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw weights and biases uniformly from +-1/sqrt(wide)."""
        return uniform(rng, self.weights_shape, dtype)

    def matrices(self, parameters: Parameters) -> RealArray:
        """Return the branches' matrices, shape (count, units, wide)."""
        return np.asarray(parameters["weights"]).reshape(self.count, self.units, self.wide)

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace of the branches for x, shape (batch, inputs)."""
        product = np.matmul(_apart(x, self.count), self.matrices(parameters).transpose(0, 2, 1))
        pre = _together(product) + parameters["bias"]
        return Trace(x, pre, self.activation.value(pre))

    def derivative(self, trace: Trace) -> RealArray:
        """Return the activation's derivative at each unit, shape (batch, outputs)."""
        return self.activation.derivative(trace.pre, trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the mean of dL/dweights and dL/dbias; delta: each sample's dL/dpre, (batch, outputs)."""
        share = _apart(delta / samples, self.count)
        weights = np.matmul(share.transpose(0, 2, 1), _apart(trace.inputs, self.count))
        return {"weights": weights.reshape(self.weights_shape), "bias": _together(share).sum(axis=0)}

    def back(
        self,
        parameters: Parameters,
        trace: Trace,  # noqa: ARG002 - part of the protocol
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs), through the transposed weights."""
        return _together(np.matmul(_apart(delta, self.count), self.matrices(parameters)))


@dataclass(frozen=True)
class HeldBranches(Branches):
    """Branches whose matrices are each held by a pair of meshes, which is programmed at every change.

    hardware: the design of the pairs, of as many guides as a branch has inputs or outputs, or more. Read
    coherently, without converters and noise; biases and activations are electronic, exact.
    """

    hardware: TiledMesh
    held: Kept[FloatArray] = field(default_factory=Kept, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for pairs too small for a branch."""
        guides = self.hardware.hardware.guides
        if max(self.wide, self.units) > guides:
            message = f"Pairs of {guides} guides cannot hold branches of {self.units} x {self.wide}."
            raise ParameterError(message)

    def matrices(self, parameters: Parameters) -> RealArray:
        """Return the matrices that the branches' meshes hold, shape (count, units, wide)."""
        weights = parameters["weights"]
        held = self.held.get(weights, lambda: self._made(super(HeldBranches, self).matrices(parameters)))
        return np.asarray(held, dtype=weights.dtype)

    def _made(self, matrices: RealArray) -> FloatArray:
        """Return the matrices that meshes make when set to `matrices`, shape (count, units, wide)."""
        n = self.hardware.hardware.guides
        stack = np.zeros((self.count, n, n))
        stack[:, : self.units, : self.wide] = matrices
        tiles = self.hardware.program(stack.reshape(self.count * n, n)).programmed
        return np.asarray(tiles.transfer[:, 0, : self.units, : self.wide])


def _apart(x: RealArray, count: int) -> RealArray:
    """Return (batch, count * features) as (count, batch, features)."""
    return x.reshape(len(x), count, -1).transpose(1, 0, 2)


def _together(x: RealArray) -> RealArray:
    """Return (count, batch, features) as (batch, count * features)."""
    return np.ascontiguousarray(x.transpose(1, 0, 2)).reshape(x.shape[1], -1)

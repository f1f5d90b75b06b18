"""The exact device: a matrix in a computer, the baseline of all others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.errors import ParameterError
from photosim.smatrix import ByValue
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.devices.device import Energy, check_batch


@public
@dataclass(frozen=True, eq=False)
class Digital(ByValue):
    """A device that holds `weights`, (outputs, inputs), exactly and multiplies in floating point.

    counters: number of times that the hardware did each of its operations.
    """

    weights: FloatArray
    counters: Counter[str] = field(default_factory=Counter, compare=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for weights that are not a matrix of numbers."""
        object.__setattr__(self, "weights", np.asarray(self.weights))
        if self.weights.ndim != 2:
            message = f"Digital: weights must be a matrix (outputs, inputs), got shape {self.weights.shape}."
            raise ParameterError(message)

    def program(self, weights: FloatArray) -> Digital:
        """Return an exact device that holds `weights`."""
        check_arguments(Digital.program, locals())
        return Digital(np.array(weights, dtype=np.float64))

    def matrix(self) -> FloatArray:
        """Return the weights, shape (outputs, inputs)."""
        return self.weights

    def apply(self, x: RealArray, gain: RealArray | None = None) -> RealArray:
        """Return gain * (x @ weights.T), shape (batch, outputs)."""
        check_batch("A digital device", x, gain, self.weights.shape)
        product = x @ self.weights.T.astype(x.dtype, copy=False)
        return np.asarray(product if gain is None else gain * product)

    def energy(self) -> Energy:
        """Return zero cycles, because no hardware is simulated."""
        return Energy()

"""What a device is: a matrix held by hardware, and what the hardware had to do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, RealArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Energy:
    """What a device did since it was built.

    cycles: presentations of one input vector to one tile.  seconds: the time of those cycles.
    light: the laser's optical energy in that time; electronics and heaters are not included.
    """

    cycles: int = 0
    samples: int = 0
    seconds: float = 0.0
    light: float = 0.0


def check_real(what: str, values: ArrayLike) -> None:
    """Raise ParameterError, starting with `what`, for complex numbers: an imaginary part would be dropped."""
    if np.iscomplexobj(values):
        message = f"{what} real numbers, got complex ones: give real and imaginary parts apart."
        raise ParameterError(message)


class Device(Protocol):
    """A real matrix of shape (outputs, inputs) held by hardware."""

    @property
    def counters(self) -> Counter[str]:
        """Work done so far by name: cycles, samples, clipped conversions and the like."""

    def program(self, weights: FloatArray) -> Self:
        """Return a device of the same hardware that holds `weights` (outputs, inputs) as well as it can."""

    def matrix(self) -> FloatArray:
        """Return the effective matrix of the present settings, in the shape and units of `weights`."""

    def apply(self, x: RealArray, gain: RealArray | None = None) -> RealArray:
        """Return gain * (x @ matrix.T), shape (batch, outputs), with the device's errors.

        x: of shape (batch, inputs).  gain: of shape (batch, outputs), applied by the hardware after
        detection; None means 1.  In the precision of x, or double.
        """

    def energy(self) -> Energy:
        """Return what the device did since it was built."""

"""What a device is: a matrix held by hardware, and what the hardware had to do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, RealArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.number]


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

    def __post_init__(self) -> None:
        """Raise ParameterError for counts, times or energies below zero."""
        check_whole(self, cycles=self.cycles, samples=self.samples)
        check_number(self, 0.0, seconds=self.seconds, light=self.light)


def check_real(what: str, values: ArrayLike) -> None:
    """Raise ParameterError, starting with `what`, for complex numbers: an imaginary part would be dropped."""
    if np.iscomplexobj(values):
        message = f"{what} real numbers, got complex ones: give real and imaginary parts apart."
        raise ParameterError(message)


def check_batch(title: str, x: Any, gain: Any, shape: tuple[int, ...]) -> None:
    """Raise ParameterError unless a matrix of this shape can multiply x, with finite numbers and gains.

    title: the device, with its article.  x: of shape (batch, inputs).  gain: None or (batch, outputs).
    """
    for what, values in (("x", x), ("gain", gain)):
        if what == "gain" and values is None:
            continue
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiuc":
            kind = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
            message = f"{title}: {what} must be an array of numbers, got one of {kind}."
            raise ParameterError(message)
    if x.ndim != 2 or x.shape[1] != shape[1]:
        message = f"{title} holds {shape[1]} inputs: x must be (batch, {shape[1]}), got {x.shape}."
        raise ParameterError(message)
    if gain is not None and np.shape(gain) != (len(x), shape[0]):
        message = (
            f"{title} has {shape[0]} outputs: gain must be ({len(x)}, {shape[0]}), got {np.shape(gain)}."
        )
        raise ParameterError(message)
    if not np.isfinite(x).all():
        message = f"{title} takes finite numbers: x has {x[~np.isfinite(x)][0]} among its entries."
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

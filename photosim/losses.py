"""Ready losses for `Circuit.value_and_grad`: power at ports, a target spectrum, flatness, and sums of them.

Each function here returns a loss: a function of an SMatrix that returns its
value and its cotangent dL/dRe S + i dL/dIm S in the shape of `s.values`.
All are means over wavelengths, so that a finer grid does not change their
scale; of a batch (leading axes of the values) they are summed over its
entries, so that the derivative of an entry is that of the entry alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from photosim.errors import ParameterError
from photosim.smatrix import SMatrix

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Loss: TypeAlias = Callable[[SMatrix], tuple[float, "NDArray[np.complex128]"]]


def power(source: str, target: str, *, weight: float = 1.0) -> Loss:
    """Return `weight` times the mean power ratio from `source` to `target`; a negative one rewards power."""

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        path = s[source, target].power
        slope = np.full(path.shape, weight / path.shape[-1])
        return weight * float(path.mean(axis=-1).sum()), _cotangent(s, source, target, slope)

    return loss


def spectrum(source: str, target: str, wanted: ArrayLike) -> Loss:
    """Return the mean squared difference between the power ratio from `source` to `target` and `wanted`.

    `wanted` is one number or has shape (W,). The loss raises ParameterError
    when it does not fit the wavelengths of the S-matrix.
    """
    aim = np.asarray(wanted, dtype=np.float64)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        if aim.shape not in {(), s.wl.shape}:
            message = f"The wanted spectrum has shape {aim.shape}; the S-matrix has {s.wl.size} wavelengths."
            raise ParameterError(message)
        error = s[source, target].power - aim
        slope = 2.0 * error / error.shape[-1]
        return float((error**2).mean(axis=-1).sum()), _cotangent(s, source, target, slope)

    return loss


def flatness(source: str, target: str) -> Loss:
    """Return the variance over wavelength of the power ratio from `source` to `target`."""

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        path = s[source, target].power
        error = path - path.mean(axis=-1, keepdims=True)
        # The mean moves too, but its own slope drops out: the errors sum to zero.
        slope = 2.0 * error / error.shape[-1]
        return float((error**2).mean(axis=-1).sum()), _cotangent(s, source, target, slope)

    return loss


def total(*losses: Loss) -> Loss:
    """Return the sum of losses; ParameterError for none at all."""
    if not losses:
        message = "A total needs at least one loss."
        raise ParameterError(message)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        parts = [part(s) for part in losses]
        return sum(value for value, _ in parts), np.sum([cotangent for _, cotangent in parts], axis=0)

    return loss


def _cotangent(s: SMatrix, source: str, target: str, slope: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the cotangent of a loss whose derivative by the power of one path is slope, shape (..., W)."""
    cotangent = np.zeros_like(s.values)
    to, origin = s.ports.index(target), s.ports.index(source)
    cotangent[..., to, origin] = 2.0 * slope * s.values[..., to, origin]  # d|S|^2 = 2 (Re S dRe + Im S dIm)
    return cotangent

"""Ready-made losses of an S-matrix: each returns loss(s) -> (value, cotangent) for value_and_grad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from photosim.arguments import check_arguments
from photosim.errors import ParameterError
from photosim.memory import require_memory
from photosim.reals import NotReal, as_real, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.smatrix import SMatrix

Loss: TypeAlias = "Callable[[SMatrix], tuple[float, NDArray[np.complex128]]]"
"""The cotangent is dL/dRe S + i dL/dIm S, in the shape of s.values."""


def power(pairs: Sequence[tuple[str, str]]) -> Loss:
    """Return the loss that is the power ratio, averaged over wavelengths, summed over (from, to) pairs."""
    check_arguments(power, locals())

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        cotangent = np.zeros(s.values.shape, dtype=np.complex128)
        value = 0.0
        for source, target in pairs:
            trace = s[source, target]
            value += float(trace.power.mean())
            cotangent[..., s.ports.index(target), s.ports.index(source)] += (
                2.0 * trace.values / trace.values.size
            )
        return value, cotangent

    return loss


def target_spectrum(pair: tuple[str, str], wanted: ArrayLike) -> Loss:
    """Return the mean squared difference of a power spectrum from the wanted one, shape (W,) or a number."""
    check_arguments(target_spectrum, locals())
    goal = np.asarray(wanted, dtype=np.float64)
    if not np.isfinite(goal).all():
        message = "target_spectrum: wanted must be finite power ratios."
        raise ParameterError(message)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        trace = s[pair]
        if goal.ndim and goal.shape != trace.power.shape[-1:]:
            count = trace.power.shape[-1]
            message = f"The target spectrum has shape {goal.shape}, but the sweep has {count} wavelengths."
            raise ParameterError(message)
        error = trace.power - goal
        cotangent = np.zeros(s.values.shape, dtype=np.complex128)
        place = (..., s.ports.index(pair[1]), s.ports.index(pair[0]))
        cotangent[place] = 4.0 * error * trace.values / error.size
        return float(np.mean(error**2)), cotangent

    return loss


def flatness(pair: tuple[str, str]) -> Loss:
    """Return the variance over wavelength of a power spectrum: 0 where the passband is flat."""
    check_arguments(flatness, locals())

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        trace = s[pair]
        error = trace.power - trace.power.mean(axis=-1, keepdims=True)
        cotangent = np.zeros(s.values.shape, dtype=np.complex128)
        # The mean's own slope drops out: the errors add up to nothing.
        cotangent[..., s.ports.index(pair[1]), s.ports.index(pair[0])] = (
            4.0 * error * trace.values / error.size
        )
        return float(np.mean(error**2)), cotangent

    return loss


def value_and_cotangent(loss: Loss, s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
    """Return a loss's value and cotangent; ParameterError for anything but a number and a matching array."""
    answer: Any = loss(s)
    rule = "A loss returns (value, cotangent), a number and an array"
    if not (isinstance(answer, tuple) and len(answer) == 2):
        message = f"{rule}, got {shown(answer)}."
        raise ParameterError(message)
    try:
        value = float(as_real(answer[0]))
    except (NotReal, TypeError) as reason:
        message = f"{rule}, but its value is not one: {reason}."
        raise ParameterError(message) from None
    return value, read_cotangent(answer[1], s.values.shape, "The loss")


def read_cotangent(found: Any, shape: tuple[int, ...], where: str) -> NDArray[np.complex128]:
    """Return a cotangent as complex numbers; ParameterError unless it has the shape of the values."""
    try:
        array = np.asarray(found)
    except (TypeError, ValueError, RuntimeError):
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "iufc" or array.shape != shape or np.ma.is_masked(found):
        message = f"{where}: a cotangent must be numbers of shape {shape}, got shape {array.shape}."
        raise ParameterError(message)
    return array.astype(np.complex128)


def empty_slopes(names: Sequence[str], shape: tuple[int, ...]) -> dict[str, NDArray[np.complex128]]:
    """Return room for the derivative of waves of a shape by each name; ParameterError beyond the memory."""
    number = 16.0 * len(names) * float(np.prod(shape, dtype=np.float64))
    what = f"Derivatives of waves of shape {shape} by {len(names):,} parameters"
    require_memory(number, what, "ask for fewer wavelengths or waves at a time, or take value_and_grad")
    return {name: np.empty(shape, dtype=np.complex128) for name in names}

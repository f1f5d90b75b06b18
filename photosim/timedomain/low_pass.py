"""Low-pass filters of Bessel's kind, as receivers and drivers have them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import check_arguments
from photosim.errors import ParameterError
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ORDER = 24
"""Highest order of a Bessel low-pass."""


def low_pass(
    values: NDArray[np.float64], bandwidth: float, sample_rate: float, *, order: int = 1
) -> NDArray[np.float64]:
    """Return values (..., T) behind a Bessel low-pass of a half-power bandwidth in Hz, at rest at first.

    Raises ParameterError where the sample rate is too low for the filter.
    """
    check_arguments(low_pass, locals())
    if not (values.size and values.ndim):
        message = f"A low-pass takes samples (..., T), got an array of shape {values.shape}."
        raise ParameterError(message)
    if not (math.isfinite(sample_rate) and 1 <= order <= MOST_ORDER):
        message = (
            f"A low-pass needs a finite sample rate and an order from 1 to {MOST_ORDER}, got "
            f"{sample_rate:g} Hz and {shown(order)}."
        )
        raise ParameterError(message)
    if not 0 < bandwidth < 0.5 * sample_rate:
        message = (
            f"A bandwidth of {bandwidth:g} Hz needs a sample rate above {2 * bandwidth:g} Hz, "
            f"got {sample_rate:g} Hz."
        )
        raise ParameterError(message)
    from scipy import signal

    sections = signal.bessel(order, bandwidth, fs=sample_rate, norm="mag", output="sos")
    rest = signal.sosfilt_zi(sections)
    start = rest.reshape(rest.shape[0], *(1,) * (values.ndim - 1), 2) * values[..., :1]
    return np.asarray(signal.sosfilt(sections, values, axis=-1, zi=start)[0], dtype=np.float64)

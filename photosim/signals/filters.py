"""Low-passes of receivers: Bessel filters of order 4, each given by its half-power frequency."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDER = 4
"""Order of the Bessel low-pass of a detector, an amplifier or a converter."""
STOP = 5.0
"""Bandwidths beyond which a low-pass passes no noise that counts: 4e-5 of it."""
MEMORY = 2.0
"""Periods of its half-power frequency after which a low-pass has forgotten: its slowest part is at 4e-6."""


@cache
def _poles() -> tuple[NDArray[np.complex128], float]:
    """Return the poles and the gain of the low-pass of half-power frequency 1 rad/s."""
    from scipy import signal

    _, poles, gain = signal.bessel(ORDER, 1.0, analog=True, norm="mag", output="zpk")
    return np.asarray(poles, dtype=np.complex128), float(gain)


def low_pass(frequency: Any, bandwidths: Sequence[float]) -> NDArray[np.complex128]:
    """Return the response of low-passes one after the other at frequencies in Hz, of their shape.

    It is that of exp(+i omega t), as numpy's rfft of a current has it. An infinite bandwidth passes all.
    """
    frequency = np.asarray(frequency, dtype=np.float64)
    poles, gain = _poles()
    found = np.ones(frequency.shape, dtype=np.complex128)
    for bandwidth in bandwidths:
        if np.isfinite(bandwidth):
            found *= gain / np.prod(1j * (frequency / bandwidth)[..., np.newaxis] - poles, axis=-1)
    return found


@cache
def noise_bandwidth(bandwidths: tuple[float, ...]) -> float:
    """Return the integral of the power that passes low-passes of these bandwidths in Hz: 1.0464 B for one."""
    from scipy import integrate

    finite = [b for b in bandwidths if np.isfinite(b)]
    if not finite or min(finite) == 0.0:
        return min(bandwidths, default=np.inf)
    narrow = min(finite)
    scaled = [b / narrow for b in finite]
    passed = lambda x: float(np.abs(low_pass(x, scaled)) ** 2)  # noqa: E731 - one integrand
    return narrow * float(integrate.quad(passed, 0.0, np.inf, epsrel=1e-10)[0])

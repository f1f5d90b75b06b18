"""How long light takes on its way, and by how much its delays differ: records of noise are longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

BAND = 0.4
"""Part of the sample rate, on either side of a line, in which responses are compared."""
LOOKS = 64
"""Frequencies at which that is done."""
_AT_ONCE = 5
"""Distances of two frequencies that are asked at once."""
GOLDEN = (5**0.5 - 1) / 2
"""Part of a bin at which the response is compared between the bins."""
ALIASED = 1e-3
"""Error of a wave, relative to the largest one, up to which a record is long enough."""

Transfer = Callable[[Any], "ComplexArray"]
"""Waves (F, ...) at frequencies (F,) in Hz: of light, or from a line, positive above it."""


def mean_delay(
    transfer: Transfer, carrier: float, sample_rate: float, *, together: bool = False
) -> FloatArray:
    """Return the mean delay in s, of any length, of the light in a band about a carrier in Hz.

    It is the mean of the group delay, weighted with power: of each element of what `transfer` gives, waves
    (F, ...) at frequencies of light (F,) in Hz, or of all `together`. The distance of the two frequencies
    whose phases are compared grows from 100 Hz, the delay found so far being taken out, for as long as they
    are alike.
    """
    at = carrier + np.linspace(-BAND, BAND, LOOKS) * sample_rate
    here = np.asarray(transfer(at))
    axes = tuple(range(here.ndim)) if together else (0,)
    power = np.asarray((np.abs(here) ** 2).sum(axis=axes))
    delay, apart, live = np.zeros(power.shape), 100.0, power > 0
    while live.any() and apart < sample_rate / 8:
        # Some distances are asked at once: a question of few frequencies takes as long as one of many.
        distances = [d for d in apart * 4.0 ** np.arange(_AT_ONCE) if d < sample_rate / 8]
        besides = [at + d for d in distances]
        asked = np.asarray(transfer(np.concatenate(besides)))
        for apart, beside, there in zip(distances, besides, np.split(asked, len(besides)), strict=True):
            if not live.any():
                break
            # The distance that is left after rounding: frequencies of light have steps of 0.03 Hz.
            step = (beside - at).reshape(-1, *(1,) * (here.ndim - 1))
            back = np.exp(-2j * np.pi * ((step * delay) % 1.0))
            alike = (np.conj(here) * there * back).sum(axis=axes) / np.where(power > 0, power, 1.0)
            live &= np.abs(alike) >= 0.9
            delay = np.where(live, delay + np.angle(alike) / (2 * np.pi * apart), delay)
        apart *= 4
    return delay


def response_span(transfer: Transfer, waves: ComplexArray, sample_rate: float, delay: float) -> int | None:
    """Return over how many samples a response is spread about its mean delay in s; None if over too many.

    transfer: takes distances from the line.  waves: what it gives at the bins of an FFT, (size, ...), before
    the delay is taken out.
    """
    from scipy.special import erfc

    size = len(waves)
    bins = np.fft.fftfreq(size)
    shape = (-1, *(1,) * (waves.ndim - 1))

    def weighted(values: ComplexArray, place: NDArray[Any]) -> ComplexArray:
        # Rolled off like a band: no edge that rings in time for ever.
        roll = 0.5 * erfc(4.0 * (np.abs(place) - 0.45) / 0.05)
        turn = np.exp(2j * np.pi * ((place * sample_rate * delay) % 1.0))
        return np.asarray(values * (roll * turn).reshape(shape))

    taps = np.fft.ifft(weighted(waves, bins), axis=0)
    n = np.rint(bins * size)
    between = np.fft.fft(taps * np.exp(-2j * np.pi * GOLDEN * n / size).reshape(shape), axis=0)
    looked = np.unique(np.linspace(0, size - 1, LOOKS).astype(int))
    looked = looked[np.abs(bins[looked]) < BAND]
    place = bins[looked] + GOLDEN / size
    right = weighted(transfer(-place * sample_rate), place)
    if np.abs(between[looked] - right).max() > ALIASED * max(float(np.abs(right).max()), 1e-300):
        return None
    energy = (np.abs(taps.reshape(size, -1)) ** 2).sum(axis=1)
    order = np.argsort(-np.abs(n))
    outside = np.cumsum(energy[order]) > ALIASED**2 * energy.sum()
    return int(np.abs(n[order][int(np.argmax(outside))]))

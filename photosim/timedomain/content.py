"""Frequency content of signals: the power beyond a band, and refusals of what a sample rate cannot carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.timedomain.band import OUT_OF_BAND, PASS

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 1 << 12
"""Samples of which one spectrum is computed."""
EDGE = 0.01
"""Part of the sample rate beyond the pass band that still passes to 3e-6: tones on its edge spread so far."""
_TOGETHER = 1 << 20
"""Samples transformed at a time."""
_ADVICE = "or slower edges (rise, bandwidth)"


def check_band(
    values: NDArray[Any],
    sample_rate: float,
    what: str,
    *,
    finer: int = 1,
    advice: str = _ADVICE,
) -> float:
    """Return the part of a signal's (T,) power beyond the pass band of a rate; ParameterError for too much.

    The whole signal is analysed, in stretches of WINDOW samples. finer: how many samples the signal has for
    each of the sample rate, so that what a coarser clock would mirror into the band is seen too.  advice:
    what else helps.
    """
    if values.size < 64 or not np.any(values != values[0]):
        return 0.0
    beyond = share_beyond(values, (PASS + EDGE) / finer, WINDOW * finer)
    refuse_beyond(beyond, sample_rate, what, advice)
    return beyond


def refuse_beyond(beyond: float, sample_rate: float, what: str, advice: str = _ADVICE) -> None:
    """Raise ParameterError where too large a part of a signal's power lies beyond the pass band."""
    if beyond > OUT_OF_BAND:
        message = (
            f"The sample rate of {sample_rate:g} Hz is too low for {what}: {100 * beyond:.3g} % of its power "
            f"lies more than {PASS * sample_rate:g} Hz from its carrier. Take {4 * sample_rate:g} Hz, "
            f"{advice}."
        )
        raise ParameterError(message)


def share_and_worst(
    values: NDArray[Any], cutoff: float, length: int = WINDOW, skip: int = 0
) -> tuple[float, float]:
    """Return `share_beyond` of a signal, and the largest value of what lies there over that of the signal.

    values: (T,).  cutoff: part of the sample rate.  skip: values that do not count in the second, behind the
    first change, where a signal that was held begins to move, and at the end.
    """
    if values.size < 64 or not np.any(values != values[0]):
        return 0.0, 0.0
    length = min(values.size, length) // 2 * 2
    half = length // 2
    padded = np.pad(values, (half, half + length), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)[::half]
    # Windows of Hann, half over each other, add up to 1: so do the parts of the signal in them.
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    inside = np.abs(np.fft.fftfreq(length)) <= cutoff
    total, outside = [], []
    beyond, ahead = 0.0, np.zeros(half, dtype=np.complex128)
    first_counted, behind = int(np.argmax(values != values[0])) + skip, values.size - skip
    group = max(1, _TOGETHER // length)
    for first in range(0, len(windows), group):
        spectrum = np.fft.fft(windows[first : first + group] * shape, axis=-1)
        total.append(_energies(spectrum))
        spectrum[:, inside] = 0.0
        outside.append(_energies(spectrum))
        parts = np.fft.ifft(spectrum, axis=-1)
        found = parts[:, :half] + np.concatenate([ahead[np.newaxis], parts[:-1, half:]])
        ahead = parts[-1, half:]
        at = (first - 1) * half + np.arange(found.size)
        counts = (at >= first_counted) & (at < behind)
        beyond = max(beyond, float(np.abs(found.ravel()[counts]).max(initial=0.0)))
    return _largest_share(total, outside), beyond / float(np.abs(values).max())


def _energies(spectrum: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return the sums of squares of rows."""
    numbers = spectrum.view(np.float64)
    return np.asarray(np.einsum("ij,ij->i", numbers, numbers))


def _largest_share(total: list[NDArray[np.float64]], outside: list[NDArray[np.float64]]) -> float:
    """Return the largest part of the power of stretches; of darker ones than the mean, that of the mean."""
    whole = np.concatenate(total)
    return float((np.concatenate(outside) / np.maximum(np.maximum(whole, whole.mean()), 1e-300)).max())


def check_frequency(frequency: float, sample_rate: float, what: str) -> None:
    """Raise ParameterError for a frequency in Hz that a sample rate cannot carry."""
    if not abs(frequency) <= PASS * sample_rate:
        message = (
            f"The sample rate of {sample_rate:g} Hz is too low for {what}, which has frequencies of "
            f"{abs(frequency):g} Hz: take {abs(frequency) / PASS:.4g} Hz or more."
        )
        raise ParameterError(message)


def share_beyond(values: NDArray[Any], cutoff: float, length: int = WINDOW) -> float:
    """Return the largest part of a signal's power beyond a frequency, over all stretches of its run.

    values: (T,).  cutoff: part of the sample rate.  A stretch that is darker than the mean of the signal is
    compared with the mean.
    """
    length = min(values.size, length)
    half = (length + 1) // 2
    padded = np.pad(values, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)[::half]
    shape = np.hanning(length)
    real = not np.iscomplexobj(values)  # a real signal has the same at the negative frequencies
    frequency = np.fft.rfftfreq(length) if real else np.abs(np.fft.fftfreq(length))
    weight = np.ones(frequency.size)
    if real:
        weight[1 : (length + 1) // 2] = 2.0
    outer = weight * (frequency > cutoff)
    transform = np.fft.rfft if real else np.fft.fft
    total, beyond = [], []
    group = max(1, _TOGETHER // length)
    for first in range(0, len(windows), group):
        spectrum = transform(windows[first : first + group] * shape, axis=-1)
        density = spectrum.real**2 + spectrum.imag**2
        total.append(density @ weight)
        beyond.append(density @ outer)
    return _largest_share(total, beyond)


def bandwidth_of(values: Sequence[NDArray[np.floating[Any]]], sample_rate: float) -> float:
    """Return the frequency in Hz below which 99 % of the changes of all these signals lie."""
    from scipy import fft

    highest = 0.0
    for signal in values:
        size = fft.next_fast_len(signal.size, real=True)
        spectrum = np.abs(fft.rfft((signal - signal.mean()) * np.hanning(signal.size), size)) ** 2
        if spectrum.sum() > 0:
            at = int(np.searchsorted(np.cumsum(spectrum), 0.99 * spectrum.sum()))
            highest = max(highest, at * sample_rate / size)
    return highest


def occupied(waves: Sequence[NDArray[np.complex128]], sample_rate: float) -> tuple[float, float]:
    """Return the frequencies in Hz above the carrier between which 99 % of the power of waves (T,) lies."""
    from scipy import fft

    size = max((wave.size for wave in waves), default=1)
    moving = [wave for wave in waves if wave.size == size and np.any(wave != wave[0])]
    if not moving:
        return 0.0, 0.0
    padded, shape = fft.next_fast_len(size), np.hanning(size)
    density = sum(np.abs(fft.fft(wave * shape, padded)) ** 2 for wave in moving)
    share = np.cumsum(np.fft.fftshift(density))
    frequency = np.fft.fftshift(np.fft.fftfreq(padded, 1 / sample_rate))
    low, high = frequency[np.searchsorted(share, np.array([0.005, 0.995]) * share[-1])]
    return -float(high), -float(low)

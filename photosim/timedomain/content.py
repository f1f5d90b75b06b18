"""Frequency content of signals: the power beyond a band, and refusals of what a sample rate cannot carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
_TOGETHER = 1 << 16
"""Samples transformed at a time, while they lie in the cache."""
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
    if values.size < 64 or not moves(values):
        return 0.0
    beyond = share_beyond(values, (PASS + EDGE) / finer, WINDOW * finer)
    refuse_beyond(beyond, sample_rate, what, advice)
    return beyond


def moves(values: NDArray[Any]) -> bool:
    """Return whether a signal (T,) changes at all; most that do so change early."""
    return bool(np.any(values[:WINDOW] != values[0]) or np.any(values[WINDOW:] != values[0]))


def refuse_beyond(beyond: float, sample_rate: float, what: str, advice: str = _ADVICE) -> None:
    """Raise ParameterError where too large a part of a signal's power lies beyond the pass band."""
    if beyond > OUT_OF_BAND:
        message = (
            f"The sample rate of {sample_rate:g} Hz is too low for {what}: {100 * beyond:.3g} % of its power "
            f"lies more than {PASS * sample_rate:g} Hz from its carrier. Take {4 * sample_rate:g} Hz, "
            f"{advice}."
        )
        raise ParameterError(message)


def share_beyond(values: NDArray[Any], cutoff: float, length: int = WINDOW) -> float:
    """Return the largest part of a signal's power beyond a frequency, over all stretches of its run.

    values: (T,).  cutoff: part of the sample rate.  A stretch that is darker than the mean of the signal is
    compared with the mean.
    """
    found = _Stretches(values, length)
    total, outside = [], []
    for spectra, energies in found.spectra():
        total.append(energies)
        outside.append(found.energies(found.outer(spectra, cutoff)))
    return found.largest_share(total, outside)


def share_and_worst(
    values: NDArray[Any], cutoff: float, length: int = WINDOW, skip: int = 0
) -> tuple[float, float]:
    """Return `share_beyond` of a complex signal, and the largest value of what lies there over its own.

    values: (T,).  cutoff: part of the sample rate.  skip: values that do not count in the second, behind the
    first change, where a signal that was held begins to move, and at the end.
    """
    from scipy import fft

    if values.size < 64 or not moves(values):
        return 0.0, 0.0
    found = _Stretches(values, length)
    half = found.half
    total, outside = [], []
    beyond, ahead = 0.0, np.zeros(half, dtype=np.complex64)
    first_counted, behind = int(np.argmax(values != values[0])) + skip, values.size - skip
    start = -half  # where the first stretch begins
    for spectra, energies in found.spectra():
        total.append(energies)
        outer = found.outer(spectra, cutoff)
        outside.append(found.energies(outer))
        kept = (spectra.shape[1] - outer.shape[1] + 1) // 2
        spectra[:, :kept] = 0.0
        spectra[:, kept + outer.shape[1] :] = 0.0
        parts = fft.ifft(spectra, axis=-1, overwrite_x=True)
        # Windows of Hann, half over each other, add up to 1: so do the parts of the signal in them.
        parts[0, :half] += ahead
        parts[1:, :half] += parts[:-1, half:]
        ahead = parts[-1, half:].copy()
        counted = np.ascontiguousarray(parts[:, :half]).ravel()
        own = counted[max(0, first_counted - start) : max(0, behind - start)]
        if own.size:
            beyond = max(beyond, float((own.real**2 + own.imag**2).max()))
        start += counted.size
    return found.largest_share(total, outside), float(np.sqrt(beyond)) / found.largest


class _Stretches:
    """Stretches of a signal, half over each other, weighed by Hann's window, in single precision.

    That is precise to 1e-7 of the largest value, and shares of power are asked for down to 1e-6.
    """

    def __init__(self, values: NDArray[Any], length: int) -> None:
        self.complex = np.iscomplexobj(values)
        values = np.ascontiguousarray(values, np.complex128 if self.complex else np.float64)
        self.length = max(2, min(values.size, length) // 2 * 2)
        self.half = half = self.length // 2
        parts = values.view(np.float64)
        unit = max(float(parts.max()), -float(parts.min())) or 1.0
        size = values.size
        self.padded = np.empty(size + 3 * half, np.complex64 if self.complex else np.float32)
        own = self.padded[half : half + size]
        np.divide(parts, unit, out=own.view(np.float32), casting="same_kind")
        self.padded[:half], self.padded[half + size :] = own[0], own[-1]

    @property
    def largest(self) -> float:
        """The largest modulus of the signal, in the unit in which spectra are."""
        return float(np.sqrt((self.padded.real**2 + self.padded.imag**2).max()))

    def spectra(self) -> Iterator[tuple[NDArray[np.complex64], NDArray[np.float32]]]:
        """Yield spectra (rows, frequencies) of some stretches, and their energies (rows,) by Parseval."""
        from scipy import fft

        shape = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.length) / self.length)).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(self.padded, self.length)[:: self.half]
        group = max(1, _TOGETHER // self.length)
        transform: Any = fft.fft if self.complex else fft.rfft
        for first in range(0, len(windows), group):
            own = windows[first : first + group] * shape
            energies = self.length * _energies(own)
            yield transform(own, axis=-1, overwrite_x=True), energies

    def outer(self, spectra: NDArray[np.complex64], cutoff: float) -> NDArray[np.complex64]:
        """Return the part of spectra whose frequencies, parts of the sample rate, lie beyond a cutoff."""
        first = int(np.floor(cutoff * self.length)) + 1
        return spectra[:, first : self.length - first + 1] if self.complex else spectra[:, first:]

    def energies(self, outer: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Return the energies (rows,) of the outer part of spectra, at the negative frequencies too."""
        once = _energies(outer)
        return once if self.complex else 2.0 * once - _energies(outer[:, -1:])  # half the sample rate is one

    def largest_share(self, total: list[NDArray[np.float32]], outside: list[NDArray[np.float32]]) -> float:
        """Return the largest part of the power of stretches; of darker ones than the mean, that of the mean.

        total, outside: energies of all stretches, and of what lies beyond a cutoff in them. The last stretch
        of all, which begins behind the middle of the one before and holds the last value, does not count.
        """
        count = (self.padded.size - 3 * self.half) // self.half + 1
        whole, beyond = np.concatenate(total)[:count], np.concatenate(outside)[:count]
        shares = beyond / np.maximum(np.maximum(whole, whole.mean()), 1e-30)
        return float(np.minimum(shares.max(), 1.0))


def _energies(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return the sums of the squared moduli of rows."""
    parts = [rows.real, rows.imag] if np.iscomplexobj(rows) else [rows]
    return np.asarray(sum(np.einsum("ij,ij->i", own, own) for own in parts))


def check_frequency(frequency: float, sample_rate: float, what: str) -> None:
    """Raise ParameterError for a frequency in Hz that a sample rate cannot carry."""
    if not abs(frequency) <= PASS * sample_rate:
        message = (
            f"The sample rate of {sample_rate:g} Hz is too low for {what}, which has frequencies of "
            f"{abs(frequency):g} Hz: take {abs(frequency) / PASS:.4g} Hz or more."
        )
        raise ParameterError(message)


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
    moving = [wave for wave in waves if wave.size == size and moves(wave)]
    if not moving:
        return 0.0, 0.0
    padded, shape = fft.next_fast_len(size), np.hanning(size)
    density = sum(np.abs(fft.fft(wave * shape, padded)) ** 2 for wave in moving)
    share = np.cumsum(np.fft.fftshift(density))
    frequency = np.fft.fftshift(np.fft.fftfreq(padded, 1 / sample_rate))
    low, high = frequency[np.searchsorted(share, np.array([0.005, 0.995]) * share[-1])]
    return -float(high), -float(low)

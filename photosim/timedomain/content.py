"""Frequency content of signals: the power beyond a band, and refusals of what a sample rate cannot carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
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
_MEANS = 8
"""Samples whose mean stands for them where a signal is slow."""
_FAINTEST = 1e-200
"""Least energy of a stretch of which a bound is known: squares of fainter ones are rounded to nothing."""
_ADVICE = "or slower edges (rise, bandwidth)"


def check_band(
    values: NDArray[Any],
    sample_rate: float,
    what: str,
    *,
    finer: int = 1,
    advice: str = _ADVICE,
) -> None:
    """Raise ParameterError for a signal (T,) with too large a part of its power beyond a rate's pass band.

    The whole signal is analysed, in stretches of WINDOW samples. finer: how many samples the signal has for
    each of the sample rate, so that what a coarser clock would mirror into the band is seen too.  advice:
    what else helps.
    """
    if values.size < 64 or not moves(values):
        return
    cutoff, length = (PASS + EDGE) / finer, WINDOW * finer
    if not Bound.of(values, cutoff, length, turns=2).within(OUT_OF_BAND):
        refuse_beyond(share_beyond(values, cutoff, length), sample_rate, what, advice)


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


class Bound:
    """An upper bound of `share_beyond`, block by block: most signals lie so far within that it decides.

    Differences of order n weigh a frequency f by |2 sin(pi f)|^n, which rises up to half the sample rate:
    what they leave of a stretch is at least what lies beyond the cutoff, times that weight there.
    """

    def __init__(self, size: int, cutoff: float, length: int = WINDOW, *, step: int = 1, turns: int) -> None:
        """Begin with a signal of so many samples. step: 2 for complex ones.  turns: orders 2, 4, ..."""
        self.size, self.step, self.turns = size, step, turns
        self.length = max(2, min(size, length) // 2 * 2)
        first = int(np.floor(cutoff * self.length)) + 1
        self.gains = (2 * np.sin(np.pi * first / self.length)) ** (2.0 ** np.arange(2, turns + 2))
        self.found: list[NDArray[np.float64]] = []
        self._held, self._filled, self._empty = np.empty(0), 0, True

    @staticmethod
    def of(values: NDArray[Any], cutoff: float, length: int = WINDOW, *, turns: int) -> Bound:
        """Return the bound of a whole signal (T,)."""
        step = 1 + int(np.iscomplexobj(values))
        found = Bound(values.size, cutoff, length, step=step, turns=turns)
        for begin in range(0, values.size, _TOGETHER):
            found.add(values[begin : begin + _TOGETHER])
        return found

    def add(self, samples: NDArray[Any]) -> None:
        """Take the next samples (N,)."""
        kind = np.complex128 if self.step == 2 else np.float64
        own = np.ascontiguousarray(samples, kind).view(np.float64)
        self.room(own.size)[:] = own
        self.take(own.size)

    def room(self, count: int) -> NDArray[np.float64]:
        """Return where the next numbers are to be written, before `take`."""
        end = self._filled + count
        if end > self._held.size:
            more = np.empty(count + self.length * self.step)
            self._held = np.concatenate([self._held[: self._filled], more])
        return self._held[self._filled : end]

    def take(self, count: int) -> None:
        """Take so many numbers that have been written."""
        if self._empty:
            self._empty, first = False, self._held[: self.step].copy()
            own = self._held[:count].copy()
            held = np.tile(first, self.length // 2)
            self.room(held.size + count)[:] = np.concatenate([held, own])
            count += held.size
        self._look(count)

    def _look(self, count: int) -> None:
        """Look at whole stretches, with numbers that have been written, and keep what the next ones need."""
        from photosim.kernels.bands import energies

        hop, end = self.length // 2 * self.step, self._filled + count
        rows = max(end // hop - 1, 0)
        if rows:
            out = np.empty((rows, 1 + self.turns))
            energies(self._held[:end], self.step, _window(self.length, self.step), self.turns, out)
            self.found.append(out)
        self._filled = end - rows * hop
        self._held[: self._filled] = self._held[rows * hop : end].copy()

    def within(self, limit: float) -> bool:
        """Return whether at most a part of the signal's power lies beyond, for sure."""
        return self.share()[0] <= limit

    def share(self) -> tuple[float, float]:
        """Return the largest part that may lie beyond, infinite if unknown, and the mean energy of stretches.

        The signal has ended: nothing can be taken behind it.
        """
        last = self._held[self._filled - self.step : self._filled].copy()
        self.room(self.length * self.step)[:] = np.tile(last, self.length)
        self._look(self.length * self.step)
        # The stretches of `share_beyond`.
        found = np.concatenate(self.found)[: self.size // (self.length // 2) + 1]
        whole, mean = found[:, :1], float(found[:, 0].mean())
        if not _FAINTEST < mean < np.inf:
            return np.inf, mean
        shares = (found[:, 1:] / (self.gains * np.maximum(whole, mean))).min(axis=1)
        return float(shares.max()), mean


@lru_cache(maxsize=16)
def _window(length: int, step: int) -> NDArray[np.float64]:
    """Return Hann's window, for each number of a sample."""
    return np.repeat(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length), step)


def within(values: NDArray[Any], cutoff: float, limit: float) -> bool:
    """Return whether `share_beyond` of a signal (T,) is at most a limit."""
    return Bound.of(values, cutoff, turns=3).within(limit) or share_beyond(values, cutoff) <= limit


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
    highest = 0.0
    for signal in values:
        found = _slow_bandwidth(signal) if signal.size > _TOGETHER else None
        highest = max(highest, _bandwidth(signal) if found is None else found)
    return highest * sample_rate


def _bandwidth(signal: NDArray[np.floating[Any]]) -> float:
    """Return the part of the sample rate below which 99 % of the changes of a signal lie."""
    from scipy import fft

    size = fft.next_fast_len(signal.size, real=True)
    spectrum = np.abs(fft.rfft((signal - signal.mean()) * np.hanning(signal.size), size)) ** 2
    if not spectrum.sum() > 0:
        return 0.0
    return int(np.searchsorted(np.cumsum(spectrum), 0.99 * spectrum.sum())) / size


def _slow_bandwidth(signal: NDArray[np.floating[Any]]) -> float | None:
    """Return the same from means of _MEANS samples; None where so few do not tell it."""
    from scipy import fft

    count = signal.size // _MEANS
    blocks = (signal[: count * _MEANS] - signal.mean()).reshape(count, _MEANS)
    shape = np.hanning(count)
    size = fft.next_fast_len(count, real=True)
    spectrum = np.abs(fft.rfft(blocks @ np.full(_MEANS, 1.0 / _MEANS) * shape, size)) ** 2
    spectrum /= np.sinc(np.arange(spectrum.size) / size) ** 2  # what means lose of it
    # All changes, by Parseval: the spectrum has only one of two signs, and what is at 0 once.
    whole = (size * float(np.einsum("ij,ij->i", blocks, blocks) @ shape**2) / _MEANS + spectrum[0]) / 2
    known = spectrum[: spectrum.size // 2]
    at = int(np.searchsorted(np.cumsum(known), 0.99 * whole))
    return at / (size * _MEANS) if 0 < at < known.size else None


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

"""From S(f) to an impulse response in a band, and signals convolved with it in blocks (overlap-save)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, UnphysicalResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ComplexArray = NDArray[np.complex128]

PASS = 0.4
"""Part of the sample rate, on either side of a carrier, in which S(f) acts exactly; beyond it rolls off."""
LEAD = 128
"""Samples by which the roll-off rings ahead, down to 1e-8: a band has no edge that is sharp in time too."""
TAIL = 1e-9
"""Part of an impulse response, as an amplitude, that may be cut off."""
NOT_CAUSAL = 1e-4
"""Part of an impulse response, as an amplitude, that may come ahead of its cause."""
SHORTEST, LONGEST = 1024, 1 << 22
"""Samples of a response: the first try, and the longest one that is tried, of all its elements together."""
GOLDEN = (5**0.5 - 1) / 2
"""Part of a bin at which S is compared between the bins."""
ALIASED = 1e-6
"""Largest difference between the bins of S and of the response, relative to the largest S."""
OUT_OF_BAND = 1e-3
"""Part of a signal's power that may lie beyond the pass band."""
BLOCK_SAMPLES = 1 << 18
"""Samples transformed at a time: they stay in the core's second cache."""

Transfer = Callable[[Any], "ComplexArray"]
"""Elements (W, outs, ins) at wavelengths (W,) in um."""


@dataclass(frozen=True)
class Response:
    """Impulse responses in a band.

    taps: (outs, ins, LEAD + length), tap k acting delay + k - LEAD samples later.  still: (outs, ins)
    response to light that does not change.
    """

    taps: ComplexArray
    still: ComplexArray
    delay: int = 0

    @property
    def memory(self) -> int:
        """Samples after which a pulse is gone."""
        return int(self.taps.shape[-1]) - LEAD + self.delay


def roll_off(frequency: NDArray[np.floating[Any]], sample_rate: float) -> NDArray[np.float64]:
    """Return the weight of frequencies in Hz from the carrier: 1 within PASS, 0 at half the sample rate."""
    from scipy.special import erfc

    middle, half = (PASS + 0.5) / 2, (0.5 - PASS) / 2
    return np.asarray(0.5 * erfc(4.0 * (np.abs(frequency) / sample_rate - middle) / half))


def grid(carrier: float, sample_rate: float, length: int) -> NDArray[np.float64]:
    """Return wavelengths in um of the bins of an FFT of a length about a carrier in Hz.

    The sign is that of exp(-i omega t): numpy's bin of positive frequency is light below the carrier.
    """
    frequency = carrier - np.fft.fftfreq(length, 1 / sample_rate)
    if frequency.min() <= 0:
        message = f"A sample rate of {sample_rate:g} Hz reaches below zero frequency about {carrier:g} Hz."
        raise ParameterError(message)
    return np.asarray(SPEED_OF_LIGHT_UM_S / frequency)


def response(transfer: Transfer, carrier: float, sample_rate: float, where: str) -> Response:
    """Return the impulse responses of linear parts, as long as they take to die away.

    A delay that all of them share is kept as a number of samples, so that their length is that of what is
    left. Raises UnphysicalResult where they begin ahead of their cause, ParameterError where they last longer
    than LONGEST samples.
    """
    middle = mean_delay(transfer, carrier, sample_rate)
    # The phase of light is known to so much: it turns by carrier times delay.
    floor = 8 * np.finfo(float).eps * 2 * np.pi * carrier * abs(middle) / sample_rate
    length = SHORTEST
    while True:
        start = round(middle - 0.3 * length)
        start = start if start > 2 * LEAD else 0
        weight = roll_off(np.fft.fftfreq(length, 1 / sample_rate), sample_rate)
        s = _between(transfer, carrier, sample_rate, length, start, 0.0)
        taps = np.fft.ifft(s * weight[:, np.newaxis, np.newaxis], axis=0)
        size = np.sqrt((np.abs(taps) ** 2).sum(axis=(1, 2)))
        whole = max(float(np.sqrt((size**2).sum())), 1e-300)
        # In order of time: LEAD samples ahead, the response, and what is far ahead (or wrapped round).
        size = np.roll(size, LEAD)
        memory = int(0.6 * length)
        rest = np.sqrt((size[memory:] ** 2).sum()) / whole
        ended = bool(rest <= max(TAIL, floor))
        if ended:
            beside = _between(transfer, carrier, sample_rate, length, start, GOLDEN)
            ended = not _aliased(taps, max(ALIASED, 10 * floor), beside)
        if ended or 2 * length * s[0].size > LONGEST:
            if ended and not start:
                _refuse_early(taps, weight, where, sample_rate)
            elif not ended:
                _refuse_long(size, whole, where, sample_rate)
            still = np.asarray(transfer(grid(carrier, sample_rate, 2)[:1]))[0]
            return _trimmed(np.roll(taps, LEAD, axis=0), size, whole, still, start, max(TAIL, floor))
        length *= 2


def mean_delay(transfer: Transfer, carrier: float, sample_rate: float) -> float:
    """Return the mean delay in samples of the energy of a pulse through S (outs, ins), at any length.

    It is the mean of the group delay, weighted with power. The distance of the two frequencies whose phases
    are compared grows from 100 Hz, the delay found so far being taken out, for as long as they are alike.
    """
    at = np.linspace(-PASS, PASS, 64) * sample_rate
    here = np.asarray(transfer(SPEED_OF_LIGHT_UM_S / (carrier - at)))
    power = float((np.abs(here) ** 2).sum())
    delay, apart = 0.0, 100.0
    while power > 0 and apart < sample_rate / 8:
        # The distance that is left after rounding: frequencies of light have steps of 0.03 Hz.
        near = carrier - (at + apart)
        step = (carrier - at) - near
        there = np.asarray(transfer(SPEED_OF_LIGHT_UM_S / near))
        back = np.exp(2j * np.pi * ((step * delay) % 1.0))[:, np.newaxis, np.newaxis]
        alike = complex((np.conj(here) * there * back).sum()) / power
        if abs(alike) < 0.9:
            break
        delay -= float(np.angle(alike)) / (2 * np.pi * apart)
        apart *= 4
    return delay * sample_rate


def _between(
    transfer: Transfer, carrier: float, sample_rate: float, length: int, start: int, part: float
) -> ComplexArray:
    """Return S (length, outs, ins) a part of a bin after each bin of an FFT, with a delay taken out."""
    step = sample_rate / length
    wl = grid(carrier - part * step, sample_rate, length)
    turn = np.exp(2j * np.pi * (((np.fft.fftfreq(length) + part / length) * start) % 1.0))
    s: ComplexArray = np.asarray(transfer(wl)) * turn[:, np.newaxis, np.newaxis]
    return s


def _aliased(taps: ComplexArray, allowed: float, beside: ComplexArray) -> bool:
    """Return whether taps (L, outs, ins) give other values than S has beside the bins, GOLDEN of a bin on.

    What is wrapped round m times differs by the phase m GOLDEN turns, which is no whole number for any m.
    """
    length = taps.shape[0]
    s = beside * roll_off(np.fft.fftfreq(length) + GOLDEN / length, 1.0)[:, np.newaxis, np.newaxis]
    n = np.arange(length)
    n[-LEAD:] -= length
    turned = taps * np.exp(-2j * np.pi * GOLDEN * n / length)[:, np.newaxis, np.newaxis]
    return bool(np.abs(np.fft.fft(turned, axis=0) - s).max() > allowed * max(np.abs(s).max(), 1e-300))


def _refuse_early(taps: ComplexArray, weight: NDArray[np.float64], where: str, sample_rate: float) -> None:
    """Raise for responses (L, outs, ins) that begin before their cause.

    A band has no sharp edge in time: what is causal rings ahead by n samples with no more than the largest
    value that the band's own pulse has from n on, times the sum of its taps.
    """
    length = weight.size
    wide = np.zeros(8 * length)
    wide[: length // 2], wide[-(length // 2) :] = weight[: length // 2], weight[-(length // 2) :]
    pulse = np.abs(np.fft.ifft(wide))[: 4 * length] * 8
    ringing = np.maximum.accumulate(pulse[::-1])[::-1]
    ahead = np.abs(taps[: -LEAD - 1 : -1])  # 1, 2, ... samples early
    allowed = ringing[4 : 8 * LEAD : 8][:, np.newaxis, np.newaxis] * np.abs(taps).sum(axis=0)
    early = np.flatnonzero((ahead > allowed + NOT_CAUSAL * np.abs(taps).max()).any(axis=(1, 2)))
    if early.size:
        most = early[int(np.argmax(ahead[early].max(axis=(1, 2))))] + 1
        message = (
            f"The S-matrix of {where} is not causal: it answers {most / sample_rate:.2g} s before it is "
            "asked. Its phase must fall with wavelength (a delay, in exp(-i omega t)) and not jump."
        )
        raise UnphysicalResult(message)


def _refuse_long(size: NDArray[np.float64], whole: float, where: str, sample_rate: float) -> None:
    """Raise for a response that is not over in the longest stretch: one without cause, or without end."""
    length = size.size
    memory, far = int(0.6 * length), int(0.8 * length)
    gap = np.sqrt((size[memory:far] ** 2).sum()) / whole
    ahead = np.sqrt((size[far:] ** 2).sum()) / whole
    if ahead > max(NOT_CAUSAL, 3 * gap):
        message = (
            f"The S-matrix of {where} is not causal: {100 * ahead:.2g} % of its impulse response comes "
            "before the light that causes it. A table needs phases that are a delay, without jumps."
        )
        raise UnphysicalResult(message)
    if max(gap, ahead) > NOT_CAUSAL:
        message = (
            f"Light in {where} lasts longer than {memory / sample_rate:g} s: take a lower sample rate, or "
            "more loss (a lossless loop never forgets)."
        )
        raise ParameterError(message)


def _trimmed(
    taps: ComplexArray,
    size: NDArray[np.float64],
    whole: float,
    still: ComplexArray,
    start: int,
    tail: float,
) -> Response:
    """Return the taps (L, outs, ins) up to where what is left no longer counts."""
    left = np.sqrt(np.cumsum(size[::-1] ** 2))[::-1] / whole
    end = max(LEAD + 1, int(np.searchsorted(-left, -tail)))
    return Response(np.ascontiguousarray(np.moveaxis(taps[:end], 0, -1)), still, start)


def convolve(
    found: Response, signals: Mapping[int, ComplexArray], count: int, samples: int
) -> list[ComplexArray]:
    """Return what arrives at each of `count` outs, (T,) or (1,) where nothing changes.

    signals: input number to (T,) or, where it does not change, (1,). Before the first sample each had its
    first value for ever; after the last one it keeps that.
    """
    from scipy import fft

    still = {i: x for i, x in signals.items() if x.size == 1}
    moving = {i: x for i, x in signals.items() if x.size > 1}
    base = [sum((found.still[o, i] * x[0] for i, x in still.items()), 0j) for o in range(count)]
    if not moving:
        return [np.array([b]) for b in base]
    taps = found.taps.shape[-1]
    size = fft.next_fast_len(max(4096, 4 * taps) if samples > 4 * taps else samples + taps - 1)
    useful = size - taps + 1
    blocks = -(-samples // useful)
    windows = {i: _windows(x, taps, found.delay, size, blocks) for i, x in moving.items()}
    filters = {i: fft.fft(found.taps[:, i], size, axis=-1) for i in moving}
    out = np.empty((count, blocks, useful), dtype=np.complex128)
    group = max(1, BLOCK_SAMPLES // size)
    for first in range(0, blocks, group):
        spectra = {i: fft.fft(w[first : first + group], axis=-1) for i, w in windows.items()}
        for o in range(count):
            total = sum(spectrum * filters[i][o] for i, spectrum in spectra.items())
            out[o, first : first + group] = fft.ifft(total, axis=-1, overwrite_x=True)[:, taps - 1 :]
    return [out[o].reshape(-1)[:samples] + base[o] for o in range(count)]


def _windows(x: ComplexArray, taps: int, delay: int, size: int, blocks: int) -> ComplexArray:
    """Return x (T,), delayed, cut into overlapping blocks (blocks, size), with its ends held."""
    useful = size - taps + 1
    length = (blocks - 1) * useful + size
    padded = np.full(length, x[-1], dtype=np.complex128)
    ahead = min(taps - 1 - LEAD + delay, length)
    padded[:ahead] = x[0]
    kept = min(x.size, length - ahead)
    padded[ahead : ahead + kept] = x[:kept]
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::useful][:blocks]

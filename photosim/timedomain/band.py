"""From S(f) to impulse responses in a band, their delays taken out, and signals held against the band."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, UnphysicalResult
from photosim.signals.delays import GOLDEN, mean_delay

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
SHORTEST, LONGEST = 1024, 1 << 24
"""Samples of a response: the first try, and the longest one that is tried, of all its elements together."""
ALIASED = 1e-6
"""Largest difference between the bins of S and of the response, relative to the largest S."""
OUT_OF_BAND = 1e-3
"""Part of a signal's power that may lie beyond the pass band."""
MADE = 1e-4
"""The same of light that parts make, from which it is said: 2 % of the power at the worst sample."""
MADE_FIELD = 1e-2
"""Part of the largest field that parts make beyond the band at the worst sample, from which it is said."""
SHOWN = 1e-3
"""Field beyond the band, over the largest, from which it stands in the attributes of a run."""
_ASKED = 1 << 16
"""Wavelengths that are computed at a time."""

Transfer = Callable[[Any], "ComplexArray"]
"""Elements (W, outs, ins) at wavelengths (W,) in um."""


@dataclass(frozen=True)
class Response:
    """Impulse responses in a band.

    taps: (outs, ins, LEAD + length), tap k acting delay + k - LEAD samples later.  still: (outs, ins)
    response to light that does not change.  delay: (outs, ins) samples.  error: largest difference from S
    between the bins, relative to the largest S.
    """

    taps: ComplexArray
    still: ComplexArray
    delay: NDArray[np.int64]
    error: float = 0.0


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
        message = (
            f"A sample rate of {sample_rate:g} Hz is more than twice the carrier, {carrier:g} Hz: choose a "
            "lower one."
        )
        raise ParameterError(message)
    return np.asarray(SPEED_OF_LIGHT_UM_S / frequency)


def response(
    transfer: Transfer,
    carrier: float,
    sample_rate: float,
    where: str,
    least: NDArray[np.int64] | None = None,
) -> Response:
    """Return the impulse responses of linear parts, as long as they take to die away.

    Of each element its own delay is kept as a number of samples, so that their length is that of what is
    left, and S is compared with what they give between the bins. least: (outs,) samples before which
    nothing is known to arrive. Raises UnphysicalResult where they begin ahead of their cause, ParameterError
    where they last longer than LONGEST samples.
    """
    middle = sample_rate * mean_delay(lambda f: transfer(SPEED_OF_LIGHT_UM_S / f), carrier, sample_rate)
    still = np.asarray(transfer(grid(carrier, sample_rate, 2)[:1]))[0]
    # The phase of light is known to so much: it turns by carrier times delay.
    floors = 8 * np.finfo(float).eps * 2 * np.pi * carrier * np.abs(middle).ravel() / sample_rate
    ask = Ask(transfer, carrier, sample_rate)
    known = np.zeros(still.shape, np.int64) if least is None else np.repeat(least[:, None], still.shape[1], 1)
    known = known.ravel() // (2 * LEAD) * 2 * LEAD
    open_ones = np.arange(middle.size)
    found: dict[int, tuple[ComplexArray, int]] = {}
    worst, whole, length = 0.0, 1e-300, SHORTEST
    while open_ones.size:
        starts, floor = _starts(middle.ravel()[open_ones], length), floors[open_ones]
        starts = np.maximum(starts, known[open_ones])
        s = ask.between(length, open_ones, starts, 0.0)
        weight = roll_off(np.fft.fftfreq(length, 1 / sample_rate), sample_rate)
        taps = np.fft.ifft(s * weight[:, np.newaxis], axis=0)
        if not found and length == SHORTEST:
            whole = max(float(np.linalg.norm(taps)), whole)
        # In order of time: LEAD samples ahead, the response, and what is far ahead (or wrapped round).
        taps = np.roll(taps, LEAD, axis=0)
        last = 2 * length * open_ones.size > LONGEST
        ended = np.linalg.norm(taps[_memory(length) :], axis=0) <= np.maximum(TAIL, floor) * whole
        errors = np.zeros(open_ones.size)
        if ended.any() or last:
            errors = _alias(taps, ask.between(length, open_ones, starts, GOLDEN)) / max(
                np.abs(s).max(), whole
            )
            ended &= errors <= np.maximum(ALIASED, 10 * floor)
        for k in np.flatnonzero(ended | last):
            if not ended[k]:
                _refuse_long(taps[:, k], whole, float(errors[k]), where, sample_rate)
            elif starts[k] == known[open_ones[k]]:
                _refuse_early(taps[:, k], whole, weight, where, sample_rate)
            found[int(open_ones[k])] = _trimmed(taps[:, k], whole, max(TAIL, floor[k])), int(starts[k])
            worst = max(worst, float(errors[k]))
        open_ones = open_ones[~ended] if not last else open_ones[:0]
        length *= 2
    return _gathered(found, still, worst)


def _memory(length: int) -> int:
    """Return where in a stretch of that length a response must have ended."""
    return int(0.6 * length)


def _starts(middle: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    """Return the samples to take out ahead of responses around a mean delay, 0 where there are few.

    They come in steps, so that elements with nearly the same delay share the windows of their input.
    """
    starts = np.floor((middle - 0.3 * length) / (2 * LEAD)).astype(np.int64) * 2 * LEAD
    return np.maximum(starts, 0)


def _gathered(found: Mapping[int, tuple[ComplexArray, int]], still: ComplexArray, error: float) -> Response:
    """Return the responses of all elements, by their number, as one: taps filled up to one length."""
    longest = max((one.size for one, _ in found.values()), default=LEAD + 1)
    taps = np.zeros((*still.shape, longest), dtype=np.complex128)
    delay = np.zeros(still.shape, dtype=np.int64)
    for number, (one, start) in found.items():
        place = np.unravel_index(number, still.shape)
        taps[place][: one.size] = one
        delay[place] = start
    return Response(taps, still, delay, error)


@dataclass(frozen=True)
class Ask:
    """S-matrices between the bins of an FFT, with delays taken out."""

    transfer: Transfer
    carrier: float
    sample_rate: float

    def between(
        self, length: int, elements: NDArray[np.int64], starts: NDArray[np.int64], part: float
    ) -> ComplexArray:
        """Return elements of S (length, E), by their number, a part of a bin after each bin of an FFT.

        The delay is taken out at the very frequency that a wavelength, rounded, stands for.
        """
        wl = grid(self.carrier - part * self.sample_rate / length, self.sample_rate, length)
        out = np.empty((length, elements.size), dtype=np.complex128)
        for a in range(0, length, _ASKED):
            piece = wl[a : a + _ASKED]
            s = np.asarray(self.transfer(piece))
            shift = (self.carrier - SPEED_OF_LIGHT_UM_S / piece.astype(np.longdouble)) / self.sample_rate
            turns = {
                start: np.exp(2j * np.pi * np.asarray((shift * start) % 1.0, dtype=np.float64))
                for start in set(starts.tolist())
            }
            flat = s.reshape(piece.size, -1)
            for k, (element, start) in enumerate(zip(elements, starts.tolist(), strict=True)):
                out[a : a + _ASKED, k] = flat[:, element] * turns[start]
        return out


def _alias(taps: ComplexArray, beside: ComplexArray) -> NDArray[np.float64]:
    """Return how much taps (L, E) differ from S (L, E) beside the bins, GOLDEN of a bin on, for each element.

    What is wrapped round m times differs by the phase m GOLDEN turns, which is not a whole number for any m.
    """
    length = taps.shape[0]
    s = beside * roll_off(np.fft.fftfreq(length) + GOLDEN / length, 1.0)[:, np.newaxis]
    n = np.arange(length) - LEAD
    turned = taps * np.exp(-2j * np.pi * GOLDEN * n / length)[:, np.newaxis]
    ahead = np.exp(2j * np.pi * np.fft.fftfreq(length) * LEAD)[:, np.newaxis]
    return np.asarray(np.abs(np.fft.fft(turned, axis=0) * ahead - s).max(axis=0))


def _refuse_early(
    taps: ComplexArray, whole: float, weight: NDArray[np.float64], where: str, sample_rate: float
) -> None:
    """Raise for a response (L,), from LEAD samples ahead, that begins before its cause.

    A band has no sharp edge in time: what is causal rings ahead by n samples with no more than the largest
    value that the band's own pulse has from n on, times the sum of its taps.
    """
    length = weight.size
    wide = np.zeros(8 * length)
    wide[: length // 2], wide[-(length // 2) :] = weight[: length // 2], weight[-(length // 2) :]
    pulse = np.abs(np.fft.ifft(wide))[: 4 * length] * 8
    ringing = np.maximum.accumulate(pulse[::-1])[::-1]
    ahead = np.abs(taps[:LEAD][::-1])  # 1, 2, ... samples early
    allowed = ringing[4 : 8 * LEAD : 8] * np.abs(taps).sum() + NOT_CAUSAL * min(np.abs(taps).max(), whole)
    early = np.flatnonzero(ahead > allowed)
    if early.size:
        most = early[int(np.argmax(ahead[early]))] + 1
        message = (
            f"The S-matrix of {where} is not causal: its impulse response begins "
            f"{most / sample_rate:.2g} s before the input. Its phase must fall with wavelength (a "
            "delay, in exp(-i omega t)) and not jump."
        )
        raise UnphysicalResult(message)


def _refuse_long(taps: ComplexArray, whole: float, error: float, where: str, sample_rate: float) -> None:
    """Raise for a response (L,) that is not over in the longest stretch: one without cause, or without end.

    Nor is one over that gives another S between the bins: what is left of it is wrapped round.
    """
    length = taps.size
    memory, far = _memory(length), int(0.8 * length)
    gap, ahead = (float(np.linalg.norm(piece)) / whole for piece in (taps[memory:far], taps[far:]))
    if ahead > max(NOT_CAUSAL, 3 * gap):
        message = (
            f"The S-matrix of {where} is not causal: {100 * ahead:.2g} % of its impulse response comes "
            "before the light that causes it. A table needs phases that are a delay, without jumps."
        )
        raise UnphysicalResult(message)
    if max(gap, ahead, error) > NOT_CAUSAL:
        message = (
            f"Light in {where} lasts longer than {memory / sample_rate:g} s: take a lower sample rate, or "
            "more loss (light in a lossless loop never decays)."
        )
        raise ParameterError(message)


def _trimmed(taps: ComplexArray, whole: float, tail: float) -> ComplexArray:
    """Return the taps (L,) up to where what is left no longer counts."""
    left = np.sqrt(np.cumsum(np.abs(taps[::-1]) ** 2))[::-1] / whole
    end = max(LEAD + 1, int(np.searchsorted(-left, -tail)))
    return np.ascontiguousarray(taps[:end])

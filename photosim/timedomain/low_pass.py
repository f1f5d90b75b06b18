"""Low-pass filters of Bessel's kind, as receivers and drivers have them: the analogue ones, at every rate.

A filter is a sum of first-order ones, H = sum residue/(i omega - pole). Each is integrated over a sample,
s[n] = exp(pole dt) s[n - 1] + what the signal between n - 1 and n adds, and that is a short filter of the
samples around, fitted in frequency within 0.42 of the sample rate. So a pole is exact, however slow, and what
is fitted does not depend on how slow it is.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import check_arguments
from photosim.errors import ParameterError
from photosim.reals import shown
from photosim.timedomain.content import moves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ComplexArray = NDArray[np.complex128]
    Mode = tuple[complex, complex, ComplexArray]

MOST_ORDER = 24
"""Highest order of a Bessel low-pass."""
AROUND = 24
"""Samples on either side that the short filter looks at."""
_FITTED_PART = 0.42
"""Part of the sample rate in which it is fitted: a little more than signals may fill."""
_POINTS = 400
_BEYOND = 1e-5
"""Weight of what lies beyond, where the short filter falls."""
BLOCK = 1 << 16
"""Samples that are filtered at a time."""
_TOGETHER = 4
"""Poles whose sum is taken at once; terms of more would cancel, so others follow one after the other."""


def low_pass(
    values: NDArray[np.float64], bandwidth: float, sample_rate: float, *, order: int = 1
) -> NDArray[np.float64]:
    """Return values (..., T) behind a Bessel low-pass of a half-power bandwidth in Hz, at rest at first.

    Within 0.4 of the sample rate it is the analogue filter to 1e-4, below that rate or above it. Behind the
    last sample the last value is kept.
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
    if not (math.isfinite(bandwidth) and bandwidth > 0 and sample_rate > 0):
        message = f"A low-pass needs a positive bandwidth, got {bandwidth:g} Hz at {sample_rate:g} Hz."
        raise ParameterError(message)
    out = np.asarray(values, dtype=np.float64)
    for modes in _modes(bandwidth / sample_rate, int(order)):
        out = _filtered(out, modes)
    # One pole only averages: what is nowhere negative stays so, whatever an edge rings in its band.
    if order == 1 and values.min() >= 0:
        return np.maximum(out, 0.0)
    if order == 1 and values.max() <= 0:
        return np.minimum(out, 0.0)
    return out


def response(frequency: NDArray[np.float64], bandwidth: float, *, order: int = 1) -> ComplexArray:
    """Return the response of the analogue low-pass at frequencies (...,) in Hz, as exp(+i omega t) has it."""
    found: ComplexArray = np.ones(np.shape(frequency), dtype=np.complex128)
    s = 1j * np.asarray(frequency)[..., np.newaxis] / bandwidth
    for poles, residues in _partial_fractions(int(order)):
        found = found * (residues / (s - poles)).sum(axis=-1)
    return found


def stepped_error(bandwidth: float, sample_rate: float, highest: float) -> float:
    """Return the error of a first-order low-pass inside a stepped part, up to a frequency in Hz.

    There the signal goes straight from a sample to the next, and each step is exact for that.
    """
    frequency = np.linspace(0.0, highest / sample_rate, 65)[1:]
    right = response(frequency, bandwidth / sample_rate)
    return float(np.abs(_stepped(frequency, bandwidth / sample_rate) - right).max())


def stepped_wrong(behind: NDArray[np.float64], bandwidth: float, sample_rate: float) -> NDArray[np.float64]:
    """Return what a signal (T,) that left such a low-pass lacks of what the analogue one lets pass, (T,)."""
    if not moves(behind):
        return np.zeros(behind.size)
    # Held before, and turned back behind its end: no edge that was none.
    whole = np.concatenate([np.full(behind.size, behind[0]), behind, behind[::-1]])
    frequency: NDArray[np.float64] = np.fft.rfftfreq(whole.size).astype(np.float64)
    found = _stepped(frequency, bandwidth / sample_rate)
    wrong = response(frequency, bandwidth / sample_rate) / found - 1.0
    error = np.fft.irfft(np.fft.rfft(whole - behind[0]) * wrong, whole.size)
    return np.asarray(error[behind.size : 2 * behind.size])


def _stepped(frequency: NDArray[np.float64], bandwidth: float) -> ComplexArray:
    """Return the response of a stepped low-pass, frequencies (F,) and bandwidth in sample rates."""
    pole = 2 * np.pi * bandwidth
    keep, ramp = np.exp(-pole), -np.expm1(-pole) / pole
    back = np.exp(-2j * np.pi * frequency)
    return np.asarray(((ramp - keep) * back + 1 - ramp) / (1 - keep * back))


class Passing:
    """A signal on its way through the sum of some poles, block by block: only its change from `first` is."""

    def __init__(self, modes: tuple[Mode, ...], first: float) -> None:
        self.first, self.modes = first, modes
        self.states = [np.zeros(1, dtype=np.complex128 if pole.imag else np.float64) for pole, _, _ in modes]

    def of(self, values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        """Fill out (N,) with the next N samples; values: (N + 2 AROUND,), those around them too."""
        from photosim.kernels.decays import decayed

        # What does not change stays as it is.
        out[:] = self.first
        for (pole, residue, share), state in zip(self.modes, self.states, strict=True):
            keep = np.exp(pole)
            if pole.imag:  # a complex pole stands for itself and its mirror image
                decayed(values, self.first, share, keep, 2.0 * residue, state, out)
            else:
                decayed(values, self.first, share.real.copy(), keep.real, residue.real, state, out)


class PassingApart:
    """The same, seen at every so many instants only: the steps between them are one sum."""

    def __init__(self, modes: tuple[Mode, ...], first: float, every: int) -> None:
        self.first, self.every, self.begun = first, every, False
        self.own = []
        for pole, residue, share in modes:
            # A complex pole stands for itself and its mirror image.
            keep, weight = complex(np.exp(pole)), 2.0 * residue if pole.imag else complex(residue.real)
            taps = np.convolve(share, keep ** np.arange(every))
            parts = np.stack([taps.real, taps.imag][: 2 if pole.imag else 1])
            # A slow pole forgets so little in a step that rounding must not add to it.
            kept = complex(np.clongdouble(keep) ** every)
            self.own.append(
                (share if pole.imag else share.real, parts, kept, weight, np.zeros(1, dtype=np.complex128))
            )

    def of(self, values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        """Fill out (N,) with the next N seen ones; values: from AROUND + every - 1 ahead to AROUND behind."""
        from photosim.kernels.decays import decayed_apart

        out[:] = self.first
        for share, taps, keep, weight, state in self.own:
            later = 0
            if not self.begun:  # nothing was before
                near = values[self.every - 1 :][: share.size][::-1] - self.first
                state[0] = share @ near
                out[0] += (weight * state[0]).real
                later = 1
            decayed_apart(
                values[later * self.every :], self.first, self.every, taps, keep, weight, state, out[later:]
            )
        self.begun = True


def around(values: NDArray[np.float64], begin: int, end: int) -> NDArray[np.float64]:
    """Return samples of a signal (T,) and AROUND more on either side, its ends held."""
    low, high = begin - AROUND, end + AROUND
    own = values[max(low, 0) : high]
    if low >= 0 and high <= values.size:
        return own
    return np.pad(own, (max(-low, 0), max(high - values.size, 0)), mode="edge")


def one_factor(bandwidth: float, sample_rate: float, *, order: int = 1) -> tuple[Mode, ...] | None:
    """Return the poles of a low-pass as `low_pass` takes them; None where they are several sums."""
    found = _modes(bandwidth / sample_rate, int(order))
    return found[0] if len(found) == 1 else None


def _filtered(values: NDArray[np.float64], modes: tuple[Mode, ...]) -> NDArray[np.float64]:
    """Return values (..., T) behind the sum of some poles."""
    out = np.empty(values.shape)
    rows, found = values.reshape(-1, values.shape[-1]), out.reshape(-1, values.shape[-1])
    for row, own in zip(np.ascontiguousarray(rows), found, strict=True):
        passing = Passing(modes, float(row[0]))
        for begin in range(0, row.size, BLOCK):
            end = min(begin + BLOCK, row.size)
            passing.of(around(row, begin, end), own[begin:end])
    return out


@lru_cache(maxsize=32)
def _partial_fractions(order: int) -> tuple[tuple[ComplexArray, ComplexArray], ...]:
    """Return (poles, residues) of factors of H(s), each 1 at rest; s is i f over the half-power frequency."""
    from scipy import signal

    _, poles, _ = signal.bessel(order, 1.0, analog=True, output="zpk", norm="mag")
    # Pairs stay together: from the real pole to those that turn fastest.
    poles = np.array(sorted(poles.tolist(), key=lambda p: (round(abs(p.imag), 9), p.imag)))
    odd = order % 2
    cuts = [*range(_TOGETHER - odd, order, _TOGETHER)] if odd else [*range(_TOGETHER, order, _TOGETHER)]
    factors = []
    for own in np.split(poles, [c for c in cuts if 0 < c < order]):
        apart = own[:, np.newaxis] - own
        np.fill_diagonal(apart, 1.0)
        factors.append((own, np.prod(-own) / apart.prod(axis=1)))
    return tuple(factors)


@lru_cache(maxsize=64)
def _modes(bandwidth: float, order: int) -> tuple[tuple[Mode, ...], ...]:
    """Return (pole, residue, short filter) of each factor, for a bandwidth in sample rates.

    Of a complex pair there is only one.
    """
    scale, found = 2 * np.pi * bandwidth, []
    for poles, residues in _partial_fractions(order):
        real = np.abs(poles.imag) < 1e-9
        upper = real | (poles.imag > 0)
        own = np.where(real, poles.real, poles)[upper] * scale
        found.append(
            tuple(
                (complex(p), complex(r) * scale, _share(complex(p)))
                for p, r in zip(own, residues[upper], strict=True)
            )
        )
    return tuple(found)


def _share(pole: complex) -> ComplexArray:
    """Return the filter (2 AROUND + 1,), future first, of what one sample of the signal adds to the state.

    It is (1 - exp(pole - i omega))/(i omega - pole): the integral of exp(pole (t - t')) over a sample.
    """
    frequency = np.linspace(-0.5, 0.5, 2 * _POINTS + 1)
    omega = 2 * np.pi * frequency
    rest = 1j * omega - pole
    small = np.abs(rest) < 1e-9
    wanted = np.where(small, 1.0, -np.expm1(-rest) / np.where(small, 1.0, rest))
    inside = np.abs(frequency) <= _FITTED_PART
    weight = np.where(inside, 1.0, _BEYOND)
    weight[_POINTS] = 1e3
    lags = np.arange(-AROUND, AROUND + 1)
    waves = np.exp(-1j * omega[:, np.newaxis] * lags)
    target = np.where(inside, wanted, 0.0)
    found = np.linalg.lstsq(waves * weight[:, np.newaxis], target * weight, rcond=1e-12)[0]
    return np.asarray(found * (wanted[_POINTS] / found.sum()))

"""Questions asked of signals in time: eye, constellation, spectrum, bit error rate, linewidth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

EYE_POINTS = 64
"""Points of an eye for each symbol."""
MOST_TRACES = 4096
"""Traces that an eye keeps; its figures are those of all symbols."""


@dataclass(frozen=True)
class Eye:
    """An eye of symbols with two or more levels.

    time: (n,) in s over two symbols.  traces: (symbols, n), at most MOST_TRACES.  levels, spreads: mean and
    standard deviation of each level at the sampling instant `at` in s.  height: the smallest distance of two
    neighbouring levels, between their nearest samples.  width: time in s over which symbols told apart
    at that instant stay apart.  q: the smallest distance of means over the sum of spreads.  error_rate: of
    symbols, estimated from q for Gaussian noise.
    """

    time: FloatArray
    traces: FloatArray
    levels: FloatArray
    spreads: FloatArray
    at: float
    height: float
    width: float
    q: float
    error_rate: float

    def numbers(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        return {
            "levels": self.levels.tolist(),
            "spreads": self.spreads.tolist(),
            "height": self.height,
            "width_s": self.width,
            "q": self.q if math.isfinite(self.q) else None,
            "error_rate": self.error_rate,
        }


def eye(signal: Any, sample_rate: float, symbol_rate: float, *, levels: int = 2, skip: int = 4) -> Eye:
    """Return the eye of a real signal (T,) whose symbols arrive at `symbol_rate` per s from time 0 on.

    skip: symbols at the start that are left out. Symbols are told apart by the signal itself, in the middle
    between clusters. Raises ParameterError for fewer than 4 symbols a level.
    """
    traces, time = _folded(np.asarray(signal, dtype=np.float64), sample_rate, symbol_rate, skip)
    if len(traces) < 4 * levels:
        message = f"An eye of {levels} levels needs {4 * levels} symbols, got {len(traces)}."
        raise ParameterError(message)
    middle = traces[:, EYE_POINTS // 2 : EYE_POINTS // 2 + EYE_POINTS]
    heights = [_gap(column, _labels(column, levels), levels) for column in middle.T]
    best = int(np.argmax(heights))
    column = middle[:, best]
    label = _labels(column, levels)
    gaps = np.array([_gap(other, label, levels) for other in middle.T])
    groups = [column[label == k] for k in range(levels)]
    means = np.array([g.mean() for g in groups])
    spreads = np.array([g.std() for g in groups])
    q = _quality(means, spreads)
    open_time = np.count_nonzero(gaps > 0) / EYE_POINTS / symbol_rate
    return Eye(
        time, traces[:MOST_TRACES], means, spreads, float(time[EYE_POINTS // 2 + best]),
        float(gaps[best]), float(open_time), q, error_rate(q, levels),
    )  # fmt: skip


def error_rate(q: float, levels: int = 2) -> float:
    """Return the rate of wrong symbols for Gaussian noise: 2 (levels - 1)/levels times Q(q)."""
    from scipy.special import erfc

    return float((levels - 1) / levels * erfc(q / math.sqrt(2)))


def errors(signal: Any, sample_rate: float, symbol_rate: float, sent: Any, *, at: float = 0.5) -> int:
    """Return how many symbols of a signal (T,) are told apart wrongly from those sent, two levels.

    at: sampling instant as a part of a symbol. The sequence sent (N,) repeats; the delay at which it fits
    best is taken, and inverted signals count as they are.
    """
    values = np.asarray(signal, dtype=np.float64)
    count = int(values.size / sample_rate * symbol_rate)
    places = (np.arange(count) + at) / symbol_rate * sample_rate
    found = np.interp(places[places <= values.size - 1], np.arange(values.size), values)
    told = found > (found.max() + found.min()) / 2
    high = np.asarray(sent) > (np.max(sent) + np.min(sent)) / 2
    wrong = [np.count_nonzero(told != _shifted(high, k, told.size)) for k in range(min(high.size, 64))]
    return int(min(*wrong, told.size - max(wrong)))


def constellation(
    wave: Any, sample_rate: float, symbol_rate: float, *, at: float = 0.5, skip: int = 4
) -> NDArray[np.complex128]:
    """Return a complex wave (T,) at the instant `at` of each symbol, a part of a symbol, shape (symbols,)."""
    values = np.asarray(wave, dtype=np.complex128)
    count = int(values.size / sample_rate * symbol_rate)
    places = (np.arange(skip, count) + at) / symbol_rate * sample_rate
    places = places[places <= values.size - 1]
    grid = np.arange(values.size)
    found = np.interp(places, grid, values.real) + 1j * np.interp(places, grid, values.imag)
    return np.asarray(found, dtype=np.complex128)


def power_spectrum(wave: Any, sample_rate: float, *, resolution: float | None = None) -> xarray.DataArray:
    """Return the power spectral density of a complex wave (T,) in its unit squared per Hz, by Welch.

    Its frequencies are of light relative to the carrier: envelopes are those of exp(-i omega t).
    resolution: distance of frequencies in Hz, by default that of 64 stretches of the wave.
    """
    import xarray
    from scipy import signal

    values = np.asarray(wave)
    length = values.size // 32 if resolution is None else round(sample_rate / resolution)
    length = int(np.clip(length, min(16, values.size), values.size))
    f, density = signal.welch(
        values.astype(np.complex128), sample_rate, nperseg=length, return_onesided=False, detrend=False
    )
    order = np.argsort(-f)
    return xarray.DataArray(
        density[order], dims="frequency", name="density",
        coords={"frequency": ("frequency", -f[order], {"units": "Hz"})},
    )  # fmt: skip


def linewidth(wave: Any, sample_rate: float) -> float:
    """Return the full width at half maximum in Hz of the Lorentzian line that a wave's phase noise makes.

    The phase's mean square change over a time grows by 2 pi width of it; the slope is that of times between
    a 4000th and a 500th of the wave (T,), so a wave of one run gives it to some 6 %.
    """
    phase = np.unwrap(np.angle(np.asarray(wave)))
    spans = np.unique(np.linspace(max(1, phase.size // 4000), max(2, phase.size // 500), 32).astype(int))
    square = [np.var(phase[n:] - phase[:-n]) for n in spans]
    slope = np.polyfit(spans / sample_rate, square, 1)[0]
    return float(slope / (2 * np.pi))


def _folded(
    signal: FloatArray, sample_rate: float, symbol_rate: float, skip: int
) -> tuple[FloatArray, FloatArray]:
    """Return (traces (symbols, 2 EYE_POINTS), time (2 EYE_POINTS,)): two symbols each, half of one ahead."""
    if sample_rate < 2 * symbol_rate:
        message = f"An eye needs 2 samples a symbol: {sample_rate:g} Hz are too few for {symbol_rate:g}/s."
        raise ParameterError(message)
    time = (np.arange(2 * EYE_POINTS) / EYE_POINTS - 0.5) / symbol_rate
    count = int(signal.size / sample_rate * symbol_rate) - 1
    starts = np.arange(max(skip, 1), count) / symbol_rate
    places = (starts[:, np.newaxis] + time) * sample_rate
    return np.interp(places, np.arange(signal.size), signal), time


def _labels(values: FloatArray, levels: int) -> NDArray[np.int64]:
    """Return the level of each value (N,): clusters about means that start equally spaced."""
    means = np.linspace(float(values.min()), float(values.max()), levels)
    label = np.zeros(values.size, dtype=np.int64)
    for _ in range(8):
        label = np.searchsorted((means[1:] + means[:-1]) / 2, values)
        means = np.array(
            [values[label == k].mean() if np.any(label == k) else means[k] for k in range(levels)]
        )
    return label


def _gap(values: FloatArray, label: NDArray[np.int64], levels: int) -> float:
    """Return the smallest distance of values of neighbouring levels, negative if they overlap."""
    groups = [values[label == k] for k in range(levels)]
    if not all(g.size for g in groups):
        return -np.inf
    return float(min(b.min() - a.max() for a, b in pairwise(groups)))


def _quality(means: FloatArray, spreads: FloatArray) -> float:
    """Return the smallest distance of neighbouring means over the sum of their spreads."""
    apart = np.diff(means)
    spread = spreads[1:] + spreads[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nan_to_num(apart / spread, nan=0.0, posinf=np.inf).min())


def _shifted(bits: NDArray[np.bool_], shift: int, count: int) -> NDArray[np.bool_]:
    return np.resize(np.roll(bits, shift), count)

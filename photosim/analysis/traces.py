"""Figures of signals in time: eye, constellation, spectrum, bit error rate, linewidth."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from photosim.analysis.symbols import (
    align,
    best_of,
    checked,
    decided,
    folded,
    instants,
    levels_of,
    qualities,
    refuse_constant,
)
from photosim.errors import ParameterError, PhotosimWarning
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

MOST_TRACES = 4096
"""Traces that an eye keeps; its figures are those of all symbols."""
CLOSED = 2.5
"""Q below which an eye tells its own symbols apart too badly for its figures to be right."""


@dataclass(frozen=True, eq=False)
class Eye(ByValue):
    """An eye of symbols with two or more levels.

    time: (n,) in s over two symbols.  traces: (symbols, n), at most MOST_TRACES, at samples of the signal.
    levels, spreads: mean and standard deviation of each level at the sampling instant `at` in s.  height: the
    smallest distance of two neighbouring levels, between their nearest samples.  width: time in s over which
    distinct symbols stay distinct.  q: the smallest distance of means over the sum of spreads.
    error_rate: of symbols, estimated for Gaussian noise.  delay, inverted: of the signal against the symbols
    sent, in whole symbols; None where they were not given.
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
    delay: int | None = None
    inverted: bool | None = None

    def numbers(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        found = {
            "levels": self.levels.tolist(),
            "spreads": self.spreads.tolist(),
            "at_s": self.at,
            "height": self.height,
            "width_s": self.width,
            "q": self.q if math.isfinite(self.q) else None,
            "error_rate": self.error_rate,
        }
        sent = {"delay_symbols": self.delay, "inverted": self.inverted}
        return found if self.delay is None else {**found, **sent}


class Errors(int):
    """Number of symbols decided wrongly: a number that says what it was counted from.

    count: the number itself.  symbols: symbols that were compared.  at: sampling instant as a part of a
    symbol.  delay: whole symbols; symbol n of those sent is seen at (n + delay + at)/symbol_rate.  inverted:
    whether the higher level is the lower one sent.
    """

    symbols: int
    at: float
    delay: int
    inverted: bool

    def __new__(cls, count: int, *, symbols: int, at: float, delay: int, inverted: bool) -> Self:
        """Return the count with what it was counted from."""
        self = super().__new__(cls, count)
        self.symbols, self.at, self.delay, self.inverted = symbols, at, delay, inverted
        return self

    @property
    def count(self) -> int:
        """The number of wrong symbols, as a plain int."""
        return int(self)

    @property
    def rate(self) -> float:
        """Wrong symbols over all that were compared."""
        return int(self) / self.symbols

    def __getnewargs_ex__(self) -> tuple[tuple[int], dict[str, Any]]:
        """Pickle and copy with what it was counted from."""
        return (int(self),), {**vars(self)}

    def __repr__(self) -> str:
        known = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"Errors({int(self)}, {known})"


def eye(
    signal: Any,
    sample_rate: float,
    symbol_rate: float,
    *,
    levels: int | None = None,
    skip: int = 4,
    sent: Any = None,
) -> Eye:
    """Return the eye of a real signal (T,) whose symbols arrive at `symbol_rate` per s from time 0 on.

    levels: 2, or as many as the symbols sent have.  skip: symbols at the start that are left out.  sent: the
    symbols sent (N,), which repeat; delay, sign, start-up and instant are then found as `errors` does, and
    figures are those of symbols by what was sent. Without them symbols are decided from the signal itself,
    in the middle between clusters, which flatters a closing eye: below a Q of CLOSED a PhotosimWarning says
    so. Values are samples of the signal, or interpolated from 64 of them where a symbol has fewer than 16 and
    not a whole number. Raises ParameterError for a constant signal, fewer than 4 symbols a level, and a
    signal that does not follow the symbols sent.
    """
    values, ratio = checked(signal, sample_rate, symbol_rate)
    values = np.asarray(values, dtype=np.float64)
    offsets = instants(ratio)
    points = offsets.size
    turns, places = np.divmod(np.arange(2 * points) - points // 2, points)
    over = turns * ratio + offsets[places]
    count = _level_count(levels, sent)
    found = None if sent is None else align(values, ratio, sent, skip=max(skip, 1))
    first = max(skip, 1) if found is None else max(found.first, 1)
    if found is None:
        refuse_constant(values[round(first * ratio) :], "eye")
    traces, rows = folded(values, ratio, over, first)
    if rows < 4 * count:
        message = f"An eye of {count} levels needs {4 * count} symbols, got {rows}."
        raise ParameterError(message)
    if found is None:
        middle = traces[:, points // 2 : points // 2 + points]
        heights = np.array([_gap(column, told_apart(column, count), count) for column in middle.T])
        best = points // 2 + best_of(heights)
        label = told_apart(traces[:, best], count)
    else:
        best = points // 2 + int(np.abs(offsets / ratio - found.at).argmin())
        label = found.label[first - found.first :][:rows]
        label = count - 1 - label if found.inverted else label
    means, spreads = levels_of(traces[:, best], label, count)
    separate = qualities(means, spreads)
    gaps = np.array([_gap(column, label, count) for column in traces.T])
    if found is None and separate.min() < CLOSED:
        _warn_closed(float(separate.min()))
    return Eye(
        over / sample_rate, traces[:MOST_TRACES], means, spreads, float(over[best] / sample_rate),
        float(gaps[best]), _width(over / sample_rate, gaps, best), float(separate.min()),
        float(_error_rates(separate).sum() * 2 / count),
        *((None, None) if found is None else (found.delay, found.inverted)),
    )  # fmt: skip


def error_rate(q: float, levels: int = 2) -> float:
    """Return the rate of wrong symbols for Gaussian noise: 2 (levels - 1)/levels times Q(q)."""
    return float(2 * (levels - 1) / levels * _error_rates(np.array(q)))


def errors(
    signal: Any, sample_rate: float, symbol_rate: float, sent: Any, *, at: float | None = None, skip: int = 4
) -> Errors:
    """Return how many symbols of a signal (T,) differ from those sent, as `Errors`.

    sent: levels of the symbols (N,), two or more different ones; they repeat from the first one on, and none
    came before it. Delay and sign are found over the whole record. at: sampling instant as a part of a
    symbol, by default that of the largest Q.  skip: symbols at the start of the record that are left out in
    any case; those before the first one arrives, and those of a start-up that follow what was sent no better
    than chance, are too. Thresholds lie between the levels found. Raises ParameterError for a constant
    signal, and for one that does not follow the symbols sent.
    """
    values, ratio = checked(signal, sample_rate, symbol_rate)
    values = np.asarray(values, dtype=np.float64)
    found = align(values, ratio, sent, skip=skip, at=at)
    offset = np.array([found.at * ratio])
    column = folded(values, ratio, offset, found.first)[0][: found.label.size, 0]
    label = found.label[: column.size]
    taken = decided(column, *levels_of(column, label, np.unique(sent).size))
    return Errors(
        int(np.count_nonzero(taken != label)),
        symbols=int(label.size), at=found.at, delay=found.delay, inverted=found.inverted,
    )  # fmt: skip


def constellation(
    wave: Any, sample_rate: float, symbol_rate: float, *, at: float = 0.5, skip: int = 4
) -> NDArray[np.complex128]:
    """Return a complex wave (T,) at the instant `at` of each symbol, a part of a symbol, shape (symbols,).

    Values are samples of the wave, or interpolated so that noise keeps its power, as in an `eye`.
    """
    values, ratio = checked(wave, sample_rate, symbol_rate)
    found, _ = folded(values.astype(np.complex128), ratio, np.array([at * ratio]), skip)
    return np.asarray(found[:, 0], dtype=np.complex128)


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


def told_apart(values: FloatArray, levels: int) -> NDArray[np.int64]:
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


def _error_rates(quality: FloatArray) -> FloatArray:
    """Return how likely Gaussian noise is to exceed each distance over its spread."""
    from scipy.special import erfc

    return np.asarray(erfc(quality / math.sqrt(2)) / 2)


def _width(time: FloatArray, gaps: FloatArray, best: int) -> float:
    """Return the time in s about an instant over which gaps are positive, straight lines between them."""
    if gaps[best] <= 0.0:
        return 0.0
    ends = []
    for step in (-1, 1):
        k = best
        while 0 <= k + step < gaps.size and gaps[k + step] > 0.0:
            k += step
        end = time[k]
        if 0 <= k + step < gaps.size and np.isfinite(gaps[k + step]):
            end += (time[k + step] - time[k]) * gaps[k] / (gaps[k] - gaps[k + step])
        ends.append(end)
    return float(ends[1] - ends[0])


def _level_count(levels: int | None, sent: Any) -> int:
    """Return the number of levels of an eye; ParameterError where it is not that of the symbols sent."""
    if sent is None:
        return 2 if levels is None else levels
    count = int(np.unique(np.asarray(sent)).size)
    if levels not in (None, count):
        message = f"levels is {levels}, but the symbols sent have {count} levels."
        raise ParameterError(message)
    return count


def _warn_closed(q: float) -> None:
    message = (
        f"The eye is nearly closed (Q {q:.3g}): its symbols are decided from the signal itself, so q and "
        "error_rate look better than they are. Give the symbols sent: eye(..., sent=symbols)."
    )
    warnings.warn(message, PhotosimWarning, stacklevel=3)

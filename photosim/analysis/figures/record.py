"""A trace seen symbol by symbol: which level each symbol has, and when one ends and the next begins."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.figures.patterns import pattern_name, runs
from photosim.analysis.symbols import FINE, TAPS, align, checked, values_at
from photosim.analysis.traces import Eye, eye, told_apart
from photosim.errors import ParameterError, listing
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

STANDARD_RUNS = (6, 7)
"""Lowest and highest symbols in a row whose middle gives the outer levels of four: clause 121.8.4."""


@dataclass(frozen=True, eq=False)
class Record(ByValue):
    """A trace and its symbols.

    values: (T,).  ratio: samples a symbol.  eye: of the trace.  label: (N,) levels of its symbols, counted
    from the lowest of the trace.  start: time in symbols at which the first of these begins: the mean of the
    crossings of the middle between the outer levels.  pattern: of the symbols sent, its name; None where it
    has none.  period: number of symbols sent; None where they are not known.
    """

    values: FloatArray
    ratio: float
    eye: Eye
    label: IntArray
    start: float
    levels: int
    pattern: str | None = None
    period: int | None = None

    def outer(self) -> tuple[float, float]:
        """Return the lowest and the highest level: means over the middle two symbols of runs of them."""
        needed = STANDARD_RUNS if self.levels == 4 else (math.inf, math.inf)
        return tuple(self._level(k, n) for k, n in zip((0, self.levels - 1), needed, strict=True))  # type: ignore[return-value]

    def _level(self, level: int, needed: float) -> float:
        starts, lengths = runs(self.label, level)
        if not lengths.size:
            message = f"The trace has no symbol of level {level}, so it has no outer levels."
            raise ParameterError(message)
        long = lengths >= min(needed, int(lengths.max()))
        middles = self.start + starts[long] + lengths[long] / 2
        reach = np.clip((lengths[long] - 1) / 2, 0.05, 1.0)
        low = np.ceil((middles - reach) * self.ratio - 1e-9).astype(np.int64)
        high = np.floor((middles + reach) * self.ratio + 1e-9).astype(np.int64)
        high = np.minimum(np.maximum(high, low), self.values.size - 1)
        total = np.concatenate([[0.0], np.cumsum(self.values)])
        return float((total[high + 1] - total[low]).sum() / (high + 1 - low).sum())

    def moved(self, values: FloatArray, delay: float) -> Record:
        """Return the record of the same symbols in other values (T,), late by about `delay` symbols."""
        fine, ratio = finer(values, self.ratio)
        start = self.start + delay
        middle = float(np.mean(Record.outer(replace(self, values=values, start=start))))
        start = near(crossings(fine, ratio, middle), start)
        # Crossings say where symbols begin, but of a trace with overshoot not which: the symbols do.
        seen = np.arange(2, self.label.size - 2)
        label = self.label[seen]
        agrees = []
        for k in (-1, 0, 1):
            places = np.asarray((start + k + 0.5 + seen) * self.ratio, dtype=np.float64)
            agrees.append(abs(np.corrcoef(values_at(values, places, FINE), label)[0, 1]))
        start += int(np.argmax(agrees)) - 1
        middle = float(np.mean(Record.outer(replace(self, values=values, start=start))))
        return replace(self, values=values, start=near(crossings(fine, ratio, middle), start))


def read_record(
    trace: Any, sample_rate: float, symbol_rate: float, sent: Any, levels: int | None, skip: int
) -> Record:
    """Return a trace (T,) with its symbols, by those sent where they are known, else by the trace itself.

    Raises ParameterError for a trace that has no eye, that does not follow the symbols sent, or is shorter
    than a test pattern.
    """
    values, ratio = checked(trace, sample_rate, symbol_rate)
    values = np.asarray(values, dtype=np.float64)
    _check_length(values.size / ratio, sent, skip)
    one = eye(values, sample_rate, symbol_rate, levels=levels, sent=sent, skip=skip)
    count, at = one.levels.size, one.at * symbol_rate
    pattern = period = None
    if sent is None:
        first = max(skip, 1)
        rows = math.floor((values.size - 1) / ratio - at + 1e-9) - first + 1
        places = np.asarray((first + np.arange(rows) + at) * ratio, dtype=np.float64)
        column = values_at(values, places, ratio)
        label = told_apart(column, count)
    else:
        found = align(values, ratio, sent, skip=max(skip, 1), at=at)
        label = count - 1 - found.label if found.inverted else found.label
        first, at = found.first, found.at
        heights, numbers = np.unique(np.asarray(sent, dtype=np.float64), return_inverse=True)
        pattern, period = pattern_name(numbers.astype(np.int64), heights.size), numbers.size
    means = one.levels
    fine, fine_ratio = finer(values, ratio)
    crossed = crossings(fine, fine_ratio, float(means[0] + means[-1]) / 2)
    start = near(crossed[crossed > first], first + at - 0.5)
    rows = min(label.size, math.floor((values.size - 1) / ratio - start))
    return Record(values, ratio, one, label[:rows], start, count, pattern, period)


def finer(values: FloatArray, ratio: float) -> tuple[FloatArray, float]:
    """Return a trace (T,) with enough samples a symbol for straight lines between them, and how many."""
    if ratio >= FINE:
        return values, ratio
    from scipy import signal

    factor = math.ceil(2 * FINE / ratio)
    reach = TAPS // 2 * factor
    n = np.arange(1 - reach, reach)
    weights = np.sinc(n / factor) * np.i0(8.0 * np.sqrt(1.0 - (n / reach) ** 2))
    for phase in range(factor):
        weights[phase::factor] /= weights[phase::factor].sum()
    padded = np.pad(values, TAPS // 2, mode="edge")
    first = TAPS // 2 * factor + reach - 1
    found = signal.upfirdn(weights, padded, up=factor)[first : first + (values.size - 1) * factor + 1]
    return np.asarray(found), ratio * factor


def crossings(values: FloatArray, ratio: float, level: float) -> FloatArray:
    """Return the times in symbols at which straight lines between samples (T,) cross a level."""
    above = values > level
    place = np.flatnonzero(above[1:] != above[:-1])
    before, after = values[place], values[place + 1]
    return np.asarray((place + (level - before) / (after - before)) / ratio)


def near(times: FloatArray, expected: float) -> float:
    """Return the mean of times in symbols, whole symbols apart, that lies nearest to the time expected."""
    if not times.size:
        return expected
    turn = float(np.angle(np.exp(2j * np.pi * times).mean())) / (2 * np.pi)
    apart = times - turn
    turn += float(np.mean(apart - np.rint(apart)))
    return turn + round(expected - turn)


def _check_length(symbols: float, sent: Any, skip: int) -> None:
    """Raise ParameterError for symbols that are none, and for a trace shorter than the pattern sent."""
    if sent is None:
        return
    levels = np.asarray(sent, dtype=np.float64)
    if not levels.size:
        message = "No sent symbols are given: `sent` is empty. Give one level a symbol, or leave it out."
        raise ParameterError(message)
    heights, numbers = np.unique(levels, return_inverse=True)
    if symbols - skip >= levels.size or heights.size > 4:
        return
    name = pattern_name(numbers.astype(np.int64), heights.size)
    if name is not None:
        message = (
            f"The trace holds {symbols - skip:.6g} symbols behind the {skip} that are skipped, too few for "
            f"the pattern {name} of {levels.size}: simulate {levels.size + skip + 8} symbols or more, or "
            "send a shorter pattern."
        )
        raise ParameterError(message)


def samples_of(trace: Any, sample_rate: float | None) -> tuple[NDArray[Any], float]:
    """Return a trace as an array and its sample rate, by its times where it has them."""
    if hasattr(trace, "data_vars"):
        message = (
            f"figures takes one trace, such as out.current[0]. This result has {listing(trace.data_vars)}."
        )
        raise ParameterError(message)
    times = getattr(getattr(trace, "coords", None), "get", lambda _: None)("time")
    if times is not None and sample_rate is None and np.size(times) > 1:
        own = np.asarray(times, dtype=np.float64)
        sample_rate = (own.size - 1) / float(own[-1] - own[0])
    if sample_rate is None:
        message = "figures needs sample_rate in Hz, because the trace has no time axis."
        raise ParameterError(message)
    values = np.asarray(trace)
    if values.dtype.kind not in "fiuc":
        message = f"A trace holds real or complex numbers, got values of type {values.dtype}."
        raise ParameterError(message)
    return values, float(sample_rate)


def check_levels(levels: int | None, known: tuple[int, ...]) -> None:
    """Raise ParameterError for a number of levels that no figure is defined for."""
    if levels is not None and levels not in known:
        message = f"A trace has {listing(known)} levels, got {levels}."
        raise ParameterError(message)

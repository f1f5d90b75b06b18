"""What is counted of a stretch of currents, and added up: decisions, an eye histogram, powers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.streams.result import Moments
from photosim.analysis.symbols import FINE, TAPS, align, decided, instants, interpolated, levels_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    Sums = dict[str, Any]

BINS = 256
"""Bins of the current in an eye histogram."""
COLUMNS = 64
"""Instants of a symbol in it, at most."""
_BEYOND = 0.5
"""Part of the range of the first symbols by which the histogram goes beyond it, on either side."""


@dataclass(frozen=True)
class Decider:
    """Thresholds between symbols: found over the first ones, the same for all.

    ratio: samples a symbol.  sequence: levels of the symbols sent in turn, which repeat.  first, last:
    numbers of the first symbol that is compared, and of the one behind the last.  means, spreads: (levels,)
    of the first symbols in A.
    """

    ratio: float
    at: float
    delay: int
    first: int
    last: int
    inverted: bool
    sequence: IntArray
    means: FloatArray
    spreads: FloatArray

    @staticmethod
    def of(record: FloatArray, begin: int, samples: int, ratio: float, sent: FloatArray) -> Decider:
        """Return it from a record (T,) that begins at a sample of a run of so many.

        Raises ParameterError where it does not follow the symbols sent.
        """
        found = align(record, ratio, sent, skip=4)
        heights, sequence = np.unique(sent, return_inverse=True)
        place = found.at * ratio
        numbers = np.arange(found.first, found.first + found.label.size)
        places = np.asarray(numbers * ratio + place, dtype=np.float64)
        values = _values(record, places, 0, ratio)
        means, spreads = levels_of(values, found.label, heights.size)
        # Counted from time 0: a record may begin within a symbol.
        whole = int(begin // ratio)
        at = found.at + (begin - whole * ratio) / ratio
        last = math.floor((samples - 1 - float(instants(ratio)[-1])) / ratio + 1e-9) + 1
        return Decider(
            ratio, at, found.delay + whole, found.first + whole, last, found.inverted,
            sequence.astype(np.int64), means, spreads,
        )  # fmt: skip

    @property
    def reach(self) -> int:
        """Samples to either side of a stretch that deciding its symbols looks at."""
        return TAPS // 2 + 1 if not self.ratio.is_integer() and self.ratio < FINE else 0

    def thresholds(self) -> FloatArray:
        """Return the currents (levels - 1,) in A between which one level is decided for, rising."""
        order = np.argsort(self.means)
        low, high = self.means[order][:-1], self.means[order][1:]
        left, both = self.spreads[order][:-1], self.spreads[order][1:] + self.spreads[order][:-1]
        share = np.clip(np.divide(left, both, out=np.full(low.size, 0.5), where=both > 0), 0.1, 0.9)
        return np.asarray(low + (high - low) * share)

    def count(self, values: FloatArray, begin: int, end: int, start: int) -> Sums:
        """Return the decisions of the symbols whose instants lie in [begin, end); values begin at `start`."""
        low = max(self.first, int((begin - 1) / self.ratio - self.at) - 1)
        numbers = np.arange(low, min(self.last, int((end + 1) / self.ratio - self.at) + 2))
        places = np.asarray((numbers + self.at) * self.ratio, dtype=np.float64)
        near = np.rint(places)
        own = (near >= begin) & (near < end)
        numbers, places = numbers[own], places[own]
        label = self.sequence[(numbers - self.delay) % self.sequence.size]
        found = _values(values, places, start, self.ratio)
        taken = decided(found, self.means, self.spreads)
        count = self.means.size
        apart = found - self.means[label]
        return {
            "confusion": np.bincount(label * count + taken, minlength=count * count),
            "level_sum": np.bincount(label, apart, minlength=count),
            "level_square": np.bincount(label, apart * apart, minlength=count),
        }


def _values(values: FloatArray, places: FloatArray, start: int, ratio: float) -> FloatArray:
    """Return a signal that begins at sample `start`, at places counted from time 0, as `values_at` does."""
    near = np.rint(places)
    if ratio >= FINE or np.abs(places - near).max(initial=0.0) < 1e-6:
        return np.asarray(values[np.clip(near.astype(np.int64) - start, 0, values.size - 1)])
    index = np.floor(places).astype(np.int64)
    return np.asarray(interpolated(values, index - start, places - index), dtype=np.float64)


@dataclass(frozen=True)
class Histogram:
    """Where a current is counted in its symbol: ratio samples a symbol, edges (BINS + 1,) in A."""

    ratio: float
    edges: FloatArray

    @staticmethod
    def of(record: FloatArray, ratio: float) -> Histogram:
        """Return one that holds a record, and more beyond it."""
        low, high = float(record.min()), float(record.max())
        beyond = _BEYOND * (high - low) or abs(high) or 1.0
        return Histogram(ratio, np.linspace(low - beyond, high + beyond, BINS + 1))

    @property
    def offsets(self) -> FloatArray:
        """Instants (E,) of a symbol in samples."""
        return instants(self.ratio, COLUMNS)

    def count(self, values: FloatArray, begin: int) -> IntArray:
        """Return the counts (instants * BINS,) of a stretch (T,) that begins at a sample."""
        columns = self.offsets.size
        if self.ratio.is_integer():
            whole = int(self.ratio)
            row = np.arange(whole) * columns // whole * BINS
            row = np.resize(np.roll(row, -(begin % whole)), values.size)
        else:
            number = np.arange(begin, begin + values.size) / self.ratio
            row = np.floor((number - np.floor(number)) * columns).astype(np.int64) * BINS
        scale = BINS / (self.edges[-1] - self.edges[0])
        place = (values - self.edges[0]) * scale
        np.clip(place, 0, BINS - 1, out=place)
        return np.bincount(row + place.astype(np.int64), minlength=columns * BINS)


def sums(values: FloatArray, centre: float) -> Sums:
    """Return the sums of the powers of a current (T,) about a value, and its extremes."""
    apart = values - centre
    square = apart * apart
    powers = [float(values.size), apart.sum(), square.sum(), (square * apart).sum(), (square * square).sum()]
    return {"powers": np.array(powers), "least": values.min(), "most": values.max()}


def merged(known: Mapping[str, Any], found: Mapping[str, Any]) -> Sums:
    """Return what has been counted so far and what comes next, together."""
    out = {}
    for name, value in found.items():
        if name not in known:
            out[name] = np.asarray(value)
        elif name.endswith("least"):
            out[name] = np.minimum(known[name], value)
        elif name.endswith("most"):
            out[name] = np.maximum(known[name], value)
        else:
            out[name] = np.asarray(known[name] + value)
    return out


def moments(powers: Sequence[float], centre: float, least: float, most: float, saturated: float) -> Moments:
    """Return the moments of a current from the sums of its powers about a value."""
    count = powers[0]
    m1, m2, m3, m4 = (power / count for power in powers[1:])
    variance = max(m2 - m1**2, 0.0)
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    flat = variance <= 0.0
    return Moments(
        int(count), centre + m1, float(np.sqrt(variance)), 0.0 if flat else third / variance**1.5,
        0.0 if flat else fourth / variance**2, least, most, saturated / count,
    )  # fmt: skip

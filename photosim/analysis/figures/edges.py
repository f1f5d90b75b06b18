"""Figures of edges: how long they take, and how far their crossings lie from where they should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.analysis.figures.record import crossings, finer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.figures.record import Record

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_POINTS = 64
"""Instants of a symbol at which mean edges are computed."""
_AROUND = 3
"""Symbols in a row before and after an edge, at most."""
_BEFORE, _AFTER = 3, 1
"""Symbols before and behind an edge that tell where it lies, where a pattern is not repeated."""


@dataclass(frozen=True)
class Jitter:
    """Deviations in symbols of the crossings of the middle from a regular clock, about their mean.

    rms, peak_to_peak: of all `crossings`.  data_dependent: peak to peak of the mean deviations by what was
    sent, random: rms of what is left; None where the symbols sent are not known or crossings are too few.
    """

    rms: float
    peak_to_peak: float
    crossings: int
    data_dependent: float | None = None
    random: float | None = None


def edge_times(record: Record, low: float, high: float) -> tuple[float | None, float | None]:
    """Return in symbols how long mean edges between the outer levels rise and fall, from 20 to 80 %.

    Edges with three symbols of the one level before and three of the other behind, or as many as there are;
    None where there are no such edges.
    """
    top = record.levels - 1
    rising = _edge(record, 0, top, low, high)
    return rising, _edge(record, top, 0, high, low)


def _edge(record: Record, before: int, after: int, start: float, end: float) -> float | None:
    label = record.label
    for around in range(_AROUND, 0, -1):
        fits = np.ones(label.size - 2 * around + 1, dtype=bool)
        for k in range(2 * around):
            fits &= label[k : k + fits.size] == (before if k < around else after)
        places = np.flatnonzero(fits) + around
        if places.size:
            return _duration(record, places, around, start, end)
    return None


def _duration(record: Record, places: IntArray, around: int, start: float, end: float) -> float | None:
    """Return the time in symbols from 20 to 80 % of the mean of edges at symbols `places`."""
    points = max(_POINTS, int(record.ratio))
    offsets = np.arange(-around * points, around * points + 1) / points
    times = (record.start + places)[:, np.newaxis] + offsets
    inside = (times[:, 0] >= 0) & (times[:, -1] * record.ratio <= record.values.size - 1)
    if not inside.any():
        return None
    fine, ratio = finer(record.values, record.ratio)
    place = times[inside] * ratio
    whole = np.clip(np.floor(place).astype(np.int64), 0, fine.size - 2)
    share = place - whole
    mean = (fine[whole] * (1 - share) + fine[whole + 1] * share).mean(axis=0)
    way = (mean - start) / (end - start)
    over = np.flatnonzero((way[1:] >= 0.8) & (way[:-1] < 0.8))
    under = np.flatnonzero((way[1:] >= 0.2) & (way[:-1] < 0.2))
    if not over.size or not (under <= over[0]).any():
        return None
    high, low = int(over[0]), int(under[under <= over[0]][-1])

    def at(k: int, level: float) -> float:
        return float(offsets[k] + (offsets[k + 1] - offsets[k]) * (level - way[k]) / (way[k + 1] - way[k]))

    return at(high, 0.8) - at(low, 0.2)


def jitter(record: Record, level: float) -> Jitter | None:
    """Return the jitter of the crossings of a level; None where fewer than two symbols cross it.

    Edges between levels as far below the middle as above it count, such as 0 to 3 and 1 to 2 of four: others
    cross it early or late by themselves. Of several crossings of one edge the mean counts.
    """
    label, top = record.label, record.levels - 1
    counts = (label[1:] + label[:-1] == top) & (label[1:] != label[:-1])
    fine, ratio = finer(record.values, record.ratio)
    times = crossings(fine, ratio, level) - record.start
    edge = np.rint(times).astype(np.int64)
    known = (edge >= 1) & (edge < label.size)
    times, edge = times[known], edge[known]
    number = np.bincount(edge, minlength=label.size)
    late = np.bincount(edge, times - edge, minlength=label.size) / np.maximum(number, 1)
    used = np.flatnonzero((number[1:] > 0) & counts) + 1
    if used.size < 2:
        return None
    deviation = late[used] - late[used].mean()
    group = _groups(record, used)
    data, random = (None, None) if group is None else _apart(deviation, group)
    return Jitter(float(deviation.std()), float(np.ptp(deviation)), int(used.size), data, random)


def _groups(record: Record, used: IntArray) -> IntArray | None:
    """Return a number for what was sent about each edge: its place in the pattern, or its neighbours.

    The neighbours count where the record has the pattern less than twice; None without symbols sent.
    """
    if record.period is None:
        return None
    label, levels = record.label, record.levels
    if label.size >= 2 * record.period:
        return np.asarray(used % record.period)
    group = np.zeros(used.size, dtype=np.int64)
    for k in range(-_BEFORE, _AFTER + 1):
        group = group * levels + label[np.clip(used + k, 0, label.size - 1)]
    return group


def _apart(deviation: FloatArray, group: IntArray) -> tuple[float | None, float | None]:
    """Return the spread of the means of groups, and the rms of what lies beside them."""
    _, number = np.unique(group, return_inverse=True)
    count = np.bincount(number)
    mean = np.bincount(number, deviation) / count
    several = count[number] >= 2
    free = int(several.sum() - np.count_nonzero(count >= 2))
    if free < 8:
        return None, None
    rest = (deviation - mean[number])[several]
    return float(np.ptp(mean[count >= 2])), float(np.sqrt((rest**2).sum() / free))

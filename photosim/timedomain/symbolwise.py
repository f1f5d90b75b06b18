"""Electronics that work symbol by symbol, over time: equalisers, and recovery of the clock."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import ParameterError
from photosim.kernels.clocks import follow_edges, follow_errors
from photosim.model import ClockRecovery, Equaliser
from photosim.timedomain.content import moves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

LEAST_SYMBOLS = 32
"""Symbols that adaptation and a clock need."""
_REACH = 32
"""Samples to either side from which a value between two is interpolated."""
_ROUNDS = 8
_SLOWEST = 20
"""Symbols per radian of the fastest loop that is followed: its detector averages over a few."""


def worked(
    name: str, values: FloatArray, work: Equaliser | ClockRecovery, rate: float
) -> tuple[FloatArray, str]:
    """Return values (T,) behind a stage that works symbol by symbol, and what is to be said of it.

    Before the first sample the first value had been there for ever. Raises ParameterError for a symbol rate
    that the samples do not resolve, a record too short, and a loop too fast for its symbols.
    """
    ratio = rate / work.symbol_rate
    if ratio < 2.0:
        message = (
            f"{name!r} works at {work.symbol_rate:g} symbols per s, but {rate:g} Hz are fewer than 2 samples "
            f"a symbol: take a sample rate of {4 * work.symbol_rate:g} Hz or more."
        )
        raise ParameterError(message)
    if isinstance(work, Equaliser):
        return _equalised(name, values, work, ratio)
    return _recovered(name, values, work, ratio)


def delayed(values: FloatArray, samples: float) -> FloatArray:
    """Return values (T,) late by a number of samples, whole or not, their first value before them."""
    whole = math.floor(samples + 1e-9)
    part = samples - whole
    if whole:
        values = np.concatenate([np.full(min(whole, values.size), values[0]), values[: values.size - whole]])
    if part < 1e-6:
        return values
    n = np.arange(-_REACH, _REACH + 1) - part
    weights = np.sinc(n) * np.i0(8.0 * np.sqrt(np.maximum(1.0 - (n / (_REACH + 1)) ** 2, 0.0)))
    padded = np.pad(values, _REACH, mode="edge")
    return np.asarray(np.convolve(padded, weights / weights.sum(), mode="valid"))


def _equalised(name: str, values: FloatArray, work: Equaliser, ratio: float) -> tuple[FloatArray, str]:
    """Return values behind an equaliser, and its taps."""
    taps = np.array(work.taps, dtype=np.float64)
    columns = np.array([delayed(values, k * ratio) for k in range(taps.size)])
    if work.adaptation == "fixed" or not moves(values):
        return taps @ columns, ""
    _require(name, values, ratio)
    middle = _middles(columns[work.main], ratio)
    if middle.size < LEAST_SYMBOLS:
        _refuse_short(name, middle.size)
    seen = np.array([np.interp(middle, np.arange(values.size), one) for one in columns]).T
    if work.adaptation == "least_squares":
        taps = _least_squares(seen, taps, work.levels)
        out = taps @ columns
    else:
        offset = float(seen.mean())
        levels = clusters(seen @ taps - offset * taps.sum(), work.levels)
        followed = np.empty_like(seen)
        followed[0] = taps
        follow_errors(seen - offset, levels, work.step / float(seen.var()), followed)
        taps = followed[-1]
        symbol = np.clip(np.rint((np.arange(values.size) - middle[0]) / ratio), 0, len(seen) - 1)
        own = followed[symbol.astype(np.int64)]
        out = ((columns - offset).T * own).sum(axis=1) + offset * sum(work.taps)
    return out, f"{name}: taps {', '.join(f'{t:.4f}' for t in taps)} at the end, by {work.adaptation}"


def _least_squares(seen: FloatArray, taps: FloatArray, levels: int) -> FloatArray:
    """Return the taps of sum 1 of the least error against the levels that the signal itself is nearest to."""
    size = taps.size
    if abs(taps.sum()) < 1e-9:
        message = f"Taps to start from need a sum that is not 0, got {taps.tolist()}."
        raise ParameterError(message)
    taps = taps / taps.sum()
    for _ in range(_ROUNDS):
        out = seen @ taps
        known = clusters(out, levels)
        target = known[np.abs(out[:, np.newaxis] - known).argmin(axis=1)]
        left = np.ones((size + 1, size + 1))
        left[:size, :size] = seen.T @ seen / len(seen) + 1e-12 * np.eye(size) * float(np.mean(seen**2))
        left[size, size] = 0.0
        taps = np.linalg.solve(left, np.append(seen.T @ target / len(seen), 1.0))[:size]
    return np.asarray(taps)


def clusters(values: FloatArray, levels: int) -> FloatArray:
    """Return the means (levels,) of clusters of values (N,), rising, begun equally spaced."""
    means = np.linspace(float(values.min()), float(values.max()), levels)
    for _ in range(16):
        label = np.searchsorted((means[1:] + means[:-1]) / 2, values)
        means = np.array(
            [values[label == k].mean() if np.any(label == k) else means[k] for k in range(levels)]
        )
    return means


def _middles(values: FloatArray, ratio: float) -> FloatArray:
    """Return the places in samples half-way between the mean edges of symbols."""
    start = _edge(values, ratio) + ratio / 2
    start -= math.floor(start / ratio) * ratio
    return np.arange(start, values.size - 1, ratio)


def _edge(values: FloatArray, ratio: float) -> float:
    """Return where in a symbol, in samples, a signal (T,) crosses its mean, on average."""
    level = float(values.mean())
    above = values > level
    place = np.flatnonzero(above[1:] != above[:-1])
    times = place + (level - values[place]) / (values[place + 1] - values[place])
    turn = np.angle(np.exp(2j * np.pi * times / ratio).mean()) / (2 * np.pi)
    return float(turn % 1.0 * ratio)


def _recovered(name: str, values: FloatArray, work: ClockRecovery, ratio: float) -> tuple[FloatArray, str]:
    """Return the values held from one instant of the recovered clock to the next, and how it moved."""
    _require(name, values, ratio)
    if not moves(values):
        return values, f"{name}: no edges to follow"
    # The -3 dB frequency of what a loop of second order follows, over its natural frequency.
    wide = 1 + 2 * work.damping**2
    natural = 2 * np.pi * work.bandwidth / math.sqrt(wide + math.sqrt(wide**2 + 1)) / work.symbol_rate
    if 2 * np.pi * work.bandwidth * _SLOWEST > 2 * np.pi * work.symbol_rate:
        message = (
            f"The clock recovery {name!r} has a bandwidth of {work.bandwidth:g} Hz, too wide for "
            f"{work.symbol_rate:g} symbols per s: at most {work.symbol_rate / _SLOWEST:g} Hz."
        )
        raise ParameterError(message)
    centred = (values - values.mean()) / values.std()
    start = _edge(centred[: round(256 * ratio)], ratio) + ratio / 2
    slope = _slope(centred, start, ratio)
    count = math.ceil(values.size / ratio * 1.01) + 2
    places, held = np.empty(count), np.empty(count)
    found = follow_edges(
        centred, start, ratio, 2 * work.damping * natural / slope, natural**2 / slope, places, held
    )
    places, held = places[:found], held[:found]
    symbol = np.clip(np.searchsorted(places, np.arange(values.size), side="right") - 1, 0, None)
    out = held[symbol] * values.std() + values.mean()
    line = np.polyfit(np.arange(found), places, 1)
    moved = (places - np.polyval(line, np.arange(found))).std() / ratio
    offset = 1e6 * (ratio / line[0] - 1)
    return (
        out,
        f"{name}: clock {offset:+.3g} ppm from {work.symbol_rate:g}/s, followed jitter {moved:.3g} UI rms",
    )


def _slope(values: FloatArray, start: float, ratio: float) -> float:
    """Return how fast the error of the detector grows with a clock that is late, per sample."""
    apart = 0.05 * ratio
    errors = []
    for late in (-apart, apart):
        places = np.arange(start + ratio + late, values.size - 1, ratio)
        now, between, before = (
            np.interp(places - back, np.arange(values.size), values) for back in (0.0, ratio / 2, ratio)
        )
        errors.append(float(np.mean((now - before) * between)))
    slope = (errors[1] - errors[0]) / (2 * apart)
    if not slope > 0:
        message = "The clock recovery finds no edges in its signal: check its symbol_rate."
        raise ParameterError(message)
    return slope


def _require(name: str, values: FloatArray, ratio: float) -> None:
    if values.size < LEAST_SYMBOLS * ratio:
        _refuse_short(name, int(values.size / ratio))


def _refuse_short(name: str, symbols: int) -> None:
    message = f"{name!r} needs {LEAST_SYMBOLS} symbols or more, got {symbols}: simulate a longer time."
    raise ParameterError(message)

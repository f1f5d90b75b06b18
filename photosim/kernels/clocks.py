"""Kernels that work symbol by symbol: what is sent, taps that follow errors, clocks that follow edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def follow_errors(seen: Any, levels: Any, step: float, taps: Any) -> None:
    """Move the taps of each symbol, (symbols, taps) whose first row is the start, by the error before it.

    seen: (symbols, taps) of the signal.  levels: (levels,), of which the nearest one is taken for sent.
    """
    for n in range(seen.shape[0] - 1):
        found = 0.0
        for k in range(seen.shape[1]):
            found += taps[n, k] * seen[n, k]
        error = found - levels[0]
        for j in range(1, levels.size):
            if abs(found - levels[j]) < abs(error):
                error = found - levels[j]
        for k in range(seen.shape[1]):
            taps[n + 1, k] = taps[n, k] - step * error * seen[n, k]


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def follow_edges(
    values: Any, start: float, period: float, first: float, second: float, places: Any, held: Any
) -> int:
    """Fill the places in samples at which a clock looks at values (T,), and what it sees; return how many.

    start: of the first look.  period: in samples.  first, second: samples by which an error moves the next
    instant, and all that follow.
    """
    place, drift, before, count = start, 0.0, 0.0, 0
    while count < places.size and place < values.size - 2:
        k = math.floor(place)
        now = values[k] + (place - k) * (values[k + 1] - values[k])
        places[count], held[count] = place, now
        early = place - period / 2
        error = 0.0
        if count > 0 and early >= 0.0:
            j = math.floor(early)
            between = values[j] + (early - j) * (values[j + 1] - values[j])
            error = (now - before) * between
        drift += second * error
        place += period - first * error - drift
        before = now
        count += 1
    return count


_PIECE = 1024
# Taylor's series of sin(x)/x in x**2, up to a right angle right to rounding; highest power first.
_SINE = (
    1 / 51_090_942_171_709_440_000, -1 / 121_645_100_408_832_000, 1 / 355_687_428_096_000,
    -1 / 1_307_674_368_000, 1 / 6_227_020_800, -1 / 39_916_800, 1 / 362_880, -1 / 5_040,
    1 / 120, -1 / 6, 1 / 1,
)  # fmt: skip


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def sent(time: Any, rate: float, heights: Any, edge: float, out: Any) -> None:
    """Fill out (T,) with symbols of these heights, repeated, at times (T,) in s; the first holds before.

    edge: length in s of the raised-cosine edges in the middle between symbols; symbol n is right at
    (n + 1/2)/rate.
    """
    count = heights.shape[0]
    places, since, risen = np.empty(_PIECE), np.empty(_PIECE), np.empty(_PIECE)
    for first in range(0, time.shape[0], _PIECE):
        length = min(_PIECE, time.shape[0] - first)
        _symbols_at(time[first:], rate, length, places, since)
        # Edges without length are never inside one, so that any other length serves there.
        _edges_at(since, edge if edge > 0 else 1.0, length, risen)
        n = 0
        while n < length:
            begin, place = n, places[n]
            while n < length and places[n] == place:
                n += 1
            after = heights[max(int(place), 0) % count]
            before = heights[max(int(place) - 1, 0) % count]
            _between(since[begin:], edge / 2, (before, after), risen[begin:], n - begin, out[first + begin :])


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def sent_steadily(
    number: int, often: float, start: float, rate: float, heights: Any, edge: float, out: Any
) -> None:
    """Fill out (N,) with what `sent` gives at times (number + n)/often + start, to the last bit.

    Only edges are computed instant by instant; a level that is held is written.
    """
    count = heights.shape[0]
    since, risen = np.empty(_PIECE), np.empty(_PIECE)
    n = 0
    while n < out.shape[0]:
        place = np.floor(((number + n) / often + start) * rate + 0.5)
        middle = place / rate
        end = _first_after(number, often, start, rate, place, n, out.shape[0])
        low = _first_since(number, often, start, middle, -edge / 2, n, end)
        high = _first_since(number, often, start, middle, edge / 2, low, end)
        after = heights[max(int(place), 0) % count]
        before = heights[max(int(place) - 1, 0) % count]
        out[n:low] = before
        for first in range(low, high, _PIECE):
            length = min(_PIECE, high - first)
            for i in range(length):
                since[i] = ((number + first + i) / often + start) - middle
            _edges_at(since, edge if edge > 0 else 1.0, length, risen)
            _between(since, edge / 2, (before, after), risen, length, out[first:])
        out[high:end] = after
        n = end


@njit(cache=True, error_model="numpy", nogil=True)
def _first_after(
    number: int, often: float, start: float, rate: float, place: float, low: int, high: int
) -> int:
    """Return the first instant behind `low` whose nearest beginning is that of a later symbol, or `high`."""
    guess = ((place + 0.5) / rate - start) * often - number
    n = int(min(max(guess, low + 1.0), float(high)))
    while n > low + 1 and np.floor(((number + n - 1) / often + start) * rate + 0.5) > place:
        n -= 1
    while n < high and np.floor(((number + n) / often + start) * rate + 0.5) <= place:
        n += 1
    return n


@njit(cache=True, error_model="numpy", nogil=True)
def _first_since(
    number: int, often: float, start: float, middle: float, wanted: float, low: int, high: int
) -> int:
    """Return the first instant from `low` on that lies at least a time in s behind `middle`, or `high`."""
    n = int(min(max((middle + wanted - start) * often - number, float(low)), float(high)))
    while n > low and ((number + n - 1) / often + start) - middle >= wanted:
        n -= 1
    while n < high and ((number + n) / often + start) - middle < wanted:
        n += 1
    return n


# Loops of their own, which the compiler turns into vectors.


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def _symbols_at(time: Any, rate: float, count: int, places: Any, since: Any) -> None:
    """Fill the numbers of the symbols whose beginning is nearest to times (N,), and the time since it."""
    for n in range(count):
        places[n] = np.floor(time[n] * rate + 0.5)
    for n in range(count):
        since[n] = time[n] - places[n] / rate


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def _edges_at(since: Any, edge: float, count: int, out: Any) -> None:
    """Fill out (N,) with the part from 0 to 1 of a raised-cosine edge that has passed."""
    for n in range(count):
        x = math.pi * min(max(since[n] / edge, -0.5), 0.5)
        z = x * x
        sine = _SINE[0]
        for k in range(1, 11):
            sine = sine * z + _SINE[k]
        # Not below 0 by rounding: a power would be negative.
        out[n] = min(max(0.5 + 0.5 * (x * sine), 0.0), 1.0)


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def _between(since: Any, half: float, levels: Any, risen: Any, count: int, out: Any) -> None:
    """Fill out (N,) with levels before and behind an edge, and what lies between them."""
    before, after = levels
    for n in range(count):
        passing = before + (after - before) * risen[n]
        held = before if since[n] < -half else passing
        out[n] = after if since[n] >= half else held

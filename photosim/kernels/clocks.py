"""Kernels that work symbol by symbol: what is sent, taps that follow errors, clocks that follow edges."""

from __future__ import annotations

import math
from typing import Any

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


@njit(cache=True, error_model="numpy", nogil=True)
def sent(time: Any, rate: float, heights: Any, edge: float, out: Any) -> None:
    """Fill out (T,) with symbols of these heights, repeated, at times (T,) in s; the first holds before.

    edge: length in s of the raised-cosine edges in the middle between symbols; symbol n is right at
    (n + 1/2)/rate.
    """
    count = heights.shape[0]
    known, start, after, before = 0, 0.0, heights[0], heights[0]  # of the place looked at last
    for n in range(time.shape[0]):
        place = math.floor(time[n] * rate + 0.5)
        if place != known:
            known, start = place, place / rate
            after = heights[max(place, 0) % count]
            before = heights[max(place - 1, 0) % count]
        since = time[n] - start
        if since >= edge / 2:
            out[n] = after
        elif since < -edge / 2:
            out[n] = before
        else:
            out[n] = before + (after - before) * (0.5 - 0.5 * math.cos(math.pi * (since / edge + 0.5)))

"""Kernels that bound what a signal has beyond a band, in stretches that stay near the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_PIECE = 1024


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def energies(values: Any, step: int, window: Any, turns: int, out: Any) -> None:
    """Fill out (rows, 1 + turns) with sums of squares of stretches in a window, and of their differences.

    Stretch r begins at values[r * window.size / 2]. Column 0 has the stretch itself, column t its differences
    of order 2 ** t; behind its end comes its beginning.  step: numbers of one sample, 2 for a complex one.
    window: for each number.
    """
    size, most = window.shape[0], (1 << turns) * step
    near = np.empty((2, _PIECE + most))
    squares = np.empty((1 + turns, _PIECE))
    for r in range(out.shape[0]):
        own = values[r * (size // 2) :]
        squares[:] = 0.0
        for start in range(0, size, _PIECE):
            length = min(_PIECE, size - start)
            left, order, now = length + most, 0, 0
            _weigh(own[start:], window[start:], min(left, size - start), near[0])
            for i in range(size - start, left):
                place = (start + i) % size
                near[0, i] = own[place] * window[place]
            _add_squares(near[0], length, squares[0])
            for t in range(1, turns + 1):
                while order < 1 << t:
                    left -= 2 * step
                    order += 2
                    _twice_apart(near[now], step, left, near[1 - now])
                    now = 1 - now
                _add_squares(near[now], length, squares[t])
        for t in range(turns + 1):
            out[r, t] = squares[t].sum()


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def unevenness(values: Any, found: Any) -> None:
    """Fill found (5,) with what tells how uneven values (N + 4,) are at the first N of them.

    That is the sums of squares of their second, third and fourth differences, their least and their largest
    value; the sums are not finite where a value is not.
    """
    count = values.shape[0] - 4
    squares, most = np.zeros((3, _PIECE)), np.empty((2, _PIECE))
    most[0], most[1] = values[0], values[0]
    second = np.empty(_PIECE + 2)
    for start in range(0, count, _PIECE):
        length = min(_PIECE, count - start)
        own = values[start:]
        _twice_apart(own, 1, length + 2, second)
        for i in range(length):
            third, last = second[i + 1] - second[i], second[i + 2] - second[i + 1]
            squares[0, i] += second[i] * second[i]
            squares[1, i] += third * third
            squares[2, i] += (last - third) * (last - third)
            most[0, i] = min(most[0, i], own[i])
            most[1, i] = max(most[1, i], own[i])
    for k in range(3):
        found[k] = squares[k].sum()
    found[3], found[4] = most[0].min(), most[1].max()


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def _weigh(values: Any, weights: Any, count: int, out: Any) -> None:
    """Fill out (count,) with values times weights."""
    for i in range(count):
        out[i] = values[i] * weights[i]


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def _twice_apart(values: Any, step: int, count: int, out: Any) -> None:
    """Fill out (count,) with second differences of values."""
    later, last = values[step:], values[2 * step :]
    for i in range(count):
        out[i] = (last[i] - later[i]) - (later[i] - values[i])


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def _add_squares(values: Any, count: int, out: Any) -> None:
    """Add the squares of values (count,) to out, each to its own place."""
    for i in range(count):
        out[i] += values[i] * values[i]

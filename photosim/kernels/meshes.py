"""Kernels of interferometer meshes: take a unitary apart into 2 x 2 blocks, and send fields through blocks.

A block on guides m and m + 1 is T = i exp(i theta/2) [[exp(i phi) s, c], [exp(i phi) c, -s]] with
s = sin(theta/2) and c = cos(theta/2). Arrays of K = n (n - 1)/2 blocks stand in an order in which light may
meet them. Rotations act on numbers s, c and exp(i phi) formed from the matrix itself: no sine is taken, and
angles come only at the end. n = 1 has no blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def _angle(z: complex) -> float:
    """Return the phase of z, from -pi to pi: nothing is added to bring it elsewhere, so no digit is lost."""
    return np.arctan2(z.imag, z.real)  # type: ignore[no-any-return]


@njit(cache=True, error_model="numpy", nogil=True)
def _null_right(u: Any, row: int, m: int) -> tuple[float, float]:
    """Zero u[row, m] by the inverse of a block on columns m, m + 1 of rows 0 to row; return theta, phi."""
    x, y = u[row, m], u[row, m + 1]
    size_x, size_y = abs(x), abs(y)
    size = np.hypot(size_x, size_y)
    # Nothing to do is a block that keeps its guides; so is any block on two zeros.
    s, c = (size_y / size, size_x / size) if size > 0.0 else (1.0, 0.0)
    # Phases from numbers of size 1: the product of two tiny ones would underflow.
    turn = -(x / size_x) * np.conj(y / size_y) if size_x > 0.0 and size_y > 0.0 else complex(1.0, 0.0)
    common = complex(-s, -c)  # -i exp(-i theta/2) = -i (c - i s)
    top_s, top_c, low_s = common * np.conj(turn) * s, common * np.conj(turn) * c, -common * s
    low_c = common * c
    for r in range(row + 1):
        left, right = u[r, m], u[r, m + 1]
        u[r, m] = left * top_s + right * low_c
        u[r, m + 1] = left * top_c + right * low_s
    u[row, m] = 0.0
    return 2.0 * np.arctan2(s, c), _angle(turn)


@njit(cache=True, error_model="numpy", nogil=True)
def _null_left(u: Any, row: int, column: int) -> tuple[float, float]:
    """Zero u[row, column] by a block on rows row - 1, row from that column on; return theta, phi."""
    x, y = u[row - 1, column], u[row, column]
    size_x, size_y = abs(x), abs(y)
    size = np.hypot(size_x, size_y)
    s, c = (size_x / size, size_y / size) if size > 0.0 else (1.0, 0.0)
    turn = (y / size_y) * np.conj(x / size_x) if size_x > 0.0 and size_y > 0.0 else complex(1.0, 0.0)
    common = complex(-s, c)  # i exp(i theta/2)
    top_s, low_c, top_c, low_s = common * turn * s, common * turn * c, common * c, -common * s
    for k in range(column, u.shape[0]):
        above, below = u[row - 1, k], u[row, k]
        u[row - 1, k] = top_s * above + top_c * below
        u[row, k] = low_c * above + low_s * below
    u[row, column] = 0.0
    return 2.0 * np.arctan2(s, c), _angle(turn)


@njit(cache=True, error_model="numpy", nogil=True)
def take_apart_reck(u: Any, modes: Any, theta: Any, phi: Any, end: Any) -> None:
    """Fill modes, theta, phi (K,) and end (n,) with a triangular mesh that makes u; u (n, >= n) is lost.

    One row after the other, from the last: its elements left of the diagonal, from the first guide on.
    """
    n = u.shape[0]
    k = 0
    for row in range(n - 1, 0, -1):
        for m in range(row):
            modes[k] = m
            theta[k], phi[k] = _null_right(u, row, m)
            k += 1
    for m in range(n):
        end[m] = _angle(u[m, m])


@njit(cache=True, error_model="numpy", nogil=True)
def take_apart_clements(u: Any, modes: Any, theta: Any, phi: Any, end: Any) -> None:
    """Fill modes, theta, phi (K,) and end (n,) with a rectangular mesh that makes u; u (n, >= n) is lost.

    One diagonal of the lower left triangle after the other, by blocks before u and after it in turn; then
    the blocks after it are moved to before the output phases: T^H diag(p, q) = diag(p', q') T' with
    phi' = arg p - arg q, p' = -exp(-i (theta + phi)) q, q' = -exp(-i theta) q.
    """
    n = u.shape[0]
    head, tail = 0, modes.size - 1
    for i in range(1, n):
        for j in range(i):
            if i % 2 == 1:
                m = i - j - 1
                modes[head] = m
                theta[head], phi[head] = _null_right(u, n - 1 - j, m)
                head += 1
            else:
                row = n - i + j
                modes[tail] = row - 1
                theta[tail], phi[tail] = _null_left(u, row, j)
                tail -= 1
    # Phases travel as complex numbers: sums of hundreds of angles would outgrow their last digits.
    for k in range(head, modes.size):
        m = modes[k]
        above, below = u[m, m], u[m + 1, m + 1]
        turned = -complex(np.cos(theta[k]), -np.sin(theta[k])) * below
        u[m, m], u[m + 1, m + 1] = turned * complex(np.cos(phi[k]), -np.sin(phi[k])), turned
        phi[k] = _angle(above * np.conj(below))
    for m in range(n):
        end[m] = _angle(u[m, m])


@njit(cache=True, error_model="numpy", nogil=True)
def columns_of(modes: Any, free: Any, columns: Any) -> None:
    """Fill columns (K,) with the first column in which each block may stand; free (n,) zeros, lost."""
    for k in range(modes.size):
        m = modes[k]
        columns[k] = max(free[m], free[m + 1])
        free[m] = free[m + 1] = columns[k] + 1


@njit(cache=True, error_model="numpy", nogil=True)
def send_through(blocks: Any, pairs: Any, fields: Any) -> None:
    """Send fields (n, B) in place through blocks (K, 2, 2) on the guides pairs (K, 2), one by one."""
    for k in range(pairs.shape[0]):
        m, o = pairs[k, 0], pairs[k, 1]
        a, b, c, d = blocks[k, 0, 0], blocks[k, 0, 1], blocks[k, 1, 0], blocks[k, 1, 1]
        for j in range(fields.shape[1]):
            x, y = fields[m, j], fields[o, j]
            fields[m, j] = a * x + b * y
            fields[o, j] = c * x + d * y


@njit(cache=True, error_model="numpy", nogil=True)
def take_apart_many(units: Any, reck: Any, modes: Any, theta: Any, phi: Any, end: Any) -> None:
    """Fill theta, phi (M, K) and end (M, n) with M meshes that make units (M, n, n), which are lost.

    modes (K,) comes out alike for all of them: it depends on n and the arrangement alone.
    """
    for mesh in range(units.shape[0]):
        if reck:
            take_apart_reck(units[mesh], modes, theta[mesh], phi[mesh], end[mesh])
        else:
            take_apart_clements(units[mesh], modes, theta[mesh], phi[mesh], end[mesh])


@njit(cache=True, error_model="numpy", nogil=True)
def send_through_many(blocks: Any, pairs: Any, fields: Any) -> None:
    """Send fields (M, n, B) in place through the blocks (M, K, 2, 2) of M meshes of one arrangement."""
    for mesh in range(fields.shape[0]):
        send_through(blocks[mesh], pairs, fields[mesh])

"""Kernels of matrices that are never stored: each entry is looked up by a hash of its place.

Entry (row, column) of seed s is table[12 bits of a 64-bit hash of (s, column, row // 4)], row % 4 saying
which 12 bits: splitmix64's finaliser over a Weyl sequence, with a start for each column. So it is the same
number whatever is computed beside it, and four entries cost one hash.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

LANES = 4
"""Rows that share a hash."""
POINTS = 4096
"""Values an entry can have: the length of the table, 12 bits."""


@njit(cache=True, error_model="numpy", nogil=True)
def _mix(z: Any) -> Any:
    """Finaliser of splitmix64: each bit of the result depends on every bit of z."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, error_model="numpy", nogil=True)
def _start(seed: Any, column: Any) -> Any:
    """Start of a column's sequence."""
    return _mix(_mix(seed) + np.uint64(column) * np.uint64(0x9E3779B97F4A7C15))


@njit(cache=True, error_model="numpy", nogil=True)
def fill_tile(seed: Any, table: Any, column: Any, row: Any, tile: Any) -> None:
    """Fill tile[c, r] with the entry of column + c and row + r.

    row and the tile's width are multiples of LANES. table (POINTS,) and tile
    hold complex64 seen as uint64: an entry is copied, not computed with.
    """
    mask = np.uint64(4095)
    for c in range(tile.shape[0]):
        start = _start(seed, column + c)
        for g in range(tile.shape[1] // 4):
            h = _mix(start + np.uint64(row // 4 + g) * np.uint64(0xD1342543DE82EF95))
            tile[c, 4 * g] = table[h & mask]
            tile[c, 4 * g + 1] = table[(h >> np.uint64(16)) & mask]
            tile[c, 4 * g + 2] = table[(h >> np.uint64(32)) & mask]
            tile[c, 4 * g + 3] = table[(h >> np.uint64(48)) & mask]


@njit(cache=True, error_model="numpy", nogil=True)
def pick(seed: Any, table: Any, rows: Any, columns: Any, out: Any) -> None:
    """Fill out[r, c] with the entries of any rows and columns."""
    for c in range(columns.shape[0]):
        start = _start(seed, columns[c])
        for r in range(rows.shape[0]):
            h = _mix(start + np.uint64(rows[r] // 4) * np.uint64(0xD1342543DE82EF95))
            out[r, c] = table[(h >> np.uint64(16 * (rows[r] % 4))) & np.uint64(4095)]


@njit(cache=True, error_model="numpy", nogil=True)
def add_columns(seed: Any, table: Any, columns: Any, row: Any, out: Any) -> None:
    """Add to out[r] the entries of row + r in all these columns: a projection of zeros and ones, tile-free.

    row and out's length are multiples of LANES. Sums of up to 4096 terms are in
    table's precision, sums of these in that of out.
    """
    mask = np.uint64(4095)
    chunk = 4096
    starts = np.empty(chunk, dtype=np.uint64)
    for first in range(0, columns.shape[0], chunk):
        count = min(chunk, columns.shape[0] - first)
        for k in range(count):
            starts[k] = _start(seed, columns[first + k])
        for g in range(out.shape[0] // 4):
            step = np.uint64(row // 4 + g) * np.uint64(0xD1342543DE82EF95)
            s0 = s1 = s2 = s3 = table[0] - table[0]
            for k in range(count):
                h = _mix(starts[k] + step)
                s0 += table[h & mask]
                s1 += table[(h >> np.uint64(16)) & mask]
                s2 += table[(h >> np.uint64(32)) & mask]
                s3 += table[(h >> np.uint64(48)) & mask]
            out[4 * g] += s0
            out[4 * g + 1] += s1
            out[4 * g + 2] += s2
            out[4 * g + 3] += s3

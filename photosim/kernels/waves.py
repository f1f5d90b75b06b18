"""Kernels that read a complex wave once: its power, and how rough it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_PIECE = 1024


@njit(cache=True, error_model="numpy", nogil=True)
def powers(wave: Any, out: Any) -> None:
    """Fill out (T,) with the squared moduli of a wave (T, 2), its real and imaginary parts."""
    for n in range(out.shape[0]):
        out[n] = wave[n, 0] * wave[n, 0] + wave[n, 1] * wave[n, 1]


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def roughness(wave: Any, first: int, last: int, found: Any) -> None:
    """Fill found (4,) with what tells how rough a wave (2 T,) is, real and imaginary parts in turns.

    That is the largest square of the difference of a sample from the line of seventh order through its odd
    neighbours, from sample `first` up to `last`; the sum of those squares elsewhere; the largest square of
    the wave; and the sum of its squares.
    """
    samples = wave.shape[0] // 2
    sizes, rough = np.zeros(_PIECE), np.zeros(_PIECE)
    apart = np.empty(2 * _PIECE)
    total, kinks = 0.0, 0.0
    for start in range(0, samples, _PIECE):
        length = min(_PIECE, samples - start)
        own = wave[2 * start :]
        for n in range(length):
            size = own[2 * n] * own[2 * n] + own[2 * n + 1] * own[2 * n + 1]
            total += size
            sizes[n] = max(sizes[n], size)
    for start in range(7, samples - 7, _PIECE):
        length = min(_PIECE, samples - 7 - start)
        far = wave[2 * start - 14 :]
        a, b, c, d, e, f, g, h = (
            far, far[4:], far[8:], far[12:], far[16:], far[20:], far[24:], far[28:]
        )  # fmt: skip
        middle = far[14:]
        for i in range(2 * length):
            near = 1225.0 * (d[i] + e[i]) - 245.0 * (c[i] + f[i])
            apart[i] = middle[i] - (near + 49.0 * (b[i] + g[i]) - 5.0 * (a[i] + h[i])) / 2048.0
        if first <= start and start + length <= last:
            for n in range(length):
                size = apart[2 * n] * apart[2 * n] + apart[2 * n + 1] * apart[2 * n + 1]
                rough[n] = max(rough[n], size)
        else:
            for n in range(length):
                size = apart[2 * n] * apart[2 * n] + apart[2 * n + 1] * apart[2 * n + 1]
                if first <= start + n < last:
                    rough[n] = max(rough[n], size)
                else:
                    kinks += size
    found[0], found[1], found[2], found[3] = rough.max(), kinks, sizes.max(), total

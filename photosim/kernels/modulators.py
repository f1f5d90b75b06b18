"""The kernel of modulators in series on a bus: each acts on every channel."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def summed_logarithms(shares: Any, codes: Any, out: Any) -> None:
    """Fill out (batch, N) with the sums over modulators n of shares[n, codes[., n]], in their order.

    shares: logarithm of the power of each channel that a modulator passes at a code, (M, K, N).  codes:
    (batch, M).
    """
    for sample in range(codes.shape[0]):
        line = out[sample]
        line[:] = shares[0, codes[sample, 0]]
        for n in range(1, codes.shape[1]):
            passed = shares[n, codes[sample, n]]
            for channel in range(line.shape[0]):
                line[channel] += passed[channel]

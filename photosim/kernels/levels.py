"""The kernel that evaluates polynomials, one for each interval of a variable."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def piecewise(values: Any, low: float, scale: float, coefficients: Any, out: Any) -> None:
    """Fill out (N, C) with polynomials of seventh order of values (N,).

    coefficients: (intervals, C, 8), highest power first, of a place from -1 to 1 in an interval; interval s
    begins at low + s / scale.
    """
    last = coefficients.shape[0] - 1
    for n in range(values.shape[0]):
        x = (values[n] - low) * scale
        s = min(max(int(x), 0), last)
        p = 2.0 * (x - s) - 1.0
        for c in range(out.shape[1]):
            k = coefficients[s, c]
            high = ((k[0] * p + k[1]) * p + k[2]) * p + k[3]
            out[n, c] = (((high * p + k[4]) * p + k[5]) * p + k[6]) * p + k[7]

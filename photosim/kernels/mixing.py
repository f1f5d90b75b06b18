"""Errors of many chips from independent normals: a product whose bits do not depend on threads or shapes."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def mix(z: Any, matrix: Any, out: Any) -> None:
    """Fill out (I, N) with matrix (I, d) times normals z (d, N), zeros of the matrix skipped."""
    for i in range(matrix.shape[0]):
        out[i, :] = 0.0
        for k in range(matrix.shape[1]):
            weight = matrix[i, k]
            if weight != 0.0:
                for n in range(z.shape[1]):
                    out[i, n] += weight * z[k, n]

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


COUPLE_REACH = 2.0
"""Largest |decay error| that `couple` takes."""
_COS = (
    -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200,
    1.0 / 20922789888000, -1.0 / 6402373705728000, 1.0 / 2432902008176640000,
)  # fmt: skip


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})
def couple(angle: float, decay: float, errors: Any, out: Any) -> None:
    """Fill out (N,) with the powers sin(angle exp(-decay error))**2 that couplers cross, errors (N,).

    In plain arithmetic, so that the loop vectorises: exp as the 64th power of a Taylor series, good to 1e-11
    up to COUPLE_REACH, and the cosine of twice the angle by its series on [-pi/2, pi/2].
    """
    for n in range(errors.shape[0]):
        x = -decay * errors[n] * 0.015625
        e = 1.0 + x * (1.0 + x * (0.5 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720))))))
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        full = 2.0 * angle * e
        turns = (full * 0.3183098861837907 + 6755399441055744.0) - 6755399441055744.0
        r = full - turns * 3.141592653589793 - turns * 1.2246467991473532e-16
        z = r * r
        c = _COS[9]
        c = _COS[8] + z * c
        c = _COS[7] + z * c
        c = _COS[6] + z * c
        c = _COS[5] + z * c
        c = _COS[4] + z * c
        c = _COS[3] + z * c
        c = _COS[2] + z * c
        c = _COS[1] + z * c
        c = _COS[0] + z * c
        c = 1.0 + z * c
        odd = turns - 2.0 * ((turns * 0.5 + 6755399441055744.0 - 0.25) - 6755399441055744.0)
        sign = 1.0 - 2.0 * odd * odd if odd * odd <= 1.0 else 1.0
        out[n] = 0.5 - 0.5 * sign * c

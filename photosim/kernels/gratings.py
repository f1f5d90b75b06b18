"""The kernels of gratings, period after period, with derivatives by wavelength carried along.

A number here is (value, slope, half the curvature): the Taylor coefficients in wavelength.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def _times(a: Any, b: Any) -> Any:
    """Return the product of two series."""
    return a[0] * b[0], a[0] * b[1] + a[1] * b[0], a[0] * b[2] + a[1] * b[1] + a[2] * b[0]


@njit(cache=True, error_model="numpy", nogil=True)
def _over(a: Any, b: Any) -> Any:
    """Return the quotient of two series."""
    first = a[0] / b[0]
    second = (a[1] - first * b[1]) / b[0]
    return first, second, (a[2] - first * b[2] - second * b[1]) / b[0]


@njit(cache=True, error_model="numpy", nogil=True)
def _root(a: Any) -> Any:
    """Return the square root of a series with a positive value."""
    first = np.sqrt(a[0])
    second = a[1] / (2 * first)
    return first, second, (a[2] - second * second) / (2 * first)


@njit(cache=True, error_model="numpy", nogil=True)
def _wave(phase: Any, amplitude: float) -> Any:
    """Return amplitude exp(i phase) as a series."""
    first = amplitude * np.exp(1j * phase[0])
    return first, 1j * phase[1] * first, (1j * phase[2] - 0.5 * phase[1] * phase[1]) * first


@njit(cache=True, error_model="numpy", nogil=True)
def _travel(s: Any, wave: Any) -> Any:
    """Return (left, through, right) of what is there with a homogeneous layer behind it."""
    left, through, right = s
    return left, _times(through, wave), _times(right, _times(wave, wave))


@njit(cache=True, error_model="numpy", nogil=True)
def _step(s: Any, index: Any, before: float, after: float) -> Any:
    """Return (left, through, right) of what is there with a step of the index behind it.

    The indices are index + before and index + after; Fresnel's reflection of light that meets the step.
    """
    left, through, right = s
    r = _over((before - after, 0.0, 0.0), (2 * index[0] + before + after, 2 * index[1], 2 * index[2]))
    square = _times(r, r)
    passed = (1.0 - square[0], -square[1], -square[2])
    bounce = _times(right, r)
    kept = (1.0 - bounce[0], -bounce[1], -bounce[2])
    echo = _over(_times(_times(through, through), r), kept)
    back = _over(_times(passed, right), kept)
    return (
        (left[0] + echo[0], left[1] + echo[1], left[2] + echo[2]),
        _over(_times(through, _root(passed)), kept),
        (back[0] - r[0], back[1] - r[1], back[2] - r[2]),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def grating(
    index: Any, vector: Any, jumps: Any, length: float, shift: Any, amplitude: float, out: Any
) -> None:
    """Fill out[:, :, w] with the grating at one wavelength: reflections at left and right, and transmission.

    index (3, W) and vector (3, W) are the series of the guide's index and of 2 pi/wl per um. Period k has two
    layers of `length` um whose indices are jumps[k] above and below; each leaves `amplitude`. Behind half of
    the periods the wave gains the series shift (3, W). out is (3 orders, 3 values, W): left, right, through.
    """
    for w in range(index.shape[1]):
        n = (index[0, w], index[1, w], index[2, w])
        k = (vector[0, w], vector[1, w], vector[2, w])
        path = _times(n, k)
        zero = (0j, 0j, 0j)
        s = (zero, (1.0 + 0j, 0j, 0j), zero)
        before = 0.0
        for p in range(jumps.size):
            if 2 * p == jumps.size - jumps.size % 2:
                s = _step(s, n, before, 0.0)
                s = _travel(s, _wave((shift[0, w], shift[1, w], shift[2, w]), 1.0))
                before = 0.0
            for sign in (1.0, -1.0):
                jump = sign * jumps[p]
                s = _step(s, n, before, jump)
                phase = (
                    length * (path[0] + jump * k[0]),
                    length * (path[1] + jump * k[1]),
                    length * (path[2] + jump * k[2]),
                )
                s = _travel(s, _wave(phase, amplitude))
                before = jump
        s = _step(s, n, before, 0.0)
        for order in range(3):
            out[order, 0, w] = s[0][order]
            out[order, 1, w] = s[2][order]
            out[order, 2, w] = s[1][order]


@njit(cache=True, error_model="numpy", nogil=True)
def mirrors(phase: Any, couplings: Any, amplitude: float, out: Any) -> None:
    """Fill out[:, :, w] with a row of mirrors at one wavelength, one in the middle of each period.

    phase (3, W) is the series of what a wave gains over half a period, in rad, and amplitude what is left of
    it. Mirror k reflects i tanh(couplings[k]). out is (3 orders, 3 values, W): left, right, through.
    """
    for w in range(phase.shape[1]):
        wave = _wave((phase[0, w], phase[1, w], phase[2, w]), amplitude)
        zero = (0j, 0j, 0j)
        s = (zero, (1.0 + 0j, 0j, 0j), zero)
        for p in range(couplings.size):
            left, through, right = _travel(s, wave)
            r = 1j * np.tanh(couplings[p])
            t = 1.0 / np.cosh(couplings[p])
            kept = (1.0 - r * right[0], -r * right[1], -r * right[2])
            echo = _over(_times(through, through), kept)
            back = _over(right, kept)
            passed = _over(through, kept)
            s = (
                (left[0] + r * echo[0], left[1] + r * echo[1], left[2] + r * echo[2]),
                (t * passed[0], t * passed[1], t * passed[2]),
                (r + t * t * back[0], t * t * back[1], t * t * back[2]),
            )
            s = _travel(s, wave)
        for order in range(3):
            out[order, 0, w] = s[0][order]
            out[order, 1, w] = s[2][order]
            out[order, 2, w] = s[1][order]

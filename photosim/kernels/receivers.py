"""Kernels of what reads photocurrents: noise added, range and steps of a converter, each in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def add_noise(difference: Any, total: Any, dark: Any, slope: Any, constant: Any, current: Any) -> None:
    """Make currents (N,) of normal numbers: difference + sqrt((total + dark) slope + constant) current.

    dark, slope, constant: of the type of the arrays, so that nothing is computed more finely than they are.
    """
    for n in range(current.shape[0]):
        shot = (total[n] + dark) * slope + constant
        current[n] = np.sqrt(shot) * current[n] + difference[n]


@njit(cache=True, error_model="numpy", nogil=True)
def quantise(values: Any, low: Any, high: Any, step: Any, held: Any) -> int:
    """Fill held (N,) with values (N,) inside a range, on its steps where `step` is not 0.

    Returns how many lay beyond the range. low, high, step: of the type of the arrays.
    """
    beyond = 0
    for n in range(values.shape[0]):
        value = values[n]
        inside = value if value != value else min(max(value, low), high)  # noqa: PLR0124 - not a number
        if inside != value:
            beyond += 1
        if step != 0:
            inside = np.rint((inside - low) / step) * step + low
        held[n] = inside
    return beyond

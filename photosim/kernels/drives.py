"""The kernel that finds where a drive passes each of its values fastest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def fastest_at(values: Any, low: float, high: float, out: Any) -> None:
    """Fill out (levels + 1,) with the last sample at which values (T,) pass a level fastest, -1 for none.

    low, high: least and largest value, between which the levels are equally spaced.
    """
    levels = out.shape[0] - 1
    span = max(high - low, 1e-300)
    most = np.zeros(levels + 1)
    out[:] = -1
    for n in range(values.shape[0] - 1):
        level = int((values[n] - low) / span * levels)
        speed = abs(values[n + 1] - values[n])
        if speed >= most[level]:
            most[level] = speed
            out[level] = n

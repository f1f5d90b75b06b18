"""The kernel of low-passes: samples behind a pole, in blocks that stay near the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_BLOCK = 1024


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def decayed(values: Any, taps: Any, keep: Any, residue: Any, out: Any) -> None:
    """Add to out (T,) the real part of `residue` times the state behind a pole, driven by values (T,).

    state[n] = keep state[n - 1] + sum over k of taps[k] x[n + A - k], where x is what values have changed by
    since the first one, held behind the last, and taps has shape (2 A + 1,): complex, or real as `keep` and
    `residue` are then.
    """
    count, around = values.shape[0], taps.shape[0] // 2
    first = values[0]
    near = np.empty(_BLOCK + 2 * around)
    driven = np.empty(_BLOCK, dtype=taps.dtype)
    state = 0.0 * keep
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        for j in range(size + 2 * around):
            place = start + j - around
            near[j] = values[min(place, count - 1)] - first if place > 0 else 0.0
        driven[:] = 0.0
        for k in range(taps.shape[0]):
            tap = taps[k]
            late = near[2 * around - k :]  # vectorised, as an index with an offset is not
            for i in range(size):
                driven[i] += tap * late[i]
        for i in range(size):
            state = keep * state + driven[i]
            out[start + i] += (residue * state).real

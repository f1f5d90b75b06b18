"""The kernel of low-passes: samples behind a pole, in blocks that stay near the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_BLOCK = 1024


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def decayed(values: Any, first: float, taps: Any, keep: Any, residue: Any, state: Any, out: Any) -> None:
    """Add to out (N,) the real part of `residue` times the state behind a pole, driven by values (N + 2 A,).

    now[n] = keep now[n - 1] + sum over k of taps[k] (values[n + 2 A - k] - first), taps having shape
    (2 A + 1,): complex, or real as `keep` and `residue` are then.  state: (1,) the state before the first
    sample, and behind the last one.
    """
    count, size = out.shape[0], taps.shape[0]
    near = np.empty(_BLOCK + size)
    driven = np.empty(_BLOCK, dtype=taps.dtype)
    now = state[0]
    for start in range(0, count, _BLOCK):
        length = min(_BLOCK, count - start)
        own = values[start:]
        for j in range(length + size - 1):
            near[j] = own[j] - first
        driven[:] = 0.0
        k = 0
        # Four taps a turn: what a block is driven by is read and written once for them.
        while k + 4 <= size:
            a, b, c, d = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
            late = near[size - 4 - k :]  # vectorised, as an index with an offset is not
            late1, late2, late3 = late[1:], late[2:], late[3:]
            for i in range(length):
                driven[i] = (((driven[i] + a * late3[i]) + b * late2[i]) + c * late1[i]) + d * late[i]
            k += 4
        while k < size:
            tap = taps[k]
            late = near[size - 1 - k :]
            for i in range(length):
                driven[i] += tap * late[i]
            k += 1
        for i in range(length):
            now = keep * now + driven[i]
            out[start + i] += (residue * now).real
    state[0] = now

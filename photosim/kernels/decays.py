"""The kernel of low-passes: samples behind a pole, in blocks that stay near the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_BLOCK = 1024
_APART = 256


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


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def decayed_apart(
    values: Any, first: float, every: int, taps: Any, keep: complex, residue: complex, state: Any, out: Any
) -> None:
    """Add to out (N,) what `decayed` adds, from a state that is seen at every so many instants only.

    now[n] = keep now[n - 1] + sum over k of taps[k] (values[every n + size - 1 - k] - first), taps having
    shape (parts, size): their real part, and their imaginary one if there is one; `keep` and `residue` are
    real then.  state: (1,) as `decayed` has it.
    """
    parts, size = taps.shape
    reach = (size - 1) // every + 1
    near = np.empty((every, _APART + reach))
    driven = np.empty((parts, _APART))
    now = complex(state[0])
    for start in range(0, out.shape[0], _APART):
        length = min(_APART, out.shape[0] - start)
        own = values[start * every : (start + length - 1) * every + size]
        # Values of one place in a step of `every` lie side by side.
        for p in range(every):
            for i in range((own.shape[0] - p + every - 1) // every):
                near[p, i] = own[i * every + p] - first
        driven[:] = 0.0
        for part in range(parts):
            _add_taps(near, taps[part], length, driven[part])
        if parts == 1:
            turn, real = keep.real, now.real
            for i in range(length):
                real = turn * real + driven[0, i]
                out[start + i] += residue.real * real
            now = complex(real, 0.0)
        else:
            for i in range(length):
                now = keep * now + complex(driven[0, i], driven[1, i])
                out[start + i] += (residue * now).real
    state[0] = now


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def _add_taps(near: Any, taps: Any, count: int, out: Any) -> None:
    """Add to out (count,) taps (size,) times values, of which row p of `near` has every so many from p on."""
    every, size = near.shape[0], taps.shape[0]
    k = 0
    while k + 4 <= size:
        r = size - 1 - k
        a, b, c, d = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
        va, vb = near[r % every, r // every :], near[(r - 1) % every, (r - 1) // every :]
        vc, vd = near[(r - 2) % every, (r - 2) // every :], near[(r - 3) % every, (r - 3) // every :]
        for i in range(count):
            out[i] = (((out[i] + a * va[i]) + b * vb[i]) + c * vc[i]) + d * vd[i]
        k += 4
    while k < size:
        r = size - 1 - k
        tap, late = taps[k], near[r % every, r // every :]
        for i in range(count):
            out[i] += tap * late[i]
        k += 1

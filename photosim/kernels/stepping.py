"""The kernel that carries nonlinear parts through time, sample by sample, with what is fed back to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

_F1 = types.float64[::1]
_C2 = types.complex128[:, ::1]
SIGNATURE = types.void(_F1, _C2, _C2, _C2, _F1, _F1, _F1, types.float64)
"""Type of a step(state, before, now, out, constants, carriers, noise, dt).

`constants` holds those of now, and behind them those of the middle of the step, by which a memory goes on: a
driven setting then acts neither early nor late.
"""

# Columns of `layout`, a row for each part.
FUNCTION, STATE, STATES, CONSTANT, CONSTANTS, IN, INS, OUT, OUTS, NOISE, NOISES, ENTRY, ENTRIES = range(13)
# Columns of `entries`, a row for each path from a leaving wave of a carrier to an arriving one.
TO, FROM, CARRIER, DELAY, POLE, POLES = range(6)


@njit(cache=True, error_model="numpy", nogil=True)
def advance(  # noqa: C901 - one loop; functions of their own would cost more than their work
    functions: Any,
    layout: Any,
    state: Any,
    constants: Any,
    feedback: Any,
    waves: Any,
    carriers: Any,
    when: Any,
) -> None:
    """Carry all parts over one sample a turn, in the order of `layout`.

    when: s between samples, the first sample of this turn and the one behind its last.

    functions: steps of the type SIGNATURE.  layout: int64 (parts, 13).
    state: float64 (S,), changed in place.  constants: (fixed (C,), column
    (C,), varying (T, V)), constant c being varying[t, column[c]] where column[c]
    is not negative.  feedback: (entries (E, 6), poles (K,), residues (K,),
    direct (E,), memory (K,), past (P, outs, carriers)): an entry adds to the
    wave that arrives its share of the wave that left `delay` samples ago,
    direct b + sum of residue x, where x[t + 1] = pole x[t] + b[t]; x is
    `memory`, changed in place, and b before the first sample stands in
    `past`, at least as many samples as the longest delay; entries of delay 0
    come from parts earlier in `layout`.  waves: (incoming (T, ins, carriers), holding what arrives from
    elsewhere; outgoing (T, outs, carriers), filled; record (T, S) of states or
    (0, S); noise (T, N), or (1, 0) where it is off).
    """
    fixed, column, varying = constants
    entries, poles, residues, direct, memory, past = feedback
    incoming, outgoing, record, noise = waves
    # Of each part the constants of now, then those of the middle of the step.
    values = np.zeros(2 * fixed.shape[0])
    first, middle = np.zeros(fixed.shape[0], dtype=np.int64), np.zeros(fixed.shape[0], dtype=np.int64)
    for p in range(layout.shape[0]):
        for k in range(layout[p, CONSTANTS]):
            c = layout[p, CONSTANT] + k
            first[c] = 2 * layout[p, CONSTANT] + k
            middle[c] = first[c] + layout[p, CONSTANTS]
            values[first[c]] = values[middle[c]] = fixed[c]
    ports = max(incoming.shape[1], 1), max(outgoing.shape[1], 1)
    before = np.zeros((ports[0], incoming.shape[2]), dtype=np.complex128)
    now = np.zeros((ports[0], incoming.shape[2]), dtype=np.complex128)
    out = np.zeros((ports[1], incoming.shape[2]), dtype=np.complex128)
    silent = np.zeros(0, dtype=np.float64)
    dt = when[0]
    for t in range(when[1], when[2]):
        for c in range(fixed.shape[0]):
            if column[c] >= 0:
                values[first[c]] = varying[t, column[c]]
                values[middle[c]] = (varying[max(t - 1, 0), column[c]] + varying[t, column[c]]) / 2
        for p in range(layout.shape[0]):
            row = layout[p]
            for e in range(row[ENTRY], row[ENTRY] + row[ENTRIES]):
                at = t - entries[e, DELAY]
                if at >= 0:
                    wave = outgoing[at, entries[e, FROM], entries[e, CARRIER]]
                else:
                    wave = past[past.shape[0] + at, entries[e, FROM], entries[e, CARRIER]]
                total = direct[e] * wave
                for k in range(entries[e, POLE], entries[e, POLE] + entries[e, POLES]):
                    total += residues[k] * memory[k]
                    memory[k] = poles[k] * memory[k] + wave
                incoming[t, entries[e, TO], entries[e, CARRIER]] += total
            ins, outs = row[INS], row[OUTS]
            for i in range(ins):
                for c in range(incoming.shape[2]):
                    now[i, c] = incoming[t, row[IN] + i, c]
                    before[i, c] = incoming[max(t - 1, 0), row[IN] + i, c]
            out[:outs] = 0.0
            drawn = silent
            if noise.shape[1] > 0:
                drawn = noise[t][row[NOISE] : row[NOISE] + row[NOISES]]
            functions[row[FUNCTION]](
                state[row[STATE] : row[STATE] + row[STATES]],
                before[:ins],
                now[:ins],
                out[:outs],
                values[2 * row[CONSTANT] : 2 * (row[CONSTANT] + row[CONSTANTS])],
                carriers,
                drawn,
                dt,
            )
            for o in range(outs):
                for c in range(incoming.shape[2]):
                    outgoing[t, row[OUT] + o, c] = out[o, c]
        if record.shape[0] > 0:
            record[t] = state


def gate(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Multiply by a matrix a carrier: constants are its elements (carriers, outs, ins), re and im in turn."""
    outs, ins = out.shape[0], now.shape[0]
    for c in range(now.shape[1]):
        for o in range(outs):
            for i in range(ins):
                at = 2 * ((c * outs + o) * ins + i)
                out[o, c] += complex(constants[at], constants[at + 1]) * now[i, c]

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


@njit(cache=True, error_model="numpy", nogil=True)
def _pass(values: Any, gain: Any, low: Any, high: Any, step: Any) -> int:
    """Take values (N,) through one part, in place, as a gain and `quantise` do."""
    beyond = 0
    for n in range(values.shape[0]):
        value = values[n] * gain
        inside = value if value != value else min(max(value, low), high)  # noqa: PLR0124 - not a number
        beyond += inside != value
        values[n] = inside
    if step != 0:
        for n in range(values.shape[0]):
            values[n] = np.rint((values[n] - low) / step) * step + low
    return beyond


@njit(cache=True, error_model="numpy", nogil=True)
def read_rows(current: Any, gates: Any, stages: Any, unit: Any, out: Any) -> int:
    """Fill out (batch, down M) with currents (down, across, batch, M) as they are read, added over tiles.

    gates: gain of each output (batch, down M), or empty, (batch, 0), for 1.  stages: gain, low end, high end
    and step of each part behind the detector, (S, 4), of one type with the arrays.  unit: current that reads
    as 1, times the gains. Returns how many numbers lay beyond a range. `current` is overwritten.
    """
    down, across, batch, rows = current.shape
    beyond = 0
    for tile in range(down):
        for side in range(across):
            if gates.shape[1]:
                for sample in range(batch):
                    for row in range(rows):
                        current[tile, side, sample, row] *= gates[sample, tile * rows + row]
            seen = current[tile, side].reshape(-1)
            for k in range(stages.shape[0]):
                beyond += _pass(seen, stages[k, 0], stages[k, 1], stages[k, 2], stages[k, 3])
            for sample in range(batch):
                line = out[sample, tile * rows : (tile + 1) * rows]
                for row in range(rows):
                    value = current[tile, side, sample, row] / unit
                    line[row] = value + line[row] if side else value
    return beyond

"""The kernel that carries derivatives from S-matrix values to the parameters of the parts."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def contract(partials: Any, slopes: Any, first: Any, columns: Any, out: Any) -> None:
    """Fill out[row, batch, column, w] with the sum over values of dL/dvalue times dvalue/dparameter.

    partials (rows, B, P + 1, values, 2, W'), slopes (B * blocks, all values,
    2 * lanes) by block, first (rows,) the number of each row's first value,
    columns (columns,) of the parameters requested, out (rows, B, columns, W).
    A value that leads nowhere has slope 0 and is passed over: a reflection
    that is off has an infinite derivative (a square root at 0) and no effect.
    """
    rows, batch, _, values, _, _ = partials.shape
    blocks, lanes = slopes.shape[0] // batch, slopes.shape[2] // 2
    for r in range(rows):
        for b in range(batch):
            for c in range(columns.shape[0]):
                for w in range(out.shape[3]):
                    block, lane = b * blocks + w // lanes, w % lanes
                    total = 0.0
                    for v in range(values):
                        re = slopes[block, first[r] + v, lane]
                        im = slopes[block, first[r] + v, lanes + lane]
                        if re != 0.0 or im != 0.0:
                            total += partials[r, b, columns[c], v, 0, w] * re
                            total += partials[r, b, columns[c], v, 1, w] * im
                    out[r, b, c, w] = total

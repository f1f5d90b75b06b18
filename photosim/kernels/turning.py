"""The kernel of what follows a product of weights and inputs: turned, with the bias added, in one pass."""

from __future__ import annotations

from typing import Any

from numba import njit

WIDE = 16
"""Units whose numbers are turned at once."""


@njit(cache=True, error_model="numpy", nogil=True)
def turned_sum(product: Any, bias: Any, out: Any) -> None:
    """Fill out (batch, units) with product (units, batch) plus bias (units,), all of one type."""
    units, batch = product.shape
    whole = units // WIDE * WIDE
    for first in range(0, whole, WIDE):
        for sample in range(batch):
            for k in range(WIDE):
                out[sample, first + k] = product[first + k, sample] + bias[first + k]
    for unit in range(whole, units):
        for sample in range(batch):
            out[sample, unit] = product[unit, sample] + bias[unit]

"""The kernel of turned sums against NumPy, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.turning import turned_sum


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(40, 7), (32, 16), (5, 9), (0, 3), (3, 0)])
def test_sums_are_turned(dtype: Any, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    product, bias = rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape[0]).astype(dtype)
    out = np.full(shape[::-1], np.nan, dtype)
    turned_sum(product, bias, out)
    np.testing.assert_array_equal(out, product.T + bias)

"""The kernel of modulators in series against NumPy, bit for bit."""

from __future__ import annotations

import numpy as np

from photosim.kernels.modulators import summed_logarithms


def test_logarithms_are_added_in_order() -> None:
    rng = np.random.default_rng(0)
    shares, codes = rng.standard_normal((5, 16, 7)), rng.integers(0, 16, (9, 5))
    out = np.full((9, 7), np.nan)
    summed_logarithms(shares, codes, out)
    np.testing.assert_array_equal(out, shares[np.arange(5), codes].sum(axis=1))

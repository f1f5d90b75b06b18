"""Normal numbers in single precision against NumPy's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.signals.normals import MANY, normal_numbers


def generators(kind: Any, seed: int) -> list[np.random.Generator]:
    return [np.random.Generator(kind(seed)) for _ in range(2)]


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.SFC64])
def test_numbers_and_what_follows_them_are_those_of_numpy(kind: Any) -> None:
    ours, numpys = generators(kind, 1)
    # Odd sizes leave half a word behind; the tail and the wedges of the ziggurat all occur.
    for shape in ((3,), (MANY, 3), (5,), (MANY + 1,), (7, 0), (1, 4, 100_003)):
        found, expected = normal_numbers(ours, shape, np.float32), numpys.standard_normal(shape, np.float32)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.abs(found).max() > 3.7
    assert ours.standard_normal() == numpys.standard_normal()


def test_double_precision_is_numpys() -> None:
    ours, numpys = generators(np.random.PCG64, 2)
    found = normal_numbers(ours, (MANY,), np.float64)
    np.testing.assert_array_equal(found, numpys.standard_normal(MANY))

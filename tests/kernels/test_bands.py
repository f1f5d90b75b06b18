"""Energies of stretches and of their differences against numpy, in any split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.bands import energies


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("length", [64, 1024, 1500, 4096])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_energies_of_differences_are_those_of_numpy(kind: str, length: int, turns: int) -> None:
    rng = np.random.default_rng(length)
    size = 4 * length
    values: Any = rng.normal(size=size)
    if kind == "complex":
        values = values + 1j * rng.normal(size=size)
    step, window = 1 + (kind == "complex"), rng.uniform(size=length)
    out = np.empty((7, 1 + turns))
    energies(values.view(np.float64), step, np.repeat(window, step), turns, out)
    for row, found in enumerate(out):
        own = values[row * length // 2 :][:length] * window
        expected = [np.sum(np.abs(own) ** 2)]
        for order in (2, 4, 8)[:turns]:
            apart = own
            for _ in range(order):
                apart = np.roll(apart, -1) - apart  # a stretch goes on with its beginning
            expected.append(np.sum(np.abs(apart) ** 2))
        np.testing.assert_allclose(found, expected, rtol=1e-12)

"""Energies of stretches and of their differences against numpy, in any split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.bands import energies, unevenness


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


@pytest.mark.parametrize("count", [1, 1024, 1025, 5000])
def test_unevenness_is_that_of_numpy(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count + 4)
    found = np.empty(5)
    unevenness(values, found)
    sums = [np.sum(np.diff(values, n)[:count] ** 2) for n in (2, 3, 4)]
    np.testing.assert_allclose(found[:3], sums, rtol=1e-12)
    assert found[3:].tolist() == [values[:count].min(), values[:count].max()]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_unevenness_of_what_is_not_finite_is_not_finite(wrong: float) -> None:
    for place in (0, 700, 1999):
        values, found = np.zeros(2004), np.empty(5)
        values[place] = wrong
        unevenness(values, found)
        assert not np.isfinite(found[:3]).all()

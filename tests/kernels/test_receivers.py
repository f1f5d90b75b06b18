"""Kernels of receivers against the same arithmetic in numpy, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.receivers import add_noise, quantise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_is_that_of_shot_and_amplifier(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    total, difference, normal = (rng.random(100).astype(dtype) for _ in range(3))
    current = normal.copy()
    dark, slope, constant = dtype(0.1), dtype(0.2), dtype(0.3)
    add_noise(difference, total, dark, slope, constant, current)
    expected = np.sqrt((total + dark) * slope + constant) * normal + difference
    assert current.dtype == dtype
    np.testing.assert_array_equal(current, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [0.0, 0.125, 0.3])
def test_readings_stay_inside_the_range_and_on_its_steps(dtype: Any, step: float) -> None:
    values = np.concatenate([np.linspace(-2.0, 2.0, 101), [np.nan, -np.inf, np.inf]]).astype(dtype)
    held = np.empty_like(values)
    low, high, size = dtype(-1.0), dtype(0.8), dtype(step)
    beyond = quantise(values, low, high, size, held)
    clipped = np.clip(values, low, high)
    assert beyond == np.count_nonzero(clipped != values)
    expected = np.rint((clipped - low) / size) * size + low if step else clipped
    np.testing.assert_array_equal(held, expected)

"""Kernels of receivers against the same arithmetic in numpy, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.receivers import add_noise, quantise, read_rows


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("across", [1, 3])
@pytest.mark.parametrize("gated", [True, False])
def test_rows_are_read_as_by_one_part_after_the_other(dtype: Any, across: int, *, gated: bool) -> None:
    rng = np.random.default_rng(0)
    down, batch, rows = 2, 5, 7
    current = rng.standard_normal((down, across, batch, rows)).astype(dtype)
    current[0, 0, 0, 0] = np.nan
    gains = rng.random((batch, down * rows if gated else 0)).astype(dtype)
    stages = np.array([[2.0, -3.0, 2.5, 0.0], [0.7, -1.0, 0.8, 0.125]], dtype)
    unit, beyond = dtype(1.4), 0
    expected = current.copy()
    if gated:
        expected *= gains.reshape(batch, down, 1, rows).transpose(1, 2, 0, 3)
    for gain, low, high, step in stages:
        expected *= gain
        held = np.empty_like(expected)
        beyond += quantise(expected.reshape(-1), low, high, step, held.reshape(-1))
        expected = held
    expected = (expected / unit).sum(axis=1).transpose(1, 0, 2).reshape(batch, down * rows)
    out = np.zeros((batch, down * rows), dtype)
    assert read_rows(current, gains, stages, unit, out) == beyond > 0
    np.testing.assert_array_equal(out, expected)

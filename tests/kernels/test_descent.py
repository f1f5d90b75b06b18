"""The optimisers' kernels against the same steps in whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.descent import adam, sgd

RNG = np.random.default_rng(41)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sgd_is_its_recursion(dtype: Any) -> None:
    value, velocity, gradient = RNG.normal(size=(3, 17)).astype(dtype)
    speed = 0.9 * velocity + gradient + 0.01 * value
    wanted = value - 0.1 * speed
    sgd(value, velocity, gradient, np.array([0.1, 0.9, 0.01], dtype))
    np.testing.assert_allclose(velocity, speed, rtol=20 * np.finfo(dtype).eps)
    np.testing.assert_allclose(value, wanted, rtol=20 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
    assert value.dtype == velocity.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adam_is_its_recursion(dtype: Any) -> None:
    value, mean, gradient = RNG.normal(size=(3, 17)).astype(dtype)
    square = RNG.uniform(0.1, 1.0, 17).astype(dtype)
    slope = gradient + 0.01 * value
    first = mean + 0.1 * (slope - mean)
    second = square + 0.001 * (slope**2 - square)
    wanted = value - 0.05 * first / (np.sqrt(second) + 1e-3)
    adam(value, mean, square, gradient, np.array([0.05, 0.1, 0.001, 1e-3, 0.01], dtype))
    few = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(mean, first, rtol=few, atol=few)
    np.testing.assert_allclose(square, second, rtol=few)
    np.testing.assert_allclose(value, wanted, rtol=few, atol=few)
    assert value.dtype == mean.dtype == square.dtype == dtype

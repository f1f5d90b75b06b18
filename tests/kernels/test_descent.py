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
    smallest = np.finfo(dtype).smallest_normal
    speed = 0.9 * velocity + gradient + 0.01 * value
    wanted = value - 0.1 * speed
    sgd(value, velocity, gradient, np.array([0.1, 0.9, 0.01, smallest], dtype))
    np.testing.assert_allclose(velocity, speed, rtol=20 * np.finfo(dtype).eps)
    np.testing.assert_allclose(value, wanted, rtol=20 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
    assert value.dtype == velocity.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adam_is_its_recursion(dtype: Any) -> None:
    value, mean, gradient = RNG.normal(size=(3, 17)).astype(dtype)
    square = RNG.uniform(0.1, 1.0, 17).astype(dtype)
    smallest = np.finfo(dtype).smallest_normal
    slope = gradient + 0.01 * value
    first = mean + 0.1 * (slope - mean)
    second = square + 0.001 * (slope**2 - square)
    wanted = value - 0.05 * first / (np.sqrt(second) + 1e-3)
    adam(value, mean, square, gradient, np.array([0.05, 0.1, 0.001, 1e-3, 0.01, smallest], dtype))
    few = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(mean, first, rtol=few, atol=few)
    np.testing.assert_allclose(square, second, rtol=few)
    np.testing.assert_allclose(value, wanted, rtol=few, atol=few)
    assert value.dtype == mean.dtype == square.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_speeds_decay_to_zero_and_not_to_subnormal_numbers(dtype: Any) -> None:
    # Rounding holds 0.9 times a few of the smallest numbers where they are: they would stay for ever.
    smallest = np.finfo(dtype).smallest_normal
    first = np.array([0.5 * smallest, 2.0 * smallest, -1.2 * smallest, 0.0, np.nan], dtype)
    wanted = np.array([0.0, 0.9 * dtype(2.0 * smallest), -0.9 * dtype(1.2 * smallest), 0.0, np.nan], dtype)
    value, none = np.ones((2, 5), dtype)
    none[:] = 0.0
    for step in (_sgd_alone, _adam_alone):
        speed = first.copy()
        step(value.copy(), speed, none, smallest)
        np.testing.assert_allclose(speed, wanted, rtol=4 * np.finfo(dtype).eps, atol=0.0)
        for _ in range(40):
            step(value.copy(), speed, none, smallest)
        assert not speed[:4].any()


def _sgd_alone(value: Any, speed: Any, gradient: Any, smallest: Any) -> None:
    sgd(value, speed, gradient, np.array([0.1, 0.9, 0.0, smallest], value.dtype))


def _adam_alone(value: Any, speed: Any, gradient: Any, smallest: Any) -> None:
    numbers = np.array([0.1, 0.1, 0.001, 1e-8, 0.0, smallest], value.dtype)
    adam(value, speed, np.ones_like(value), gradient, numbers)

"""Kernels of optimisers: one in-place pass over parameters, gradients and moments."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def sgd(value: Any, velocity: Any, gradient: Any, numbers: Any) -> None:
    """Take one parameter's step in place; flat arrays of one type. numbers: rate, momentum, decay."""
    rate, momentum, decay = numbers[0], numbers[1], numbers[2]
    for k in range(value.size):
        velocity[k] = momentum * velocity[k] + gradient[k] + decay * value[k]
        value[k] -= rate * velocity[k]


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def adam(value: Any, mean: Any, square: Any, gradient: Any, numbers: Any) -> None:
    """Take one parameter's step in place; numbers: rate, shares of the new in both moments, floor, decay."""
    rate, first, second, floor, decay = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    for k in range(value.size):
        slope = gradient[k] + decay * value[k]
        mean[k] += first * (slope - mean[k])
        square[k] += second * (slope * slope - square[k])
        value[k] -= rate * mean[k] / (square[k] ** 0.5 + floor)

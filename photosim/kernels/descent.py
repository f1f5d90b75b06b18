"""Kernels of optimisers: one in-place pass over parameters, gradients and moments."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def sgd(value: Any, velocity: Any, gradient: Any, numbers: Any) -> None:
    """Take one parameter's step in place; flat arrays of one type. numbers: rate, momentum, decay, smallest.

    A velocity below the smallest normal number is 0: that of a unit which no longer learns decays to
    subnormal numbers, for which processors need many times longer, and stays there by rounding.
    """
    rate, momentum, decay, smallest = numbers[0], numbers[1], numbers[2], numbers[3]
    none = smallest - smallest
    for k in range(value.size):
        speed = momentum * velocity[k] + gradient[k] + decay * value[k]
        if abs(speed) < smallest:
            speed = none
        velocity[k] = speed
        value[k] -= rate * speed


@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)
def adam(value: Any, mean: Any, square: Any, gradient: Any, numbers: Any) -> None:
    """Take one parameter's step in place. A mean below the smallest normal number is 0, as velocities of sgd.

    numbers: rate, shares of the new in both moments, floor, decay, smallest.
    """
    rate, first, second, floor, decay = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    smallest = numbers[5]
    none = smallest - smallest
    for k in range(value.size):
        slope = gradient[k] + decay * value[k]
        moved = mean[k] + first * (slope - mean[k])
        if abs(moved) < smallest:
            moved = none
        mean[k] = moved
        square[k] += second * (slope * slope - square[k])
        value[k] -= rate * moved / (square[k] ** 0.5 + floor)

"""Chaotic series: conservation and balance laws, orders of accuracy, known exponents."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from photosim.errors import ParameterError
from photosim.training.data.dynamics import kuramoto_sivashinsky, lorenz63

FloatArray = NDArray[np.float64]
LENGTH = 22.0


def flame(seed: int = 0, points: int = 64) -> FloatArray:
    """A state on the attractor."""
    start = 0.6 * np.random.default_rng(seed).uniform(-1.0, 1.0, points)
    return np.asarray(kuramoto_sivashinsky(1, start)[0])


def gain_of_energy(u: FloatArray) -> FloatArray:
    """The integral of u_x^2 - u_xx^2 over the ring: what changes the integral of u^2 / 2."""
    points = u.shape[-1]
    k = 2.0 * np.pi / LENGTH * np.arange(points // 2 + 1)
    power = np.abs(np.fft.rfft(u) / points) ** 2
    power[..., 1:-1] *= 2.0
    return np.asarray(LENGTH * np.sum((k**2 - k**4) * power, axis=-1))


def test_the_flame_keeps_its_energy_balance() -> None:
    """Multiply the equation by u and integrate: the nonlinear part is gone, whatever the state."""
    step, steps = 0.0125, 801
    u = kuramoto_sivashinsky(steps, flame(), step=step, transient=0)
    energy = 0.5 * LENGTH * np.mean(u**2, axis=1)
    rates = gain_of_energy(u)
    # Simpson's rule over 10 units of time, whose own error is of order step^4.
    gained = step / 3.0 * (rates[0] + rates[-1] + 4.0 * rates[1:-1:2].sum() + 2.0 * rates[2:-1:2].sum())
    assert np.ptp(energy) > 1.0  # there is something to balance
    assert abs(energy[-1] - energy[0] - gained) < 1e-6 * np.max(energy)


def test_the_flame_keeps_its_mean() -> None:
    u = kuramoto_sivashinsky(200, flame() + 0.1, transient=0)
    np.testing.assert_allclose(u.mean(axis=1), u[0].mean(), atol=1e-12)


def test_steps_of_the_flame_are_of_fourth_order() -> None:
    """Short steps only: longer than the decay of the highest waves, the order falls towards 3."""
    ends = [kuramoto_sivashinsky(n + 1, flame(), step=2.0 / n, transient=0)[-1] for n in (160, 320, 1280)]
    coarse, fine = (np.abs(end - ends[2]).max() for end in ends[:2])
    assert coarse / fine == pytest.approx(16.0, rel=0.2)


def test_small_flames_grow_and_fade_as_the_linear_rates_say() -> None:
    x = LENGTH * np.arange(64) / 64
    for wave in (1, 2, 4, 6):
        k = 2.0 * np.pi * wave / LENGTH
        u = kuramoto_sivashinsky(9, 1e-7 * np.cos(k * x), transient=0)
        np.testing.assert_allclose(u[8], np.exp(2.0 * (k**2 - k**4)) * u[0], atol=1e-6 * 1e-7)


def test_several_flames_are_one_call() -> None:
    starts = np.array([flame(1), flame(2)])
    both = kuramoto_sivashinsky(20, starts, transient=5)
    np.testing.assert_array_equal(both[:, 1], kuramoto_sivashinsky(20, starts[1], transient=5))


def test_the_flame_is_chaotic_with_the_known_exponent() -> None:
    """0.043 at this length (wang2025); over 5000 units of time one estimate spreads by some 0.01."""
    u = flame(3)
    other = u + 1e-8 * np.random.default_rng(0).standard_normal(64)
    growth = []
    for _ in range(250):
        pair = kuramoto_sivashinsky(81, np.array([u, other]), transient=0)[-1]
        apart = np.linalg.norm(pair[1] - pair[0])
        growth.append(np.log(apart / 1e-8) / 20.0)
        u, other = pair[0], pair[0] + (pair[1] - pair[0]) * 1e-8 / apart
    assert 0.02 < np.mean(growth[10:]) < 0.07


def test_lorenz_contracts_at_its_constant_rate_and_fixed_points_stay() -> None:
    root = float(np.sqrt(8.0 / 3.0 * 27.0))
    still = lorenz63(41, start=(root, root, 27.0))
    np.testing.assert_allclose(still, [[root, root, 27.0]] * 41, atol=1e-6)
    # div = -(sigma + 1 + beta): a small volume shrinks by exp(-13.667 t) wherever it is.
    start, size, time = np.array([-0.8032, -0.18, 19.4488]), 1e-4, 0.3
    ends = [
        lorenz63(2, step=time, start=tuple(start + size * edge))[-1]
        for edge in np.vstack([np.zeros(3), np.eye(3)])
    ]
    volume = np.linalg.det((np.array(ends[1:]) - ends[0]) / size)
    assert volume == pytest.approx(np.exp(-(10.0 + 1.0 + 8.0 / 3.0) * time), rel=1e-2)


def test_odd_rings_are_refused() -> None:
    with pytest.raises(ParameterError, match="even number of points, 4 or more, got 63"):
        kuramoto_sivashinsky(5, np.zeros(63))

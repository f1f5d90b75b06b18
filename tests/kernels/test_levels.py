"""Polynomials by intervals, and the roughness of waves, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.levels import piecewise
from photosim.kernels.waves import powers, roughness


def test_polynomials_by_intervals_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    coefficients = rng.normal(size=(5, 3, 8))
    values = rng.uniform(-1.0, 4.0, 200)  # an interval each
    values[:2] = -1.0, 4.0
    out = np.empty((200, 3))
    piecewise(values, -1.0, 1.0, coefficients, out)
    for value, found in zip(values, out, strict=True):
        interval = min(int(value + 1), 4)
        place = 2 * (value + 1 - interval) - 1
        expected = [np.polyval(coefficients[interval, c], place) for c in range(3)]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("samples", [1, 15, 1024, 5000])
def test_power_is_the_squared_modulus_bit_for_bit(samples: int) -> None:
    rng = np.random.default_rng(samples)
    wave = rng.normal(size=samples) + 1j * rng.normal(size=samples)
    out = np.empty(samples)
    powers(wave.view(np.float64).reshape(-1, 2), out)
    np.testing.assert_array_equal(out, wave.real**2 + wave.imag**2)


def told(wave: Any, first: int, last: int) -> Any:
    found = np.zeros(4)
    roughness(np.ascontiguousarray(wave, np.complex128).view(np.float64), first, last, found)
    return found


@pytest.mark.parametrize("samples", [500, 4000])
def test_a_line_of_seventh_order_is_smooth_and_a_kink_is_not(samples: int) -> None:
    t = np.linspace(-1, 1, samples)
    wave = t**7 - 2j * t**3 + 0.5
    found = told(wave, 0, samples)
    assert found[0] < 1e-26
    assert found[1] == 0.0
    np.testing.assert_allclose(found[2:], [np.max(np.abs(wave) ** 2), np.sum(np.abs(wave) ** 2)])
    for at in (7, samples // 2, samples - 8):
        kinked = wave + 0.1j * (np.arange(samples) == at)
        assert np.isclose(told(kinked, 0, samples)[0], 0.01)
        for first, last in ((0, at - 7), (at + 8, samples)):  # the kink shows in fifteen samples
            found = told(kinked, first, last)
            assert found[0] < 1e-26
            assert found[1] > 0.01


def test_a_tone_at_a_quarter_of_the_clock_is_as_rough_as_it_is_large() -> None:
    for part, rough in ((0.25, 1.0), (0.5, 4.0)):
        found = told(3.0 * np.exp(2j * np.pi * part * np.arange(200)), 0, 200)
        np.testing.assert_allclose(found[0], 9.0 * rough)

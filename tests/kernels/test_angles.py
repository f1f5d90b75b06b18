"""Sine, cosine and sinc of the written kernels, and their constants, against thirty digits."""

from __future__ import annotations

import re
from pathlib import Path

import mpmath
import numpy as np
import pytest
from numba import njit

from photosim.kernels import angles
from photosim.kernels.angles import sin_cos, sinc

QUARTER = 1.5707963267948966


@njit(error_model="numpy")
def inlined(x: float) -> tuple[float, float]:
    """Call `sin_cos` as the written kernels do."""
    sine, cosine = sin_cos(x)
    return sine, cosine


def test_constants_are_half_pi_in_parts_and_the_taylor_series() -> None:
    text = Path(angles.__file__).read_text(encoding="utf-8")
    numbers = {float(number) for number in re.findall(r"-?\d[\d.]*(?:e-?\d+)?", text)}
    with mpmath.workprec(300):
        rest = mpmath.pi / 2
        for _ in range(3):  # heads of 27 bits, so that a product with the number of quarter turns is exact
            scale = mpmath.mpf(2) ** (26 - int(mpmath.floor(mpmath.log(abs(rest), 2))))
            head = mpmath.floor(rest * scale) / scale
            assert float(head) in numbers
            rest -= head
        assert float(rest) in numbers
        assert float(2 / mpmath.pi) in numbers
        for k in range(1, 9):
            assert float((-1) ** k / mpmath.factorial(2 * k + 1)) in numbers
        for k in range(2, 10):
            assert float((-1) ** k / mpmath.factorial(2 * k)) in numbers


def test_sine_and_cosine_keep_all_digits_in_every_quarter() -> None:
    rng = np.random.default_rng(0)
    angles = [
        *rng.uniform(-10.0, 10.0, 200),
        *rng.uniform(-1e6, 1e6, 50),
        *(k * QUARTER for k in range(-5, 6)),
    ]
    with mpmath.workdps(30):
        for x in map(float, angles):
            assert sin_cos(x) == pytest.approx(
                (float(mpmath.sin(x)), float(mpmath.cos(x))), rel=0, abs=2.3e-16
            )
            assert inlined(x) == sin_cos(x)


def test_an_angle_without_digits_is_no_number() -> None:
    assert np.isnan(sin_cos(1e13)).all()


@pytest.mark.parametrize("x", [0.0, 1e-9, 9.9e-4, 1.1e-3, 0.5, -3.0])
def test_sinc_is_whole_through_zero(x: float) -> None:
    with mpmath.workdps(30):
        assert sinc(x) == pytest.approx(float(mpmath.sincpi(x / mpmath.pi)), rel=1e-15)

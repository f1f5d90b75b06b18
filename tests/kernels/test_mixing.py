"""Kernels of drawn chips against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.kernels.mixing import COUPLE_REACH, couple, mix


def test_mix_is_a_product() -> None:
    stream = np.random.default_rng(1)
    matrix, z, out = stream.standard_normal((5, 3)), stream.standard_normal((3, 40)), np.empty((5, 40))
    matrix[1] = 0.0
    mix(z, matrix, out)
    assert np.allclose(out, matrix @ z, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("angle", [0.0, 0.1, 0.785, 1.57, 3.0, 7.0])
def test_couple_is_the_square_of_a_sine(angle: float) -> None:
    errors = np.linspace(-COUPLE_REACH, COUPLE_REACH, 2001) / 9.06
    out = np.empty_like(errors)
    couple(angle, 9.06, errors, out)
    assert np.allclose(out, np.sin(angle * np.exp(-9.06 * errors)) ** 2, rtol=0.0, atol=1e-10)
    assert out.min() >= 0.0
    assert out.max() <= 1.0

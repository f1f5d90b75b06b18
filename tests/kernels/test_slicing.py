"""Powers behind the filters of a slicer: against the square of the whole field, in both precisions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.slicing import detected


@pytest.mark.parametrize(("kind", "bound"), [(np.complex64, 1e-6), (np.complex128, 1e-15)])
def test_powers_are_those_of_the_whole_field(kind: Any, bound: float) -> None:
    rng = np.random.default_rng(0)
    light: Any = (rng.normal(size=(3, 20)) + 1j * rng.normal(size=(3, 20))).astype(kind)
    rest: Any = (rng.normal(size=3) + 1j * rng.normal(size=3)).astype(kind)
    real = light.real.dtype
    out, still = np.full((3, 30), 7.0, real), np.empty(3, real)
    detected(light, rest, 12, 5, out, still)
    wanted = np.abs(light.astype(complex) + rest[:, np.newaxis].astype(complex)) ** 2
    scale = wanted.max()
    np.testing.assert_allclose(still, wanted[:, 0], atol=4 * bound * scale)
    np.testing.assert_allclose(out[:, 5:17], (wanted - wanted[:, :1])[:, :12], atol=4 * bound * scale)
    assert (out[:, :5] == 7.0).all()  # before and behind nothing is written
    assert (out[:, 17:] == 7.0).all()

"""Media of entries +-1 +-i: blocks, products and adjoints agree, and the statistics are those stated."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.media.signs import SignMedium


def test_products_adjoints_and_blocks_are_those_of_one_matrix() -> None:
    medium = SignMedium(70, 45, seed=4, transmission=0.3)
    whole = medium.block()
    rows, columns = [69, 0, 33, 31], [44, 2]
    assert np.array_equal(medium.block(rows, columns), whole[np.ix_(rows, columns)])
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((3, n)) + 1j * rng.standard_normal((3, n)) for n in (45, 70))
    np.testing.assert_allclose(medium.project(x), x @ whole.T, atol=1e-5)
    np.testing.assert_allclose(medium.adjoint(y), y @ whole.conj(), atol=1e-5)
    np.testing.assert_allclose(np.abs(whole) ** 2, 0.3 / 70, rtol=1e-6)
    assert not np.array_equal(whole, SignMedium(70, 45, seed=5, transmission=0.3).block())


@pytest.mark.parametrize("lit", [1, 2, 5, 50])
def test_the_contrast_of_few_lit_pixels_is_the_one_stated(lit: int) -> None:
    outputs = 200_000
    x = np.zeros(60)
    x[:lit] = 1
    power = np.abs(SignMedium(outputs, 60, seed=1).project(x)) ** 2
    assert power.mean() * outputs == pytest.approx(lit, rel=0.02)
    assert power.std() / power.mean() == pytest.approx(np.sqrt(1 - 1 / lit), abs=0.01)


def test_real_and_imaginary_signs_are_balanced_and_independent() -> None:
    signs = SignMedium(512, 512, seed=2).block() * np.sqrt(2 * 512)
    four = np.stack([signs.real, signs.imag])
    assert np.abs(four.mean(axis=(1, 2))).max() < 0.01
    assert abs((four[0] * four[1]).mean()) < 0.01
    cross = signs.conj().T @ signs / 512
    np.fill_diagonal(cross, 0)
    assert np.abs(cross).max() < 2 * 6 / np.sqrt(512)

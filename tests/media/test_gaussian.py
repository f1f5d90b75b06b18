"""Gaussian media: what all of them share, and the laws of their entries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.media.gaussian import StoredMedium
from photosim.media.medium import Medium

RNG = np.random.default_rng


@pytest.fixture(params=["complex64", "complex128"])
def medium(request: pytest.FixtureRequest) -> Medium:
    return StoredMedium(50, 30, seed=1, dtype=np.dtype(request.param))


def tolerance(medium: Medium) -> float:
    """Relative rounding of sums of some thirty terms."""
    return 20 * float(np.finfo(medium.dtype).eps)


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32", "float64", "complex64", "complex128"])
def test_projection_is_the_product_with_the_whole_matrix(medium: Medium, kind: str) -> None:
    x: Any = RNG(0).integers(0, 2, (4, 30)).astype(kind)
    if np.iscomplexobj(x):
        x = x * np.exp(1j * RNG(1).uniform(0, 6, x.shape)).astype(kind)
    out = medium.project(x)
    assert out.dtype == medium.dtype
    np.testing.assert_allclose(out, x @ medium.block().T, atol=tolerance(medium))
    np.testing.assert_array_equal(medium.project(x[0]).shape, (50,))


def test_adjoint_and_linear_operator_agree_with_the_matrix(medium: Medium) -> None:
    matrix, operator = medium.block(), medium.as_linear_operator()
    y = RNG(2).standard_normal((3, 50)) + 1j * RNG(3).standard_normal((3, 50))
    np.testing.assert_allclose(medium.adjoint(y), y @ matrix.conj(), atol=10 * tolerance(medium))
    np.testing.assert_allclose(operator.rmatmat(y.T), matrix.conj().T @ y.T, atol=10 * tolerance(medium))
    x = RNG(4).standard_normal(30)
    np.testing.assert_allclose(operator @ x, matrix @ x, atol=10 * tolerance(medium))
    assert operator.shape == medium.shape == matrix.shape


def test_blocks_are_parts_of_the_whole(medium: Medium) -> None:
    whole = medium.block()
    np.testing.assert_array_equal(medium.block(slice(3, 9), [4, 1]), whole[3:9][:, [4, 1]])
    np.testing.assert_array_equal(medium.rows([7]), whole[[7]])


def test_the_seed_is_the_medium() -> None:
    first, again, other = (StoredMedium(20, 10, seed=s).block() for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_a_measured_matrix_is_a_medium() -> None:
    matrix = RNG(0).standard_normal((4, 3)) + 1j
    medium = StoredMedium.of(matrix)
    np.testing.assert_array_equal(medium.block(), matrix)
    np.testing.assert_allclose(medium.project(np.eye(3)), matrix.T)


def test_wrong_sizes_and_numbers_are_refused(medium: Medium) -> None:
    with pytest.raises(ParameterError, match=r"shape \(batch, 30\) or \(30,\), got \(4, 31\)"):
        medium.project(np.ones((4, 31)))
    with pytest.raises(ParameterError, match="rows 0 to 49, so there is no 50"):
        medium.rows([3, 50])
    with pytest.raises(ParameterError, match="columns of a block are a slice or a list of whole numbers"):
        medium.block(slice(None), np.array([0.5]))
    with pytest.raises(ParameterError, match="'complex64' or 'complex128', got 'float32'"):
        StoredMedium(3, 3, dtype=np.dtype("float32"))
    with pytest.raises(ParameterError, match="whole number of inputs, 1 or more, got 0"):
        StoredMedium(3, 0)

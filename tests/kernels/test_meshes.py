"""The mesh kernels against dense products of whole matrices, block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from photosim.components.mesh_places import PLACES
from photosim.kernels.meshes import (
    columns_of,
    send_through,
    send_through_many,
    take_apart_clements,
    take_apart_many,
    take_apart_reck,
)

ComplexArray = NDArray[np.complex128]

N = 6
COUNT = N * (N - 1) // 2
RNG = np.random.default_rng(3)
TAKE_APART = {"clements": take_apart_clements, "reck": take_apart_reck}


def block(theta: float, phi: float) -> ComplexArray:
    """Shifters and couplers of 3 dB, multiplied out."""
    coupler = np.array([[1.0, 1.0j], [1.0j, 1.0]]) / np.sqrt(2.0)
    outer, inner = np.diag([np.exp(1j * phi), 1.0]), np.diag([np.exp(1j * theta), 1.0])
    return np.asarray(coupler @ inner @ coupler @ outer)


def whole(small: ComplexArray, m: int) -> ComplexArray:
    """A block on guides m and m + 1 of N."""
    large = np.eye(N, dtype=np.complex128)
    large[m : m + 2, m : m + 2] = small
    return large


def unitary() -> ComplexArray:
    return np.asarray(np.linalg.qr(RNG.standard_normal((N, N)) + 1j * RNG.standard_normal((N, N)))[0])


def taken_apart(take_apart: Callable[..., Any], u: ComplexArray) -> tuple[NDArray[np.int64], Any, Any, Any]:
    modes, theta, phi, end = np.empty(COUNT, np.int64), np.empty(COUNT), np.empty(COUNT), np.empty(N)
    take_apart(u.copy(), modes, theta, phi, end)
    return modes, theta, phi, end


@pytest.mark.parametrize("name", TAKE_APART)
def test_blocks_multiply_back_to_the_unitary(name: str) -> None:
    u = unitary()
    modes, theta, phi, end = taken_apart(TAKE_APART[name], u)
    product = np.eye(N, dtype=np.complex128)
    for m, t, p in zip(modes, theta, phi, strict=True):
        product = whole(block(t, p), m) @ product
    np.testing.assert_allclose(np.exp(1j * end)[:, np.newaxis] * product, u, atol=1e-14)


@pytest.mark.parametrize("name", TAKE_APART)
def test_zeros_need_no_block_and_make_no_nan(name: str) -> None:
    u = np.diag(np.exp(1j * np.arange(N))).astype(np.complex128)
    _, theta, phi, end = taken_apart(TAKE_APART[name], u)
    np.testing.assert_array_equal(theta, np.pi)
    assert np.isfinite([*phi, *end]).all()


@pytest.mark.parametrize("name", TAKE_APART)
def test_blocks_fit_the_places_of_their_arrangement(name: str) -> None:
    modes, *_ = taken_apart(TAKE_APART[name], unitary())
    columns = np.empty(COUNT, np.int64)
    columns_of(modes, np.zeros(N, np.int64), columns)
    found = sorted(zip(columns.tolist(), modes.tolist(), strict=True))
    assert found == sorted(PLACES[name](N))


def test_fields_go_through_blocks_of_any_kind_one_by_one() -> None:
    pairs = np.array([RNG.permutation(N)[:2] for _ in range(9)])
    blocks = RNG.standard_normal((9, 2, 2)) + 1j * RNG.standard_normal((9, 2, 2))
    fields = RNG.standard_normal((N, 4)) + 1j * RNG.standard_normal((N, 4))
    expected = fields
    for pair, small in zip(pairs, blocks, strict=True):
        large = np.eye(N, dtype=np.complex128)
        large[np.ix_(pair, pair)] = small
        expected = large @ expected
    send_through(blocks, pairs, fields)
    np.testing.assert_allclose(fields, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("name", TAKE_APART)
def test_many_meshes_are_each_alone(name: str) -> None:
    units = np.array([unitary(), unitary(), np.eye(N)])
    modes, end = np.empty(COUNT, np.int64), np.empty((3, N))
    theta, phi = np.empty((3, COUNT)), np.empty((3, COUNT))
    take_apart_many(units.copy(), name == "reck", modes, theta, phi, end)
    fields = np.broadcast_to(np.eye(N, dtype=np.complex128), (3, N, N)).copy()
    blocks = np.array(
        [[block(t, p) for t, p in zip(*own, strict=True)] for own in zip(theta, phi, strict=True)]
    )
    send_through_many(blocks, np.stack([modes, modes + 1], axis=-1), fields)
    np.testing.assert_allclose(np.exp(1j * end)[:, :, np.newaxis] * fields, units, atol=1e-14)
    for mesh in range(3):
        for found, wanted in zip(
            (modes, theta[mesh], phi[mesh], end[mesh]),
            taken_apart(TAKE_APART[name], units[mesh]),
            strict=True,
        ):
            np.testing.assert_array_equal(found, wanted)

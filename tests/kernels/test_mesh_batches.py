"""Kernels of batches against whole matrices, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from photosim.kernels.mesh_batches import (
    ROW_BYTES,
    add_rows,
    back_few,
    drop_tiny,
    fill_entries,
    find_dark,
    load_slice,
    segment_back,
    segment_forth,
    segment_read,
    send_batch,
    send_few,
    store_slice,
    turn_round,
)

ComplexArray = NDArray[np.complex128]

G = 5
PAIRS = np.array([[0, 1], [3, 4], [1, 3], [0, 2]], dtype=np.uint64)  # neighbours or not
K = len(PAIRS)
LANES = ROW_BYTES // 8
RNG = np.random.default_rng(9)
ANGLES = RNG.uniform(-3.0, 3.0, 2 * K + G)
PARTS = RNG.uniform(0.4, 1.0, (K, 7))  # no coupler has such amplitudes; the algebra does not ask
PASSED = RNG.uniform(0.5, 1.0, G)


def made() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    entries, ends = np.empty((K, 14)), np.empty((G, 2))
    fill_entries(np.cos(ANGLES), np.sin(ANGLES), PARTS, PASSED, entries, ends)
    return entries, ends


def real(z: ComplexArray) -> NDArray[np.float64]:
    return np.stack([z.real, z.imag], axis=-1)


def whole(angles: NDArray[np.float64]) -> ComplexArray:
    """Shifters and couplers multiplied out."""
    product = np.eye(G, dtype=complex)
    for k, (a, b) in enumerate(PAIRS.astype(int)):
        ts, ks, tj, kj, both, inner, outer = PARTS[k]
        small = (
            both
            * np.array([[tj, 1j * kj], [1j * kj, tj]])
            @ np.diag([inner * np.exp(1j * angles[k]), 1.0])
            @ np.array([[ts, 1j * ks], [1j * ks, ts]])
            @ np.diag([outer * np.exp(1j * angles[K + k]), 1.0])
        )
        large = np.eye(G, dtype=complex)
        large[np.ix_([a, b], [a, b])] = small
        product = large @ product
    return np.asarray((PASSED * np.exp(1j * angles[2 * K :]))[:, np.newaxis] * product)


@pytest.mark.parametrize("batch", [1, LANES, LANES + 3])
def test_a_batch_meets_every_block_in_turn(batch: int) -> None:
    entries, ends = made()
    x = RNG.standard_normal((batch, G)) + 1j * RNG.standard_normal((batch, G))
    y = np.empty((batch, G, 2))
    send_batch(entries, PAIRS, ends, real(x), y)
    np.testing.assert_allclose(y[..., 0] + 1j * y[..., 1], x @ whole(ANGLES).T, atol=1e-13)


def test_blocks_without_light_are_passed_by_until_light_comes() -> None:
    lit, dark = np.array([False, False, True, False, False]), np.empty(K, np.bool_)
    find_dark(PAIRS, lit, dark)
    np.testing.assert_array_equal(dark, [True, True, True, False])
    np.testing.assert_array_equal(lit, [True, False, True, False, False])


@pytest.mark.parametrize("dark_guides", [0, 3])
def test_the_way_back_gives_the_gradient_and_the_cotangent_of_the_inputs(dark_guides: int) -> None:
    entries, ends = made()
    x = RNG.standard_normal((3, G)) + 1j * RNG.standard_normal((3, G))
    x[:, :dark_guides] = 0.0
    cotangent = RNG.standard_normal((3, G)) + 1j * RNG.standard_normal((3, G))
    fields, work = np.empty((2, 2 * G * LANES))
    lit, dark = np.empty(G, np.bool_), np.empty(K, np.bool_)
    kept, rows, totals = np.empty(4 * K * LANES), np.empty((K, 2 * LANES)), np.zeros(2 * K + G)
    load_slice(real(x), 0, fields, lit)
    find_dark(PAIRS, lit, dark)
    assert dark.sum() == (2 if dark_guides else 0)
    segment_forth(fields, entries, PAIRS, dark, kept)
    turn_round(fields, work, ends, 0, real(cotangent), totals[2 * K :])
    segment_back(work, entries, PAIRS, dark, kept, rows)
    add_rows(rows, totals)

    def loss(angles: Any) -> float:
        return float(np.real(np.vdot(cotangent, x @ whole(angles).T)))

    found = np.concatenate([totals[: 2 * K : 2], totals[1 : 2 * K : 2], totals[2 * K :]])
    for k, step in enumerate(1e-6 * np.eye(2 * K + G)):
        slope = (loss(ANGLES + step) - loss(ANGLES - step)) / 2e-6
        assert found[k] == pytest.approx(slope, abs=1e-8)
    if not dark_guides:
        back, plain = np.empty((3, G, 2)), np.zeros((G, 2))
        plain[:, 0] = 1.0
        store_slice(work, plain, 0, back)
        expected = cotangent @ whole(ANGLES).conj()
        np.testing.assert_allclose(back[..., 0] + 1j * back[..., 1], expected, atol=1e-13)


def test_powers_of_linear_forms_of_what_comes_into_every_block() -> None:
    entries, _ = made()
    x = RNG.standard_normal((3, G)) + 1j * RNG.standard_normal((3, G))
    forms, rows = RNG.standard_normal((K, 2, 4)), np.empty((K, 2 * LANES))
    work, lit = np.empty(2 * G * LANES), np.empty(G, np.bool_)
    load_slice(real(x), 0, work, lit)
    segment_read(work, entries, PAIRS, forms, rows)
    fields = x.copy()
    for k, (a, b) in enumerate(PAIRS.astype(int)):
        for side in range(2):
            f = forms[k, side]
            expected = np.abs((f[0] + 1j * f[1]) * fields[:, a] + (f[2] + 1j * f[3]) * fields[:, b]) ** 2
            np.testing.assert_allclose(rows[k, side * LANES : side * LANES + 3], expected, rtol=1e-12)
            assert not rows[k, side * LANES + 3 : (side + 1) * LANES].any()
        e = entries[k, :8:2] + 1j * entries[k, 1:8:2]
        fields[:, [a, b]] = fields[:, [a, b]] @ e.reshape(2, 2).T
    y, plain = np.empty((3, G, 2)), np.zeros((G, 2))
    plain[:, 0] = 1.0
    store_slice(work, plain, 0, y)
    np.testing.assert_allclose(y[..., 0] + 1j * y[..., 1], fields, atol=1e-13)


def test_few_samples_go_alone_and_give_the_same() -> None:
    entries, ends = made()
    x = RNG.standard_normal((2, G)) + 1j * RNG.standard_normal((2, G))
    cotangent = RNG.standard_normal((2, G)) + 1j * RNG.standard_normal((2, G))
    y, inputs, totals = np.empty((2, G, 2)), np.empty((2, G, 2)), np.zeros(2 * K + G)
    send_few(entries, PAIRS, ends, real(x), y)
    np.testing.assert_allclose(y[..., 0] + 1j * y[..., 1], x @ whole(ANGLES).T, atol=1e-13)
    back_few(entries, PAIRS, ends, real(x), real(cotangent), inputs, totals)
    expected = cotangent @ whole(ANGLES).conj()
    np.testing.assert_allclose(inputs[..., 0] + 1j * inputs[..., 1], expected, atol=1e-13)
    found = np.concatenate([totals[: 2 * K : 2], totals[1 : 2 * K : 2], totals[2 * K :]])
    for k, step in enumerate(1e-6 * np.eye(2 * K + G)):
        losses = [np.real(np.vdot(cotangent, x @ whole(a).T)) for a in (ANGLES + step, ANGLES - step)]
        assert found[k] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-8)


def test_only_numbers_below_the_least_are_dropped() -> None:
    x = np.array([[1e-30, -2e-30, 3e-30], [-0.0, np.nan, -np.inf]])
    drop_tiny(x, 2e-30)
    np.testing.assert_array_equal(x, [[0.0, -2e-30, 3e-30], [0.0, np.nan, -np.inf]])

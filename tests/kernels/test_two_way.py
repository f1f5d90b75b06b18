"""Sweeps against dense solves; run once compiled and once with the compiler off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.kernels.two_way import run_sweeps, run_sweeps_reverse

INPUTS, INNER, OUTPUTS = 11, 7, 3
WAVES = INPUTS + INNER + OUTPUTS
POINTS = 2


def system(size: float) -> tuple[Any, Any, Any, Any]:
    """Return a program, the same backwards, coefficients (1, terms, W) and K (W, to, from), drawn."""
    rng = np.random.default_rng(4)
    pairs = [
        (a, b) for b in range(INPUTS, WAVES) for a in range(INPUTS + INNER) if a != b and rng.uniform() < 0.6
    ]
    values = rng.normal(size=(POINTS, len(pairs))) + 1j * rng.normal(size=(POINTS, len(pairs)))
    later = np.array([a > b for a, b in pairs])
    values[:, later] *= size
    k = np.zeros((POINTS, WAVES, WAVES), dtype=complex)
    rows: list[tuple[int, int, int, int]] = []
    for b in range(INPUTS, WAVES):
        own = [n for n, pair in enumerate(pairs) if pair[1] == b]
        new = sum(pairs[n][0] < b for n in own)
        rows.append((b, own[0], own[0] + new, own[-1] + 1))
    for n, (a, b) in enumerate(pairs):
        k[:, b, a] = values[:, n]
    table = np.array(rows, dtype=np.int32)
    sources = np.array([a for a, _ in pairs], dtype=np.int32)
    program = (table[:INNER], sources, table[INNER:], np.arange(INPUTS, dtype=np.int32))
    back = sorted(
        (n for n, (a, _) in enumerate(pairs) if a >= INPUTS), key=lambda n: (-pairs[n][0], -pairs[n][1])
    )
    rows = []
    for a in range(INPUTS + INNER - 1, INPUTS - 1, -1):
        own = [at for at, n in enumerate(back) if pairs[n][0] == a]
        new = sum(pairs[back[at]][1] > a for at in own)
        rows.append((a, own[0], own[0] + new, own[-1] + 1))
    backwards = (
        np.array(rows, dtype=np.int32),
        np.array([pairs[n][1] for n in back], dtype=np.int32),
        np.array(back, dtype=np.int32),
        np.array(pairs, dtype=np.int32),
    )
    return program, backwards, np.ascontiguousarray(values.T)[np.newaxis], k


def elements() -> Any:
    """Return (input, output's wave, place, mirror's place) of all elements."""
    outputs = range(INPUTS + INNER, WAVES)
    rows = [(i, o, n * INPUTS + i, -1) for i in range(INPUTS) for n, o in enumerate(outputs)]
    return np.array(rows, dtype=np.int64)


def test_sweeps_solve_the_system() -> None:
    program, _, coefficients, k = system(1e-3)
    out = np.zeros((1, OUTPUTS * INPUTS, POINTS), dtype=complex)
    solved = np.zeros((1, POINTS), dtype=bool)
    run_sweeps(program, coefficients, elements(), out, solved, (50, 1e-12), (0, POINTS))
    assert solved.all()
    exact = np.linalg.inv(np.eye(WAVES) - k)[:, INPUTS + INNER :, :INPUTS]
    scale = np.abs(exact).max()
    assert np.abs(np.moveaxis(out[0], -1, 0).reshape(exact.shape) - exact).max() < 1e-12 * scale


def test_transposed_sweeps_give_the_derivative_by_every_coefficient() -> None:
    program, back, coefficients, k = system(1e-3)
    rng = np.random.default_rng(5)
    shape = (1, OUTPUTS * INPUTS, POINTS)
    cotangent = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    slopes = np.zeros_like(coefficients)
    solved = np.zeros((1, POINTS), dtype=bool)
    run_sweeps_reverse(
        (program, back), coefficients, elements(), cotangent, slopes, solved, (50, 1e-13), (0, POINTS)
    )
    assert solved.all()
    waves = np.linalg.inv(np.eye(WAVES) - k)
    for w in range(POINTS):
        given = cotangent[0, :, w].reshape(OUTPUTS, INPUTS)
        adjoint = waves[w, INPUTS + INNER :].conj().T @ given
        exact = adjoint @ waves[w, :, :INPUTS].conj().T
        own = np.array([exact[b, a] for a, b in back[3]])
        assert np.abs(slopes[0, :, w] - own).max() < 1e-12 * np.abs(own).max()


@pytest.mark.parametrize("size", [3.0, np.nan])
def test_what_does_not_settle_is_told(size: float) -> None:
    program, _, coefficients, _ = system(size)
    out = np.zeros((1, OUTPUTS * INPUTS, POINTS), dtype=complex)
    solved = np.ones((1, POINTS), dtype=bool)
    run_sweeps(program, coefficients, elements(), out, solved, (50, 1e-12), (0, POINTS))
    assert not solved.any()

"""Slab modes against a grid's eigenvalues; the field solve against slab modes and a line source's wave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh_tridiagonal
from scipy.special import hankel1

from photosim.analysis.field_solve import Absorber, solve_coupler, solve_field
from photosim.analysis.slabs import TwoSlabs
from photosim.errors import ParameterError

SLABS = TwoSlabs()
CELL = 0.25 / 6
"""The public simulation's cell in um."""


def grid_indices(slabs: TwoSlabs, count: int, step: float = 0.25 / 120) -> list[float]:
    """Return the largest effective indices of the cross-section from a fine grid's eigenvalues."""
    half = round((slabs.gap / 2 + slabs.width + 1.0) / step)
    y = step * (np.arange(2 * half) - half + 0.5)
    k0 = 2 * np.pi / slabs.wl
    diagonal = k0**2 * slabs.permittivity(y) - 2.0 / step**2
    beta2 = eigh_tridiagonal(
        diagonal, np.full(y.size - 1, step**-2), eigvals_only=True, select="i",
        select_range=(y.size - count, y.size - 1),
    )  # fmt: skip
    return list(np.sqrt(beta2[::-1]) / k0)


@pytest.mark.parametrize(
    "slabs",
    [SLABS, TwoSlabs(gap=0.1), TwoSlabs(width=0.5, gap=0.2, core=2.85, cladding=1.444, wl=1.55)],
    ids=["silicon", "close", "effective index"],
)
def test_supermodes_are_the_grids(slabs: TwoSlabs) -> None:
    # Second order: 2 nm cells leave 1e-5 of the indices, and 1e-3 of their difference.
    even, odd = slabs.supermodes()
    found = grid_indices(slabs, 2)
    np.testing.assert_allclose([even, odd], found, rtol=2e-5)
    assert even - odd == pytest.approx(found[0] - found[1], rel=2e-3)


def test_guides_far_apart_are_alone_and_couple_less_by_their_decay() -> None:
    far = replace(SLABS, gap=4.0)
    np.testing.assert_allclose(far.supermodes(), far.one(), rtol=1e-13)
    one, other = replace(SLABS, gap=0.4), replace(SLABS, gap=0.5)
    decay = 2 * np.pi / SLABS.wl * np.sqrt(SLABS.one() ** 2 - SLABS.cladding**2)
    # Perturbation theory, good to the square of the coupling.
    assert other.beat_length() / one.beat_length() == pytest.approx(np.exp(0.1 * decay), rel=1e-3)


def test_walls_may_cut_cells() -> None:
    y = 0.01 * (np.arange(200) - 99.5)
    cut = replace(SLABS, width=0.5037, gap=0.1513).permittivity(y)
    filled = np.sum((cut - 1.5**2) / (3.5**2 - 1.5**2)) * 0.01
    assert filled == pytest.approx(2 * 0.5037, rel=1e-12)


def test_a_line_source_makes_the_outgoing_wave() -> None:
    # (laplace + k^2) E = -i J has E = -H0(k r)/4 for a J of one unit, with exp(-i omega t).
    step, wl, index = 0.02, 1.5, 1.5
    size = 201
    source = np.zeros((size, size))
    source[100, 100] = 1.0 / step**2
    field = solve_field(np.full((size, size), index**2), source, wl, (step, step), Absorber(0.6))
    r = step * np.arange(20, 69)  # from 0.4 um to the absorber's edge
    wanted = -0.25 * hankel1(0, 2 * np.pi * index / wl * r)
    # 50 cells a wavelength: the phase runs off by (k step)^2/24 of itself, 1 % here.
    for found in (field[120:169, 100], field[100, 120:169], field[80:31:-1, 100]):
        np.testing.assert_allclose(found, wanted, atol=0.015 * np.abs(wanted[0]))


def test_the_solved_coupler_has_the_slabs_beat_length() -> None:
    found = solve_coupler(SLABS, 5.0)
    assert found.beat_length() == pytest.approx(SLABS.beat_length(), rel=0.02)
    # Nothing is lost on the way but what the source radiates, and nothing comes back from the rim.
    power = np.sum(np.abs(found.amplitudes) ** 2, axis=0)
    assert power.std() / power.mean() < 0.005
    # Light crosses as coupled modes say, at the end of the coupler and half-way.
    for place in (len(found.x) // 2, -1):
        angle = np.arcsin(np.sqrt(found.crossed()[place]))
        assert angle == pytest.approx(np.pi * found.x[place] / (2 * SLABS.beat_length()), rel=0.03)


def test_the_solve_converges_to_the_slabs_with_the_square_of_the_cells() -> None:
    coarse, fine = (solve_coupler(SLABS, 4.0, (step, step)).beat_length() for step in (CELL, CELL / 2))
    exact = SLABS.beat_length()
    assert 3.3 < (exact - coarse) / (exact - fine) < 4.5
    assert (4 * fine - coarse) / 3 == pytest.approx(exact, rel=0.005)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: TwoSlabs(width=0.0), "Width, gap and wavelength must be positive, got 0.0"),
        (
            lambda: TwoSlabs(core=1.4),
            "cladding's index must be positive and below the core's, got 1.5 and 1.4",
        ),
        (lambda: solve_coupler(SLABS, 300.0), "more than the 400,000"),
        (
            lambda: solve_field(np.ones((50, 200)), np.ones((50, 200)), 1.5, (0.02, 0.02)),
            r"50 x 200 cells leaves no room between absorbers of 0.75 um, which take 76 and 76",
        ),
    ],
)
def test_what_cannot_be_solved_is_refused(call: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        call()

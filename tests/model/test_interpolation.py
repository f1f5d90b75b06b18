"""The spline between the points of a table: against scipy, held-out points of real tables, derivatives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from photosim.files import read_table
from photosim.model.interpolation import Interpolant, delays

FREQUENCY = np.linspace(187e12, 200e12, 51)
REAL = ("ybranch_te1550.sparam", "bdc_te1550.sparam", "dc_halfring_gap100nm_radius10um.dat", "gc_te1550.txt")


def guide() -> Any:
    """S of 200 um of guide with a ripple, shape (51, 2, 2)."""
    s = np.zeros((FREQUENCY.size, 2, 2), dtype=complex)
    turn = np.exp(2j * np.pi * FREQUENCY * 2.8e-12)
    s[:, 0, 1] = s[:, 1, 0] = (0.8 + 0.1 * np.cos((FREQUENCY - 190e12) / 2e12)) * turn
    s[:, 0, 0] = s[:, 1, 1] = 0.05 * (FREQUENCY - 193.4e12) / 1e13
    return s


@pytest.mark.parametrize("count", [2, 3, 4, 5, 30])
def test_spline_is_the_one_of_scipy(count: int) -> None:
    rng = np.random.default_rng(count)
    frequency = 190e12 + 1e12 * np.cumsum(0.2 + rng.random(count))
    s = rng.normal(size=(count, 2, 2)) + 1j * rng.normal(size=(count, 2, 2))
    ours = Interpolant(frequency, s)
    at = np.linspace(frequency[0], frequency[-1], 77)
    middle = frequency[count // 2]

    def turn(f: Any) -> Any:
        return np.exp(2j * np.pi * (f - middle)[:, np.newaxis, np.newaxis] * ours.delay_s)

    x = (frequency - middle) / 1e12
    twin = CubicSpline(x, s / turn(frequency))((at - middle) / 1e12) * turn(at)
    np.testing.assert_allclose(ours(at), twin, atol=1e-12)
    np.testing.assert_allclose(ours(frequency), s, atol=1e-12)


def test_derivatives_are_those_of_the_curve_and_continuous() -> None:
    curve = Interpolant(FREQUENCY, guide())
    at = np.array([188.031e12, 193.77e12, 199.4e12])
    step = 1e9
    for order in (1, 2):
        slope = (curve(at + step, order - 1) - curve(at - step, order - 1)) / (2 * step)
        exact = curve(at, order)
        assert np.abs(exact - slope).max() < 1e-5 * np.abs(exact).max()
    # Left and right of a point of the table the second derivative is one.
    knot = FREQUENCY[20:21]
    left, right = curve(knot - 1e3, 2), curve(knot + 1e3, 2)
    assert np.abs(left - right).max() < 1e-6 * np.abs(left).max()


def test_delay_of_a_guide_is_found_although_its_phase_wraps_between_points() -> None:
    # A phase of 4.57 rad from point to point is -1.72 rad to the eye: the delay is known modulo one turn.
    step = FREQUENCY[1] - FREQUENCY[0]
    found = delays(FREQUENCY, guide())[1, 0]
    assert (found - 2.8e-12) * step == pytest.approx(np.round((found - 2.8e-12) * step), abs=1e-9)


@pytest.mark.parametrize(("name", "bound"), list(zip(REAL, (5e-4, 3.5e-3, 5e-5, 6.5e-3), strict=True)))
def test_held_out_points_of_real_tables(siepic: Path, name: str, bound: float) -> None:
    # Half of the points predict the other half; what is left is the tables' own noise and too wide a step.
    found = read_table(siepic / name)
    half = Interpolant(found.frequency_Hz[::2], found.s[::2])
    between = np.arange(1, 2 * (len(half.frequency_Hz) - 1), 2)
    error = np.abs(half(found.frequency_Hz[between]) - found.s[between])
    assert error.max() < bound


def test_taking_delays_out_is_what_makes_it_accurate(siepic: Path) -> None:
    found = read_table(siepic / "bdc_te1550.sparam")
    between = np.arange(1, len(found.frequency_Hz) - 1, 2)
    strong = np.abs(found.s).min(axis=0) > 0.5
    ours = Interpolant(found.frequency_Hz[::2], found.s[::2])(found.frequency_Hz[between])
    x = (found.frequency_Hz - found.frequency_Hz[0]) / 1e12
    plain = CubicSpline(x[::2], found.s[::2])(x[between])
    errors = [np.abs(s - found.s[between])[:, strong].max() for s in (ours, plain)]
    assert errors[0] < 0.05 * errors[1]


def test_passage_near_zero_is_followed_where_amplitude_and_phase_are_not() -> None:
    exact = (FREQUENCY - 193.47e12) / 1e13
    s = np.zeros((FREQUENCY.size, 2, 2), dtype=complex)
    s[:, 1, 0] = exact
    at = np.linspace(193.2e12, 193.7e12, 21)
    polar = CubicSpline(FREQUENCY / 1e12, np.abs(exact))(at / 1e12) * np.exp(
        1j * CubicSpline(FREQUENCY / 1e12, np.unwrap(np.angle(exact + 0j)))(at / 1e12)
    )
    truth = (at - 193.47e12) / 1e13
    assert np.abs(Interpolant(FREQUENCY, s)(at)[:, 1, 0] - truth).max() < 1e-12
    assert np.abs(polar - truth).max() > 1e-3

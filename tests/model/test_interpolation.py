"""The spline between the points of a table: against its definition, on real tables, derivatives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import photosim as ps
from photosim.files import read_table
from photosim.model import SampledData
from photosim.model.interpolation import Interpolant
from photosim.model.unwrapping import delays

FREQUENCY = np.linspace(187e12, 200e12, 51)
REAL = ("ybranch_te1550.sparam", "bdc_te1550.sparam", "dc_halfring_gap100nm_radius10um.dat", "gc_te1550.txt")


def guide() -> Any:
    """S of 200 um of guide with a ripple, shape (51, 2, 2)."""
    s = np.zeros((FREQUENCY.size, 2, 2), dtype=complex)
    turn = np.exp(2j * np.pi * FREQUENCY * 2.8e-12)
    s[:, 0, 1] = s[:, 1, 0] = (0.8 + 0.1 * np.cos((FREQUENCY - 190e12) / 2e12)) * turn
    s[:, 0, 0] = s[:, 1, 1] = 0.05 * (FREQUENCY - 193.4e12) / 1e13
    return s


def not_a_knot(x: Any, y: Any, at: Any) -> Any:
    """The spline of one curve by its definition: four coefficients an interval, one linear system.

    Values at both ends of each interval, equal first and second derivatives inside, and equal third ones
    at the second and the last but one point.
    """
    n = len(x) - 1
    rows: list[Any] = []
    right: list[complex] = []

    def derivative(k: int, h: float, order: int) -> Any:
        row = np.zeros(4 * n)
        row[4 * k : 4 * k + 4] = [
            np.prod(np.arange(p, p - order, -1)) * h ** max(p - order, 0) if p >= order else 0.0
            for p in range(4)
        ]
        return row

    for k in range(n):
        rows += [derivative(k, 0.0, 0), derivative(k, x[k + 1] - x[k], 0)]
        right += [y[k], y[k + 1]]
    for k in range(n - 1):
        orders = (1, 2, 3) if k in {0, n - 2} else (1, 2)
        rows += [derivative(k, x[k + 1] - x[k], o) - derivative(k + 1, 0.0, o) for o in orders]
        right += [0.0] * len(orders)
    c = np.linalg.solve(np.array(rows), np.array(right)).reshape(n, 4)
    k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, n - 1)
    return sum(c[k, p] * (at - x[k]) ** p for p in range(4))


@pytest.mark.parametrize("count", [4, 5, 30])
def test_spline_is_the_one_of_its_definition(count: int) -> None:
    rng = np.random.default_rng(count)
    frequency = 190e12 + 1e12 * np.cumsum(0.2 + rng.random(count))
    s = rng.normal(size=(count, 2, 2)) + 1j * rng.normal(size=(count, 2, 2))
    ours = Interpolant(frequency, s)
    at = np.linspace(frequency[0], frequency[-1], 77)
    turn = np.exp(2j * np.pi * (at - frequency[count // 2]) * ours.delay_s[1, 0])
    twin = not_a_knot((frequency - frequency[0]) / 1e12, ours.slow[:, 1, 0], (at - frequency[0]) / 1e12)
    np.testing.assert_allclose(ours(at)[:, 1, 0], twin * turn, atol=1e-11)
    np.testing.assert_allclose(ours(frequency), s, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_polynomial_of_the_degree_that_the_points_allow_is_met_exactly(count: int) -> None:
    # Real and positive at every point, so that there is no delay: what is left is the spline itself.
    degree = min(count - 1, 3)
    frequency = 190e12 + 1e12 * np.array([0.0, 0.4, 1.3, 1.9, 2.2, 3.1, 3.5, 4.2, 5.0])[:count]

    def curve(f: Any, order: int = 0) -> Any:
        return np.polynomial.Polynomial([2.0, 0.3, -0.1, 0.02][: degree + 1]).deriv(order)(
            (f - 190e12) / 1e12
        )

    ours = Interpolant(frequency, curve(frequency)[:, np.newaxis, np.newaxis] + 0j)
    at = np.linspace(frequency[0], frequency[-1], 31)
    for order in range(3):
        found = ours(at, order)[:, 0, 0] * 1e12**order
        np.testing.assert_allclose(found, curve(at, order), rtol=0, atol=1e-11)


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


@pytest.mark.parametrize("points", [1, 2, 3])
def test_delay_and_dispersion_of_too_few_points_are_not_numbers(points: int) -> None:
    frequency = np.array([1.93e14 + 1e11 * k for k in range(points)])
    path = np.exp(2j * np.pi * frequency * 1e-12)
    s = np.zeros((points, 2, 2), dtype=np.complex128)
    s[:, 0, 1] = s[:, 1, 0] = path
    table = SampledData(frequency, s, ("o1", "o2"))
    net = {"instances": {"t": {"component": "sampled", "settings": {"file": table}}},
           "ports": {"a": "t,o1", "b": "t,o2"}}  # fmt: skip
    trace = ps.Circuit(net)([299_792_458e6 / frequency[0]])["a", "b"]
    assert trace.values == pytest.approx(path[0])
    assert np.isnan(trace.group_delay).all() == (points < 2)
    assert np.isnan(trace.dispersion).all() == (points < 3)
    if points > 1:
        assert trace.group_delay == pytest.approx(1e-12, rel=1e-6)

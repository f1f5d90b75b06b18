"""Thermal crosstalk: the matrix, its inverse, and its effect on a circuit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.analysis.heaters import HeaterArray

NAMES = ["ring0.phase", "ring1.phase", "ring2.phase"]
ROW = HeaterArray.in_a_row(NAMES, pitch=30.0, decay_length=20.0, power_pi=25e-3)


def test_a_heater_alone_turns_pi_at_its_power_and_its_neighbours_by_the_decay() -> None:
    phases = ROW.phases([25e-3, 0.0, 0.0])
    np.testing.assert_allclose(phases, np.pi * np.exp([0.0, -1.5, -3.0]), rtol=1e-12)


def test_temperatures_add() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.uniform(0, 0.02, (2, 3))
    np.testing.assert_allclose(ROW.phases(one + two), ROW.phases(one) + ROW.phases(two), rtol=1e-12)


def test_powers_are_the_inverse_of_phases() -> None:
    powers = np.random.default_rng(2).uniform(0.0, 0.03, (5, 3))
    np.testing.assert_allclose(ROW.powers(ROW.phases(powers)), powers, atol=1e-15)


def test_heaters_in_the_plane_feel_their_distance() -> None:
    square = HeaterArray.at(NAMES, [(0, 0), (30, 40), (0, 50)], decay_length=25.0, power_pi=0.02, near=0.4)
    assert square.crosstalk[0, 1] == pytest.approx(0.4 * np.exp(-2.0))
    assert square.crosstalk[0, 2] == pytest.approx(square.crosstalk[0, 1])
    assert np.all(np.diag(square.crosstalk) == 1.0)


def test_crosstalk_detunes_a_cold_ring_and_can_be_undone() -> None:
    circuit = ps.load("mrr_weight_bank")
    names = [f"bank.row0.ring{n}.phase" for n in range(4)]
    row = HeaterArray.in_a_row(names, pitch=30.0, decay_length=15.0, power_pi=25e-3)
    cold = circuit.photocurrents().values[:, 0]
    warmed = circuit.photocurrents(**row.settings([12e-3, 0.0, 0.0, 0.0])).values[:, 0]
    assert warmed[0] < cold[0] - 1e-4  # the heated one loses its line
    assert warmed[1] < cold[1] - 1e-5  # and its neighbour a little of its own
    turned = np.array([1.5, 0.4, 0.2, 0.1])
    exact = circuit.photocurrents(**dict(zip(names, turned, strict=True))).values
    found = circuit.photocurrents(**row.settings(row.powers(turned))).values
    np.testing.assert_allclose(found, exact, atol=1e-15)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: ROW.powers([3.0, 0.0, 0.0]),
            "neighbours warm ring1.phase beyond what is wanted: add a turn of 2 pi there",
        ),
        (lambda: ROW.phases([0.1, 0.1]), "3 heaters need as many non-negative powers"),
        (lambda: ROW.phases([0.1, 0.1, -0.1]), "3 heaters need as many non-negative powers"),
        (lambda: HeaterArray(("a",), np.ones((2, 2)), 0.02), r"1 heaters need a crosstalk of shape \(1, 1\)"),
        (lambda: HeaterArray(("a",), np.array([[1.2]]), 0.02), "lies between 0 and 1"),
        (lambda: HeaterArray(("a",), np.eye(1), 0.0), "power_pi must be a positive number"),
        (lambda: HeaterArray.in_a_row("ab", pitch=1.0, decay_length=0.0, power_pi=1.0), "positive length"),
        (
            lambda: HeaterArray.in_a_row("ab", pitch=0.0, decay_length=9.0, power_pi=1.0).powers([1.0, 1.0]),
            "cannot be distinguished",
        ),
    ],
)
def test_impossible_heaters_are_refused(call: Any, text: str) -> None:
    with pytest.raises(ps.ParameterError, match=text):
        call()

"""Delays of tables that are too coarse: candidates, what decides, and what is never moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model.unwrapping import find_delays

NEFF, NG, WL0 = 2.44553, 4.19088, 1.55
EVERY_10NM = SPEED_OF_LIGHT_UM_S / np.linspace(1.6, 1.5, 11)
EVEN = np.linspace(187e12, 200e12, 53)


def guide(frequency: Any, length: float) -> Any:
    """Transmission of a lossless guide with a linear index, shape (F, 1, 1)."""
    wl = SPEED_OF_LIGHT_UM_S / frequency
    index = NEFF - (wl - WL0) * (NG - NEFF) / WL0
    return np.exp(2j * np.pi * index * length / wl)[:, None, None]


@pytest.mark.parametrize("frequency", [EVERY_10NM, EVEN])
@pytest.mark.parametrize("length", [5.0, 50.0, 96.0, 110.0, 114.5, 150.0, 230.0, 400.0, 1000.0])
def test_a_delay_is_right_or_open(frequency: Any, length: float) -> None:
    true = length * NG / SPEED_OF_LIGHT_UM_S
    found = find_delays(frequency, guide(frequency, length))
    right = abs(found.delay_s[0, 0] - true) < 1e-3 * true
    assert right or found.open[0, 0]
    assert found.delay_s[0, 0] >= 0
    given = find_delays(frequency, guide(frequency, length), true)
    assert given.delay_s[0, 0] == pytest.approx(true, rel=1e-3)
    if frequency is EVERY_10NM and found.open[0, 0] and length < 300:
        assert found.smoothest_s[0, 0] == pytest.approx(true, rel=1e-3)  # even wavelengths tell it


def test_the_guess_is_the_smallest_that_is_not_negative() -> None:
    found = find_delays(EVERY_10NM, guide(EVERY_10NM, 50.0))
    assert found.fitted_s[0, 0] == pytest.approx(-1.0e-13, abs=4e-15)
    assert found.delay_s[0, 0] == pytest.approx(6.99e-13, abs=1e-15)
    assert found.candidates((0, 0), 2)[0] == pytest.approx(6.98e-13, abs=5e-15)
    longer = find_delays(EVERY_10NM, guide(EVERY_10NM, 110.0))
    assert longer.open.all()
    assert 0 <= longer.delay_s[0, 0] < longer.period_s


@pytest.mark.parametrize("dip", [0.2, 0.9, 5.0])
def test_an_under_coupled_ring_keeps_its_negative_delay(dip: float) -> None:
    # Fine steps over one resonance; less is coupled than lost, and light there comes "earlier".
    passed = 10 ** (-dip / 20)
    a = 0.9
    r = (a + passed) / (1 + passed * a)
    turn = 2 * np.pi * np.linspace(-0.04, 0.04, 81)
    t = (r - a * np.exp(1j * turn)) / (1 - r * a * np.exp(1j * turn))
    frequency = 193.4e12 + 100e9 * turn / (2 * np.pi)
    found = find_delays(frequency, t[:, None, None])
    assert found.delay_s[0, 0] < 0
    assert found.delay_s[0, 0] == found.fitted_s[0, 0]
    assert not found.open.any()
    far = find_delays(frequency, t[:, None, None], 1e-10)
    assert far.steady[0, 0] or far.delay_s[0, 0] == found.delay_s[0, 0]


def test_reflections_and_crosstalk_are_not_moved() -> None:
    s = np.zeros((len(EVERY_10NM), 2, 2), dtype=complex)
    s[:, 0, 1] = s[:, 1, 0] = guide(EVERY_10NM, 50.0)[:, 0, 0]
    s[:, 0, 0] = 0.05 * guide(EVERY_10NM, 50.0)[:, 0, 0]
    s[:, 1, 1] = np.linspace(0.2, 0.6, len(EVERY_10NM)) * guide(EVERY_10NM, 50.0)[:, 0, 0]
    found = find_delays(EVERY_10NM, s)
    assert found.delay_s[0, 1] > 0
    assert found.delay_s[0, 0] == found.fitted_s[0, 0] < 0
    assert found.delay_s[1, 1] == found.fitted_s[1, 1] < 0
    assert found.open.tolist() == [[False, True], [True, False]]


def test_constant_phases_and_lone_points_have_no_delay() -> None:
    for frequency in (EVERY_10NM, EVEN, EVEN[:1]):
        found = find_delays(frequency, np.full((len(frequency), 1, 1), 1j * np.sqrt(0.5)))
        assert abs(found.delay_s[0, 0]) < 1e-27
        assert not found.open.any()

"""Kernels that read lines off spectra against powers known between the points."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.kernels.spectra import window_ends

WL = np.linspace(1.549, 1.551, 41)


def spectrum(wl: np.ndarray) -> np.ndarray:
    """A resonance beside a guide that turns the phase some 0.9 rad a point, as the lattice's delays do."""
    line = 1.0 - 0.8 / (1.0 + 1j * (wl - 1.55012) / 2e-4)
    return np.asarray(line * np.exp(-18.0e3j * (wl - 1.55)))


def ends(low: float, high: float) -> np.ndarray:
    """Highest and lowest power in a window, (2,)."""
    out = np.empty((1, 1, 2))
    window_ends(WL[np.newaxis], spectrum(WL)[np.newaxis, np.newaxis], low, high, (True, True), out)
    return np.ravel(out)


@pytest.mark.parametrize("side", [0, 1])
def test_an_end_of_a_window_at_a_point_has_that_points_power(side: int) -> None:
    # The line falls to 1.55012: on this side of it a window's ends hold its extremes.
    s = spectrum(WL)[[4, 18]]
    assert ends(float(WL[4]), float(WL[18]))[side] == (s.real**2 + s.imag**2)[side]


@pytest.mark.parametrize("off", [0.0, 1e-12, 0.3, 0.7])
def test_ends_between_points_follow_the_spectrum(off: float) -> None:
    step = WL[1] - WL[0]
    low, high = WL[4] + off * step, WL[18] + off * step
    expected = np.abs(spectrum(np.array([low, high]))) ** 2
    np.testing.assert_allclose(ends(low, high), expected, rtol=1e-4)


def test_the_bottom_of_a_line_is_found_between_points() -> None:
    assert ends(float(WL[4]), float(WL[36]))[1] == pytest.approx(0.04, rel=1e-4)


def test_windows_that_leave_the_sweep_have_no_ends() -> None:
    assert np.isnan(ends(1.5489, 1.55)).all()
    assert np.isnan(ends(1.55, 1.5511)).all()

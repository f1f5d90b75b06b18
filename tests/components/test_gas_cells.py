"""The gas cell: half width and depth of its line, and its phase by the integral of Kramers and Kronig."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import registry

LINE_HZ = SPEED_OF_LIGHT_UM_S / 1.5304
WIDTH_HZ = 2e9


def transmission(offset_Hz: np.ndarray) -> np.ndarray:
    """S21 of a cell without length at frequencies about its line."""
    wl = SPEED_OF_LIGHT_UM_S / (LINE_HZ + offset_Hz)
    return registry.get("gas_cell").s(wl, absorption_dB=6.0, linewidth=WIDTH_HZ, length=0.0)[:, 1, 0]  # type: ignore[attr-defined, no-any-return]


def test_line_absorbs_what_it_says_at_its_centre_and_half_the_decibels_at_half_its_width() -> None:
    lost = -20 * np.log10(np.abs(transmission(np.array([-WIDTH_HZ / 2, 0.0, WIDTH_HZ / 2]))))
    np.testing.assert_allclose(lost, [3.0, 6.0, 3.0], rtol=1e-6)


@pytest.mark.parametrize("offset", [-3e9, -0.4e9, 1e9, 5e9])
def test_phase_is_the_integral_of_the_absorption(offset: float) -> None:
    """phi(f) = -(1/pi) P int ln|S(f')| / (f' - f) df', S being analytic in the upper half plane."""
    # Points placed alike about the pole cancel it; the tails beyond are those of 1/f'^2.
    u = np.linspace(0.5, 2e5 - 0.5, 200_000) * WIDTH_HZ / 100
    above, below = (np.log(np.abs(transmission(offset + sign * u))) for sign in (1.0, -1.0))
    phase = np.sum((above - below) / u) * (u[1] - u[0]) / np.pi
    found = float(np.angle(transmission(np.array([offset])))[0])
    assert found == pytest.approx(-phase, abs=2e-3)

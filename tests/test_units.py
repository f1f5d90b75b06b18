"""Wavelength grids, and conversions there and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim import units
from photosim.errors import ParameterError


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((1.6, 1.5, 3), r"runs from 1\.6 down to 1\.5 um: did you mean 1\.5:1\.6\?"),
        ((1.5, 1.5, 3), "is empty but asks for 3 points"),
        ((1.5, 1.6, 1), r"One point cannot span 1\.5 to 1\.6 um"),
        *(((1.5, 1.6, n), "whole number of points") for n in (0, -1, 2.5, True, None, "3", 10**12)),
        *(((1.5, 1.6, n), "whole number of points") for n in (float("nan"), float("inf"))),
        *(((x, 1.6, 3), "The start of .* positive number") for x in (0, -1.5, float("nan"), "1.5", None)),
        *(((1.5, x, 3), "The stop of .* positive number") for x in (0, -1.5, float("inf"), "1.6", 1j)),
    ],
)
def test_wrong_ranges_are_refused(arguments: tuple[Any, Any, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        units.wavelengths(*arguments)


def test_a_range_has_both_its_ends() -> None:
    np.testing.assert_array_equal(units.wavelengths(1.5, 1.75, 3), [1.5, 1.625, 1.75])
    np.testing.assert_array_equal(units.parse_wavelengths("1.5:1.75:3"), [1.5, 1.625, 1.75])
    np.testing.assert_array_equal(units.parse_wavelengths("1.55"), [1.55])
    assert units.wavelengths(np.float64(1.5), 2, 2).tolist() == [1.5, 2.0]


def test_conversions_return() -> None:
    wl = np.array([1.3, 1.55])
    # Two roundings, each of one part in 2**53.
    np.testing.assert_allclose(units.wavelength(units.frequency_Hz(wl)), wl, rtol=1e-15)
    np.testing.assert_allclose(units.power_from_dB(units.power_dB([0.5, 2.0])), [0.5, 2.0], rtol=1e-15)
    assert units.power_dB(0.0) == -np.inf
    # 1550 nm is 193.414 THz, the anchor of the optical C band.
    assert units.frequency_Hz(1.55) == pytest.approx(193.414489e12, rel=1e-8)

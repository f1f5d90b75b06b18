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
        ((1.5, 1.5, 3), "is empty but has 3 points"),
        ((1.5, 1.6, 1), r"One point cannot span 1\.5 to 1\.6 um"),
        *(((1.5, 1.6, n), "whole number") for n in (0, -1, 2.5, True, None, "3", 10**12)),
        *(((1.5, 1.6, n), "whole number") for n in (float("nan"), float("inf"))),
        *(
            ((x, 1.6, 3), "start.* must be a (positive )?number")
            for x in (0, -1.5, float("nan"), "1.5", None)
        ),
        *(((1.5, x, 3), "stop.* must be a (positive )?number") for x in (0, -1.5, float("inf"), "1.6", 1j)),
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


@pytest.mark.parametrize(
    ("value", "unit", "right"),
    [
        (1550.0, "nm", "1.55"),
        (1310, "nm", "1.31"),
        (1.55e-6, "m", "1.55"),
        (193.4e12, "Hz", "1.55012"),
        (193.4, "THz", "1.55012"),
        (193400, "GHz", "1.55012"),
        (1.55e-3, "mm", "1.55"),
        (200.0, "THz", "1.49896"),
    ],
)
def test_another_unit_is_refused_by_its_name(value: float, unit: str, right: str) -> None:
    text = rf"must be 0\.1 to 100 um, got .* It looks like {unit}: write {right}\."
    for grid in (value, [value], [1.55, value]):
        with pytest.raises(ParameterError, match=text):
            units.as_wavelengths(grid)
    for written in (f"{value!r}", f"{value!r}:{value * 1.01!r}:5"):
        with pytest.raises(ParameterError, match=text):
            units.parse_wavelengths(written)
    with pytest.raises(ParameterError, match=text):
        units.wavelengths(value, value * 1.01, 5)


def test_the_ends_of_light_are_accepted_and_what_fits_no_unit_is_refused_plainly() -> None:
    assert units.as_wavelengths([0.1, 100.0]).tolist() == [0.1, 100.0]
    with pytest.raises(ParameterError, match=r"got 1e\+300\.$"):
        units.as_wavelengths([1e300])


@pytest.mark.parametrize(
    ("text", "wl"),
    [
        ("1550nm", [1.55]),
        ("1550 nm", [1.55]),
        ("1.55um", [1.55]),
        ("1.55e-6m", [1.55]),
        ("193.414489THz", [1.55]),
        ("193414.489GHz", [1.55]),
        ("1540nm:1560nm:3", [1.54, 1.55, 1.56]),
        ("1.54:1560nm:3", [1.54, 1.55, 1.56]),
        ("192.174652THz:194.670427THz:3", [1.54, 1.55, 1.56]),
        ("194.670427THz:192.174652THz:3", None),
    ],
)
def test_a_wavelength_may_carry_its_unit(text: str, wl: list[float] | None) -> None:
    if wl is None:
        with pytest.raises(ParameterError, match="did you mean"):
            units.parse_wavelengths(text)
    else:
        np.testing.assert_allclose(units.parse_wavelengths(text), wl, rtol=1e-8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1550NM", r"unit 'NM'.* Did you mean nm\?"),
        ("193.4thz", r"Did you mean THz\?"),
        ("1.55eV", "unit 'eV'"),
        ("0THz", "positive number"),
        ("15.5nm", r"must be 0\.1 to 100 um"),
        ("x", "Cannot read wavelengths"),
    ],
)
def test_units_that_are_not_known_are_refused(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        units.parse_wavelengths(text)

"""What can be asked of a result: parts, widths, magnitudes, frequencies, and whether its grid shows it."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

import photosim as ps
from photosim.errors import ParameterError
from photosim.smatrix import SMatrix, Trace, sharpened

RING = ps.load("add_drop_ring")
WL = ps.wavelengths(1.54, 1.56, 2001)


@cache
def whole() -> SMatrix:
    """The ring's S-matrix. Computed when a test first needs it: every process collects this file."""
    return RING(WL)


@cache
def drop() -> Trace:
    """Its path from in to drop."""
    return whole()["in", "drop"]


def power(wl: float) -> float:
    return float(RING(wl)["in", "drop"].power[0])


def test_width_and_quality_are_those_of_the_exact_curve() -> None:
    top = minimize_scalar(lambda wl: -power(wl), bounds=(1.5510, 1.5514), method="bounded",
                          options={"xatol": 1e-12})  # fmt: skip
    floor = power(1.5467)
    half = (power(top.x) + floor) / 2
    left, right = (brentq(lambda wl: power(wl) - half, *ends) for ends in ((1.5505, top.x), (top.x, 1.552)))
    assert pytest.approx(right - left, rel=2e-3) == drop().fwhm
    assert pytest.approx(top.x, abs=1e-8) == drop().resonance
    assert pytest.approx(top.x / (right - left), rel=2e-3) == drop().q
    assert 0.0088 < drop().fsr < 0.0094


def test_widths_of_a_batch_are_an_array() -> None:
    batch = RING(WL, ring={"radius": np.array([9.9, 10.0])})
    assert batch["in", "drop"].fwhm.shape == (2,)
    assert batch["in", "drop"].sel(batch=1).fwhm == pytest.approx(drop().fwhm, rel=1e-9)


def test_magnitudes_and_frequencies() -> None:
    np.testing.assert_allclose(abs(drop()) ** 2, drop().power, rtol=1e-13)
    np.testing.assert_allclose(abs(whole()) ** 2, whole().power, rtol=1e-13)
    np.testing.assert_allclose(drop().frequency, 299792458.0 / (WL * 1e-6), rtol=1e-14)
    assert np.array_equal(whole().frequency, drop().frequency)


def test_a_slice_keeps_the_points_between_its_ends() -> None:
    part = whole().sel(wl=slice(1.549, 1.551))
    assert np.array_equal(part.wl, WL[900:1101])
    assert np.array_equal(part.values, whole().values[900:1101])
    assert np.array_equal(drop().sel(wl=slice(None, 1.549)).values, drop().values[:901])
    np.testing.assert_allclose(part["in", "drop"].group_delay, drop().group_delay[900:1101], rtol=1e-12)


@pytest.mark.parametrize("wl", [1.5500049, "1550.0049nm", [1.5500049, 1.5512]])
def test_wavelengths_between_points_are_exact(wl: object) -> None:
    np.testing.assert_allclose(whole().sel(wl=wl).values, RING(wl).values, rtol=1e-9)  # type: ignore[arg-type]
    np.testing.assert_allclose(drop().sel(wl=wl).values, RING(wl)["in", "drop"].values, rtol=1e-9)  # type: ignore[arg-type]


def test_a_result_of_a_file_has_the_nearest_point() -> None:
    plain = SMatrix(whole().wl, whole().ports, whole().values)
    found = plain.sel(wl=1.5500049)
    assert found.wl.tolist() == [WL[1000]]
    assert np.array_equal(found.values[0], whole().values[1000])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"wl": 1.6}, r"1.6 um lies outside of the result, which goes from 1.54 to 1.56 um"),
        ({"wl": slice(1.6, 1.7)}, r"No wavelength of the result lies between 1.6 and 1.7 um"),
        ({"wl": slice(1.55, 1.551, 3)}, r"two ends in um and no step"),
        ({"batch": 0}, r"The result has no batch: there is no entry 0"),
    ],
)
def test_parts_that_there_are_not(asked: dict[str, Any], said: str) -> None:
    for one in (whole(), drop()):
        with pytest.raises(ParameterError, match=said):
            one.sel(**asked)


def test_an_entry_of_a_batch_keeps_its_exact_delay() -> None:
    batch = RING(WL[::20], ring={"radius": np.array([9.9, 10.0])})
    one = batch.sel(batch=1)
    np.testing.assert_allclose(one.values, whole().values[::20], rtol=1e-12)
    np.testing.assert_allclose(one["in", "drop"].group_delay, drop().group_delay[::20], rtol=1e-9)
    assert batch.batch["ring.radius"].tolist() == [9.9, 10.0]
    assert batch.units == {"ring.radius": "um"}
    assert copy.deepcopy(one) == one


def test_the_grid_says_where_it_undersamples() -> None:
    (text,) = RING("1.54:1.56:101").remarks
    assert "undersamples" in text
    assert "1.54:1.56:auto" in text
    assert RING("1.54:1.56:auto").remarks == ()
    assert SMatrix(whole().wl, whole().ports, whole().values).remarks == ()


def test_a_curve_goes_down_to_the_bottom_of_its_dips() -> None:
    wl, (through,) = sharpened(whole(), [("in", "through")])
    assert whole()["in", "through"].power_dB.min() > -24.95  # what the README's first picture showed
    first, second = through[wl < 1.546].min(), through[wl > 1.546].min()
    assert first == pytest.approx(-25.03, abs=0.01)
    assert second == pytest.approx(-25.03, abs=0.01)
    assert np.isin(whole().wl, wl).all()

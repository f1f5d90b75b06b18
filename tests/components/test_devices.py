"""Known figures and limits of single devices: against layouts, measured tables and closed forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from photosim.components.guides import euler_bend_length
from photosim.errors import ParameterError
from photosim.model import ClosedForm, Detector, Numerical, Source, registry
from photosim.model.algebra import NUMPY

if TYPE_CHECKING:
    from numpy.typing import NDArray

C_UM_S = 299_792_458.0e6


def s_of(name: str, wl: Any = 1.55, **settings: Any) -> NDArray[np.complex128]:
    model = registry.get(name)
    assert isinstance(model, ClosedForm)
    return model.s(wl, **settings)


# --- guides -----------------------------------------------------------------------------------------


def test_guide_delays_by_its_group_index() -> None:
    omega = 2 * np.pi * C_UM_S / np.array([1.5501, 1.55, 1.5499])
    phase = np.unwrap(np.angle(s_of("straight", 2 * np.pi * C_UM_S / omega, length=100.0, ng=4.2)[:, 1, 0]))
    delay = (phase[2] - phase[0]) / (omega[2] - omega[0])
    assert delay == pytest.approx(4.2 * 100.0 / C_UM_S, rel=1e-6)


def test_guide_loses_what_its_loss_says() -> None:
    power = np.abs(s_of("straight", length=10_000.0, loss_dB_cm=3.0)[0, 1, 0]) ** 2
    assert -10 * np.log10(power) == pytest.approx(3.0, abs=1e-12)


def test_heated_guide_is_a_guide_and_a_phase_shifter() -> None:
    wl = np.linspace(1.5, 1.6, 11)
    both = s_of("straight", wl)[:, 1, 0] * s_of("phase_shifter", wl, phase=1.3)[:, 1, 0]
    np.testing.assert_allclose(s_of("straight_heater", wl, phase=1.3)[:, 1, 0], both, atol=1e-13)


def test_euler_bend_is_as_long_as_gdsfactory_draws_it() -> None:
    # gdsfactory's netlists give length 16.637 um, minimum radius 7.061 um for radius 10, 90 degrees, p = 0.5.
    length = euler_bend_length(NUMPY, 10.0, 90.0, 0.5)
    assert length == pytest.approx(16.637, abs=5e-4)
    assert length / (np.pi / 2 * 1.5) == pytest.approx(7.061, abs=5e-4)


@pytest.mark.parametrize(("angle", "p"), [(90.0, 0.3), (180.0, 1.0), (45.0, 0.5), (180.0, 0.2)])
def test_euler_bend_ends_where_the_circle_does(angle: float, p: float) -> None:
    length = float(euler_bend_length(NUMPY, 10.0, angle, p))
    turn = np.deg2rad(angle)
    u = np.linspace(0, 1, 200_001)
    ramp = p / (1 + p)  # part of the length over which the curvature rises
    curvature = np.minimum(np.minimum(u, 1 - u) / ramp, 1.0) * (1 + p) * turn
    heading = np.concatenate(([0.0], np.cumsum((curvature[1:] + curvature[:-1]) / 2) * (u[1] - u[0])))
    path = np.trapezoid(np.exp(1j * heading), u) * length
    chord = 2 * 10.0 * np.sin(turn / 2) * np.exp(1j * turn / 2)
    assert abs(path - chord) < 1e-6


def test_euler_bend_without_clothoid_is_an_arc() -> None:
    assert euler_bend_length(NUMPY, 7.0, 120.0, 0.0) == pytest.approx(7.0 * np.deg2rad(120.0), rel=1e-14)


def test_bend_takes_a_length_instead() -> None:
    known = float(euler_bend_length(NUMPY, 10.0, 90.0, 0.5))
    np.testing.assert_allclose(s_of("bend_euler", length=known), s_of("bend_euler"), atol=1e-12)


# --- couplers and splitters -------------------------------------------------------------------------

# Power crossed at 1550 nm in the ring couplers of the SiEPIC library: radius, gap, straight part (um), power.
SIEPIC = [
    (10, 0.10, 0, 0.076), (10, 0.15, 0, 0.030), (10, 0.20, 4, 0.074), (18, 0.20, 0, 0.022),
    (5, 0.10, 0, 0.042), (5, 0.06, 0, 0.094), (5, 0.05, 0, 0.119),
    (3, 0.10, 0, 0.027), (3, 0.08, 0, 0.040), (3, 0.06, 0, 0.063), (3, 0.05, 0, 0.080),
]  # fmt: skip


@pytest.mark.parametrize(("radius", "gap", "length_x", "power"), SIEPIC)
def test_gap_gives_the_coupling_of_the_table(
    radius: float, gap: float, length_x: float, power: float
) -> None:
    crossed = np.abs(s_of("coupler", gap=gap, radius=radius, length_x=length_x)[0, 2, 0]) ** 2
    assert crossed == pytest.approx(power, rel=0.085)


def test_long_coupler_crosses_over_and_back() -> None:
    # The library's straight coupler of 200 nm gap crosses over in 39.45 um.
    wl = np.array([1.55])
    lengths = np.linspace(0, 80, 801)
    crossed = np.array(
        [np.abs(s_of("coupler", wl, gap=0.2, radius=0.0, length_x=x)[0, 2, 0]) ** 2 for x in lengths]
    )
    assert lengths[crossed.argmax()] == pytest.approx(39.45, rel=0.09)
    assert crossed[0] == 0.0
    assert crossed.max() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("coupling", [0.0, 1.0])
def test_coupler_at_its_ends_is_two_guides(coupling: float) -> None:
    s = s_of("coupler", coupling=coupling)[0]
    to = 3 if coupling == 0.0 else 2
    assert abs(s[to, 0]) == 1.0
    assert np.count_nonzero(s) == 4


@pytest.mark.parametrize("name", ["coupler", "mmi2x2", "splitter", "mmi1x2", "crossing"])
def test_mirror_in_a_part_sends_back_what_it_says(name: str) -> None:
    # At the centre of the band and without other loss, all light into o1 that comes out on its side.
    lossless = {"loss_dB": 0.0, "reflection": 0.01}
    s = np.abs(s_of(name, **lossless)[0, :, 0]) ** 2
    left = s[:2] if name in {"coupler", "mmi2x2"} else s[:1]
    assert left.sum() == pytest.approx(0.01, abs=1e-15)
    assert s.sum() == pytest.approx(1.0, abs=1e-14)


def test_imbalance_is_the_ratio_of_the_outputs() -> None:
    one = np.abs(s_of("mmi1x2", imbalance_dB=1.0)[0, :, 0]) ** 2
    two = np.abs(s_of("mmi2x2", imbalance_dB=1.0)[0, :, 0]) ** 2
    assert 10 * np.log10(one[1] / one[2]) == pytest.approx(1.0)
    assert 10 * np.log10(two[2] / two[3]) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["mmi1x2", "mmi2x2"])
def test_band_is_half_at_half_its_width(name: str) -> None:
    s = np.abs(s_of(name, np.array([1.55, 1.6, 1.5]), fwhm=0.1, loss_dB=0.0)[:, -1, 0]) ** 2
    np.testing.assert_allclose(s, [0.5, 0.25, 0.25], rtol=1e-12)


def test_splitter_sends_its_ratio_down() -> None:
    s = np.abs(s_of("splitter", ratio=0.3)[0, :, 0]) ** 2
    np.testing.assert_allclose(s, [0.0, 0.7, 0.3], atol=1e-15)


# --- small parts ------------------------------------------------------------------------------------


def test_crossing_leaks_alike_to_both_sides() -> None:
    s = np.abs(s_of("crossing", crosstalk=0.01)[0, :, 0]) ** 2
    assert s[1] == s[3] == pytest.approx(0.01)
    assert s[2] == pytest.approx((1 + np.sqrt(0.96)) ** 2 / 4)


def test_circulator_passes_on_and_leaks_back() -> None:
    s = np.abs(s_of("circulator", isolation_dB=20.0)[0])
    np.testing.assert_allclose([s[1, 0], s[2, 1], s[0, 2]], 0.9)
    np.testing.assert_allclose([s[0, 1], s[1, 2], s[2, 0]], 0.1)


def test_isolator_blocks_one_way() -> None:
    power = np.abs(s_of("isolator", insertion_loss_dB=0.5, isolation_dB=30.0)[0]) ** 2
    assert 10 * np.log10(power[1, 0]) == pytest.approx(-0.5)
    assert 10 * np.log10(power[0, 1]) == pytest.approx(-30.0)


def test_terminator_absorbs_all_unless_told() -> None:
    assert s_of("terminator")[0, 0, 0] == 0.0
    assert abs(s_of("terminator", reflection=0.04)[0, 0, 0]) == pytest.approx(0.2)


# --- sources, detectors, media ------------------------------------------------------------------------


def test_comb_is_equally_spaced_in_frequency() -> None:
    laser = registry.get("laser")
    assert isinstance(laser, Source)
    wl, power = laser.lines(lines=5, spacing=200e9, power=2e-3)
    assert np.all(np.diff(wl) > 0)
    np.testing.assert_allclose(np.diff(C_UM_S / wl), -200e9, rtol=1e-9)
    assert wl[2] == 1.55
    np.testing.assert_array_equal(power, 2e-3)


def test_comb_below_zero_frequency_is_refused() -> None:
    laser = registry.get("laser")
    assert isinstance(laser, Source)
    with pytest.raises(ParameterError, match="reach below zero frequency"):
        laser.lines(lines=10, spacing=1e14)


def test_detectors_give_signed_responsivities() -> None:
    single, pair = registry.get("photodetector"), registry.get("balanced_photodetector")
    assert isinstance(single, Detector)
    assert isinstance(pair, Detector)
    assert single.responsivity(1.55, responsivity=0.8) == {"o1": 0.8}
    both = pair.responsivity(1.55, responsivity=1.0, mismatch=0.02)
    assert both["o1"] == pytest.approx(1.01)
    assert both["o2"] == pytest.approx(-0.99)


def medium(**settings: Any) -> NDArray[np.complex128]:
    model = registry.get("speckle_medium")
    assert isinstance(model, Numerical)
    return np.asarray(model.s(1.55, **settings)[0])


def test_medium_is_reciprocal_passive_and_of_mean_transmission() -> None:
    s = medium(inputs=64, outputs=256, transmission=0.2, seed=3)
    np.testing.assert_array_equal(s, s.T)
    assert np.linalg.norm(s, 2) < 1
    column = np.sum(np.abs(s[:, :64]) ** 2, axis=0)
    # A column's power has a relative deviation of 1/sqrt(256); the mean of 64 columns one of 1/128.
    assert column.mean() == pytest.approx(0.2, rel=5 / 128)
    assert not s[:64, :64].any()


def test_medium_makes_developed_speckle() -> None:
    intensity = np.abs(medium(inputs=8, outputs=4000, transmission=0.5, seed=1)[8:, :8]) ** 2
    relative = intensity / intensity.mean(axis=0)
    # Exponential law: contrast 1, and e**-k of the samples above k times the mean.
    assert relative.std() == pytest.approx(1.0, abs=0.03)
    assert np.mean(relative > 3.0) == pytest.approx(np.exp(-3), abs=0.004)


def test_medium_has_the_singular_values_of_marchenko_and_pastur() -> None:
    s = medium(inputs=200, outputs=400, transmission=0.1, seed=5)[200:, :200]
    squared = np.linalg.svd(s, compute_uv=False) ** 2 / 0.1
    edges = (1 - np.sqrt(0.5)) ** 2, (1 + np.sqrt(0.5)) ** 2
    assert squared.min() == pytest.approx(edges[0], rel=0.15)
    assert squared.max() == pytest.approx(edges[1], rel=0.05)


def test_same_seed_is_the_same_medium() -> None:
    np.testing.assert_array_equal(medium(seed=4), medium(seed=4))
    assert np.abs(medium(seed=4) - medium(seed=5)).max() > 0.05


def test_medium_that_would_create_power_is_refused() -> None:
    with pytest.raises(ParameterError, match="creates power"):
        medium(inputs=4, outputs=4, transmission=1.0)

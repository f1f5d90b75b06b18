"""Cameras and modulators: laws of their noise, and everything cut off counted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from photosim.errors import ParameterError
from photosim.media.camera import NORMAL_ABOVE, Camera, detected
from photosim.media.modulators import Dmd, Slm

RNG = np.random.default_rng


@pytest.mark.parametrize("mean", [0.0, 0.3, 8.0, NORMAL_ABOVE, NORMAL_ABOVE + 1, 400.0])
def test_poisson_counts_have_the_mean_and_variance_of_their_law(mean: float) -> None:
    counts = detected(np.full(200_000, mean), RNG(1))
    assert np.array_equal(counts, np.rint(counts))
    assert counts.min() >= 0
    # Four standard deviations of the mean and of the variance of 200,000 counts; rounding adds 1/12.
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 2e5) + 1e-12)
    assert counts.var() == pytest.approx(mean, abs=4 * np.sqrt((2 * mean**2 + mean) / 2e5) + 0.09)


def test_poisson_counts_follow_the_law_itself_up_to_the_limit() -> None:
    counts = detected(np.full(100_000, 12.0), RNG(3))
    bins = np.arange(3, 24)
    seen = np.array([np.count_nonzero(counts == k) for k in bins])
    law = stats.poisson.pmf(bins, 12.0)
    chi2 = ((seen - 1e5 * law) ** 2 / (1e5 * law)).sum()
    assert chi2 < stats.chi2.ppf(0.999, len(bins))  # one false alarm in a thousand seeds


def test_poisson_above_the_limit_is_as_close_as_the_normal_law() -> None:
    counts = detected(np.full(100_000, 60.0), RNG(4))
    gap = np.abs(np.sort(counts)[:, np.newaxis] <= np.arange(30, 100)).mean(axis=0)
    law = stats.poisson.cdf(np.arange(30, 100), 60.0)
    # Skewness 1/sqrt(60) shifts the distribution by at most 0.13/6/sqrt(2 pi) = 0.009; sampling by 0.005.
    assert np.abs(gap - law).max() < 0.014


def test_electrons_follow_from_the_power() -> None:
    camera = Camera(pixels=1, efficiency=0.6, exposure=400e-6)
    # 1 pW at 532 nm for 400 us: 1e-12 x 4e-4 J over h c/lambda = 3.734e-19 J, times 0.6.
    assert camera.electrons_per_watt(0.532) * 1e-12 == pytest.approx(642.8, rel=1e-3)
    assert camera.exposed_for(1e-12, 0.532, 100.0).electrons_per_watt(0.532) * 1e-12 == pytest.approx(100.0)


def test_variance_of_a_frame_is_shot_dark_read_and_quantisation() -> None:
    camera = Camera(pixels=1, dark_rate=2e5, read_noise=4.0, bits=10, full_well=8192.0)
    power = np.full((100_000, 1), 900.0 / camera.electrons_per_watt(0.6))
    frame = camera.expose(power, 0.6, RNG(2))
    light = camera.watts(frame.electrons, 0.6) * camera.electrons_per_watt(0.6)
    expected = 900.0 + 80.0 + 16.0 + 8.0**2 / 12
    assert light.mean() == pytest.approx(900.0, abs=4 * np.sqrt(expected / 1e5))
    assert light.var() == pytest.approx(expected, rel=4 * np.sqrt(2 / 1e5))


def test_saturated_and_negative_readings_are_counted() -> None:
    camera = Camera(pixels=4, read_noise=0.0, dark_rate=0.0, shot=False, full_well=1000.0)
    power = np.array([[0.0, 500.0, 998.0, 5000.0]]) / camera.electrons_per_watt(0.6)
    frame = camera.expose(power, 0.6, RNG(0))
    np.testing.assert_allclose(frame.electrons, (np.array([[0, 128, 255, 255]]) + 0.5) * 1000 / 256)
    assert (frame.saturated, frame.dark) == (2, 0)
    noisy = Camera(pixels=1, read_noise=3.0, dark_rate=0.0, bits=0)
    frame = noisy.expose(np.zeros((10_000, 1)), 0.6, RNG(0))
    assert frame.dark == pytest.approx(5000, abs=200)
    assert frame.electrons.min() == 0.0


def test_speckle_exposed_to_a_third_of_the_well_saturates_as_its_exponential_law_says() -> None:
    camera = Camera(pixels=100_000, read_noise=0.0, dark_rate=0.0, shot=False, bits=0, full_well=3000.0)
    power = RNG(5).exponential(1000.0, (1, camera.pixels)) / camera.electrons_per_watt(0.6)
    saturated = camera.expose(power, 0.6, RNG(0)).saturated
    law = camera.pixels * np.exp(-3.0)
    assert saturated == pytest.approx(law, abs=4 * np.sqrt(law))


def test_mirrors_share_the_beam_and_leak_when_off() -> None:
    shown = Dmd(pixels=4, contrast=400.0, efficiency=0.8).modulate([1, 0, 1, 0])
    np.testing.assert_allclose(shown**2, [[0.2, 0.0005, 0.2, 0.0005]], rtol=1e-6)


def test_phases_are_shown_in_steps() -> None:
    slm = Slm(pixels=3, bits=2, efficiency=1.0)
    shown = slm.modulate([0.3, 1.0, 2 * np.pi - 0.1])
    np.testing.assert_allclose(shown * np.sqrt(3), [[1, 1j, 1]], atol=1e-6)
    fine = Slm(pixels=3, bits=0, efficiency=1.0).modulate([0.3, 1.0, -2.0])
    np.testing.assert_allclose(np.angle(fine), [[0.3, 1.0, -2.0]], atol=1e-6)


def test_modulators_say_what_they_take() -> None:
    with pytest.raises(ParameterError, match=r"A DMD shows zeros and ones, got 0\.5"):
        Dmd(pixels=2).modulate([0.5, 1.0])
    with pytest.raises(ParameterError, match="An SLM shows phases in rad, got nan"):
        Slm(pixels=2).modulate([0.5, np.nan])
    with pytest.raises(ParameterError, match="A camera takes powers of 0 W or more, got -1 W"):
        Camera(pixels=2).expose([1.0, -1.0], 0.5, RNG(0))
    with pytest.raises(ParameterError, match="got inf W"):
        Camera(pixels=2).expose([1.0, np.inf], 0.5, RNG(0))
    with pytest.raises(ParameterError, match=r"An SLM with 3 cells takes real patterns of shape"):
        Slm(pixels=3).modulate([0.0, 1.0])
    with pytest.raises(ParameterError, match="ratio of intensities above 1, got 0"):
        Dmd(pixels=2, contrast=0.0)
    with pytest.raises(ParameterError, match="8 bits needs a finite full well"):
        Camera(pixels=2, full_well=np.inf)


@pytest.mark.parametrize("shape", [(), (3,), (5, 3), (2, 5, 2), (0,)])
def test_a_camera_takes_powers_of_its_own_pixels(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"A camera of 2 pixels takes powers of shape \(batch, 2\), got"):
        Camera(pixels=2).expose(np.zeros(shape), 0.5, RNG(0))

"""A laser of wide aperture: closed forms of diffraction, diffusion and locking, and the map against time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from photosim.conventions import ELEMENTARY_CHARGE_C, PLANCK_J_S, SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.kernels.lasers import laser_slopes
from photosim.kernels.wide_laser import advance
from photosim.media.speckle_fibre import SpeckleFibre
from photosim.media.wide_laser import WideLaser
from photosim.media.wide_laser_field import Spectrum, WideLaserField, WideState

WL = 0.92
SMALL = WideLaser(side=16, pitch=2.0, diameter=24.0, current=0.010)
EVEN = WideLaser(side=4, pitch=2.0, diameter=8.0, current=0.001)
"""Its aperture is widened over all cells by `everywhere`, so that nothing depends on the place."""


def everywhere(laser: WideLaser, monkeypatch: pytest.MonkeyPatch) -> WideLaser:
    """Let the aperture of all lasers reach over the whole grid."""
    monkeypatch.setattr(
        WideLaser, "aperture", lambda self, finer=1: np.ones((self.side * finer, self.side * finer))
    )
    return laser


def speckled(laser: WideLaser, power: float, seed: int = 0) -> np.ndarray:
    fibre = SpeckleFibre(4, laser.side, laser.pitch, 2.5, transmission=0.3, seed=seed)
    waves = fibre.project(np.ones((1, 4)))
    return np.asarray(waves * np.sqrt(power / np.sum(np.abs(waves) ** 2)))


def test_diffraction_spreads_a_gaussian_as_theory_says() -> None:
    """dE/dt = i D Lap E turns exp(-r^2/w^2) into 1/u exp(-r^2/(w^2 u)), u = 1 + 4 i D t/w^2."""
    n, diffraction, w, t = 64, 1.79, 6.0, 4.0
    r2 = (np.arange(n) - n // 2)[:, np.newaxis] ** 2 + (np.arange(n) - n // 2) ** 2
    state = np.zeros((3, n, n))
    state[0] = np.exp(-r2 / w**2)
    # No gain and no loss: a photon lives for ever, and carriers do nothing.
    k = np.array([1e30, 1e30, 0.0, 0.0, 0.0, 0.0, diffraction, 0.0])
    advance(state, np.zeros((2, n, n)), np.zeros((n, n)), k, 0.05, np.empty((0, 2, n, n)), 80)
    u = 1 + 4j * diffraction * t / w**2
    np.testing.assert_allclose(state[0] + 1j * state[1], np.exp(-r2 / (w**2 * u)) / u, atol=2e-4)


def test_carriers_diffuse_and_recombine_as_theory_says() -> None:
    """A ripple cos(q x) of carriers decays at 1/tau + D q^2."""
    n, q = 32, 2 * np.pi * 2 / 32
    state = np.zeros((3, n, n))
    state[2] = 5.0 + np.cos(q * np.arange(n))
    k = np.array([2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.7])
    advance(state, np.zeros((2, n, n)), np.zeros((n, n)), k, 0.01, np.empty((0, 2, n, n)), 100)
    wanted = 5.0 * np.exp(-0.5) + np.cos(q * np.arange(n)) * np.exp(-0.5 - 0.7 * q**2)
    np.testing.assert_allclose(state[2, 0], wanted, atol=3e-5)


def test_a_uniform_laser_is_the_rate_equation_laser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a place to depend on, slopes are those of one mode over the same area, by another kernel."""
    laser = everywhere(EVEN, monkeypatch)
    area = (laser.side * laser.pitch) ** 2
    state = WideState(np.full((4, 4), 3.0 - 2.0j), np.full((4, 4), 9e4))
    waves = np.full(16, (1.0 + 2.0j) * 1e-4)
    model = WideLaserField(laser=laser, finer=1, step=1e-17)
    after = model.run(waves, 1e-17, state, wl=WL)
    d_field = (after.field[0, 0] - state.field[0, 0]) / 1e-17
    k = np.array([
        laser.current * area / (np.pi * laser.diameter**2 / 4), laser.injection_efficiency,
        laser.carrier_lifetime, laser.photon_lifetime, laser.differential_gain / area,
        laser.transparency * area, 0.0, laser.linewidth_enhancement, 0.0, laser.output, 0.0, 0.0,
    ])  # fmt: skip
    wave = waves[0] * 4 / np.sqrt(PLANCK_J_S * SPEED_OF_LIGHT_UM_S / WL)  # of 16 cells, in sqrt(photons/s)
    d_carriers, d_mode = laser_slopes(9e4 * area, (3.0 - 2.0j) * np.sqrt(area), wave, 0.0, k, False)
    assert d_field == pytest.approx(d_mode / np.sqrt(area), rel=1e-4)
    assert (after.carriers[0, 0] - 9e4) / 1e-17 == pytest.approx(d_carriers / area, rel=1e-3)


@pytest.mark.parametrize("beside", [0.0, 5e9])
def test_a_uniform_laser_locks_to_the_closed_form(beside: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steady state satisfies |growth - i w||E| = |in| and the carriers' balance, found by bisection."""
    laser = everywhere(EVEN, monkeypatch)
    wl = SPEED_OF_LIGHT_UM_S / (SPEED_OF_LIGHT_UM_S / WL + beside)
    waves = np.full((1, 16), 5e-3 + 0j)
    found = laser.driven(waves.reshape(1, 4, 4), wl)[0, 0, 0]
    pump = laser.injection_efficiency * laser.current / ELEMENTARY_CHARGE_C / (np.pi * 16.0)
    alpha, w = laser.linewidth_enhancement, -2 * np.pi * beside

    def excess(carriers: float) -> float:
        growth = 0.5 * (laser.differential_gain * (carriers - laser.transparency) - 1 / laser.photon_lifetime)
        light = abs(found) ** 2 / (growth**2 + (alpha * growth + w) ** 2)
        gain = laser.differential_gain * (carriers - laser.transparency)
        return float(pump - carriers / laser.carrier_lifetime - gain * light)

    low, high = laser.transparency, laser.threshold * (1 - 1e-9)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    growth = 0.5 * (laser.differential_gain * (low - laser.transparency) - 1 / laser.photon_lifetime)
    field = -found / (growth * (1 - 1j * alpha) - 1j * w)
    wanted = laser.out(np.full((4, 4), field), waves.reshape(4, 4), wl).ravel()
    settled = replace(laser, iterations=400).settle(waves, wl)[0]
    np.testing.assert_allclose(settled, wanted, rtol=2e-3)
    model = WideLaserField(laser=laser, finer=1)
    in_time = model.out(waves[0], model.run(waves[0], 8e-9, wl=wl), wl)
    np.testing.assert_allclose(in_time, wanted, rtol=1e-6)


def test_what_goes_in_comes_out_of_a_laser_without_loss_or_gain() -> None:
    """At transparency, all photons leave through the mirror: the wave out has no more power than that in."""
    laser = replace(SMALL, side=8, diameter=16.0, output=1.0, current=0.0, transparency=0.0, iterations=200)
    waves = np.zeros((1, 64), dtype=complex)
    waves[0, 27:30] = 1e-6  # so weak that no carrier is made
    out = laser.settle(waves)
    assert np.sum(np.abs(out) ** 2) <= np.sum(np.abs(waves) ** 2) * (1 + 1e-4)


def test_half_the_step_leaves_a_sixteenth_of_the_error() -> None:
    waves = speckled(SMALL, 2e-3)[0]
    model = WideLaserField(laser=SMALL, finer=1)
    whole, half, quarter = (
        replace(model, step=model.longest / d).run(waves, 0.05e-9).field for d in (2, 4, 8)
    )
    errors = [np.max(np.abs(one - quarter)) for one in (whole, half)]
    assert errors[1] < 1e-3 * np.max(np.abs(quarter))
    assert 10.0 < errors[0] / errors[1] < 25.0
    with pytest.raises(ParameterError, match="step"):
        replace(model, step=model.longest * 2)


def test_the_map_finds_where_the_field_settles_and_the_laser_is_locked() -> None:
    waves = speckled(SMALL, 3e-3)
    model = WideLaserField(laser=SMALL)
    found = np.abs(model.out(waves[0], model.run(waves[0], 3e-9))) ** 2
    fast = np.abs(SMALL.settle(waves)[0]) ** 2
    inside = SMALL.places().ravel() < SMALL.diameter / 2
    assert np.corrcoef(found[inside], fast[inside])[0, 1] > 0.98
    how = {"settle": 2e-9, "samples": 40, "spacing": 10e-12}
    assert replace(model, finer=1).spectrum(waves[0], **how).off_line() < 1e-3  # type: ignore[arg-type]
    free = replace(model, finer=1, spontaneous=1.5)
    weak = free.spectrum(waves[0] / 100, rng=np.random.default_rng(0), **how)  # type: ignore[arg-type]
    assert weak.off_line() > 0.5


def test_a_spectrum_says_on_which_side_a_line_lies() -> None:
    """Light turns as exp(-i omega t): a field exp(-i 2 pi f t) lies f above the injected line."""
    t = np.arange(100) * 1e-12
    fields = (2.0 + np.exp(-2j * np.pi * 50e9 * t))[:, np.newaxis]
    frequency, power = Spectrum(fields, 1e-12).power()
    assert frequency[np.argsort(power)[-2]] == pytest.approx(50e9)
    assert Spectrum(fields, 1e-12).off_line() == pytest.approx(0.2)


def test_the_grains_of_a_fibre_have_their_size() -> None:
    """Waves up to pi/speckle: intensities correlate as (2 J1(x)/x)^2, x = pi r/speckle (goodman2007)."""
    from scipy.special import j1

    fibre = SpeckleFibre(600, 64, 1.0, 3.0, transmission=0.05, seed=2)
    light = np.abs(fibre.block().T.reshape(-1, 64, 64)) ** 2
    assert light.sum(axis=(1, 2)).mean() == pytest.approx(0.05, rel=0.01)
    light /= light.mean()
    for shift in (1, 2, 3):
        found = np.mean(light * np.roll(light, shift, axis=2)) - 1
        x = np.pi * shift / 3.0
        assert found == pytest.approx((2 * j1(x) / x) ** 2, abs=0.02)
    with pytest.raises(ParameterError, match="Marchenko-Pastur"):
        SpeckleFibre(600, 64, 1.0, 3.0, transmission=0.9)


def test_a_warm_fibre_and_another_wavelength_change_the_speckle() -> None:
    fibre = SpeckleFibre(200, 32, 1.0, 2.0, transmission=0.05, seed=0)

    def alike(other: SpeckleFibre) -> float:
        a, b = fibre.block().ravel(), other.block().ravel()
        return float(abs(np.vdot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b))

    assert alike(fibre.at_temperature(0.0)) == pytest.approx(1.0)
    # Phases are spread evenly over phi: the field keeps |sin(phi/2)/(phi/2)|.
    phi = np.pi / 0.92 * 1e6 * 0.22**2 / 1.46 * (0.55e-6 + 8.6e-6 / 1.46) * 5.0
    assert alike(fibre.at_temperature(5.0)) == pytest.approx(abs(np.sin(phi / 2) / (phi / 2)), abs=0.05)
    assert alike(fibre.at_wavelength(0.9201)) < 0.5

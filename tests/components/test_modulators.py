"""Modulators, attenuators and amplifiers: against formulas written out by hand and their limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.model import ClosedForm, registry

HC = 6.62607015e-34 * 299_792_458.0


def wave(component: str, wl: Any = 1.55, **settings: Any) -> Any:
    model = registry.get(component)
    assert isinstance(model, ClosedForm)
    return model.s(wl, **settings)[..., 1, 0].squeeze()


def power(component: str, wl: Any = 1.55, **settings: Any) -> Any:
    return np.abs(wave(component, wl, **settings)) ** 2


# --- Mach-Zehnder modulator ---------------------------------------------------------------------------


def test_mzm_follows_the_squared_cosine_down_to_its_extinction() -> None:
    voltage = np.linspace(-8, 8, 41)
    found = power("mach_zehnder_modulator", voltage=voltage, v_pi=4.0, extinction_dB=200.0, loss_dB=3.0)
    np.testing.assert_allclose(found, 10**-0.3 * np.cos(np.pi * voltage / 8) ** 2, atol=1e-10)
    limited = power("mach_zehnder_modulator", voltage=voltage, v_pi=4.0, extinction_dB=20.0, loss_dB=3.0)
    assert limited.max() == pytest.approx(10**-0.3)
    assert limited.min() == pytest.approx(10**-2.3)


def test_mzm_bias_and_wavelength_turn_the_same_phase() -> None:
    assert power("mach_zehnder_modulator", voltage=1.0, bias=1.0) == power(
        "mach_zehnder_modulator", voltage=2.0
    )
    # Quadrature at wl0 is less than quadrature at a longer wavelength.
    detuned = power("mach_zehnder_modulator", 1.6, voltage=2.0, extinction_dB=300.0, loss_dB=0.0)
    assert detuned == pytest.approx(np.cos(np.pi / 4 * 1.55 / 1.6) ** 2, abs=1e-12)


@pytest.mark.parametrize(("chirp", "alpha"), [(0.0, 0.0), (1.0, -1.0), (-1.0, 1.0)])
def test_mzm_chirp_is_the_one_of_its_drive(chirp: float, alpha: float) -> None:
    # Koyama and Iga: alpha = 2 (dphase/dV)/(dlnP/dV); at quadrature one driven arm gives |alpha| = 1.
    v = np.array([1.999, 2.001])
    waves = wave("mach_zehnder_modulator", voltage=v, v_pi=4.0, extinction_dB=300.0, chirp=chirp)
    slope = np.angle(waves[1] / waves[0])
    assert 2 * slope / np.log(np.abs(waves[1] / waves[0]) ** 2) == pytest.approx(alpha, abs=1e-6)


# --- ring modulator ------------------------------------------------------------------------------------


def test_ring_modulator_without_voltage_is_a_ring() -> None:
    wl = np.linspace(1.545, 1.555, 501)
    settings = {"radius": 8.0, "coupling": 0.0331, "neff": 2.44553, "ng": 4.2, "loss_dB_cm": 10.7}
    np.testing.assert_allclose(
        wave("ring_modulator", wl), wave("ring_single_ideal", wl, **settings), atol=1e-12
    )


def test_voltage_moves_the_resonance_by_the_index_over_the_group_index() -> None:
    wl = np.linspace(1.545, 1.555, 200_001)
    at_0, at_5 = (wl[power("ring_modulator", wl, voltage=v).argmin()] for v in (0.0, 5.0))
    assert at_5 - at_0 == pytest.approx(at_0 * 5 * 3.6e-5 / 4.2, rel=2e-3)


# --- absorption ------------------------------------------------------------------------------------------


def test_eam_absorbs_with_the_square_of_the_voltage() -> None:
    off, half, on = (power("electro_absorption_modulator", voltage=v, v_on=3.0) for v in (0.0, 1.5, 3.0))
    assert -10 * np.log10(off) == pytest.approx(4.0)
    assert 10 * np.log10(off / on) == pytest.approx(10.0)
    assert 10 * np.log10(off / half) == pytest.approx(2.5)


def test_eam_chirp_is_henrys_factor() -> None:
    a, b = (complex(wave("electro_absorption_modulator", voltage=v, chirp=1.7)) for v in (1.0, 1.001))
    assert -2 * np.angle(b / a) / np.log(abs(b / a) ** 2) == pytest.approx(1.7, rel=1e-9)


def test_positive_chirp_shifts_to_the_blue_while_the_power_rises() -> None:
    # The sign of time is that of a guide: a later wave of frequency f has turned by the sign of its delay.
    guide = ps.Circuit({"instances": {"g": "straight"}, "ports": {"in": "g,o1", "out": "g,o2"}})
    low, high = guide(wl=[1.5501, 1.55])["in", "out"].values
    sign_of_time = -np.sign(np.angle(high / low))  # exp(-i omega t) where delay adds phase to higher f
    dark, bright = (complex(wave("electro_absorption_modulator", voltage=v, chirp=2.0)) for v in (1.1, 1.0))
    assert abs(bright) > abs(dark)
    assert sign_of_time * np.angle(bright / dark) > 0


def test_attenuator_is_linear_in_decibels() -> None:
    current = np.array([0.0, 0.02, 0.04])
    loss = -10 * np.log10(power("variable_attenuator", current=current, slope_dB_A=300.0, loss_dB=0.5))
    np.testing.assert_allclose(loss, [0.5, 6.5, 12.5], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "setting"),
    [("mach_zehnder_modulator", "voltage"), ("ring_modulator", "voltage"),
     ("electro_absorption_modulator", "voltage"), ("variable_attenuator", "current")],
)  # fmt: skip
def test_electrical_port_drives_a_setting_that_has_an_effect(name: str, setting: str) -> None:
    model = registry.get(name)
    assert model.electrical == ("e1",)
    assert model.drives == {"e1": setting}
    wl = np.linspace(1.545, 1.555, 101)
    change = 0.05 if setting == "current" else 2.0
    assert np.abs(wave(name, wl, **{setting: change}) - wave(name, wl)).max() > 0.05


# --- amplifier -------------------------------------------------------------------------------------------


def test_soa_gain_peaks_where_it_says_and_is_half_its_decibels_at_half_its_width() -> None:
    gain = 10 * np.log10(power("soa", np.array([1.55, 1.59, 1.51]), gain_dB=20.0, fwhm=0.08))
    np.testing.assert_allclose(gain, [20.0, 10.0, 10.0], atol=1e-9)


@pytest.mark.parametrize(("gain_dB", "inversion"), [(0.0, 2.0), (3.0, 1.0), (30.0, 1.5)])
def test_soa_emits_what_its_noise_figure_asks_for(gain_dB: float, inversion: float) -> None:
    model = registry.get("soa")
    assert isinstance(model, ClosedForm)
    density = model.emission([1.55], gain_dB=gain_dB, inversion=inversion)
    gain, photon = 10 ** (gain_dB / 10), HC / 1.55e-6
    assert density["o1"] == density["o2"]
    assert density["o2"][0] == pytest.approx(inversion * photon * (gain - 1), rel=1e-12)
    # Signal against its beat with the noise, and shot noise: F = (2 density/photon + 1)/gain (olsson1989).
    figure = (2 * density["o2"][0] / photon + 1) / gain
    assert figure >= 1.0 - 1e-12
    if gain_dB > 20:
        assert figure == pytest.approx(2 * inversion, rel=2e-3)


def test_passive_parts_emit_nothing() -> None:
    model = registry.get("straight")
    assert isinstance(model, ClosedForm)
    assert model.emission([1.55]) == {}

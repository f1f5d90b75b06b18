"""Driven parts act with their own spectrum on all light of a band: against links, sums and rate equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError

C_UM = 299_792_458.0e6
GUIDE = {"neff": 2.44553, "ng": 4.19088}


def alone(component: str, **settings: Any) -> ps.Circuit:
    instances = {"part": {"component": component, "settings": settings}}
    return ps.Circuit({"instances": instances, "ports": {"in": "part,o1", "out": "part,o2"}})


def resonance(one: ps.Circuit) -> float:
    wl = np.linspace(1.545, 1.555, 20_001)
    return float(wl[np.argmin(one(wl)["in", "out"].power)])


def by_sum(one: ps.Circuit, wave: Any, at: float, rate: float, setting: str, values: Any, few: Any) -> Any:
    """The twin: at each instant all of the light's spectrum through S as it is then, summed up."""
    bins = np.fft.fftfreq(wave.size)
    s = one(C_UM / (C_UM / at - bins * rate), part={setting: values[few]})["in", "out"].values
    turned = np.exp(2j * np.pi * bins * few[:, np.newaxis])
    return (s * np.fft.fft(wave) * turned).mean(axis=1)


def test_lines_that_share_a_carrier_each_meet_the_drive_at_their_own_wavelength() -> None:
    """One of four ring modulators is driven: its line's current moves as the link's, the others' stay."""
    circuit = ps.load("wdm_link")
    drive = {"mod1.voltage": waveforms.sine(1e8, offset=2.0, amplitude=2.0, phase=-np.pi / 2)}
    out = ps.transient(circuit, 5e-9, sample_rate=1.6e12, drive=drive)
    assert out.sizes["carrier"] == 1
    for k in (0, 2000, 4000, 6000, 7999):
        # A receiver is late by its low-passes of 20 and 12 GHz: each 2.1/(2 pi of that).
        voltage = float(out.drive.values[0][max(k - 72, 0)])
        link = ps.link(circuit, mod1={"voltage": voltage})
        expected = np.array([reception.current for reception in link.receptions])
        np.testing.assert_allclose(out.current.values[:, k], expected, rtol=0, atol=2e-6)
    assert np.ptp(out.current.values[1]) > 0.15e-3
    assert np.ptp(out.current.values[[0, 2, 3]], axis=1).max() < 1.5e-6


@pytest.mark.parametrize(
    ("component", "setting", "low", "high"),
    [
        ("ring_modulator", "voltage", 0.0, 5.0),
        ("mach_zehnder_modulator", "voltage", -3.0, 3.0),
        ("electro_absorption_modulator", "voltage", 0.0, 3.0),
        pytest.param("bragg_grating", "temperature", 295.0, 305.0, marks=pytest.mark.nightly),
    ],
)
def test_driven_part_is_its_own_spectrum_at_each_instant(
    component: str, setting: str, low: float, high: float
) -> None:
    one = alone(component)
    rate, samples = 1e12, 6000
    time = np.arange(samples) / rate
    wave = np.exp(-(((time - 3e-9) / 8e-12) ** 2)) * np.exp(-2j * np.pi * 4e10 * time)
    at = resonance(one)
    middle, swing = (low + high) / 2, (high - low) / 2
    drive = {f"part.{setting}": waveforms.sine(2e7, offset=middle, amplitude=swing, phase=0.4)}
    out = ps.transient(
        one,
        samples / rate,
        sample_rate=rate,
        inputs={"in": {"field": wave}},
        wl=at,
        drive=drive,
        probes=["out"],
    )
    few = np.arange(2960, 3300, 68)
    expected = by_sum(one, wave, at, rate, setting, out.drive.values[0], few)
    np.testing.assert_allclose(out.wave.values[0, 0][few], expected, atol=2e-6)


def test_passive_modulator_never_transmits_more_than_it_gets() -> None:
    """Lines all over the band, a slow sweep over the resonance: at the carrier's factor some gained 57 %."""
    one = alone("ring_modulator")
    at, rate = resonance(one), 1.6e12
    drive = {"part.voltage": waveforms.sine(1e7, offset=10.0, amplitude=10.0, phase=-np.pi / 2)}
    for beside in (-3e11, -2e10, 1e10, 2e11):
        light = {"in": {"power": 1.0, "carrier": C_UM / (C_UM / at + beside)}}
        out = ps.transient(
            one, 2e-8, sample_rate=rate, inputs=light, wl=at, drive=drive, probes=["out"], quasi_static=True
        )
        power = np.abs(out.wave.values[0, 0]) ** 2
        assert power.max() < 1.0 + 1e-6
        few = slice(0, None, 4000)
        s = one([light["in"]["carrier"]], part={"voltage": out.drive.values[0][few]})["in", "out"].power[:, 0]
        np.testing.assert_allclose(power[few], s, atol=1e-3)


@pytest.mark.parametrize(
    ("component", "setting", "value"),
    [("ring_single", "phase", 0.0), ("ring_modulator", "voltage", 1.0), ("mzi", "phase", 0.7),
     ("bragg_grating", "temperature", 301.0)],
)  # fmt: skip
def test_constant_drive_equals_no_drive_exactly(component: str, setting: str, value: float) -> None:
    one = alone(component)
    rate = 2e12
    time = np.arange(4000) / rate
    asked: dict[str, Any] = {
        "sample_rate": rate,
        "inputs": {"in": {"field": np.exp(-(((time - 5e-10) / 5e-12) ** 2))}},
        "wl": 1.55,
        "probes": ["out"],
    }
    still = ps.transient(one, 2e-9, **asked, part={setting: value})
    for wave in (waveforms.constant(value), value, np.full(4000, value)):
        out = ps.transient(one, 2e-9, **asked, drive={f"part.{setting}": wave})
        np.testing.assert_array_equal(out.wave.values, still.wave.values)
        np.testing.assert_array_equal(out.drive.values[0], value)


def ring_by_parts() -> ps.Circuit:
    return ps.Circuit(
        {
            "instances": {
                "bus": {"component": "coupler", "settings": {"coupling": 0.004}},
                "guide": {
                    "component": "straight",
                    "settings": {"length": 62.8, "loss_dB_cm": 1.0, **GUIDE},
                },
                "part": {"component": "phase_shifter"},
            },
            "connections": {"bus,o3": "guide,o1", "guide,o2": "part,o1", "part,o2": "bus,o2"},
            "ports": {"in": "bus,o1", "out": "bus,o4"},
        }
    )


def test_probe_inside_a_driven_resonator_has_its_light() -> None:
    one = ring_by_parts()
    at = resonance(one)
    drive = {"part.phase": waveforms.sine(1e6, amplitude=2e-3)}
    inside = ["guide,o2", "bus,o3", "part,o1:in"]
    out = ps.transient(
        one, 1e-6, sample_rate=1e9, inputs={"in": 1e-3}, wl=at, drive=drive, probes=["out", *inside]
    )
    assert "quasi-static" in out.attrs["drives"]
    assert (np.abs(out.wave.sel(probe="guide,o2").values) ** 2).max() > 10e-3  # light builds up
    for k in (300, 500, 700):  # the drive starts with a kink, which rings
        phase = float(out.drive.values[0][k])
        s = one.transfer([at], ["out", *inside], ["in"], part={"phase": phase})[0, :, 0]
        np.testing.assert_allclose(out.wave.values[:, 0, k], np.sqrt(1e-3) * s, rtol=1e-6)


def test_narrow_resonator_follows_at_once_only_where_its_rate_equation_does() -> None:
    """A ring of 1.4 GHz and a drive of 5 MHz: how far it sweeps decides, not the drive's bandwidth."""
    one = ring_by_parts()
    at, rate, f = resonance(one), 2e10, 5e6
    k, a = 0.004, 10 ** (-1.0 * 62.8e-4 / 20)
    turn = GUIDE["ng"] * 62.8 / C_UM
    keep = np.sqrt(1 - k) * a
    index = GUIDE["neff"] - (at - 1.55) * (GUIDE["ng"] - GUIDE["neff"]) / 1.55
    rest = 2 * np.pi * index * 62.8 / at

    def rate_equation(time: Any, phase: Any) -> Any:
        """Field in front of the coupler, one round a step: b' = keep exp(i phase) b + a i sqrt(k) in."""
        steps = np.arange(round(time[0] / turn) - 4000, round(time[-1] / turn))
        phases = np.interp(steps * turn, time, phase)
        b, found = 0j, np.empty(steps.size, complex)
        for n, p in enumerate(phases):
            found[n] = np.sqrt(1 - k) * 1.0 + 1j * np.sqrt(k) * b
            b = np.exp(1j * (p + rest)) * (keep * b + a * 1j * np.sqrt(k))
        return np.interp(time, steps * turn, np.abs(found) ** 2)

    asked: dict[str, Any] = {"sample_rate": rate, "inputs": {"in": 1.0}, "wl": at, "probes": ["out"]}
    slow = {"part.phase": waveforms.sine(f, amplitude=5e-4)}
    out = ps.transient(one, 4e-7, **asked, drive=slow)
    error = float(out.attrs["drives"].rpartition(" ")[2])
    expected = rate_equation(out.time.values, out.drive.values[0])
    found = np.abs(out.wave.values[0, 0]) ** 2
    assert np.abs(found - expected)[200:-200].max() < 2 * error + 2e-3
    with pytest.raises(ParameterError, match="quasi_static=True where its drive is slow enough"):
        ps.transient(one, 4e-7, **asked, drive={"part.phase": waveforms.sine(f, amplitude=5e-3)})
    # And it would have been wrong by much more than that.
    wide = {"part.phase": waveforms.sine(f, amplitude=0.2)}
    out = ps.transient(one, 4e-7, **asked, drive=wide, quasi_static=True)
    found = np.abs(out.wave.values[0, 0]) ** 2
    assert np.abs(found - rate_equation(out.time.values, out.drive.values[0]))[200:-200].max() > 0.1
    assert float(out.attrs["drives"].rpartition(" ")[2]) > 0.1

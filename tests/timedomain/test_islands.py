"""Islands between nonlinear parts: their energies close, converters drive what they are wired to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError, PhotosimWarning

GUIDE = {"neff": 2.44553, "ng": 4.19088}


def test_energy_of_every_island_closes_between_nonlinear_parts() -> None:
    """Lossless islands about an absorber: what enters each leaves it, and only the part keeps some."""
    guide = {"component": "straight", "settings": {"length": 300.0, **GUIDE}}
    one = ps.Circuit(
        {
            "instances": {
                "before": guide,
                "ring": {"component": "ring_single", "settings": {"coupling": 0.1, **GUIDE}},
                "part": {"component": "saturable_absorber", "settings": {"absorbance": 1.0}},
                "after": guide,
            },
            "connections": {"before,o2": "ring,o1", "ring,o2": "part,o1", "part,o2": "after,o1"},
            "ports": {"in": "before,o1", "out": "after,o2"},
        }
    )
    light = waveforms.pulse(at=0.3e-9, width=40e-12, high=5e-3)
    asked: dict[str, Any] = {
        "sample_rate": 1e12,
        "inputs": {"in": light},
        "wl": 1.55,
        "probes": ["part,o1:in", "out"],
    }
    out = ps.transient(one, 1e-9, **asked, energies=True)
    assert out.sizes["island"] == 2
    np.testing.assert_allclose(out.energy_out, out.energy_in, rtol=1e-6)
    arrived, left = (np.abs(out.wave.values[:, 0]) ** 2).sum(axis=1) / 1e12
    np.testing.assert_allclose(
        out.energy_in.values, [light.sample(out.time.values).sum() / 1e12, left], rtol=1e-6
    )
    assert np.exp(-1.0) * arrived < left < 0.9 * arrived


def test_converter_drives_its_modulator_in_steps() -> None:
    one = ps.load("modulator")
    wave = waveforms.sine(1e9, amplitude=1.5)
    out = ps.transient(one, 4e-9, sample_rate=400e9, drive={"drive": wave}, dac={"bandwidth": 1e15})
    voltage = out.drive.sel(setting="modulator.voltage").values
    # Behind the modulator's 30 GHz the steps of 4/63 V are round, but half a step off the sine at most.
    assert np.abs(voltage - wave.sample(out.time.values))[200:-200].max() < 1.5 * 2 / 63 + 0.06
    q2 = 10**-2.5
    power = 5e-3 * 10**-0.4 * (1 + q2 + (1 - q2) * np.cos(np.pi * (voltage + 2) / 4)) / 2
    wave_out = ps.transient(
        ps.load("link"),
        1e-10,
        sample_rate=1e12,
        drive={"phase": waveforms.constant(0.3)},
        probes=["receiver,o1"],
    )
    assert np.allclose(np.abs(wave_out.wave.values) ** 2, 2e-3 * 10**-0.3 * np.cos(0.15) ** 2)
    settled = slice(400, -400)
    # Low-passes of 20, 15 and 30 GHz are late by 2.1/(2 pi B) each: 20 samples.
    current, late = out.current.values[0], np.roll(power, 20)
    assert np.corrcoef(current[settled], late[settled])[0, 1] > 0.98


def test_converter_at_rest_holds_its_level() -> None:
    one = ps.load("modulator")
    out = ps.transient(one, 1e-9, sample_rate=400e9, probes=["pd,o1"])
    assert np.abs(out.wave.values[0, 0, -1]) ** 2 == pytest.approx(0.974e-3, abs=1e-6)


def test_voltage_beyond_a_converter_is_counted() -> None:
    one = ps.load("modulator")
    with pytest.warns(PhotosimWarning) as caught:
        ps.transient(one, 1e-9, sample_rate=400e9, drive={"drive": waveforms.sine(1e9, amplitude=2.5)})
    assert any("'dac' should give" in str(w.message) and "samples:" in str(w.message) for w in caught)


def test_free_space_is_no_circuit_in_time() -> None:
    with pytest.raises(ParameterError, match="free-space component, which"):
        ps.transient(ps.load("opu"), 1e-9, sample_rate=1e11)

"""Harmonics of driven parts and beats in detectors: refused beyond the band, never mirrored into it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError
from photosim.timedomain.beats import coarser, finer

C_UM = 299_792_458.0e6


def test_finer_clock_is_the_same_signal() -> None:
    t = np.arange(2000.0)
    for frequency in (0.0, 0.11, -0.3, 0.4):
        found = finer(np.exp(2j * np.pi * frequency * t))
        expected = np.exp(2j * np.pi * frequency * np.arange(4000) / 2)
        np.testing.assert_allclose(found[400:-400], expected[400:-400], atol=2e-5)
        np.testing.assert_allclose(coarser(found)[400:-400], expected[::2][400:-400], atol=4e-5)
    # Beyond half of the coarser rate nothing is left to be mirrored.
    beyond = np.exp(2j * np.pi * 0.7 * np.arange(4000) / 2)
    assert np.abs(coarser(beyond))[400:-400].max() < 2e-5


def modulated() -> ps.Circuit:
    return ps.Circuit(
        {
            "instances": {"part": {"component": "phase_shifter"}},
            "ports": {"in": "part,o1", "out": "part,o2"},
        }
    )


def test_harmonics_of_a_driven_phase_are_refused_where_they_leave_the_band() -> None:
    """35 GHz with 2.4 rad: its harmonics at 70 and 105 GHz were mirrored to 30 and 5 GHz."""
    asked: dict[str, Any] = {"inputs": {"in": 1e-3}, "wl": 1.55, "probes": ["out"]}
    drive = {"part.phase": waveforms.sine(35e9, amplitude=2.4)}
    with pytest.raises(ParameterError, match=r"too low for the light out of 'part': .* 4e\+10 Hz from"):
        ps.transient(modulated(), 2e-9, sample_rate=100e9, drive=drive, **asked)
    # At a rate that carries them the lines are those of Jacobi and Anger.
    from scipy.special import jv

    out = ps.transient(modulated(), 4e-9, sample_rate=800e9, drive=drive, **asked)
    wave = out.wave.values[0, 0][400:2800]  # 105 periods
    lines = np.abs(np.fft.fft(wave)) / wave.size / np.sqrt(1e-3)
    for order in range(5):
        assert lines[105 * order] == pytest.approx(abs(jv(order, 2.4)), abs=1e-4)
    # Weak modulation stays in the band at the low rate.
    weak = {"part.phase": waveforms.sine(35e9, amplitude=0.1)}
    ps.transient(modulated(), 2e-9, sample_rate=100e9, drive=weak, **asked)


def receiver(bandwidth: float) -> ps.Circuit:
    settings = {"bandwidth": bandwidth, "responsivity": 1.0}
    return ps.Circuit(
        {
            "instances": {
                "g": {"component": "attenuator", "settings": {"loss_dB": 0.0}},
                "pd": {
                    "component": "photodetector",
                    "settings": settings,
                },
            },
            "connections": {"g,o2": "pd,o1"},
            "ports": {"in": "g,o1"},
        }
    )


def test_beat_beyond_the_band_is_not_mirrored_into_it() -> None:
    """Lines 70 GHz apart at 100 GS/s: the beat used to appear at 30 GHz, ten times too strong."""
    rate, beside = 100e9, 35e9
    lines = [
        {"field": 0.03, "carrier": C_UM / (C_UM / 1.55 + beside)},
        {"field": 0.03, "carrier": C_UM / (C_UM / 1.55 - beside)},
    ]
    asked: dict[str, Any] = {"sample_rate": rate, "inputs": {"in": lines}, "wl": 1.55}
    with pytest.raises(ParameterError, match=r"too low for the current of 'pd'.* or a detector with a band"):
        ps.transient(receiver(0.0), 10e-9, **asked)
    out = ps.transient(receiver(5e9), 10e-9, **asked)
    current = out.current.values[0][300:-300]
    mean = 2 * 0.03**2
    assert current.mean() == pytest.approx(mean, rel=1e-4)
    # A Bessel low-pass of fourth order has 70 GHz behind 5 GHz at 1e-4; nothing of it may be at 30 GHz.
    assert np.ptp(current) / 2 < 1e-3 * mean


@pytest.mark.parametrize("apart", [10e9, 30e9, 38e9])
def test_beat_within_the_band_has_its_strength(apart: float) -> None:
    lines = [
        {"field": 0.03, "carrier": C_UM / (C_UM / 1.55 + apart / 2)},
        {"field": 0.02, "carrier": C_UM / (C_UM / 1.55 - apart / 2)},
    ]
    out = ps.transient(receiver(0.0), 10e-9, sample_rate=100e9, inputs={"in": lines}, wl=1.55)
    time = out.time.values
    expected = 0.03**2 + 0.02**2 + 2 * 0.03 * 0.02 * np.cos(2 * np.pi * apart * time)
    np.testing.assert_allclose(out.current.values[0], expected, atol=1e-4 * 0.03**2)


@pytest.mark.parametrize("bandwidth", [0.0, 100e9, 500e9])
def test_beat_of_separate_carriers_is_refused_where_the_receiver_passes_it(bandwidth: float) -> None:
    """Lines 150 GHz apart at 100 GS/s have carriers of their own: their beat used to be left out silently."""
    lines = [{"field": 0.03, "carrier": 1.55}, {"field": 0.03, "carrier": C_UM / (C_UM / 1.55 + 150e9)}]
    with pytest.raises(ParameterError, match=r"beats at 1\.5e\+11 Hz in the current of 'pd'.* 4\.5e\+11 Hz"):
        ps.transient(receiver(bandwidth), 2e-9, sample_rate=100e9, inputs={"in": lines})
    out = ps.transient(receiver(20e9), 2e-9, sample_rate=100e9, inputs={"in": lines})
    np.testing.assert_allclose(out.current.values[0], 2 * 0.03**2, rtol=1e-6, atol=1e-9)
    whole = ps.transient(receiver(bandwidth), 2e-9, sample_rate=4.5e11, inputs={"in": lines})
    assert np.ptp(whole.current.values[0][300:-300]) > 0.5 * 0.03**2


def test_slow_receiver_of_an_edge_needs_no_finer_clock() -> None:
    """Nothing but rounding is left behind a kilohertz: that has no band to be too wide."""
    rise = waveforms.step(at=1e-9, high=1e-3, rise=100e-12)
    light = {"in": {"power": rise, "carrier": 1.55}}
    out = ps.transient(receiver(1e3), 4e-9, sample_rate=100e9, inputs=light)
    assert np.abs(out.current.values[0]).max() < 1e-9

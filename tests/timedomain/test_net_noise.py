"""Noise of resistors in electrical nets over time, against kT/C and the small-signal response."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import signal

import photosim as ps
from photosim.conventions import BOLTZMANN_J_K
from photosim.errors import ParameterError, PhotosimWarning

RATE = 160e9


def low_pass(temperature: float) -> ps.Circuit:
    """A source of 0 V, 1 kohm and 10 fF: a pole at 15.9 GHz."""
    resistor = {"resistance": 1e3, "temperature": temperature}
    return ps.Circuit(
        {
            "instances": {
                "src": {"component": "voltage_source", "settings": {"voltage": 0.0}},
                "r": {"component": "resistor", "settings": resistor},
                "c": {"component": "capacitor", "settings": {"capacitance": 1e-14}},
            },
            "nets": [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["src,e2", "c,e2", "gnd"]],
        }
    )


def voltage(circuit: ps.Circuit, net: str, **options: Any) -> Any:
    out = ps.transient(circuit, 40e-9, sample_rate=RATE, noise=True, settle=0.2e-9, probes=[], **options)
    return out.voltage.sel(net=net).values


@pytest.mark.parametrize("temperature", [300.0, 200.0])
def test_noise_of_a_capacitor_is_kt_over_c(temperature: float) -> None:
    """The noise ends at twice the sample rate, so that 3 % of the line of the pole is left out."""
    found = voltage(low_pass(temperature), "r,e2", seed=3).var()
    pole = 1 / (2 * np.pi * 1e3 * 1e-14)
    expected = BOLTZMANN_J_K * temperature / 1e-14 * 2 / np.pi * np.arctan(2 * RATE / pole)
    independent = 40e-9 * 2 * np.pi * pole
    assert found == pytest.approx(expected, rel=5 * np.sqrt(2 / independent))


def test_noise_belongs_to_its_instant_and_its_seed() -> None:
    circuit = low_pass(300.0)
    one, earlier, other = (
        ps.transient(circuit, 1e-9, sample_rate=RATE, noise=True, seed=seed, settle=settle)
        for seed, settle in ((3, 1e-9), (3, 2e-9), (4, 1e-9))
    )
    np.testing.assert_allclose(one.voltage, earlier.voltage, rtol=0, atol=1e-6 * float(one.voltage.std()))
    assert not np.allclose(one.voltage, other.voltage)
    assert one.attrs["seed"] == 3
    assert "noise of 1 elements up to 3.2e+11 Hz" in one.attrs["electronics"]


def test_cold_resistors_and_runs_without_noise_have_none() -> None:
    assert not voltage(low_pass(0.0), "r,e2").any()
    assert not ps.transient(low_pass(300.0), 1e-9, sample_rate=RATE).voltage.values.any()


def test_detector_in_a_net_has_the_noise_of_the_small_signal_response() -> None:
    """Shot noise of the light and thermal noise of the net's resistor, not of the detector's own load."""
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-4, "rin_dB_Hz": -1000.0}},
                "pd": {"component": "photodetector", "settings": {"bandwidth": 0.0, "load_resistance": 50.0}},
                "load": {"component": "resistor", "settings": {"resistance": 2e3}},
                "c": {"component": "capacitor", "settings": {"capacitance": 2e-14}},
                "src": {"component": "voltage_source", "settings": {"voltage": 0.0}},
                "far": {"component": "resistor", "settings": {"resistance": 1e5, "temperature": 0.0}},
            },
            "connections": {"laser,o1": "pd,o1"},
            "nets": [
                ["pd,e1", "load,e1", "c,e1", "far,e1"],
                ["src,e1", "far,e2"],
                ["load,e2", "c,e2", "src,e2", "gnd"],
            ],
        }
    )
    quiet = ps.transient(circuit, 1e-9, sample_rate=RATE, probes=[]).voltage.sel(net="pd,e1").values[-1]
    assert quiet > 0.1
    found = voltage(circuit, "pd,e1", seed=5)
    frequency, density = signal.welch(found, RATE, nperseg=256)
    low = (frequency > 0) & (frequency < 20e9)
    expected = ps.response(circuit, frequency[low], source="src", noise=True)
    ratio = density[low] / expected.voltage_noise.sel(net="pd,e1").values
    assert ratio.mean() == pytest.approx(1.0, abs=0.12)


def test_noise_in_a_control_loop_is_that_of_the_small_signal_response() -> None:
    """A resistor's noise in a ring that locks itself, with the shot noise taken out by a second run."""
    circuit = ps.load("ring_lock")
    quiet: Any = {"tone": {"amplitude": 0.0}, "laser": {"linewidth": 0.0, "rin_dB_Hz": -1000.0}}
    warm: Any
    cold: Any
    warm, cold = (quiet | {"load": {"temperature": kelvin}} for kelvin in (300.0, 0.0))
    found = [
        ps.transient(circuit, 1e-3, sample_rate=1e6, noise=True, seed=3, settle=1e-4, probes=[], **own)
        for own in (warm, cold)
    ]
    assert "noise of 2 elements up to 2e+06 Hz" in found[0].attrs["electronics"]
    assert "noise of 1 elements" in found[1].attrs["electronics"]
    frequency = np.arange(2, 52) * 1e6 / 128
    folded = np.concatenate([frequency, 1e6 - frequency, 1e6 + frequency, 2e6 - frequency])
    for net in ("pd,e1", "tone,e1"):
        apart = found[0].voltage.sel(net=net).values - found[1].voltage.sel(net=net).values
        warmed, cooled = (
            ps.response(circuit, folded, source="set", noise=True, **own).voltage_noise.sel(net=net).values
            for own in (warm, cold)
        )
        # Samples fold what lies beyond half their rate; the noise ends at twice the rate.
        wanted = (warmed - cooled).reshape(4, -1).sum(axis=0)
        _, had = signal.welch(apart, 1e6, nperseg=128)
        # 15 stretches that overlap by half, in 50 bins: a standard error of 5 %.
        assert float((had[2:52] / wanted).mean()) == pytest.approx(1.0, abs=0.2), net


def test_a_line_wider_than_samples_carry_is_refused_and_a_wide_one_warned_of() -> None:
    """Its phase turns from sample to sample, which a detector showed as noise of power, 43 % of it."""
    circuit = ps.Circuit(
        {
            "instances": {
                "l": {"component": "laser", "settings": {"rin_dB_Hz": -1000.0}},
                "pd": "photodetector",
            },
            "connections": {"l,o1": "pd,o1"},
        }
    )
    own: Any = {"noise": True, "probes": [], "pd": {"bandwidth": 0.0}}
    with pytest.raises(
        ParameterError, match=r"linewidth of 'l', 1e\+06 Hz, .* at least 1e\+08 Hz, or linewidth=0"
    ):
        ps.transient(circuit, 1e-4, sample_rate=1e6, **own)
    with pytest.warns(
        PhotosimWarning, match="turns between samples, which shows as noise of 6 % of its power"
    ):
        found = ps.transient(circuit, 1e-5, sample_rate=5e7, **own).current.values[0]
    assert found.std() / found.mean() == pytest.approx(0.06, rel=0.4)

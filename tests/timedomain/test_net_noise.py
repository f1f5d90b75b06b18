"""Noise of resistors in electrical nets over time, against kT/C and the small-signal response."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import signal

import photosim as ps
from photosim.conventions import BOLTZMANN_J_K

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

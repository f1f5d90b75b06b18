"""Driven phase shifters: phase per power, and the junction against its formulas written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.model import ClosedForm, registry


def wave(component: str, **settings: Any) -> complex:
    model = registry.get(component)
    assert isinstance(model, ClosedForm)
    return complex(model.s([1.55], **settings)[0, 1, 0])


def test_p_pi_turns_the_wave_round() -> None:
    assert wave("thermo_optic_shifter", power=24.8e-3) == pytest.approx(
        -wave("thermo_optic_shifter"), abs=1e-12
    )
    assert abs(wave("thermo_optic_shifter", power=0.01)) ** 2 == pytest.approx(10**-0.023)


def carriers(voltage: float, acceptors: float, donors: float) -> tuple[float, float]:
    """Index change and loss in dB/cm of a junction in a core of 0.5 um, with SI units throughout."""
    eps, q = 11.7 * 8.8541878e-12, 1.602176634e-19
    depleted = np.sqrt(2 * eps * (0.9 + voltage) * (1e-6 / acceptors + 1e-6 / donors) / q)
    n_side = (0.25e-6 - depleted * acceptors / (acceptors + donors)) / 0.5e-6
    p_side = (0.25e-6 - depleted * donors / (acceptors + donors)) / 0.5e-6
    index = -(5.40e-22 * donors**1.011 * n_side + 1.53e-18 * acceptors**0.838 * p_side)
    alpha = 8.88e-21 * donors**1.167 * n_side + 5.84e-20 * acceptors**1.109 * p_side
    return float(index), float(10 * np.log10(np.e) * alpha)


@pytest.mark.parametrize(("acceptors", "donors"), [(5e17, 5e17), (2e17, 2e18), (3e18, 4e17)])
def test_junction_is_its_formulas(acceptors: float, donors: float) -> None:
    for voltage in (0.0, 2.0, 5.0):
        settings = {"voltage": voltage, "acceptors": acceptors, "donors": donors, "length": 100.0}
        found = wave("pn_phase_shifter", **settings)
        index, loss = carriers(voltage, acceptors, donors)
        expected = np.exp(2j * np.pi / 1.55 * (2.44553 + index) * 100) * 10 ** (-(2.5 + loss) * 0.01 / 20)
        assert found == pytest.approx(expected, abs=1e-8)


def test_junction_is_as_efficient_as_published_ones() -> None:
    length = 1000.0  # um
    cold, driven = (wave("pn_phase_shifter", voltage=v, length=length) for v in (0.0, 2.0))
    phase = np.angle(driven / cold)
    assert phase > 0  # fewer carriers, higher index
    v_pi_l = np.pi / phase * 2.0 * length * 1e-4  # V cm; depletion devices have 1.5 to 2.5
    assert 0.5 < v_pi_l < 2.5
    assert abs(driven) > abs(cold)  # and less absorption


@pytest.mark.parametrize(
    ("component", "setting"), [("thermo_optic_shifter", "power"), ("pn_phase_shifter", "voltage")]
)
def test_electrical_port_drives_the_phase(component: str, setting: str) -> None:
    model = registry.get(component)
    assert model.drives == {"e1": setting}
    assert abs(np.angle(wave(component, **{setting: 1e-2}) / wave(component))) > 1e-4


def test_heater_follows_a_step_with_its_time_constant() -> None:
    circuit = ps.Circuit(
        {
            "instances": {"heater": {"component": "thermo_optic_shifter", "settings": {"bandwidth": 1e9}}},
            "ports": {"in": "heater,o1", "out": "heater,o2"},
        }
    )
    step = waveforms.step(at=1e-9, low=0.0, high=24.8e-3)
    out = ps.transient(
        circuit, 3e-9, sample_rate=200e9, drive={"heater.power": step},
        inputs={"in": waveforms.constant(1e-3)}, wl=1.55, probes=["out"],
    )  # fmt: skip
    turned = np.unwrap(np.angle(out.wave.values[0, 0]))
    time = out.time.values - 1e-9
    later = (time > 0.05e-9) & (time < 1.5e-9)
    expected = np.pi * (1 - np.exp(-2 * np.pi * 1e9 * time[later]))
    np.testing.assert_allclose(turned[later] - turned[0], expected, atol=0.1)

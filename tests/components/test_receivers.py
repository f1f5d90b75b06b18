"""Racetracks, combs, hybrids and the electronics: known figures and limits."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

import photosim as ps
from photosim.components.couplers import coupling_angle
from photosim.components.guides import euler_bend_length
from photosim.model import ClosedForm, Detector, Electronic, Source, registry
from photosim.model.algebra import NUMPY

C_UM_S = 299_792_458.0e6


def test_racetrack_is_an_all_pass_ring_of_its_length() -> None:
    wl = np.linspace(1.54, 1.56, 401)
    settings = {"radius": 5.0, "gap": 0.2, "length_x": 4.0, "length_y": 2.0, "phase": 0.4, "loss_dB_cm": 20.0}
    circuit = ps.Circuit(
        {"instances": {"r": {"component": "racetrack", "settings": settings}},
         "ports": {"in": "r,o1", "out": "r,o2"}}
    )  # fmt: skip
    bend = float(euler_bend_length(NUMPY, 5.0, 90.0, 0.5))
    length, bus = 4 * bend + 2 * 4.0 + 2 * 2.0, 2 * 3.0 + 4.0
    index = 2.44553 - (wl - 1.55) * (4.19088 - 2.44553) / 1.55
    per_um = 2j * np.pi * index / wl - 20.0 * 1e-4 / 20 * np.log(10)
    turn = np.exp(per_um * length + 0.4j * 1.55 / wl)
    r = np.cos(coupling_angle(NUMPY, wl, 0.2, 4.0, 5.0))
    expected = np.exp(per_um * bus) * (r - turn) / (1 - r * turn)
    np.testing.assert_allclose(circuit(wl)["in", "out"].values, expected, atol=1e-11)


# --- sources -------------------------------------------------------------------------------------------


def lines(name: str, **settings: Any) -> tuple[Any, Any]:
    return cast("Source", registry.get(name)).lines(**settings)


def test_comb_has_its_power_and_its_envelope() -> None:
    wl, power = lines("frequency_comb", power=5e-3, lines=41, spacing=50e9, fwhm=1e12)
    assert power.sum() == pytest.approx(5e-3)
    np.testing.assert_allclose(np.diff(C_UM_S / wl), -50e9, rtol=1e-9)
    # Lines 10 from the middle lie half a terahertz away: at half the power of the middle one.
    np.testing.assert_allclose(power[[10, 30]], power[20] / 2, rtol=1e-9)


def test_pulses_are_as_short_and_high_as_they_say() -> None:
    duration, rate = 2e-12, 10e9
    wl, power = lines("pulsed_laser", duration=duration, repetition_rate=rate, power=1e-3, lines=201)
    t = np.linspace(-4e-12, 4e-12, 8001)
    offsets = C_UM_S / wl - C_UM_S / 1.55
    field = (np.sqrt(power)[:, np.newaxis] * np.exp(-2j * np.pi * offsets[:, np.newaxis] * t)).sum(axis=0)
    intensity = np.abs(field) ** 2
    above = t[intensity >= intensity.max() / 2]
    assert above[-1] - above[0] == pytest.approx(duration, rel=2e-3)
    # A sech**2 pulse holds its energy in duration/0.8814 of its peak.
    assert intensity.max() == pytest.approx(0.8814 * 1e-3 / (rate * duration), rel=1e-3)


def test_comb_below_zero_frequency_is_refused_by_name() -> None:
    with pytest.raises(ps.ParameterError, match=r"frequency_comb: 4001 lines .* reach below zero frequency"):
        lines("frequency_comb", lines=4001)


# --- detectors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "factor"), [(0.0, 1.9), (1.0, 10.0), (0.1, 2.71)])
def test_avalanche_noise_is_mcintyres(k: float, factor: float) -> None:
    model = cast("Detector", registry.get("avalanche_photodetector"))
    gain, excess = model.multiplication(multiplication=10.0, ionisation_ratio=k)
    assert gain == 10.0
    assert excess == pytest.approx(factor)
    assert model.responsivity([1.55], responsivity=0.8, multiplication=10.0)["o1"] == pytest.approx(8.0)


def test_without_avalanche_there_is_no_excess() -> None:
    assert cast("Detector", registry.get("photodetector")).multiplication() == (1.0, 1.0)
    model = cast("Detector", registry.get("avalanche_photodetector"))
    assert model.multiplication(multiplication=1.0, ionisation_ratio=0.3)[1] == pytest.approx(1.0)


# --- coherent receiver -----------------------------------------------------------------------------------


def test_hybrid_splits_evenly_and_keeps_power() -> None:
    s = cast("ClosedForm", registry.get("hybrid_90")).s([1.55], loss_dB=0.0, phase_error=0.3)[0]
    into = s[2:, :2]
    np.testing.assert_allclose(into.conj().T @ into, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(np.abs(into) ** 2, 0.25, atol=1e-14)


@pytest.mark.parametrize("phase", [0.0, 0.7, np.pi / 2, 2.5, -1.9])
def test_coherent_receiver_gives_real_and_imaginary_part(phase: float) -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 2e-3}},
                "split": "splitter",
                "turn": {"component": "phase_shifter", "settings": {"phase": phase}},
                "receiver": {"component": "coherent_receiver", "settings": {"loss_dB": 0.0, "responsivity":
                0.9}},
            },
            "connections": {
                "laser,o1": "split,o1", "split,o2": "turn,o1", "turn,o2": "receiver,signal",
                "split,o3": "receiver,oscillator",
            },
        }
    )  # fmt: skip
    found = circuit.photocurrents().values[0]
    np.testing.assert_allclose(found, 0.9e-3 * np.array([np.cos(phase), np.sin(phase)]), atol=1e-15)


# --- electronics -----------------------------------------------------------------------------------------


def stage(name: str, **settings: Any) -> Any:
    return cast("Electronic", registry.get(name)).stage(**settings)


def test_stages_are_their_settings() -> None:
    amplifier = stage("transimpedance_amplifier", gain=2e3, noise_density=1e-11, output_range=0.8)
    assert (amplifier.gain, amplifier.noise_density, amplifier.low, amplifier.high) == (2e3, 1e-11, -0.4, 0.4)
    assert amplifier.step == 0.0
    converter = stage("adc", bits=3, input_range=0.7, offset=0.35)
    assert (converter.low, converter.high) == (pytest.approx(0.0), pytest.approx(0.7))
    assert converter.step == pytest.approx(0.1)
    assert stage("dac", voltage=1.5).level == 1.5


def test_wrong_setting_of_a_stage_is_refused() -> None:
    with pytest.raises(ps.ParameterError, match="'bits' is 40 bit, but must be 1 to 32 bit"):
        stage("adc", bits=40)


def test_electrical_wires_are_kept_through_the_hierarchy() -> None:
    netlist = {
        "instances": {
            "laser": "laser", "split": "splitter", "receiver": "coherent_receiver",
            "one": "transimpedance_amplifier", "two": "adc", "drive": "dac", "modulator": "ring_modulator",
        },
        "connections": {
            "laser,o1": "split,o1", "split,o2": "modulator,o1", "modulator,o2": "receiver,o1",
            "split,o3": "receiver,o2", "receiver,e2": "one,e1", "one,e2": "two,e1", "drive,e1":
            "modulator,e1",
        },
    }  # fmt: skip
    circuit = ps.Circuit(netlist)
    assert circuit.graph.wires == (
        (("receiver.quadrature", "e1"), ("one", "e1")),
        (("one", "e2"), ("two", "e1")),
        (("drive", "e1"), ("modulator", "e1")),
    )

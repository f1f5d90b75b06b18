"""Amplifiers and converters behind a bank's rows: parts of the netlist that decide what is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import signal

from photosim.circuit import Circuit, load
from photosim.conventions import ELEMENTARY_CHARGE_C
from photosim.errors import NetlistError, ParameterError
from photosim.model import Instance, Netlist, links
from photosim.training.arrays import FloatArray
from photosim.training.devices import Converters, Measured, WeightBank, product_error
from photosim.training.devices.bank import receivers
from photosim.training.devices.bank.circuit import find_bank
from photosim.training.job import read_options, train

IDEAL = Converters(heater_bits=None, input_bits=None)
WANTED = np.random.default_rng(61).uniform(-1.0, 1.0, (3, 4))
X = np.random.default_rng(62).uniform(-1.0, 1.0, (40, 4))
# Both signs in every sample: no light at all would lie just between two codes.
X[:, 0], X[:, 1] = np.abs(X[:, 0]), -np.abs(X[:, 1])
GAIN = np.random.default_rng(63).uniform(0.0, 1.0, (40, 3))
AMPLIFIED: dict[str, Any] = {"tia_gain": 300.0, "tia_noise_density": 40e-12, "tia_bandwidth": 8e9}
CONVERTED: dict[str, Any] = {"tia_gain": 300.0, "adc_bits": 5, "adc_input_range": 0.6}
MakeBank = Callable[..., Circuit]
Dense = Callable[[Circuit, FloatArray], FloatArray]


def programmed(circuit: Circuit) -> WeightBank:
    """The bank of a circuit holding WANTED, ideal but for the circuit's own parts."""
    return WeightBank.from_circuit(circuit, "bank", IDEAL).program(WANTED)


def cycles(dense: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Currents (batch, M) in A of the positive and the negative parts of x, and the scale of each sample."""
    scale = np.abs(x).max(axis=1, keepdims=True)
    return np.maximum(x / scale, 0.0) @ dense.T, np.maximum(-x / scale, 0.0) @ dense.T, scale


def converted(current: FloatArray, ohm: float, bits: int, span: float) -> FloatArray:
    """What a converter of 2**bits codes over `span` volts reads behind an amplifier, in A."""
    codes = np.linspace(-span / 2, span / 2, 2**bits)
    nearest = np.abs(np.clip(current * ohm, codes[0], codes[-1])[..., np.newaxis] - codes).argmin(axis=-1)
    return np.asarray(codes[nearest] / ohm)


def test_settings_of_the_parts_are_read_from_the_circuit(make_bank: MakeBank) -> None:
    plain = find_bank(make_bank(), "bank").receiver
    assert (plain.chain.stages, plain.bandwidth, plain.converts) == ((), 20e9, False)
    amplified = find_bank(make_bank(**AMPLIFIED), "bank").receiver
    (stage,) = amplified.chain.stages
    assert (stage.gain, stage.noise_density, amplified.bandwidth) == (300.0, 40e-12, 8e9)
    assert amplified.cycle_s == pytest.approx(0.5 / 8e9)
    both = find_bank(make_bank(**CONVERTED, adc_bandwidth=3e9), "bank").receiver
    assert both.chain.names == ("bank.row0.tia", "bank.row0.adc")
    assert (both.chain.stages[1].bits, both.chain.stages[1].high, both.bandwidth) == (5, 0.3, 3e9)
    assert both.converts


def test_parts_wired_to_the_banks_ports_are_those_inside_it(make_bank: MakeBank) -> None:
    inner = make_bank(**CONVERTED)
    bare = make_bank().netlist
    parts = {
        name: part
        for m in range(3)
        for name, part in (
            (f"amplifier{m}", Instance("transimpedance_amplifier", {"gain": 300.0})),
            (f"converter{m}", Instance("adc", {"bits": 5, "input_range": 0.6})),
        )
    }
    wires = [f"bank,e{m + 1}:amplifier{m},e1" for m in range(3)]
    wires += [f"amplifier{m},e2:converter{m},e1" for m in range(3)]
    outer = Circuit(Netlist({**bare.instances, **parts}, links("laser,o1:bank,o1", *wires)))
    found, reference = (find_bank(circuit, "bank").receiver for circuit in (outer, inner))
    assert found.chain.names == ("amplifier0", "converter0")
    assert found.chain.stages == reference.chain.stages
    np.testing.assert_array_equal(programmed(outer).apply(X), programmed(inner).apply(X))


@pytest.mark.parametrize("change", [{}, {"tia_noise_density": 120e-12}, {"tia_bandwidth": 2e9}], ids=str)
def test_noise_of_the_product_follows_the_netlists_amplifier(
    change: dict[str, float], make_bank: MakeBank, dense: Dense
) -> None:
    circuit = make_bank({"rin_dB_Hz": -400.0}, **{**AMPLIFIED, **change})
    device = programmed(circuit).with_noise("physical", np.random.default_rng(64))
    count, x = 20_000, np.array([1.0, 0.4, 0.7, 0.2])
    sample = device.apply(np.broadcast_to(x, (count, 4))) * device.programmed.unit
    settings = {**AMPLIFIED, **change}
    # The amplifier takes the place of the load: 4 k T/R is not there. Light comes in the first cycle alone.
    light = (device.programmed.plus + device.programmed.minus)[0, 0] @ x
    shot = 2 * ELEMENTARY_CHARGE_C * (light + 2 * 2 * 1e-10)
    # Two low-passes for the light, that of the detectors at 20 GHz, and one for the noise of the amplifier.
    f = np.linspace(0, 8 * settings["tia_bandwidth"], 20_001)
    own, detector = (
        np.abs(signal.freqs(*signal.bessel(4, 2 * np.pi * b, analog=True, norm="mag"), 2 * np.pi * f)[1]) ** 2
        for b in (settings["tia_bandwidth"], 20e9)
    )
    variance = shot * np.trapezoid(own * detector, f)
    variance += 2 * settings["tia_noise_density"] ** 2 * np.trapezoid(own, f)
    statistic = (count - 1) * sample.var(axis=0, ddof=1) / variance
    # Chi-square: mean n - 1, deviation sqrt(2 n); five deviations.
    assert np.all(np.abs(statistic - (count - 1)) < 5 * np.sqrt(2 * count))
    mean = dense(circuit, device.programmed.phases[0]) @ x
    np.testing.assert_allclose(sample.mean(axis=0), mean, atol=5 * np.sqrt(variance.max() / count))


@pytest.mark.parametrize(
    "change", [{}, {"adc_bits": 3}, {"adc_input_range": 0.2}, {"tia_gain": 200.0}], ids=str
)
def test_the_product_is_rounded_by_the_netlists_converter(
    change: dict[str, Any], make_bank: MakeBank, dense: Dense
) -> None:
    settings = {**CONVERTED, **change}
    circuit = make_bank(**settings)
    device = programmed(circuit)
    weights = dense(circuit, device.programmed.phases[0])
    how = (settings["tia_gain"], settings["adc_bits"], settings["adc_input_range"])
    plus, minus, scale = cycles(weights, X)
    expected = (converted(plus, *how) - converted(minus, *how)) * scale / device.programmed.unit
    np.testing.assert_allclose(device.apply(X), expected, atol=1e-9)
    lost = int(np.sum(np.abs(np.stack([plus, minus])) * how[0] > how[2] / 2))
    assert device.counters["clipped readings"] == lost
    assert (lost > 0) == (change == {"adc_input_range": 0.2})
    assert np.abs(expected - X @ WANTED.T).max() > 0.02  # rounding is felt


def test_an_amplifier_clips_at_the_ends_of_its_range(make_bank: MakeBank, dense: Dense) -> None:
    circuit = make_bank(tia_gain=300.0, tia_output_range=0.1)
    device = programmed(circuit)
    plus, minus, scale = cycles(dense(circuit, device.programmed.phases[0]), X)
    expected = (np.clip(plus, -0.05 / 300, 0.05 / 300) - np.clip(minus, -0.05 / 300, 0.05 / 300)) * scale
    np.testing.assert_allclose(device.apply(X), expected / device.programmed.unit, atol=1e-9)
    assert device.counters["clipped readings"] > 0


def test_gated_amplifiers_without_converter_multiply_as_a_computer_does(make_bank: MakeBank) -> None:
    gated = programmed(make_bank(tia_gain=300.0))
    plain = replace(gated, gated=False)
    np.testing.assert_allclose(gated.apply(X, GAIN), plain.apply(X, GAIN), rtol=0.0, atol=1e-14)
    np.testing.assert_allclose(plain.apply(X, GAIN), plain.apply(X) * GAIN, rtol=0.0, atol=0.0)
    # A rectifier's gate is 0 or 1: bit for bit the same.
    gate = np.asarray(GAIN > 0.5, dtype=np.float64)
    np.testing.assert_array_equal(gated.apply(X, gate), plain.apply(X, gate))


def test_a_converter_rounds_what_was_gated_before_it(make_bank: MakeBank, dense: Dense) -> None:
    circuit = make_bank(**CONVERTED)
    gated = programmed(circuit)
    plain = replace(gated, gated=False)
    how = (300.0, 5, 0.6)
    plus, minus, scale = cycles(dense(circuit, gated.programmed.phases[0]), X)
    before = (converted(GAIN * plus, *how) - converted(GAIN * minus, *how)) * scale / gated.programmed.unit
    after = GAIN * (converted(plus, *how) - converted(minus, *how)) * scale / gated.programmed.unit
    np.testing.assert_allclose(gated.apply(X, GAIN), before, atol=1e-9)
    np.testing.assert_allclose(plain.apply(X, GAIN), after, atol=1e-9)
    error = [np.std(found - GAIN * (X @ WANTED.T)) for found in (before, after)]
    # Steps are as wide whatever the gain: a computer that multiplies afterwards makes them smaller as well.
    assert error[0] > 1.2 * error[1]


def test_gains_that_amplifiers_are_set_to_are_counted(make_bank: MakeBank) -> None:
    device = WeightBank.from_circuit(make_bank(tia_gain=300.0), "bank", IDEAL).program(np.ones((7, 6)))
    x, gain = np.ones((9, 6)), np.ones((9, 7))
    device.apply(x)
    assert device.counters["gains set"] == 0
    device.apply(x, gain)
    # Three rows of tiles of three rows each; both tiles beside each other and both signs share the gains.
    assert device.counters["gains set"] == 9 * 3 * 3
    for other in (replace(device, gated=False), replace(device, gated=False, noise="measured")):
        found = other.with_noise(other.noise, np.random.default_rng(0), Measured(0.0, 0.0))
        np.testing.assert_allclose(found.apply(x, 0.5 * gain), 0.5 * (x @ np.ones((6, 7))), atol=1e-6)
        assert found.counters["gains set"] == 0


def test_readings_are_converted_in_one_place(make_bank: MakeBank) -> None:
    both = Converters(adc_bits=8, adc_range=3.0)
    with pytest.raises(
        ParameterError, match=r"Converter 'bank\.row0\.adc' of the circuit.*leave out adc_bits"
    ):
        WeightBank.from_circuit(make_bank(**CONVERTED), "bank", both)
    # An amplifier alone leaves the steps to the analysis.
    coarse = replace(both, adc_bits=4)
    exact, rounded = (
        WeightBank.from_circuit(make_bank(tia_gain=300.0), "bank", replace(own, heater_bits=None))
        .program(WANTED)
        .apply(np.eye(4))
        for own in (IDEAL, coarse)
    )
    step = 3.0 / (2**3 - 1) * np.abs(WANTED).max()
    assert 0.2 * step < np.abs(rounded - exact).max() <= 0.5 * step * (1 + 1e-9)


def test_receivers_that_differ_or_do_not_fit_are_refused(make_bank: MakeBank) -> None:
    bare = make_bank().netlist
    amplifier = Instance("transimpedance_amplifier", {})
    one = Netlist({**bare.instances, "a": amplifier}, links("laser,o1:bank,o1", "bank,e2:a,e1"))
    with pytest.raises(
        ParameterError, match=r"that of 'bank\.row1\.detector' differs from that of 'bank\.row0"
    ):
        find_bank(Circuit(one), "bank")
    wires = ("bank,e1:c0,e1", "bank,e2:c1,e1", "bank,e3:c2,e1")
    parts = {f"c{m}": Instance("adc", {}) for m in range(3)}
    with pytest.raises(NetlistError, match=r"'bank,e1' \(weight_bank\) is in A, 'c0,e1' \(adc\) is in V"):
        find_bank(Circuit(Netlist({**bare.instances, **parts}, links("laser,o1:bank,o1", *wires))), "bank")


def test_an_amplifier_of_ones_own_must_take_the_current(
    make_bank: MakeBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part whose input is in A passes the check of units, but its stage may lack the virtual ground."""
    made = receivers._stage
    monkeypatch.setattr(receivers, "_stage", lambda lit, name: replace(made(lit, name), virtual_ground=False))
    with pytest.raises(ParameterError, match=r"'bank\.row0\.tia' has no virtual ground, .* give its Stage"):
        find_bank(make_bank(**AMPLIFIED), "bank")


def test_an_analysis_says_who_converts_and_who_gates(make_bank: MakeBank) -> None:
    entry: dict[str, Any] = {
        "kind": "train", "name": "small", "data": "digits", "network": [64, 6, 10], "rules": ["dfa-device"],
        "device": "bank", "seeds": 1, "epochs": 1,
    }  # fmt: skip
    circuit = make_bank(tia_gain=300.0, adc_bits=3, adc_input_range=0.6)
    with pytest.raises(ParameterError, match=r"'bank\.row0\.adc' of the circuit reads"):
        read_options({**entry, "converters": {"adc_bits": 8, "adc_range": 3.0}}, circuit)
    with pytest.raises(ParameterError, match="'small': 'gated' must be true or false, but is the text 'yes'"):
        read_options({**entry, "gated": "yes"}, circuit)
    gated, plain = (train(circuit, {**entry, **own}).rules[0] for own in ({}, {"gated": False}))
    assert np.all(gated.loss != plain.loss)
    # 6 units are two rows of tiles of three rows.
    assert (gated.counters["gains set"], plain.counters["gains set"]) == (1257 * 6, 0)


def test_less_light_is_met_by_more_gain() -> None:
    from photosim.systems.mrr_dfa.hardware import IMPERFECTIONS

    row = WeightBank.from_circuit(load("mrr_weight_bank_1x4"), "bank").program(WANTED)
    dimmed = IMPERFECTIONS["power of a line (W)"][0](row, 1e-6, np.random.default_rng(65))
    before, after = (own.hardware.receiver.chain.stages[0].gain for own in (row, dimmed))
    assert after == pytest.approx(1000.0 * before)
    still = replace(dimmed, noise=None)
    # What remains without noise is the rounding, as wide as it was at full light.
    sizes = [product_error(own, np.random.default_rng(66))[1] for own in (row, still)]
    assert sizes[1] == pytest.approx(sizes[0], rel=1e-6)

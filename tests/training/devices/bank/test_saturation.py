"""A bank whose diodes get more light than they can follow, and one whose light passes a driven modulator."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from photosim.circuit import Circuit
from photosim.errors import PhotosimWarning
from photosim.training.devices import Converters, WeightBank
from photosim.training.devices.bank.circuit import find_bank

MakeBank = Callable[..., Circuit]
IDEAL = Converters(heater_bits=None, input_bits=None)
WANTED = np.random.default_rng(5).uniform(-1.0, 1.0, (3, 4))
X = np.random.default_rng(6).uniform(0.0, 1.0, (30, 4))
LIMIT = 20e-3
"""The saturation_power of the bank's diodes in W."""


def programmed(circuit: Circuit) -> WeightBank:
    return WeightBank.from_circuit(circuit, "bank", IDEAL).program(WANTED)


def limited(bank: WeightBank, x: Any) -> Any:
    """The twin: readings (batch, M) in the matrix's units from each diode's own power, cut at its limit."""
    plus, minus = bank.hardware.currents(bank.programmed.phases)
    per_watt = np.abs(bank.hardware.responsivity)
    scale = np.abs(x).max(axis=1, keepdims=True)
    out = np.zeros((len(x), 3))
    for sign in (1.0, -1.0):
        share = np.maximum(sign * x / scale, 0.0)
        for side, current in enumerate((plus[0], minus[0])):
            power = share @ (current / per_watt[:, side]).T
            cut = np.minimum(power, LIMIT) / np.maximum(power, 1e-300)
            out += sign * (1.0, -1.0)[side] * cut * (share @ current.T)
    return out * scale / bank.programmed.unit


def test_currents_stay_at_saturation_and_a_warning_names_the_port(make_bank: MakeBank) -> None:
    message = r"Detector port 'bank\.row\d\.detector,o[12]' receives .* above its saturation_power of 20 mW"
    with pytest.warns(PhotosimWarning, match=message):
        bank = programmed(make_bank({"power": 180e-3}))
    with pytest.warns(PhotosimWarning, match=r"mW in \d.* % of the readings, above") as found:
        product = bank.apply(X)
    assert len(found) == 1
    np.testing.assert_allclose(product, limited(bank, X), rtol=1e-9, atol=1e-12)
    assert np.abs(product - X @ bank.matrix().T).max() > 0.1
    counted = bank.counters["saturated readings"]
    assert 0 < counted < bank.counters["readings"]
    with warnings.catch_warnings():  # said once, counted each time
        warnings.simplefilter("error")
        bank.apply(X)
        again = bank.program(-WANTED)
        again.apply(X)
    assert bank.counters["saturated readings"] == 2 * counted
    assert again.counters["saturated readings"] > 0


def test_noise_of_the_light_does_not_pass_a_saturated_diode(make_bank: MakeBank) -> None:
    loud = {"power": 600e-3, "rin_dB_Hz": -140.0}
    with pytest.warns(PhotosimWarning):
        bank = programmed(make_bank(loud)).with_noise("physical", np.random.default_rng(1))
    x = np.ones((4000, 4))
    with pytest.warns(PhotosimWarning):
        drawn = bank.apply(x)
    plus, minus = bank.hardware.currents(bank.programmed.phases)
    both = ((plus[0].sum(axis=1) > 2 * LIMIT) & (minus[0].sum(axis=1) > 2 * LIMIT)).nonzero()[0]
    assert both.size
    shot = np.sqrt(bank.hardware.receiver.current_variance(np.array([2 * LIMIT, 0.0])).sum())
    np.testing.assert_allclose(drawn[:, both].std(axis=0) * bank.programmed.unit, shot, rtol=0.05)


def test_a_bank_below_saturation_is_not_touched(make_bank: MakeBank) -> None:
    bank = programmed(make_bank())
    np.testing.assert_allclose(bank.apply(X), X @ bank.matrix().T, rtol=0, atol=1e-12)
    assert "saturated readings" not in bank.counters


def test_a_converter_before_the_bank_dims_its_light() -> None:
    def lit(voltage: float, dac: dict[str, Any] | None) -> Circuit:
        instances: dict[str, Any] = {
            "laser": {"component": "laser", "settings": {"power": 1e-3, "lines": 4, "spacing": 200e9}},
            "modulator": {"component": "mach_zehnder_modulator", "settings": {"voltage": voltage}},
            "bank": {"component": "weight_bank", "settings": {"rows": 3, "channels": 4, "spacing": 200e9}},
        }
        connections = {"laser,o1": "modulator,o1", "modulator,o2": "bank,o1"}
        if dac is not None:
            instances["dac"] = {"component": "dac", "settings": dac}
            connections["dac,e1"] = "modulator,e1"
        return Circuit({"instances": instances, "connections": connections})

    phases = np.random.default_rng(7).uniform(0.0, 6.0, (2, 3, 4))
    driven = find_bank(lit(0.0, {"voltage": 2.0, "bits": 1, "output_range": 4.0}), "bank")
    written, open_ = find_bank(lit(2.0, None), "bank"), find_bank(lit(0.0, None), "bank")
    np.testing.assert_array_equal(driven.weights(phases), written.weights(phases))
    assert np.abs(driven.weights(phases)).max() < 0.7 * np.abs(open_.weights(phases)).max()
    for one, other in zip(driven.weights_and_slopes(phases), written.weights_and_slopes(phases), strict=True):
        np.testing.assert_array_equal(one, other)

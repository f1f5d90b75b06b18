"""Modulators before a bank, and drift of its temperature, held against a dense solve of the netlist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from photosim.circuit import Circuit
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray
from photosim.training.devices import Converters, TemperatureDrift, WeightBank, product_error
from photosim.training.devices.bank.drift import DriftRealisation

IDEAL = Converters(heater_bits=None, input_bits=8)
WEIGHTS = np.random.default_rng(51).uniform(-1.0, 1.0, (1, 4))
X = np.random.default_rng(52).uniform(-1.0, 1.0, (3, 4))
Dense = Callable[..., FloatArray]
BANK, MODULATORS, COMB = "bank", "modulators", "comb"


def edited(root: Path, **changes: dict[str, Any]) -> Circuit:
    """The row of four rings of the gallery, read by ammeters, settings of its instances replaced."""
    text = (root / "netlists" / "mrr_weight_bank_1x4.yml").read_text(encoding="utf-8")
    netlist = yaml.safe_load(text)
    settings = netlist["instances"]["bank"]["settings"]
    read = {key: value for key, value in settings.items() if not key.startswith(("tia_", "adc_"))}
    netlist["instances"]["bank"]["settings"] = {**read, "bandwidth": 5e9}
    for instance, settings in changes.items():
        netlist["instances"][instance]["settings"] |= settings
    return Circuit({key: netlist[key] for key in ("instances", "connections")})


@pytest.fixture(scope="module")
def bank(root: Path) -> WeightBank:
    """The row as it is, holding WEIGHTS."""
    return WeightBank.from_circuit(edited(root), "bank", IDEAL).program(WEIGHTS)


def dense_product(dense: Dense, circuit: Circuit, bank: WeightBank) -> FloatArray:
    """Currents of both parts of X from one dense solve each, in the matrix's units."""
    assert bank.modulators is not None
    size = np.abs(X).max(axis=1, keepdims=True)
    difference = np.zeros((len(X), 1))
    for sign in (1.0, -1.0):
        for sample, codes in enumerate(bank.modulators.codes(np.maximum(sign * X / size, 0.0))):
            drives = {f"mod{n}": {"voltage": bank.modulators.voltage[code]} for n, code in enumerate(codes)}
            currents = dense(circuit, bank.programmed.phases[0], {"modulators": drives})
            difference[sample] += sign * currents.sum(axis=1)
    return np.asarray(difference * size / bank.programmed.unit / bank.modulators.swing)


@pytest.mark.parametrize(
    ("changes", "least"),
    [
        ({}, 0.0),
        ({BANK: {"loss_dB_cm": 12.0}}, 0.02),
        ({BANK: {"coupling": 0.06}}, 0.02),
        ({MODULATORS: {"loss_dB_cm": 20.0}}, 0.0005),
        ({BANK: {"spacing": 202e9}}, 0.02),
        ({BANK: {"spacing": 90e9}, MODULATORS: {"spacing": 90e9}, COMB: {"spacing": 90e9}}, 0.001),
    ],
)
def test_the_product_follows_the_netlist_as_a_dense_solve_does(
    root: Path, bank: WeightBank, dense: Dense, changes: dict[str, dict[str, Any]], least: float
) -> None:
    circuit = edited(root, **changes)
    other = WeightBank.from_circuit(circuit, "bank", IDEAL)
    # The edited chip with the heaters set for the one in the netlist.
    held = other.program(WEIGHTS)._hold(
        WEIGHTS, bank.programmed.phases.reshape(1, 1, 4), bank.programmed.unit
    )
    driven = WeightBank(other.hardware, other.calibration, IDEAL, modulators=other.modulators, tiles=held)
    np.testing.assert_allclose(driven.apply(X), dense_product(dense, circuit, driven), atol=1e-9)
    assert np.abs(driven.apply(X) - bank.apply(X)).max() >= least


def test_a_bank_programmed_for_its_own_netlist_gives_the_product(root: Path) -> None:
    for changes in ({}, {BANK: {"loss_dB_cm": 12.0}}, {BANK: {"coupling": 0.06}}):
        own = WeightBank.from_circuit(edited(root, **changes), "bank", IDEAL).program(WEIGHTS)
        # 8 bits of drive, and what each modulator does to its neighbours.
        np.testing.assert_allclose(own.apply(X), X @ WEIGHTS.T, atol=0.03)


def test_modulators_that_are_far_apart_leave_their_neighbours_alone(root: Path, bank: WeightBank) -> None:
    assert bank.modulators is not None
    powers = bank.modulators.light(np.eye(4))
    wanted = bank.modulators.low + np.eye(4) * bank.modulators.swing
    np.testing.assert_allclose(powers, wanted, atol=0.005)
    near = WeightBank.from_circuit(
        edited(root, bank={"spacing": 60e9}, modulators={"spacing": 60e9}, comb={"spacing": 60e9}),
        "bank",
        IDEAL,
    )
    assert near.modulators is not None
    assert np.abs(near.modulators.light(np.eye(4)) - wanted).max() > 0.02


def test_modulators_must_suit_the_bank(root: Path) -> None:
    with pytest.raises(ParameterError, match=r"needs as many modulators, found 3"):
        WeightBank.from_circuit(edited(root, modulators={"channels": 3}), "bank")
    with pytest.raises(ParameterError, match="at 0 V it should be on resonance"):
        WeightBank.from_circuit(edited(root, modulators={"wl0": 1.5498}), "bank")
    with pytest.raises(ParameterError, match="same voltage above 0"):
        WeightBank.from_circuit(edited(root, modulators={"voltage": 0.0}), "bank")


def at(bank: WeightBank, kelvin: float) -> WeightBank:
    """The bank under a drift that holds its temperature so many kelvin up for ever."""
    realisation = DriftRealisation(kelvin, np.zeros(1), np.zeros(1))
    drift = TemperatureDrift(max(abs(kelvin), 0.1))
    return replace(bank.with_noise(None, np.random.default_rng(0), drift=drift), realisation=realisation)


@pytest.mark.parametrize("kelvin", [0.005, 0.5, -0.5, 3.0])
def test_drift_is_what_another_temperature_does(root: Path, bank: WeightBank, kelvin: float) -> None:
    warm = WeightBank.from_circuit(edited(root, bank={"temperature": 300.0 + kelvin}), "bank", IDEAL)
    # The same heater phases in a netlist that is warmer; weights at 0.5 K are 11 % from those to first order.
    plus, minus = (side.reshape(bank.programmed.plus.shape)
                   for side in warm.hardware.currents(bank.programmed.phases))  # fmt: skip
    same = replace(bank, tiles=replace(bank.programmed, plus=plus, minus=minus))
    exact, cold = same.apply(X), bank.apply(X)
    assert np.abs(exact - cold).max() > 1e-4 * abs(kelvin)
    np.testing.assert_allclose(at(bank, kelvin).apply(X), exact, atol=1e-4)


def test_drift_stays_with_a_bank_that_is_programmed_anew(root: Path) -> None:
    bank = WeightBank.from_circuit(edited(root), "bank", IDEAL)
    drift = TemperatureDrift(0.5, 1e-12)
    drifting = bank.program(WEIGHTS).with_noise(None, np.random.default_rng(1), drift=drift)
    again = drifting.program(WEIGHTS)
    first, second = drifting.apply(X), again.apply(X)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - bank.program(WEIGHTS).apply(X)).max() > 1e-3


def test_a_course_has_the_spread_and_the_memory_that_were_asked_for() -> None:
    rng = np.random.default_rng(53)
    times = np.array([0.0, 0.5e-3, 1e-3])
    realisations = np.array(
        [DriftRealisation.drawn(TemperatureDrift(0.3, 1e-3), rng).kelvin(times) for _ in range(4000)]
    )
    # Of 4000, a variance scatters by 2.2 %, a correlation by less; each bound is missed once in 10,000.
    assert realisations.std(axis=0) == pytest.approx(0.3, rel=0.045)
    correlation = (realisations[:, :1] * realisations).mean(axis=0) / 0.09
    np.testing.assert_allclose(correlation, np.exp(-times / 1e-3), atol=0.09)


def test_products_drift_by_the_temperatures_share(bank: WeightBank) -> None:
    def sigma(kelvin: float) -> float:
        rng = np.random.default_rng(54)
        # Forgetful within a cycle: every sample meets a temperature of its own.
        drifting = bank.with_noise(None, rng, drift=TemperatureDrift(kelvin, 1e-12))
        return product_error(drifting, rng, 2000)[1]

    still = product_error(bank, np.random.default_rng(54), 2000)[1]
    one, two = (np.sqrt(sigma(kelvin) ** 2 - still**2) for kelvin in (0.05, 0.1))
    assert two == pytest.approx(2.0 * one, rel=0.1)


def test_a_drifting_run_is_the_same_again(bank: WeightBank) -> None:
    first, second = (
        bank.with_noise("physical", np.random.default_rng(seed), drift=TemperatureDrift(0.1)).apply(X)
        for seed in (55, 55)
    )
    np.testing.assert_array_equal(first, second)
    other = bank.with_noise("physical", np.random.default_rng(56), drift=TemperatureDrift(0.1)).apply(X)
    assert np.any(first != other)
    with pytest.raises(ParameterError, match=r"kelvin must be above 0, got 0\.0"):
        TemperatureDrift(0.0)


def test_single_precision_agrees_with_double(bank: WeightBank) -> None:
    single = bank.apply(X.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, bank.apply(X), atol=1e-5)

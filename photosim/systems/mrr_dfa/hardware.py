"""What the bank of filipovich2022 costs in time, energy and area, and what its errors may come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from photosim.analysis.budgets.light import needed_light
from photosim.circuit import Circuit
from photosim.conventions import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C
from photosim.signals.two_photon import two_photon_loss
from photosim.systems.harness.circuits import instance_of
from photosim.training.devices import Converters, TemperatureDrift, WeightBank, product_error
from photosim.training.devices.bank.circuit import BankCircuit

ROW = "mrr_weight_bank_1x4"
SIGMAS = {"single ring": 0.019, "off-chip": 0.098, "on-chip": 0.202}
"""Deviations of products normalised to [-1, 1] that the authors measured (recalled)."""
MATRICES = 48
"""Random weights that the row of rings holds, one set after the other."""


@dataclass(frozen=True)
class Costs:
    """Constants of speed, energy and area; each is named with where it comes from.

    dac_J, modulator_J, tia_J, adc_J: energy of one sample of a worked example of 64 x 64 at 10 GHz and
    `converter_bits` (secondary).  bits: that the light must carry, those of the off-chip detector.
    wall_plug: efficiency of the comb (ours).
    edge_dB to penalty_dB: of the link, as public code has alqadasi2022's (secondary).
    responsivity to rin_dB_Hz: of the receiver, the same.  row_pitch: distance of the rows in um (ours).
    """

    dac_J: float = 1.0e-12
    modulator_J: float = 0.2e-12
    tia_J: float = 1.0e-12
    adc_J: float = 3.0e-12
    converter_bits: float = 6.0
    bits: float = 4.35
    wall_plug: float = 0.1
    edge_dB: float = 1.6
    guide_dB_cm: float = 0.3
    pitch_cm: float = 0.02
    modulator_dB: float = 4.0
    ring_dB: float = 0.01
    passed_dB: float = 0.01
    penalty_dB: float = 1.8
    responsivity: float = 1.2
    dark_current: float = 35e-9
    thermal_J: float = 0.0259 * ELEMENTARY_CHARGE_C
    load: float = 50.0
    rin_dB_Hz: float = -140.0
    row_pitch: float = 100.0

    def link_dB(self, rows: int, channels: int) -> float:
        """Return the loss from a laser line to a detector: the line is shared by all rows."""
        bus = self.guide_dB_cm * channels * self.pitch_cm + 2.0 * (channels - 1) * self.passed_dB
        split = 10.0 * np.log10(rows) + 0.01 * np.log2(rows)
        return float(self.edge_dB + self.modulator_dB + self.ring_dB + self.penalty_dB + bus + split)

    def needed_light(self, rate: float) -> float:
        """Return the power in W at a detector that gives `bits` (alqadasi2022, equation 8)."""
        receiver = {
            "responsivity": self.responsivity, "dark_current": self.dark_current,
            "load_resistance": self.load, "temperature": self.thermal_J / BOLTZMANN_J_K,
            "rin_dB_Hz": self.rin_dB_Hz,
        }  # fmt: skip
        return needed_light(self.bits, rate, receiver)


ENERGIES = {
    "lasers": ("laser",),
    "drives and modulators": ("drive", "modulator"),
    "amplifiers": ("tia",),
    "converters": ("adc",),
    "heaters": ("heater",),
}
"""Lines of the table of energies, and the categories of a budget in each."""


def costs(bank: BankCircuit, constants: Costs | None = None) -> dict[str, float]:
    """Return speed, energy by part and density of a bank, by `ps.budget`.

    An operation is a multiplication or an addition: 2 M N a cycle, as the authors count. Energies in pJ per
    operation; those of heaters with the power of harris2014, half a turn each.
    """
    from photosim.analysis.budgets import budget

    own = constants or Costs()
    rows, channels, rate = bank.rows, bank.channels, 1.0 / bank.receiver.cycle_s
    link = own.link_dB(rows, channels)
    data = budget(
        bank.circuit, rate=rate, bits=own.bits, converter_bits=own.converter_bits, link={"all": link},
        receiver={
            "responsivity": own.responsivity, "dark_current": own.dark_current, "load_resistance": own.load,
            "temperature": own.thermal_J / BOLTZMANN_J_K, "rin_dB_Hz": own.rin_dB_Hz,
        },
        constants={
            "wall_plug_efficiency": own.wall_plug, "modulator_energy": own.modulator_J,
            "tia_energy": own.tia_J, "dac_step_energy": own.dac_J / 2.0**own.converter_bits,
            "adc_step_energy": own.adc_J / 2.0**own.converter_bits, "heater_phase": np.pi,
        },
        operations=2.0 * rows * channels,
    )  # fmt: skip
    each = data["energy"].sel(per="operation", bound="value")
    energies = {
        f"{name} pJ": 1e12 * float(each[np.isin(data["category"].values, kinds)].sum())
        for name, kinds in ENERGIES.items()
    }
    heaters = energies.pop("heaters pJ")
    trimmed = sum(energies.values())
    operations = 2.0 * rows * channels * rate
    laser = own.needed_light(rate) * 10.0 ** (link / 10.0)
    pitch = float(bank.circuit.parameters[f"{bank.name}.pitch"])
    area = rows * channels * pitch * own.row_pitch * 1e-6
    bus = channels * laser * 10.0 ** (-own.edge_dB / 10.0)
    lost = two_photon_loss(np.full(channels, bus / channels))
    return {
        "TOPS": operations / 1e12,
        "TOPS, signs": operations / 2e12,
        **energies,
        "heaters pJ": heaters,
        "trimmed pJ": trimmed,
        "tuned pJ": trimmed + heaters,
        "laser dBm": 10.0 * np.log10(laser / 1e-3),
        "bus mW": 1e3 * bus,
        "two-photon dB/cm": lost.two_photon_dB_cm,
        "carriers dB/cm": lost.carriers_dB_cm,
        "TOPS/mm2": operations / 1e12 / area,
        "cell um2": operations / 1e12 / 5.78 / (rows * channels) * 1e6,
    }


def bank_of(netlist: str) -> str:
    """Return the name of a netlist's only weight bank."""
    return instance_of(netlist, ("weight_bank",), "weight bank")


def imperfections(netlist: str = ROW, seed: int = 0, matrices: int = MATRICES) -> Mapping[str, Any]:
    """Return how large each physical imperfection alone must be to give the deviations that were measured.

    The gallery's row of four rings holds random weights, one set after the other, and meets random inputs, as
    in the experiment; for the single ring the other inputs are dark and their weights 0. nan where no size in
    reach does it. "as it is" is the deviation of that row with its own noise and converters.
    """
    row = WeightBank.from_circuit(Circuit(netlist), bank_of(netlist), Converters())
    weights = np.random.default_rng(seed).uniform(-1.0, 1.0, (matrices, row.hardware.channels))
    alone = np.where(np.arange(row.hardware.channels) < 1, weights, 0.0)
    programmed = row.program_all([weights, alone])
    found: dict[str, Any] = {}
    for name, sigma in SIGMAS.items():
        single = name == "single ring"
        held, used = programmed[1 if single else 0], 1 if single else None
        deviation = _Deviation(held, used, seed)
        found[f"{name}: as it is"] = deviation.of(held.with_noise("physical", np.random.default_rng(seed)))
        for what, (change, low, high) in IMPERFECTIONS.items():
            found[f"{name}: {what}"] = deviation.size(change, low, high, sigma)
    return found


@dataclass(frozen=True)
class _Deviation:
    """What one bank's products deviate by when something about it is changed."""

    bank: WeightBank
    used: int | None
    seed: int

    def of(self, bank: WeightBank) -> float:
        """Return the deviation of a bank's normalised products; the same random numbers for every bank."""
        return product_error(bank, np.random.default_rng(self.seed), 128, self.used)[1]

    def size(self, change: Change, low: float, high: float, sigma: float) -> float:
        """Return the size between low and high at which a change gives sigma; nan if none does."""
        from scipy.optimize import brentq

        def over(log: float) -> float:
            changed = change(self.bank, float(np.exp(log)), np.random.default_rng(self.seed))
            return self.of(changed) - sigma

        ends = np.log([low, high])
        if over(ends[0]) * over(ends[1]) > 0.0:
            return float("nan")
        return float(np.exp(brentq(over, ends[0], ends[1], xtol=1e-3)))


def _dimmed(bank: WeightBank, watt: float, rng: np.random.Generator) -> WeightBank:
    """Return a bank whose lines carry so many W, its amplifiers turned up as much, with the noise of both."""
    share = watt / float(bank.hardware.power[0])
    receiver, old = bank.hardware.receiver, bank.programmed
    stages = tuple(
        replace(stage, gain=stage.gain / share) if stage.virtual_ground else stage
        for stage in receiver.chain.stages
    )
    louder = replace(receiver, chain=replace(receiver.chain, stages=stages))
    tiles = replace(
        old, plus=share * old.plus, minus=share * old.minus, unit=share * old.unit, full=share * old.full
    )
    return replace(
        bank.with_noise("physical", rng), tiles=tiles, hardware=replace(bank.hardware, receiver=louder)
    )


def _flickering(bank: WeightBank, density: float, rng: np.random.Generator) -> WeightBank:
    """Return a bank whose comb has a relative intensity noise of so much per Hz."""
    receiver = replace(bank.hardware.receiver, rin_dB_Hz=float(10.0 * np.log10(density)))
    return replace(bank.with_noise("physical", rng), hardware=replace(bank.hardware, receiver=receiver))


def _drifting(bank: WeightBank, kelvin: float, rng: np.random.Generator) -> WeightBank:
    """Return a bank whose temperature strays by so many K from one product to the next."""
    return bank.with_noise(None, rng, drift=TemperatureDrift(kelvin, 1e-15))


def _detuned(bank: WeightBank, rad: float, rng: np.random.Generator) -> WeightBank:
    """Return a bank whose heaters miss the phases solved for by so many rad, each by an error of its own."""
    old = bank.programmed
    phases = old.phases + rad * rng.standard_normal(old.phases.shape)
    plus, minus = bank.hardware.currents(phases)
    return replace(
        bank, tiles=replace(old, plus=plus.reshape(old.plus.shape), minus=minus.reshape(old.plus.shape))
    )


Change = Callable[[WeightBank, float, np.random.Generator], WeightBank]
IMPERFECTIONS: Mapping[str, tuple[Change, float, float]] = {
    "power of a line (W)": (_dimmed, 1e-8, 1e-3),
    "relative intensity noise (1/Hz)": (_flickering, 1e-16, 1e-6),
    "stray temperature (K)": (_drifting, 1e-3, 10.0),
    "error of each heater's phase (rad)": (_detuned, 1e-4, 0.5),
}
"""Changes of a bank by what they are: the change by its size, and the least and largest size tried."""

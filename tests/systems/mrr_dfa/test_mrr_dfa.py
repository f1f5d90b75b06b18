"""Training through the published weight bank: its noise, costs and errors, and a small run of all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import photosim as ps
from photosim.analysis.budgets.options import compute, read_options
from photosim.analysis.chart import Chart, HeatMap
from photosim.circuit import load
from photosim.systems import find_system, reproduce
from photosim.systems.mrr_dfa.figures import NOISES, REMARKS
from photosim.systems.mrr_dfa.hardware import IMPERFECTIONS, ROW, SIGMAS, Costs, costs, imperfections
from photosim.training.devices import Converters, WeightBank, product_error
from photosim.training.devices.bank.circuit import find_bank


@pytest.fixture(scope="module")
def errors() -> dict[str, float]:
    """What each imperfection alone would have to be."""
    return dict(imperfections(matrices=24))


def test_the_published_noise_is_added_in_units_of_the_largest_error() -> None:
    matrix = np.random.default_rng(1).uniform(-1.0, 1.0, (16, 10)) / np.sqrt(32.0)
    bank = WeightBank.from_circuit(load("mrr_dfa_digits"), "bank", Converters(heater_bits=None))
    noisy = bank.program(matrix).with_noise("measured", np.random.default_rng(2), NOISES["off-chip"])
    x = np.random.default_rng(3).uniform(-0.5, 0.5, (4000, 10))
    added = (noisy.apply(x) - x @ matrix.T) * np.sqrt(32.0) / np.abs(x).max()
    # The largest of 160 entries stands for 1. 64,000 draws: mean and deviation scatter by 0.0025 and 0.0017.
    assert added.mean() == pytest.approx(0.03, abs=0.015)
    assert added.std() == pytest.approx(0.618, abs=0.015)


@pytest.mark.parametrize(
    ("rate", "bits", "dBm"), [(1e9, 1, -27.0), (5e9, 3, -17.5), (10e9, 4, -12.8), (10e9, 6, -4.3)]
)
def test_light_for_bits_is_that_of_the_link_budgets_table(rate: float, bits: float, dBm: float) -> None:
    light = Costs(bits=bits).needed_light(rate)
    assert 10.0 * np.log10(light / 1e-3) == pytest.approx(dBm, abs=0.06)


BESSEL = 1.04637
"""Noise bandwidth of a Bessel low-pass of order 4, by its half-power frequency."""


def detected(watt: float, rate: float, constants: Costs) -> tuple[float, float]:
    """Return mean and deviation of the current of a detector that so much power meets, by the engine."""
    laser = {"power": watt, "rin_dB_Hz": constants.rin_dB_Hz, "linewidth": 0.0}
    diode = {
        "responsivity": constants.responsivity,
        "dark_current": constants.dark_current,
        "bandwidth": rate / np.sqrt(2.0) / BESSEL,  # the power of whose noise is that of rate / sqrt(2)
        "load_resistance": constants.load,
    }
    link = ps.link(
        ps.Circuit(
            {
                "instances": {
                    "laser": {"component": "laser", "settings": laser},
                    "diode": {"component": "photodetector", "settings": diode},
                },
                "connections": {"laser,o1": "diode,o1"},
            }
        )
    )
    (reception,) = link.receptions
    return reception.signal, float(np.sqrt(sum(reception.variances.values())))


@pytest.mark.parametrize(("rate", "bits"), [(1e9, 3.0), (10e9, 4.35), (10e9, 6.0)])
def test_light_that_is_needed_gives_its_bits_at_a_detector_of_the_engine(rate: float, bits: float) -> None:
    constants = Costs(bits=bits)
    signal, lit = detected(constants.needed_light(rate), rate, constants)
    dark = detected(1e-15, rate, constants)[1]
    found = (20.0 * np.log10(signal / (lit + dark)) - 1.76) / 6.02
    assert found == pytest.approx(bits, abs=0.01)  # k T of the load: 300 K there, 0.0259 eV in the paper


def test_speed_light_and_area_are_those_of_the_netlist(wide: dict[str, float]) -> None:
    """Costs come from the circuit: change it and they change as physics has it."""
    row = find_bank(load(ROW), "bank")
    large = find_bank(load("mrr_weight_bank_50x20"), "bank")
    one, many = costs(row), wide
    cycle = row.receiver.cycle_s / large.receiver.cycle_s
    assert many["TOPS"] / one["TOPS"] == pytest.approx(cycle * 50 * 20 / 4)
    # A line is shared by 50 rows instead of one: 17 dB, and a bus of 20 rings instead of 4 costs little more.
    needed = [Costs().needed_light(1 / bank.receiver.cycle_s) for bank in (row, large)]
    needed_dB = 10.0 * np.log10(needed[1] / needed[0])
    assert 17.0 < many["laser dBm"] - one["laser dBm"] - needed_dB < 18.0
    # Amplifiers and converters are one a row: their energy by operation falls with the number of columns.
    assert many["amplifiers pJ"] / one["amplifiers pJ"] == pytest.approx(4 / 20)
    assert many["drives and modulators pJ"] / one["drives and modulators pJ"] == pytest.approx(1 / 50)


def test_the_budget_of_the_netlist_is_that_of_the_system(wide: dict[str, float]) -> None:
    """`photosim budget` on the gallery's netlist: its stated constants give the same 0.32 pJ."""
    circuit = load("mrr_weight_bank_50x20")
    entry = circuit.netlist.analyses[0]
    data = compute(circuit, read_options({**entry}, circuit)).data
    trimmed, tuned = data["our_energy"].values
    assert trimmed[0] == pytest.approx(1e-12 * wide["trimmed pJ"], rel=2e-3)
    assert 0.32e-12 < trimmed[0] < 0.33e-12
    assert trimmed[1] < 0.28e-12 < trimmed[2]
    # 24.8 mW for pi, held at pi by 1,000 rings and 20 modulators, over 2 x 50 x 20 x 10 GHz.
    assert tuned[0] - trimmed[0] == pytest.approx(1020 * 24.8e-3 / 20e12, rel=1e-3)
    assert tuned[1] < 1.0e-12 < tuned[2]


@pytest.fixture(scope="module")
def wide() -> dict[str, float]:
    """Costs of the whole bank."""
    return costs(find_bank(load("mrr_weight_bank_50x20"), "bank"))


def test_two_photon_absorption_of_the_budget_is_what_the_remark_says(wide: dict[str, float]) -> None:
    found = wide
    remark = next(text for text in REMARKS if "two-photon" in text)
    numbers = [f"{found['laser dBm']:.1f} dBm", f"{found['bus mW']:.0f} mW"]
    numbers += [f"{found['two-photon dB/cm']:.1f} dB/cm", f"{found['carriers dB/cm']:.0f} dB/cm"]
    for number in numbers:
        assert number in remark


@pytest.mark.parametrize("name", SIGMAS)
def test_each_imperfection_alone_gives_the_measured_deviation(name: str, errors: dict[str, float]) -> None:
    row = WeightBank.from_circuit(load(ROW), "bank")
    weights = np.random.default_rng(7).uniform(-1.0, 1.0, (24, 4))
    single = name == "single ring"
    bank = row.program(np.where(np.arange(4) < 1, weights, 0.0) if single else weights)
    for what, (change, low, high) in IMPERFECTIONS.items():
        size = errors[f"{name}: {what}"]
        assert low < size < high
        changed = change(bank, size, np.random.default_rng(8))
        sigma = product_error(changed, np.random.default_rng(9), 128, 1 if single else None)[1]
        # Other weights, inputs and noise than the size was found with: 24 matrices leave chance.
        assert sigma == pytest.approx(SIGMAS[name], rel=0.3)


def test_a_small_run_of_everything(tmp_path: Path) -> None:
    system = find_system("mrr-dfa")
    done = reproduce(system, system.options(quick=True, seeds=1), tmp_path / "run")
    table = {row[0]: row for row in done.table().rows}
    assert float(str(table["test accuracy, authors' noise model: no noise"][4])) > 85.0
    assert table["test accuracy, authors' noise model: no noise"][2:4] == ("not comparable", "")
    assert float(str(table["speed, 2 M N a cycle"][4])) == 20.0
    bits = [done.outcome.values(f"{bits:g} bits", "accuracy")[0] for bits in (1.0, 6.0)]
    assert bits[0] < bits[1] - 10.0  # one bit is too little to learn from
    weights = done.outcome.of("weights")[0]
    assert weights["programming rms"] < 1e-8 < weights["held rms"] < 0.02
    assert weights["bits with noise"] < weights["bits"]
    assert weights["cycles a product"] == 2 * 2  # 32 rows in pieces of 16, both signs
    charts = {picture.name: picture for picture in done.charts()}
    assert set(charts) == {"accuracy_bits", "accuracy_epochs", "weight_errors"}
    assert isinstance(charts["weight_errors"], HeatMap)
    assert isinstance(charts["accuracy_bits"], Chart)
    assert len(done.tables()) == 4
    assert (tmp_path / "run" / "table.csv").exists()

"""Training through the published weight bank: its noise, costs and errors, and a small run of all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photosim.analysis.chart import Chart, HeatMap
from photosim.circuit import load
from photosim.systems import find_system, reproduce
from photosim.systems.mrr_dfa.figures import MEASURED_BITS, NOISES
from photosim.systems.mrr_dfa.hardware import IMPERFECTIONS, ROW, SIGMAS, Costs, costs, imperfections
from photosim.systems.mrr_dfa.system import deviation
from photosim.training.devices import Converters, WeightBank, product_error
from photosim.training.devices.bank.circuit import find_bank


@pytest.fixture(scope="module")
def errors() -> dict[str, float]:
    """What each imperfection alone would have to be."""
    return dict(imperfections())


def test_published_deviations_belong_to_published_bits() -> None:
    for name, bits in MEASURED_BITS.items():
        assert np.log2(2.0 / SIGMAS[name]) == pytest.approx(bits, abs=0.01)
        assert deviation(float(np.log2(2.0 / SIGMAS[name]))) == pytest.approx(np.sqrt(40.0) * SIGMAS[name])
        assert NOISES[name].deviation == pytest.approx(np.sqrt(40.0) * SIGMAS[name], rel=0.005)


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


def test_costs_add_up() -> None:
    bank = find_bank(load(ROW), "bank")
    found = costs(bank)
    assert found["TOPS"] == pytest.approx(2 * 1 * 4 * 10e9 / 1e12)
    parts = [found[f"{part} pJ"] for part in ("lasers", "drives and modulators", "amplifiers", "converters")]
    assert sum(parts) == pytest.approx(found["trimmed pJ"])
    # An amplifier and a converter of 1 and 3 pJ a sample, for 8 operations a cycle.
    assert parts[2] == pytest.approx(1.0 / 8)
    assert parts[3] == pytest.approx(3.0 / 8)
    # A ring does two operations a cycle of 0.1 ns.
    assert found["trimmed pJ"] + found["heater mW"] * 1e-3 / 20e9 * 1e12 == pytest.approx(1.0)
    assert found["published heater mW"] == pytest.approx(14.4)
    more_rows = costs(bank, Costs(row_pitch=200.0))
    assert more_rows["TOPS/mm2"] == pytest.approx(found["TOPS/mm2"] / 2)


@pytest.mark.parametrize("name", SIGMAS)
def test_each_imperfection_alone_gives_the_measured_deviation(name: str, errors: dict[str, float]) -> None:
    row = WeightBank.from_circuit(load(ROW), "bank")
    weights = np.random.default_rng(7).uniform(-1.0, 1.0, (48, 4))
    single = name == "single ring"
    bank = row.program(np.where(np.arange(4) < 1, weights, 0.0) if single else weights)
    for what, (change, low, high) in IMPERFECTIONS.items():
        size = errors[f"{name}: {what}"]
        assert low < size < high
        changed = change(bank, size, np.random.default_rng(8))
        sigma = product_error(changed, np.random.default_rng(9), 128, 1 if single else None)[1]
        # Other weights, inputs and noise than the size was found with: 48 matrices leave a tenth of chance.
        assert sigma == pytest.approx(SIGMAS[name], rel=0.3)


def test_a_small_run_of_everything(tmp_path: Path) -> None:
    system = find_system("mrr-dfa")
    done = reproduce(system, system.options(quick=True, seeds=1), tmp_path / "run")
    table = {row[0]: row for row in done.table().rows}
    assert float(str(table["test accuracy, no noise"][4])) > 85.0
    assert table["test accuracy, no noise"][2:4] == ("98.10", "recalled")
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

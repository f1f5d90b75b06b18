"""Analyses of kind train: strict options, repeatable results, and the figures of the packaged netlist."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from photosim.circuit import Circuit, load
from photosim.errors import ParameterError
from photosim.training.job import read_options, train
from photosim.training.options import RULES, parse
from photosim.training.result import TrainingResult

QUICK: dict[str, Any] = {
    "kind": "train",
    "name": "quick",
    "data": "digits",
    "network": [64, 12, 10],
    "rules": ["dfa", "dfa-device-noise", "dfa-device-measured"],
    "device": "bank",
    "seeds": 2,
    "epochs": 2,
    "optimiser": {"method": "adam", "learning_rate": 0.01},
}


@pytest.fixture(scope="module")
def quick(circuit: Circuit) -> TrainingResult:
    """A small result with every kind of entry."""
    return train(circuit, QUICK)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"epoch": 3}, "analysis 'quick' has no option 'epoch'.*Did you mean 'epochs'"),
        ({"rules": ["dfa", "backprob"]}, "no rule 'backprob'.*Did you mean 'backprop'"),
        ({"rules": []}, "'rules' must be a name or a list of names, but is an empty list"),
        ({"rules": ["dfa", "dfa"]}, "rules: 'dfa' is listed twice"),
        ({"data": "digit"}, "no data set 'digit'.*Did you mean 'digits'"),
        ({"network": [64]}, "must list two widths or more"),
        ({"network": [64, 0, 10]}, "a width of the network must be a whole number from 1"),
        ({"seeds": 0}, "'seeds' must be a whole number from 1"),
        ({"epochs": True}, "'epochs' must be a whole number from 1 to 100000, but is the flag True"),
        ({"validation_fraction": 0.9}, "'validation_fraction' must be a number from 0 to 0.5"),
        ({"threshold": 1.5}, "'threshold' must be a number from 0 to 0.999"),
        ({"step": 0}, "'quick': 'step' must be a number from 1e-12 to 1000, but is the number 0"),
        ({"repeats": 0}, "'quick': 'repeats' must be a whole number from 1 to 100000, but is the number 0"),
        (
            {"rules": ["finite-difference"], "network": [64, 1400, 10]},
            r"'quick': Finite differences of 105,010 parameters would .* 105,011 times; the bound is",
        ),
        ({"precision": "half"}, "'precision' must be single or double, but is the text 'half'"),
        ({"activation": "tan"}, "no activation 'tan'.*Did you mean 'tanh'"),
        ({"device": None}, "rule 'dfa-device-noise' needs `device`"),
        ({"optimiser": {"learning_rate": 1}}, "must be a mapping with method: sgd or adam"),
        ({"optimiser": {"method": "sgd"}}, r"optimiser \(sgd\) needs the option 'learning_rate'"),
        ({"optimiser": {"method": "adam", "rate": 1}}, "no option 'rate'.*Did you mean 'learning_rate'"),
        ({"optimiser": {"method": "adam", "decay": 0.1}}, "no option 'decay'.*Did you mean 'weight_decay'"),
        ({"batch": 16}, "no option 'batch'.*Did you mean 'batch_size'"),
        ({"validation": 0.1}, "no option 'validation'.*Did you mean 'validation_fraction'"),
        ({"converters": {"adc_bit": 8}}, "converters has no option 'adc_bit'.*Did you mean 'adc_bits'"),
        ({"converters": {"adc_bits": "8"}}, "'adc_bits' must be a whole number, but is the text '8'"),
        ({"converters": {"adc_bits": 1}}, "'quick': converters: .*adc_bits must be a whole number, from 2"),
        ({"converters": {"heater_range": None}}, "converters: 'heater_range' must be a number, but is empty"),
        ({"measured": 3}, "'measured' must be a mapping, but is the number 3"),
        ({"measured": {"mean": None}}, "measured: 'mean' must be a number"),
        ({"optimiser": {"method": ["adam"]}}, "must be a mapping with method: sgd or adam"),
        (
            {"optimiser": {"method": "adam", "learning_rate": 0}},
            r"optimiser \(adam\): learning_rate must be a positive number, got 0",
        ),
        (
            {"optimiser": {"method": "adam", "learning_rate": None}},
            r"optimiser \(adam\): 'learning_rate' must be a number, but is empty",
        ),
        ({"optimiser": {"method": "adam", "eps": 0}}, r"optimiser \(adam\): eps must be a positive number"),
        (
            {"optimiser": {"method": "adam", "beta2": 1}},
            r"optimiser \(adam\): beta2 must be 0 or more and less than 1",
        ),
        ({"optimiser": {"method": "sgd", "learning_rate": 1, "momentum": -1}}, "momentum must be 0 or more"),
        ({"activation": ["tanh"]}, "'quick': 'activation' must be a text, but is a list"),
        ({"data": ["digits"]}, "'data' must be a text, but is a list"),
        ({"rules": [["dfa"]]}, "rules: entry 1 must be a text, but is a list"),
    ],
    ids=str,
)
def test_wrong_options_are_named(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        parse({**QUICK, **change})


def test_missing_options_are_named() -> None:
    with pytest.raises(ParameterError, match=r"analysis 'train' needs the option 'network'"):
        parse({"kind": "train", "data": "digits"})


def test_options_are_held_against_the_circuit(circuit: Circuit) -> None:
    with pytest.raises(ParameterError, match=r"'banc' is not a weight bank.*Did you mean 'bank'"):
        read_options({**QUICK, "device": "banc"}, circuit)
    with pytest.raises(ParameterError, match="digits has 64 inputs and 10 classes, but the network"):
        train(circuit, {**QUICK, "network": [65, 12, 10]})


def test_results_repeat_and_depend_on_the_seed(circuit: Circuit, quick: TrainingResult) -> None:
    again = train(circuit, QUICK)
    other = train(circuit, QUICK, seed=1)
    for own, same, different in zip(quick.rules, again.rules, other.rules, strict=True):
        np.testing.assert_array_equal(own.loss, same.loss)
        np.testing.assert_array_equal(own.accuracy, same.accuracy)
        assert np.all(own.loss != different.loss)


def test_rules_share_their_starts(circuit: Circuit, quick: TrainingResult) -> None:
    # One rule alone gives what it gives among others: its streams are its own.
    alone = train(circuit, {**QUICK, "rules": ["dfa-device-noise"]})
    np.testing.assert_array_equal(alone.rules[0].loss, quick.rule("dfa-device-noise").loss)


def test_every_rule_can_be_named(circuit: Circuit) -> None:
    entry = {
        **QUICK,
        "network": [64, 8, 6, 10],
        "epochs": 1,
        "seeds": 1,
        "threshold": 0.15,
        "batch_size": 256,
    }
    result = train(circuit, {**entry, "rules": list(RULES)})
    assert [own.rule for own in result.rules] == list(RULES)
    # An exact layer is its own ideal model: physics-aware training is backpropagation there.
    losses = {own.rule: float(own.loss[0, 0]) for own in result.rules}
    assert losses.pop("physics-aware") == losses["backprop"]
    assert len(set(losses.values())) == len(RULES) - 1


def test_evaluations_of_rules_that_measure_are_counted_and_shown(circuit: Circuit) -> None:
    entry = {**QUICK, "network": [64, 10], "rules": ["dfa", "finite-difference", "spsa"], "batch_size": 128}
    result = train(circuit, {**entry, "epochs": 1, "step": 0.01, "repeats": 3})
    # 1257 samples and 2 seeds: each of 650 parameters and none moved; three directions there and back.
    assert result.rule("finite-difference").counters == {"evaluations": 2 * 1257 * 651}
    assert result.rule("spsa").counters == {"evaluations": 2 * 1257 * 6}
    assert result.numbers()["rules"]["spsa"]["counters"] == {"evaluations": 15084}
    table = result.tables()[1]
    assert "hardware's work" in table.title
    assert table.columns == ("rule", "effective bits", "evaluations")
    assert table.rows[1] == ("spsa", None, "15,084")
    other = train(circuit, {**entry, "rules": ["spsa"], "epochs": 1, "step": 0.02, "repeats": 3})
    assert np.all(other.rules[0].loss != result.rule("spsa").loss)


def test_precision_and_threshold_reach_the_run(circuit: Circuit) -> None:
    entry = {**QUICK, "rules": ["ternary-dfa"]}
    plain, double, other = (
        train(circuit, {**entry, **change}).rules[0].loss
        for change in ({}, {"precision": "double"}, {"threshold": 0.4})
    )
    assert np.all(plain != double)
    # Single precision: seven digits, of sums over a few hundred steps that training may widen.
    np.testing.assert_allclose(plain, double, rtol=1e-3)
    assert np.all(np.abs(plain - other)[:, -1] > 1e-3)


def test_progress_counts_every_epoch_once(circuit: Circuit) -> None:
    seen: list[tuple[str, int, int]] = []
    train(
        circuit,
        {**QUICK, "rules": ["backprop", "frozen"]},
        progress=lambda name, done, total: seen.append((name, done, total)),
    )
    assert seen == [("quick", done, 8) for done in range(9)]


def test_results_are_plain_and_complete(quick: TrainingResult) -> None:
    numbers = json.loads(json.dumps(quick.numbers(), allow_nan=False))
    assert list(numbers["rules"]) == QUICK["rules"]
    assert np.shape(numbers["rules"]["dfa"]["accuracy"]) == (2, 2)
    assert numbers["settings"]["optimiser"]["learning_rate"] == 0.01
    assert numbers["rules"]["dfa"]["counters"] == {}
    work = numbers["rules"]["dfa-device-noise"]["counters"]
    # 1257 samples, 2 epochs, 2 seeds; 12 rows on 3 and 10 columns on 4 are 12 tiles, two cycles each.
    assert work["samples"] == 1257 * 2 * 2
    assert work["cycles"] == work["samples"] * 12 * 2
    assert np.shape(numbers["weights"]["feedback to hidden layer 1"]["target"]) == (12, 10)
    assert numbers["weights"]["feedback to hidden layer 1"]["programming_rms"] < 1e-6
    without = train_nan(quick)
    assert json.loads(json.dumps(without.numbers(), allow_nan=False))["rules"]["dfa"]["validation"] is None


def train_nan(result: TrainingResult) -> TrainingResult:
    """The same result as if no samples had been held out for validation."""
    rules = tuple(replace(own, validation=np.full_like(own.validation, np.nan)) for own in result.rules)
    return replace(result, rules=rules)


def test_tables_are_rectangular_and_say_the_numbers(quick: TrainingResult) -> None:
    accuracy, device, weights = quick.tables()
    for table in (accuracy, device, weights):
        assert all(len(row) == len(table.columns) for row in table.rows)
    dfa = quick.rule("dfa")
    assert dfa.spread is not None
    assert accuracy.rows[0][:3] == ("dfa", f"{100 * dfa.mean:.2f}", f"{100 * dfa.spread:.2f}")
    alone = replace(quick, rules=(replace(dfa, accuracy=dfa.accuracy[:1]),))
    assert alone.tables()[0].rows[0][2] == "-"
    assert alone.numbers()["rules"]["dfa"]["spread"] is None
    assert dfa.spread == pytest.approx(abs(dfa.final[0] - dfa.final[1]) / np.sqrt(2))
    assert [row[0] for row in device.rows] == ["dfa-device-noise", "dfa-device-measured"]
    with pytest.raises(KeyError):
        quick.rule("backprop")


def test_the_packaged_netlist_meets_its_figures() -> None:
    circuit = load("mrr_dfa_digits")
    (entry,) = (dict(entry) for entry in circuit.netlist.analyses if entry["kind"] == "train")
    entry["seeds"] = 2
    result = train(circuit, entry)
    mean = {own.rule: 100 * own.mean for own in result.rules}
    # One seed in 360 test samples scatters by 0.2 to 0.5; the full five seeds stand in the file.
    assert mean["backprop"] >= 97.0
    assert mean["dfa"] >= 96.0
    assert abs(mean["dfa-device"] - mean["dfa"]) <= 0.5
    assert mean["dfa-device-noise"] >= mean["frozen"] + 1.5
    assert all(weights.programming_rms < 1e-6 for weights in result.weights)
    assert result.rule("dfa-device").counters["clipped heaters"] == 0


def test_alignment_is_measured_where_it_is_asked_for(quick: TrainingResult) -> None:
    few = {**QUICK, "rules": ["backprop", "dfa", "frozen"], "epochs": 3, "alignment": 100}
    result = train(load("add_drop_ring"), few)
    exact, dfa, _ = result.rules
    assert exact.angles.shape == (2, 3, 1)
    # An angle of 0 comes from the arc cosine of a number that single precision rounds.
    assert np.abs(exact.angles).max() < 0.1
    assert np.all((dfa.angles > 5.0) & (dfa.angles < 90.0))
    assert [outcome.aligned for outcome in result.rules] == [True, True, False]
    numbers = result.numbers()["rules"]
    assert numbers["dfa"]["angles"] == dfa.angles.tolist()
    assert numbers["frozen"]["angles"] is None
    assert not quick.rules[0].aligned

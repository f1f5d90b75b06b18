"""Rules for weights of few levels: they find what can be found, count, and run on any device."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.media.weighing import WeighingDetector, WeighingMirrors
from photosim.training.devices import Digital
from photosim.training.readouts import (
    BOOLEAN,
    TERNARY,
    DeviceReadout,
    Greedy,
    MultiFlip,
    StateReadout,
    find_weight_rule,
    learn_readouts,
    weight_rules,
)
from photosim.training.readouts.learning import one_against_all
from photosim.training.readouts.measured import normalised_error

QUIET = WeighingDetector(pixels=8, noise_density=0.0, bandwidth=0.0, bits=0)


def states(samples: int, nodes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2.0, 1e-5, (samples, nodes)).astype(np.float32)


def read_out(powers: np.ndarray, detector: WeighingDetector = QUIET, rin: float = 0.0) -> StateReadout:
    mirrors = WeighingMirrors(side=32, nodes=powers.shape[1])
    return StateReadout(powers, mirrors, detector, rin, np.random.default_rng(1))


@pytest.mark.parametrize("name", weight_rules())
def test_a_rule_finds_the_best_of_all_weights(name: str) -> None:
    """Six nodes: all weights can be tried. The error never rises, and every evaluation is counted."""
    powers = states(60, 6)
    target = powers @ np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0]) + states(60, 1, 5)[:, 0]
    few = {"first": 3, "decay": 50.0} if "flip" in name else {}
    rule = find_weight_rule(name, **few)
    asked = read_out(powers)
    best = min(
        normalised_error(powers @ np.array(w), target) for w in product(rule.levels, repeat=6) if any(w)
    )
    runs = [rule.learn(lambda w: asked.error(w, target), 6, 400, np.random.default_rng(k)) for k in range(4)]
    assert min(run.error for run in runs) == pytest.approx(best, abs=2e-3)  # mirrors leak
    for run in runs:
        assert (np.diff(run.curve) <= 0).all()
        assert run.evaluations == 400
        assert set(np.unique(run.weights)) <= set(rule.levels)
    assert asked.counters["evaluations"] == 1600
    more = asked.counters["readings"] - 1600
    assert (more > 0) == (rule.levels == TERNARY)


def test_greedy_flips_one_weight_and_tries_all_before_one_again() -> None:
    """The published waiting times: a weight just tried waits until the others have had their turn."""
    seen: list[np.ndarray] = []

    def error(weights: np.ndarray) -> float:
        seen.append(weights.copy())
        return 1.0  # nothing is ever better: every trial starts from the first weights

    Greedy(BOOLEAN).learn(error, 50, 201, np.random.default_rng(0))
    flipped = [np.flatnonzero(one != seen[0]) for one in seen[1:]]
    assert all(len(one) == 1 for one in flipped)
    counts = np.bincount(np.concatenate(flipped), minlength=50)
    chance = np.bincount(np.random.default_rng(0).integers(0, 50, 200), minlength=50)
    assert counts.std() < 0.5 * chance.std()
    assert counts.min() >= 1


def test_multi_flip_flips_fewer_and_fewer() -> None:
    seen: list[np.ndarray] = []

    def error(weights: np.ndarray) -> float:
        seen.append(weights.copy())
        return 1.0

    rule = MultiFlip(TERNARY, first=20, decay=30.0)
    rule.learn(error, 100, 150, np.random.default_rng(0))
    flipped = [int(np.count_nonzero(one != seen[0])) for one in seen[1:]]
    assert flipped == [max(1, round(20 * np.exp(-k / 30.0))) for k in range(149)]
    one = MultiFlip(BOOLEAN, first=1).learn(lambda w: float(w.sum()), 20, 100, np.random.default_rng(3))
    other = Greedy(BOOLEAN).learn(lambda w: float(w.sum()), 20, 100, np.random.default_rng(3))
    np.testing.assert_array_equal(one.weights, other.weights)


def test_errors_from_covariances_are_those_of_readings_sample_by_sample() -> None:
    powers = states(300, 8)
    target = (powers[:, 0] > np.median(powers[:, 0])).astype(float)
    loud = WeighingDetector(pixels=8, bandwidth=1e6, bits=8, full_scale=4e-4)
    asked = read_out(powers, loud, rin=1e-9)
    for weights in (np.array([1, 0, 0, 1, 0, 0, 0, 0]), np.array([1, -1, 0, 1, 0, -1, 0, 0])):
        read = [normalised_error(asked.read(weights), target) for _ in range(1500)]
        drawn = [asked.error(weights, target) for _ in range(1500)]
        assert np.mean(drawn) == pytest.approx(np.mean(read), abs=0.01)
        assert np.std(drawn) == pytest.approx(np.std(read), rel=0.15)
    quiet = read_out(powers)
    weights = np.array([1, 0, 0, 1, 0, 0, 0, 0])
    assert quiet.error(weights, target) == pytest.approx(
        normalised_error(quiet.read(weights), target), abs=1e-5
    )


def test_any_device_learns_ten_readouts() -> None:
    x = states(200, 12).astype(np.float64) * 1e5
    labels = np.argmax(x[:, :3], axis=1)
    for rule, least in ((Greedy(BOOLEAN), 0.75), (MultiFlip(TERNARY, first=3, decay=30.0), 0.85)):
        asked = DeviceReadout(Digital(np.zeros((1, 12))), x, two=True)
        done = learn_readouts(rule, asked, one_against_all(labels, 3), 300, np.random.default_rng(0))
        assert np.mean(done.classes(asked) == labels) > least
        assert asked.counters["evaluations"] == 900
        outputs = done.outputs(asked)
        np.testing.assert_allclose(outputs.mean(axis=0), 0.0, atol=1e-9)
        np.testing.assert_allclose(outputs.std(axis=0), 1.0, atol=1e-9)


def test_wrong_names_and_settings_are_sentences() -> None:
    with pytest.raises(ParameterError, match=r"There is no rule 'greedy-bolean'.*greedy-boolean"):
        find_weight_rule("greedy-bolean")
    with pytest.raises(ParameterError, match="'greedy-boolean' has no setting 'first'; it has no settings"):
        find_weight_rule("greedy-boolean", first=3)
    with pytest.raises(ParameterError, match="first"):
        find_weight_rule("multi-flip-ternary", first=0)
    with pytest.raises(ParameterError, match="Weights have the levels"):
        Greedy((0, 2))
    with pytest.raises(ParameterError, match="one for each mirror"):
        StateReadout(states(5, 3), WeighingMirrors(side=4, nodes=4), QUIET, 0.0, np.random.default_rng(0))

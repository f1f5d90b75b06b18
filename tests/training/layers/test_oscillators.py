"""Coupled oscillators: their gradient, and the physics-aware rule on the published recipe in small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from sklearn.datasets import load_digits

from photosim.errors import ParameterError
from photosim.training.layers import Network
from photosim.training.layers.oscillators import Oscillators
from photosim.training.passes import Updates, run
from photosim.training.rules import Backprop, PhysicsAware
from photosim.training.rules.physics_aware import ideal_layer


def _network(seed: int) -> Network:
    """Return two layers of oscillators with the recipe's gap, the last ten times a factor the logits."""
    layers = (Oscillators(64, 64, 64), Oscillators(64, 74, 10, scaled=True))
    rngs = np.random.default_rng(seed).spawn(2)
    return Network(tuple(own.drawn(0.2, 1.1, 0.02, rng) for own, rng in zip(layers, rngs, strict=True)))


def _flat(updates: Updates) -> Any:
    return np.concatenate([own[name].ravel() for own in updates if own for name in sorted(own)])


def test_oscillators_move_as_their_equation_says() -> None:
    rng = np.random.default_rng(0)
    layer = Oscillators(4, 6, 6, step=0.025, steps=20).drawn(0.2, 1.1, 0.0, rng)
    parameters = layer.initial(rng)
    parameters["drive"] = rng.standard_normal(6)
    x = rng.standard_normal(4)
    gap: Any = layer.gap
    j: Any = (parameters["weights"] + parameters["weights"].T) / 2 + gap

    def motion(_t: float, state: Any) -> Any:
        s = np.sin(1.1 * state[:6])
        pull = [sum(j[i, k] * (s[k] - s[i]) for k in range(6)) for i in range(6)]
        return np.concatenate([state[6:], -s + pull + parameters["drive"]])

    start = np.concatenate([x, np.zeros(8)])
    exact = solve_ivp(motion, (0.0, 0.5), start, rtol=1e-11, atol=1e-12).y[:6, -1]
    np.testing.assert_allclose(layer.forward(parameters, x[np.newaxis]).outputs[0], exact, atol=1e-7)


def test_gradients_are_slopes_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    layers = (Oscillators(5, 7, 4), Oscillators(4, 6, 3, scaled=True).drawn(0.2, 1.1, 0.0, rng))
    network = Network(layers)
    parameters, x, y = network.initial(rng), rng.standard_normal((8, 5)), rng.integers(0, 3, 8)
    found: Any = Backprop().updates(run(network, parameters, x, y)[0])
    for index, own in enumerate(parameters):
        for name, value in own.items():
            for place in list(np.ndindex(value.shape))[::5]:
                kept, ends = value[place], []
                for side in (1e-5, -1e-5):
                    value[place] = kept + side
                    ends.append(run(network, parameters, x, y)[1])
                value[place] = kept
                assert found[index][name][place] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8)


def test_the_rule_points_closer_to_the_exact_gradient_than_the_model_alone() -> None:
    """The gap of the published recipe: couplings off by 0.2, k = 1.1, starts by 0.02; digits, eight draws."""
    x, y = load_digits(return_X_y=True)
    x, y = x[:200] / 16.0, y[:200]
    cosines = []
    for seed in range(8):
        chip = _network(seed)
        parameters = chip.initial(np.random.default_rng(seed))
        forward = run(chip, parameters, x, y)[0]
        model = Network(tuple(ideal_layer(layer) for layer in chip.layers))
        exact = _flat(Backprop().updates(forward))
        alone = _flat(Backprop().updates(run(model, parameters, x, y)[0]))
        aware = _flat(PhysicsAware.of(chip).updates(forward))
        cosines.append([exact @ own / np.linalg.norm(exact) / np.linalg.norm(own) for own in (aware, alone)])
    found = np.array(cosines)
    better = found[:, 0] - found[:, 1]
    assert better.mean() > 2.0 * better.std(ddof=1) / np.sqrt(len(better))
    assert found[:, 0].max() < 1.0 - 1e-6


def test_without_a_gap_the_rule_is_backprop() -> None:
    rng = np.random.default_rng(2)
    network = Network((Oscillators(5, 7, 4), Oscillators(4, 6, 3, scaled=True)))
    forward = run(network, network.initial(rng), rng.standard_normal((8, 5)), rng.integers(0, 3, 8))[0]
    found, exact = (rule.updates(forward) for rule in (PhysicsAware.of(network), Backprop()))
    np.testing.assert_allclose(_flat(found), _flat(exact), atol=1e-10)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParameterError, match="4 oscillators cannot have 5 inputs and 2 outputs"):
        Oscillators(5, 4, 2)

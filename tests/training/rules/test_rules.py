"""Learning rules against finite differences and two-line references."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.training.devices import Digital
from photosim.training.layers import Network, Parameters, dense_network
from photosim.training.losses import softmax_cross_entropy
from photosim.training.passes import ForwardPass
from photosim.training.rules import DFA, Backprop, FrozenHidden, Need

RNG = np.random.default_rng(1)
X = RNG.normal(size=(7, 5))
Y = RNG.integers(0, 3, 7)


def loss_of(network: Network, parameters: list[Parameters]) -> float:
    return softmax_cross_entropy(network.predict(parameters, X), Y)[0]


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "linear"])
def test_backprop_is_the_gradient_of_the_mean_loss(activation: str) -> None:
    network = dense_network((5, 6, 4, 3), activation)
    parameters = network.initial(np.random.default_rng(2))
    traces = network.forward(parameters, X)
    _, error = softmax_cross_entropy(traces[-1].outputs, Y)
    updates = Backprop().updates(ForwardPass(network, parameters, traces, error, Y))
    step = 1e-6
    for layer, update in enumerate(updates):
        assert update is not None
        for name, value in parameters[layer].items():
            for place in np.ndindex(value.shape):
                kept = value[place]
                value[place] = kept + step
                above = loss_of(network, parameters)
                value[place] = kept - step
                below = loss_of(network, parameters)
                value[place] = kept
                # Central differences: step**2 of truncation, eps / step of rounding, both near 1e-10.
                assert update[name][place] == pytest.approx((above - below) / (2 * step), abs=1e-8)


def test_dfa_is_the_published_rule() -> None:
    network = dense_network((5, 6, 4, 3), "tanh")
    parameters = network.initial(np.random.default_rng(3))
    feedback = [RNG.normal(size=(6, 3)), RNG.normal(size=(4, 3))]
    traces = network.forward(parameters, X)
    _, error = softmax_cross_entropy(traces[-1].outputs, Y)
    updates = DFA(tuple(Digital(matrix) for matrix in feedback)).updates(
        ForwardPass(network, parameters, traces, error, Y)
    )
    hidden = X
    for update, matrix, own in zip(updates, feedback, parameters, strict=False):
        pre = hidden @ own["weights"].T + own["bias"]
        delta = (error @ matrix.T) * (1 - np.tanh(pre) ** 2)
        assert update is not None
        np.testing.assert_allclose(update["weights"], delta.T @ hidden / len(X), atol=1e-15)
        np.testing.assert_allclose(update["bias"], delta.mean(axis=0), atol=1e-15)
        hidden = np.tanh(pre)
    exact = Backprop().updates(ForwardPass(network, parameters, traces, error, Y))[-1]
    assert updates[-1] is not None
    assert exact is not None
    np.testing.assert_array_equal(updates[-1]["weights"], exact["weights"])


def test_dfa_with_the_transposed_weights_of_one_hidden_layer_is_backprop() -> None:
    network = dense_network((5, 6, 3), "tanh")
    parameters = network.initial(np.random.default_rng(4))
    traces = network.forward(parameters, X)
    _, error = softmax_cross_entropy(traces[-1].outputs, Y)
    aligned = DFA((Digital(parameters[1]["weights"].T.astype(np.float64)),)).updates(
        ForwardPass(network, parameters, traces, error, Y)
    )
    exact = Backprop().updates(ForwardPass(network, parameters, traces, error, Y))
    assert aligned[0] is not None
    assert exact[0] is not None
    np.testing.assert_allclose(aligned[0]["weights"], exact[0]["weights"], atol=1e-15)


def test_frozen_leaves_the_hidden_layers_alone() -> None:
    network = dense_network((5, 6, 4, 3))
    parameters = network.initial(np.random.default_rng(5))
    traces = network.forward(parameters, X)
    _, error = softmax_cross_entropy(traces[-1].outputs, Y)
    updates = FrozenHidden().updates(ForwardPass(network, parameters, traces, error, Y))
    assert updates[:-1] == [None, None]
    exact = Backprop().updates(ForwardPass(network, parameters, traces, error, Y))[-1]
    assert updates[-1] is not None
    assert exact is not None
    np.testing.assert_array_equal(updates[-1]["weights"], exact["weights"])


def test_dfa_never_looks_at_the_weights_of_later_layers() -> None:
    network = dense_network((5, 6, 4, 3))
    parameters = network.initial(np.random.default_rng(6))
    traces = network.forward(parameters, X)
    _, error = softmax_cross_entropy(traces[-1].outputs, Y)
    rule = DFA((Digital(RNG.normal(size=(6, 3))), Digital(RNG.normal(size=(4, 3)))))
    assert Need.TRANSPOSED_WEIGHTS not in rule.needs
    nothing = [{name: np.full_like(value, np.nan) for name, value in own.items()} for own in parameters]
    for update in rule.updates(ForwardPass(network, nothing, traces, error, Y)):
        assert update is not None
        assert all(np.isfinite(value).all() for value in update.values())


def test_dfa_wants_a_device_for_every_hidden_layer() -> None:
    network = dense_network((5, 6, 4, 3))
    parameters = network.initial(np.random.default_rng(7))
    traces = network.forward(parameters, X)
    with pytest.raises(ParameterError, match="one feedback device for each of the 2 hidden layers, got 1"):
        DFA((Digital(np.ones((6, 3))),)).updates(ForwardPass(network, parameters, traces, np.ones((7, 3)), Y))

"""Convolution, pooling and dropout: against scipy, finite differences, and what chance should do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices import Digital
from photosim.training.layers import (
    Convolution,
    Dense,
    Dropout,
    Network,
    Parameters,
    Pooling,
    Windows,
    activation,
    dense_network,
)
from photosim.training.losses import softmax_cross_entropy
from photosim.training.optimisers import Adam
from photosim.training.passes import run
from photosim.training.rules import DFA, Backprop, FeedbackAlignment, Rule, SignSymmetry, make_rule
from photosim.training.rules.catalogue import draw_feedback
from photosim.training.trainer import Schedule, Streams, fit

RNG = np.random.default_rng(31)
X = RNG.normal(size=(5, 2 * 6 * 7))
Y = RNG.integers(0, 3, 5)


def images(padding: int = 0, stride: int = 1, kind: str = "max", share: float = 0.0) -> Network:
    """Two channels of 6 x 7 pixels, four filters of 3 x 3, windows of two pixels, three classes."""
    convolution = Convolution(Windows(2, 6, 7, 3, stride, padding), 4, activation("tanh"))
    shape = (4, convolution.windows.rows, convolution.windows.columns)
    pooling = Pooling(Windows(*shape, 2, 2 if min(shape[1:]) > 3 else 1), kind)  # type: ignore[arg-type]
    between = (Dropout(pooling.outputs, share),) if share else ()
    dense = Dense(pooling.outputs, 6, activation("tanh"))
    return Network((convolution, pooling, *between, dense, Dense(6, 3, activation("linear"))))


CASES = [
    images(),
    images(kind="mean"),
    images(padding=1),
    images(stride=2),
    images(padding=2, stride=3, kind="mean"),
    Network((Dropout(84, 0.2), *images(share=0.4).layers)),
]


@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_is_scipys_correlation(padding: int, stride: int) -> None:
    layer = Convolution(Windows(2, 6, 7, 3, stride, padding), 4, activation("linear"))
    own = layer.initial(np.random.default_rng(0))
    found = layer.forward(own, X).outputs.reshape(5, 4, layer.windows.rows, layer.windows.columns)
    rim = ((0, 0), (padding, padding), (padding, padding))
    for sample, image in enumerate(X.reshape(5, 2, 6, 7)):
        for f, weights in enumerate(own["weights"].reshape(4, 2, 3, 3)):
            whole = correlate(np.pad(image, rim), weights, mode="valid")[0] + own["bias"][f]
            np.testing.assert_allclose(found[sample, f], whole[::stride, ::stride], atol=1e-12)


@pytest.mark.parametrize("kind", ["max", "mean"])
def test_pooling_takes_the_largest_or_the_mean_of_each_window(kind: str) -> None:
    layer = Pooling(Windows(2, 6, 7, 2, 2), kind)  # type: ignore[arg-type]
    found = layer.forward({}, X).outputs.reshape(5, 2, 3, 3)
    blocks = X.reshape(5, 2, 6, 7)[..., :6].reshape(5, 2, 3, 2, 3, 2)
    wanted = blocks.max(axis=(3, 5)) if kind == "max" else blocks.mean(axis=(3, 5))
    np.testing.assert_allclose(found, wanted, atol=1e-15)


@pytest.mark.parametrize("network", CASES)
def test_backprop_through_every_layer_is_the_gradient(network: Network) -> None:
    parameters = network.initial(np.random.default_rng(2))
    forward, _ = run(network, parameters, X, Y, rng=np.random.default_rng(5))

    def loss() -> float:
        traces = network.forward(parameters, X, forward.traces)  # the same units left out
        return softmax_cross_entropy(traces[-1].outputs, Y)[0]

    for own, update in zip(parameters, Backprop().updates(forward), strict=True):
        assert (update is None) == (not own)
        for name, value in own.items():
            assert update is not None
            for place in [tuple(RNG.integers(0, value.shape)) for _ in range(12)]:
                kept = value[place]
                value[place] = kept + 1e-6
                above = loss()
                value[place] = kept - 1e-6
                below = loss()
                value[place] = kept
                # Central differences: step**2 of truncation, eps / step of rounding, both near 1e-10.
                assert update[name][place] == pytest.approx((above - below) / 2e-6, abs=1e-8)


@pytest.mark.parametrize("network", CASES[:-1])
def test_errors_reach_the_inputs_as_the_gradient_says(network: Network) -> None:
    parameters = network.initial(np.random.default_rng(3))
    forward, _ = run(network, parameters, X, Y)
    signal = forward.error
    for block in reversed(network.blocks):
        signal = forward.back(block, forward.delta(block, signal))
    for place in [tuple(RNG.integers(0, X.shape)) for _ in range(20)]:
        moved = X.copy()
        moved[place] += 1e-6
        above = softmax_cross_entropy(network.predict(parameters, moved), Y)[0]
        moved[place] -= 2e-6
        below = softmax_cross_entropy(network.predict(parameters, moved), Y)[0]
        assert signal[place] / len(X) == pytest.approx((above - below) / 2e-6, abs=1e-8)


def test_direct_feedback_reaches_a_convolution_behind_its_pooling() -> None:
    network = images()
    parameters = network.initial(np.random.default_rng(4))
    matrices = draw_feedback("dfa", network, 1.0, np.random.default_rng(5))
    assert [matrix.shape for matrix in matrices] == [(network.layers[1].outputs, 3), (6, 3)]
    forward, _ = run(network, parameters, X, Y)
    updates = DFA(tuple(Digital(matrix) for matrix in matrices)).updates(forward)
    signal = network.layers[1].back({}, forward.traces[1], forward.error @ matrices[0].T)
    delta = signal * (1 - np.tanh(forward.traces[0].pre) ** 2)
    wanted = network.layers[0].gradient(forward.traces[0], delta, len(X))
    assert updates[0] is not None
    assert updates[1] is None
    np.testing.assert_allclose(updates[0]["weights"], wanted["weights"], atol=1e-15)


def test_rules_that_share_the_weights_are_backprop_here_too() -> None:
    network = images(share=0.3)
    parameters = network.initial(np.random.default_rng(6))
    forward, _ = run(network, parameters, X, Y, rng=np.random.default_rng(7))
    exact = Backprop().updates(forward)
    weights = [own["weights"] for own in parameters if own]
    aligned: list[Rule] = [
        FeedbackAlignment(tuple(Digital(np.array(w.T, dtype=np.float64)) for w in weights[1:])),
        SignSymmetry(tuple(np.abs(w) for w in weights[1:]), "fixed", np.random.default_rng(0)),
    ]
    for rule in aligned:
        for update, other in zip(rule.updates(forward), exact, strict=True):
            assert (update is None) == (other is None)
            if update is not None and other is not None:
                np.testing.assert_allclose(update["weights"], other["weights"], atol=1e-14)


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    layer = Dropout(400, 0.3)
    x = np.ones((500, 400))
    trace = layer.forward({}, x, np.random.default_rng(8))
    # 200,000 draws: the share scatters by 0.001, so five of those are missed once in 2 million.
    assert np.mean(trace.outputs == 0.0) == pytest.approx(0.3, abs=0.005)
    assert set(np.unique(trace.outputs)) == {0.0, 1.0 / 0.7}
    np.testing.assert_array_equal(layer.forward({}, x, trace).outputs, trace.outputs)
    np.testing.assert_array_equal(layer.forward({}, x).outputs, x)


def test_a_second_pass_repeats_the_first_where_its_inputs_are_the_same() -> None:
    network = images(share=0.5)
    parameters = network.initial(np.random.default_rng(9))
    forward, _ = run(network, parameters, X, Y, rng=np.random.default_rng(10))
    np.testing.assert_array_equal(forward.again(X).error, forward.error)
    moved = forward.again(X + 0.1)
    assert np.any(moved.error != forward.error)
    np.testing.assert_array_equal(moved.inputs, X + 0.1)
    np.testing.assert_array_equal(moved.traces[2].memo, forward.traces[2].memo)


def test_a_convolution_learns_what_no_single_pixel_tells() -> None:
    # The class is the direction of a bright bar somewhere in the noise.
    rng = np.random.default_rng(11)
    y = rng.integers(0, 2, 600)
    x = 0.5 * rng.normal(size=(600, 8, 8))
    for image, label, place in zip(x, y, rng.integers(0, 5, (600, 2)), strict=True):
        row, column = place
        if label:
            image[row, column : column + 4] += 1.5
        else:
            image[row : row + 4, column] += 1.5
    flat = x.reshape(600, -1)
    learn, none, judge = (Samples(flat[rows], y[rows]) for rows in np.split(np.arange(600), [400, 400]))
    data = Dataset("bars", learn, none, judge, 2)
    convolution = Convolution(Windows(1, 8, 8, 4), 6, activation("relu"))
    pooling = Pooling(Windows(6, 5, 5, 5))
    network = Network((convolution, pooling, Dropout(6, 0.1), Dense(6, 2, activation("linear"))))
    streams = Streams.tree(0, 1)[0]
    for name in ("backprop", "dfa"):
        matrices = draw_feedback(name, network, 1.0, np.random.default_rng(0))
        rule = make_rule(name, network, [Digital(matrix) for matrix in matrices])
        history = fit(network, rule, Adam(0.01), data, Schedule(20), streams)
        assert history.accuracy[-1] > 0.9  # a linear classifier of the pixels stays near 0.6
        assert history.angles.shape == (20, 1)


def test_dropout_between_dense_layers_is_drawn_alike_again() -> None:
    network = dense_network((84, 20, 3), dropout=0.5)
    data = Dataset("noise", Samples(X, Y), Samples(X[:0], Y[:0]), Samples(X, Y), 3)
    first, second = (
        fit(network, Backprop(), Adam(), data, Schedule(3, 2), Streams.tree(0, 1)[0]).parameters
        for _ in range(2)
    )
    plain = fit(dense_network((84, 20, 3)), Backprop(), Adam(), data, Schedule(3, 2), Streams.tree(0, 1)[0])
    np.testing.assert_array_equal(first[0]["weights"], second[0]["weights"])
    assert np.any(first[0]["weights"] != plain.parameters[0]["weights"])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: Windows(1, 4, 4, 5),
            "Windows of 5 pixels, 1 apart, rim 0, do not fit",
        ),
        (lambda: Pooling(Windows(1, 4, 4, 2, padding=1)), "Pooling takes no rim, got padding 1"),
        (lambda: Pooling(Windows(1, 4, 4, 2), "least"), "kind must be 'max' or 'mean', got 'least'"),  # type: ignore[arg-type]
        (lambda: Dropout(3, 1.0), "share must be from 0 to below 1, got 1.0"),
        (lambda: Network((Dropout(3, 0.5),)), "last layer of a network must be one that learns"),
        (
            lambda: Network((Dropout(3, 0.5), Dense(4, 2, activation("linear")))),
            "Layer 1 gives 3 features, but the next one takes 4",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make: object, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        make()  # type: ignore[operator]


def test_types_are_kept() -> None:
    network = images(share=0.2)
    single: list[Parameters] = network.initial(np.random.default_rng(0), np.float32)
    x: RealArray = X.astype(np.float32)
    forward, _ = run(network, single, x, Y, rng=np.random.default_rng(0))
    for update in Backprop().updates(forward):
        assert update is None or all(value.dtype == np.float32 for value in update.values())

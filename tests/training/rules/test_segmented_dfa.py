"""Feedback to the ends of segments: exact without any, and what a hand-made pass back gives with some."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.devices import Digital, Projection, ScatteringMedium
from photosim.training.layers import dense_network
from photosim.training.layers.transformer import macro_ends, micro_ends, transformer
from photosim.training.losses import TOKENS
from photosim.training.passes import ForwardPass, Updates, run
from photosim.training.rules import DFA, Backprop, SegmentedDFA

RNG = np.random.default_rng(0)
T, V, W, BLOCKS = 5, 7, 6, 2
NETWORK = transformer(V, T, W, BLOCKS, heads=2)
PARAMETERS = NETWORK.initial(np.random.default_rng(1))
PARAMETERS[-1]["weights"] += RNG.normal(size=(V, W))  # which begin at zero
X, Y = RNG.integers(0, V, (4, T)).astype(float), RNG.integers(0, V, (4, T))
FEEDBACK = tuple(Digital(RNG.normal(size=(W, V))) for _ in range(2 * BLOCKS))


def passed() -> ForwardPass:
    return run(NETWORK, PARAMETERS, X, Y, TOKENS)[0]


def assert_equal(one: Updates, other: Updates, **tolerance: Any) -> None:
    for a, b in zip(one, other, strict=True):
        assert (a is None) == (b is None)
        for key in a or {}:
            assert a is not None
            assert b is not None
            np.testing.assert_allclose(a[key], b[key], err_msg=key, **tolerance)


def test_without_feedback_it_is_the_gradient() -> None:
    assert_equal(SegmentedDFA(tokens=T).updates(passed()), Backprop().updates(passed()), atol=1e-14)


def test_the_gradient_is_that_of_finite_differences() -> None:
    found = SegmentedDFA(tokens=T).updates(passed())
    for layer, key, place in (
        (0, "weights", (2, 3)),
        (1, "weights", (4, 1)),
        (2, "out", (0, 3)),
        (5, "bias", (2,)),
    ):
        slope = 0.0
        for sign in (1, -1):
            moved = [{name: value.copy() for name, value in own.items()} for own in PARAMETERS]
            moved[layer][key][place] += sign * 1e-6
            slope += sign * run(NETWORK, moved, X, Y, TOKENS)[1] / 2e-6
        update = found[layer]
        assert update is not None
        assert update[key][place] == pytest.approx(slope, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("threshold", [None, 0.2])
def test_blocks_learn_from_their_own_feedback(threshold: float | None) -> None:
    """Macro: block k's output is sent B_k e, whatever the blocks after it hold."""
    forward = passed()
    found = SegmentedDFA(FEEDBACK[:BLOCKS], macro_ends(BLOCKS), T, threshold).updates(forward)
    exact = Backprop().updates(forward)
    assert_equal([found[-1]], [exact[-1]], atol=1e-14)
    error = forward.error.reshape(-1, V)
    if threshold is not None:
        error = np.sign(error) * (np.abs(error) > threshold)
    for block, last in enumerate(macro_ends(BLOCKS)):
        signal: RealArray = (error @ FEEDBACK[block].weights.T).reshape(4, -1)
        for index in (last, last - 1):
            layer, trace = NETWORK.layers[index], forward.traces[index]
            assert_equal([found[index]], [layer.gradient(trace, signal, Y.size)], atol=1e-14)
            signal = layer.back(PARAMETERS[index], trace, signal)
        if block == 0:  # the embedding learns from what comes out of the first block
            first = NETWORK.layers[0].gradient(forward.traces[0], signal, Y.size)
            assert_equal([found[0]], [first], atol=1e-14)
    changed = [{key: value.copy() for key, value in own.items()} for own in PARAMETERS]
    changed[4]["out"] *= -1.0
    other = SegmentedDFA(FEEDBACK[:BLOCKS], macro_ends(BLOCKS), T).updates(forward)
    again = SegmentedDFA(FEEDBACK[:BLOCKS], macro_ends(BLOCKS), T).updates(
        ForwardPass(NETWORK, changed, forward.traces, forward.error, Y, TOKENS)
    )
    assert_equal(other[:3], again[:3], atol=1e-14)


def test_one_device_serves_all_ends() -> None:
    shared = SegmentedDFA(FEEDBACK[:1], macro_ends(BLOCKS), T, 0.2)
    each = SegmentedDFA(FEEDBACK[:1] * BLOCKS, macro_ends(BLOCKS), T, 0.2)
    assert_equal(shared.updates(passed()), each.updates(passed()), atol=0.0)


def test_errors_rounded_at_random_are_right_on_average() -> None:
    forward = passed()
    exact = SegmentedDFA(FEEDBACK[:1], macro_ends(BLOCKS), T).updates(forward)[2]
    rule = SegmentedDFA(FEEDBACK[:1], macro_ends(BLOCKS), T, at_random=True)
    drawn = [rule.updates(forward)[2] for _ in range(3000)]
    assert exact is not None
    biases = np.array([update["out bias"] for update in drawn if update])
    error = biases.std(axis=0) / np.sqrt(len(biases))
    assert np.all(np.abs(biases.mean(axis=0) - exact["out bias"]) < 5.0 * error)
    assert np.all(error < 0.05 * np.abs(exact["out bias"]).max())


def test_layers_that_stand_still_have_no_update() -> None:
    found = SegmentedDFA(FEEDBACK, micro_ends(BLOCKS), T, still=(1, 2)).updates(passed())
    assert [update is None for update in found] == [False, True, True, False, False, False]


def test_in_a_dense_network_it_is_dfa() -> None:
    network = dense_network((5, 6, 7, 3))
    own = network.initial(np.random.default_rng(0))
    forward, _ = run(network, own, RNG.normal(size=(4, 5)), np.array([0, 1, 2, 0]))
    devices = (Digital(RNG.normal(size=(6, 3))), Digital(RNG.normal(size=(7, 3))))
    assert_equal(SegmentedDFA(devices, (0, 1)).updates(forward), DFA(devices).updates(forward), atol=1e-14)


def test_the_medium_serves_all_blocks_with_one_exposure_a_token() -> None:
    devices = ScatteringMedium.from_circuit(
        ps.load("transformer_dfa"), V, [W] * BLOCKS, Projection(noise="physical")
    )
    rule = SegmentedDFA(devices, macro_ends(BLOCKS), T, 0.2)
    rule.updates(passed())
    counted = devices[0].counters
    error = passed().error.reshape(-1, V)
    lit = int(np.any(np.abs(error) > 0.2, axis=1).sum())
    assert counted["samples"] == 4 * T
    assert counted["frames"] == 2 * 2 * lit  # two signs, two phase steps; tokens without an error cost none


def test_wrong_segments_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"or one for all, got \[2, 1\] and 2 devices"):
        SegmentedDFA(FEEDBACK[:2], (2, 1))
    with pytest.raises(ParameterError, match="or one for all, got"):
        SegmentedDFA(FEEDBACK[:2], (1, 2, 4))
    with pytest.raises(ParameterError, match="threshold of a ternary error must be from 0"):
        SegmentedDFA(threshold=-0.1)
    with pytest.raises(ParameterError, match="at random or by a threshold, not both"):
        SegmentedDFA(threshold=0.1, at_random=True)
    with pytest.raises(ParameterError, match=r"end at layers 0 to 4, before the last one, got \[5\]"):
        SegmentedDFA(FEEDBACK[:1], (5,), T).updates(passed())

"""Single runs: they learn, they repeat, and their random streams do not disturb each other."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.training.data.datasets import Dataset, split
from photosim.training.devices import Digital
from photosim.training.history import History
from photosim.training.layers import dense_network
from photosim.training.optimisers import SGD, Adam
from photosim.training.passes import ForwardPass
from photosim.training.rules import DFA, Backprop, FrozenHidden, Rule
from photosim.training.trainer import Schedule, Streams, fit, score

NETWORK = dense_network((2, 12, 2))


def rings() -> Dataset:
    """Two noisy circles, one inside the other: no straight line parts them."""
    rng = np.random.default_rng(0)
    label = np.arange(400) % 2
    angle, radius = rng.uniform(0.0, 2.0 * np.pi, 400), 1.0 + label + 0.15 * rng.normal(size=400)
    return split("rings", np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), label)


DATA = rings()


def run(rule: Rule, streams: Streams, epochs: int = 5) -> History:
    return fit(NETWORK, rule, Adam(0.02), DATA, Schedule(epochs, 32, np.float64), streams)


def test_rules_learn_what_they_can() -> None:
    streams = Streams.tree(0, 1)[0]
    feedback = Digital(np.random.default_rng(1).uniform(-1, 1, (12, 2)))
    found = {
        name: run(rule, streams, 30).accuracy[-1]
        for name, rule in (("exact", Backprop()), ("dfa", DFA((feedback,))), ("frozen", FrozenHidden()))
    }
    assert found["exact"] > 0.97
    assert found["dfa"] > 0.97
    assert found["frozen"] < found["dfa"]


def test_a_run_is_decided_by_its_streams() -> None:
    first, again, other = (run(Backprop(), Streams.tree(seed, 1)[0]) for seed in (3, 3, 4))
    for own, same, different in zip(first.parameters, again.parameters, other.parameters, strict=True):
        np.testing.assert_array_equal(own["weights"], same["weights"])
        assert np.all(own["weights"] != different["weights"])
    np.testing.assert_array_equal(first.loss, again.loss)


def test_more_runs_leave_the_first_as_they_were() -> None:
    few, many = Streams.tree(5, 2), Streams.tree(5, 9)
    for own, same in zip(few, many, strict=False):
        for name in ("initial", "feedback", "order", "noise"):
            drawn = [np.random.default_rng(getattr(streams, name)).random() for streams in (own, same)]
            assert drawn[0] == drawn[1]


def test_streams_are_all_different() -> None:
    drawn = [
        np.random.default_rng(getattr(streams, name)).random()
        for streams in Streams.tree(0, 3)
        for name in ("initial", "feedback", "order", "noise")
    ]
    assert len(set(drawn)) == len(drawn)


def test_frozen_layers_do_not_move() -> None:
    streams = Streams.tree(1, 1)[0]
    start = NETWORK.initial(np.random.default_rng(streams.initial))
    end = run(FrozenHidden(), streams).parameters
    np.testing.assert_array_equal(end[0]["weights"], start[0]["weights"])
    assert np.all(end[1]["weights"] != start[1]["weights"])


def test_one_epoch_of_one_batch_is_one_step() -> None:
    streams = Streams.tree(2, 1)[0]
    history = fit(NETWORK, Backprop(), SGD(0.1, 0.0), DATA, Schedule(1, 10_000, np.float64), streams)
    start = NETWORK.initial(np.random.default_rng(streams.initial))
    traces = NETWORK.forward(start, DATA.train.x)
    from photosim.training.losses import softmax_cross_entropy

    loss, error = softmax_cross_entropy(traces[-1].outputs, DATA.train.y)
    for own, update, end in zip(
        start,
        Backprop().updates(ForwardPass(NETWORK, start, traces, error, DATA.train.y)),
        history.parameters,
        strict=True,
    ):
        assert update is not None
        np.testing.assert_allclose(end["weights"], own["weights"] - 0.1 * update["weights"], atol=1e-14)
    assert history.loss[0] == pytest.approx(loss, rel=1e-12)
    assert history.accuracy[0] == score(NETWORK, history.parameters, DATA.test)


def test_single_precision_is_kept_throughout() -> None:
    history = fit(NETWORK, Backprop(), Adam(), DATA, Schedule(1), Streams.tree(0, 1)[0])
    assert all(value.dtype == np.float32 for own in history.parameters for value in own.values())

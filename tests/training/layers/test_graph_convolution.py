"""Graph convolution and training on one graph: gradients, spectra, masks, and Cora itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photosim.errors import ParameterError
from photosim.training.data.graphs import GraphData, cora
from photosim.training.devices import Digital
from photosim.training.layers import normalised_adjacency
from photosim.training.losses import softmax
from photosim.training.node_training import NODES, features, fit_nodes, graph_network, redrawn
from photosim.training.passes import run
from photosim.training.rules import DFA, Backprop, FrozenHidden, Rule, TernaryDFA

FloatArray = NDArray[np.float64]
NODES_OF_TOY, WORDS, CLASSES = 60, 30, 3


def toy_graph(seed: int = 0) -> GraphData:
    """Three groups of nodes that use other words, joined mostly among themselves."""
    rng = np.random.default_rng(seed)
    labels = np.arange(NODES_OF_TOY) % CLASSES
    own = np.arange(WORDS) % CLASSES == labels[:, np.newaxis]
    words = (rng.random((NODES_OF_TOY, WORDS)) < np.where(own, 0.4, 0.1)).astype(float)
    one, other = rng.integers(0, NODES_OF_TOY, (2, 400))
    kept = (labels[one] == labels[other]) | (rng.random(400) < 0.1)
    edges = np.column_stack([one, other])[kept]
    order = rng.permutation(NODES_OF_TOY)
    return GraphData("toy", words, labels, edges, order[:12], order[12:30], order[30:])


def labels_of(data: GraphData) -> NDArray[np.int64]:
    known = np.full(data.labels.size, -1)
    known[data.train] = data.labels[data.train]
    return known


def test_adjacency_is_symmetric_with_eigenvalues_up_to_one() -> None:
    data = toy_graph()
    s = normalised_adjacency(data.edges, NODES_OF_TOY).toarray()
    np.testing.assert_allclose(s, s.T, atol=1e-15)
    values = np.linalg.eigvalsh(s)
    assert values.max() == pytest.approx(1.0, abs=1e-12)
    assert values.min() > -1.0
    # The largest belongs to the roots of the degrees: a random walk's resting state.
    degrees = 1.0 / np.diag(s)
    np.testing.assert_allclose(s @ np.sqrt(degrees), np.sqrt(degrees), atol=1e-12)


def test_edges_given_twice_or_to_a_node_itself_count_once() -> None:
    once = normalised_adjacency(np.array([[0, 1], [1, 2]]), 4).toarray()
    twice = normalised_adjacency(np.array([[1, 0], [0, 1], [2, 1], [2, 2]]), 4).toarray()
    np.testing.assert_array_equal(once, twice)
    assert once[3, 3] == 1.0  # a node alone keeps what it has
    assert once[0, 1] == pytest.approx(1.0 / np.sqrt(2.0 * 3.0))


def test_nodes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ParameterError, match="Edges are pairs of nodes from 0 to 3"):
        normalised_adjacency(np.array([[0, 4]]), 4)


def test_gradients_agree_with_finite_differences() -> None:
    data, rng = toy_graph(), np.random.default_rng(1)
    adjacency = normalised_adjacency(data.edges, NODES_OF_TOY)
    network = graph_network(adjacency, (WORDS, 5, 4, CLASSES), hidden="tanh")
    parameters = network.initial(rng)
    x, labels = features(data).astype(float), labels_of(data)
    updates = Backprop().updates(run(network, parameters, x, labels, NODES)[0])
    for own, update in zip(parameters, updates, strict=True):
        assert update is not None
        for place in [(0, 0), (2, 3), (1, 2)]:
            ends = []
            for shift in (1e-5, -1e-5):
                own["weights"][place] += shift
                ends.append(run(network, parameters, x, labels, NODES)[1])
                own["weights"][place] -= shift
            slope = (ends[0] - ends[1]) / 2e-5
            assert update["weights"][place] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_direct_feedback_is_the_formula_of_two_lines() -> None:
    """S X W1, relu, S H W2; the feedback itself does not spread over the graph: unlabelled nodes get none."""
    data, rng = toy_graph(), np.random.default_rng(2)
    s = normalised_adjacency(data.edges, NODES_OF_TOY)
    network = graph_network(s, (WORDS, 6, CLASSES))
    parameters = network.initial(rng)
    w1, w2 = (own["weights"].T for own in parameters)
    back = rng.uniform(-1.0, 1.0, (6, CLASSES))
    x, labels = features(data).astype(float), labels_of(data)
    found = DFA((Digital(back),)).updates(run(network, parameters, x, labels, NODES)[0])
    dense, plain = s.toarray(), x.toarray()
    hidden = np.maximum(dense @ plain @ w1, 0.0)
    error = softmax(dense @ hidden @ w2) - np.eye(CLASSES)[labels]
    error[labels < 0] = 0.0
    error /= len(data.train)
    first = (dense @ plain).T @ ((error @ back.T) * (hidden > 0.0))
    assert found[0] is not None
    assert found[1] is not None
    np.testing.assert_allclose(found[0]["weights"].T, first, atol=1e-14)
    np.testing.assert_allclose(found[1]["weights"].T, (dense @ hidden).T @ error, atol=1e-14)


def test_split_again_keeps_every_node_once() -> None:
    data = redrawn(toy_graph(), np.random.default_rng(3))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [36, 12, 12]
    whole = np.sort(np.concatenate([data.train, data.validation, data.test]))
    np.testing.assert_array_equal(whole, np.arange(NODES_OF_TOY))


def trained(data: GraphData, rule: Rule, *, dropout: float = 0.0, epochs: int = 120, seed: int = 0) -> float:
    initial, chance = np.random.SeedSequence(seed).spawn(2)
    adjacency = normalised_adjacency(data.edges, data.labels.size).astype(np.float32)
    network = graph_network(adjacency, (data.features.shape[1], 16, data.classes), dropout=dropout)
    return fit_nodes(
        network, rule, data, epochs=epochs, weight_decay=1e-4, initial=initial, rng=chance
    ).chosen


def test_every_rule_learns_the_toy_graph_and_runs_repeat() -> None:
    data = toy_graph()
    back = (Digital(np.random.default_rng(4).uniform(-1.0, 1.0, (16, CLASSES)) / 4.0),)
    for rule in (Backprop(), DFA(back), TernaryDFA(back, 0.4)):
        assert trained(data, rule) > 0.75  # one in three by chance
    assert trained(data, Backprop(), dropout=0.5) == trained(data, Backprop(), dropout=0.5)
    assert trained(data, FrozenHidden()) < trained(data, Backprop())


def test_cora_is_learnt(shared: Path) -> None:
    data = cora(shared / "data")
    accuracy = trained(data, Backprop(), dropout=0.5, epochs=100)
    assert 0.78 < accuracy < 0.85

"""Trainings of netlists on graphs of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.data.graphs import read_graph
from photosim.training.job import train


def entry(file: Path, **other: object) -> dict[str, object]:
    return {
        "name": "nodes", "data": str(file), "network": [5, 16, 3], "rules": ["backprop", "dfa", "dfa-device"],
        "device": "bank", "epochs": 60, "seeds": 1, "optimiser": {"method": "adam", "learning_rate": 0.02},
        **other,
    }  # fmt: skip


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A graph of 90 nodes in three circles, half of whose nodes have the word of their class."""
    nodes = np.arange(90)
    known = nodes[nodes % 2 == 0]
    path = tmp_path / "circles.npz"
    np.savez(
        path, feature_row=known, feature_col=known % 3, n_features=5, labels=nodes % 3,
        edges=np.column_stack([nodes, (nodes + 3) % 90]), train=nodes[:30], val=nodes[30:60], test=nodes[60:],
    )  # fmt: skip
    return path


def test_nodes_without_a_word_are_told_by_their_neighbours(graph: Path) -> None:
    circuit = ps.load("mrr_weight_bank_1x4")
    found = train(circuit, entry(graph))
    for own in found.rules:
        assert own.accuracy.shape == (1, 60)
        assert own.accuracy[0, -1] == 1.0, own.rule
    assert found.rules[2].counters["cycles"] > 0
    assert read_graph(graph).features.sum() == 45


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"network": [4, 16, 3]}, "the graph circles has 5 features and 3 classes, but the network"),
        ({"optimiser": {"method": "sgd", "learning_rate": 0.1}}, "take Adam .* got method 'sgd'"),
        ({"alignment": 10}, "take Adam and no alignment, got alignment"),
    ],
)
def test_what_a_graph_has_no_use_for_is_refused(graph: Path, other: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        train(ps.load("mrr_weight_bank_1x4"), entry(graph, **{"rules": ["backprop"], **other}))

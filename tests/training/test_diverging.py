"""Runs that diverge stop; losses and predictions are what they are called."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import Diverged, ParameterError, PhotosimWarning
from photosim.plotting.training import learning_curves
from photosim.training.data.datasets import Dataset, load
from photosim.training.data.graphs import digit_graph
from photosim.training.devices.device import check_batch, check_real
from photosim.training.devices.digital import Digital
from photosim.training.job import train
from photosim.training.layers import dense_network, normalised_adjacency
from photosim.training.losses import Objective, softmax_cross_entropy
from photosim.training.node_training import fit_nodes, graph_network
from photosim.training.optimisers import SGD, Adam
from photosim.training.rules import DFA, Backprop
from photosim.training.trainer import Schedule, Streams, fit


def test_a_run_that_diverges_stops_and_names_epoch_and_rate() -> None:
    network = dense_network((64, 16, 10), "relu")
    with pytest.raises(Diverged, match=r"diverged in epoch \d+, at a learning rate of 1e\+30"):
        fit(network, Backprop(), SGD(1e30), load("digits"), Schedule(5), Streams.tree(0, 1)[0])


def test_the_cross_entropy_is_exact_where_a_probability_underflows() -> None:
    exact = np.array([[0.0, 110.0], [0.0, 2000.0]])
    for logits in (exact, exact.astype(np.float32)):
        loss, _ = softmax_cross_entropy(logits, np.array([0, 0]))
        assert loss == pytest.approx((110.0 + 2000.0) / 2)


def test_predictions_stay_those_of_what_was_trained() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    y = (x[:, 0] > 0).astype(int)
    classifier = ps.training.PhotonicClassifier(max_iter=3, random_state=0).fit(x, y)
    before = classifier.predict_proba(x)
    classifier.set_params(activation="relu", hidden_layer_sizes=(5,))
    np.testing.assert_array_equal(classifier.predict_proba(x), before)
    with pytest.raises(ParameterError, match="validation_fraction must be above 0"):
        ps.training.PhotonicClassifier(early_stopping=True, validation_fraction=0.0).fit(x, y)


def test_imaginary_parts_are_refused() -> None:
    with pytest.raises(ParameterError, match="multiplies real numbers, got complex ones"):
        check_real("TiledMesh multiplies", np.array([1j]))
    with pytest.raises(
        ParameterError, match="The mesh of tiles takes gains that are real numbers, got complex"
    ):
        check_batch("The mesh of tiles", np.ones((2, 4)), np.ones((2, 3)) * 1j, (3, 4))


def test_training_on_a_graph_that_diverges_stops_too() -> None:
    data = digit_graph()
    adjacency = normalised_adjacency(data.edges, data.labels.size).astype(np.float32)
    network = graph_network(adjacency, (data.features.shape[1], 8, data.classes))
    seeds = np.random.SeedSequence(0).spawn(2)
    with pytest.raises(Diverged, match=r"diverged in epoch \d+, at a learning rate of 1e\+30"):
        fit_nodes(
            network, Backprop(), data, epochs=4, optimiser=Adam(1e30), initial=seeds[0], rng=seeds[1]
        )  # fmt: skip


class Fussy(Digital):
    """A device that says what it was given."""

    def apply(self, x: Any, gain: Any = None) -> Any:
        """Refuse what is not finite."""
        if not np.isfinite(x).all():
            message = "The device multiplies finite numbers."
            raise ParameterError(message)
        return super().apply(x, gain)


def test_a_loss_with_infinite_slopes_diverges_before_a_device_is_given_them() -> None:
    """The loss itself is finite: a root of the distance, of which the slope at 0 is without bound."""
    x = np.random.default_rng(0).normal(size=(40, 6))
    data = Dataset.from_arrays(x, x[:, :2])

    def root(outputs: Any, targets: Any) -> tuple[float, Any]:
        off = outputs - targets
        return float(np.sqrt(np.abs(off)).mean()), np.full_like(off, np.inf)

    objective = Objective(root, lambda _outputs, _targets: 0.0)
    network = dense_network((6, 5, 2), "tanh")
    device: Any = Fussy(np.ones((5, 2)))
    with pytest.raises(Diverged, match=r"diverged in epoch 1, .*slopes"):
        fit(network, DFA((device,)), SGD(0.1), data, Schedule(2), Streams.tree(0, 1)[0], objective=objective)


def test_runs_of_a_netlist_that_diverge_are_counted_as_that_beside_those_that_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ps.Circuit({"instances": {"g": "straight"}, "ports": {"in": "g,o1", "out": "g,o2"}})
    entry: dict[str, Any] = {
        "kind": "train", "name": "n", "data": "digits", "network": [64, 8, 10], "activation": "relu",
        "rules": ["dfa", "backprop"], "seeds": 2, "epochs": 1,
        "optimiser": {"method": "sgd", "learning_rate": 1e30},
    }  # fmt: skip
    with (
        pytest.warns(
            PhotosimWarning, match=r"analysis 'n', \w+, seed [01]: Training diverged in epoch 1, at"
        ),
        pytest.raises(Diverged, match=r"analysis 'n': Training diverged in epoch 1, at a learning rate"),
    ):
        train(one, entry)
    entry["optimiser"] = {"method": "sgd", "learning_rate": 0.1}
    runs: list[Any] = []

    def fit_some(*asked: Any) -> Any:
        runs.append(asked)
        if len(runs) in {1, 3, 4}:  # as if by numbers: the first of dfa, both of backprop
            raise Diverged(f"run {len(runs)}")
        return fit(*asked)

    monkeypatch.setattr("photosim.training.job.fit", fit_some)
    with pytest.warns(PhotosimWarning, match="run "):
        result = train(one, entry)
    table = result.tables()[0].rows
    accuracy = f"{100 * result.rule('dfa').final[0]:.2f}"
    assert table[0] == ("dfa", f"{accuracy}, 1 of 2 diverged", "-", f"diverged  {accuracy}")
    assert table[1] == ("backprop", "diverged", "-", "diverged  diverged")
    numbers = json.loads(json.dumps(result.numbers(), allow_nan=False))["rules"]
    assert numbers["backprop"]["mean"] is None
    assert numbers["dfa"]["diverged"] == {"0": "run 1"}
    assert len(learning_curves(result).axes[0].lines) >= 1

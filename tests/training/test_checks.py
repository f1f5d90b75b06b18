"""Data that cannot be learnt from, and numbers out of bounds, are refused by a sentence that says which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import DataError, ParameterError, PhotosimError, PhotosimWarning
from photosim.systems.harness.pictures import side
from photosim.systems.harness.system import Options
from photosim.systems.vowels.parting import table
from photosim.training.data.datasets import Dataset, Samples, load, split
from photosim.training.data.dynamics import kuramoto_sivashinsky, lorenz63
from photosim.training.data.graphs import GraphData, digit_graph, text
from photosim.training.devices import Projection, ScatteringMedium, WeightBank
from photosim.training.history import History
from photosim.training.layers import dense_network, normalised_adjacency
from photosim.training.losses import (
    CLASSIFICATION,
    REGRESSION,
    Objective,
    share_correct,
    softmax_cross_entropy,
)
from photosim.training.node_training import fit_nodes, graph_network, redrawn
from photosim.training.optimisers import SGD, Adam
from photosim.training.rules import DFA, Backprop
from photosim.training.trainer import Schedule, Streams, fit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
Y = (X[:, 0] > 0.0).astype(np.int64)
NETWORK = dense_network((4, 8, 2))
EMPTY = Samples(X[:0], Y[:0])
MADE = Dataset("made", Samples(X[:80], Y[:80]), Samples(X[80:100], Y[80:100]), Samples(X[100:], Y[100:]), 2)


def learn(data: Dataset, objective: Objective = CLASSIFICATION, schedule: Schedule | None = None) -> History:
    plan = schedule or Schedule(3)
    return fit(NETWORK, Backprop(), Adam(0.05), data, plan, Streams.tree(0, 1)[0], objective=objective)


def changed(part: str, x: Any = None, y: Any = None) -> Dataset:
    """Return the made data with inputs or labels of a part replaced."""
    old: Samples = getattr(MADE, part)
    new: dict[str, Any] = {part: Samples(old.x if x is None else x, old.y if y is None else y)}
    return replace(MADE, **new)


def with_one(array: Any, value: float) -> Any:
    array = np.array(array, dtype=float)
    array[3, 1] = value
    return array


def test_labels_minus_one_and_one_are_refused_and_right_once_numbered() -> None:
    signs = 2 * Y - 1
    for part, rows in (("train", slice(80)), ("validation", slice(80, 100)), ("test", slice(100, None))):
        with pytest.raises(DataError, match=r"labels must be class numbers from 0 to 1, .*, got -1"):
            learn(changed(part, y=signs[rows]))
    data = split("signs", X, signs)
    assert learn(data, schedule=Schedule(30)).accuracy[-1] > 0.9


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_not_finite_are_refused(part: str, value: float) -> None:
    data = changed(part, x=with_one(getattr(MADE, part).x, value))
    with pytest.raises(DataError, match=rf"samples: inputs must be finite, but row 3, column 1 is {value}"):
        learn(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed("train", y=Y[:70]), "training samples: there are 80 rows of inputs, but 70 labels"),
        (changed("test", y=Y[:70]), "test samples: there are 20 rows of inputs, but 70 labels"),
        (changed("train", x=X[:80, :3]), "have 3 features, but the network takes 4"),
        (changed("train", x=X[:80, 0]), r"shape \(samples, features\), got shape \(80,\)"),
        (changed("train", x=X[:80].astype(str)), "must be an array of numbers"),
        (changed("train", y=Y[:80] + 1), "from 0 to 1, one for each output, got 2"),
        (changed("train", y=Y[:80].astype(float)), "whole class numbers of shape .*, got float64"),
        (changed("train", y=np.eye(2)[Y[:80]]), r"whole class numbers of shape .* of shape \(80, 2\)"),
        (
            changed("train", y=np.zeros(80, int)),
            "validation samples: class 1 occurs here, but not",
        ),
        (changed("train", X[:0], Y[:0]), "class"),
        (Dataset("none", EMPTY, EMPTY, EMPTY, 2), "none: there are no training samples"),
    ],
)
def test_data_that_does_not_fit_is_refused(data: Dataset, message: str) -> None:
    with pytest.raises(DataError, match=message):
        learn(data)


def test_targets_of_a_regression_are_checked() -> None:
    right = np.stack([X[:80, 0], X[:80, 1]], axis=1)
    data = changed("train", y=right)
    few = Samples(X[:5], right[:5])
    data = replace(data, validation=few, test=few)
    assert np.isfinite(learn(data, REGRESSION).loss).all()
    wrong: list[tuple[Any, str]] = [
        (with_one(right, np.nan), r"targets must be finite, but that of row 3 is \["),
        (right[:, 0], r"real numbers of shape \(samples, 2\), got float64 of shape \(80,\)"),
        (right + 0j, "got complex128"),
    ]
    for y, message in wrong:
        with pytest.raises(DataError, match=message):
            learn(replace(data, train=Samples(X[:80], y)), REGRESSION)


def test_objectives_of_ones_own_are_checked_too() -> None:
    own = Objective(softmax_cross_entropy, share_correct)
    with pytest.raises(DataError, match="got -1"):
        learn(changed("train", y=2 * Y[:80] - 1), own)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "epochs must be a whole number, 0 or more, got -1"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"epochs": 1, "batch_size": -32}, "batch_size must be a whole number, 1 or more, or None, got -32"),
        ({"epochs": 1, "batch_size": 0}, "batch_size must be"),
        ({"epochs": 1, "patience": 0}, "patience must be"),
        ({"epochs": 1, "min_delta": -0.1}, "min_delta must be 0 or more, got -0.1"),
        ({"epochs": 1, "alignment": -5}, "alignment must be"),
        ({"epochs": 1, "dtype": np.int32}, "dtype must be float32 or float64, got int32"),
    ],
)
def test_schedules_have_bounds(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Schedule(**options)


THREE = np.arange(120) % 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": with_one(X, np.nan)}, "Data set 'mine': inputs must be finite, but row 3, column 1 is nan"),
        ({"y": THREE[:90]}, "120 rows of inputs, but 90 labels"),
        ({"y": np.c_[THREE, THREE]}, "labels must be one for each sample"),
        ({"y": np.where(THREE == 1, np.nan, THREE)}, "needs a label, but that of row 1 is nan"),
        ({"x": X[:, 0]}, r"shape \(samples, features\)"),
        ({"x": X.astype(str)}, "an array of numbers"),
        ({"x": X[:0], "y": THREE[:0]}, "labels must be one for each sample"),
        ({"test": -0.1}, "test must be above 0 and at most 1, got -0.1"),
        ({"test": 1.0}, "leave no training samples"),
        ({"validation_fraction": -0.1}, "validation_fraction must be from 0 to 1, got -0.1"),
        ({"validation_fraction": np.nan}, "validation_fraction must be"),
        ({"validation_fraction": 0.8}, "leave no training samples"),
        ({"validation_fraction": 0.01}, "splits 96 samples into 2 and 94: too few for 3 classes"),
        ({"test": 0.01}, "a test fraction of 0.01 splits 120 samples into 2 and 118"),
        ({"judged": THREE == 1}, "test samples: class 1 occurs here, but not in the training samples"),
        ({"judged": np.ones(120, bool)}, "occur here, but not in the training samples|no training samples"),
        ({"judged": np.ones(7, bool)}, r"True or False, shape \(120,\), got bool of shape \(7,\)"),
        ({"judged": np.zeros(120, int)}, "got int64"),
    ],
)
def test_split_refuses_what_it_cannot_split(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PhotosimError, match=message):
        split(**({"name": "mine", "x": X, "y": THREE} | change))


def test_shares_of_loaded_data_have_bounds() -> None:
    with pytest.raises(ParameterError, match="'digits': validation_fraction must be from 0 to 1"):
        load("digits", validation_fraction=-0.2)


GRAPH = digit_graph()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": GRAPH.features[:-1]}, "1796 rows of inputs, but 1797 labels"),
        ({"features": with_one(GRAPH.features, np.nan)}, "row 3, column 1 is nan"),
        ({"labels": GRAPH.labels - 1}, "each node of a part needs a label"),
        ({"labels": GRAPH.labels.astype(float)}, "labels must be whole numbers of shape .*, got float64"),
        ({"labels": GRAPH.labels - 9}, "from -1 to .*, from -9 to 0"),
        (
            {"edges": GRAPH.edges + 1},
            r"edges must be .* of shape \(n, 2\) from 0 to 1796, .* to 1797",
        ),
        ({"edges": GRAPH.edges[:, 0]}, "edges must be whole numbers"),
        ({"train": GRAPH.train[:0]}, "there must be nodes to learn from"),
        ({"train": GRAPH.train - 1}, "train must be whole numbers|two parts of the split"),
        ({"test": GRAPH.validation}, "a node is in two parts"),
        (
            {"train": GRAPH.train[:40]},
            "validation nodes: classes 2, 3, 4, 5, 6 and 3 more occur here",
        ),
    ],
)
def test_graphs_are_checked_when_they_are_made(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(GRAPH, **change)


def nodes(graph: GraphData, widths: tuple[int, ...], rate: float = 0.01, **options: Any) -> Any:
    adjacency = normalised_adjacency(GRAPH.edges, len(GRAPH.labels))
    seeds = np.random.SeedSequence(0).spawn(2)
    network = graph_network(adjacency, widths)
    return fit_nodes(
        network, Backprop(), graph, optimiser=Adam(rate), initial=seeds[0], rng=seeds[1], **options
    )


def test_training_on_nodes_is_checked() -> None:
    assert nodes(GRAPH, (64, 8, 10), epochs=2).test.shape == (2,)
    for widths, options, message in (
        ((64, 8, 10), {"epochs": 0}, "fit_nodes: epochs must be a whole number, 1 or more, got 0"),
        ((64, 8, 10), {"epochs": -3}, "epochs must be"),
        ((64, 8, 10), {"weight_decay": -1.0}, "weight_decay"),
        ((63, 8, 10), {}, "have 64 features, but the network takes 63"),
        ((64, 8, 9), {}, "from 0 to 8, one for each output, got 9"),
    ):
        with pytest.raises(PhotosimError, match=message):
            nodes(GRAPH, widths, **options)
    keep = np.arange(1700)
    parts: dict[str, Any] = {part: getattr(GRAPH, part) for part in ("train", "validation", "test")}
    below: dict[str, Any] = {part: own[own < keep.size] for part, own in parts.items()}
    edges = GRAPH.edges[(GRAPH.edges < keep.size).all(axis=1)]
    some = replace(GRAPH, features=GRAPH.features[keep], labels=GRAPH.labels[keep], edges=edges, **below)
    with pytest.raises(DataError, match="has 1700 nodes, but the network's adjacency is of 1797"):
        nodes(some, (64, 8, 10))
    with pytest.raises(ParameterError, match="diverged in epoch"):
        nodes(GRAPH, (64, 8, 10), rate=1e30, epochs=20)


def test_a_split_at_random_that_forgets_a_class_says_so() -> None:
    with pytest.raises(DataError, match="occur here, but not in the training samples"):
        redrawn(GRAPH, np.random.default_rng(0), (0.003, 0.2))


def test_diverging_training_through_a_device_says_that_it_diverged() -> None:
    network = dense_network((4, 8, 8, 2), "relu")
    rule = DFA(ScatteringMedium.from_circuit(ps.load("opu"), 2, (8, 8), Projection(planes=6)))
    with pytest.raises(ParameterError, match="diverged in epoch"):
        fit(network, rule, SGD(1e30), MADE, Schedule(9), Streams.tree(0, 1)[0])


def test_texts_and_series_have_bounds(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("abab" * 20 + "z", encoding="utf-8")
    with pytest.warns(PhotosimWarning, match="1 characters occur only in what is held back, such as 'z'"):
        assert text("short", tmp_path).alphabet == "abz"
    series: list[tuple[Callable[[], Any], str]] = [
        (lambda: text("short", tmp_path, test=-0.5), "text: test must be from 0 to 1, got -0.5"),
        (lambda: text("short", tmp_path, test=np.nan), "test must be"),
        (lambda: lorenz63(0), "lorenz63: steps must be a whole number, 1 or more, got 0"),
        (lambda: lorenz63(3, step=np.nan), "step must be above 0, got nan"),
        (lambda: lorenz63(3, start=(0.0, np.inf, 0.0)), "y must be a finite number, got inf"),
        (lambda: kuramoto_sivashinsky(3, np.full(8, np.nan)), "finite values at an even number of points"),
        (lambda: kuramoto_sivashinsky(3, np.ones(8), transient=-1), "transient must be"),
        (lambda: digit_graph(labelled=-1), "labelled must be a whole number, from 1 to 100, got -1"),
        (lambda: Streams.tree(-1, 1), "seed must be a whole number, 0 or more, got -1"),
    ]
    for call, message in series:
        with pytest.raises(ParameterError, match=message):
            call()


def test_pictures_that_are_not_square_are_refused() -> None:
    flat = replace(MADE, train=Samples(RNG.normal(size=(4, 560)), Y[:4]))
    with pytest.raises(DataError, match="made has pictures of 560 pixels; square ones of 8 x 8 or more"):
        side(flat, 8)


def test_devices_take_finite_numbers_and_gains_of_their_shape() -> None:
    bank = WeightBank.from_circuit(ps.load("mrr_weight_bank_1x4"), "bank").program(
        np.array([[0.1, 0.2, 0.3, -0.4]])
    )
    with pytest.raises(ParameterError, match="The bank takes finite numbers: x has nan among its entries"):
        bank.apply(np.array([[np.nan, 1.0, 1.0, 1.0]]))
    with pytest.raises(ParameterError, match=r"gain must be \(2, 1\), got \(3, 1\)"):
        bank.apply(np.ones((2, 4)), np.ones((3, 1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feedback": -1.0}, "'feedback' must be a number from 1e-09"),
        ({"feedback": np.nan}, "'feedback' must be a finite number"),
        ({"image_shape": 5}, "image_shape 5 means 5 pixels, but the samples have 4 features"),
        ({"image_shape": (2, 2)}, r"or with \[channels, height, width\] of images, got \(2, 2\)"),
        ({"batch_size": -3}, "'batch_size' must be a whole number from 1"),
    ],
)
def test_estimators_have_bounds(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ps.training.PhotonicClassifier(max_iter=1, **change).fit(X, Y)


def test_estimators_take_labels_of_any_kind() -> None:
    scores = [
        ps.training.PhotonicClassifier(max_iter=30, random_state=0).fit(X, y).score(X, y)
        for y in (2 * Y - 1, np.where(Y, "yes", "no"))
    ]
    assert scores[0] == scores[1] > 0.95
    with pytest.raises(ValueError, match="contains NaN"):
        ps.training.PhotonicClassifier().fit(with_one(X, np.nan), Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ps.training.PhotonicRegressor().fit(X, Y[:50])


def test_vowels_lacking_one_are_refused(tmp_path: Path) -> None:
    row = "0,0,0," + ",".join(["0.5"] * 10)
    lines = [f"{row},{k % 10}\n1{row[1:]},{k % 10}" for k in range(200)]
    (tmp_path / "vowel-context.data").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match="must have the classes 0 to 10, 20 samples of each or more"):
        table(Options("vowels", tmp_path, 1))

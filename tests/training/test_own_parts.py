"""Rules, losses, solvers, schedules and layers of one's own in estimators; training that goes on; weights."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import photosim as ps
from photosim.errors import DataError, ParameterError
from photosim.training import PhotonicClassifier, PhotonicRegressor, TrainedNetwork
from photosim.training.devices import mesh_chip
from photosim.training.layers import Network, Trace, dense_network
from photosim.training.layers.layer import UnitWise
from photosim.training.layers.mesh import MeshLayer
from photosim.training.loss_names import FOR_CLASSES, FOR_NUMBERS
from photosim.training.losses import softmax_cross_entropy
from photosim.training.optimisers import SGD, Cosine, Exponential
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules import Backprop

IRIS = load_iris(return_X_y=True)
QUICK: dict[str, Any] = {
    "hidden_layer_sizes": 8,
    "max_iter": 20,
    "learning_rate_init": 0.02,
    "random_state": 0,
}


class Signs:
    """A rule of one's own: backpropagation that keeps signs alone, and counts its batches."""

    needs: ClassVar[frozenset[Any]] = frozenset()

    def __init__(self) -> None:
        self.batches = 0

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the signs of the gradient."""
        self.batches += 1
        return [own and {k: np.sign(v) for k, v in own.items()} for own in Backprop().updates(forward)]


@dataclass(frozen=True)
class Squared(UnitWise):
    """A layer of one's own: x + x^2 / 4 of each unit."""

    def forward(self, parameters: Any, x: Any, rng: Any = None) -> Trace:
        """Return the trace of x."""
        del parameters, rng
        y = x + 0.25 * x * x
        return Trace(x, y, y)

    def back(self, parameters: Any, trace: Trace, delta: Any) -> Any:
        """Return dL/dx."""
        del parameters
        return delta * (1.0 + 0.5 * trace.inputs)


@dataclass
class Answers:
    """A rule whose updates are always the same."""

    answer: Any

    def updates(self, forward: Any) -> Any:
        """Return the answer."""
        del forward
        return self.answer


class Plain:
    """An optimiser of one's own."""

    learning_rate = 0.1
    schedule = Exponential(0.99)

    def start(self, parameters: Any) -> Any:
        """Remember nothing."""
        del parameters
        return {}

    def step(self, parameters: Any, update: Any, memory: Any, factor: float = 1.0) -> None:
        """Descend."""
        del memory
        for name, value in parameters.items():
            value[...] = value - factor * self.learning_rate * update[name]


def twice(outputs: Any, labels: Any) -> Any:
    loss, error = softmax_cross_entropy(outputs, labels)
    return 2.0 * loss, 2.0 * error


@pytest.mark.parametrize(
    "change",
    [
        {"rule": Signs(), "learning_rate_init": 0.01, "solver": "sgd", "momentum": 0.0},
        {"rule": Backprop()},
        {"loss": twice},
        {"loss": "squared-error"},
        {"loss": "hinge"},
        {"solver": SGD(0.05, 0.9)},
        {"solver": Plain()},
        {"solver": {"method": "adam", "learning_rate": 0.02}},
        {"schedule": "cosine"},
        {"schedule": "steps"},
        {"schedule": {"method": "exponential", "ratio": 0.9}},
        {"schedule": Cosine(20, 0.1)},
        {"hidden_layer_sizes": (8, Squared(8), 6)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_ones_own_learns_clones_and_pickles(change: dict[str, Any]) -> None:
    estimator = PhotonicClassifier(**QUICK | change)
    fitted = clone(estimator).fit(*IRIS)
    assert fitted.score(*IRIS) > 0.8
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own
    np.testing.assert_array_equal(again.predict_proba(IRIS[0]), fitted.predict_proba(IRIS[0]))
    refitted = clone(again).fit(*IRIS)
    np.testing.assert_array_equal(refitted.predict_proba(IRIS[0]), fitted.predict_proba(IRIS[0]))


def test_a_rule_object_is_not_changed_by_training() -> None:
    rule = Signs()
    fitted = PhotonicClassifier(**QUICK | {"rule": rule}).fit(*IRIS)
    assert rule.batches == 0
    assert fitted.rule_.batches == 20 * 5
    make_pipeline(StandardScaler(), PhotonicClassifier(**QUICK | {"rule": rule})).fit(*IRIS)


def test_a_rule_object_is_the_rule_of_that_name() -> None:
    named, own = (
        PhotonicClassifier(**QUICK | {"rule": rule}).fit(*IRIS) for rule in ("backprop", Backprop())
    )
    np.testing.assert_array_equal(named.predict_proba(IRIS[0]), own.predict_proba(IRIS[0]))


@pytest.mark.parametrize("name", [*FOR_CLASSES, *FOR_NUMBERS])
def test_errors_are_the_slopes_of_their_loss(name: str) -> None:
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(5, 3))
    pairs = [
        (own[name], y)
        for own, y in ((FOR_CLASSES, rng.integers(0, 3, 5)), (FOR_NUMBERS, rng.normal(size=(5, 3))))
        if name in own
    ]
    for loss, targets in pairs:
        error = loss(outputs, targets)[1]
        for row, column in np.ndindex(outputs.shape):
            moved = np.zeros_like(outputs)
            moved[row, column] = 1e-6
            slope = (loss(outputs + moved, targets)[0] - loss(outputs - moved, targets)[0]) / 2e-6
            assert error[row, column] / 5 == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("loss", FOR_NUMBERS)
def test_regressors_learn_by_every_loss(loss: str) -> None:
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (200, 2))
    y = np.sin(2.0 * x[:, 0]) + x[:, 1]
    assert PhotonicRegressor(loss=loss, max_iter=60, random_state=0).fit(x, y).score(x, y) > 0.95


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": 32}, "PhotonicClassifier has no parameter 'hidden'. Did you mean 'hidden_layer_sizes'?"),
        ({"rules": "dfa"}, "no parameter 'rules'. Did you mean 'rule'?"),
        ({"optimiser": "adam"}, "no parameter 'optimiser'. Did you mean 'solver'?"),
        ({"zzz": 1}, "no parameter 'zzz'. There are: hardware, use, device"),
        ({"rule": Signs}, r"an instance of the class: Signs\(\)"),
        ({"rule": 3}, r"rule must be a name \(.*\) or an object with a method updates\(forward\), got"),
        ({"rule": Signs(), "hardware": "opu", "use": "backward"}, "the rule Signs has no feedback"),
        (
            {"loss": "cross entropy"},
            "no loss 'cross entropy' for classification.*Did you mean 'cross-entropy'",
        ),
        ({"loss": 3}, "loss must be one of cross-entropy, squared-error, hinge, a function"),
        (
            {"loss": lambda outputs, _labels: outputs},
            r"must return \(mean loss, errors of shape \(32, 3\)\), got",
        ),
        ({"loss": lambda outputs, _labels: (0.0, outputs[:, 0])}, r"its errors are float32 of shape \(32,\)"),
        ({"loss": lambda outputs: outputs}, r"must take two arguments, loss\(outputs, targets\)"),
        ({"rule": Answers(5)}, "must return a list, one entry for each of the 2 layers, got 5"),
        ({"rule": Answers([None])}, "one entry for each of the 2 layers, got 1 entries"),
        ({"rule": Answers([{"weights": np.ones(3)}, None])}, r"that of layer 1 is {'weights': \(3,\)}"),
        ({"random_state": "one"}, "random_state must be a whole number from 0"),
        (
            {"hardware": "clements_4x4", "device": "mesh"},
            "device='mesh' is not a weight bank, mesh or camera",
        ),
        ({"solver": SGD}, "'solver' must be adam or sgd, a mapping"),
        ({"solver": "adm"}, "Did you mean 'adam'"),
        ({"schedule": "cosin"}, "no schedule 'cosin'.*Did you mean 'cosine'"),
        ({"schedule": 0.1}, "schedule must be a name"),
        ({"hidden_layer_sizes": (8, Squared(6))}, "layer 3 of network, a Squared, takes 6 features, gets 8"),
        ({"warm_start": "yes"}, "'warm_start' must be true or false"),
        ({"verbose": -1}, "'verbose'"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_with_ones_own_is_one_sentence(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        PhotonicClassifier(**QUICK | change).fit(*IRIS)
    assert isinstance(caught.value, ValueError)


def test_warm_starts_go_on_and_refuse_other_networks() -> None:
    once = PhotonicClassifier(**QUICK | {"max_iter": 5, "warm_start": True}).fit(*IRIS)
    first = once.loss_curve_.copy()
    once.fit(*IRIS)
    np.testing.assert_array_equal(once.loss_curve_[:5], first)
    assert once.n_iter_ == 10
    assert once.loss_curve_[5] < first[0]
    whole = PhotonicClassifier(**QUICK | {"max_iter": 10}).fit(*IRIS)
    np.testing.assert_allclose(once.loss_curve_, whole.loss_curve_, rtol=1e-6)
    with pytest.raises(ParameterError, match="but hidden_layer_sizes, activation"):
        once.set_params(hidden_layer_sizes=9).fit(*IRIS)
    with pytest.raises(ParameterError, match="4 inputs and 3 outputs, but these need 3 and 3"):
        once.set_params(hidden_layer_sizes=8).fit(IRIS[0][:, :3], IRIS[1])
    assert once.set_params(warm_start=False).fit(*IRIS).n_iter_ == 5


def test_partial_fits_learn_from_a_stream() -> None:
    rng = np.random.default_rng(0)
    stream = PhotonicClassifier(**QUICK)
    for _ in range(30):
        rows = rng.integers(0, 150, 60)
        stream.partial_fit(IRIS[0][rows], IRIS[1][rows], classes=[0, 1, 2])
    assert stream.n_iter_ == 30
    assert stream.score(*IRIS) > 0.85
    assert stream.scale_.n_samples_seen_ == 30 * 60
    with pytest.raises(ParameterError, match="The label 7 is not among the classes"):
        stream.partial_fit(IRIS[0][:2], [1, 7])
    with pytest.raises(ParameterError, match="classes must stay as in the first call"):
        stream.partial_fit(IRIS[0][:2], [1, 0], classes=[0, 1])
    with pytest.raises(ParameterError, match="early_stopping must be False"):
        PhotonicClassifier(early_stopping=True).partial_fit(*IRIS)
    numbers = PhotonicRegressor(**QUICK)
    for _ in range(30):
        numbers.partial_fit(IRIS[0][:, :3], IRIS[0][:, 3])
    assert numbers.score(IRIS[0][:, :3], IRIS[0][:, 3]) > 0.9


def test_weights_are_repeats_and_pull_the_fit() -> None:
    x, y = IRIS
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    weighted = PhotonicClassifier(**QUICK).fit(x, y, sample_weight=weights)
    repeated = PhotonicClassifier(**QUICK).fit(np.repeat(x, weights, 0), np.repeat(y, weights))
    np.testing.assert_array_equal(weighted.predict_proba(x), repeated.predict_proba(x))
    # Two targets at one place: the fit tends to their weighted mean.
    place, targets = np.zeros((200, 1)), np.repeat([0.0, 1.0], 100)
    place[::2] = 1.0
    shares = np.repeat([0.35, 1.05], 100)
    found = PhotonicRegressor(**QUICK | {"max_iter": 60}).fit(place, targets, sample_weight=shares)
    np.testing.assert_allclose(found.predict(place), 0.75, atol=0.05)
    with pytest.raises(ParameterError, match="weights must be finite and 0 or more, but that of row 3 is -1"):
        PhotonicClassifier().fit(x, y, sample_weight=np.where(np.arange(150) == 3, -1.0, 1.0))


def test_progress_is_written_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    PhotonicClassifier(**QUICK | {"max_iter": 5, "verbose": 2, "early_stopping": True}).fit(*IRIS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        f"PhotonicClassifier: epoch {k} of 5" for k in (2, 4, 5)
    ]
    assert all("loss" in line and "validation" in line for line in lines)
    PhotonicClassifier(**QUICK).fit(*IRIS)
    assert capsys.readouterr().out == ""


def test_networks_are_saved_without_pickle(tmp_path: Path) -> None:
    labels = np.array(["setosa", "versicolor", "virginica"])[IRIS[1]]
    fitted = PhotonicClassifier(**QUICK).fit(IRIS[0], labels)
    path = fitted.network_.save(tmp_path / "x.npz")
    again = TrainedNetwork.load(path)
    np.testing.assert_array_equal(again.predict(IRIS[0]), fitted.predict(IRIS[0]))
    np.testing.assert_array_equal(again.predict_proba(IRIS[0]), fitted.predict_proba(IRIS[0]))
    with np.load(path, allow_pickle=False) as file:
        assert "about" in file.files
    assert str(again).splitlines() == [
        "   layer  features  parameters           number",
        "1  Dense  4 -> 8    weights 8x4, bias 8      40",
        "2  Dense  8 -> 3    weights 3x8, bias 3      27",
        "   all                                       67",
    ]
    x = np.random.default_rng(0).normal(size=(50, 3))
    numbers = PhotonicRegressor(**QUICK).fit(x, x[:, :2])
    loaded = TrainedNetwork.load(numbers.network_.save(tmp_path / "y.npz"))
    np.testing.assert_array_equal(loaded.predict(x), numbers.predict(x))
    with pytest.raises(DataError, match="it has no probabilities"):
        loaded.predict_proba(x)


def test_networks_of_meshes_and_own_layers_are_saved(tmp_path: Path) -> None:
    mesh = MeshLayer.of(mesh_chip("clements_mesh", 4, bits=8, crosstalk=0.01), detection="power")
    network = Network((mesh, *dense_network((4, 5, 2), "relu", 0.1).layers))
    trained = TrainedNetwork(network, network.initial(np.random.default_rng(0)))
    x = np.random.default_rng(1).normal(size=(3, 4))
    again = TrainedNetwork.load(trained.save(tmp_path / "mesh.npz"))
    np.testing.assert_array_equal(again.predict(x), trained.predict(x))
    own = Network((Squared(4), *dense_network((4, 2)).layers))
    path = TrainedNetwork(own, own.initial(np.random.default_rng(0))).save(tmp_path / "own.npz")
    with pytest.raises(DataError, match=r"class 'Squared', which photosim does not have: give your own"):
        TrainedNetwork.load(path)
    np.testing.assert_array_equal(TrainedNetwork.load(path, layers=[Squared]).layers[0].inputs, 4)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    network = dense_network((2, 2))
    trained = TrainedNetwork(network, network.initial(np.random.default_rng(0)))
    with pytest.raises(DataError, match=r"saved as an .npz file, got .*x\.txt"):
        trained.save(tmp_path / "x.txt")
    with pytest.raises(DataError, match="There is no file"):
        TrainedNetwork.load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    with pytest.raises(DataError, match="lacks the array 'about'"):
        TrainedNetwork.load(tmp_path / "other.npz")
    evil: dict[str, Any] = {"kind": "photosim network", "version": 1, "names": []}
    evil["layers"] = [{"record": "os:system", "fields": {}}]
    np.savez(tmp_path / "evil.npz", about=np.array(json.dumps(evil)))
    with pytest.raises(DataError, match="class 'os:system', which photosim does not have"):
        TrainedNetwork.load(tmp_path / "evil.npz")
    content = trained.save(tmp_path / "cut.npz").read_bytes()
    for length in range(0, len(content), 397):
        (tmp_path / "cut.npz").write_bytes(content[:length])
        with pytest.raises(DataError):
            TrainedNetwork.load(tmp_path / "cut.npz")
    with pytest.raises(ps.DataError, match="the samples have 3 features, but the network takes 2"):
        trained.predict(np.zeros((1, 3)))

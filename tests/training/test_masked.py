"""Masked arrays as samples: numpy and scikit-learn compute with the numbers below the mask, we refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.data.datasets import Dataset, Samples, split
from photosim.training.layers import dense_network
from photosim.training.optimisers import SGD
from photosim.training.rules import Backprop
from photosim.training.trainer import Schedule, Streams, fit


def _masked(values: Any) -> Any:
    mask = np.zeros(np.shape(values), bool)
    mask.flat[1] = True
    return np.ma.array(values, mask=mask)


X = np.random.default_rng(1).normal(size=(40, 3))
LABELS = np.arange(40) % 2
NUMBERS = np.linspace(0.0, 1.0, 40)


@pytest.mark.parametrize("change", ["X", "y", "sample_weight", "rows"])
@pytest.mark.parametrize(
    "make", [ps.training.PhotonicClassifier, ps.training.PhotonicRegressor, ps.training.PhotonicTransformer]
)
def test_masked_samples_are_refused_by_estimators(make: Any, change: str) -> None:
    """Numpy's masked arrays: the numbers below the mask are not known, whatever they are."""
    features = make is ps.training.PhotonicTransformer
    new = make(hardware="opu", n_components=4) if features else make(max_iter=1)
    given: dict[str, Any] = {"X": X, "y": LABELS if make is ps.training.PhotonicClassifier else NUMBERS}
    given = {"X": X} if features else given | {"sample_weight": np.ones(40)}
    if change not in given and change != "rows":
        pytest.skip("not an argument of its fit")
    if change == "rows":
        given["X"] = [_masked(row) for row in X]
    else:
        given[change] = _masked(given[change])
    name = "X" if change == "rows" else change
    sentence = rf"{make.__name__}: {name} has masked entries, whose values are not known"
    with pytest.raises(ParameterError, match=sentence):
        new.fit(**given)
    if not features:
        with pytest.raises(ParameterError, match=sentence):
            new.partial_fit(**given)
        with pytest.raises(ParameterError, match=sentence):
            new.fit(X, LABELS).score(**given)
    if change == "X":
        ask = new.fit(X).transform if features else new.predict
        with pytest.raises(ParameterError, match=sentence):
            ask(given["X"])


def test_a_mask_that_hides_nothing_changes_nothing() -> None:
    plain = ps.training.PhotonicClassifier(max_iter=2, random_state=0).fit(X, LABELS).predict_proba(X)
    bare = ps.training.PhotonicClassifier(max_iter=2, random_state=0)
    assert np.array_equal(bare.fit(np.ma.array(X), np.ma.array(LABELS)).predict_proba(X), plain)


@pytest.mark.parametrize("name", ["x", "y", "x_test", "y_test"])
def test_masked_arrays_are_refused_as_data(name: str) -> None:
    given = {"x": X, "y": LABELS, "x_test": X, "y_test": LABELS}
    with pytest.raises(ParameterError, match=rf"Data set 'data': {name} has masked entries"):
        Dataset.from_arrays(**given | {name: _masked(given[name])})
    if not name.endswith("test"):
        with pytest.raises(ParameterError, match=rf"split: {name} must be an array of numbers, got masked"):
            split("own", **{"x": X, "y": LABELS} | {name: _masked(given[name])})


def test_masked_samples_of_a_task_of_ones_own_are_refused() -> None:
    nothing = Samples(X[:0], LABELS[:0])
    network = dense_network((3, 2))
    for part, name in [
        (Samples(_masked(X), LABELS), "x"),
        (Samples(X, _masked(LABELS)), "y"),
        (Samples(X, LABELS, _masked(np.ones(40))), "weights"),
    ]:
        data = Dataset("own", part, nothing, nothing, 2)
        with pytest.raises(ParameterError, match=f"own, training samples: {name} has masked entries"):
            fit(network, Backprop(), SGD(0.1), data, Schedule(1, 8), Streams.tree(0, 1)[0])

"""Networks and schedules as plain data: what is built, what is refused, and what it does to training."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from photosim.circuit import Circuit
from photosim.errors import ParameterError
from photosim.training.architecture import build_network, label, parameter_count
from photosim.training.estimators import PhotonicClassifier, PhotonicRegressor
from photosim.training.job import train
from photosim.training.layers import Convolution, Dense, Dropout, Pooling, Windows
from photosim.training.optimisers import SGD, Adam, Noam, StepDecay
from photosim.training.options import RULES, parse

CONVOLUTION = {"layer": "convolution", "channels": 3, "kernel": 3}
IMAGES: list[Any] = [
    [1, 8, 8],
    CONVOLUTION,
    {"layer": "pooling", "size": 2},
    {"layer": "dropout", "share": 0.1},
    10,
]
ENTRY: dict[str, Any] = {
    "kind": "train", "name": "images", "data": "digits", "network": IMAGES, "rules": ["dfa"], "seeds": 1,
    "epochs": 1,
}  # fmt: skip


def test_a_list_becomes_the_layers_that_it_names() -> None:
    whole = {"layer": "convolution", "channels": 4, "kernel": 3, "stride": 2, "padding": 1}
    mean = {"layer": "pooling", "size": 3, "stride": 1, "kind": "mean"}
    network = build_network(
        [[2, 6, 7], whole, mean, {"layer": "dropout", "share": 0.25}, 5, 3], "relu", "here"
    )
    first, second, third, fourth, last = network.layers
    assert isinstance(first, Convolution)
    assert (first.windows, first.filters) == (Windows(2, 6, 7, 3, 2, 1), 4)
    assert isinstance(second, Pooling)
    assert (second.windows, second.kind) == (Windows(4, 3, 4, 3, 1), "mean")
    assert third == Dropout(4 * 1 * 2, 0.25)
    assert isinstance(fourth, Dense)
    assert isinstance(last, Dense)
    assert [layer.activation.name for layer in (first, fourth, last)] == ["relu", "relu", "linear"]
    # 4 filters of 2 x 3 x 3 and a bias, 8 inputs of 5 units, 5 of 3.
    assert parameter_count(network) == 4 * 19 + 5 * 9 + 3 * 6
    assert (
        label([[2, 6, 7], whole, mean, {"layer": "dropout", "share": 0.25}, 5, 3]) == "2x6x7-4c3-p3-d0.25-5-3"
    )
    side_by_side = build_network(IMAGES, "tanh", "here").layers[1]
    assert isinstance(side_by_side, Pooling)
    assert side_by_side.windows.stride == 2


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ([64, "dropout 0.1", 10], "'images': a width of the network must be.*but is the text 'dropout 0.1'"),
        ([[1, 8, 8], {"channels": 8}, 10], "layer 2 of network must be a mapping with layer: conv"),
        ([[1, 8, 8], {"layer": "convolutoin"}, 10], "layer 2 of network.*Did you mean 'convolution'"),
        ([[1, 8, 8], {"layer": ["pooling"]}, 10], "layer 2 of network must be a mapping with layer"),
        (
            [[1, 8, 8], {"layer": "convolution", "channels": 8, "kernal": 3}, 10],
            r"'images': layer 2 of network \(convolution\) has no option 'kernal'.*Did you mean 'kernel'",
        ),
        ([[1, 8, 8], {"layer": "convolution", "channels": 8}, 10], r"\(convolution\) needs the option 'k"),
        ([[1, 8, 8], {**CONVOLUTION, "channels": 2.5}, 10], r"'channels' must be a whole number from 1"),
        ([[1, 8, 8], {**CONVOLUTION, "stride": None}, 10], r"'stride' must be a whole number from 1"),
        ([[1, 8, 8], {**CONVOLUTION, "padding": -1}, 10], r"'padding' must be a whole number from 0"),
        ([[1, 8, 8], {**CONVOLUTION, "kernel": 9}, 10], "layer 2 of network.*Windows of 9 pix.*do not fit"),
        ([[1, 8, 8], {**CONVOLUTION, "channels": 99_999}, 10], "would give 3,599,964 features.*1,000,000"),
        ([[1, 8, 8], {"layer": "pooling", "size": 2, "kind": "maximum"}, 10], "'kind' must be max or mean"),
        ([64, CONVOLUTION, 10], r"layer 2 of network \(convolution\) needs images: begin the network with"),
        ([[1, 8, 8], 20, CONVOLUTION, 10], r"layer 3 of network \(convolution\) needs images"),
        ([64, {"layer": "dropout", "share": 1.0}, 10], "'share' must be a number from 0 to 0.999"),
        ([64, {"layer": "dropout"}, 10], "needs the option 'share'"),
        ([[8, 8], 10], r"or with \[channels, height, width\] of images, got \[8, 8\]"),
        ([[1, 8, 0], 10], "a size of the images must be a whole number from 1"),
        ([[100, 1000, 1000], 10], "images of 100,000,000 pixels are too large"),
        ([[1, 8, 8], CONVOLUTION], "network must list two widths or more"),
        ("64-10", "'network' must be a list, but is the text '64-10'"),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_networks_are_one_sentence(network: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        parse({**ENTRY, "network": network})


def test_schedules_are_part_of_the_optimiser() -> None:
    steps = {"method": "steps", "epochs": [2, 4], "ratio": 0.5}
    assert parse(
        {**ENTRY, "optimiser": {"method": "sgd", "learning_rate": 0.1, "schedule": steps}}
    ).optimiser == SGD(0.1, schedule=StepDecay((2, 4), 0.5))
    noam = {"method": "noam", "width": 64, "warmup": 100}
    assert parse({**ENTRY, "optimiser": {"method": "adam", "schedule": noam}}).optimiser == Adam(
        schedule=Noam(64, 100)
    )


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (
            "steps",
            "mapping with method: steps, noam, cosine or exponential, but is the text 'steps'.$",
        ),
        (
            {"method": "step"},
            "'schedule' must be a mapping with method.* text 'step'. Did you mean 'steps'",
        ),
        ({"method": "steps"}, r"optimiser \(adam\): schedule \(steps\) needs the option 'epochs'"),
        ({"method": "steps", "epochs": 3}, "'epochs' must be a list, but is the number 3"),
        ({"method": "steps", "epochs": []}, "epochs must be different and in order"),
        ({"method": "steps", "epochs": [4, 2]}, "epochs must be different and in order"),
        ({"method": "steps", "epochs": [0, 2]}, "epochs: entry 1 must be a whole number from 1"),
        (
            {"method": "steps", "epochs": [2], "ratio": 0},
            r"\(steps\): ratio must be a positive number",
        ),
        ({"method": "steps", "epochs": [2], "rato": 0.1}, "no option 'rato'.*Did you mean 'ratio'"),
        ({"method": "noam"}, r"schedule \(noam\) needs the option 'width'"),
    ],
    ids=str,
)
def test_wrong_schedules_are_one_sentence(schedule: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        parse({**ENTRY, "optimiser": {"method": "adam", "schedule": schedule}})


def test_every_rule_but_mirroring_learns_convolutions_from_a_netlist(circuit: Circuit) -> None:
    small = [[1, 8, 8], {**CONVOLUTION, "channels": 2, "stride": 2}, {"layer": "pooling", "size": 2}, 6, 10]
    others = [rule for rule in RULES if rule != "pepita-mirrored"]
    # A low threshold, for ternary errors to have more in them than the label, as which they all begin.
    fast = {"optimiser": {"method": "adam", "learning_rate": 0.02}, "threshold": 0.15}
    result = train(circuit, {**ENTRY, "network": small, "rules": others, "device": "bank", **fast})
    assert [own.rule for own in result.rules] == others
    losses = {own.rule: float(own.loss[0, 0]) for own in result.rules}
    assert np.isfinite(list(losses.values())).all()
    assert losses.pop("physics-aware") == losses["backprop"]  # exact layers are their own ideal models
    assert len(set(losses.values())) == len(others) - 1
    # Feedback to a convolution leads to what its pooling gives: 2 channels of one pixel.
    assert result.weights[0].target.shape == (2, 10)
    with pytest.raises(
        ParameterError, match=r"'images': The rule 'pepita-mirrored' is made for dense layers"
    ):
        parse({**ENTRY, "network": small, "rules": ["pepita-mirrored"]})
    dropout = [64, {"layer": "dropout", "share": 0.2}, 8, 10]
    assert parse({**ENTRY, "network": dropout, "rules": ["pepita-mirrored"]}).rules == ("pepita-mirrored",)


def test_a_result_says_its_network_and_schedule_as_they_were_written(circuit: Circuit) -> None:
    optimiser = {
        "method": "adam",
        "learning_rate": 0.01,
        "schedule": {"method": "steps", "epochs": [2], "ratio": 1e-9},
    }
    two = {**ENTRY, "epochs": 2, "optimiser": optimiser}
    result = train(circuit, two)
    numbers = json.loads(json.dumps(result.numbers()))
    assert numbers["network"] == numbers["settings"]["network"] == IMAGES
    assert numbers["settings"]["optimiser"]["schedule"] == optimiser["schedule"]
    assert "1x8x8-3c3-p2-d0.1-10 on digits" in result.tables()[0].title
    # The second epoch's steps are too small to see: the accuracy stays where it was.
    accuracy = result.rules[0].accuracy[0]
    assert accuracy[1] == accuracy[0]
    plain = (
        train(circuit, {**two, "optimiser": {"method": "adam", "learning_rate": 0.01}}).rules[0].accuracy[0]
    )
    assert plain[0] == accuracy[0] != plain[1]


def test_estimators_take_images_dropout_and_schedules() -> None:
    x, y = load_digits(return_X_y=True)
    images = PhotonicClassifier(
        hidden_layer_sizes=(
            {"layer": "convolution", "channels": 6, "kernel": 3}, {"layer": "pooling", "size": 2}, 32,
        ),
        image_shape=(1, 8, 8), dropout=0.1, max_iter=15, learning_rate_init=0.01,
        random_state=0,
        schedule={"method": "steps", "epochs": [12], "ratio": 0.1},
    )  # fmt: skip
    assert images.fit(x[:1200], y[:1200]).score(x[1200:], y[1200:]) > 0.88
    kinds = [bool(own) for own in images.parameters_]
    assert kinds == [True, False, True, False, True]  # convolution, pooling, dense, dropout, dense
    assert [own.matrix().shape for own in images.feedback_] == [(54, 10), (32, 10)]
    # Nothing is left out when it predicts.
    np.testing.assert_array_equal(images.predict_proba(x[:9]), images.predict_proba(x[:9]))


def test_estimators_search_over_dropout_and_schedules() -> None:
    x, y = load_digits(n_class=3, return_X_y=True)
    grid = {"dropout": [0.0, 0.3], "schedule": [None, {"method": "noam", "width": 16, "warmup": 50}]}
    search = GridSearchCV(
        PhotonicClassifier(hidden_layer_sizes=(16,), max_iter=4, learning_rate_init=0.05, random_state=0),
        grid,
        cv=2,
    ).fit(x, y)
    assert len(set(np.round(search.cv_results_["mean_test_score"], 6))) > 1
    assert search.score(x, y) > 0.9
    slow = PhotonicRegressor(
        max_iter=2, schedule={"method": "steps", "epochs": [1], "ratio": 1e-9}, random_state=0
    )
    first, second = slow.fit(x, y).loss_curve_
    np.testing.assert_allclose(first, second, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"dropout": 1.0}, "'dropout' must be a number from 0 to 0.999, but is the number 1.0"),
        ({"schedule": {"method": "stepz"}}, "schedule must be a mapping with method.*Did you mean 'steps'"),
        ({"hidden_layer_sizes": (CONVOLUTION,)}, r"layer 2 of network \(convolution\) needs images"),
        (
            {"image_shape": (1, 8, 9)},
            r"image_shape \(1, 8, 9\) means 72 pixels, but the samples have 64 features",
        ),
        ({"image_shape": (8, 8)}, r"with \[channels, height, width\] of images, got \(8, 8\)"),
        (
            {"hidden_layer_sizes": (CONVOLUTION,), "image_shape": (1, 8, 8), "rule": "pepita-mirrored"},
            "The rule 'pepita-mirrored' is made for dense layers and dropout",
        ),
    ],
    ids=str,
)
def test_wrong_parameters_of_estimators_are_one_sentence(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        PhotonicClassifier(**{"max_iter": 1, **change}).fit(*load_digits(return_X_y=True))

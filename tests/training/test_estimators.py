"""The estimators keep scikit-learn's contract, learn, and learn through the circuit they are given."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import photosim as ps
from photosim.circuit import Circuit
from photosim.errors import ParameterError
from photosim.training.devices import WeightBank
from photosim.training.estimators import PhotonicClassifier, PhotonicRegressor, PhotonicTransformer

IRIS = load_iris(return_X_y=True)


@parametrize_with_checks(
    [
        PhotonicClassifier(max_iter=40, learning_rate_init=0.01),
        PhotonicRegressor(max_iter=60, learning_rate_init=0.01),
        PhotonicTransformer(),
    ]
)  # type: ignore[untyped-decorator]
def test_scikit_learn_accepts_them(estimator: Any, check: Any) -> None:
    check(estimator)


def test_they_are_found_where_the_documentation_says() -> None:
    assert ps.training.PhotonicClassifier is PhotonicClassifier
    assert {"PhotonicClassifier", "PhotonicRegressor"} <= set(dir(ps.training))
    with pytest.raises(AttributeError, match="no attribute 'PhotonicClassifer'"):
        _ = ps.training.PhotonicClassifer


def test_pipelines_searches_and_folds() -> None:
    pipeline = make_pipeline(
        StandardScaler(), PhotonicClassifier(max_iter=20, learning_rate_init=0.02, random_state=0)
    )
    assert cross_val_score(pipeline, *IRIS, cv=3).mean() > 0.9
    search = GridSearchCV(pipeline, {"photonicclassifier__rule": ["dfa", "frozen"]}, cv=3).fit(*IRIS)
    assert set(search.best_params_.values()) <= {"dfa", "frozen"}
    assert search.score(*IRIS) > 0.9


def test_seeds_decide_and_pickles_keep() -> None:
    first, same, other = (
        PhotonicClassifier(max_iter=5, random_state=seed).fit(*IRIS).predict_proba(IRIS[0])
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert np.all(first != other)
    fitted = PhotonicClassifier(max_iter=5, random_state=1).fit(*IRIS)
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own
    np.testing.assert_array_equal(again.predict_proba(IRIS[0]), fitted.predict_proba(IRIS[0]))


def test_targets_keep_their_shape_and_units() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = 1e6 + 1e3 * np.tanh(x @ rng.normal(size=(3, 2)))
    both = PhotonicRegressor(max_iter=60, random_state=0).fit(x, y)
    assert both.predict(x).shape == (200, 2)
    assert both.score(x, y) > 0.97
    one = PhotonicRegressor(max_iter=60, random_state=0).fit(x, y[:, 0])
    assert one.predict(x).shape == (200,)
    assert one.score(x, y[:, 0]) > 0.97


@pytest.mark.parametrize("rule", ["finite-difference", "spsa", "evolution-strategy"])
def test_rules_that_measure_the_loss_learn_and_count(rule: str) -> None:
    settings: dict[str, Any] = {} if rule == "finite-difference" else {"repeats": 20}
    fitted = PhotonicClassifier(
        rule=rule,
        hidden_layer_sizes=(4,),
        max_iter=40,
        learning_rate_init=0.03,
        step=0.01,
        random_state=0,
        **settings,
    ).fit(*IRIS)
    assert fitted.score(*IRIS) > 0.93
    passes = 36 if rule == "finite-difference" else 40  # 35 parameters and none; both ways
    assert fitted.counters_ == {"evaluations": 150 * 40 * passes}
    assert PhotonicClassifier(hidden_layer_sizes=(4,), max_iter=1).fit(*IRIS).counters_ == {}


def test_the_solver_and_a_single_width_are_scikit_learns() -> None:
    settings: dict[str, Any] = {
        "solver": "sgd",
        "learning_rate_init": 0.05,
        "max_iter": 20,
        "random_state": 0,
    }
    fitted, same, slower = (
        PhotonicClassifier(**settings | change).fit(*IRIS)
        for change in ({"hidden_layer_sizes": 8}, {"hidden_layer_sizes": np.array([8])}, {"momentum": 0.0})
    )
    assert fitted.score(*IRIS) > 0.9
    np.testing.assert_array_equal(fitted.predict_proba(IRIS[0]), same.predict_proba(IRIS[0]))
    assert slower.loss_curve_[-1] > fitted.loss_curve_[-1]  # momentum is what carries a small rate
    shared = set(PhotonicClassifier().get_params()) & set(MLPClassifier().get_params())
    assert shared == {
        "activation", "batch_size", "early_stopping", "hidden_layer_sizes", "learning_rate_init", "max_iter",
        "momentum", "n_iter_no_change", "random_state", "solver", "validation_fraction",
        "verbose", "warm_start",
    }  # fmt: skip


def test_early_stopping_holds_samples_out() -> None:
    stopped = PhotonicClassifier(
        max_iter=300, early_stopping=True, n_iter_no_change=20, validation_fraction=0.3, random_state=0
    ).fit(*IRIS)
    assert stopped.n_iter_ < 300
    assert np.isfinite(stopped.validation_scores_).all()
    assert stopped.score(*IRIS) > 0.9
    with pytest.raises(ParameterError, match="2 samples leave none to learn from"):
        PhotonicRegressor(early_stopping=True).fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.mark.parametrize("noise", [None, "physical", "measured"])
def test_the_hardware_carries_the_feedback(noise: str | None, circuit: Circuit) -> None:
    # Three classes on a bank of 3 rows x 4 rings: 8 units are three tiles.
    fitted = PhotonicClassifier(
        hardware=circuit,
        use="backward",
        noise=noise,
        hidden_layer_sizes=(8,),
        max_iter=30,
        learning_rate_init=0.02,
        random_state=0,
    ).fit(*IRIS)
    bank = fitted.feedback_[0]
    assert isinstance(bank, WeightBank)
    assert bank.noise == noise
    assert bank.counters["samples"] == 150 * 30
    assert fitted.score(*IRIS) > 0.9
    digital = clone(fitted).set_params(hardware=None, noise=None, use="auto").fit(*IRIS)
    np.testing.assert_allclose(bank.programmed.target, digital.feedback_[0].matrix(), atol=1e-15)
    assert np.any(fitted.predict_proba(IRIS[0]) != digital.predict_proba(IRIS[0]))


def test_a_fitted_circuit_crosses_processes(circuit: Circuit) -> None:
    fitted = PhotonicClassifier(hardware=circuit, hidden_layer_sizes=(6,), max_iter=3, random_state=0).fit(
        *IRIS
    )
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own
    np.testing.assert_array_equal(again.predict(IRIS[0]), fitted.predict(IRIS[0]))
    np.testing.assert_array_equal(again.feedback_[0].matrix(), fitted.feedback_[0].matrix())
    refitted = clone(again).fit(*IRIS)
    np.testing.assert_array_equal(refitted.predict_proba(IRIS[0]), fitted.predict_proba(IRIS[0]))


def test_learning_depends_on_the_circuit(circuit: Circuit, make_bank: Any) -> None:
    # Rings so lossy that their weights keep errors of the heater converters: the product changes, and with it
    # what is learnt.
    settings: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}
    usual = PhotonicClassifier(hardware=circuit, **settings).fit(*IRIS)
    lossy = PhotonicClassifier(hardware=make_bank(loss_dB_cm=30.0), **settings).fit(*IRIS)
    assert np.any(usual.feedback_[0].matrix() != lossy.feedback_[0].matrix())
    assert np.any(usual.predict_proba(IRIS[0]) != lossy.predict_proba(IRIS[0]))


def test_a_netlist_of_the_gallery_is_hardware() -> None:
    x, y = load_digits(return_X_y=True)
    fitted = PhotonicClassifier(
        hardware="mrr_dfa_digits",
        use="backward",
        noise="physical",
        hidden_layer_sizes=(32,),
        max_iter=6,
        random_state=0,
    )
    assert fitted.fit(x[:1200], y[:1200]).score(x[1200:], y[1200:]) > 0.85


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rule": "dfb"}, r"no rule 'dfb'.*Did you mean 'dfa'"),
        ({"rule": "spsa", "step": -1.0}, r"step must be a positive number, got -1\.0"),
        ({"rule": "spsa", "repeats": 0}, "repeats must be a whole number from 1, got 0"),
        ({"noise": "physical"}, "noise belongs to hardware, which is None"),
        ({"noise": "pink"}, "'noise' must be physical or measured, but is the text 'pink'"),
        ({"max_iter": 0}, "Classifier: 'max_iter' must be a whole number from 1, but is the number 0"),
        ({"batch_size": 2.5}, "'batch_size' must be a whole number"),
        ({"hidden_layer_sizes": (0,)}, "a width in hidden_layer_sizes must be a whole number"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' must be a whole number"),
        ({"precision": "half"}, "'precision' must be single or double, but is the text 'half'"),
        ({"solver": "lbfgs"}, r"'solver' must be adam or sgd, a mapping such as .* got 'lbfgs'"),
        ({"early_stopping": 20}, "'early_stopping' must be true or false, but is the number 20"),
        (
            {"validation_fraction": 1.5},
            "'validation_fraction' must be a number from 0 to 0.999, but is .* 1.5",
        ),
        (
            {"learning_rate_init": 0.0},
            "'learning_rate_init' must be a number from 1e-12 to 1e\\+06",
        ),
        ({"solver": "sgd", "momentum": 1.0}, "momentum must be 0 or more and less than 1, got 1.0"),
        ({"activation": "tan"}, r"no activation 'tan'.*Did you mean 'tanh'"),
        ({"hardware": "mrr_weight_bnk"}, "Did you mean 'mrr_weight_bank'"),
    ],
    ids=str,
)
def test_wrong_parameters_are_one_sentence(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ps.PhotosimError, match=message):
        PhotonicClassifier(**change).fit(*IRIS)


def test_hardware_wants_a_rule_with_feedback(circuit: Circuit) -> None:
    with pytest.raises(ParameterError, match="the rule 'frozen' has no feedback that hardware could compute"):
        PhotonicClassifier(hardware=circuit, rule="frozen", use="backward").fit(*IRIS)
    with pytest.raises(ParameterError, match=r"'banc' is not a weight bank"):
        PhotonicClassifier(hardware=circuit, device="banc").fit(*IRIS)
    with pytest.raises(ParameterError, match="made for class labels"):
        PhotonicRegressor(rule="ternary-dfa").fit(*IRIS)

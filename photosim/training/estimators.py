"""Networks trained through simulated hardware as scikit-learn estimators."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from photosim.errors import ParameterError, listing
from photosim.netlist.forms import INTEGRAL
from photosim.netlist.mappings import read
from photosim.training.architecture import build_network
from photosim.training.arrays import FloatArray, TargetArray
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices import Device, Digital, WeightBank
from photosim.training.devices.bank.circuit import only_bank
from photosim.training.layers import Network, Parameters
from photosim.training.losses import CLASSIFICATION, REGRESSION, Objective, softmax
from photosim.training.optimisers import SCHEDULE, SGD, Adam, Constant, Optimiser
from photosim.training.rules.catalogue import (
    HELD_BY_DEVICES,
    check_network,
    draw_feedback,
    make_rule,
    needs,
    rules_that_need,
)
from photosim.training.rules.rule import Need
from photosim.training.sklearn_versions import SeveralTargets, validate_data
from photosim.training.trainer import History, Schedule, Streams, fit

if TYPE_CHECKING:
    from photosim.circuit import Circuit

LARGEST_SEED = 2**31 - 1
_SCHEDULE: Any = Annotated[Any, SCHEDULE]
_Whole = Annotated[int, Field(ge=1), INTEGRAL]
_Fraction = Annotated[float, Field(ge=0, le=0.999)]


@dataclass(frozen=True)
class _Bounds:
    """Bounds of the parameters that nothing else checks."""

    max_iter: _Whole
    batch_size: _Whole
    n_iter_no_change: _Whole
    solver: Literal["adam", "sgd"]
    early_stopping: bool
    dropout: _Fraction
    learning_rate_init: Annotated[float, Field(ge=1e-12, le=1e6)]
    feedback: Annotated[float, Field(ge=1e-9, le=1e9)]
    validation_fraction: _Fraction
    precision: Literal["single", "double"]
    noise: Literal["physical", "measured"] | None


class _PhotonicEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What classifier and regressor share: parameters, standardised inputs, one training run."""

    def __init__(  # noqa: PLR0913 - scikit-learn reads an estimator's parameters off this signature
        self,
        *,
        hardware: str | os.PathLike[str] | Circuit | None = None,
        device: str | None = None,
        noise: str | None = None,
        rule: str = "dfa",
        hidden_layer_sizes: Any = (64,),
        activation: str = "tanh",
        dropout: float = 0.0,
        image_shape: tuple[int, int, int] | None = None,
        solver: str = "adam",
        momentum: float = 0.9,
        learning_rate_init: float = 0.005,
        schedule: Mapping[str, Any] | None = None,
        batch_size: int = 32,
        max_iter: int = 100,
        early_stopping: bool = False,
        n_iter_no_change: int = 10,
        validation_fraction: float = 0.1,
        feedback: float = 1.0,
        threshold: float = 0.25,
        step: float | None = None,
        repeats: int | None = None,
        precision: str = "single",
        random_state: Any = None,
    ) -> None:
        self.hardware = hardware
        self.device = device
        self.noise = noise
        self.rule = rule
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.image_shape = image_shape
        self.solver = solver
        self.momentum = momentum
        self.learning_rate_init = learning_rate_init
        self.schedule = schedule
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.feedback = feedback
        self.threshold = threshold
        self.step = step
        self.repeats = repeats
        self.precision = precision
        self.random_state = random_state

    def _train(self, x: FloatArray, y: TargetArray, outputs: int, objective: Objective) -> Self:
        """Train on x (samples, features) in their own units and y as the objective wants it."""
        from threadpoolctl import threadpool_limits

        self._check()
        seed = int(check_random_state(self.random_state).randint(LARGEST_SEED))
        streams = Streams.tree(seed, 1)[0]
        self.scale_ = StandardScaler().fit(x)
        network = self._network(x.shape[1], outputs)
        check_network(self.rule, network)
        self.network_ = network  # predictions are those of what was trained, whatever set_params does later
        data = self._dataset(self.scale_.transform(x), y, outputs, streams)
        schedule = Schedule(
            self.max_iter,
            self.batch_size,
            np.float64 if self.precision == "double" else np.float32,
            patience=self.n_iter_no_change if self.early_stopping else None,
        )
        self.feedback_ = self._devices(network, streams)
        rng = np.random.default_rng(streams.feedback)
        rule = make_rule(self.rule, network, self.feedback_, rng, self.threshold, self.step, self.repeats)
        # Matrices this small lose more by sharing among threads than they gain.
        with threadpool_limits(1):
            history: History = fit(
                network, rule, self._optimiser(), data, schedule, streams, objective=objective
            )
        self.parameters_: list[Parameters] = [
            {name: value.astype(np.float64) for name, value in own.items()} for own in history.parameters
        ]
        self.n_outputs_ = outputs
        self.loss_curve_ = history.loss
        self.validation_scores_ = history.validation
        self.n_iter_ = history.loss.size
        self.counters_: dict[str, int] = dict(getattr(rule, "counters", {}))
        return self

    def _check(self) -> None:
        """Raise ParameterError for parameters that contradict each other, or that nothing else refuses."""
        needed = needs(self.rule)
        title = type(self).__name__
        read(
            _Bounds,
            {item.name: getattr(self, item.name) for item in fields(_Bounds)},
            title,
            noun="parameter",
        )
        for layer in self._hidden_layers():
            if not isinstance(layer, Mapping):
                read(_Whole, layer, f"{title}: a width in hidden_layer_sizes")
        if self.hardware is None and (self.noise is not None or self.device is not None):
            message = "noise and device belong to hardware, which is None: give a netlist or a Circuit."
            raise ParameterError(message)
        if self.hardware is not None and not needed & HELD_BY_DEVICES:
            message = (
                f"The rule {self.rule!r} has no feedback that hardware could carry; "
                f"these have: {listing(rules_that_need(*HELD_BY_DEVICES))}."
            )
            raise ParameterError(message)

    def _network(self, inputs: int, outputs: int) -> Network:
        shape = self.image_shape
        entries: list[Any] = [inputs if shape is None else shape]
        for layer in self._hidden_layers():
            entries.append(layer if isinstance(layer, Mapping) else int(layer))
            if self.dropout and not isinstance(layer, Mapping):
                entries.append({"layer": "dropout", "share": self.dropout})
        network = build_network([*entries, outputs], self.activation, type(self).__name__)
        pixels = network.layers[0].inputs
        if pixels != inputs:
            message = f"image_shape {shape!r} means {pixels} pixels, but the samples have {inputs} features."
            raise ParameterError(message)
        return network

    def _hidden_layers(self) -> Sequence[Any]:
        """Return the hidden layers; one width alone means one layer, as for scikit-learn's MLPClassifier."""
        sizes = self.hidden_layer_sizes
        return sizes if isinstance(sizes, tuple | list) else tuple(np.atleast_1d(sizes))

    def _optimiser(self) -> Optimiser:
        schedule = Constant() if self.schedule is None else read(_SCHEDULE, self.schedule, "schedule")
        if self.solver == "sgd":
            return SGD(self.learning_rate_init, self.momentum, schedule=schedule)
        return Adam(self.learning_rate_init, schedule=schedule)

    def _dataset(self, x: FloatArray, y: TargetArray, outputs: int, streams: Streams) -> Dataset:
        """Hold out samples if something is to be watched; there is no test part."""
        order = np.arange(len(x))
        held = 0
        if self.early_stopping:
            # Two at the least: R2 of one sample does not exist.
            if self.validation_fraction == 0.0:
                message = "early_stopping holds samples out: validation_fraction must be above 0, got 0."
                raise ParameterError(message)
            held = max(2, round(self.validation_fraction * len(x)))
            order = np.random.default_rng(streams.order.spawn(1)[0]).permutation(len(x))
        if held >= len(x):
            message = f"{len(x)} samples leave none to learn from when {held} are held out to stop early."
            raise ParameterError(message)
        train, watched, nothing = (
            Samples(x[rows], y[rows]) for rows in (order[held:], order[:held], order[:0])
        )
        return Dataset(type(self).__name__, train, watched, nothing, outputs)

    def _devices(self, network: Network, streams: Streams) -> tuple[Device, ...]:
        """Return what holds the rule's feedback: banks of the hardware, or exact matrices."""
        rng = np.random.default_rng(streams.feedback)
        matrices = draw_feedback(self.rule, network, self.feedback, rng)
        if self.hardware is None:
            return tuple(Digital(matrix) for matrix in matrices)
        circuit = _circuit(self.hardware)
        bank = WeightBank.from_circuit(circuit, self.device or only_bank(circuit))
        noise: Any = self.noise
        return tuple(
            own.with_noise(noise, np.random.default_rng(child))
            for own, child in zip(bank.program_all(matrices), streams.noise.spawn(len(matrices)), strict=True)
        )

    def _outputs(self, X: Any) -> FloatArray:
        """Return the network's outputs for X, in double precision so that no sample depends on its batch."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.network_.predict(self.parameters_, self.scale_.transform(x)), dtype=np.float64)


class PhotonicClassifier(ClassifierMixin, _PhotonicEstimator):  # type: ignore[misc]
    """A classifier whose hidden layers learn from errors sent back through a simulated photonic circuit.

    Layers, softmax and cross-entropy, trained on standardised inputs. The forward pass and the
    last layer's update are exact; the feedback of the hidden layers goes through the hardware.

    Parameters
    ----------
    hardware: netlist (path, or name in the gallery) or Circuit with a weight bank; None for exact products.
    device: the bank's instance name; may be left out where the circuit has one bank.
    noise: None, "physical" (that of the circuit's laser and detectors) or "measured" (the published model).
    rule: a name in `photosim.training.rules.RULES`; with hardware, one that has feedback.
    hidden_layer_sizes: widths of the hidden layers, and mappings as in a netlist's `network` for other ones,
        such as {"layer": "convolution", "channels": 8, "kernel": 3}.
    activation: "tanh", "relu", "sigmoid" or "linear", of all hidden layers.
    dropout: probability with which each unit of the dense hidden layers is dropped while training.
    image_shape: (channels, height, width) of samples that are images; needed by convolution and pooling.
    solver: "adam", or "sgd", stochastic gradient descent with `momentum`.
    learning_rate_init: learning rate before `schedule` changes it.
    schedule: of the learning rate, {"method": "steps", "epochs": [60, 90], "ratio": 0.1} or
        {"method": "noam", "width": 64, "warmup": 400}; None for a constant learning rate.
    batch_size: number of samples a step.  max_iter: largest number of epochs.
    early_stopping: hold out the fraction `validation_fraction` of the samples, stop when their score has not
        risen for `n_iter_no_change` epochs, and keep the parameters of the best epoch.
    feedback: entries of the feedback matrices are uniform between -feedback and feedback.
    threshold: `ternary-dfa` rounds output errors with absolute value up to this to zero.
    step, repeats: by how much `finite-difference`, `spsa` and `evolution-strategy` move parameters, and in
        how many random directions a batch; None for the rule's own.
    precision: "single" or "double".
    random_state: seed, numpy RandomState or None.

    Attributes:
    ----------
    classes_: class labels.  n_features_in_: number of features.  n_iter_: epochs trained.
    parameters_: weights and bias of each layer.  feedback_: the feedback devices, with their counters.
    loss_curve_, validation_scores_: mean loss and held-out score of each epoch.
    counters_: what the rule counted: `evaluations`, samples sent forward, of rules that measure the loss.

    Examples:
    --------
    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> PhotonicClassifier(rule="dfa", random_state=0).fit(x, y).score(x, y) > 0.95
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (samples, features) and labels y (samples,); return the estimator.

        Raises ValueError for samples that are not finite numbers, ParameterError for wrong parameters.
        """
        x, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(column_or_1d(labels, warn=True), return_inverse=True)
        return self._train(x, codes.astype(np.int64), self.classes_.size, CLASSIFICATION)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (samples, classes), in the order of `classes_`."""
        return np.asarray(softmax(self._outputs(X)), dtype=np.float64)

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of each sample, shape (samples,)."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]


class PhotonicRegressor(SeveralTargets, RegressorMixin, _PhotonicEstimator):  # type: ignore[misc]
    """A regressor whose hidden layers learn from errors sent back through a simulated photonic circuit.

    As PhotonicClassifier, with a linear output and the squared error of standardised targets, one or several
    a sample. Rules made for class labels (`ternary-dfa`, `target-projection`) are refused.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (samples, features) and targets y (samples,) or (samples, outputs).

        Raises ValueError for samples that are not finite numbers, ParameterError for wrong parameters.
        """
        x, targets = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        if Need.CLASS_LABELS in needs(self.rule):
            message = f"The rule {self.rule!r} is made for class labels, not for regression."
            raise ParameterError(message)
        self.flat_ = targets.ndim == 1
        columns = np.asarray(targets, dtype=np.float64).reshape(len(x), -1)
        self.target_scale_ = StandardScaler().fit(columns)
        return self._train(x, self.target_scale_.transform(columns), columns.shape[1], REGRESSION)

    def predict(self, X: Any) -> FloatArray:
        """Return the predicted targets, in the shape that `fit` was given."""
        outputs = self._outputs(X)
        found = np.asarray(self.target_scale_.inverse_transform(outputs))
        return found[:, 0] if self.flat_ else found


def _circuit(hardware: Any) -> Circuit:
    from photosim.circuit import Circuit, load

    if not isinstance(hardware, str | os.PathLike | Circuit):
        message = f"hardware must be a netlist's file or name, or a Circuit, got {hardware!r}."
        raise ParameterError(message)
    return hardware if isinstance(hardware, Circuit) else load(Path(hardware))

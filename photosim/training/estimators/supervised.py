"""Classifier and regressor: networks that learn through simulated hardware."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray
from photosim.training.data.checks import check_unmasked
from photosim.training.estimators.base import PhotonicEstimator
from photosim.training.estimators.recipe import by_content, needs_of, weighted
from photosim.training.estimators.samples import read_samples
from photosim.training.layers import Network, Parameters
from photosim.training.losses import softmax
from photosim.training.rules.rule import Need
from photosim.training.sklearn_versions import SeveralTargets
from photosim.training.trained import Scale, TrainedNetwork


class PhotonicClassifier(ClassifierMixin, PhotonicEstimator):  # type: ignore[misc]
    """A classifier whose hidden layers learn from errors sent back through a simulated photonic circuit.

    Layers, softmax and cross-entropy, trained on standardised inputs. With hardware, dense layers are held by
    it, forwards, and errors or feedback go through it, backwards, as `use` says; biases, activations and
    updates are exact.

    Parameters
    ----------
    hardware: netlist (path, or name in the gallery), Circuit or device: weight banks and meshes hold weights
        in tiles, any other circuit trains its own settings, a medium carries feedback; or a list of these and
        None, for each layer that learns; None for exact products.
    use: "forward" (weights programmed, or settings trained), "backward" (feedback, or errors through the
        weights), "both", or "auto": all that the hardware can do for the rule.
    device: the instance meant; may be left out where the circuit has one bank, mesh or camera.
    noise: None, "physical" (that of the circuit's laser and detectors) or "measured" (the published model).
    rule: a name in `photosim.training.rules.RULES`, or a Rule of one's own: an object with a method
        updates(forward).
    loss: "cross-entropy", "squared-error" (of one-hot labels) or "hinge"; a function loss(outputs, labels)
        that returns the mean loss and each sample's derivative of its own loss, (batch, outputs); an
        Objective; None for cross-entropy.
    hidden_layer_sizes: widths of the hidden layers; mappings as in a netlist's `network` for other ones, such
        as {"layer": "convolution", "channels": 8, "kernel": 3}; Layer objects.
    activation: "tanh", "relu", "sigmoid" or "linear", of all hidden layers.
    dropout: probability with which each unit of the dense hidden layers is dropped while training.
    image_shape: (channels, height, width) of samples that are images; needed by convolution and pooling.
    solver: "adam", or "sgd", stochastic gradient descent with `momentum`; a mapping as a netlist's
        `optimiser`; an Optimiser such as SGD(0.1), with its own learning rate.
    learning_rate_init: learning rate before `schedule` changes it.
    schedule: of the learning rate: "constant", "steps", "cosine", "exponential" or "noam"; a mapping such as
        {"method": "steps", "epochs": [60, 90], "ratio": 0.1}; an object with factor(step, epoch); None for a
        constant rate.
    batch_size: number of samples a step.  max_iter: largest number of epochs.
    early_stopping: hold out the fraction `validation_fraction` of the samples, stop when their score has not
        risen for `n_iter_no_change` epochs, and keep the parameters of the best epoch.
    warm_start: whether `fit` goes on from the parameters of the last one.
    verbose: write a line after every `verbose` epochs; 0 for none.
    feedback: entries of the feedback matrices are uniform between -feedback and feedback.
    threshold: `ternary-dfa` rounds output errors with absolute value up to this to zero.
    step, repeats: by how much `finite-difference`, `spsa` and `evolution-strategy` move parameters, and in
        how many random directions a batch; None for the rule's own.
    precision: "single" or "double".
    random_state: seed, numpy RandomState or None.

    Attributes:
    ----------
    classes_: class labels.  n_features_in_: number of features.  n_iter_: epochs trained.
    network_: the trained network, which predicts, saves itself and shows its layers.
    parameters_: weights and bias of each layer.  feedback_: the feedback devices, with their counters.
    rule_: the rule as training left it.  uses_: what hardware did, one mapping for each layer that learns.
    loss_curve_, validation_scores_: mean loss and held-out score of each epoch.
    counters_: what the rule counted: `evaluations`, samples sent forward, of rules that measure the loss.

    Examples:
    --------
    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> PhotonicClassifier(rule="dfa", random_state=0).fit(x, y).score(x, y) > 0.95
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (samples, features) and labels y (samples,); return the estimator.

        sample_weight: how often each sample counts, shape (samples,): a whole number is a sample repeated so
        many times; other weights are scaled to a mean of 1, and a sample is drawn that often on average.
        Raises ValueError for samples that are not finite numbers, ParameterError for wrong parameters.
        """
        x, labels = read_samples(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        known = np.unique(column_or_1d(labels, warn=True))
        if self._goes_on(partial=False):
            self._check_labels(known)
        else:
            self.classes_ = known
        return self._learn(x, labels, sample_weight)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn one epoch more, of these samples; the first call needs `classes`, all labels there will be.

        Inputs are standardised by all samples seen so far. Raises ParameterError for labels of none of the
        classes, and for early_stopping, which needs epochs to compare.
        """
        first = not self._goes_on(partial=True)
        x, labels = read_samples(self, X, y, dtype=np.float64, reset=first)
        check_classification_targets(labels)
        if self.early_stopping:
            message = "partial_fit learns one epoch at a time: early_stopping must be False."
            raise ParameterError(message)
        if first:
            known = np.unique(column_or_1d(labels, warn=True))
            self.classes_ = known if classes is None else np.unique(np.asarray(classes))
        elif classes is not None and not np.array_equal(np.unique(np.asarray(classes)), self.classes_):
            message = f"classes must stay as in the first call, {self.classes_}, got {np.asarray(classes)}."
            raise ParameterError(message)
        self._check_labels(np.unique(labels))
        return self._learn(x, labels, sample_weight, partial=True)

    def _check_labels(self, labels: Any) -> None:
        unknown = np.setdiff1d(labels, self.classes_)
        if unknown.size:
            message = (
                f"The label {unknown[0]!s} is not among the classes {self.classes_} that this training began "
                "with: name all of them in the first partial_fit(..., classes=...), or start anew."
            )
            raise ParameterError(message)

    def _learn(self, x: FloatArray, labels: Any, sample_weight: Any, *, partial: bool = False) -> Self:
        codes = np.searchsorted(self.classes_, column_or_1d(labels)).astype(np.int64)
        rows, weights = weighted(type(self).__name__, sample_weight, len(x))
        order = by_content(x[rows], codes[rows])
        rows, weights = rows[order], None if weights is None else weights[order]
        return self._train(x[rows], codes[rows], self.classes_.size, weights, partial=partial)

    def _trained(self, network: Network, parameters: list[Parameters]) -> TrainedNetwork:
        return TrainedNetwork(network, parameters, self._inputs(), classes=self.classes_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of samples X whose label y is predicted; ParameterError for masked ones."""
        check_unmasked(type(self).__name__, y=y, sample_weight=sample_weight)
        return float(super().score(X, y, sample_weight))

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (samples, classes), in the order of `classes_`."""
        return np.asarray(softmax(self._outputs(X)), dtype=np.float64)

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of each sample, shape (samples,)."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]


class PhotonicRegressor(SeveralTargets, RegressorMixin, PhotonicEstimator):  # type: ignore[misc]
    """A regressor whose hidden layers learn from errors sent back through a simulated photonic circuit.

    As PhotonicClassifier, with a linear output and the squared error of standardised targets, one or several
    a sample; other losses are "absolute-error", "huber", "log-cosh" and one's own. Rules made for class
    labels (`ternary-dfa`, `target-projection`) are refused.

    >>> import numpy as np
    >>> import photosim as ps
    >>> x = np.linspace(-1.0, 1.0, 64)[:, np.newaxis]
    >>> model = ps.training.PhotonicRegressor(hidden_layer_sizes=(16,), max_iter=60, random_state=0)
    >>> model.fit(x, 2.0 * x[:, 0]).score(x, 2.0 * x[:, 0]) > 0.8
    True
    """

    _classes = False

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (samples, features) and targets y (samples,) or (samples, outputs).

        sample_weight: as of PhotonicClassifier.
        Raises ValueError for samples that are not finite numbers, ParameterError for wrong parameters.
        """
        x, targets = read_samples(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        return self._learn(x, targets, sample_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn one epoch more, of these samples; all samples seen so far standardise inputs.

        The targets of the first call standardise all of them. Raises ParameterError for early_stopping.
        """
        first = not self._goes_on(partial=True)
        x, targets = read_samples(
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, reset=first
        )
        if self.early_stopping:
            message = "partial_fit learns one epoch at a time: early_stopping must be False."
            raise ParameterError(message)
        return self._learn(x, targets, sample_weight, partial=True)

    def _learn(self, x: FloatArray, targets: Any, sample_weight: Any, *, partial: bool = False) -> Self:
        if Need.CLASS_LABELS in needs_of(self.rule):
            message = f"The rule {self.rule!r} is made for class labels, not for regression."
            raise ParameterError(message)
        columns = np.asarray(targets, dtype=np.float64).reshape(len(x), -1)
        rows, weights = weighted(type(self).__name__, sample_weight, len(x))
        order = by_content(x[rows], columns[rows])
        rows, weights = rows[order], None if weights is None else weights[order]
        if not self._goes_on(partial=partial):
            self.flat_ = np.ndim(targets) == 1
            self.target_scale_ = StandardScaler().fit(columns[rows], sample_weight=weights)
        wanted = self.target_scale_.transform(columns[rows])
        return self._train(x[rows], wanted, columns.shape[1], weights, partial=partial)

    def _trained(self, network: Network, parameters: list[Parameters]) -> TrainedNetwork:
        scale = Scale(np.array(self.target_scale_.mean_), np.array(self.target_scale_.scale_))
        return TrainedNetwork(network, parameters, self._inputs(), scale)

    def predict(self, X: Any) -> FloatArray:
        """Return the predicted targets, in the shape that `fit` was given."""
        outputs = self._outputs(X)
        found = np.asarray(self.target_scale_.inverse_transform(outputs))
        return found[:, 0] if self.flat_ else found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination of targets y; ParameterError for masked ones."""
        check_unmasked(type(self).__name__, y=y, sample_weight=sample_weight)
        return float(super().score(X, y, sample_weight))

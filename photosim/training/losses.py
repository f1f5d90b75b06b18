"""Loss functions: mean loss of a batch, and the derivative of each sample's loss by the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from photosim.errors import DataError, Diverged
from photosim.training.arrays import RealArray, TargetArray


def softmax(logits: RealArray) -> RealArray:
    """Return class probabilities of logits, both of shape (batch, classes).

    >>> softmax(np.zeros((1, 4)))
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    # The largest logit is taken off first: exp cannot overflow and the ratio is unchanged.
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@cache
def _negligible(dtype: np.dtype[np.floating]) -> float:
    """Return the probability below which an error is 0: its products with weights would be subnormal.

    Processors need many times longer for subnormal numbers, and no weight feels an update so small.
    """
    found = np.finfo(dtype)
    return float(found.smallest_normal) / float(found.eps)


def softmax_cross_entropy(logits: RealArray, labels: TargetArray) -> tuple[float, RealArray]:
    """Return the mean loss in nats and each sample's error, shape (batch, classes).

    The error is the derivative of a sample's own loss (not of the mean) with respect to its logits:
    probabilities minus the one-hot label, every entry between -1 and 1.
    """
    labels = np.asarray(labels, dtype=np.intp)
    less = logits - logits.max(axis=1, keepdims=True)
    powers = np.exp(less)
    error = np.asarray(powers / powers.sum(axis=1, keepdims=True))  # the softmax
    error[error < _negligible(error.dtype)] = 0.0
    rows = np.arange(labels.size)
    # log sum exp(z) - z of the label: exact where the label's probability underflows.
    shifted = less.astype(np.float64)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, labels]
    error[rows, labels] -= 1.0
    return float(np.mean(losses)), error


def squared_error(outputs: RealArray, targets: TargetArray) -> tuple[float, RealArray]:
    """Return half the mean squared error, summed over the outputs, and each sample's derivative.

    The derivative is outputs - targets, shape (batch, outputs).
    """
    error = np.asarray(outputs - targets, dtype=outputs.dtype)
    return float(0.5 * np.mean(np.sum(error.astype(np.float64) ** 2, axis=1))), error


def _one_hot(outputs: RealArray, labels: TargetArray) -> RealArray:
    wanted = np.zeros_like(outputs)
    wanted[np.arange(len(outputs)), np.asarray(labels, dtype=np.intp)] = 1.0
    return wanted


def one_hot_squared_error(outputs: RealArray, labels: TargetArray) -> tuple[float, RealArray]:
    """Return half the mean squared error of one-hot labels, and its derivatives, shape (batch, classes)."""
    return squared_error(outputs, _one_hot(outputs, labels))


def hinge(outputs: RealArray, labels: TargetArray) -> tuple[float, RealArray]:
    """Return the mean multi-class hinge loss and each sample's derivative, shape (batch, classes).

    The loss of a sample is the sum over the wrong classes of max(0, 1 + output - output of the label).
    """
    wanted = _one_hot(outputs, labels).astype(bool)
    margin = 1.0 + outputs - outputs[wanted][:, np.newaxis]
    short = (margin > 0.0) & ~wanted
    error = short.astype(outputs.dtype)
    error[wanted] = -short.sum(axis=1)
    return float(np.sum(margin, where=short, dtype=np.float64) / len(outputs)), error


def absolute_error(outputs: RealArray, targets: TargetArray) -> tuple[float, RealArray]:
    """Return the mean absolute error, summed over the outputs, and its derivatives (batch, outputs)."""
    off = outputs - targets
    return float(np.mean(np.sum(np.abs(off), axis=1, dtype=np.float64))), np.sign(off)


def huber(outputs: RealArray, targets: TargetArray) -> tuple[float, RealArray]:
    """Return the mean Huber loss and its derivatives, shape (batch, outputs).

    The loss is quadratic up to an error of 1 and linear beyond; it is summed over the outputs.
    """
    off = outputs - targets
    cut = np.clip(off, -1.0, 1.0)
    return float(np.mean(np.sum(cut * (off - 0.5 * cut), axis=1, dtype=np.float64))), cut


def log_cosh(outputs: RealArray, targets: TargetArray) -> tuple[float, RealArray]:
    """Return the mean of log cosh(outputs - targets), summed over the outputs, and its derivatives tanh."""
    off = outputs - targets
    values = np.logaddexp(off, -off) - np.log(2.0)
    return float(np.mean(np.sum(values, axis=1, dtype=np.float64))), np.tanh(off)


def token_cross_entropy(logits: RealArray, labels: TargetArray) -> tuple[float, RealArray]:
    """Return the mean loss in nats over all tokens, and each token's error, in the shape of `logits`.

    logits: shape (batch, tokens * classes), token by token.  labels: class numbers (batch, tokens). The error
    is the derivative of a token's own loss.
    """
    flat = np.asarray(labels, dtype=np.intp).ravel()
    loss, error = softmax_cross_entropy(logits.reshape(flat.size, -1), flat)
    return loss, error.reshape(logits.shape)


def _entries(labels: TargetArray) -> int:
    return int(labels.size)


def _below_loss(logits: RealArray, labels: TargetArray) -> float:
    return -token_cross_entropy(logits, labels)[0]


def share_correct(logits: RealArray, labels: TargetArray) -> float:
    """Return the accuracy: the fraction of samples whose largest logit is that of their label."""
    return float(np.mean(logits.argmax(axis=1) == labels))


def explained_share(outputs: RealArray, targets: TargetArray) -> float:
    """Return R2, the mean over the outputs of 1 - squared error/variance; 0 if the mean is predicted."""
    from sklearn.metrics import r2_score

    return float(r2_score(targets, outputs))


def check_classes(where: str, labels: TargetArray, outputs: int, lowest: int = 0) -> None:
    """Raise DataError, starting with `where`, unless labels (samples,) are class numbers of the outputs.

    lowest: the lowest number taken; -1 stands for samples without a label.
    """
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        message = (
            f"{where}: labels must be whole class numbers of shape (samples,), got {labels.dtype} of shape "
            f"{labels.shape}."
        )
        raise DataError(message)
    wrong = (labels < lowest) | (labels >= outputs)
    if wrong.any():
        message = (
            f"{where}: labels must be class numbers from 0 to {outputs - 1}, one for each output, got "
            f"{labels[wrong][0]}: number the classes with numpy.unique(labels, return_inverse=True)."
        )
        raise DataError(message)


def check_tokens(where: str, labels: TargetArray, outputs: int) -> None:
    """Raise DataError, starting with `where`, unless labels (samples, tokens) are class numbers.

    outputs: of the network, tokens times classes.
    """
    if labels.ndim != 2 or outputs % labels.shape[1]:
        message = (
            f"{where}: labels must be class numbers of shape (samples, tokens), tokens a divisor of the "
            f"network's {outputs} outputs, got shape {labels.shape}."
        )
        raise DataError(message)
    check_classes(where, labels.ravel(), outputs // labels.shape[1])


def check_targets(where: str, targets: TargetArray, outputs: int) -> None:
    """Raise DataError, starting with `where`, unless targets are finite, shape (samples, outputs)."""
    if targets.dtype.kind not in "iuf" or targets.ndim != 2 or targets.shape[1] != outputs:
        message = (
            f"{where}: targets must be real numbers of shape (samples, {outputs}), got {targets.dtype} of "
            f"shape {targets.shape}."
        )
        raise DataError(message)
    if not np.isfinite(targets).all():
        row = int(np.argwhere(~np.isfinite(targets))[0, 0])
        message = f"{where}: targets must be finite, but that of row {row} is {targets[row]}."
        raise DataError(message)


def check_finite(finite: bool, epoch: int, learning_rate: float) -> None:
    """Raise Diverged, naming epoch and learning rate, for a run whose numbers are not finite."""
    if not finite:
        message = (
            f"Training diverged in epoch {epoch}, at a learning rate of {learning_rate:g}: loss, its "
            "slopes or parameters are not finite. Take a smaller learning rate."
        )
        raise Diverged(message)


def check_any(where: str, targets: TargetArray, outputs: int) -> None:
    """Raise DataError for labels or targets, whichever they look like, that suit no objective."""
    flat = targets.ndim == 1 and targets.dtype.kind in "iu"
    (check_classes if flat else check_targets)(where, targets, outputs)


@dataclass(frozen=True)
class Objective:
    """Loss and score of a training, and the check of its targets.

    loss(outputs, targets): mean loss of the batch, and the derivative of each sample's own loss with respect
    to the outputs, shape (batch, outputs).  score(outputs, targets): a number that is larger for better
    outputs. count(targets): number of samples in the mean; samples without a target do not count.
    check(where, targets, outputs): raises a DataError, whose message begins with `where`, for targets that do
    not fit this number of outputs.
    """

    loss: Callable[[RealArray, TargetArray], tuple[float, RealArray]]
    score: Callable[[RealArray, TargetArray], float]
    count: Callable[[TargetArray], int] = len
    check: Callable[[str, TargetArray, int], None] = check_any


CLASSIFICATION = Objective(softmax_cross_entropy, share_correct, check=check_classes)
TOKENS = Objective(token_cross_entropy, _below_loss, _entries, check_tokens)
"""Sequences whose every token has a class, as the next character; the score is minus the loss in nats."""
REGRESSION = Objective(squared_error, explained_share, check=check_targets)

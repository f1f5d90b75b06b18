"""Losses: the mean over a batch, and each sample's error, which learning rules send back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from photosim.errors import DataError, Diverged
from photosim.training.arrays import RealArray, TargetArray


def softmax(logits: RealArray) -> RealArray:
    """Return class probabilities of logits, both of shape (batch, classes)."""
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
    """Return half the mean squared distance and each sample's error, outputs - targets.

    Both of shape (batch, outputs); the distance is summed over the outputs.
    """
    error = np.asarray(outputs - targets, dtype=outputs.dtype)
    return float(0.5 * np.mean(np.sum(error.astype(np.float64) ** 2, axis=1))), error


def _one_hot(outputs: RealArray, labels: TargetArray) -> RealArray:
    wanted = np.zeros_like(outputs)
    wanted[np.arange(len(outputs)), np.asarray(labels, dtype=np.intp)] = 1.0
    return wanted


def one_hot_squared_error(outputs: RealArray, labels: TargetArray) -> tuple[float, RealArray]:
    """Return half the mean squared distance of outputs (batch, classes) from one-hot labels, and errors."""
    return squared_error(outputs, _one_hot(outputs, labels))


def hinge(outputs: RealArray, labels: TargetArray) -> tuple[float, RealArray]:
    """Return the mean multi-class hinge loss and its errors (batch, classes): the label should lead by 1.

    Of a sample the sum over the wrong classes of max(0, 1 + output - that of the label).
    """
    wanted = _one_hot(outputs, labels).astype(bool)
    margin = 1.0 + outputs - outputs[wanted][:, np.newaxis]
    short = (margin > 0.0) & ~wanted
    error = short.astype(outputs.dtype)
    error[wanted] = -short.sum(axis=1)
    return float(np.sum(margin, where=short, dtype=np.float64) / len(outputs)), error


def absolute_error(outputs: RealArray, targets: TargetArray) -> tuple[float, RealArray]:
    """Return the mean distance |outputs - targets|, summed over the outputs, and the signs of the errors."""
    off = outputs - targets
    return float(np.mean(np.sum(np.abs(off), axis=1, dtype=np.float64))), np.sign(off)


def huber(outputs: RealArray, targets: TargetArray) -> tuple[float, RealArray]:
    """Return the mean Huber loss, squared up to an error of 1 and linear beyond, and the errors cut at 1."""
    off = outputs - targets
    cut = np.clip(off, -1.0, 1.0)
    return float(np.mean(np.sum(cut * (off - 0.5 * cut), axis=1, dtype=np.float64))), cut


def log_cosh(outputs: RealArray, targets: TargetArray) -> tuple[float, RealArray]:
    """Return the mean of log cosh(outputs - targets), summed over the outputs, and its slopes tanh."""
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
    """Return the share of samples whose largest logit is their label."""
    return float(np.mean(logits.argmax(axis=1) == labels))


def explained_share(outputs: RealArray, targets: TargetArray) -> float:
    """Return R2, the mean over the outputs of 1 - (squared error / variance); 0 for a constant guess."""
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
    """What a network is for.

    loss(outputs, targets): the batch's mean loss, and each sample's derivative of its own loss with respect
    to the outputs, shape (batch, outputs).  score(outputs, targets): how good that is; larger is better.
    count(targets): how many samples the mean is over; fewer than given where some have no target.
    check(where, targets, outputs): raises a DataError that starts with `where` for targets that make no sense
    for so many outputs.
    """

    loss: Callable[[RealArray, TargetArray], tuple[float, RealArray]]
    score: Callable[[RealArray, TargetArray], float]
    count: Callable[[TargetArray], int] = len
    check: Callable[[str, TargetArray, int], None] = check_any


CLASSIFICATION = Objective(softmax_cross_entropy, share_correct, check=check_classes)
TOKENS = Objective(token_cross_entropy, _below_loss, _entries, check_tokens)
"""Sequences whose every token has a class, as the next character; the score is minus the loss in nats."""
REGRESSION = Objective(squared_error, explained_share, check=check_targets)

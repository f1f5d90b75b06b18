"""Losses: the mean over a batch, and each sample's error, which learning rules send back."""

from __future__ import annotations

import numpy as np

from photosim.training.arrays import RealArray, TargetArray


def softmax(logits: RealArray) -> RealArray:
    """Return class probabilities of logits, both of shape (batch, classes)."""
    # The largest logit is taken off first: exp cannot overflow and the ratio is unchanged.
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def softmax_cross_entropy(logits: RealArray, labels: TargetArray) -> tuple[float, RealArray]:
    """Return the mean loss in nats and each sample's error, shape (batch, classes).

    The error is the derivative of a sample's own loss (not of the mean) with respect to its logits:
    probabilities minus the one-hot label, every entry between -1 and 1.
    """
    labels = np.asarray(labels, dtype=np.intp)
    error = softmax(logits)
    rows = np.arange(labels.size)
    likelihood = error[rows, labels].astype(np.float64)
    error[rows, labels] -= 1.0
    smallest = np.finfo(np.float64).tiny  # a probability that underflowed still has a finite, huge loss
    return float(-np.mean(np.log(np.maximum(likelihood, smallest)))), error

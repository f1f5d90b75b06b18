"""Data sets, split once and for all and standardised with what the training part alone knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from photosim.errors import DataError, did_you_mean, listing
from photosim.training.arrays import FloatArray, LabelArray

SPLIT_SEED = 2022
"""The split belongs to the data set, not to a run: every seed and rule is judged on the same samples."""
SMALLEST_CLASS = 3
"""Each class must be able to appear in training, validation and test."""
TEST = 0.2
VALIDATION = 0.1


@dataclass(frozen=True)
class Samples:
    """Inputs x of shape (samples, features) and their class numbers y of shape (samples,)."""

    x: FloatArray
    y: LabelArray

    def __len__(self) -> int:
        """Return the number of samples."""
        return int(self.y.size)


@dataclass(frozen=True)
class Dataset:
    """A classification task: what is learnt from, what chooses hyperparameters, and what judges."""

    name: str
    train: Samples
    validation: Samples
    test: Samples
    classes: int

    @property
    def features(self) -> int:
        """Number of input features."""
        return int(self.train.x.shape[1])


DATASETS: dict[str, Callable[[], tuple[FloatArray, LabelArray]]] = {}
"""Loaders of inputs (samples, features) and labels (samples,) by name."""


def load(name: str, *, validation: float = VALIDATION) -> Dataset:
    """Return the data set called `name`, split and standardised.

    `validation` is the share of samples held out to choose hyperparameters; with 0 they join the training
    samples, for the figures of a recipe already chosen. The test samples are the same either way. DataError
    gives the nearest name if there is no such data set.
    """
    if name not in DATASETS:
        message = (
            f"There is no data set {name!r}: known are {listing(DATASETS)}.{did_you_mean(name, DATASETS)}"
        )
        raise DataError(message)
    x, y = DATASETS[name]()
    return split(name, x, y, validation=validation)


def digits() -> tuple[FloatArray, LabelArray]:
    """Return scikit-learn's 1797 handwritten digits of 8 x 8 pixels, the test part of alpaydin1998."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.int64)


DATASETS["digits"] = digits


def split(
    name: str, x: FloatArray, y: LabelArray, *, test: float = TEST, validation: float = VALIDATION
) -> Dataset:
    """Split x (samples, features) and y (samples,) class by class, always alike, and standardise all parts.

    `test` and `validation` are shares of all samples. One mean and one deviation serve all features, as usual
    for images (a pixel's own deviation would blow up those that hardly ever change); they are the training
    samples' own. Raises DataError when a class is too small to appear in every part or the inputs never
    change.
    """
    from sklearn.model_selection import train_test_split

    classes, y = np.unique(y, return_inverse=True)
    smallest = int(np.bincount(y).min())
    if smallest < SMALLEST_CLASS:
        message = (
            f"Data set {name!r} has a class of {smallest} samples; each needs at least {SMALLEST_CLASS}."
        )
        raise DataError(message)
    fit, held = train_test_split(np.arange(y.size), test_size=test, stratify=y, random_state=SPLIT_SEED)
    chosen = fit[:0]
    if validation > 0.0:
        fit, chosen = train_test_split(
            fit, test_size=validation / (1.0 - test), stratify=y[fit], random_state=SPLIT_SEED
        )
    center, width = float(x[fit].mean()), float(x[fit].std())
    if not width > 0.0:
        message = f"Data set {name!r} has inputs that never change: there is nothing to learn from."
        raise DataError(message)
    train, validate, judge = (Samples((x[rows] - center) / width, y[rows]) for rows in (fit, chosen, held))
    return Dataset(name, train, validate, judge, int(classes.size))

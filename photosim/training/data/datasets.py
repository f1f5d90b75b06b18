"""Data sets with a fixed split, standardised by mean and deviation of the training samples."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number
from photosim.errors import DataError, ParameterError, did_you_mean, listing
from photosim.smatrix import ByValue
from photosim.training.arrays import LabelArray, RealArray, TargetArray
from photosim.training.data.checks import check_inputs, check_known
from photosim.training.data.files import (
    IMAGES,
    LABELS,
    VOWELS,
    ByteArray,
    data_folder,
    existing,
    read_idx,
    read_table,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPLIT_SEED = 2022
"""The split belongs to the data set, not to a run: every seed and rule is judged on the same samples."""
SMALLEST_CLASS = 3
"""Each class must be able to appear in training, validation and test."""
TEST = 0.2
VALIDATION = 0.1


@public(types=False)
@dataclass(frozen=True, eq=False)
class Samples(ByValue):
    """Inputs x (samples, features), and class numbers y (samples,) or targets y (samples, outputs).

    weights: mean number of times that each sample occurs in an epoch, (samples,); None for once.
    """

    x: RealArray
    y: TargetArray
    weights: RealArray | None = None

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.y)


@public
@dataclass(frozen=True)
class Dataset:
    """A data set: samples for training, for validation (choice of hyperparameters) and for the test.

    name: for tables and messages.  classes: number of classes, or of targets in regression.
    """

    name: str
    train: Samples
    validation: Samples
    test: Samples
    classes: int

    @classmethod
    def from_arrays(cls, x: Any, y: Any, x_test: Any = None, y_test: Any = None, **options: Any) -> Dataset:
        """Return a data set of inputs x (samples, features), or images (samples, ...), and targets.

        y: whole numbers or strings (samples,) are classes; other numbers (samples,) or (samples, outputs) are
        regression targets.  x_test, y_test: test samples; a part of x and y if left out.  options: of
        `training.data.own.from_arrays`. Raises DataError for arrays that do not fit together.
        """
        from photosim.training.data.own import from_arrays

        return from_arrays(x, y, x_test, y_test, **options)

    @property
    def regression(self) -> bool:
        """Whether targets are numbers, not classes."""
        return self.train.y.dtype.kind == "f"

    @property
    def features(self) -> int:
        """Number of input features."""
        return int(self.train.x.shape[1])


OPENML = {"mnist": "mnist_784", "fashion-mnist": "Fashion-MNIST"}
"""Names of the image sets on openml.org, which keeps their order: training images first."""
IMAGES_TO_LEARN = 60_000
IMAGES_TO_JUDGE = 10_000
VOWEL_COLUMNS = 14
"""Part (0 training, 1 test), speaker, sex, ten log-area ratios, class."""


@dataclass(frozen=True)
class Table:
    """A data set as published: inputs x (samples, features) of any type and class numbers y (samples,).

    judged: which samples the publishers set aside to test with, shape (samples,); None where they left that
    to us.  apart: each feature is standardised by itself, as befits quantities of different kinds.
    """

    x: RealArray | ByteArray
    y: LabelArray
    judged: np.ndarray | None = None
    apart: bool = False


DataDir = str | os.PathLike[str] | None
Loader = Callable[[DataDir, bool], Table]


@public
def load(
    name: str, *, validation_fraction: float = VALIDATION, data_dir: DataDir = None, download: bool = False
) -> Dataset:
    """Return the data set called `name`, split and standardised.

    validation_fraction: fraction of the samples that is held out to choose hyperparameters; with 0 they are
    training samples. The test samples are the same either way.  data_dir: folder of data files, by default
    that of the environment variable PHOTOSIM_DATA; `digits` needs none.  download: fetch image sets that the
    folder does not have from openml.org. Raises DataError for an unknown name, with the nearest one, and for
    a missing file, with its place.

    >>> load("digits").classes
    10
    """
    if name not in DATASETS:
        message = (
            f"There is no data set {name!r}: known are {listing(DATASETS)}.{did_you_mean(name, DATASETS)}"
        )
        raise DataError(message)
    table = DATASETS[name](data_dir, download)
    return split(
        name,
        table.x,
        table.y,
        validation_fraction=validation_fraction,
        judged=table.judged,
        apart=table.apart,
    )


def _digits(_data_dir: DataDir, _download: bool) -> Table:
    """Return scikit-learn's 1797 handwritten digits of 8 x 8 pixels, the test part of alpaydin1998."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return Table(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.int64))


def _vowels(data_dir: DataDir, _download: bool) -> Table:
    """Return 990 spoken vowels of 15 speakers (deterding1989); seven speakers are kept for the test."""
    what = "the UCI repository's vowel data"
    path = existing(data_folder("The data set 'vowels'", data_dir), VOWELS, what)
    rows = read_table(path, VOWEL_COLUMNS)
    whole = rows[:, [0, -1]]
    if np.any(whole != np.rint(whole)) or set(np.unique(whole[:, 0])) != {0.0, 1.0}:
        message = f"{path} is not {what}: its first column marks training with 0 and test with 1."
        raise DataError(message)
    return Table(rows[:, 3:-1], whole[:, 1].astype(np.int64), whole[:, 0] == 1.0, apart=True)


def _mnist(data_dir: DataDir, download: bool) -> Table:
    """Return 70,000 handwritten digits of 28 x 28 pixels (lecun1998)."""
    return _images("mnist", data_dir, download)


def _fashion(data_dir: DataDir, download: bool) -> Table:
    """Return 70,000 pictures of clothes of 28 x 28 pixels (xiao2017)."""
    return _images("fashion-mnist", data_dir, download)


DATASETS: dict[str, Loader] = {
    "digits": _digits,
    "mnist": _mnist,
    "fashion-mnist": _fashion,
    "vowels": _vowels,
}
"""Loaders by name, of separate samples with a class each; `graphs` has graphs and texts."""


def _images(name: str, data_dir: DataDir, download: bool) -> Table:
    """Return an image set from its four idx files, or from openml.org if the user asks for that."""
    needed = f"The data set {name!r}"
    if download:
        try:
            folder = data_folder(needed, data_dir)
        except DataError:
            return _fetch(name, None)
        if not (folder / name).is_dir():
            return _fetch(name, folder)
    folder = data_folder(needed, data_dir)
    x, y = [], []
    for part in ("train", "t10k"):
        images, labels = (
            existing(folder, f"{name}/{part}-{kind}", f"{what} of {name}, a gzipped idx file,")
            for kind, what in ((IMAGES, "the images"), (LABELS, "the labels"))
        )
        x.append(read_idx(images, 3))
        y.append(read_idx(labels, 1).astype(np.int64))
        if len(x[-1]) != len(y[-1]):
            message = f"{images} has {len(x[-1])} images, but {labels} has {len(y[-1])} labels."
            raise DataError(message)
        if x[0].shape[1:] != x[-1].shape[1:]:
            message = f"{images} has images of another size than the training images of {name}."
            raise DataError(message)
    judged = np.repeat([False, True], [len(y[0]), len(y[1])])
    pixels = np.concatenate(x)
    return Table(pixels.reshape(len(pixels), -1), np.concatenate(y), judged)


def _fetch(name: str, folder: os.PathLike[str] | None) -> Table:
    """Download an image set from openml.org through scikit-learn, which keeps a copy below `folder`."""
    from sklearn.datasets import fetch_openml

    home = None if folder is None else os.fspath(folder)
    try:
        x, y = fetch_openml(
            OPENML[name], version=1, as_frame=False, return_X_y=True, parser="liac-arff", data_home=home
        )
    except (OSError, ValueError) as error:
        message = f"The data set {name!r} could not be fetched from openml.org: {error}."
        raise DataError(message) from error
    if len(x) != IMAGES_TO_LEARN + IMAGES_TO_JUDGE or len(y) != len(x):
        message = f"What openml.org gave for {name!r} has {len(x)} images and {len(y)} labels, not 70,000."
        raise DataError(message)
    judged = np.repeat([False, True], [IMAGES_TO_LEARN, IMAGES_TO_JUDGE])
    return Table(np.asarray(x, dtype=np.uint8), np.asarray(y).astype(np.int64), judged)


@public
def split(
    name: str,
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    test: float = TEST,
    validation_fraction: float = VALIDATION,
    judged: np.ndarray | None = None,
    apart: bool = False,
) -> Dataset:
    """Return x (samples, features) and y (samples,) as a task, split class by class and standardised.

    The split is always the same. One mean and one standard deviation, those of the training samples, serve
    all features, as is usual for images, unless `apart`. Bytes become single precision.

    name: of the data set, for tables and messages.  test, validation_fraction: fractions of all samples.
    judged: True for the test samples, (samples,), if they are given.  apart: standardise each feature by
    itself.

    Raises DataError for inputs that are not finite or never change, for labels that are not one for each row,
    and for a class that is too small or not among the training samples; ParameterError for an empty part.
    """
    from sklearn.model_selection import train_test_split

    title = f"Data set {name!r}"
    x, y = np.asarray(x), np.asarray(y)  # lists too
    _check_labels(title, y)
    check_inputs(title, x, len(y))
    _check_shares(title, y, test, validation_fraction, judged)
    classes, y = np.unique(y, return_inverse=True)
    smallest = int(np.bincount(y).min())
    if smallest < SMALLEST_CLASS:
        message = f"{title} has a class of {smallest} samples; each needs at least {SMALLEST_CLASS}."
        raise DataError(message)
    if judged is None:
        _check_part(title, "test", y.size, test, y)
        fit, held = train_test_split(np.arange(y.size), test_size=test, stratify=y, random_state=SPLIT_SEED)
    else:
        fit, held = np.flatnonzero(~judged), np.flatnonzero(judged)
        check_known(f"{title}, test samples", classes[y[held]], classes[y[fit]])
    chosen = fit[:0]
    if validation_fraction > 0.0:
        share = (
            validation_fraction * y.size / fit.size
            if judged is not None
            else validation_fraction / (1.0 - test)
        )
        _check_part(title, "validation", fit.size, share, y[fit])
        fit, chosen = train_test_split(fit, test_size=share, stratify=y[fit], random_state=SPLIT_SEED)
    # Each part is one copy: 70,000 images in single precision are 220 MB.
    dtype = np.result_type(x.dtype, np.float32)
    axis = 0 if apart else None
    learnt = x[fit]
    center, width = learnt.mean(axis=axis, dtype=dtype), learnt.std(axis=axis, dtype=dtype)
    if not np.all(width > 0.0):
        message = f"{title} has inputs that never change: there is nothing to learn from."
        raise DataError(message)
    train, validate, judge = (Samples((x[rows] - center) / width, y[rows]) for rows in (fit, chosen, held))
    return Dataset(name, train, validate, judge, int(classes.size))


def _check_labels(title: str, y: np.ndarray) -> None:
    if y.ndim != 1 or not y.size:
        message = f"{title}: labels must be one for each sample, shape (samples,), got shape {y.shape}."
        raise DataError(message)
    missing = y != y if y.dtype.kind == "O" else np.zeros(y.shape, bool)  # noqa: PLR0124 - NaN alone
    if y.dtype.kind in "fc":
        missing = ~np.isfinite(y)
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        message = f"{title}: every sample needs a label, but that of row {row} is {y[row]}."
        raise DataError(message)


def _check_shares(
    title: str, y: np.ndarray, test: float, validation: float, judged: np.ndarray | None
) -> None:
    check_number(title, 0.0, 1.0, validation_fraction=validation)
    if judged is None:
        check_number(title, 0.0, 1.0, above=True, test=test)
        left = 1.0 - test
    else:
        judged = np.asarray(judged)
        if judged.dtype.kind != "b" or judged.shape != y.shape:
            message = (
                f"{title}: judged must mark every sample with True or False, shape ({y.size},), got "
                f"{judged.dtype} of shape {judged.shape}."
            )
            raise DataError(message)
        left = 1.0 - float(np.mean(judged))
    if not left > 0.0 or not validation < left:
        message = (
            f"{title}: a test fraction of {1.0 - left:.3g} and a validation fraction of {validation:.3g} "
            "leave no training samples."
        )
        raise ParameterError(message)


def _check_part(title: str, part: str, size: int, share: float, y: LabelArray) -> None:
    """Raise ParameterError unless a share of `size` samples and the rest have room for every class."""
    held, classes = int(np.ceil(share * size)), int(np.unique(y).size)
    if min(held, size - held) < classes:
        message = (
            f"{title}: a {part} fraction of {share:.3g} splits {size} samples into {held} and {size - held}: "
            f"too few for {classes} classes in both."
        )
        raise ParameterError(message)
    smallest = int(np.bincount(y).min(initial=size, where=np.bincount(y) > 0))
    if smallest < 2:
        message = f"{title} has a class with 1 sample outside the test samples: too few for a {part} part."
        raise DataError(message)

"""Data of the user: arrays, .npz and .csv files, idx files, and a folder of PNG files for each class."""

from __future__ import annotations

import csv
import os
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bounds import check_number
from photosim.errors import DataError, did_you_mean, listing
from photosim.training.data.checks import check_inputs, check_known, check_unmasked
from photosim.training.data.datasets import SPLIT_SEED, TEST, VALIDATION, Dataset, Samples
from photosim.training.data.files import IMAGES, LABELS, damaged_npz, read_idx, read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".npz", ".csv")
"""Files of samples; anything else is a folder."""
MOST_IMAGES = 1_000_000
"""Pictures of a folder; a wrong folder otherwise."""


def from_arrays(
    x: Any,
    y: Any,
    x_test: Any = None,
    y_test: Any = None,
    *,
    name: str = "data",
    test: float = TEST,
    validation_fraction: float = VALIDATION,
    standardise: bool = True,
) -> Dataset:
    """Return arrays as a Dataset; see `Dataset.from_arrays`.

    test: fraction of the samples for the test, if there is no x_test.  validation_fraction: fraction for the
    validation. The split is always the same.  standardise: subtract the mean of the training samples and
    divide by their standard deviation; bytes have one mean and deviation for all features, other features and
    the targets of regression have their own. Raises DataError for arrays that do not fit together.
    """
    title = f"Data set {name!r}"
    check_unmasked(title, x=x, y=y, x_test=x_test, y_test=y_test)
    inputs, wanted = _samples(title, x, y)
    check_number(title, 0.0, 0.9, test=test, validation_fraction=validation_fraction)
    if (x_test is None) != (y_test is None):
        message = f"{title}: x_test and y_test come together, but one of them is missing."
        raise DataError(message)
    labels = None
    if wanted.ndim == 1 and wanted.dtype.kind in "biuUS":
        labels, codes = np.unique(wanted, return_inverse=True)
        wanted = codes.astype(np.int64)
    else:
        wanted = wanted.astype(np.float64).reshape(len(wanted), -1)
    rng = np.random.default_rng(SPLIT_SEED)
    fit = rng.permutation(len(inputs))
    if x_test is None:
        held, fit = _part(fit, test, wanted)
        judged = inputs[held], wanted[held]
    else:
        other, own = _samples(f"{title}, test samples", x_test, y_test, inputs.shape[1])
        judged = other, _like(title, own, labels, wanted)
    chosen, fit = _part(fit, validation_fraction * len(inputs) / len(fit), wanted)
    if labels is not None:
        check_known(f"{title}, test samples", judged[1], wanted[fit])
    parts = [(inputs[fit], wanted[fit]), (inputs[chosen], wanted[chosen]), judged]
    if standardise:
        parts = _standardised(parts, regression=labels is None)
    train, validation, judge = (Samples(np.ascontiguousarray(a), b) for a, b in parts)
    return Dataset(name, train, validation, judge, labels.size if labels is not None else wanted.shape[1])


def read_data(
    path: str | os.PathLike[str],
    *,
    target: str | None = None,
    validation_fraction: float = VALIDATION,
    standardise: bool = True,
) -> Dataset:
    """Return the samples of a file or folder as a Dataset, split and standardised.

    .npz: arrays `x`, `y` and, if test samples are given, `x_test`, `y_test`.  .csv: a header, then numbers;
    the last column is the target unless `target` names it.  A folder: idx files (`train-images-...`,
    `train-labels-...`, `t10k-...` if there are test samples), or one folder of PNG files for each class.
    Whole numbers and texts as targets are classes, other numbers are regression. Raises DataError for
    anything else, with the file and what is wrong in it.
    """
    file = Path(path).expanduser()
    options: dict[str, Any] = {
        "name": file.stem, "validation_fraction": validation_fraction, "standardise": standardise,
    }  # fmt: skip
    if target is not None and file.suffix != ".csv":
        message = f"target names a column of a .csv file, but the data are {file}."
        raise DataError(message)
    if file.is_dir():
        x, y, *held = _idx(file) if any(file.glob("train-images*")) else _pictures(file)
        return from_arrays(x, y, *held, **options)
    if not file.is_file():
        near = [own.name for own in file.parent.iterdir()] if file.parent.is_dir() else []
        message = f"There is no file or folder {file}.{did_you_mean(file.name, near)}"
        raise DataError(message)
    if file.suffix == ".npz":
        return from_arrays(*_npz(file), **options)
    if file.suffix == ".csv":
        return from_arrays(*_csv(file, target), **options)
    message = f"{file} is not data: {listing(SUFFIXES)} and folders are read."
    raise DataError(message)


def _samples(title: str, x: Any, y: Any, features: int | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return inputs (samples, features) and targets, checked; features: their number, None for any."""
    inputs, wanted = np.asarray(x), np.asarray(y)
    if wanted.dtype.kind == "O":
        wanted = np.array([str(own) for own in wanted.tolist()]) if _texts(wanted) else wanted
    if inputs.ndim > 2:
        inputs = inputs.reshape(len(inputs), -1)
    check_inputs(title, inputs, len(wanted) if wanted.ndim else 0)
    if inputs.dtype.kind == "c":
        message = f"{title}: inputs are complex: give real and imaginary parts as separate features."
        raise DataError(message)
    if features not in (None, inputs.shape[1]):
        message = f"{title}: there are {inputs.shape[1]} features, but the training samples have {features}."
        raise DataError(message)
    if not len(inputs) or wanted.ndim not in (1, 2) or wanted.dtype.kind not in "biufUS":
        found = f"{wanted.dtype} of shape {wanted.shape}"
        message = f"{title}: y must be labels or numbers, one row a sample, got {found}."
        raise DataError(message)
    if wanted.dtype.kind == "f" and not np.isfinite(wanted).all():
        row = int(np.argwhere(~np.isfinite(wanted))[0, 0])
        message = f"{title}: every target must be finite, but that of row {row} is {wanted[row]}."
        raise DataError(message)
    return inputs, wanted


def _texts(wanted: NDArray[Any]) -> bool:
    return wanted.ndim == 1 and all(isinstance(own, str) for own in wanted.tolist())


def _like(title: str, own: NDArray[Any], labels: Any, wanted: NDArray[Any]) -> NDArray[Any]:
    """Return test targets in the form of the others."""
    if labels is None:
        found = own.astype(np.float64).reshape(len(own), -1) if own.dtype.kind in "biuf" else own
        if found.dtype.kind != "f" or found.shape[1] != wanted.shape[1]:
            message = f"{title}: y_test must be numbers as y, {wanted.shape[1]} a sample."
            raise DataError(message)
        return found
    check_known(f"{title}, test samples", own, labels)
    return np.searchsorted(labels, own).astype(np.int64)


def _part(rows: NDArray[Any], share: float, wanted: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a share of the rows and the others; of classes the same share of each, as near as can be."""
    count = round(share * len(rows))
    if not count:
        return rows[:0], rows
    if wanted.dtype.kind == "f":
        return rows[:count], rows[count:]
    # In turn by their place within their class, so that each class gives its share.
    codes = wanted[rows]
    place = np.empty(len(rows))
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        place[own] = (np.arange(own.size) + 0.5) / own.size
    order = np.argsort(place, kind="stable")
    return rows[np.sort(order[:count])], rows[np.sort(order[count:])]


def _standardised(parts: list[Any], *, regression: bool) -> list[Any]:
    """Return parts in units of the training samples' deviation: one for bytes, else one a feature."""
    learnt, targets = parts[0]
    axis = None if learnt.dtype == np.uint8 else 0
    dtype = np.result_type(learnt.dtype, np.float32)
    center, width = learnt.mean(axis=axis, dtype=dtype), learnt.std(axis=axis, dtype=dtype)
    width = np.where(width > 0.0, width, 1.0).astype(dtype)
    mean, spread = (targets.mean(axis=0), targets.std(axis=0)) if regression else (0, 1)
    spread = np.where(spread > 0.0, spread, 1.0) if regression else spread
    return [((a - center) / width, (b - mean) / spread if regression else b) for a, b in parts]


def _npz(path: Path) -> list[Any]:
    """Return x, y and, if they are there, x_test, y_test."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = [name for name in ("x", "y", "x_test", "y_test") if name in arrays.files]
            found = {name: np.asarray(arrays[name]) for name in names}
            known = list(arrays.files)
    except (OSError, EOFError, ValueError, TypeError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(damaged_npz(path, error)) from error
    for name in ("x", "y"):
        if name not in found:
            message = f"{path} lacks the array {name!r}: it has {listing(known) or 'none'}."
            raise DataError(message)
    if ("x_test" in found) != ("y_test" in found):
        message = f"{path} has one of x_test and y_test: they come together."
        raise DataError(message)
    return list(found.values())


def _csv(path: Path, target: str | None) -> tuple[Any, Any]:
    """Return inputs and the target column of a table with a header."""
    rows = [row for row in csv.reader(read_text(path).splitlines()) if row]
    if len(rows) < 2:
        message = f"{path} has no samples: a header and at least a line of numbers are expected."
        raise DataError(message)
    header = [name.strip() for name in rows[0]]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None or all(_is_number(name) for name in header):
        what = (
            f"names the column {twice!r} twice"
            if twice is not None
            else f"holds numbers, {rows[0][0]!r} first"
        )
        message = f"{path}: the first line must be a header with a name for each column, but it {what}."
        raise DataError(message)
    name = header[-1] if target is None else target
    if header.count(name) != 1:
        hint = did_you_mean(name, header)
        message = f"{path} has no column {name!r}. It has: {listing(header)}.{hint}"
        raise DataError(message)
    place = header.index(name)
    x, y = [], []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            message = f"{path}: row {line} has {len(row)} columns, but the header has {len(header)}."
            raise DataError(message)
        x.append([_number(path, line, header[k], cell) for k, cell in enumerate(row) if k != place])
        y.append(row[place].strip())
    if not x[0]:
        message = f"{path} has one column only: inputs and a target are expected."
        raise DataError(message)
    return np.array(x), _targets(path, name, y)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        message = f"{path}: row {line}, column {column!r} must be a finite number, got {cell!r}."
        raise DataError(message)
    return value


def _targets(path: Path, name: str, cells: list[str]) -> NDArray[Any]:
    """Return whole numbers and texts as classes, other numbers as they are."""
    try:
        return np.array([int(cell) for cell in cells])
    except ValueError:
        pass
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError:
        empty = [k for k, cell in enumerate(cells) if not cell]
        if empty:
            message = f"{path}: row {empty[0] + 2}, column {name!r}: the target is empty."
            raise DataError(message) from None
        return np.array(cells)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0]) + 2
        message = f"{path}: row {row}, column {name!r}: the target must be finite."
        raise DataError(message)
    return numbers


def _idx(folder: Path) -> list[Any]:
    """Return the images and labels of idx files, and those to test with if there are some."""
    found: list[Any] = []
    for part in ("train", "t10k"):
        images, labels = (_written(folder / f"{part}-{kind}") for kind in (IMAGES, LABELS))
        if part == "t10k" and not images.exists():
            break
        for path in (images, labels):
            if not path.is_file():
                message = f"There is no file {path}: images and labels come together."
                raise DataError(message)
        found += [read_idx(images, 3), read_idx(labels, 1).astype(np.int64)]
    return found


def _written(path: Path) -> Path:
    """Return an idx file as it is there: packed by gzip or not, a dot in its name or not."""
    plain = path.with_suffix("")
    dotted = plain.with_name(plain.name.replace("-idx", ".idx"))
    return next((own for own in (path, plain, dotted) if own.is_file()), path)


def _pictures(folder: Path) -> tuple[Any, Any]:
    """Return the pixels of one folder of PNG files a class, grey (or channel by channel), and their names."""
    from matplotlib.image import imread

    classes = sorted(own for own in folder.iterdir() if own.is_dir() and not own.name.startswith("."))
    files = [(path, own.name) for own in classes for path in sorted(own.glob("*.png"))]
    if len(classes) < 2 or not files:
        message = f"{folder} holds neither idx files nor two folders or more of PNG files, one a class."
        raise DataError(message)
    if len(files) > MOST_IMAGES:
        message = f"{folder} holds {len(files):,} pictures; more than {MOST_IMAGES:,} are not read."
        raise DataError(message)
    pixels: list[Any] = []
    for path, _ in files:
        try:
            picture = np.asarray(imread(path))
        except (OSError, ValueError, SyntaxError) as error:
            message = f"{path} is damaged or not a PNG file: {error}."
            raise DataError(message) from error
        grey = picture if picture.ndim == 2 else np.moveaxis(picture[..., :3], -1, 0)
        pixels.append(np.rint(255.0 * grey).astype(np.uint8))
        if pixels[-1].shape != pixels[0].shape:
            message = f"{path} has shape {picture.shape}, but {files[0][0]} another: make them equal."
            raise DataError(message)
    return np.stack(pixels), np.array([name for _, name in files])

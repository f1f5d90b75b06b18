"""Data sets that are not a table of separate samples: citation graphs and texts."""

from __future__ import annotations

import os
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from photosim.bounds import check_number, check_whole
from photosim.errors import DataError, PhotosimWarning
from photosim.smatrix import ByValue
from photosim.training.arrays import FloatArray, LabelArray
from photosim.training.data.checks import check_inputs, check_known
from photosim.training.data.files import CORA, data_folder, existing, read_npz, read_text

MOST_CLASSES = 10**6
"""Largest class number of a graph: a damaged file otherwise."""
MOST_FEATURES = 2 * 10**9
"""Largest number of features of all nodes together: 16 GB as numbers."""
ARRAYS = ("feature_row", "feature_col", "n_features", "labels", "edges", "train", "val", "test")


@dataclass(frozen=True, eq=False)
class GraphData(ByValue):
    """A graph: nodes with features (nodes, features) and labels (nodes,), and undirected edges (edges, 2).

    train, validation, test: numbers of the nodes of each part; a node is in one part at most.  labels: class
    numbers; -1 for a node outside of the parts without a known class. Raises DataError for inconsistent
    arrays, for features that are not finite, and for classes that do not occur among the training nodes.
    """

    name: str
    features: FloatArray
    labels: LabelArray
    edges: LabelArray
    train: LabelArray
    validation: LabelArray
    test: LabelArray

    def __post_init__(self) -> None:
        """Raise DataError for what a graph cannot be."""
        nodes = len(self.labels)
        title = f"Graph {self.name!r}"
        check_inputs(title, self.features, nodes)
        _check_numbers(title, "labels", self.labels, -1, MOST_CLASSES, 1)
        _check_numbers(title, "edges", self.edges, 0, nodes, 2)
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        for part, own in parts.items():
            _check_numbers(title, part, own, 0, nodes, 1)
        together = np.concatenate(list(parts.values()))
        if np.unique(together).size != together.size:
            message = f"{title}: a node is in two parts of the split, or twice in one."
            raise DataError(message)
        if not self.train.size or (self.labels[together] < 0).any():
            message = f"{title}: there must be nodes to learn from, and each node of a part needs a label."
            raise DataError(message)
        for part in ("validation", "test"):
            check_known(f"{title}, {part} nodes", self.labels[parts[part]], self.labels[self.train])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.labels.max()) + 1


@dataclass(frozen=True, eq=False)
class TextData(ByValue):
    """A text as numbers of characters, with a first part for training and a last part for the test.

    alphabet: the characters that occur, sorted.  train, test: number of each character in the alphabet,
    shape (characters,).
    """

    name: str
    alphabet: str
    train: LabelArray
    test: LabelArray


def _check_numbers(title: str, name: str, values: LabelArray, low: int, high: int, axes: int) -> None:
    """Raise DataError unless values are whole numbers from low to below high, in so many columns."""
    shaped = np.ndim(values) == axes and (axes == 1 or values.shape[1] == axes)
    whole = np.asarray(values).dtype.kind in "iu"
    if not shaped or not whole or (values.size and not low <= values.min() <= values.max() < high):
        shape = "(n,)" if axes == 1 else f"(n, {axes})"
        message = (
            f"{title}: {name} must be whole numbers of shape {shape} from {low} to {high - 1}, got "
            f"{np.asarray(values).dtype} of shape {np.shape(values)}"
        )
        span = f", from {values.min()} to {values.max()}" if whole and np.size(values) else ""
        raise DataError(f"{message}{span}.")


def cora(data_dir: str | os.PathLike[str] | None = None) -> GraphData:
    """Return the Cora citation graph in the public split of yang2016, from `cora.npz` of the data folder.

    2708 papers, 1433 words (1 if a paper has the word), 7 subjects; 140, 500 and 1000 papers for training,
    validation and test. Raises DataError if the file is missing, damaged or inconsistent.
    """
    return read_graph(existing(data_folder("Cora", data_dir), CORA, "the citation graph as arrays"))


def read_graph(path: str | os.PathLike[str]) -> GraphData:
    """Return the graph of an .npz file, called as the file without its suffix.

    Arrays of whole numbers: `feature_row` and `feature_col` (ones,), the places of the ones in a matrix
    (nodes, n_features) of zeros; `n_features`, a number; `labels` (nodes,); `edges` (edges, 2), each pair
    once; `train`, `val`, `test`, numbers of the nodes for training, validation and test. Raises DataError if
    the file is damaged or inconsistent, or lacks an array.
    """
    path = Path(path).expanduser()
    arrays = read_npz(path, ARRAYS)
    for name in ARRAYS:
        if not np.issubdtype(arrays[name].dtype, np.integer):
            message = f"{path}: array {name!r} must hold whole numbers, found {arrays[name].dtype}."
            raise DataError(message)
    row, column, size, labels, edges, *parts = (arrays[name].astype(np.int64) for name in ARRAYS)
    if labels.ndim != 1 or row.ndim != 1 or row.shape != column.shape or edges.ndim != 2 or size.size != 1:
        message = (
            f"{path}: labels, feature_row and feature_col must have one axis, the latter two alike, edges "
            f"two, n_features none; got shapes {labels.shape}, {row.shape}, {column.shape}, {edges.shape}, "
            f"{size.shape}."
        )
        raise DataError(message)
    nodes, words = labels.size, int(size.ravel()[0])
    for name, values, bound in (
        ("feature_row", row, nodes), ("feature_col", column, words), ("edges", edges, nodes),
        *((name, part, nodes) for name, part in zip(ARRAYS[5:], parts, strict=True)),
    ):  # fmt: skip
        if not values.size or values.min() < 0 or values.max() >= bound:
            span = f"from {values.min()} to {values.max()}" if values.size else "nothing"
            message = f"{path}: array {name!r} must hold numbers from 0 to {bound - 1}, found {span}."
            raise DataError(message)
    if nodes * words > MOST_FEATURES:
        message = f"{path}: {nodes:,} nodes of {words:,} features are more than {MOST_FEATURES:,} numbers."
        raise DataError(message)
    features = np.zeros((nodes, words))
    features[row, column] = 1.0
    try:
        return GraphData(path.stem, features, labels, edges, *parts)
    except DataError as error:
        message = f"{path}: {str(error)[0].lower()}{str(error)[1:]}"
        raise DataError(message) from None


def is_graph(path: Path) -> bool:
    """Return whether a file is an .npz archive with the arrays of a graph."""
    if path.suffix != ".npz" or not path.is_file():
        return False
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return "edges" in arrays.files and "x" not in arrays.files
    except (OSError, EOFError, ValueError, TypeError, zlib.error, zipfile.BadZipFile):
        return False


def digit_graph(neighbours: int = 6, *, labelled: int = 20) -> GraphData:
    """Return the handwritten digits of alpaydin1998 as a graph with edges between nearest neighbours.

    neighbours: number of nearest neighbours of each digit.  labelled: digits of each class for training; 500
    digits are for validation and the rest for the test, always the same. Features are pixels. No file is
    needed. Raises ParameterError for numbers that leave no digit for the test.
    """
    check_whole("digit_graph", 1, 100, neighbours=neighbours, labelled=labelled)
    from sklearn.datasets import load_digits
    from sklearn.neighbors import kneighbors_graph

    pixels, labels = load_digits(return_X_y=True)
    near = kneighbors_graph(pixels, neighbours).tocoo()
    edges = np.column_stack([near.row, near.col]).astype(np.int64)
    order = np.random.default_rng(0).permutation(labels.size)
    train = np.concatenate([order[labels[order] == k][:labelled] for k in range(10)])
    rest = order[~np.isin(order, train)]
    return GraphData("digits", pixels, labels.astype(np.int64), edges, train, rest[:500], rest[500:])


def text(
    name: str = "tinyshakespeare", data_dir: str | os.PathLike[str] | None = None, *, test: float = 0.1
) -> TextData:
    """Return the text `<name>.txt` of the data folder; the last fraction `test` of it is for the test.

    Raises DataError if the file is missing, is not UTF-8, or is too short for two parts. Characters that
    occur only in the last part cannot be learnt, and give a PhotosimWarning.
    """
    check_number("text", 0.0, 1.0, test=test)
    path = existing(data_folder(f"The text {name!r}", data_dir), f"{name}.txt", "a text in UTF-8")
    characters = np.array(list(read_text(path)))
    cut = round(characters.size * (1.0 - test))
    if not 0 < cut < characters.size:
        message = f"{path} has {characters.size} characters: too few for a test fraction of {test:g}."
        raise DataError(message)
    alphabet, codes = np.unique(characters, return_inverse=True)
    codes = codes.astype(np.int64)
    unknown = [str(alphabet[k]) for k in np.setdiff1d(codes[cut:], codes[:cut])]
    if unknown:
        message = (
            f"{path}: {len(unknown)} characters occur only in what is held back, such as {unknown[0]!r}."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=2)
    return TextData(name, "".join(alphabet), codes[:cut], codes[cut:])

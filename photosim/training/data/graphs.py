"""Data sets that are not a table of separate samples: citation graphs and texts."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from photosim.errors import DataError
from photosim.training.arrays import FloatArray, LabelArray
from photosim.training.data.files import CORA, data_folder, existing, read_npz, read_text

ARRAYS = ("feature_row", "feature_col", "n_features", "labels", "edges", "train", "val", "test")


@dataclass(frozen=True)
class GraphData:
    """Nodes with features (nodes, features) and labels (nodes,), joined by undirected edges (edges, 2).

    train, validation, test: numbers of the nodes of each part; no node is in two.
    """

    name: str
    features: FloatArray
    labels: LabelArray
    edges: LabelArray
    train: LabelArray
    validation: LabelArray
    test: LabelArray

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.labels.max()) + 1


@dataclass(frozen=True)
class TextData:
    """A text as codes into its alphabet, cut into a beginning to learn from and an end to judge by.

    alphabet: the characters that occur, sorted.  train, test: codes, one a character.
    """

    name: str
    alphabet: str
    train: LabelArray
    test: LabelArray


def cora(data_dir: str | os.PathLike[str] | None = None) -> GraphData:
    """Return the Cora citation graph in the public split of yang2016, from `cora.npz` of the data folder.

    2708 papers, 1433 words (1 where a paper has the word), 7 subjects; 140, 500 and 1000 papers to learn
    from, to choose by and to judge by. Raises DataError if the file is missing, damaged or contradicts
    itself.
    """
    path = existing(data_folder("Cora", data_dir), CORA, "the citation graph as arrays")
    arrays = read_npz(path, ARRAYS)
    for name in ARRAYS:
        if not np.issubdtype(arrays[name].dtype, np.integer):
            message = f"{path}: array {name!r} must hold whole numbers, found {arrays[name].dtype}."
            raise DataError(message)
    row, column, size, labels, edges, *parts = (arrays[name].astype(np.int64) for name in ARRAYS)
    sane = (
        labels.ndim == row.ndim == 1 and row.shape == column.shape and edges.ndim == 2 and edges.shape[1] == 2
    )
    nodes, words = labels.size, int(size) if size.ndim == 0 else 0
    inside = sane and all(
        values.size > 0 and values.min() >= 0 and values.max() < bound
        for values, bound in ((row, nodes), (column, words), (edges, nodes), (labels, nodes))
    )
    split = np.concatenate([part.ravel() for part in parts])
    apart = np.unique(split).size == split.size and split.size > 0
    if not (inside and apart and split.min() >= 0 and split.max() < nodes):
        message = (
            f"{path} contradicts itself: nodes or words out of range, arrays of wrong shape, "
            "or a node in two parts of the split."
        )
        raise DataError(message)
    features = np.zeros((nodes, words))
    features[row, column] = 1.0
    return GraphData("cora", features, labels, edges, parts[0], parts[1], parts[2])


def digit_graph(neighbours: int = 6, *, labelled: int = 20) -> GraphData:
    """Return the handwritten digits of alpaydin1998 as a graph: each joined to its nearest others.

    Features are pixels. `labelled` digits of each class to learn from, 500 to choose by, the rest to judge
    by, drawn once and for all. Needs no file.
    """
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
    """Return the text `<name>.txt` of the data folder; its last share `test` is held back.

    Raises DataError if the file is missing, no UTF-8, or too short to give both parts a character.
    """
    path = existing(data_folder(f"The text {name!r}", data_dir), f"{name}.txt", "a text in UTF-8")
    characters = np.array(list(read_text(path)))
    cut = round(characters.size * (1.0 - test))
    if not 0 < cut < characters.size:
        message = f"{path} has {characters.size} characters: too few to hold back a share of {test:g}."
        raise DataError(message)
    alphabet, codes = np.unique(characters, return_inverse=True)
    codes = codes.astype(np.int64)
    return TextData(name, "".join(alphabet), codes[:cut], codes[cut:])

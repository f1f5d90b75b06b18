"""Data of published systems: sets by name, and a user's own by the name of a file or folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from photosim.errors import DataError, did_you_mean, listing
from photosim.systems.harness.system import Options
from photosim.training.arrays import FloatArray
from photosim.training.data.datasets import DATASETS, Dataset, Samples, load
from photosim.training.data.files import VARIABLE, content, read_npz, read_table_with_header
from photosim.training.data.graphs import GraphData, TextData, cora, digit_graph, is_graph, read_graph, text
from photosim.training.data.own import read_data
from photosim.training.data.texts import manual

Kind = Literal["samples", "graph", "text", "series"]
"""What a system can read of a user's own: samples with classes, a graph, a text, a series of numbers."""
FORMS: dict[Kind, tuple[str, ...]] = {
    "samples": (".npz", ".csv", ""),
    "graph": (".npz",),
    "text": (".txt",),
    "series": (".npz", ".csv"),
}
"""Suffixes of the files of each kind; the empty one is a folder of idx files or of PNG files by class."""
SIZES = {"mnist": (784, 10), "fashion-mnist": (784, 10), "digits": (64, 10)}
"""Features and classes of the sets that are known by name."""
_GRAPHS = ("cora", "digits")


def places(name: str, data_dir: Path | None, kinds: Sequence[Kind]) -> list[Path]:
    """Return where data called `name` may lie: itself if it is a path, else by each suffix in the folder."""
    suffixes = list(dict.fromkeys(suffix for kind in kinds for suffix in FORMS[kind]))
    if "/" in name or os.sep in name or (Path(name).suffix and Path(name).suffix in suffixes):
        own = Path(name).expanduser()
        folder = data_dir or os.environ.get(VARIABLE)
        return [own] if own.exists() or not folder or own.is_absolute() else [own, Path(folder) / own]
    folder = data_dir or os.environ.get(VARIABLE)
    return [Path(folder).expanduser() / f"{name}{suffix}" for suffix in suffixes] if folder else []


def found(name: str, data_dir: Path | None, kinds: Sequence[Kind]) -> tuple[Kind, Path]:
    """Return the kind and place of a user's own data; DataError lists the places that were searched."""
    where = places(name, data_dir, kinds)
    for place in where:
        kind = _kind(place, kinds)
        if kind is not None:
            return kind, place
    said = listing([str(place) for place in where]) if where else f"no data folder ({VARIABLE} is not set)"
    near = [own.stem for own in where[0].parent.iterdir()] if where and where[0].parent.is_dir() else []
    message = f"There are no data {name!r}: photosim looked in {said}.{did_you_mean(name, near)}"
    raise DataError(message)


def _kind(place: Path, kinds: Sequence[Kind]) -> Kind | None:
    """Return what a file or folder holds, of the kinds that are wanted; None where it holds none."""
    if place.is_dir():
        return "samples" if "samples" in kinds else None
    if not place.is_file():
        return None
    if "graph" in kinds and (is_graph(place) or (place.suffix == ".npz" and "samples" not in kinds)):
        return "graph"
    fitting = (kind for kind in get_args(Kind) if kind in kinds and place.suffix in FORMS[kind])
    return next(fitting, None)


def fingerprint_of(options: Options, kinds: Sequence[Kind]) -> str:
    """Return a hash of the files of the data that the options name; that of nothing where there are none."""
    if not options.own:
        return content(options.data, options.data_dir)
    place = found(options.data, options.data_dir, kinds)[1]
    digest = hashlib.blake2b(digest_size=16)
    files = sorted(own for own in place.rglob("*") if own.is_file()) if place.is_dir() else [place]
    for file in files:
        digest.update(str(file.relative_to(place.parent)).encode())
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


@lru_cache(maxsize=2)
def _samples(name: str, data_dir: Path | None) -> Dataset:
    """Return samples with classes, without a validation part, standardised by one mean and deviation."""
    if name in DATASETS:
        return load(name, validation_fraction=0.0, data_dir=data_dir)
    place = found(name, data_dir, ["samples"])[1]
    data = read_data(place, validation_fraction=0.0, standardise=False)
    if data.regression:
        message = f"{place} has numbers as targets: published systems classify."
        raise DataError(message)
    x = data.train.x
    dtype = np.result_type(x.dtype, np.float32)
    center, width = x.mean(dtype=dtype), x.std(dtype=dtype)
    if not width > 0.0:
        message = f"{place} has inputs that never change: there is nothing to learn from."
        raise DataError(message)
    parts = [Samples((part.x - center) / width, part.y) for part in (data.train, data.validation, data.test)]
    return replace(data, train=parts[0], validation=parts[1], test=parts[2])


def samples(options: Options) -> Dataset:
    """Return the samples that the options name, all training samples to learn from."""
    return _samples(options.data, options.data_dir)


def sizes(options: Options) -> tuple[int, int]:
    """Return the numbers of features and classes of the samples that the options name."""
    if options.data in SIZES and not options.own:
        return SIZES[options.data]
    data = samples(options)
    return data.features, data.classes


def is_graph_set(options: Options) -> bool:
    """Return whether the options name a graph: Cora, or a file of one's own."""
    if not options.own:
        return options.data == "cora"
    return found(options.data, options.data_dir, ["samples", "graph"])[0] == "graph"


def graph(options: Options) -> GraphData:
    """Return the graph that the options name."""
    if options.own:
        return read_graph(found(options.data, options.data_dir, ["graph"])[1])
    return cora(options.data_dir) if options.data == "cora" else digit_graph()


def text_of(options: Options) -> TextData:
    """Return the text that the options name."""
    if options.own:
        place = found(options.data, options.data_dir, ["text"])[1]
        return text(place.stem, place.parent)
    return manual() if options.data == "manual" else text(options.data, options.data_dir)


def series(options: Options) -> FloatArray:
    """Return the user's own series (samples, variables): the array `series` of an .npz file, or a table."""
    place = found(options.data, options.data_dir, ["series"])[1]
    if place.suffix == ".csv":
        own = read_table_with_header(place)
    else:
        own = np.asarray(read_npz(place, ("series",))["series"])
    own = own[:, np.newaxis] if own.ndim == 1 else own
    if own.ndim != 2 or own.dtype.kind not in "iuf" or not own.size or not np.isfinite(own).all():
        message = f"{place} must hold finite numbers of shape (samples, variables), got {own.shape}."
        raise DataError(message)
    flat = np.flatnonzero(np.ptp(own, axis=0) == 0.0)
    if flat.size:
        message = f"{place}: column {int(flat[0])} of the series never changes."
        raise DataError(message)
    return own.astype(np.float64)

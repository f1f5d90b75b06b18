"""Readers of data files: each gives arrays, or a DataError of one sentence.

Data folders are laid out by data set: `mnist/*.gz` and `fashion-mnist/*.gz` (idx files), `cora.npz`,
`vowel-context.data`, and text files.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photosim.errors import DataError
from photosim.training.arrays import FloatArray

VARIABLE = "PHOTOSIM_DATA"
"""Environment variable that names the data folder."""
IDX_TYPE = 8
"""The only type of idx files that are read: unsigned bytes."""
MAX_ENTRIES = 10**9
"""Entries of an idx file; MNIST's training images have 47 million."""
MAX_TEXT = 10**9
"""Bytes of a text or table."""

IMAGES, LABELS = "images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"
VOWELS, CORA = "vowel-context.data", "cora.npz"
_IDX = tuple(f"{part}-{kind}" for part in ("train", "t10k") for kind in (IMAGES, LABELS))
FILES = {
    "mnist": tuple(f"mnist/{name}" for name in _IDX),
    "fashion-mnist": tuple(f"fashion-mnist/{name}" for name in _IDX),
    "vowels": (VOWELS,),
    "cora": (CORA,),
    "tinyshakespeare": ("tinyshakespeare.txt",),
}
"""Files of each data set below the data folder."""

ByteArray = NDArray[np.uint8]


def content(name: str, data_dir: str | os.PathLike[str] | None) -> str:
    """Return a hash of the files of a data set; that of nothing where there are no files."""
    digest = hashlib.blake2b(digest_size=16)
    chosen = data_dir if data_dir is not None else os.environ.get(VARIABLE)
    for file in FILES.get(name, ()):
        path = Path(chosen or ".").expanduser() / file
        if chosen and path.is_file():
            with path.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def data_folder(needed: str, data_dir: str | os.PathLike[str] | None) -> Path:
    """Return the data folder: `data_dir`, else PHOTOSIM_DATA; DataError if there is neither.

    needed: name of the data, for the message.
    """
    chosen = data_dir if data_dir is not None else os.environ.get(VARIABLE)
    if not chosen:
        message = f"{needed} is read from a data folder: give one as data_dir, or set {VARIABLE} to it."
        raise DataError(message)
    return Path(chosen).expanduser()


def existing(folder: Path, name: str, what: str) -> Path:
    """Return folder / name; DataError says that `what` was expected there if no such file exists."""
    path = folder / name
    if not path.is_file():
        message = f"There is no file {path}: {what} is expected there."
        raise DataError(message)
    return path


def read_idx(path: Path, axes: int) -> ByteArray:
    """Return the unsigned bytes of an idx file, packed if it ends in .gz, one array axis for each axis.

    The form: two zero bytes, the type, the number of axes, each axis's size as a big-endian 32-bit integer,
    then the entries. No more is unpacked than the sizes announce.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            shape = _idx_shape(path, file.read(4 + 4 * axes), axes)
            entries = math.prod(shape)
            content = file.read(entries + 1)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path} is damaged or not a gzip file: {error}."
        raise DataError(message) from error
    if len(content) != entries:
        found = "more" if len(content) > entries else f"{len(content):,}"
        message = f"{path} is damaged: its header announces {entries:,} bytes of data, but it holds {found}."
        raise DataError(message)
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _idx_shape(path: Path, header: bytes, axes: int) -> tuple[int, ...]:
    if len(header) < 4 + 4 * axes or header[:4] != bytes((0, 0, IDX_TYPE, axes)):
        message = (
            f"{path} is not an idx file of unsigned bytes with {axes} axes: "
            f"it begins with {header[:4].hex(' ')}."
        )
        raise DataError(message)
    shape = tuple(int(size) for size in np.frombuffer(header[4:], dtype=">u4"))
    if math.prod(shape) > MAX_ENTRIES:
        message = f"{path} announces {math.prod(shape):,} entries; more than {MAX_ENTRIES:,} are not read."
        raise DataError(message)
    return shape


def damaged_npz(path: Path, error: Exception) -> str:
    """Return what is wrong with a file that numpy could not read as arrays of numbers and text."""
    if path.is_file() and zipfile.is_zipfile(path):
        objects = "pickle" in str(error)
        why = "it holds Python objects, not numbers and text" if objects else str(error)
        return f"{path} is damaged: {why}."
    return f"{path} is damaged or not an .npz file."


def read_npz(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays called `names` of an .npz file; nothing in it is executed."""
    try:
        # Opened here: numpy leaves a file open that turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            missing = [name for name in names if name not in arrays]
            found = {} if missing else {name: np.asarray(arrays[name]) for name in names}
    except (OSError, EOFError, ValueError, TypeError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(damaged_npz(path, error)) from error
    if missing:
        message = f"{path} lacks the array {missing[0]!r}: it must hold {', '.join(names)}."
        raise DataError(message)
    return found


def read_table(path: Path, columns: int) -> FloatArray:
    """Return the numbers of a comma-separated file, shape (rows, columns); DataError names the bad line."""
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = [float(entry) for entry in line.split(",")]
        except ValueError as error:
            message = f"{path}:{number}: {error}."
            raise DataError(message) from error
        if len(row) != columns or not np.isfinite(row).all():
            message = f"{path}:{number}: {columns} finite numbers are expected in a line, found {line!r}."
            raise DataError(message)
        rows.append(row)
    if not rows:
        message = f"{path} is empty: lines of {columns} numbers are expected."
        raise DataError(message)
    return np.array(rows)


def read_table_with_header(path: Path) -> FloatArray:
    """Return the numbers of a comma-separated file below its header, shape (rows, columns)."""
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    columns = lines[0].count(",") + 1 if lines else 0
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            row = [float(entry) for entry in line.split(",")]
        except ValueError as error:
            message = f"{path}: row {number}: {error}."
            raise DataError(message) from error
        if len(row) != columns:
            message = f"{path}: row {number} has {len(row)} columns, but the header has {columns}."
            raise DataError(message)
        rows.append(row)
    if not rows:
        message = f"{path} has no numbers: a header and at least a row are expected."
        raise DataError(message)
    return np.array(rows)


def read_text(path: Path) -> str:
    """Return a text file in UTF-8."""
    try:
        if path.stat().st_size > MAX_TEXT:
            message = f"{path} has {path.stat().st_size:,} bytes; more than {MAX_TEXT:,} are not read."
            raise DataError(message)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} is not a text in UTF-8: byte {error.start} cannot be read."
        raise DataError(message) from error
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise DataError(message) from error

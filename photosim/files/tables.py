"""S-parameters of parts from files, and what their readers share: bounds, lines, and the two nouns.

An SMatrix is a result over wavelengths, a SampledData a table over rising frequencies; each becomes the
other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.errors import DataError
from photosim.model.sampled import SampledData
from photosim.units import frequency_Hz, wavelength

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from photosim.smatrix import SMatrix

MAX_BYTES = 256 * 2**20
"""Size of a file of S-parameters, in bytes."""
MAX_LINE = 100_000
"""Characters of a line."""


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file; DataError when it is missing, too large or not text."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            message = f"{path} has {size} bytes; a file of S-parameters may have at most {MAX_BYTES}."
            raise DataError(message)
        data = path.read_bytes()
        lines = decoded(data).splitlines()
    except OSError as error:
        message = f"{path} cannot be read: {(error.strerror or str(error)).lower()}."
        raise DataError(message) from None
    except UnicodeDecodeError as error:
        before = data.count(b"\n", 0, error.start)
        raise damaged(path, before + 1, f"the file is not text: byte {error.start} does not fit") from None
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            raise damaged(path, number, f"the line has {len(line)} characters; the bound is {MAX_LINE}")
    return lines


def decoded(data: bytes) -> str:
    """Return text in UTF-8, or in Latin-1 where it holds printable characters of that alone.

    Raises UnicodeDecodeError for anything else.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if any((byte < 0x20 and byte not in b"\t\n\r\f") or 0x7F <= byte < 0xA0 for byte in set(data)):
            raise
        return data.decode("latin-1")


def damaged(path: Path, line: int, what: str) -> DataError:
    """Return the error for a place in a file; lines count from 1."""
    return DataError(f"{path}:{line}: {what}.")


def numbers(path: Path, line: int, text: str) -> list[float]:
    """Return the finite numbers of a line, parted by spaces, tabs or commas."""
    found = []
    for word in text.replace(",", " ").split():
        try:
            value = float(word)
        except ValueError:
            raise damaged(path, line, f"{_clip(word)!r} is not a number") from None
        if not np.isfinite(value):
            raise damaged(path, line, f"{_clip(word)!r} is not finite")
        found.append(value)
    return found


def _clip(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def check_names(path: Path, ports: Sequence[str], back: Sequence[str]) -> None:
    """Raise DataError where reading a file would not bring its port names back, with the first of them."""
    for position, port in enumerate(ports):
        if position >= len(back) or port != back[position]:
            message = f"Cannot write {path}: its format does not bring the port name {port!r} back"
            raise DataError(message + ("." if path.suffix.lower() == ".npz" else "; write .npz."))


def as_text(ports: Sequence[str]) -> list[str]:
    """Return names as arrays of text keep them: without nulls at their ends."""
    return [str(port) for port in np.array([*ports], dtype=str)]


@public
def table_of(s: SMatrix, file: str = "") -> SampledData:
    """Return an S-matrix as a table of S-parameters over frequency.

    s: S-matrix (W, P, P).  file: name of the table in messages.

    Raises DataError if it has a batch of settings or two equal wavelengths.
    """
    if s.values.ndim != 3:
        message = (
            "A table of S-parameters holds one spectrum, but this result has setting axes of shape "
            f"{s.values.shape[:-3]}: write .npz or .nc instead."
        )
        raise DataError(message)
    order = np.argsort(s.wl)[::-1]
    return SampledData(frequency_Hz(s.wl)[order], s.values[order], tuple(s.ports), file=file)


@public
def smatrix_of(table: SampledData) -> SMatrix:
    """Return a table of S-parameters as an S-matrix, with rising wavelengths."""
    from photosim.smatrix import SMatrix

    return SMatrix(wavelength(table.frequency_Hz)[::-1], table.ports, table.s[::-1], table.file or "table")

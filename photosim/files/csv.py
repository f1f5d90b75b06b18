"""Spectra as comma-separated text: `wavelength_um`, then `<from>_<to>_re` and `_im` of every pair.

Where underscores in the names of ports leave open which pair is meant, it is `<from>-><to>_re`.
"""

from __future__ import annotations

import csv
import io
import warnings
from typing import TYPE_CHECKING, Protocol

import numpy as np

from photosim.errors import DataError, listing
from photosim.files import gplugins
from photosim.files.tables import check_names, damaged, read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from photosim.model.sampled import SampledData
    from photosim.smatrix import SMatrix, Trace

_AXES = 3  # wavelength, to, from
_PLAIN, _ARROW = "_", "->"


class Traces(Protocol):
    """What a table of spectra is made from: an SMatrix, or anything that gives traces by (from, to)."""

    @property
    def wl(self) -> NDArray[np.float64]:
        """Wavelengths in um, shape (W,)."""

    @property
    def values(self) -> NDArray[np.complex128]:
        """All values, shape (..., W, to, from)."""

    def __getitem__(self, pair: tuple[str, str]) -> Trace:
        """Return the trace from one port to another."""


def all_pairs(s: SMatrix) -> list[tuple[str, str]]:
    """Return every (from, to) of a matrix."""
    return [(a, b) for a in s.ports for b in s.ports]


def check(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """Raise DataError where the names of the columns would not bring the (from, to) pairs back."""
    back = _back(_names(pairs, path), path)
    for position, pair in enumerate(pairs):
        check_names(path, pair, back[position] if back else ())


def _names(pairs: Sequence[tuple[str, str]], path: Path) -> list[str]:
    """Return the names of the columns of (from, to) pairs: with an underscore where that can be read."""
    plain = [_PLAIN.join(pair) for pair in pairs]
    return plain if _back(plain, path) == [*pairs] else [_ARROW.join(pair) for pair in pairs]


def _back(names: Sequence[str], path: Path) -> list[tuple[str, str]]:
    """Return the (from, to) pairs as they are read from the names of columns; none if they cannot be."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(names)
    if len(line.getvalue().splitlines()) != 1 or len(set(names)) < len(names):
        return []
    try:
        read_back = next(csv.reader([line.getvalue()]))
        ports = _ports(read_back, path)
        return [_split(name, ports) for name in read_back]
    except (DataError, csv.Error):
        return []


def write(path: Path, s: Traces, pairs: Sequence[tuple[str, str]]) -> None:
    """Write the (from, to) pairs of `s` with every digit that a double has."""
    if s.values.ndim != _AXES:
        message = (
            "A .csv file holds one spectrum, but this result has setting axes of shape "
            f"{s.values.shape[:-_AXES]}: write .npz or .nc instead."
        )
        raise DataError(message)
    header = ["wavelength_um"]
    columns = [np.asarray(s.wl, dtype=np.float64)]
    for (start, end), name in zip(pairs, _names(pairs, path), strict=True):
        values = s[start, end].values
        header += [f"{name}_re", f"{name}_im"]
        columns += [values.real, values.imag]
    write_columns(path, header, columns)


def write_columns(path: Path, header: Sequence[str], columns: Sequence[NDArray[np.float64]]) -> None:
    """Write columns of equal length under their names; names with a comma are quoted."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(header)
        # Seventeen significant digits bring every double back bit for bit.
        np.savetxt(stream, np.column_stack(columns), fmt="%.17g", delimiter=",")


def read_columns(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return what `write_columns` wrote: the columns, each (N,), by their names.

    Raises DataError with the line of what is not a number, or where two columns have one name.
    """
    header, table = _header_and_rows(path)
    if len(set(header)) < len(header):
        raise damaged(path, 1, f"two of its columns have one name: {listing(header)}")
    _check_shape(path, header, table)
    return {name: table[:, k] for k, name in enumerate(header)}


def read(path: Path) -> SMatrix | SampledData:
    """Return the matrix stored by `write`, or the table of a file of gdsfactory's plug-ins.

    A pair that a file of ours leaves out is nan.

    Raises DataError when the header or a row is of another form.
    """
    from photosim.smatrix import SMatrix

    header, table = _columns(path)
    if gplugins.is_text(header):
        return gplugins.table_of_text(path, header, table)
    pairs = [name.removesuffix("_re") for name in header[1::2]]
    ports = _ports(pairs, path)
    values = np.full((len(table), len(ports), len(ports)), complex(np.nan, np.nan))
    for column, pair in enumerate(pairs):
        start, end = _split(pair, ports)
        real, imaginary = table[:, 1 + 2 * column], table[:, 2 + 2 * column]
        values[:, ports.index(end), ports.index(start)] = real + 1j * imaginary
    return SMatrix(table[:, 0], ports, values)


def _columns(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Return the header's names and the rows, shape (W, columns); DataError for those of another form."""
    header, table = _header_and_rows(path)
    if gplugins.is_text(header) and len(table) and table.shape[1] == len(header):
        return header, table
    expected = [name.removesuffix("_re") + part for name in header[1::2] for part in ("_re", "_im")]
    if header[0] != "wavelength_um" or header[1:] != expected or len(header) < _AXES:
        wanted = "expected wavelength_um, then <from>_<to>_re and <from>_<to>_im of every pair"
        raise damaged(path, 1, f"its columns are {listing(header)}; {wanted}")
    _check_shape(path, header, table)
    return header, table


def _header_and_rows(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            header = next(csv.reader([lines.readline()]), [""])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of an empty file, which is refused below
                return header, np.loadtxt(lines, delimiter=",", ndmin=2, dtype=np.float64)
    except (ValueError, csv.Error) as error:  # text that is not UTF-8 included
        _refuse_line(path)
        message = f"Cannot read {path} as a table of numbers: {error}"
        raise DataError(message) from error


def _check_shape(path: Path, header: list[str], table: NDArray[np.float64]) -> None:
    if not len(table) or table.shape[1] != len(header):
        found = f"the rows hold {table.shape[1]}" if len(table) else "there are no rows"
        raise damaged(path, 1, f"{len(header)} columns are named but {found}")


def _refuse_line(path: Path) -> None:
    """Raise DataError for the first row that is not all numbers, or not as long as the first one."""
    columns = 0
    for number, line in enumerate(read_lines(path), 1):
        words = line.partition("#")[0].split(",")
        if number == 1 or words == [""]:
            continue
        columns = columns or len(words)
        if len(words) != columns:
            raise damaged(path, number, f"this row has {len(words)} columns, the first has {columns}")
        for word in words:
            if not _is_number(word):
                raise damaged(path, number, f"{word[:40]!r} is not a number")


def _is_number(word: str) -> bool:
    """Whether numpy reads a word; Python alone would take 1_000 too."""
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def _ports(pairs: list[str], path: Path) -> tuple[str, ...]:
    """Return the port names that the pair names "<from>_<to>" are made of, in order of appearance.

    Port names may hold underscores themselves, so a cut is chosen that names the same ports on both
    sides; a file of a selection, where no such cut exists, is cut at the first underscore.
    """
    if _by_arrows(pairs):
        return tuple(dict.fromkeys(port for pair in pairs for port in pair.split(_ARROW)))
    halves = {pair: [(pair[:k], pair[k + 1 :]) for k, c in enumerate(pair) if c == "_"] for pair in pairs}
    if any(not cuts for cuts in halves.values()):
        raise damaged(path, 1, "a column is not named <from>_<to>")
    # A port reflects into itself: the diagonal pairs "<p>_<p>" of a whole matrix name every port.
    diagonal = [a for cuts in halves.values() for a, b in cuts if a == b]
    if len(diagonal) ** 2 == len(pairs):
        return tuple(diagonal)
    return tuple(dict.fromkeys(port for cuts in halves.values() for port in cuts[0]))


def _by_arrows(pairs: Sequence[str]) -> bool:
    """Return whether names of pairs are "<from>-><to>", one arrow in each."""
    return bool(pairs) and all(pair.count(_ARROW) == 1 and all(pair.split(_ARROW)) for pair in pairs)


def _split(pair: str, ports: tuple[str, ...]) -> tuple[str, str]:
    """Return the two known ports that "<from>_<to>" or "<from>-><to>" names."""
    for start in ports:
        for between in (_PLAIN, _ARROW):
            end = pair.removeprefix(start + between)
            if end != pair and end in ports:
                return start, end
    raise AssertionError(pair)  # _ports made the names from these very pairs

"""Tables of effective indices, and of S-parameters over a quantity such as a gap: .csv and .npz.

An index has columns `wl_um` (um) and `neff`. A family of S-parameters is a .csv with a column of the
quantity's name and a column `file`, each row a file of S-parameters from its folder on; or an archive with
`wl_um` (F,), `ports` (P,), `S` (G, F, P, P) as [to, from], and the values (G,) under the quantity's name.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np

from photosim.arguments import public
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import DataError, did_you_mean, listing
from photosim.files.tables import damaged, read_lines
from photosim.model.interpolation import Interpolant
from photosim.model.tabulated import IndexTable, SampledFamily

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.model.sampled import SampledData

MAX_FILES = 1000
"""Files of one family."""
MAX_UNPACKED = 8 * 2**30
"""Bytes of an archive, unpacked."""
_WL = ("wl_um", "wl", "wavelength_um", "wavelength")
_SUFFIXES = (".csv", ".npz")


@public
def read_index(path: str | Path) -> IndexTable:
    """Return a table of effective indices over wavelength from a file.

    path: of a .csv or .npz file of effective indices.

    Raises DataError if the file is missing or damaged.
    """
    source = _found(path)
    columns = _columns(source) if source.suffix.lower() == ".csv" else _arrays(source)
    wl = next((columns.pop(name) for name in _WL if name in columns), None)
    if wl is None or "neff" not in columns:
        lacks = "neff" if wl is not None else "wl_um"
        message = f"{source} has {listing(columns)} but not {lacks}.{did_you_mean(lacks, columns)}"
        raise DataError(message)
    try:
        wavelengths, neff = (np.array(values, dtype=np.float64) for values in (wl, columns["neff"]))
    except ValueError as error:
        message = f"{source} has an entry that is not a number: {error}."
        raise DataError(message) from None
    if wavelengths.ndim == 1 and wavelengths.size > 1 and wavelengths[0] > wavelengths[-1]:
        wavelengths, neff = wavelengths[::-1], neff[::-1]
    return IndexTable(wavelengths, neff, file=source.name)


@public
def read_family(path: str | Path) -> SampledFamily:
    """Return the S-parameters at several values of a quantity, such as a gap, from the file at `path`.

    Raises DataError if the file is missing or damaged.
    """
    source = _found(path)
    return _of_files(source) if source.suffix.lower() == ".csv" else _of_archive(source)


def _found(path: str | Path) -> Path:
    source = Path(path)
    if source.suffix.lower() not in _SUFFIXES:
        message = f"Cannot read {source}: known suffixes are {listing(_SUFFIXES)}."
        raise DataError(message)
    if not source.is_file():
        message = f"There is no file {source}."
        raise DataError(message)
    return source


def _columns(path: Path) -> dict[str, Any]:
    """Return the columns of a text with a header, as texts."""
    rows = [(n, row) for n, row in enumerate(csv.reader(read_lines(path)), 1) if row and row[0][:1] != "#"]
    if not rows:
        raise damaged(path, 1, "the file holds no rows")
    header = [name.strip() for name in rows[0][1]]
    for number, row in rows[1:]:
        if len(row) != len(header):
            raise damaged(path, number, f"this row has {len(row)} columns, the header {len(header)}")
    return {name: [row[k].strip() for _, row in rows[1:]] for k, name in enumerate(header)}


def _arrays(path: Path) -> dict[str, Any]:
    try:
        with ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        arrays = {}
        if size <= MAX_UNPACKED:
            with np.load(path, allow_pickle=False) as archived:
                arrays = {name: archived[name] for name in archived}
    # Damage inside an archive surfaces as whatever unpacking or parsing raises there, zlib.error included.
    except Exception as error:
        message = f"Cannot read {path} as a numpy archive: {error}."
        raise DataError(message) from error
    if size > MAX_UNPACKED:
        message = f"Cannot read {path}: unpacked it has {size} bytes; the bound is {MAX_UNPACKED}."
        raise DataError(message)
    return arrays


def _of_files(path: Path) -> SampledFamily:
    """Return a family whose tables lie in files of their own."""
    from photosim import files

    columns = _columns(path)
    names = columns.pop("file", None)
    if names is None or len(columns) != 1:
        message = (
            f"{path} has the columns {listing([*columns, *(['file'] if names is not None else [])])}: a "
            "family of S-parameters has one of its quantity, such as gap, and one called file."
        )
        raise DataError(message)
    ((quantity, texts),) = columns.items()
    if len(names) > MAX_FILES:
        message = f"{path} names {len(names)} files; the bound is {MAX_FILES}."
        raise DataError(message)
    values, tables = [], []
    folder = path.parent.resolve()
    for row, (text, name) in enumerate(zip(texts, names, strict=True), 2):
        try:
            values.append(float(text))
        except ValueError:
            raise damaged(path, row, f"{text[:40]!r} is not a number") from None
        place = (folder / name).resolve()
        if not place.is_relative_to(folder):
            raise damaged(path, row, f"the file {name[:200]!r} lies outside the folder {folder}")
        tables.append(files.read_table(place))
    order = np.argsort(values)
    return _joined(path, quantity, np.array(values)[order], [tables[k] for k in order])


def _joined(
    path: Path, quantity: str, values: NDArray[np.float64], tables: list[SampledData]
) -> SampledFamily:
    """Return tables as one family, on the frequencies of the first that all of them have."""
    if not tables:
        raise damaged(path, 1, "the file holds no rows")
    first = tables[0]
    for table in tables[1:]:
        if table.ports != first.ports:
            message = (
                f"{path}: {table.name} has the ports {listing(table.ports)}, {first.name} has "
                f"{listing(first.ports)}."
            )
            raise DataError(message)
    low = max(float(table.frequency_Hz[0]) for table in tables)
    high = min(float(table.frequency_Hz[-1]) for table in tables)
    inside = (first.frequency_Hz >= low) & (first.frequency_Hz <= high)
    grid = first.frequency_Hz[inside]
    if not grid.size:
        message = f"{path}: its tables have no frequencies in common."
        raise DataError(message)
    s = [
        table.s[inside]
        if np.array_equal(table.frequency_Hz, first.frequency_Hz)
        else Interpolant(table.frequency_Hz, table.s, f"table {table.name!r}")(grid)
        for table in tables
    ]
    return SampledFamily(quantity, values, grid, np.array(s), first.ports, file=path.name)


def _of_archive(path: Path) -> SampledFamily:
    arrays = _arrays(path)
    known = {name: arrays.pop(name) for name in ("wl_um", "ports", "S") if name in arrays}
    missing = [name for name in ("wl_um", "ports", "S") if name not in known]
    if missing or len(arrays) != 1:
        message = (
            f"Cannot read {path}: a family of S-parameters holds wl_um, ports, S and one array more, the "
            f"values of its quantity; this holds {listing([*known, *arrays])}."
        )
        raise DataError(message)
    ((quantity, values),) = arrays.items()
    wl, s = np.asarray(known["wl_um"], dtype=np.float64), np.asarray(known["S"], dtype=np.complex128)
    if wl.ndim != 1 or s.ndim != 4 or s.shape[1] != wl.size or np.ndim(values) != 1:
        found = f"S has shape {s.shape} for {wl.size} wavelengths and {np.size(values)} values"
        message = f"Cannot read {path}: {found}."
        raise DataError(message)
    by_wl, by_value = np.argsort(wl)[::-1], np.argsort(values)
    ports = tuple(str(port) for port in known["ports"])
    return SampledFamily(
        quantity, np.asarray(values)[by_value], SPEED_OF_LIGHT_UM_S / wl[by_wl], s[by_value][:, by_wl], ports,
        file=path.name,
    )  # fmt: skip

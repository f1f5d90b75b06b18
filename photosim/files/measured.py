"""Measured spectra: columns of text as instruments and probe stations write them, and files of S-parameters.

Text is a table with a line of names, or one row for each quantity (`wavelength,...`, `channel_1,...`), after
lines of comments or of the instrument. Units come from names (`wavelength_nm`, `port1_dbm`), from the
options, or from numbers that leave one unit only; what leaves several is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import DataError, PhotosimError, did_you_mean, listing
from photosim.files.measured_units import AXIS, DECIBELS, LINEAR, axis_of, power_unit, wavelengths_of
from photosim.files.tables import MAX_BYTES, damaged, decoded
from photosim.reals import shown
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 8
"""Wavelengths that a measured spectrum has at least."""
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_TEXT = (".csv", ".txt", ".tsv", ".dat", "")


@dataclass(frozen=True, eq=False)
class Measured(ByValue):
    """Measured powers over wavelength.

    wl: wavelengths in um, rising, (N,).  columns: values by name, (N,), in the unit of `units`: dB, dBm, or
    on a linear scale 1, W, mW, uW, nW, pW.  source: the file's name.  remarks: how the units were found.
    """

    wl: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]]
    units: Mapping[str, str]
    source: str = "data"
    remarks: tuple[str, ...] = ()

    def power_dB(self, name: str) -> NDArray[np.float64]:
        """Return a column in dB or dBm, (N,); nan where a linear power is not positive."""
        values, unit = self.columns[name], self.units[name]
        if unit in DECIBELS:
            return values
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(values > 0.0, 10.0 * np.log10(values * LINEAR[unit]), np.nan)


def read_measured(
    path: str | Path, *, wavelength: str | None = None, units: Mapping[str, str] | None = None
) -> Measured:
    """Return the measured spectra of a file: text in columns or rows, or S-parameters (powers `from->to`).

    wavelength: name of the column of wavelengths or frequencies, found by its name if None.  units: units of
    columns by name, where their names do not say them.  Raises DataError for a file that is missing or
    damaged, names and units that are not there, and numbers that cannot be in their unit.
    """
    source = Path(path)
    if not source.is_file():
        message = (
            f"{source} is a folder: name a file in it." if source.is_dir() else f"There is no file {source}."
        )
        raise DataError(message)
    if source.suffix.lower() not in _TEXT or _is_smatrix(source):
        return _of_smatrix(source)
    return make_measured(_read_text(source), source.name, wavelength, units or {})


def make_measured(
    table: Mapping[str, NDArray[np.float64]], source: str, wavelength: str | None, units: Mapping[str, str]
) -> Measured:
    """Return named columns as measured spectra, sorted by wavelength, with the unit of each."""
    for name in units:
        if name not in table:
            message = (
                f"{source}: units: there is no column {name!r}; it has "
                f"{listing([*table])}.{did_you_mean(name, table)}"
            )
            raise DataError(message)
    axis = axis_of(table, source, wavelength)
    wl, unit, guessed = wavelengths_of(axis, table[axis], source, units.get(axis))
    remarks = [f"{axis!r} was read in {unit}"] if guessed else []
    order = np.argsort(wl, kind="stable")
    wl = wl[order]
    if len(wl) < FEWEST or not wl[-1] > wl[0]:
        message = (
            f"{source}: a spectrum has {FEWEST} different wavelengths or more, got {len(np.unique(wl))}."
        )
        raise DataError(message)
    columns, found = {}, {}
    for name, values in table.items():
        if name == axis or (name not in units and AXIS.match(name)):
            continue
        columns[name] = values[order]
        found[name], guessed = power_unit(name, values, source, units.get(name))
        if guessed:
            remarks.append(f"{name!r} was read in {found[name]}")
    if not columns:
        message = f"{source}: there is no column of powers, only {axis!r}."
        raise DataError(message)
    return Measured(wl, columns, found, source, tuple(remarks))


# --- text -----------------------------------------------------------------------------------------------


def _is_smatrix(path: Path) -> bool:
    """Return whether a .csv or .dat file holds S-parameters in a form of `files`."""
    if path.suffix.lower() not in (".csv", ".dat"):
        return False
    with path.open("rb") as stream:
        head = stream.read(4000).decode("latin-1")
    first = head.partition("\n")[0].strip()
    if path.suffix.lower() == ".dat":
        return first.startswith(("(", "["))
    return first.startswith("wavelength_um,") and first.endswith("_im") and first.count(",") % 2 == 0


def _of_smatrix(path: Path) -> Measured:
    from photosim import files

    s = files.read(path)
    if s.values.ndim != 3:
        message = f"{path} holds {s.values.shape[:-3]} spectra: a fit takes one."
        raise DataError(message)
    order = np.argsort(s.wl)
    columns = {}
    for a, start in enumerate(s.ports):
        for b, end in enumerate(s.ports):
            power = np.abs(s.values[order, b, a]) ** 2
            if np.isfinite(power).all():
                columns[f"{start}->{end}"] = power
    return Measured(np.asarray(s.wl)[order], columns, dict.fromkeys(columns, "1"), path.name)


def _read_text(path: Path) -> dict[str, NDArray[np.float64]]:
    if path.stat().st_size > MAX_BYTES:
        message = f"{path} has {path.stat().st_size} bytes; a file of spectra may have at most {MAX_BYTES}."
        raise DataError(message)
    try:
        lines = decoded(path.read_bytes()).splitlines()
    except UnicodeDecodeError:
        message = f"{path} is not text."
        raise DataError(message) from None
    rows = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    for written in (rows, [(number, _DECIMAL_COMMA.sub(".", line)) for number, line in rows]):
        for position, (_, line) in enumerate(written):
            fields = _fields(line)
            if len(fields) > FEWEST and AXIS.match(fields[0]) and all(map(_is_number, fields[1:])):
                return _in_rows(path, written[position:])
            if len(fields) > 1 and line[0] not in "#%!;" and all(map(_is_number, fields)):
                return _in_columns(path, written, position)
    message = f"{path} holds no row of numbers: a spectrum has a wavelength and a power in each."
    raise DataError(message)


def _in_rows(path: Path, rows: list[tuple[int, str]]) -> dict[str, NDArray[np.float64]]:
    """Return one quantity from each row, as probe stations write them."""
    table: dict[str, NDArray[np.float64]] = {}
    for number, line in rows:
        name, *words = _fields(line)
        if line[0] in "#%!" or not words:
            continue
        if name in table:
            raise damaged(path, number, f"a second row is called {name!r}")
        table[name] = _numbers(path, number, words)
        first = next(iter(table.values()))
        if len(table[name]) != len(first):
            what = f"{name!r} has {len(table[name])} values, {next(iter(table))!r} has {len(first)}"
            raise damaged(path, number, what)
    return table


def _in_columns(path: Path, rows: list[tuple[int, str]], first: int) -> dict[str, NDArray[np.float64]]:
    count = len(_fields(rows[first][1]))
    names = _names(rows[first - 1][1], count) if first else None
    names = names or ["wavelength", *(f"column_{k}" for k in range(2, count + 1))]
    if len(set(names)) < count:
        raise damaged(path, rows[first - 1][0], f"two columns have one name: {listing(names)}")
    values = []
    for number, line in rows[first:]:
        if line[0] in "#%!":
            continue
        words = _fields(line)
        if len(words) != count:
            raise damaged(path, number, f"this row has {len(words)} columns, the first has {count}")
        values.append(_numbers(path, number, words))
    return dict(zip(names, np.array(values).T, strict=True))


def _names(line: str, count: int) -> list[str] | None:
    """Return the names of columns; None for a line that names another number of them."""
    fields = _fields(line.lstrip("#%! "))
    if len(fields) != count and "," not in line and "\t" not in line:
        return None
    return fields if len(fields) == count and all(fields) and not any(map(_is_number, fields)) else None


def _fields(line: str) -> list[str]:
    for between in (",", ";", "\t"):
        if between in line:
            return [word.strip().strip('"').strip() for word in line.rstrip(between + " ").split(between)]
    return line.split()


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def _numbers(path: Path, number: int, words: list[str]) -> NDArray[np.float64]:
    for word in words:
        if not _is_number(word):
            raise damaged(path, number, f"{word[:40]!r} is not a number")
        if not np.isfinite(float(word)):
            raise damaged(path, number, f"{word[:40]!r} is not finite: leave out what was not measured")
    return np.array([float(word) for word in words])


def _columns_of(data: Any) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a mapping or a Dataset, real and of one axis each; none of anything else.

    Raises DataError for complex numbers and masked entries, which would lose a part of themselves.
    """
    try:
        columns = {str(name): data[name] for name in getattr(data, "variables", data)}
        unreal = [n for n, column in columns.items() if np.iscomplexobj(column) or np.ma.is_masked(column)]
        table = {n: np.asarray(column, dtype=np.float64) for n, column in columns.items() if n not in unreal}
    except (TypeError, ValueError, KeyError, PhotosimError):
        return {}
    if unreal:
        message = (
            f"data: {unreal[0]!r} holds complex numbers or masked entries: give real numbers, such as "
            "powers, and leave out what was not measured."
        )
        raise DataError(message)
    return {name: values for name, values in table.items() if values.ndim == 1}


def measured_of(
    data: object, wavelength: str | None = None, units: Mapping[str, str] | None = None
) -> Measured:
    """Return measured spectra of a path, a mapping of names to arrays (N,), or an xarray Dataset."""
    if isinstance(data, Measured):
        return data
    if isinstance(data, str | Path):
        return read_measured(data, wavelength=wavelength, units=units)
    table = _columns_of(data)
    if len(table) < 2:
        message = "A fit takes a file, or a mapping of names to arrays, one of wavelengths and one of powers"
        named = [*map(str, data)] if isinstance(data, Mapping) else []
        lost = [name for name in named if name not in table]
        message += f": {lost[0]!r} is not a list of numbers." if lost else ", got "
        message += "" if lost else f"{listing(named)} alone." if named else f"{shown(data)}."
        raise DataError(message)
    sizes = {name: len(values) for name, values in table.items()}
    if len(set(sizes.values())) > 1:
        message = (
            f"data: its columns differ in length: {', '.join(f'{n} has {s}' for n, s in sizes.items())}."
        )
        raise DataError(message)
    if not max(sizes.values()):
        message = "data: its columns are empty."
        raise DataError(message)
    for name, values in table.items():
        if not np.isfinite(values).all():
            message = f"data: {name!r} holds numbers that are not finite: leave out what was not measured."
            raise DataError(message)
    return make_measured(table, "data", wavelength, units or {})

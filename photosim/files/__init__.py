"""Scattering matrices and tables of S-parameters as files: the format follows from the suffix.

`write(path, s)` and `read(path)` know .csv, .npz, .nc (NetCDF), Lumerical's .sparam and .dat, and
Touchstone's .ts and .s2p, .s4p, ...; columns (.txt) are read only. `read_table(path)` returns what the
component `sampled` takes. `check_target(path)` says before the computing whether `path` can be written.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from photosim.arguments import public
from photosim.errors import DataError, did_you_mean, listing
from photosim.files.atomic import check_writable, replacing
from photosim.files.tables import MAX_BYTES, as_text, check_names, smatrix_of, table_of
from photosim.files.tabulated import read_family, read_index
from photosim.model.sampled import SampledData
from photosim.reals import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from photosim.files.csv import Traces
    from photosim.model.electrical_table import ElectricalTable
    from photosim.model.spice_deck import SpiceDeck
    from photosim.smatrix import SMatrix

FORMATS = {
    ".csv": "csv",
    ".npz": "npz",
    ".nc": "netcdf",
    ".sparam": "lumerical",
    ".dat": "lumerical",
    ".ts": "touchstone",
}
"""Suffix to the module of this package that reads and writes it; .s1p, .s2p, ... are Touchstone too."""
_READ_ONLY = {".txt": "columns"}
_TABLES = {"lumerical", "touchstone", "columns"}
"""Modules whose own noun is SampledData; that of the others is SMatrix."""
_PORTS_SUFFIX = re.compile(r"\.s\d+p")

__all__ = [
    "FORMATS",
    "check_target",
    "read",
    "read_columns",
    "read_family",
    "read_index",
    "read_network",
    "read_spice",
    "read_table",
    "smatrix_of",
    "table_of",
    "write",
]


def _canonical(suffix: str) -> str:
    """Return a suffix that FORMATS knows for .s2p and the like."""
    return ".ts" if _PORTS_SUFFIX.fullmatch(suffix) else suffix


@public
def check_target(path: str | Path, suffixes: Sequence[str] = tuple(FORMATS)) -> Path:
    """Return `path` as a Path if a file with one of `suffixes` can be written there.

    Raises DataError for another suffix, and for a place that cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in suffixes and _canonical(suffix) not in suffixes:
        found = f"the suffix {suffix!r}" if suffix else "no suffix"
        message = (
            f"Cannot write {target}: it has {found}; known are {listing(suffixes)}."
            f"{did_you_mean(suffix, suffixes) if suffix else ''}"
        )
        raise DataError(message)
    check_writable(target)
    return target


@public
def write(
    path: str | Path, s: SMatrix | SampledData | Traces, pairs: Sequence[tuple[str, str]] | None = None
) -> None:
    """Write `s` to `path` in the format of its suffix, whole or not at all.

    pairs: the (from, to) ports to keep, in that order; None keeps the whole matrix. Only .csv can hold a
    selection, or spectra that are not a square matrix. Raises DataError for an unknown suffix, a place that
    cannot be written, or a result that the format cannot hold.
    """
    if not isinstance(s, SampledData) and not hasattr(s, "wl"):
        message = f"files.write: s must be an SMatrix or a table, got {shown(s)}."
        raise DataError(message)
    from photosim.files import csv
    from photosim.smatrix import SMatrix

    target = check_target(path)
    suffix = target.suffix.lower()
    if isinstance(s, SampledData):
        s = smatrix_of(s) if _form(suffix) not in _TABLES or pairs is not None else s
    elif not isinstance(s, SMatrix) and (suffix != ".csv" or pairs is None):
        message = f"Cannot write {target}: it holds whole matrices between exposed ports; write .csv instead."
        raise DataError(message)
    elif pairs is not None and _form(suffix) in _TABLES:
        message = f"Cannot write {target}: it holds whole matrices, not a selection; write .csv instead."
        raise DataError(message)
    elif _form(suffix) in _TABLES:
        s = table_of(cast("SMatrix", s))
    # Before there is a temporary file, whose name a refusal would tell.
    if _form(suffix) in _TABLES:
        _module(suffix).check(target, s)
    elif suffix == ".csv":
        pairs = pairs if pairs is not None else csv.all_pairs(cast("SMatrix", s))
        csv.check(target, pairs)
    else:
        ports = cast("SMatrix", s).ports
        check_names(target, ports, as_text(ports))
    with replacing(target) as temporary:
        if suffix == ".csv":
            csv.write(temporary, cast("SMatrix", s), cast("Sequence[tuple[str, str]]", pairs))
        else:
            _module(suffix).write(temporary, s)


@public
def read(path: str | Path) -> SMatrix:
    """Return the S-matrix in the file at `path`.

    Raises DataError if the file is missing or damaged.
    """
    found = _read(path)
    return smatrix_of(found) if isinstance(found, SampledData) else found


@public
def read_table(path: str | Path) -> SampledData:
    """Return the S-parameters in the file at `path`, of any known format, as a table over frequency.

    Raises DataError if the file is missing or damaged, or if it holds more than one spectrum.
    """
    found = _read(path)
    return found if isinstance(found, SampledData) else table_of(found, Path(path).name)


@public
def read_network(path: str | Path) -> ElectricalTable:
    """Return the S-parameters of an electrical network from a Touchstone file.

    The time dependence is exp(+j omega t), as in the file. Modes of a mixed-mode file become single-ended
    ports.

    path: of the file, with suffix .s1p, .s2p, ... or .ts.

    Raises DataError if the file is missing or damaged.
    """
    from photosim.files import networks

    return networks.read_network(path)


@public
def read_spice(path: str | Path, folder: str | Path | None = None) -> SpiceDeck:
    """Return the subcircuits of a SPICE deck.

    path: of the deck.  folder: folder below which its .include and .lib lines may read; by default that of
    the deck.

    Raises DataError, with file and line, for anything else in the deck.
    """
    from photosim.files import spice_decks

    return spice_decks.read_spice(path, None if folder is None else Path(folder))


@public
def read_columns(path: str | Path) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a .csv file by their names, each (N,), such as photocurrents over wavelength.

    path: of the .csv file.

    Raises DataError if the file is missing or too large, or if it is not a table of numbers below one line of
    names.
    """
    from photosim.files import csv

    return csv.read_columns(_existing(Path(path)))


def _existing(source: Path) -> Path:
    if not source.is_file():
        message = f"There is no file {source}."
        raise DataError(message)
    if source.stat().st_size > MAX_BYTES:
        message = f"{source} has {source.stat().st_size} bytes; the most for S-parameters is {MAX_BYTES}."
        raise DataError(message)
    return source


def _read(path: str | Path) -> SMatrix | SampledData:
    source = Path(path)
    suffix = source.suffix.lower()
    known = {**FORMATS, **_READ_ONLY}
    if _canonical(suffix) not in known:
        message = f"Cannot read {source}: known suffixes are {listing(known)} and .s1p, .s2p, ..."
        raise DataError(message)
    found: SMatrix | SampledData = _module(suffix).read(_existing(source))
    return found


def _form(suffix: str) -> str:
    """Return the name of the module for a suffix."""
    return {**FORMATS, **_READ_ONLY}[_canonical(suffix)]


def _module(suffix: str) -> Any:
    return importlib.import_module(f"{__name__}.{_form(suffix)}")

"""Scattering matrices as files: the format follows from the suffix.

`write(path, s)` and `read(path)` know .csv, .npz and .nc (NetCDF); `check_target(path)` says before the
computing whether `path` can be written.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from photosim.errors import DataError, did_you_mean, listing
from photosim.files.atomic import check_writable, replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photosim.files.csv import Traces
    from photosim.smatrix import SMatrix

FORMATS = {".csv": "csv", ".npz": "npz", ".nc": "netcdf"}
"""Suffix to the module of this package that reads and writes it."""

__all__ = ["FORMATS", "check_target", "read", "write"]


def check_target(path: str | Path, suffixes: Sequence[str] = tuple(FORMATS)) -> Path:
    """Return `path` as a Path if a file of one of `suffixes` can be written there, else raise DataError."""
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in suffixes:
        found = f"the suffix {suffix!r}" if suffix else "no suffix"
        message = (
            f"Cannot write {target}: it has {found}; known are {listing(suffixes)}."
            f"{did_you_mean(suffix, suffixes) if suffix else ''}"
        )
        raise DataError(message)
    check_writable(target)
    return target


def write(path: str | Path, s: SMatrix | Traces, pairs: Sequence[tuple[str, str]] | None = None) -> None:
    """Write `s` to `path` in the format of its suffix, whole or not at all.

    pairs: the (from, to) ports to keep, in that order; None keeps the whole matrix. Only .csv can hold a
    selection, or spectra that are no square matrix. Raises DataError for an unknown suffix, a place that
    cannot be written, or a result that the format cannot hold.
    """
    from photosim.files import csv, netcdf, npz
    from photosim.smatrix import SMatrix

    target = check_target(path)
    suffix = target.suffix.lower()
    if not isinstance(s, SMatrix) and (suffix != ".csv" or pairs is None):
        message = f"Cannot write {target}: it holds whole matrices between exposed ports; write .csv instead."
        raise DataError(message)
    with replacing(target) as temporary:
        if not isinstance(s, SMatrix) or suffix == ".csv":
            csv.write(temporary, s, pairs if pairs is not None else csv.all_pairs(cast("SMatrix", s)))
        else:
            (npz if suffix == ".npz" else netcdf).write(temporary, s)


def read(path: str | Path) -> SMatrix:
    """Return the scattering matrix stored at `path`; DataError if it is missing or damaged."""
    source = Path(path)
    suffix = source.suffix.lower()
    if suffix not in FORMATS:
        message = f"Cannot read {source}: known suffixes are {listing(FORMATS)}."
        raise DataError(message)
    if not source.is_file():
        message = f"There is no file {source}."
        raise DataError(message)
    form = importlib.import_module(f"{__name__}.{FORMATS[suffix]}")
    s: SMatrix = form.read(source)
    return s

"""Scattering matrices as files: the format follows from the suffix.

`write(path, s)` and `read(path)` know .csv, .npz and .nc (NetCDF); `check_target(path)` says before the
computing whether `path` can be written.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from photosim.errors import DataError, did_you_mean, listing
from photosim.files.atomic import check_writable, replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def write(path: str | Path, s: SMatrix, pairs: Sequence[tuple[str, str]] | None = None) -> None:
    """Write `s` to `path` in the format of its suffix, whole or not at all.

    pairs: the (from, to) ports to keep, in that order; None keeps the whole matrix. Only .csv can hold a
    selection; the others always hold the whole matrix. Raises DataError for an unknown suffix, a place that
    cannot be written, or (.csv) a matrix with leading setting axes.
    """
    target = check_target(path)
    form = importlib.import_module(f"{__name__}.{FORMATS[target.suffix.lower()]}")
    with replacing(target) as temporary:
        form.write(temporary, s, pairs)


def read(path: str | Path) -> SMatrix:
    """Return the scattering matrix stored at `path`; DataError if it is missing, damaged or of another form."""
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

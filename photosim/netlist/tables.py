"""Files of S-parameters that a netlist names: found below its folder, read once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile, is_zipfile

from photosim.errors import DataError, NetlistError

if TYPE_CHECKING:
    from photosim.model.sampled import FileTable


MAX_BYTES = 8 * 2**20
"""Size of a file of S-parameters that a netlist names, in bytes."""
MAX_UNPACKED = 64 * 2**20
"""Size of an archive's content: a small archive can claim any."""


def locate(text: str, folder: Path | None) -> Path:
    """Place of a file that a netlist in `folder` (the working folder if None) names.

    Raises:
        NetlistError: the name leads out of the folder, by dots, from the root or through a link.
    """
    base = (folder if folder is not None else Path()).resolve()
    try:
        place = (base / text).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise NetlistError(f"{text[:60]!r} cannot be the name of a file: {error}") from None
    if not place.is_relative_to(base):
        raise NetlistError(
            f"the file {text[:200]!r} lies outside the netlist's folder {base}; "
            "a netlist may only read below it"
        )
    return place


def read_named(text: str, folder: Path | None, kind: type[FileTable] | None = None) -> Any:
    """Table of a kind, by default of S-parameters, that a netlist in `folder` names, under the name there.

    Raises:
        NetlistError: the name leads out of the folder; the file is missing or damaged.
    """
    place = locate(text, folder)
    try:
        stamp = place.stat()
        if S_ISREG(stamp.st_mode):
            _check_size(place, stamp.st_size)
        if kind is not None and kind.includes:
            table = _read_anew(place, kind.reader, (folder if folder is not None else Path()).resolve())
        else:
            table = _read(place, stamp.st_mtime_ns, stamp.st_size, kind.reader if kind else "read_table")
    except OSError as error:
        raise NetlistError(f"{place} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except DataError as error:
        raise NetlistError(str(error).removesuffix(".")) from None
    return table if table.file == text else replace(table, file=text)


def _check_size(place: Path, size: int) -> None:
    """Refuse a file that would take more memory than a netlist may."""
    bound = MAX_BYTES
    if is_zipfile(place):
        with suppress(BadZipFile), ZipFile(place) as archive:  # a damaged one is refused by its reader
            size, bound = sum(member.file_size for member in archive.infolist()), MAX_UNPACKED
    if size > bound:
        raise NetlistError(f"{place} has {size} bytes; a file that a netlist names may have {bound}")


@lru_cache(maxsize=32)
def _read(place: Path, changed: int, size: int, reader: str) -> Any:
    """Read a file that was last changed at a time and then had a size, by a function of photosim.files."""
    from photosim import files

    del changed, size
    return getattr(files, reader)(place)


def _read_anew(place: Path, reader: str, folder: Path) -> Any:
    """Read a file that may include others below a folder, which may have changed although it has not."""
    from photosim import files

    return getattr(files, reader)(place, folder)

"""Files of S-parameters that a netlist names: found below its folder, read once."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from photosim.errors import DataError, NetlistError

if TYPE_CHECKING:
    from photosim.sampled import SampledData


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


def read_named(text: str, folder: Path | None) -> SampledData:
    """Table of S-parameters that a netlist in `folder` names, under the name that the netlist has for it.

    Raises:
        NetlistError: the name leads out of the folder; the file is missing or damaged.
    """
    place = locate(text, folder)
    try:
        stamp = place.stat()
        table = _read(place, stamp.st_mtime_ns, stamp.st_size)
    except OSError as error:
        raise NetlistError(f"{place} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except DataError as error:
        raise NetlistError(str(error).removesuffix(".")) from None
    return table if table.file == text else replace(table, file=text)


@lru_cache(maxsize=32)
def _read(place: Path, changed: int, size: int) -> SampledData:
    """Read a file that was last changed at a time and then had a size."""
    from photosim import files

    del changed, size
    return files.read_table(place)

"""Text of the files that make a netlist: of bounded size, UTF-8, with the place of what is not."""

from __future__ import annotations

from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from photosim.errors import Mark, NetlistError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path


def read_utf8(place: Path, shown: str, bound: int, mark: Mark | None = None) -> str:
    """Text of a file of at most `bound` bytes; `shown` is its name in messages, `mark` where that is written.

    Raises:
        NetlistError: a file that is missing, not a regular file (a pipe never ends), too large or not UTF-8.
    """
    try:
        status = place.stat()
        if not S_ISREG(status.st_mode):
            raise NetlistError(f"{shown} is not a file", mark)
        if status.st_size > bound:
            raise NetlistError(f"{shown} has {status.st_size} bytes; a netlist file may have {bound}", mark)
        data = place.read_bytes()
    except (OSError, ValueError) as error:  # a name that is not one, too
        reason = getattr(error, "strerror", None) or str(error)
        raise NetlistError(f"{shown} cannot be read: {reason.lower()}", mark) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        spot = mark_of_byte(data, error.start, shown)
        raise NetlistError(f"the file is not UTF-8 text: byte {error.start} does not fit", spot) from None


def mark_of_byte(data: bytes, at: int, file: str | None) -> Mark:
    """Line and column of a byte of a text, before which all is UTF-8."""
    before = data[:at].decode("utf-8-sig", "replace")
    return Mark(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def comma_hint(around: Mapping[Any, Any], empty: Hashable) -> str:
    """Return a hint where YAML has taken {in: a,o1} for the two entries in: a and o1: (empty), or nothing."""
    keys = [*around]
    k = keys.index(empty)
    before, after = around[keys[k - 1]] if k else None, keys[k + 1] if k + 1 < len(keys) else None
    if isinstance(before, str) and "," not in before:
        meant = f"{before},{keys[k]}"
    elif isinstance(after, str) and "," not in after:
        meant = f"{keys[k]},{after}"
    else:
        return ""
    return f' A comma between {{ and }} ends an entry: write "{meant}" in quotes, if that is meant.'

"""Every error photosim raises, and the words they share.

A message ends the search: it says where, what was found, and what would do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A place in a netlist file; line and column count from 1."""

    file: str | None
    line: int
    column: int

    def __str__(self) -> str:
        """Write the place as editors and compilers do: file:line:column."""
        return f"{self.file or '<text>'}:{self.line}:{self.column}"


class PhotosimError(Exception):
    """Base of all errors that a user can cause; its text is one clear sentence."""


class NetlistError(PhotosimError):
    """A netlist that cannot be read or does not describe a circuit."""

    def __init__(self, message: str, mark: Mark | None = None) -> None:
        super().__init__(f"{mark}: {message}" if mark is not None else message)
        self.mark = mark
        self.message = message

    def __reduce__(self) -> tuple[type[NetlistError], tuple[str, Mark | None]]:
        """Rebuild from message and mark, so that the error crosses processes."""
        return (type(self), (self.message, self.mark))


class ParameterError(PhotosimError):
    """A setting, argument or name that no component or circuit has, or that is out of bounds."""


class SingularCircuit(PhotosimError):  # noqa: N818 - the name users read: the circuit is singular
    """A circuit whose equations have no usable solution (a loop with unit gain)."""


class UnphysicalResult(PhotosimError):  # noqa: N818 - the name users read: the result is unphysical
    """A result that breaks a law the circuit must obey, such as power created by a passive part."""


class DataError(PhotosimError):
    """A data file that is missing, damaged or of the wrong form."""


class PhotosimWarning(UserWarning):
    """Something legal that is probably not meant."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like `name`, or None if none is close."""
    names = [str(k) for k in known]
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if close:
        return close[0]
    folded = {k.casefold(): k for k in names}
    return folded.get(str(name).casefold())


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" with the nearest known name, or an empty string."""
    match = nearest(name, known)
    return f" Did you mean {match!r}?" if match is not None else ""


def listing(names: Iterable[object], limit: int = 12) -> str:
    """Return names as "a, b, c", cut after `limit` with the number left out."""
    found = [str(n) for n in names]
    shown = ", ".join(found[:limit])
    if len(found) > limit:
        return f"{shown} and {len(found) - limit} more"
    return shown or "none"

"""Every error photosim raises, and the words they share.

A message ends the search: it says where, what was found, and what would do.
"""

from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

MAX_MESSAGE = 1200
"""Characters of a message; the middle of a longer one, most often a name out of a bad file, is left out."""
MAX_COMPARED = 400
"""Known names that a wrong one is compared with: each comparison takes up to a millisecond."""
MAX_NAME = 100
"""Longest name, in characters, for which the nearest known name is searched."""

_UNPRINTABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]+")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a netlist file; line and column count from 1."""

    file: str | None
    line: int
    column: int

    def __str__(self) -> str:
        """Write the place as editors and compilers do: file:line:column."""
        return f"{self.file or '<text>'}:{self.line}:{self.column}"


class PhotosimError(Exception):
    """Base of all errors that a user can cause; its text is one clear sentence of bounded length."""

    def __init__(self, message: str = "") -> None:
        # Names quoted from hostile files may be endless, or steer the terminal that shows them.
        super().__init__(_one_line(message))


class NetlistError(PhotosimError):
    """A netlist that cannot be read or does not describe a circuit."""

    def __init__(self, message: str, mark: Mark | None = None) -> None:
        super().__init__(f"{mark}: {message}" if mark is not None else message)
        self.mark = mark
        self.message = message

    def __reduce__(self) -> tuple[type[NetlistError], tuple[str, Mark | None]]:
        """Rebuild from message and mark, so that the error crosses processes."""
        return (type(self), (self.message, self.mark))


class ParameterError(PhotosimError, ValueError):
    """A setting, argument or name that no component or circuit has, or that is out of bounds."""


class SingularCircuit(PhotosimError):  # noqa: N818 - the name users read: the circuit is singular
    """A circuit whose equations have no usable solution (a loop with unit gain)."""


class UnphysicalResult(PhotosimError):  # noqa: N818 - the name users read: the result is unphysical
    """A result that breaks a law the circuit must obey, such as power created by a passive part."""


class DataError(PhotosimError):
    """A data file that is missing, damaged or of the wrong form."""


class ClusterError(PhotosimError):
    """A scheduler that cannot be reached, workers that fail, or Dask that is missing."""


class Diverged(ParameterError):  # noqa: N818 - the name users read: the run diverged
    """A training whose numbers are no longer finite; the message names epoch and learning rate."""


class PhotosimWarning(UserWarning):
    """Something legal that is probably not meant."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like `name`, or None if none is close."""
    name = str(name)
    names = [k for k in map(str, known) if len(k) <= MAX_NAME]
    if len(name) > MAX_NAME:
        return None
    if len(names) > MAX_COMPARED:
        names = heapq.nlargest(MAX_COMPARED, names, key=lambda k: _alike(name, k))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
    # A whole word in common says more than a few letters: validation, of activation and validation_fraction.
    close += _with_word(name, names) + difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return close[0]
    folded = {k.casefold(): k for k in names}
    return folded.get(name.casefold())


def _with_word(word: str, names: list[str]) -> list[str]:
    """Return the only name with `word` between its underscores, as in learning_rate; else an empty list."""
    found = [k for k in names if len(word) > 2 and word in k.split("_")]
    return found if len(found) == 1 else []


def _alike(a: str, b: str) -> int:
    """Return how many letters two names share at their start and end, the same ones not twice."""
    start = _shared(a, b)
    return start + _shared(a[start:][::-1], b[start:][::-1])


def _shared(a: str, b: str) -> int:
    """Return the length of the start that two texts share."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _one_line(message: str) -> str:
    """Return a message without what is not printed, and without its middle where it is too long."""
    text = _UNPRINTABLE.sub(" ", message)
    end = MAX_MESSAGE // 4
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - end - 5]} ... {text[-end:]}"


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

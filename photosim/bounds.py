"""Bounds of numbers from Python, with one form of sentence for what is outside them."""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection
from typing import Any

import numpy as np

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.reals import LARGEST, shown

_NOT_NUMBERS: tuple[type, ...] = (np.bool_, np.timedelta64)
MOST = 2**63 - 1
"""Largest whole number that is taken, as of a seed."""


class BoundError(ParameterError):
    """A value that is out of bounds; `text` says so without the title that the message begins with."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(f"{title}: {text}")
        self.title, self.text = title, text

    def __reduce__(self) -> tuple[type[BoundError], tuple[str, str]]:
        """Rebuild from title and text, so that the error crosses processes."""
        return (type(self), (self.title, self.text))


def untitled(error: Exception) -> str:
    """Return the message of an error for a sentence that has named the place: without a class's name."""
    return error.text if isinstance(error, BoundError) else str(error)


def check_number(
    where: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    endless: bool = False,
    none: bool = False,
    **values: Any,
) -> None:
    """Raise ParameterError, beginning with the class of `where`, unless numbers are from low to high.

    where: an object, or a title as text.  above: leave out low itself.  endless: take infinity where high is.
    none: take None too.  values: by name.
    """
    span = f"above {low:g}" if above else f"{low:g} or more"
    if low == -math.inf:
        span = "a finite number"
    elif math.isfinite(high):
        span = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
    span += ", or None" if none else ""
    for name, value in values.items():
        if none and value is None:
            continue
        right = is_number(value) and low <= value <= high and not (above and value == low)
        infinite = right and not endless and not math.isfinite(value)
        if infinite or not right:
            wanted = f"finite and {span}" if infinite and low > -math.inf else span
            raise BoundError(_title(where), f"{name} must be {wanted}, got {shown(value)}.")


def check_whole(where: object, low: int = 0, high: int = MOST, *, none: bool = False, **values: Any) -> None:
    """Raise ParameterError, beginning with the class of `where`, unless numbers are whole, low to high.

    Where `where` is an object, its attribute of a number written as 4.0 becomes the int that it means, which
    shapes and ranges need.  none: take None too.
    """
    span = f"{low} or more" if high == MOST else f"from {low} to {high}"
    span += ", or None" if none else ""
    for name, value in values.items():
        if none and value is None:
            continue
        if not (is_number(value) and low <= value <= high and value % 1 == 0):
            text = f"{name} must be a whole number, {span}, got {shown(value)}."
            raise BoundError(_title(where), text)
        whole: Any = value
        if type(value) is not int and getattr(where, name, None) is value:
            object.__setattr__(where, name, int(whole))


def check_choice(where: object, choices: Collection[Any], **values: Any) -> None:
    """Raise ParameterError, beginning with the class of `where`, unless values are among the choices."""
    for name, value in values.items():
        if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
            known = [str(choice) for choice in choices]
            hint = did_you_mean(value, known) if isinstance(value, str) else ""
            text = f"{name} must be one of {listing(known, 20)}, got {shown(value)}.{hint}"
            raise BoundError(_title(where), text)


def _title(where: object) -> str:
    return where if isinstance(where, str) else type(where).__name__


def is_number(value: Any) -> bool:
    """Return whether a value is one real number that double precision holds, nan and infinity among them."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, int):
        return not isinstance(value, bool) and -LARGEST <= value <= LARGEST
    return isinstance(value, numbers.Real) and not isinstance(value, _NOT_NUMBERS)


def dtype_of(value: Any) -> np.dtype[Any] | None:
    """Return the dtype that a value names; None where it names none."""
    try:
        return None if value is None else np.dtype(value)
    except (TypeError, ValueError, SyntaxError):
        return None

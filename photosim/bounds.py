"""Bounds of numbers from Python, with one form of sentence for what is outside them."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from photosim.errors import ParameterError
from photosim.reals import LARGEST, shown

_NOT_NUMBERS: tuple[type, ...] = (np.bool_, np.timedelta64)
MOST = 2**63 - 1
"""Largest whole number that is taken, as of a seed."""


def check_number(
    where: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: bool = False,
    endless: bool = False,
    **values: Any,
) -> None:
    """Raise ParameterError, beginning with the class of `where`, unless numbers are from low to high.

    where: an object, or a title as text.  above: leave out low itself.  endless: take infinity where high is.
    values: by name.
    """
    span = f"above {low:g}" if above else f"{low:g} or more"
    if low == -math.inf:
        span = "a finite number"
    elif math.isfinite(high):
        span = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
    for name, value in values.items():
        right = _real(value) and low <= value <= high and not (above and value == low)
        if not right or not (endless or math.isfinite(value)):
            message = f"{_title(where)}: {name} must be {span}, got {shown(value)}."
            raise ParameterError(message)


def check_whole(where: object, low: int = 0, high: int = MOST, **values: Any) -> None:
    """Raise ParameterError, beginning with the class of `where`, unless numbers are whole, low to high."""
    span = f"{low} or more" if high == MOST else f"from {low} to {high}"
    for name, value in values.items():
        if not (_real(value) and low <= value <= high and value % 1 == 0):
            message = f"{_title(where)}: {name} must be a whole number, {span}, got {shown(value)}."
            raise ParameterError(message)


def _title(where: object) -> str:
    return where if isinstance(where, str) else type(where).__name__


def _real(value: Any) -> bool:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, int):
        return not isinstance(value, bool) and -LARGEST <= value <= LARGEST
    return isinstance(value, numbers.Real) and not isinstance(value, _NOT_NUMBERS)

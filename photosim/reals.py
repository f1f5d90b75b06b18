"""Real numbers out of what files and Python code give, and in words what is not one."""

from __future__ import annotations

import decimal
import numbers
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = sys.float_info.max
"""Largest number of double precision."""
_SCALARS = (numbers.Real, decimal.Decimal)
_NOT_NUMBERS: tuple[type, ...] = (bool, np.timedelta64)
"""Types that Python and numpy count among the whole numbers."""
_MASKED = "got masked entries: only known values can be used"
_NOUNS = {"b": "true and false", "c": "complex numbers", "M": "dates", "m": "time intervals",
          "U": "texts", "S": "texts", "V": "records"}  # fmt: skip


class NotReal(ValueError):  # noqa: N818 - what the value is, not an error that a user sees
    """Says what a value is instead of a number, as the end of a sentence: "got an empty list"."""


def as_real(value: Any) -> float | NDArray[np.float64]:
    """Return a number as a float, and an array, or a list of numbers, as a new array of float64.

    numpy's scalars, fractions and decimals are numbers; true and false, complex numbers, texts and dates are
    not. Raises NotReal for anything that is not a number, for empty lists, rows of unequal length, masked
    entries, and whole numbers beyond double precision. Infinite numbers pass.
    """
    if type(value) is float:
        return value
    if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim and value.size:
        return value.copy()  # as most batches of settings are
    if isinstance(value, _SCALARS) and not isinstance(value, _NOT_NUMBERS[1:]):
        return _scalar(value)
    if isinstance(value, list | tuple):
        with suppress(RecursionError):  # a list that holds itself: numpy says so
            _look_inside(value)
    if holds_masked(value):
        raise NotReal(_MASKED)
    array = _array(value)
    if array.size == 0:
        message = "got an empty array"
        raise NotReal(message)
    return float(array) if array.ndim == 0 else array


def as_whole(value: Any) -> int:
    """Return a whole number as an int, 4.0 as 4; NotReal for a fraction, an array or anything else."""
    if isinstance(value, numbers.Integral) and not isinstance(value, _NOT_NUMBERS):
        return int(value)
    number = as_real(value)
    if not isinstance(number, float):
        message = f"got an array of shape {number.shape}"
        raise NotReal(message)
    if not number.is_integer():  # infinite ones and what is not a number are none either
        message = f"got {shown(value)}"
        raise NotReal(message)
    return int(number)


def holds_masked(value: Any) -> bool:
    """Return whether an array, or a list of arrays, has masked entries, whose values are not known."""
    if isinstance(value, list | tuple):
        return any(np.ma.is_masked(entry) for entry in value)
    return bool(np.ma.is_masked(value))


def shown(value: Any) -> str:
    """Return a value as a message shows it; its type where it cannot be written."""
    if isinstance(value, int) and not -1e300 < value < 1e300:
        return f"a whole number of about {value.bit_length() * 0.30103:.0f} digits"
    with suppress(Exception):  # objects of others may fail in any way
        return repr(value)
    return f"a {type(value).__name__}"


def _scalar(value: Any) -> float:
    if isinstance(value, bool):
        message = f"got {value}"
        raise NotReal(message)
    try:
        return float(value)
    except OverflowError:
        message = f"got {shown(value)}, beyond {LARGEST:.2g}"
    except (TypeError, ValueError, ArithmeticError):  # a signalling decimal, a symbol of another library
        message = f"got {shown(value)}"
    raise NotReal(message)


def _look_inside(value: Any) -> None:
    """Refuse entries of a list that numpy would turn into numbers without a word."""
    for entry in value:
        if type(entry) is float or type(entry) is int:
            continue
        if isinstance(entry, bool | np.bool_):
            message = f"got {entry} in a list"
            raise NotReal(message)
        if isinstance(entry, list | tuple):
            _look_inside(entry)
        elif np.ma.is_masked(entry):
            raise NotReal(_MASKED)


def _array(value: Any) -> NDArray[np.float64]:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError, ArithmeticError, RecursionError) as error:
        ragged = isinstance(value, list | tuple) and "inhomogeneous" in str(error)
        message = "got rows of unequal length" if ragged else f"got {shown(value)}"
        raise NotReal(message) from None
    if array.dtype.kind in "iuf":
        with np.errstate(over="ignore"):  # of a wider precision: infinite here
            return array.astype(np.float64)
    if array.dtype.kind == "O" and array.ndim and all(isinstance(e, _SCALARS) for e in array.flat):
        return np.array([_scalar(e) for e in array.flat], dtype=np.float64).reshape(array.shape)
    noun = _NOUNS.get(array.dtype.kind)
    message = f"got {shown(value)}" if noun is None or array.ndim == 0 else f"got {noun}, {shown(value)}"
    raise NotReal(message)

"""The functions of expressions, which take numbers, arrays and expressions alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.errors import ParameterError
from photosim.expressions.operations import OPERATIONS
from photosim.expressions.tracer import Expr, combine


def sqrt(x: Any) -> Any:
    """Square root of a number, an array or an expression."""
    return _call("sqrt", x)


def exp(x: Any) -> Any:
    """Exponential function of a number, an array or an expression."""
    return _call("exp", x)


def log(x: Any) -> Any:
    """Natural logarithm of a number, an array or an expression."""
    return _call("log", x)


def sin(x: Any) -> Any:
    """Sine of an angle in radians."""
    return _call("sin", x)


def cos(x: Any) -> Any:
    """Cosine of an angle in radians."""
    return _call("cos", x)


def tan(x: Any) -> Any:
    """Tangent of an angle in radians."""
    return _call("tan", x)


def arcsin(x: Any) -> Any:
    """Angle in radians, from -pi/2 to pi/2, whose sine is given."""
    return _call("arcsin", x)


def arccos(x: Any) -> Any:
    """Angle in radians, from 0 to pi, whose cosine is given."""
    return _call("arccos", x)


def arctan(x: Any) -> Any:
    """Angle in radians, from -pi/2 to pi/2, whose tangent is given."""
    return _call("arctan", x)


def abs(x: Any) -> Any:  # noqa: A001 - it has this name in expressions
    """Absolute value; its slope at 0 counts as 0."""
    return _call("abs", x)


def minimum(x: Any, y: Any) -> Any:
    """The smaller of two values, element by element."""
    return _call("minimum", x, y)


def maximum(x: Any, y: Any) -> Any:
    """The larger of two values, element by element."""
    return _call("maximum", x, y)


def round(x: Any) -> Any:  # noqa: A001 - it has this name in expressions
    """The nearest whole number, halves to the even one; its slope counts as 1, that of what is rounded."""
    return _call("round", x)


def mod(x: Any, y: Any) -> Any:
    """What is left of x after whole multiples of y, with y's sign; its slope at a jump is that beside it."""
    return _call("mod", x, y)


def _call(name: str, *arguments: Any) -> Any:
    if any(isinstance(a, Expr) for a in arguments):
        result = combine(name, *arguments)
        if result is NotImplemented:
            raise ParameterError(f"{name!r} takes numbers, arrays and expressions, not {arguments!r}")
        return result
    with np.errstate(all="ignore"):
        value = OPERATIONS[name].compute(*arguments)
    if not np.all(np.isfinite(value)):
        raise ParameterError(f"{name}({', '.join(map(repr, arguments))}) is not a finite number")
    return float(value) if np.ndim(value) == 0 else value

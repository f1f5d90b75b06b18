"""What expressions can do: every operation with its slopes, and how it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONSTANTS: Mapping[str, float] = {"pi": math.pi}
"""Names that stand for numbers."""
Step = tuple[str, Any, tuple[int, ...]]
"""One step of a program: operation, content (name, float, or shape and bytes of an array), argument steps."""
# How tightly an operation binds when written; leaves and calls bind tightest.
_BINDING: Mapping[str, int] = {"+": 1, "-": 1, "*": 2, "/": 2, "negative": 3, "**": 4}
_TIGHTEST = 5


@dataclass(frozen=True)
class Operation:
    """A function and its slopes; each slope is called with all arguments and then the result."""

    compute: Callable[..., Any]
    slopes: tuple[Callable[..., Any], ...]


def _slope_of_base(a: Any, b: Any, y: Any) -> Any:  # noqa: ARG001 - one signature for all slopes
    return np.where(b == 0.0, 0.0, b * np.power(a, np.where(b == 0.0, 1.0, b - 1.0)))


def _slope_of_exponent(a: Any, b: Any, y: Any) -> Any:  # noqa: ARG001
    # 0**b is flat in b > 0; a negative base has no slope in the exponent and keeps the NaN of log.
    return np.where(a == 0.0, 0.0, y * np.log(np.where(a == 0.0, 1.0, a)))


def _one(*_: Any) -> float:
    return 1.0


def _minus_one(*_: Any) -> float:
    return -1.0


_FUNCTIONS: Mapping[str, Operation] = {
    "sqrt": Operation(np.sqrt, (lambda _, y: 0.5 / y,)),
    "exp": Operation(np.exp, (lambda _, y: y,)),
    "log": Operation(np.log, (lambda a, _: 1.0 / a,)),
    "sin": Operation(np.sin, (lambda a, _: np.cos(a),)),
    "cos": Operation(np.cos, (lambda a, _: -np.sin(a),)),
    "tan": Operation(np.tan, (lambda _, y: 1.0 + y * y,)),
    # (1 - a)(1 + a) keeps its digits near |a| = 1, where 1 - a*a loses them.
    "arcsin": Operation(np.arcsin, (lambda a, _: 1.0 / np.sqrt((1.0 - a) * (1.0 + a)),)),
    "arccos": Operation(np.arccos, (lambda a, _: -1.0 / np.sqrt((1.0 - a) * (1.0 + a)),)),
    "arctan": Operation(np.arctan, (lambda a, _: 1.0 / (1.0 + a * a),)),
    "abs": Operation(np.abs, (lambda a, _: np.sign(a),)),
    # A staircase has no useful slope: that of the line it follows lets gradients through (bengio2013).
    "round": Operation(np.rint, (_one,)),
    # At a tie the first argument carries the slope, so that the slopes always add to one.
    "minimum": Operation(np.minimum, (lambda a, b, _: a <= b, lambda a, b, _: a > b)),
    "maximum": Operation(np.maximum, (lambda a, b, _: a >= b, lambda a, b, _: a < b)),
    "mod": Operation(np.mod, (_one, lambda a, b, _: -np.floor(a / b))),
}
OPERATIONS: Mapping[str, Operation] = {
    "+": Operation(np.add, (_one, _one)),
    "-": Operation(np.subtract, (_one, _minus_one)),
    "*": Operation(np.multiply, (lambda _, b, __: b, lambda a, _, __: a)),
    "/": Operation(np.divide, (lambda _, b, __: 1.0 / b, lambda _, b, y: -y / b)),
    "**": Operation(np.power, (_slope_of_base, _slope_of_exponent)),
    "negative": Operation(np.negative, (_minus_one,)),
    **_FUNCTIONS,
}
FUNCTIONS: tuple[str, ...] = tuple(_FUNCTIONS)
"""Names of the functions that an expression may call."""


def write(program: tuple[Step, ...]) -> str:
    """Text of a program, with parentheses only where they are needed."""
    texts: list[tuple[str, int]] = []
    for step in program:
        texts.append(_written(step, [texts[i] for i in step[2]]))
    return texts[-1][0]


def _written(step: Step, arguments: list[tuple[str, int]]) -> tuple[str, int]:
    """Text of one step and how tightly it binds."""
    operation, content, _ = step
    if operation == "symbol":
        return content, _TIGHTEST
    if operation == "constant":
        return _written_constant(content)
    texts = [text for text, _ in arguments]
    if operation not in _BINDING:
        return f"{operation}({', '.join(texts)})", _TIGHTEST
    own = _BINDING[operation]
    if operation == "negative":
        return "-" + _guarded(arguments[0], own + 1), own
    left, right = (own + 1, own) if operation == "**" else (own, own + 1)  # powers group from the right
    gap = " " if own == _BINDING["+"] else ""
    return f"{_guarded(arguments[0], left)}{gap}{operation}{gap}{_guarded(arguments[1], right)}", own


def _written_constant(content: Any) -> tuple[str, int]:
    if not isinstance(content, float):
        return f"<array of shape {content[0]}>", _TIGHTEST
    for name, value in CONSTANTS.items():
        if content == value:
            return name, _TIGHTEST
    text = repr(content).removesuffix(".0")
    return text, _BINDING["negative"] if content < 0 or text.startswith("-") else _TIGHTEST


def _guarded(argument: tuple[str, int], wanted: int) -> str:
    text, binding = argument
    return text if binding >= wanted else f"({text})"

"""Expressions read from text: an allow-list over Python's own syntax tree, and nothing is ever evaluated."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.expressions.operations import CONSTANTS, FUNCTIONS, OPERATIONS
from photosim.expressions.tracer import Expr, clip, combine, constant, symbol

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LENGTH = 1000
"""Characters that a parsed expression may have."""
MAX_DEPTH = 100
"""Levels of nesting that a parsed expression may have."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Expr:
    """Read an expression: numbers, names, ``+ - * / **``, parentheses, ``pi`` and the functions here.

    Raises:
        ParameterError: anything else, a text longer than MAX_LENGTH or nested deeper than MAX_DEPTH.
    """
    if len(text) > MAX_LENGTH:
        message = (
            f"an expression may have at most {MAX_LENGTH} characters; {clip(text, 20)!r} has {len(text)}"
        )
        raise ParameterError(message)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # '1and 2' warns before it is refused below
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ParameterError(f"{clip(text)!r} is not an arithmetic expression") from None
    return _convert(tree, text, 0)


_BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}


def _convert(node: ast.expr, text: str, depth: int) -> Expr:
    if depth > MAX_DEPTH:
        raise ParameterError(
            f"{clip(text)!r} is nested deeper than {MAX_DEPTH} levels, the bound of an expression"
        )
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return constant(value, text)
        case ast.Name() | ast.Attribute():
            name = _dotted(node, text)
            return constant(CONSTANTS[name], text) if name in CONSTANTS else symbol(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            operands = (_convert(left, text, depth + 1), _convert(right, text, depth + 1))
            return combine(_BINARY[type(op)], *operands)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_convert(operand, text, depth + 1)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _convert(operand, text, depth + 1)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _function(name, [_convert(a, text, depth + 1) for a in arguments], text)
    found = ast.unparse(node) if depth + 50 < MAX_DEPTH else text
    hint = " (a power is written '**')" if "^" in found else ""
    raise ParameterError(
        f"{clip(found)!r} is not allowed in the expression {clip(text)!r}{hint}; "
        f"it may have numbers, names, + - * / **, parentheses and {listing(FUNCTIONS, 20)}"
    )


def _function(name: str, arguments: list[Expr], text: str) -> Expr:
    if name not in FUNCTIONS:
        hint = did_you_mean(name, FUNCTIONS)
        raise ParameterError(f"{clip(text)!r} calls {name!r}; it may call {listing(FUNCTIONS, 20)}.{hint}")
    wanted = len(OPERATIONS[name].slopes)
    if len(arguments) != wanted:
        raise ParameterError(f"{name!r} in {clip(text)!r} takes {wanted} argument(s), not {len(arguments)}")
    return combine(name, *arguments)


def _dotted(node: ast.expr, text: str) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < MAX_DEPTH:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise ParameterError(f"{clip(text)!r} takes a part of something that is not a name")
    return ".".join([node.id, *reversed(parts)])

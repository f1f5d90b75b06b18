"""Arithmetic expressions over named symbols: strings in netlists, and tracers through composites.

An :class:`Expr` is built in two ways. :func:`parse` reads the text that a netlist has where a number is
wanted (``"2*pi*radius + 1"``). A composite component is called with symbols instead of numbers, and the
arithmetic that it does to them is recorded. Either way the result can be evaluated over arrays, and gives
its exact partial derivatives, so that a gradient reaches the parameter that a person has written; only
``round``, which has none, passes a gradient on as if it did not round.

    >>> circumference = parse("2*pi*radius")
    >>> circumference.evaluate({"radius": 0.5}) == circumference.partials({"radius": 0.5})["radius"] / 2
    True
    >>> str(2 * symbol("radius") + sqrt(symbol("gap")))
    '2*radius + sqrt(gap)'

All arithmetic is real and in double precision. Nothing here can hang or fill the memory: length, depth and
number of operations are bounded, and powers are taken in floating point, where an overflow is an error.
"""

from photosim.expressions.functions import (
    abs,  # noqa: A004 - it has this name in expressions
    arccos,
    arcsin,
    arctan,
    cos,
    exp,
    log,
    maximum,
    minimum,
    mod,
    round,  # noqa: A004 - it has this name in expressions
    sin,
    sqrt,
    tan,
)
from photosim.expressions.operations import CONSTANTS, FUNCTIONS
from photosim.expressions.text import MAX_DEPTH, MAX_LENGTH, parse
from photosim.expressions.tracer import MAX_NODES, Expr, symbol

__all__ = [
    "CONSTANTS",
    "FUNCTIONS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_NODES",
    "Expr",
    "abs",
    "arccos",
    "arcsin",
    "arctan",
    "cos",
    "exp",
    "log",
    "maximum",
    "minimum",
    "mod",
    "parse",
    "round",
    "sin",
    "sqrt",
    "symbol",
    "tan",
]

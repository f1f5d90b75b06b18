"""Arithmetic expressions over named symbols: strings in netlists, and tracers through composites.

An :class:`Expr` is built in two ways. :func:`parse` reads the text that a netlist has where a number is
wanted (``"2*pi*radius + 1"``). A composite component is called with symbols instead of numbers, and the
arithmetic that it does to them is recorded. Either way the result can be evaluated over arrays, and gives
its exact partial derivatives, so that a gradient reaches the parameter a person has written.

All arithmetic is real and in double precision. Nothing here can hang or fill the memory: texts, depth and
node counts are bounded, and powers are taken in floating point, where an overflow is an error.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from photosim.errors import ParameterError, did_you_mean, listing

__all__ = [
    "CONSTANTS", "FUNCTIONS", "MAX_DEPTH", "MAX_LENGTH", "MAX_NODES", "Expr", "abs", "arccos", "arcsin", "arctan",
    "cos", "exp", "log", "maximum", "minimum", "parse", "sin", "sqrt", "symbol", "tan",
]  # fmt: skip

FloatArray = NDArray[np.float64]
Number = float | FloatArray
# One step of a program: operation, leaf (name, float, or shape and bytes of an array), indices of arguments.
_Step = tuple[str, Any, tuple[int, ...]]

MAX_LENGTH = 1000
"""Characters that a parsed expression may have."""
MAX_DEPTH = 100
"""Levels of nesting that a parsed expression may have."""
MAX_NODES = 10_000
"""Operations that a traced expression may have, written out as a tree."""
CONSTANTS: Mapping[str, float] = {"pi": math.pi}


@dataclass(frozen=True)
class _Operation:
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


_FUNCTIONS: Mapping[str, _Operation] = {
    "sqrt": _Operation(np.sqrt, (lambda _, y: 0.5 / y,)),
    "exp": _Operation(np.exp, (lambda _, y: y,)),
    "log": _Operation(np.log, (lambda a, _: 1.0 / a,)),
    "sin": _Operation(np.sin, (lambda a, _: np.cos(a),)),
    "cos": _Operation(np.cos, (lambda a, _: -np.sin(a),)),
    "tan": _Operation(np.tan, (lambda _, y: 1.0 + y * y,)),
    # (1 - a)(1 + a) keeps its digits near |a| = 1, where 1 - a*a loses them.
    "arcsin": _Operation(np.arcsin, (lambda a, _: 1.0 / np.sqrt((1.0 - a) * (1.0 + a)),)),
    "arccos": _Operation(np.arccos, (lambda a, _: -1.0 / np.sqrt((1.0 - a) * (1.0 + a)),)),
    "arctan": _Operation(np.arctan, (lambda a, _: 1.0 / (1.0 + a * a),)),
    "abs": _Operation(np.abs, (lambda a, _: np.sign(a),)),
    # At a tie the first argument carries the slope, so that the slopes always add to one.
    "minimum": _Operation(np.minimum, (lambda a, b, _: a <= b, lambda a, b, _: a > b)),
    "maximum": _Operation(np.maximum, (lambda a, b, _: a >= b, lambda a, b, _: a < b)),
}
_OPERATIONS: Mapping[str, _Operation] = {
    "+": _Operation(np.add, (_one, _one)),
    "-": _Operation(np.subtract, (_one, _minus_one)),
    "*": _Operation(np.multiply, (lambda _, b, __: b, lambda a, _, __: a)),
    "/": _Operation(np.divide, (lambda _, b, __: 1.0 / b, lambda _, b, y: -y / b)),
    "**": _Operation(np.power, (_slope_of_base, _slope_of_exponent)),
    "negative": _Operation(np.negative, (_minus_one,)),
    **_FUNCTIONS,
}
FUNCTIONS: tuple[str, ...] = tuple(_FUNCTIONS)
"""Names of the functions that an expression may call."""
_UFUNCS: Mapping[str, str] = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/", "power": "**", "float_power": "**",
    "negative": "negative", "absolute": "abs", **{name: name for name in _FUNCTIONS},
}  # fmt: skip
# How tightly an operation binds when written; leaves and calls bind tightest.
_BINDING: Mapping[str, int] = {"+": 1, "-": 1, "*": 2, "/": 2, "negative": 3, "**": 4}
_TIGHTEST = 5


class Expr:
    """Immutable real expression; make one with :func:`symbol` or :func:`parse`.

    Arithmetic with numbers, arrays and other expressions gives expressions, and so do the functions of this
    module and their numpy namesakes. Attributes: ``names``, the symbols that it depends on.
    """

    __slots__ = ("_arguments", "_leaf", "_operation", "_size", "_steps", "names")
    names: frozenset[str]

    def __init__(self, operation: str, arguments: tuple[Expr, ...] = (), leaf: Any = None) -> None:
        """Record one operation; use :func:`symbol` and :func:`parse` instead."""
        size = 1 + sum(a._size for a in arguments)
        if size > MAX_NODES:
            raise ParameterError(
                f"an expression of more than {MAX_NODES} operations was built; split the component into smaller ones"
            )
        own = frozenset((leaf,)) if operation == "symbol" else frozenset[str]()
        names = own.union(*(a.names for a in arguments))
        fields = (arguments, leaf, operation, size, None, names)
        for slot, value in zip(self.__slots__, fields, strict=True):
            object.__setattr__(self, slot, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an expression is immutable: {name!r} cannot be set")

    def evaluate(self, values: Mapping[str, Number]) -> Number:
        """Value for the given values of the symbols: a float, or an array of their broadcast shape.

        Raises:
            ParameterError: a symbol has no value, shapes do not fit, or the result is not finite.
        """
        return self._finite(self._run(values)[-1], "")

    def partials(self, values: Mapping[str, Number]) -> dict[str, Number]:
        """Exact derivative with respect to every symbol, each of the shape of the value.

        Raises:
            ParameterError: as :meth:`evaluate`; also where a derivative is not finite, as for sqrt at 0.
        """
        work = self._run(values)
        self._finite(work[-1], "")
        adjoint: list[Any] = [0.0] * len(work)
        adjoint[-1] = np.ones(np.shape(work[-1]))
        result = {name: np.zeros(np.shape(work[-1])) for name in sorted(self.names)}
        active = self._active()
        with np.errstate(all="ignore"):
            for at in reversed(range(len(work))):
                operation, leaf, arguments = self._program[at]
                if operation == "symbol":
                    result[leaf] = result[leaf] + adjoint[at]
                for slope, argument in zip(_slopes(operation), arguments, strict=True):
                    if active[argument]:  # a constant exponent has no use for the logarithm of its base
                        inner = [work[i] for i in arguments]
                        adjoint[argument] = adjoint[argument] + adjoint[at] * slope(*inner, work[at])
        return {name: self._finite(value, f"derivative by {name!r} of ") for name, value in result.items()}

    def rename(self, mapping: Mapping[str, str]) -> Expr:
        """The same expression with symbols renamed; names that are not in the mapping stay."""
        return _rebuild(tuple(
            (op, mapping.get(leaf, leaf) if op == "symbol" else leaf, args) for op, leaf, args in self._program
        ))  # fmt: skip

    @property
    def _program(self) -> tuple[_Step, ...]:
        """Steps in an order of evaluation, equal sub-expressions once; the same for equal expressions."""
        if self._steps is None:
            object.__setattr__(self, "_steps", _flatten(self))
        steps: tuple[_Step, ...] = self._steps
        return steps

    def _active(self) -> list[bool]:
        active: list[bool] = []
        for operation, _, arguments in self._program:
            active.append(operation == "symbol" or any(active[i] for i in arguments))
        return active

    def _run(self, values: Mapping[str, Number]) -> list[Any]:
        work: list[Any] = []
        with np.errstate(all="ignore"):
            for operation, leaf, arguments in self._program:
                if operation == "symbol":
                    work.append(self._value_of(leaf, values))
                elif operation == "constant":
                    work.append(leaf if isinstance(leaf, float) else np.frombuffer(leaf[1]).reshape(leaf[0]))
                else:
                    work.append(self._apply(operation, [work[i] for i in arguments]))
        return work

    def _apply(self, operation: str, arguments: list[Any]) -> Any:
        try:
            return _OPERATIONS[operation].compute(*arguments)
        except ValueError:
            shapes = " and ".join(str(np.shape(a)) for a in arguments)
            raise ParameterError(f"the values in {_shown(self)} have shapes {shapes}, which do not fit") from None

    def _value_of(self, name: str, values: Mapping[str, Number]) -> Any:
        if name not in values:
            raise ParameterError(
                f"{_shown(self)} needs a value for {name!r}; given: {listing(values)}.{did_you_mean(name, values)}"
            )
        value = np.asarray(values[name])
        if value.dtype.kind not in "biuf":
            raise ParameterError(f"{name!r} in {_shown(self)} must be a real number, not {values[name]!r}")
        return value.astype(np.float64)[()]

    def _finite(self, value: Any, what: str) -> Number:
        if not np.all(np.isfinite(value)):
            raise ParameterError(f"the {what or 'value of '}{_shown(self)} is not a finite number (found {_worst(value)})")
        return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=np.float64)

    def __add__(self, other: object) -> Expr:
        return _combine("+", self, other)

    def __radd__(self, other: object) -> Expr:
        return _combine("+", other, self)

    def __sub__(self, other: object) -> Expr:
        return _combine("-", self, other)

    def __rsub__(self, other: object) -> Expr:
        return _combine("-", other, self)

    def __mul__(self, other: object) -> Expr:
        return _combine("*", self, other)

    def __rmul__(self, other: object) -> Expr:
        return _combine("*", other, self)

    def __truediv__(self, other: object) -> Expr:
        return _combine("/", self, other)

    def __rtruediv__(self, other: object) -> Expr:
        return _combine("/", other, self)

    def __pow__(self, other: object) -> Expr:
        return _combine("**", self, other)

    def __rpow__(self, other: object) -> Expr:
        return _combine("**", other, self)

    def __neg__(self) -> Expr:
        return _combine("negative", self)

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return _combine("abs", self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: object) -> Expr:
        operation = _UFUNCS.get(ufunc.__name__)
        if operation is None or method != "__call__" or options:
            raise ParameterError(f"numpy's {ufunc.__name__!r} cannot be traced; an expression has: {listing(_UFUNCS, 20)}")
        return _combine(operation, *inputs)

    def __eq__(self, other: object) -> bool:
        """Whether two expressions are written alike; comparing with a number is refused, as it hides a choice."""
        if isinstance(other, Expr):
            return self._program == other._program
        return self._refuse("compared with a number") if _is_numeric(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._program)

    def _refuse(self, how: str = "compared") -> NoReturn:
        raise ParameterError(
            f"{_shown(self)} is {how}, but has no value while a circuit is put together: a parameter that "
            "shapes the circuit's structure must be declared in structural=(...)"
        )

    def __lt__(self, other: object) -> bool:
        self._refuse()

    __le__ = __gt__ = __ge__ = __lt__

    def __bool__(self) -> bool:
        self._refuse("used as a condition")

    def __float__(self) -> float:
        self._refuse("used as a plain number")

    def __int__(self) -> int:
        self._refuse("used as a plain number")

    def __complex__(self) -> complex:
        self._refuse("used as a plain number")

    def __index__(self) -> int:
        self._refuse("used as a count")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._program,)  # the nodes themselves would nest too deeply for pickle

    def __repr__(self) -> str:
        return f"Expr({str(self)!r})"

    def __str__(self) -> str:
        """Text that :func:`parse` reads back to an equal expression (within its bounds, and without arrays)."""
        texts: list[tuple[str, int]] = []
        for step in self._program:
            texts.append(_written(step, [texts[i] for i in step[2]]))
        return texts[-1][0]


def symbol(name: str) -> Expr:
    """The expression that consists of one name (``"radius"``, or dotted as in ``"ring.radius"``)."""
    if not name or name in CONSTANTS:
        raise ParameterError(f"{name!r} cannot name a parameter: it {'is a constant' if name else 'is empty'}")
    return Expr("symbol", (), name)


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


@lru_cache(maxsize=4096)
def parse(text: str) -> Expr:
    """Read an expression: numbers, names, ``+ - * / **``, parentheses, ``pi`` and the functions of this module.

    Raises:
        ParameterError: anything else, a text longer than MAX_LENGTH or nested deeper than MAX_DEPTH.
    """
    if len(text) > MAX_LENGTH:
        raise ParameterError(f"an expression may have {MAX_LENGTH} characters; {text[:20]!r}... has {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # '1and 2' warns before it is refused below
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ParameterError(f"{_clip(text)!r} is not an arithmetic expression") from None
    return _convert(tree, text, 0)


_BINARY: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


def _convert(node: ast.expr, text: str, depth: int) -> Expr:
    if depth > MAX_DEPTH:
        raise ParameterError(f"{_clip(text)!r} is nested deeper than the {MAX_DEPTH} levels that an expression may have")
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _constant(value, text)
        case ast.Name() | ast.Attribute():
            name = _dotted(node, text)
            return _constant(CONSTANTS[name], text) if name in CONSTANTS else symbol(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _combine(_BINARY[type(op)], _convert(left, text, depth + 1), _convert(right, text, depth + 1))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_convert(operand, text, depth + 1)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _convert(operand, text, depth + 1)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _function(name, [_convert(a, text, depth + 1) for a in arguments], text)
    found = ast.unparse(node) if depth + 50 < MAX_DEPTH else text
    hint = " (a power is written '**')" if "^" in found else ""
    raise ParameterError(
        f"{_clip(found)!r} is not allowed in the expression {_clip(text)!r}{hint}; "
        f"it may have numbers, names, + - * / **, parentheses and {listing(FUNCTIONS)}"
    )


def _function(name: str, arguments: list[Expr], text: str) -> Expr:
    if name not in _FUNCTIONS:
        raise ParameterError(
            f"{_clip(text)!r} calls {name!r}; an expression may call {listing(FUNCTIONS)}.{did_you_mean(name, FUNCTIONS)}"
        )
    wanted = len(_FUNCTIONS[name].slopes)
    if len(arguments) != wanted:
        raise ParameterError(f"{name!r} in {_clip(text)!r} takes {wanted} argument(s), not {len(arguments)}")
    return _combine(name, *arguments)


def _dotted(node: ast.expr, text: str) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < MAX_DEPTH:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise ParameterError(f"{_clip(text)!r} takes a part of something that is not a name")
    return ".".join([node.id, *reversed(parts)])


def _constant(value: Any, text: str) -> Expr:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ParameterError(f"{_clip(text)!r} holds a number that is not finite in double precision")
    return Expr("constant", (), number)


def _is_numeric(value: object) -> bool:
    return isinstance(value, Real | np.number | np.ndarray)


def _wrap(value: object) -> Expr | None:
    """Expression of a constant; None for what is not a number."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, complex | np.complexfloating):
        raise ParameterError(f"expressions are real, and {value!r} is complex")
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.ndim:
        array = np.ascontiguousarray(value, dtype=np.float64)
        return Expr("constant", (), (array.shape, array.tobytes()))
    if isinstance(value, Real | np.number | np.ndarray) and np.ndim(value) == 0:
        return _constant(value, str(value))
    return None


def _combine(operation: str, *operands: object) -> Expr:
    arguments = [_wrap(operand) for operand in operands]
    if any(a is None for a in arguments):
        return cast("Expr", NotImplemented)  # the caller is an operator: Python then asks the other side
    nodes = tuple(a for a in arguments if a is not None)
    if operation == "negative":
        inner = nodes[0]
        if inner._operation == "negative":
            return inner._arguments[0]
        if inner._operation == "constant" and isinstance(inner._leaf, float):
            return Expr("constant", (), -inner._leaf)
    return Expr(operation, nodes)


def _call(name: str, *arguments: Any) -> Any:
    if any(isinstance(a, Expr) for a in arguments):
        result = _combine(name, *arguments)
        if result is NotImplemented:
            raise ParameterError(f"{name!r} takes numbers, arrays and expressions, not {arguments!r}")
        return result
    with np.errstate(all="ignore"):
        value = _FUNCTIONS[name].compute(*arguments)
    if not np.all(np.isfinite(value)):
        raise ParameterError(f"{name}({', '.join(map(repr, arguments))}) is not a finite number")
    return float(value) if np.ndim(value) == 0 else value


def _slopes(operation: str) -> tuple[Callable[..., Any], ...]:
    return _OPERATIONS[operation].slopes if operation in _OPERATIONS else ()


def _flatten(root: Expr) -> tuple[_Step, ...]:
    """Steps of an expression, arguments first, each distinct one once; without recursion, as tracers go deep."""
    steps: dict[_Step, int] = {}
    done: dict[int, int] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [a for a in reversed(node._arguments) if id(a) not in done]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        step = (node._operation, node._leaf, tuple(done[id(a)] for a in node._arguments))
        done[id(node)] = steps.setdefault(step, len(steps))
    return tuple(steps)


def _rebuild(program: tuple[_Step, ...]) -> Expr:
    nodes: list[Expr] = []
    for operation, leaf, arguments in program:
        nodes.append(Expr(operation, tuple(nodes[i] for i in arguments), leaf))
    return nodes[-1]


def _written(step: _Step, arguments: list[tuple[str, int]]) -> tuple[str, int]:
    """Text of one step and how tightly it binds."""
    operation, leaf, _ = step
    if operation == "symbol":
        return leaf, _TIGHTEST
    if operation == "constant":
        return _written_constant(leaf)
    texts = [text for text, _ in arguments]
    if operation not in _BINDING:
        return f"{operation}({', '.join(texts)})", _TIGHTEST
    own = _BINDING[operation]
    if operation == "negative":
        return "-" + _guarded(arguments[0], own + 1), own
    left, right = (own + 1, own) if operation == "**" else (own, own + 1)  # powers group from the right
    gap = " " if own == _BINDING["+"] else ""
    return f"{_guarded(arguments[0], left)}{gap}{operation}{gap}{_guarded(arguments[1], right)}", own


def _written_constant(leaf: Any) -> tuple[str, int]:
    if not isinstance(leaf, float):
        return f"<array of shape {leaf[0]}>", _TIGHTEST
    for name, value in CONSTANTS.items():
        if leaf == value:
            return name, _TIGHTEST
    text = repr(leaf).removesuffix(".0")
    return text, _BINDING["negative"] if leaf < 0 or text.startswith("-") else _TIGHTEST


def _guarded(argument: tuple[str, int], wanted: int) -> str:
    text, binding = argument
    return text if binding >= wanted else f"({text})"


def _worst(value: Any) -> float:
    flat = np.ravel(value)
    return float(flat[~np.isfinite(flat)][0])


def _shown(expression: Expr) -> str:
    return repr(_clip(str(expression)))


def _clip(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."

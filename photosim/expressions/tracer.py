"""The expression itself: a record of arithmetic, evaluated and differentiated over arrays."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.expressions.operations import CONSTANTS, FUNCTIONS, OPERATIONS, Step, write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FloatArray = NDArray[np.float64]
Number = float | FloatArray

MAX_NODES = 10_000
"""Operations that a traced expression may have, written out as a tree."""
_UFUNCS: Mapping[str, str] = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "float_power": "**",
    "negative": "negative",
    "absolute": "abs",
    **{name: name for name in FUNCTIONS},
    "rint": "round",
    "remainder": "mod",
}


class Expr:
    """Immutable real expression; make one with :func:`symbol` or :func:`parse`.

    Arithmetic with numbers, arrays and other expressions gives expressions, and so do the functions of this
    module and their numpy namesakes. Attributes: ``names``, the symbols that it depends on.
    """

    __slots__ = ("_steps", "arguments", "content", "names", "operation", "size")
    _steps: tuple[Step, ...] | None
    arguments: tuple[Expr, ...]
    content: Any
    names: frozenset[str]
    operation: str
    size: int

    def __init__(self, operation: str, arguments: tuple[Expr, ...] = (), content: Any = None) -> None:
        size = 1 + sum(a.size for a in arguments)
        if size > MAX_NODES:
            raise ParameterError(
                f"an expression of more than {MAX_NODES} operations was built: split the component"
            )
        own = frozenset((content,)) if operation == "symbol" else frozenset[str]()
        names = own.union(*(a.names for a in arguments))
        fields = (None, arguments, content, names, operation, size)
        for slot, value in zip(self.__slots__, fields, strict=True):
            object.__setattr__(self, slot, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an expression is immutable: {name!r} cannot be set")

    def evaluate(self, values: Mapping[str, Number]) -> Number:
        """Value for the given values of the symbols: a float, or an array of their broadcast shape.

        Raises:
            ParameterError: a symbol has no value, shapes do not fit, or the result is not finite.
        """
        return self._finite(self._run(values)[-1], "value")

    def partials(self, values: Mapping[str, Number]) -> dict[str, Number]:
        """Exact derivative with respect to every symbol, each of the shape of the value.

        Raises:
            ParameterError: as :meth:`evaluate`; also where a derivative is not finite, as for sqrt at 0.
        """
        work = self._run(values)
        self._finite(work[-1], "value")
        adjoint: list[Any] = [0.0] * len(work)
        adjoint[-1] = np.ones(np.shape(work[-1]))
        result = {name: np.zeros(np.shape(work[-1])) for name in sorted(self.names)}
        active = self._active()
        with np.errstate(all="ignore"):
            for at in reversed(range(len(work))):
                operation, content, arguments = self.program[at]
                if operation == "symbol":
                    result[content] = result[content] + adjoint[at]
                for slope, argument in zip(_slopes(operation), arguments, strict=True):
                    if active[argument]:  # a constant exponent has no use for the logarithm of its base
                        inner = [work[i] for i in arguments]
                        adjoint[argument] = adjoint[argument] + adjoint[at] * slope(*inner, work[at])
        return {name: self._finite(value, f"derivative by {name!r}") for name, value in result.items()}

    def rename(self, mapping: Mapping[str, str]) -> Expr:
        """The same expression with symbols renamed; names that are not in the mapping stay."""
        steps = [(op, mapping.get(own, own) if op == "symbol" else own, a) for op, own, a in self.program]
        return _rebuild(tuple(steps))

    @property
    def program(self) -> tuple[Step, ...]:
        """Steps in an order of evaluation, equal sub-expressions once; the same for equal expressions."""
        if self._steps is None:
            object.__setattr__(self, "_steps", _flatten(self))
        return cast("tuple[Step, ...]", self._steps)

    def _active(self) -> list[bool]:
        active: list[bool] = []
        for operation, _, arguments in self.program:
            active.append(operation == "symbol" or any(active[i] for i in arguments))
        return active

    def _run(self, values: Mapping[str, Number]) -> list[Any]:
        if len(self.program) == 1 and self.program[0][0] == "symbol":
            return [self._value_of(self.program[0][1], values)]
        work: list[Any] = []
        with np.errstate(all="ignore"):
            for operation, content, arguments in self.program:
                if operation == "symbol":
                    work.append(self._value_of(content, values))
                elif operation == "constant":
                    number = isinstance(content, float)
                    work.append(content if number else np.frombuffer(content[1]).reshape(content[0]))
                else:
                    work.append(self._apply(operation, [work[i] for i in arguments]))
        return work

    def _apply(self, operation: str, arguments: list[Any]) -> Any:
        try:
            return OPERATIONS[operation].compute(*arguments)
        except ValueError:
            shapes = " and ".join(str(np.shape(a)) for a in arguments)
            message = f"the values in {_shown(self)} have shapes {shapes}, which do not fit"
            raise ParameterError(message) from None

    def _value_of(self, name: str, values: Mapping[str, Number]) -> Any:
        if name not in values:
            hint = did_you_mean(name, values)
            raise ParameterError(
                f"{_shown(self)} needs a value for {name!r}; given: {listing(values)}.{hint}"
            )
        value = np.asarray(values[name])
        if value.dtype.kind not in "iuf":
            raise ParameterError(f"{name!r} in {_shown(self)} must be a real number, not {values[name]!r}")
        return value.astype(np.float64)[()]

    def _finite(self, value: Any, what: str) -> Number:
        if not np.all(np.isfinite(value)):
            raise ParameterError(
                f"the {what} of {_shown(self)} is not a finite number (found {_worst(value)})"
            )
        return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=np.float64)

    def __add__(self, other: object) -> Expr:
        return combine("+", self, other)

    def __radd__(self, other: object) -> Expr:
        return combine("+", other, self)

    def __sub__(self, other: object) -> Expr:
        return combine("-", self, other)

    def __rsub__(self, other: object) -> Expr:
        return combine("-", other, self)

    def __mul__(self, other: object) -> Expr:
        return combine("*", self, other)

    def __rmul__(self, other: object) -> Expr:
        return combine("*", other, self)

    def __truediv__(self, other: object) -> Expr:
        return combine("/", self, other)

    def __rtruediv__(self, other: object) -> Expr:
        return combine("/", other, self)

    def __pow__(self, other: object) -> Expr:
        return combine("**", self, other)

    def __rpow__(self, other: object) -> Expr:
        return combine("**", other, self)

    def __neg__(self) -> Expr:
        return combine("negative", self)

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return combine("abs", self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: object) -> Expr:
        operation = _UFUNCS.get(ufunc.__name__)
        if operation is None or method != "__call__" or options:
            known = listing(_UFUNCS, 20)
            raise ParameterError(f"numpy's {ufunc.__name__!r} cannot be traced; an expression has: {known}")
        return combine(operation, *inputs)

    def __eq__(self, other: object) -> bool:
        """Whether two are written alike; comparing with a number is refused, as it hides a choice."""
        if isinstance(other, Expr):
            return self.program == other.program
        if _is_numeric(other):
            self._refuse("compared with a number")
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.program)

    def _refuse(self, how: str = "compared") -> NoReturn:
        raise ParameterError(
            f"{_shown(self)} is {how}, but has no value while a circuit is put together: a parameter that "
            "shapes the circuit's structure must be declared in structural=(...)"
        )

    def __lt__(self, other: object) -> bool:
        self._refuse()

    __le__ = __gt__ = __ge__ = __lt__

    def __bool__(self) -> bool:  # noqa: PLE0304 - it always raises
        self._refuse("used as a condition")

    def __float__(self) -> float:
        self._refuse("used as a plain number")

    def __int__(self) -> int:
        self._refuse("used as a plain number")

    def __complex__(self) -> complex:
        self._refuse("used as a plain number")

    def __index__(self) -> int:  # noqa: PLE0305 - it always raises
        self._refuse("used as a count")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.program,)  # the nodes themselves would nest too deeply for pickle

    def __repr__(self) -> str:
        return f"Expr({str(self)!r})"

    def __str__(self) -> str:
        """Text that parse reads back to an equal expression, within its bounds and unless it holds arrays."""
        return write(self.program)


def symbol(name: str) -> Expr:
    """The expression that consists of one name (``"radius"``, or dotted as in ``"ring.radius"``)."""
    if not name or name in CONSTANTS:
        raise ParameterError(
            f"{name!r} cannot name a parameter: it {'is a constant' if name else 'is empty'}"
        )
    return Expr("symbol", (), name)


def constant(value: Any, text: str) -> Expr:
    """Expression of a number; `text` is where it stands, for the message if it is not finite."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ParameterError(f"{clip(text)!r} holds a number that is not finite in double precision")
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
    if isinstance(value, Real | np.number) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return constant(value, str(value))
    return None


def combine(operation: str, *operands: object) -> Expr:
    """Expression of an operation; NotImplemented if an operand is not a number, as operators want it."""
    arguments = [_wrap(operand) for operand in operands]
    if any(a is None for a in arguments):
        return cast("Expr", NotImplemented)  # the caller is an operator: Python then asks the other side
    nodes = tuple(a for a in arguments if a is not None)
    if operation == "negative":
        inner = nodes[0]
        if inner.operation == "negative":
            return inner.arguments[0]
        if inner.operation == "constant" and isinstance(inner.content, float):
            return Expr("constant", (), -inner.content)
    return Expr(operation, nodes)


def _slopes(operation: str) -> tuple[Callable[..., Any], ...]:
    return OPERATIONS[operation].slopes if operation in OPERATIONS else ()


def _flatten(root: Expr) -> tuple[Step, ...]:
    """Steps of an expression, arguments first, each distinct one once; no recursion, as tracers go deep."""
    steps: dict[Step, int] = {}
    done: dict[int, int] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [a for a in reversed(node.arguments) if id(a) not in done]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        step = (node.operation, node.content, tuple(done[id(a)] for a in node.arguments))
        done[id(node)] = steps.setdefault(step, len(steps))
    return tuple(steps)


def _rebuild(program: tuple[Step, ...]) -> Expr:
    nodes: list[Expr] = []
    for operation, content, arguments in program:
        nodes.append(Expr(operation, tuple(nodes[i] for i in arguments), content))
    return nodes[-1]


def _worst(value: Any) -> float:
    flat = np.ravel(value)
    return float(flat[~np.isfinite(flat)][0])


def _shown(expression: Expr) -> str:
    return repr(clip(str(expression)))


def clip(text: str, limit: int = 80) -> str:
    """Text cut to a length that a message can show."""
    return text if len(text) <= limit else text[: limit - 3] + "..."

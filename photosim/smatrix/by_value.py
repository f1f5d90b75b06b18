"""What results have in common: equality by value, short reprs, arrays that stay; functions of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from photosim.display import Brief
from photosim.reals import shown

if TYPE_CHECKING:
    from photosim.smatrix.matrix import SMatrix


class ByValue(Brief):
    """Results that are equal where all that they hold is equal, arrays element by element, NaN to NaN."""

    def __eq__(self, other: object) -> bool:
        """Return whether the other result is of the same class and holds the same."""
        if type(other) is not type(self):
            return NotImplemented
        names = [f.name for f in fields(self) if f.compare]  # type: ignore[arg-type]
        return all(same(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]


def keep(result: Any) -> None:
    """Make the arrays of a frozen result read-only, without a copy: it stays what was computed or read."""
    for name in ("wl", "values"):
        held = np.asarray(getattr(result, name)).view()
        held.flags.writeable = False
        object.__setattr__(result, name, held)


def same(a: Any, b: Any) -> bool:
    """Return whether two values of a result are equal."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        floats = all(np.asarray(x).dtype.kind in "fc" for x in (a, b))
        return np.array_equal(a, b, equal_nan=floats)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if hasattr(a, "identical") and type(a) is type(b):  # xarray's
        return bool(a.identical(b))
    if isinstance(a, partial) and isinstance(b, partial):
        return same((a.func, a.args, a.keywords), (b.func, b.args, b.keywords))
    if is_dataclass(a) and type(a) is type(b) and not isinstance(a, ByValue):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.compare)
    if isinstance(a, float) and isinstance(b, float):
        return a == b or bool(np.isnan(a) and np.isnan(b))
    return bool(a == b)


Maker = TypeVar("Maker", bound="Callable[..., Any]")


class Remade:
    """A function of an S-matrix, such as a loss, that crosses processes as the call that made it."""

    def __init__(self, maker: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._call = maker, _own(arguments), _own(named)
        self._made = vars(maker)["__wrapped__"](*arguments, **named)  # checks its arguments

    def __call__(self, s: SMatrix) -> Any:
        """Return what the function makes of an S-matrix."""
        return self._made(s)

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes as the call that made it."""
        maker, arguments, named = self._call
        return partial(maker, **named), arguments

    def __eq__(self, other: object) -> bool:
        """Return whether the other one was made by an equal call."""
        return isinstance(other, Remade) and same(self._call, other._call)

    def __hash__(self) -> int:
        """Return a hash of what made it."""
        return hash(self._call[0])

    def __repr__(self) -> str:
        """Return the call that made it."""
        maker, arguments, named = self._call
        given = [*map(shown, arguments), *(f"{name}={shown(value)}" for name, value in named.items())]
        return f"{maker.__name__}({', '.join(given)})"


def _own(value: Any) -> Any:
    """Return a value that its giver's later changes do not reach: arrays, and lists and dicts of them."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {name: _own(entry) for name, entry in value.items()}
    return type(value)(map(_own, value)) if type(value) in {list, tuple} else value


def remade(maker: Maker) -> Maker:
    """Return a maker of functions of an S-matrix that cross processes."""

    @wraps(maker)
    def made(*arguments: Any, **named: Any) -> Any:
        return Remade(made, arguments, named)

    return made  # type: ignore[return-value]

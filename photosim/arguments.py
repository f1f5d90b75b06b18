"""Arguments of public functions held to their annotations: one sentence for one that is something else.

A public function begins with `check_arguments(function, locals())`. What an annotation does not say (bounds,
shapes, names that exist) the function checks itself.
"""

from __future__ import annotations

import numbers
import os
import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from photosim.errors import ParameterError
from photosim.reals import LARGEST, NotReal, as_real, shown

_NOT_NUMBERS: tuple[type, ...] = (bool, np.bool_, np.timedelta64)
_NOT_LISTS = (str, bytes, bytearray, memoryview, Mapping)
_REAL_ARRAYS = {"ArrayLike", "FloatArray", "RealArray", "LabelArray", "ByteArray"}
_COMPLEX_ARRAYS = {"ComplexArray", "Numbers"}
_ANYTHING = {"Any", "object"}


class _Kind(NamedTuple):
    """One alternative of an annotation: the noun of a message, and whether a value is one."""

    noun: str
    fits: Callable[[Any], bool]


def check_arguments(function: Callable[..., Any], found: Mapping[str, Any]) -> None:
    """Raise ParameterError for the first argument that is not what the function's annotation says.

    found: the arguments by name, as `locals()` has them in the first line of the function; those that it
    leaves out are not checked.
    """
    for name, kinds in _kinds_of(function):
        if name not in found:
            continue
        value = found[name]
        if not any(kind.fits(value) for kind in kinds):
            nouns = " or ".join(dict.fromkeys(kind.noun for kind in kinds))
            where = function.__qualname__.removesuffix(".__init__").removesuffix(".__call__")
            message = f"{where}: {name} must be {nouns}, got {shown(value)}."
            raise ParameterError(message)


def read_names(argument: str, value: Any) -> tuple[str, ...]:
    """Return an argument of a call that lists names; ParameterError where it is anything else."""
    refuse_settings(argument, value)
    if isinstance(value, str):
        message = f"{argument} must be a list of names, as in {argument}=[{value!r}], got the text {value!r}."
        raise ParameterError(message)
    if not is_names(value):
        message = f"{argument} must be a list of names, got {shown(value)}."
        raise ParameterError(message)
    return tuple(value)


def refuse_settings(argument: str, value: Any) -> None:
    """Raise ParameterError for settings of an instance whose name is that of an argument of the call."""
    if isinstance(value, Mapping):
        message = (
            f"{argument} is an argument of this call, so settings of an instance called {argument!r} need "
            f"dotted names, as in **{{'{argument}.{next(iter(value), 'length')}': ...}}."
        )
        raise ParameterError(message)


@lru_cache(maxsize=512)
def _kinds_of(function: Callable[..., Any]) -> tuple[tuple[str, tuple[_Kind, ...]], ...]:
    """Return the arguments of a function that can be checked, each with what it may be."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    written = {name: function.__annotations__.get(name, "Any") for name in names}
    table = {name: _alternatives(str(text)) for name, text in written.items() if name not in {"self", "cls"}}
    return tuple((name, kinds) for name, kinds in table.items() if kinds)


def _alternatives(annotation: str) -> tuple[_Kind, ...]:
    """Return what an annotation allows; empty where anything goes."""
    texts = [text.strip() for text in re.split(r"\|(?![^\[]*\])", annotation)]
    if _ANYTHING.intersection(texts):
        return ()
    return tuple(_kind(text) for text in texts)


def _kind(text: str) -> _Kind:
    head, _, inner = text.removesuffix("]").partition("[")
    name = head.rpartition(".")[2]
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name in {"Sequence", "Collection", "Iterable", "list", "tuple", "set"}:
        return _list_of(name, inner)
    if name in {"Mapping", "dict"}:
        return _Kind("a mapping of names", _is_table if inner.startswith("str") else _is_mapping)
    if name == "NDArray":
        kinds = "iufc" if "complex" in inner or inner == "Any" else "iuf"
        return _Kind("an array of numbers", lambda v: isinstance(v, np.ndarray) and v.dtype.kind in kinds)
    article = "an" if name[0] in "AEIOU" else "a"
    return _Kind(f"{article} {name}", lambda v: any(c.__name__ == name for c in type(v).__mro__))


def _list_of(name: str, inner: str) -> _Kind:
    if name == "tuple" and inner.count("str") == inner.count(",") + 1 and "..." not in inner:
        count = inner.count("str")
        return _Kind(f"{count} names", lambda v: is_names(v) and len(v) == count)
    if inner.startswith("tuple[str, str]"):
        return _Kind("a list of pairs of names", lambda v: _is_list(v) and all(_is_pair(e) for e in v))
    if inner.startswith("str"):
        return _Kind("a list of names", is_names)
    return _Kind("a list", _is_list)


def _is_list(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    return isinstance(value, Collection) and not isinstance(value, _NOT_LISTS)


def is_names(value: Any) -> bool:
    """Return whether a value is a list, or another collection, of texts."""
    return _is_list(value) and all(isinstance(entry, str) for entry in value)


def _is_pair(value: Any) -> bool:
    return is_names(value) and len(value) == 2


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
        return not np.ma.is_masked(value)
    if isinstance(value, _NOT_NUMBERS):
        return False
    if isinstance(value, int):
        return -LARGEST <= value <= LARGEST
    return isinstance(value, float | np.integer | np.floating)


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, _NOT_NUMBERS)


def _is_real_array(value: Any) -> bool:
    try:
        as_real(value)
    except NotReal as reason:
        return "empty" in str(reason)  # a question of size, which the function answers
    return True


def _is_complex_array(value: Any) -> bool:
    if np.ma.is_masked(value):
        return False
    try:
        return np.asarray(value).dtype.kind in "iufc"
    except (TypeError, ValueError, RuntimeError):
        return False


_SIMPLE = {
    "str": _Kind("a text", lambda v: isinstance(v, str)),
    "Path": _Kind("a path", lambda v: isinstance(v, os.PathLike)),
    "PathLike": _Kind("a path", lambda v: isinstance(v, os.PathLike)),
    "bool": _Kind("true or false", lambda v: isinstance(v, bool | np.bool_)),
    "int": _Kind("a whole number", _is_whole),
    "float": _Kind("a number", _is_number),
    "None": _Kind("None", lambda v: v is None),
    "Callable": _Kind("a function", callable),
    "Loss": _Kind("a function", callable),
    **dict.fromkeys(_REAL_ARRAYS, _Kind("numbers", _is_real_array)),
    **dict.fromkeys(_COMPLEX_ARRAYS, _Kind("numbers", _is_complex_array)),
}

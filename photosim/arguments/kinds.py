"""What annotations allow: the text of each, as it is written, to nouns of messages and checks of values."""

from __future__ import annotations

import ast
import inspect
import numbers
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from photosim.reals import LARGEST, NotReal, as_real

_NOT_NUMBERS: tuple[type, ...] = (bool, np.bool_, np.timedelta64)
_LISTS = {tuple, list}
_NOT_LISTS = (str, bytes, bytearray, memoryview, Mapping)
_REAL_ARRAYS = {"ArrayLike", "FloatArray", "RealArray", "LabelArray", "ByteArray"}
_COMPLEX_ARRAYS = {"ComplexArray", "Numbers"}
_PLAIN = {*sys.stdlib_module_names, "numpy"}
"""Modules whose values are not of classes of ours."""
_ANYTHING = {"Any", "object", "DTypeLike", "T"}


class Kind(NamedTuple):
    """One alternative of an annotation: the noun of a message, and whether a value is one."""

    noun: str
    fits: Callable[[Any], bool]
    of_class: bool = False
    """Whether the class of a value decides."""


@lru_cache(maxsize=512)
def kinds_of(function: Callable[..., Any]) -> tuple[tuple[str, tuple[Kind, ...]], ...]:
    """Return the arguments of a function that can be checked, each with what it may be."""
    function = inspect.unwrap(function)  # of a public one, what it was before
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    written = {name: function.__annotations__.get(name, "Any") for name in names}
    scope = function.__globals__
    table = {n: _alternatives(str(text), scope) for n, text in written.items() if n not in {"self", "cls"}}
    return tuple((name, kinds) for name, kinds in table.items() if kinds)


def _alternatives(annotation: str, scope: Mapping[str, Any]) -> tuple[Kind, ...]:
    """Return what an annotation allows; empty where anything goes.  scope: the globals of its function."""
    texts = [text.strip() for text in re.split(r"\|(?![^\[]*\])", annotation.strip("'\""))]
    if _ANYTHING.intersection(texts):
        return ()
    found = [_kinds(text, scope) for text in texts]
    return tuple(kind for kinds in found for kind in kinds) if all(found) else ()


def _kinds(text: str, scope: Mapping[str, Any]) -> tuple[Kind, ...]:
    """Return what one alternative of an annotation allows."""
    head, _, inner = text.removesuffix("]").partition("[")
    name = head.rpartition(".")[2]
    if name in _SIMPLE:
        return (_SIMPLE[name],)
    if name == "Annotated":
        return _alternatives(_split(inner)[0], scope)
    if name == "Literal":
        choices = ast.literal_eval(f"({inner},)")
        noun = "one of " + ", ".join(map(repr, choices))
        # Another text is left to the function, which knows the nearest name.
        return (Kind(noun, lambda v: isinstance(v, str) or (isinstance(v, int) and v in choices)),)
    if name in {"dtype", "type", *_ANYTHING}:
        return ()
    if name in {"Sequence", "Collection", "Iterable", "list", "tuple", "set"}:
        return (_list_of(name, inner, scope),)
    if name in {"Mapping", "dict"}:
        entries = _split(inner)
        holds = _alternatives(entries[1], scope) if len(entries) > 1 else ()
        table = _is_table if inner.startswith("str") else _is_mapping
        noun = "a mapping of names" + (f" to {holds[0].noun}" if len(holds) == 1 else "")
        return (Kind(noun, lambda v: table(v) and _all_fit(v.values(), holds)),)
    if name in {"NDArray", "ndarray"}:
        kinds = "iuf"
        if "complex" in inner or "bool" in inner or inner in {"", "Any"}:
            kinds = "iufcb"
        return (Kind("an array of numbers", lambda v: _is_array(v, kinds)),)
    return _named(name, scope)


def _split(inner: str) -> list[str]:
    """Return the types in brackets, apart at the commas that are in no brackets of their own."""
    found, depth, start = [], 0, 0
    for at, letter in enumerate(inner):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth:
            found.append(inner[start:at].strip())
            start = at + 1
    return [text for text in [*found, inner[start:].strip()] if text]


def _named(name: str, scope: Mapping[str, Any]) -> tuple[Kind, ...]:
    """Return what a class, a protocol or an alias of a type allows."""
    meant = _meaning(name, scope)
    article = "an" if name[0] in "AEIOU" else "a"
    if isinstance(meant, type):
        members = getattr(meant, "__protocol_attrs__", None) or _members(meant)
        if getattr(meant, "_is_protocol", False):
            return (Kind(f"{article} {name}", lambda v: _has(v, members)),)
    elif meant is not None:
        return _alternatives(meant if isinstance(meant, str) else str(meant), scope)
    # A protocol that was not imported may stand behind a name that nothing holds.
    return (
        Kind(
            f"{article} {name}",
            lambda v: (
                any(c.__name__ == name for c in type(v).__mro__)
                or (meant is None and type(v).__module__.split(".")[0] not in _PLAIN)
            ),
            of_class=True,
        ),
    )


def _members(protocol: type) -> frozenset[str]:
    """Return the names that a protocol asks for; Python before 3.12 does not keep them."""
    classes = [c for c in protocol.__mro__ if getattr(c, "_is_protocol", False) and c.__name__ != "Protocol"]
    names = {name for c in classes for name in (*vars(c), *getattr(c, "__annotations__", {}))}
    return frozenset(name for name in names if not name.startswith("_"))


def _has(value: Any, members: Collection[str]) -> bool:
    return not isinstance(value, type) and all(hasattr(value, name) for name in members)


def _meaning(name: str, scope: Mapping[str, Any]) -> Any:
    """Return what a name of an annotation stands for, or None where only type checkers import it."""
    if name in scope:
        return scope[name]
    home, own = _imports(scope.get("__name__", "")).get(name, ("", name))
    if home in sys.modules:
        return vars(sys.modules[home]).get(own)
    # Behind an alias stand names of its own module: one that means a single thing in all of photosim.
    modules = [m for n, m in sys.modules.items() if n.startswith("photosim.")]
    found = {id(meant): meant for m in modules if (meant := vars(m).get(name)) is not None}
    return next(iter(found.values())) if len(found) == 1 else None


@cache
def _imports(module: str) -> dict[str, tuple[str, str]]:
    """Return module and name of what a module imports from others, for type checkers alone too."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError):  # typed at a prompt, or installed without its source
        return {}
    lines = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {n.asname or n.name: (line.module or "", n.name) for line in lines for n in line.names}


def _list_of(name: str, inner: str, scope: Mapping[str, Any]) -> Kind:
    entries = _split(inner)
    if name == "tuple" and "..." not in entries and entries:
        each = [_alternatives(text, scope) for text in entries]
        noun = f"{len(each)} names" if set(entries) == {"str"} else f"a list of {len(each)}"
        if set(entries) == {"str"}:
            return Kind(noun, lambda v: is_names(v) and len(v) == len(each))
        return Kind(noun, lambda v: _is_list(v) and len(v) == len(each) and all(map(_fits, v, each)))
    if inner.startswith("tuple[str, str]"):
        return Kind("a list of pairs of names", lambda v: _is_list(v) and all(_is_pair(e) for e in v))
    if inner.startswith("str"):
        return Kind("a list of names", is_names)
    of = _alternatives(entries[0], scope) if entries else ()
    nouns = [kind.noun.removeprefix("an ").removeprefix("a ") for kind in of]
    plural = " or ".join(dict.fromkeys(f"{noun}s" if noun.isalpha() else noun for noun in nouns))
    return Kind(
        f"a list of {plural}" if plural and len(of) == 1 else "a list",
        lambda v: _is_list(v) and _all_fit(_held_by(v), of),
    )


def _held_by(values: Any) -> Any:
    """Return the members of a list; of an empty array one that it could have."""
    if isinstance(values, np.ndarray) and not len(values):
        return np.zeros(1, values.dtype)
    return values


def _fits(value: Any, kinds: tuple[Kind, ...]) -> bool:
    return not kinds or any(kind.fits(value) for kind in kinds)


def _all_fit(values: Iterable[Any], kinds: tuple[Kind, ...]) -> bool:
    """Return whether all values are what they may be; of a class one, where that tells."""
    if all(kind.of_class for kind in kinds):
        values = {type(value): value for value in values}.values()
    return all(_fits(value, kinds) for value in values)


def _is_array(value: Any, kinds: str) -> bool:
    if type(value) is np.ndarray:
        return value.dtype.kind in kinds
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds and not np.ma.isMaskedArray(value)


def _is_list(value: Any) -> bool:
    if type(value) in _LISTS:
        return True
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    return isinstance(value, Collection) and not isinstance(value, _NOT_LISTS)


def is_names(value: Any) -> bool:
    """Return whether a value is a list, or another collection, of texts."""
    return _is_list(value) and _are_texts(_held_by(value))


def _are_texts(values: Collection[Any]) -> bool:
    return set(map(type, values)) <= {str} or all(isinstance(value, str) for value in values)


def _is_pair(value: Any) -> bool:
    return is_names(value) and len(value) == 2


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and _are_texts(value)


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
    "str": Kind("a text", lambda v: isinstance(v, str)),
    "Path": Kind("a path", lambda v: isinstance(v, os.PathLike)),
    "PathLike": Kind("a path", lambda v: isinstance(v, os.PathLike)),
    "bool": Kind("true or false", lambda v: isinstance(v, bool | np.bool_)),
    "int": Kind("a whole number", _is_whole),
    "float": Kind("a number", _is_number),
    "complex": Kind("a number", lambda v: _is_number(v) or isinstance(v, complex | np.complexfloating)),
    "None": Kind("None", lambda v: v is None),
    "Callable": Kind("a function", callable),
    "Loss": Kind("a function", callable),
    "Progress": Kind("a function", callable),
    **dict.fromkeys(_REAL_ARRAYS, Kind("numbers", _is_real_array)),
    **dict.fromkeys(_COMPLEX_ARRAYS, Kind("numbers", _is_complex_array)),
}

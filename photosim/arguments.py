"""Arguments of public functions held to their annotations: one sentence for one that is something else.

Public functions and classes are declared `@public`; methods begin with `check_arguments(method, locals())`.
What an annotation does not say (bounds, shapes, names that exist) the function checks itself.
"""

from __future__ import annotations

import ast
import inspect
import numbers
import os
import re
import sys
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, wraps
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.reals import LARGEST, NotReal, as_real, shown

T = TypeVar("T")
_NOT_NUMBERS: tuple[type, ...] = (bool, np.bool_, np.timedelta64)
_NOT_LISTS = (str, bytes, bytearray, memoryview, Mapping)
_REAL_ARRAYS = {"ArrayLike", "FloatArray", "RealArray", "LabelArray", "ByteArray"}
_COMPLEX_ARRAYS = {"ComplexArray", "Numbers"}
_PLAIN = {*sys.stdlib_module_names, "numpy"}
"""Modules whose values are not of classes of ours."""
_ANYTHING = {"Any", "object", "DTypeLike", "T"}


class _Kind(NamedTuple):
    """One alternative of an annotation: the noun of a message, and whether a value is one."""

    noun: str
    fits: Callable[[Any], bool]


@overload
def public(thing: T) -> T: ...
@overload
def public(*, types: bool) -> Callable[[T], T]: ...
def public(thing: Any = None, *, types: bool = True) -> Any:
    """Return a function, or a class with an `__init__`, whose arguments are held to its signature.

    A call that does not fit it, as by a misspelt name, and an argument that is not what its annotation says
    raise ParameterError in a sentence.  types: look at annotations too; not where that takes longer than the
    call, or where others look later.
    """
    if thing is None:
        return lambda other: public(other) if types else _public(other, types=False)
    return _public(thing, types=True)


def _public(thing: Any, *, types: bool) -> Any:
    if isinstance(thing, type):
        thing.__init__ = _held(vars(thing)["__init__"], "", types=types)  # type: ignore[misc]
        return thing
    return _held(thing, thing.__qualname__, types=types)


def _held(function: Any, own: str, *, types: bool) -> Any:
    """Return a function whose arguments are held to its signature; own: its name, empty for a class."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]

    @wraps(function)
    def held(*arguments: Any, **named: Any) -> Any:
        title = own or type(arguments[0]).__qualname__
        if types and len(arguments) <= len(names):
            check_arguments(function, {**dict(zip(names, arguments, strict=False)), **named}, title)
        try:
            return function(*arguments, **named)
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:  # of this very call
                raise ParameterError(_unfit(function, title, arguments, named)) from None
            raise

    return held


def _unfit(function: Any, title: str, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    """Return the sentence on a call that does not fit a signature."""
    parameters = dict(inspect.signature(function).parameters)
    if next(iter(parameters), "") == "self":
        parameters.pop("self")
        arguments = arguments[1:]
    known = [name for name, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    for name in named:
        if name not in known:
            message = f"{title} has no argument {name!r}. It has: {listing(known, 20)}."
            return message + did_you_mean(name, known)
    places = [
        name for name, p in parameters.items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(arguments) > len(places):
        said = f"takes {len(places)} arguments without a name" if places else "takes named arguments only"
        return f"{title} {said}, got {len(arguments)}: {title}({', '.join(f'{name}=...' for name in known)})."
    for name in places[: len(arguments)]:
        if name in named:
            return f"{title}: {name} is given twice, by its place and by its name."
    needed = [name for name in known if parameters[name].default is inspect.Parameter.empty]
    missing = [name for name in needed if name not in named and name not in places[: len(arguments)]]
    return f"{title} needs {listing(missing, 20)}. Its arguments are: {listing(known, 20)}."


def check_arguments(function: Callable[..., Any], found: Mapping[str, Any], title: str = "") -> None:
    """Raise ParameterError for the first argument that is not what the function's annotation says.

    found: the arguments by name, as `locals()` has them in the first line of the function; those that it
    leaves out are not checked.  title: what the message calls the function.
    """
    for name, kinds in _kinds_of(function):
        if name not in found:
            continue
        value = found[name]
        if not any(kind.fits(value) for kind in kinds):
            nouns = " or ".join(dict.fromkeys(kind.noun for kind in kinds))
            where = title or function.__qualname__.removesuffix(".__init__").removesuffix(".__call__")
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
    function = inspect.unwrap(function)  # of a public one, what it was before
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    written = {name: function.__annotations__.get(name, "Any") for name in names}
    scope = function.__globals__
    table = {n: _alternatives(str(text), scope) for n, text in written.items() if n not in {"self", "cls"}}
    return tuple((name, kinds) for name, kinds in table.items() if kinds)


def _alternatives(annotation: str, scope: Mapping[str, Any]) -> tuple[_Kind, ...]:
    """Return what an annotation allows; empty where anything goes.  scope: the globals of its function."""
    texts = [text.strip() for text in re.split(r"\|(?![^\[]*\])", annotation.strip("'\""))]
    if _ANYTHING.intersection(texts):
        return ()
    found = [_kinds(text, scope) for text in texts]
    return tuple(kind for kinds in found for kind in kinds) if all(found) else ()


def _kinds(text: str, scope: Mapping[str, Any]) -> tuple[_Kind, ...]:
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
        return (_Kind(noun, lambda v: isinstance(v, str) or (isinstance(v, int) and v in choices)),)
    if name in {"dtype", "type", *_ANYTHING}:
        return ()
    if name in {"Sequence", "Collection", "Iterable", "list", "tuple", "set"}:
        return (_list_of(name, inner, scope),)
    if name in {"Mapping", "dict"}:
        entries = _split(inner)
        holds = _alternatives(entries[1], scope) if len(entries) > 1 else ()
        table = _is_table if inner.startswith("str") else _is_mapping
        noun = "a mapping of names" + (f" to {holds[0].noun}" if len(holds) == 1 else "")
        return (_Kind(noun, lambda v: table(v) and all(_fits(entry, holds) for entry in v.values())),)
    if name in {"NDArray", "ndarray"}:
        kinds = "iuf"
        if "complex" in inner or "bool" in inner or inner in {"", "Any"}:
            kinds = "iufcb"
        return (_Kind("an array of numbers", lambda v: _is_array(v, kinds)),)
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


def _named(name: str, scope: Mapping[str, Any]) -> tuple[_Kind, ...]:
    """Return what a class, a protocol or an alias of a type allows."""
    meant = _meaning(name, scope)
    article = "an" if name[0] in "AEIOU" else "a"
    if isinstance(meant, type):
        members = getattr(meant, "__protocol_attrs__", None) or _members(meant)
        if getattr(meant, "_is_protocol", False):
            return (_Kind(f"{article} {name}", lambda v: _has(v, members)),)
    elif meant is not None:
        return _alternatives(meant if isinstance(meant, str) else str(meant), scope)
    # A protocol that was not imported may stand behind a name that nothing holds.
    return (
        _Kind(
            f"{article} {name}",
            lambda v: (
                any(c.__name__ == name for c in type(v).__mro__)
                or (meant is None and type(v).__module__.split(".")[0] not in _PLAIN)
            ),
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
    for module in [m for n, m in sys.modules.items() if n.startswith("photosim.")]:
        found = vars(module).get(name)
        if found is not None:
            return found
    return None


def _list_of(name: str, inner: str, scope: Mapping[str, Any]) -> _Kind:
    entries = _split(inner)
    if name == "tuple" and "..." not in entries and entries:
        each = [_alternatives(text, scope) for text in entries]
        noun = f"{len(each)} names" if set(entries) == {"str"} else f"a list of {len(each)}"
        return _Kind(noun, lambda v: _is_list(v) and len(v) == len(each) and all(map(_fits, v, each)))
    if inner.startswith("tuple[str, str]"):
        return _Kind("a list of pairs of names", lambda v: _is_list(v) and all(_is_pair(e) for e in v))
    if inner.startswith("str"):
        return _Kind("a list of names", is_names)
    of = _alternatives(entries[0], scope) if entries else ()
    nouns = [kind.noun.removeprefix("an ").removeprefix("a ") for kind in of]
    plural = " or ".join(dict.fromkeys(f"{noun}s" if noun.isalpha() else noun for noun in nouns))
    return _Kind(
        f"a list of {plural}" if plural and len(of) == 1 else "a list",
        lambda v: _is_list(v) and all(_fits(e, of) for e in v),
    )


def _fits(value: Any, kinds: tuple[_Kind, ...]) -> bool:
    return not kinds or any(kind.fits(value) for kind in kinds)


def _is_array(value: Any, kinds: str) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds and not np.ma.isMaskedArray(value)


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
    "complex": _Kind("a number", lambda v: _is_number(v) or isinstance(v, complex | np.complexfloating)),
    "None": _Kind("None", lambda v: v is None),
    "Callable": _Kind("a function", callable),
    "Loss": _Kind("a function", callable),
    "Progress": _Kind("a function", callable),
    **dict.fromkeys(_REAL_ARRAYS, _Kind("numbers", _is_real_array)),
    **dict.fromkeys(_COMPLEX_ARRAYS, _Kind("numbers", _is_complex_array)),
}

"""Keys of kept work: a hash of everything that decides its numbers, or a refusal."""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NoReturn

import numpy as np

from photosim.errors import DataError


def fingerprint(*values: Any) -> str:
    """Return a hash of the content of records, arrays, sparse matrices, functions, objects and plain values.

    The version of photosim is part of it. A function counts by its code, its defaults and the values that it
    takes from around it, so that two lambdas differ; an object of a class that no version number covers by
    its methods and their values too. Fields of a record that do not take part in its
    comparison (counters, caches) are left out, but for random generators, which count by their state. Raises
    DataError for a value whose content cannot be told.
    """
    import photosim

    digest = _Digest()
    digest.feed(photosim.__version__)
    digest.feed(values)
    return digest.hash.hexdigest()


class _Digest:
    """A hash that values are fed to, one after the other."""

    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=16)
        self.inside: set[int] = set()

    def feed(self, value: Any) -> None:
        """Take in one value with its type."""
        if isinstance(value, Enum):
            self._say(f"{type(value).__qualname__}.{value.name}")
            return
        match value:
            case None | bool() | int() | float() | complex() | str() | bytes() | Path():
                self._say(f"{type(value).__name__} {value!r}")
            case np.generic() | np.dtype():
                self._say(f"{type(value).__name__} {value!r}")
            case np.ndarray():
                self._array(value)
            case np.random.Generator():
                self._say(repr(value.bit_generator.state))
            case np.random.SeedSequence():
                self._say(f"{value.entropy} {value.spawn_key}")
            case Counter():
                pass  # what a device did before says nothing of what is trained
            case ModuleType():
                self._say(f"module {value.__name__}")
            case _:
                self._compound(value)

    def _say(self, text: str) -> None:
        self.hash.update(f"{text};".encode())

    def _array(self, value: Any) -> None:
        self._say(f"{type(value).__name__} {value.dtype} {value.shape}")
        if value.dtype.hasobject:
            self.feed(value.tolist())
            return
        self.hash.update(np.ascontiguousarray(value).tobytes())
        if isinstance(value, np.ma.MaskedArray):
            self.hash.update(np.ma.getmaskarray(value).tobytes())

    def _compound(self, value: Any) -> None:
        """Take in what holds other values; what holds itself is met once."""
        if id(value) in self.inside:
            self._say("again")
            return
        self.inside.add(id(value))
        self._say(_name(value))
        if not isinstance(value, type) and not _installed(type(value).__module__):
            self.feed(type(value))  # what its methods do
        for inner in _contents(value):
            self.feed(inner)
        self.inside.discard(id(value))


def _name(value: Any) -> str:
    named = value if isinstance(getattr(value, "__qualname__", None), str) else type(value)
    return f"{getattr(named, '__module__', '')}.{named.__qualname__}"


def _contents(value: Any) -> list[Any]:  # noqa: C901 - one case a kind of value
    """Return all that decides what a container, record, function or object is."""
    match value:
        case Mapping():
            return [len(value), *value.items()]
        case list() | tuple():
            return [len(value), *value]
        case set() | frozenset():
            return sorted(fingerprint(item) for item in value)
        case CodeType():
            return [value.co_code, value.co_consts, value.co_names, value.co_varnames, value.co_freevars]
        case FunctionType():
            return _of_function(value)
        case MethodType():
            return [value.__func__, value.__self__]
        case functools.partial():
            return [value.func, value.args, value.keywords]
        case BuiltinFunctionType():  # of a module, or of the value that it belongs to
            return [value.__name__, value.__self__]
        case np.ufunc():
            return [value.__name__] if _known(value) else _refused(value)
        case type():
            return [] if _installed(value.__module__) else _of_class(value)
    if is_dataclass(value):
        known = [getattr(value, item.name) for item in fields(value) if item.compare]
        hidden = [getattr(value, item.name) for item in fields(value) if not item.compare]
        return [*known, *(own for own in hidden if isinstance(own, np.random.Generator))]
    return _of_object(value)


def _of_function(value: FunctionType) -> list[Any]:
    """Return code, defaults, closure and, for code that no version number covers, the globals it names."""
    cells = [cell.cell_contents for cell in value.__closure__ or ()]
    found: list[Any] = [value.__code__, value.__defaults__, value.__kwdefaults__, cells]
    if not _installed(value.__module__):
        names = sorted(_named(value.__code__) & value.__globals__.keys())
        found += [(name, value.__globals__[name]) for name in names]
    return found


def _of_class(value: type) -> list[Any]:
    """Return the bases of a class, and its methods and attributes by name."""
    own = [(name, inner) for name, inner in vars(value).items() if _counts(name, inner)]
    return [*value.__bases__, *sorted(own, key=lambda pair: pair[0])]


def _counts(name: str, own: Any) -> bool:
    """Return whether an attribute of a class decides what its objects do: code, or a value of its own."""
    made = name.startswith(("__", "_abc_")) or inspect.isdatadescriptor(own)
    return _code(own) or not made


def _known(function: np.ufunc) -> bool:
    """Return whether a function is numpy's or scipy's own, and no Python code in its form."""
    from scipy import special

    name = function.__name__
    return any(getattr(module, name, None) is function for module in (np, special))


def _named(code: CodeType) -> set[str]:
    """Return the names that code looks up, that of functions inside it too."""
    inner = [_named(own) for own in code.co_consts if isinstance(own, CodeType)]
    return set(code.co_names).union(*inner)


def _installed(module: str | None) -> bool:
    """Return whether a module is photosim's, the standard library's or of an installed package."""
    if module is None:  # code that was run without a name
        return False
    root = module.partition(".")[0]
    if root == "photosim" or (root in sys.stdlib_module_names and root != "__main__"):
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return bool({"site-packages", "dist-packages"} & set(Path(file).parts))


def _code(own: Any) -> bool:
    return isinstance(own, FunctionType | staticmethod | classmethod | property) or inspect.isroutine(own)


def _of_object(value: Any) -> list[Any]:
    if isinstance(value, staticmethod | classmethod):
        return [value.__func__]
    if isinstance(value, functools.cached_property):
        return [value.func]
    if isinstance(value, property):
        return [value.fget]
    if hasattr(value, "tocsr") and hasattr(value, "nnz"):  # a sparse matrix, in whatever order it is kept
        rows = value.tocsr(copy=True)
        rows.sum_duplicates()
        return [rows.shape, rows.indptr, rows.indices, rows.data]
    pickled = any(
        "__reduce__" in vars(kind) for kind in type(value).__mro__[:-1]
    )  # by what it says of itself, as circuits do
    if hasattr(value, "__dict__") and not pickled:
        own = vars(value).items()
        return sorted((name, inner) for name, inner in own if not _cached(value, name))
    try:
        made = value.__reduce_ex__(4)
    except TypeError:
        made = None
    return _refused(value) if made is None or isinstance(made, str) else list(made)


def _refused(value: Any) -> NoReturn:
    message = (
        f"A {_name(value)} cannot be part of a checkpoint's key, because photosim cannot compare its "
        "content: train without a checkpoint, or use a dataclass or a function."
    )
    raise DataError(message)


def _cached(value: Any, name: str) -> bool:
    return isinstance(getattr(type(value), name, None), functools.cached_property)

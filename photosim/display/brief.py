"""Reprs of a line or two: arrays by their shapes, tables by their sizes, records by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from photosim.errors import listing

LONGEST = 240
"""Letters of a repr, at most: three lines of a notebook."""
_WORD = 60
_FEW = 4
_KINDS = {"c": "complex", "f": "real", "i": "whole", "u": "whole", "b": "true or false"}
_SCALARS = (bool, int, float, complex, np.generic, type(None))


class Brief:
    """Records whose repr is a line or two, unless they write their own."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Give the class the short repr, or its parent's, before `dataclass` would give it the long one."""
        super().__init_subclass__(**more)
        if "__repr__" not in vars(cls):
            own = cls.__repr__
            cls.__repr__ = brief if own is object.__repr__ else own  # type: ignore[method-assign]


def brief(record: Any) -> str:
    """Return a record as its class and its fields, each in a few words, at most 240 letters."""
    parts: list[str] = []
    name = type(record).__name__
    for one in fields(record):
        if one.repr:
            parts.append(f"{one.name}={_short(getattr(record, one.name))}")
            if len(", ".join(parts)) + len(name) > LONGEST - 6:
                return f"{name}({', '.join([*parts[:-1], '...'])})"
    return f"{name}({', '.join(parts)})"


def rows(record: Any) -> dict[str, str]:
    """Return the fields of a record that its repr has, each in a few words."""
    return {
        one.name.replace("_", " "): _short(getattr(record, one.name)) for one in fields(record) if one.repr
    }


def listed(wl: Any) -> str:
    """Return wavelengths (W,) in um as "2001 wavelengths, 1.54 to 1.56 um"."""
    if np.size(wl) == 1:
        return f"1 wavelength, {float(np.ravel(wl)[0]):.6g} um"
    return f"{np.size(wl)} wavelengths, {float(np.min(wl)):.6g} to {float(np.max(wl)):.6g} um"


def _short(value: Any) -> str:
    """Return a value in a few words; an array by its shape, an object by its class."""
    if isinstance(value, str):
        return _cut(repr(value))
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    if isinstance(value, _SCALARS):
        return _cut(str(value))
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, Path):
        return _cut(repr(str(value)))
    if hasattr(value, "sizes") and hasattr(value, "dims"):  # xarray's
        return f"{type(value).__name__}({', '.join(f'{n}: {s}' for n, s in value.sizes.items())})"
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple | AbstractSet):
        return _sequence(value)
    return _object(value)


def _array(value: np.ndarray[Any, Any]) -> str:
    if value.ndim == 0:
        return _short(value.item())
    if value.ndim == 1 and value.size <= _FEW:
        return f"[{', '.join(_short(entry) for entry in value.tolist())}]"
    shape = " x ".join(map(str, value.shape))
    return f"<{shape} {_KINDS.get(value.dtype.kind, str(value.dtype))}>"


def _mapping(value: Mapping[Any, Any]) -> str:
    if len(value) > _FEW:
        return f"<{len(value)} entries: {listing(map(str, list(value)[:2]))}, ...>"
    return _cut("{" + ", ".join(f"{key!r}: {_short(entry)}" for key, entry in value.items()) + "}")


def _sequence(value: Iterable[Any]) -> str:
    entries = list(value)
    whole = f"({', '.join(map(_short, entries))})" if len(entries) <= _FEW else ""
    if whole and len(whole) <= _WORD:
        return whole
    kinds = {type(entry).__name__ for entry in entries}
    return f"<{len(entries)} {kinds.pop() if len(kinds) == 1 else 'entries'}>"


def _object(value: Any) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        name = next(
            (text for n in ("name", "rule") if isinstance(text := getattr(value, n, None), str)), None
        )
        return f"{type(value).__name__}({'...' if name is None else _cut(repr(name))})"
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, Callable) and hasattr(value, "__name__"):  # type: ignore[arg-type]
        return str(value.__name__)
    with suppress(Exception):  # objects of others may fail in any way
        text = repr(value)
        if len(text) <= _WORD and "\n" not in text and " at 0x" not in text:
            return text
    return f"<{type(value).__name__}>"


def _cut(text: str) -> str:
    return text if len(text) <= _WORD else f"{text[: _WORD - 4]} ...{text[-1]}"

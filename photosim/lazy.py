"""Packages whose public names bring their modules when they are first used (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions of a package that find its public names and list them.

    They become its `__getattr__` and `__dir__`. homes: the module that holds each public name, below the
    package; a module that is public itself is its own home.
    """

    def getattr_(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            from photosim.errors import did_you_mean

            message = f"module {package!r} has no attribute {name!r}.{did_you_mean(name, list(homes))}"
            raise AttributeError(message, name=name)
        module = importlib.import_module(f"{package}.{home}")
        value = module if home == name else getattr(module, name)
        setattr(sys.modules[package], name, value)  # the next use is an ordinary look-up
        return value

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return getattr_, dir_

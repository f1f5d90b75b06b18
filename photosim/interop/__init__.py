"""Bridges to other packages; each needs its extra, as in `pip install 'photosim[sax]'`."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["jax", "sax", "torch"]


def __getattr__(name: str) -> Any:
    """Import a bridge, and the package on its other side, when it is first used (PEP 562)."""
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    from photosim.errors import did_you_mean

    message = f"module 'photosim.interop' has no attribute {name!r}.{did_you_mean(name, __all__)}"
    raise AttributeError(message, name=name)

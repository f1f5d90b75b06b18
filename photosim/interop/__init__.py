"""Bridges to other packages; each needs its extra, as in `pip install 'photosim[sax]'`."""

from __future__ import annotations

from photosim.lazy import attach

__all__ = ["jax", "sax", "torch"]


__getattr__, __dir__ = attach(__name__, {name: name for name in __all__})

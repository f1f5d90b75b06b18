"""Compiled kernels: arrays in, arrays out; each file is closed over itself, as numba's cache needs.

Importing this package imports all of its files, with numba told to keep their
machine code in the user's cache folder. Beside the source, where numba would
keep it, pip does not know of it: it would outlive an uninstall, and the folder
left with it in site-packages would hide an editable install made later.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numba

from photosim.caching import guard, writable_folder

# numba looks at its setting when a function is decorated, and the user's own kernels keep theirs.
_config: Any = numba.config  # its names are made while numba loads, unseen by type checkers
_before = _config.CACHE_DIR
_config.CACHE_DIR = _before or str(writable_folder())
try:
    for _module in pkgutil.iter_modules(__path__):
        guard(importlib.import_module(f"{__name__}.{_module.name}"))
finally:
    _config.CACHE_DIR = _before

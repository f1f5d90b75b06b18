"""Compiled kernels: arrays in, arrays out; each file is closed over itself, as numba's cache needs.

Each file is loaded when it is first used, with numba told to keep its machine code in the user's cache
folder. Beside the source, where numba would keep it, pip does not know of it: it would outlive an uninstall,
and the folder left with it in site-packages would hide an editable install made later.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

from photosim.caching import guard, writable_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def _seeming_absent(name: str) -> Iterator[None]:
    """Let a package that nothing has loaded so far seem absent."""
    modules: dict[str, Any] = sys.modules
    if name in modules:
        yield
        return
    modules[name] = None  # so Python marks what it is not to find
    try:
        yield
    finally:
        if name in modules and modules[name] is None:
            del modules[name]


# numba loads the whole of coverage where that is installed, for lines that it compiles while coverage runs.
with _seeming_absent("coverage"):
    import numba


class _Loader(SourceFileLoader):
    """Loads a file of kernels."""

    def exec_module(self, module: ModuleType) -> None:
        # numba looks at its setting when a function is decorated, and the user's own kernels keep theirs.
        config: Any = numba.config  # its names are made while numba loads, unseen by type checkers
        before = config.CACHE_DIR
        config.CACHE_DIR = before or str(writable_folder())
        try:
            super().exec_module(module)
            guard(module)
        finally:
            config.CACHE_DIR = before


class _Finder:
    """Finds the files of this package, and no others."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.rpartition(".")[0] != __name__:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


sys.meta_path.insert(0, _Finder)

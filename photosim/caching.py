"""Where kernels are kept between sessions on this machine, and how damage there is found.

Every file ends with a checksum of its content. A damaged one is thrown away and made again with a
warning, and a folder that is full costs a compilation in each session, not an error. A kernel that is
found there is ready without the parts of numba that compile.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

_DIGEST = hashlib.sha256().digest_size
_SUM = "\n# sha256: "
FOLDER = "compiled"


class CacheWarning(UserWarning):
    """Compiled kernels that could not be read or kept; results do not depend on them."""


def user_folder() -> Path:
    """Return the folder of photosim's files here: $PHOTOSIM_CACHE, else the user's cache folder."""
    chosen = os.environ.get("PHOTOSIM_CACHE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("photosim")


def cache_folder() -> Path:
    """Return the folder of kernels."""
    return user_folder() / FOLDER


def follow(before: Path, place: Path) -> None:
    """Begin a folder of kernels with those of another one: linked where the disk allows it, else copied.

    Files there are only ever replaced as a whole, so that neither folder sees what the other one does later.
    """

    def take(source: str, target: str) -> str:
        try:
            os.link(source, target)
        except FileExistsError:
            pass
        except OSError:
            shutil.copy2(source, target)
        return target

    if (before / FOLDER).is_dir():
        with suppress(shutil.Error):  # what another process replaced meanwhile is made again
            shutil.copytree(before / FOLDER, place / FOLDER, copy_function=take, dirs_exist_ok=True)


@cache
def writable_folder() -> Path:
    """Return the cache folder, or where it cannot be written a temporary one that ends with the process."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="photosim-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def read_text(path: Path) -> str | None:
    """Return a text that `write_text` kept; None if there is none, or, with a warning, a damaged one."""
    try:
        text, mark, digest = (
            path.read_text(encoding="utf-8").rpartition(_SUM) if _whole(path) else ("", "", "")
        )
    except OSError:
        return None
    except UnicodeDecodeError:
        text, mark, digest = "", "", ""
    if mark and digest.strip() == hashlib.sha256(text.encode()).hexdigest():
        return text
    _warn(f"The kept kernel {path} is damaged: it is made again.")
    return None


def _whole(path: Path) -> bool:
    """Return whether a file or nothing lies in the place of a kept file; what else lies there is removed."""
    if path.is_file() or not path.exists():
        return True
    _discard(path)
    return False


def _discard(path: Path) -> None:
    """Remove what lies in the place of a kept file; a folder that holds something is left alone."""
    with suppress(OSError):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Keep a text with its checksum, whole or not at all; OSError where the folder cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{text}{_SUM}{hashlib.sha256(text.encode()).hexdigest()}\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def guard(*modules: ModuleType) -> None:
    """Give every kernel of these modules that numba caches checked files and a quick way from them."""
    for module in modules:
        for value in list(vars(module).values()):
            guard_kernel(value)


def guard_kernel(value: Any) -> None:
    """Do so for one kernel, where it is one that numba caches."""
    kept = getattr(getattr(value, "_cache", None), "_cache_file", None)
    if kept is not None and not isinstance(kept, _checked_files()):
        base = kept._index_name.removesuffix(".nbi")  # noqa: SLF001 - numba has no public way to say where
        value._cache._cache_file = _checked_files()(kept._cache_path, base, kept._source_stamp)  # noqa: SLF001
        with suppress(ImportError, AttributeError):  # another version of numba may be built in another way
            _quicken(value._cache)  # noqa: SLF001


def _quicken(kept: Any) -> None:
    """Let a kernel's cache load machine code without all that numba knows of types and functions.

    numba loads that before it looks into a cache, and again where it compiles. It takes longer than all else
    of a first small result; machine code that is there needs none of it, only the counts of references.
    """
    from numba.core.runtime.nrt import rtsys

    look, watched = kept._load_overload, kept._guard_against_spurious_io_errors  # noqa: SLF001

    def load_overload(signature: Any, target: Any) -> Any:
        rtsys.initialize(target)
        found = None
        with watched():
            found = look(signature, target)
        if found is None:
            with suppress(ImportError, AttributeError):
                _load_algebra()
        return found

    kept.load_overload = load_overload


@cache
def _load_algebra() -> None:
    """Load numba's functions of arrays, without all of scipy.linalg.

    numba imports that before it first compiles, to see whether it is there. It is, as scipy is needed anyway,
    and a kernel that calls it finds it later.
    """
    from numba.np import linalg

    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        import numba.np.arraymath  # noqa: F401 - the import is what is wanted
    finally:
        linalg.ensure_blas = look


@cache
def _checked_files() -> type:  # noqa: C901 - a class, not a function, is what is long
    """Return numba's pair of index and data file, with checksums. A function, since numba loads late."""
    from numba.core.caching import IndexDataCacheFile

    base: Any = IndexDataCacheFile  # numba has no types

    class CheckedFiles(base):  # type: ignore[misc]
        """Index and data of one kernel; what is damaged counts as absent, what cannot be kept is not kept."""

        def load(self, key: Any) -> Any:
            """Return the machine code kept for a signature, or None."""
            try:
                return super().load(key)
            except Exception:  # noqa: BLE001 - whatever unpickling damaged bytes may raise
                self._forget()
                return None

        def save(self, key: Any, data: Any) -> None:
            """Keep the machine code of a signature."""
            reason: Any = "something is in their place"
            for _ in range(2):
                try:
                    super().save(key, data)
                except OSError as error:
                    reason = error.strerror or error
                    break
                except Exception:  # noqa: BLE001 - as in `load`: the index is read before it is written
                    self._forget()
                else:
                    return
            _warn_once(f"Compiled kernels cannot be kept in {self._cache_path}: {reason}.")

        def _forget(self) -> None:
            _discard(Path(self._index_path))
            _warn(f"The kept kernel {self._index_path} is damaged: it is compiled again.")

        def _dump(self, obj: Any) -> bytes:
            data: bytes = super()._dump(obj)
            return data + hashlib.sha256(data).digest()

        def _load_index(self) -> Any:
            self._check(Path(self._index_path), after_version=True)
            return super()._load_index()

        def _load_data(self, name: str) -> Any:
            self._check(Path(self._data_path(name)))
            return super()._load_data(name)

        def _save_data(self, name: str, data: Any) -> None:
            _whole(Path(self._data_path(name)))
            super()._save_data(name, data)

        def _check(self, path: Path, *, after_version: bool = False) -> None:
            """Raise ValueError for a wrong checksum; an index has numba's version before its content."""
            import pickle

            if not _whole(path):
                message = "not a file"
                raise ValueError(message)
            try:
                with path.open("rb") as file:
                    if after_version and pickle.load(file) != self._version:  # noqa: S301 - numba's own file
                        return
                    content = file.read()
            except FileNotFoundError:
                return
            if hashlib.sha256(content[:-_DIGEST]).digest() != content[-_DIGEST:]:
                message = "checksum"
                raise ValueError(message)

    return CheckedFiles


def _warn(text: str) -> None:
    warnings.warn(text, CacheWarning, stacklevel=2)


@cache
def _warn_once(text: str) -> None:
    warnings.warn(f"{text} They are compiled again in each session.", CacheWarning, stacklevel=2)

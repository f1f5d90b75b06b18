"""What runs on the workers of a cluster: one thread, a folder of kernels of their own, one work in memory."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from photosim.errors import ClusterError, PhotosimWarning
from photosim.jobs.work import Arrays, Work

Files = dict[str, tuple[str, str]]
"""Python files by name: their text, and the name of a component that they declare."""
_alone = threading.Lock()
"""A worker computes one chunk at a time, however many threads it was given."""
_held: dict[str, Work] = {}
"""The work that this worker computes, by its key."""


def whole(payload: bytes) -> bytes:
    """Return a work's pickle: as a task of its own, a cluster sends it to each worker once."""
    return payload


def chunk(
    payload: bytes, key: str, version: str, files: Files, first: int, last: int
) -> tuple[Arrays, list[str]]:
    """Return the arrays of a chunk of the work that was pickled, and what was warned of.

    files: Python files of components of the user's own.
    """
    with _alone, _settled(version), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", PhotosimWarning)
        if key not in _held:
            _held.clear()
            _load(files)
            _held[key] = pickle.loads(payload)  # noqa: S301 - from the client, whose code workers run anyway
        work = _held[key]
        out = work.empty(last - first)
        work.fill(first, last, out)
    return out, list(dict.fromkeys(str(w.message) for w in said))


def call(function: Any, version: str, files: Files, *arguments: Any) -> Any:
    """Return what a function returns, on one thread."""
    with _alone, _settled(version):
        _load(files)
        return pickle.loads(function)(*arguments)  # noqa: S301 - as above


@contextmanager
def _settled(version: str) -> Iterator[None]:
    """Have one thread, and a folder of kernels of this worker's own, while the block runs."""
    from photosim import __version__

    if version != __version__:
        message = f"A worker has photosim {__version__}, and the client {version}: install the same."
        raise ClusterError(message)
    _own_cache()
    import numba
    from threadpoolctl import threadpool_limits

    before = numba.get_num_threads()
    told = os.environ.get("PHOTOSIM_THREADS")
    os.environ["PHOTOSIM_THREADS"] = "1"
    numba.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        numba.set_num_threads(before)
        os.environ.pop("PHOTOSIM_THREADS", None)
        if told is not None:
            os.environ["PHOTOSIM_THREADS"] = told


def own_folder() -> Path | None:
    """Return the folder that Dask gave this worker, and removes after it; None outside of a worker."""
    from distributed import get_worker

    try:
        return Path(get_worker().local_directory) / "photosim"
    except ValueError:
        return None


def _own_cache() -> None:
    """Keep compiled kernels in a folder of this worker's own, which begins with those of this machine."""
    from photosim.caching import follow, user_folder

    place = own_folder()
    if place is None or place.exists() or "photosim.kernels" in sys.modules:
        return  # kernels are loaded already: a worker inside of the client's process shares its own
    with suppress(OSError):
        place.mkdir(parents=True)
        before = user_folder()
        os.environ["PHOTOSIM_CACHE"] = str(place)
        follow(before, place)


def _load(files: Files) -> None:
    """Declare components of the user's own that this worker does not know, from the texts of their files."""
    if not files:
        return
    from photosim.model import registry

    place = own_folder()
    for name, (text, declared) in files.items():
        if place is None or registry.known(declared):
            continue
        path = place / "components" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        registry.load_file(path)

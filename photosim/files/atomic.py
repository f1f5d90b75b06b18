"""Files appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from photosim.errors import DataError

if sys.platform != "win32":
    import fcntl

_PREFIX = ".photosim-"
_LEFT_S = 2.0
"""Age in s from which a temporary file without a lock is taken for left behind."""
_LOCK = ".running"
"""File in a temporary folder that the process which works there keeps locked."""


def check_writable(path: Path) -> None:
    """Raise DataError unless a file can be created at `path`; leaves nothing behind.

    Called before long work, so that a mistyped folder costs a second and not an hour.
    """
    folder = path.parent
    with said_plainly(path):
        if path.is_dir():
            message = f"Cannot write {path}: it is a folder, give a file name inside it."
            raise DataError(message)
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        message = f"Cannot write {path}: the folder {folder} {found}."
        raise DataError(message)
    # Creating a file is the only honest test: permission bits say nothing to root, on network drives
    # or on read-only mounts.
    with said_plainly(path), tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` when the block ends well.

    When the block fails the temporary file is removed and what stood at `path` is untouched. Raises
    DataError when the file cannot be written.
    """
    if is_temporary(path.name):
        # A name that this function gave, to a writer that calls it again: the file there stays the one that
        # is locked, or the next writer in this folder would take it for left behind.
        with said_plainly(path):
            yield path
        return
    check_writable(path)
    _remove_left_files(path.parent)
    temporary = _unused(path.parent, path.suffix)
    try:  # named before it is made: a signal may come at any line
        with said_plainly(path):
            temporary.touch(0o600, exist_ok=False)
            with _kept_alive(temporary):
                try:
                    yield temporary
                except DataError as error:  # of a writer that was given this name
                    raise DataError(str(error).replace(str(temporary), str(path))) from error
                temporary.chmod(0o666 & ~_umask())  # as readable as the user's other files
                temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def all_or_none(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Give temporary names for several files, as `replacing` does for one; none appears if any fails."""
    with ExitStack() as stack:
        yield [stack.enter_context(replacing(path)) for path in paths]


def _unused(folder: Path, suffix: str = "") -> Path:
    """Return the name of a temporary file or folder that nobody else has."""
    return folder / f"{_PREFIX}{secrets.token_hex(8)}{suffix}"


def is_temporary(name: str) -> bool:
    """Return whether a file of that name is one that a write was renaming from when it was killed."""
    return name.startswith(_PREFIX)


def write_text(path: Path, text: str) -> None:
    """Write text to `path` as UTF-8, whole or not at all; DataError when that fails."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def staging(folder: Path, first: str = "") -> Iterator[Path]:
    """Give a temporary folder; when the block ends well move its files into `folder`, made if absent.

    first: name of the file that is moved before the others: the one that says whose they are, so that a
    process killed amid the moves does not leave files that nobody owns.
    The parent of `folder` is made too where it is missing. When the block fails nothing is left behind,
    and the files that stood in `folder` are untouched. Raises DataError when the folder cannot be written.
    """
    with making(folder):
        _remove_abandoned(folder)
        temporary = _unused(folder)
        try:  # named before it is made: a signal may come at any line
            with said_plainly(folder):
                temporary.mkdir(0o700)
                with _locked(temporary / _LOCK):
                    try:
                        yield temporary
                    except DataError as error:  # nobody can look for a file in a folder that is gone
                        raise DataError(str(error).replace(str(temporary), str(folder))) from error
                    _move_all(temporary, folder, first)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _move_all(source: Path, folder: Path, first: str) -> None:
    """Move the files of a temporary folder, that called `first` before the others."""
    for file in sorted(source.iterdir(), key=lambda path: (path.name != first, path.name)):
        if file.name != _LOCK:
            file.replace(folder / file.name)


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Make `folder` with its parents; when the block fails remove those that were made and are empty.

    Raises DataError when the folder cannot be made or written.
    """
    made = _make_folders(folder)
    finished = False
    try:
        yield
        finished = True
    finally:
        if not finished:
            for empty in reversed(made):
                with suppress(OSError):  # checkpoints, which a run that was stopped leaves, stay
                    empty.rmdir()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock on a file while the block runs: the operating system frees it however the process ends."""
    with path.open("w", encoding="utf-8") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary folders of runs that were killed: photosim made them, and nobody holds their lock."""
    if sys.platform == "win32":  # without locks nobody knows which of them are abandoned
        return
    for place in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # killed before it made the lock, or after it removed it: empty
            if time.time() - place.stat().st_mtime > _LEFT_S:
                place.rmdir()
        with suppress(OSError), (place / _LOCK).open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where a run is at work
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _kept_alive(path: Path) -> Iterator[None]:
    """Hold a lock on a temporary file, so that no other process takes it for left behind."""
    if sys.platform == "win32":
        yield
        return
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield


def _remove_left_files(folder: Path) -> None:
    """Remove temporary files of processes that were killed: old ones on which nobody holds a lock."""
    if sys.platform == "win32":
        return
    for place in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if place.is_file() and time.time() - place.stat().st_mtime > _LEFT_S:
                with place.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where somebody writes it
                    place.unlink()


def _make_folders(folder: Path) -> list[Path]:
    """Make `folder` with its parents; return those that were missing, outermost first."""
    with said_plainly(folder):
        missing = [place for place in (folder, *folder.parents) if not place.exists()][::-1]
    if folder.is_file():
        message = f"Cannot write results to {folder}: it is a file."
        raise DataError(message)
    made: list[Path] = []
    try:
        with said_plainly(folder):
            for place in missing:
                place.mkdir()
                made.append(place)
            with tempfile.TemporaryFile(dir=folder):
                pass
    except DataError:
        for place in reversed(made):
            place.rmdir()
        raise
    return made


@contextmanager
def said_plainly(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into one sentence about `path`."""
    try:
        yield
    except UnicodeEncodeError:
        message = f"Cannot write {path}: its name holds characters that no file name can have."
        raise DataError(message) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"Cannot write {path}: {reason}."
        raise DataError(message) from error


def _umask() -> int:
    """Return the process's umask; it can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

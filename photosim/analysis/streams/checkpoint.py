"""The state of a streamed run in one file that is never half."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from photosim.errors import DataError
from photosim.files.atomic import replacing

SUFFIX = ".checkpoint.npz"
"""Ending of a checkpoint's name where a run of a netlist keeps one."""
_KEY, _NEXT = "key", "next"


def save(path: Path, key: str, number: int, counted: Mapping[str, Any]) -> None:
    """Write what has been counted in the stretches before `number`; key: the fingerprint of the question."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        named = {f"count/{name}": value for name, value in counted.items()}
        np.savez(file, allow_pickle=False, **named, **{_KEY: np.array(key), _NEXT: np.array(number)})
        file.flush()
        os.fsync(file.fileno())  # on the disk before it has its name


def load(path: Path, key: str) -> tuple[int, dict[str, Any]]:
    """Return the number of the next stretch and what has been counted before it; of no file (0, {}).

    Raises DataError for a file that is damaged, and for one of another run.
    """
    if not path.exists():
        return 0, {}
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        kept, number = str(found.pop(_KEY)), int(found.pop(_NEXT))
    except Exception as error:
        message = f"{path} is not the checkpoint of a streamed run, or is damaged: remove it to start anew."
        raise DataError(message) from error
    if kept != key:
        message = (
            f"{path} is the checkpoint of another run (another circuit, drive, setting, seed, length, block "
            "or version of photosim): give another name, or remove it to start anew."
        )
        raise DataError(message)
    return number, {name.removeprefix("count/"): value for name, value in found.items()}

"""Files of results that photosim wrote, told from a user's own by the `results.json` beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from photosim.errors import DataError
from photosim.files.atomic import said_plainly

RESULTS = "results.json"
"""File of the numbers of a run; its keys `photosim` and `files` say who wrote it, and what beside it."""


def refuse_others(folder: Path, wanted: Callable[[str], bool]) -> None:
    """Raise DataError for a file that a run would replace and that photosim did not write.

    wanted: whether a run writes a file of that name.
    """
    with said_plainly(folder):
        if not folder.is_dir():
            return
    own = _own(folder)
    for path in sorted(folder.iterdir()):
        if wanted(path.name) and path.name not in own:
            message = f"{path} was not written by photosim: move it, or give another folder with --out."
            raise DataError(message)


def _own(folder: Path) -> set[str]:
    """Return the names of the files that earlier runs wrote into a folder."""
    try:
        found: Any = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    if not isinstance(found, dict) or not isinstance(found.get("photosim"), str):
        return set()
    parts = [found, *(part for part in _list(found.get("analyses")) if isinstance(part, dict))]
    return {RESULTS, *(name for part in parts for name in _list(part.get("files")) if isinstance(name, str))}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

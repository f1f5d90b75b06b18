"""Files of results that photosim wrote, told from a user's own by the `results.json` beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from photosim.errors import DataError
from photosim.files.atomic import is_temporary, said_plainly

EARLIER = "earlier_files"
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
        if wanted(path.name) and path.name not in own and not is_temporary(path.name):
            message = f"{path} was not written by photosim: move it, or give another folder with --out."
            raise DataError(message)


def earlier(folder: Path, written: Collection[str]) -> list[str]:
    """Return the names of files of earlier runs that stand in a folder beside those `written` now.

    `results.json` keeps them under the key `earlier_files`: another run may replace them.
    """
    return sorted(name for name in _own(folder) if name not in written and (folder / name).is_file())


def _own(folder: Path) -> set[str]:
    """Return the names of the files that earlier runs wrote into a folder."""
    try:
        found: Any = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    if not isinstance(found, dict) or not isinstance(found.get("photosim"), str):
        return set()
    parts = [found, *(part for part in _list(found.get("analyses")) if isinstance(part, dict))]
    names = [*_list(found.get(EARLIER)), *(name for part in parts for name in _list(part.get("files")))]
    return {RESULTS, *(name for name in names if isinstance(name, str))}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

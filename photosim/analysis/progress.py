"""Progress callback of long computations."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""progress(name, done, total): `done` of `total` steps of the analysis called `name` are finished."""


def silent(_name: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""

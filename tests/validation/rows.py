"""Rows of docs/validation.md: a comparison is one function that returns its worst error.

To add one, write a function in a module beside this one and give it a section, words and a limit with
`row`; the module stands in `MODULES`. Everything is deterministic, and all rows take less than a minute.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

PARTS = "Parts against closed forms and mode solver"
CIRCUITS = "Circuits against dense solves"
CHIPS = "Chips against measurements"
TIME = "Time against frequency"
NOISE = "Noise against formulas"
FILES = "Files against other readers"
SECTIONS = (PARTS, CIRCUITS, CHIPS, TIME, NOISE, FILES)
MODULES = ("parts", "circuits", "chips", "time", "noise", "files")
"""One module a section, in order."""


@dataclass(frozen=True)
class Row:
    """A comparison: what is computed, what it is held against, how errors count, the limit, the function."""

    section: str
    what: str
    against: str
    measure: str
    limit: float
    worst: Callable[[], float]


ROWS: list[Row] = []


def row(
    section: str, what: str, against: str, *, measure: str, limit: float
) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Return a decorator that notes a function without arguments as a row."""

    def note(worst: Callable[[], float]) -> Callable[[], float]:
        ROWS.append(Row(section, what, against, measure, limit, worst))
        return worst

    return note


def all_rows() -> list[Row]:
    """Return all rows, in the order of the page."""
    for name in MODULES:
        importlib.import_module(f"tests.validation.{name}")
    return sorted(ROWS, key=lambda row: SECTIONS.index(row.section))

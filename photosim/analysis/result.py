"""What an analysis hands to the people and files at the rim: numbers and tables, no drawing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from photosim.arguments import public
from photosim.display import Brief

Cell = str | int | float | None
UNKNOWN = "-"
"""Stands in tables for a number that is not known, such as the spread of one seed."""


@public
@dataclass(frozen=True)
class Table(Brief):
    """Rows under named columns, ready for printing; every row is as long as `columns`.

    title: stands above the table.  rows: of cells: text, numbers or None.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def csv(self) -> str:
        """Return the columns' names and the rows as comma-separated lines."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()


@public
def plain(value: Any) -> Any:
    """Return `value` in the types that JSON has; infinities and nan become None, other objects text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return plain(value.item())
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, complex):
        return {"re": plain(value.real), "im": plain(value.imag)}
    return value if value is None or isinstance(value, bool | int | str) else str(value)

"""Tables and JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Group

    from photosim.analysis.result import Cell, Table

_PIPE_WIDTH = 240


def show_tables(tables: Iterable[Table]) -> None:
    """Print tables: numbers to the right, as wide as they need when nobody reads them on a terminal."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    for table in tables:
        console.print(rich_table(table))


def rich_table(table: Table) -> Group:
    """Return a table with its title, numbers to the right, for a console."""
    from rich import box
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for k, column in enumerate(table.columns):
        numeric = bool(table.rows) and all(_is_number(row[k]) for row in table.rows)
        rich.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in table.rows:
        rich.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    # Not as the table's title, which would be wrapped to the width of a narrow table.
    return Group(Text(table.title, style="bold"), rich)


def show_json(value: Any) -> None:
    """Print plain JSON; a number that JSON does not know is an error of ours, never `NaN` in a file."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def _is_number(cell: Cell) -> bool:
    if cell is None or isinstance(cell, int | float):
        return True
    try:
        float(cell.split(" at ")[0].replace(",", ""))
    except ValueError:
        return cell in {"", "dark"}
    return True

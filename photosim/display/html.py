"""Tables and pictures as HTML that notebooks show, with styles of their own and nothing from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 16
"""Rows of a table that are shown, and how many are left out is said."""
_CELL = "padding:0.15em 0.8em;border:none;"
_HEAD = f"{_CELL}font-weight:600;border-bottom:1px solid #8888;"


def page(blocks: Iterable[str]) -> str:
    """Return pieces of HTML, one below the other; empty ones are left out."""
    rows = [f'<div style="margin:0.3em 0">{piece}</div>' for piece in blocks if piece]
    return f'<div class="photosim" style="max-width:60em;overflow-x:auto">{"".join(rows)}</div>'


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> str:
    """Return a table under its title, numbers to the right; rows beyond the sixteenth are counted."""
    numeric = [bool(rows) and all(_is_number(row[k]) for row in rows) for k in range(len(columns))]
    sides = [f"text-align:{'right' if right else 'left'};" for right in numeric]
    head = "".join(
        f'<th style="{_HEAD}{side}">{escape(text)}</th>' for text, side in zip(columns, sides, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL}{side}">{escape("" if cell is None else str(cell))}</td>'
            for cell, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    left = len(rows) - MOST_ROWS
    more = f'<div style="opacity:0.7">and {left:,} more rows</div>' if left > 0 else ""
    named = f"<div><b>{escape(title)}</b></div>" if title else ""
    heading = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    return (
        f'{named}<table style="border-collapse:collapse;font-size:0.9em">{heading}'
        f"<tbody>{body}</tbody></table>{more}"
    )


def properties(title: str, rows: Mapping[str, Any]) -> str:
    """Return a table of names and values, without a head; values that are empty are left out."""
    return table(("", ""), [(name, value) for name, value in rows.items() if str(value)], title)


def figure(drawn: Figure) -> str:
    """Return a figure of `photosim.plotting` as an image in the text, at half the density of its pixels."""
    data = base64.b64encode(drawn._repr_png_()).decode("ascii")  # type: ignore[attr-defined]
    return f'<img alt="plot" style="max-width:100%" src="data:image/png;base64,{data}">'


def svg(text: str) -> str:
    """Return an SVG document as an image in the text, so that its styles and names stay its own."""
    data = base64.b64encode(text.encode("utf-8")).decode("ascii")
    return f'<img alt="drawing" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'


def _is_number(cell: Any) -> bool:
    if cell is None or isinstance(cell, int | float):
        return True
    try:
        float(str(cell).split(" at ")[0].replace(",", ""))
    except ValueError:
        return cell in {"", "-", "dark", "none"}
    return True

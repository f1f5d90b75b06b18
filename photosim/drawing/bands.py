"""Horizontal placement: widths of columns and channels, and bands where the sheet is wider than the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from photosim.drawing.heights import LANE, End, Item
from photosim.drawing.style import Style

_CHANNELS = (26.0, 22.0, 14.0)
_PER_WIRE = (4.0, 2.0, 0.4)
_WIDEST = (110.0, 70.0, 30.0)
"""Width of channels by the detail that is drawn."""
_BAND_GAP = 26.0
_MARGIN = 14.0


@dataclass(frozen=True)
class Column:
    """Where a column stands: left edge and width in px, and its band with the top of that.

    axis: x on which the middles of its boxes stand.
    """

    left: float
    axis: float
    width: float
    band: int
    band_top: float


def place_columns(
    grid: list[list[Item]], paths: Sequence[list[End]], style: Style
) -> tuple[list[Column], float, float]:
    """Return the columns, and width and height of all; tops of items are moved into their bands."""
    channels, widths = _channels(grid, paths, style.detail), [sum(_halves(column)) for column in grid]
    crossing = _crossing(grid, paths)
    starts = _bands(channels, widths, crossing, style)
    columns: list[Column] = []
    bottom = widest = 0.0
    for band, (first, after) in enumerate(pairwise([*starts, len(grid)])):
        carried = [crossing[k] if 0 < k < len(grid) else 0 for k in (first, after)]
        items = [item for column in grid[first:after] for item in column]
        top = min((item.top for item in items), default=0.0)
        if band:
            bottom += _BAND_GAP + LANE * carried[0]
        for item in items:
            item.top += bottom - top
        x = _MARGIN + LANE * carried[0] if first else channels[0]
        for k in range(first, after):
            x += channels[k] if k > first else 0.0
            columns.append(Column(x, x + _halves(grid[k])[0], widths[k], band, bottom))
            x += widths[k]
        bottom = max((item.top + item.height for item in items), default=bottom)
        widest = max(widest, x + (_MARGIN + LANE * carried[1] if after < len(grid) else channels[after]))
    return columns, widest, bottom


def _halves(column: list[Item]) -> tuple[float, float]:
    """Return the widths left and right of the axis on which the middles of a column's boxes stand."""
    halves = [item.box.halves for item in column if item.box]
    return max((left for left, _ in halves), default=0.0), max((right for _, right in halves), default=0.0)


def _channels(grid: list[list[Item]], paths: Sequence[list[End]], detail: int) -> list[float]:
    """Return the width of the channel left of every column, and of the one right of the last."""
    bends, turns = [0] * (len(grid) + 1), [False] * (len(grid) + 1)
    for path in paths:
        for a, b in pairwise(path):
            channel = max(a.item.column, b.item.column)
            if a.item.column == b.item.column:
                for k in (channel, channel + 1):
                    bends[k] += 1
                    turns[k] = True
            elif abs(a.y - b.y) > 1.0:
                bends[channel] += 1
    last, per_wire, widest = len(grid), _PER_WIRE[min(detail, 2)], _WIDEST[min(detail, 2)]
    return [
        max(min(_CHANNELS[min(detail, 2)] + per_wire * bend, widest), 46.0 + per_wire * bend if turn else 0.0)
        if 0 < k < last or turn
        else 0.0
        for k, (bend, turn) in enumerate(zip(bends, turns, strict=True))
    ]


def _crossing(grid: list[list[Item]], paths: Sequence[list[End]]) -> list[int]:
    """Return how many wires cross the channel left of every column."""
    count = [0] * len(grid)
    for path in paths:
        for a, b in pairwise(path):
            if a.item.column != b.item.column:
                count[max(a.item.column, b.item.column)] += 1
    return count


def _bands(channels: list[float], widths: list[float], crossing: list[int], style: Style) -> list[int]:
    """Return the columns at which bands begin: few, cut where few wires cross; one where none may be cut."""
    count, page = len(widths), style.page
    if sum(channels) + sum(widths) <= page or not count:
        return [0]
    best: list[tuple[float, list[int]] | None] = [(0.0, [])] + [None] * count
    for after in range(1, count + 1):
        for first in range(after):
            width = (
                sum(widths[first:after])
                + sum(channels[first + 1 : after])
                + 2.0 * (_MARGIN + LANE * crossing[first])
            )
            before = best[first]
            if (
                before is None
                or (width > page and after - first > 1)
                or (first and crossing[first] > style.carried)
            ):
                continue
            cost = (
                before[0]
                + (100.0 + 10.0 * crossing[first] ** 2 if first else 0.0)
                + (1.0 - width / page) ** 2
            )
            found = best[after]
            if found is None or cost < found[0]:
                best[after] = (cost, [*before[1], first])
    whole = best[count]
    return whole[1] if whole else [0]

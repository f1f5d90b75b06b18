"""Where boxes and wires of a schematic go: columns by signal flow, lanes for wires that pass a column.

Boxes stand in columns; between two columns lies a channel without boxes. A wire bends in channels only,
and passes a column in a straight lane that is kept free for it like a narrow box. So no wire can cross a
box, whatever the circuit (after sugiyama1981: layers, order by barycentres, then coordinates).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from photosim.drawing.boxes import Box
from photosim.drawing.heights import End, Item, settle

PortRef = tuple[str, str]
Pair = tuple[PortRef, PortRef]

LANE = 8.0
_CHANNEL = 46.0
_CHANNEL_PER_WIRE = 5.0
_WIDEST_CHANNEL = 170.0


@dataclass(frozen=True)
class Point:
    """A place in px; y grows downwards. `heading` is +1 where the wire leaves to the right, else -1."""

    x: float
    y: float
    heading: int


@dataclass(frozen=True)
class PlacedBox:
    """A box and its upper left corner."""

    box: Box
    x: float
    y: float

    def port(self, name: str) -> Point:
        """Return where a port is; the wire leaves away from the box."""
        right = name in self.box.right
        x = self.x + self.box.width if right else self.x
        return Point(x, self.y + self.box.port_offset(name), 1 if right else -1)


@dataclass(frozen=True)
class PlacedWire:
    """A wire as runs of points: inside a run a straight lane, between runs a bend in one channel."""

    ends: Pair
    runs: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True)
class Layout:
    """A finished schematic: placed boxes by name, wires, and the size of the sheet in px."""

    boxes: dict[str, PlacedBox]
    wires: tuple[PlacedWire, ...]
    width: float
    height: float


def arrange(boxes: dict[str, Box], wires: Sequence[Pair], columns: dict[str, int]) -> Layout:
    """Place boxes, whose columns are given, and route wires; boxes keep the sides of their ports."""
    count = max(columns.values(), default=0) + 1
    grid: list[list[Item]] = [[] for _ in range(count)]
    items = {name: Item(columns[name], box.height, box) for name, box in boxes.items()}
    for item in items.values():
        grid[item.column].append(item)
    paths = [_path(pair, boxes, items, grid) for pair in wires]
    stretches = [(a, b) for path in paths for a, b in pairwise(path)]
    settle(grid, stretches)
    lefts, widths, total = _columns_x(grid, paths)
    highest = min((item.top for column in grid for item in column), default=0.0)
    for column in grid:
        for item in column:
            item.top -= highest
    placed = {
        name: PlacedBox(items[name].box or box, lefts[c] + _indent(box, widths[c]), items[name].top)
        for name, box in boxes.items()
        for c in [items[name].column]
    }
    runs = [
        PlacedWire(pair, _runs(pair, path, placed, lefts, widths))
        for pair, path in zip(wires, paths, strict=True)
    ]
    bottom = max((item.top + item.height for column in grid for item in column), default=0.0)
    return Layout(placed, tuple(runs), total, bottom)


def _path(pair: Pair, boxes: dict[str, Box], items: dict[str, Item], grid: list[list[Item]]) -> list[End]:
    """Return the ends that a wire joins in turn, with a new lane in every column that it passes."""
    ends = [End(items[name], boxes[name].port_offset(port)) for name, port in pair]
    # Channel c lies left of column c.
    first, last = (items[name].column + (port in boxes[name].right) for name, port in pair)
    passed = range(first, last) if first <= last else range(first - 1, last - 1, -1)
    lanes = []
    for column in passed:
        lane = Item(column, LANE)
        grid[column].append(lane)
        lanes.append(End(lane, LANE / 2.0))
    return [ends[0], *lanes, ends[1]]


def _columns_x(grid: list[list[Item]], paths: list[list[End]]) -> tuple[list[float], list[float], float]:
    """Return the left edge and the width of every column, and the width of all."""
    bends = [0] * (len(grid) + 1)
    for path in paths:
        for a, b in pairwise(path):
            if abs(a.y - b.y) > 1.0:
                bends[max(a.item.column, b.item.column)] += 1
                if a.item.column == b.item.column:
                    bends[a.item.column + 1] += 1
    lefts, widths, x = [], [], 0.0
    for k, column in enumerate(grid):
        x += min(_CHANNEL + _CHANNEL_PER_WIRE * bends[k], _WIDEST_CHANNEL) if k or bends[0] else 0.0
        lefts.append(x)
        widths.append(max((item.box.width for item in column if item.box), default=0.0))
        x += widths[-1]
    return lefts, widths, x + (_CHANNEL + _CHANNEL_PER_WIRE * bends[-1] if bends[-1] else 0.0)


def _indent(box: Box, width: float) -> float:
    """Distance of a box from its column's left edge: terminals hug the circuit, others are centred."""
    if box.kind == "terminal":
        return width - box.width if box.right else 0.0
    return (width - box.width) / 2.0


def _runs(
    pair: Pair, path: list[End], placed: dict[str, PlacedBox], lefts: list[float], widths: list[float]
) -> tuple[tuple[Point, ...], ...]:
    """Return the straight runs of a wire: port to edge of its column, lanes, edge to the other port."""
    first, last = (placed[name].port(port) for name, port in pair)
    runs = [(first, _edge(first, path[0].item.column, lefts, widths))]
    # The wire passes all its lanes in one direction, even where it enters or leaves by a U-turn.
    columns = [end.item.column for end in path[1:-1]]
    rightwards = len(columns) > 1 and columns[0] < columns[-1]
    if len(columns) == 1:
        rightwards = runs[0][1].x <= lefts[columns[0]]
    for end in path[1:-1]:
        column = end.item.column
        left, right = Point(lefts[column], end.y, 1), Point(lefts[column] + widths[column], end.y, 1)
        runs.append((left, right) if rightwards else (replace(right, heading=-1), replace(left, heading=-1)))
    runs.append((_edge(last, path[-1].item.column, lefts, widths), last))
    return tuple(runs)


def _edge(port: Point, column: int, lefts: list[float], widths: list[float]) -> Point:
    """Return where the straight line out of a port meets the edge of its column."""
    x = lefts[column] + widths[column] if port.heading > 0 else lefts[column]
    return Point(x, port.y, port.heading)

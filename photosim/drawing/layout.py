"""Where boxes and wires of a schematic go: columns by signal flow, lanes for wires that pass a column.

Boxes stand in columns; between two columns lies a channel without boxes. A wire bends in channels only,
and passes a column in a straight lane that is kept free for it like a narrow box. So no wire can cross a
box, whatever the circuit (after sugiyama1981: layers, order by barycentres, then coordinates).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from photosim.drawing.boxes import Box

PortRef = tuple[str, str]
Pair = tuple[PortRef, PortRef]

LANE = 8.0
_BOX_GAP = 20.0
_LANE_GAP = 7.0
_SWEEPS = 30
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


@dataclass
class _Item:
    """Something in a column: a box, or the lane of wire number `wire`."""

    column: int
    height: float
    box: Box | None = None
    wire: int = -1
    top: float = 0.0


@dataclass(frozen=True)
class _End:
    """One end of a stretch of wire: an item and how far below its top."""

    item: _Item
    offset: float

    @property
    def y(self) -> float:
        return self.item.top + self.offset


def arrange(boxes: dict[str, Box], wires: Sequence[Pair], columns: dict[str, int]) -> Layout:
    """Place boxes, whose columns are given, and route wires; boxes keep the sides of their ports."""
    count = max(columns.values(), default=0) + 1
    grid: list[list[_Item]] = [[] for _ in range(count)]
    items = {name: _Item(columns[name], box.height, box) for name, box in boxes.items()}
    for item in items.values():
        grid[item.column].append(item)
    paths = [_path(k, pair, boxes, items, grid) for k, pair in enumerate(wires)]
    stretches = [(a, b) for path in paths for a, b in pairwise(path)]
    _settle(grid, stretches)
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


def _path(
    k: int, pair: Pair, boxes: dict[str, Box], items: dict[str, _Item], grid: list[list[_Item]]
) -> list[_End]:
    """Return the ends that wire number k joins in turn, with a new lane in every column that it passes."""
    ends = [_End(items[name], boxes[name].port_offset(port)) for name, port in pair]
    # Channel c lies left of column c.
    first, last = (items[name].column + (port in boxes[name].right) for name, port in pair)
    passed = range(first, last) if first <= last else range(first - 1, last - 1, -1)
    lanes = []
    for column in passed:
        lane = _Item(column, LANE, wire=k)
        grid[column].append(lane)
        lanes.append(_End(lane, LANE / 2.0))
    return [ends[0], *lanes, ends[1]]


def _settle(grid: list[list[_Item]], stretches: list[tuple[_End, _End]]) -> None:
    """Give every item its top: near the mean height of what it is wired to, without overlap."""
    wired: dict[int, list[tuple[_End, _End]]] = defaultdict(list)
    for a, b in stretches:
        wired[id(a.item)].append((a, b))
        wired[id(b.item)].append((b, a))
    for column in grid:
        _stack(column, [float(k) for k in range(len(column))], [1.0] * len(column))
    for sweep in range(_SWEEPS):
        for column in grid if sweep % 2 == 0 else grid[::-1]:
            wanted, weights = [], []
            for item in column:
                # A lane follows its own wire's other lanes first: long wires run straight.
                tops = [
                    far.y - own.offset
                    for own, far in wired[id(item)]
                    for _ in range(3 if item.box is None and far.item.box is None else 1)
                ]
                wanted.append(sum(tops) / len(tops) if tops else item.top)
                weights.append(float(max(len(tops), 1)))
            # The order is free in the first sweeps and then kept, so that the heights come to rest.
            if sweep < _SWEEPS // 2:
                middle = [top + item.height / 2.0 for top, item in zip(wanted, column, strict=True)]
                order = sorted(range(len(column)), key=middle.__getitem__)
                column[:] = [column[k] for k in order]
                wanted, weights = [wanted[k] for k in order], [weights[k] for k in order]
            _stack(column, wanted, weights)


def _stack(column: list[_Item], wanted: list[float], weights: list[float]) -> None:
    """Set the tops closest to those wanted (least squares) that keep order and distances (ayer1955)."""
    offsets, blocks, total = [], list[tuple[float, float, int]](), 0.0
    for k, item in enumerate(column):
        if k:
            before = column[k - 1]
            total += before.height + _gap(before, item)
        offsets.append(total)
        mean, weight, size = wanted[k] - total, weights[k], 1
        while blocks and blocks[-1][0] > mean:
            m, w, n = blocks.pop()
            mean, weight, size = (m * w + mean * weight) / (w + weight), w + weight, n + size
        blocks.append((mean, weight, size))
    means = [mean for mean, _, size in blocks for _ in range(size)]
    for item, mean, offset in zip(column, means, offsets, strict=True):
        item.top = mean + offset


def _gap(above: _Item, below: _Item) -> float:
    """Return the free height between neighbours: boxes need air, lanes and terminals little."""
    if any(item.box is not None and item.box.kind != "terminal" for item in (above, below)):
        return _BOX_GAP
    return 0.0 if above.box is not None and below.box is not None else _LANE_GAP


def _columns_x(grid: list[list[_Item]], paths: list[list[_End]]) -> tuple[list[float], list[float], float]:
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
    pair: Pair, path: list[_End], placed: dict[str, PlacedBox], lefts: list[float], widths: list[float]
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

"""Where boxes and wires of a schematic go: columns by signal flow, lanes for wires that pass a column.

Boxes stand in columns; between two columns lies a channel without boxes. A wire bends in channels only,
and passes a column in a straight lane that is kept free for it like a narrow box. So no wire can cross a
box, whatever the circuit (after sugiyama1981: layers, order by barycentres, then coordinates). A sheet that
is wider than the page goes on in bands below, as lines of text do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from photosim.drawing.bands import Column, place_columns
from photosim.drawing.boxes import Box
from photosim.drawing.flow import Pair, PortRef
from photosim.drawing.heights import End, Item, settle
from photosim.drawing.scene import Trail
from photosim.drawing.style import Style
from photosim.drawing.wires import Point, route


@dataclass(frozen=True)
class Wire:
    """A wire to draw: pins of boxes, and the ports of the netlist that it joins; `waves` of a bus."""

    pins: Pair
    ends: tuple[PortRef, ...]
    domain: str = "light"
    waves: int = 1


@dataclass(frozen=True)
class PlacedBox:
    """A box and its upper left corner."""

    box: Box
    x: float
    y: float

    @property
    def middle(self) -> tuple[float, float]:
        """Middle of the core."""
        x, y = self.box.middle
        return self.x + x, self.y + y

    @property
    def corner(self) -> tuple[float, float]:
        """Upper left corner of the core."""
        (x, y), (w, h) = self.middle, self.box.core
        return x - w / 2.0, y - h / 2.0

    def port(self, name: str) -> Point:
        """Return where a port is; the wire leaves away from the box."""
        pin = self.box.pins[name]
        x, y = self.middle
        return Point(x + pin.x, y + pin.y, pin.heading)


@dataclass(frozen=True)
class PlacedWire:
    """A wire and its path."""

    wire: Wire
    trail: Trail


@dataclass(frozen=True)
class Layout:
    """A finished schematic: placed boxes by name, wires, loose ends by pin, and the size in px."""

    boxes: dict[str, PlacedBox]
    wires: tuple[PlacedWire, ...]
    width: float
    height: float
    loose: dict[PortRef, str]
    folded: tuple[int, ...] = ()
    """Columns at which bands begin."""


def arrange(
    boxes: dict[str, Box],
    wires: Sequence[Wire],
    columns: dict[str, int],
    loose: dict[PortRef, str],
    style: Style,
) -> Layout:
    """Place boxes, whose columns are given, and route wires; boxes keep the sides of their pins.

    style: says the width of the page, beyond which the columns go on in a band below.
    """
    marked: dict[str, dict[str, str]] = {name: {} for name in boxes}
    for (name, pin), state in loose.items():
        marked[name][pin] = state
    boxes = {
        name: box.reaching(unnamed(name, box, wires, loose), marked[name]) for name, box in boxes.items()
    }
    count = max(columns.values(), default=-1) + 1
    grid: list[list[Item]] = [[] for _ in range(count)]
    items = {name: Item(columns[name], box) for name, box in boxes.items()}
    for item in items.values():
        grid[item.column].append(item)
    paths = [_path(wire.pins, boxes, items, grid) for wire in wires]
    settle(grid, [(a, b) for path in paths for a, b in pairwise(path)])
    places, width, height = place_columns(grid, paths, style)
    placed = {}
    for name, item in items.items():
        box, column = item.box or boxes[name], places[item.column]
        placed[name] = PlacedBox(box, column.left + _indent(box, column), item.top)
    routed = []
    cuts = _carried(paths, places)
    for wire, path in zip(wires, paths, strict=True):
        ends = tuple(placed[name].port(pin) for name, pin in wire.pins)
        routed.append(PlacedWire(wire, route((ends[0], ends[1]), path, places, cuts)))
    return Layout(
        placed,
        tuple(routed),
        width,
        height,
        loose,
        tuple(k for k, c in enumerate(places) if k and c.band != places[k - 1].band),
    )


def unnamed(name: str, box: Box, wires: Iterable[Wire], loose: Iterable[PortRef]) -> set[str]:
    """Return the ports of a box whose names say nothing: exposed by that name, or with an end mark."""
    found = {pin for owner, pin in loose if owner == name}
    for wire in wires:
        (a, p), (b, q) = wire.pins
        if a.startswith("port ") and b == name and box.labelled.get(q) == p:
            found.add(q)
    return found


def _path(pair: Pair, boxes: dict[str, Box], items: dict[str, Item], grid: list[list[Item]]) -> list[End]:
    """Return the ends that a wire joins in turn, with a new lane in every column that it passes."""
    ends = [End(items[name], pin) for name, pin in pair]
    # Channel c lies left of column c.
    first, last = (items[name].column + (boxes[name].pins[pin].heading > 0) for name, pin in pair)
    passed = range(first, last) if first <= last else range(first - 1, last - 1, -1)
    lanes = []
    for column in passed:
        lane = Item(column)
        grid[column].append(lane)
        lanes.append(End(lane))
    return [ends[0], *lanes, ends[1]]


def _indent(box: Box, column: Column) -> float:
    """Distance of a box from its column's left edge: terminals hug the circuit, middles stand on the axis."""
    if box.kind == "terminal":
        return column.width - box.width if box.right else 0.0
    return column.axis - column.left - box.halves[0]


def _carried(paths: Sequence[list[End]], places: Sequence[Column]) -> dict[int, list[tuple[End, End]]]:
    """Return the stretches from band to band, by the column that begins the band, from top to bottom."""
    found: dict[int, list[tuple[End, End]]] = {}
    for path in paths:
        for a, b in pairwise(path):
            left, right = (a, b) if a.item.column < b.item.column else (b, a)
            if places[left.item.column].band != places[right.item.column].band:
                found.setdefault(right.item.column, []).append((left, right))
    return {column: sorted(pairs, key=lambda pair: pair[0].y) for column, pairs in found.items()}

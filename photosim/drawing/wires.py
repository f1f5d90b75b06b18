"""Paths of wires: straight in lanes, smooth bends in channels, round corners from band to band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from photosim.drawing.bands import Column
from photosim.drawing.heights import LANE, End
from photosim.drawing.scene import Command, Place, Trail

_CORNER = 6.0


@dataclass(frozen=True)
class Point:
    """A place in px; y grows downwards. `heading` is +1 where the wire leaves to the right, else -1."""

    x: float
    y: float
    heading: int


def route(
    ports: tuple[Point, Point],
    path: list[End],
    columns: Sequence[Column],
    carried: Mapping[int, list[tuple[End, End]]],
) -> Trail:
    """Return the path of a wire: port to edge of its column, through its lanes, edge to the other port.

    carried: stretches from band to band, by the column that begins the band, from top to bottom.
    """
    first, last = ports
    start, stop = (
        _edge(port, columns[end.item.column]) for port, end in ((first, path[0]), (last, path[-1]))
    )
    # The wire passes all its lanes in one direction, even where it enters or leaves by a U-turn.
    lanes = [end.item.column for end in path[1:-1]]
    rightwards = len(lanes) > 1 and lanes[0] < lanes[-1]
    if len(lanes) == 1:
        rightwards = path[0].item.column < lanes[0] or (path[0].item.column == lanes[0] and first.heading < 0)
    edges = [(Point(first.x, first.y, first.heading), start)]
    for end in path[1:-1]:
        column = columns[end.item.column]
        left, right = Point(column.left, end.y, -1), Point(column.left + column.width, end.y, 1)
        edges.append((left, right) if rightwards else (right, left))
    edges.append((stop, Point(last.x, last.y, last.heading)))
    found: list[Command] = [("M", (first.x, first.y)), ("L", (start.x, start.y))]
    for (a, b), (before, after) in zip(pairwise(path), pairwise(edges), strict=True):
        found += _step(a, b, before[1], after[0], columns, carried)
        found.append(("L", (after[1].x, after[1].y)))
    return tuple(found)


def _edge(port: Point, column: Column) -> Point:
    """Return where the straight line out of a port meets the edge of its column."""
    x = column.left + column.width if port.heading > 0 else column.left
    return Point(x, port.y, port.heading)


def _step(
    a: End,
    b: End,
    start: Point,
    stop: Point,
    columns: Sequence[Column],
    carried: Mapping[int, list[tuple[End, End]]],
) -> list[Command]:
    """Return the commands from the edge of one column to that of the next."""
    if columns[a.item.column].band == columns[b.item.column].band:
        return [_bend(start, stop)]
    forward = a.item.column < b.item.column
    pairs = carried[max(a.item.column, b.item.column)]
    rank = next(k for k, pair in enumerate(pairs) if {id(pair[0]), id(pair[1])} == {id(a), id(b)})
    entry = sorted(range(len(pairs)), key=lambda k: pairs[k][1].y).index(rank)
    left, right = (start, stop) if forward else (stop, start)
    right_x = left.x + 10.0 + LANE * (len(pairs) - 1 - rank)
    lane = columns[max(a.item.column, b.item.column)].band_top - 10.0 - LANE * rank
    left_x = right.x - 10.0 - LANE * entry
    # From top to bottom: the uppermost wire is the outermost on the right and has the lowest lane.
    turns = [(right_x, left.y), (right_x, lane), (left_x, lane), (left_x, right.y)]
    corners = [(left.x, left.y), *turns, (right.x, right.y)]
    return rounded(corners if forward else corners[::-1])[1:]


def _bend(a: Point, b: Point) -> Command:
    """Return the curve from a to b inside one channel: an S between its sides, a U on one side."""
    if a.x == b.x:
        # The curve reaches three quarters of its handles: this stays inside the narrowest channel.
        reach = min(18.0 + 0.16 * abs(b.y - a.y), 54.0) * (a.heading or 1)
        return ("C", (a.x + reach, a.y, b.x + reach, b.y, b.x, b.y))
    middle = (a.x + b.x) / 2.0
    return ("C", (middle, a.y, middle, b.y, b.x, b.y))


def rounded(corners: Sequence[Place], radius: float = _CORNER) -> list[Command]:
    """Return a polyline whose inner corners are round."""
    found: list[Command] = [("M", corners[0])]
    for before, at, after in zip(corners, corners[1:], corners[2:], strict=False):
        reach = min(radius, _distance(before, at) / 2.0, _distance(at, after) / 2.0)
        enter, leave = _towards(at, before, reach), _towards(at, after, reach)
        found += [
            ("L", enter),
            ("C", (*_towards(at, before, reach * 0.45), *_towards(at, after, reach * 0.45), *leave)),
        ]
    return [*found, ("L", corners[-1])]


def _distance(a: Place, b: Place) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _towards(start: Place, end: Place, reach: float) -> Place:
    length = _distance(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * reach / length, start[1] + (end[1] - start[1]) * reach / length

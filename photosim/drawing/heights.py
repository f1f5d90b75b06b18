"""Vertical placement: order each column to reduce crossings, then align boxes with their wires."""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from photosim.drawing.boxes import Box

LANE = 8.0
_BOX_GAP = 14.0
_LANE_GAP = 5.0
_ORDER_SWEEPS = 16
_HEIGHT_SWEEPS = 20
_MOST_SWAPPED = 400
_NUMBERED = re.compile(r"(?P<stem>.*?)<?(?P<number>\d+)(?:\.\d+>)?")


@dataclass
class Item:
    """Something in a column: a box, or the lane of a wire."""

    column: int
    box: Box | None = None
    top: float = 0.0

    @property
    def height(self) -> float:
        """Height in px."""
        return self.box.height if self.box else LANE

    def offset(self, pin: str) -> float:
        """Return how far below the top a pin is."""
        return self.box.core[1] / 2.0 + self.box.pins[pin].y if self.box else LANE / 2.0


@dataclass(frozen=True)
class End:
    """One end of a stretch of wire: an item and a pin of it."""

    item: Item
    pin: str = ""

    @property
    def y(self) -> float:
        """Height of the end in px."""
        return self.item.top + self.item.offset(self.pin)


Stretch = tuple[End, End]
Wired = dict[int, list[Stretch]]
"""Stretches at each item, by its id; the first end of each is the item's own."""


def settle(grid: list[list[Item]], stretches: Sequence[Stretch]) -> None:
    """Order the items of every column, upend boxes, and give all their tops, without overlap."""
    wired: Wired = defaultdict(list)
    for a, b in stretches:
        wired[id(a.item)].append((a, b))
        wired[id(b.item)].append((b, a))
    for column in grid:
        _stack(column, [0.0] * len(column), [1.0] * len(column))
    _order(grid, stretches, wired)
    _number_downwards(grid)
    for sweep in range(_HEIGHT_SWEEPS):
        for column in grid if sweep % 2 == 0 else grid[::-1]:
            tops = [_tops(item, wired[id(item)]) for item in column]
            wanted = [_mean(found, item.top) for found, item in zip(tops, column, strict=True)]
            _stack(column, wanted, [float(max(len(found), 1)) for found in tops])


def _number_downwards(grid: list[list[Item]]) -> None:
    """Turn the whole sheet over where numbered boxes stand upside down in their columns: pixel 0 on top."""
    balance = 0
    for column in grid:
        last: dict[str, int] = {}
        for item in column:
            found = _NUMBERED.fullmatch(item.box.name) if item.box else None
            if found:
                number = int(found["number"])
                balance += 0 if found["stem"] not in last else 1 if last[found["stem"]] < number else -1
                last[found["stem"]] = number
    boxes = [item.box for column in grid for item in column if item.box]
    if balance >= 0 or not all(box.may_upend or max(len(box.left), len(box.right)) <= 1 for box in boxes):
        return
    for column in grid:
        column.reverse()
        for item in column:
            item.top = -item.top - item.height
            if item.box and item.box.may_upend:
                item.box = item.box.upend()


def crossings(stretches: Sequence[Stretch]) -> int:
    """Count the crossings of stretches between neighbouring columns, and those of U-turns beside a column."""
    channels: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for a, b in stretches:
        if a.item.column != b.item.column:
            left, right = (a, b) if a.item.column < b.item.column else (b, a)
            channels[left.item.column].append((left.y, right.y))
    total = 0
    for ends in channels.values():
        seen: list[float] = []
        for _, low in sorted(ends):
            total += len(seen) - bisect_right(seen, low)
            insort(seen, low)
    return total + _crossed_turns(stretches)


def _crossed_turns(stretches: Sequence[Stretch]) -> int:
    """Count the ends of wires between the two ends of a U-turn, on its side of its column, but not inside.

    A turn that lies inside of another one crosses nothing.
    """
    turns: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for a, b in stretches:
        if a.item.column == b.item.column:
            side = next((end.item.box.pins[end.pin].heading for end in (a, b) if end.item.box), 1)
            turns[a.item.column, side].append((min(a.y, b.y), max(a.y, b.y)))
    if not turns:
        return 0
    total = 0
    for a, b in stretches:
        for own, far in ((a, b), (b, a)):
            side = 1 if far.item.column > own.item.column else -1
            if far.item.column != own.item.column:
                total += sum(low < own.y < high for low, high in turns.get((own.item.column, side), ()))
    for found in turns.values():
        total += sum(
            a[0] < b[0] < a[1] < b[1] or b[0] < a[0] < b[1] < a[1] for a, b in combinations(found, 2)
        )
    return total


def _order(grid: list[list[Item]], stretches: Sequence[Stretch], wired: Wired) -> None:
    """Sort every column by the mean height of its neighbours, sweeping to and fro; keep the best order seen.

    A sweep looks only at the columns it comes from: looking both ways at once, two twisted pairs hold each
    other in place.
    """
    best = [[(item, item.box) for item in column] for column in grid]
    fewest = crossings(stretches)
    for sweep in range(_ORDER_SWEEPS):
        if not fewest:
            break
        step = 1 if sweep % 2 == 0 else -1
        for column in grid[::step]:
            for item in column:
                _upend(
                    item, [end for end in wired[id(item)] if step * (item.column - end[1].item.column) > 0]
                )
            middle = {}
            for item in column:
                ends = [end for end in wired[id(item)] if step * (item.column - end[1].item.column) >= 0]
                tops = _tops(item, ends)
                middle[id(item)] = _mean(tops, item.top) + item.height / 2.0
            column.sort(key=lambda item: middle[id(item)])
            _stack(column, [middle[id(item)] - item.height / 2.0 for item in column], [1.0] * len(column))
        if len(stretches) < _MOST_SWAPPED:
            _swap(grid, wired)
        found = crossings(stretches)
        if found < fewest:
            best, fewest = [[(item, item.box) for item in column] for column in grid], found
    for column, order in zip(grid, best, strict=True):
        column[:] = [item for item, _ in order]
        for item, box in order:
            item.box = box
        _stack(column, [item.top for item in column], [1.0] * len(column))
    _detour(grid, stretches, wired, fewest)


def _detour(grid: list[list[Item]], stretches: Sequence[Stretch], wired: Wired, fewest: int) -> None:
    """Lead single wires above or below what stands in the columns that they pass, where fewer cross then.

    Sorting by neighbours moves a lane at a time, and never a loop from one side of a line to the other. A
    wire may also run next to the outermost thing: two sides of one loop.
    """
    if not fewest or len(stretches) >= _MOST_SWAPPED:
        return
    for lanes in _wires(grid, wired):
        for place in (0, -1, 1, -2):
            before = [[(item, item.top, item.box) for item in column] for column in grid]
            for lane in lanes:
                _insert(grid[lane.column], lane, place)
            for item in (item for column in grid for item in column):
                _upend(item, [end for end in wired[id(item)] if item.column != end[1].item.column])
            found = crossings(stretches)
            if found < fewest:
                fewest = found
                continue
            for column, order in zip(grid, before, strict=True):
                column[:] = [item for item, _, _ in order]
                for item, top, box in order:
                    item.top, item.box = top, box


def _insert(column: list[Item], lane: Item, place: int) -> None:
    """Move a lane to a place in its column: 0 is the first, -1 the last, -2 the one before it."""
    column.remove(lane)
    at = min(place, len(column)) if place >= 0 else max(len(column) + place + 1, 0)
    lane.top = column[at].top - LANE if at < len(column) else column[-1].top + column[-1].height
    column.insert(at, lane)
    _stack(column, [item.top for item in column], [1.0] * len(column))


def _wires(grid: list[list[Item]], wired: Wired) -> list[list[Item]]:
    """Return the lanes of every wire that passes columns beside other things."""
    found: list[list[Item]] = []
    seen: set[int] = set()
    for lane in (item for column in grid for item in column if item.box is None):
        if id(lane) in seen:
            continue
        lanes, ahead = [], [lane]
        while ahead:
            one = ahead.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            lanes.append(one)
            ahead += [far.item for _, far in wired[id(one)] if far.item.box is None]
        found.append(lanes)
    return [lanes for lanes in found if all(len(grid[lane.column]) > 1 for lane in lanes)]


def _upend(item: Item, ends: Sequence[Stretch]) -> None:
    """Exchange top and bottom of a box where fewer of its own wires cross then."""
    if item.box is None or not item.box.may_upend:
        return
    pairs = list(combinations(ends, 2))
    crossed = sum((a.y - b.y) * (far.y - other.y) < 0 for (a, far), (b, other) in pairs)
    straight = sum((a.y - b.y) * (far.y - other.y) > 0 for (a, far), (b, other) in pairs)
    if crossed > straight:
        item.box = item.box.upend()


def _swap(grid: list[list[Item]], wired: Wired) -> None:
    """Exchange neighbours in a column, and ends of boxes, while that removes crossings of their wires."""
    for column in grid:
        for item in column:
            _upend(item, [end for end in wired[id(item)] if item.column != end[1].item.column])
        for k in range(len(column) - 1):
            above, below = column[k], column[k + 1]
            now = then = 0
            for _, far in wired[id(above)]:
                for _, other in wired[id(below)]:
                    side = (far.item.column - above.column) * (other.item.column - above.column)
                    if side > 0:
                        now += far.y > other.y
                        then += far.y < other.y
            if then < now:
                column[k], column[k + 1] = below, above
                _stack(column, [item.top for item in column], [1.0] * len(column))


def _tops(item: Item, ends: Sequence[Stretch]) -> list[float]:
    """Return the tops of `item` at which each of its wires would run straight."""
    # A lane follows its own wire's other lanes first: long wires run straight.
    return [
        far.y - item.offset(own.pin)
        for own, far in ends
        if far.item is not item
        for _ in range(3 if item.box is None and far.item.box is None else 1)
    ]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _stack(column: list[Item], wanted: list[float], weights: list[float]) -> None:
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


def _gap(above: Item, below: Item) -> float:
    """Return the free height between neighbours: boxes need air, lanes and terminals little."""
    if any(item.box is not None and item.box.kind != "terminal" for item in (above, below)):
        return _BOX_GAP
    return 0.0 if above.box is not None and below.box is not None else _LANE_GAP

"""Vertical placement: order each column to reduce crossings, then align boxes with their wires."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from photosim.drawing.boxes import Box

_BOX_GAP = 20.0
_LANE_GAP = 7.0
_ORDER_SWEEPS = 16
_HEIGHT_SWEEPS = 16


@dataclass
class Item:
    """Something in a column: a box, or the lane of a wire."""

    column: int
    height: float
    box: Box | None = None
    top: float = 0.0


@dataclass(frozen=True)
class End:
    """One end of a stretch of wire: an item and how far below its top."""

    item: Item
    offset: float

    @property
    def y(self) -> float:
        """Height of the end in px."""
        return self.item.top + self.offset


Stretch = tuple[End, End]
Wired = dict[int, list[Stretch]]
"""Stretches at each item, by its id; the first end of each is the item's own."""


def settle(grid: list[list[Item]], stretches: Sequence[Stretch]) -> None:
    """Order the items of every column and give them their tops, without overlap."""
    wired: Wired = defaultdict(list)
    for a, b in stretches:
        wired[id(a.item)].append((a, b))
        wired[id(b.item)].append((b, a))
    for column in grid:
        _stack(column, [0.0] * len(column), [1.0] * len(column))
    _order(grid, stretches, wired)
    for sweep in range(_HEIGHT_SWEEPS):
        for column in grid if sweep % 2 == 0 else grid[::-1]:
            tops = [_tops(item, wired[id(item)]) for item in column]
            wanted = [_mean(found, item.top) for found, item in zip(tops, column, strict=True)]
            _stack(column, wanted, [float(max(len(found), 1)) for found in tops])


def _order(grid: list[list[Item]], stretches: Sequence[Stretch], wired: Wired) -> None:
    """Sort every column by the mean height of its neighbours, sweeping to and fro; keep the best order seen.

    A sweep looks only at the columns it comes from: looking both ways at once, two twisted pairs hold each
    other in place.
    """
    best, fewest = [list(column) for column in grid], _crossings(stretches)
    for sweep in range(_ORDER_SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for column in grid[::step]:
            middle = {}
            for item in column:
                ends = [end for end in wired[id(item)] if step * (item.column - end[1].item.column) >= 0]
                tops = _tops(item, ends)
                middle[id(item)] = _mean(tops, item.top) + item.height / 2.0
            column.sort(key=lambda item: middle[id(item)])
            _stack(column, [middle[id(item)] - item.height / 2.0 for item in column], [1.0] * len(column))
        crossings = _crossings(stretches)
        if crossings < fewest:
            best, fewest = [list(column) for column in grid], crossings
    for column, order in zip(grid, best, strict=True):
        column[:] = order
        _stack(column, [item.top for item in column], [1.0] * len(column))


def _crossings(stretches: Sequence[Stretch]) -> int:
    """Count the crossings of stretches between neighbouring columns: inversions of their ends' heights."""
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
    return total


def _tops(item: Item, ends: Sequence[Stretch]) -> list[float]:
    """Return the tops of `item` at which each of its wires would run straight."""
    # A lane follows its own wire's other lanes first: long wires run straight.
    return [
        far.y - own.offset
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

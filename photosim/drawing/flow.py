"""Which way light flows through a circuit: how every box is turned, and in which column it stands."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from photosim.drawing.boxes import Box
    from photosim.drawing.layout import Pair, PortRef


def flow_columns(
    boxes: dict[str, Box], wires: Sequence[Pair], starts: Iterable[PortRef]
) -> tuple[dict[str, Box], dict[str, int]]:
    """Return the boxes, mirrored where light enters from their right, and the column of each.

    Light spreads from the `starts`, ports that it enters by (or, on a source, leaves by). Wires
    that would close a loop run backwards; every other wire from a right to a left side goes to a later
    column.
    """
    oriented, order = _orient(boxes, wires, starts)
    forward: dict[str, list[str]] = {name: [] for name in boxes}
    for (a, p), (b, q) in wires:
        sides = (p in oriented[a].right, q in oriented[b].right)
        if a != b and sides[0] != sides[1]:
            source, target = (a, b) if sides[0] else (b, a)
            forward[source].append(target)
    return oriented, _longest_path(_without_loops(forward, order), order)


def _orient(
    boxes: dict[str, Box], wires: Sequence[Pair], starts: Iterable[PortRef]
) -> tuple[dict[str, Box], list[str]]:
    """Walk along the light, rightwards as far as it goes before leftwards; return boxes and their order.

    A box that light enters from its right is mirrored.
    """
    neighbours: dict[str, list[tuple[str, PortRef]]] = defaultdict(list)
    for (a, p), (b, q) in wires:
        neighbours[a].append((p, (b, q)))
        neighbours[b].append((q, (a, p)))
    oriented: dict[str, Box] = {}
    rightwards: list[PortRef] = []
    leftwards: list[PortRef] = []

    def visit(name: str, port: str, *, on_right: bool) -> None:
        if name in oriented:
            return
        box = boxes[name]
        oriented[name] = box if (port in box.right) == on_right else box.flipped()
        for own, other in neighbours[name]:
            (rightwards if own in oriented[name].right else leftwards).append(other)

    for name, port in [*starts, *((name, _entry(box)) for name, box in boxes.items())]:
        visit(name, port, on_right=boxes[name].kind == "source")
        while rightwards or leftwards:
            going_right = bool(rightwards)
            target, entered = rightwards.pop(0) if going_right else leftwards.pop(0)
            visit(target, entered, on_right=not going_right)
    return oriented, list(oriented)


def _entry(box: Box) -> str:
    """Return a port that light would enter by, so that a box nobody reached keeps its orientation."""
    return (box.right or box.left or ("",))[0] if box.kind == "source" else (box.left or ("",))[0]


def _without_loops(forward: dict[str, list[str]], order: list[str]) -> dict[str, list[str]]:
    """Return the edges without those that lead back to a box still being walked (depth first)."""
    state: dict[str, int] = {}
    kept: dict[str, list[str]] = {name: [] for name in forward}
    for root in order:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(forward[root]))]
        while stack:
            name, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                state[name] = 2
                stack.pop()
            elif state.get(target) != 1:
                kept[name].append(target)
                if target not in state:
                    state[target] = 1
                    stack.append((target, iter(forward[target])))
    return kept


def _longest_path(edges: dict[str, list[str]], order: list[str]) -> dict[str, int]:
    """Return columns from 0 such that edges go right; boxes without an entry stand next to their target."""
    entries = dict.fromkeys(edges, 0)
    for targets in edges.values():
        for target in targets:
            entries[target] += 1
    waiting = dict(entries)
    ready = [name for name in order if not waiting[name]]
    columns = dict.fromkeys(edges, 0)
    for name in ready:
        for target in edges[name]:
            columns[target] = max(columns[target], columns[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for name, targets in edges.items():
        if targets and not entries[name]:
            columns[name] = min(columns[target] for target in targets) - 1
    lowest = min(columns.values(), default=0)
    return {name: column - lowest for name, column in columns.items()}

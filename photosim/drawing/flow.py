"""Which way light flows through a circuit: how every box is turned, and in which column it stands."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from photosim.drawing.boxes import Box

PortRef = tuple[str, str]
"""(name of a box, name of one of its pins)"""
Pair = tuple[PortRef, PortRef]


@dataclass
class _Walk:
    """Light on its way: boxes turned so far, and the pins that it reaches next, in both directions."""

    boxes: Mapping[str, Box]
    neighbours: Mapping[str, list[tuple[str, PortRef]]]
    returning: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        self.turned: dict[str, Box] = {}
        self.rightwards: deque[PortRef] = deque()
        self.leftwards: deque[PortRef] = deque()
        self.back: deque[PortRef] = deque()

    def visit(self, name: str, pin: str, *, on_right: bool) -> None:
        """Turn a box, which light enters (a source: leaves) by a pin, so that the pin is on that side."""
        if name in self.turned:
            return
        box = self.boxes[name]
        heading = box.pins[pin].heading if pin in box.pins else -1
        turned = box if (heading > 0) == on_right else box.mirror()
        self.turned[name] = turned
        for own, other in self.neighbours[name]:
            if own in self.returning.get(name, ()) and own != pin and turned.pins[own].heading < 0:
                self.back.append((name, own))
            elif turned.pins[own].heading > 0:
                self.rightwards.append(other)
            else:
                self.leftwards.append(other)

    def run(self) -> None:
        """Follow light rightwards as far as it goes, then leftwards, then where rings send it back."""
        while self.rightwards or self.leftwards or self.back:
            if self.rightwards:
                self.visit(*self.rightwards.popleft(), on_right=False)
            elif self.leftwards:
                self.visit(*self.leftwards.popleft(), on_right=True)
            else:
                self._return(*self.back.popleft())

    def _return(self, name: str, pin: str) -> None:
        """Bend a guide that leads back, to the right, unless it leads to boxes that stand already."""
        other = next(far for own, far in self.neighbours[name] if own == pin)
        if self._arrives(other):
            self.leftwards.append(other)
        elif self.turned[name].pins[pin].heading < 0:
            self.turned[name] = self.turned[name].hook(pin)
            self.rightwards.append(other)

    def _arrives(self, start: PortRef) -> bool:
        """Return whether light that goes on through new boxes enters one that stands from its right."""
        seen: set[str] = set()
        ahead = deque([start])
        while ahead:
            name, pin = ahead.popleft()
            if name in self.turned:
                return self.turned[name].pins[pin].heading > 0
            if name in seen:
                continue
            seen.add(name)
            heading = self.boxes[name].pins[pin].heading
            ahead += [
                far for own, far in self.neighbours[name] if self.boxes[name].pins[own].heading != heading
            ]
        return False


def turn(
    boxes: Mapping[str, Box],
    wires: Sequence[Pair],
    starts: Iterable[PortRef],
    returning: Mapping[str, frozenset[str]],
) -> dict[str, Box]:
    """Return the boxes in the order that light meets them, mirrored where it enters from their right.

    Light spreads from the `starts`, pins that it enters by (or, on a source, leaves by). `returning` has the
    pins at which light leaves a box on the side that it came from; they are bent to the other side where what
    follows stands there.
    """
    neighbours: dict[str, list[tuple[str, PortRef]]] = defaultdict(list)
    for (a, p), (b, q) in wires:
        neighbours[a].append((p, (b, q)))
        neighbours[b].append((q, (a, p)))
    walk = _Walk(boxes, neighbours, returning)
    for name, pin in [*starts, *((name, _entry(box)) for name, box in boxes.items())]:
        walk.visit(name, pin, on_right=not boxes[name].left)
        walk.run()
    return walk.turned


def _entry(box: Box) -> str:
    """Return a pin that light would enter by, so that a box nobody reached keeps its sides."""
    return (box.left or box.right or ("",))[0]


def columns_of(boxes: Mapping[str, Box], wires: Sequence[Pair]) -> dict[str, int]:
    """Return the column of every box from 0: wires from a right to a left side go to later columns.

    Wires that would close a loop run backwards. Boxes in their order say where light comes first.
    """
    forward: dict[str, list[str]] = {name: [] for name in boxes}
    for (a, p), (b, q) in wires:
        headings = boxes[a].pins[p].heading, boxes[b].pins[q].heading
        if a != b and headings[0] != headings[1]:
            source, target = (a, b) if headings[0] > 0 else (b, a)
            forward[source].append(target)
    return _longest_path(_without_loops(forward))


def _without_loops(forward: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the edges without those that lead back to a box still being walked (depth first)."""
    state: dict[str, int] = {}
    kept: dict[str, list[str]] = {name: [] for name in forward}
    for root, first in forward.items():
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(first))]
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


def _longest_path(edges: dict[str, list[str]]) -> dict[str, int]:
    """Return columns from 0 such that edges go right; boxes without an entry stand next to their target."""
    entries = dict.fromkeys(edges, 0)
    for targets in edges.values():
        for target in targets:
            entries[target] += 1
    waiting = dict(entries)
    ready = [name for name in edges if not waiting[name]]
    columns = dict.fromkeys(edges, 0)
    for name in ready:
        targets = edges[name]
        for target in targets:
            columns[target] = max(columns[target], columns[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for name, count in entries.items():
        targets = edges[name]
        if targets and not count:
            columns[name] = min(columns[target] for target in targets) - 1
    lowest = min(columns.values(), default=0)
    return {name: column - lowest for name, column in columns.items()}

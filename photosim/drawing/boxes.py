"""What a schematic shows of each instance: its symbol, its ports and its label."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from photosim.drawing.scene import clipped, text_width, wrapped
from photosim.drawing.symbols import PITCH, Symbol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from photosim.drawing.layout import Layout

LINE = 12.0
NAME_SIZE, LINE_SIZE, PORT_SIZE, TITLE_SIZE = 11.0, 9.5, 8.5, 12.0
NAME_INSET = 2.0
"""Distance of a port's name from the port, along the guide."""
MARK_REACH = {"open": 15.0, "terminated": 11.5, "ground": 16.0}
"""How far the mark of a port without a wire reaches beyond the port, in px, with a little air."""
_BELOW_GROUND = 13.0
"""How far a ground symbol reaches below its port."""
WIDEST_LABEL = 118.0
_LABEL_AIR = 3.0
_BODY = 8.0
_HOOK = 12.0


@dataclass(frozen=True)
class Pin:
    """Where a port is, from the middle of the core; heading is -1 on the left, +1 on the right.

    domain: "light", "free space", "electricity" or "heat". waves: how many a bus carries; 0 if unknown.
    """

    x: float
    y: float
    heading: int
    domain: str = "light"
    waves: int = 1


@dataclass(frozen=True)
class Hook:
    """A guide that is bent to the other side of its box: from the pin of the symbol to that of the box."""

    start: Pin
    end: Pin


@dataclass(frozen=True)
class Box:
    """An instance as drawn; sizes in px.

    kind: "symbol", "body" (a box with text), "group" (a body with a circuit inside), "frame" (an open one),
    "rings" (couplers and guides drawn as rings), "terminal" (an exposed port) or "junction" (of a net).
    core: size of what the pins stand on; the label stands below it. count: how many instances it stands for.
    """

    name: str
    kind: str
    core: tuple[float, float]
    pins: Mapping[str, Pin]
    lines: tuple[str, ...] = ()
    symbol: Symbol | None = None
    domain: str = "light"
    notes: str = ""
    component: str = ""
    count: int = 1
    members: tuple[str, ...] = ()
    mirrored: bool = False
    upended: bool = False
    hooks: tuple[Hook, ...] = ()
    sinks: float = 0.0
    """How far the symbol stands below the middle of the core, where hooks run above it."""
    labelled: Mapping[str, str] = field(default_factory=dict)
    """What is written at ports, by port."""
    label_at: tuple[float, float, str] | None = None
    """Where the label stands instead, from the middle of the core, with its anchor."""
    reach: tuple[float, float] = (0.0, 0.0)
    """From the middle to the outer ends of port names and end marks left and right; no wire bends there."""
    grounds: frozenset[str] = frozenset()
    """Ports that have a ground symbol."""
    rotated: bool = False
    """Whether the symbol stands upright, in an arm of a ring."""
    inner: Layout | None = field(default=None, repr=False)

    @property
    def overhang(self) -> float:
        """How far ground symbols reach below the core; the label stands below them."""
        lowest = max((self.pins[pin].y for pin in self.grounds), default=-self.core[1])
        return max(lowest + _BELOW_GROUND - self.core[1] / 2.0, 0.0)

    @property
    def label_height(self) -> float:
        """Height of the lines below the core."""
        return LINE * len(self.lines) if self.kind == "symbol" and self.label_at is None else 0.0

    @property
    def halves(self) -> tuple[float, float]:
        """Widths left and right of the middle, of core, label and port names."""
        label = self.label_width + 2.0 * _LABEL_AIR if self.label_height else 0.0
        half = max(self.core[0], label) / 2.0
        return max(half, self.reach[0]), max(half, self.reach[1])

    @property
    def width(self) -> float:
        """Width of core, label and port names."""
        return sum(self.halves)

    @property
    def names_beside(self) -> bool:
        """Whether port names stand along the guides beside the symbol, not inside a body."""
        sides = (self.symbol.left, self.symbol.right) if self.symbol else ()
        return self.kind == "symbol" and None not in sides

    def reaching(self, unnamed: Collection[str], marked: Mapping[str, str]) -> Box:
        """Return the box with room beside it for the names of ports and the marks of those without a wire.

        unnamed: ports whose names are not written.  marked: state of the ports that have an end mark.
        """
        ends = {-1: 0.0, 1: 0.0}
        for port, pin in self.pins.items():
            end = 0.0
            if port in marked:
                end = abs(pin.x) + MARK_REACH[marked[port]]
            elif self.names_beside and port in self.labelled and port not in unnamed:
                end = abs(pin.x) + NAME_INSET + text_width(self.labelled[port], PORT_SIZE)
            ends[pin.heading] = max(ends[pin.heading], end)
        grounds = frozenset(port for port, state in marked.items() if state == "ground")
        return replace(self, reach=(ends[-1], ends[1]), grounds=grounds)

    @property
    def label_width(self) -> float:
        """Width of the widest line."""
        return max(
            (text_width(line, NAME_SIZE if k == 0 else LINE_SIZE) for k, line in enumerate(self.lines)),
            default=0.0,
        )

    @property
    def height(self) -> float:
        """Height of core and label."""
        return self.core[1] + self.overhang + self.label_height

    @property
    def middle(self) -> tuple[float, float]:
        """Middle of the core, from the upper left corner of the box."""
        return self.halves[0], self.core[1] / 2.0

    def side(self, heading: int) -> tuple[str, ...]:
        """Return the ports on one side from top to bottom."""
        found = [name for name, pin in self.pins.items() if pin.heading == heading]
        return tuple(sorted(found, key=lambda name: self.pins[name].y))

    @property
    def left(self) -> tuple[str, ...]:
        """Ports on the left, from top to bottom."""
        return self.side(-1)

    @property
    def right(self) -> tuple[str, ...]:
        """Ports on the right, from top to bottom."""
        return self.side(1)

    def mirror(self) -> Box:
        """Return the box with left and right exchanged."""
        pins = {name: replace(pin, x=-pin.x, heading=-pin.heading) for name, pin in self.pins.items()}
        label = self.label_at
        if label is not None:
            anchors = {"start": "end", "end": "start"}
            label = (-label[0], label[1], anchors.get(label[2], label[2]))
        return replace(self, pins=pins, mirrored=not self.mirrored, label_at=label, reach=self.reach[::-1])

    @property
    def may_upend(self) -> bool:
        """Whether top and bottom may be exchanged."""
        return self.kind == "symbol" and not self.hooks and max(len(self.left), len(self.right)) > 1

    def upend(self) -> Box:
        """Return the box with top and bottom exchanged."""
        pins = {name: replace(pin, y=-pin.y) for name, pin in self.pins.items()}
        return replace(self, pins=pins, upended=not self.upended)

    def hook(self, port: str) -> Box:
        """Return the box with the guide of a port bent over the top, or below, to the other side."""
        start = self.pins[port]
        above = start.y <= 0.0
        height = self.core[1] + _HOOK
        down = _HOOK / 2.0 if above else -_HOOK / 2.0
        pins = {
            name: replace(pin, y=pin.y + down, x=pin.x + _HOOK * pin.heading)
            for name, pin in self.pins.items()
        }
        moved = replace(start, y=start.y + down)
        edge = self.core[0] / 2.0 + _HOOK
        end = replace(
            start,
            x=-edge * start.heading,
            y=(-1.0 if above else 1.0) * (height / 2.0 - 4.0),
            heading=-start.heading,
        )
        hooks = tuple(
            Hook(
                replace(h.start, y=h.start.y + down),
                replace(h.end, y=h.end.y + down, x=h.end.x + _HOOK * h.end.heading),
            )
            for h in self.hooks
        )
        return replace(
            self, pins={**pins, port: end}, hooks=(*hooks, Hook(moved, end)), sinks=self.sinks + down,
            core=(self.core[0] + 2.0 * _HOOK, height),
        )  # fmt: skip


def label_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines of a label, no wider than a label may be; a line that is too long has a second one."""
    names = [clipped(line, NAME_SIZE, WIDEST_LABEL) for line in lines[:1]]
    return (*names, *(row for line in lines[1:] for row in wrapped(line, LINE_SIZE, WIDEST_LABEL)))


def spread(count: int) -> tuple[float, ...]:
    """Return the heights of `count` ports about the middle of a side."""
    return tuple((k - (count - 1) / 2.0) * PITCH for k in range(count))


def symbol_box(
    name: str, symbol: Symbol, sides: tuple[tuple[str, ...], ...], domains: Mapping[str, str], **more: object
) -> Box | None:
    """Return the box of a symbol, or None where it does not have as many ports as the instance.

    sides: optical ports on the left and right, electrical ports on the left and right, top to bottom.
    """
    places = (symbol.left, symbol.right, symbol.drive, symbol.output)
    height = symbol.height
    pins: dict[str, Pin] = {}
    for ports, given, heading in zip(sides, places, (-1, 1, -1, 1), strict=True):
        heights = spread(len(ports)) if given is None else given
        if len(heights) != len(ports):
            if given is not symbol.drive or ports:
                return None
            continue
        if given is None:
            height = max(height, PITCH * (len(ports) + 0.4))
        for port, y in zip(ports, heights, strict=True):
            pins[port] = Pin(heading * symbol.width / 2.0, y, heading, domains[port])
    return Box(name, "symbol", (symbol.width, height), pins, symbol=symbol, **more)  # type: ignore[arg-type]


def body_box(
    name: str, kind: str, left: tuple[str, ...], right: tuple[str, ...], domains: Mapping[str, str],
    lines: tuple[str, ...], **more: object,
) -> Box:  # fmt: skip
    """Return a box with its text inside, and the names of its ports."""
    lines = label_lines(lines)
    text = max(
        (text_width(line, NAME_SIZE if k == 0 else LINE_SIZE) for k, line in enumerate(lines)), default=0.0
    )
    names = sum(max((text_width(port, PORT_SIZE) for port in side), default=0.0) for side in (left, right))
    width = max(56.0, text + names + 4.0 * _BODY)
    height = max(max(len(left), len(right)) * PITCH, len(lines) * LINE + 2.0 * _BODY)
    pins = {
        port: Pin(heading * width / 2.0, y, heading, domains[port])
        for heading, side in ((-1, left), (1, right))
        for port, y in zip(side, spread(len(side)), strict=True)
    }
    return Box(name, kind, (width, height), pins, lines, labelled={port: port for port in pins}, **more)  # type: ignore[arg-type]


def terminal_box(name: str, port: str, heading: int, domain: str) -> Box:
    """Return the box of an exposed port, whose wire leaves by `heading`; the port's name is beside it."""
    width = text_width(port, NAME_SIZE) + 14.0
    return Box(
        name,
        "terminal",
        (width, PITCH),
        {port: Pin(heading * width / 2.0, 0.0, heading, domain)},
        (port,),
        domain=domain,
    )


def junction_box(name: str, pins: Mapping[str, int], domain: str) -> Box:
    """Return the point where the wires of a net meet; pins are headings by name."""
    return Box(
        name,
        "junction",
        (8.0, 12.0),
        {pin: Pin(0.0, 0.0, heading, domain) for pin, heading in pins.items()},
        domain=domain,
    )

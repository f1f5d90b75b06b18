"""Rings made of couplers and guides: a ring is drawn as one, and rings that are coupled as a chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from photosim.drawing.boxes import Box, Pin
from photosim.drawing.flow import PortRef
from photosim.drawing.layout import Layout, PlacedBox, PlacedWire, Wire
from photosim.drawing.scene import Place, Trail

if TYPE_CHECKING:
    from photosim.drawing.sketch import Sketch

_ARM = 46.0
"""Distance of a ring's sides from its middle in px."""
_STEP = 54.0
_CURVE = 16.0
_LOWEST = 56.0
_RAIL = 11.0
_PAIR = 2


@dataclass(frozen=True)
class _Stop:
    """A box on the way round a ring, with the pins by which the walk enters and leaves it."""

    name: str
    entry: str
    exit: str
    couples: bool


Ring = tuple[_Stop, ...]


def ring_boxes(sketch: Sketch) -> None:
    """Replace couplers and guides that make a chain of rings by one box that shows the chain."""
    for chain in _chains(sketch):
        _replace(sketch, *_Drawn(sketch, chain).box())


def _chains(sketch: Sketch) -> Iterator[tuple[list[str], list[Ring]]]:
    """Yield chains of rings: the couplers from the first on, and the rings between them."""
    rings = _rings(sketch)
    of: dict[str, list[Ring]] = {}
    for ring in rings:
        for stop in ring:
            if stop.couples:
                of.setdefault(stop.name, []).append(ring)
    order = list(sketch.boxes)
    done: set[str] = set()
    for first in sorted(of, key=order.index):
        if first in done or len(of[first]) != 1:
            continue
        couplers, chain, ring = [first], list[Ring](), of[first][0]
        while True:
            chain.append(ring)
            onward = [stop.name for stop in ring if stop.couples and stop.name != couplers[-1]]
            if not onward:
                break
            couplers.append(onward[0])
            more = [other for other in of[onward[0]] if other is not ring]
            if not more:
                break
            ring = more[0]
        done |= set(couplers)
        yield couplers, chain


def _rings(sketch: Sketch) -> list[Ring]:
    """Return the closed ways along rails of couplers and guides, through one coupler or two."""
    joined = {pin: wire for wire in sketch.wires for pin in wire.pins}
    electrical = {pin for pins, _, _ in sketch.nets for pin in pins} | set(joined) | set(sketch.loose)
    found: list[Ring] = []
    seen: set[tuple[str, str]] = set()
    for name, box in sketch.boxes.items():
        for pin in box.right if _is_coupler(box) else ():
            if (name, pin) in seen:
                continue
            ring = _walk(sketch, joined, electrical, (name, pin))
            couplers = [stop.name for stop in ring if stop.couples]
            if ring and len(couplers) == len(set(couplers)) <= _PAIR:
                found.append(ring)
                seen |= {(stop.name, end) for stop in ring for end in (stop.entry, stop.exit)}
    return found


def _walk(sketch: Sketch, joined: dict[PortRef, Wire], electrical: set[PortRef], start: PortRef) -> Ring:
    """Return the ring that begins at a coupler's right pin, that coupler first; empty where none closes."""
    stops = [_Stop(start[0], _across(sketch.boxes[start[0]], start[1]) or "", start[1], couples=True)]
    while True:
        here = (stops[-1].name, stops[-1].exit)
        wire = joined.get(here)
        if wire is None or wire.waves != 1:
            return ()
        name, pin = wire.pins[1] if wire.pins[0] == here else wire.pins[0]
        if (name, pin) == (stops[0].name, stops[0].entry):
            return tuple(stops)
        box = sketch.boxes[name]
        out = _across(box, pin)
        if out is None or any(stop.name == name for stop in stops):
            return ()
        if not _is_coupler(box) and any(
            (name, other) in electrical for other in box.pins if other not in {pin, out}
        ):
            return ()
        stops.append(_Stop(name, pin, out, _is_coupler(box)))


def _is_coupler(box: Box) -> bool:
    return box.symbol is not None and box.symbol.name == "coupler" and box.count == 1


def _across(box: Box, pin: str) -> str | None:
    """Return the pin at the other end of the guide that begins at `pin`: of a rail, or of two light pins."""
    if box.symbol is None or box.count > 1 or box.hooks:
        return None
    if _is_coupler(box):
        side, far = (box.left, box.right) if pin in box.left else (box.right, box.left)
        return far[side.index(pin)]
    light = [name for name, found in box.pins.items() if found.domain == "light"]
    if len(light) != _PAIR or pin not in light or box.symbol.left is None:
        return None
    return light[1 - light.index(pin)]


class _Drawn:
    """A chain of rings as it is drawn: couplers from the bottom to the top, rings between them."""

    def __init__(self, sketch: Sketch, chain: tuple[list[str], list[Ring]]) -> None:
        self.sketch = sketch
        self.couplers, self.rings = chain
        self.placed: dict[str, tuple[Box, Place]] = {}
        self.wires: list[PlacedWire] = []
        self.wire_of = {pin: wire for wire in sketch.wires for pin in wire.pins}

    def box(self) -> tuple[Box, set[PortRef]]:
        """Return the box of the chain, and the pins that are inside of it."""
        y = 0.0
        for k, ring in enumerate(self.rings):
            y = self._ring(self._from(ring, self.couplers[k]), y, last=k == len(self.rings) - 1)
        inner = {end for wire in self.wires for end in wire.wire.pins}
        # Labels may stand beside the arms.
        reach = max(_ARM + 14.0 + box.label_width for box, _ in self.placed.values())
        tops = [at[1] - box.core[1] / 2.0 for box, at in self.placed.values()]
        ends = [at[1] + box.core[1] / 2.0 for box, at in self.placed.values()]
        up, down = (
            min(*tops, min((y for wire in self.wires for y in _heights(wire.trail)), default=0.0)) - 4.0,
            max(ends),
        )
        width, height = 2.0 * reach, down - up
        middle = (reach, -up)
        boxes = {
            name: PlacedBox(box, at[0] + middle[0] - box.width / 2.0, at[1] + middle[1] - box.core[1] / 2.0)
            for name, (box, at) in self.placed.items()
        }
        wires = tuple(replace(w, trail=_shift(w.trail, *middle)) for w in self.wires)
        pins: dict[str, Pin] = {}
        for name in self.couplers:
            box, at = self.placed[name]
            for port, pin in box.pins.items():
                if (name, port) not in inner:
                    pins[f"{name},{port}"] = replace(
                        pin, x=at[0] + pin.x, y=at[1] + middle[1] + pin.y - height / 2.0
                    )
        layout = Layout(boxes, wires, width, height, {})
        title = f"rings {self.couplers[0]}"
        return Box(title, "rings", (width, height), pins, inner=layout, members=tuple(self.placed)), inner

    def _from(self, ring: Ring, coupler: str) -> Ring:
        """Return a ring begun at a coupler, walked so that it leaves it on the right."""
        k = next(k for k, stop in enumerate(ring) if stop.name == coupler)
        turned = (*ring[k:], *ring[:k])
        box = self._coupler(coupler)
        if turned[0].exit in box.right:
            return turned
        back = [_Stop(stop.name, stop.exit, stop.entry, stop.couples) for stop in turned]
        return (back[0], *back[:0:-1])

    def _coupler(self, name: str) -> Box:
        return self.placed[name][0] if name in self.placed else self.sketch.boxes[name]

    def _ring(self, ring: Ring, y: float, *, last: bool) -> float:
        """Place a ring above the coupler at height y; return the height of the next coupler."""
        first = self._coupler(ring[0].name)
        if first.pins[ring[0].exit].y > 0.0:
            first = first.upend()
        if ring[0].name not in self.placed:  # above the bus
            self._put(ring[0].name, first, (0.0, y), (_ARM + 12.0, -5.0, "start"))
        cut = next((k for k, stop in enumerate(ring) if k and stop.couples), None)
        arms = (ring[1:cut], ring[cut + 1 :]) if cut else _halves(ring[1:])
        top = ring[1 + len(arms[0])] if cut or len(ring) % 2 == 0 else None
        most = max(len(arm) for arm in arms)
        height = max(_LOWEST, most * _STEP + 2.0 * _CURVE)
        middle = y - _RAIL - height / 2.0
        for arm, side, anchor in zip(arms, (1.0, -1.0), ("start", "end"), strict=True):
            for k, stop in enumerate(arm):
                rise = side * ((len(arm) - 1) / 2.0 - k) * _STEP
                self._put(
                    stop.name,
                    _rotated(self.sketch.boxes[stop.name], stop, side),
                    (side * _ARM, middle + rise),
                    (side * (self.sketch.boxes[stop.name].core[1] / 2.0 + 7.0), 3.0, anchor),
                )
        above = y - height - 2.0 * _RAIL
        if top is not None and cut:
            box = self.sketch.boxes[top.name]
            box = box.mirror() if top.entry in box.left else box
            box = box.upend() if box.pins[top.entry].y < 0.0 else box
            self._put(top.name, box, (0.0, above), (_ARM + 12.0, 12.0 if last else 3.0, "start"))
        elif top is not None:
            box = self.sketch.boxes[top.name]
            box = box.mirror() if top.entry in box.left else box
            self._put(top.name, box, (0.0, y - _RAIL - height), (0.0, box.core[1] / 2.0 + 18.0, "middle"))
        for a, b in zip(ring, (*ring[1:], ring[0]), strict=True):
            self._join((a.name, a.exit), (b.name, b.entry))
        return above

    def _put(self, name: str, box: Box, at: Place, label: tuple[float, float, str]) -> None:
        # Name and component alone: of a component in two lines, the first.
        lines = tuple(f"{line}..." if line.endswith("_") else line for line in box.lines[:_PAIR])
        self.placed[name] = (replace(box, label_at=label, lines=lines, labelled={}), at)

    def _join(self, a: PortRef, b: PortRef) -> None:
        wire = self.wire_of[a]
        ends = []
        for name, port in (a, b) if wire.pins[0] == a else (b, a):
            box, (x, y) = self.placed[name]
            pin = box.pins[port]
            way = (0.0, 1.0 if pin.y > 0.0 else -1.0) if box.rotated else (float(pin.heading), 0.0)
            ends.append(((x + pin.x, y + pin.y), way))
        self.wires.append(PlacedWire(wire, _curve(*ends)))


def _halves(parts: Ring) -> tuple[Ring, Ring]:
    """Return the parts on the right and on the left of a ring; one of an odd number stays for the top."""
    half = len(parts) // 2
    return parts[:half], parts[len(parts) - half :]


def _rotated(box: Box, stop: _Stop, side: float) -> Box:
    """Return a box turned to stand in an arm: it is walked upwards on the right, downwards on the left."""
    reach = box.core[0] / 2.0
    pins = {
        stop.entry: replace(box.pins[stop.entry], x=0.0, y=reach * side),
        stop.exit: replace(box.pins[stop.exit], x=0.0, y=-reach * side),
    }
    return replace(box, rotated=True, core=(box.core[1], box.core[0]), pins=pins)


def _curve(start: tuple[Place, Place], stop: tuple[Place, Place]) -> Trail:
    """Return a smooth curve between two places that leaves each by its direction."""
    (a, way), (b, back) = start, stop
    along = abs((b[0] - a[0]) * way[0] + (b[1] - a[1]) * way[1])
    against = abs((b[0] - a[0]) * back[0] + (b[1] - a[1]) * back[1])
    span = abs(b[0] - a[0]) + abs(b[1] - a[1])
    near = 0.6 * along if along > 1.0 else 0.75 * span
    far = 0.6 * against if against > 1.0 else 0.75 * span
    handles = (a[0] + near * way[0], a[1] + near * way[1], b[0] + far * back[0], b[1] + far * back[1])
    return (("M", a), ("C", (*handles, *b)))


def _heights(trail: Trail) -> Iterator[float]:
    for _, values in trail:
        yield from values[1::2]


def _shift(trail: Trail, dx: float, dy: float) -> Trail:
    return tuple(
        (letter, tuple(v + (dy if k % 2 else dx) for k, v in enumerate(values))) for letter, values in trail
    )


def _replace(sketch: Sketch, box: Box, inner: set[PortRef]) -> None:
    """Put the box of a chain in the place of its members, and lead wires, nets and ports to its pins."""
    first = box.members[0]

    def pin_of(pin: PortRef) -> PortRef:
        return (box.name, f"{pin[0]},{pin[1]}") if pin[0] in box.members else pin

    sketch.boxes = {
        (box.name if name == first else name): (box if name == first else found)
        for name, found in sketch.boxes.items()
        if name == first or name not in box.members
    }
    sketch.wires = [
        replace(wire, pins=(pin_of(wire.pins[0]), pin_of(wire.pins[1])))
        for wire in sketch.wires
        if wire.pins[0] not in inner
    ]
    sketch.exposed = {port: (pin_of(pin), end) for port, (pin, end) in sketch.exposed.items()}
    sketch.moved |= {
        (name, pin): pin_of((name, pin)) for name in box.members for pin in sketch.ports_of.get(name, ())
    }

"""The marks of single things on the sheet: symbols, bodies, labels, exposed ports, loose ends."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

from photosim.drawing.boxes import LINE, LINE_SIZE, NAME_INSET, NAME_SIZE, PORT_SIZE, Pin
from photosim.drawing.palette import DOMAINS, INK, OPEN, QUIET
from photosim.drawing.scene import Label, Mark, Place, Shape, Trail, circle, moved, rectangle, trail

if TYPE_CHECKING:
    from photosim.drawing.boxes import Box
    from photosim.drawing.layout import PlacedBox
    from photosim.drawing.wires import Point

_WIDTHS = {
    "g": 1.8,
    "G": 3.2,
    "s": 3.0,
    "o": 1.3,
    "d": 0.9,
    "l": 1.4,
    "e": 1.4,
    "E": 2.2,
    "eo": 1.3,
    "h": 1.4,
}
_OF_STYLE = {
    "g": "light",
    "G": "light",
    "s": "free space",
    "e": "electricity",
    "E": "electricity",
    "h": "heat",
}
_TEXT = 10.0
_SMALL = 8.0


def symbol_marks(placed: PlacedBox) -> list[Mark]:
    """Return the strokes of a symbol, its hooks, and a stack behind one that stands for many."""
    box, (x, y) = placed.box, placed.middle
    y += box.sinks
    across, down = -1.0 if box.mirrored else 1.0, -1.0 if box.upended else 1.0
    found: list[Mark] = []
    if box.symbol is None:
        return found
    edge, tint = DOMAINS[box.domain]
    if box.count > 1:
        w, h = min(box.symbol.width, 44.0), box.symbol.height
        found += [
            Shape(rectangle(x - w / 2.0 + step, y - h / 2.0 - step, w, h, 3.0), QUIET, 0.8, "#FFFFFF")
            for step in (6.0, 3.0, 0.0)
        ]
    if None in (box.symbol.left, box.symbol.right):
        inset = 6.0
        w, h = box.core[0] - 2.0 * inset, box.core[1] - 4.0
        found += [
            Shape(
                (("M", (x + pin.x, y + pin.y)), ("L", (x + pin.x - pin.heading * inset, y + pin.y))),
                DOMAINS[pin.domain][0],
                1.8,
            )
            for pin in box.pins.values()
        ]
        if box.symbol.name != "camera":
            found.append(Shape(rectangle(x - w / 2.0, y - h / 2.0, w, h, 3.0), edge, 1.3, tint))
        else:
            found += [
                Shape(
                    (("M", (x + pin.x, y + pin.y)), ("L", (x - 18.0, y + pin.y / 2.0))),
                    DOMAINS[pin.domain][0],
                    1.8,
                )
                for pin in box.pins.values()
            ]
    way = partial(_to, (x, y), across, down, box.rotated)
    on_feet = partial(_to, (x, y), across, 1.0, False)  # letters keep to their feet
    for style, path in box.symbol.strokes:
        own = moved(path, on_feet if style in {"t", "et"} else way)
        found.append(_stroke(style, own, box.domain, box.symbol.text))
    found += [_hook((x, placed.middle[1]), hook.start, hook.end) for hook in box.hooks]
    return found + _leads(box, (x, placed.middle[1]))


def _leads(box: Box, middle: Place) -> list[Mark]:
    """Return the guides from a symbol to its pins, where hooks have moved these outwards."""
    x, y = middle
    edge = box.symbol.width / 2.0 if box.symbol is not None else 0.0
    bent = [hook.end for hook in box.hooks]
    return [
        Shape(
            (("M", (x + edge * pin.heading, y + pin.y)), ("L", (x + pin.x, y + pin.y))),
            DOMAINS[pin.domain][0],
            _WIDTHS["g"] if pin.domain == "light" else _WIDTHS["e"],
        )
        for pin in box.pins.values()
        if bent and pin not in bent
    ]


def _to(middle: Place, across: float, down: float, rotated: bool, x: float, y: float) -> Place:
    """Return where a point of a symbol stands."""
    x, y = (y, -x) if rotated else (x, y)
    return middle[0] + across * x, middle[1] + down * y


def _stroke(style: str, path: Trail, domain: str, text: str) -> Mark:
    electric = style.startswith("e")
    edge, tint = DOMAINS[_OF_STYLE.get(style, "electricity" if electric else domain)]
    if style in {"t", "et"}:
        x, y = path[0][1][:2]
        return Label(x, y, text, _TEXT if len(text) < 3 else _SMALL, edge, "middle", bold=True)
    if style in {"f", "ef"}:
        return Shape(path, fill=edge)
    if style in {"o", "eo"}:
        return Shape(path, edge, _WIDTHS["o"], tint)
    return Shape(path, edge, _WIDTHS[style])


def _hook(middle: Place, start: Pin, end: Pin) -> Mark:
    x, y = middle
    out, top = x + start.x + 11.0 * start.heading, y + end.y
    r = min(9.0, abs(end.y - start.y) / 2.0)
    s, d = start.heading, (1.0 if end.y > start.y else -1.0)
    y0 = y + start.y
    text = (
        f"M{x + start.x} {y0} H{out - r * s} "
        f"C{out - r * s / 3} {y0} {out} {y0 + d * r / 3} {out} {y0 + d * r} "
        f"V{top - d * r} C{out} {top - d * r / 3} {out - r * s / 3} {top} {out - r * s} {top} "
        f"H{x + end.x}"
    )
    return Shape(trail(text), DOMAINS[start.domain][0], 1.8)


def body_marks(placed: PlacedBox) -> list[Mark]:
    """Return a box with text: a second outline where there is a circuit inside."""
    box, (x, y), (left, top) = placed.box, placed.middle, placed.corner
    (w, h), (edge, tint) = box.core, DOMAINS[box.domain]
    found: list[Mark] = []
    if box.count > 1:
        found += [Shape(rectangle(left + s, top - s, w, h, 5.0), edge, 0.8, "#FFFFFF") for s in (6.0, 3.0)]
    found.append(Shape(rectangle(left, top, w, h, 5.0), edge, 1.3, tint))
    if box.kind == "group":
        found.append(Shape(rectangle(left + 2.5, top + 2.5, w - 5.0, h - 5.0, 3.5), edge, 0.8))
    return [*found, *lines(box.lines, x, y - (len(box.lines) - 1) * LINE / 2.0 + 4.0)]


def lines(texts: tuple[str, ...], x: float, y: float, anchor: str = "middle") -> list[Mark]:
    """Return lines of a label at x, the first, a name, at the baseline y."""
    return [
        Label(
            x,
            y + k * LINE,
            text,
            NAME_SIZE if k == 0 else LINE_SIZE,
            INK if k == 0 else QUIET,
            anchor,
            bold=k == 0,
        )
        for k, text in enumerate(texts)
    ]


def label_marks(placed: PlacedBox) -> list[Mark]:
    """Return the lines below a symbol."""
    x, y = placed.middle
    if placed.box.label_at is not None:
        dx, dy, anchor = placed.box.label_at
        return lines(placed.box.lines, x + dx, y + dy - (len(placed.box.lines) - 1) * LINE / 2.0, anchor)
    return lines(placed.box.lines, x, y + placed.box.core[1] / 2.0 + placed.box.overhang + 10.0)


def port_marks(placed: PlacedBox, unnamed: Collection[str]) -> list[Mark]:
    """Return the names of a box's ports: inside a body, along a symbol's guide but for the `unnamed` ones."""
    box = placed.box
    found: list[Mark] = []
    body = not box.names_beside
    for name, text in box.labelled.items():
        if name in unnamed and not body:
            continue
        point = placed.port(name)
        anchor = "end" if (point.heading > 0) == body else "start"
        inset = (5.0 if box.kind in {"body", "group"} else 9.0) if body else -NAME_INSET
        y = point.y + (3.0 if body else -4.0)
        found.append(Label(point.x - inset * point.heading, y, text, PORT_SIZE, QUIET, anchor))
    return found


def terminal_marks(placed: PlacedBox) -> list[Mark]:
    """Return an exposed port: a ring at the wire's end, and its name."""
    box = placed.box
    name = box.lines[0]
    point = placed.port(next(iter(box.pins)))
    anchor = "end" if point.heading > 0 else "start"
    return [
        Shape(circle(point.x, point.y, 3.4), DOMAINS[box.domain][0], 1.5, "#FFFFFF"),
        Label(point.x - 8.0 * point.heading, point.y + 4.0, name, NAME_SIZE, INK, anchor, bold=True),
    ]


def edge_marks(placed: PlacedBox, edge: float, carried: str) -> list[Mark]:
    """Return an exposed port inside a frame with its edge at x = `edge`: a guide, in its power's colour."""
    box = placed.box
    point = placed.port(next(iter(box.pins)))
    anchor = "start" if point.heading > 0 else "end"
    colour = carried or DOMAINS[box.domain][0]
    return [
        Shape((("M", (edge, point.y)), ("L", (point.x, point.y))), colour, 2.6 if carried else 1.6),
        Shape(circle(edge, point.y, 2.4), fill=colour),
        Label(edge + 5.0 * point.heading, point.y - 3.0, box.lines[0], PORT_SIZE, QUIET, anchor),
    ]


def loose_marks(point: Point, state: str, domain: str) -> list[Mark]:
    """Return the mark of a port without a wire: a bar where terminated, a ring where open, ground."""
    x, y, way = point.x + 9.0 * point.heading, point.y, point.heading
    colour = DOMAINS[domain][0] if state == "ground" else QUIET
    found: list[Mark] = [Shape((("M", (point.x, y)), ("L", (x, y))), colour, 1.3)]
    if state == "terminated":
        return [*found, Shape(rectangle(x - 1.5, y - 5.0, 3.0, 10.0), fill=QUIET)]
    if state == "ground":
        bars = "".join(f"M{x - w} {y + 4 + 3 * k} H{x + w}" for k, w in enumerate((6, 4, 2)))
        return [*found, Shape(trail(f"M{x} {y} V{y + 4}{bars}"), colour, 1.4)]
    return [*found, Shape(circle(x + 2.5 * way, y, 2.5), OPEN, 1.2)]

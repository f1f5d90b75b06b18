"""A layout as a scene: wires, instances, exposed ports, title and legend.

Elements can be found in the SVG: an instance is a group of class "instance" with `data-instance`, a wire one
of class "wire" with `data-wire`, an exposed port one of class "port" with `data-port`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from photosim.drawing import glyphs
from photosim.drawing.boxes import TITLE_SIZE
from photosim.drawing.frames import HEADER
from photosim.drawing.layout import Layout, unnamed
from photosim.drawing.legend import legend
from photosim.drawing.names import wire_name
from photosim.drawing.palette import DOMAINS, INK, QUIET, power_colour
from photosim.drawing.scene import (
    Group,
    Label,
    Mark,
    Scene,
    Shape,
    circle,
    moved,
    rectangle,
    scaled,
    shifted,
    text_width,
)

if TYPE_CHECKING:
    from photosim.drawing.boxes import Box
    from photosim.drawing.layout import PlacedBox, PlacedWire

MARGIN = 18.0
_HEADING = 26.0
_LEGEND = 30.0


def render(layout: Layout, title: str, powers: Mapping[str, float] | None, page: float) -> Scene:
    """Return the picture of a layout, made smaller where it is wider than the page.

    powers: what wires carry in W, by "a,o2:b,o1"; their colour says it.
    """
    largest = max(powers.values(), default=0.0) if powers else 0.0
    scale = min(page / max(layout.width, 1.0), 1.0)
    marks = (
        scaled(_marks(layout, "", powers, largest), scale)
        if scale < 1.0
        else _marks(layout, "", powers, largest)
    )
    key, key_width = legend(_domains(layout), largest if powers else None)
    width = max(scale * layout.width, key_width, text_width(title, 14.0)) + 2.0 * MARGIN
    height = scale * layout.height + 2.0 * MARGIN + _HEADING + _LEGEND
    return Scene(
        width, height, title,
        (
            Label(MARGIN, MARGIN + 6.0, title, 14.0, INK, bold=True),
            *shifted(marks, MARGIN, MARGIN + _HEADING),
            *shifted(key, MARGIN, height - MARGIN - 4.0),
        ),
    )  # fmt: skip


def _domains(layout: Layout) -> set[str]:
    found = {placed.wire.domain for placed in layout.wires}
    for placed in layout.boxes.values():
        found |= {pin.domain for pin in placed.box.pins.values()} | (
            {placed.box.domain} if placed.box.kind != "junction" else set()
        )
        if placed.box.inner:
            found |= _domains(placed.box.inner)
    return found


def _marks(layout: Layout, prefix: str, powers: Mapping[str, float] | None, largest: float) -> list[Mark]:
    marks: list[Mark] = [_wire(placed, powers, largest) for placed in layout.wires]
    for name, placed in layout.boxes.items():
        marks.append(_box(name, placed, layout, prefix, powers, largest))
    for (name, pin), state in layout.loose.items():
        placed = layout.boxes[name]
        tag = {"class": f"loose {state}", "data-end": f"{prefix}{name},{pin}"}
        marks.append(
            Group(tuple(glyphs.loose_marks(placed.port(pin), state, placed.box.pins[pin].domain)), tag)
        )
    return marks


def _box(
    name: str,
    placed: PlacedBox,
    layout: Layout,
    prefix: str,
    powers: Mapping[str, float] | None,
    largest: float,
) -> Mark:
    box = placed.box
    if box.kind == "terminal":
        port = name.removeprefix("port ")
        inner = (
            glyphs.edge_marks(
                placed, 0.0 if box.right else layout.width, _colour(name, layout, powers, largest)
            )
            if prefix
            else glyphs.terminal_marks(placed)
        )
        full = f"{prefix}{port}" if prefix else port
        tag = (
            {"class": "port inner"} if prefix else {"class": "port", "id": f"port-{port}", "data-port": full}
        )
        return Group(tuple(inner), tag)
    if box.kind == "junction":
        return Group(
            (Shape(circle(*placed.middle, 3.0), fill=DOMAINS[box.domain][0]),), {"class": "junction"}
        )
    if box.kind == "rings":
        return Group(
            tuple(shifted(_marks(_turned(box), prefix, powers, largest), *placed.corner)),
            {"class": "rings"},
        )
    path = prefix + name
    tag = {
        "class": "instance", "id": f"instance-{path}", "data-instance": path, "data-component": box.component,
    }  # fmt: skip
    if box.count > 1:
        tag |= {"data-count": str(box.count), "data-last": box.members[-1]}
    if box.kind == "frame":
        return Group(
            tuple(_frame(placed, path, powers, largest)), {**tag, "class": "instance open"}, box.notes
        )
    if box.kind == "symbol":
        drawn = [*glyphs.symbol_marks(placed), *glyphs.label_marks(placed)]
        # Where a pointer may hit a symbol made of lines.
        area = Shape(
            rectangle(placed.x, placed.y, box.width, box.height),
            attributes={"class": "area", "pointer-events": "all"},
        )
        drawn.insert(0, area)
    else:
        drawn = glyphs.body_marks(placed)
    silent = unnamed(name, box, (placed.wire for placed in layout.wires), layout.loose)
    return Group((*drawn, *glyphs.port_marks(placed, silent)), tag, box.notes)


def _colour(name: str, layout: Layout, powers: Mapping[str, float] | None, largest: float) -> str:
    """Return the colour of the power in the guide of an exposed port; empty where no powers are shown."""
    wire = next((w.wire for w in layout.wires if w.wire.pins[0][0] == name), None)
    power = powers.get(wire_name(wire.ends)) if wire and powers else None
    return "" if power is None else power_colour(power, largest)


def _turned(box: Box) -> Layout:
    """Return the layout inside of a box, mirrored if the box is."""
    inner = box.inner or Layout({}, (), 0.0, 0.0, {})
    if not box.mirrored:
        return inner
    boxes = {
        name: replace(p, box=p.box.mirror(), x=inner.width - p.x - p.box.width)
        for name, p in inner.boxes.items()
    }
    wires = tuple(replace(w, trail=moved(w.trail, lambda x, y: (inner.width - x, y))) for w in inner.wires)
    return replace(inner, boxes=boxes, wires=wires)


def _frame(placed: PlacedBox, path: str, powers: Mapping[str, float] | None, largest: float) -> list[Mark]:
    box, (left, top) = placed.box, placed.corner
    (w, h), (edge, _) = box.core, DOMAINS[box.domain]
    layout = replace(_turned(box), width=w)
    name, component = box.lines
    return [
        Shape(rectangle(left, top, w, h, 6.0), edge, 1.0, "#F8FAFC", dashed=False),
        Label(left + 7.0, top + 14.0, name, TITLE_SIZE - 1.0, INK, bold=True),
        Label(
            left + 13.0 + text_width(name, TITLE_SIZE),
            top + 14.0,
            component,
            TITLE_SIZE - 2.0,
            QUIET,
        ),
        *shifted(_marks(layout, f"{path}.", powers, largest), left, top + HEADER),
    ]


def _wire(placed: PlacedWire, powers: Mapping[str, float] | None, largest: float) -> Mark:
    wire = placed.wire
    ends = wire_name(wire.ends)
    colour = DOMAINS[wire.domain][0]
    wide = wire.waves != 1
    thick = 3.0 if wide else 1.7 if wire.domain == "light" else 1.4
    title = ends
    if powers is not None and wire.domain in {"light", "free space"} and ends in powers:
        colour, thick = power_colour(powers[ends], largest), max(thick, 2.6)
        title = f"{ends}: {powers[ends]:.3g} W"
    tag = {"class": f"wire {wire.domain.replace(' ', '-')}", "id": f"wire-{ends}", "data-wire": ends}
    if wide:
        tag["data-waves"] = str(wire.waves)
    path = Shape(placed.trail, colour, thick, attributes=tag, title=title)
    return Group((path, *_width_marks(placed, colour)), {"class": "bus"}) if wide else path


def _width_marks(placed: PlacedWire, colour: str) -> list[Mark]:
    """Return the slash across a bus, with the number of its waves."""
    trail = placed.trail
    pairs = [(a[1][-2:], b) for a, b in pairwise(trail)]
    flat = [
        (abs(b[1][0] - a[0]), (a[0] + b[1][0]) / 2.0, a[1], "middle")
        for a, b in pairs
        if b[0] == "L" and abs(b[1][1] - a[1]) < 0.5
    ]
    curved = [
        # Beside the curve, on its upper side.
        (
            abs(b[1][-2] - a[0]) * 0.8,
            (a[0] + b[1][-2]) / 2.0,
            (a[1] + b[1][-1]) / 2.0,
            "end" if (b[1][-1] - a[1]) * (b[1][-2] - a[0]) < 0.0 else "start",
        )
        for a, b in pairs
        if b[0] == "C"
    ]
    best = max((*flat, *curved), default=None)
    if best is None:
        return []
    _, x, y, anchor = best
    aside = {"end": -6.0, "start": 6.0}.get(anchor, 0.0)
    slash = Shape((("M", (x - 3.5, y + 6.0)), ("L", (x + 3.5, y - 6.0))), colour, 1.4)
    return (
        [slash, Label(x + aside, y - 8.0, str(placed.wire.waves), 9.0, colour, anchor)]
        if placed.wire.waves
        else [slash]
    )

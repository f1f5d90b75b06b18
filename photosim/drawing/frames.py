"""A composite that is open: a frame about the layout of what is inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from photosim.drawing.boxes import TITLE_SIZE, Box, Pin
from photosim.drawing.scene import text_width

if TYPE_CHECKING:
    from photosim.drawing.layout import Layout

HEADER, FOOTER = 24.0, 10.0


def frame(outside: Box, inner: Layout, canonical: Callable[[str], str]) -> Box:
    """Return the box of an open composite: as large as what is inside, its ports where the inner ones are.

    canonical: gives the port of the composite that an inner port is.
    """
    title = text_width(f"{outside.name} {outside.component}", TITLE_SIZE) + 16.0
    width = max(inner.width, title)
    height = inner.height + HEADER + FOOTER
    pins: dict[str, Pin] = {}
    for name, placed in inner.boxes.items():
        if placed.box.kind != "terminal" or not name.startswith("port "):
            continue
        port = canonical(name.removeprefix("port "))
        own = next(iter(placed.box.pins.values()))
        y = placed.middle[1] + HEADER - height / 2.0
        pins[port] = Pin(-own.heading * width / 2.0, y, -own.heading, own.domain, own.waves)
    for port, pin in outside.pins.items():  # ports that nothing inside is exposed as
        pins.setdefault(port, replace(pin, x=pin.heading * width / 2.0))
    return replace(
        outside,
        kind="frame",
        core=(width, height),
        pins=pins,
        inner=inner,
        lines=(outside.name, outside.component),
        symbol=None,
    )

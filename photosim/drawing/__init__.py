"""Schematics of netlists as SVG: boxes laid out along the light, wires that never cross a box.

One level of the hierarchy is drawn: a part with a circuit inside is one box with a double outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from photosim.arguments import public
from photosim.drawing.boxes import Box, boxes_of, canonical
from photosim.drawing.flow import flow_columns
from photosim.drawing.layout import Layout, Pair, PortRef, arrange
from photosim.drawing.svg import render
from photosim.files import check_target
from photosim.files.atomic import write_text

if TYPE_CHECKING:
    from photosim.model import Netlist

__all__ = ["Drawing", "draw", "lay_out", "svg"]

_INPUTS = ("in", "add")


@public
@dataclass(frozen=True)
class Drawing:
    """A finished schematic: SVG text that a notebook shows as a picture."""

    text: str

    def save(self, path: str | Path) -> Path:
        """Write the picture to a .svg file, whole or not at all; DataError when that fails."""
        target = check_target(path, (".svg",))
        write_text(target, self.text)
        return target

    def _repr_svg_(self) -> str:
        return self.text


@public
def draw(netlist: Netlist, path: str | Path | None = None) -> Drawing:
    """Return the schematic of a checked netlist; write it to `path` too if one is given."""
    picture = Drawing(svg(netlist))
    if path is not None:
        picture.save(path)
    return picture


@public
def svg(netlist: Netlist) -> str:
    """Return the schematic of a checked netlist as an SVG document.

    Raises ParameterError for a component or port that does not exist.
    """
    layout = lay_out(netlist)
    wired = {end for wire in layout.wires for end in wire.ends}
    terminated = {(name, canonical(netlist, name, port)) for name, port in netlist.terminate}
    loose = {
        (name, port): "terminated" if (name, port) in terminated else "open"
        for name, placed in layout.boxes.items()
        for port in (*placed.box.left, *placed.box.right)
        # An electrical output that nobody reads is not an open end.
        if (name, port) not in wired and port not in placed.box.electrical
    }
    return render(layout, netlist.name, loose)


@public
def lay_out(netlist: Netlist) -> Layout:
    """Return where every box and wire of the schematic goes; exposed ports are boxes named "port <name>"."""
    boxes = boxes_of(netlist)
    exposed = {port: (name, canonical(netlist, name, inner)) for port, (name, inner) in netlist.ports.items()}
    wires: list[Pair] = [
        ((a, canonical(netlist, a, p)), (b, canonical(netlist, b, q)))
        for (a, p), (b, q) in netlist.connections
    ]
    boxes, columns = flow_columns(boxes, wires, _starts(boxes, exposed))
    columns = {name: column + 1 for name, column in columns.items()}
    last = max(columns.values(), default=0) + 1
    for port, (name, inner) in exposed.items():
        on_right = inner in boxes[name].right
        terminal = f"port {port}"
        electrical = frozenset({port}) if inner in boxes[name].electrical else frozenset[str]()
        left, right = ((port,), ()) if on_right else ((), (port,))
        boxes[terminal] = Box(terminal, "terminal", left, right, (port,), electrical)
        columns[terminal] = last if on_right else 0
        wires.append(((terminal, port), (name, inner)))
    return arrange(boxes, wires, columns)


def _starts(boxes: dict[str, Box], exposed: dict[str, PortRef]) -> list[PortRef]:
    """Return the ports where light begins: exposed ports named as inputs, else the first; and the sources."""
    named = [end for port, end in exposed.items() if port.startswith(_INPUTS)]
    sources = [(name, box.right[0]) for name, box in boxes.items() if box.kind == "source" and box.right]
    return [*(named or ([] if sources else list(exposed.values())[:1])), *sources]

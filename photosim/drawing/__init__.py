"""Schematics of netlists as SVG, PDF or PNG: symbols along the light, wires that never cross a symbol.

A netlist becomes a `sketch` (boxes and wires: composites opened, arrays folded, `rings` found), `flow` turns
the boxes along the light, `layout` places them (`heights`, `bands`) and routes `wires`, `render` makes the
marks of a `scene`, and `svg` or `figure` a file. Symbols are data: `strokes` and `catalogue`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from photosim.arguments import public
from photosim.drawing.layout import Layout
from photosim.drawing.picture import PAGE, SUFFIXES, Drawing, fitted, picture, style_of

if TYPE_CHECKING:
    from photosim.model import Netlist

__all__ = ["PAGE", "SUFFIXES", "Drawing", "draw", "lay_out", "svg"]


@public
def draw(
    netlist: Netlist,
    path: str | Path | None = None,
    *,
    depth: int = 0,
    expand: str | Sequence[str] = (),
    fold: int = 8,
) -> Drawing:
    """Return the schematic of a checked netlist, and write it to `path` (.svg, .pdf or .png) if there is one.

    depth: number of levels of composites that are drawn open.  expand: names of further instances to draw
    open, "outer.inner" for an inner one.  fold: arrays of more equal instances than this are drawn once.

    Raises ParameterError for an unknown name.
    """
    return picture(netlist, path, style_of(depth, expand, fold), None)


@public
def svg(netlist: Netlist) -> str:
    """Return the schematic of a checked netlist as an SVG document.

    Raises ParameterError for a component or port that does not exist.
    """
    return draw(netlist).text


@public
def lay_out(netlist: Netlist, *, depth: int = 0, expand: str | Sequence[str] = (), fold: int = 8) -> Layout:
    """Return the places of all boxes and wires of the schematic.

    Exposed ports are boxes named "port <name>". If the drawing is wider than the page, labels lose their
    settings first and then their components.

    netlist: the circuit to draw.  depth: number of levels of composites and sub-netlists that are drawn open.
    expand: names of further instances to draw open.  fold: arrays of more equal instances than this are drawn
    once.
    """
    return fitted(netlist, style_of(depth, expand, fold))

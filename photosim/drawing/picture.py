"""A finished schematic, and how a circuit with light in it is made one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.drawing.asking import check_depth, check_expand
from photosim.drawing.layout import Layout
from photosim.drawing.light import Measure, wire_powers
from photosim.drawing.render import render
from photosim.drawing.scene import Scene
from photosim.drawing.sketch import lay_out_level
from photosim.drawing.style import Style
from photosim.drawing.svg import svg_text
from photosim.errors import ParameterError
from photosim.files import check_target
from photosim.files.atomic import write_text
from photosim.signals.guides import guide_powers

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.model import Netlist

PAGE = 960.0
"""Width of the page in px that a drawing keeps to where it can."""
SUFFIXES = (".svg", ".pdf", ".png")
_SMALLEST = 0.55
"""How far a drawing is made smaller that is wider than the page, before it goes on in further rows."""
_NAMES = 2
_FAR = 2.0
_MOST_CARRIED = 24


@public
@dataclass(frozen=True)
class Drawing:
    """A finished schematic; a notebook displays its SVG text as a picture.

    scene: boxes, wires and labels with their places.
    """

    text: str
    scene: Scene

    def __repr__(self) -> str:
        return f"Drawing({self.scene.width:.0f} x {self.scene.height:.0f} px)"

    def save(self, path: str | Path) -> Path:
        """Write the picture to a .svg, .pdf or .png file, whole or not at all; DataError when that fails."""
        target = check_target(path, SUFFIXES)
        if target.suffix.lower() == ".svg":
            write_text(target, self.text)
        else:
            from photosim.drawing.figure import write_figure

            write_figure(self.scene, target)
        return target

    def _repr_svg_(self) -> str:
        return self.text


def draw_circuit(
    circuit: Circuit,
    path: str | Path | None,
    style: Style,
    light: tuple[float | None, Mapping[str, float] | None],
    settings: Mapping[str, Any],
    *,
    power: bool,
) -> Drawing:
    """Return the drawing of a circuit, with the powers in its guides if `power`.

    light: wavelength in um and inputs in W, as in `guide_powers`; these and settings are refused otherwise.
    """
    wl, inputs = light
    if not power and (settings or inputs or wl is not None):
        message = "wl, inputs and settings belong to a drawing with powers: give power=True."
        raise ParameterError(message)

    def measure(ends: Sequence[Sequence[tuple[str, str]]]) -> list[float]:
        return guide_powers(circuit, ends, wl, inputs, settings)

    return picture(circuit.netlist, path, style, measure if power else None)


def picture(netlist: Netlist, path: str | Path | None, style: Style, measure: Measure | None) -> Drawing:
    """Return the drawing of a netlist; write it to `path` too if one is given."""
    if path is not None:
        check_target(path, SUFFIXES)
    layout = fitted(netlist, style)
    carried = wire_powers(netlist, layout, measure) if measure else None
    scene = render(layout, netlist.name, carried, PAGE)
    found = Drawing(svg_text(scene), scene)
    if path is not None:
        found.save(path)
    return found


def fitted(netlist: Netlist, style: Style) -> Layout:
    """Return the layout of a netlist that has the most detail of those that keep to the page."""
    check_depth(style.depth, style.fold)
    check_expand(netlist, style.expand)
    found: list[Layout] = []
    for detail in range(_NAMES + 1):
        if found and detail < _NAMES and found[-1].width > _FAR * PAGE:
            continue
        found.append(lay_out_level(netlist, replace(style, detail=detail)))
        if found[-1].width <= PAGE and not found[-1].folded:
            return found[-1]
    # Too wide for one row whatever is written: the fewest rows, or smaller, or rows that many wires join.
    fitting = [layout for layout in found if layout.width <= PAGE]
    if fitting:
        return min(fitting, key=lambda layout: len(layout.folded))
    if found[-1].width <= PAGE / _SMALLEST:
        return found[-1]
    carrying = lay_out_level(netlist, replace(style, detail=_NAMES, carried=_MOST_CARRIED))
    return min(found[-1], carrying, key=lambda layout: layout.width)


def style_of(depth: int, expand: str | Sequence[str], fold: int) -> Style:
    """Return the style that a call asks for."""
    return Style(depth, (expand,) if isinstance(expand, str) else tuple(expand), fold, page=PAGE)

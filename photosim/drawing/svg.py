"""A scene as SVG text: plain shapes and text, no script, no font to load."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from photosim.drawing.scene import Group, Label, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.drawing.scene import Mark, Scene, Trail

_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def svg_text(scene: Scene) -> str:
    """Return the SVG document of a scene."""
    width, height = f"{scene.width:.0f}", f"{scene.height:.0f}"
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONT}">',
        f"<title>{escape(scene.title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#FFFFFF"/>',
        *(_mark(mark) for mark in scene.marks),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _mark(mark: Mark) -> str:
    if isinstance(mark, Group):
        title = f"<title>{escape(mark.title)}</title>" if mark.title else ""
        return (
            f"<g{_attributes(mark.attributes)}>{title}{''.join(_mark(child) for child in mark.children)}</g>"
        )
    return _text(mark) if isinstance(mark, Label) else _path(mark)


def _path(shape: Shape) -> str:
    stroke = f' stroke="{shape.stroke}" stroke-width="{shape.width:g}"' if shape.stroke else ""
    dashes = ' stroke-dasharray="5 3"' if shape.dashed else ""
    look = f'fill="{shape.fill or "none"}"{stroke}{dashes} stroke-linejoin="round"'
    start = f'<path{_attributes(shape.attributes)} d="{_data(shape.trail)}" {look}'
    return f"{start}><title>{escape(shape.title)}</title></path>" if shape.title else f"{start}/>"


def _data(trail: Trail) -> str:
    return "".join(letter + " ".join(f"{value:.1f}" for value in values) for letter, values in trail)


def _text(label: Label) -> str:
    weight = ' font-weight="bold"' if label.bold else ""
    place = f'x="{label.x:.1f}" y="{label.y:.1f}" font-size="{label.size:g}" text-anchor="{label.anchor}"'
    return f'<text {place} fill="{label.colour}"{weight}>{escape(label.text)}</text>'


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())

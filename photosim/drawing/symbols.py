"""Symbols of the field: strokes about a centre, with the places of their ports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from photosim.drawing.scene import Trail, trail
from photosim.drawing.strokes import TABLE

PITCH = 22.0
"""Distance of neighbouring ports in px."""
Stroke = tuple[str, Trail]
"""How a path is drawn, and the path; or "t" and where a text of the symbol stands."""


@dataclass(frozen=True)
class Symbol:
    """How a component is drawn.

    width, height: in px. left, right: heights of the optical ports on either side, from top to bottom, about
    the centre; None where there may be any number. drive, output: those of electrical ports on the left and
    right. strokes: (style, path), styles as in `photosim.drawing.render`. text: what "t" strokes say.
    returns: aliases of ports at which light leaves on the side that it came from.
    """

    name: str
    width: float
    height: float
    left: tuple[float, ...] | None
    right: tuple[float, ...] | None
    drive: tuple[float, ...] = ()
    output: tuple[float, ...] | None = ()
    strokes: tuple[Stroke, ...] = ()
    text: str = ""
    returns: tuple[str, ...] = ()


@cache
def symbol(name: str) -> Symbol:
    """Return a symbol by name; KeyError where there is none."""
    width, height, left, right, drive, output, drawn, *rest = TABLE[name]
    text, returns = (*rest, "", ())[:2] if len(rest) < 2 else rest
    strokes = []
    for item in str(drawn).split("|"):
        style, _, path = item.partition(" ")
        strokes.append((style, trail(path.replace("W", f"{float(str(width)) / 2:g} "))))
    return Symbol(
        name, float(str(width)), float(str(height)), left, right, drive, output, tuple(strokes), text, returns  # type: ignore[arg-type]
    )  # fmt: skip


def symbol_names() -> tuple[str, ...]:
    """Return the names of all symbols."""
    return tuple(TABLE)

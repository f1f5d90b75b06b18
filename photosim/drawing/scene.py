"""What a picture is made of, whatever the file format: paths, texts, and groups with attributes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

Command: TypeAlias = tuple[str, tuple[float, ...]]
"""A letter of M, L, C, Z and its absolute coordinates, x and y in turn."""
Trail: TypeAlias = tuple[Command, ...]
Place: TypeAlias = tuple[float, float]

_TOKEN = re.compile(r"([MLHVCZO])([^MLHVCZO]*)")
_ROUND = 0.5522847498  # handles of the cubic curve closest to a quarter of a circle


@dataclass(frozen=True)
class Shape:
    """A path with a tooltip: filled, stroked or both; colours as #RRGGBB, `fill` empty for none."""

    trail: Trail
    stroke: str = ""
    width: float = 1.2
    fill: str = ""
    dashed: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True)
class Label:
    """A line of text; `anchor` is start, middle or end of it, at its baseline."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: str = "start"
    bold: bool = False


@dataclass(frozen=True)
class Group:
    """Things that belong together, with the attributes of an SVG element and a tooltip."""

    children: tuple[Mark, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)
    title: str = ""


Mark: TypeAlias = Shape | Label | Group


@dataclass(frozen=True)
class Scene:
    """A finished picture: its size in px, its title, and what is on it."""

    width: float
    height: float
    title: str
    marks: tuple[Mark, ...]


def trail(text: str) -> Trail:
    """Return path data as commands: absolute M, L, H, V, C and Z, and O x y r for a circle."""
    found: list[Command] = []
    at = (0.0, 0.0)
    for letter, numbers in _TOKEN.findall(text):
        values = tuple(float(number) for number in numbers.split())
        if letter == "O":
            found += circle(*values)
            continue
        if letter == "Z":
            found.append(("Z", ()))
            continue
        if letter in "HV":
            values = (values[0], at[1]) if letter == "H" else (at[0], values[0])
        found.append(("L" if letter in "HV" else letter, values))
        at = (values[-2], values[-1])
    return tuple(found)


def circle(x: float, y: float, r: float) -> Trail:
    """Return the path of a circle."""
    k = _ROUND * r
    return (
        ("M", (x + r, y)),
        ("C", (x + r, y + k, x + k, y + r, x, y + r)),
        ("C", (x - k, y + r, x - r, y + k, x - r, y)),
        ("C", (x - r, y - k, x - k, y - r, x, y - r)),
        ("C", (x + k, y - r, x + r, y - k, x + r, y)),
        ("Z", ()),
    )


def rectangle(x: float, y: float, width: float, height: float, corner: float = 0.0) -> Trail:
    """Return the path of a rectangle with rounded corners, given its upper left corner and its size."""
    x1, y1, c = x + width, y + height, corner
    if not c:
        return (("M", (x, y)), ("L", (x1, y)), ("L", (x1, y1)), ("L", (x, y1)), ("Z", ()))
    k = c * (1.0 - _ROUND)
    return (
        ("M", (x + c, y)), ("L", (x1 - c, y)), ("C", (x1 - k, y, x1, y + k, x1, y + c)),
        ("L", (x1, y1 - c)), ("C", (x1, y1 - k, x1 - k, y1, x1 - c, y1)),
        ("L", (x + c, y1)), ("C", (x + k, y1, x, y1 - k, x, y1 - c)),
        ("L", (x, y + c)), ("C", (x, y + k, x + k, y, x + c, y)), ("Z", ()),
    )  # fmt: skip


def moved(path: Trail, to: Callable[[float, float], Place]) -> Trail:
    """Return a path with every point sent through `to`."""
    return tuple(
        (letter, tuple(value for k in range(0, len(values), 2) for value in to(*values[k : k + 2])))
        for letter, values in path
    )


def scaled(marks: Iterable[Mark], scale: float) -> tuple[Mark, ...]:
    """Return marks made larger or smaller about the origin, lines and letters too."""
    found: list[Mark] = []
    for mark in marks:
        if isinstance(mark, Label):
            found.append(replace(mark, x=mark.x * scale, y=mark.y * scale, size=round(mark.size * scale, 2)))
        elif isinstance(mark, Shape):
            small = moved(mark.trail, lambda x, y: (x * scale, y * scale))
            found.append(replace(mark, trail=small, width=round(mark.width * scale, 2)))
        else:
            found.append(replace(mark, children=scaled(mark.children, scale)))
    return tuple(found)


def shifted(marks: Iterable[Mark], dx: float, dy: float) -> tuple[Mark, ...]:
    """Return marks moved by (dx, dy)."""
    found: list[Mark] = []
    for mark in marks:
        if isinstance(mark, Label):
            found.append(replace(mark, x=mark.x + dx, y=mark.y + dy))
        elif isinstance(mark, Shape):
            found.append(replace(mark, trail=moved(mark.trail, lambda x, y: (x + dx, y + dy))))
        else:
            found.append(replace(mark, children=shifted(mark.children, dx, dy)))
    return tuple(found)


def text_width(text: str, size: float) -> float:
    """Return the width in px of `text` set in a common sans-serif of `size` px, a little on the wide side."""
    return sum(0.34 if c in "iljtf.,:;|'()[] I" else 0.86 if c in "mwMW@%" else 0.6 for c in text) * size


def clipped(text: str, size: float, width: float) -> str:
    """Return `text`, cut with an ellipsis where it is wider than `width` px."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[:-1]
    return text + "..."


def wrapped(text: str, size: float, width: float) -> tuple[str, ...]:
    """Return `text` in one line, or in two that break behind "_" or at a space if it is too wide."""
    if text_width(text, size) <= width:
        return (text,)
    ends = [k + 1 for k, letter in enumerate(text) if letter in "_ "]
    fitting = [end for end in ends if text_width(text[:end].rstrip(), size) <= width]
    if not fitting:
        return (clipped(text, size, width),)
    return text[: fitting[-1]].rstrip(), clipped(text[fitting[-1] :], size, width)

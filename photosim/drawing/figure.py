"""A scene as a PDF or PNG file, by matplotlib."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from photosim.drawing.scene import Group, Label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from photosim.drawing.scene import Mark, Scene, Shape

_DPI = 96.0
_POINT = 72.0 / _DPI
_SHARP = 2.0
_MOST_PIXELS = 16000.0


def write_figure(scene: Scene, target: Path) -> None:
    """Write a scene to a .pdf or .png file, whole or not at all; a PNG has two pixels for each px."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch

    from photosim.files.atomic import replacing

    figure = Figure((scene.width / _DPI, scene.height / _DPI), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0.0, scene.width)
    axes.set_ylim(scene.height, 0.0)
    for order, mark in enumerate(_flat(scene.marks)):
        if isinstance(mark, Label):
            axes.text(
                mark.x, mark.y, mark.text, fontsize=mark.size * _POINT, color=mark.colour, zorder=order,
                ha={"start": "left", "middle": "center", "end": "right"}[mark.anchor], va="baseline",
                weight="bold" if mark.bold else "normal", parse_math=False, family=["DejaVu Sans"],
            )  # fmt: skip
        else:
            look: dict[str, Any] = {"facecolor": mark.fill or "none", "edgecolor": mark.stroke or "none"}
            dashes = {"linestyle": (0.0, (5.0, 3.0))} if mark.dashed else {}
            axes.add_patch(
                PathPatch(
                    _path(mark),
                    linewidth=mark.width * _POINT,
                    zorder=order,
                    capstyle="butt",
                    **look,
                    **dashes,
                )
            )
    sharp = min(_SHARP, _MOST_PIXELS / max(scene.width, scene.height))
    drawn = BytesIO()  # a writer of PDF that meets a full disk fails a second time where it closes its file
    figure.savefig(drawn, format=target.suffix[1:].lower(), dpi=_DPI * sharp)
    with replacing(target) as temporary:
        temporary.write_bytes(drawn.getvalue())


def _flat(marks: tuple[Mark, ...]) -> Iterator[Shape | Label]:
    for mark in marks:
        if isinstance(mark, Group):
            yield from _flat(mark.children)
        else:
            yield mark


def _path(shape: Shape) -> Any:
    from matplotlib.path import Path

    codes = {"M": [Path.MOVETO], "L": [Path.LINETO], "C": [Path.CURVE4] * 3, "Z": [Path.CLOSEPOLY]}
    points: list[tuple[float, float]] = []
    found: list[Any] = []
    for letter, values in shape.trail:
        points += [(values[k], values[k + 1]) for k in range(0, len(values), 2)] or [points[-1]]
        found += codes[letter]
    return Path(points, found)

"""What all pictures share: the style, an empty canvas, legends, titles, and how a picture is saved.

Every picture is a matplotlib Figure of its own, made without pyplot, so nothing is global, no window
opens and a notebook shows what is returned. Colours are those of okabe2008 (told apart by colour-blind
readers and in grey); lines of one picture differ in dash too once the colours are used up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.files import check_target
from photosim.files.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_NARROW_UM = 0.05
"""Span of wavelengths in um below which nm read better: 1540 to 1560 instead of 1.540 to 1.560."""
_BOTH_SIGNS = 0.05
"""The lesser of a map's largest and lowest numbers, over the greater, from which both signs count."""
PICTURE_SUFFIXES = (".png", ".svg", ".pdf")

# Okabe and Ito, "Color Universal Design", 2008; the yellow is left out: too pale for a thin line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
SEQUENTIAL, DIVERGING = "viridis", "PuOr"
"""Colour scales of numbers, and of signed ones about zero: both are told apart by colour-blind readers."""
GREY, DARK = "#8C8C8C", "#404040"
"""Colours of what is beside the point, and of zero lines and totals."""
MICRO = "\N{GREEK SMALL LETTER MU}"
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.6, 1.2, 1.6)))

STYLE: Mapping[str, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": f"cycler(color={list(COLOURS)!r})",
    "axes.formatter.useoffset": False,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "xtick.direction": "out",
    "ytick.direction": "out",
    "savefig.dpi": 200,
    "svg.fonttype": "none",
}


@public
def save(figure: Figure, path: str | Path) -> Path:
    """Write `figure` to `path` (.png, .svg or .pdf), whole or not at all; DataError when that fails."""
    target = check_target(path, PICTURE_SUFFIXES)
    drawn = BytesIO()  # a writer of PDF that meets a full disk fails a second time where it closes its file
    with in_style():
        figure.savefig(drawn, format=target.suffix[1:].lower(), bbox_inches="tight", pad_inches=0.08)
    with replacing(target) as temporary:
        temporary.write_bytes(drawn.getvalue())
    return target


def in_style() -> AbstractContextManager[None]:
    """Return a context in which pictures are drawn in our style."""
    import matplotlib as mpl

    return mpl.rc_context(cast("Any", dict(STYLE)))


def canvas(size: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return an empty figure of that size in inches with one frame."""
    figure, grid = panel_row(1, size)
    grid[0].grid(visible=True)
    return figure, grid[0]


def panel_row(columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with frames side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from photosim.plotting.picture import Picture

    figure = Picture(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def panel_grid(count: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with so many frames of that size in inches, two to a row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from photosim.plotting.picture import Picture

    columns = 1 if count == 1 else 2
    rows = -(-count // columns)
    scale = 1.7 if count == 1 else 1.0
    figure = Picture(figsize=(size[0] * columns * scale, size[1] * rows * scale + 0.3), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(np.atleast_1d(figure.subplots(rows, columns)).ravel())
    for spare in panels[count:]:
        spare.set_axis_off()
    for axes in panels[:count]:
        axes.grid(visible=True)
    return figure, panels[:count]


def line_style(k: int) -> dict[str, Any]:
    """Return colour and dash of the k-th line: all colours solid, then dashed, then dotted."""
    return {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k // len(COLOURS) % len(DASHES)]}


def legend(axes: Axes, title: str | None = None) -> None:
    """Put the legend to the right of the frame, where it can hide no data."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    axes.legend(**place, title=title, title_fontsize=8, alignment="left")


def titled(axes: Axes, title: str, *, above: bool = False) -> None:
    """Set the title; `above` leaves room for channel numbers."""
    if title:
        axes.set_title(title, pad=14 if above else 6)


def colour_bar(figure: Figure, axes: Axes, picture: Any, *, tall: bool = False, label: str = "") -> None:
    """Add a scale beside a map, as high as the map, with a common power of ten above small numbers."""
    from matplotlib.ticker import ScalarFormatter

    form = ScalarFormatter(useMathText=True)
    form.set_powerlimits((-2, 3))
    bar = figure.colorbar(picture, ax=axes, fraction=0.07, pad=0.03, aspect=46 if tall else 22, format=form)
    bar.set_label(label)
    bar.ax.yaxis.get_offset_text().set(size=7, ha="left")
    cast("Any", bar.outline).set_visible(False)


def scale_of(values: Any) -> Any:
    """Return what turns numbers between the least and largest of values into colours, and has a scale."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    ends = (0.0, 1.0) if values is None else (float(np.min(values)), float(np.max(values)))
    return ScalarMappable(Normalize(*ends), SEQUENTIAL)


def wavelength_axis(axes: Axes, wl: NDArray[Any]) -> float:
    """Name the axis of wavelengths (W,) in um, in nm where they span little; return the factor."""
    low, high = float(np.min(wl)), float(np.max(wl))
    narrow = high - low < _NARROW_UM
    factor, unit = (1e3, "nm") if narrow else (1.0, f"{MICRO}m")
    axes.set_xlabel(f"wavelength ({unit})")
    if high > low:
        axes.set_xlim(low * factor, high * factor)
        axes.locator_params(axis="x", nbins=7)
    return factor


def name_axis(axes: Axes, names: Sequence[str], *, longest: int = 48) -> None:
    """Put names at 0, 1, 2, ... of the horizontal axis, tilted where they would touch."""
    tilted = max((len(name) for name in names), default=0) * len(names) > longest
    axes.set_xticks(range(len(names)), names, rotation=35 if tilted else 0, fontsize=8)
    for text in axes.get_xticklabels() if tilted else ():
        text.set(ha="right", rotation_mode="anchor")


def signed_norm(values: NDArray[Any]) -> tuple[Any, str]:
    """Return the scale and the colours of a map: about zero where numbers of both signs count."""
    from matplotlib.colors import Normalize

    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if min(-low, high) > _BOTH_SIGNS * max(-low, high):
        bound = max(-low, high)
        return Normalize(-bound, bound), DIVERGING
    return Normalize(low, high if high > low else low + 1.0), SEQUENTIAL


def note(axes: Axes, text: str) -> None:
    """Write a remark below the frame, small and grey, in lines as wide as the frame."""
    from textwrap import fill

    if text:
        below = (0, -30 if axes.get_xlabel() else -16)
        axes.annotate(
            fill(text, 84), (0.0, 0.0), xycoords="axes fraction", xytext=below, textcoords="offset points",
            ha="left", va="top", fontsize=7, color="#505050", annotation_clip=False,
        )  # fmt: skip


def whole_ticks(axes: Axes, which: str = "xy", *, most: int = 5) -> None:
    """Put ticks of the axes named at whole numbers only, at most so many."""
    from matplotlib.ticker import MaxNLocator

    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_locator(MaxNLocator(integer=True, nbins=most, min_n_ticks=1))


def engineering(largest: float) -> tuple[float, str]:
    """Return the factor and the prefix that bring a value in A to 1..1000."""
    for factor, prefix in ((1.0, ""), (1e3, "m"), (1e6, "\N{GREEK SMALL LETTER MU}"), (1e9, "n")):
        if largest * factor >= 1.0:
            return factor, prefix
    return (1e12, "p") if largest > 0.0 else (1.0, "")


def check_lengths(title: str, axis: NDArray[Any], curves: Mapping[str, NDArray[Any]]) -> None:
    """Raise ParameterError unless an axis has finite points in one row, and every curve as many."""
    if axis.ndim != 1 or not axis.size or not np.isfinite(axis).all():
        message = f"{title}: an axis must be a list of finite numbers, got an array of shape {axis.shape}."
        raise ParameterError(message)
    for name, values in curves.items():
        if values.shape != axis.shape:
            message = f"{title}: curve {name!r} has shape {values.shape}, but its axis {axis.shape}."
            raise ParameterError(message)

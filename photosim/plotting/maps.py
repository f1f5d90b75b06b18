"""Maps: matrices at one wavelength, many pairs over wavelength, and matrices that devices hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.plotting.canvas import (
    COLOURS,
    MICRO,
    SEQUENTIAL,
    canvas,
    colour_bar,
    in_style,
    name_axis,
    note,
    signed_norm,
    titled,
    wavelength_axis,
    whole_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

LOWEST_dB = -60.0
"""Darkest colour of a map of transmission."""
MOST_NUMBERS = 64
"""Entries of a matrix whose numbers are written into it."""
MOST_NAMES = 40
"""Rows and columns that are named."""


@public
def matrix_map(values: NDArray[Any], *, title: str = "") -> Figure:
    """Draw a matrix (outputs, inputs) as a colour map: its values if real, its magnitudes if complex.

    The colours of a real matrix diverge about zero.

    values: real or complex, (outputs, inputs).  title: title of the picture.
    """
    shown = np.atleast_2d(np.asarray(values))
    complex_ = np.iscomplexobj(shown)
    shown = np.abs(shown) if complex_ else shown.astype(np.float64)
    norm, colours = signed_norm(shown)
    with in_style():
        figure, axes = canvas(_size(*shown.shape))
        axes.grid(visible=False)
        picture = axes.imshow(shown, cmap=colours, norm=norm, interpolation="nearest")
        axes.set(xlabel="input", ylabel="output")
        whole_ticks(axes)
        _numbers(axes, shown, norm, colours)
        colour_bar(figure, axes, picture, label="magnitude" if complex_ else "")
        titled(axes, title)
    return figure


def matrix_at(
    wl: float,
    pairs: Sequence[tuple[str, str]],
    names: Sequence[str],
    level: Sequence[float],
    *,
    title: str = "",
) -> Figure:
    """Draw the transmission in dB of pairs at one wavelength: a matrix of powers where they make one."""
    where = f"{title}, {wl:.6g} {MICRO}m" if title else f"{wl:.6g} {MICRO}m"
    starts, ends = (list(dict.fromkeys(column)) for column in zip(*pairs, strict=True))
    if min(len(starts), len(ends)) > 1 and len(pairs) == len(starts) * len(ends):
        known = dict(zip(pairs, level, strict=True))
        power = 10.0 ** (np.array([[known[a, b] for a in starts] for b in ends]) / 10.0)
        return power_map(power, starts, ends, title=where)
    with in_style():
        figure, axes = canvas((min(max(3.0, 0.5 * len(names) + 1.5), 12.0), 3.2))
        finite = [v for v in level if np.isfinite(v)]
        bottom = max(min(finite, default=-1.0), LOWEST_dB)
        bottom -= max(0.1 * (max(finite, default=0.0) - bottom), 0.5)
        tops = np.maximum(np.where(np.isfinite(level), level, bottom), bottom)
        axes.bar(range(len(names)), tops - bottom, bottom=bottom, color=COLOURS[0], width=0.6)
        for k, value in enumerate(level):
            text = f"{value:.2f}" if np.isfinite(value) else "dark"
            axes.annotate(
                text, (k, tops[k]), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=7
            )
        name_axis(axes, names, longest=40)
        axes.grid(visible=False, axis="x")
        axes.set(ylabel="transmission (dB)", ylim=(bottom, None))
        axes.margins(y=0.12)
        titled(axes, where)
    return figure


def power_map(power: FloatArray, starts: Sequence[str], ends: Sequence[str], *, title: str = "") -> Figure:
    """Draw power ratios (to, from) between named ports."""
    from matplotlib.colors import Normalize

    norm = Normalize(0.0, max(1.0, float(power.max(initial=0.0))))
    with in_style():
        figure, axes = canvas(_size(*power.shape))
        axes.grid(visible=False)
        picture = axes.imshow(power, cmap=SEQUENTIAL, norm=norm, interpolation="nearest")
        if len(starts) <= MOST_NAMES:
            name_axis(axes, starts, longest=6 * power.shape[1])
        if len(ends) <= MOST_NAMES:
            axes.set_yticks(range(len(ends)), ends, fontsize=8)
        axes.set(xlabel="from", ylabel="to")
        _numbers(axes, power, norm, SEQUENTIAL)
        colour_bar(figure, axes, picture, label="power ratio")
        titled(axes, title)
    return figure


def pair_map(
    wl: FloatArray, names: Sequence[str], level: FloatArray, *, title: str = "", remarks: Sequence[str] = ()
) -> Figure:
    """Draw transmissions (pairs, W) in dB over wavelength, a row for each pair."""
    from matplotlib.colors import Normalize

    finite = level[np.isfinite(level)]
    high = float(finite.max()) if finite.size else 0.0
    low = max(float(finite.min()), high + LOWEST_dB) if finite.size else LOWEST_dB
    with in_style():
        figure, axes = canvas((6.6, min(1.2 + 0.17 * len(names), 9.0) if len(names) > 12 else 3.4))
        axes.grid(visible=False)
        factor = wavelength_axis(axes, wl)
        order = np.argsort(wl)
        shown = np.maximum(np.where(np.isfinite(level), level, low), low)[:, order]
        norm = Normalize(low, high if high > low else low + 1.0)
        mesh = axes.pcolormesh(
            wl[order] * factor, np.arange(len(names)), shown, shading="nearest", cmap=SEQUENTIAL, norm=norm,
            rasterized=True,
        )  # fmt: skip
        axes.invert_yaxis()
        if len(names) <= MOST_NAMES:
            axes.set_yticks(range(len(names)), names, fontsize=7)
        else:
            axes.set_ylabel("pair of ports")
        colour_bar(figure, axes, mesh, label="transmission (dB)")
        note(axes, " ".join(remarks))
        titled(axes, title)
    return figure


def _size(rows: int, columns: int) -> tuple[float, float]:
    """Return the size in inches of a matrix with its scale: cells of a half inch, at most 5 inches."""
    cell = min(0.5, 5.0 / max(rows, columns))
    return max(cell * columns, 1.6) + 2.0, max(cell * rows, 1.6) + 0.9


def _numbers(axes: Axes, values: FloatArray, norm: Any, colours: str) -> None:
    """Write the numbers into a small matrix, light on dark and dark on light."""
    from matplotlib import colormaps

    if values.size > MOST_NUMBERS:
        return
    for (row, column), value in np.ndenumerate(values):
        red, green, blue, _ = colormaps[colours](norm(value))
        dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
        axes.text(
            column, row, f"{value:.2f}", ha="center", va="center", fontsize=7,
            color="white" if dark else "#202020",
        )  # fmt: skip

"""How eyes are drawn, and the units of their axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.plotting.canvas import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_BINS = (160, 120)
_MOST_LINES = 48


def draw_eye(axes: Axes, x: FloatArray, y: FloatArray) -> None:
    """Draw traces (symbols, n) over (n,): a map of how often they pass where, or lines where they are few."""
    from matplotlib.colors import LinearSegmentedColormap

    axes.grid(visible=False)
    axes.set_xlim(float(x[0]), float(x[-1]))
    if len(y) <= _MOST_LINES:
        axes.plot(x, y.T, color=COLOURS[0], alpha=0.5, linewidth=0.8)
        return
    fine = np.linspace(x[0], x[-1], 12 * _BINS[0])  # steep edges leave no gaps
    dense = np.array([np.interp(fine, x, row) for row in y])
    counts, _, edges = np.histogram2d(
        np.tile(fine, len(y)), dense.ravel(), bins=_BINS, range=[[x[0], x[-1]], _margin(dense)]
    )
    colours = LinearSegmentedColormap.from_list("eye", ["#FFFFFF", "#56B4E9", "#0072B2", "#00263D"])
    axes.imshow(
        np.sqrt(counts.T), origin="lower", aspect="auto", cmap=colours, interpolation="bilinear",
        extent=(float(x[0]), float(x[-1]), float(edges[0]), float(edges[-1])),
    )  # fmt: skip


def time_unit(time: FloatArray) -> tuple[float, str]:
    """Return factor and prefix that bring a time axis to readable numbers."""
    span = float(np.max(np.abs(time), initial=0.0))
    for factor, prefix in ((1.0, ""), (1e3, "m"), (1e6, "\N{GREEK SMALL LETTER MU}"), (1e9, "n")):
        if span * factor >= 1.0:
            return factor, prefix
    return 1e12, "p"


def _margin(values: FloatArray) -> list[float]:
    low, high = float(values.min()), float(values.max())
    gap = 0.06 * (high - low) or 1.0
    return [low - gap, high + gap]

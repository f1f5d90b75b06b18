"""Pictures that are given as data: curves with bands, levels to compare with, and maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from photosim.analysis.chart import Bars, Chart, Curve, HeatMap, Picture
from photosim.arguments import public
from photosim.plotting.canvas import (
    COLOURS,
    SEQUENTIAL,
    canvas,
    colour_bar,
    in_style,
    legend,
    line_style,
    name_axis,
    signed_norm,
    titled,
    whole_ticks,
)
from photosim.plotting.maps import MOST_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class ChartedResult(Protocol):
    """A result of an analysis that gives its pictures as data."""

    def charts(self) -> Sequence[Picture]:
        """Return the pictures."""


@public
def for_charts(result: ChartedResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw the charts of a result, by the names of the pictures."""
    return {picture.name: partial(draw, picture) for picture in result.charts()}


@public
def draw(picture: Picture) -> Figure:
    """Draw a chart, a map or bars.

    picture: data of a chart, a map or bars.
    """
    if isinstance(picture, Bars):
        return _bars(picture)
    return _chart(picture) if isinstance(picture, Chart) else _map(picture)


def _chart(chart: Chart) -> Figure:
    with in_style():
        figure, axes = canvas((6.4, 3.6))
        for k, curve in enumerate(chart.curves):
            _curve(axes, curve, line_style(k))
        for k, level in enumerate(chart.levels):
            dash = (0, (1 + 2 * k, 2))
            axes.axhline(level.value, color="#606060", linewidth=0.9, linestyle=dash, label=level.label)
        axes.set(xlabel=chart.xlabel, ylabel=chart.ylabel, xscale=chart.xscale, yscale=chart.yscale)
        if chart.yscale == "log":
            _plain_decades(axes)
        if chart.names:
            name_axis(axes, chart.names)
        elif chart.xscale == "linear" and all(_whole(curve.x) for curve in chart.curves):
            whole_ticks(axes, "x", most=8)
        if len(chart.curves) + len(chart.levels) > 1:
            legend(axes)
        titled(axes, chart.title)
    return figure


def _whole(x: Any) -> bool:
    """Return whether numbers along an axis, such as epochs, are whole."""
    found = np.asarray(x, dtype=np.float64)
    return bool(np.all(found == np.round(found)))


def _bars(bars: Bars) -> Figure:
    """Draw bars from the left, the first on top, each divided into its parts."""
    count = len(bars.names)
    with in_style():
        figure, axes = canvas((6.6, min(1.2 + 0.3 * count, 9.0)))
        left = np.zeros(count)
        for k, (label, lengths) in enumerate(bars.parts):
            own = np.nan_to_num(np.asarray(lengths, dtype=np.float64))
            hatch = "////" if k >= len(COLOURS) else None
            axes.barh(range(count), own, left=left, height=0.7, color=COLOURS[k % len(COLOURS)], label=label,
                      hatch=hatch, edgecolor="white", linewidth=0.4)  # fmt: skip
            left = left + own
        if count <= MOST_NAMES:
            axes.set_yticks(range(count), bars.names, fontsize=8)
        else:
            whole_ticks(axes, "y")
        axes.set(xlabel=bars.xlabel, ylim=(count - 0.4, -0.6))
        axes.grid(visible=False, axis="y")
        legend(axes)
        titled(axes, bars.title)
    return figure


def _plain_decades(axes: Axes) -> None:
    """Write 2000 instead of 2 x 10^3 on a logarithmic axis that spans less than two decades."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = axes.get_ylim()
    if high < 100.0 * low:
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _curve(axes: Axes, curve: Curve, look: dict[str, Any]) -> None:
    x, y = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (curve.x, curve.y))
    if curve.points:
        look = {"color": look["color"], "linestyle": "none", "marker": "o", "markersize": 4}
    elif len(x) <= 12:
        look = {**look, "marker": "o", "markersize": 3.5}  # few points: show where they are
    axes.plot(x, y, label=curve.label, **look)
    if curve.spread is None:
        return
    half = np.atleast_1d(np.asarray(curve.spread, dtype=np.float64))
    if curve.points:
        axes.errorbar(x, y, half, fmt="none", ecolor=look["color"], elinewidth=0.9, capsize=2)
    else:
        axes.fill_between(x, y - half, y + half, color=look["color"], alpha=0.18, lw=0)


def _map(heat: HeatMap) -> Figure:
    x, y = (np.asarray(v, dtype=np.float64) for v in (heat.x, heat.y))
    values = np.asarray(heat.values, dtype=np.float64)
    with in_style():
        figure, axes = canvas((5.4, 4.0))
        axes.grid(visible=False)
        norm, colours = signed_norm(values)
        mesh = axes.pcolormesh(x, y, values, shading="nearest", cmap=colours, norm=norm, rasterized=True)
        if len(heat.contours):
            ink = "white" if colours == SEQUENTIAL else "black"
            lines = axes.contour(x, y, values, levels=list(heat.contours), colors=ink, linewidths=0.9)
            axes.clabel(lines, fmt="%g", fontsize=7)
        axes.set(xlabel=heat.xlabel, ylabel=heat.ylabel)
        colour_bar(figure, axes, mesh, label=heat.label)
        titled(axes, heat.title)
    return figure

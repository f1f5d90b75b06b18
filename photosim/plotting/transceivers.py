"""Pictures of the figures of a transceiver: its eye or constellation, and the figures beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.figures import ConstellationFigures, Figures
from photosim.arguments import public
from photosim.plotting.canvas import COLOURS, GREY, engineering, in_style, panel_row, titled
from photosim.plotting.eyes import draw_eye, time_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT_OUT = ("taps of the equaliser", "bit errors counted", "errors counted over estimated")
_MOST = 1024
"""Traces of an eye that are drawn, at most."""


@public
def figures(one: Figures | ConstellationFigures, *, ylabel: str = "", title: str = "") -> Figure:
    """Draw an eye or a constellation with its figures; for four levels, also the eye behind the equaliser.

    one: figures of `ps.figures`.  ylabel: label of the vertical axis, made from the unit if empty.  title:
    title of the picture.
    """
    with in_style():
        if isinstance(one, ConstellationFigures):
            figure, (axes, side) = panel_row(2, (6.6, 3.6))
            _constellation(axes, one)
        elif one.tdecq is None:
            figure, (axes, side) = panel_row(2, (7.4, 3.6))
            _eye(axes, one, ylabel)
        else:
            figure, (axes, equalised, side) = panel_row(3, (10.6, 3.6))
            _eye(axes, one, ylabel)
            _equalised(equalised, one)
        titled(axes, title)
        _beside(side, one)
    return figure


def _eye(axes: Axes, one: Figures, ylabel: str) -> None:
    factor, prefix = engineering(float(np.max(np.abs(one.eye.traces), initial=0.0)))
    late, late_prefix = time_unit(one.eye.time)
    draw_eye(axes, one.eye.time * late, one.eye.traces[:_MOST] * factor)
    axes.axvline(one.eye.at * late, color=GREY, linewidth=0.7, linestyle=(0, (2, 2)))
    for level in (one.low, one.high):
        axes.axhline(level * factor, color=COLOURS[1], linewidth=0.7, linestyle=(0, (5, 2)))
    unit = f" ({prefix}{one.unit})" if one.unit else ""
    axes.set(xlabel=f"time ({late_prefix}s)", ylabel=f"{ylabel}{unit}".strip())


def _equalised(axes: Axes, one: Figures) -> None:
    closure = one.tdecq
    assert closure is not None  # noqa: S101 - the caller chose by it
    factor, _ = engineering(float(np.max(np.abs(one.eye.traces), initial=0.0)))
    draw_eye(axes, closure.time, closure.traces[:_MOST] * factor)
    for at in (0.45, 0.55, 1.45, 1.55):
        axes.axvspan(at - 0.02, at + 0.02, color=COLOURS[1], alpha=0.35, linewidth=0)
    axes.set(xlabel="time (symbols)")
    titled(axes, "behind receiver and equaliser")


def _constellation(axes: Axes, one: ConstellationFigures) -> None:
    points, ideal = one.points / one.gain, np.unique(np.round(one.ideal, 9))
    scale = float(np.sqrt(np.mean(np.abs(one.ideal) ** 2)))
    axes.plot(points.real / scale, points.imag / scale, ".", color=COLOURS[0], alpha=0.4, markersize=4)
    axes.plot(ideal.real / scale, ideal.imag / scale, "+", color=COLOURS[1], markersize=9)
    limit = 1.12 * max(float(np.abs(points).max()), float(np.abs(ideal).max())) / scale
    axes.set(
        xlim=(-limit, limit), ylim=(-limit, limit), xlabel="real part / rms", ylabel="imaginary part / rms"
    )
    axes.set_aspect("equal")


def _beside(axes: Axes, one: Figures | ConstellationFigures) -> None:
    """Write the figures that are known in two columns."""
    rows: list[Any] = [row for row in one.tables()[0].rows if row[1] != "-" and row[0] not in _LEFT_OUT]
    axes.set_axis_off()
    for k, (name, value) in enumerate(rows):
        height = 1.0 - k / max(len(rows), 18)
        axes.text(0.0, height, name, transform=axes.transAxes, fontsize=7.5, va="top")
        axes.text(1.0, height, value, transform=axes.transAxes, fontsize=7.5, va="top", ha="right")

"""Pictures of small-signal responses: magnitudes of voltages and photocurrents, their phases, and noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.response import ResponseResult
from photosim.arguments import public
from photosim.plotting.canvas import in_style, legend, line_style, panel_grid, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR_dB = -300.0
"""Lowest value that is drawn."""


@public
def for_response(result: ResponseResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw a small-signal response, by the name of the picture.

    result: of a small-signal analysis.
    """
    return {"response": lambda: response(result)}


@public
def response(result: ResponseResult) -> Figure:
    """Draw magnitude and phase of every voltage and photocurrent over frequency, and the noise of nets.

    result: of a small-signal analysis.
    """
    outputs = result.outputs()
    frequency = result.data.frequency.values
    parts: list[tuple[str, dict[str, Any], str]] = []
    for unit, what in (("V", "voltage"), ("A", "photocurrent")):
        own = {name: values for name, (kind, values) in outputs.items() if kind == unit and np.any(values)}
        if own:
            parts.append(
                (what, {n: _decibels(v) for n, v in own.items()}, f"magnitude (dB, {unit} per unit)")
            )
            parts.append((what, {n: _degrees(v) for n, v in own.items()}, "phase (degrees)"))
    if "voltage_noise" in result.data:
        noise = result.data.voltage_noise
        rows = {str(n): 1e9 * np.sqrt(noise.sel(net=n).values) for n in noise.net.values}
        rows = {name: values for name, values in rows.items() if np.any(values)}
        parts.append(("noise", rows, "density (nV per root Hz)"))
    if not parts:
        parts.append(("nothing follows the source", {}, ""))
    with in_style():
        figure, panels = panel_grid(len(parts), (4.6, 2.7))
        for axes, (what, rows, label) in zip(panels, parts, strict=True):
            _curves(axes, frequency, rows)
            axes.set(xlabel="frequency (Hz)", ylabel=label)
            titled(axes, f"{result.name}: {what}")
            if label.startswith("density"):
                axes.set_yscale("log")
            if len(rows) > 1:
                legend(axes)
    return figure


def _curves(axes: Axes, frequency: Any, rows: dict[str, Any]) -> None:
    look = {} if len(frequency) > 12 else {"marker": "o", "markersize": 3.5}
    for k, (name, values) in enumerate(rows.items()):
        axes.plot(frequency, values, label=name, **{**line_style(k), **look})
    steps = np.diff(frequency)
    if frequency[0] > 0.0 and len(steps) > 1 and steps[-1] > 2.0 * steps[0]:
        axes.set_xscale("log")


def _decibels(values: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.maximum(20.0 * np.log10(np.abs(values)), FLOOR_dB)


def _degrees(values: Any) -> Any:
    return np.degrees(np.unwrap(np.angle(values)))

"""Pictures of signals in time: traces, eyes, constellations, spectra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.plotting.canvas import (
    COLOURS,
    canvas,
    check_lengths,
    engineering,
    in_style,
    legend,
    line_style,
    titled,
)
from photosim.plotting.eyes import draw_eye, time_unit
from photosim.plotting.transceivers import figures
from photosim.reals import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from photosim.analysis.traces import Eye
    from photosim.analysis.transient import TransientResult

FloatArray = NDArray[np.float64]

MOST_POINTS = 4000
"""Points of a trace that are drawn: the first ones of a longer one."""


@public
def traces(
    time: FloatArray, signals: Mapping[str, FloatArray], *, unit: str = "A", ylabel: str = "", title: str = ""
) -> Figure:
    """Draw signals (T,) in `unit` over time (T,) in s.

    ylabel: label of the vertical axis, made from the unit if empty.  title: title of the picture.
    """
    time = np.atleast_1d(np.asarray(time, dtype=np.float64))
    signals = {name: np.atleast_1d(np.asarray(values)) for name, values in signals.items()}
    check_lengths("traces", time, signals)
    first = slice(0, MOST_POINTS)
    late, late_prefix = time_unit(time[first])
    largest = max((float(np.max(np.abs(v[first]), initial=0.0)) for v in signals.values()), default=0.0)
    factor, prefix = engineering(largest) if unit else (1.0, "")
    with in_style():
        figure, axes = canvas((6.4, 3.2))
        for k, (name, values) in enumerate(signals.items()):
            style = {**line_style(k), "linewidth": 0.9}
            axes.plot(time[first] * late, values[first] * factor, label=name, **style)
        axes.set(
            xlabel=f"time ({late_prefix}s)", ylabel=f"{ylabel} ({prefix}{unit})".strip() if unit else ylabel
        )
        axes.set_xlim(float(time[0]) * late, float(time[first][-1]) * late)
        if len(signals) > 1:
            legend(axes)
        cut = f"{time[first][-1] * late:.3g} of {time[-1] * late:.3g} {late_prefix}s shown"
        titled(axes, ", ".join(filter(None, (title, cut if time.size > MOST_POINTS else ""))))
    return figure


@public
def eye(one: Eye, *, unit: str = "A", ylabel: str = "", title: str = "") -> Figure:
    """Draw an eye diagram: a histogram of the signal over the symbol, or lines for few symbols.

    one: the eye.  unit: of the signal: A, W or V.  ylabel: label of the vertical axis, made from the unit if
    empty.  title: title of the picture.
    """
    factor, prefix = engineering(float(np.max(np.abs(one.traces), initial=0.0)))
    late, late_prefix = time_unit(one.time)
    x, y = one.time * late, one.traces * factor
    with in_style():
        figure, axes = canvas((4.6, 3.4))
        draw_eye(axes, x, y)
        axes.axvline(one.at * late, color="#8C8C8C", linewidth=0.7, linestyle=(0, (2, 2)))
        axes.set(xlabel=f"time ({late_prefix}s)", ylabel=f"{ylabel} ({prefix}{unit})".strip())
        quality = f", Q {one.q:.3g}" if np.isfinite(one.q) and one.q < 1e3 else ""
        titled(axes, f"{title}{quality}".strip(", "))
    return figure


@public
def constellation(points: NDArray[np.complex128], *, title: str = "") -> Figure:
    """Draw complex waves in sqrt(W) at the instants of their symbols; 1 on an axis in sqrt(mW) is 1 mW.

    points: complex waves (N,) in sqrt(W).  title: title of the picture.
    """
    power, prefix = engineering(float(np.max(np.abs(points), initial=0.0)) ** 2)
    factor = float(np.sqrt(power))
    with in_style():
        figure, axes = canvas((3.8, 3.6))
        axes.plot(points.real * factor, points.imag * factor, ".", color=COLOURS[0], alpha=0.4, markersize=4)
        limit = 1.1 * float(np.max(np.abs(points), initial=0.0)) * factor or 1.0
        unit = rf"($\sqrt{{\mathrm{{{prefix}W}}}}$)"
        axes.set(
            xlim=(-limit, limit),
            ylim=(-limit, limit),
            xlabel=f"real part {unit}",
            ylabel=f"imaginary part {unit}",
        )
        axes.set_aspect("equal")
        titled(axes, title)
    return figure


@public
def density(spectra: Mapping[str, Any], *, title: str = "") -> Figure:
    """Draw power spectral densities in W/Hz, each a DataArray over frequency, in dB over 1 mW/GHz.

    Raises ParameterError for anything else.

    spectra: densities by name.  title: title of the picture.
    """
    for name, one in spectra.items():
        if not (hasattr(one, "frequency") and hasattr(one, "values")):
            message = f"density: {name!r} must be an xarray DataArray over frequency, got {shown(one)}."
            raise ParameterError(message)
    with in_style():
        figure, axes = canvas((6.4, 3.2))
        for k, (name, one) in enumerate(spectra.items()):
            level = 10 * np.log10(np.maximum(one.values, 1e-300) * 1e12)
            axes.plot(one.frequency.values / 1e9, level, label=name, **line_style(k))
        axes.set(xlabel="frequency from the carrier (GHz)", ylabel="density (dBm/GHz)")
        if len(spectra) > 1:
            legend(axes)
        titled(axes, title)
    return figure


@public
def for_transient(result: TransientResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw currents, powers, voltages and the eye of a transient, by name.

    result: of a time-domain simulation.
    """
    time = result.data.time.values
    signals = result.signals()
    words = {"A": ("currents", "photocurrent"), "W": ("powers", "power"), "V": ("voltages", "voltage")}
    drawn: dict[str, Callable[[], Figure]] = {}
    for unit, (key, label) in words.items():
        own = {name: v for name, v in signals.items() if result.unit(name) == unit}
        if own:
            drawn[key] = partial(traces, time, own, unit=unit, ylabel=label, title=result.name)
    for name, one in result.eyes.items():
        unit = result.unit(name)
        label = words[unit][1]
        drawn["eye"] = partial(eye, one, unit=unit, ylabel=label, title=f"{result.name}: eye of {name}")
    for name, judged in result.figures.items():
        title = f"{result.name}: figures of {name}"
        label = words[result.unit(name)][1]
        drawn["figures"] = partial(figures, judged, ylabel=label, title=title)
    return drawn

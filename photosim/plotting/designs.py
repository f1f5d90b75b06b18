"""Pictures of a design: spectra or matrix before and after, and how the search went."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.plotting.canvas import (
    COLOURS,
    GREY,
    SEQUENTIAL,
    canvas,
    in_style,
    legend,
    panel_grid,
    titled,
    wavelength_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from photosim.analysis.designs.result import DesignResult

FLOOR_dB = -60.0
MOST_PAIRS = 6


@public
def for_optimise(result: DesignResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw the spectra or matrix of a design, its settings, and the search, by name.

    result: of an optimisation.
    """
    wide = result.data.sizes["wavelength"] > 1
    found: dict[str, Callable[[], Figure]] = {
        "spectra" if wide else "matrix": lambda: spectra(result) if wide else matrix(result),
        "search": lambda: search(result),
    }
    return found


def spectra(result: DesignResult) -> Figure:
    """Draw the power of each pair of ports before and after, limits hatched."""
    data = result.data
    pairs = _pairs(data)
    with in_style():
        figure, panels = panel_grid(len(pairs), (3.9, 2.6))
        for axes, (start, end) in zip(panels, pairs, strict=True):
            _spectrum(axes, data, start, end)
        words = result.name
        if "yield" in data:
            ends = 100 * float(data["nominal_yield"]), 100 * float(data["yield"])
            words += f": yield {ends[1]:.1f} %, minimax design {ends[0]:.1f} %"
        figure.suptitle(words, x=0.01, ha="left", fontsize=10)
        panels[0].legend(loc="best")
    return figure


def _pairs(data: Any) -> list[tuple[str, str]]:
    if "spec_from" in data.coords:
        both = zip(data["spec_from"].values.tolist(), data["spec_to"].values.tolist(), strict=True)
        return list(dict.fromkeys(both))[:MOST_PAIRS]
    return [(a, b) for a in data["from"].values.tolist() for b in data["to"].values.tolist()][:MOST_PAIRS]


def _spectrum(axes: Axes, data: Any, start: str, end: str) -> None:
    wl = data["wavelength"].values
    one = data.sel({"from": start, "to": end})
    low = FLOOR_dB
    factor = wavelength_axis(axes, wl)
    wl = wl * factor
    axes.plot(wl, np.maximum(one["power_before_dB"].values, low), color=GREY, linewidth=0.9, label="before")
    if "power_nominal_dB" in data:
        axes.plot(wl, np.maximum(one["power_nominal_dB"].values, low), color=COLOURS[2], label="minimax")
    axes.plot(wl, np.maximum(one["power_dB"].values, low), color=COLOURS[0], label="found")
    bottom = max(low, float(np.min(one["power_dB"].values)) - 5.0)
    if "spec_from" in data.coords:
        for k in range(data.sizes["specification"]):
            entry = data.isel(specification=k)
            if (str(entry["spec_from"].item()), str(entry["spec_to"].item())) != (start, end):
                continue
            if str(entry["quantity"].item()) != "power_dB":
                continue
            ends = [factor * float(entry["window_low"]), factor * float(entry["window_high"])]
            ends = ends if np.isfinite(ends).all() else [float(wl[0]), float(wl[-1])]
            least, most = float(entry["limit_low"]), float(entry["limit_high"])
            for limit, edge in ((least, bottom), (most, 3.0)):
                if np.isfinite(limit):
                    axes.fill_between(ends, limit, edge, color=COLOURS[1], alpha=0.15, linewidth=0.0)
                    axes.plot(ends, [limit, limit], color=COLOURS[1], linewidth=1.0)
    axes.set(ylabel="power (dB)", ylim=(bottom, 3.0))
    titled(axes, f"{start} to {end}")


def matrix(result: DesignResult) -> Figure:
    """Draw the transmitted power before and after at the one wavelength."""
    data = result.data
    names = ("power_before_dB", "power_dB")
    with in_style():
        figure, panels = panel_grid(2, (3.4, 3.0))
        for axes, name, words in zip(panels, names, ("before", "found"), strict=True):
            power = 10.0 ** (data[name].values[0] / 10.0)
            axes.imshow(power, vmin=0.0, vmax=1.0, cmap=SEQUENTIAL)
            axes.grid(visible=False)
            axes.set_xticks(range(power.shape[1]), data["from"].values.tolist(), fontsize=7, rotation=45)
            axes.set_yticks(range(power.shape[0]), data["to"].values.tolist(), fontsize=7)
            if power.size <= 64:
                for (o, i), value in np.ndenumerate(power):
                    axes.text(i, o, f"{value:.2f}", ha="center", va="center", fontsize=7,
                              color="white" if value < 0.6 else "#202020")  # fmt: skip
            titled(axes, f"power, {words}")
        figure.suptitle(f"{result.name}: loss {float(data['objective']):.3g}", x=0.01, ha="left", fontsize=10)
    return figure


def search(result: DesignResult) -> Figure:
    """Draw the best value over the evaluations, and what each start came to."""
    data = result.data
    values = data["history"].values
    with in_style():
        figure, axes = canvas((6.2, 3.2))
        axes.plot(np.arange(1, len(values) + 1), values, color=COLOURS[0], label="best so far")
        ends = data["objective_by_start"].values
        if len(ends) > 1:
            axes.plot(np.full(len(ends), len(values)), ends, ".", color=COLOURS[1], label="each start")
            legend(axes)
        worst = "specification" in data.coords
        axes.set(xlabel="evaluations", ylabel="worst violation / limit" if worst else "loss")
        if (values > 0.0).all() and values.max() > 100.0 * values.min():
            axes.set_yscale("log")
        elif worst:
            axes.set_ylim(top=min(float(values.max()), float(np.min(values)) + 3.0))
            axes.axhline(0.0, color="#404040", linewidth=0.7)
        titled(axes, f"{result.name}: the search")
    return figure

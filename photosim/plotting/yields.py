"""Pictures of a yield: histograms with the limits, and tornados by quantity and part."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.plotting.canvas import COLOURS, DARK, GREY, in_style, panel_grid, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from photosim.analysis.yields.result import YieldResult

MOST_PANELS = 6
MOST_BARS = 10
SMALLEST_BAR = 0.005
"""Share of the variance below which a part has no bar of its own."""
MOST_NAMES = 3
SMALLEST_NAMED = 0.05
"""Share of the variance from which a place on the map of the chip is named."""
LIMIT: dict[str, Any] = {"color": COLOURS[1], "linewidth": 1.3, "linestyle": (0, (4, 2))}
NOMINAL: dict[str, Any] = {"color": GREY, "linewidth": 0.9, "linestyle": (0, (1, 1.5))}


@public
def for_yield(result: YieldResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw the histograms and the variance contributions of a yield, by name.

    result: of a yield analysis.
    """
    found = {"histograms": lambda: histograms(result), "blame": lambda: blame(result)}
    if "part_x" in result.data.coords:
        found["map"] = lambda: chip_map(result)
    return found


def histograms(result: YieldResult) -> Figure:
    """Draw the distribution of each entry's value with its limits, and the power where chips are tuned."""
    from matplotlib.lines import Line2D

    data = result.data
    count = min(MOST_PANELS, data.sizes["specification"])
    tuned = "tuning_power" in data
    with in_style():
        figure, panels = panel_grid(count + tuned, (3.3, 2.3))
        for k in range(count):
            _histogram(panels[k], data.isel(specification=k), tuned=tuned)
        if tuned:
            axes = panels[-1]
            axes.hist(1e3 * data["tuning_power"].values, bins=40, color=COLOURS[2])
            axes.set(xlabel="heater power (mW)", ylabel="chips")
            titled(axes, f"tuned: yield {100 * float(data['tuned_yield']):.1f} %")
        low, high = 100 * float(data["yield_low"]), 100 * float(data["yield_high"])
        words = f"{result.name}: yield {100 * float(data['yield']):.1f} % ({low:.1f} to {high:.1f} %)"
        figure.suptitle(words, x=0.01, ha="left", fontsize=10)
        lines = [Line2D([], [], label="limit", **LIMIT), Line2D([], [], label="nominal", **NOMINAL)]
        figure.legend(handles=lines, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _histogram(axes: Axes, one: Any, *, tuned: bool) -> None:
    values = one["value"].values
    known = values[np.isfinite(values)]
    unit = str(one["units"].item())
    scale, shown = (
        (1e3, "nm") if unit == "um" and np.ptp(known) < 0.1 and np.abs(known).max() < 0.1 else (1.0, unit)
    )
    shown = {"um": "\N{GREEK SMALL LETTER MU}m", "1": ""}.get(shown, shown)
    if known.size:
        low, high = np.quantile(known, [0.001, 0.999])
        reach = 0.05 * max(high - low, 1e-12 * max(abs(high), 1e-12))
        bins = np.linspace((low - reach) * scale, (high + reach) * scale, 51).tolist()
        axes.hist(known * scale, bins=bins, color=COLOURS[0], alpha=0.85, label="as made")
        if tuned:
            after = one["tuned_value"].values
            axes.hist(
                after[np.isfinite(after)] * scale, bins=bins, histtype="step", color=COLOURS[1], label="tuned"
            )
            axes.legend(loc="best")
    for limit in (float(one[name]) for name in ("limit_low", "limit_high")):
        if np.isfinite(limit):
            axes.axvline(limit * scale, **LIMIT)
    axes.axvline(float(one["nominal"]) * scale, **NOMINAL)
    name = str(one["specification"].item())
    axes.set(xlabel=f"{name} ({shown})" if shown else name, ylabel="chips")
    titled(axes, f"{name}: {100 * float(one['yield_by']):.1f} % pass")


def blame(result: YieldResult) -> Figure:
    """Draw the share of the variance by quantity and part of each entry, with the rest."""
    from matplotlib.patches import Patch

    data = result.data
    count = min(MOST_PANELS, data.sizes["specification"])
    with in_style():
        figure, panels = panel_grid(count, (3.6, 2.7))
        for k in range(count):
            _tornado(panels[k], data.isel(specification=k))
        figure.suptitle(f"{result.name}: share of the variance", x=0.01, ha="left", fontsize=10)
        keys = (("by quantity", COLOURS[0]), ("by part", COLOURS[2]), ("beyond the first order", GREY))
        bars = [Patch(color=colour, label=label) for label, colour in keys]
        figure.legend(handles=bars, loc="outside lower center", ncols=3, frameon=False)
    return figure


def chip_map(result: YieldResult) -> Figure:
    """Draw where the parts lie, each as large as its share of the variance; red where that is negative."""
    data = result.data
    count = min(MOST_PANELS, data.sizes["specification"])
    x, y = data["part_x"].values, data["part_y"].values
    with in_style():
        figure, panels = panel_grid(count, (3.4, 2.6))
        for k in range(count):
            one = data.isel(specification=k)
            whole = float(one["variance"])
            share = one["variance_by_part"].values / whole if whole > 0.0 else np.zeros(len(x))
            size = 500.0 * np.abs(share) / max(float(np.abs(share).max()), 1e-12)
            colours = [COLOURS[0] if s >= 0.0 else COLOURS[1] for s in share]
            panels[k].scatter(x, y, s=8.0, color=GREY, zorder=2)
            panels[k].scatter(x, y, s=size, color=colours, alpha=0.5, linewidths=0.0, zorder=3)
            _name_places(panels[k], x, y, one["part"].values, share)
            panels[k].margins(0.15)
            panels[k].set_aspect("equal", adjustable="datalim")
            panels[k].set(xlabel="x (\N{GREEK SMALL LETTER MU}m)", ylabel="y (\N{GREEK SMALL LETTER MU}m)")
            titled(panels[k], f"{one['specification'].item()}: up to {100 * share.max():.0f} % a part")
        words = f"{result.name}: share of the variance by place"
        figure.suptitle(words, x=0.01, ha="left", fontsize=10)
    return figure


def _name_places(axes: Axes, x: Any, y: Any, parts: Any, share: Any) -> None:
    """Write the name of the instance at the places with the largest shares of the variance."""
    total: dict[tuple[float, float], float] = {}
    names: dict[tuple[float, float], str] = {}
    for at, part, own in zip(zip(x.tolist(), y.tolist(), strict=True), parts, share.tolist(), strict=True):
        total[at] = total.get(at, 0.0) + own
        names.setdefault(at, str(part).partition(".")[0])
    for at in sorted(total, key=lambda place: -abs(total[place]))[:MOST_NAMES]:
        if abs(total[at]) >= SMALLEST_NAMED:
            axes.annotate(
                f"{names[at]}, {100 * total[at]:.0f} %", at, (0, 15), textcoords="offset points", ha="center",
                fontsize=7,
            )  # fmt: skip


def _tornado(axes: Axes, one: Any) -> None:
    whole = float(one["variance"])
    titled(axes, str(one["specification"].item()))
    if not whole > 0.0:
        axes.text(0.5, 0.5, "no spread", ha="center", va="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    rows = [
        (str(n), float(v) / whole, COLOURS[0])
        for n, v in zip(one["quantity"].values, one["variance_by_quantity"].values, strict=True)
    ]
    parts = [
        (str(n), float(v) / whole, COLOURS[2])
        for n, v in zip(one["part"].values, one["variance_by_part"].values, strict=True)
    ]
    parts.sort(key=lambda row: -abs(row[1]))
    most = min(MOST_BARS, sum(abs(row[1]) >= SMALLEST_BAR for row in parts))
    others = parts[most:]
    words = others[0][0] if len(others) == 1 else f"{len(others)} others"
    more = [(words, sum(row[1] for row in others), COLOURS[2])] if others else []
    rest = [("rest", float(one["variance_rest"]) / whole, GREY)]
    rows = [*rows, *parts[:most], *more, *rest][::-1]
    axes.barh(range(len(rows)), [100 * row[1] for row in rows], color=[row[2] for row in rows], height=0.7)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows], fontsize=7)
    axes.axvline(0.0, color=DARK, linewidth=0.7)
    axes.set(xlabel="% of the variance")
    axes.grid(visible=False, axis="y")

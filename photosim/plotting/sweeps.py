"""Pictures of sweeps: spectra coloured by a setting, and metrics over the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.metrics import UNITS
from photosim.plotting.canvas import (
    COLOURS,
    MICRO,
    SEQUENTIAL,
    colour_bar,
    in_style,
    line_style,
    panel_grid,
    scale_of,
    titled,
    wavelength_axis,
)
from photosim.plotting.spectra import FLOOR_dB, arrow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from photosim.analysis.sweeps.result import SweepResult

MOST_SPECTRA = 60
MOST_PAIRS = 4
_PANELS = ("resonance", "fwhm", "extinction_dB", "insertion_loss_dB")
_SCALES = {"um": (1e3, "nm"), "s": (1e12, "ps"), "1": (1.0, ""), "dB": (1.0, "dB")}
_WORDS = {"resonance": "resonance", "fwhm": "full width", "extinction_dB": "extinction",
          "insertion_loss_dB": "insertion loss"}  # fmt: skip


@public
def for_sweep(result: SweepResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw the spectra of a sweep and its metrics over the settings, by name.

    result: of a sweep.
    """
    found: dict[str, Callable[[], Figure]] = {"spectra": lambda: spectra(result)}
    if result.shown() and result.axes:
        found["metrics"] = lambda: metrics(result)
    return found


def spectra(result: SweepResult) -> Figure:
    """Draw the transmission of up to four pairs at up to 60 points, coloured by the first setting."""
    pairs = result.pairs()[:MOST_PAIRS]
    wl = result.data["wavelength"].values
    order = np.argsort(wl)
    with in_style():
        figure, panels = panel_grid(len(pairs), (3.4, 2.6))
        settings = result.settings_table()
        label, values, ticks = _colours(settings)
        label = _named(result, label)
        count = len(result.power_dB(*pairs[0]))
        chosen = np.unique(np.linspace(0, count - 1, min(MOST_SPECTRA, count)).astype(int))
        picture = scale_of(values)
        for axes, pair in zip(panels, pairs, strict=True):
            level = np.maximum(result.power_dB(*pair), FLOOR_dB - 20)
            factor = wavelength_axis(axes, wl)
            for k in chosen:
                colour = COLOURS[0] if values is None else picture.to_rgba(values[k])
                axes.plot(wl[order] * factor, level[k, order], color=colour, linewidth=1.0, alpha=0.9)
            low = max(float(level.min()), FLOOR_dB)
            high = float(level.max())
            margin = max(0.05 * (high - low), 0.05)
            axes.set(ylabel="transmission (dB)", ylim=(low - margin, high + margin))
            titled(axes, arrow(*pair))
        if values is not None:
            bar = figure.colorbar(picture, ax=panels, label=label, fraction=0.05, pad=0.02)
            if ticks is not None:
                bar.set_ticks(list(range(len(ticks))), labels=ticks)
        figure.suptitle(f"{result.name}: {count:,} points", x=0.01, ha="left", fontsize=10)
    return figure


def metrics(result: SweepResult) -> Figure:
    """Draw resonance, width, extinction and loss: over one setting, as maps over two, or as histograms."""
    with in_style():
        figure, panels = panel_grid(len(_PANELS), (3.2, 2.4))
        for axes, name in zip(panels, _PANELS, strict=True):
            _panel(figure, axes, result, name)
        handles, labels = next(
            (a.get_legend_handles_labels() for a in panels if a.get_legend_handles_labels()[0]), ([], [])
        )
        if len(labels) > 1:
            figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        figure.suptitle(result.name, x=0.01, ha="left", fontsize=10)
    return figure


def _panel(figure: Figure, axes: Axes, result: SweepResult, name: str) -> None:
    scale, unit = (1.0, "um") if name == "resonance" else _SCALES[UNITS[name][0]]
    unit = "\N{GREEK SMALL LETTER MU}m" if unit == "um" else unit
    words = f"{_WORDS[name]} ({unit})"
    settings = result.settings_table()
    pairs = [p for p in result.pairs() if np.isfinite(result.values(name, *p)).any()][:MOST_PAIRS]
    if not pairs:
        axes.text(0.5, 0.5, f"no {_WORDS[name]}", ha="center", va="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    numeric = {n: v for n, v in settings.items() if all(isinstance(x, int | float) for x in v)}
    if len(result.axes) == 2 and len(numeric) == 2 and min(result.data.sizes[a] for a in result.axes) > 1:
        a, b = result.axes
        shape = (result.data.sizes[a], result.data.sizes[b])
        values = result.values(name, *pairs[0]).reshape(shape) * scale
        mesh = axes.pcolormesh(
            result.data[b].values, result.data[a].values, values, shading="nearest", cmap=SEQUENTIAL
        )
        axes.grid(visible=False)
        axes.set(xlabel=_named(result, b), ylabel=_named(result, a))
        titled(axes, f"{words}, {arrow(*pairs[0])}")
        colour_bar(figure, axes, mesh)
        return
    if len(numeric) == 1 and len(result.axes) == 1:
        ((setting, xs),) = numeric.items()
        order = np.argsort(xs)
        for k, pair in enumerate(pairs):
            values = result.values(name, *pair) * scale
            style = {**line_style(k), "marker": "o", "markersize": 2.5}
            axes.plot(np.array(xs)[order], values[order], label=arrow(*pair), **style)
        axes.set(xlabel=_named(result, setting), ylabel=words)
    else:
        for k, pair in enumerate(pairs):
            values = result.values(name, *pair) * scale
            known = values[np.isfinite(values)]
            label = arrow(*pair)
            axes.hist(known, bins=min(40, max(5, len(known) // 8)), color=COLOURS[k], alpha=0.6, label=label)
        axes.set(xlabel=words, ylabel="points")


def _colours(settings: dict[str, list[Any]]) -> tuple[str, Any, list[str] | None]:
    """Return the label and values (points,) of the colour, and the names of choices."""
    for name, values in settings.items():
        kinds = list(dict.fromkeys(values))
        if len(kinds) < 2:
            continue
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in kinds):
            return name, np.array(values, dtype=np.float64), None
        return name, np.array([kinds.index(v) for v in values], dtype=np.float64), [str(v) for v in kinds]
    return "", None, None


def _named(result: SweepResult, setting: str) -> str:
    """Return a setting with its unit."""
    unit = str(result.data[setting].attrs.get("units", "")) if setting in result.data else ""
    unit = unit.replace("um", f"{MICRO}m")
    return f"{setting} ({unit})" if unit not in {"", "1"} else setting

"""Pictures of a fit: spectra with residuals, and how its settings hang together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.plotting.canvas import COLOURS, DARK, GREY, in_style, titled, wavelength_axis
from photosim.plotting.spectra import arrow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from photosim.analysis.fits.result import FitResult

MOST_COLUMNS = 4
MOST_SETTINGS = 12


@public
def for_fit(result: FitResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw the spectra with residuals and the correlations of a fit, by name.

    result: of a fit.
    """
    found = {"fit": lambda: spectra_and_residuals(result)}
    if result.data.sizes["parameter"] > 1:
        found["correlations"] = lambda: correlations(result)
    return found


def spectra_and_residuals(result: FitResult) -> Figure:
    """Draw each column, measured and fitted, above its residuals."""
    data = result.data
    count = min(MOST_COLUMNS, data.sizes["column"])
    heights = [h for _ in range(count) for h in (3.0, 1.2)]
    with in_style():
        figure, panels = _stack(heights)
        wl = data["wavelength"].values
        shown = wl * wavelength_axis(panels[-1], wl)
        for k in range(count):
            above, below = panels[2 * k], panels[2 * k + 1]
            above.plot(shown, data["measured_dB"].values[k], color=GREY, linewidth=0.9, label="measured")
            above.plot(shown, data["fitted_dB"].values[k], color=COLOURS[0], linewidth=1.1, label="fitted")
            left = data["residual_dB"].values[k]
            below.plot(shown, left, color=COLOURS[1], linewidth=0.7)
            below.axhline(0.0, color=DARK, linewidth=0.7)
            known = left[np.isfinite(left)]
            reach = 1.2 * max(float(np.quantile(np.abs(known), 0.998)), 1e-3)
            below.set_ylim(-reach, reach)
            above.set_ylabel("power (dB)")
            below.set_ylabel("residual (dB)")
            rms = float(data["residual_rms_dB_by"].values[k])
            column, pair = str(data["column"].values[k]), str(data["pair"].values[k])
            name = arrow(*pair.split("->"))
            titled(above, f"{name if column == pair else f'{column}, {name}'}: rms {rms:.3f} dB")
            above.legend(loc="best", ncols=2)
            above.tick_params(labelbottom=False)
            below.tick_params(labelbottom=k == count - 1)
        figure.align_ylabels()
        words = f"{result.name}: rms {float(data['residual_rms_dB']):.3f} dB over all points"
        figure.suptitle(words, x=0.01, ha="left", fontsize=10)
    return figure


def _stack(heights: list[float]) -> tuple[Figure, list[Any]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from photosim.plotting.picture import Picture

    figure = Picture(figsize=(7.0, 0.62 * sum(heights) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(np.atleast_1d(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)))
    for axes in panels:
        axes.grid(visible=True)
    return figure, panels


def correlations(result: FitResult) -> Figure:
    """Draw ellipses of one and two standard errors of every pair of settings that the data tell."""
    data = result.data
    error = data["standard_error"].values
    chosen = np.flatnonzero(np.isfinite(error) & (error > 0.0))[:MOST_SETTINGS]
    if len(chosen) < 2:
        chosen = np.arange(min(MOST_SETTINGS, data.sizes["parameter"]))
    names = [str(data["parameter"].values[k]) for k in chosen]
    matrix = data["correlation"].values[np.ix_(chosen, chosen)]
    size = len(chosen)
    side = max(0.75 * size, 2.5)
    with in_style():
        figure, grid = _corner(size, side)
        turn = np.linspace(0.0, 2.0 * np.pi, 121)
        for i in range(size):
            for j in range(size):
                axes = grid[i][j]
                if j >= i:
                    axes.set_axis_off()
                    if j == i:
                        value, one = float(data["value"].values[chosen[i]]), float(error[chosen[i]])
                        digits = (
                            max(int(np.ceil(np.log10(max(abs(value), 1e-30) / one))) + 1, 2)
                            if one > 0.0
                            else 5
                        )
                        unit = str(data["unit"].values[chosen[i]])
                        words = f"{names[i]}\n{value:.{min(digits, 9)}g}\n\N{PLUS-MINUS SIGN} {one:.1g}"
                        words += "" if unit == "1" else f" {unit}"
                        label = axes.text(
                            0.04, 0.45, words, transform=axes.transAxes, va="center", fontsize=6.5
                        )
                        label.set_in_layout(False)  # a long name goes on over the empty half
                    continue
                r = float(np.nan_to_num(matrix[i, j]))
                for width, alpha in ((1.0, 0.55), (2.0, 0.25)):
                    x = width * np.cos(turn)
                    y = width * (r * np.cos(turn) + np.sqrt(max(1.0 - r * r, 0.0)) * np.sin(turn))
                    # The line shows an ellipse that is one: settings that the data tell as a product alone.
                    axes.fill(x, y, color=COLOURS[0 if r >= 0.0 else 1], alpha=alpha, linewidth=1.0)
                axes.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), xticks=[], yticks=[])
                axes.text(0.04, 0.96, f"{r:.2f}", ha="left", va="top", fontsize=6, transform=axes.transAxes)
        words = f"{result.name}: one and two standard errors"
        figure.suptitle(words, x=0.01, ha="left", fontsize=10)
    return figure


def _corner(size: int, side: float) -> tuple[Figure, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from photosim.plotting.picture import Picture

    margin = ConstrainedLayoutEngine(rect=(0.0, 0.0, 1.0 - 0.5 / (side + 0.9), 1.0))
    figure = Picture(figsize=(side + 0.9, side + 0.5), layout=margin)
    FigureCanvasAgg(figure)
    return figure, np.atleast_2d(figure.subplots(size, size))

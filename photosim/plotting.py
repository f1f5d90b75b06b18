"""Pictures of results: spectra, learning curves, weight maps.

Every function returns a matplotlib Figure of its own, made without pyplot, so nothing is global, no
window opens and a notebook shows what is returned. Colours are those of okabe2008 (told apart by
colour-blind readers and in grey); lines of one picture differ in dash too once the colours are used up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from photosim.errors import ParameterError
from photosim.files import check_target
from photosim.files.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from photosim.analysis.spectrum import SpectrumResult
    from photosim.files.csv import Traces
    from photosim.smatrix import SMatrix
    from photosim.training.result import TrainingResult, WeightMap

FloatArray = NDArray[np.float64]

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")

# Okabe and Ito, "Color Universal Design", 2008; the yellow is left out: too pale for a thin line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.6, 1.2, 1.6)))

STYLE: Mapping[str, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "xtick.direction": "out",
    "ytick.direction": "out",
    "savefig.dpi": 200,
    "svg.fonttype": "none",
}

FLOOR_dB = -80.0
"""Spectra are drawn down to here at the lowest: below lies rounding, not light."""
_MOST_LINES = 16
_MOST_LABELLED_CHANNELS = 16


def save(figure: Figure, path: str | Path) -> Path:
    """Write `figure` to `path` (.png, .svg or .pdf), whole or not at all; DataError when that fails."""
    target = check_target(path, PICTURE_SUFFIXES)
    with _style(), replacing(target) as temporary:
        figure.savefig(temporary, bbox_inches="tight", pad_inches=0.08)
    return target


def spectrum(
    s: Traces,
    pairs: Sequence[tuple[str, str]],
    *,
    channels: Sequence[float] = (),
    labels: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Draw the transmission in dB of (from, to) port pairs over the wavelength.

    channels: wavelengths in um, marked by thin lines numbered along the top.  labels: names of the curves,
    in the order of the pairs.  Raises ParameterError for no pair, for more than 16 (a picture of more lines
    shows none) and for a matrix with setting axes.
    """
    if not 1 <= len(pairs) <= _MOST_LINES:
        message = (
            f"A spectrum plot shows 1 to {_MOST_LINES} port pairs, got {len(pairs)}: choose with from and to."
        )
        raise ParameterError(message)
    powers = [s[pair].power_dB for pair in pairs]
    if powers[0].ndim != 1:
        message = (
            f"A spectrum plot shows one spectrum, but the result has setting axes {powers[0].shape[:-1]}."
        )
        raise ParameterError(message)
    with _style():
        figure, axes = _canvas((6.4, 3.4))
        for k, (pair, power) in enumerate(zip(pairs, powers, strict=True)):
            label = labels[k] if labels else f"{pair[0]} \N{RIGHTWARDS ARROW} {pair[1]}"
            marker = "o" if power.size == 1 else None
            axes.plot(s.wl, power, label=label, marker=marker, **_line(k))
        axes.set(xlabel="wavelength (\N{GREEK SMALL LETTER MU}m)", ylabel="transmission (dB)")
        _frame_spectrum(axes, s.wl, powers)
        _mark_channels(axes, channels, s.wl)
        _legend(axes)
        _title(axes, title, above=bool(len(channels)))
    return figure


def for_spectrum(result: SpectrumResult) -> Figure:
    """Draw the result of a spectrum analysis."""
    return spectrum(result.s, result.pairs, channels=result.channels, labels=result.labels, title=result.name)


def plot_smatrix(s: SMatrix, pairs: Sequence[tuple[str, str]] | None = None) -> Figure:
    """Draw the (from, to) pairs of `s` in dB; by default those from its inputs to wherever light arrives."""
    from photosim.analysis.spectrum import port_pairs

    return spectrum(s, pairs if pairs is not None else port_pairs(s), title=s.name)


def photocurrents(
    wl: FloatArray, currents: Mapping[str, FloatArray], *, title: str = "", xlabel: str = "wavelength"
) -> Figure:
    """Draw photocurrents in A, each of shape (W,), over the wavelength of shape (W,) in um."""
    with _style():
        figure, axes = _canvas((6.4, 3.4))
        largest = max(
            (float(np.max(np.abs(values), initial=0.0)) for values in currents.values()), default=0.0
        )
        factor, unit = _engineering(largest)
        for k, (name, values) in enumerate(currents.items()):
            marker = "o" if values.size == 1 else None
            axes.plot(wl, np.asarray(values) * factor, label=name, marker=marker, **_line(k))
        axes.set(xlabel=f"{xlabel} (\N{GREEK SMALL LETTER MU}m)", ylabel=f"photocurrent ({unit}A)")
        if wl.size > 1:
            axes.set_xlim(float(wl[0]), float(wl[-1]))
        _legend(axes)
        _title(axes, title)
    return figure


def learning_curves(result: TrainingResult) -> Figure:
    """Draw the test error of every rule over the epochs: mean over the seeds, band of one standard deviation.

    The error axis is logarithmic, for the last percent is where rules differ.
    """
    with _style():
        figure, axes = _canvas((6.4, 3.6))
        for k, outcome in enumerate(result.rules):
            error = 100.0 * (1.0 - np.asarray(outcome.accuracy, dtype=np.float64))
            epochs = np.arange(1, error.shape[1] + 1)
            mean = np.mean(error, axis=0)
            # Rules may learn alike: the first lines lie on top, and let the later ones through their gaps.
            style = {
                "color": COLOURS[k % len(COLOURS)],
                "linestyle": DASHES[k % len(DASHES)],
                "zorder": 3 - k / 100,
            }
            axes.plot(epochs, mean, label=f"{outcome.rule}  {100.0 * outcome.mean:.2f} %", **style)
            if error.shape[0] > 1:
                half = np.std(error, axis=0, ddof=1)
                axes.fill_between(epochs, mean - half, mean + half, color=style["color"], alpha=0.18, lw=0)
        axes.set(xlabel="epoch", ylabel="test error (%)")
        _error_axis(axes, result)
        _legend(axes, title="test accuracy at the end")
        shape = "\N{EN DASH}".join(str(width) for width in result.network)
        seeds = f"mean and spread of {result.seeds} seeds" if result.seeds > 1 else "one seed"
        _title(axes, f"{result.name}: {shape} on {result.data}, {seeds}")
    return figure


def weight_error_map(weights: WeightMap, *, title: str = "") -> Figure:
    """Draw target weights, programmed weights and their difference side by side as maps.

    The first two share one scale; the difference has its own, symmetric about zero, with its rms in the
    title. Shown are the weights of the settings that the converters can hold.
    """
    from matplotlib.colors import Normalize

    target = np.atleast_2d(np.asarray(weights.target, dtype=np.float64))
    programmed = np.atleast_2d(np.asarray(weights.quantised, dtype=np.float64))
    error = programmed - target
    limit = max(float(np.max(np.abs(target))), float(np.max(np.abs(programmed))), 1e-300)
    error_limit = max(float(np.max(np.abs(error))), 1e-300)
    rms = float(np.sqrt(np.mean(error**2)))
    tall = target.shape[0] > 1.4 * target.shape[1]
    panels = (
        ("target", target, limit, "PuOr"),
        ("programmed", programmed, limit, "PuOr"),
        (f"error, rms {rms:.1e}", error, error_limit, "RdBu"),
    )
    with _style():
        figure, grid = _grid(3, (7.2, 4.6 if tall else 2.7))
        for axes, (name, values, bound, colours) in zip(grid, panels, strict=True):
            norm = Normalize(-bound, bound)
            picture = axes.imshow(values, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
            axes.set(title=name, xlabel="input")
            _whole_ticks(axes)
            for spine in axes.spines.values():
                spine.set_visible(True)
            if axes is not grid[0]:  # target and programmed share a scale
                _colour_bar(figure, axes, picture, tall=tall)
        grid[0].set_ylabel("output")
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def for_result(result: Any) -> dict[str, Callable[[], Figure]]:
    """Return the pictures of an analysis result: name of the file, without suffix, to what draws it.

    A result that draws nothing gives an empty mapping.
    """
    if hasattr(result, "rules"):
        training = cast("TrainingResult", result)
        pictures: dict[str, Callable[[], Figure]] = {"learning": lambda: learning_curves(training)}
        for weights in training.weights:
            title = f"{training.name}: {weights.name}"
            pictures[f"weights_{_file_name(weights.name)}"] = partial(weight_error_map, weights, title=title)
        return pictures
    if hasattr(result, "channels"):
        return {"spectrum": lambda: for_spectrum(result)}
    return {}


def _file_name(text: str) -> str:
    """Return a name for people as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")


def _style() -> AbstractContextManager[None]:
    import matplotlib as mpl

    return mpl.rc_context(cast("Any", dict(STYLE)))


def _canvas(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure, grid = _grid(1, size)
    grid[0].grid(visible=True)
    return figure, grid[0]


def _grid(columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def _line(k: int) -> dict[str, Any]:
    """Return colour and dash of the k-th line: all colours solid, then dashed, then dotted."""
    return {"color": COLOURS[k % len(COLOURS)], "linestyle": DASHES[k // len(COLOURS) % len(DASHES)]}


def _frame_spectrum(axes: Axes, wl: FloatArray, powers: Sequence[FloatArray]) -> None:
    """Fit the axes to the data, cut at the floor."""
    if wl.size > 1:
        axes.set_xlim(float(wl[0]), float(wl[-1]))
    finite = np.concatenate([power[np.isfinite(power)] for power in powers])
    if not finite.size:
        axes.set_ylim(FLOOR_dB, 1.0)
        return
    low, high = max(float(finite.min()), FLOOR_dB), float(finite.max())
    margin = max(0.05 * (high - low), 0.05)
    axes.set_ylim(low - margin, max(high, low) + margin)


def _mark_channels(axes: Axes, channels: Sequence[float], wl: FloatArray) -> None:
    """Draw a thin line at each channel inside the range, its number above the frame."""
    inside = [(k, c) for k, c in enumerate(channels) if wl[0] <= c <= wl[-1]]
    for k, channel in inside:
        axes.axvline(channel, color="#8C8C8C", linewidth=0.7, linestyle=(0, (2, 2)), zorder=0.5)
        if len(inside) <= _MOST_LABELLED_CHANNELS:
            axes.annotate(
                f"{k + 1}", (channel, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
                textcoords="offset points", ha="center", va="bottom", fontsize=7, color="#666666",
            )  # fmt: skip


def _error_axis(axes: Axes, result: TrainingResult) -> None:
    """Make the error axis logarithmic with plain numbers, unless some mean error is zero."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    longest = max(outcome.accuracy.shape[1] for outcome in result.rules)
    axes.set_xlim(1, max(longest, 2))
    means = np.concatenate([np.mean(1.0 - outcome.accuracy, axis=0) for outcome in result.rules])
    if np.all(means > 0.0):
        axes.set_yscale("log")
        axes.set_ylim(75.0 * float(means.min()), 125.0 * float(means.max()))
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _legend(axes: Axes, title: str | None = None) -> None:
    """Put the legend to the right of the frame, where it can hide no data."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    axes.legend(**place, title=title, title_fontsize=8, alignment="left")


def _title(axes: Axes, title: str, *, above: bool = False) -> None:
    """Set the title; `above` leaves room for channel numbers."""
    if title:
        axes.set_title(title, pad=14 if above else 6)


def _colour_bar(figure: Figure, axes: Axes, picture: Any, *, tall: bool) -> None:
    """Add a scale beside a map, as high as the map, with a common power of ten above small numbers."""
    from matplotlib.ticker import ScalarFormatter

    form = ScalarFormatter(useMathText=True)
    form.set_powerlimits((-2, 3))
    bar = figure.colorbar(picture, ax=axes, fraction=0.07, pad=0.03, aspect=46 if tall else 22, format=form)
    bar.ax.yaxis.get_offset_text().set(size=7, ha="left")
    cast("Any", bar.outline).set_visible(False)


def _whole_ticks(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))


def _engineering(largest: float) -> tuple[float, str]:
    """Return the factor and the prefix that bring a value in A to 1..1000."""
    for factor, prefix in ((1.0, ""), (1e3, "m"), (1e6, "\N{GREEK SMALL LETTER MU}"), (1e9, "n")):
        if largest * factor >= 1.0:
            return factor, prefix
    return (1e12, "p") if largest > 0.0 else (1.0, "")

"""Pictures of trainings: learning curves and maps of weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.plotting.canvas import (
    COLOURS,
    DASHES,
    DIVERGING,
    canvas,
    colour_bar,
    in_style,
    legend,
    line_style,
    panel_row,
    titled,
    whole_ticks,
)
from photosim.training.architecture import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from photosim.training.result import TrainingResult, WeightMap


@public
def for_training(result: TrainingResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw learning curves, alignment and weight maps of a training, by name.

    result: of a training.
    """
    drawn: dict[str, Callable[[], Figure]] = {"learning": partial(learning_curves, result)}
    if any(outcome.aligned for outcome in result.rules):
        drawn["alignment"] = partial(alignment_angles, result)
    for weights in result.weights:
        name = re.sub(r"[^A-Za-z0-9]+", "_", weights.name).strip("_")
        title = f"{result.name}: {weights.name}"
        drawn[f"weights_{name}"] = partial(weight_error_map, weights, title=title)
    return drawn


@public
def learning_curves(result: TrainingResult) -> Figure:
    """Draw the test error of every rule over the epochs: mean over the seeds, band of one standard deviation.

    The error axis is logarithmic, because rules differ in the last percent.

    result: of a training, with accuracies (rules, seeds, epochs).
    """
    with in_style():
        figure, axes = canvas((6.4, 3.6))
        for k, outcome in enumerate(own for own in result.rules if own.final.size):
            error = 100.0 * (1.0 - np.asarray(outcome.accuracy, dtype=np.float64))
            epochs = np.arange(1, error.shape[1] + 1)
            mean = np.mean(error, axis=0)
            # Rules may learn alike: the first lines lie on top, and let the later ones through their gaps.
            style = {
                "color": COLOURS[k % len(COLOURS)],
                "linestyle": DASHES[k % len(DASHES)],
                "zorder": 3 - k / 100,
                "marker": _mark(len(epochs)),
            }
            axes.plot(epochs, mean, label=f"{outcome.rule}  {100.0 * outcome.mean:.2f} %", **style)
            if error.shape[0] > 1:
                half = np.std(error, axis=0, ddof=1)
                axes.fill_between(epochs, mean - half, mean + half, color=style["color"], alpha=0.18, lw=0)
        axes.set(xlabel="epoch", ylabel="test error (%)")
        _error_axis(axes, result)
        legend(axes, title="test accuracy at the end")
        shape = label(result.network, "\N{EN DASH}")
        seeds = f"mean and spread of {result.seeds} seeds" if result.seeds > 1 else "one seed"
        titled(axes, f"{result.name}: {shape} on {result.data}, {seeds}")
    return figure


@public
def history(scores: Mapping[str, NDArray[np.float64]], loss: NDArray[np.float64]) -> Figure:
    """Draw scores in % and the loss over the epochs, each of shape (epochs,), side by side."""
    with in_style():
        figure, (left, right) = panel_row(2, (7.0, 2.8))
        known = {name: values for name, values in scores.items() if np.isfinite(values).any()}
        for k, (name, values) in enumerate(known.items()):
            style = {**line_style(k), "marker": _mark(len(values))}
            left.plot(np.arange(1, len(values) + 1), 100.0 * values, label=name, **style)
        right.plot(np.arange(1, len(loss) + 1), loss, color=COLOURS[2], marker=_mark(len(loss)))
        left.set_ylabel("score (%)")
        right.set_ylabel("training loss")
        for axes in (left, right):
            axes.set(xlabel="epoch", xlim=(1, max(len(loss), 2)))
            axes.grid(visible=True)
            whole_ticks(axes, "x")
        if len(known) > 1:
            left.legend(loc="best")
    return figure


@public
def alignment_angles(result: TrainingResult) -> Figure:
    """Draw the angle between every rule's updates and the gradient over the epochs, one line a hidden layer.

    The angle is a mean over the seeds. Below 90 degrees, the marked line, a small step lowers the loss.

    result: of a training, with angles (rules, seeds, epochs, layers) in degrees.
    """
    with in_style():
        figure, axes = canvas((6.4, 3.6))
        for k, outcome in enumerate(own for own in result.rules if own.aligned):
            mean = np.mean(outcome.angles, axis=0)
            epochs = np.arange(1, len(mean) + 1)
            for layer, angles in enumerate(mean.T):
                style = {
                    "color": COLOURS[k % len(COLOURS)],
                    "linestyle": DASHES[layer % len(DASHES)],
                    "marker": _mark(len(epochs)),
                }
                axes.plot(epochs, angles, label=f"{outcome.rule}, layer {layer + 1}", **style)
        axes.axhline(90.0, color="0.4", lw=0.8, ls=":")
        axes.set(xlabel="epoch", ylabel="angle to the gradient (degrees)", ylim=(0.0, 100.0))
        axes.set_yticks(range(0, 91, 15))
        legend(axes)
        titled(axes, f"{result.name}: angle of the updates")
    return figure


@public
def weight_error_map(weights: WeightMap, *, title: str = "") -> Figure:
    """Draw target weights, programmed weights and their difference side by side as maps.

    The first two share one scale. The difference has its own, symmetric about zero, and its rms in the title.
    The programmed weights are those of the settings that the converters can hold.
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
        ("target", target, limit, DIVERGING),
        ("programmed", programmed, limit, DIVERGING),
        (f"error, rms {rms:.1e}", error, error_limit, DIVERGING),
    )
    with in_style():
        figure, grid = panel_row(3, (7.2, 4.6 if tall else 2.7))
        for axes, (name, values, bound, colours) in zip(grid, panels, strict=True):
            norm = Normalize(-bound, bound)
            picture = axes.imshow(values, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
            axes.set(title=name, xlabel="input")
            whole_ticks(axes)
            for spine in axes.spines.values():
                spine.set_visible(True)
            if axes is not grid[0]:  # target and programmed share a scale
                colour_bar(figure, axes, picture, tall=tall)
        grid[0].set_ylabel("output")
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def _mark(epochs: int) -> str:
    """Return the marker of a curve: a single epoch is a point, which a line does not show."""
    return "o" if epochs == 1 else ""


def _error_axis(axes: Axes, result: TrainingResult) -> None:
    """Make the error axis logarithmic with plain numbers, unless some mean error is zero."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    longest = max(outcome.accuracy.shape[1] for outcome in result.rules)
    axes.set_xlim(1, max(longest, 2))
    learnt = [outcome.accuracy for outcome in result.rules if outcome.final.size]
    means = np.concatenate([np.mean(1.0 - accuracy, axis=0) for accuracy in learnt])
    if np.all(means > 0.0):
        axes.set_yscale("log")
        axes.set_ylim(75.0 * float(means.min()), 125.0 * float(means.max()))
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())

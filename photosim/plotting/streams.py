"""Pictures of streamed runs: the eye histogram."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.plotting.canvas import canvas, engineering, in_style, titled
from photosim.plotting.eyes import time_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from photosim.analysis.streams import StreamResult


@public
def eye_histogram(result: StreamResult) -> Figure:
    """Draw the histogram of an eye on a logarithmic scale, with the decision thresholds.

    result: of `ps.stream`.
    """
    from matplotlib.colors import LogNorm

    eye, thresholds = result.eye, result.thresholds
    assert eye is not None and thresholds is not None  # noqa: PT018, S101 - the caller looked
    late, late_prefix = time_unit(2 * eye.time)
    factor, prefix = engineering(float(np.abs(eye.edges).max()))
    step = float(eye.time[1] - eye.time[0])
    edges = np.append(eye.time, eye.time[-1] + step)
    twice = np.concatenate([edges[:-1], edges + edges[-1]])  # an eye shows two symbols
    counts = np.concatenate([eye.counts, eye.counts]).astype(np.float64).T
    with in_style():
        figure, axes = canvas((4.6, 3.4))
        norm = LogNorm(1.0, max(float(counts.max()), 10.0))
        seen = np.ma.masked_less(counts, 1.0)
        map_ = axes.pcolormesh(
            twice * late, eye.edges * factor, seen, norm=norm, cmap="viridis", rasterized=True
        )
        figure.colorbar(map_, ax=axes, label="samples")
        for level in thresholds:
            axes.axhline(level * factor, color="#8C8C8C", linewidth=0.7, linestyle=(0, (2, 2)))
        if result.at is not None:
            axes.axvline(
                result.at % 1.0 * edges[-1] * late, color="#8C8C8C", linewidth=0.7, linestyle=(0, (2, 2))
            )
        filled = np.flatnonzero(eye.counts.sum(axis=0))
        axes.set_ylim(eye.edges[filled[0]] * factor, eye.edges[filled[-1] + 1] * factor)
        axes.set(xlabel=f"time ({late_prefix}s)", ylabel=f"photocurrent ({prefix}A)")
        titled(axes, f"{result.name}: {result.errors:,} errors in {result.symbols:,} symbols")
    return figure


@public
def for_stream(result: StreamResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw a streamed run, by the name of the picture.

    result: of a streamed run.
    """
    return {} if result.eye is None else {"eye": lambda: eye_histogram(result)}

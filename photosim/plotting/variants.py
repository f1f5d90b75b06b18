"""Spectra of a batch: a panel for each pair of ports, curves coloured by the first setting of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.plotting.canvas import MICRO, in_style, note, panel_grid, scale_of, titled, wavelength_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from photosim.smatrix import SMatrix

    FloatArray = NDArray[np.float64]

LOWEST_dB = -80.0
MOST_PANELS = 4
MOST_CURVES = 60


def variants(
    wl: FloatArray,
    powers: Sequence[FloatArray],
    names: Sequence[str],
    batch: Mapping[str, Any],
    units: Mapping[str, str],
    *,
    title: str = "",
    remarks: Sequence[str] = (),
) -> Figure:
    """Draw powers in dB of up to four pairs, each (..., W) over wl (W,) in um, at up to 60 entries.

    batch: settings of the batch, the first of which colours the curves.  units: of them, by name.
    """
    first = powers[:MOST_PANELS]
    count = int(np.prod(first[0].shape[:-1]))
    label, values = _setting(batch, units, count)
    chosen = np.unique(np.linspace(0, count - 1, min(MOST_CURVES, count)).astype(int))
    scale = scale_of(values)
    with in_style():
        figure, panels = panel_grid(len(first), (3.7, 2.7))
        for axes, power, name in zip(panels, first, names, strict=False):
            level = np.maximum(power.reshape(count, -1), LOWEST_dB - 20.0)
            factor = wavelength_axis(axes, wl)
            for k in chosen:
                marker = "o" if wl.size == 1 else None
                axes.plot(wl * factor, level[k], color=scale.to_rgba(values[k]), marker=marker,
                          linewidth=1.0)  # fmt: skip
            low, high = max(float(level.min()), LOWEST_dB), float(level.max())
            margin = max(0.05 * (high - low), 0.05)
            axes.set(ylabel="transmission (dB)", ylim=(low - margin, max(low, high) + margin))
            titled(axes, name)
        figure.colorbar(scale, ax=panels, label=label, fraction=0.05, pad=0.02)
        more = len(powers) - MOST_PANELS
        left = f"{more} more pairs are not drawn: choose pairs." if more > 0 else ""
        drawn = f"{len(chosen)} of {count:,} curves are drawn." if len(chosen) < count else ""
        note(panels[max(len(first) - 2, 0)], " ".join(filter(None, (left, drawn, *remarks))))
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def batch_of(s: SMatrix) -> str | None:
    """Return in words how many settings a matrix was computed at; None for one."""
    count = int(np.prod(s.values.shape[:-3]))
    return f"{count:,} settings" if s.values.ndim > 3 else None


def _setting(batch: Mapping[str, Any], units: Mapping[str, str], count: int) -> tuple[str, Any]:
    """Return name and values (entries,) of what colours the curves: the first setting, else the number."""
    for name, values in batch.items():
        found = np.asarray(values)
        if found.dtype.kind in "fiu" and found.size == count and np.ptp(found) > 0.0:
            unit = units.get(name, "").replace("um", f"{MICRO}m")
            return f"{name} ({unit})" if unit else name, found.ravel().astype(np.float64)
    return "entry of the batch", np.arange(count, dtype=np.float64)

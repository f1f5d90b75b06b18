"""Pictures of spectra and of photocurrents over wavelength."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.plotting.canvas import canvas, check_lengths, engineering, in_style, legend, line_style, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from photosim.analysis.spectrum import SpectrumResult
    from photosim.files.csv import Traces
    from photosim.smatrix import SMatrix

FloatArray = NDArray[np.float64]

FLOOR_dB = -80.0
"""Spectra are drawn down to here at the lowest: below lies rounding, not light."""
_MOST_LINES = 16
_MOST_LABELLED_CHANNELS = 16


@public
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
    with in_style():
        figure, axes = canvas((6.4, 3.4))
        for k, (pair, power) in enumerate(zip(pairs, powers, strict=True)):
            label = labels[k] if len(labels) else f"{pair[0]} \N{RIGHTWARDS ARROW} {pair[1]}"
            marker = "o" if power.size == 1 else None
            axes.plot(s.wl, power, label=label, marker=marker, **line_style(k))
        axes.set(xlabel="wavelength (\N{GREEK SMALL LETTER MU}m)", ylabel="transmission (dB)")
        _frame_spectrum(axes, s.wl, powers)
        _mark_channels(axes, channels, s.wl)
        legend(axes)
        titled(axes, title, above=bool(len(channels)))
    return figure


@public
def for_spectrum(result: SpectrumResult) -> Figure:
    """Draw the result of a spectrum analysis."""
    return spectrum(result.s, result.pairs, channels=result.channels, labels=result.labels, title=result.name)


@public
def plot_smatrix(s: SMatrix, pairs: Sequence[tuple[str, str]] | None = None) -> Figure:
    """Draw the (from, to) pairs of `s` in dB; by default those from its inputs to wherever light arrives."""
    from photosim.analysis.spectrum import port_pairs

    return spectrum(s, pairs if pairs is not None else port_pairs(s), title=s.name)


@public
def photocurrents(
    wl: FloatArray, currents: Mapping[str, FloatArray], *, title: str = "", xlabel: str = "wavelength"
) -> Figure:
    """Draw photocurrents in A, each of shape (W,), over the wavelength of shape (W,) in um."""
    wl = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    currents = {name: np.atleast_1d(np.asarray(values)) for name, values in currents.items()}
    check_lengths("photocurrents", wl, currents)
    with in_style():
        figure, axes = canvas((6.4, 3.4))
        largest = max(
            (float(np.max(np.abs(values), initial=0.0)) for values in currents.values()), default=0.0
        )
        factor, unit = engineering(largest)
        for k, (name, values) in enumerate(currents.items()):
            marker = "o" if values.size == 1 else None
            axes.plot(wl, np.asarray(values) * factor, label=name, marker=marker, **line_style(k))
        axes.set(xlabel=f"{xlabel} (\N{GREEK SMALL LETTER MU}m)", ylabel=f"photocurrent ({unit}A)")
        if wl.size > 1:
            axes.set_xlim(float(wl[0]), float(wl[-1]))
        legend(axes)
        titled(axes, title)
    return figure


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

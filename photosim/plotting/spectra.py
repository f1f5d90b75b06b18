"""Pictures of spectra and of photocurrents over wavelength."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import public
from photosim.errors import ParameterError, listing
from photosim.plotting.canvas import (
    GREY,
    canvas,
    check_lengths,
    engineering,
    in_style,
    legend,
    line_style,
    note,
    titled,
    wavelength_axis,
)
from photosim.plotting.maps import matrix_at, pair_map
from photosim.plotting.variants import batch_of, variants
from photosim.smatrix import SMatrix, sharpened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from photosim.analysis.spectrum import SpectrumResult
    from photosim.files.csv import Traces
    from photosim.smatrix import Trace

FloatArray = NDArray[np.float64]

FLOOR_dB = -80.0
"""Spectra are drawn down to here at the lowest: below lies rounding, not light."""
MOST_CURVES = 8
"""Pairs that are drawn as curves; more are a map."""
_ALIKE = 2e-3
"""Distance of two curves, of the height of the frame, below which one would hide the other."""
_MOST_LABELLED_CHANNELS = 16


@public
def spectrum(
    s: Traces,
    pairs: Sequence[tuple[str, str]],
    *,
    channels: Sequence[float] = (),
    labels: Sequence[str] = (),
    title: str = "",
    remarks: Sequence[str] = (),
) -> Figure:
    """Draw the transmission in dB of (from, to) port pairs over the wavelength.

    Up to 8 pairs are curves, more a colour map. At a single wavelength, pairs are bars side by side, or a
    matrix. A batch is coloured by its first setting. Of two equal curves, one is dashed so that both are
    visible. A note names the curves below the frame.

    s: S-matrix or spectra.  pairs: (from, to) names of ports.  channels: wavelengths in um, drawn as thin
    lines with numbers along the top.  labels: names of the curves, in the order of the pairs.  title: title
    of the picture.  remarks: sentences below the picture.

    Raises ParameterError without a pair.
    """
    if not pairs:
        message = "A spectrum plot shows 1 port pair or more, got 0: choose with from and to."
        raise ParameterError(message)
    names = [labels[k] if len(labels) else arrow(*pair) for k, pair in enumerate(pairs)]
    first = s[pairs[0]]
    wl, powers = _points(s, pairs)
    if first.values.ndim > 1:
        return variants(wl, powers, names, first.batch, first.units, title=title, remarks=remarks)
    if wl.size == 1:
        return matrix_at(float(wl[0]), pairs, names, [float(p[0]) for p in powers], title=title)
    if len(pairs) > MOST_CURVES:
        return pair_map(wl, names, np.array(powers), title=title, remarks=remarks)
    return _curves(wl, names, powers, channels, title, remarks)


def _points(s: Traces, pairs: Sequence[tuple[str, str]]) -> tuple[FloatArray, list[FloatArray]]:
    """Return wavelengths and powers in dB; of a circuit also at the peaks and dips between the points."""
    if isinstance(s, SMatrix):
        return sharpened(s, pairs)
    order = np.argsort(s.wl)
    return s.wl[order], [s[pair].power_dB[..., order] for pair in pairs]


def arrow(start: str, end: str) -> str:
    """Return how a curve is named from its ports."""
    return f"{start} \N{RIGHTWARDS ARROW} {end}"


def _curves(
    wl: FloatArray,
    names: Sequence[str],
    powers: Sequence[FloatArray],
    channels: Sequence[float],
    title: str,
    remarks: Sequence[str],
) -> Figure:
    with in_style():
        figure, axes = canvas((6.4, 3.4))
        factor = wavelength_axis(axes, wl)
        axes.set_ylabel("transmission (dB)")
        low, high = _frame(axes, powers)
        below = [name for name, power in zip(names, powers, strict=True) if not np.any(power > low)]
        shown = [k for k, name in enumerate(names) if name not in below]
        groups = _alike([powers[k] for k in shown], high - low)
        for n, k in enumerate(shown):
            style = {**line_style(k), **_gaps(groups, n)}
            axes.plot(wl * factor, powers[k], label=names[k], **style)
        _mark_channels(axes, channels, wl, factor)
        if shown:
            legend(axes)
            for n, line in enumerate(axes.get_legend().get_lines()):  # type: ignore[union-attr]
                if _gaps(groups, n):  # a dash of a long pattern may not fall into the legend
                    line.set_linestyle("-")
        equal = [" = ".join(names[shown[n]] for n in group) for group in groups if len(group) > 1]
        said = [f"Equal: {'; '.join(equal)}."] if equal else []
        if below:
            level = f"below {low:.0f} dB" if low < 0.0 else "dark"
            said.append(f"Not in the frame, {level}: {listing(below, 6)}.")
        note(axes, " ".join([*said, *remarks]))
        titled(axes, title, above=bool(len(channels)))
    return figure


def _alike(powers: Sequence[FloatArray], height: float) -> list[list[int]]:
    """Return groups of curves that lie on each other."""
    groups: list[list[int]] = []
    for k, power in enumerate(powers):
        for group in groups:
            apart = np.abs(np.maximum(power, FLOOR_dB) - np.maximum(powers[group[0]], FLOOR_dB))
            if float(apart.max()) <= _ALIKE * height:
                group.append(k)
                break
        else:
            groups.append([k])
    return groups


def _gaps(groups: Sequence[Sequence[int]], k: int) -> dict[str, Any]:
    """Return the dashes of a curve that lies on others, so that each shows in the gaps of the rest."""
    group = next(g for g in groups if k in g)
    if len(group) == 1:
        return {}
    dash, place = 5.0, group.index(k)
    return {"linestyle": (place * dash, (dash, (len(group) - 1) * dash)), "dash_capstyle": "butt"}


@public
def for_spectrum(result: SpectrumResult) -> Figure:
    """Draw the result of a spectrum analysis."""
    return spectrum(
        result.s,
        result.pairs,
        channels=result.channels,
        labels=result.labels,
        title=result.name,
        remarks=result.remarks[:1],
    )


@public
def plot_smatrix(s: SMatrix, pairs: Sequence[tuple[str, str]] | None = None) -> Figure:
    """Draw (from, to) pairs of `s` in dB; by default from its inputs to all ports where light arrives."""
    from photosim.analysis.spectrum import port_pairs

    chosen = list(pairs) if pairs is not None else list(port_pairs(s))
    if pairs is None and s.wl.size == 1 and s.values.ndim == 3:
        chosen = _carrying(s)
    title = s.name if batch_of(s) is None else f"{s.name}: {batch_of(s)}"
    return spectrum(s, chosen, title=title, remarks=s.remarks[:1])


def _carrying(s: SMatrix) -> list[tuple[str, str]]:
    """Return all pairs between ports that send light on and ports where it arrives, at one wavelength."""
    power = s.power[0] > 10.0 ** (FLOOR_dB / 10.0)
    starts = [p for k, p in enumerate(s.ports) if power[:, k].any() and (p.startswith("in") or k == 0)]
    ends = [p for k, p in enumerate(s.ports) if power[k, [s.ports.index(a) for a in starts]].any()]
    return [(a, b) for a in starts for b in ends] or [(a, b) for a in s.ports for b in s.ports]


@public
def shown_pairs(s: SMatrix) -> tuple[tuple[str, str], ...]:
    """Return the (from, to) pairs that a picture of an S-matrix shows by default.

    s: S-matrix.
    """
    from photosim.analysis.spectrum import port_pairs

    return port_pairs(s)


@public
def plot_trace(trace: Trace) -> Figure:
    """Draw one element of an S-matrix in dB.

    trace: s["from", "to"] of an S-matrix.
    """
    return spectrum(trace.as_matrix(), [(trace.source, trace.target)])


@public
def photocurrents(
    wl: FloatArray, currents: Mapping[str, FloatArray], *, title: str = "", xlabel: str = "wavelength"
) -> Figure:
    """Draw photocurrents in A, each of shape (W,), over the wavelength of shape (W,) in um.

    wl: in um, (W,).  currents: in A by detector, (W,) each.  title: title of the picture.  xlabel: label of
    the horizontal axis.
    """
    wl = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    currents = {name: np.atleast_1d(np.asarray(values)) for name, values in currents.items()}
    check_lengths("photocurrents", wl, currents)
    with in_style():
        figure, axes = canvas((6.4, 3.4))
        largest = max(
            (float(np.max(np.abs(values), initial=0.0)) for values in currents.values()), default=0.0
        )
        factor, unit = engineering(largest)
        scale = wavelength_axis(axes, wl)
        axes.set_xlabel(axes.get_xlabel().replace("wavelength", xlabel))
        groups = _alike([v * factor for v in currents.values()], factor * largest or 1.0)
        for k, (name, values) in enumerate(currents.items()):
            marker = "o" if values.size == 1 else None
            style = {**line_style(k), **_gaps(groups, k)}
            axes.plot(wl * scale, np.asarray(values) * factor, label=name, marker=marker, **style)
        axes.set_ylabel(f"photocurrent ({unit}A)")
        legend(axes)
        titled(axes, title)
    return figure


def _frame(axes: Axes, powers: Sequence[FloatArray]) -> tuple[float, float]:
    """Fit the vertical axis to the data, cut at the floor, and return its ends."""
    finite = np.concatenate([power[np.isfinite(power)] for power in powers])
    if not finite.size:
        axes.set_ylim(FLOOR_dB, 1.0)
        return FLOOR_dB, 1.0
    high = float(finite.max())
    low = max(float(finite.min()), FLOOR_dB) if high > FLOOR_dB else float(finite.min())
    margin = max(0.05 * (high - low), 0.05)
    axes.set_ylim(low - margin, high + margin)
    return low - margin, high + margin


def _mark_channels(axes: Axes, channels: Sequence[float], wl: FloatArray, factor: float) -> None:
    """Draw a thin line at each channel inside the range, its number above the frame."""
    inside = [(k, c) for k, c in enumerate(channels) if wl.min() <= c <= wl.max()]
    for k, channel in inside:
        axes.axvline(channel * factor, color=GREY, linewidth=0.7, linestyle=(0, (2, 2)), zorder=0.5)
        if len(inside) <= _MOST_LABELLED_CHANNELS:
            axes.annotate(
                f"{k + 1}", (channel * factor, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
                textcoords="offset points", ha="center", va="bottom", fontsize=7, color="#666666",
            )  # fmt: skip

"""Numbers beside the plot: metrics of the curves, currents of the detectors, and the specification."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.channels import channels_of
from photosim.analysis.numbers import cell, heading
from photosim.analysis.result import plain
from photosim.analysis.yields.specification import (
    FEWEST,
    Entry,
    judge,
    pairs_of,
    read_specification,
)
from photosim.errors import ParameterError, PhotosimError
from photosim.explorer.curves import curves_of, start_of, undersampled
from photosim.metrics import said
from photosim.smatrix import Trace
from photosim.units import power_dB

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.explorer.asks import View

SHOWN = ("resonance", "fwhm", "q", "fsr", "extinction_dB", "insertion_loss_dB", "bandwidth_3dB")
MOST_ROWS = 16
_WINDOW_POINTS = 401


def numbers(circuit: Circuit, view: View) -> dict[str, Any]:
    """Return metrics, currents and the judged specification as plain JSON types, with remarks."""
    grid, curves = curves_of(circuit, view)
    start = start_of(circuit, view)
    remarks: list[str] = []
    rows = []
    for one in [curve for curve in curves if not curve.dark][:MOST_ROWS]:
        trace = _trace(circuit, view, grid, start, one.wave, one.values)
        rows.append(_row(one.wave, trace))
    if len(grid) >= 3:
        with suppress(PhotosimError):
            remarks += undersampled(circuit, view, grid)
    return {
        "heads": ["highest (dB)", "lowest (dB)", *(heading(name) for name in SHOWN)],
        "rows": rows,
        "currents": _currents(circuit, view),
        "specification": specification(circuit, view, grid),
        "remarks": remarks,
    }


def _trace(
    circuit: Circuit,
    view: View,
    grid: NDArray[np.float64],
    start: str,
    wave: str,
    values: NDArray[np.complex128],
) -> Trace:
    """Return a curve that knows its circuit where it runs between exposed ports: its metrics are exact."""
    if start in circuit.ports and wave in circuit.ports:
        ports = tuple(dict.fromkeys((start, wave)))
        return circuit(grid, ports=ports, **dict(view.settings))[start, wave]
    return Trace(grid, values, start, wave)


def _row(wave: str, trace: Trace) -> dict[str, Any]:
    level = power_dB(np.abs(trace.values) ** 2)
    cells = [f"{float(level.max()):.3f}", f"{float(level.min()):.3f}"]
    flags = ""
    if len(trace.wl) >= FEWEST:
        found = trace.metrics()
        cells += [cell(name, float(found[name])) for name in SHOWN]
        flags = said(int(found["flags"]))
    else:
        cells += [cell(name, None) for name in SHOWN]
    return {"wave": wave, "cells": cells, "flags": flags}


def _currents(circuit: Circuit, view: View) -> list[dict[str, Any]]:
    """Return the photocurrents in A under the circuit's own light; a sentence where there are none."""
    if not circuit.sources or not circuit.detectors:
        return []
    try:
        found = circuit.photocurrents(**dict(view.settings)).sum("wavelength")
    except PhotosimError as error:
        return [{"detector": "", "current": None, "why": str(error)}]
    return [
        {"detector": str(name), "current": float(value), "why": ""}
        for name, value in zip(found.detector.values, found.values, strict=True)
    ]


def specification(circuit: Circuit, view: View, grid: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return every entry of the netlist's specification with its value, and whether it is met.

    An entry with a window is judged there, whatever the page shows; a line is judged on the page's
    wavelengths. met is None for an entry that they cannot judge.
    """
    entries = read_specification(circuit, circuit.netlist.specification)
    return [_judged(circuit, view, entry, grid) for entry in entries]


def _judged(circuit: Circuit, view: View, entry: Entry, grid: NDArray[np.float64]) -> dict[str, Any]:
    state: dict[str, Any] = {
        "label": entry.label,
        "quantity": entry.quantity,
        "start": entry.start,
        "end": entry.end,
        "window": list(entry.window) if entry.window is not None else None,
        "limits": [plain(float(limit)) if np.isfinite(limit) else None for limit in entry.limits],
        "words": entry.words,
        "value": None,
        "unit": entry.unit,
        "met": None,
        "why": "",
    }
    try:
        value = _value(circuit, view, entry, grid)
    except PhotosimError as error:
        return {**state, "why": str(error)}
    if not np.isfinite(value):
        return {**state, "met": False, "why": "the spectrum has no such line"}
    margin = float(entry.margin(np.array([value]))[0])
    return {**state, "value": float(value), "met": margin >= 0.0}


def _value(circuit: Circuit, view: View, entry: Entry, grid: NDArray[np.float64]) -> float:
    """Return the value of one entry at the settings of the view."""
    wl = grid
    if entry.window is not None and (len(grid) < FEWEST or not _covers(grid, entry.window)):
        low, high = entry.window
        wl = np.linspace(low, high, _WINDOW_POINTS) if high > low else np.array([low])
    elif entry.window is None and len(grid) < FEWEST:
        message = f"a line needs {FEWEST} wavelengths or more"
        raise ParameterError(message)
    starts, ends = pairs_of((entry,))
    values = circuit.transfer(wl, ends, starts, **dict(view.settings))[:, 0, 0]
    channels = channels_of(circuit, dict(view.settings))
    near = np.array([0.5 * (wl[0] + wl[-1])])
    places = {(entry.start, entry.end): 0}
    shaped = np.ascontiguousarray(values[np.newaxis, np.newaxis])
    return float(judge((entry,), places, wl[np.newaxis], shaped, near, channels)[0, 0])


def _covers(grid: NDArray[np.float64], window: tuple[float, float]) -> bool:
    """Return whether a grid has the window inside it, with enough points to judge it."""
    inside = np.count_nonzero((grid >= window[0]) & (grid <= window[1]))
    return bool(grid[0] <= window[0] and grid[-1] >= window[1] and inside >= FEWEST)

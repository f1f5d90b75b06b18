"""Signals in time for the page: traces of the detectors and ports, and the eye of the first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.channels import channels_of
from photosim.analysis.transient import TransientResult, transient
from photosim.analysis.transient_options import TransientOptions, located, read_options
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, PhotosimError, did_you_mean, listing
from photosim.explorer.curves import packed

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.explorer.asks import Signal, View

SAMPLES = 32
"""Samples of a symbol of the page's own pattern."""
FEWEST_SAMPLES = 8
MOST_SYMBOLS = 4096
MOST_POINTS = 6000
MOST_TRACES = 300
"""Traces of an eye that the page draws."""
MOST_SIGNALS = 16
_DRIVEN = ("V", "rad", "A", "W")


def analyses_of(circuit: Circuit) -> tuple[str, ...]:
    """Return the names of the netlist's own analyses in time."""
    own = [entry for entry in circuit.netlist.analyses if entry.get("kind") == "transient"]
    return tuple(str(entry.get("name", "transient")) for entry in own)


def first_drive(circuit: Circuit, knobs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the setting that a pattern most likely drives, a phase or a voltage, with its levels."""
    if not circuit.sources or not circuit.detectors:
        return None
    open_knobs = [k for k in knobs if k["kind"] == "number" and (k["written"] or k["owner"] == "")]
    likely = [k for k in open_knobs if k["unit"] in ("V", "rad") or k["label"] in ("phase", "voltage")]
    likely += [k for k in open_knobs if k["unit"] in _DRIVEN and k not in likely]
    if not likely:
        return None
    knob = likely[0]
    swing = np.pi if "phase" in knob["label"] or knob["unit"] == "rad" else max(abs(knob["value"]), 1.0)
    high = float(swing) if knob["unit"] not in ("A", "W") else 1.5 * float(knob["value"] or 1e-3)
    return {"drive": knob["name"], "low": 0.0, "high": round(high, 6)}


def in_time(circuit: Circuit, view: View, signal: Signal) -> dict[str, Any]:
    """Return traces over time and the eye as plain JSON types, arrays as `packed`."""
    options = _options(circuit, signal)
    driven = {*options.drive}
    own = {name: value for name, value in {**options.settings, **view.settings}.items() if name not in driven}
    options = replace(options, settings=own)
    why = ""
    try:
        result = transient(circuit, options)
    except ParameterError as error:
        if options.eye is None and options.figures is None:
            raise
        why = str(error)  # a signal that does not follow its symbols has traces, and no eye
        result = transient(circuit, replace(options, eye=None, figures=None))
    return {**_traces(result), "eye": _eye(result), "figures": _figures(result), "why": why}


def _options(circuit: Circuit, signal: Signal) -> TransientOptions:
    if signal.analysis is not None:
        known = analyses_of(circuit)
        if signal.analysis not in known:
            message = f"The netlist lists no transient called {signal.analysis!r}; it has {listing(known)}."
            raise ParameterError(message + did_you_mean(signal.analysis, known))
        entry = next(
            entry
            for entry in circuit.netlist.analyses
            if entry.get("kind") == "transient" and entry.get("name", "transient") == signal.analysis
        )
        return read_options(located(entry, circuit.netlist.folder), circuit)
    if not signal.rate > 0.0 or not 8 <= signal.symbols <= MOST_SYMBOLS:
        message = (
            f"A pattern has a rate above 0 Hz and 8 to {MOST_SYMBOLS} symbols, got {signal.rate:g} Hz and "
            f"{signal.symbols} symbols."
        )
        raise ParameterError(message)
    entry = {
        "kind": "transient",
        "name": circuit.name,
        "duration": signal.symbols / signal.rate,
        "sample_rate": _samples(circuit, signal.rate) * signal.rate,
        "noise": signal.noise,
        **({"quasi_static": True} if signal.quasi_static else {}),
    }
    if signal.drive is not None:
        pattern = {"wave": "prbs", "rate": signal.rate, "low": signal.low, "high": signal.high}
        entry |= {"drive": {signal.drive: pattern}, "eye": {"rate": signal.rate}}
    return read_options(entry, circuit)


def _samples(circuit: Circuit, rate: float) -> int:
    """Return the samples of a symbol: fewer where the bands of neighbouring lasers would overlap."""
    frequencies = SPEED_OF_LIGHT_UM_S / np.array(channels_of(circuit) or (1.55,))
    apart = float(np.min(np.abs(np.diff(frequencies)), initial=np.inf))
    return SAMPLES if SAMPLES * rate <= apart or apart < FEWEST_SAMPLES * rate else int(apart / rate)


def _traces(result: TransientResult) -> dict[str, Any]:
    time = result.data.time.values
    every = max(1, -(-len(time) // MOST_POINTS))
    detectors = result.data.detector.values.tolist() if "current" in result.data else []
    signals = list(result.signals().items())[:MOST_SIGNALS]
    return {
        "time": packed(time[::every]),
        "signals": [
            {"name": name, "unit": "A" if name in detectors else "W", "values": packed(values[::every])}
            for name, values in signals
        ],
    }


def _eye(result: TransientResult) -> dict[str, Any] | None:
    for name, one in result.eyes.items():
        detectors = result.data.detector.values.tolist() if "current" in result.data else []
        traces = one.traces[:MOST_TRACES]
        return {
            "name": name,
            "unit": "A" if name in detectors else "W",
            "time": packed(one.time),
            "count": len(traces),
            "traces": packed(traces.ravel()),
            "at": one.at,
            "levels": one.levels.tolist(),
        }
    return None


def _figures(result: TransientResult) -> list[dict[str, str]]:
    """Return what the tables of the analysis say of eyes and figures, a row each."""
    try:
        tables = result.tables()[1:]
    except PhotosimError:
        return []
    return [
        {"title": table.title, "name": str(row[0]), "value": str(row[1])}
        for table in tables
        for row in table.rows
        if len(row) >= 2
    ]

"""Which measured column is which pair of ports, and its powers as a fit takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.fits.problem import Spectra
from photosim.analysis.options import inside as inside_of
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.files.measured import Measured
from photosim.files.measured_units import DECIBELS, LINEAR
from photosim.units import check_wavelengths

if TYPE_CHECKING:
    from pathlib import Path

    from photosim.circuit import Circuit

_ARROW = "->"
_UNIT = re.compile(
    r"[_\s\[\](]*(dBm|dB|pW|nW|uW|mW|W|power|trans(mission)?|linear|lin)[\])]*$", re.IGNORECASE
)


def spectra_of(
    circuit: Circuit,
    measured: Measured,
    columns: Mapping[str, Any] | Sequence[str] | None,
    source: str | None,
    window: Sequence[float] | None,
) -> Spectra:
    """Return the columns that are fitted, with the pair of ports of each.

    columns: column to output port, or to "from->to"; None takes columns that are called as ports are.
    source: the port that light enters, where a column does not say it.  window: wavelengths in um that count.
    """
    if columns is None:
        pairs = _by_names(circuit, measured, source)
    elif isinstance(columns, Mapping):
        pairs = {name: _pair(circuit, measured, name, where, source) for name, where in columns.items()}
    else:
        every = _by_names(circuit, measured, source)
        pairs = {name: every[name] for name in columns if _known(measured, name) and name in every}
    twice = [pair for pair in pairs.values() if list(pairs.values()).count(pair) > 1]
    if twice:
        message = f"columns: two columns are the power from {twice[0][0]} to {twice[0][1]}."
        raise ParameterError(message)
    inside = _inside(measured, window)
    decibels = np.stack([measured.power_dB(name)[inside] for name in pairs])
    power = np.stack([_linear(measured, name)[inside] for name in pairs])
    return Spectra(measured.wl[inside], tuple(pairs), tuple(pairs.values()), power, decibels)


def _linear(measured: Measured, name: str) -> Any:
    values, unit = measured.columns[name], measured.units[name]
    return 10.0 ** (values / 10.0) if unit in DECIBELS else values * LINEAR[unit]


def _inside(measured: Measured, window: Sequence[float] | None) -> Any:
    if window is None:
        return slice(None)
    with inside_of("window"):
        check_wavelengths(window)
    right = len(window) == 2 and window[0] < window[1]
    inside = (measured.wl >= window[0]) & (measured.wl <= window[1]) if right else np.zeros(1, dtype=bool)
    if inside.sum() < 8:
        ends = f"{measured.wl[0]:g} to {measured.wl[-1]:g}"
        message = (
            f"window must be two wavelengths in um, rising, with 8 points of {ends} um between, got "
            f"{list(window)}."
        )
        raise ParameterError(message)
    return inside


def _known(measured: Measured, name: str) -> bool:
    if name in measured.columns:
        return True
    hint = did_you_mean(name, measured.columns)
    message = f"{measured.source} has no column {name!r}; it has {listing([*measured.columns], 20)}.{hint}"
    raise ParameterError(message)


def _pair(circuit: Circuit, measured: Measured, name: str, where: Any, source: str | None) -> tuple[str, str]:
    _known(measured, name)
    if isinstance(where, str) and _ARROW in where:
        start, _, end = (part.strip() for part in where.partition(_ARROW))
    elif isinstance(where, str):
        start, end = _source(circuit, source, where), where
    elif isinstance(where, list | tuple) and len(where) == 2 and all(isinstance(w, str) for w in where):
        start, end = where
    else:
        message = f"columns: {name!r} is the name of an output port, or from->to, got {where!r}."
        raise ParameterError(message)
    for port in (start, end):
        if port not in circuit.ports:
            message = (
                f"columns: {name!r}: the circuit exposes no port {port!r}; it has "
                f"{listing(circuit.ports, 20)}."
            )
            raise ParameterError(message + did_you_mean(port, circuit.ports))
    return start, end


def _source(circuit: Circuit, source: str | None, end: str) -> str:
    if source is not None:
        if source not in circuit.ports:
            message = f"from: the circuit exposes no port {source!r}; it has {listing(circuit.ports, 20)}."
            raise ParameterError(message + did_you_mean(source, circuit.ports))
        return source
    others = [port for port in circuit.ports if port != end]
    if len(others) == 1:
        return others[0]
    named = [port for port in others if port.startswith("in")] or [port for port in others if port == "o1"]
    if len(named) == 1:
        return named[0]
    message = (
        f"Light may enter at {listing(others, 20)}: say which (`from: PORT`), or write columns as from->to."
    )
    raise ParameterError(message)


def _by_names(circuit: Circuit, measured: Measured, source: str | None) -> dict[str, tuple[str, str]]:
    """Return the columns that are called as ports, or pairs of ports, are."""
    ports = {port.lower(): port for port in circuit.ports}
    found: dict[str, tuple[str, str]] = {}
    for name in measured.columns:
        start, arrow, end = name.partition(_ARROW)
        if arrow:
            if start in circuit.ports and end in circuit.ports and start != end:
                found[name] = (start, end)
            continue
        plain = _UNIT.sub("", name).strip(" _").lower()
        if plain in ports:
            found[name] = (_source(circuit, source, ports[plain]), ports[plain])
    if source is not None:
        found = {name: pair for name, pair in found.items() if pair[0] == source}
    outputs = [port for port in circuit.ports if port != source and not port.startswith("in")]
    if not found and len(measured.columns) == 1 and len(outputs) == 1:
        return {next(iter(measured.columns)): (_source(circuit, source, outputs[0]), outputs[0])}
    if not found:
        message = (
            f"{measured.source} has the columns {listing([*measured.columns], 20)}, the circuit the ports "
            f"{listing(circuit.ports, 20)}: say which is which (`columns: {{COLUMN: PORT}}`)."
        )
        raise ParameterError(message)
    return found


def divided_by(data: Spectra, measured: Measured, reference: str | Path) -> Spectra:
    """Return spectra divided by a reference: a column of the same data, or a file of one column."""
    from dataclasses import replace

    from photosim.files.measured import read_measured

    if str(reference) in data.names:
        message = (
            f"reference: {str(reference)!r} is one of the fitted columns, and divided by itself it is 1: "
            "name the fitted columns in `columns`, or another reference."
        )
        raise ParameterError(message)
    if str(reference) in measured.columns:
        wl, values = measured.wl, measured.power_dB(str(reference))
    else:
        other = read_measured(reference)
        if len(other.columns) != 1:
            message = f"reference: {reference} has {len(other.columns)} columns of power: leave one."
            raise ParameterError(message)
        wl, values = other.wl, other.power_dB(next(iter(other.columns)))
    known = np.isfinite(values)
    if not (wl[known].min() <= data.wl[0] + 1e-9 and wl[known].max() >= data.wl[-1] - 1e-9):
        message = (
            f"reference: it reaches from {wl.min():g} to {wl.max():g} um, the data from {data.wl[0]:g} to "
            f"{data.wl[-1]:g} um: give a `window` inside."
        )
        raise ParameterError(message)
    level = np.interp(data.wl, wl[known], values[known])
    return replace(data, power=data.power / 10.0 ** (level / 10.0), decibels=data.decibels - level)

"""ps.budget: what a circuit takes, part by part."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.budgets.constants import (
    OURS,
    RECEIVER,
    Constant,
    read_constants,
    read_stated,
)
from photosim.analysis.budgets.costs import Costs, intervals
from photosim.analysis.budgets.optics import Optics, optics_of
from photosim.analysis.budgets.rows import Reading, Row, rows_of, uncounted
from photosim.analysis.budgets.tables import Published, dataset, read_published
from photosim.analysis.budgets.work import Training, Work
from photosim.analysis.provenance import provenance
from photosim.analysis.spectrum import check_settings
from photosim.arguments import public
from photosim.bounds import check_number
from photosim.engine.bindings import flat_settings
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    import xarray

    from photosim.circuit import Circuit

DEFAULT_RATE = 1e9
"""Cycles a second of a circuit without detectors, Hz."""


@public
def budget(  # noqa: PLR0913 - keyword options of a question
    circuit: Circuit,
    *,
    rate: float | None = None,
    wl: float | None = None,
    start: str | None = None,
    end: str | None = None,
    bits: float | None = None,
    link: Mapping[str, Any] | None = None,
    receiver: Mapping[str, Any] | None = None,
    converter_bits: float | None = None,
    bits_per_symbol: float = 1.0,
    operations: float | None = None,
    use: float = 1.0,
    pipelined: bool = True,
    static: Sequence[str] = (),
    footprint: Mapping[str, float] | None = None,
    constants: Mapping[str, Any] | None = None,
    published: Sequence[Mapping[str, Any]] = (),
    training: Training | Sequence[Work] | None = None,
    group: bool | None = None,
    settings: Mapping[str, Any] | None = None,
) -> xarray.Dataset:
    """Return power, energy, area, latency, loss and noise of a circuit, part by part, as a Dataset.

    Every number has an interval (`value`, `low`, `high`), because the constants behind it are uncertain.

    rate: cycles per second in Hz; by default twice the bandwidth of the narrowest receiver.  wl, start, end:
    wavelength in um, and the ports where light enters and leaves, for a circuit without sources or detectors.
    bits: effective bits that the light must give at the detectors; the power of the lasers follows from it.
    link: losses in dB by name, from a laser line to a detector, in place of the circuit's own.  receiver:
    responsivity, dark_current, load_resistance, temperature, rin_dB_Hz in place of the circuit's own.
    converter_bits: effective bits of all converters.  bits_per_symbol: data bits of a symbol.  operations:
    number of operations in a cycle; by default 2 M N, with M outputs and N inputs.  use: fraction of the
    cycles that compute.  pipelined: whether a cycle begins before the last one has ended.  static: name
    patterns of modulators that do not change.  footprint: area in um^2 by name pattern of instances.
    constants: values in place of those of docs/budget.md, each a number or {value, low, high, source}.
    published: entries {name, value (J), per, without, source} for a comparison.  training: the result of a
    training, or its work.  group: whether parts that differ only in a number share one row; by default, if
    there are many.  settings: settings of the circuit.

    Raises ParameterError for an unknown name or port, and for a value outside its bounds.

    >>> import photosim as ps
    >>> found = ps.budget(ps.load("modulator"), converter_bits=6)
    >>> dict(found.total_energy.sizes)
    {'per': 3, 'bound': 3}
    """
    question = {
        "rate": rate, "wl": wl, "from": start, "to": end, "bits": bits, "link": link, "receiver": receiver,
        "converter_bits": converter_bits, "bits_per_symbol": bits_per_symbol, "operations": operations,
        "use": use, "pipelined": pipelined, "static": list(static), "footprint": footprint,
        "constants": constants, "published": list(published), "group": group, "settings": settings or {},
    }  # fmt: skip
    _check_numbers(
        rate=rate, bits=bits, converter_bits=converter_bits, bits_per_symbol=bits_per_symbol,
        operations=operations, use=use,
    )  # fmt: skip
    if wl is not None:
        as_wavelengths(wl)
    for name, area in (footprint or {}).items():
        check_number(f"footprint of {name}", 0.0, area=area)
    constant = flat_settings(settings or {})
    check_settings(circuit, constant, "A budget is that of")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optics = optics_of(circuit, constant, wl, start, end)
    clock = Clock.of(optics, rate)
    reading = Reading(
        optics.compiled, optics.at, clock.rate, converter_bits, tuple(static), dict(footprint or {})
    )
    rows = rows_of(reading, grouped=group)
    _absorb(rows, optics)
    known = read_constants(constants or {})
    if bits is not None:
        known |= _of_light(optics, link or {}, receiver or {})
    elif link or receiver:
        message = "link and receiver say what light the bits need: give bits too, or leave them out."
        raise ParameterError(message)
    works = _works(training)
    per_cycle = _per_cycle(optics, operations, bits_per_symbol)
    costs = Costs(
        tuple(rows), optics.stages, clock.rate, use, pipelined, bits,
        max(1, len(optics.beams)), per_cycle, works,
    )  # fmt: skip
    _check_light(costs, known)
    if not pipelined and np.isnan(costs.latency({name: c.value for name, c in known.items()})).any():
        message = f"pipelined: the latency of {circuit.name!r} is not known, so its cycles need a pipeline."
        raise ParameterError(message)
    used = _used(costs, known)
    shown = read_published(published, {row.category for row in rows}, per_cycle)
    data = dataset(costs, intervals(costs, known), used, optics, shown)
    data.attrs = provenance(circuit, question, None) | {
        "remarks": "\n".join([*clock.remarks, *optics.remarks, *uncounted(rows, footprint or {})])
    }
    data.attrs |= {"rate_Hz": clock.rate, "use": use}
    return data


def _check_numbers(**numbers: float | None) -> None:
    for name, value in numbers.items():
        if value is not None:
            _positive(name, value)
    if (use := numbers["use"]) is not None and use > 1.0:
        message = f"use must be the fraction of the cycles that compute, above 0 and at most 1, got {use:g}."
        raise ParameterError(message)


def _positive(name: str, value: float) -> None:
    numbers: dict[str, Any] = {name: value}
    check_number("budget", 0.0, above=True, **numbers)


@dataclass(frozen=True)
class Clock:
    """Cycles a second in Hz, and what a reader should know of them."""

    rate: float
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, optics: Optics, rate: float | None) -> Clock:
        """Return the stated rate, or two readings a hertz of the narrowest receiver (Nyquist)."""
        if rate is not None:
            return cls(rate)
        widths = [b for b in optics.bandwidths if np.isfinite(b)]
        if widths:
            return cls(2.0 * min(widths))
        return cls(DEFAULT_RATE, (f"No detector says a rate: {DEFAULT_RATE:g} Hz is assumed.",))


def _absorb(rows: Sequence[Row], optics: Optics) -> None:
    """Give amplifiers the power that they add to the light."""
    for row in rows:
        if row.category == "amplifier" and optics.flows is not None:
            row.amount = -sum(optics.flows[0].absorbed(*ports) for ports in row.ports)


def _works(training: Training | Sequence[Work] | None) -> tuple[Work, ...]:
    if training is None:
        return ()
    return tuple(training) if isinstance(training, Sequence) else training.work()


def _per_cycle(optics: Optics, operations: float | None, bits_per_symbol: float) -> dict[str, float]:
    """Return what a cycle does: operations, and bits of every channel."""
    found = {}
    if operations is None and optics.inputs and optics.outputs:
        operations = 2.0 * optics.inputs * optics.outputs
    if operations is not None:
        found["operation"] = operations
    channels = optics.channels
    if channels:
        found["bit"] = channels * bits_per_symbol
    return found


def _of_light(optics: Optics, link: Mapping[str, Any], receiver: Mapping[str, Any]) -> dict[str, Constant]:
    """Return the constants that the needed light depends on: those stated, else the circuit's own."""
    found: dict[str, Constant] = {}
    own = optics.receiver
    for name in receiver:
        if name not in RECEIVER:
            message = f"receiver: there is no {name!r}. There are: {listing(RECEIVER)}."
            raise ParameterError(message + did_you_mean(name, RECEIVER))
    for name, unit in RECEIVER.items():
        if name in receiver:
            found[f"receiver.{name}"] = read_stated(receiver[name], f"receiver: {name}").of(unit, name)
        elif name in own:
            found[f"receiver.{name}"] = Constant(own[name], own[name], own[name], unit, "netlist")
        else:
            message = f"The circuit gives no {name} of a receiver: state it, as in receiver: {{{name}: ...}}."
            raise ParameterError(message)
    if link:
        for name, value in link.items():
            found[f"link.{name}"] = read_stated(value, f"link: {name}").of("dB", name)
        return found
    if optics.lost_dB is None or not np.isfinite(optics.lost_dB):
        message = "No light reaches a detector of the circuit: state the losses, as in link: {all: 20}."
        raise ParameterError(message)
    found["link.circuit"] = Constant(optics.lost_dB, optics.lost_dB, optics.lost_dB, "dB", "netlist")
    return found


def _check_light(costs: Costs, known: Mapping[str, Constant]) -> None:
    """Raise ParameterError for bits that no light gives."""
    if costs.bits is None:
        return
    if not any(row.category == "laser" for row in costs.rows):
        message = "bits decide the power of lasers, but the circuit has no light source."
        raise ParameterError(message)
    if not np.isfinite(costs.line_power({name: c.value for name, c in known.items()})):
        message = (
            f"No light up to 1 W gives {costs.bits:g} bits at {costs.rate:g} Hz: the lasers' intensity noise "
            "or the rate is too high."
        )
        raise ParameterError(message)


def _used(costs: Costs, known: Mapping[str, Constant]) -> dict[str, Constant]:
    """Return the constants that some quantity depends on; all others would only fill the table."""
    middle = {name: c.value for name, c in known.items()}
    base = costs.all(middle)
    found = {}
    for name, c in known.items():
        step = {**middle, name: c.value * 1.01 + (1e-3 if c.value == 0.0 else 0.0)}
        moved = costs.all(step)
        needed = any(not np.array_equal(moved[what], base[what], equal_nan=True) for what in base)
        if needed or name.startswith(("link.", "receiver.")):
            found[name] = c
    return {**{n: c for n, c in known.items() if n in found}} or {"none": Constant(0, 0, 0, "1", OURS)}


__all__ = ["Published", "budget"]

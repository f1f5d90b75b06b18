"""The light of a circuit whose budget is asked: its beams, where they go, what detectors make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import mode
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.budgets.costs import Stage
from photosim.analysis.budgets.light import Beam, Element, Flow, flows_of, way
from photosim.analysis.spectrum import check_waves, default_inputs
from photosim.bounds import is_number
from photosim.errors import ParameterError, listing
from photosim.model import ClosedForm
from photosim.signals import contributions, effective_bits
from photosim.signals.interference import InterferenceError
from photosim.signals.noise import intensity_density, shot_density, thermal_density
from photosim.signals.operating import UNBOUNDED, bare_point, refuse_beats

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point
    from photosim.signals import OperatingPoint
    from photosim.signals.operating import Receiver

MOST_PORTS = 600
"""Ports up to which all terms of the noise are taken, as `ps.link` has them."""
BESSEL_DELAY = 2.114
"""Delay of a Bessel low-pass of order 4 times 2 pi and its half-power frequency."""
RECEIVED = ("dark_current", "load_resistance", "temperature")


@dataclass(frozen=True)
class Heard:
    """A detector: its name, signal over noise in dB of electrical power, and effective bits; NaN: unknown."""

    name: str
    snr_dB: float
    bits: float


@dataclass(frozen=True)
class Optics:
    """Light of a circuit at its operating point.

    beams: lines that enter.  flows: waves at the beams' frequencies and a step above; None where the circuit
    has parts that act in time or in free space.  elements: parts on the way of the first line to where most
    of it arrives.  lost_dB: the largest loss from a line to the detector that wants it.  inputs, outputs:
    numbers of the matrix that the circuit is.  channels: outputs that carry data.
    """

    compiled: Compiled
    at: Point
    beams: tuple[Beam, ...] = ()
    flows: tuple[Flow, Flow] | None = None
    elements: tuple[Element, ...] = ()
    heard: tuple[Heard, ...] = ()
    lost_dB: float | None = None
    inputs: int = 0
    outputs: int = 0
    channels: int = 0
    bandwidths: tuple[float, ...] = ()
    receiver: Mapping[str, float] = field(default_factory=dict)
    behind: tuple[Stage, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What a signal passes: the converter before the light, parts on its way, the receiver."""
        if self.flows is None:
            return (Stage("light", np.nan),)  # not known, which is not none
        return (*self.behind[:1], *(Stage(e.name, e.delay) for e in self.elements), *self.behind[1:])


def optics_of(
    circuit: Circuit, settings: Mapping[str, Any], wl: float | None, start: str | None, end: str | None
) -> Optics:
    """Return the light of a circuit; ParameterError for ports that it does not have."""
    compiled, at = circuit.driven_at(settings)
    lit = circuit.sources and circuit.detectors and not circuit.graph.buses
    if not (lit or circuit.graph.buses or circuit.nonlinear or not circuit.ports):
        check_waves(circuit, starts=None if start is None else [start], ends=None if end is None else [end])
        return _between_ports(circuit, compiled, at, wl, start, end)
    given = {"wl": wl, "start (`from` in a netlist)": start, "end (`to` in a netlist)": end}
    unused = [name for name, value in given.items() if value is not None]
    if unused:
        message = (
            f"Circuit {circuit.name!r} {_why_lit(circuit)}, so its budget does not take {listing(unused)}."
        )
        raise ParameterError(message)
    if lit:
        return _lit(circuit, settings, compiled, at)
    if circuit.graph.buses:
        return _free_space(circuit, compiled, at)
    return Optics(compiled, at, remarks=(_UNKNOWN.format(circuit.name, "has parts that act in time"),))


def _why_lit(circuit: Circuit) -> str:
    """Return why a budget does not choose the light of a circuit, for a message."""
    if circuit.graph.buses:
        return "carries light in free space"
    if circuit.sources and circuit.detectors:
        return "has its own light"
    return "has nonlinear parts" if circuit.nonlinear else "has no optical ports"


_UNKNOWN = "Circuit {!r} {}: no losses, delays or noise by part."


def _free_space(circuit: Circuit, compiled: Compiled, at: Point) -> Optics:
    """Return what is known of a chain of free space: pixels shown and read, and the exposures a second."""
    own = {p.model.name: compiled.parts.settings_of(p, at) for p in circuit.graph.parts if p.model.parameters}
    camera = own.get("camera", {})
    shown = next((own[name] for name in ("dmd", "slm") if name in own), {})
    exposure = float(camera.get("exposure", 0.0))
    rates = (0.5 / exposure,) if exposure > 0.0 else ()  # a bandwidth that gives one reading an exposure
    return Optics(
        compiled, at, inputs=int(shown.get("pixels", 0)), outputs=int(camera.get("pixels", 0)),
        bandwidths=rates, remarks=(_UNKNOWN.format(circuit.name, "carries light in free space"),),
    )  # fmt: skip


def _between_ports(
    circuit: Circuit, compiled: Compiled, at: Point, wl: float | None, start: str | None, end: str | None
) -> Optics:
    """Return the light of a circuit between exposed ports: 1 W into the first input."""
    starts = default_inputs(circuit.ports)
    outs = [p for p in circuit.ports if p not in starts] or list(circuit.ports)
    first, last = start or starts[0], end
    beam = Beam(first, compiled.graph.exposed[first], _usual_wl(circuit) if wl is None else wl, 1.0)
    flows = flows_of(compiled, at, [beam])
    if last is None:
        powers = [abs(flows[0].leaving[0, compiled.graph.exposed[p]]) ** 2 for p in outs]
        last = outs[int(np.argmax(powers))]
    found = tuple(way(compiled, at, beam, flows, 0, compiled.graph.exposed[last]))
    leaves = f"leaves {last}"
    if flows[0].leaving[0, compiled.graph.exposed[last]] == 0.0:
        leaves = f"does not reach {'an output' if end is None else last} with these settings"
    remark = (
        f"Light of 1 W enters {first} at {beam.wl:g} um and {leaves}: the netlist has no light source "
        "with a detector, so lasers, modulators and receivers are not counted unless they are parts."
    )
    return Optics(
        compiled, at, (beam,), flows, found, inputs=len(starts), outputs=len(outs), channels=0,
        behind=(Stage("before", 0.0),), remarks=(remark,),
    )  # fmt: skip


def _usual_wl(circuit: Circuit) -> float:
    """Return the wavelength in um that most parts of a circuit are described about, or 1.55."""
    values = [v for name, v in circuit.parameters.items() if name.rpartition(".")[2] == "wl0"]
    return mode([float(v) for v in values if is_number(v) and np.isfinite(v)] or [1.55])


def _lit(circuit: Circuit, settings: Mapping[str, Any], compiled: Compiled, at: Point) -> Optics:
    """Return the light of a circuit from its own sources to its own detectors."""
    if circuit.nonlinear:
        return Optics(compiled, at, remarks=(_UNKNOWN.format(circuit.name, "has parts that act in time"),))
    point = bare_point(circuit, settings, bounded=False, timed=True)
    graph = compiled.graph
    beams = tuple(
        Beam(line.source, int(graph.partner[graph.port(*line.port.split(","))]), line.wl, line.power)
        for line in point.lines
    )
    flows = flows_of(compiled, at, beams)
    ports = [graph.port(*name.split(",")) for name in point.ports]
    arriving = np.abs(flows[0].arriving[:, ports]) ** 2
    wanted = [_wanted(point, arriving, k) for k in range(len(point.receivers))]
    losses = [
        -10.0 * np.log10(arriving[line, port] / beams[line].power)
        for line, port in wanted
        if arriving[line, port] > 0
    ]
    elements: list[Element] = []
    if wanted:
        line, port = wanted[0]
        elements = way(compiled, at, beams[line], flows, line, ports[port])
    heard, remarks = _heard(circuit, point, arriving)
    first = point.receivers[0]
    own = {name: float(getattr(first, name)) for name in RECEIVED}
    own["responsivity"] = float(np.abs(first.responsivity).max())
    own["rin_dB_Hz"] = max((float(line.rin_dB_Hz) for line in point.lines), default=-np.inf)
    rates = tuple(r.bandwidth for r in point.receivers if r.bandwidth < UNBOUNDED)
    modulators = [p for p in graph.parts if _is_modulator(p.model)]
    if not modulators:
        remarks = (*remarks, "The netlist has no modulators: what encodes the inputs is not counted.")
    return Optics(
        compiled, at, beams, flows, tuple(elements), heard, max(losses, default=None), len(beams),
        len(point.receivers), len(point.receivers), rates, own,
        _electronics(point, modulated=bool(modulators)), (*point.remarks, *remarks),
    )  # fmt: skip


def _is_modulator(model: Any) -> bool:
    return isinstance(model, ClosedForm) and "voltage" in (model.drives or {}).values()


def _wanted(point: OperatingPoint, arriving: Any, number: int) -> tuple[int, int]:
    """Return the strongest line at a receiver, and the number of the port where most of it arrives."""
    own = point.columns(number)
    line = int(arriving[:, own].sum(axis=1).argmax())
    return line, own.start + int(arriving[line, own].argmax())


def _electronics(point: OperatingPoint, *, modulated: bool) -> tuple[Stage, ...]:
    """Return the stages round the light: a converter before it, then the first receiver's chain."""
    receiver = point.receivers[0]
    found = [Stage("converter before", 0.0, "dac_cycles" if modulated else "")]
    converts = (False, *(stage.bits is not None for stage in receiver.chain.stages))
    works = (False, *(stage.work is not None for stage in receiver.chain.stages))
    for name, width, adc, work in zip(
        (receiver.name, *receiver.chain.names), receiver.low_passes, converts, works, strict=True
    ):
        delay = np.nan if work else BESSEL_DELAY / (2.0 * np.pi * width) if np.isfinite(width) else 0.0
        found.append(Stage(name, delay, "adc_cycles" if adc else ""))
    return tuple(found)


def _heard(
    circuit: Circuit, point: OperatingPoint, arriving: Any
) -> tuple[tuple[Heard, ...], tuple[str, ...]]:
    """Return what every detector makes of the light, with all terms of noise in small circuits.

    Where light of separate lasers interferes, signal and noise depend on its phases: they are not numbers,
    and a remark names the question that has the phases.
    """
    remarks: list[str] = []
    small = len(circuit.graph.owners) <= MOST_PORTS
    if not small:
        remarks.append(
            "Signal to noise with shot, thermal, intensity and amplifier noise; ps.link has all terms."
        )
    found = []
    for k, receiver in enumerate(point.receivers):
        why = _unknown(receiver)
        if why:
            remarks.append(f"The signal to noise of {receiver.name!r} is unknown: {why}.")
            found.append(Heard(receiver.name, np.nan, np.nan))
            continue
        try:
            refuse_beats(point, "the signal to noise of a budget", [k])
        except InterferenceError as error:
            remarks.append(f"The signal to noise of {receiver.name!r} is unknown. {error}")
            found.append(Heard(receiver.name, np.nan, np.nan))
            continue
        own = arriving[:, point.columns(k)].T * receiver.responsivity * receiver.multiplication
        signal = abs(float(own.sum(axis=0)[int(np.abs(arriving[:, point.columns(k)]).sum(axis=1).argmax())]))
        variance = sum(contributions(point, k).variances.values()) if small else _variance(point, k, own)
        ratio = signal / np.sqrt(variance) if variance > 0.0 else np.inf
        bits = float(effective_bits(ratio)) if ratio > 0.0 else -np.inf
        snr = float(20.0 * np.log10(ratio)) if ratio > 0.0 else -np.inf
        found.append(Heard(receiver.name, snr, bits))
    return tuple(found), tuple(remarks)


def _unknown(receiver: Receiver) -> str:
    """Return why the noise of a receiver is not a number here, or nothing."""
    if receiver.bandwidth >= UNBOUNDED:
        return "its bandwidth is 0, which stands for no low-pass at all, so its noise has no bound"
    if any(stage.work is not None for stage in receiver.chain.stages):
        return f"{listing(receiver.chain.names)} behind it work symbol by symbol, which ps.transient follows"
    return ""


def _variance(point: OperatingPoint, number: int, own: Any) -> float:
    """Return the variance in A^2 of shot, thermal, intensity and amplifier noise at a receiver."""
    receiver = point.receivers[number]
    band = receiver.noise_bandwidth
    dark = receiver.dark_current * receiver.multiplication * len(receiver.ports)
    charges = float(np.abs(own).sum()) + dark
    found = float(shot_density(charges, receiver.multiplication, receiver.excess)) * band
    if receiver.chain.virtual_ground:
        found += receiver.chain.amplifier_variance()
    else:
        found += float(thermal_density(receiver.temperature, receiver.load_resistance)) * band
    for line, current in zip(point.lines, own.sum(axis=0), strict=True):
        found += float(intensity_density(line.rin_dB_Hz)) * float(current) ** 2 * band
    return found

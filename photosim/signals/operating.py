"""The operating point of a circuit under its own light: its lines, its receivers, and what emits noise.

Every line of a source is one random process, wherever its light arrives: its noise reaches a detector over
all paths together, as the waves at the frequencies beside the line do. Lines differ from each other at
random.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import public
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.bindings import flat_settings
from photosim.errors import ParameterError, listing
from photosim.model import Detector, Electronic, Source, Stage
from photosim.signals.electronics import Chain, StageOf, chain_behind
from photosim.signals.emitters import Emitter, emits, emitters
from photosim.signals.filters import noise_bandwidth
from photosim.signals.saturation import detected_share, saturation_power

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.engine.graph import Graph, Part

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Values = Mapping[str, Mapping[str, Any]]


@public(types=False)
@dataclass(frozen=True)
class Line:
    """One line of a source: the `port` it leaves, wl in um, power in W, linewidth in Hz, and rin_dB_Hz."""

    source: str
    port: str
    wl: float
    power: float
    linewidth: float
    rin_dB_Hz: float

    @property
    def frequency(self) -> float:
        """Optical frequency in Hz."""
        return SPEED_OF_LIGHT_UM_S / self.wl


@public
@dataclass(frozen=True)
class Receiver:
    """A detector and the electronics behind it.

    responsivity: signed A/W of each port, (ports, lines).  multiplication, excess: of an avalanche detector.
    saturation: power in W at which the current of a port is limited.  low_passes: half-power frequencies in
    Hz of the detector and of the stages behind it.  name: of the detector.  dark_current: in A.
    load_resistance: in ohm.  temperature: in K.  chain: electronics behind the detector.
    """

    name: str
    ports: tuple[str, ...]
    responsivity: FloatArray
    multiplication: float
    excess: float
    dark_current: float
    load_resistance: float
    temperature: float
    saturation: float
    low_passes: tuple[float, ...]
    chain: Chain

    @property
    def bandwidth(self) -> float:
        """Half-power frequency in Hz of the narrowest of the low-passes."""
        return min(self.low_passes)

    @property
    def noise_bandwidth(self) -> float:
        """Noise bandwidth in Hz of all low-passes one after the other."""
        return noise_bandwidth(self.low_passes)


@public
@dataclass(frozen=True)
class OperatingPoint:
    """A circuit with given settings, lit by its own sources.

    lines: of the sources.  receivers: detectors with their electronics.  emitters: parts with spontaneous
    emission.  jitters: rms timing error in s of the electrically driven parts, by name.  remarks: sentences
    for the reader.
    """

    circuit: Circuit
    settings: Mapping[str, Any]
    lines: tuple[Line, ...]
    receivers: tuple[Receiver, ...]
    emitters: tuple[Emitter, ...]
    jitters: Mapping[str, float]
    remarks: tuple[str, ...] = ()

    @cached_property
    def ports(self) -> tuple[str, ...]:
        """All optical ports of all detectors, as waves."""
        return tuple(port for receiver in self.receivers for port in receiver.ports)

    def waves(self, outputs: tuple[str, ...], line: Line, offsets: FloatArray) -> ComplexArray:
        """Return the waves `outputs` per wave of the line's source, shape (F, outputs).

        offsets (F,): distance from the line in Hz, positive above it.
        """
        wl = SPEED_OF_LIGHT_UM_S / (line.frequency + offsets)
        return self.transfer(wl, outputs, (line.port,))[..., 0]

    def transfer(self, wl: FloatArray, outputs: tuple[str, ...], inputs: tuple[str, ...]) -> ComplexArray:
        """Return the waves `outputs` per waves `inputs`, (W, outputs, inputs), for wl (W,) in any order."""
        order = np.argsort(wl)
        values = np.empty((len(wl), len(outputs), len(inputs)), dtype=np.complex128)
        values[order] = self.circuit.transfer(wl[order], outputs, inputs, **self.settings)
        return values

    @cached_property
    def fields(self) -> ComplexArray:
        """Amplitude in sqrt(W) of each line at each port of a detector, shape (lines, ports)."""
        rows = [np.sqrt(line.power) * self.waves(self.ports, line, np.zeros(1))[0] for line in self.lines]
        return np.array(rows, dtype=np.complex128).reshape(len(self.lines), len(self.ports))

    @cached_property
    def arriving(self) -> FloatArray:
        """Power in W of each line at each port of a detector, shape (lines, ports)."""
        return np.asarray(np.abs(self.fields) ** 2)

    def powers(self, outputs: tuple[str, ...]) -> FloatArray:
        """Return the power in W of each line in each of the waves, shape (lines, outputs)."""
        rows = [line.power * np.abs(self.waves(outputs, line, np.zeros(1))[0]) ** 2 for line in self.lines]
        return np.array(rows).reshape(len(self.lines), len(outputs))

    def columns(self, number: int) -> slice:
        """Return the slice of a receiver's ports among all ports of all receivers."""
        first = sum(len(receiver.ports) for receiver in self.receivers[:number])
        return slice(first, first + len(self.receivers[number].ports))

    def wanted(self, number: int) -> tuple[int, str]:
        """Return the strongest line at a receiver, and the port where most of it arrives."""
        arriving = self.arriving[:, self.columns(number)]
        line = int(arriving.sum(axis=1).argmax())
        return line, self.receivers[number].ports[int(arriving[line].argmax())]

    def linear(self, number: int) -> NDArray[np.bool_]:
        """Return True for each port of a receiver below saturation, (ports,)."""
        total = self.arriving[:, self.columns(number)].sum(axis=0)
        return np.asarray(total <= self.receivers[number].saturation)

    def currents(self, number: int) -> FloatArray:
        """Return the signed mean currents in A that the lines give a receiver, (ports, lines)."""
        receiver = self.receivers[number]
        arriving = self.arriving[:, self.columns(number)].T
        share = detected_share(arriving.sum(axis=1, keepdims=True), receiver.saturation)
        return np.asarray(receiver.responsivity * arriving * share)

    def dark_current(self, number: int) -> float:
        """Return the dark current in A that flows out of a receiver; that of a balanced pair cancels."""
        receiver = self.receivers[number]
        signs = np.sign(receiver.responsivity.mean(axis=1))
        return float(signs.sum()) * receiver.dark_current * receiver.multiplication

    def mean_current(self, number: int) -> float:
        """Return the mean current in A of a receiver: lines, spontaneous emission, and dark current."""
        from photosim.signals.contributions import mean_emission_current

        light = float(self.currents(number).sum())
        return light + mean_emission_current(self, number) + self.dark_current(number)


@public
def operating_point(
    circuit: Circuit, settings: Mapping[str, Any], question: str = "a link"
) -> OperatingPoint:
    """Return the operating point of a circuit for the nested settings of a call.

    Converters that drive parts are evaluated first: a dac sets the voltage of its modulator.

    question: name of the analysis in messages.

    Raises ParameterError if the circuit has no source or no detector, if settings are a batch, and if light
    of separate lasers interferes at a detector.
    """
    from photosim.signals.violations import violations

    found = bare_point(circuit, settings)
    refuse_beats(found, question, range(len(found.receivers)))
    return replace(found, remarks=(*found.remarks, *violations(found)))


def refuse_beats(point: OperatingPoint, question: str, receivers: Iterable[int]) -> None:
    """Raise InterferenceError where light of separate lasers interferes at one of these receivers."""
    from photosim.signals.interference import Lit, refuse_interference

    lit = [
        Lit(r.name, r.bandwidth, r.responsivity, point.fields[:, point.columns(k)])
        for k, r in ((k, point.receivers[k]) for k in receivers)
    ]
    frequency = np.array([line.frequency for line in point.lines])
    refuse_interference(question, [line.source for line in point.lines], frequency, lit)


UNBOUNDED = 1e18
"""A bandwidth in Hz that is none, as detectors may have it at most."""


_ANY_WL = 1.55
"""Wavelength in um of responsivities in the dark, of which the signs alone count."""


def bare_point(
    circuit: Circuit, settings: Mapping[str, Any], *, bounded: bool = True, timed: bool = False,
    own: tuple[Line, ...] = (), dark: bool = False,
) -> OperatingPoint:  # fmt: skip
    """Return an operating point without the remarks of what lies outside a model's range.

    bounded: refuse noise without a low-pass.  timed: take stages of symbols.  own: lines of nonlinear lasers.
    dark: take a circuit without light too.
    """
    if not (circuit.sources or own or dark) or not circuit.detectors:
        missing = "light source" if not circuit.sources else "detector"
        message = f"Circuit {circuit.name!r} has no {missing}: a link needs a source and a detector."
        if circuit.nonlinear:
            message += f" Its nonlinear parts, {listing(circuit.nonlinear)}, act in time: use ps.transient."
        raise ParameterError(message)
    compiled, at = circuit.driven_at(settings)
    if at.leading:
        _refuse_batch(settings)
    graph = compiled.graph
    values = {part.name: compiled.parts.settings_of(part, at) for part in graph.parts if _in_link(part)}
    stage_of = _stages(graph, values)
    sources = [part.name for part in graph.parts if isinstance(part.model, Source)]
    detectors = [part.name for part in graph.parts if isinstance(part.model, Detector)]
    lines = (*(line for name in sources for line in _lines(graph.part(name), values[name])), *own)
    grid = np.array([line.wl for line in lines] or [_ANY_WL])
    if not bounded:
        values |= {n: {**values[n], "bandwidth": values[n]["bandwidth"] or UNBOUNDED} for n in detectors}
    receivers = tuple(_receiver(graph, name, values[name], grid, stage_of, timed=timed) for name in detectors)
    flat = flat_settings(settings) | {drive.name: drive.value for drive in at.drives}
    flat |= {read.name: at.settings[read.name] for read in compiled.electrics.reads}
    jitters = {drive.part: drive.stage.jitter for drive in at.drives}
    remarks = tuple(drive.remark() for drive in at.drives if drive.beyond)
    return OperatingPoint(circuit, flat, lines, receivers, emitters(graph, values), jitters, remarks)


def _refuse_batch(settings: Mapping[str, Any]) -> NoReturn:
    """Raise ParameterError for a point that stands for many circuits."""
    lists = [repr(name) for name, value in flat_settings(settings).items() if np.ndim(value)]
    what = lists[0] if lists else "a setting of the netlist"
    message = f"A link is one circuit at one point, but {what} is a list of values: give one value."
    raise ParameterError(message)


def _in_link(part: Part) -> bool:
    """Return whether a part emits, detects or shapes signals, so that a link needs its settings."""
    return emits(part) or isinstance(part.model, Source | Detector | Electronic)


def _stages(graph: Graph, values: Values) -> StageOf:
    def stage_of(name: str) -> Stage:
        model = graph.part(name).model
        if not isinstance(model, Electronic):
            message = f"Instance {name!r} is not an electronic part."
            raise ParameterError(message)
        return model.stage(**values[name])

    return stage_of


def _lines(part: Part, settings: Mapping[str, Any]) -> list[Line]:
    assert isinstance(part.model, Source)  # noqa: S101 - the caller chose by kind
    wavelengths, powers = part.model.lines(**settings)
    noise = (float(settings.get("linewidth", 0.0)), float(settings.get("rin_dB_Hz", -np.inf)))
    port = f"{part.name},{part.ports[0]}"
    return [
        Line(part.name, port, float(wl), float(power), *noise)
        for wl, power in zip(wavelengths, powers, strict=True)
    ]


def _receiver(
    graph: Graph, name: str, settings: Mapping[str, Any], wl: FloatArray, stage_of: StageOf, *, timed: bool
) -> Receiver:
    part = graph.part(name)
    if not isinstance(part.model, Detector):
        message = f"Instance {name!r} is not a detector."
        raise ParameterError(message)
    per_watt = part.model.responsivity(wl, **settings)
    chain = chain_behind(graph, (name, part.model.electrical[0]), stage_of, timed=timed)
    multiplication, excess = part.model.multiplication(**settings)
    return Receiver(
        name,
        tuple(f"{name},{port}" for port in part.ports),
        np.array([np.broadcast_to(per_watt.get(port, 0.0), wl.shape) for port in part.ports]),
        multiplication,
        excess,
        float(settings.get("dark_current", 0.0)),
        float(settings.get("load_resistance", np.inf)),
        float(settings.get("temperature", 0.0)),
        saturation_power(settings),
        (_bandwidth(name, settings), *(stage.bandwidth for stage in chain.stages)),
        chain,
    )


def _bandwidth(name: str, settings: Mapping[str, Any]) -> float:
    """Return the half-power frequency of a detector in Hz; ParameterError for 0, which has no noise."""
    if bandwidth := float(settings["bandwidth"]):
        return bandwidth
    message = (
        f"The bandwidth of detector {name!r} is 0, which stands for no low-pass at all: a link needs "
        "one, in Hz, or its noise has no bound."
    )
    raise ParameterError(message)

"""Carries light through a cut circuit in time: islands by convolution, elements by their steps, in order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.compiled import Planned, flat_settings
from photosim.errors import ParameterError
from photosim.guards import reached
from photosim.model import Block, Nonlinear
from photosim.planning import make_plan
from photosim.timedomain import band, light, stepping, waveforms
from photosim.timedomain import drives as driving
from photosim.timedomain.cut import (
    Cut,
    Element,
    detector_waves,
    finish,
    islands,
    nonlinear_element,
    source_waves,
)
from photosim.timedomain.electrical import wired
from photosim.timedomain.rational import FITTED, Fit, fit, passive
from photosim.waves import find_wave, wave_request

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

    ComplexArray = NDArray[np.complex128]

MOST_SAMPLES = 100_000_000
"""Longest simulation accepted: 1.6 GB for each wave."""
_FIT_SIZE = 512
"""Frequencies at which a loop's linear part is fitted."""
_FIT_ERROR = 1e-2
"""Largest error of a fit that is accepted."""


@dataclass
class _Run:
    """What is known while light is carried on: the wave on every injected and arriving wave so far."""

    drives: driving.Drives
    cut: Cut
    clock: stepping.Clock
    noisy: bool
    injected: dict[int, ComplexArray]
    names: dict[int, str]
    island: dict[int, int] = field(default_factory=dict)
    responses: dict[Any, band.Response] = field(default_factory=dict)
    states: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    fits: dict[str, float] = field(default_factory=dict)

    # --- linear islands -----------------------------------------------------------------------------

    def arriving(self, waves: Sequence[int], sources: Iterable[int] | None = None) -> dict[int, ComplexArray]:
        """Return the light (C, T) or (C, 1) on waves, of all known injected ones or of some."""
        known = list(self.injected if sources is None else sources)
        rows = len(self.clock.carriers)
        found: dict[int, ComplexArray] = {}
        for ends, starts in self._groups(waves, known):
            signals = {k: self.injected[w] for k, w in enumerate(starts)}
            columns = []
            for c in range(rows):
                own = {k: x[c] if np.any(x[c] != x[c, 0]) else x[c, :1] for k, x in signals.items()}
                own = {k: x for k, x in own.items() if x.size > 1 or x[0] != 0}
                if own:
                    response = self.response(tuple(ends), tuple(starts), c)
                    columns.append(band.convolve(response, own, len(ends), self.clock.samples))
                else:
                    columns.append([np.zeros(1, dtype=np.complex128)] * len(ends))
            for k, wave in enumerate(ends):
                found[wave] = np.array(np.broadcast_arrays(*(column[k] for column in columns)))
        return found

    def _groups(self, waves: Sequence[int], known: Sequence[int]) -> list[tuple[list[int], list[int]]]:
        """Return (waves asked for, injected waves that reach them), an island each."""
        by: dict[int, tuple[list[int], list[int]]] = {}
        for wave in dict.fromkeys(waves):
            by.setdefault(self.island[wave], ([], []))[0].append(wave)
        for wave in known:
            if self.island[wave] in by:
                by[self.island[wave]][1].append(wave)
        return [(ends, starts) for ends, starts in by.values() if starts]

    def response(self, ends: tuple[int, ...], starts: tuple[int, ...], carrier: int) -> band.Response:
        """Return the impulse responses between waves of one island, for a carrier by its number."""
        key = (ends, starts, carrier)
        if key not in self.responses:
            frequency = float(self.clock.carriers[carrier])
            where = self._where(starts)
            transfer = self._transfer(ends, starts)
            self.responses[key] = band.response(transfer, frequency, self.clock.sample_rate, where)
        return self.responses[key]

    def _transfer(self, ends: Sequence[int], starts: Sequence[int]) -> band.Transfer:
        inside = self.island[starts[0]]
        edges = {pair: v for pair, v in self.cut.edges.items() if self.island[pair[0]] == inside}
        request = wave_request(edges, ends, starts)
        planned = Planned(make_plan(request.edges, request.wanted), request)
        shape = (len(ends), len(starts))
        compiled, base = self.drives.compiled, self.drives.base
        return lambda wl: compiled.solve(planned, base, np.ascontiguousarray(wl), shape)

    def _where(self, waves: Iterable[int]) -> str:
        """Return words for the linear part behind injected waves."""
        return f"the linear part behind {self.names.get(next(iter(waves)), 'its input')}"

    # --- elements ------------------------------------------------------------------------------------

    def carry(self) -> None:
        """Compute all elements in their order."""
        for members in self.cut.order:
            group = [self.cut.elements[k] for k in members]
            loop = members[0] in self.cut.loops
            arriving = self.arriving([w for e in group for w in e.arrivals])
            if not loop and group[0].kind != "nonlinear":
                self.injected |= self._passed(group[0], arriving)
                continue
            parts = [self._stepped(element) for element in group]
            paths = self._feedback(group) if loop else []
            waves, states = stepping.run(parts, arriving, paths, self.clock)
            self.states |= states
            for wave, values in waves.items():
                if wave in self.cut.lit:
                    if not self.noisy and not loop:
                        for row in values:
                            band.check_band(
                                row, self.clock.sample_rate, f"the light out of {self.names[wave]!r}"
                            )
                    self.injected[wave] = values

    def _passed(self, element: Element, arriving: Mapping[int, ComplexArray]) -> dict[int, ComplexArray]:
        """Return what leaves a driven element that is no loop."""
        carriers = self.clock.carriers.tolist()
        if element.kind == "factor":
            rows = driving.factors(self.drives, element, carriers)
            return {
                element.departures[k]: rows[k] * arriving[wave]
                for k, wave in enumerate(element.arrivals)
                if wave in arriving and element.departures[k] in self.cut.lit
            }
        s = driving.matrices(self.drives, element, carriers)
        out: dict[int, ComplexArray] = {}
        for a, b in element.paths:
            wave = element.arrivals[a]
            if wave in arriving and element.departures[b] in self.cut.lit:
                out[element.departures[b]] = (
                    out.get(element.departures[b], 0) + s[:, :, b, a] * arriving[wave]
                )
        return out

    def _stepped(self, element: Element) -> stepping.Stepped:
        """Return an element ready to be stepped."""
        from photosim.kernels.stepping import gate

        carriers = self.clock.carriers.tolist()
        if element.kind != "nonlinear":
            if element.kind == "factor":
                rows = driving.factors(self.drives, element, carriers)
                matrix = np.zeros(
                    (len(carriers), max(r.shape[1] for r in rows), len(rows), len(rows)), complex
                )
                for k, row in enumerate(rows):
                    matrix[:, :, k, k] = row
            else:
                matrix = driving.matrices(self.drives, element, carriers)
            return stepping.Stepped(element, gate, stepping.gates(matrix), np.zeros(0))
        leaf = self.drives.compiled.graph.leaf(element.name)
        model = leaf.model
        assert isinstance(model, Nonlinear)  # noqa: S101 - of that kind
        constants = model.constants(self.drives.settings(leaf))
        memory, count = model.memory, len(carriers)
        per = [f"{name}[{c}]" for c in range(count) for name in memory.carrier_states]
        start = model.start_state(constants[:, 0], count)
        return stepping.Stepped(
            element, model.step, constants, start, (*memory.states, *per), memory.noise_size(count)
        )

    def _feedback(self, group: Sequence[Element]) -> list[stepping.Path]:
        """Return the rational fits of all linear ways between the elements of a loop."""
        departures = [d for e in group for d in e.departures if d in self.cut.lit]
        arrivals = [a for e in group for a in e.arrivals]
        pairs = [
            (a, d)
            for d in departures
            for a in arrivals
            if a in reached(self.cut.ahead, [d]) and self.island[a] == self.island[d]
        ]
        found: list[stepping.Path] = []
        for c in range(len(self.clock.carriers)):
            fits = [self._fit(a, d, c, alone=len(group) == 1) for a, d in pairs]
            if not self._active():
                rows = {wave: k for k, wave in enumerate(dict.fromkeys(a for a, _ in pairs))}
                columns = {wave: k for k, wave in enumerate(dict.fromkeys(d for _, d in pairs))}
                fits, _ = passive(fits, [(rows[a], columns[d]) for a, d in pairs], 2 * _FIT_SIZE)
            found += [stepping.Path(a, d, c, one) for (a, d), one in zip(pairs, fits, strict=True)]
        self._refuse_short(found, group)
        return found

    def _active(self) -> bool:
        return any(group.model.active for group in self.drives.compiled.parts.groups)

    def _fit(self, arrival: int, departure: int, carrier: int, *, alone: bool) -> Fit:
        """Return the fit of one way of a loop; ParameterError where it takes less than a sample."""
        transfer = self._transfer((arrival,), (departure,))
        frequency, rate = float(self.clock.carriers[carrier]), self.clock.sample_rate
        self.response((arrival,), (departure,), carrier)  # causal, and not without end
        size = _FIT_SIZE
        while size < 4 * self.response((arrival,), (departure,), carrier).memory:
            size *= 2
        s = np.asarray(transfer(band.grid(frequency, rate, size)))[:, 0, 0]
        first = np.unwrap(np.angle(s[: size // 8]))
        delay = max(0.0, float((first[0] - first[-1]) / (2 * np.pi * (size // 8 - 1) / size)))
        if alone and delay < 1:
            self._refuse_loop(self.names.get(departure, "a part"), delay)
        found = fit(s, 1 if alone else 0)
        way = f"{self.names.get(departure, departure)} to {self.names.get(arrival, arrival)}"
        if found.error > _FIT_ERROR:
            message = (
                f"The linear part from {way} cannot be followed step by step at {rate:g} Hz (a fit is off "
                f"by {found.error:.2g} within {FITTED * rate:g} Hz): take {4 * rate:g} Hz or more."
            )
            raise ParameterError(message)
        self.fits[way] = max(found.error, self.fits.get(way, 0.0))
        return found

    def _refuse_loop(self, name: str, delay: float) -> None:
        rate = self.clock.sample_rate
        wanted = (
            f"{math.ceil(1.5 * rate / delay / 1e9) * 1e9:g} Hz" if delay > 1e-3 else "one without that path"
        )
        message = (
            f"Light comes back to {name!r} after {delay / rate:.3g} s, less than a sample, {1 / rate:.3g} s: "
            f"take a sample rate of {wanted} or more, or quasi_static=True where its drive is slow enough."
        )
        raise ParameterError(message)

    def _refuse_short(self, paths: Sequence[stepping.Path], group: Sequence[Element]) -> None:
        """Raise ParameterError where a circle of ways takes no sample in all."""
        from graphlib import CycleError, TopologicalSorter

        waits: dict[str, set[str]] = {}
        into = {w: e.name for e in group for w in e.arrivals}
        out = {w: e.name for e in group for w in e.departures}
        for path in paths:
            if path.fit.delay == 0:
                waits.setdefault(into[path.to], set()).add(out[path.source])
        try:
            list(TopologicalSorter(waits).static_order())
        except CycleError as error:
            self._refuse_loop(str(error.args[1][0]), 0.5)


def transient(  # noqa: PLR0913 - keyword options of a question
    circuit: Circuit,
    duration: float,
    *,
    sample_rate: float,
    drive: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    wl: Any = None,
    probes: Sequence[str] | None = None,
    noise: bool = False,
    seed: int = 0,
    settle: float = 0.0,
    quasi_static: bool | None = None,
    budget: bool = False,
    **settings: Any,
) -> xarray.Dataset:
    """Return the waves of a circuit over `duration` seconds, sampled at `sample_rate` in Hz.

    drive: setting by dotted name to a waveform (`photosim.timedomain.waveforms`, an array of samples, or a
    mapping as netlists have it).  inputs: exposed port to a power in W over time, or to complex samples in
    sqrt(W), on the first carrier.  wl: carriers in um beside those of the sources.  probes: waves to keep,
    named as `Circuit.transfer` names them; by default what leaves the exposed ports.  noise: of light
    sources, nonlinear parts and detectors, drawn from `seed`.  settle: seconds to run before time 0, with
    everything held at its first value, for parts that start at rest.  quasi_static: whether a driven
    resonator follows its drive at once; None decides by its photon lifetime.  budget: also the energy into
    and out of every island.

    The result is a Dataset: wave (probe, carrier, time) in sqrt(W), current (detector, time) in A, drive
    (setting, time), state (state, time) of nonlinear parts; its attributes say how each drive was applied.
    Envelopes are those of exp(-i omega t). Raises ParameterError for a sample rate too low for a signal, and
    UnphysicalResult for a part whose S-matrix is not causal.
    """
    block = next((leaf for leaf in circuit.graph.leaves if isinstance(leaf.model, Block)), None)
    if block is not None:
        message = f"Instance {block.name!r} ({block.model.name}) is a part of free space: it has no time."
        raise ParameterError(message)
    samples, warm = _counts(duration, settle, sample_rate)
    time = (np.arange(samples + warm) - warm) / sample_rate
    drives = _drives(circuit, drive or {}, settings, time, warm)
    carriers = light.choose_carriers(drives, wl, sample_rate, lit_ports=bool(inputs))
    entering = light.port_light(inputs or {}, circuit.ports, len(carriers), time, warm)
    clock = stepping.Clock(samples + warm, sample_rate, carriers, seed if noise else None)
    run, how = _prepared(drives, clock, entering, quasi_static, time)
    graph = drives.compiled.graph
    run.carry()
    kept = list(circuit.ports if probes is None else probes)
    asked = [find_wave(graph, name, entering=False) for name in kept]
    ends = detector_waves(graph)
    arrived = run.arriving([*asked, *(w for waves in ends.values() for w in waves)])
    from photosim.timedomain.result import dataset

    return dataset(
        run, circuit.name, time, warm, dict(zip(kept, asked, strict=True)), arrived, how, budget=budget
    )


def _counts(duration: float, settle: float, sample_rate: float) -> tuple[int, int]:
    for name, value in (("duration", duration), ("sample rate", sample_rate)):
        if not (np.isfinite(value) and value > 0):
            message = f"The {name} of a simulation in time must be a positive number, got {value!r}."
            raise ParameterError(message)
    if not (np.isfinite(settle) and settle >= 0):
        message = f"The time to settle must be zero or more seconds, got {settle!r}."
        raise ParameterError(message)
    samples, warm = round(duration * sample_rate), round(settle * sample_rate)
    if not 2 <= samples + warm <= MOST_SAMPLES:
        message = (
            f"{duration + settle:g} s at {sample_rate:g} Hz are {samples + warm} samples: between 2 and "
            f"{MOST_SAMPLES} can be computed."
        )
        raise ParameterError(message)
    return samples, warm


def _drives(
    circuit: Circuit,
    drive: Mapping[str, Any],
    settings: Mapping[str, Any],
    time: NDArray[np.float64],
    warm: int,
) -> driving.Drives:
    """Return the settings at every sample; raises ParameterError for one that cannot be driven."""
    values = {name: light.sampled(given, time, warm) for name, given in drive.items()}
    rate = 1 / (time[1] - time[0])
    for name, value in values.items():
        if name in circuit.graph.structural:
            message = f"Setting {name!r} shapes the circuit and cannot be driven."
            raise ParameterError(message)
        bandwidth = _electrical_bandwidth(circuit, name, settings)
        if bandwidth is not None and bandwidth < 0.5 * rate:
            values[name] = waveforms.low_pass(value, bandwidth, rate)
        band.check_band(values[name], rate, f"the drive of {name!r}")
    drives = _at(circuit, settings, values, rate)
    extra = {name: value for name, value in wired(drives).items() if name not in values}
    if not extra:
        return drives
    still = {name: value for name, value in extra.items() if not np.ndim(value)}
    for name, value in extra.items():
        if np.ndim(value):
            bandwidth = _electrical_bandwidth(circuit, name, settings)
            slow = bandwidth is not None and bandwidth < 0.5 * rate
            values[name] = waveforms.low_pass(value, float(bandwidth or 0.0), rate) if slow else value
    return _at(circuit, {**settings, **still}, values, rate)


def _at(
    circuit: Circuit, settings: Mapping[str, Any], values: Mapping[str, NDArray[np.float64]], rate: float
) -> driving.Drives:
    """Return the settings at every sample for plain ones and driven ones."""
    compiled, base = circuit.at({**settings, **{name: float(value[0]) for name, value in values.items()}})
    if base.leading:
        message = (
            "A simulation in time is of one circuit: give each setting one value, and drive what changes."
        )
        raise ParameterError(message)
    _, full = circuit.at({**settings, **values})
    return driving.Drives(compiled, values, base, full, rate)


def _electrical_bandwidth(circuit: Circuit, name: str, settings: Mapping[str, Any]) -> float | None:
    """Return the bandwidth in Hz of the electrical input that a setting stands for; None for others."""
    owner, _, parameter = name.rpartition(".")
    place = circuit.graph.index.get(owner)
    if place is None:
        return None
    model = circuit.graph.leaves[place].model
    if parameter not in model.drives.values() or "bandwidth" not in model.parameters:
        return None
    own = f"{owner}.bandwidth"
    bandwidth = float(flat_settings(settings).get(own, circuit.parameters[own]))
    return bandwidth if bandwidth > 0 else None


def _prepared(
    drives: driving.Drives,
    clock: stepping.Clock,
    entering: Mapping[str, ComplexArray],
    quasi_static: bool | None,
    time: NDArray[np.float64],
) -> tuple[_Run, dict[str, str]]:
    """Return the cut circuit with the light that enters it, and how each driven part was treated."""
    graph = drives.compiled.graph
    edges = dict(drives.compiled.edges)
    carriers = clock.carriers.tolist()
    driven, how = driving.cut_driven(drives, edges, carriers, quasi_static)
    elements = [
        nonlinear_element(graph, leaf, noisy=clock.seed is not None)
        for leaf in graph.leaves
        if isinstance(leaf.model, Nonlinear)
    ]
    injected: dict[int, ComplexArray] = {}
    for name, wave in source_waves(graph).items():
        injected[wave] = light.source_light(drives, graph.leaf(name), clock.carriers, time, clock.seed)
    for port, values in entering.items():
        injected[graph.exposed[port]] = values
    cut = finish(graph, edges, [*elements, *driven], injected)
    names = {w: e.name for e in cut.elements for w in (*e.arrivals, *e.departures)}
    names |= {wave: name for name, wave in source_waves(graph).items()}
    names |= {graph.exposed[port]: f"port {port}" for port in entering}
    for element in cut.elements:
        if element.kind == "factor" and any(
            k in cut.loops for k, e in enumerate(cut.elements) if e is element
        ):
            how[element.name] = "step by step in its loop"
    run = _Run(drives, cut, clock, clock.seed is not None, injected, names)
    size = 2 * len(graph.partner)
    run.island = islands(edges, {*range(size), *injected, *(w for e in cut.elements for w in e.arrivals)})
    return run, how


def energy_waves(run: _Run) -> dict[int, tuple[list[int], list[int]]]:
    """Return for each island that light enters its injected waves and the waves in which light ends there."""
    ending: dict[int, tuple[list[int], list[int]]] = {}
    for wave in run.injected:
        ending.setdefault(run.island[wave], ([], []))[0].append(wave)
    onward = {a for a, _ in run.cut.edges}
    for wave, island in run.island.items():
        if island in ending and wave not in onward:
            ending[island][1].append(wave)
    return ending

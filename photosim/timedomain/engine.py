"""The question of a circuit in time: its settings at every sample, its light, the run, the answer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.engine.waves import find_wave
from photosim.errors import ParameterError, PhotosimWarning, listing
from photosim.memory import require_memory
from photosim.model import Block, Nonlinear
from photosim.timedomain import drives as driving
from photosim.timedomain import light, stepping
from photosim.timedomain.cut import (
    detector_waves,
    finish,
    islands,
    nonlinear_element,
    source_waves,
)
from photosim.timedomain.emission import emission_currents
from photosim.timedomain.history import History
from photosim.timedomain.loops import consistent
from photosim.timedomain.nets import Nets, is_electrical_only, split_drives
from photosim.timedomain.receivers import noise_before, refuse_jitter
from photosim.timedomain.result import dataset
from photosim.timedomain.rounds import cut_rounds
from photosim.timedomain.run import Run
from photosim.timedomain.settings import drives_at, read_drives
from photosim.timedomain.timeline import Timeline, unknown
from photosim.timedomain.waveform import MOST_FINE
from photosim.timedomain.waveforms import as_waveform

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.timedomain.inputs import Light

    ComplexArray = NDArray[np.complex128]

MOST_SAMPLES = 300_000_000
"""Longest simulation accepted: 4.8 GB for each wave."""
FINE_BYTES = 88
"""Bytes for each instant of the finer clock on which a waveform passes its filters; measured."""
LEAST_BYTES = 70
"""Bytes for each sample that the smallest circuit takes: one input, one wave, and what they are made from."""


@public
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
    energies: bool = False,
    **settings: Any,
) -> xarray.Dataset:
    """Return the waves of a circuit over `duration` seconds, sampled at `sample_rate` in Hz, as a Dataset.

    The Dataset has: wave (probe, carrier, time) in sqrt(W), current (detector, time) in A, drive (setting,
    time), state (state, time) of nonlinear parts. Its attributes say how each drive was applied. Envelopes
    are those of exp(-i omega t).

    drive: dotted name of a setting to a waveform (`photosim.timedomain.waveforms`), an array of samples, or a
    mapping as in netlists.  inputs: exposed port to {"power": w, "carrier": 1.55}, a power in W over time, or
    {"field": z, "carrier": 1.55}, complex samples in sqrt(W), or a list of them; a waveform alone is a power,
    and the carrier in um can be left out if there is only one.  wl: further carriers in um, beside those of
    sources and inputs.  probes: waves to return, named as for `Circuit.transfer`; by default those that leave
    the exposed ports.  noise: whether light sources, nonlinear parts, detectors and resistors have noise.
    seed: of the noise.  settle: seconds to run before time 0 with all drives at their first value, for parts
    that start at rest.  quasi_static: whether a driven resonator follows its drive at once; None decides by
    its photon lifetime.  energies: whether to return the energy into and out of every island too.  settings:
    settings by instance or dotted name.

    Raises ParameterError for a sample rate too low for a signal, and UnphysicalResult for a part whose
    S-matrix is not causal.

    >>> import numpy as np
    >>> import photosim as ps
    >>> step = {"power": np.where(np.arange(200) < 50, 0.0, 1e-3), "carrier": 1.551}
    >>> run = ps.transient(ps.load("add_drop_ring"), 2e-10, sample_rate=1e12, inputs={"in": step})
    >>> dict(run.sizes)
    {'probe': 4, 'carrier': 1, 'time': 200}
    >>> power = abs(run.wave.sel(probe="drop")[0]) ** 2
    >>> f"{float(power[-1]):.2e} W"
    '3.84e-05 W'
    """
    own = dict(locals())
    own.pop("settings")

    def run(corrections: Mapping[str, NDArray[np.float64]]) -> tuple[xarray.Dataset, Nets]:
        found = carried(**own, settings=settings, corrections=corrections)
        return found.data, found.nets

    return consistent(run, noisy=noise)


@dataclass(frozen=True)
class Carried:
    """A finished run: its Dataset and nets; of a circuit with light also its state and instants."""

    data: xarray.Dataset
    nets: Nets
    run: Run | None = None
    line: Timeline | None = None


def carried(  # noqa: PLR0913, PLR0915 - keyword options of a question, answered in order
    circuit: Circuit, duration: float, *, sample_rate: float, drive: Mapping[str, Any] | None,
    inputs: Mapping[str, Any] | None, wl: Any, probes: Sequence[str] | None, noise: bool, seed: int,
    settle: float, quasi_static: bool | None, energies: bool, settings: Mapping[str, Any],
    corrections: Mapping[str, NDArray[np.float64]],
) -> Carried:  # fmt: skip
    """Return a run as `transient` does, with its state, under corrections of currents of control loops."""
    if seed < 0:
        message = f"The seed of a simulation in time must be 0 or more, got {seed!r}."
        raise ParameterError(message)
    block = next((part for part in circuit.graph.parts if isinstance(part.model, Block)), None)
    if block is not None:
        message = (
            f"Instance {block.name!r} ({block.model.name}) is a free-space component, which ps.transient "
            "cannot simulate: use circuit.chain() for its light."
        )
        raise ParameterError(message)
    samples, warm = _counts(duration, settle, sample_rate)
    signals = 4 + len(drive or {}) + len(circuit.detectors) + len(circuit.ports if probes is None else probes)
    what = f"{samples + warm:,} samples of {signals} signals"
    fine = min(8 * (samples + warm), MOST_FINE) if drive or inputs else 0
    require_memory(
        max(16.0 * (samples + warm) * signals + FINE_BYTES * fine, LEAST_BYTES * float(samples + warm)),
        what,
        "make it shorter, or sample it more coarsely",
    )
    line = Timeline.of(sample_rate, samples, warm, islands=2 + len(drive or {}) + _dynamic(circuit))
    optical, waves = split_drives(circuit.graph, drive or {})
    circuit.compiled.electrics.refuse_driven(optical)
    own_seed = seed if noise else None
    drives, plain, nets = read_drives(circuit, (optical, waves), settings, line, corrections, own_seed)
    if nets.feedback is not None and inputs:
        message = (
            f"Light enters at {listing([repr(p) for p in inputs])}, but control loops ("
            f"{nets.feedback.loop.words}) follow the light of sources alone: take a laser."
        )
        raise ParameterError(message)
    if is_electrical_only(circuit.graph):
        _refuse_light(circuit, inputs, wl)
        return Carried(nets.alone(circuit.name), nets)
    lights = light.read_lights(inputs or {}, circuit.ports)
    carriers = light.choose_carriers(drives, wl, sample_rate, lights)
    if light.turns(drives, carriers, lights):
        # Light beside its carrier turned for ever before: parts that it beats in have settled at time 0.
        line, values = line.earlier(drives.values)
        drives = drives_at(circuit, plain, values, sample_rate)
    beside: dict[str, list[tuple[int, float, complex]]] = {}
    if noise:
        line, values = line.earlier(drives.values, noise_before(drives, line.warm))
        drives = drives_at(circuit, plain, values, sample_rate)
    entering = light.port_light(lights, carriers, line, beside)
    clock = stepping.Clock(line.total, sample_rate, carriers, own_seed)
    glow = emission_currents(circuit, drives, noise=noise)
    quiet = None
    if noise:
        refuse_jitter(drives)
        # Noise fills the band and beyond: what parts make there is seen in the same run without it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhotosimWarning)
            warnings.filterwarnings("default", "The steps of .* are short", PhotosimWarning)
            quiet = transient(
                circuit, duration, sample_rate=sample_rate, drive=drive, inputs=inputs, wl=wl, probes=(),
                settle=settle, quasi_static=quasi_static, **settings,
            )  # fmt: skip
    graph = drives.compiled.graph
    kept = list(circuit.ports if probes is None else probes)
    probed = [find_wave(graph, name, entering=False) for name in kept]
    run, how = _prepared(drives, clock, entering, quasi_static, (line.time, beside), probed)
    run.glow, run.settles = glow, settle > 0
    run.ends = _ends(lights, optical, entering, drives, line)
    run.carry()
    asked = [*probed, *(w for waves in detector_waves(graph).values() for w in waves)]
    arrived = run.arriving(asked)
    run.history.warn(run, line, asked)
    named = dict(zip(kept, probed, strict=True))
    nets.drives, nets.line = drives, line
    found = dataset(run, circuit.name, line, named, arrived, how, nets, energies=energies)
    if quiet is not None:
        found.attrs["beyond"] = quiet.attrs["beyond"]
    return Carried(found, nets, run, line)


def _refuse_light(circuit: Circuit, inputs: Any, wl: Any) -> None:
    """Raise ParameterError for light that is to enter a circuit of electronics alone."""
    for name, value in (("inputs", inputs), ("wl", wl)):
        if value is not None and (len(value) if isinstance(value, Mapping) else np.size(value)):
            message = f"Circuit {circuit.name!r} has electronics alone: leave out {name}, there is no light."
            raise ParameterError(message)


def _ends(
    lights: Mapping[str, Sequence[Light]],
    drive: Mapping[str, Any],
    entering: Mapping[str, ComplexArray],
    drives: driving.Drives,
    line: Timeline,
) -> dict[str, float]:
    """Return how right the end of each signal is that is a list of samples: nobody knows what follows it."""
    lists = {port: list(entering[port]) for port, own in lights.items() if any(one.listed for one in own)}
    lists |= {n: [drives.values[n]] for n, wave in drive.items() if as_waveform(wave).listed}
    return {name: max(unknown(row[line.kept]) for row in rows) for name, rows in lists.items()}


def _dynamic(circuit: Circuit) -> int:
    """Return the number of parts that light waits for beside driven ones: nonlinear parts."""
    return sum(isinstance(part.model, Nonlinear) for part in circuit.graph.parts)


def _counts(duration: float, settle: float, sample_rate: float) -> tuple[int, int]:
    for name, value in (("duration", duration), ("sample rate", sample_rate)):
        if not (np.isfinite(value) and value > 0):
            message = f"The {name} of a simulation in time must be a positive number, got {value!r}."
            raise ParameterError(message)
    if not (np.isfinite(settle) and settle >= 0):
        message = f"The time to settle must be zero or more seconds, got {settle!r}."
        raise ParameterError(message)
    if not (duration + settle) * sample_rate < np.iinfo(np.int64).max:
        message = f"{duration + settle:g} s at {sample_rate:g} Hz are more samples than can be counted."
        raise ParameterError(message)
    samples, warm = round(duration * sample_rate), round(settle * sample_rate)
    if not 2 <= samples + warm <= MOST_SAMPLES:
        message = (
            f"{duration + settle:g} s at {sample_rate:g} Hz are {samples + warm} samples: between 2 and "
            f"{MOST_SAMPLES} can be computed."
        )
        raise ParameterError(message)
    return samples, warm


def _prepared(
    drives: driving.Drives,
    clock: stepping.Clock,
    entering: Mapping[str, ComplexArray],
    quasi_static: bool | None,
    when: tuple[NDArray[np.float64], Mapping[str, Sequence[tuple[int, float, complex]]]],
    probed: Sequence[int],
) -> tuple[Run, dict[str, str]]:
    """Return the cut circuit with the light that enters it, and how each driven part was treated.

    when: all instants, and the lines that each port had before.
    """
    graph, (time, lines) = drives.compiled.graph, when
    past = History.of(clock.sample_rate, len(clock.carriers))
    edges = dict(drives.compiled.edges)
    carriers = clock.carriers.tolist()
    injected: dict[int, ComplexArray] = {}
    for name, wave in source_waves(graph).items():
        injected[wave] = light.source_light(drives, graph.part(name), clock, time, partial(past.add, wave))
    for port, values in entering.items():
        injected[graph.exposed[port]] = values
        for one in lines[port]:
            past.add(graph.exposed[port], *one)
    beside = light.places(drives, clock, list(injected.values()))
    driven, how = driving.cut_driven(drives, edges, carriers, beside, quasi_static)
    elements = [
        nonlinear_element(graph, part, noisy=clock.seed is not None)
        for part in graph.parts
        if isinstance(part.model, Nonlinear)
    ]
    cuts, least = cut_rounds(drives, edges, clock.carriers)
    cut = finish(graph, edges, [*elements, *driving.with_probes(driven, probed), *cuts], injected)
    names = {w: e.name for e in cut.elements for w in (*e.arrivals, *e.departures)}
    names |= {wave: name for name, wave in source_waves(graph).items()}
    names |= {graph.exposed[port]: f"port {port}" for port in entering}
    driving.note_loops(drives, cut, carriers, beside, how)
    run = Run(drives, cut, clock, clock.seed is not None, injected, names, past, least=least)
    size = 2 * len(graph.partner)
    run.island = islands(edges, {*range(size), *injected, *(w for e in cut.elements for w in e.arrivals)})
    return run, how

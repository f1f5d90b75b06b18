"""A circuit made ready to be streamed: carried over a first stretch, where everything about it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import owner
from photosim.errors import ParameterError
from photosim.model import Nonlinear
from photosim.timedomain import light
from photosim.timedomain.engine import carried
from photosim.timedomain.nets import is_electrical_only, split_drives
from photosim.timedomain.remembered import FORGOTTEN, drive_memory
from photosim.timedomain.settings import read_drives
from photosim.timedomain.stretches import Stretches
from photosim.timedomain.tape import Tape, common_cycle
from photosim.timedomain.timeline import Timeline
from photosim.timedomain.waveform import Waveform
from photosim.timedomain.waveforms import as_waveform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.timedomain.inputs import Light

    ComplexArray = NDArray[np.complex128]

FIRST, WHOLE = 1 << 17, 1 << 18
"""Samples of the first stretch, at least; and up to which a run is one stretch."""
MOST_FIRST = 1 << 20
"""Samples of a drive without symbols that may repeat later than the first stretch ends."""


def ready(  # noqa: PLR0913 - the question
    circuit: Circuit, samples: int, *, sample_rate: float, drive: Mapping[str, Any],
    inputs: Mapping[str, Any], wl: Any, noise: bool, seed: int, quasi_static: bool | None,
    settings: Mapping[str, Any], least: int = 0,
) -> Stretches:  # fmt: skip
    """Return a circuit with light, ready to be computed for any stretch of a run of so many samples.

    The arguments are those of `transient`; least: samples that the first stretch needs. Raises ParameterError
    for what would need all samples at once or a state without end.
    """
    optical, electrical = split_drives(circuit.graph, drive)
    circuit.compiled.electrics.refuse_driven(optical)
    waves = {name: as_waveform(value) for name, value in optical.items()}
    lights = light.read_lights(inputs, circuit.ports)
    cycle, entering = common_cycle(waves, sample_rate), _entering(lights)
    common_cycle(entering, sample_rate)
    if is_electrical_only(circuit.graph) or not circuit.detectors:
        message = (
            f"A streamed run counts what detectors see: circuit {circuit.name!r} needs light and a detector."
        )
        raise ParameterError(message)
    for part in circuit.graph.parts:
        if isinstance(part.model, Nonlinear):
            message = (
                f"A streamed run cannot have {part.name!r} ({part.model.name}), which is simulated step "
                "by step: use ps.transient for a shorter time."
            )
            raise ParameterError(message)
    first = max(FIRST, least, _unseen({**waves, **entering}, sample_rate))
    first = samples if samples <= max(first, WHOLE) else first
    found = carried(
        circuit, first / sample_rate, sample_rate=sample_rate, drive=drive, inputs=inputs, wl=wl, probes=(),
        noise=noise, seed=seed, settle=0.0, quasi_static=quasi_static, energies=False, settings=settings,
        corrections={},
    )  # fmt: skip
    run, line = found.run, found.line
    assert run is not None and line is not None  # noqa: PT018, S101 - the circuit has light
    if electrical or run.drives.compiled.electrics.present:
        message = "A streamed run cannot have electrical nets: use ps.transient for a shorter time."
        raise ParameterError(message)
    for name, wave in waves.items():
        if wave.cycle is not None and wave.cycle[0] > 0 and name not in run.drives.moving:
            message = (
                f"The drive of {name!r} does not move within its first {first:,} samples: begin it earlier."
            )
            raise ParameterError(message)
    compute = partial(_values, circuit, optical, settings, sample_rate, tuple(run.drives.moving))
    stop = samples + line.ahead
    memory = drive_memory(run.drives, waves)
    tape = Tape(compute, tuple(run.drives.moving), cycle, memory, stop, run.drives)
    exposed = circuit.graph.exposed
    ports = partial(_ports, lights, run.clock.carriers, sample_rate, exposed)
    made = Stretches(run, tape, -line.warm, stop, ports, frozenset(exposed[port] for port in lights))
    made.judge(-line.warm, first + line.ahead)
    return made


def _entering(lights: Mapping[str, Sequence[Light]]) -> dict[str, Waveform]:
    """Return the waveforms of light into exposed ports by name of the port; ParameterError for samples."""
    found = {}
    for port, own in lights.items():
        for number, one in enumerate(own):
            given = one.field if one.power is None else one.power
            if isinstance(given, np.ndarray) and given.ndim:
                found[port] = Waveform(np.asarray)  # a list of samples, which repeats never
            elif isinstance(given, Waveform):
                found[f"{port}" if not number else f"{port}, light {number}"] = given
    return found


def _unseen(waves: Mapping[str, Waveform], sample_rate: float) -> int:
    """Return the samples after which all values of waveforms have been seen, symbols aside."""
    most = 0
    for name, wave in waves.items():
        if wave.cycle is None or wave.cycle[0] == 0:
            continue
        count, rate, begin = wave.cycle
        count = count if wave.symbols is None else float(min(count, np.unique(wave.symbols[1]).size * 64))
        own = ceil((begin + count / rate) * sample_rate)
        if own > MOST_FIRST:
            message = (
                f"The signal at {name!r} repeats after {own:,} samples, a streamed run takes at most "
                f"{MOST_FIRST:,}: take a faster one, or a lower sample rate."
            )
            raise ParameterError(message)
        most = max(most, own)
    return most


def _values(
    circuit: Circuit, optical: Mapping[str, Any], settings: Mapping[str, Any], sample_rate: float,
    names: Sequence[str], begin: int, count: int,
) -> dict[str, NDArray[np.float64]]:  # fmt: skip
    """Return the settings that change (count,) from a sample on, having been held before it."""
    line = Timeline(sample_rate, count, begin=begin)
    drives, _, _ = read_drives(circuit, (optical, {}), settings, line, {})
    found = {}
    for name in names:
        if name in drives.values:
            found[name] = drives.values[name]
        else:  # nothing that drives it moves here
            instance, parameter = owner(name)
            value = drives.settings(drives.compiled.graph.part(instance))[parameter]
            found[name] = np.full(count, float(value))
    return found


def _ports(
    lights: Mapping[str, Sequence[Light]], carriers: NDArray[np.float64], sample_rate: float,
    exposed: Mapping[str, int], begin: int, end: int,
) -> dict[int, ComplexArray]:  # fmt: skip
    """Return the waves (C, end - begin) that enter at exposed ports, held before time 0."""
    memory = ceil(
        sum(FORGOTTEN * sample_rate / w.bandwidth for w in _entering(lights).values() if w.bandwidth)
    )
    first = max(0, begin - memory - 1)
    line = Timeline(sample_rate, end - first, begin=first)
    found = light.port_light(lights, carriers, line, {})
    held = max(0, first - begin)
    out = {}
    for port, wave in found.items():
        own = wave[:, begin - first :] if begin >= first else wave
        out[exposed[port]] = np.concatenate([np.repeat(own[:, :1], held, axis=1), own], axis=1)
    return out

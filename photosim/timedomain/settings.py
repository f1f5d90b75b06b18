"""Settings at every sample: waveforms, what converters and nets make of them, and what inputs feel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import owner
from photosim.engine.exclusions import why_fixed
from photosim.errors import ParameterError
from photosim.timedomain import drives as driving
from photosim.timedomain.content import moves
from photosim.timedomain.electrical import electrical_inputs, wired
from photosim.timedomain.nets import Nets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point
    from photosim.timedomain.timeline import Timeline
    from photosim.timedomain.waveform import Waveform


def read_drives(
    circuit: Circuit,
    drive: tuple[Mapping[str, Any], Mapping[str, Waveform]],
    settings: Mapping[str, Any],
    line: Timeline,
    corrections: Mapping[str, NDArray[np.float64]],
    seed: int | None = None,
) -> tuple[driving.Drives, Mapping[str, Any], Nets]:
    """Return the settings at every sample, the plain ones with those that converters hold still, and nets.

    drive: waveforms of optical settings, and of electrical sources.  seed: of the noise of nets, None for
    none. Raises ParameterError for a setting that cannot be driven.
    """
    rate, values, felt = line.sample_rate, {}, set()
    compiled, plain = circuit.at(settings)
    for name, wave in drive[0].items():
        if name in circuit.graph.structural:
            message = f"Setting {name!r} cannot be driven: it {why_fixed(circuit.graph, name)}."
            raise ParameterError(message)
        bandwidth = _electrical_bandwidth(compiled, plain, name)
        felt |= {name} if bandwidth is not None else set()
        values[name] = line.sampled(wave, f"the drive of {name!r}", behind=bandwidth)
    drives = drives_at(circuit, settings, values, rate)
    extra = {name: value for name, value in wired(drives).items() if name not in values}
    values |= {name: value for name, value in extra.items() if np.ndim(value)}
    held = {name: value for name, value in extra.items() if not np.ndim(value)}
    nets = Nets(drives_at(circuit, {**settings, **held}, values, rate) if extra else drives, line, drive[1])
    nets.corrections, nets.seed = corrections, seed
    extra |= {
        name: value if moves(value) else float(value[0])
        for name, value in nets.before().items()
        if name not in values
    }
    settings = {**settings, **{name: value for name, value in extra.items() if not np.ndim(value)}}
    values |= {name: value for name, value in extra.items() if np.ndim(value)}
    if extra:
        drives = drives_at(circuit, settings, values, rate)
    behind = electrical_inputs(drives, felt)
    values |= behind
    return drives_at(circuit, settings, values, rate) if behind else drives, settings, nets


def drives_at(
    circuit: Circuit, settings: Mapping[str, Any], values: Mapping[str, NDArray[np.float64]], rate: float
) -> driving.Drives:
    """Return the settings at every sample for plain ones and driven ones."""
    compiled, base = circuit.at({**settings, **{name: float(value[0]) for name, value in values.items()}})
    if base.leading:
        message = (
            "A simulation in time is of one circuit: give each setting one value, and drive what changes."
        )
        raise ParameterError(message)
    first = {name: float(value[0]) for name, value in values.items()}
    moving, lit = driving.changing(values), {}
    for name in [name for name in moving if owner(name)[0] in circuit.sources]:
        # A call takes one value for a setting of a source; over time its power may change.
        instance, parameter = owner(name)
        declared = replace(circuit.graph.part(instance).model.parameters[parameter], scalar=False)
        lit[name] = declared.read(moving.pop(name), f"instance {instance!r}")
    _, full = circuit.at({**settings, **first, **moving})
    if lit:
        full = compiled.point({**{name: full.settings[name] for name in full.set_directly}, **lit})
    return driving.Drives(compiled, values, base, full, rate)


def _electrical_bandwidth(compiled: Compiled, plain: Point, name: str) -> float | None:
    """Return the bandwidth in Hz of the electrical input that a setting stands for; None for others."""
    instance, _, parameter = name.rpartition(".")
    place = compiled.graph.index.get(instance)
    if place is None:
        return None
    part = compiled.graph.parts[place]
    if parameter not in part.model.drives.values():
        return None
    bandwidth = compiled.parts.settings_of(part, plain).get("bandwidth")
    return float(bandwidth) if bandwidth else None

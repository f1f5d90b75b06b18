"""What of a circuit is a device: where numbers enter, where they are read, and which settings are turned."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import read_names
from photosim.engine.vector import chosen_settings, leading, like
from photosim.engine.waves import find_wave
from photosim.errors import ParameterError, listing
from photosim.model import Source
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.bank.receivers import Lit
from photosim.training.devices.circuit.stages import Segments, Stage, lit_waves, nonlinear_stages, segments
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from photosim.circuit import Circuit

Values = Mapping[str, FloatArray]
"""Settings by dotted name, each of shape (T,): one number for each tile."""
Pull = Callable[[ComplexArray], dict[str, FloatArray]]
DEFAULT_WL = 1.55
PHASES = "*.phase"
"""What is turned unless settings are named."""
FAULTS = ("*.loss_dB", "*.loss_dB_cm", "*.crosstalk", "*.reflection")
"""Settings of what an ideal circuit does not do, all 0 there."""
_NOTHING = 1e-20
"""Power below which a port is not reached."""


@dataclass(frozen=True)
class Wiring:
    """Inputs, outputs and settings of a circuit, dotted names all.

    inputs: one name for each input; waves at ports, or sources, once for each of their lines.  at: number of
    each input's wavelength in wl (W,), in um.  sources: the waves that light comes from, one for each
    input.  detectors: those that are read, or none where ports are.  waves: the waves that are read, all
    ports of detectors one after the other.  parameters: the settings to turn.  drives: settings that the
    circuit's own converters drive.  stages: nonlinear parts in the order in which light passes them.
    """

    circuit: Circuit
    inputs: tuple[str, ...]
    sources: tuple[str, ...]
    at: tuple[int, ...]
    outputs: tuple[str, ...]
    detectors: tuple[str, ...]
    waves: tuple[str, ...]
    parameters: tuple[str, ...]
    wl: FloatArray
    powers: FloatArray | None
    drives: Mapping[str, Any]
    stages: tuple[Stage, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs and inputs."""
        return len(self.outputs), len(self.inputs)

    def transfer(self, values: Values) -> ComplexArray:
        """Return the fields (T, waves, inputs) that each input at amplitude 1 gives at each wave."""
        asked = tuple(dict.fromkeys(self.sources))
        found = self.circuit.transfer(self.wl, self.waves, asked, **{**self.drives, **values})
        return self._picked(found)

    def pullback(self, values: Values) -> tuple[ComplexArray, Pull]:
        """Return the fields of `transfer`, and what takes their cotangent to derivatives (T,) by setting."""
        asked = tuple(dict.fromkeys(self.sources))
        found, pull = self.circuit.pullback(
            self.wl, self.waves, asked, self.parameters, **{**self.drives, **values}
        )
        place = [asked.index(source) for source in self.sources]

        def back(cotangent: ComplexArray) -> dict[str, FloatArray]:
            whole = np.zeros(found.shape, dtype=np.complex128)
            whole = whole.reshape(-1, *found.shape[-3:])
            whole[:, list(self.at), :, place] = np.moveaxis(cotangent, -1, 0)
            slopes = pull(whole.reshape(found.shape))
            return {name: np.atleast_2d(own).sum(axis=-1) for name, own in slopes.items()}

        return self._picked(found), back

    def segments(self, values: Values) -> Segments:
        """Return the linear circuit between nonlinear parts at settings, with its way back."""
        ends = (self.waves, self.sources)
        return segments(self.circuit, self.wl, self.stages, ends, self.parameters, {**self.drives, **values})

    def _picked(self, found: ComplexArray) -> ComplexArray:
        asked = tuple(dict.fromkeys(self.sources))
        place = [asked.index(source) for source in self.sources]
        whole = found.reshape(-1, *found.shape[-3:])
        return np.ascontiguousarray(np.moveaxis(whole[:, list(self.at), :, place], 0, -1))

    def ideal(self) -> Wiring:
        """Return the wiring of the same circuit without losses, reflections and heat of neighbours.

        Lengths, couplings, dispersion and the steps of converters stay: they are the design's.
        """
        compiled = self.circuit.compiled
        named = [name for pattern in FAULTS for name in like(compiled, compiled.parameters, pattern)]
        faults = sorted(set(leading(compiled, named)) - set(self.parameters))
        return replace(self, drives={**self.drives, **dict.fromkeys(faults, 0.0)})

    def written(self, tiles: int = 1) -> dict[str, FloatArray]:
        """Return the settings as the netlist has them, (tiles,) each."""
        held = self.circuit.parameters
        return {name: np.full(tiles, float(held[name])) for name in self.parameters}


def wire(
    circuit: Circuit,
    inputs: Sequence[str] | str | None,
    outputs: Sequence[str] | str | None,
    parameters: Sequence[str] | str | None,
    wl: float | None,
) -> Wiring:
    """Return the wiring of a circuit; what is left out is found.

    inputs: exposed ports, waves "inst,port" or light sources; else ports called in..., or those that light
    from the first port does not reach, or the circuit's sources.  outputs: ports, waves or detectors; else
    ports called out..., or those reached, or the circuit's detectors.  parameters: dotted names with
    wildcards, "*.phase" unless given.  wl: in um; that of the phases unless given.
    """
    if any(part.model.name == "camera" for part in circuit.graph.parts):
        message = (
            f"Circuit {circuit.name!r} ends at a camera, behind free space: ScatteringMedium.from_circuit "
            "makes a device of it."
        )
        raise ParameterError(message)
    lit = Lit.of(circuit)
    wavelength = float(as_wavelengths([_wavelength(circuit) if wl is None else wl])[0])
    ins = _found_inputs(circuit, wavelength) if inputs is None else read_names("inputs", _listed(inputs))
    outs = (
        _found_outputs(circuit, ins, wavelength)
        if outputs is None
        else read_names("outputs", _listed(outputs))
    )
    lights = [name for name in ins if name in circuit.sources]
    if lights and len(lights) != len(ins):
        message = (
            f"Inputs are light sources or ports, not both: {listing(lights)} "
            f"{'is a source' if len(lights) == 1 else 'are sources'}."
        )
        raise ParameterError(message)
    read = [name for name in outs if name in circuit.detectors]
    if read and len(read) != len(outs):
        message = f"Outputs are detectors or ports, not both: {listing(read)} detect."
        raise ParameterError(message)
    waves = (
        [f"{name},{port}" for name in read for port in circuit.graph.part(name).ports] if read else list(outs)
    )
    grid, at, sources, names, powers = _lines(circuit, lit, lights, ins, wavelength)
    turned = _turned(circuit, parameters)
    found = Wiring(
        circuit, names, sources, at, tuple(outs), tuple(read), tuple(waves), turned, grid, powers, lit.drives,
        nonlinear_stages(circuit, sources),
    )  # fmt: skip
    (found.segments if found.stages else found.transfer)(
        {}
    )  # unknown ports and waves raise here, with the nearest name
    return found


def _turned(circuit: Circuit, parameters: Sequence[str] | str | None) -> tuple[str, ...]:
    """Return the settings that names and patterns mean, all phases of the circuit unless given."""
    if parameters is None:
        compiled = circuit.compiled
        return chosen_settings(compiled, [PHASES] if like(compiled, compiled.continuous, PHASES) else [])
    return chosen_settings(circuit.compiled, _listed(parameters))


def _listed(names: Sequence[str] | str) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names


def natural(name: str) -> list[tuple[int, str]]:
    """Sort in10 after in9."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]


def _wavelength(circuit: Circuit) -> float:
    """Return the wavelength at which phases are given, in um; that of the light without any; else 1.55."""
    for name, value in circuit.parameters.items():
        if name.endswith(".wl0") and isinstance(value, int | float):
            return float(value)
    lit = Lit.of(circuit)
    for source in circuit.sources:
        model = circuit.graph.part(source).model
        if isinstance(model, Source):
            return float(model.lines(**lit.settings_of(source))[0][0])
    return DEFAULT_WL


def _found_inputs(circuit: Circuit, wl: float) -> tuple[str, ...]:
    named = sorted((port for port in circuit.ports if port.startswith("in")), key=natural)
    if named:
        return tuple(named)
    if not circuit.ports:
        if circuit.sources:
            return circuit.sources
        message = f"Circuit {circuit.name!r} has no port and no light source where numbers could enter."
        raise ParameterError(message)
    reached = _reached(circuit, circuit.ports[0], wl)
    return tuple(port for port in circuit.ports if port not in reached or port == circuit.ports[0])


def _found_outputs(circuit: Circuit, inputs: Sequence[str], wl: float) -> tuple[str, ...]:
    if circuit.detectors:
        return tuple(sorted(circuit.detectors, key=natural))
    named = sorted((port for port in circuit.ports if port.startswith("out")), key=natural)
    if named:
        return tuple(named)
    start = next((port for port in inputs if port in circuit.ports), None)
    others = [port for port in circuit.ports if port not in inputs]
    found = [port for port in others if start is None or port in _reached(circuit, start, wl)]
    if not found:
        message = (
            f"Circuit {circuit.name!r} has no detector, and light from {listing(inputs)} reaches no port: "
            f"name outputs. Ports: {listing(circuit.ports) if circuit.ports else 'none'}."
        )
        raise ParameterError(message)
    if len(found) == len(circuit.ports) // 2 and all(re.fullmatch(r"o\d+", port) for port in circuit.ports):
        return tuple(sorted(found, key=natural, reverse=True))  # clockwise: the last one faces the first
    return tuple(found)


def _reached(circuit: Circuit, port: str, wl: float) -> set[str]:
    if circuit.nonlinear:  # by structure alone: no S-matrix leads through
        lit = lit_waves(circuit, [port])
        outward = {name: find_wave(circuit.graph, name, entering=False) for name in circuit.ports}
        return {name for name, wave in outward.items() if wave in lit}
    fields = circuit.transfer([wl], list(circuit.ports), [port])[..., 0, :, 0]
    passed = np.abs(fields.reshape(-1, len(circuit.ports))[0]) ** 2 > _NOTHING
    return {name for name, own in zip(circuit.ports, passed, strict=True) if own}


def _lines(
    circuit: Circuit, lit: Lit, lights: Sequence[str], inputs: Sequence[str], wl: float
) -> tuple[FloatArray, tuple[int, ...], tuple[str, ...], tuple[str, ...], FloatArray | None]:
    """Return wavelengths; of each input its wavelength, wave and name; and powers in W of sources."""
    if not lights:
        return np.array([wl]), (0,) * len(inputs), tuple(inputs), tuple(inputs), None
    waves, names, wavelengths, powers = [], [], [], []
    for light in lights:
        part = circuit.graph.part(light)
        assert isinstance(part.model, Source)  # noqa: S101 - so that types are known
        own, power = part.model.lines(**lit.settings_of(light))
        for k, (line, each) in enumerate(zip(own, power, strict=True)):
            waves.append(f"{light},{part.ports[0]}")
            names.append(light if len(own) == 1 else f"{light}[{k}]")
            wavelengths.append(float(line))
            powers.append(float(each))
    grid = np.unique(wavelengths)
    at = tuple(int(k) for k in np.searchsorted(grid, wavelengths))
    return grid, at, tuple(waves), tuple(names), np.array(powers)

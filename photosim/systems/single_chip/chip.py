"""The chip as its netlist has it: meshes, activations, receivers, and the light that they begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from photosim.circuit import Circuit
from photosim.errors import ParameterError, listing
from photosim.model import Netlist
from photosim.signals.filters import noise_bandwidth
from photosim.signals.noise import shot_density, thermal_density
from photosim.training.arrays import FloatArray
from photosim.training.devices.mesh.circuit import MESHES, find_mesh
from photosim.training.layers import Layer, Network, Parameters, Randomness, Trace
from photosim.training.layers.mesh import Any2D, MeshLayer
from photosim.training.layers.ring_activation import RingActivation

MODES = 6
NETLIST = "single_chip"


@dataclass(frozen=True)
class Faults:
    """What a fabricated chip differs by from its netlist, drawn for each chip: deviations of normal errors.

    coupling: of the power that each coupler passes over.  offset: of each shifter's phase in rad.
    """

    coupling: float = 0.02
    offset: float = 0.1


@dataclass(frozen=True)
class ReadMesh(MeshLayer):
    """A last mesh and receivers: outputs = gain (responsivity |fields|**2 + noise), drawn at every reading.

    per_watt: gain times responsivity.  variance, per_unit: of an output without light, and what light adds
    for each unit of the output.
    """

    per_watt: float = 1.0
    variance: float = 0.0
    per_unit: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)

    def forward(self, parameters: Parameters, x: Any2D, rng: Randomness = None) -> Trace:
        """Return readings (batch, outputs); pre are the fields at the detectors."""
        trace = super().forward(parameters, x, rng)
        read = self.per_watt * (trace.pre.real**2 + trace.pre.imag**2)
        spread = np.sqrt(self.variance + self.per_unit * read)
        outputs = read + spread * self.rng.standard_normal(read.shape)
        return Trace(x, trace.pre, outputs.astype(trace.pre.real.dtype), trace.memo)

    def derivative(self, trace: Trace) -> Any2D:
        """Return s such that s times dL/doutputs is the cotangent of the fields."""
        return np.asarray(2.0 * self.per_watt * trace.pre)


def _into(netlist: Netlist, mesh: str, port: str) -> str:
    """Return the wave that enters a port of a mesh, named where it leaves; ParameterError without one."""
    for wire in netlist.connections:
        ends = list(wire)
        if (mesh, port) in ends:
            return ",".join(ends[1 - ends.index((mesh, port))])
    message = f"Netlist {netlist.name!r} sends no light to {mesh},{port}: join a modulator or splitter to it."
    raise ParameterError(message)


@dataclass(frozen=True)
class Chip:
    """What a netlist says of a chip: its circuit, names of its parts, and light (modes,) in sqrt(W)."""

    circuit: Circuit
    meshes: tuple[str, ...]
    units: tuple[tuple[str, ...], ...]
    detectors: tuple[str, ...]
    light: FloatArray

    @classmethod
    def read(cls, netlist: str | Netlist = NETLIST) -> Chip:
        """Return the chip of a netlist; ParameterError unless it has what `layers` is made of.

        That is: a laser, meshes of six guides in the order of the netlist, behind each but the last six
        `ring_activation`, and six detectors. Modulators are open where light is taken.
        """
        circuit = Circuit(netlist)
        parts = circuit.graph.parts
        meshes = tuple(name for name, model in circuit.graph.composites.items() if model.name in MESHES)
        meshes = tuple(name for name in meshes if "." not in name)
        rings = [part.name for part in parts if part.model.name == "ring_activation"]
        units = tuple(tuple(rings[k : k + MODES]) for k in range(0, len(rings), MODES))
        detectors = tuple(circuit.detectors)
        sizes = [find_mesh(circuit, name).guides for name in meshes]
        if sizes != [MODES] * (len(units) + 1) or len(rings) % MODES or len(detectors) != MODES:
            held = listing([f"{name} of {size}" for name, size in zip(meshes, sizes, strict=True)])
            message = (
                f"Netlist {circuit.name!r} must have meshes of {MODES} guides, {MODES} ring_activation "
                f"behind each but the last and {MODES} detectors. It has "
                f"{f'mesh {held} guides' if meshes else 'no mesh'}, {len(rings)} ring_activation and "
                f"{len(detectors)} detectors."
            )
            raise ParameterError(message)
        if len(circuit.sources) != 1:
            message = f"Netlist {circuit.name!r} must have one laser, got {listing(circuit.sources)}."
            raise ParameterError(message)
        source = next(iter(circuit.sources))
        wl, power = (circuit.parameters[f"{source}.{name}"] for name in ("wl", "power"))
        waves = [_into(circuit.netlist, meshes[0], f"in{k}") for k in range(MODES)]
        found = circuit.transfer([wl], waves, [f"{source},o1"])[0, :, 0]
        return cls(circuit, meshes, units, detectors, np.sqrt(power) * np.abs(found))

    def layers(self, faults: Faults, seed: int, *, brightest: float = 20.0, outputs: int = MODES) -> Network:
        """Return the chip of a seed as a network: its errors drawn, its receivers' noise its own.

        brightest: output that all light of the inputs would give on one detector, the electronics' gain.
        """
        errors, noise = np.random.default_rng([2024, seed]).spawn(2)
        held = [find_mesh(self.circuit, name).drawn(faults.coupling, errors, offset=faults.offset)
                for name in self.meshes]  # fmt: skip
        layers: list[Layer] = []
        for mesh, names in zip(held[:-1], self.units, strict=True):
            layers += [MeshLayer(mesh, MODES, MODES), self._rings(names)]
        responsivity, dark, loaded, band = self._receiver()
        gain = brightest / (responsivity * float(np.sum(self.light**2)))
        variance = gain**2 * (shot_density(dark) + loaded) * band
        shot = gain * shot_density(1.0) * band
        last = ReadMesh(
            held[-1], MODES, outputs, "power", per_watt=gain * responsivity, variance=float(variance),
            per_unit=float(shot), rng=noise,
        )  # fmt: skip
        return Network((*layers, last))

    def layers_as_drawn(self) -> tuple[Layer, ...]:
        """Return the layers without errors of fabrication."""
        return self.layers(Faults(0.0, 0.0), 0).layers

    def _rings(self, names: tuple[str, ...]) -> RingActivation:
        """Return a layer of activations, which must be alike; ParameterError if they are not."""
        alike = {name: self._all(names, name) for name in
                 ("tap", "responsivity", "current_pi", "coupling", "loss_dB", "phase")}  # fmt: skip
        return RingActivation(
            MODES,
            slope=np.pi * alike["responsivity"] / alike["current_pi"],
            stays=float(np.sqrt(1.0 - alike["coupling"])),
            kept=float(10.0 ** (-alike["loss_dB"] / 20.0)),
            tap=alike["tap"],
            phase=alike["phase"],
        )

    def _receiver(self) -> tuple[float, float, float, float]:
        """Return responsivity, dark current, density of thermal noise and noise bandwidth."""
        names = ("responsivity", "dark_current", "temperature", "load_resistance", "bandwidth")
        own = {name: self._all(self.detectors, name) for name in names}
        heat = float(thermal_density(own["temperature"], own["load_resistance"]))
        return own["responsivity"], own["dark_current"], heat, noise_bandwidth((own["bandwidth"],))

    def _all(self, parts: tuple[str, ...], name: str) -> float:
        found = {float(self.circuit.parameters[f"{part}.{name}"]) for part in parts}
        if len(found) > 1:
            message = f"{listing(parts)} must have one {name!r}, got {listing(map(str, sorted(found)))}."
            raise ParameterError(message)
        return found.pop()

    def settings(self, network: Network, parameters: list[Parameters]) -> Mapping[str, Any]:
        """Return what the chip has learnt as a call of its circuit takes it."""
        found: dict[str, Any] = {}
        meshes, units = iter(self.meshes), iter(self.units)
        for layer, own in zip(network.layers, parameters, strict=True):
            if isinstance(layer, MeshLayer):
                named = replace(layer.hardware, name=next(meshes))
                found |= named.settings(layer.held(own))
            else:
                for k, part in enumerate(next(units)):
                    tap, phase = np.sin(own["split"][k]) ** 2, own["phase"][k]
                    found |= {f"{part}.tap": float(tap), f"{part}.phase": float(phase)}
        return found

"""Meshes without a known arrangement: the engine computes the matrix, and an inversion finds the phases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bounds import check_number
from photosim.display import Brief
from photosim.errors import ParameterError
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.circuit.device import CircuitDevice
from photosim.training.devices.circuit.passage import CircuitPassage
from photosim.training.devices.circuit.reading import readout
from photosim.training.devices.circuit.wiring import wire
from photosim.training.devices.mesh.decomposition import Change
from photosim.training.devices.mesh.mesh import Held, Mesh, MeshErrors, Numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photosim.circuit import Circuit


@dataclass(frozen=True)
class NamedPhases(Brief):
    """Phases in rad by the dotted names of their settings, values of shape (P,)."""

    names: tuple[str, ...]
    values: FloatArray

    def changed(self, change: Change) -> NamedPhases:
        """Return the phases after the same change to all of them."""
        return NamedPhases(self.names, change(self.values))


@dataclass(frozen=True)
class AnyMesh(Brief):
    """A circuit with phases and as many inputs as outputs, at one wavelength.

    device: the circuit, read as fields.  offsets: error of each phase in rad.  couplings: cross-coupled
    powers that differ from the netlist.  reason: why the circuit has no known arrangement.
    """

    device: CircuitDevice
    reason: str
    offsets: Mapping[str, float] = field(default_factory=dict)
    couplings: Mapping[str, float] = field(default_factory=dict)

    @property
    def circuit(self) -> Circuit:
        """The circuit."""
        return self.device.wiring.circuit

    @property
    def name(self) -> str:
        """The circuit's name."""
        return self.circuit.name

    @property
    def wl(self) -> float:
        """Wavelength in um."""
        return float(self.device.wiring.wl[0])

    @property
    def guides(self) -> int:
        """Number of inputs and of outputs."""
        return self.device.tile[0]

    def written(self) -> NamedPhases:
        """Return the phases that the netlist has."""
        names = self.device.parameters
        held = self.circuit.parameters
        return NamedPhases(names, np.array([float(held[name]) for name in names]))

    def programmed(self, target: Any) -> tuple[NamedPhases, float]:
        """Return phases for a matrix (n, n), found by inversion, and the scale of the circuit's matrix."""
        wiring = self.device.wiring
        driven = replace(wiring, drives={**wiring.drives, **self.couplings})
        held = replace(self.device, wiring=driven).program(target)
        found, names = held.settings(), self.device.parameters
        gain = 1.0 if held.programmed is None else float(held.programmed.gains[0])
        values = [float(found[name][0]) - self.offsets.get(name, 0.0) for name in names]
        return NamedPhases(names, np.array(values)), gain

    def matrix(self, phases: NamedPhases) -> ComplexArray:
        """Return the circuit's matrix (n, n), outputs by inputs, of phases set."""
        at = {name: np.array([value]) for name, value in self.settings(phases).items()}
        return np.asarray(self.device.wiring.transfer(at)[0])

    def drawn(self, coupling: float, rng: np.random.Generator, *, offset: float = 0.0) -> AnyMesh:
        """Return the mesh with random normal errors of the couplers and phases."""
        couplings = {
            name: float(np.clip(value + coupling * rng.standard_normal(), 0.0, 1.0))
            for name, value in self.circuit.parameters.items()
            if name.endswith(".coupling") and isinstance(value, int | float)
        }
        offsets = {name: offset * rng.standard_normal() for name in self.device.parameters if offset}
        return replace(self, couplings=couplings if coupling else {}, offsets=offsets)

    def settings(self, phases: NamedPhases) -> dict[str, float]:
        """Return phases, as they act, and couplings as a call of the circuit takes them."""
        pairs = zip(phases.names, phases.values, strict=True)
        turned = {name: float(value) + self.offsets.get(name, 0.0) for name, value in pairs}
        return {**self.couplings, **turned}


def any_mesh(
    circuit: Circuit,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    wl: float | None,
    reason: str,
) -> AnyMesh:
    """Return a circuit as a mesh that the engine computes; ParameterError if that is impossible.

    reason: why it is not a known arrangement.
    """
    wiring = wire(circuit, inputs, outputs, None, wl)
    rows, columns = wiring.shape
    plain = not (wiring.stages or wiring.detectors) and wiring.powers is None
    if not plain or rows != columns or rows < 2 or not wiring.parameters:
        message = (
            f"{reason} A mesh of any structure needs phases, and as many output ports as input ports: found "
            f"{columns} inputs, {rows} outputs and {len(wiring.parameters)} phases. Device.from_circuit "
            "takes any circuit."
        )
        raise ParameterError(message)
    return AnyMesh(CircuitDevice(wiring, readout(wiring, "fields", "fields")), reason)


@dataclass(frozen=True)
class EngineMesh(Mesh):
    """A mesh whose matrix and gradients the engine computes, with phases found by inversion.

    `Mesh.from_circuit` returns it for couplers and shifters without a known arrangement.
    """

    hardware: AnyMesh  # type: ignore[assignment]  # answers the same questions by named phases

    def __post_init__(self) -> None:
        """Raise ParameterError for a rate or power that is not positive."""
        check_number(self, 0.0, above=True, rate=self.rate, power=self.power)

    def with_errors(self, errors: MeshErrors, rng: np.random.Generator) -> EngineMesh:
        """Return another sample of the mesh with random couplers and new counters, nothing programmed yet."""
        hardware = self.hardware.drawn(errors.coupling, rng, offset=errors.offset)
        return replace(self, hardware=hardware, errors=errors, rng=rng, held=None, counters=Counter())

    def program(self, weights: Numbers, *, correct: bool = False) -> EngineMesh:
        """Return the mesh with `weights` (n, n) programmed, as if it had no random errors.

        correct: take the random errors into account.
        """
        target, n = np.array(weights), self.hardware.guides
        if target.shape != (n, n):
            message = f"Mesh {self.hardware.name!r} holds matrices ({n}, {n}), got shape {target.shape}."
            raise ParameterError(message)
        known = self.hardware if correct else replace(self.hardware, couplings={}, offsets={})
        phases, scale = known.programmed(target)
        return self._held(target, phases, scale)

    def with_phases(self, phases: NamedPhases) -> EngineMesh:  # type: ignore[override]  # by name
        """Return the mesh with these phases; its target is their matrix without random errors."""
        ideal = replace(self.hardware, couplings={}, offsets={}).matrix(phases)
        return self._held(ideal, phases, 1.0)

    def send(self, x: Numbers) -> CircuitPassage:  # type: ignore[override]  # its gradient is by name
        """Send fields x (batch, guides) through the phases held: `.outputs`, and `.gradient(cotangent)`."""
        wiring, readout = self.hardware.device.wiring, self.hardware.device.readout
        return CircuitPassage.of(wiring, readout, self.settings(), np.asarray(x))

    def explain(self, batch: int, dtype: Any = np.complex64) -> str:  # noqa: ARG002 - as Mesh has it
        """Return in a sentence how `send` takes a batch through the mesh, and why."""
        return f"engine: {self.hardware.reason} The engine makes its matrix, and BLAS does the batch."

    def settings(self) -> dict[str, Any]:
        """Return phases and couplings as a call of the circuit takes them: circuit(wl, **mesh.settings())."""
        held: Any = self.programmed.phases
        return dict(self.hardware.settings(held))

    def _held(self, target: Numbers, wanted: NamedPhases, scale: float) -> EngineMesh:
        missed: Any = wanted.changed(self._missed)
        held = Held(target, missed, self.hardware.matrix(missed), scale)
        return replace(self, held=held, counters=Counter())

"""Layers whose weights are the phases of a mesh, with detection after it (shen2017, hughes2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from photosim.bounds import is_number
from photosim.components.mesh_places import Arrangement
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.media.unitaries import haar
from photosim.reals import shown
from photosim.training.arrays import ComplexArray, RealArray
from photosim.training.devices.mesh.circuit import MeshCircuit, find_mesh
from photosim.training.devices.mesh.decomposition import MeshPhases, PairPhases, decompose, places_of
from photosim.training.devices.mesh.paths import MeshGradient, PairGradient
from photosim.training.devices.mesh.views import Fields
from photosim.training.layers import Parameters, Randomness, Trace
from photosim.training.layers.layer import UnitWise

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from photosim.circuit import Circuit

Detection = Literal["fields", "quadrature", "power", "amplitude"]
DETECTIONS: Mapping[str, str] = {
    "fields": "none: the light itself goes on, complex",
    "quadrature": "coherent: the part in phase with a local oscillator, Re z",
    "power": "square-law: |z|^2",
    "amplitude": "the root of what a square-law detector reads, |z|",
}
"""What a mesh layer may do with the light at its outputs."""
Any2D = NDArray[Any]
"""Real or complex, shape (batch, features)."""


@dataclass(frozen=True)
class MeshLayer:
    """Layer of a mesh: outputs = detected(gain * M x), M the matrix of the mesh; its phases are learnt.

    hardware: the mesh as its circuit has it, imperfections included: one mesh, or a pair with attenuators.
    inputs, outputs: guides used, from the first one; the others are dark or not used.  detection: a
    name of DETECTIONS.  gain: of amplitudes, by amplifiers ahead of detection.
    Inputs are real or complex amplitudes; arrays of parameters are `theta`, `phi` and `end`, those of a pair
    `v.theta`, ..., `theta` and `phi` of the attenuators, `u.theta`, .... Phases start so that the mesh is a
    unitary drawn evenly, attenuators open; in a butterfly, so that blocks cross an even share of power.
    Where the circuit's phases have converters, gradients are by the phases set, as if those had no steps
    (straight through, bengio2013). Left out: noise, converters of inputs and outputs.
    """

    hardware: MeshCircuit
    inputs: int
    outputs: int
    detection: Detection = "fields"
    gain: float = 1.0

    def __post_init__(self) -> None:
        """Raise ParameterError for more guides than the mesh has and for an unknown detection."""
        if not (1 <= self.inputs <= self.hardware.guides and 1 <= self.outputs <= self.hardware.guides):
            message = (
                f"Mesh {self.hardware.name!r} has {self.hardware.guides} guides: a layer cannot have "
                f"{self.inputs} inputs and {self.outputs} outputs."
            )
            raise ParameterError(message)
        if self.detection not in DETECTIONS:
            message = f"There is no detection {self.detection!r}. There are: {listing(DETECTIONS)}."
            raise ParameterError(message + did_you_mean(str(self.detection), DETECTIONS))

    @classmethod
    def of(
        cls,
        circuit: Circuit,
        name: str | None = None,
        *,
        inputs: int | None = None,
        outputs: int | None = None,
        detection: Detection = "fields",
        gain: float = 1.0,
    ) -> MeshLayer:
        """Return the layer of the mesh `name` of a circuit, by default its only one, with all guides."""
        hardware = find_mesh(circuit, name)
        n = hardware.guides
        return cls(
            hardware, n if inputs is None else inputs, n if outputs is None else outputs, detection, gain
        )

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape (outputs, inputs) of the matrix that the mesh makes."""
        return self.outputs, self.inputs

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw the phases of random unitaries, uniform over all unitaries."""
        n = self.hardware.guides
        if self.hardware.v is None:
            drawn: MeshPhases | PairPhases = _drawn(self.hardware.u.arrangement, n, rng)
        else:
            v, u = (_drawn(mesh.arrangement, n, rng) for mesh in (self.hardware.v, self.hardware.u))
            drawn = PairPhases(v, np.full(n, np.pi), np.zeros(n), u, 1.0)
        return {name: value.astype(dtype) for name, value in arrays_of(self.hardware.set_for(drawn)).items()}

    def phases(self, parameters: Parameters) -> MeshPhases | PairPhases:
        """Return parameters as phases to set in the mesh or pair."""
        return phases_of(self.hardware, parameters)

    def held(self, parameters: Parameters) -> MeshPhases | PairPhases:
        """Return the phases that drivers hold for these parameters, as the circuit's converters let them."""
        return self.hardware.held(self.phases(parameters))

    def matrix(self, parameters: Parameters) -> ComplexArray:
        """Return gain times the matrix (outputs, inputs) that the mesh makes of its phases."""
        whole = self.hardware.matrix(self.held(parameters))
        return np.asarray(self.gain * whole[: self.outputs, : self.inputs])

    def forward(
        self,
        parameters: Parameters,
        x: Any2D,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace for amplitudes x (batch, inputs) in sqrt(W); pre are the fields at the outputs."""
        single = next(iter(parameters.values())).dtype == np.float32
        fields = padded(x, self.hardware.guides, np.complex64 if single else np.complex128)
        passage = self.hardware.send(self.held(parameters), fields)
        pre: Any = passage.outputs[:, : self.outputs]
        if self.gain != 1.0:
            pre = pre * pre.real.dtype.type(self.gain)
        return Trace(x, pre, detected(pre, self.detection), passage)

    def derivative(self, trace: Trace) -> Any2D:
        """Return s, shape (batch, outputs), such that s * dL/doutputs is the cotangent of the fields."""
        match self.detection:
            case "power":
                return np.asarray(2.0 * trace.pre)
            case "amplitude":
                # A dark output has no phase; its amplitude is at a minimum, and slope 0 is a subgradient.
                return np.asarray(trace.pre / np.where(trace.outputs > 0.0, trace.outputs, 1.0))
            case _:
                return np.ones_like(trace.outputs)

    def gradient(self, trace: Trace, delta: Any2D, samples: int) -> Parameters:
        """Return the mean of the derivatives by the phases from the fields' cotangent (batch, outputs)."""
        found = trace.memo.gradient(self._cotangent(delta / samples))
        kind = trace.pre.real.dtype
        return {name: value.astype(kind) for name, value in arrays_of(found).items()}

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol: the trace holds the passage
        trace: Trace,
        delta: Any2D,
    ) -> Any2D:
        """Return the inputs' cotangent (batch, inputs), real if they were, through the transposed mesh."""
        found = trace.memo.back(self._cotangent(delta))[:, : self.inputs]
        return np.asarray(found if np.iscomplexobj(trace.inputs) else found.real)

    def _cotangent(self, delta: Any2D) -> Fields:
        return padded(self.gain * delta, self.hardware.guides, np.complex128)


def detected(fields: Fields, detection: Detection) -> Any2D:
    """Return what detectors make of fields."""
    match detection:
        case "quadrature":
            return np.ascontiguousarray(fields.real)
        case "power":
            return np.asarray(fields.real**2 + fields.imag**2)
        case "amplitude":
            return np.asarray(np.abs(fields))
        case _:
            return fields


def padded(x: Any2D, guides: int, dtype: DTypeLike) -> Fields:
    """Return x (batch, features) as fields of all guides, dark where x has none."""
    if x.shape[1] == guides:
        return np.ascontiguousarray(x, dtype=dtype)
    fields = np.zeros((len(x), guides), dtype)
    fields[:, : x.shape[1]] = x
    return fields


def arrays_of(phases: MeshPhases | PairPhases | MeshGradient | PairGradient) -> dict[str, RealArray]:
    """Return phases, or derivatives by them, as arrays by name."""
    if isinstance(phases, MeshPhases | MeshGradient):
        return {"theta": phases.theta, "phi": phases.phi, "end": phases.end}
    ends = {
        f"{side}.{name}": value
        for side, mesh in (("v", phases.v), ("u", phases.u))
        for name, value in arrays_of(mesh).items()
    }
    return {**ends, "theta": phases.theta, "phi": phases.phi}


def phases_of(hardware: MeshCircuit, arrays: Mapping[str, Any]) -> MeshPhases | PairPhases:
    """Return arrays by name as the phases of a mesh or pair, the inverse of arrays_of."""

    def one(prefix: str, arrangement: Arrangement) -> MeshPhases:
        return MeshPhases(arrangement, *(arrays[prefix + name] for name in ("theta", "phi", "end")))

    if hardware.v is None:
        return one("", hardware.u.arrangement)
    v, u = one("v.", hardware.v.arrangement), one("u.", hardware.u.arrangement)
    return PairPhases(v, arrays["theta"], arrays["phi"], u, 1.0)


def _drawn(arrangement: Arrangement, n: int, rng: np.random.Generator) -> MeshPhases:
    """Return the phases of a unitary drawn evenly; of a butterfly, blocks that divide power evenly."""
    if arrangement != "butterfly":
        return decompose(haar(n, rng), arrangement)
    count = len(places_of(arrangement, n))
    theta = 2.0 * np.arcsin(np.sqrt(rng.uniform(size=count)))
    return MeshPhases(arrangement, theta, *(rng.uniform(-np.pi, np.pi, size) for size in (count, n)))


@dataclass(frozen=True)
class SaturableAbsorber(UnitWise):
    """Saturable absorber as an activation: amplitudes a become a sqrt(T(a^2)) (by electronics in shen2017).

    Its transmission T solves intensity = ln(T/T0) / (2 (1 - T)), intensity in units of saturation.
    transmission: T0, of weak light.
    """

    transmission: float = 0.05

    def __post_init__(self) -> None:
        """Raise ParameterError for a transmission that is not between 0 and 1."""
        if not (is_number(self.transmission) and 0.0 < self.transmission < 1.0):
            message = f"transmission must lie between 0 and 1, got {shown(self.transmission)}."
            raise ParameterError(message)

    def forward(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace for amplitudes x, shape (batch, units)."""
        passed = bleached(x * x, self.transmission).astype(x.dtype)
        outputs = x * np.sqrt(passed)
        return Trace(x, outputs, outputs, passed)

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        trace: Trace,
        delta: RealArray,
    ) -> RealArray:
        """Return dL/dinputs from dL/doutputs, both of shape (batch, units)."""
        t, x = trace.memo, trace.inputs
        # d intensity/dT from the equation above.
        by_t = (0.5 / t + 0.5 * np.log(t / self.transmission) / (1.0 - t)) / (1.0 - t)
        return np.asarray(delta * (np.sqrt(t) + x * x / (np.sqrt(t) * by_t)))


def bleached(intensity: RealArray, weak: float) -> RealArray:
    """Return the transmission of a saturable absorber, `weak` for no light, at intensities of saturation.

    Newton's steps on u = -ln T, from no light, where the equation is convex: they end at rounding.
    """
    depth = np.full(intensity.shape, -np.log(weak), dtype=np.float64)
    most = -np.log(weak)
    for _ in range(60):
        t = np.exp(-depth)
        # f = (most - depth)/2 - intensity (1 - T), f' = -1/2 - intensity T.
        change = (0.5 * (most - depth) - intensity * (1.0 - t)) / (0.5 + intensity * t)
        depth = depth + change
        if np.abs(change).max(initial=0.0) < 1e-14:
            break
    return np.asarray(np.exp(-depth))

"""A mesh of interferometers as a device: a matrix times a vector of optical fields (shen2017)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import check_arguments, public
from photosim.bounds import check_number
from photosim.display import Brief, Shown, figure, plotting, properties
from photosim.errors import ParameterError
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.device import Energy, check_batch
from photosim.training.devices.mesh.circuit import MeshCircuit, find_mesh
from photosim.training.devices.mesh.decomposition import MeshPhases, PairPhases, decompose, decompose_pair
from photosim.training.devices.mesh.paths import PairPassage, Passage, explained

if TYPE_CHECKING:
    from photosim.circuit import Circuit

Numbers = NDArray[Any]
"""Real or complex numbers."""


@public
@dataclass(frozen=True)
class MeshErrors:
    """Random errors of the phases and couplings of a mesh.

    coupling: standard deviation of the power coupling of each coupler, constant for a device.  phase:
    standard deviation in rad of each phase, drawn again when the mesh is programmed (shen2017).  offset:
    standard deviation in rad of a fixed phase of each shifter, constant for a device.

    Errors of the design itself are settings of the circuit's mesh: losses, `bits`, `crosstalk`.
    """

    coupling: float = 0.0
    phase: float = 0.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError for a negative deviation."""
        check_number(self, 0.0, coupling=self.coupling, phase=self.phase, offset=self.offset)

    def missed(self, phases: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return the phases that result from the held ones, with noise drawn now."""
        if self.phase > 0.0:
            phases = phases + self.phase * rng.standard_normal(phases.shape)
        return phases


@dataclass(frozen=True)
class Held(Brief):
    """A programmed matrix.

    target: the matrix to hold, shape (outputs, inputs).  phases: as the heaters hold them.  transfer: of the
    circuit, shape (n, n), outputs by inputs.  scale: what a unit of transfer stands for in the target.
    """

    target: Numbers
    phases: MeshPhases | PairPhases
    transfer: ComplexArray
    scale: float


@public
@dataclass(frozen=True)
class Mesh(Shown):
    """A device that multiplies by a matrix with the interference of coherent fields.

    A vector enters as amplitudes, and the fields at the outputs are read coherently. A `clements_mesh`,
    `reck_mesh` or `diamond_mesh` holds unitary matrices of its size, a `butterfly_mesh` those that its phases
    can give, an `svd_mesh` any real or complex matrix up to its size, scaled to norm 1. For a real matrix,
    only the quadrature in phase with the light is read, so that products and matrix are real; for a complex
    one, both. The matrix includes the circuit's own couplers, losses, converters of phases (`bits`) and heat
    of neighbours (`crosstalk`); `program` can correct for them.

    hardware: the mesh in its circuit.  rate: vectors per s.  power: light in W of a vector.  errors:
    imperfections.  rng: draws the random numbers.  held: the programmed matrix, None for none.  counters:
    numbers of operations.  Left out: noise of the read-out, converters of inputs and outputs, drift, response
    time of the heaters.
    """

    hardware: MeshCircuit
    errors: MeshErrors = field(default_factory=MeshErrors)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    rate: float = 1e9
    power: float = 1e-3
    held: Held | None = None
    counters: Counter[str] = field(default_factory=Counter, compare=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for parts of another kind, and a rate or power that is not positive."""
        check_arguments(Mesh.__init__, vars(self))
        check_number(self, 0.0, above=True, rate=self.rate, power=self.power)

    @classmethod
    def from_circuit(
        cls,
        circuit: Circuit,
        name: str | None = None,
        wl: float | None = None,
        rate: float = 1e9,
        power: float = 1e-3,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> Mesh:
        """Return the mesh of a circuit as a device, nothing programmed yet and without errors.

        name: the instance that is a mesh component; by default the mesh is found from the connections of
        couplers and phase shifters between the circuit's ports. If they have no known arrangement, the engine
        computes the circuit and phases are found by inversion; `explain` gives the reason.  wl: wavelength in
        um, by default that of the phases (wl0).  rate: vectors per s.  power: light in W.  inputs, outputs:
        ports in the order of the guides, by default found.

        Raises ParameterError if there is no mesh, if couplers of a component reflect, and if rate or power
        are not positive.
        """
        try:
            hardware = find_mesh(circuit, name, wl, inputs=inputs, outputs=outputs)
        except ParameterError as error:
            if name is not None:
                raise
            from photosim.training.devices.mesh.engine_mesh import EngineMesh, any_mesh

            found: Any = any_mesh(circuit, inputs, outputs, wl, str(error))
            return EngineMesh(found, rate=rate, power=power)
        return cls(hardware, rate=rate, power=power)

    def with_errors(self, errors: MeshErrors, rng: np.random.Generator) -> Mesh:
        """Return another sample of the mesh with random couplers and new counters, nothing programmed yet."""
        hardware = self.hardware
        if errors.coupling or errors.offset:
            hardware = hardware.drawn(errors.coupling, rng, offset=errors.offset)
        return replace(self, hardware=hardware, errors=errors, rng=rng, held=None, counters=Counter())

    def program(self, weights: Numbers, *, correct: bool = False) -> Mesh:
        """Return the mesh with `weights` (outputs, inputs) programmed, as if it had no errors.

        correct: take the errors of the hardware into account, block by block, as far as the couplers can
        divide the power. The errors must be known, for example from a calibration.

        Raises ParameterError for a matrix that does not fit, is not finite, or, in a single mesh, is not
        unitary.
        """
        target, n = np.array(weights), self.hardware.guides
        if self.hardware.v is not None:
            pair = decompose_pair(target, n, self.hardware.u.arrangement)
            return self._hold(target, pair, pair.scale, correct=correct)
        if target.shape != (n, n):
            message = (
                f"Mesh {self.hardware.name!r} holds unitary matrices ({n}, {n}), got shape {target.shape}; "
                "an svd_mesh holds any matrix up to its size."
            )
            raise ParameterError(message)
        return self._hold(target, decompose(target, self.hardware.u.arrangement), 1.0, correct=correct)

    @property
    def programmed(self) -> Held:
        """The programmed matrix and phases; ParameterError if nothing is programmed yet."""
        if self.held is None:
            message = f"Mesh {self.hardware.name!r} holds no matrix yet: use what program(weights) returns."
            raise ParameterError(message)
        return self.held

    def matrix(self) -> Numbers:
        """Return the effective matrix (outputs, inputs), in the units of `weights`, real if they were."""
        held = self.programmed
        outputs, inputs = held.target.shape
        found = held.scale * held.transfer[:outputs, :inputs]
        return found if np.iscomplexobj(held.target) else np.asarray(found.real)

    def apply(self, x: Numbers, gain: Numbers | None = None) -> Numbers:
        """Return gain * (x @ matrix.T), shape (batch, outputs), for real or complex x (batch, inputs)."""
        matrix, x = self.matrix(), np.asarray(x)
        check_batch("The mesh", x, gain, matrix.shape)
        if np.iscomplexobj(x) and not np.iscomplexobj(matrix):
            message = "A mesh that holds a real matrix is read in phase only: x must be real."
            raise ParameterError(message)
        self.counters["samples"] += len(x)
        self.counters["cycles"] += len(x)  # the whole matrix acts at once
        product = x @ matrix.T
        return np.asarray(product if gain is None else gain * product)

    def send(self, x: Numbers) -> Passage | PairPassage:
        """Send fields x (batch, guides) through the mesh: `.outputs`, and `.gradient(cotangent)`.

        This is the circuit without the scale of a pair, in single precision if x is. `explain` says how it is
        computed. The gradient is by all phases, summed over the batch; the steps of converters count as if
        there were none.
        """
        return self.hardware.send(self.programmed.phases, x)

    def explain(self, batch: int, dtype: Any = np.complex64) -> str:
        """Return a sentence that says how `send` computes a batch of this size and type, and why."""
        return explained(self.hardware.guides, batch, dtype)

    def with_phases(self, phases: MeshPhases | PairPhases) -> Mesh:
        """Return the mesh with these phases programmed; its target is their matrix without errors."""
        return self._hold(phases.matrix(), phases, phases.scale if isinstance(phases, PairPhases) else 1.0)

    def settings(self) -> dict[str, Any]:
        """Return phases and couplings as settings of a circuit call: circuit(wl, **mesh.settings())."""
        return self.hardware.settings(self.programmed.phases)

    def html_blocks(self) -> Iterator[str]:
        """Yield the HTML that a notebook displays: the programmed matrix, if any, and a short description."""
        if self.held is not None:
            yield figure(plotting().matrix_map(self.matrix(), title=f"matrix held by {self.hardware.name}"))
        yield properties(
            f"Mesh {self.hardware.name!r}",
            {
                "guides": self.hardware.guides,
                "wavelength": f"{self.hardware.wl:.6g} um",
                "holds": "nothing yet" if self.held is None else " x ".join(map(str, self.held.target.shape)),
                "vectors a second": f"{self.rate:.4g}",
                "power of a vector": f"{1e3 * self.power:.4g} mW",
                "errors": str(self.errors),
            },
        )

    def energy(self) -> Energy:
        """Return the cycles and samples so far, their time at `rate`, and the energy of `power` in it."""
        seconds = self.counters["cycles"] / self.rate
        return Energy(self.counters["cycles"], self.counters["samples"], seconds, seconds * self.power)

    def _hold(
        self,
        target: Numbers,
        wanted: MeshPhases | PairPhases,
        scale: float,
        *,
        correct: bool = False,
    ) -> Mesh:
        setting = self.hardware.corrected(wanted) if correct else self.hardware.set_for(wanted)
        phases = self.hardware.held(setting).changed(self._missed)
        held = Held(target, phases, self.hardware.matrix(phases), scale)
        return replace(self, held=held, counters=Counter())

    def _missed(self, phases: FloatArray) -> FloatArray:
        return self.errors.missed(phases, self.rng)

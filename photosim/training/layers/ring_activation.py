"""Activation by rings as layers: tapped light detunes the ring that the rest passes (bandyopadhyay2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.training.layers import Parameters, Randomness, Trace
from photosim.training.layers.mesh import Any2D

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@public
@dataclass(frozen=True)
class RingActivation:
    """Ring activation at `units` guides: outputs = cos(split) t(phase - slope sin(split)**2 |z|**2) z.

    t(p) = (r - a exp(i p))/(1 - r a exp(i p)) is an all-pass ring, sin(split)**2 the part of the power that
    is tapped: the component `ring_activation` at rest. Arrays of parameters, (units,): `split` in rad, of a
    tunable tap, and `phase` in rad, of the ring's heater; both are learnt.

    slope: phase in rad per W of tapped light.  stays, kept: of the field, r at the coupler and a in a round
    trip.  tap, phase: what the units begin with, phases within `spread` of it.
    """

    units: int
    slope: float
    stays: float
    kept: float
    tap: float = 0.1
    phase: float = 0.0
    spread: float = 0.5

    def __post_init__(self) -> None:
        """Raise ParameterError for numbers out of bounds."""
        check_whole(self, 1, units=self.units)
        check_number(self, slope=self.slope, phase=self.phase)
        check_number(self, 0.0, 1.0, stays=self.stays, kept=self.kept, tap=self.tap)
        check_number(self, 0.0, spread=self.spread)

    @property
    def inputs(self) -> int:
        """Number of units."""
        return self.units

    @property
    def outputs(self) -> int:
        """Number of units."""
        return self.units

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape (units, 2) of a split and a phase each."""
        return self.units, 2

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Return splits of the tap, and phases drawn evenly within the spread."""
        drawn = rng.uniform(self.phase - self.spread, self.phase + self.spread, self.units)
        split = np.full(self.units, np.arcsin(np.sqrt(self.tap)))
        return {"split": split.astype(dtype), "phase": drawn.astype(dtype)}

    def forward(
        self,
        parameters: Parameters,
        x: Any2D,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace for fields x (batch, units) in sqrt(W); memo: powers, factors and slopes."""
        split = parameters["split"]
        power = x.real**2 + x.imag**2
        angle = parameters["phase"] - self.slope * np.sin(split) ** 2 * power
        turn = self.kept * np.exp(1j * angle)
        passed = (self.stays - turn) / (1.0 - self.stays * turn)
        slope = 1j * turn * (self.stays**2 - 1.0) / (1.0 - self.stays * turn) ** 2
        out: Any = (np.cos(split) * passed * x).astype(np.result_type(x.dtype, np.complex64))
        return Trace(x, out, out, (split, power, passed, slope))

    def derivative(self, trace: Trace) -> Any2D:
        """Return ones (batch, units): the cotangent of the fields behind the rings goes on as it is."""
        return np.ones_like(trace.outputs.real)

    def gradient(self, trace: Trace, delta: Any2D, samples: int) -> Parameters:
        """Return the mean derivatives by splits and phases from the outputs' cotangent (batch, units)."""
        split, power, passed, _ = trace.memo
        by_angle = self._by_angle(trace, delta)
        direct = np.real(np.conj(delta) * -np.sin(split) * passed * trace.inputs)
        by_split = direct - by_angle * self.slope * np.sin(2.0 * split) * power
        found = {"split": by_split, "phase": by_angle}
        return {name: (own.sum(axis=0) / samples).astype(split.dtype) for name, own in found.items()}

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol: the trace holds the ring's factor
        trace: Trace,
        delta: Any2D,
    ) -> Any2D:
        """Return the inputs' cotangent (batch, units): through the ring, and through the light tapped."""
        split, _, passed, _ = trace.memo
        tapped = self.slope * np.sin(split) ** 2
        through = np.conj(np.cos(split) * passed) * delta
        return np.asarray(through - 2.0 * tapped * self._by_angle(trace, delta) * trace.inputs)

    def _by_angle(self, trace: Trace, delta: Any2D) -> Any2D:
        """Return the derivative by the phase of each round trip (batch, units)."""
        split, _, _, slope = trace.memo
        return np.asarray(np.real(np.conj(delta) * np.cos(split) * slope * trace.inputs))

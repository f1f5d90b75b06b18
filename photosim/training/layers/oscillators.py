"""Layers of coupled nonlinear oscillators, as in the code of physics-aware training (wright2022)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.layers.layer import Parameters, Randomness, Trace

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@public
@dataclass(frozen=True)
class Oscillators:
    """Layer of coupled oscillators that start at rest at the inputs and are read after a fixed time.

    q'' = -sin(k q_i) + sum_j J_ij (sin(k q_j) - sin(k q_i)) + e_i, by the fourth-order method of Runge and
    Kutta. The first units start at the inputs, the others at 0. The outputs are the positions of the last
    `outputs` units, times a factor if `scaled`. Parameters: `weights` C (units, units), with J = (C + C^T)/2;
    `drive` e (units,); `factor` (1,).

    step, steps: time step and number of steps.  stiffness: k.  gap: fixed symmetric couplings of the hardware
    in addition to J, (units, units), None for none.  noise: standard deviation of the start positions, drawn
    from rng in every pass.
    """

    inputs: int
    units: int
    outputs: int
    scaled: bool = False
    step: float = 0.1
    steps: int = 5
    stiffness: float = 1.0
    gap: FloatArray | None = None
    noise: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for sizes that do not fit and numbers out of bounds."""
        check_whole(self, 1, inputs=self.inputs, units=self.units, outputs=self.outputs, steps=self.steps)
        check_number(self, 0.0, step=self.step, noise=self.noise, stiffness=self.stiffness)
        if max(self.inputs, self.outputs) > self.units:
            message = f"{self.units} oscillators cannot have {self.inputs} inputs and {self.outputs} outputs."
            raise ParameterError(message)

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of the couplings."""
        return self.units, self.units

    def drawn(self, coupling: float, stiffness: float, noise: float, rng: np.random.Generator) -> Oscillators:
        """Return hardware that differs from this: couplings off by normal errors, drawn once."""
        off = coupling * rng.standard_normal((self.units, self.units))
        gap = (off + off.T) / 2.0
        return replace(self, gap=gap, stiffness=self.stiffness * stiffness, noise=noise, rng=rng)

    def ideal(self) -> Oscillators:
        """Return the oscillators of the equation with k = 1, without gap and noise."""
        return replace(self, gap=None, stiffness=1.0, noise=0.0)

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw couplings of deviation 1/units, no drive, and a factor of 10."""
        found = {
            "weights": rng.standard_normal((self.units, self.units)) / self.units,
            "drive": np.zeros(self.units),
        }
        if self.scaled:
            found["factor"] = np.array([10.0])
        return {name: value.astype(dtype) for name, value in found.items()}

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace for x (batch, inputs): outputs are the last units' positions, times the factor.

        memo: positions at every step.
        """
        q = np.zeros((len(x), self.units), dtype=x.dtype)
        q[:, : self.inputs] = x
        if self.noise:
            q += (self.noise * self.rng.standard_normal(q.shape)).astype(q.dtype)
        v = np.zeros_like(q)
        coupling, met = self._couplings(parameters), []
        h, drive = self.step, parameters["drive"]
        for _ in range(self.steps):
            a1 = self._force(q, coupling, drive)
            q2, v2 = q + h / 2 * v, v + h / 2 * a1
            a2 = self._force(q2, coupling, drive)
            q3, v3 = q + h / 2 * v2, v + h / 2 * a2
            a3 = self._force(q3, coupling, drive)
            q4, v4 = q + h * v3, v + h * a3
            a4 = self._force(q4, coupling, drive)
            met.append((q, q2, q3, q4))
            q, v = q + h / 6 * (v + 2 * v2 + 2 * v3 + v4), v + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        read = q[:, -self.outputs :]
        out = read * parameters["factor"] if self.scaled else read.copy()
        return Trace(x, out, out, (parameters, coupling, met, read))

    def derivative(self, trace: Trace) -> RealArray:
        """Return ones (batch, outputs): nothing follows the oscillators."""
        return np.ones_like(trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the mean derivatives by couplings, drives and factor from the outputs' (batch, outputs)."""
        _, by_coupling, by_drive = self._reversed(trace, delta)
        found = {"weights": (by_coupling + by_coupling.T) / 2.0, "drive": by_drive}
        if self.scaled:
            found["factor"] = np.array([np.sum(delta * trace.memo[3])])
        return {name: (value / samples).astype(delta.dtype) for name, value in found.items()}

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol: the trace holds them
        trace: Trace,
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs (batch, inputs)."""
        return np.asarray(self._reversed(trace, delta)[0][:, : self.inputs])

    def _couplings(self, parameters: Parameters) -> RealArray:
        own = (parameters["weights"] + parameters["weights"].T) / 2.0
        return own if self.gap is None else np.asarray((own + self.gap).astype(own.dtype))

    def _force(self, q: RealArray, coupling: RealArray, drive: RealArray) -> RealArray:
        s = np.sin(self.stiffness * q)
        return np.asarray(s @ coupling - s * (1.0 + coupling.sum(axis=1)) + drive)

    def _reversed(self, trace: Trace, delta: RealArray) -> tuple[RealArray, Any, Any]:
        """Return derivatives by the starts (batch, units), by J and by e, through the steps backwards."""
        parameters, coupling, met, _ = trace.memo
        h, k = self.step, self.stiffness
        by_q = np.zeros((len(delta), self.units), dtype=delta.dtype)
        by_q[:, -self.outputs :] = delta * parameters["factor"] if self.scaled else delta
        by_v = np.zeros_like(by_q)
        by_coupling, by_drive = np.zeros(coupling.shape), np.zeros(self.units)
        row = 1.0 + coupling.sum(axis=1)

        def through(q: RealArray, force: RealArray) -> RealArray:
            """Add what a force's derivative says of J and e; return what it says of the places."""
            nonlocal by_coupling, by_drive
            s = np.sin(k * q)
            by_coupling += force.T @ s - (force * s).sum(axis=0)[:, np.newaxis]
            by_drive += force.sum(axis=0)
            return np.asarray((force @ coupling - force * row) * k * np.cos(k * q))

        for q, q2, q3, q4 in reversed(met):
            # d/dv_n and d/da_n of the four stages, last first.
            v4, a4 = h / 6 * by_q, h / 6 * by_v
            p4 = through(q4, a4)
            v3, a3 = h / 3 * by_q + h * p4, h / 3 * by_v + h * v4
            p3 = through(q3, a3)
            v2, a2 = h / 3 * by_q + h / 2 * p3, h / 3 * by_v + h / 2 * v3
            p2 = through(q2, a2)
            v1, a1 = h / 6 * by_q + h / 2 * p2, h / 6 * by_v + h / 2 * v2
            p1 = through(q, a1)
            by_q, by_v = by_q + p1 + p2 + p3 + p4, by_v + v1 + v2 + v3 + v4
        return by_q, by_coupling, by_drive

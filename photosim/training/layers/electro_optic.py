"""Electro-optic activation as layers: light that modulates itself, after a mesh (williamson2020)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number
from photosim.training.arrays import RealArray
from photosim.training.layers import Parameters, Randomness, Trace
from photosim.training.layers.layer import UnitWise
from photosim.training.layers.mesh import Any2D, MeshLayer


@public
@dataclass(frozen=True)
class ElectroOptic:
    """Electro-optic activation f(z) = i sqrt(1 - tap) exp(-i x/2) cos(x/2) z, x = gain |z|^2 + bias.

    williamson2020, eq. 6. gain: phase in rad per W of light at the activation. bias: phase in rad without
    light; at pi weak light does not pass, f is a cubic there. tap: fraction of the power that drives the
    modulator. This is the component `electro_optic_activation` at rest.
    """

    gain: float
    bias: float = np.pi
    tap: float = 0.1

    def __post_init__(self) -> None:
        """Raise ParameterError for numbers that are not finite, and a tap beyond all of the light."""
        check_number(self, gain=self.gain, bias=self.bias)
        check_number(self, 0.0, 1.0, tap=self.tap)

    def value(self, z: Any2D) -> Any2D:
        """Return f(z), complex, in the shape of z."""
        return np.asarray(self._passed(z)[0] * z)

    def cotangent(self, z: Any2D, by_value: Any2D) -> Any2D:
        """Return dL/dRe z + i dL/dIm z from that of f(z).

        f = h(|z|^2) z, so that a change of z acts through z itself and through h.
        """
        passed, derivative = self._passed(z)
        by_power = np.real(np.conj(by_value) * derivative * z)
        return np.asarray(np.conj(passed) * by_value + 2.0 * by_power * z)

    def _passed(self, z: Any2D) -> tuple[Any2D, Any2D]:
        """Return h and its derivative by |z|^2: i sqrt(1 - tap) (1 + exp(-i x))/2, the sum of both arms."""
        turn = np.exp(-1j * (self.gain * (z.real**2 + z.imag**2) + self.bias)).astype(z.dtype)
        size = z.real.dtype.type(np.sqrt(1.0 - self.tap))
        return 0.5j * size * (1.0 + turn), 0.5 * size * z.real.dtype.type(self.gain) * turn


@public
@dataclass(frozen=True)
class ElectroOpticLayer(UnitWise):
    """The activation at each of `units` guides, light in and light out."""

    activation: ElectroOptic

    def forward(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        x: Any2D,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return f of fields x, shape (batch, units)."""
        out = self.activation.value(x)
        return Trace(x, out, out)

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        trace: Trace,
        delta: Any2D,
    ) -> Any2D:
        """Return the cotangent of the incoming fields, shape (batch, units)."""
        return self.activation.cotangent(trace.inputs, delta)


@public
@dataclass(frozen=True)
class ActivatedMesh(MeshLayer):
    """Last layer of a mesh with the activation and photodiodes at its outputs: outputs = |f(gain M x)|^2."""

    activation: ElectroOptic | None = None

    def forward(self, parameters: Parameters, x: Any2D, rng: Randomness = None) -> Trace:
        """Return powers (batch, outputs); pre are the fields before the activation."""
        trace = super().forward(parameters, x, rng)
        fields = trace.pre if self.activation is None else self.activation.value(trace.pre)
        return Trace(x, trace.pre, np.asarray(fields.real**2 + fields.imag**2), trace.memo)

    def derivative(self, trace: Trace) -> Any2D:
        """Return s such that s times dL/dpower is the cotangent of the fields before the activation."""
        if self.activation is None:
            return np.asarray(2.0 * trace.pre)
        return self.activation.cotangent(trace.pre, 2.0 * self.activation.value(trace.pre))


@public
def power_cross_entropy(powers: RealArray, labels: RealArray) -> tuple[float, RealArray]:
    """Return the mean cross-entropy in nats of fractions of the detected power, and each sample's dL/dpower.

    powers: shape (batch, classes); the fraction of a class is its probability.
    """
    rows, tiny = np.arange(len(powers)), np.finfo(powers.dtype).tiny
    known = np.asarray(labels, dtype=np.intp)
    total = np.maximum(powers.sum(axis=1), tiny)
    own = np.maximum(powers[rows, known], tiny)
    error = np.repeat(1.0 / total[:, np.newaxis], powers.shape[1], axis=1)
    error[rows, known] -= 1.0 / own
    return float(np.mean(np.log(total.astype(float) / own))), error.astype(powers.dtype)

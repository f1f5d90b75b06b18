"""In-situ backpropagation: a mesh measures its own gradient, by light sent back through it (hughes2018)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray
from photosim.training.devices.mesh.paths import Passage
from photosim.training.devices.mesh.taps import read_backwards, read_forwards
from photosim.training.devices.mesh.views import Fields
from photosim.training.layers import Parameters
from photosim.training.layers.mesh import MeshLayer, arrays_of, padded
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need


@public
@dataclass(frozen=True)
class InSituErrors:
    """Errors of gradients that are measured in a chip, as in the code of pai2023.

    tap: K, where the reading of a tap is P + sqrt(K P) times a normal number, for a launched vector of power
    1. amplitude, phase: of the generators, (1 + amplitude n) exp(i pi phase n') for each launched mode.
    read_amplitude, read_phase: the same for the receivers at the inputs.
    """

    tap: float = 0.0
    amplitude: float = 0.0
    phase: float = 0.0
    read_amplitude: float = 0.0
    read_phase: float = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError for negative errors."""
        for name in self.__dataclass_fields__:
            if not 0.0 <= getattr(self, name) < np.inf:
                message = f"{name} must be 0 or more, got {getattr(self, name)!r}."
                raise ParameterError(message)


@public
@dataclass(frozen=True)
class InSitu:
    """In-situ backpropagation: phase gradients of a mesh from three readings of optical power (hughes2018).

    Taps behind all shifters read the power of three launches. Forwards x goes through the mesh; backwards,
    into its outputs, conj(g), g being the cotangent of the fields there, of which conj(M^H g) leaves the
    inputs; forwards again x - i M^H g. In a mesh without loss time reversal makes the last one the field A -
    i conj(B) at a shifter that saw A and then B, so that half of what it reads beyond the two others is -Im(A
    B), the derivative by that phase. With loss M^H g does not retrace its way, and the gradient is biased:
    `deviations` says how far. What leaves the inputs is read and is the signal for the layer before. All
    launches are normalised, their norms kept as numbers; heat that leaks is known and taken into account. The
    pass that gives the error is the network's own, without these errors. Samples of a batch are read one by
    one: the noise of the sum is drawn at once, which is the same.

    balanced: let what leaves the inputs interfere at the norm of x, whatever its own. The bias goes with the
    power that is sent backwards: this lowers it where errors are strong and raises it where they are weak.
    pai2023 take it as it is. Counters: runs of single
    samples, and readings of taps.

    rng: draws the random numbers.  counters: how often the hardware did what.
    """

    errors: InSituErrors = field(default_factory=InSituErrors)
    balanced: bool = False
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    counters: Counter[str] = field(default_factory=Counter, compare=False)
    sources: ClassVar[tuple[str, ...]] = ("hughes2018", "pai2023")
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LIGHT_BACKWARDS, Need.LOCAL_DERIVATIVES})

    def updates(self, forward: ForwardPass) -> Updates:
        """Return measured gradients; ParameterError for layers that learn and are not single meshes."""
        network, samples = forward.network, forward.objective.count(forward.targets)
        found: Updates = [None] * len(network.layers)
        signal: Any = forward.error
        for block in reversed(network.blocks):
            layer = network.layers[block.first]
            if not isinstance(layer, MeshLayer) or layer.hardware.v is not None:
                message = (
                    f"Layer {block.first + 1} is not a single mesh, which can measure its gradient in situ: "
                    "a pair with attenuators loses light, and electronics has none."
                )
                raise ParameterError(message)
            delta = forward.delta(block, signal)
            found[block.first], signal = self._measured(layer, forward, block.first, delta, samples)
        return found

    def _measured(
        self, layer: MeshLayer, forward: ForwardPass, index: int, delta: Any, samples: int
    ) -> tuple[Parameters, Any]:
        """Return a layer's gradient and the cotangent for the layer before it, shape (batch, inputs)."""
        trace = forward.traces[index]
        passage: Passage = trace.memo
        n, kind = layer.hardware.guides, passage.x.dtype
        g = padded(layer.gain * delta, n, kind)
        readings, back = self._readings(passage, passage.x, g)
        mesh = passage.mesh
        by_set = readings / samples * mesh.turns
        phases = mesh.parted(by_set if mesh.leak is None else mesh.leak.T @ by_set)
        own = {name: value.astype(passage.x.real.dtype) for name, value in arrays_of(phases).items()}
        signal = back[:, : layer.inputs]
        return own, signal if np.iscomplexobj(trace.inputs) else signal.real

    def _readings(self, passage: Passage, x: Fields, g: Fields) -> tuple[FloatArray, Fields]:
        """Return -Im(A B) at all shifters, summed over the batch, and M^H g as read at the inputs."""
        ahead, norm = self._launched(x)
        behind, size = self._launched(g)
        lit = (norm > 0.0) & (size > 0.0)
        ratio = np.where(lit, norm / np.where(lit, size, 1.0), 1.0) if self.balanced else np.ones(len(x))
        first = self._powers(read_forwards(passage, ahead, _weights(norm, ratio))[0])
        sums, leaving = read_backwards(passage, behind, _weights(ratio * size, ratio))
        second = self._powers(sums)
        errors = self.errors
        read = leaving.conj() * self._errors(leaving, errors.read_amplitude, errors.read_phase)
        back = (read * size[:, np.newaxis]).astype(x.dtype)
        both, total = self._launched((x - 1j * ratio[:, np.newaxis] * back).astype(x.dtype))
        third = self._powers(read_forwards(passage, both, _weights(total, ratio))[0])
        self.counters["runs"] += 3 * len(x)
        self.counters["readings"] += 3 * len(x) * first.size
        return 0.5 * (third - first - second), back

    def _launched(self, fields: Fields) -> tuple[Fields, FloatArray]:
        """Return fields normalised, as generators make them, and their norms (batch,)."""
        norm = np.linalg.norm(fields.astype(np.complex128), axis=1)
        launched = fields / np.where(norm > 0.0, norm, 1.0)[:, np.newaxis]
        launched = launched * self._errors(fields, self.errors.amplitude, self.errors.phase)
        return launched.astype(fields.dtype), norm

    def _errors(self, like: Fields, amplitude: float, phase: float) -> Any:
        if not amplitude and not phase:
            return 1.0
        size, angle = self.rng.standard_normal((2, *like.shape))
        return (1.0 + amplitude * size) * np.exp(1j * np.pi * phase * angle)

    def _powers(self, sums: FloatArray) -> FloatArray:
        """Return powers with noise from sums of P and of P times a variance's weight, shape (2, taps)."""
        power, spread = np.asarray(sums[0]), np.asarray(sums[1])
        if not self.errors.tap:
            return power
        noise = self.rng.standard_normal(power.shape)
        return np.asarray(power + np.sqrt(self.errors.tap * spread) * noise)


def _weights(norm: FloatArray, ratio: FloatArray) -> FloatArray:
    """Return weights of a normalised reading in the sum, and in the variance of the sum: (2, batch)."""
    return np.stack([norm**2 / ratio, norm**4 / ratio**2])


def deviations(measured: Updates, exact: Updates) -> list[tuple[float, float]]:
    """Return the relative distance and the angle of measured and exact gradients, for each layer that learns.

    The distance is relative to the norm of the exact gradient; the angle is in degrees.
    """
    found = []
    for one, other in zip(measured, exact, strict=True):
        if one and other:
            a, b = (np.concatenate([own[name].ravel() for name in other]) for own in (one, other))
            a, b = a.astype(np.float64), b.astype(np.float64)
            sizes = np.linalg.norm(a), np.linalg.norm(b)
            cosine = np.clip(a @ b / (sizes[0] * sizes[1]), -1.0, 1.0)
            found.append((float(np.linalg.norm(a - b) / sizes[1]), float(np.degrees(np.arccos(cosine)))))
    return found

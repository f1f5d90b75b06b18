"""Direct feedback alignment whose feedback hides any one sample behind the noise of light (ohana2021)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need, check_feedback
from photosim.training.rules.ternary_dfa import ternarise


@dataclass(frozen=True)
class PrivateDFA:
    """Ternary feedback of bounded size, activations of bounded size, and noise between them.

    Each hidden layer learns from the activations of the layer before, scaled down to a norm of `activation`
    where it is larger, and from p = g B t: t the error rounded to -1, 0 and 1, and g = reach / (|B|
    sqrt(classes)), so that no sample's p is longer than `reach`, whatever its error, and no scale depends on
    data. Exchanging one sample then moves the mean update of a layer by at most 2 activation reach / batch:
    `sensitivity`.

    deviation: of normal noise added to p; 0 where the device has noise of its own, photon_deviation of
    photosim.training.privacy times g.  The last layer learns from its exact error, clipped to the same
    norm, with the same added noise.

    Left out: a proof. Noise enters an update multiplied by activations and derivatives, so that it is not the
    same in all directions; ohana2021 bound it from below by a floor of the activations, the accountant
    takes it as even.
    """

    feedback: tuple[Device, ...]
    threshold: float = 0.25
    activation: float = 1.0
    reach: float = 1.0
    deviation: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_DERIVATIVES, Need.FEEDBACK, Need.CLASS_LABELS})

    def __post_init__(self) -> None:
        """Raise ParameterError for a bound that is none."""
        if not (self.activation > 0.0 and self.reach > 0.0 and self.deviation >= 0.0):
            message = (
                "Private feedback needs clips above 0 and a noise of 0 or more, got "
                f"{self.activation!r}, {self.reach!r} and {self.deviation!r}."
            )
            raise ParameterError(message)

    def gain(self, device: Device) -> float:
        """Return g of a device: what bounds its products."""
        matrix = device.matrix()
        return float(self.reach / (np.linalg.norm(matrix, 2) * np.sqrt(matrix.shape[1])))

    def sensitivity(self, batch: int) -> float:
        """Return how far one exchanged sample moves the updates of all layers together, for a batch."""
        return 2.0 * self.activation * self.reach / batch * float(np.sqrt(len(self.feedback) + 1))

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the updates of all layers; ParameterError unless those that learn are dense."""
        check_feedback("Private DFA", forward.network, self.feedback)
        levels = ternarise(forward.error, self.threshold)
        signals = [self.gain(device) * device.apply(levels) for device in self.feedback]
        signals.append(shrunk(forward.error, self.reach))
        samples = forward.objective.count(forward.targets)
        found: Updates = [None] * len(forward.network.layers)
        for block, signal in zip(forward.network.blocks, signals, strict=True):
            layer, trace = forward.network.layers[block.first], forward.traces[block.first]
            if trace.memo is not None:
                message = "Private DFA bounds what dense layers see; this network has others that learn."
                raise ParameterError(message)
            noise = self.deviation * self.rng.standard_normal(signal.shape)
            delta = forward.delta(block, (signal + noise).astype(forward.error.dtype))
            bounded = replace(trace, inputs=shrunk(trace.inputs, self.activation))
            found[block.first] = layer.gradient(bounded, delta, samples)
        return found


def shrunk(rows: RealArray, largest: float) -> RealArray:
    """Return rows (samples, ...) scaled down to a norm of `largest` where they are longer."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * np.minimum(1.0, largest / np.maximum(norms, largest)), dtype=rows.dtype)

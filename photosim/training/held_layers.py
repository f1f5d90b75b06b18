"""Dense layers whose products a device makes: matrices are learnt, and programmed anew after every step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.layers import Chance, Dense, Parameters, Trace


class _Programmed:
    """The weights that were last asked of the hardware, and the device that holds them."""

    def __init__(self) -> None:
        self.weights: RealArray | None = None
        self.device: Device | None = None


@dataclass(frozen=True)
class HeldDense(Dense):
    """outputs = f(M x + b), M what `hardware` holds when asked for the weights, read through its converters.

    The weights live in a computer; the hardware is programmed whenever they have changed, and not otherwise:
    two passes with the same weights meet the same phases. Errors are sent back through M, as light
    sent backwards through the same hardware would be; updates are those of a layer that holds its weights
    exactly. Biases and f are electronic, exact.
    """

    hardware: Device
    held: _Programmed = field(default_factory=_Programmed, compare=False, repr=False)

    def device(self, weights: RealArray) -> Device:
        """Return the device that holds these weights, programmed if it does not yet."""
        kept = self.held
        if kept.device is None or not np.array_equal(kept.weights, weights):  # type: ignore[arg-type]
            kept.weights = weights.copy()
            kept.device = self.hardware.program(weights.astype(np.float64))
        return kept.device

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        chance: Chance = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return what the layer makes of x, shape (batch, inputs)."""
        product = self.device(parameters["weights"]).apply(x).astype(x.dtype, copy=False)
        pre = product + parameters["bias"]
        return Trace(x, pre, self.activation.value(pre))

    def back(
        self,
        parameters: Parameters,
        trace: Trace,  # noqa: ARG002 - part of the protocol
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs), through what the hardware holds."""
        held = self.device(parameters["weights"]).matrix()
        return np.asarray(delta @ held.astype(delta.dtype, copy=False))

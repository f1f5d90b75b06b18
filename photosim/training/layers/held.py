"""Dense layers whose products a device makes: matrices are learnt, and programmed anew after every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.layers import Dense, Parameters, Randomness, Trace

Made = TypeVar("Made")


class Kept(Generic[Made]):
    """What was last made of weights, until there are others; nothing of it decides a run's numbers."""

    def __init__(self) -> None:
        self._weights: RealArray | None = None
        self._made: Made | None = None

    def get(self, weights: RealArray, make: Callable[[], Made]) -> Made:
        """Return what was made of these weights, and make it if that was something else."""
        if self._made is None or self._weights is None or not np.array_equal(self._weights, weights):
            self._weights, self._made = weights.copy(), make()
        return self._made


@dataclass(frozen=True)
class HeldDense(Dense):
    """outputs = f(M x + b), M what `hardware` holds when set to the weights, read through its converters.

    The weights live in a computer; the hardware is programmed whenever they have changed, and not otherwise:
    two passes with the same weights meet the same phases. Errors are sent back through M, as light
    sent backwards through the same hardware would be; updates are those of a layer that holds its weights
    exactly. Biases and f are electronic, exact.
    """

    hardware: Device
    held: Kept[Device] = field(default_factory=Kept, compare=False, repr=False)

    def device(self, weights: RealArray) -> Device:
        """Return the device that holds these weights, programmed if it does not yet."""
        return self.held.get(weights, lambda: self.hardware.program(weights.astype(np.float64)))

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
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

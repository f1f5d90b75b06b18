"""Dense layers whose products a device makes: matrices are learnt, and programmed anew after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from photosim.bounds import check_choice
from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device, Energy
from photosim.training.layers import Dense, Parameters, Randomness, Trace

Made = TypeVar("Made")
Way = Literal["forward", "backward", "both"]
"""Which way light goes through a layer's hardware; the other way is computed."""


class Kept(Generic[Made]):
    """Cache of what was last made of weights; it does not change any number of a run."""

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
    """Dense layer held by hardware: outputs = f(M x + b), M the matrix of `hardware` set to the weights.

    M is read through the hardware's converters. The weights live in a computer; the hardware is programmed
    whenever they have changed, and not otherwise: two passes with the same weights meet the same phases. way:
    "forward" alone, errors going back through the weights in the computer; "backward" alone; or "both", the
    same imperfections in both. Errors go back through the hardware reversed, as light sent backwards through
    a mesh, or, where light goes one way only, through hardware programmed with the transposed weights.
    Updates are those of a layer that holds its weights exactly. Biases and f are electronic, exact. counters:
    what the hardware did, and `programmings`.
    """

    hardware: Device
    way: Way = "both"
    held: Kept[Device] = field(default_factory=Kept, compare=False, repr=False)
    behind: Kept[Device] = field(default_factory=Kept, compare=False, repr=False)
    counters: Counter[str] = field(default_factory=Counter, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for a way that is not "forward", "backward" or "both"."""
        check_choice(self, ("forward", "backward", "both"), way=self.way)

    def device(self, weights: RealArray) -> Device:
        """Return the device that holds these weights, programmed if it does not yet."""
        return self.held.get(weights, lambda: self._programmed(weights))

    def reversed_device(self, weights: RealArray) -> Device:
        """Return the device that sends errors back through these weights, of shape (inputs, outputs)."""
        turn: Any = getattr(self.hardware, "reversed", None)
        if turn is None:
            return self.behind.get(weights, lambda: self._programmed(weights.T))
        forwards: Any = self.device(weights)
        return self.behind.get(weights, forwards.reversed)

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,
    ) -> Trace:
        """Return the trace of the layer for x, shape (batch, inputs)."""
        if self.way == "backward":
            return super().forward(parameters, x, rng)
        product = self._read(self.device(parameters["weights"]), x)
        pre = product + parameters["bias"]
        return Trace(x, pre, self.activation.value(pre))

    def back(self, parameters: Parameters, trace: Trace, delta: RealArray) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs), through what the hardware holds."""
        if self.way == "forward":
            return super().back(parameters, trace, delta)
        return self._read(self.reversed_device(parameters["weights"]), delta)

    def energy(self) -> Energy:
        """Return the operations and the energy of the hardware of this layer since it was built."""
        done: Any = self.hardware
        if is_dataclass(done) and any(item.name == "counters" for item in fields(done)):
            alike: Any = replace(done, counters=Counter(self.counters))  # type: ignore[type-var]
            return Energy(**vars(alike.energy()))
        return Energy(self.counters["cycles"], self.counters["samples"])

    def _programmed(self, weights: RealArray) -> Device:
        self.counters["programmings"] += 1
        return self.hardware.program(np.ascontiguousarray(weights, dtype=np.float64))

    def _read(self, device: Device, x: RealArray) -> RealArray:
        found = device.apply(x).astype(x.dtype, copy=False)
        self.counters.update(device.counters)
        device.counters.clear()
        return found

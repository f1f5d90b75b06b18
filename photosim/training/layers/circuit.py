"""Layers whose parameters are the settings of a circuit, trained by the engine's exact gradients."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bounds import check_whole
from photosim.engine.bindings import owner
from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.devices.circuit.device import CircuitDevice
from photosim.training.devices.device import Energy
from photosim.training.layers.activations import Activation
from photosim.training.layers.layer import Parameters, Randomness, Trace

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

GAIN, BIAS = "gain", "bias"


@dataclass(frozen=True)
class CircuitLayer:
    """Layer of a circuit: outputs = f(gain y + b), y the readings of the circuit for x; all parameters learn.

    The parameters are the circuit's settings, gain and b. As many tiles of the device's circuit as inputs and
    outputs need stand side by side, each with settings of its own, arrays (tiles,) by dotted name; readings
    of a row of tiles are added by electronics, and gain is the amplifiers'. Phases start evenly over a turn,
    settings with two bounds evenly between them, others as the netlist has them; settings stay within their
    bounds. Gradients pass converters as if they had no steps (straight through, bengio2013). Readings need
    not be linear. Where the device has noise, every pass draws it anew, also in evaluation, and gradients are
    those of the readings with the numbers that were drawn.
    """

    device: CircuitDevice
    inputs: int
    outputs: int
    activation: Activation
    counters: Counter[str] = field(default_factory=Counter, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for a device that reads complex fields or has no settings, and sizes."""
        check_whole(self, 1, inputs=self.inputs, outputs=self.outputs)
        name = self.device.wiring.circuit.name
        if self.device.readout.reading == "fields":
            message = f"A layer of {name!r} needs readings that are real: read 'quadrature', or 'power'."
            raise ParameterError(message)
        if not self.device.parameters:
            message = f"Circuit {name!r} has no setting to train: name `parameters` of its device."
            raise ParameterError(message)

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape (outputs, inputs) of the matrix that the tiles stand for."""
        return self.outputs, self.inputs

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        rows, columns = self.device.tile
        return -(-self.outputs // rows), -(-self.inputs // columns)

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw settings; the gain gives outputs the size that a dense layer's would have at first."""
        count = self.grid[0] * self.grid[1]
        drawn: Parameters = {}
        for name in self.device.parameters:
            low, high = self.device.bounds(name)
            if np.isfinite([low, high]).all():
                drawn[name] = rng.uniform(low, high, count)
            elif owner(name)[1] in {"phase", "theta", "phi"}:
                drawn[name] = rng.uniform(0.0, 2.0 * np.pi, count)
            else:
                drawn[name] = np.full(count, float(self.device.wiring.circuit.parameters[name]))
        x = rng.standard_normal((64, self.grid[1] * self.device.tile[1]))
        x[:, self.inputs :] = 0.0
        passage = self.device.passage(self._held(drawn), x, self.grid)
        seen = np.std(passage.outputs[:, : self.outputs])
        wanted = 1.0 / np.sqrt(3.0)  # what weights drawn evenly from +-1/sqrt(inputs) make of unit inputs
        drawn[GAIN] = np.array([wanted / seen if seen > 0.0 else 1.0])
        drawn[BIAS] = np.zeros(self.outputs)
        return {name: value.astype(dtype) for name, value in drawn.items()}

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace of the layer for x, shape (batch, inputs)."""
        padded = np.zeros((len(x), self.grid[1] * self.device.tile[1]))
        padded[:, : self.inputs] = x
        passage = self.device.read(self._held(parameters), padded, self.grid)
        turns = 2 if self.device.readout.encoding == "powers" else 1
        self.counters["samples"] += len(x)
        self.counters["cycles"] += len(x) * turns * self.grid[0] * self.grid[1]
        self.counters.update(self.device.counters)
        self.device.counters.clear()
        read = passage.outputs[:, : self.outputs]
        pre = (parameters[GAIN] * read + parameters[BIAS]).astype(x.dtype, copy=False)
        return Trace(x, pre, self.activation.value(pre), (passage, float(parameters[GAIN][0])))

    def made(self, trace: Trace) -> RealArray | None:
        """Return the matrix (outputs, inputs) that the circuit made; None if readings are not linear."""
        passage, gain = trace.memo
        matrix = passage.matrix
        return None if matrix is None else np.asarray(gain * matrix[: self.outputs, : self.inputs])

    def derivative(self, trace: Trace) -> RealArray:
        """Return the activation's derivative at each unit, shape (batch, outputs)."""
        return self.activation.derivative(trace.pre, trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the mean of the derivatives by settings, gain and bias from dL/dpre (batch, outputs)."""
        passage, gain = trace.memo
        share = delta.astype(np.float64) / samples
        found = passage.gradient(self._padded(gain * share)).settings
        found[GAIN] = np.array([np.sum(share * passage.outputs[:, : self.outputs])])
        found[BIAS] = share.sum(axis=0)
        return {name: np.asarray(own, dtype=delta.dtype) for name, own in found.items()}

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol: the trace holds the passage
        trace: Trace,
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs)."""
        passage, gain = trace.memo
        found = passage.back(self._padded(gain * delta.astype(np.float64)))[:, : self.inputs]
        return np.asarray(found, dtype=delta.dtype)

    def energy(self) -> Energy:
        """Return the operations and the energy of the hardware of this layer since it was built."""
        return replace(self.device, counters=Counter(self.counters)).energy()

    def _padded(self, delta: RealArray) -> RealArray:
        whole = np.zeros((len(delta), self.grid[0] * self.device.tile[0]))
        whole[:, : self.outputs] = delta
        return whole

    def _held(self, parameters: Parameters) -> dict[str, Any]:
        return {
            name: np.clip(parameters[name].astype(np.float64), *self.device.bounds(name))
            for name in self.device.parameters
        }

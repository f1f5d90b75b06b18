"""A chip as the hardware of dense layers: `hardware=chip` in estimators and `with_hardware`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.chips.calibration import Calibration
from photosim.training.chips.chip import Chip
from photosim.training.chips.layer import ChipLayer
from photosim.training.layers import Activation, Parameters, Randomness, Trace

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from photosim.training.chips.wiring import Wiring


@dataclass(frozen=True, eq=False)
class CalibratedChip:
    """A chip with its calibration: hardware for rules that need a gradient."""

    chip: Chip
    known: Calibration

    def __post_init__(self) -> None:
        """Raise ParameterError for a calibration of a chip of another size."""
        check_arguments(CalibratedChip.__init__, {"known": self.known})
        if not is_chip(self.chip):
            message = f"CalibratedChip: chip must be a Chip, got {type(self.chip).__name__}."
            raise ParameterError(message)
        sizes = [self.chip.wiring.n, self.known.model.wiring.n]
        if sizes[0] != sizes[1]:
            message = f"CalibratedChip: the chip has {sizes[0]} guides, but the calibration {sizes[1]}."
            raise ParameterError(message)

    @property
    def wiring(self) -> Wiring:
        """The design."""
        return self.chip.wiring

    @property
    def counters(self) -> Counter[str]:
        """Counters of the chip."""
        return self.chip.counters

    def set_voltages(self, voltages: FloatArray) -> None:
        """Set the chip's heaters' voltages in V, shape (heaters,)."""
        self.chip.set_voltages(voltages)

    def read_powers(self, entrance: int) -> FloatArray:
        """Return the powers at all outputs, shape (outputs,), per power sent into this input."""
        return self.chip.read_powers(entrance)

    def wait(self, seconds: float) -> None:
        """Wait."""
        self.chip.wait(seconds)


@dataclass(frozen=True, eq=False)
class ChipDense:
    """Dense layer with outputs = f(g P x + b), where P are the power transmissions of a chip.

    The heaters of the chip, the gain g and the bias b learn; g and b are electronic.  own: layer of the chip,
    whose product is measured in every pass.
    """

    own: ChipLayer
    activation: Activation

    @classmethod
    def of(cls, chip: Chip, inputs: int, outputs: int, activation: Activation) -> ChipDense:
        """Return the layer of a chip, calibrated or not; ParameterError where it has too few guides."""
        n = chip.wiring.n
        if max(inputs, outputs) > n:
            message = (
                f"A chip of {n} guides does not hold a layer of {inputs} inputs and {outputs} outputs: "
                "list hardware layer by layer, with None for this one."
            )
            raise ParameterError(message)
        if isinstance(chip, CalibratedChip):
            return cls(ChipLayer(chip.chip, inputs, outputs, chip.known), activation)
        return cls(ChipLayer(chip, inputs, outputs), activation)

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.own.inputs

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.own.outputs

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape (outputs, inputs) of the matrix of powers."""
        return self.own.weights_shape

    @property
    def counters(self) -> Counter[str]:
        """Counters of the chip: readings and settings."""
        return self.own.chip.counters

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw powers; the gain gives outputs the size that a dense layer's would have at first."""
        n = self.own.chip.wiring.n
        # Powers of a unitary drawn evenly have a mean square of 2 / (n (n + 1)).
        seen = np.sqrt(2.0 * self.inputs / (n * (n + 1)))
        drawn = self.own.initial(rng, dtype)
        return drawn | {
            "gain": np.array([1.0 / np.sqrt(3.0) / seen], dtype),
            "bias": np.zeros(self.outputs, dtype),
        }

    def forward(self, parameters: Parameters, x: RealArray, rng: Randomness = None) -> Trace:
        """Return the outputs of the layer for x, shape (batch, inputs)."""
        read = self.own.forward(parameters, x, rng)
        pre = parameters["gain"] * read.outputs + parameters["bias"]
        return Trace(x, pre, self.activation.value(pre), (read, float(parameters["gain"][0])))

    def made(self, trace: Trace) -> RealArray:
        """Return the measured matrix (outputs, inputs) of a forward pass, times the gain."""
        read, gain = trace.memo
        return np.asarray(gain * self.own.made(read))

    def derivative(self, trace: Trace) -> RealArray:
        """Return the activation's derivative at each unit, shape (batch, outputs)."""
        return self.activation.derivative(trace.pre, trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the mean of the derivatives by powers, gain and bias from dL/dpre (batch, outputs)."""
        read, gain = trace.memo
        found = self.own.gradient(read, gain * delta, samples)
        by_gain = np.array([np.sum(delta * read.outputs) / samples], delta.dtype)
        return found | {"gain": by_gain, "bias": delta.sum(axis=0) / samples}

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        trace: Trace,
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs), by the powers that were read."""
        return np.asarray(delta @ self.made(trace).astype(delta.dtype))


def is_chip(value: Any) -> bool:
    """Return whether a value is a chip, and not a class."""
    return isinstance(value, Chip) and not isinstance(value, type)

"""A chip as a layer of a network: it makes the products, and its heaters learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bounds import check_whole
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, IndexArray, RealArray
from photosim.training.layers import Parameters, Randomness, Trace

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from photosim.training.chips.calibration import Calibration
    from photosim.training.chips.chip import Chip

MARGIN = 0.05
"""Share of the drivers' range that is left free at both ends when powers are drawn."""


@dataclass(frozen=True, eq=False)
class ChipLayer:
    """Layer with outputs = gain P x, where P are the power transmissions of a chip; its heaters learn.

    Light is in one input at a time, so a forward pass of a batch needs one reading for each input;
    electronics form the sums with x of either sign. The parameters `powers` are those of the heaters in units
    of the nominal power for pi, limited to the range of the drivers.

    chip: the chip, which counts its readings.  known: a calibration, for gradients through the chip; without
    one, only rules that need no gradient train this layer: `finite-difference`, `spsa`, `evolution-strategy`.
    """

    chip: Chip
    inputs: int
    outputs: int
    known: Calibration | None = None
    gain: float = 1.0

    def __post_init__(self) -> None:
        """Raise ParameterError for more inputs or outputs than the chip has."""
        n = self.chip.wiring.n
        check_whole(self, 1, n, inputs=self.inputs, outputs=self.outputs)

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape (outputs, inputs) of the matrix of powers."""
        return self.outputs, self.inputs

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw powers of all heaters within the drivers' range."""
        most = self.chip.wiring.most
        drawn = rng.uniform(MARGIN * most, (1.0 - MARGIN) * most, len(self.chip.wiring.heaters))
        return {"powers": drawn.astype(dtype)}

    def measured(self, parameters: Parameters) -> FloatArray:
        """Return the matrix of powers (outputs, inputs), read from the chip now."""
        self.chip.set_voltages(self.chip.wiring.voltages(parameters["powers"].astype(np.float64)))
        columns = [self.chip.read_powers(entrance)[: self.outputs] for entrance in range(self.inputs)]
        return np.stack(columns, axis=-1)

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the outputs of the chip for x, shape (batch, inputs)."""
        matrix = (self.gain * self.measured(parameters)).astype(x.dtype)
        made = x @ matrix.T
        return Trace(x, made, made, (matrix, parameters["powers"].copy()))

    def made(self, trace: Trace) -> RealArray:
        """Return the measured matrix (outputs, inputs) of a forward pass, times the gain."""
        return np.asarray(trace.memo[0])

    def derivative(self, trace: Trace) -> RealArray:
        """Return ones, shape (batch, outputs): there is no activation."""
        return np.ones_like(trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the derivatives by the powers, through the calibrated model of the chip."""
        known, powers = self._known(), trace.memo[1].astype(np.float64)
        wanted = self.gain * (delta.T @ trace.inputs) / samples
        settings = np.repeat(np.clip(powers, 0.0, self.chip.wiring.most)[np.newaxis], self.inputs, axis=0)
        entrances: IndexArray = np.arange(self.inputs)
        _, slopes = known.model.slopes(known.numbers, settings, entrances, offsets_only=True)
        by_phase = np.einsum("io,ioj->j", wanted.T, slopes[:, : self.outputs])
        scale = np.pi * np.exp(-known.numbers.per_pi)
        return {"powers": ((by_phase * scale) @ known.model.heat(known.numbers)).astype(delta.dtype)}

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        trace: Trace,
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs), by the powers that were read."""
        return np.asarray(delta @ trace.memo[0])

    def _known(self) -> Any:
        if self.known is None:
            message = (
                "This rule needs the gradient of the chip's layer: give it a calibration, as known= or by "
                "hardware=CalibratedChip(chip, calibration), or train by "
                "finite-difference, spsa or evolution-strategy, which only read the chip."
            )
            raise ParameterError(message)
        return self.known

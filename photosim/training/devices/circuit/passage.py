"""One batch through a circuit, or tiles of it, and the exact gradient back to its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.circuit.reading import Readout
from photosim.training.devices.circuit.wiring import Pull, Wiring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]


@dataclass(frozen=True)
class CircuitGradient:
    """Derivatives of a real loss, summed over a batch: by settings, (tiles,) by name, and by the inputs.

    inputs: dL/dRe x + i dL/dIm x, shape (batch, inputs), real where x is.
    """

    settings: dict[str, FloatArray]
    inputs: Numbers


@dataclass(frozen=True)
class CircuitPassage:
    """A batch x (batch, inputs) sent through R x C tiles of a circuit, readings added over a row of tiles.

    outputs: shape (batch, R o).  fields: (R C, waves, i).  matrix: of a linear read-out, (R o, C i); else
    waves: fields at the outputs of each tile, (R C, batch, waves), and readings (R C, batch, o).
    """

    readout: Readout
    grid: tuple[int, int]
    x: Numbers
    outputs: Numbers
    fields: ComplexArray
    pull: Pull
    matrix: Numbers | None
    waves: ComplexArray | None = None
    readings: FloatArray | None = None

    @classmethod
    def of(
        cls,
        wiring: Wiring,
        readout: Readout,
        settings: Mapping[str, Any],
        x: Numbers,
        grid: tuple[int, int] = (1, 1),
    ) -> CircuitPassage:
        """Send x (batch, C i) through tiles whose settings are (R C,) each by dotted name."""
        fields, pull = wiring.pullback(dict(settings))
        count = grid[0] * grid[1]
        if len(fields) != count:  # without a batch of settings all tiles are alike
            fields = np.broadcast_to(fields, (count, *fields.shape[1:]))
        if readout.linear:
            tiles = readout.matrix(fields)
            rows, columns = tiles.shape[1:]
            whole = tiles.reshape(*grid, rows, columns).transpose(0, 2, 1, 3)
            matrix = np.ascontiguousarray(whole.reshape(grid[0] * rows, grid[1] * columns))
            return cls(readout, grid, x, x @ matrix.T, fields, pull, matrix)
        each = fields.reshape(*grid, *fields.shape[1:])
        parts = x.reshape(len(x), grid[1], -1)
        waves = np.einsum("bci,rcpi->rcbp", parts, each).reshape(count, len(x), -1)
        readings = readout.read(waves.reshape(-1, waves.shape[-1])).reshape(count, len(x), -1)
        summed = readings.reshape(*grid, len(x), -1).sum(axis=1)
        outputs = summed.transpose(1, 0, 2).reshape(len(x), -1)
        return cls(readout, grid, x, outputs, fields, pull, None, waves, readings)

    def gradient(self, cotangent: Numbers) -> CircuitGradient:
        """Return the gradient of a loss with this cotangent dL/dy (batch, R o); complex where y is.

        Converters of settings count as if they had no steps (straight through, bengio2013).
        """
        fields, inputs = self._linear(cotangent) if self.matrix is not None else self._square(cotangent)
        return CircuitGradient(self.pull(fields), inputs)

    def back(self, cotangent: Numbers) -> Numbers:
        """Return the cotangent of the inputs alone (batch, C i)."""
        return (self._linear(cotangent) if self.matrix is not None else self._square(cotangent))[1]

    def _linear(self, cotangent: Numbers) -> tuple[ComplexArray, Numbers]:
        matrix: Any = self.matrix
        rows, columns = self.grid
        whole = (cotangent.T @ self.x.conj()).reshape(rows, matrix.shape[0] // rows, columns, -1)
        tiles = whole.transpose(0, 2, 1, 3).reshape(rows * columns, *whole.shape[1:4:2])
        if self.readout.reading != "fields":
            tiles = tiles.real
        return self.readout.field_cotangent(self.fields, tiles), self._as_inputs(cotangent @ matrix.conj())

    def _square(self, cotangent: Numbers) -> tuple[ComplexArray, Numbers]:
        waves: Any = self.waves
        readings: Any = self.readings
        rows, columns = self.grid
        count, batch = rows * columns, len(self.x)
        own = cotangent.reshape(batch, rows, -1).transpose(1, 0, 2)
        own = np.broadcast_to(own[:, np.newaxis], (rows, columns, *own.shape[1:]))
        of_waves = self.readout.wave_cotangent(
            waves.reshape(-1, waves.shape[-1]),
            readings.reshape(-1, readings.shape[-1]),
            own.reshape(count * batch, -1),
        ).reshape(rows, columns, batch, -1)
        parts = self.x.reshape(batch, columns, -1)
        fields = np.einsum("rcbp,bci->rcpi", of_waves, parts.conj())
        each = self.fields.reshape(rows, columns, *self.fields.shape[1:])
        inputs = np.einsum("rcbp,rcpi->bci", of_waves, each.conj()).reshape(batch, -1)
        return fields.reshape(count, *fields.shape[2:]).astype(np.complex128), self._as_inputs(inputs)

    def _as_inputs(self, found: Numbers) -> Numbers:
        return found if np.iscomplexobj(self.x) else np.asarray(found.real)

"""How a matrix is cut into pieces of a bank's size, and put together again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray
from photosim.training.devices.bank.diodes import Diodes

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from photosim.training.devices.bank.circuit import BankCircuit
    from photosim.training.devices.bank.warm import WarmTiles


@dataclass(frozen=True)
class Tiles:
    """A matrix cut into T = across x down pieces of the bank's size, and what the bank makes of each.

    target, solved, held: wanted weights, those of the solved phases and those after the heater converters, in
    the matrix's own units, shape (outputs, inputs).  phases: as held, shape (T, M, N), in rad.
    plus, minus: photocurrents in A of full power in each channel, shape (down, across, M, N).
    unit: current that stands for 1 in the matrix's units.  full: that of its largest weight.
    warm: what the bank makes of them at other temperatures; None unless a drift asks for it.
    """

    target: FloatArray
    solved: FloatArray
    held: FloatArray
    phases: FloatArray
    plus: FloatArray
    minus: FloatArray
    unit: float
    full: float
    clipped_settings: int
    warm: WarmTiles | None = None
    _known: dict[str, tuple[BankCircuit, Diodes]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def diodes(self, hardware: BankCircuit, dtype: DTypeLike) -> Diodes:
        """Return the diodes of a bank that holds these tiles, made once for each type of numbers."""
        name = np.dtype(dtype).str
        known = self._known.get(name)
        if known is None or known[0] is not hardware:
            known = hardware, Diodes.of(hardware, self.plus, self.minus, dtype)
            self._known[name] = known
        return known[1]


def cut(matrix: FloatArray, rows: int, channels: int) -> FloatArray:
    """Return a matrix (outputs, inputs) as tiles (T, M, N), padded with zeros, left to right, then down."""
    if matrix.ndim != 2 or not np.isfinite(matrix).all() or not np.any(matrix):
        message = (
            f"A bank holds a finite matrix (outputs, inputs) that is not zero, got shape {matrix.shape}."
        )
        raise ParameterError(message)
    down, across = (-(-size // step) for size, step in zip(matrix.shape, (rows, channels), strict=True))
    padded = np.zeros((down * rows, across * channels))
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    tiles = padded.reshape(down, rows, across, channels).swapaxes(1, 2)
    return tiles.reshape(-1, rows, channels)


def join(tiles: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return the matrix of a given shape that tiles (T, M, N) were cut from."""
    rows, channels = tiles.shape[1:]
    down, across = -(-shape[0] // rows), -(-shape[1] // channels)
    whole = tiles.reshape(down, across, rows, channels).swapaxes(1, 2).reshape(down * rows, across * channels)
    return np.asarray(whole[: shape[0], : shape[1]])

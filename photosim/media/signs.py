"""Media of entries +-1 +-i that are counted out rather than stored: what integer units multiply fastest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.media.medium import (
    ALL,
    COPY,
    LESS,
    CountedMedium,
    Selection,
    fields,
    numbers,
    require_room,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.media.medium import ComplexArray

ROWS = 32
"""Rows that share a hash: two of its 64 bits each."""
MIXES = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
"""Shifts and factors of splitmix64's finaliser; the last shift is 31."""
COLUMN, ROW = 0x9E3779B97F4A7C15, 0xD1342543DE82EF95
"""Odd steps of the counter from column to column and from group of rows to group of rows."""
TILE = 2**20
"""Entries computed at a time."""


@public
@dataclass(frozen=True, eq=False)
class SignMedium(CountedMedium):
    """A medium with the entries (+-1 +-i) sqrt(transmission / (2 outputs)), of random signs and equal power.

    Each entry is a function of (seed, row, column). A single lit pixel gives no speckle: the contrast of the
    intensity behind m lit pixels is sqrt(1 - 1/m), 0 for one, 0.71 for two, 0.99 for fifty, where a Gaussian
    medium has 1. Sums over zeros and ones are whole numbers times one factor, exact in single precision below
    2^24 inputs. PyTorch's devices compute the same numbers (`photosim.interop.torch.SignProjection`).
    """

    @property
    def scale(self) -> np.float32:
        """Factor of the whole numbers."""
        return np.float32(np.sqrt(self.transmission / (2 * self.outputs)))

    def project(self, x: ArrayLike) -> ComplexArray:
        """Return T x for fields (batch, inputs), some columns at a time."""
        batch, vector = fields(x, self.inputs, self.dtype, self.outputs)
        out = np.zeros((len(batch), self.outputs), self.dtype)
        for own, signs in self._strips():
            out += batch[:, own] @ signs
        out *= self.scale
        return out[0] if vector else out

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return conj(T).T y for fields (batch, outputs), some columns at a time."""
        batch, vector = fields(y, self.outputs, self.dtype, self.inputs)
        out = np.empty((len(batch), self.inputs), self.dtype)
        for own, signs in self._strips():
            out[:, own] = (batch @ signs.conj().T) * self.scale
        return out[0] if vector else out

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return some rows and columns of the matrix; the cost is that of these entries alone."""
        row, column = numbers(rows, self.outputs, "rows"), numbers(columns, self.inputs, "columns")
        require_room((row.size, column.size), 3 * self.dtype.itemsize, COPY, LESS)
        return np.ascontiguousarray(signs_of(self.key, row, column).T) * self.scale

    def _strips(self) -> Any:
        """Yield columns as a slice, and their signs (columns, outputs)."""
        step, row = max(1, TILE // self.outputs), np.arange(self.outputs)
        for first in range(0, self.inputs, step):
            own = slice(first, min(first + step, self.inputs))
            yield own, signs_of(self.key, row, np.arange(own.start, own.stop))


def signs_of(key: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.complex64]:
    """Return +-1 +-i of any rows and columns, shape (columns, rows); key: that of the medium."""
    one = np.array([key], dtype=np.uint64)
    start = _mixed(_mixed(one) + columns.astype(np.uint64) * np.uint64(COLUMN))
    found, place = np.unique(rows // ROWS, return_inverse=True)
    hashes = _mixed(start[:, np.newaxis] + found.astype(np.uint64) * np.uint64(ROW))[:, place]
    bits = hashes >> (2 * (rows % ROWS)).astype(np.uint64)
    out = np.empty(bits.shape, np.complex64)
    out.real = 1.0 - 2.0 * (bits & np.uint64(1)).astype(np.float32)
    out.imag = 1.0 - 2.0 * ((bits >> np.uint64(1)) & np.uint64(1)).astype(np.float32)
    return out


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finaliser of splitmix64: each bit of the result depends on every bit of z."""
    for shift, factor in MIXES:
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return z ^ (z >> np.uint64(31))

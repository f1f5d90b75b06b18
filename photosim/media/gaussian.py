"""Thick media seen through few of their many channels: independent circular Gaussian amplitudes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError
from photosim.media.medium import (
    ALL,
    COPY,
    LESS,
    MATRIX,
    Medium,
    Selection,
    check_size,
    fields,
    numbers,
    precision,
    require_room,
)
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.media.medium import ComplexArray

_LARGE = 300
"""Channels from which only the largest singular value is computed."""


class DenseMedium(Medium):
    """A matrix held in memory, made when it is first needed."""

    @property
    @abstractmethod
    def columns(self) -> ComplexArray:
        """The transposed matrix (inputs, outputs).

        Seen as real numbers, its rows hold re, im, re, im ..., so that one real product with binary
        inputs gives complex fields: the work of two real products instead of four.
        """

    def project(self, x: ArrayLike) -> ComplexArray:
        """Return T x for fields (batch, inputs): one real product where they are real."""
        batch, vector = fields(x, self.shape[1], self.dtype, self.shape[0])
        out = product(batch, self.columns)
        return out[0] if vector else out

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return conj(T).T y for fields (batch, outputs)."""
        batch, vector = fields(y, self.shape[0], self.dtype, self.shape[1])
        out = (batch.conj() @ self.columns.T).conj().astype(self.dtype, copy=False)
        return out[0] if vector else out

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return a part of the matrix as a copy."""
        chosen = numbers(columns, self.shape[1], "columns"), numbers(rows, self.shape[0], "rows")
        require_room((chosen[1].size, chosen[0].size), self.dtype.itemsize, COPY, LESS)
        return self.columns[np.ix_(*chosen)].T


@public
@dataclass(frozen=True, eq=False)
class StoredMedium(DenseMedium):
    """A complex Gaussian matrix that is kept in memory and drawn at its first use.

    Its entries are independent circular complex Gaussians of variance transmission / outputs, so that a
    column has the mean power `transmission` (popoff2010). The singular values follow the Marchenko-Pastur
    law. An entry takes 8 bytes in single precision. Left out: correlations between entries.
    """

    outputs: int
    inputs: int
    seed: int = 0
    transmission: float = 1.0
    dtype: np.dtype[Any] = field(default_factory=lambda: precision("complex64"))
    entries: ComplexArray | None = None

    def __post_init__(self) -> None:
        check_size(self.outputs, self.inputs)
        check_whole(self, 0, seed=self.seed)
        check_number(self, 0.0, 1.0, transmission=self.transmission)
        object.__setattr__(self, "dtype", precision(self.dtype))
        if self.entries is not None:
            self._check_entries()

    def _check_entries(self) -> None:
        check_arguments(StoredMedium.__init__, {"entries": self.entries})
        found = np.asarray(self.entries)
        object.__setattr__(self, "entries", found)
        if found.shape != self.shape or not np.isfinite(found).all():
            message = f"StoredMedium: entries must be finite, of shape {self.shape}, got shape {found.shape}."
            raise ParameterError(message)

    @classmethod
    def of(cls, matrix: ArrayLike) -> StoredMedium:
        """Return the medium of a matrix (outputs, inputs) that was measured or made elsewhere."""
        try:
            found = np.asarray(matrix)
        except ValueError:
            found = np.empty(0, dtype=object)
        if found.dtype.kind not in "iufc":
            message = f"A medium is a matrix of numbers, got {shown(matrix)}."
            raise ParameterError(message)
        if found.ndim != 2:
            message = f"A medium is a matrix of shape (outputs, inputs), got an array of shape {found.shape}."
            raise ParameterError(message)
        outputs, inputs = found.shape
        return cls(outputs, inputs, dtype=np.result_type(found.dtype, np.complex64), entries=found)

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Outputs and inputs."""
        return self.outputs, self.inputs

    @cached_property
    def columns(self) -> ComplexArray:
        """The transposed matrix (inputs, outputs)."""
        if self.entries is not None:
            return np.ascontiguousarray(self.entries.T, dtype=self.dtype)
        instead = "a procedural medium (matrix: procedural) computes its entries where they are used"
        require_room(self.shape, self.dtype.itemsize, MATRIX, instead)
        rng = np.random.default_rng(self.seed)
        real = np.empty(0, self.dtype).real.dtype
        drawn: Any = rng.standard_normal((self.inputs, 2 * self.outputs), dtype=real)
        drawn *= np.sqrt(self.transmission / (2 * self.outputs))
        return drawn.view(self.dtype)  # type: ignore[no-any-return]


@public
def product(batch: Any, columns: ComplexArray) -> ComplexArray:
    """Return batch @ columns; batch (B, inputs) real or complex, columns (inputs, outputs) complex."""
    if np.iscomplexobj(batch):
        return np.asarray(batch @ columns)
    out: Any = batch @ columns.view(columns.real.dtype)
    return out.view(columns.dtype)  # type: ignore[no-any-return]


def largest_singular_value(matrix: NDArray[np.complex128]) -> float:
    """Return the largest singular value, of a large matrix by Lanczos' method: all would take minutes."""
    if min(matrix.shape) < _LARGE:
        return float(np.linalg.norm(matrix, 2))
    from scipy.sparse.linalg import svds

    start = np.ones(min(matrix.shape))
    return float(svds(matrix, k=1, v0=start, return_singular_vectors=False)[0])

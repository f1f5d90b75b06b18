"""What a scattering medium is: a fixed complex matrix that fields pass, whole or in part."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from photosim.bounds import MOST, check_number, check_whole, dtype_of, is_number
from photosim.errors import ParameterError
from photosim.memory import require_memory
from photosim.reals import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse.linalg import LinearOperator

ComplexArray: TypeAlias = "NDArray[np.complexfloating[Any, Any]]"
Selection: TypeAlias = "slice | Sequence[int] | NDArray[np.integer[Any]]"
"""Rows or columns of a matrix: a slice of step 1 or more, or their numbers."""

ALL = slice(None)
MATRIX, COPY = "To make a medium's matrix", "A copy of a medium's matrix"
"""What takes memory, for `require_room`."""
LESS = "take fewer rows or columns at a time, or send fields through it"


class Medium(ABC):
    """A matrix of shape (outputs, inputs) of complex amplitude ratios, fixed by disorder and a seed.

    `project` sends fields through it, `adjoint` its conjugate transpose;
    `block` returns any part of it, the same numbers each time. No medium that
    can avoid it holds the matrix in memory.
    """

    shape: tuple[int, int]
    seed: int
    dtype: np.dtype[Any]

    @abstractmethod
    def project(self, x: ArrayLike) -> ComplexArray:
        """Return the outgoing fields (batch, outputs) of incoming ones (batch, inputs), or of one (inputs,).

        The unit of the fields is the caller's; their precision is that of `dtype`.
        """

    @abstractmethod
    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return conj(T).T y, shape (batch, inputs), for fields (batch, outputs), or of one (outputs,)."""

    @abstractmethod
    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return the part (rows, columns) of the matrix, rows being outputs and columns inputs."""

    def at_wavelength(self, wl: float) -> Medium:
        """Return the medium as light of wl in um meets it: the same, where its model has no wavelength."""
        del wl
        return self

    def rows(self, rows: Selection) -> ComplexArray:
        """Return whole rows of the matrix, shape (rows, inputs)."""
        return self.block(rows)

    def as_linear_operator(self) -> LinearOperator:
        """Return the medium as scipy's linear operator, with products by the matrix and its adjoint."""
        from scipy.sparse.linalg import LinearOperator

        return LinearOperator(
            self.shape,
            matvec=lambda x: self.project(np.ravel(x)),
            rmatvec=lambda y: self.adjoint(np.ravel(y)),
            matmat=lambda x: self.project(np.transpose(x)).T,
            rmatmat=lambda y: self.adjoint(np.transpose(y)).T,
            dtype=self.dtype,
        )


@dataclass(frozen=True, eq=False)
class CountedMedium(Medium):
    """A medium of any size whose entries are functions of (seed, row, column) alone, and are never stored."""

    outputs: int
    inputs: int
    seed: int = 0
    transmission: float = 1.0

    def __post_init__(self) -> None:
        check_size(self.outputs, self.inputs)
        check_whole(self, 0, seed=self.seed)
        check_number(self, 0.0, 1.0, transmission=self.transmission)

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Outputs and inputs."""
        return self.outputs, self.inputs

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """Single precision: an entry has no more."""
        return np.dtype("complex64")

    @property
    def key(self) -> int:
        """The seed as entries are counted from it: never 0, whose hash is 0."""
        return self.seed or 2**64 - 1


def require_room(shape: tuple[int, int], each: float, what: str, instead: str) -> None:
    """Raise ParameterError where a matrix (outputs, inputs) needs more memory than there is.

    each: bytes for each of its entries, with what it takes to make them.
    """
    require_memory(each * shape[0] * shape[1], f"{what} of {shape[0]:,} x {shape[1]:,} entries", instead)


def fields(x: ArrayLike, width: int, dtype: np.dtype[Any], leaving: int) -> tuple[NDArray[Any], bool]:
    """Return fields as (batch, width), real if x is real, in the precision of dtype; and if x was a vector.

    leaving: fields of each that come out.
    Raises ParameterError for another width, or where what comes in and out needs more memory than there is.
    """
    array = np.asarray(x)
    if array.ndim not in {1, 2} or array.shape[-1] != width:
        message = f"The medium takes fields of shape (batch, {width}) or ({width},), got {array.shape}."
        raise ParameterError(message)
    batch = array.size // width
    what = f"A batch of {batch:,} patterns through a medium of {leaving:,} x {width:,} entries"
    require_memory(float(dtype.itemsize) * batch * (leaving + width), what, "send fewer at a time")
    kind = dtype if array.dtype.kind == "c" else np.empty(0, dtype).real.dtype
    return np.ascontiguousarray(np.atleast_2d(array), dtype=kind), array.ndim == 1


def numbers(selection: Selection, size: int, what: str) -> NDArray[np.int64]:
    """Return the numbers that a selection means; ParameterError for one outside 0 to size - 1."""
    if isinstance(selection, slice):
        return np.arange(*selection.indices(size))
    found = np.asarray(selection)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        message = f"The {what} of a block are a slice or a list of whole numbers, got {selection!r}."
        raise ParameterError(message)
    found = found.astype(np.int64)
    if found.size and (found.min() < 0 or found.max() >= size):
        wrong = found[(found < 0) | (found >= size)][0]
        message = f"The medium has {what} 0 to {size - 1}, so there is no {wrong}."
        raise ParameterError(message)
    return found


def precision(dtype: Any) -> np.dtype[Any]:
    """Return the complex dtype of a name; ParameterError for any but complex64 and complex128."""
    found = dtype_of(dtype)
    if found not in (np.dtype("complex64"), np.dtype("complex128")):
        message = (
            f"A medium computes in 'complex64' or 'complex128', got {shown(found.name if found else dtype)}."
        )
        raise ParameterError(message)
    return np.dtype(found)


def check_media(where: object, **media: object) -> None:
    """Raise ParameterError, beginning with the class of `where`, for what is not a medium."""
    for name, medium in media.items():
        if not isinstance(medium, Medium):
            message = f"{type(where).__name__}: {name} must be a Medium, got {shown(medium)}."
            raise ParameterError(message)


def check_size(outputs: int, inputs: int) -> None:
    """Raise ParameterError where a medium would have no input or no output."""
    for name, value in (("outputs", outputs), ("inputs", inputs)):
        if not is_number(value) or value % 1 or not 1 <= value <= MOST:
            message = f"A medium needs a whole number of {name}, 1 or more, got {shown(value)}."
            raise ParameterError(message)

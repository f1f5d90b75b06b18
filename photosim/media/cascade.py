"""Media one behind the other, parts of media, and nothing in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_whole, is_number
from photosim.errors import ParameterError
from photosim.media.medium import ALL, Medium, Selection, check_media, fields, numbers, precision
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.media.medium import ComplexArray


@public
@dataclass(frozen=True, eq=False)
class Identity(Medium):
    """A medium that changes nothing: every wave arrives as it left."""

    waves: int
    seed: int = 0
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype("complex64"))

    def __post_init__(self) -> None:
        check_whole(self, 1, waves=self.waves)
        check_whole(self, 0, seed=self.seed)
        object.__setattr__(self, "dtype", precision(self.dtype))

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Number of outputs and of inputs, which are equal."""
        return self.waves, self.waves

    def project(self, x: ArrayLike) -> ComplexArray:
        """Return the fields themselves, as complex numbers."""
        batch, vector = fields(x, self.waves, self.dtype, self.waves)
        out = batch.astype(self.dtype)
        return out[0] if vector else out

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return the fields themselves."""
        return self.project(y)

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return ones where row and column are the same wave."""
        row, column = numbers(rows, self.waves, "rows"), numbers(columns, self.waves, "columns")
        out: ComplexArray = (row[:, np.newaxis] == column).astype(self.dtype)
        return out


@public
@dataclass(frozen=True, eq=False)
class BusSlice(Medium):
    """Some outputs and inputs of a medium: its other inputs are dark, and its other outputs are not read.

    outputs, inputs: first wave, and one past the last wave.
    """

    base: Medium
    outputs: tuple[int, int]
    inputs: tuple[int, int]

    def __post_init__(self) -> None:
        check_media(self, base=self.base)
        parts: tuple[tuple[str, Any], ...] = (("outputs", self.outputs), ("inputs", self.inputs))
        for (name, part), size in zip(parts, self.base.shape, strict=True):
            pair = isinstance(part, tuple | list) and len(part) == 2
            whole = pair and all(is_number(end) and end % 1 == 0 for end in part)
            if not (whole and 0 <= part[0] < part[1] <= size):
                asked = f"[{part[0]}:{part[1]}]" if whole else shown(part)
                message = f"A bus of {size} {name} has no part {asked}: give 0 to {size}, rising."
                raise ParameterError(message)

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Number of selected outputs and inputs."""
        return self.outputs[1] - self.outputs[0], self.inputs[1] - self.inputs[0]

    def at_wavelength(self, wl: float) -> BusSlice:
        """Return the same slice of the medium at another wavelength in um."""
        return BusSlice(self.base.at_wavelength(wl), self.outputs, self.inputs)

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Seed of the whole medium."""
        return self.base.seed

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """Precision of the whole medium."""
        return self.base.dtype

    def project(self, x: ArrayLike) -> ComplexArray:
        """Return the fields (batch, outputs) at the selected outputs for fields at the selected inputs."""
        batch, vector = fields(x, self.shape[1], self.dtype, self.shape[0])
        whole = np.zeros((len(batch), self.base.shape[1]), dtype=batch.dtype)
        whole[:, slice(*self.inputs)] = batch
        out = self.base.project(whole)[:, slice(*self.outputs)]
        return out[0] if vector else out

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return conj(T).T y of the slice, (batch, inputs), for fields y (batch, outputs)."""
        batch, vector = fields(y, self.shape[0], self.dtype, self.shape[1])
        whole = np.zeros((len(batch), self.base.shape[0]), dtype=batch.dtype)
        whole[:, slice(*self.outputs)] = batch
        out = self.base.adjoint(whole)[:, slice(*self.inputs)]
        return out[0] if vector else out

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return some rows and columns of the matrix of the slice."""
        row = numbers(rows, self.shape[0], "rows") + self.outputs[0]
        return self.base.block(row, numbers(columns, self.shape[1], "columns") + self.inputs[0])


@public
@dataclass(frozen=True, eq=False)
class Cascade(Medium):
    """Several media in the order of the light; the product of their matrices is not computed."""

    stages: tuple[Medium, ...]

    def __post_init__(self) -> None:
        if not self.stages:
            message = "Cascade: stages must be one medium or more, got none."
            raise ParameterError(message)
        for stage in self.stages:
            check_media(self, stages=stage)
        for before, after in zip(self.stages[:-1], self.stages[1:], strict=True):
            if before.shape[0] != after.shape[1]:
                message = (
                    f"{before.shape[0]} waves leave a medium, but the one behind it has {after.shape[1]} "
                    "inputs: they must be as many."
                )
                raise ParameterError(message)

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Number of outputs of the last medium, and of inputs of the first one."""
        return self.stages[-1].shape[0], self.stages[0].shape[1]

    def at_wavelength(self, wl: float) -> Cascade:
        """Return the cascade of all media at that wavelength in um."""
        return Cascade(tuple(stage.at_wavelength(wl) for stage in self.stages))

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Seed of the first medium."""
        return self.stages[0].seed

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """Precision: double if one of the media has double precision."""
        return np.result_type(*(stage.dtype for stage in self.stages))

    def project(self, x: ArrayLike) -> ComplexArray:
        """Return the fields (batch, outputs) behind the last medium."""
        out: Any = x
        for stage in self.stages:
            out = stage.project(out)
        return np.asarray(out, dtype=self.dtype)

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return conj(T).T y of the product, (batch, inputs), for fields y (batch, outputs)."""
        out: Any = y
        for stage in self.stages[::-1]:
            out = stage.adjoint(out)
        return np.asarray(out, dtype=self.dtype)

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return some rows and columns of the product, computed from its shorter side."""
        row = numbers(rows, self.shape[0], "rows")
        column = numbers(columns, self.shape[1], "columns")
        if row.size < column.size:
            return self.adjoint(_units(row, self.shape[0])).conj()[:, column]
        return self.project(_units(column, self.shape[1]))[:, row].T


def _units(chosen: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Return unit vectors, shape (chosen, size)."""
    out = np.zeros((chosen.size, size), dtype=np.float32)
    out[np.arange(chosen.size), chosen] = 1.0
    return out

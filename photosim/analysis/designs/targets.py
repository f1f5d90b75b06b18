"""A wanted S-matrix, or any loss of one, as a value with exact slopes by the varied settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from photosim.analysis.passivity import check_matrix
from photosim.analysis.spectrum import default_inputs
from photosim.errors import DataError, ParameterError, did_you_mean
from photosim.netlist.forms import NameList
from photosim.netlist.mappings import read
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.designs.space import Bound, Space
    from photosim.circuit import Circuit
    from photosim.losses import Loss

    FloatArray = NDArray[np.float64]


NAMED = ("fourier", "identity")
"""Matrices by name."""
SUFFIXES = (".npy", ".csv")
_LONG = 200
"""Files of matrices."""


@dataclass(frozen=True)
class Wanted:
    """A target as it is written: rows of a matrix over `to`, a .npy or .csv file, `fourier` or `identity`.

    A file that a netlist names lies in the netlist's folder or below, any other in the working folder.

    powers: whether the matrix holds transmitted powers; else complex amplitudes.
    """

    matrix: Any
    starts: Annotated[NameList | None, Field(alias="from")] = None
    ends: Annotated[NameList | None, Field(alias="to")] = None
    powers: bool = False


@dataclass(frozen=True)
class Target:
    """A loss of the S-matrix at wavelengths wl (W,) in um, by the varied settings."""

    circuit: Circuit
    space: Space
    wl: FloatArray
    loss: Loss
    constant: Mapping[str, Any]
    bounds: tuple[Bound, ...]
    starts: tuple[str, ...]
    ends: tuple[str, ...]

    def __call__(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Return the loss and its slope by x (n,)."""
        settings = {**self.constant, **self.space.settings(x)}
        value, slopes = self.circuit.value_and_grad(
            self.loss, wl=self.wl, parameters=self.space.names, **settings
        )
        return value, np.array([float(slopes[n]) for n in self.space.names]) * self.space.slopes(x)

    def constraints(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return violations (k,) of the linear constraints and their slopes (k, n) by x."""
        values, gains = self.space.values(x), self.space.slopes(x)
        found = [one for bound in self.bounds for one in bound.violations(values)]
        if not found:
            return np.zeros(0), np.zeros((0, len(x)))
        return np.array([v for v, _ in found]), np.array([s * gains for _, s in found])

    def spectra(self, x: FloatArray) -> NDArray[np.complex128]:
        """Return waves (W, ends, starts)."""
        return self.circuit.transfer(
            self.wl, self.ends, self.starts, **{**self.constant, **self.space.settings(x)}
        )


def read_target(
    circuit: Circuit,
    space: Space,
    grid: FloatArray,
    target: Mapping[str, Any] | None,
    loss: Loss | None,
    constant: Mapping[str, Any],
    bounds: tuple[Bound, ...],
) -> Target:
    """Return a target or a loss made ready; ParameterError for a matrix that does not fit its ports."""
    from photosim import losses

    first = tuple(default_inputs(circuit.ports))
    last = tuple(p for p in circuit.ports if p not in first) or first
    if loss is not None:
        return Target(circuit, space, grid, loss, constant, bounds, first, last)
    wanted = read(Wanted, target or {}, "target")
    starts, ends = wanted.starts or first, wanted.ends or last
    for name in (*starts, *ends):
        if name not in circuit.ports:
            message = f"target: {name!r} is not a port of the circuit; it has {', '.join(circuit.ports)}."
            raise ParameterError(message)
    matrix = _matrix(wanted.matrix, (len(ends), len(starts)))
    check_matrix(circuit, matrix, starts, ends, powers=wanted.powers)
    if wanted.powers:
        powers = np.abs(matrix)
        made = losses.total(*(
            losses.target_spectrum((start, end), np.full(len(grid), powers[o, i]))
            for o, end in enumerate(ends) for i, start in enumerate(starts)
        ))  # fmt: skip
    else:
        made = losses.target_matrix(ends, starts, matrix)
    found = Target(circuit, space, grid, made, constant, bounds, starts, ends)
    _check_ways(found, matrix)
    return found


def _check_ways(target: Target, matrix: NDArray[np.complex128]) -> None:
    """Raise ParameterError for an element that is wanted where no light comes, whatever the settings are."""
    rng = np.random.default_rng(0)
    points = [target.space.x0, *(target.space.start(rng) for _ in range(2))]
    lit = np.any([np.any(target.spectra(x) != 0.0, axis=0) for x in points], axis=0)
    dark = np.argwhere(~lit & (np.abs(matrix) > 0.0))
    if len(dark):
        row, column = dark[0]
        message = (
            f"target: no light comes from {target.starts[column]!r} to {target.ends[row]!r}, but the "
            f"matrix has {shown(matrix[row, column])} there."
        )
        raise ParameterError(message)


def _matrix(value: Any, shape: tuple[int, int]) -> NDArray[np.complex128]:
    """Return a wanted matrix (ends, starts) of rows, of a file, or by name."""
    if isinstance(value, str):
        n = shape[0]
        if value in NAMED and shape[0] != shape[1]:
            message = f"target: the matrix {value} is square, but {shape[1]} ports lead to {shape[0]}."
            raise ParameterError(message)
        if value == "fourier":
            turns = np.outer(np.arange(n), np.arange(n)) / n
            return np.asarray(np.exp(2j * np.pi * turns) / np.sqrt(n), dtype=np.complex128)
        if value == "identity":
            return np.eye(n, dtype=np.complex128)
        value = _from_file(value)
    numbers = isinstance(value, np.ndarray) and value.dtype.kind in "iufc"
    try:
        found = np.asarray(value if numbers else [[_number(v) for v in row] for row in value])
    except (TypeError, ValueError, ParameterError):  # rows of different lengths are a ValueError
        found = np.empty(0)
    if found.shape != shape or not np.isfinite(found).all():
        wanted = f"{shape[0]} rows of {shape[1]} finite numbers"
        message = f"target: the matrix must be {wanted}, got {_instead(found, shape, value)}."
        raise ParameterError(message)
    return found.astype(np.complex128)


def _instead(found: NDArray[Any], shape: tuple[int, int], value: Any) -> str:
    """Return what a matrix is that is not the wanted one, without its many numbers."""
    if found.shape == shape:
        return "some that are not finite"
    if found.ndim == 2:
        return f"{found.shape[0]} rows of {found.shape[1]}"
    text = shown(value)
    return text if len(text) < _LONG else "rows of different lengths, or entries that are not numbers"


def _number(value: Any) -> complex:
    if isinstance(value, int | float | complex | np.number) and not isinstance(value, bool):
        return complex(value)
    if isinstance(value, str):
        try:
            return complex(value.replace(" ", "").replace("i", "j"))
        except ValueError:
            pass
    message = f"{shown(value)} is not a number."
    raise ParameterError(message)


def _from_file(name: str) -> Any:
    """Return the matrix of a .npy or .csv file."""
    path = Path(name)
    if path.suffix.lower() not in SUFFIXES:
        message = (
            f"target: there is no matrix {name!r}: write rows, fourier, identity, or a .npy or .csv file."
        )
        raise ParameterError(message + did_you_mean(name, NAMED))
    if not path.is_file():
        message = f"target: there is no file {path}."
        raise DataError(message)
    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, allow_pickle=False)
        return np.loadtxt(path, delimiter=",", dtype=np.complex128, ndmin=2)
    except (OSError, ValueError) as error:
        message = f"Cannot read the matrix {path}: {error}"
        raise DataError(message) from error

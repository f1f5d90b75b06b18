"""Phases of a mesh for a matrix, and back: Clements and Reck decompositions, and pairs of meshes by SVD.

Blocks and their numbering are those of the components `clements_mesh`, `reck_mesh` and `svd_mesh`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_choice, check_number
from photosim.components.mesh_places import PLACES, Arrangement, dark_guides, reach
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.reals import NotReal, as_real, shown
from photosim.smatrix import ByValue
from photosim.training.arrays import ComplexArray, FloatArray, IndexArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

UNITARY_WITHIN = 1e-8
"""Largest element of U^H U - 1 that passes: far above rounding, far below what is meant not to be unitary."""
LARGEST = 256
"""Guides of the largest mesh, as the components have it."""
_PADDING = 4
"""Unused columns of the work array: rows 4096 bytes apart would all compete for one place in the cache."""

Change = Callable[[FloatArray], FloatArray]
"""What happens to an array of phases."""
Settings = dict[str, dict[str, float]]
"""Settings of a mesh's instances, as a call of a circuit nests them."""


@public
@dataclass(frozen=True, eq=False)
class MeshPhases(ByValue):
    """Phases in rad of a mesh of n guides and K blocks, n (n - 1)/2 of them in a rectangle or triangle.

    theta, phi: shape (K,), in the order of `places`.  end: output phases, shape (n,).  arrangement: order of
    the blocks, such as "clements".
    """

    arrangement: Arrangement
    theta: FloatArray
    phi: FloatArray
    end: FloatArray

    def __post_init__(self) -> None:
        """Raise ParameterError for an arrangement that there is not, and phases that are not numbers."""
        check_choice(self, get_args(Arrangement), arrangement=self.arrangement)
        _check_phases(self, theta=self.theta, phi=self.phi, end=self.end)

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """Column and first guide of each block, column by column from the inputs."""
        return places_of(self.arrangement, self.end.size)

    def settings(self) -> Settings:
        """Return the settings of the component with these phases, {"m0_0": {"theta": ...}, "end0": ...}."""
        blocks = {
            f"m{column}_{mode}": {"theta": float(theta), "phi": float(phi)}
            for (column, mode), theta, phi in zip(self.places, self.theta, self.phi, strict=True)
        }
        return {**blocks, **{f"end{k}": {"phase": float(phase)} for k, phase in enumerate(self.end)}}

    def changed(self, change: Change) -> MeshPhases:
        """Return the phases with the same function applied to all of them."""
        return MeshPhases(self.arrangement, change(self.theta), change(self.phi), change(self.end))

    def matrix(self) -> ComplexArray:
        """Return the unitary (n, n), outputs by inputs, of a mesh without errors that has these phases."""
        s, c = np.sin(self.theta / 2), np.cos(self.theta / 2)
        whole, turn = 1j * np.exp(0.5j * self.theta), np.exp(1j * self.phi)
        blocks = np.stack([whole * turn * s, whole * c, whole * turn * c, -whole * s], axis=-1)
        return matrix_of_blocks(self.arrangement, blocks.reshape(-1, 2, 2), np.exp(1j * self.end))


@public
@dataclass(frozen=True)
class PairPhases:
    """Phases of two meshes with attenuators between them, which hold a matrix divided by `scale`.

    v, u: the first and the last mesh on the way of the light.  theta, phi: of the attenuators in rad, (n,).
    """

    v: MeshPhases
    theta: FloatArray
    phi: FloatArray
    u: MeshPhases
    scale: float

    def __post_init__(self) -> None:
        """Raise ParameterError for phases that are not finite numbers, and a scale below 0."""
        _check_phases(self, theta=self.theta, phi=self.phi)
        check_number(self, 0.0, scale=self.scale)

    def settings(self) -> dict[str, dict[str, float] | Settings]:
        """Return the settings of the component `svd_mesh` with these phases."""
        middle = {
            f"a{k}": {"theta": float(theta), "phi": float(phi)}
            for k, (theta, phi) in enumerate(zip(self.theta, self.phi, strict=True))
        }
        return {"v": self.v.settings(), "u": self.u.settings(), **middle}

    def changed(self, change: Change) -> PairPhases:
        """Return the phases with the same function applied to all of them, and the same scale."""
        theta, phi = change(self.theta), change(self.phi)
        return PairPhases(self.v.changed(change), theta, phi, self.u.changed(change), self.scale)

    def matrix(self) -> ComplexArray:
        """Return scale times the matrix (n, n), outputs by inputs, of a pair without errors."""
        passed = 1j * np.exp(1j * (self.theta / 2 + self.phi)) * np.sin(self.theta / 2)
        return np.asarray(self.scale * (self.u.matrix() * passed) @ self.v.matrix())


def _check_phases(where: object, **phases: Any) -> None:
    """Raise ParameterError, beginning with the class of `where`, unless phases are finite and (K,) each."""
    for name, values in phases.items():
        plain = type(values) is np.ndarray and values.dtype.kind == "f" and values.ndim == 1
        if plain and np.isfinite(values).all():
            continue  # as in every pass
        try:
            found = np.asarray(as_real(values), dtype=np.float64)
        except NotReal as reason:
            if np.shape(values) == (0,):
                continue
            message = f"{type(where).__name__}: {name} must be phases in rad, {reason}."
            raise ParameterError(message) from None
        if found.ndim != 1 or not np.isfinite(found).all():
            message = f"{type(where).__name__}: {name} must be a list of finite phases, got {shown(values)}."
            raise ParameterError(message)


@public
def decompose(unitary: ArrayLike | ComplexArray, arrangement: Arrangement = "clements") -> MeshPhases:
    """Return the phases of the mesh that holds a unitary matrix (n, n), outputs by inputs, 2 <= n <= 256.

    The algorithms are those of Clements et al. 2016 and Reck et al. 1994, for physical blocks; the matrix of
    the phases agrees within 1e-14 of its norm. theta lies between 0 and pi. It is pi (bar state) in blocks
    that are not needed, as in the mirrored half of a diamond.

    arrangement: order of the blocks; a butterfly holds few unitaries and is an error.

    Raises ParameterError for another arrangement, and for a matrix that is not square, too small or large, or
    not unitary.

    >>> import numpy as np
    >>> unitary = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    >>> bool(np.allclose(decompose(unitary).matrix(), unitary))
    True
    """
    from photosim.kernels.meshes import columns_of, take_apart_clements, take_apart_reck

    if _known(arrangement) == "butterfly":
        message = (
            "A butterfly mesh holds few of the unitaries, so none is taken apart for it: train its phases."
        )
        raise ParameterError(message)
    if arrangement == "diamond":
        return _mirrored(decompose(unitary, "reck"))
    n, work = _unitary(unitary)
    take_apart = {"clements": take_apart_clements, "reck": take_apart_reck}[arrangement]
    count = n * (n - 1) // 2
    modes, columns = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    theta, phi, end = np.empty(count), np.empty(count), np.empty(n)
    take_apart(work, modes, theta, phi, end)
    columns_of(modes, np.zeros(n, dtype=np.int64), columns)
    order = np.lexsort((modes, columns))
    return MeshPhases(arrangement, theta[order], phi[order], end)


@public
def decompose_pair(
    matrix: ArrayLike | ComplexArray, n: int | None = None, arrangement: Arrangement = "clements"
) -> PairPhases:
    """Return the phases of an `svd_mesh` of n guides that holds a real or complex matrix (outputs, inputs).

    They follow from the singular value decomposition U diag(a) V^H. The matrix is divided by its largest
    singular value, `scale`, because a passive circuit has no gain, and padded with zeros. A zero matrix has
    scale 0.

    n: number of guides, by default the larger side of the matrix and at least 2.  arrangement: order of the
    blocks in both meshes, "clements" or "reck".

    Raises ParameterError for a matrix that is empty, not finite or larger than n.
    """
    target = np.asarray(matrix, dtype=np.complex128)
    if target.ndim != 2 or not target.size or not np.isfinite(target).all():
        message = f"A pair of meshes holds a finite matrix (outputs, inputs), got shape {target.shape}."
        raise ParameterError(message)
    guides = max(2, *target.shape) if n is None else n
    if max(target.shape) > guides or guides > LARGEST:
        message = f"A mesh of {guides} guides (2 to {LARGEST}) cannot hold a matrix of shape {target.shape}."
        raise ParameterError(message)
    padded = np.zeros((guides, guides), dtype=np.complex128)
    padded[: target.shape[0], : target.shape[1]] = target
    u, values, v = np.linalg.svd(padded)
    scale = float(values[0])
    theta = 2.0 * np.arcsin(np.minimum(values / scale, 1.0)) if scale > 0.0 else np.zeros(guides)
    # The attenuator's own phase, i exp(i theta/2), is taken back by its outer shifter.
    phi = -0.5 * np.pi - 0.5 * theta
    return PairPhases(decompose(v, arrangement), theta, phi, decompose(u, arrangement), scale)


def places_of(arrangement: Arrangement, n: int) -> tuple[tuple[int, int], ...]:
    """Return column and first guide of every block, column by column; ParameterError for an unknown name."""
    return PLACES[_known(arrangement)](n)


def matrix_of_blocks(arrangement: Arrangement, blocks: ComplexArray, ends: ComplexArray) -> ComplexArray:
    """Return the matrix (n, n) of a mesh of any 2 x 2 blocks (K, 2, 2), with factors (n,) at its outputs."""
    from photosim.kernels.meshes import send_through

    n, dark = ends.size, dark_guides(arrangement, ends.size)
    fields = np.eye(n + dark, n, -dark, dtype=np.complex128)
    send_through(np.ascontiguousarray(blocks), pairs_of(arrangement, n), fields)
    return np.asarray(ends[:, np.newaxis] * fields[dark:])


@cache
def pairs_of(arrangement: Arrangement, n: int) -> IndexArray:
    """Return the two guides of every block, shape (K, 2), in the order of `places_of`."""
    places = places_of(arrangement, n)
    pairs = np.array([(mode, mode + reach(arrangement, column)) for column, mode in places], dtype=np.int64)
    pairs.flags.writeable = False
    return pairs


def _mirrored(triangle: MeshPhases) -> MeshPhases:
    """Return the phases of a diamond whose lower half is the triangle and whose other blocks do nothing."""
    n = triangle.end.size
    places = places_of("diamond", n)
    theta, phi = np.full(len(places), np.pi), np.zeros(len(places))
    own = {(column, mode + n - 2): k for k, (column, mode) in enumerate(triangle.places)}
    for k, place in enumerate(places):
        if place in own:
            theta[k], phi[k] = triangle.theta[own[place]], triangle.phi[own[place]]
    return MeshPhases("diamond", theta, phi, triangle.end)


def _known(arrangement: str) -> str:
    if arrangement not in PLACES:
        message = f"No arrangement of a mesh is named {arrangement!r}; there are {listing(PLACES)}."
        raise ParameterError(message + did_you_mean(arrangement, PLACES))
    return arrangement


def _unitary(matrix: ArrayLike | ComplexArray) -> tuple[int, ComplexArray]:
    """Return the size of a unitary matrix and a copy to work on, or say what is wrong with it."""
    target = np.asarray(matrix, dtype=np.complex128)
    if target.ndim != 2 or target.shape[0] != target.shape[1] or not 2 <= len(target) <= LARGEST:
        message = f"A mesh holds a square matrix of 2 to {LARGEST} guides, got shape {target.shape}."
        raise ParameterError(message)
    n = len(target)
    off = float(np.abs(target.conj().T @ target - np.eye(n)).max())
    if not off <= UNITARY_WITHIN:
        message = (
            f"A mesh holds unitary matrices only; here U^H U differs from 1 by {off:.3g}, more than "
            f"{UNITARY_WITHIN:g}. Any other matrix takes a pair of meshes: decompose_pair(matrix)."
        )
        raise ParameterError(message)
    work = np.empty((n, n + _PADDING), dtype=np.complex128)[:, :n]
    work[:] = target
    return n, work

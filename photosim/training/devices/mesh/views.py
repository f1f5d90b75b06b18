"""Fields of a mesh as its kernels see them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosim.training.arrays import IndexArray

Fields = NDArray[np.complexfloating]
"""Complex amplitudes in single or double precision, shape (batch, guides)."""
Reals = NDArray[np.floating]


def real_view(z: Fields) -> Reals:
    """Return complex numbers as pairs of real ones, without a copy."""
    return z.view(z.real.dtype).reshape(*z.shape, 2)


def lanes_of(kind: np.dtype[Any]) -> int:
    """Return how many complex samples of this type the kernels take at a time."""
    from photosim.kernels.mesh_batches import ROW_BYTES

    return 2 * ROW_BYTES // kind.itemsize


def unsigned(pairs: IndexArray) -> NDArray[np.uint64]:
    """Return guides of blocks as the kernels want them."""
    found = np.ascontiguousarray(pairs, dtype=np.uint64)
    found.flags.writeable = False
    return found


def no_ends(guides: int, kind: np.dtype[Any]) -> Reals:
    """Return output shifters (guides, 2) that do nothing, as the kernels want them."""
    plain = np.zeros((guides, 2), kind)
    plain[:, 0] = 1.0
    return plain

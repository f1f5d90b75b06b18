"""Blocks of a mesh taken together in patches of few guides, so that BLAS sends fields through them.

A block in column c on guides m and m + 1 gets light only from blocks before it, whose columns are smaller and
whose guides differ by at most one. With p = (c + m) // 2 and q = (c - m) // 2 none of them has a larger p or
q: blocks whose p and q lie in two intervals of SIDE are a patch, and patches in the order of their intervals
never wait for a later one. A patch has at most SIDE**2 blocks and about 2 SIDE guides: a small matrix. Fields
of all inputs are multiplied by it, and a gradient goes through its blocks with as many columns as it has
guides, where each block would see as many as the mesh has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.training.arrays import FloatArray, IndexArray
from photosim.training.devices.mesh.views import Fields, Reals, no_ends, real_view, unsigned
from photosim.training.devices.mesh.way_back import WayBack, WorkArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 16
"""Blocks along a side of a patch: its guides fill one slice of the kernels in single precision."""
FEWEST = 96
"""Guides from which a mesh is taken in patches; smaller ones have too few of them to gain."""


@dataclass(frozen=True)
class Patch:
    """Some blocks in a row, and the guides that they join.

    guides: of the mesh.  blocks: in the order of patches.  pairs: the two guides of each block, counted from
    the first guide of the patch.  lit: inputs of the mesh whose light reaches these guides.
    """

    guides: slice
    blocks: slice
    pairs: NDArray[np.uint64]
    lit: slice


@dataclass(frozen=True)
class Patches:
    """The patches of a mesh, in an order in which light may meet them, and that order of its blocks (K,)."""

    order: IndexArray
    patches: tuple[Patch, ...]

    @property
    def largest(self) -> tuple[int, int]:
        """The most guides and the most blocks of a patch."""
        guides = max(patch.guides.stop - patch.guides.start for patch in self.patches)
        return guides, max(len(patch.pairs) for patch in self.patches)

    @classmethod
    def of(cls, pairs: Any, guides: int, dark: int) -> Patches | None:
        """Return the patches of blocks on these pairs (K, 2); None for few guides, or guides that are apart.

        dark: guides before the first input.
        """
        from photosim.kernels.meshes import columns_of

        modes = np.ascontiguousarray(pairs[:, 0], dtype=np.int64)
        if guides < FEWEST or np.any(pairs[:, 1].astype(np.int64) != modes + 1):
            return None
        columns = np.empty_like(modes)
        columns_of(modes, np.zeros(guides, np.int64), columns)
        along, across = (columns + modes) // (2 * SIDE), (columns - modes) // (2 * SIDE)
        order = np.lexsort((np.arange(len(modes)), across, along))
        changes = np.flatnonzero(np.diff(along[order]) | np.diff(across[order])) + 1
        reach = np.stack([np.arange(guides) - dark, np.arange(guides) - dark + 1])
        reach[:, :dark] = [[guides], [0]]
        patches = []
        for first, last in zip([0, *changes], [*changes, len(order)], strict=True):
            own = modes[order[first:last]]
            span = slice(int(own.min()), int(own.max()) + 2)
            lit = slice(int(reach[0, span].min()), int(reach[1, span].max()))
            if lit.start < lit.stop:
                reach[:, span] = [[lit.start], [lit.stop]]
            local = np.stack([own, own + 1], axis=-1) - span.start
            patches.append(Patch(span, slice(int(first), int(last)), unsigned(local), lit))
        return cls(order, tuple(patches))


@dataclass(frozen=True)
class Built:
    """The matrix that patches make, and what its gradient needs.

    fields: before the output shifters, guides by inputs.  entries: of the blocks in the order of patches.
    matrices, came: of each patch, inputs by outputs, and the fields that came into it.
    """

    patches: Patches
    entries: Any
    fields: Fields
    matrices: tuple[Fields, ...]
    came: tuple[Fields, ...]

    def gradient(self, ends: Fields, cotangent: Fields, totals: FloatArray) -> None:
        """Add the gradient to totals (2 K + guides,), given the cotangent of the matrix, inputs by outputs.

        totals: of theta and phi of each block in turn, then of the output phases.  ends: (guides,).
        """
        count, (guides, inputs) = len(self.entries), self.fields.shape
        back = np.zeros((guides, inputs), self.fields.dtype)
        back[guides - inputs :] = cotangent.T
        back *= ends.conj()[:, np.newaxis]
        totals[2 * count :] += np.sum((back * self.fields.conj()).imag, axis=1)
        own = np.zeros(2 * count)
        size, most = self.patches.largest
        work = WorkArrays.of(size, most, self.entries.dtype)
        parts = zip(self.patches.patches, self.matrices, self.came, strict=True)
        for patch, matrix, came in reversed(tuple(parts)):
            if patch.lit.start >= patch.lit.stop:
                continue
            behind = back[patch.guides, patch.lit]
            by_matrix = np.ascontiguousarray((behind @ came.conj().T).T)
            unit, plain = units_of(len(matrix), self.entries.dtype)
            found = np.zeros(2 * len(patch.pairs) + len(matrix))
            WayBack(work, self.entries[patch.blocks], patch.pairs, plain, found).go(unit, by_matrix)
            own[2 * patch.blocks.start : 2 * patch.blocks.stop] = found[: 2 * len(patch.pairs)]
            back[patch.guides, patch.lit] = matrix.conj() @ behind
        totals[: 2 * count].reshape(count, 2)[self.patches.order] += own.reshape(count, 2)


def build(patches: Patches, entries: Any, guides: int, dark: int) -> Built:
    """Return the matrix of blocks with these entries (K, 14), in real numbers, as the kernels have them."""
    from photosim.kernels.mesh_batches import drop_tiny, send_batch

    kind = np.result_type(entries.dtype, np.complex64)
    mine = np.ascontiguousarray(entries[patches.order])
    fields = np.zeros((guides, guides - dark), kind)
    fields[dark:].flat[:: guides - dark + 1] = 1.0
    least = np.finfo(entries.dtype).tiny / np.finfo(entries.dtype).eps
    matrices, came = [], []
    for patch in patches.patches:
        size = patch.guides.stop - patch.guides.start
        unit, plain = units_of(size, entries.dtype)
        matrix = np.empty((size, size), kind)
        send_batch(mine[patch.blocks], patch.pairs, plain, real_view(unit), real_view(matrix))
        own = fields[patch.guides, patch.lit].copy()
        sent = matrix.T @ own
        # Light that went through hundreds of blocks may be so weak that processors count a hundred times
        # slower with it. What is dropped is far below the rounding of what it is added to.
        drop_tiny(sent.view(entries.dtype), least)
        fields[patch.guides, patch.lit] = sent
        matrices.append(matrix)
        came.append(own)
    return Built(patches, mine, fields, tuple(matrices), tuple(came))


@cache
def units_of(size: int, kind: np.dtype[Any]) -> tuple[Fields, Reals]:
    """Return the unit matrix and output shifters that do nothing, as the kernels want them."""
    return np.eye(size, dtype=np.result_type(kind, np.complex64)), no_ends(size, kind)

"""The way back through blocks: a slice of a batch goes forth and is kept, its cotangent comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.training.devices.mesh.views import Fields, Reals, lanes_of, no_ends, real_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.training.arrays import FloatArray

SEGMENT = 2048
"""Blocks whose inputs are kept for the way back, 1 MB; those of earlier ones are computed once more."""


@dataclass(frozen=True)
class WorkArrays:
    """What a slice of a batch is computed in, made once for many ways back.

    fields, back: the slice, and its cotangent.  kept: what came into each block.  rows: derivatives of each
    sample.  lit, dark: guides with light, blocks without.
    """

    fields: Any
    back: Any
    kept: Any
    rows: Any
    lit: NDArray[np.bool_]
    dark: NDArray[np.bool_]
    lanes: int

    @classmethod
    def of(cls, guides: int, count: int, kind: np.dtype[Any]) -> WorkArrays:
        """Return arrays for up to so many guides and blocks, in the precision of the real numbers `kind`."""
        lanes, most = lanes_of(kind) // 2, min(count, SEGMENT)
        fields, back = np.empty((2, 2 * guides * lanes), kind)
        kept, rows = np.empty(4 * most * lanes, kind), np.empty((most, 2 * lanes), kind)
        return cls(fields, back, kept, rows, np.empty(guides, np.bool_), np.empty(count, np.bool_), lanes)


@dataclass(frozen=True)
class WayBack:
    """Blocks with entries (K, 14) on pairs (K, 2) of guides, ahead of output shifters `ends` (G, 2).

    totals: (2 K + G,), gets the gradient: of theta and phi of each block in turn, then of the ends.
    """

    work: WorkArrays
    entries: Reals
    pairs: NDArray[np.uint64]
    ends: Reals
    totals: FloatArray

    def go(self, x: Fields, cotangent: Fields, *, inputs: Fields | None = None) -> None:
        """Add the gradient of a batch x with a cotangent (B, G) to the totals; fill that of the inputs."""
        given, ahead = real_view(x), real_view(cotangent)
        wanted = None if inputs is None else real_view(inputs)
        for low in range(0, len(x), self.work.lanes):
            self._slice(given, ahead, low, wanted)

    def _slice(self, x: Reals, cotangent: Reals, low: int, inputs: Reals | None) -> None:
        from photosim.kernels.mesh_batches import (
            add_rows,
            find_dark,
            load_slice,
            segment_back,
            segment_forth,
            store_slice,
            turn_round,
        )

        work, entries, pairs, count = self.work, self.entries, self.pairs, len(self.entries)
        load_slice(x, low, work.fields, work.lit)
        if inputs is not None:  # every guide counts as lit
            work.lit[:] = True
        find_dark(pairs, work.lit, work.dark)
        parts = [slice(first, first + SEGMENT) for first in range(0, count, SEGMENT)]
        marks = []
        for own in parts:
            marks.append(work.fields.copy() if own.stop < count else work.fields)
            segment_forth(work.fields, entries[own], pairs[own], work.dark[own], work.kept)
        turn_round(work.fields, work.back, self.ends, low, cotangent, self.totals[2 * count :])
        for own, mark in zip(reversed(parts), reversed(marks), strict=True):
            if own.stop < count:  # of the last segment the inputs are still there
                segment_forth(mark, entries[own], pairs[own], work.dark[own], work.kept)
            segment_back(work.back, entries[own], pairs[own], work.dark[own], work.kept, work.rows)
            add_rows(work.rows[: len(entries[own])], self.totals[2 * own.start : 2 * own.stop])
        if inputs is not None:
            store_slice(work.back, no_ends(len(self.ends), self.ends.dtype), low, inputs)

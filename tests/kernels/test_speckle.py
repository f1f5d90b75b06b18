"""The kernels of matrices that are never stored agree with each other, compiled or not."""

from __future__ import annotations

import numpy as np

from photosim.kernels.speckle import LANES, POINTS, add_columns, fill_tile, pick

SEED = np.uint64(11)
TABLE = np.exp(2j * np.pi * np.arange(POINTS) / POINTS).astype(np.complex64)


def test_tiles_sums_and_single_entries_agree() -> None:
    rows, columns = np.arange(8, 8 + 3 * LANES), np.arange(5, 12)
    tile = np.empty((columns.size, rows.size), dtype=np.uint64)
    entries = np.empty((rows.size, columns.size), dtype=np.complex64)
    summed = np.zeros(rows.size, dtype=np.complex128)
    with np.errstate(over="ignore"):  # hashes wrap round, which uncompiled numpy remarks
        fill_tile(SEED, TABLE.view(np.uint64), 5, 8, tile)
        pick(SEED, TABLE, rows, columns, entries)
        add_columns(SEED, TABLE, columns, 8, summed)
    np.testing.assert_array_equal(tile.view(np.complex64), entries.T)
    np.testing.assert_allclose(summed, entries.astype(np.complex128).sum(axis=1), atol=1e-6)
    assert np.unique(entries).size > 70  # 84 draws of 4096 values

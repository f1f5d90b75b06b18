"""Gaussian media that are never stored: every entry is computed where it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_whole
from photosim.errors import ParameterError
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
from photosim.memory import say_time

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.media.medium import ComplexArray

TILE = (1024, 256)
"""Inputs and outputs of a tile: 2 MB, which a core's own cache holds. One of 16 MB is filled half as fast."""
ENTRY_SECONDS, PRODUCT_SECONDS = 2e-9, 1e-10
"""What an entry of a tile takes on one core, and what it takes to multiply it with one pattern more."""
ALONE = 2
"""Largest batch of zeros and ones that is summed entry by entry, without a tile: break-even is near 3."""


@public
@dataclass(frozen=True, eq=False)
class ProceduralMedium(CountedMedium):
    """A complex Gaussian matrix of any size that needs the memory of one tile only.

    The entries are independent and have the variance transmission / outputs. Each is a function of (seed,
    row, column), so that it does not depend on tile, batch or number of threads. It takes one of 4096 values,
    distributed like a circular Gaussian. Mean and E T**2 are exactly 0. |T|**2 is the mean of one of 1024
    slices of equal probability of the exponential distribution, so that its contrast is 0.9995 and its
    largest value 7.9 times the mean. Sums of several entries are closer to a Gaussian. Left out: correlations
    between entries.

    threads: number of output tiles that are computed at once, each in its own memory.
    """

    threads: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, 1, threads=self.threads)

    @cached_property
    def table(self) -> NDArray[np.complex64]:
        """The values of entries, (POINTS,)."""
        scale = np.sqrt(self.transmission / self.outputs)
        table: NDArray[np.complex64] = (gaussian_points() * scale).astype(np.complex64)
        return table

    def project(self, x: ArrayLike) -> ComplexArray:
        """Return T x for fields (batch, inputs), by tiles, or without any for a few binary patterns."""
        batch, vector = fields(x, self.inputs, self.dtype, self.outputs)
        if len(batch) <= ALONE and not np.iscomplexobj(batch) and ((batch == 0) | (batch == 1)).all():
            out: ComplexArray = np.stack([self.sum_columns(np.flatnonzero(row)) for row in batch])
        else:
            self._say_time(len(batch))
            out = self._by_tiles(batch)
        return out[0] if vector else out

    def _say_time(self, batch: int) -> None:
        """Warn where so many patterns take long to carry through the matrix."""
        entries = float(self.outputs) * self.inputs
        what = f"To carry {batch:,} patterns through {self.outputs:,} x {self.inputs:,} computed entries"
        seconds = entries * (ENTRY_SECONDS + PRODUCT_SECONDS * batch) / self.threads
        say_time(seconds, what, "one or two patterns of zeros and ones cost their lit inputs alone")

    def _by_tiles(self, batch: NDArray[Any]) -> ComplexArray:
        """Return batch @ T.T, by one real product a tile where the fields are real."""
        strips = [np.ascontiguousarray(batch[:, c : c + TILE[0]]) for c in range(0, self.inputs, TILE[0])]
        out = np.empty((len(batch), self.outputs), dtype=self.dtype)

        def work(rows: slice, tiles: Iterator[ComplexArray]) -> None:
            # Complex numbers seen as pairs of real ones where the fields are real. Not scipy's gemm, which
            # would add in place, but holds the interpreter's lock.
            width = (rows.stop - rows.start) * self.dtype.itemsize // batch.dtype.itemsize
            total = np.zeros((len(batch), width), dtype=batch.dtype)
            part = np.empty_like(total)
            for strip, tile in zip(strips, tiles, strict=True):
                total += np.matmul(strip, tile.view(batch.dtype), out=part)
            out[:, rows] = total.view(self.dtype)

        self._share(work)
        return out

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return conj(T).T y for fields (batch, outputs), tile by tile on one thread."""
        batch, vector = fields(y, self.outputs, self.dtype, self.inputs)
        self._say_time(len(batch))
        turned, out = batch.conj(), np.zeros((len(batch), self.inputs), dtype=self.dtype)
        memory = self._memory()
        with _blas().limit(limits=1, user_api="blas"):
            for rows in self._rows():
                for k, tile in enumerate(self._tiles(rows, memory)):
                    out[:, k * TILE[0] : k * TILE[0] + len(tile)] += turned[:, rows] @ tile.T
        out = out.conj()
        return out[0] if vector else out

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return some rows and columns of the matrix; the cost is that of these entries alone."""
        from photosim.kernels.speckle import pick

        row, column = numbers(rows, self.outputs, "rows"), numbers(columns, self.inputs, "columns")
        require_room((row.size, column.size), self.dtype.itemsize, COPY, LESS)
        out = np.empty((row.size, column.size), dtype=self.dtype)
        pick(np.uint64(self.key), self.table, row, column, out)
        return out

    def sum_columns(self, lit: NDArray[np.int64], rows: slice = ALL) -> NDArray[np.complex64]:
        """Return the sum of the columns `lit`, over rows that begin at a multiple of 4.

        This is T x for a binary pattern x. It needs no tile, and dark inputs cost nothing.
        """
        from photosim.kernels.speckle import LANES, add_columns

        first, end, _ = rows.indices(self.outputs)
        if first % LANES:
            message = f"Rows are summed from a multiple of {LANES} on, which {first} is not."
            raise ParameterError(message)
        summed = np.zeros(-(-(end - first) // LANES) * LANES, dtype=np.complex128)
        step = -(-len(summed) // LANES // self.threads) * LANES or LANES

        def work(start: int) -> None:
            add_columns(np.uint64(self.key), self.table, lit, first + start, summed[start : start + step])

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(work, range(0, len(summed), step)))
        return summed[: end - first].astype(np.complex64)

    def _rows(self) -> list[slice]:
        """Return the rows of each column of tiles."""
        starts = range(0, self.outputs, TILE[1])
        return [slice(first, min(first + TILE[1], self.outputs)) for first in starts]

    def _memory(self) -> NDArray[np.uint64]:
        """Return room for one tile, its width a whole number of hashes."""
        return np.empty((min(TILE[0], self.inputs), -(-min(TILE[1], self.outputs) // 4) * 4), dtype=np.uint64)

    def _tiles(self, rows: slice, memory: NDArray[np.uint64]) -> Iterator[ComplexArray]:
        """Yield the tiles (inputs, outputs) of some rows one after the other, each in the same memory."""
        from photosim.kernels.speckle import LANES, fill_tile

        width = rows.stop - rows.start
        padded = -(-width // LANES) * LANES
        for first in range(0, self.inputs, TILE[0]):
            tile = memory.reshape(-1)[: min(TILE[0], self.inputs - first) * padded].reshape(-1, padded)
            fill_tile(np.uint64(self.key), self.table.view(np.uint64), first, rows.start, tile)
            yield tile.view(np.complex64)[:, :width]

    def _share(self, work: Callable[[slice, Iterator[ComplexArray]], None]) -> None:
        """Do the work of each column of tiles, some at a time, each thread in a memory of its own."""
        rows = self._rows()

        def part(number: int) -> None:
            memory = self._memory()
            for own in rows[number :: self.threads]:
                work(own, self._tiles(own, memory))

        # Whole tiles are shared out: BLAS's own threads would wait for each other at every tile.
        with _blas().limit(limits=1, user_api="blas"):
            if self.threads == 1:
                part(0)
                return
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(part, range(self.threads)))


@lru_cache(maxsize=1)
def _blas() -> Any:
    """Return the control of BLAS's threads; looking for its libraries takes milliseconds, so once."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@lru_cache(maxsize=1)
def gaussian_points() -> NDArray[np.complex128]:
    """Return 4096 points that lie like a circular complex Gaussian of unit variance.

    A spiral of 1024, each at the golden angle from the one before and with the mean power of its one of 1024
    equal slices of the exponential law, in each of four orientations.
    """
    edges = -np.log1p(-np.arange(1024) / 1024)
    beyond = np.append((edges + 1) * np.exp(-edges), 0.0)  # mean power beyond an edge, times its chance
    powers = 1024 * -np.diff(beyond)
    spiral = np.sqrt(powers) * np.exp(1j * np.pi * (3 - np.sqrt(5)) * np.arange(1024))
    return np.concatenate([spiral, 1j * spiral, -spiral, -1j * spiral])

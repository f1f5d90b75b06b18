"""Work of many items, cut into chunks in one way, whoever computes them.

An item's numbers depend on the item alone, and chunks are cut by the work alone, so that one machine and any
number of workers give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

SECONDS = 1.0
"""What a chunk takes about, in s of a core: far more than it takes to send it and to write it."""
MOST_BYTES = 64e6
"""Numbers of one chunk."""
PRODUCT_SECONDS, PART_SECONDS = 1.1e-9, 3e-8
"""What a complex multiply-add, and the values of a part at a wavelength, take about, in s of a core."""
FOLDER = Path("results") / "chunks"
"""Where chunks are kept, in the working folder, unless it is said."""

Arrays = dict[str, NDArray[Any]]
Told = Callable[[int, int], None]
"""told(done, total) says how many items are finished."""


class Work(Protocol):
    """Items that are computed in any order, each for itself; crosses processes by pickle.

    kind: what it is, for names of files.  count: items.  seconds: what an item takes about, of a core.  unit:
    items that belong together.  axis: of the items in every array, 0 or -1.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102 - said above, as those below
    @property
    def count(self) -> int: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102
    @property
    def unit(self) -> int: ...  # noqa: D102
    @property
    def axis(self) -> int: ...  # noqa: D102

    def about(self) -> dict[str, Any]:
        """Return what a reader should know of it, in plain JSON types."""

    def content(self) -> tuple[Any, ...]:
        """Return all that decides its numbers, beside photosim's version."""

    def models(self) -> Sequence[Any]:
        """Return the components that it uses."""

    def empty(self, count: int) -> Arrays:
        """Return arrays for so many items."""

    def fill(self, first: int, last: int, out: Arrays) -> None:
        """Compute the items first to last, the last one excluded, into arrays of that many items."""


def ranges(work: Work) -> list[tuple[int, int]]:
    """Return the chunks of a work, (first, last) items, the last one excluded."""
    one = work.empty(work.unit)
    most = MOST_BYTES / max(1.0, float(sum(array.nbytes for array in one.values())))
    units = min(SECONDS / max(1e-12, work.seconds * work.unit), most, 2.0**40)
    size = work.unit * 2 ** max(0, int(np.log2(max(1.0, units))))
    return [(first, min(first + size, work.count)) for first in range(0, work.count, size)]


def views(arrays: Arrays, axis: int, first: int, last: int) -> Arrays:
    """Return the part of each array that holds the items first to last."""
    return {
        name: array[first:last] if axis == 0 else array[..., first:last] for name, array in arrays.items()
    }


def spectrum_seconds(products: int, parts: int, wavelengths: int) -> float:
    """Return what one spectrum takes about, in s of a core."""
    return wavelengths * (PRODUCT_SECONDS * products + PART_SECONDS * parts) + 2e-6


def computed(work: Work, told: Told, client: Any = None, chunks: str | Path | None = None) -> Arrays:
    """Return the arrays of all items of a work.

    client: a client of Dask distributed, or the address of a scheduler, whose workers compute; None for this
    machine.  chunks: folder in which finished chunks are kept; with a client results/chunks if it is None,
    without one nothing is kept then.

    Raises ClusterError where the scheduler cannot be reached or workers fail, DataError where chunks cannot
    be kept, and whatever the work raises; finished chunks stay.
    """
    whole = work.empty(work.count)
    waiting = ranges(work)
    told(0, work.count)
    done = 0
    if client is None and chunks is None:
        for first, last in waiting:
            work.fill(first, last, views(whole, work.axis, first, last))
            told(last, work.count)
        return whole
    from photosim.jobs.store import Store

    folder = Path(chunks) if chunks is not None else FOLDER
    with ExitStack() as stack:
        if client is not None and not Store.exists(folder, work, waiting):  # nothing is left behind by a typo
            from photosim.jobs.cluster import connected

            client = stack.enter_context(connected(client))
        store = stack.enter_context(Store.opened(folder, work, waiting))
        waiting = store.read(whole)
        done = work.count - sum(last - first for first, last in waiting)
        told(done, work.count)
        for first, last in _each(work, store.key, waiting, whole, client):
            store.write(first, last, views(whole, work.axis, first, last))
            done += last - first
            told(done, work.count)
    return whole


def _each(
    work: Work, key: str, waiting: list[tuple[int, int]], whole: Arrays, client: Any
) -> Iterator[tuple[int, int]]:
    """Compute the chunks that wait into `whole`, and give each when it is there."""
    if client is None:
        for first, last in waiting:
            work.fill(first, last, views(whole, work.axis, first, last))
            yield first, last
        return
    from photosim.jobs.cluster import chunks_of

    for first, last, found in chunks_of(work, key, waiting, client):
        for name, part in views(whole, work.axis, first, last).items():
            part[...] = found[name]
        yield first, last

"""Finished chunks in Zarr: an array a quantity, a Zarr chunk for each of ours, and digests of whole ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ClusterError, DataError
from photosim.files.atomic import making, said_plainly
from photosim.jobs.fingerprint import fingerprint
from photosim.jobs.work import Arrays, Work, views

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGEST = "digest"
_BYTES = 16


@dataclass(frozen=True)
class Store:
    """The chunks of one work: a Zarr group called after what decides its numbers.

    path: its folder.  key: hash of that.  arrays: Zarr arrays by name, the digests (chunks, 16) among them.
    """

    path: Path
    key: str
    axis: int
    ranges: list[tuple[int, int]]
    arrays: dict[str, Any]

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, work: Work, ranges: list[tuple[int, int]]) -> Iterator[Store]:
        """Give the store of a work in a folder, made where it is missing.

        Raises DataError for a folder that cannot be written or a damaged store, ClusterError without Zarr.
        """
        try:
            import zarr
        except ImportError:
            message = "Chunks are kept by Zarr, which is not installed: pip install 'photosim[distributed]'."
            raise ClusterError(message) from None
        path, key = cls._place(folder, work, ranges)
        with making(folder):
            yield cls(path, key, work.axis, ranges, _arrays(zarr, path, key, work, ranges))

    @classmethod
    def exists(cls, folder: Path, work: Work, ranges: list[tuple[int, int]]) -> bool:
        """Return whether a folder holds chunks of a work."""
        return cls._place(folder, work, ranges)[0].exists()

    @staticmethod
    def _place(folder: Path, work: Work, ranges: list[tuple[int, int]]) -> tuple[Path, str]:
        """Return the folder of a work's chunks, and the hash in its name."""
        key = fingerprint(work.kind, ranges[:1], work.count, *work.content())
        return folder / f"{work.kind}-{key}.zarr", key

    def read(self, whole: Arrays) -> list[tuple[int, int]]:
        """Read the chunks that are finished into `whole`; return those that are not."""
        waiting = []
        digests = self._load(_DIGEST, 0, len(self.ranges))
        for number, (first, last) in enumerate(self.ranges):
            if digests[number].any():
                found = {name: self._load(name, first, last) for name in whole}
                if np.array_equal(_digest(found), digests[number]):
                    for name, part in views(whole, self.axis, first, last).items():
                        part[...] = found[name]
                    continue
            waiting.append((first, last))
        return waiting

    def write(self, first: int, last: int, found: Arrays) -> None:
        """Keep one finished chunk, its digest last; DataError where that fails."""
        number = self.ranges.index((first, last)) if len(self.ranges) < 64 else first // self.ranges[0][1]
        try:
            with said_plainly(self.path):
                for name, values in found.items():
                    where = slice(first, last) if self.axis == 0 else (..., slice(first, last))
                    self.arrays[name][where] = values
                self.arrays[_DIGEST][number : number + 1] = _digest(found)[np.newaxis]
        except DataError as error:
            kept = int(self._load(_DIGEST, 0, len(self.ranges)).any(axis=1).sum())
            message = f"{error} {kept} of {len(self.ranges)} chunks are kept there: the same call continues."
            raise DataError(message) from error

    def _load(self, name: str, first: int, last: int) -> NDArray[Any]:
        where: Any = slice(first, last) if self.axis == 0 or name == _DIGEST else (..., slice(first, last))
        try:
            return np.asarray(self.arrays[name][where])
        except Exception:  # noqa: BLE001 - whatever a decoder makes of damaged bytes: computed again
            shape = list(self.arrays[name].shape)
            shape[0 if name == _DIGEST else self.axis] = last - first
            return np.zeros(shape, dtype=self.arrays[name].dtype)


def _digest(found: Arrays) -> NDArray[np.uint8]:
    digest = hashlib.blake2b(digest_size=_BYTES)
    for name in sorted(found):
        digest.update(np.ascontiguousarray(found[name]).tobytes())
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def _arrays(zarr: Any, path: Path, key: str, work: Work, ranges: list[tuple[int, int]]) -> dict[str, Any]:
    """Return the Zarr arrays of a store, made where they are missing."""
    from photosim import __version__

    size = ranges[0][1]
    models = work.empty(1)
    names = [*models, _DIGEST]
    try:
        with said_plainly(path):
            group = zarr.open_group(str(path), mode="a")
            if all(name in group for name in names):
                return {name: group[name] for name in names}
            group.attrs.update({"photosim": __version__, "key": key, "chunks": len(ranges), **work.about()})
            made = {}
            for name, model in models.items():
                shape, cut = list(model.shape), list(model.shape)
                shape[work.axis], cut[work.axis] = work.count, size
                made[name] = group.require_array(
                    name, shape=tuple(shape), chunks=tuple(max(1, n) for n in cut), dtype=model.dtype
                )
            made[_DIGEST] = group.require_array(
                _DIGEST, shape=(len(ranges), _BYTES), chunks=(1, _BYTES), dtype=np.uint8
            )
            return made
    except DataError:
        raise
    except Exception as error:
        message = f"The chunks kept in {path} cannot be read ({error}): remove that folder."
        raise DataError(message) from error

"""Noise over time from counters: any stretch of it can be drawn, whatever was drawn before.

Samples stand on a fixed grid of blocks counted from time 0. A block's numbers depend on the seed, the part,
what they are for and the number of the block alone, so that a run of any length, cut in any way, has the same
noise.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

GRID = 1 << 15
"""Samples of a block: seeding a generator costs a tenth of drawing so many normals."""
_LEVEL = 1 << 40
"""Added to the number of a block, which may be negative: keys are not."""
_STARTS = 1 << 10
"""Starts of a walk that are kept together."""


@dataclass(frozen=True)
class Draws:
    """The noise of one part: seed, name, and the number of the first sample, counted from time 0."""

    seed: int
    name: str
    first: int = 0

    def white(self, what: str, count: int, before: int = 0) -> FloatArray:
        """Return independent standard normals (count,), from `before` samples ahead of the first one on."""
        begin = self.first - before
        out = np.empty(count)
        for block, own, place in _pieces(begin, count):
            out[place] = self._normals(what, block, own.stop)[own]
        return out

    def walk(self, what: str, count: int) -> FloatArray:
        """Return the sum of standard normals up to each sample (count,), 0 just before time 0.

        Where a block begins and ends is drawn first, and the way between them as that of a Brownian bridge:
        a walk read at a late time costs no more than one read from the start.
        """
        out = np.empty(count)
        steps = np.arange(1, GRID + 1) / GRID
        for block, own, place in _pieces(self.first, count):
            way = np.cumsum(self._normals(what, block, GRID))
            start, end = (_start(self.seed, self.name, what, k) for k in (block, block + 1))
            way += (end - start - way[-1]) * steps
            out[place] = way[own] + start
        return out

    def _normals(self, what: str, block: int, count: int) -> FloatArray:
        return _generator(self.seed, self.name, what, block).standard_normal(count)


def _pieces(begin: int, count: int) -> list[tuple[int, slice, slice]]:
    """Return (block, samples of the block, places in the result) of a stretch."""
    found, at = [], begin
    while at < begin + count:
        block = at // GRID
        end = min(begin + count, (block + 1) * GRID)
        found.append((block, slice(at - block * GRID, end - block * GRID), slice(at - begin, end - begin)))
        at = end
    return found


def _generator(seed: int, name: str, what: str, block: int) -> np.random.Generator:
    key = [seed, zlib.crc32(name.encode()), zlib.crc32(what.encode()), _LEVEL + block]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))


def _start(seed: int, name: str, what: str, block: int) -> float:
    """Return a walk just before the first sample of a block."""
    side, steps = ("starts", block) if block >= 0 else ("starts before", -block)
    kept = -(-(steps + 1) // _STARTS) * _STARTS
    return float(_starts(seed, name, f"{what} {side}", kept)[steps])


@lru_cache(maxsize=64)
def _starts(seed: int, name: str, what: str, count: int) -> FloatArray:
    """Return a walk in steps of a block, (count,), 0 first."""
    steps = _generator(seed, name, what, 0).standard_normal(count - 1)
    return np.concatenate([[0.0], np.cumsum(steps) * np.sqrt(GRID)])

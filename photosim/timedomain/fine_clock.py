"""Waveforms on a clock finer than the samples, in blocks that stay near the processor.

There edges keep their place between the samples, and filters act. Of all those instants only the samples are
kept, so they are computed, filtered and looked at block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from photosim.timedomain.band import OUT_OF_BAND, PASS
from photosim.timedomain.content import EDGE, WINDOW, Bound, moves
from photosim.timedomain.low_pass import AROUND, BLOCK, Passing, low_pass, one_factor
from photosim.timedomain.shapes import OF_INSTANTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

Values = Callable[["FloatArray"], "FloatArray"]
"""Values at instants in s (N,)."""


@dataclass(frozen=True)
class Clock:
    """Instants `often` times as fine as samples at times (T,) in s, `rate` of which pass in a second."""

    samples: FloatArray
    rate: float
    often: int

    @property
    def size(self) -> int:
        """Number of instants."""
        return self.samples.size * self.often

    def instants(self, begin: int, end: int) -> FloatArray:
        """Return the times of some instants in s."""
        if self.often == 1:
            return self.samples[begin:end]
        found = np.arange(begin, end, dtype=np.float64)
        found /= self.rate * self.often
        found += self.samples[0]
        return found


@dataclass(frozen=True)
class Blocks:
    """The values of a function of time on a clock, block by block. checked: them, or why they are refused."""

    function: Values
    clock: Clock
    checked: Values

    @cached_property
    def whole(self) -> FloatArray:
        """All values, checked."""
        return self.checked(self.clock.instants(0, self.clock.size))

    def at(self, begin: int, end: int) -> FloatArray:
        """Return the values from an instant on up to another one, by their numbers.

        A function of each instant alone is asked for that block, and nothing is checked; any other one is
        asked once for the whole.
        """
        if getattr(self.function, "func", None) in OF_INSTANTS:
            return np.asarray(self.function(self.clock.instants(begin, end)), dtype=np.float64)
        return self.whole[begin:end]


def whole(blocks: Blocks, passes: Sequence[tuple[float, int]]) -> FloatArray:
    """Return all values behind low-passes, (bandwidth in Hz, order) each."""
    values, clock = blocks.whole, blocks.clock
    if moves(values):  # what stands still passes a filter to the last bit
        for bandwidth, order in passes:
            values = low_pass(values, bandwidth, clock.rate * clock.often, order=order)
    return values


def sampled(blocks: Blocks, passes: Sequence[tuple[float, int]], largest: float) -> FloatArray | None:
    """Return the samples (T,) of values behind a low-pass, without keeping the instants between them.

    None where there are several filters, few instants, values above `largest` in size or not finite, or
    content that may lie beyond the pass band.
    """
    clock = blocks.clock
    often, size, fine_rate = clock.often, clock.size, clock.rate * clock.often
    modes = one_factor(passes[0][0], fine_rate, order=passes[0][1]) if passes else ()
    if size <= BLOCK or len(passes) > 1 or modes is None:
        return None
    out = np.empty(clock.samples.size)
    bound = Bound(size, (PASS + EDGE) / often, WINDOW * often, turns=2)
    passing = Passing(modes, float(blocks.at(0, 1)[0]))
    low, high = np.inf, -np.inf
    for begin in range(0, size, BLOCK):
        end = min(begin + BLOCK, size)
        ahead, behind = min(begin, AROUND), min(size - end, AROUND)
        values = blocks.at(begin - ahead, end + behind)
        least, most = float(values.min()), float(values.max())
        if not (-largest <= least and most <= largest):
            return None
        low, high = min(low, least), max(high, most)
        own = bound.room(end - begin)
        if modes:
            if min(ahead, behind) < AROUND:
                values = np.pad(values, (AROUND - ahead, AROUND - behind), mode="edge")
            passing.of(values, own)
        else:
            own[:] = values[ahead : values.size - behind]
        out[-(-begin // often) : -(-end // often)] = own[-begin % often :: often]
        bound.take(end - begin)
    if low != high and not bound.within(OUT_OF_BAND):
        return None
    # As `low_pass` has it: one pole only averages.
    if passes and passes[0][1] == 1 and low >= 0:
        return np.maximum(out, 0.0)
    if passes and passes[0][1] == 1 and high <= 0:
        return np.minimum(out, 0.0)
    return out

"""Waveforms on a clock finer than the samples, in blocks that stay near the processor.

There edges keep their place between the samples, and filters act. Of all those instants only the samples are
kept, so they are computed, filtered and looked at block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.timedomain.band import OUT_OF_BAND, PASS
from photosim.timedomain.between import REACH, Between, beyond
from photosim.timedomain.content import EDGE, WINDOW, Bound, moves
from photosim.timedomain.low_pass import AROUND, BLOCK, Passing, PassingApart, low_pass, one_factor
from photosim.timedomain.shapes import OF_INSTANTS, ON_CLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.low_pass import Mode

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
        clock = self.clock
        shape: Any = getattr(self.function, "func", None)
        if shape in ON_CLOCK and clock.often > 1:
            own = self.function.keywords  # type: ignore[attr-defined]
            return ON_CLOCK[shape](begin, end, clock.rate * clock.often, float(clock.samples[0]), **own)
        if shape in OF_INSTANTS:
            return np.asarray(self.function(clock.instants(begin, end)), dtype=np.float64)
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

    Of a smooth signal only every so many instants are computed. None where there are several filters, few
    instants, values above `largest` in size or not finite, or content that may lie beyond the pass band.
    """
    clock = blocks.clock
    often, size, fine_rate = clock.often, clock.size, clock.rate * clock.often
    modes = one_factor(passes[0][0], fine_rate, order=passes[0][1]) if passes else ()
    if size <= BLOCK or len(passes) > 1 or modes is None:
        return None
    first = Between(modes, WINDOW * often)
    values = padded(blocks, 0, BLOCK, AROUND)
    first.take(values[AROUND - REACH : AROUND + BLOCK])
    if not first.holds(largest):
        return None
    every = first.chosen(often, float(np.mean(values**2)), OUT_OF_BAND)
    seen = _seen(blocks, modes, every, largest)
    if seen is None and every > 1:
        seen = _seen(blocks, modes, 1, largest)
    if seen is None:
        return None
    out, low, high = seen
    # As `low_pass` has it: one pole only averages.
    if passes and passes[0][1] == 1 and low >= 0:
        return np.maximum(out, 0.0)
    if passes and passes[0][1] == 1 and high <= 0:
        return np.minimum(out, 0.0)
    return out


def padded(blocks: Blocks, begin: int, end: int, ahead: int) -> FloatArray:
    """Return the values from some instants `ahead` of `begin` to AROUND behind `end`, held at the ends."""
    low, high = max(begin - ahead, 0), min(end + AROUND, blocks.clock.size)
    values = blocks.at(low, high)
    if low == begin - ahead and high == end + AROUND:
        return values
    return np.pad(values, (low - begin + ahead, end + AROUND - high), mode="edge")


def _seen(
    blocks: Blocks, modes: tuple[Mode, ...], every: int, largest: float
) -> tuple[FloatArray, float, float] | None:
    """Return the samples (T,) behind some poles, from every so many instants, and the range of what enters.

    None where values are too large or not finite, or where content may lie beyond the pass band.
    """
    clock = blocks.clock
    often, size = clock.often, clock.size
    out = np.empty(clock.samples.size)
    bound = Bound(-(-size // every), (PASS + EDGE) * every / often, WINDOW * often // every, turns=2)
    between, half = Between(modes, WINDOW * often), WINDOW * often // 2
    start = float(blocks.at(0, 1)[0])
    passing = Passing(modes, start) if every == 1 else PassingApart(modes, start, every)
    ahead, block = AROUND + every - 1, half * max(1, BLOCK // half)
    for begin in range(0, size, block):
        end = min(begin + block, size)
        values = padded(blocks, begin, end, ahead)
        # The kinks where it is held at both ends count too.
        between.take(values[ahead - REACH : values.size - AROUND + (REACH if end == size else 0)])
        if not between.holds(largest):
            return None
        count = -(-(end - begin) // every)
        own = bound.room(count)
        if modes:
            passing.of(values, own)
        else:
            own[:] = values[ahead : values.size - AROUND : every]
        out[-(-begin // often) : -(-end // often)] = own[:: often // every]
        bound.take(count)
    low, high = between.low, between.high
    if low == high:
        return out, low, high
    share, mean = bound.share()
    if every > 1 and share < np.inf:
        share = beyond(share, between.energy(every) / (every * mean), every)
    return (out, low, high) if share <= OUT_OF_BAND else None

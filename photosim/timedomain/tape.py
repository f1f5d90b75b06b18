"""Driven settings of a run of any length: what repeats is computed once, the rest on a fixed grid."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.timedomain.scattering import CHUNK, scattering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.cut import Element
    from photosim.timedomain.drives import Drives
    from photosim.timedomain.spectral import Cross
    from photosim.timedomain.waveform import Waveform

    ComplexArray = NDArray[np.complex128]
    FloatArray = NDArray[np.float64]

GRID = 1 << 17
"""Samples of a block."""
MOST_REPEATED = 1 << 22
"""Samples of a pattern that is kept whole."""
_MOST_BYTES = 96 << 20
"""Bytes of S-matrix elements of a driven part that are kept over a whole pattern."""
_KEPT = 6
"""Blocks of a pattern that does not repeat that are kept."""


@dataclass(frozen=True)
class Cycle:
    """Of signals together: from sample `begin` on they repeat every `period` samples; 0: no change."""

    begin: int
    period: int


def common_cycle(waves: Mapping[str, Waveform], sample_rate: float) -> Cycle:
    """Return how waveforms repeat together; ParameterError for one that does not."""
    begin, period = 0, 0
    for name, wave in waves.items():
        if wave.cycle is None:
            message = (
                f"The signal at {name!r} does not repeat, and a streamed run keeps no samples: take symbols, "
                "a sine or pulses with a period, or use ps.transient."
            )
            raise ParameterError(message)
        count, rate, first = wave.cycle
        begin = max(begin, ceil(first * sample_rate))
        if count > 0:
            own = (Fraction(count) * Fraction(sample_rate) / Fraction(rate)).numerator
            period = lcm(period, own) if period else own
    return Cycle(begin, period)


@dataclass
class Tape:
    """Values of driven settings at any samples, counted from time 0; before it they were those of time 0.

    compute(begin, count): values (count,) of each setting from a sample on, having been held before.  memory:
    samples after which that no longer counts.  stop: samples of the run.  drives: those of a first stretch.
    wide: those of the whole pattern.  telling: those that say how driven parts act.
    """

    compute: Callable[[int, int], Mapping[str, FloatArray]]
    names: tuple[str, ...]
    cycle: Cycle
    memory: int
    stop: int
    drives: Drives
    wide: Drives = field(init=False)
    telling: Drives = field(init=False)
    pattern: dict[str, FloatArray] = field(default_factory=dict)
    _blocks: dict[int, dict[str, FloatArray]] = field(default_factory=dict)
    _kept: dict[Any, ComplexArray] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        """Compute the pattern once, where it repeats within the run and can be kept."""
        self.start = self.cycle.begin + self.memory
        whole = self.start + self.cycle.period
        self.wide = self.telling = self.drives
        if self.names and self.cycle.period > 0 and whole <= MOST_REPEATED and whole < self.stop:
            blocks = [self._block(g) for g in range(-(-whole // GRID))]
            self.pattern = {n: np.concatenate([b[n] for b in blocks])[:whole] for n in self.names}
            self.wide = self.drives.with_values(self.pattern, self.drives.sample_rate)
            # The first stretch tells how driven parts act, if it has seen the whole pattern.
            self.telling = self.drives if whole <= self.drives.samples else self.wide
        self._blocks.clear()

    def values(self, begin: int, end: int) -> dict[str, FloatArray]:
        """Return the settings that change, (end - begin,) each."""
        if self.pattern:
            at = self._places(begin, end)
            return {name: values[at] for name, values in self.pattern.items()}
        out = {name: np.empty(end - begin) for name in self.names}
        for place in range(max(begin, 0) // GRID, -(-end // GRID)):
            with self._lock:
                block = self._block(place)
            first, last = max(begin, place * GRID), min(end, (place + 1) * GRID)
            for name in self.names:
                out[name][first - begin : last - begin] = block[name][
                    first - place * GRID : last - place * GRID
                ]
        if begin < 0:
            for name in self.names:
                out[name][: min(-begin, end - begin)] = self.drives.moving[name][0]
        return out

    def at(self, begin: int, end: int) -> Drives:
        """Return the driven settings of a stretch."""
        return self.drives.with_values(self.values(begin, end), self.drives.sample_rate)

    def gates(
        self, element: Element, path: int, carrier: float, found: Cross | None, begin: int, end: int
    ) -> ComplexArray:
        """Return the weights (R, end - begin) of the products of a driven part on one path, by its number.

        Without products it is what the part does at the carrier, (1, end - begin).
        """
        offsets = np.zeros(1) if found is None else found.offsets
        frequencies, question = carrier + offsets, (element, path, carrier + offsets, found)
        if not self.pattern:
            with self._lock:
                return self._evaluated(self.at(begin, end), question, np.arange(end - begin))
        whole = self.start + self.cycle.period
        if 16 * whole * frequencies.size > _MOST_BYTES:
            with self._lock:
                return self._evaluated(self.wide, question, self._places(begin, end))
        key = element.name, path, frequencies.tobytes()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._evaluated(self.wide, question, np.arange(whole))
        return np.concatenate([self._kept[key][:, a:b] for a, b in self._runs(begin, end)], axis=-1)

    def _evaluated(
        self, drives: Drives, question: tuple[Element, int, FloatArray, Cross | None], at: NDArray[np.int64]
    ) -> ComplexArray:
        element, path, frequencies, cross = question
        out = np.empty((frequencies.size, at.size), dtype=np.complex128)
        for first in range(0, at.size, CHUNK):
            s = scattering(drives, element, at[first : first + CHUNK], frequencies)[:, :, path]
            out[:, first : first + CHUNK] = s.T if cross is None else cross.weights(s)
        return out

    def _places(self, begin: int, end: int) -> NDArray[np.int64]:
        """Return where in the pattern samples stand."""
        return np.concatenate([np.arange(a, b) for a, b in self._runs(begin, end)])

    def _runs(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Return the stretches of the pattern that samples are made of, one after the other."""
        found, whole = [(0, 1)] * max(0, min(-begin, end - begin)), self.start + self.cycle.period
        at = max(begin, 0)
        while at < end:
            place = at if at < whole else self.start + (at - self.start) % self.cycle.period
            count = min(end - at, whole - place)
            found.append((place, place + count))
            at += count
        return found

    def _block(self, number: int) -> dict[str, FloatArray]:
        """Return the values of one block of the grid; it depends on its number alone."""
        if number not in self._blocks:
            while len(self._blocks) >= _KEPT and not self.pattern and number > 0:
                self._blocks.pop(min(self._blocks))
            begin = max(0, number * GRID - self.memory)
            end = min((number + 1) * GRID, max(self.stop, number * GRID + 1) + GRID)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = self.compute(begin, end - begin)
            own = {name: np.asarray(found[name])[number * GRID - begin :] for name in self.names}
            self._blocks[number] = own
        return self._blocks[number]

"""Signals convolved with impulse responses in blocks (overlap-save)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from photosim.timedomain.band import LEAD, Response

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.history import Earlier

    ComplexArray = NDArray[np.complex128]

BLOCK_SAMPLES = 1 << 17
"""Samples transformed at a time: they stay in the core's second cache."""
SHORTEST_BLOCK = 4096
"""Samples of a block, at least."""


Window = Callable[[int, int, int], "ComplexArray"]
"""window(input, begin, length): so many samples of an input from the sample `begin` on."""


def convolve(
    found: Response,
    signals: Mapping[int, ComplexArray],
    count: int,
    samples: int,
    earlier: Mapping[int, Earlier | None] | None = None,
) -> list[ComplexArray]:
    """Return what arrives at each of `count` outs, (T,) or (1,) where nothing changes.

    signals: input number to (T,) or, where it does not change, (1,).  earlier: input number to its samples
    before the first one; without it that had been the same for ever. After the last one it stays. Beside
    signals and result, memory is that of some blocks, whatever the delays are.
    """
    still = {i: x for i, x in signals.items() if x.size == 1}
    moving = {i: x for i, x in signals.items() if x.size > 1}
    base = [sum((found.still[o, i] * x[0] for i, x in still.items()), 0j) for o in range(count)]
    if not moving:
        return [np.array([b]) for b in base]
    history = earlier or {}

    def window(number: int, begin: int, length: int) -> ComplexArray:
        return stretch(moving[number], begin, length, history.get(number))

    return overlap_save(found, list(moving), base, samples, window)


def overlap_save(
    found: Response, moving: Sequence[int], base: Sequence[complex], samples: int, window: Window
) -> list[ComplexArray]:
    """Return what arrives at each out (samples,): base and what inputs that move add, by their number."""
    from scipy import fft

    taps, count = found.taps.shape[-1], len(base)
    size = fft.next_fast_len(max(SHORTEST_BLOCK, 4 * taps) if samples > 4 * taps else samples + taps - 1)
    useful = size - taps + 1
    filters = {i: fft.fft(found.taps[:, i], size, axis=-1) for i in moving}
    # Signals whose window is the same for several outs are transformed once.
    ways = {i: delays(found, i) for i in moving}
    group = max(1, BLOCK_SAMPLES // size)
    out = [np.empty(samples, dtype=np.complex128) for _ in base]
    for first in range(0, samples, group * useful):
        blocks = min(group, -(-(samples - first) // useful))
        totals: list[ComplexArray | None] = [None] * count
        for i in moving:
            for delay, ends in ways[i].items():
                begin = first - delay + LEAD + 1 - taps
                own = window(i, begin, (blocks - 1) * useful + size)
                cut = np.lib.stride_tricks.sliding_window_view(own, size)[::useful]
                spectrum = fft.fft(cut, axis=-1)
                for k, o in enumerate(ends.tolist()):
                    last = k == ends.size - 1
                    part = np.multiply(spectrum, filters[i][o], out=spectrum if last else None)
                    known = totals[o]
                    totals[o] = part if known is None else np.add(known, part, out=known)
        for o, total in enumerate(totals):
            end = min(samples, first + blocks * useful)
            if total is None:
                out[o][first:end] = base[o]
                continue
            piece = fft.ifft(total, axis=-1, overwrite_x=True)[:, taps - 1 :]
            if base[o] != 0:
                piece += base[o]
            whole = (end - first) // useful
            out[o][first : first + whole * useful].reshape(whole, useful)[:] = piece[:whole]
            if whole < blocks:
                out[o][first + whole * useful : end] = piece[whole, : end - first - whole * useful]
    return out


def delays(found: Response, number: int) -> dict[int, NDArray[np.intp]]:
    """Return the outs that an input reaches by the delay of the way there, in samples."""
    own = found.delay[:, number]
    return {d: np.flatnonzero(own == d) for d in sorted(set(own.tolist()))}


def stretch(x: ComplexArray, begin: int, length: int, earlier: Earlier | None = None) -> ComplexArray:
    """Return `length` samples of x (T,) from `begin` on, held at its ends, or as it was `earlier`."""
    out = np.empty(length, dtype=np.complex128)
    before = min(max(-begin, 0), length)
    start = min(max(begin, 0), x.size)
    inside = max(min(x.size - start, length - before), 0)
    out[:before] = x[0] if earlier is None else earlier(begin, before)
    out[before : before + inside] = x[start : start + inside]
    out[before + inside :] = x[-1]
    return out

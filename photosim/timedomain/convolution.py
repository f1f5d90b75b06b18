"""Signals convolved with impulse responses in blocks (overlap-save)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from photosim.timedomain.band import LEAD, Response

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.history import Earlier

    ComplexArray = NDArray[np.complex128]

BLOCK_SAMPLES = 1 << 18
"""Samples transformed at a time: they stay in the core's second cache."""
SHORTEST_BLOCK = 4096
"""Samples of a block, at least."""


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
    from scipy import fft

    still = {i: x for i, x in signals.items() if x.size == 1}
    moving = {i: x for i, x in signals.items() if x.size > 1}
    base = [sum((found.still[o, i] * x[0] for i, x in still.items()), 0j) for o in range(count)]
    if not moving:
        return [np.array([b]) for b in base]
    taps = found.taps.shape[-1]
    size = fft.next_fast_len(max(SHORTEST_BLOCK, 4 * taps) if samples > 4 * taps else samples + taps - 1)
    useful = size - taps + 1
    filters = {i: fft.fft(found.taps[:, i], size, axis=-1) for i in moving}
    # Signals whose window is the same for several outs are transformed once.
    ways = {
        i: {d: np.flatnonzero(found.delay[:, i] == d) for d in set(found.delay[:, i].tolist())}
        for i in moving
    }
    group = max(1, BLOCK_SAMPLES // size)
    out = [np.full(samples, b, dtype=np.complex128) for b in base]
    history = earlier or {}
    for first in range(0, samples, group * useful):
        blocks = min(group, -(-(samples - first) // useful))
        totals: list[ComplexArray | None] = [None] * count
        for i, x in moving.items():
            for delay, ends in ways[i].items():
                begin = first - delay + LEAD + 1 - taps
                window = stretch(x, begin, (blocks - 1) * useful + size, history.get(i))
                cut = np.lib.stride_tricks.sliding_window_view(window, size)[::useful]
                spectrum = fft.fft(cut, axis=-1)
                for o in ends.tolist():
                    part = spectrum * filters[i][o]
                    known = totals[o]
                    totals[o] = part if known is None else known + part
        for o, total in enumerate(totals):
            if total is not None:
                piece = fft.ifft(total, axis=-1, overwrite_x=True)[:, taps - 1 :].reshape(-1)
                out[o][first : first + piece.size] += piece[: samples - first]
    return out


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

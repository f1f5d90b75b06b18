"""Patterns of symbols by name, their bits in Gray's code, and the runs that outer levels are read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.timedomain.sequences import ORDERS, sequence, ssprq, symbol_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]


def pattern_name(label: IntArray, count: int) -> str | None:
    """Return the name of a pattern of symbols (N,), 0 to count - 1, begun anywhere; None for any other.

    PRBS7 and so on of two levels, PRBS13Q and so on of four in Gray's code, and SSPRQ; also upside down, as
    an inverting modulator sends them.
    """
    for name, known in _known(label.size, count):
        if _turned(label, known) or _turned(count - 1 - label, known):
            return name
    return None


def _known(size: int, count: int) -> list[tuple[str, IntArray]]:
    """Return the patterns of this length and number of levels."""
    found = []
    for order in ORDERS:
        if size == 2**order - 1 and count in {2, 4}:
            name = f"PRBS{order}" + ("Q" if count == 4 else "")
            found.append((name, symbol_numbers(sequence(order), 1 if count == 2 else 2)))
    if count == 4 and size == 65_535:
        found.append(("SSPRQ", ssprq()))
    return found


def _turned(label: IntArray, known: IntArray) -> bool:
    """Return whether symbols are a known pattern (N,) that begins at another of its symbols."""
    first = label[: min(64, label.size)]
    around = np.concatenate([known, known[: first.size - 1]])
    places = np.flatnonzero(around[: known.size] == first[0])
    for k in range(1, first.size):
        places = places[around[places + k] == first[k]]
    return any(np.array_equal(np.roll(known, -int(place)), label) for place in places)


def different_bits(left: IntArray, right: IntArray) -> IntArray:
    """Return how many bits of each symbol differ between symbols (...) and (...) in Gray's code."""
    return np.asarray(np.bitwise_count((left ^ left >> 1) ^ (right ^ right >> 1)), dtype=np.int64)


def runs(label: IntArray, level: int) -> tuple[IntArray, IntArray]:
    """Return the starts and the lengths of all runs of one level in symbols (N,)."""
    edges = np.diff(np.concatenate([[0], (label == level).astype(np.int8), [0]]))
    starts = np.flatnonzero(edges == 1)
    return starts, np.flatnonzero(edges == -1) - starts

"""Pseudo-random sequences: bits of shift registers, Gray-coded symbols, and edges between them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TAPS = {7: 6, 9: 5, 11: 9, 15: 14, 20: 3, 23: 18}
"""Second feedback tap of the shift registers of pseudo-random sequences, by their order (ITU-T O.150)."""


def mixed(heights: NDArray[np.float64], place: NDArray[np.int64], share: NDArray[np.float64]) -> Any:
    """Return the symbols before and after each place, mixed; the first symbol stands before the start."""
    count = len(heights)
    before = heights[np.maximum(place - 1, 0) % count]
    after = heights[np.maximum(place, 0) % count]
    return before + (after - before) * share


@cache
def sequence(order: int) -> NDArray[np.int8]:
    """Return one period of a maximal-length sequence, 2**order - 1 bits."""
    if order not in _TAPS:
        message = f"A pseudo-random sequence has an order of {listing(_TAPS)}, got {order}."
        raise ParameterError(message)
    from scipy import signal

    # scipy counts taps from the other end of the register; its own choice of taps gives reversed sequences.
    bits, _state = signal.max_len_seq(order, taps=[order - _TAPS[order]])
    found = np.asarray(bits, dtype=np.int8)
    found.setflags(write=False)
    return found


def symbol_numbers(bits: NDArray[np.integer[Any]], width: int) -> NDArray[np.int64]:
    """Return the symbols that runs of `width` bits mean in Gray's code."""
    whole = np.tile(bits, width)[: len(bits) * width // width * width] if width > 1 else bits
    number = np.zeros(len(whole) // width, dtype=np.int64)
    previous = np.zeros_like(number)
    for k in range(width):
        previous = previous ^ whole[k::width][: len(number)]
        number = 2 * number + previous
    return number


def edge_of(time: NDArray[np.float64], rise: float) -> NDArray[np.float64]:
    """Return a raised-cosine edge from 0 to 1 in its middle at time 0, of whole length `rise`."""
    if rise <= 0:
        return np.where(time >= 0, 1.0, 0.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(time / rise + 0.5, 0.0, 1.0)))

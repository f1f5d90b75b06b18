"""Pseudo-random sequences: bits of shift registers, Gray-coded symbols, and edges between them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TAPS: dict[int, tuple[int, ...]] = {
    7: (6,), 9: (5,), 11: (9,), 13: (12, 2, 1), 15: (14,), 20: (3,), 23: (18,)
}  # fmt: skip
"""Feedback taps beside the last one of the shift registers of pseudo-random sequences, by their order.

ITU-T O.150; of order 13 IEEE Std 802.3-2018, 94.3.10.8.
"""
ORDERS = tuple(_TAPS)
"""Orders of pseudo-random sequences that there are."""
_SSPRQ_SECTIONS = ((0x00000002, 10_924), (0x34013FF7, 10_922), (0x0CCCCCCC, 10_922))
"""Seeds of the register of 31 stages, last bits sent before, and bits of the three sections of SSPRQ.

IEEE Std 802.3-2018, 120.5.11.2.3 and Table 120-2.
"""


@cache
def sequence(order: int) -> NDArray[np.int8]:
    """Return one period of a maximal-length sequence, 2**order - 1 bits."""
    if order not in _TAPS:
        message = f"A pseudo-random sequence has an order of {listing(_TAPS)}, got {order}."
        raise ParameterError(message)
    from scipy import signal

    # scipy counts taps from the other end of the register; its own choice of taps gives reversed sequences.
    bits, _state = signal.max_len_seq(order, taps=[order - tap for tap in _TAPS[order]])
    found = np.asarray(bits, dtype=np.int8)
    found.setflags(write=False)
    return found


@cache
def ssprq() -> NDArray[np.int64]:
    """Return the 65,535 symbols, 0 to 3, of the short stress pattern random quaternary (SSPRQ).

    IEEE Std 802.3-2018, 120.5.11.2.3: three sections of the inverted sequence of 1 + x^28 + x^31, Gray coded,
    sent twice, then twice again without the first and the last bit; every second time symbols are inverted.
    """
    bits = np.concatenate([_section(seed, count) for seed, count in _SSPRQ_SECTIONS])
    whole = symbol_numbers(bits, 2)
    later = symbol_numbers(np.concatenate([bits, bits])[1:-1], 2)
    half = whole.size
    found = np.concatenate([whole, 3 - whole, later[: half - 1], 3 - later[half - 1 :]])
    found.setflags(write=False)
    return found


def _section(seed: int, count: int) -> NDArray[np.int8]:
    """Return bits of the inverted sequence of 1 + x^28 + x^31 behind a seed, its first bit the oldest."""
    found = np.empty(31 + count, dtype=np.int8)
    found[:31] = [seed >> k & 1 for k in range(30, -1, -1)]
    for k in range(31, found.size, 28):  # 28 bits at a time need none of each other
        own = slice(k, min(k + 28, found.size))
        found[own] = found[own.start - 31 : own.stop - 31] ^ found[own.start - 28 : own.stop - 28]
    return 1 - found[31:]


def symbol_numbers(bits: NDArray[np.integer[Any]], width: int) -> NDArray[np.int64]:
    """Return the symbols that runs of `width` bits mean in Gray's code."""
    whole = bits if len(bits) % width == 0 else np.tile(bits, width)
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

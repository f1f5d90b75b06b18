"""The kernel that makes normal numbers of random words, by the ziggurat of NumPy's generators.

A ziggurat of 256 layers (Marsaglia and Tsang, 2000): a word of 32 bits chooses a layer, a sign and a place in
the layer, and most words are a number at once. Numbers, their order and the words that they take are those of
`Generator.standard_normal` in single precision.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def normal_numbers(
    words: Any, places: Any, widths: Any, heights: Any, tail: Any, out: Any, first: Any
) -> tuple[int, int]:
    """Fill out (N,) from entry `first` on, in single precision, with words (W,) of 32 random bits.

    places: of each layer and sign, (512,), below which a place lies under the curve of any layer above.
    widths: of a place in each layer and sign, (512,).  heights: of the curve at the right end of each layer,
    (256,).  tail: where the tail begins, and one over that.  Returns how many entries of `out` are filled
    then and how many words they took; the words after those are too few for another number.
    """
    least, count = np.float32(1.0 / 16777216.0), words.size
    taken, have = 0, first
    while taken < count and have < out.size:
        most = min(count - taken, out.size - have)
        own, into, done = words[taken : taken + most], out[have : have + most], most
        for k in range(most):
            word = own[k]
            layer, place = word & np.uint32(0x1FF), word >> np.uint32(9)
            into[k] = np.float32(np.int32(place)) * widths[layer]
            if place >= places[layer]:
                done = k
                break
        taken, have = taken + done, have + done
        if done == most:
            continue
        # The word at `taken` lies beyond what all of its layer has under the curve.
        word, layer, after = words[taken], np.int64(words[taken] & np.uint32(0xFF)), taken + 1
        if layer > 0:
            if after + 1 > count:
                break
            height = np.float32(words[after] >> np.uint32(8)) * least
            height = (heights[layer - 1] - heights[layer]) * height + heights[layer]
            value = np.float64(out[have])
            taken = after + 1
            have += np.float64(height) < math.exp(-0.5 * value * value)
            continue
        beyond, enough = tail[0], False
        while not enough and after + 2 <= count:
            beyond = -tail[1] * np.log1p(-(np.float32(words[after] >> np.uint32(8)) * least))
            level = -np.log1p(-(np.float32(words[after + 1] >> np.uint32(8)) * least))
            after += 2
            enough = level + level > beyond * beyond
        if not enough:
            break
        value = tail[0] + beyond
        out[have] = -value if word & np.uint32(0x20000) else value
        taken, have = after, have + 1
    return have, taken

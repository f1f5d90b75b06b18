"""The kernel of normal numbers: words that are too few stay for the next call."""

from __future__ import annotations

import numpy as np

from photosim.kernels.normals import normal_numbers
from photosim.signals.normals import _tables


def test_words_may_come_in_parts() -> None:
    words = np.random.default_rng(0).integers(0, 2**32, 6000, dtype=np.uint32)
    # Layer 0 beyond its places: a number of the tail, which takes two words more, on either side.
    words[100:103], words[200:203] = [0xFFFFFF00, 2**31, 2**31], [0xFFFDFF00, 2**31, 2**31]
    places, widths, heights, tail = _tables()
    whole, parts = np.zeros(5000, np.float32), np.zeros(5000, np.float32)
    have, taken = normal_numbers(words, places, widths, heights, tail, whole, 0)
    assert have == 5000
    filled, used = 0, 0
    for end in [*range(95, 210), len(words)]:
        filled, more = normal_numbers(words[used:end], places, widths, heights, tail, parts, filled)
        used += more
    assert (filled, used) == (have, taken)
    np.testing.assert_array_equal(parts, whole)
    assert whole.max() > 3.66
    assert whole.min() < -3.66
    assert abs(whole.mean()) < 0.06
    assert abs(whole.std() - 1.0) < 0.04

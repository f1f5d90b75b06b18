"""Pseudo-random sequences: the shift registers of ITU-T O.150, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from photosim import waveforms


@pytest.mark.parametrize(("order", "tap"), [(7, 6), (9, 5), (11, 9), (15, 14), (20, 3), (23, 18)])
def test_every_bit_of_a_sequence_is_that_of_its_shift_register(order: int, tap: int) -> None:
    """A register that starts full of ones, and whose next bit is the sum of two, leaves no bit open."""
    symbols = waveforms.prbs(1e9, order=order).symbols
    assert symbols is not None
    bits = symbols[1].astype(np.int64)
    assert bits.size == 2**order - 1
    assert bits[:order].all()
    np.testing.assert_array_equal(bits[order:], bits[:-order] ^ bits[order - tap : -tap])
    # One period has every state but zero: one more 1 than 0.
    assert bits.sum() == 2 ** (order - 1)

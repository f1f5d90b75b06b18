"""Symbols over time against numpy, instant by instant."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.kernels.clocks import sent, sent_steadily

RATE = 25e9


@pytest.mark.parametrize("edge", [0.0, 1e-12, 0.5 / RATE, 1 / RATE])
@pytest.mark.parametrize("count", [1, 1024, 50_001])
def test_symbols_and_their_edges_are_those_of_numpy(edge: float, count: int) -> None:
    heights = np.random.default_rng(count).normal(size=97)
    time = np.arange(count) / 8e12 - 1e-9
    out = np.empty(count)
    sent(time, RATE, heights, edge, out)
    place = np.floor(time * RATE + 0.5)
    since = time - place / RATE
    after, before = (heights[np.maximum(place - k, 0).astype(int) % 97] for k in (0, 1))
    with np.errstate(all="ignore"):
        passing = before + (after - before) * (0.5 - 0.5 * np.cos(np.pi * (since / edge + 0.5)))
    expected = np.where(since >= edge / 2, after, np.where(since < -edge / 2, before, passing))
    np.testing.assert_allclose(out, expected, rtol=0, atol=2e-15)
    still = np.abs(since) > edge / 2
    np.testing.assert_array_equal(out[still], expected[still])


def test_edges_stay_between_their_levels() -> None:
    """One rounding below 0 V, and a low-pass no longer kept a drive from 0 to 3 V where a junction may be."""
    out = np.empty(1_000_000)
    for scale in (3.0, 1e-3):
        sent(np.arange(out.size) * 1.37e-14, RATE, scale * np.array([0.0, 1.0]), 0.5 / RATE, out)
        assert out.min() == 0.0
        assert out.max() == scale


@pytest.mark.parametrize("edge", [0.0, 1e-12, 0.5 / RATE, 1 / RATE])
@pytest.mark.parametrize("clock", [(8e12, 0.0), (8e12, -1e-9), (8e11, 1.3e-7), (7.3e9, 3e-9)])
@pytest.mark.parametrize("number", [0, 65_512, 12_345_678])
def test_symbols_on_a_clock_are_those_at_its_instants_bit_for_bit(
    edge: float, clock: tuple[float, float], number: int
) -> None:
    (often, start), heights = clock, np.random.default_rng(number).normal(size=97)
    for count in (1, 3000):
        expected, found = np.empty(count), np.empty(count)
        sent(np.arange(number, number + count) / often + start, RATE, heights, edge, expected)
        sent_steadily(number, often, start, RATE, heights, edge, found)
        np.testing.assert_array_equal(found, expected)

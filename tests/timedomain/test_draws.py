"""Noise from counters: any stretch of it alike, normal, and a walk that grows as one."""

import numpy as np
import pytest

from photosim.timedomain.draws import GRID, Draws


@pytest.mark.parametrize("first", [-GRID - 7, -3, 0, 5, 3 * GRID - 4])
def test_any_stretch_is_part_of_the_whole(first: int) -> None:
    whole = Draws(4, "laser", -2 * GRID)
    own = Draws(4, "laser", first)
    for what in ("white", "walk"):
        every, found = getattr(whole, what)("x", 7 * GRID), getattr(own, what)("x", GRID + 11)
        assert np.array_equal(found, every[first + 2 * GRID :][: GRID + 11])
    assert np.array_equal(own.white("x", 20, before=8)[8:], own.white("x", 12))


def test_noise_is_normal_and_of_its_own_for_each_part_and_purpose() -> None:
    count = 8 * GRID
    rows = [
        Draws(s, n, 0).white(w, count)
        for s, n, w in ((1, "a", "x"), (2, "a", "x"), (1, "b", "x"), (1, "a", "y"))
    ]
    for k, row in enumerate(rows):
        assert abs(row.mean()) < 5 / np.sqrt(count)
        assert abs(row.var() - 1) < 5 * np.sqrt(2 / count)
        assert abs((row**4).mean() - 3) < 5 * np.sqrt(96 / count)
        for other in rows[k + 1 :]:
            assert abs((row * other).mean()) < 5 / np.sqrt(count)


def test_a_walk_has_independent_steps_across_the_borders_of_blocks() -> None:
    steps = np.diff(Draws(3, "laser", -40 * GRID).walk("phase", 80 * GRID))
    assert abs(steps.var() - 1) < 5 * np.sqrt(2 / steps.size)
    for lag in (1, 2, GRID // 2, GRID):
        assert abs((steps[lag:] * steps[:-lag]).mean()) < 5 / np.sqrt(steps.size)
    borders = steps[GRID - 1 :: GRID]
    assert abs(borders.var() - 1) < 5 * np.sqrt(2 / borders.size)
    assert abs((borders * steps[GRID::GRID][: borders.size]).mean()) < 5 / np.sqrt(borders.size)
    # A stretch of any length has a variance of its length: not more, as blocks bound at both ends would.
    for span in (100, GRID // 2, GRID + 3):
        apart = steps[: steps.size // span * span].reshape(-1, span).sum(axis=1)
        assert abs(apart.var() / span - 1) < 6 * np.sqrt(2 / apart.size)

"""Where drives are fastest, against a search by numpy."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.kernels.drives import fastest_at


@pytest.mark.parametrize("seed", range(4))
def test_the_last_of_the_fastest_samples_of_each_level_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.integers(-3, 4, 3000)).astype(float)
    levels, low, high = 64, values.min(), values.max()
    out = np.zeros(levels + 1, dtype=np.int64)
    fastest_at(values, low, high, out)
    level = ((values[:-1] - low) / (high - low) * levels).astype(int)
    speed = np.abs(np.diff(values))
    for k, found in enumerate(out):
        here = np.flatnonzero(level == k)
        if here.size == 0:
            assert found == -1
        else:
            assert found == here[np.flatnonzero(speed[here] == speed[here].max())[-1]]

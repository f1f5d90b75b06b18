"""Poles seen at every so many instants against poles followed step by step."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.kernels.decays import decayed, decayed_apart


@pytest.mark.parametrize("pole", [-0.02, -0.3 + 0.2j])
@pytest.mark.parametrize("every", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [1, 255, 256, 700])
def test_steps_taken_together_are_those_taken_one_by_one(pole: complex, every: int, count: int) -> None:
    rng = np.random.default_rng(count)
    kind = np.complex128 if np.iscomplexobj(pole) else np.float64
    share = rng.normal(size=7) + (1j * rng.normal(size=7) if kind is np.complex128 else 0.0)
    keep, size = np.exp(pole), every * count
    values = rng.normal(size=size + 6)
    slow, state = np.zeros(size), np.zeros(1, dtype=kind)
    decayed(values, 0.3, share, keep, kind(1.7), state, slow)

    taps = np.convolve(share, keep ** np.arange(every))
    parts = np.stack([taps.real, taps.imag][: 1 + np.iscomplexobj(taps)])
    found, own = np.zeros(count), np.zeros(1, dtype=np.complex128)
    middle = count // 2
    for out, begin in ((found[:middle], 0), (found[middle:], middle)):
        decayed_apart(values[begin * every :], 0.3, every, parts, complex(keep**every), 1.7 + 0j, own, out)
    np.testing.assert_allclose(found, slow[every - 1 :: every], rtol=0, atol=1e-12)
    np.testing.assert_allclose(own, state, rtol=0, atol=1e-12)

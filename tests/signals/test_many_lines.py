"""Combs of many lines: separate lasers that interfere are found without looking at all pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.signals.interference import FAINT, InterferenceError, Lit, refuse_interference

RNG = np.random.default_rng


def strongest(lit: Lit, sources: list[str], frequency: Any) -> bool:
    """Return whether two lines interfere: every pair, one after the other."""
    power = np.abs(lit.fields) ** 2
    light = float((np.abs(lit.responsivity).T * power).sum())
    for a in range(len(sources)):
        for b in range(len(sources)):
            apart = abs(frequency[a] - frequency[b])
            if a == b or (apart and (sources[a] == sources[b] or apart > lit.bandwidth)):
                continue
            first = a if frequency[a] <= frequency[b] else b
            beat = sum(
                lit.fields[a, p] * np.conj(lit.fields[b, p]) * lit.responsivity[p, first]
                for p in range(power.shape[1])
            )
            if 2 * abs(beat) > FAINT * light:
                return True
    return False


@pytest.mark.parametrize("seed", range(40))
def test_lines_interfere_where_a_pair_of_them_does(seed: int) -> None:
    rng = RNG(seed)
    count = int(rng.integers(2, 9))
    frequency = np.asarray(193e12 + 1e9 * rng.integers(0, 40, count), dtype=np.float64)
    sources = [str(name) for name in rng.choice(["a", "b", "c"], count)]
    fields = rng.standard_normal((count, 2)) + 1j * rng.standard_normal((count, 2))
    fields *= np.where(rng.random((count, 1)) < 0.5, 1e-4, 1.0)
    lit = Lit("pd", float(rng.choice([0.0, 1e9, 2e10])), np.ones((2, count)), fields)
    found = False
    try:
        refuse_interference("a question", sources, frequency, [lit])
    except InterferenceError:
        found = True
    assert found is strongest(lit, sources, frequency)


def test_the_first_pair_along_the_frequency_is_named() -> None:
    frequency = np.array([3e12, 1e12, 1e12 + 1e9, 3e12 + 5e8])
    lit = Lit("pd", 2e9, np.ones((1, 4)), np.ones((4, 1), dtype=complex))
    with pytest.raises(InterferenceError, match=r"Light of 'b' and 'c' interferes at 'pd' \(1e\+09 Hz apart"):
        refuse_interference("a link", ["a", "b", "c", "d"], frequency, [lit])


def test_many_lines_of_two_combs_that_pass_each_other_by() -> None:
    """Two combs of 3000 lines 10 GHz apart, interleaved, at a detector of 1 GHz; then one line is moved."""
    grid = 190e12 + 10e9 * np.arange(3000)
    frequency = np.concatenate([grid, grid + 5e9])
    sources = ["a"] * 3000 + ["b"] * 3000
    lit = Lit("pd", 1e9, np.ones((1, 6000)), np.ones((6000, 1), dtype=complex))
    refuse_interference("a link", sources, frequency, [lit])
    frequency[-1] -= 4.5e9
    strong = Lit("pd", 1e9, np.ones((1, 6000)), np.where(frequency[:, np.newaxis] > 219e12, 10.0, 1e-3 + 0j))
    with pytest.raises(InterferenceError, match="5e\\+08 Hz apart, within its bandwidth of 1e\\+09 Hz"):
        refuse_interference("a link", sources, frequency, [strong])

"""Sobol indices against SALib's, from chips that SALib chooses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

import photosim as ps
from photosim.analysis.yields.blame import sobol_groups, sobol_indices
from photosim.analysis.yields.run import make

problems = pytest.importorskip("SALib.sample.sobol", reason="SALib is not installed")
analyses = pytest.importorskip("SALib.analyze.sobol", reason="SALib is not installed")


def test_sobol_indices_are_those_of_salib() -> None:
    circuit = ps.load("add_drop_ring")
    spec: list[dict[str, Any]] = [
        {"quantity": "bandwidth_3dB", "from": "in", "to": "drop", "at_most": 1.0e-4},
        {"quantity": "insertion_loss_dB", "from": "in", "to": "drop", "at_most": 0.6},
        {"quantity": "resonance", "from": "in", "to": "drop", "within": [1.5508, 1.5516]},
    ]
    loss = {"distribution": "lognormal", "sigma": 0.5}
    variation: dict[str, Any] = {
        "width": {"die": 1e-3},
        "gap": {"local": 8e-3},
        "temperature": {"die": 3.0},
        "settings": {"ring.loss_dB_cm": loss},
    }
    judge = make(circuit, variation, spec, "1.55072:1.55172:101", True, None, {}, None).judge
    names, first, total = sobol_indices(judge, 1024, 5)
    groups = sobol_groups(judge.draws)
    assert tuple(groups) == names
    of_column = {column: group for group, columns in groups.items() for column in columns}
    count = judge.draws.dimensions
    problem = {
        "num_vars": count,
        "names": [f"z{k}" for k in range(count)],
        "bounds": [[0, 1]] * count,
        "groups": [of_column[k] for k in range(count)],
    }
    unit = problems.sample(problem, 1024, calc_second_order=False, seed=3)
    values = judge.values(ndtri(np.clip(unit, 1e-12, 1 - 1e-12)))
    for k in range(len(spec)):
        theirs = analyses.analyze(problem, values[k], calc_second_order=False, num_resamples=2, seed=1)
        assert np.allclose(first[k], theirs["S1"], atol=0.02)
        assert np.allclose(total[k], theirs["ST"], atol=0.02)

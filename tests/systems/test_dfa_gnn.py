"""Direct feedback alignment of graph networks, in small."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from photosim.systems import Options, dfa_gnn
from photosim.systems.harness import graph_runs


def test_three_convolutions_learn_by_direct_feedback() -> None:
    recipe = replace(dfa_gnn.RECIPE, epochs=25)
    options = Options("digits", None, 1)
    found = graph_runs.compute(
        options, recipe, "dfa", partial(dfa_gnn.rule_of, "opu"), 0, Path(), lambda _a, _b: None
    )
    assert found["accuracy"] > 70.0  # one in ten by chance, after a fortieth of the epochs

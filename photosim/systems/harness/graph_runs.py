"""Learning rules on graphs, for the systems that are compared on citations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from photosim.systems.harness.data import graph
from photosim.systems.harness.system import Options, Report
from photosim.training.devices import ScatteringMedium
from photosim.training.layers import normalised_adjacency
from photosim.training.node_training import fit_nodes, graph_network, redrawn
from photosim.training.rules import Rule

CHECKED = {"backprop": 80.9, "shallow": 37.3, "dfa": 78.5, "ternary": 79.8, "optical": 79.9}
"""Test accuracies on Cora, in %, of an independent program with the same recipe: no paper's figures."""

MadeRule = Callable[[str, Sequence[int], int, int], Rule]
"""rule(name, hidden widths, classes, seed)."""


@dataclass(frozen=True)
class GraphRecipe:
    """A network of graph convolutions and how it is trained.

    weight_decay: of the first layer's weights.  anew: split the nodes at random, 60/20/20 %, another time
    for each seed, instead of the published split.
    """

    hidden: tuple[int, ...] = (16,)
    epochs: int = 250
    weight_decay: float = 5e-4
    dropout: float = 0.5
    anew: bool = False


EXACT = GraphRecipe()
"""What kipf2017 use for backpropagation."""
FED_BACK = GraphRecipe(weight_decay=1e-4, dropout=0.1)
"""What launayscales2020's code uses for direct feedback: too much regularisation starves it."""


def compute(
    options: Options, recipe: GraphRecipe, name: str, make: MadeRule, seed: int, _path: Path, report: Report
) -> Mapping[str, Any]:
    """Return the test accuracy at the best validation epoch, in %, and its curve."""
    data = graph(options)
    initial, chance, feedback, parts = np.random.SeedSequence(seed).spawn(4)
    if recipe.anew:
        data = redrawn(data, np.random.default_rng(parts))
    adjacency = normalised_adjacency(data.edges, data.labels.size).astype(np.float32)
    widths = (data.features.shape[1], *recipe.hidden, data.classes)
    rule = make(name, recipe.hidden, data.classes, int(feedback.generate_state(1)[0]))
    history = fit_nodes(
        graph_network(adjacency, widths, dropout=recipe.dropout),
        rule, data, epochs=recipe.epochs, weight_decay=recipe.weight_decay, initial=initial, rng=chance,
    )  # fmt: skip
    report(recipe.epochs, recipe.epochs)
    found = {"accuracy": 100.0 * history.chosen, "curve": 100.0 * history.test}
    optics = [own for own in getattr(rule, "feedback", ()) if isinstance(own, ScatteringMedium)]
    return found | ({"frames": float(optics[0].counters["frames"])} if optics else {})


def plain(recipe: GraphRecipe) -> dict[str, Any]:
    """Return a recipe in plain JSON types."""
    return asdict(recipe) | {"hidden": list(recipe.hidden)}

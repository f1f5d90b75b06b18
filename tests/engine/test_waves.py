"""Loops of a signal-flow graph, and which part a wave arrives at."""

from __future__ import annotations

import numpy as np
import pytest

import photosim as ps
from photosim.engine.waves import loops, strongly_connected


def reachable(arcs: list[tuple[int, int]], size: int) -> np.ndarray:
    """The twin: which node a walk of one arc or more leads to, (from, to), by powers of the adjacency."""
    one = np.zeros((size, size), dtype=bool)
    for a, b in arcs:
        one[a, b] = True
    found = one.copy()
    for _ in range(size):
        found |= found @ one
    return found


@pytest.mark.parametrize("seed", range(8))
def test_sets_and_loops_are_those_of_walks_there_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 20))
    arcs = list(dict.fromkeys(map(tuple, rng.integers(0, size, (int(1.3 * size), 2)).tolist())))
    walks = reachable(arcs, size)
    label = strongly_connected(arcs, size)
    both = (walks & walks.T) | np.eye(size, dtype=bool)
    np.testing.assert_array_equal(label[:, None] == label, both)
    expected = {tuple(np.flatnonzero(both[w])) for w in range(size) if walks[w, w]}
    assert {tuple(loop) for loop in loops(arcs)} == expected
    assert loops([]) == []
    assert strongly_connected([], 0).size == 0


def test_every_port_has_the_part_it_was_numbered_for() -> None:
    graph = ps.load("add_drop_ring").graph
    assert len(graph.owners) == len(graph.partner)
    for part in graph.parts:
        assert all(graph.owners[part.first_port + k] is part for k in range(len(part.ports)))

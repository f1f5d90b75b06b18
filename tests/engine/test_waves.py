"""Loops of a signal-flow graph, and which part a wave arrives at."""

from __future__ import annotations

import numpy as np
import pytest

import photosim as ps
from photosim.engine.plan import EdgeList, columns_of, ends_of, numbers_of
from photosim.engine.plan_search import make_plan
from photosim.engine.waves import loops, strongly_connected, wave_request


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


def test_edges_held_as_arrays_are_those_of_a_dictionary() -> None:
    edges = ps.load("add_drop_ring").compiled.edges
    table = {(int(a), int(b)): int(n) for (a, b), n in zip(edges.ends, edges.numbers, strict=True)}
    assert list(edges) == list(table)
    assert edges == table
    assert len(edges) == len(table) > 10
    np.testing.assert_array_equal(ends_of(edges), ends_of(table))
    np.testing.assert_array_equal(numbers_of(edges), numbers_of(table))
    first = next(iter(table))
    assert edges[first] == table[first]
    with pytest.raises(KeyError):
        edges[first[1], -1]


def test_edges_take_half_the_bytes_unless_a_number_is_too_large() -> None:
    ends = np.array([[0, 1], [1, 2]])
    small, large = EdgeList(ends, np.array([5, 6])), EdgeList(ends, np.array([5, 2**31]))
    assert small.ends.itemsize == small.numbers.itemsize == 4
    assert dict(large) == {(0, 1): 5, (1, 2): 2**31}
    for edges in (small, large, dict(small)):
        a, b = columns_of(edges)
        assert a.tolist() == [0, 1]
        assert b.tolist() == [1, 2]
        assert a.dtype == b.dtype == np.int64
        assert a.flags.c_contiguous
        assert b.flags.c_contiguous


def test_a_request_adds_ends_of_value_one_and_is_planned_alike_from_arrays_and_dictionaries() -> None:
    compiled = ps.load("add_drop_ring").compiled
    graph, table = compiled.graph, dict(compiled.edges)
    source, probed = graph.exposed["in"], len(graph.partner) + graph.exposed["drop"]
    request = wave_request(compiled.edges, [probed, source], [source])
    added = {pair: n for pair, n in request.edges.items() if pair not in table}
    assert set(added.values()) == {0}
    ends = [w.output for w in request.wanted]
    assert list(added) == [(request.wanted[0].input, source), (probed, ends[0]), (source, ends[1])]
    assert {pair: n for pair, n in request.edges.items() if pair in table} == table
    one, other = (make_plan(edges, request.wanted) for edges in (request.edges, dict(request.edges)))
    np.testing.assert_array_equal(one.code, other.code)
    np.testing.assert_array_equal(one.starts, other.starts)
    np.testing.assert_array_equal(one.exits, other.exits)

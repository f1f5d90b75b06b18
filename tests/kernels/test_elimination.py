"""The kernels against their obvious twins; run once compiled and once with the compiler off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.engine.plan import Plan, WantedElement
from photosim.engine.plan_search import make_plan
from photosim.kernels import chain
from photosim.kernels.elimination import Across, Narrow, OneLane, Wide, run, run_across, run_reverse

NODES = 9
POINTS = 11
"""Wavelengths: one block and a bit of the narrow kind."""
KINDS = (OneLane, Narrow, Wide)
ENDS = (0, 1, 7, 8)  # two inputs, two outputs


def random_graph(seed: int) -> tuple[dict[tuple[int, int], int], Any]:
    """Edges among five inner waves, loops included, and a complex value for each on POINTS wavelengths."""
    rng = np.random.default_rng(seed)
    pairs = [(a, b) for a in range(NODES) for b in range(NODES) if b not in (0, 1) and a not in (7, 8)]
    kept = [pair for pair in pairs if rng.uniform() < 0.5]
    values = 0.3 * (rng.normal(size=(len(kept), POINTS)) + 1j * rng.normal(size=(len(kept), POINTS)))
    return {pair: k for k, pair in enumerate(kept)}, values


MIRROR = {0: 7, 7: 0, 1: 8, 8: 1, 2: 3, 3: 2, 4: 5, 5: 4}
"""Wave to the wave that travels the same way back; the inputs' mirrors are the outputs."""


def mirrored_graph(seed: int) -> tuple[dict[tuple[int, int], int], Any]:
    """A random graph whose mirrored edges share one value: the directions of travel mix."""
    full, values = random_graph(seed)
    edges: dict[tuple[int, int], int] = {}
    for (a, b), k in full.items():
        if a in MIRROR and b in MIRROR and (a, b) not in edges:
            edges[a, b] = edges[MIRROR[b], MIRROR[a]] = k
    return edges, values


def naive(edges: dict[tuple[int, int], int], values: Any) -> Any:
    """Return the gain from each input to each output, (2, 2, W), by one linear solve a wavelength."""
    out = np.empty((2, 2, values.shape[1]), dtype=complex)
    for w in range(values.shape[1]):
        step = np.zeros((NODES, NODES), dtype=complex)
        for (a, b), k in edges.items():
            step[b, a] = values[k, w]
        waves = np.linalg.inv(np.eye(NODES) - step)
        out[:, :, w] = waves[np.ix_((7, 8), (0, 1))]
    return out


def run_plan(plan: Plan, values: Any, kind: Any = Narrow) -> tuple[Any, Any, Any, Any]:
    """Run a plan on values (V, W); return out (1, 4, W), the flat values, their addresses and the span."""
    lanes = kind.LANES
    blocks = -(-values.shape[1] // lanes)
    padded = np.pad(values, ((0, 0), (0, blocks * lanes - values.shape[1])), mode="edge")
    flat = np.stack([padded.real, padded.imag], axis=1).ravel()
    step = blocks * lanes
    address = np.array([[2 * k * step, 0, lanes, 1, step] for k in range(len(values))], dtype=np.int64)
    out = np.zeros((1, 4, values.shape[1]), dtype=complex)
    smallest = np.empty((1, values.shape[1]))
    span = kind(0, blocks, blocks, 0)
    run(plan.code, address, flat, plan.exits, out, smallest, np.empty(2 * lanes * plan.slots), span)
    assert np.all(smallest > 0)
    return out, flat, address, span


WANTED = [WantedElement(i, o, 2 * (o - 7) + i) for o in (7, 8) for i in (0, 1)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_elimination_equals_a_linear_solve(seed: int, keep: bool, kind: Any) -> None:
    edges, values = random_graph(seed)
    out, *_ = run_plan(make_plan(edges, WANTED, keep=keep), values, kind)
    expected = naive(edges, values).reshape(4, -1)
    np.testing.assert_allclose(out[0], expected, rtol=1e-11, atol=1e-12)


HALF = [WantedElement(0, 7, 0), WantedElement(1, 8, 3), WantedElement(1, 7, 1, 2)]
"""The three elements that are not mirror images of each other; the third goes to two places."""


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_pairs_of_waves_equal_a_linear_solve(seed: int, keep: bool, kind: Any) -> None:
    edges, values = mirrored_graph(seed)
    out, *_ = run_plan(make_plan(edges, HALF, mirror=MIRROR, keep=keep), values, kind)
    expected = naive(edges, values).reshape(4, -1)
    np.testing.assert_allclose(expected[1], expected[2], rtol=1e-11, atol=1e-12)  # the graph is reciprocal
    np.testing.assert_allclose(out[0], expected, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("paired", [False, True])
def test_entries_of_a_batch_side_by_side_give_the_bits_of_wavelengths(seed: int, *, paired: bool) -> None:
    edges, values = mirrored_graph(seed) if paired else random_graph(seed)
    values[0] = values[0, 0]  # one value is the same for the whole batch
    plan = make_plan(edges, HALF if paired else WANTED, mirror=MIRROR if paired else None)
    wanted = run_plan(plan, values)[0]
    flat = np.stack([values.real, values.imag], axis=1).ravel()
    address = np.array([[2 * k * POINTS, 1, 0, 0, POINTS] for k in range(len(values))], dtype=np.int64)
    address[0, 1] = 0
    out, smallest = np.zeros((POINTS, 4, 1), dtype=complex), np.empty((POINTS, 1))
    span = Across(0, 2, 1, 0, POINTS)
    work = np.empty(2 * Across.LANES * plan.slots)
    run_across(plan.code, address, flat, plan.exits, out, smallest, work, span)
    np.testing.assert_array_equal(out[:, :, 0].T, wanted[0])
    assert np.all(smallest > 0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("paired", [False, True])
def test_blocks_of_all_kinds_give_the_same_bits(seed: int, paired: bool) -> None:
    edges, values = mirrored_graph(seed) if paired else random_graph(seed)
    plan = make_plan(edges, HALF if paired else WANTED, mirror=MIRROR if paired else None)
    single, narrow, wide = (run_plan(plan, values, kind)[0] for kind in KINDS)
    np.testing.assert_array_equal(single, narrow)
    np.testing.assert_array_equal(single, wide)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_reverse_pass_equals_central_differences(seed: int, paired: bool, kind: Any) -> None:
    edges, values = mirrored_graph(seed) if paired else random_graph(seed)
    plan = make_plan(edges, HALF if paired else WANTED, mirror=MIRROR if paired else None, keep=True)
    out, flat, address, span = run_plan(plan, values, kind)
    blocks, lanes = span.blocks, span.LANES
    rng = np.random.default_rng(seed + 100)
    cotangent = rng.normal(size=out.shape) + 1j * rng.normal(size=out.shape)
    slopes = np.empty((blocks, len(values), 2 * lanes))
    work = np.empty((2, 2 * lanes * plan.slots))
    smallest = np.empty((1, out.shape[2]))
    program = (plan.code, plan.starts, plan.exits)
    run_reverse(program, address, flat, cotangent, smallest, work, slopes, span)
    assert (smallest > 0).all()
    by_value = slopes.reshape(blocks, len(values), 2, lanes).transpose(1, 2, 0, 3).reshape(len(values), 2, -1)
    step = 1e-6
    for k in range(0, len(values), 5):
        for part, direction in enumerate((1.0, 1j)):
            ahead, behind = values.copy(), values.copy()
            ahead[k] += step * direction
            behind[k] -= step * direction
            change = (naive(edges, ahead) - naive(edges, behind)).reshape(4, -1) / (2 * step)
            expected = np.sum((np.conj(cotangent[0]) * change).real, axis=0)
            np.testing.assert_allclose(by_value[k, part, : values.shape[1]], expected, rtol=1e-6, atol=1e-6)


def test_slots_are_used_again_unless_kept() -> None:
    edges, _ = random_graph(1)
    assert make_plan(edges, WANTED).slots < make_plan(edges, WANTED, keep=True).slots


def test_a_loop_of_gain_one_counts_as_nothing() -> None:
    # Wave 1 feeds itself with gain exactly 1: it traps light for ever and is left out.
    plan = make_plan({(0, 1): 0, (1, 1): 1, (1, 2): 2, (0, 2): 3}, [WantedElement(0, 2, 0)])
    lanes = Narrow.LANES
    values = np.array([0.5, 1.0, 0.25, 0.125])[:, np.newaxis] * np.ones((1, lanes), dtype=complex)
    flat = np.stack([values.real, values.imag], axis=1).ravel()
    address = np.array([[2 * k * lanes, 0, lanes, 1, lanes] for k in range(4)], dtype=np.int64)
    out = np.zeros((1, 1, lanes), dtype=complex)
    smallest = np.empty((1, lanes))
    work = np.empty(2 * lanes * plan.slots)
    run(plan.code, address, flat, plan.exits, out, smallest, work, Narrow(0, 1, 1, 0))
    assert np.all(out == 0.125)
    assert np.all(smallest == 0.0)


def test_the_chain_kernel_equals_a_plain_sum() -> None:
    lanes = Narrow.LANES
    rng = np.random.default_rng(3)
    rows, batch, parameters, values, blocks = 3, 2, 4, 2, 2
    count = POINTS
    partials = rng.normal(size=(rows, batch, parameters + 1, values, 2, blocks * lanes))
    slopes = rng.normal(size=(batch * blocks, 9, 2 * lanes))
    partials[1, :, 2, 0] = np.inf  # a reflection that is off ...
    slopes[:, 4] = 0.0  # ... acts on nothing
    first, columns = np.array([1, 4, 6]), np.array([2, 0])
    out = np.empty((rows, batch, 2, count))
    chain.contract(partials, slopes, first, columns, out)
    by_value = slopes.reshape(batch, blocks, 9, 2, lanes).transpose(0, 2, 3, 1, 4).reshape(batch, 9, 2, -1)
    for r in range(rows):
        for c, column in enumerate(columns):
            expected = np.zeros((batch, count))
            for v in range(values):
                if (r, v) != (1, 0):
                    product = partials[r, :, column, v] * by_value[:, first[r] + v]
                    expected += product.sum(axis=1)[:, :count]
            np.testing.assert_allclose(out[r, :, c], expected, rtol=1e-13)

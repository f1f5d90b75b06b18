"""The kernel that removes all waves of a large circuit, against the dictionaries that it stands for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import photosim as ps
from photosim.engine.plan import WantedElement
from photosim.engine.plan_search import Elimination, make_plan
from photosim.kernels.removal import remove_waves

SEEDS = range(40)


def graph(seed: int) -> tuple[dict[tuple[int, int], int], list[WantedElement]]:
    """Return random edges, loops included, between two inputs, two outputs and up to 30 inner waves."""
    rng = np.random.default_rng(seed)
    size, density = int(rng.integers(3, 30)), rng.uniform(0.03, 0.5)
    inputs, outputs = (0, 1), (size, size + 1)
    pairs = [(a, b) for a in range(size) for b in range(2, size + 2)]
    kept = [pair for pair in pairs if rng.uniform() < density] or [(0, size)]
    order = rng.permutation(len(kept)).tolist()
    wanted = [WantedElement(i, o, 2 * k + i) for k, o in enumerate(outputs) for i in inputs]
    return {kept[k]: n for n, k in enumerate(order)}, wanted


def give_back_in_order(self: Elimination, slots: list[int]) -> None:
    """Free slots in the order of the kernel."""
    if not self.keep:
        self.free += slots


@pytest.mark.parametrize("keep", [False, True])
def test_the_kernel_writes_the_steps_that_dictionaries_give(
    keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads_of_rest = 0
    monkeypatch.setattr(Elimination, "_release", give_back_in_order)
    for seed in SEEDS:
        edges, wanted = graph(seed)
        plain = make_plan(edges, wanted, keep=keep)
        with monkeypatch.context() as patch:
            patch.setattr(Elimination, "compiled_from", 0)
            compiled = make_plan(edges, wanted, keep=keep)
        for name in ("code", "starts", "exits"):
            one, other = getattr(plain, name), getattr(compiled, name)
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
        arrays = {name: getattr(plain, name) for name in ("code", "starts", "exits")}
        assert plain == replace(compiled, **arrays)  # all else
        loads_of_rest += len(plain.starts) > plain.removed
    assert loads_of_rest  # some graphs have an edge from an input right to an output


@pytest.mark.parametrize("name", ["crow", "clements_4x4"])
def test_slots_given_back_in_another_order_leave_every_bit_of_a_result(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    netlist, wl = ps.load(name).netlist, np.linspace(1.54, 1.56, 21)
    plain = ps.Circuit(netlist)
    expected = plain.transfer(wl, plain.ports, plain.ports)
    monkeypatch.setattr(Elimination, "compiled_from", 0)
    compiled = ps.Circuit(netlist)
    np.testing.assert_array_equal(compiled.transfer(wl, plain.ports, plain.ports), expected)


def test_a_kernel_stops_after_too_many_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Elimination, "compiled_from", 0)
    edges, wanted = graph(3)
    products = make_plan(edges, wanted).products
    assert products > 50
    assert Elimination(edges, wanted, {}, keep=False).plan(products / 2) is None
    plan = Elimination(edges, wanted, {}, keep=False).plan(products)
    assert plan is not None
    assert plan.products == products


def test_a_graph_of_ends_alone_has_no_step() -> None:
    table = np.tile(np.array([-1, -1, 0], dtype=np.int32), (2, 2))
    one = np.zeros(1, dtype=np.int32)
    heap = np.empty(0, dtype=np.int64)
    _, _, left, _, counts = remove_waves(one, one + 1, one + 5, heap, table, 0, False, 1.0)
    assert left.tolist() == [[0, 1, -6]]
    assert counts == (1, 0, 0, 0, 0, 0, 0)

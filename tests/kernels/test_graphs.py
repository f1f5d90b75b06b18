"""Walks over graphs against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from photosim.kernels import graphs
from photosim.kernels.graphs import FEW, components, reach


@pytest.mark.parametrize("few", [FEW, 0])
@pytest.mark.parametrize("seed", range(8))
def test_components_and_reach_agree_with_scipy(seed: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "FEW", few)  # 0: by the kernels
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 60))
    a, b = rng.integers(0, size, (2, int(rng.integers(0, 2 * size))))
    links = coo_array((np.ones(len(a)), (a, b)), shape=(size, size)).tocsr()
    labels = components(a, b, size)
    count, known = connected_components(links, directed=False)
    assert len(np.unique(labels)) == count == len(set(zip(labels.tolist(), known.tolist(), strict=True)))
    assert np.array_equal(labels[labels], labels)
    assert (labels <= np.arange(size)).all()
    starts = rng.integers(0, size, 2)
    seen = np.zeros(size, dtype=bool)
    for start in starts:
        seen[breadth_first_order(links, start, return_predecessors=False)] = True
    np.testing.assert_array_equal(reach(a, b, starts, size), seen)


def test_a_long_chain_is_one_component_in_any_order() -> None:
    order = np.random.default_rng(0).permutation(9999)
    labels = components(order, order + 1, 10_000)
    np.testing.assert_array_equal(labels, 0)
    assert len(order) > FEW
    assert reach(order, order + 1, np.array([5000]), 10_000).sum() == 5000

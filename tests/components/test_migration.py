"""What docs/migration.md says about the conventions of other tools, against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.circuit import Circuit

PORTS = {f"o{k}": f"x,o{k}" for k in (1, 2, 3, 4)}


@pytest.mark.parametrize(("theta", "phi"), [(0.7, 1.9), (2.8, -0.4), (0.0, 0.3)])
@pytest.mark.parametrize("epsilon", [0.0, 0.08])
def test_a_block_is_that_of_neurophox(theta: float, phi: float, epsilon: float) -> None:
    # Both couplers keep (1 + epsilon)/2 of the power in its guide; theta and phi are on the first guide.
    bar, cross = np.sqrt((1 + epsilon) / 2), np.sqrt((1 - epsilon) / 2)
    splitter = np.array([[bar, 1j * cross], [1j * cross, bar]])
    inner, outer = np.diag([np.exp(1j * theta), 1]), np.diag([np.exp(1j * phi), 1])
    expected = splitter @ inner @ splitter @ outer
    settings = {"theta": theta, "phi": phi, "coupling": (1 - epsilon) / 2}
    s = Circuit({"instances": {"x": {"component": "mzi_block", "settings": settings}}, "ports": PORTS})(
        [1.55]
    )
    matrix = np.array([[s[a, b].values[0] for a in ("o1", "o2")] for b in ("o4", "o3")])
    np.testing.assert_allclose(matrix, expected, atol=1e-12)


def test_simphonys_coupler_and_guide() -> None:
    s = Circuit(
        {"instances": {"x": {"component": "coupler", "settings": {"coupling": 0.3}}}, "ports": PORTS}
    )([1.55])
    assert s["o2", "o3"].values[0] == pytest.approx(np.sqrt(0.7))
    assert s["o2", "o4"].values[0] == pytest.approx(1j * np.sqrt(0.3))
    guide = {"component": "straight", "settings": {"length": 50.0, "loss_dB_cm": 3.0}}
    s = Circuit({"instances": {"x": guide}, "ports": {"o1": "x,o1", "o2": "x,o2"}})([1.56])
    index = 2.34 - (1.56 - 1.55) * (3.4 - 2.34) / 1.55
    theirs = 10 ** (-(3.0 * 1e-4) * 50.0 / 20) * np.exp(2j * np.pi * index * 50.0 / 1.56)
    assert s["o1", "o2"].values[0] == pytest.approx(theirs)

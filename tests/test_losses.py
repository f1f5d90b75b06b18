"""Ready-made losses: their values, and their gradients against central differences."""

from __future__ import annotations

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError

WL = np.linspace(1.54, 1.56, 21)
NET = {"instances": {"ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.2}}},
       "ports": {"in": "ring,o1", "drop": "ring,o2", "add": "ring,o3", "through": "ring,o4"}}  # fmt: skip
LOSSES = {
    "power": ps.losses.power([("in", "drop"), ("add", "through")]),
    "target": ps.losses.target_spectrum(("in", "drop"), np.linspace(0.0, 1.0, 21)),
    "flat": ps.losses.flatness(("in", "through")),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_ready_losses(name: str) -> None:
    circuit = ps.Circuit(NET)
    loss = LOSSES[name]
    _, gradient = circuit.value_and_grad(loss, wl=WL, parameters=["ring.coupling"])
    step = 1e-6
    ahead, behind = (loss(circuit(WL, ring={"coupling": 0.2 + d}))[0] for d in (step, -step))
    assert gradient["ring.coupling"] == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)


def test_values_of_ready_losses() -> None:
    s = ps.Circuit(NET)(WL)
    drop = s["in", "drop"].power
    assert LOSSES["power"](s)[0] == pytest.approx(drop.mean() + s["add", "through"].power.mean())
    assert LOSSES["target"](s)[0] == pytest.approx(np.mean((drop - np.linspace(0.0, 1.0, 21)) ** 2))
    assert LOSSES["flat"](s)[0] == pytest.approx(np.var(s["in", "through"].power))


def test_a_target_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"has shape \(3,\), but the sweep has 21 wavelengths"):
        ps.losses.target_spectrum(("in", "drop"), [0.0, 0.5, 1.0])(ps.Circuit(NET)(WL))

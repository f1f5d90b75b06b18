"""A laser network from a circuit: its light is what the netlist says, and other circuits are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices.reservoir import LaserReservoir

SOME = (np.random.default_rng(0).random((3, 1024)) < 0.334).astype(np.float32)


def reservoir(**settings: Any) -> LaserReservoir:
    return LaserReservoir.from_circuit(ps.load("laser_reservoir"), **settings)


def test_light_is_what_the_netlist_announces() -> None:
    made = reservoir()
    power = np.sum(np.abs(made.injected(SOME)) ** 2, axis=1)
    lit = SOME.sum(axis=1) / 1024
    # On mirrors and the amplitude of those that are off, over the Gaussian law's chance in 509 modes.
    np.testing.assert_allclose(power, 0.7 * 0.15 * lit, rtol=0.25)
    assert made.laser.threshold_current == pytest.approx(36.2e-3, rel=2e-3)
    assert np.sqrt(2 * made.laser.diffraction * made.laser.photon_lifetime) == pytest.approx(1.9, abs=0.05)
    states = made.states(SOME)
    assert states.shape == (3, 450)
    np.testing.assert_allclose(states[1], made.states(SOME[1:2])[0], rtol=1e-3)
    assert np.abs(np.corrcoef(states[0], made.speckle(SOME)[0])[0, 1]) < 0.99


def test_every_block_counts() -> None:
    states = reservoir().states(SOME)
    for changed in (
        {"laser.power": 0.5}, {"images.contrast": 20.0}, {"fibre.seed": 2}, {"fibre.speckle": 2.6},
        {"vcsel.current": 0.02}, {"vcsel.wl": 0.9201}, {"vcsel.index": 2.5},
    ):  # fmt: skip
        other = reservoir(**changed).states(SOME)
        assert np.linalg.norm(other - states) > 0.02 * np.linalg.norm(states), changed
    assert reservoir(**{"weights.nodes": 100, "detector.pixels": 100}).states(SOME).shape == (3, 100)
    assert reservoir(**{"laser.rin_dB_Hz": -90}).rin == pytest.approx(1e-9)


def test_other_circuits_are_refused_in_a_sentence() -> None:
    with pytest.raises(ParameterError, match="A laser reservoir is a chain dmd - speckle_fiber"):
        LaserReservoir.from_circuit(ps.load("opu"))
    with pytest.raises(ParameterError, match=r"cells are 2\.5 um apart"):
        reservoir(**{"fibre.pitch": 2.5})
    with pytest.raises(ParameterError, match="Marchenko-Pastur"):
        reservoir(**{"fibre.transmission": 0.5})
    with pytest.raises(ParameterError, match="zeros and ones"):
        reservoir().mirrors.sent(np.full(450, 2))

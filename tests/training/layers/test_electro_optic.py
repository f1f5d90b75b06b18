"""The electro-optic activation in a network: closed values, and gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.kernels.saturation import activate
from photosim.model import registry
from photosim.model.kinds.nonlinear import Nonlinear
from photosim.training.devices import mesh_chip
from photosim.training.layers import Network
from photosim.training.layers.electro_optic import (
    ActivatedMesh,
    ElectroOptic,
    ElectroOpticLayer,
    power_cross_entropy,
)
from photosim.training.layers.mesh import MeshLayer
from photosim.training.losses import Objective, share_correct
from photosim.training.passes import run
from photosim.training.rules import Backprop

RNG = np.random.default_rng(51)
N = 4
CHIP = mesh_chip("clements_mesh", N)
F = ElectroOptic(0.7 * np.pi, 0.9 * np.pi, 0.1)
OBJECTIVE = Objective(power_cross_entropy, share_correct)  # type: ignore[arg-type]
X = RNG.normal(size=(6, N)) + 1j * RNG.normal(size=(6, N))
Y = RNG.integers(0, 3, 6)


def test_the_activation_is_equation_6() -> None:
    z = RNG.normal(size=50) + 1j * RNG.normal(size=50)
    x = 0.7 * np.pi * np.abs(z) ** 2 + 0.9 * np.pi
    wanted = 1j * np.sqrt(0.9) * np.exp(-0.5j * x) * np.cos(x / 2) * z
    np.testing.assert_allclose(F.value(z), wanted, atol=1e-14)


def test_weak_light_meets_a_cubic_at_a_bias_of_pi() -> None:
    z = 1e-3 * np.exp(1j * RNG.uniform(0, 2 * np.pi, 20))
    rectifier = ElectroOptic(2.0)
    wanted = -0.5 * np.sqrt(0.9) * 2.0 * np.abs(z) ** 2 * z
    np.testing.assert_allclose(rectifier.value(z), wanted, rtol=1e-5)  # the next order is g |z|^2/2
    full = ElectroOptic(2.0, bias=0.0, tap=0.2)
    np.testing.assert_allclose(np.abs(full.value(z)) ** 2, 0.8 * np.abs(z) ** 2, rtol=1e-5)


@pytest.mark.parametrize("activated", [True, False])
def test_the_gradient_of_two_meshes_is_exact(activated: bool) -> None:
    last = ActivatedMesh.of(CHIP, outputs=3)
    last = ActivatedMesh(last.hardware, N, 3, activation=F if activated else None)
    middle = (ElectroOpticLayer(N, F),) if activated else ()
    network = Network((MeshLayer.of(CHIP), *middle, last))
    parameters = network.initial(np.random.default_rng(1))
    updates = Backprop().updates(run(network, parameters, X, Y, OBJECTIVE)[0])
    for own, update in zip(parameters, updates, strict=True):
        for name, value in own.items():
            assert update is not None
            for place in range(value.size):
                kept, sides = value[place], []
                for side in (1e-6, -1e-6):
                    value[place] = kept + side
                    sides.append(power_cross_entropy(network.predict(parameters, X), Y)[0])  # type: ignore[arg-type]
                value[place] = kept
                # Central differences: truncation and rounding near 1e-10.
                assert update[name][place] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-8)


def test_shares_of_power_are_probabilities() -> None:
    powers = RNG.uniform(0.1, 1.0, (6, 3))
    loss, error = power_cross_entropy(powers, Y)  # type: ignore[arg-type]
    shares = powers / powers.sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-np.mean(np.log(shares[np.arange(6), Y])))
    np.testing.assert_allclose(
        (error * powers).sum(axis=1), 0.0, atol=1e-14
    )  # brighter light changes nothing
    assert np.isfinite(power_cross_entropy(np.zeros((6, 3)), Y)[0])  # type: ignore[arg-type]


def test_the_activation_is_the_component_at_rest() -> None:
    part = registry.get("electro_optic_activation")
    assert isinstance(part, Nonlinear)
    given = {
        "tap": 0.2,
        "responsivity": 0.8,
        "transimpedance": 2e4,
        "v_pi": 5.0,
        "bias": 4.0,
        "bandwidth": 1e10,
    }
    constants = part.constants(given).ravel()
    tap, slope, bias, bandwidth = constants
    for z in (0.01, 0.02j, 0.03 - 0.01j):
        waves, out = np.array([[z], [0.0]], dtype=complex), np.zeros((2, 1), dtype=complex)
        state = np.array([np.abs(z) ** 2])
        activate(state, waves, waves, out, np.tile(constants, 2), np.zeros(1), np.zeros(0), 1.0 / bandwidth)
        found = ElectroOptic(slope, bias, tap).value(np.array([z], dtype=complex))[0]
        assert found == pytest.approx(out[1, 0], abs=1e-15)

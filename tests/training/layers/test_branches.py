"""Branches side by side against dense layers one by one, and held by meshes."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.training.devices import Digital, MeshErrors, TiledMesh, mesh_chip
from photosim.training.layers import Dense, Network, activation
from photosim.training.layers.branches import Branches, HeldBranches
from photosim.training.passes import run
from photosim.training.rules import Backprop, Pepita

RNG = np.random.default_rng(61)
X, Y = RNG.normal(size=(7, 12)), RNG.integers(0, 2, 7)
TANH, LINEAR = activation("tanh"), activation("linear")
LAYER = Branches(3, 4, 5, TANH)


def test_each_branch_is_a_dense_layer() -> None:
    own = LAYER.initial(np.random.default_rng(0))
    trace, delta = LAYER.forward(own, X), RNG.normal(size=(7, 15))
    update, back = LAYER.gradient(trace, delta, 7), LAYER.back(own, trace, delta)
    one = Dense(4, 5, TANH)
    for k in range(3):
        seen, units = slice(4 * k, 4 * k + 4), slice(5 * k, 5 * k + 5)
        alone = {name: value[units] for name, value in own.items()}
        wanted = one.forward(alone, X[:, seen])
        np.testing.assert_allclose(trace.outputs[:, units], wanted.outputs, atol=1e-15)
        np.testing.assert_allclose(LAYER.derivative(trace)[:, units], one.derivative(wanted), atol=1e-15)
        step = one.gradient(wanted, delta[:, units], 7)
        np.testing.assert_allclose(update["weights"][units], step["weights"], atol=1e-15)
        np.testing.assert_allclose(update["bias"][units], step["bias"], atol=1e-15)
        np.testing.assert_allclose(back[:, seen], one.back(alone, wanted, delta[:, units]), atol=1e-14)


def test_the_published_network_has_its_parameters() -> None:
    relu = activation("relu")
    network = Network((Branches(28, 28, 28, relu), Branches(28, 28, 1, relu), Dense(28, 10, LINEAR)))
    own = network.initial(np.random.default_rng(0))
    assert sum(value.size for part in own for value in part.values()) == 23_838


@pytest.mark.parametrize("loss_dB", [0.0, 0.1])
def test_ideal_meshes_hold_the_branches(loss_dB: float) -> None:
    tiles = TiledMesh.from_circuit(mesh_chip("svd_mesh", 5, loss_dB=loss_dB), "mesh")
    held = Network((HeldBranches(3, 4, 5, TANH, tiles), Dense(15, 2, LINEAR)))
    free = Network((LAYER, Dense(15, 2, LINEAR)))
    own = free.initial(np.random.default_rng(0))
    for rule in (Backprop(), Pepita((Digital(0.1 * RNG.normal(size=(12, 2))),))):
        one, other = (rule.updates(run(net, own, X, Y)[0]) for net in (held, free))
        assert one[0] is not None
        assert other[0] is not None
        off = np.abs(one[0]["weights"] - other[0]["weights"]).max()
        assert (off < 1e-13) == (loss_dB == 0.0)


def test_branches_of_imperfect_meshes_keep_their_hardware() -> None:
    tiles = TiledMesh.from_circuit(mesh_chip("svd_mesh", 5), "mesh", MeshErrors(coupling=0.05, phase=0.02))
    layer = HeldBranches(3, 4, 5, TANH, tiles)
    own = layer.initial(np.random.default_rng(0))
    first = layer.forward(own, X).outputs
    np.testing.assert_array_equal(layer.forward(own, X).outputs, first)
    own["weights"] *= 1.01
    moved = layer.forward(own, X).outputs
    assert np.abs(moved - first).max() > 1e-3
    with pytest.raises(ParameterError, match="Pairs of 5 guides cannot hold branches of 6 x 4"):
        HeldBranches(3, 4, 6, TANH, tiles)

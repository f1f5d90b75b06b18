"""Matrices in tiles of meshes: each tile against one mesh, read-out, and layers that hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices import Device, Digital, Mesh, MeshErrors, Readout, TiledMesh, mesh_chip
from photosim.training.layers import Dense, Network, activation, dense_network
from photosim.training.layers.held import HeldDense
from photosim.training.passes import run
from photosim.training.rules import Backprop, TwoPass

RNG = np.random.default_rng(41)
N = 4


def chip(component: str = "svd_mesh", **settings: Any) -> ps.Circuit:
    """A mesh of 4 guides alone in a circuit."""
    return mesh_chip(component, N, **settings)


@pytest.mark.parametrize("shape", [(4, 4), (10, 13), (3, 8), (1, 1)])
def test_ideal_tiles_hold_and_multiply_by_any_matrix(shape: tuple[int, int]) -> None:
    weights, x = 7.0 * RNG.normal(size=shape), RNG.normal(size=(6, shape[1]))
    device: Device = TiledMesh.from_circuit(chip(), "mesh").program(weights)
    np.testing.assert_allclose(device.matrix(), weights, atol=1e-12)
    gain = RNG.uniform(size=(6, shape[0]))
    np.testing.assert_allclose(device.apply(x, gain), gain * (x @ weights.T), atol=1e-11)


@pytest.mark.parametrize(
    "design",
    [
        {"coupling": 0.45, "coupling_join": 0.53, "loss_dB": 0.2, "loss_shifter_dB": 0.1},
        {"arrangement": "reck", "coupling": 0.48},
        {"wl0": 1.56},
    ],
    ids=str,
)
@pytest.mark.parametrize("bits", [None, 5])
def test_each_tile_is_what_one_mesh_makes_of_it(design: dict[str, Any], bits: int | None) -> None:
    weights = RNG.normal(size=(7, 9))
    circuit = chip(**design, bits=bits)
    tiled = TiledMesh.from_circuit(circuit, "mesh").program(weights)
    single = Mesh.from_circuit(circuit, "mesh")
    for rows in (slice(0, 4), slice(4, 7)):
        for columns in (slice(0, 4), slice(4, 8), slice(8, 9)):
            wanted = single.program(weights[rows, columns]).matrix()
            np.testing.assert_allclose(tiled.matrix()[rows, columns], wanted, atol=1e-12)


def test_a_tile_of_zeros_is_dark_and_does_not_spoil_the_others() -> None:
    weights = RNG.normal(size=(4, 8))
    weights[:, 4:] = 0.0
    np.testing.assert_allclose(
        TiledMesh.from_circuit(chip(), "mesh").program(weights).matrix(), weights, atol=1e-13
    )


def test_couplers_stay_as_built_and_phases_follow_the_weights() -> None:
    weights = RNG.normal(size=(8, 8))
    built = TiledMesh.from_circuit(chip(), "mesh", MeshErrors(coupling=0.03), seed=3)
    first = built.program(weights).matrix()
    np.testing.assert_array_equal(built.program(weights).matrix(), first)
    # Tiles alike are not off alike, and another chip is off otherwise.
    same = built.program(np.tile(weights[:4, :4], (1, 2))).matrix()
    assert np.abs(same[:, :4] - same[:, 4:]).max() > 1e-3
    other = built.with_errors(MeshErrors(coupling=0.03), Readout(), 4)
    assert np.abs(other.program(weights).matrix() - first).max() > 1e-3
    heated = TiledMesh.from_circuit(chip(), "mesh", MeshErrors(phase=0.03))
    again = heated.program(weights).matrix()
    np.testing.assert_array_equal(heated.program(weights).matrix(), again)
    off, moved = again - weights, heated.program(1.001 * weights).matrix() / 1.001 - weights
    assert abs(np.corrcoef(off.ravel(), moved.ravel())[0, 1]) < 0.5  # programmed anew: other errors


def test_errors_grow_as_their_deviation() -> None:
    weights = RNG.normal(size=(40, 40))
    off = [
        np.std(
            TiledMesh.from_circuit(chip(), "mesh", MeshErrors(phase=d)).program(weights).matrix() - weights
        )
        for d in (0.001, 0.01)
    ]
    # 1,600 entries each: 2 % of a deviation, five of them, and a second order of 1 %.
    assert off[1] / off[0] == pytest.approx(10.0, rel=0.12)


def test_the_readouts_noise_is_that_of_single_tiles() -> None:
    weights, x = RNG.normal(size=(4, 12)), RNG.normal(size=(4000, 12))
    device = TiledMesh.from_circuit(chip(), "mesh", readout=Readout(noise=0.01)).program(weights)
    noise = device.apply(x) - x @ weights.T
    full = [np.abs(x[:, k : k + 4] @ weights[:, k : k + 4].T).max() for k in (0, 4, 8)]
    # 16,000 readings: 0.6 % of the deviation, five of them.
    assert noise.std() == pytest.approx(0.01 * np.linalg.norm(full), rel=0.03)
    np.testing.assert_array_equal(device.apply(x), device.apply(x))
    assert np.all(device.apply(x + 1e-9) != device.apply(x))


def test_converters_have_their_steps() -> None:
    weights, x = np.eye(4), RNG.normal(size=(50, 4))
    for readout in (Readout(input_bits=4), Readout(output_bits=4)):
        found = TiledMesh.from_circuit(chip(), "mesh", readout=readout).program(weights).apply(x)
        steps = found / (np.abs(x).max() / 7)
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
        assert np.abs(steps).max() == pytest.approx(7.0)
        assert np.abs(found - x).max() <= np.abs(x).max() / 14 + 1e-12


def test_energy_counts_tiles() -> None:
    device = TiledMesh.from_circuit(chip(), "mesh").program(np.ones((5, 9)))
    device.apply(np.ones((10, 9)))
    energy = device.energy()
    assert (energy.cycles, energy.samples) == (10 * 2 * 3, 10)
    assert energy.seconds == pytest.approx(10e-9)
    assert energy.light == pytest.approx(10e-9 * 6e-3)


def test_wrong_use_is_refused() -> None:
    device = TiledMesh.from_circuit(chip(), "mesh")
    with pytest.raises(ParameterError, match="hold no matrix yet"):
        device.matrix()
    for wrong in (np.ones(3), np.array([[np.nan]])):
        with pytest.raises(ParameterError, match="hold a finite matrix"):
            device.program(wrong)
    with pytest.raises(ParameterError, match=r"x must be \(batch, 3\)"):
        device.program(np.ones((2, 3))).apply(np.ones((5, 2)))
    with pytest.raises(ParameterError, match="noise must be"):
        Readout(noise=-1.0)
    with pytest.raises(ParameterError, match="output_bits must be a whole number, from 2"):
        Readout(output_bits=1)


def network(hardware: Device) -> Network:
    """5-6-3 through one hardware's tiles."""
    return Network(
        (HeldDense(5, 6, activation("tanh"), hardware), HeldDense(6, 3, activation("linear"), hardware))
    )


X, Y = RNG.normal(size=(7, 5)), RNG.integers(0, 3, 7)


def test_ideal_tiles_learn_as_a_computer_does() -> None:
    digital = dense_network((5, 6, 3), "tanh")
    parameters = digital.initial(np.random.default_rng(0))
    held = network(TiledMesh.from_circuit(chip(), "mesh"))
    for own, other in zip(held.initial(np.random.default_rng(0)), parameters, strict=True):
        np.testing.assert_array_equal(own["weights"], other["weights"])
    for rule in (Backprop(), TwoPass((Digital(0.1 * RNG.normal(size=(5, 3))),))):
        one, two = (rule.updates(run(net, parameters, X, Y)[0]) for net in (held, digital))
        for update, other_update in zip(one, two, strict=True):
            assert update is not None
            assert other_update is not None
            np.testing.assert_allclose(update["weights"], other_update["weights"], atol=1e-13)


def test_errors_go_back_through_what_is_held() -> None:
    tiles = TiledMesh.from_circuit(chip(), "mesh", MeshErrors(coupling=0.05, phase=0.05))
    layer = HeldDense(5, 6, activation("linear"), tiles)
    own = layer.initial(np.random.default_rng(1))
    trace, delta = layer.forward(own, X), RNG.normal(size=(7, 6))
    held = tiles.program(own["weights"].astype(float)).matrix()
    assert np.abs(held - own["weights"]).max() > 1e-3
    np.testing.assert_allclose(trace.outputs, X @ held.T + own["bias"], atol=1e-14)
    np.testing.assert_allclose(layer.back(own, trace, delta), delta @ held, atol=1e-14)


def test_both_passes_meet_the_same_hardware() -> None:
    tiles = TiledMesh.from_circuit(chip(), "mesh", MeshErrors(coupling=0.05, phase=0.05))
    layer = Dense(5, 6, activation("linear"))
    held = HeldDense(5, 6, activation("linear"), tiles)
    own = layer.initial(np.random.default_rng(1))
    device = held.device(own["weights"])
    assert held.device(own["weights"].copy()) is device
    own["weights"] += 0.01  # as an optimiser does, in place
    assert held.device(own["weights"]) is not device
    calm = run(network(tiles), network(tiles).initial(np.random.default_rng(2)), X, Y)[0]
    np.testing.assert_array_equal(calm.again(X).traces[-1].outputs, calm.traces[-1].outputs)


def test_errors_that_tiles_do_not_have_are_refused() -> None:
    with pytest.raises(ParameterError, match="meshes without phase offsets; got arrangement 'clements'"):
        TiledMesh.from_circuit(mesh_chip("svd_mesh", 2), "mesh", MeshErrors(offset=0.1))
    with pytest.raises(ParameterError, match="got arrangement 'butterfly'"):
        TiledMesh.from_circuit(mesh_chip("butterfly_mesh", 4))

"""Physics-aware training: the hardware's error, the ideal model's derivatives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices import Device, Mesh, MeshErrors, mesh_chip
from photosim.training.layers import Dense, Network, activation
from photosim.training.layers.circuit import CircuitLayer
from photosim.training.layers.electro_optic import ActivatedMesh, ElectroOptic, ElectroOpticLayer
from photosim.training.layers.held import HeldDense
from photosim.training.layers.mesh import MeshLayer, SaturableAbsorber
from photosim.training.passes import Updates, run
from photosim.training.rules import Backprop, PhysicsAware, make_rule
from photosim.training.rules.physics_aware import ideal_layer

N = 6


def _hardware(errors: MeshErrors, seed: int, **settings: Any) -> Any:
    mesh = Mesh.from_circuit(mesh_chip("clements_mesh", N, **settings))
    return mesh.with_errors(errors, np.random.default_rng(seed)).hardware


def _meshes(errors: MeshErrors, seed: int, **settings: Any) -> Network:
    first, second = (_hardware(errors, 2 * seed + k, **settings) for k in (0, 1))
    return Network(
        (
            MeshLayer(first, N, N, "amplitude", gain=2.0),
            SaturableAbsorber(N, 0.05),
            MeshLayer(second, N, N, "power", gain=2.0),
        )
    )


def _pass(network: Network, seed: int, start: Network | None = None) -> Any:
    rng = np.random.default_rng(seed)
    parameters = (start or network).initial(rng, np.float64)
    x = rng.standard_normal((40, network.layers[0].inputs))
    return run(network, parameters, x, rng.integers(0, N, 40))[0]


def _flat(updates: Updates) -> Any:
    return np.concatenate([own[name].ravel() for own in updates if own for name in sorted(own)])


def _cosine(one: Updates, other: Updates) -> float:
    a, b = _flat(one), _flat(other)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_on_an_ideal_chip_it_is_backprop() -> None:
    forward = _pass(_meshes(MeshErrors(), 0), 1)
    found = make_rule("physics-aware", forward.network).updates(forward)
    np.testing.assert_allclose(_flat(found), _flat(Backprop().updates(forward)), atol=1e-10, rtol=0)


def test_on_an_imperfect_chip_it_lies_between_the_models_gradient_and_the_exact_one() -> None:
    """The models' own error misleads more than the models' derivatives."""
    aware, model = [], []
    for seed in range(10):
        chip = _meshes(MeshErrors(coupling=0.05, offset=0.1), seed)
        forward = _pass(chip, seed)
        exact = Backprop().updates(forward)
        ideal = Network(tuple(ideal_layer(layer) for layer in chip.layers))
        alone = run(ideal, forward.parameters, forward.inputs, forward.targets)[0]
        aware.append(_cosine(PhysicsAware().updates(forward), exact))
        model.append(_cosine(Backprop().updates(alone), exact))
    assert max(aware) < 1.0 - 1e-6
    gain = np.array(aware) - np.array(model)
    assert gain.mean() > 2.0 * gain.std(ddof=1) / np.sqrt(len(gain))
    assert 0.0 < np.mean(model) < np.mean(aware)


def test_a_model_that_knows_the_chip_gives_the_exact_gradient() -> None:
    chip = _meshes(MeshErrors(coupling=0.05, offset=0.1), 3)
    forward = _pass(chip, 3)
    found = PhysicsAware(chip.layers).updates(forward)
    np.testing.assert_allclose(_flat(found), _flat(Backprop().updates(forward)), atol=1e-12, rtol=0)


def test_ideal_meshes_are_the_netlists_without_faults() -> None:
    """All that a netlist can add to a mesh is gone, for single meshes and pairs, as the engine has it."""
    faults = {"coupling": 0.45, "loss_dB": 0.3, "loss_shifter_dB": 0.2}
    for component, more in (("clements_mesh", {"crosstalk": 0.02, "bits": 6}), ("svd_mesh", {})):
        faulty = MeshLayer.of(mesh_chip(component, 4, **faults, **more))
        clean = MeshLayer.of(mesh_chip(component, 4))
        phases = clean.initial(np.random.default_rng(5))
        model = ideal_layer(faulty)
        assert isinstance(model, MeshLayer)
        np.testing.assert_allclose(model.matrix(phases), clean.matrix(phases), atol=1e-12)
        assert np.abs(faulty.matrix(phases) - clean.matrix(phases)).max() > 0.05


def test_light_that_is_not_read_goes_on_in_the_model() -> None:
    """Where nothing is read between two meshes, the inputs of the second one are the model's."""
    chip = _meshes(MeshErrors(coupling=0.05), 1)
    first, _, second = chip.layers
    bare = Network(
        (
            replace(first, detection="fields"),  # type: ignore[type-var]
            ElectroOpticLayer(N, ElectroOptic(1.0)),
            ActivatedMesh(second.hardware, N, N, activation=ElectroOptic(1.0)),  # type: ignore[attr-defined]
        )
    )
    forward = _pass(bare, 2)
    ideal = Network(tuple(ideal_layer(layer) for layer in bare.layers))
    alone = run(ideal, forward.parameters, forward.inputs, forward.targets)[0]
    found = PhysicsAware().updates(forward)
    expected = Backprop().updates(replace(alone, error=forward.error))
    np.testing.assert_allclose(_flat(found), _flat(expected), atol=1e-12, rtol=0)


def test_devices_that_hold_weights_are_modelled_by_the_weights() -> None:
    """The delta rule by hand: the device's readings forwards, the exact weights backwards."""
    device = ps.training.devices.TiledMesh.from_circuit(mesh_chip("clements_mesh", 4, coupling=0.4))
    layers = (
        HeldDense(5, 4, activation("tanh"), device),
        HeldDense(4, N, activation("linear"), device),
    )
    forward = _pass(Network(layers), 4, Network(tuple(map(ideal_layer, layers))))
    found: Any = make_rule("physics-aware", forward.network).updates(forward)
    hidden, error = forward.traces[0].outputs, forward.error / 40
    np.testing.assert_allclose(found[1]["weights"], error.T @ hidden, atol=1e-12)
    back = (error @ forward.parameters[1]["weights"]) * (1.0 - hidden**2)
    np.testing.assert_allclose(found[0]["weights"], back.T @ forward.inputs, atol=1e-12)
    assert np.abs(_flat(found) - _flat(Backprop().updates(forward))).max() > 1e-4


def _circuit_network(**settings: Any) -> Network:
    circuit = mesh_chip("diamond_mesh", 3, **settings)
    device: Any = Device.from_circuit(circuit, parameters=["*.theta", "*.phi"])
    quadrature = replace(device, readout=replace(device.readout, reading="quadrature"))
    first = CircuitLayer(quadrature, 3, 4, activation("tanh"))
    return Network((first, Dense(4, N, activation("linear"))))


def test_circuits_are_modelled_without_their_losses() -> None:
    ideal, lossy = _circuit_network(), _circuit_network(loss_dB=3.0)
    forward = _pass(ideal, 6)
    found = make_rule("physics-aware", ideal).updates(forward)
    np.testing.assert_allclose(_flat(found), _flat(Backprop().updates(forward)), atol=1e-10, rtol=0)
    hardware = run(lossy, forward.parameters, forward.inputs, forward.targets)[0]
    exact = Backprop().updates(hardware)
    aware = _cosine(PhysicsAware().updates(hardware), exact)
    assert _cosine(Backprop().updates(forward), exact) < aware < 1.0 - 1e-9
    model: Any = ideal_layer(lossy.layers[0])
    own = forward.parameters[0]
    np.testing.assert_allclose(model.forward(own, forward.inputs).pre, forward.traces[0].pre, atol=1e-12)


def test_models_of_other_shapes_are_refused() -> None:
    forward = _pass(_meshes(MeshErrors(), 0), 1)
    with pytest.raises(ParameterError, match="PhysicsAware has 1 models, which do not fit the network's 3"):
        PhysicsAware(forward.network.layers[:1]).updates(forward)


def test_estimators_take_it_by_name() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 4))
    y = x[:, :3].argmax(axis=1)
    found = ps.training.PhotonicClassifier(
        hardware=mesh_chip("clements_mesh", 4, coupling=0.45), rule="physics-aware",
        hidden_layer_sizes=(6,), max_iter=25, learning_rate_init=0.05, random_state=0,
    ).fit(x, y)  # fmt: skip
    assert found.score(x, y) > 0.8
    assert {use["use"] for use in found.uses_} == {"forward"}
    with pytest.raises(ParameterError, match="has no feedback that hardware could compute"):
        found.set_params(use="both").fit(x, y)

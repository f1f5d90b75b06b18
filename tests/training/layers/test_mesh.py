"""Layers of meshes: exact gradients through every detection, and networks of them that learn."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.media.unitaries import haar
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices.mesh.circuit import mesh_chip
from photosim.training.layers import Network
from photosim.training.layers.mesh import DETECTIONS, Detection, MeshLayer
from photosim.training.losses import REGRESSION
from photosim.training.optimisers import Adam
from photosim.training.passes import run
from photosim.training.rules import Backprop
from photosim.training.trainer import Schedule, Streams, fit

LOSSES = {"loss_dB": 0.3, "loss_shifter_dB": 0.1, "coupling": 0.47}


def layers(component: str, first: Detection, last: Detection) -> Network:
    circuit = mesh_chip(component, 5, **LOSSES)
    return Network(
        (
            MeshLayer.of(circuit, inputs=4, detection=first, gain=1.3),
            MeshLayer.of(circuit, outputs=3, detection=last, gain=0.8),
        )
    )


@pytest.mark.parametrize("batch", [3, 12, 40])  # alone, block by block, and by the matrix
@pytest.mark.parametrize("component", ["reck_mesh", "svd_mesh"])
@pytest.mark.parametrize(("first", "last"), [*product(DETECTIONS, ["power"]), ("power", "quadrature")])
def test_backprop_through_meshes_is_the_exact_gradient(
    component: str, first: Detection, last: Detection, batch: int
) -> None:
    rng = np.random.default_rng(3)
    network = layers(component, first, last)
    parameters = network.initial(rng)
    x = rng.standard_normal((batch, 4)) + 1j * rng.standard_normal((batch, 4))
    targets = rng.standard_normal((batch, 3))
    forward, _ = run(network, parameters, x, targets, REGRESSION)
    updates = Backprop().updates(forward)

    def loss(layer: int, name: str, place: int, change: float) -> float:
        moved = [{key: value.copy() for key, value in own.items()} for own in parameters]
        moved[layer][name][place] += change
        return run(network, moved, x, targets, REGRESSION)[1]

    step = 1e-5
    for layer, own in enumerate(updates):
        assert own is not None
        assert list(own) == list(parameters[layer])
        for name, value in own.items():
            place = int(rng.integers(value.size))
            slope = (loss(layer, name, place, step) - loss(layer, name, place, -step)) / (2 * step)
            assert value[place] == pytest.approx(slope, abs=1e-8), (layer, name, place)


def test_a_layer_is_the_device_with_the_same_phases() -> None:
    layer = MeshLayer.of(mesh_chip("svd_mesh", 4, **LOSSES), inputs=3, outputs=2)
    parameters = layer.initial(np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((6, 3))
    np.testing.assert_allclose(
        layer.forward(parameters, x).outputs, x @ layer.matrix(parameters).T, atol=1e-14
    )
    settings = layer.hardware.settings(layer.phases(parameters))
    outputs, inputs = [f"out{k}" for k in range(2)], [f"in{k}" for k in range(3)]
    found = layer.hardware.circuit.transfer([1.55], outputs, inputs, **settings)[0]
    np.testing.assert_allclose(layer.matrix(parameters), found, atol=1e-12)


def test_a_mesh_starts_as_a_unitary_drawn_evenly_at_any_wavelength() -> None:
    layer = MeshLayer.of(mesh_chip("clements_mesh", 6))
    matrix = layer.matrix(layer.initial(np.random.default_rng(0)))
    np.testing.assert_allclose(matrix, haar(6, np.random.default_rng(0)), atol=1e-12)


def test_dark_outputs_have_slope_0_in_amplitude() -> None:
    layer = MeshLayer.of(mesh_chip("reck_mesh", 2), detection="amplitude")
    trace = layer.forward(layer.initial(np.random.default_rng(0)), np.zeros((1, 2)))
    np.testing.assert_array_equal(layer.derivative(trace), 0.0)


def test_a_network_of_meshes_learns_in_single_precision() -> None:
    rng = np.random.default_rng(7)
    teacher, student = layers("reck_mesh", "power", "power"), layers("reck_mesh", "power", "power")
    wanted = teacher.initial(rng)
    x = (rng.standard_normal((300, 4)) + 1j * rng.standard_normal((300, 4))).astype(np.complex64)
    samples = Samples(x, teacher.predict(wanted, x))  # type: ignore[arg-type]
    data = Dataset("teacher", samples, samples, samples, 3)
    schedule = Schedule(epochs=30, batch_size=50)
    history = fit(
        student, Backprop(), Adam(0.03), data, schedule, Streams.tree(1, 1)[0], objective=REGRESSION
    )
    assert history.parameters[0]["theta"].dtype == np.float32
    assert history.loss[-1] < 0.2 * history.loss[0]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"inputs": 5}, "has 4 guides: a layer cannot have 5 inputs and 4 outputs"),
        ({"outputs": 0}, "4 inputs and 0 outputs"),
        ({"detection": "powr"}, "no detection 'powr'.*Did you mean 'power'"),
    ],
)
def test_layers_that_cannot_be_are_refused(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        MeshLayer.of(mesh_chip("clements_mesh", 4), **wrong)

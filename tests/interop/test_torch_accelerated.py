"""Meshes and media as tensor operations, against the kernels of the CPU; on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.media.screens import ScreensMedium
from photosim.media.signs import SignMedium
from photosim.training.devices.mesh.circuit import find_mesh, mesh_chip
from photosim.training.devices.mesh.decomposition import MeshPhases

torch: Any = pytest.importorskip("torch", reason="PyTorch is an extra: pip install 'photosim[torch]'")

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch", [3, 20])
@pytest.mark.parametrize("kind", ["clements_mesh", "reck_mesh", "diamond_mesh"])
def test_a_mesh_of_tensors_is_the_mesh_with_its_gradient(kind: str, batch: int, device: str) -> None:
    rng = np.random.default_rng(0)
    mesh = find_mesh(mesh_chip(kind, 6), "mesh").u.drawn(0.05, 0.1, rng)
    count = mesh.blocks.turn.size
    phases = MeshPhases(mesh.arrangement, *(rng.uniform(0, 6, size) for size in (count, count, 6)))
    x = rng.standard_normal((batch, 6)) + 1j * rng.standard_normal((batch, 6))
    cotangent = rng.standard_normal((batch, 6)) + 1j * rng.standard_normal((batch, 6))
    passage = mesh.send(phases, x)
    wanted = passage.gradient(cotangent, inputs=True)

    module = ps.interop.torch.TensorMesh(mesh, phases).to(device)
    sent = torch.from_numpy(x).to(device).requires_grad_()
    out = module(sent)
    out.backward(torch.from_numpy(cotangent).to(device))

    np.testing.assert_allclose(out.detach().cpu().numpy(), passage.outputs, atol=1e-12)
    np.testing.assert_allclose(sent.grad.cpu().numpy(), wanted.inputs, atol=1e-12)
    found = np.concatenate([wanted.theta, wanted.phi, wanted.end])
    np.testing.assert_allclose(module.values.grad.cpu().numpy(), found, atol=1e-11)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("outputs", "inputs", "tile"), [(40, 37, 16), (33, 100, 1024), (5, 1, 8)])
def test_signs_by_integer_units_are_the_same_bits(outputs: int, inputs: int, tile: int, device: str) -> None:
    for seed in (0, 5):
        medium = SignMedium(outputs, inputs, seed=seed, transmission=0.5)
        x = np.random.default_rng(1).integers(0, 2, (7, inputs))
        module = ps.interop.torch.SignProjection(medium, tile).to(device)
        assert np.array_equal(module(torch.from_numpy(x).to(device)).cpu().numpy(), medium.project(x))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("screens", [1, 2])
def test_screens_of_tensors_give_fields_and_adjoint_of_the_medium(screens: int, device: str) -> None:
    medium = ScreensMedium(12, screens=screens, seed=3)
    rng = np.random.default_rng(2)
    x, g = (rng.standard_normal((2, 144)) + 1j * rng.standard_normal((2, 144)) for _ in range(2))
    sent = torch.from_numpy(x).to(device).requires_grad_()
    out = ps.interop.torch.ScreensProjection(medium).to(device)(sent)
    out.backward(torch.from_numpy(g.astype(np.complex64)).to(device))
    np.testing.assert_allclose(out.detach().cpu().numpy(), medium.project(x), atol=2e-5)
    np.testing.assert_allclose(sent.grad.cpu().numpy(), medium.adjoint(g), atol=2e-5)


def test_what_tensors_cannot_be_sent_is_said() -> None:
    medium = ps.interop.torch.SignProjection(SignMedium(8, 4))
    with pytest.raises(ParameterError, match="takes zeros and ones"):
        medium(torch.full((2, 4), 2))
    with pytest.raises(ParameterError, match=r"takes fields \(batch, 9\)"):
        ps.interop.torch.ScreensProjection(ScreensMedium(3))(torch.zeros(2, 4))
    mesh = find_mesh(mesh_chip("clements_mesh", 4), "mesh").u
    count = mesh.blocks.turn.size
    module = ps.interop.torch.TensorMesh(
        mesh, MeshPhases(mesh.arrangement, np.zeros(count), np.zeros(count), np.zeros(4))
    )
    with pytest.raises(ParameterError, match="takes complex fields"):
        module(torch.zeros(2, 4))

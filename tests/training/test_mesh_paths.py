"""Batches through meshes: both paths against the engine, whole matrices and finite differences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices import Mesh, MeshErrors, decompose
from photosim.training.devices.mesh_circuit import find_mesh, mesh_chip
from photosim.training.mesh_layers import arrays_of, haar

RNG = np.random.default_rng(5)
LOSSES = {"loss_dB": 0.3, "loss_shifter_dB": 0.1}
Fields = NDArray[np.complex128]


def fields(*shape: int) -> Fields:
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


def sample(component: str, n: int, **settings: Any) -> Mesh:
    """A mesh with errors that holds a unitary drawn."""
    mesh = Mesh.from_circuit(mesh_chip(component, n, **settings), "mesh", wl=1.56)
    return mesh.with_errors(MeshErrors(coupling=0.05), RNG).program(haar(n, RNG))


def engine(mesh: Mesh) -> Fields:
    n = mesh.hardware.guides
    outputs, inputs = [f"out{k}" for k in range(n)], [f"in{k}" for k in range(n)]
    return np.asarray(
        mesh.hardware.circuit.transfer([mesh.hardware.wl], outputs, inputs, **mesh.settings())[0]
    )


# 7 guides are a slice in either precision, 20 are two in double; of the batches some fill no slice.
@pytest.mark.parametrize(("n", "batch"), [(7, 1), (7, 16), (7, 17), (7, 70), (20, 5), (20, 65)])
@pytest.mark.parametrize("component", ["clements_mesh", "reck_mesh", "svd_mesh"])
def test_outputs_are_the_engines(component: str, n: int, batch: int) -> None:
    mesh = sample(component, n, **LOSSES)
    x = fields(batch, n)
    expected = x @ engine(mesh).T
    np.testing.assert_allclose(mesh.send(x).outputs, expected, atol=1e-12)
    single = mesh.send(x.astype(np.complex64)).outputs
    assert single.dtype == np.complex64
    assert np.linalg.norm(single - expected) < 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize("batch", [3, 90])
@pytest.mark.parametrize("component", ["clements_mesh", "reck_mesh", "svd_mesh"])
def test_gradient_is_the_engines(component: str, batch: int) -> None:
    n = 5
    mesh = sample(component, n, **LOSSES)
    x, cotangent = fields(batch, n), fields(batch, n)
    found = mesh.send(x).gradient(cotangent)
    # The same loss, Re sum conj(g) y, as one of the scattering matrix: its cotangent is g^T conj(x).
    outputs, inputs = [f"out{k}" for k in range(n)], [f"in{k}" for k in range(n)]
    circuit = mesh.hardware.circuit
    rows = [list(circuit.ports).index(name) for name in outputs]
    columns = [list(circuit.ports).index(name) for name in inputs]

    def loss(s: ps.SMatrix) -> tuple[float, Fields]:
        by_s = np.zeros_like(s.values)
        by_s[..., np.array(rows)[:, np.newaxis], columns] = cotangent.T @ x.conj()
        return float(np.real(np.vdot(by_s, s.values))), by_s

    phases = [name for name in circuit.parameters if name.endswith((".outer.phase", ".inner.phase"))]
    phases += [name for name in circuit.parameters if ".end" in name and name.endswith(".phase")]
    _, exact = circuit.value_and_grad(loss, wl=1.56, parameters=phases, **mesh.settings())
    held = arrays_of(mesh.programmed.phases)
    assert len(exact) == sum(array.size for array in held.values())
    for name, value in by_instance(mesh, found).items():
        np.testing.assert_allclose(value, exact[name], atol=1e-11, err_msg=name)


def by_instance(mesh: Mesh, found: Any) -> dict[str, float]:
    """Derivatives by the names that the circuit has for the phases."""
    if mesh.hardware.v is None:
        return named(mesh.programmed.phases, found, "mesh")
    held: Any = mesh.programmed.phases
    own = {**named(held.v, found.v, "mesh.v"), **named(held.u, found.u, "mesh.u")}
    for k in range(mesh.hardware.guides):
        own[f"mesh.a{k}.inner.phase"], own[f"mesh.a{k}.outer.phase"] = found.theta[k], found.phi[k]
    return own


def named(phases: Any, found: Any, prefix: str) -> dict[str, float]:
    own = {}
    for (column, mode), theta, phi in zip(phases.places, found.theta, found.phi, strict=True):
        own[f"{prefix}.m{column}_{mode}.inner.phase"] = theta
        own[f"{prefix}.m{column}_{mode}.outer.phase"] = phi
    return {**own, **{f"{prefix}.end{k}.phase": value for k, value in enumerate(found.end)}}


@pytest.mark.parametrize(("n", "batch"), [(6, 4), (6, 50), (40, 20), (40, 200)])
def test_single_precision_and_both_paths_give_one_gradient(n: int, batch: int) -> None:
    mesh = sample("clements_mesh", n, **LOSSES)
    x, cotangent = fields(batch, n), fields(batch, n)
    exact = mesh.send(x).gradient(cotangent, inputs=True)
    matrix = mesh.hardware.matrix(mesh.programmed.phases)
    np.testing.assert_allclose(exact.inputs, cotangent @ matrix.conj(), atol=1e-12)
    np.testing.assert_allclose(mesh.send(x).back(cotangent), exact.inputs, atol=1e-12)
    # Sample by sample every batch is too small for the matrix.
    alone = [mesh.send(x[k : k + 1]).gradient(cotangent[k : k + 1]) for k in range(batch)]
    single = mesh.send(x.astype(np.complex64)).gradient(cotangent, inputs=True)
    for name in ("theta", "phi", "end"):
        value = getattr(exact, name)
        np.testing.assert_allclose(sum(getattr(one, name) for one in alone), value, atol=1e-11)
        assert np.linalg.norm(getattr(single, name) - value) < 1e-5 * np.linalg.norm(value)
    assert np.linalg.norm(single.inputs - exact.inputs) < 1e-5 * np.linalg.norm(exact.inputs)


def test_a_mesh_of_more_blocks_than_a_segment_computes_the_rest_again() -> None:
    n = 66  # 2145 blocks
    mesh = sample("clements_mesh", n)
    x, cotangent = fields(2, n), fields(2, n)
    found = mesh.send(x).gradient(cotangent)
    phases, step = mesh.programmed.phases, 1e-5
    for k in (0, 1000, 2047, 2048, 2144):
        by_two = []
        for sign in (1.0, -1.0):
            theta = phases.theta.copy()
            theta[k] += sign * step
            outputs = x @ mesh.hardware.matrix(replace(phases, theta=theta)).T
            by_two.append(np.real(np.vdot(cotangent, outputs)))
        assert found.theta[k] == pytest.approx((by_two[0] - by_two[1]) / (2 * step), abs=1e-8)


def test_the_path_is_chosen_by_slices_and_told() -> None:
    mesh = sample("clements_mesh", 64)
    assert mesh.explain(1024).startswith("matrix: 1024 samples in complex64 are 32 slices of 32 and the 64 x")
    assert mesh.explain(64).startswith("blocks: 64 samples in complex64 are no more slices of 32 (2)")
    assert mesh.explain(65).startswith("matrix")
    for batch in (64, 65):
        passage: Any = mesh.send(fields(batch, 64).astype(np.complex64))
        assert mesh.explain(batch).startswith(passage.path)


def test_phases_may_be_set_as_they_are() -> None:
    phases = decompose(haar(4, RNG), "reck")
    mesh = Mesh.from_circuit(mesh_chip("reck_mesh", 4), "mesh").with_phases(phases)
    np.testing.assert_allclose(mesh.matrix(), phases.matrix(), atol=1e-14)


def test_wrong_shapes_are_refused() -> None:
    mesh = sample("clements_mesh", 4)
    with pytest.raises(ParameterError, match=r"x must be \(batch, 4\), got \(3, 5\)"):
        mesh.send(fields(3, 5))
    with pytest.raises(ParameterError, match=r"shape of the outputs, \(3, 4\), got \(2, 4\)"):
        mesh.send(fields(3, 4)).gradient(fields(2, 4))
    assert find_mesh(mesh.hardware.circuit, "mesh").guides == 4

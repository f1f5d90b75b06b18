"""Batches through meshes: both paths against the engine, whole matrices and finite differences."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import photosim as ps
from photosim.errors import ParameterError
from photosim.media.unitaries import haar
from photosim.training.devices import Mesh, MeshErrors, decompose
from photosim.training.devices.mesh import patches
from photosim.training.devices.mesh.blocks import OneMesh, leaking
from photosim.training.devices.mesh.circuit import find_mesh, mesh_chip
from photosim.training.devices.mesh.decomposition import MeshPhases, pairs_of
from photosim.training.layers.mesh import MeshLayer, arrays_of

RNG = np.random.default_rng(5)
LOSSES = {"loss_dB": 0.3, "loss_shifter_dB": 0.1}
Fields = NDArray[np.complex128]


def fields(*shape: int) -> Fields:
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


KINDS = ["clements_mesh", "reck_mesh", "diamond_mesh", "butterfly_mesh", "svd_mesh"]


def sample(component: str, n: int, **settings: Any) -> Mesh:
    """A mesh with errors of every kind that holds phases drawn."""
    circuit = mesh_chip(component, n, crosstalk=0.04, bits=12, **settings)
    errors = MeshErrors(coupling=0.05, offset=0.3)
    mesh = Mesh.from_circuit(circuit, "mesh", wl=1.56).with_errors(errors, RNG)
    layer = MeshLayer.of(circuit)
    return mesh.with_phases(layer.phases(layer.initial(RNG)))


def engine(mesh: Mesh) -> Fields:
    n = mesh.hardware.guides
    outputs, inputs = [f"out{k}" for k in range(n)], [f"in{k}" for k in range(n)]
    return np.asarray(
        mesh.hardware.circuit.transfer([mesh.hardware.wl], outputs, inputs, **mesh.settings())[0]
    )


@cache
def sample_and_engine(component: str, n: int) -> tuple[Mesh, Fields]:
    """A mesh with losses, and its matrix as the engine computes it, for batches of every size."""
    mesh = sample(component, n, **LOSSES)
    return mesh, engine(mesh)


# 7 guides are a slice in either precision, 20 are two in double; of the batches some fill no slice.
@pytest.mark.parametrize(("n", "batch"), [(7, 1), (7, 16), (7, 17), (7, 70), (20, 12), (20, 65)])
@pytest.mark.parametrize("component", KINDS)
def test_outputs_are_the_engines(component: str, n: int, batch: int) -> None:
    mesh, matrix = sample_and_engine(component, n)
    x = fields(batch, n)
    expected = x @ matrix.T
    np.testing.assert_allclose(mesh.send(x).outputs, expected, atol=1e-12)
    single = mesh.send(x.astype(np.complex64)).outputs
    assert single.dtype == np.complex64
    assert np.linalg.norm(single - expected) < 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize("batch", [3, 12, 90])
@pytest.mark.parametrize("component", KINDS)
def test_gradient_is_the_engines(component: str, batch: int) -> None:
    n = 5
    mesh = sample(component, n, **LOSSES)
    x, cotangent = fields(batch, n), fields(batch, n)
    found: Any = mesh.send(x).gradient(cotangent)
    # The same loss, Re sum conj(g) y, as one of the scattering matrix: its cotangent is g^T conj(x).
    outputs, inputs = [f"out{k}" for k in range(n)], [f"in{k}" for k in range(n)]
    circuit = mesh.hardware.circuit
    rows = [list(circuit.ports).index(name) for name in outputs]
    columns = [list(circuit.ports).index(name) for name in inputs]

    def loss(s: ps.SMatrix) -> tuple[float, Fields]:
        by_s = np.zeros_like(s.values)
        by_s[..., np.array(rows)[:, np.newaxis], columns] = cotangent.T @ x.conj()
        return float(np.real(np.vdot(by_s, s.values))), by_s

    phases = [name for name in circuit.parameters if name.endswith(".shifter.phase")]
    _, exact = circuit.value_and_grad(loss, wl=1.56, parameters=phases, **mesh.settings())
    held = mesh.programmed.phases
    assert len(exact) == sum(array.size for array in arrays_of(held).values())
    if isinstance(held, MeshPhases):
        check(mesh.hardware.u, held, found, exact, "mesh")
        return
    assert mesh.hardware.v is not None
    check(mesh.hardware.v, held.v, found.v, exact, "mesh.v")
    check(mesh.hardware.u, held.u, found.u, exact, "mesh.u")
    for side, value in (("inner", found.theta), ("outer", found.phi)):
        expected = [exact[f"mesh.a{k}.{side}.shifter.phase"] for k in range(n)]
        np.testing.assert_allclose(value, expected, atol=1e-11)


def check(mesh: OneMesh, phases: MeshPhases, found: Any, exact: dict[str, float], prefix: str) -> None:
    """Compare derivatives by the phases set with the engine's by the phases that act, leaked back."""
    blocks = [f"{prefix}.m{column}_{mode}" for column, mode in phases.places]
    names = [f"{name}.{side}.shifter.phase" for side in ("inner", "outer") for name in blocks]
    names += [f"{prefix}.end{k}.shifter.phase" for k in range(phases.end.size)]
    expected = mesh.leak.T @ np.array([exact[name] for name in names])
    value = np.concatenate([found.theta, found.phi, found.end])
    np.testing.assert_allclose(value, expected, atol=1e-11)


@pytest.mark.parametrize(("n", "batch"), [(6, 4), (6, 12), (6, 50), (40, 20), (40, 200)])
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


@pytest.mark.parametrize(("n", "side"), [(6, 2), (7, 1), (12, 2), (13, 3)])
@pytest.mark.parametrize("component", KINDS)
def test_blocks_in_patches_give_what_they_give_one_by_one(
    component: str, n: int, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "FEWEST", 4)
    monkeypatch.setattr(patches, "SIDE", side)
    mesh = sample(component, n, **LOSSES)
    x, cotangent = fields(40, n), fields(40, n)
    passage: Any = mesh.send(x)
    np.testing.assert_allclose(passage.outputs, x @ engine(mesh).T, atol=1e-12)
    parts = [passage.u, passage.v] if component == "svd_mesh" else [passage]
    for part in parts:
        made = part.made
        assert (made is None) == (component == "butterfly_mesh")  # whose guides are not side by side
        if made is None:
            continue
        assert len(made.patches.patches) > 2
        assert max(p.blocks.stop - p.blocks.start for p in made.patches.patches) <= side**2
        assert sorted(made.patches.order) == list(range(len(part.entries)))
        one_by_one = replace(part, made=None)
        found, expected = (each.gradient(cotangent, inputs=True) for each in (part, one_by_one))
        for name in ("theta", "phi", "end", "inputs"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-12)


def test_meshes_of_many_guides_are_taken_in_patches() -> None:
    for n, taken in ((95, False), (96, True)):
        assert (patches.Patches.of(pairs_of("clements", n), n, 0) is not None) == taken


def test_a_mesh_of_more_blocks_than_a_segment_computes_the_rest_again() -> None:
    n = 66  # 2145 blocks
    mesh = sample("clements_mesh", n)
    x, cotangent = fields(10, n), fields(10, n)
    found = mesh.send(x).gradient(cotangent)
    phases, step = mesh.programmed.phases, 1e-5
    for k in (0, 1000, 2047, 2048, 2144):
        by_two = []
        for sign in (1.0, -1.0):
            theta = phases.theta.copy()
            theta[k] += sign * step
            outputs = x @ mesh.hardware.matrix(replace(phases, theta=theta)).T
            by_two.append(np.real(np.vdot(cotangent, outputs)))
        assert found.theta[k] == pytest.approx((by_two[0] - by_two[1]) / (2 * step), abs=1e-7)


def test_the_path_is_chosen_by_slices_and_told() -> None:
    mesh = sample("clements_mesh", 64)
    assert mesh.explain(1024).startswith("matrix: 1024 samples in complex64 are 32 slices of 32 and the 64 x")
    assert mesh.explain(64).startswith("blocks: 64 samples in complex64 are not more slices of 32 (2)")
    assert mesh.explain(65).startswith("matrix")
    assert mesh.explain(8).startswith("few: up to 8 samples")
    for batch in (1, 8, 9, 64, 65):
        passage: Any = mesh.send(fields(batch, 64).astype(np.complex64))
        assert mesh.explain(batch).startswith(passage.path)


def test_heat_leaks_to_the_nearest_shifters_of_guide_and_column() -> None:
    leak = leaking("clements", 3, 0.1).toarray()
    # theta of (0, 0), (1, 1), (2, 0), then phi of the same, then the ends of guides 0, 1, 2.
    np.testing.assert_array_equal(np.diagonal(leak), 1.0)
    near = {(0, 3), (0, 5), (1, 4), (2, 5), (2, 6), (1, 7), (6, 7), (7, 8)}
    assert {(i, j) for i, j in np.argwhere(leak == 0.1).tolist() if i < j} == near
    np.testing.assert_array_equal(leak, leak.T)


def test_a_mesh_of_errors_heats_and_holds_what_its_converters_have() -> None:
    circuit = mesh_chip("reck_mesh", 4, crosstalk=0.05, bits=6)
    phases = decompose(haar(4, RNG), "reck")
    mesh = Mesh.from_circuit(circuit, "mesh").with_phases(phases)
    held: Any = mesh.programmed.phases
    steps = np.concatenate([held.theta, held.phi, held.end]) * 64 / (2 * np.pi)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    assert steps.min() >= 0
    np.testing.assert_allclose(mesh.matrix(), engine(mesh), atol=1e-12)


def test_a_diamond_is_programmed_and_a_butterfly_is_not() -> None:
    unitary = haar(5, RNG)
    mesh = Mesh.from_circuit(mesh_chip("diamond_mesh", 5), "mesh").program(unitary)
    np.testing.assert_allclose(engine(mesh), unitary, atol=1e-12)
    with pytest.raises(ParameterError, match=r"butterfly mesh holds few of the unitaries.*train its phases"):
        Mesh.from_circuit(mesh_chip("butterfly_mesh", 4), "mesh").program(haar(4, RNG))


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

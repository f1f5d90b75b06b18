"""Meshes are found by how their parts are joined; what stands otherwise is left to the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.circuit import Circuit
from photosim.components.mesh_places import PLACES
from photosim.errors import ParameterError
from photosim.media.unitaries import haar
from photosim.training.devices import Mesh, MeshErrors, TiledMesh, mesh_chip
from photosim.training.devices.mesh.engine_mesh import EngineMesh
from photosim.training.layers.mesh import MeshLayer

NAMES = np.random.default_rng(3).permutation(1000)


def by_hand(arrangement: str, n: int, *, arm: str = "upper", ends: bool = True, loss: float = 0.0) -> Circuit:
    """A mesh of couplers and shifters whose names say nothing, each block written out."""
    instances: dict[str, Any] = {}
    connections: dict[str, str] = {}
    names = iter(f"x{number}" for number in NAMES)
    last: dict[int, str] = {}
    first: dict[int, str] = {}
    rng = np.random.default_rng(n)

    def join(guide: int, arriving: str, leaving: str) -> None:
        if guide in last:
            connections[last[guide]] = arriving
        first.setdefault(guide, arriving)
        last[guide] = leaving

    def shifter(guide: int) -> None:
        name = next(names)
        instances[name] = {
            "component": "phase_shifter",
            "settings": {"phase": float(rng.uniform(0, 6)), "loss_dB": loss},
        }
        join(guide, f"{name},o1", f"{name},o2")

    for _, mode in PLACES[arrangement](n):
        shifter(mode)
        for half in range(2):
            name = next(names)
            power = float(rng.uniform(0.4, 0.6))
            instances[name] = {"component": "coupler", "settings": {"coupling": power}}
            join(mode, f"{name},o1", f"{name},o4")
            join(mode + 1, f"{name},o2", f"{name},o3")
            if half == 0:
                shifter(mode if arm == "upper" else mode + 1)
    for guide in range(n):
        if ends:
            shifter(guide)
    ports = {f"a{k}": first[k] for k in range(n)} | {f"z{k}": last[k] for k in range(n)}
    return Circuit({"instances": instances, "connections": connections, "ports": ports})


def engine(circuit: Circuit, mesh: Mesh) -> Any:
    """The matrix that the engine finds at a mesh's settings."""
    n = mesh.hardware.guides
    ports = list(circuit.ports)
    return circuit.transfer([1.55], ports[n:], ports[:n], **mesh.settings()).reshape(n, n)


@pytest.mark.parametrize(("arrangement", "n"), [("clements", 2), ("clements", 5), ("reck", 4)])
def test_names_do_not_matter(arrangement: str, n: int) -> None:
    circuit = by_hand(arrangement, n, loss=0.1)
    mesh = Mesh.from_circuit(circuit)
    assert not isinstance(mesh, EngineMesh)
    assert mesh.hardware.u.arrangement == arrangement
    held = mesh.program(haar(n, np.random.default_rng(0)), correct=True)
    np.testing.assert_allclose(held.programmed.transfer, engine(circuit, held), atol=1e-12)
    drawn = mesh.with_errors(MeshErrors(coupling=0.05), np.random.default_rng(1))
    held = drawn.program(haar(n, np.random.default_rng(0)))
    np.testing.assert_allclose(held.programmed.transfer, engine(circuit, held), atol=1e-12)


def test_the_gallerys_mesh_is_one() -> None:
    circuit = ps.load("clements_4x4")
    mesh = Mesh.from_circuit(circuit)
    assert mesh.explain(1000).startswith("matrix")
    dft = np.exp(2j * np.pi * np.outer(range(4), range(4)) / 4) / 2
    np.testing.assert_allclose(mesh.program(dft).matrix(), dft, atol=1e-12)
    layer = MeshLayer.of(circuit)
    parameters = layer.initial(np.random.default_rng(0))
    by_engine = circuit.transfer(
        [1.55],
        [f"out{k}" for k in range(4)],
        [f"in{k}" for k in range(4)],
        **layer.hardware.settings(layer.held(parameters)),
    )
    np.testing.assert_allclose(layer.matrix(parameters), by_engine[0], atol=1e-12)
    chip = mesh_chip("reck_mesh", 4)
    for other in ("mesh", None):
        assert Mesh.from_circuit(chip, other).hardware.name == "mesh"


@pytest.mark.parametrize("change", [{"arm": "lower"}, {"ends": False}])
def test_other_structures_are_left_to_the_engine(change: dict[str, Any]) -> None:
    circuit = by_hand("clements", 3, **change)
    mesh = Mesh.from_circuit(circuit)
    assert isinstance(mesh, EngineMesh)
    assert mesh.explain(10).startswith("engine: Circuit 'circuit' is not a mesh: ")
    target = mesh.hardware.matrix(mesh.hardware.written().changed(lambda own: 1.3 * own + 0.2))
    held = mesh.program(target)
    np.testing.assert_allclose(held.matrix(), target, atol=1e-8)
    np.testing.assert_allclose(held.programmed.transfer, engine(circuit, held), atol=1e-12)
    x = np.random.default_rng(0).standard_normal((5, 3)) + 0j
    np.testing.assert_allclose(held.send(x).outputs, held.apply(x), atol=1e-7)
    off = mesh.with_errors(MeshErrors(coupling=0.05, offset=0.1), np.random.default_rng(0))
    missed = np.abs(off.program(target).matrix() - target).max()
    assert 0.01 < missed < 0.5
    turned = mesh.with_errors(MeshErrors(offset=0.1), np.random.default_rng(0))
    assert np.abs(turned.program(target).matrix() - target).max() > 0.01
    np.testing.assert_allclose(turned.program(target, correct=True).matrix(), target, atol=1e-8)


def test_what_is_not_a_mesh_says_why() -> None:
    with pytest.raises(ParameterError, match=r"'add_drop_ring' is not a mesh: .*Device.from_circuit takes"):
        Mesh.from_circuit(ps.load("add_drop_ring"))
    with pytest.raises(ParameterError, match="'b00' is not a mesh of this circuit"):
        Mesh.from_circuit(ps.load("clements_4x4"), "b00")
    with pytest.raises(ParameterError, match="is not a mesh"):
        TiledMesh.from_circuit(by_hand("clements", 3, ends=False))


def test_a_single_mesh_holds_any_tile_in_phase() -> None:
    circuit = ps.load("clements_4x4")
    weights = np.random.default_rng(0).standard_normal((6, 11))
    tiles = TiledMesh.from_circuit(circuit).program(weights)
    np.testing.assert_allclose(tiles.matrix(), weights, atol=1e-12)
    own = weights[:4, :4]
    u, values, v = np.linalg.svd(own)
    share = values / values[0]
    whole = Mesh.from_circuit(circuit).program((u * (share + 1j * np.sqrt(1.0 - share**2))) @ v)
    np.testing.assert_allclose(values[0] * whole.matrix().real, own, atol=1e-12)


def test_tiles_are_as_warm_as_their_mesh() -> None:
    mesh = Mesh.from_circuit(mesh_chip("clements_mesh", 4, crosstalk=0.02, bits=7))
    own = np.random.default_rng(0).standard_normal((4, 4))
    u, values, v = np.linalg.svd(own)
    share = values / values[0]
    whole = mesh.program((u * (share + 1j * np.sqrt(1.0 - share**2))) @ v).matrix()
    held = TiledMesh.from_circuit(mesh.hardware.circuit, "mesh").program(own)
    np.testing.assert_allclose(held.matrix(), values[0] * whole.real, atol=1e-12)
    assert np.abs(held.matrix() - own).max() > 0.05

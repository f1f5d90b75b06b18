"""The mesh device: its matrix against the engine's circuit, its errors against their statistics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.model import registry
from photosim.training.devices import Device, Mesh, MeshErrors, decompose
from photosim.training.devices.mesh.circuit import find_mesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 4
RNG = np.random.default_rng(11)
KINDS = ["clements_mesh", "reck_mesh", "svd_mesh"]


def chip(component: str, n: int = N, name: str = "mesh", **settings: Any) -> ps.Circuit:
    """A mesh alone in a circuit, its ports exposed by guide."""
    ports = {f"{side}{k}": (name, f"{side}{k}") for side in ("in", "out") for k in range(n)}
    return ps.Circuit(ps.Netlist({name: ps.part(component, n=n, **settings)}, ports=ports))


def haar(n: int) -> NDArray[np.complex128]:
    q, r = np.linalg.qr(RNG.standard_normal((n, n)) + 1j * RNG.standard_normal((n, n)))
    return np.asarray(q * (np.diagonal(r) / np.abs(np.diagonal(r))))


def engine(mesh: Mesh) -> NDArray[np.complex128]:
    """The engine's matrix of the mesh's circuit with the mesh's settings."""
    n = mesh.hardware.guides
    outputs, inputs = [f"out{k}" for k in range(n)], [f"in{k}" for k in range(n)]
    waves = mesh.hardware.circuit.transfer([mesh.hardware.wl], outputs, inputs, **mesh.settings())
    return np.asarray(waves[0])


@pytest.mark.parametrize("n", [2, 3, 8])
@pytest.mark.parametrize("component", KINDS)
def test_an_ideal_mesh_holds_the_unitary(component: str, n: int) -> None:
    unitary = haar(n)
    mesh = Mesh.from_circuit(chip(component, n), "mesh").program(unitary)
    np.testing.assert_allclose(mesh.matrix(), unitary, atol=1e-12)
    np.testing.assert_allclose(mesh.programmed.scale * engine(mesh), unitary, atol=1e-12)


@pytest.mark.parametrize("shape", [(4, 4), (2, 4), (3, 1)])
@pytest.mark.parametrize("arrangement", ["clements", "reck"])
def test_a_pair_holds_a_real_matrix_and_multiplies_by_it(arrangement: str, shape: tuple[int, int]) -> None:
    weights = 30.0 * RNG.standard_normal(shape)
    device: Device = Mesh.from_circuit(chip("svd_mesh", arrangement=arrangement), "mesh").program(weights)
    assert device.matrix().dtype == np.float64
    np.testing.assert_allclose(device.matrix(), weights, atol=1e-12 * np.abs(weights).max())
    x, gain = RNG.standard_normal((7, shape[1])), RNG.uniform(size=(7, shape[0]))
    np.testing.assert_allclose(device.apply(x), x @ weights.T, atol=1e-11)
    np.testing.assert_allclose(device.apply(x, gain), gain * (x @ weights.T), atol=1e-11)


def test_complex_fields_go_through_a_complex_matrix() -> None:
    unitary = haar(N)
    mesh = Mesh.from_circuit(chip("clements_mesh"), "mesh").program(unitary)
    x = RNG.standard_normal((5, N)) + 1j * RNG.standard_normal((5, N))
    np.testing.assert_allclose(mesh.apply(x), x @ unitary.T, atol=1e-12)


IMPERFECT: dict[str, Any] = {"coupling": 0.45, "coupling_join": 0.53, "loss_dB": 0.2, "loss_shifter_dB": 0.1}


@pytest.mark.parametrize("wl", [None, 1.55, 1.53])
@pytest.mark.parametrize("component", KINDS)
def test_the_matrix_of_an_imperfect_mesh_is_the_engines(component: str, wl: float | None) -> None:
    perfect = Mesh.from_circuit(chip(component, wl0=1.56), "mesh", wl)
    built = Mesh.from_circuit(chip(component, wl0=1.56, bits=6, **IMPERFECT), "mesh", wl)
    sample = built.with_errors(MeshErrors(0.05, 0.03), np.random.default_rng(2))
    unitary = haar(N)
    for mesh in (perfect, built, sample):
        held = mesh.program(unitary)
        assert held.hardware.wl == (wl or 1.56)
        np.testing.assert_allclose(held.matrix(), held.programmed.scale * engine(held), atol=1e-12)
    # Away from wl0 a phase set acts as phase * wl0 / wl, and programming allows for it.
    np.testing.assert_allclose(perfect.program(unitary).matrix(), unitary, atol=1e-12)
    assert np.abs(built.program(unitary).matrix() - unitary).max() > 1e-2
    assert np.abs(sample.program(unitary).matrix() - built.program(unitary).matrix()).max() > 1e-2


def test_settings_of_one_block_and_nested_meshes_are_seen() -> None:
    inner = chip("reck_mesh", 3, name="core").netlist
    ports = {name: ("chip", name) for name in inner.ports}
    circuit = ps.Circuit(ps.Netlist({"chip": ps.Instance("core")}, ports=ports, components={"core": inner}))
    mesh = Mesh.from_circuit(circuit, "chip.core").program(haar(3))
    np.testing.assert_allclose(mesh.matrix(), engine(mesh), atol=1e-12)


def test_coupler_errors_are_fixed_and_phase_errors_drawn_when_programmed() -> None:
    ideal = Mesh.from_circuit(chip("clements_mesh"), "mesh")
    unitary = haar(N)
    fixed = ideal.with_errors(MeshErrors(coupling=0.05), np.random.default_rng(3))
    np.testing.assert_array_equal(fixed.program(unitary).matrix(), fixed.program(unitary).matrix())
    noisy = ideal.with_errors(MeshErrors(phase=0.05), np.random.default_rng(3))
    assert np.abs(noisy.program(unitary).matrix() - noisy.program(unitary).matrix()).max() > 1e-3
    again = ideal.with_errors(MeshErrors(phase=0.05), np.random.default_rng(3))
    other = ideal.with_errors(MeshErrors(phase=0.05), np.random.default_rng(3))
    np.testing.assert_array_equal(again.program(unitary).matrix(), other.program(unitary).matrix())


def test_errors_have_the_deviation_asked_for() -> None:
    mesh = Mesh.from_circuit(chip("clements_mesh", 32), "mesh")
    unitary = haar(32)
    ideal = decompose(unitary)
    sample = mesh.with_errors(MeshErrors(coupling=0.02, phase=0.1), np.random.default_rng(5))
    phases = sample.program(unitary).programmed.phases
    # 496 blocks: the standard error of a deviation is 3 %; five of them.
    off = np.concatenate([phases.theta - ideal.theta, phases.phi - ideal.phi])
    assert np.std(off) == pytest.approx(0.1, rel=0.15)
    blocks = sample.hardware.u.blocks
    assert np.std(np.concatenate([blocks.split, blocks.join])) == pytest.approx(0.02, rel=0.15)


@pytest.mark.parametrize("bits", [1, 4, 8, 16])
def test_heaters_hold_the_nearest_of_their_steps(bits: int) -> None:
    mesh = Mesh.from_circuit(chip("clements_mesh"), "mesh")
    coarse = Mesh.from_circuit(chip("clements_mesh", bits=bits), "mesh")
    unitary = haar(N)
    wanted, found = mesh.program(unitary).programmed.phases, coarse.program(unitary).programmed.phases
    step = 2 * np.pi / 2**bits
    codes = np.concatenate([found.theta, found.phi]) / step
    np.testing.assert_allclose(codes, np.rint(codes), atol=1e-9)
    assert codes.min() >= 0.0
    assert codes.max() <= 2**bits - 0.5
    off = np.angle(np.exp(1j * np.concatenate([found.theta - wanted.theta, found.phi - wanted.phi])))
    assert np.abs(off).max() <= step / 2 + 1e-12


def test_energy_counts_vectors() -> None:
    mesh = Mesh.from_circuit(chip("clements_mesh"), "mesh", rate=2e9, power=3e-3).program(haar(N))
    mesh.apply(np.ones((10, N)))
    mesh.apply(np.ones((5, N)))
    energy = mesh.energy()
    assert (energy.cycles, energy.samples) == (15, 15)
    assert energy.seconds == pytest.approx(7.5e-9)
    assert energy.light == pytest.approx(22.5e-12)
    assert mesh.program(haar(N)).energy().cycles == 0


def test_what_is_no_mesh_is_refused_with_the_nearest() -> None:
    circuit = chip("svd_mesh", name="core")
    with pytest.raises(ParameterError, match=r"'cor' is not a mesh of this circuit\. Meshes: .*Did you mean"):
        find_mesh(circuit, "cor")
    with pytest.raises(ParameterError, match=r"Meshes: none\."):
        find_mesh(ps.load("add_drop_ring"), "ring")


def test_a_mesh_whose_couplers_reflect_is_refused() -> None:
    block = registry.get("mzi_block").build({})  # type: ignore[attr-defined]
    split = ps.part("coupler", coupling=0.5, reflection=0.01)
    whole = registry.get("clements_mesh").build({"n": 2})  # type: ignore[attr-defined]
    sides = {"in0": "o1", "in1": "o2", "out1": "o3", "out0": "o4"}
    ports = {side: block.ports[port] for side, port in sides.items()}
    loud = replace(block, instances={**block.instances, "split": split}, ports=ports)
    net = replace(
        whole, instances={**whole.instances, "m0_0": ps.Instance("loud")}, components={"loud": loud}
    )
    ports = {name: ("mesh", name) for name in net.ports}
    circuit = ps.Circuit(ps.Netlist({"mesh": ps.Instance("core")}, ports=ports, components={"core": net}))
    with pytest.raises(ParameterError, match="Couplers of mesh 'mesh' reflect"):
        find_mesh(circuit, "mesh")


def test_a_mesh_of_other_blocks_is_refused() -> None:
    whole = registry.get("clements_mesh").build({"n": 2})  # type: ignore[attr-defined]
    block = registry.get("mzi_block").build({})  # type: ignore[attr-defined]
    sides = {"in0": "o1", "in1": "o2", "out1": "o3", "out0": "o4"}
    guided = {**block.instances, "inner": ps.part("straight_heater", length=5.0)}
    ports = {side: block.ports[port] for side, port in sides.items()}
    other = replace(block, instances=guided, ports=ports)
    net = replace(
        whole, instances={**whole.instances, "m0_0": ps.Instance("other")}, components={"other": other}
    )
    ports = {name: ("mesh", name) for name in net.ports}
    circuit = ps.Circuit(ps.Netlist({"mesh": ps.Instance("core")}, ports=ports, components={"core": net}))
    with pytest.raises(
        ParameterError, match=r"m0_0 of a mesh must be mzi_block, but 'inner.loss_dB' is miss"
    ):
        find_mesh(circuit, "mesh")


def test_blocks_that_stand_as_in_no_mesh_are_refused() -> None:
    whole = registry.get("clements_mesh").build({"n": 3})  # type: ignore[attr-defined]
    moved = {"m2_0": "m4_0"}
    instances = {moved.get(name, name): part for name, part in whole.instances.items()}
    joins = tuple(tuple((moved.get(inst, inst), port) for inst, port in pair) for pair in whole.connections)
    net = replace(whole, instances=instances, connections=joins)
    ports = {name: ("mesh", name) for name in net.ports}
    circuit = ps.Circuit(ps.Netlist({"mesh": ps.Instance("core")}, ports=ports, components={"core": net}))
    with pytest.raises(
        ParameterError, match=r"3 blocks on 3 guides are not in the order of a mesh: .*clements, reck"
    ):
        find_mesh(circuit, "mesh")


@pytest.mark.parametrize(
    ("component", "weights", "text"),
    [
        ("clements_mesh", np.eye(3), r"unitary matrices \(4, 4\), got shape \(3, 3\); an svd_mesh"),
        ("reck_mesh", 2.0 * np.eye(4), "differs from 1 by 3"),
        ("svd_mesh", np.ones((5, 2)), "mesh of 4 guides .* cannot hold"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(component: str, weights: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        Mesh.from_circuit(chip(component), "mesh").program(weights)


def test_wrong_use_is_refused() -> None:
    mesh = Mesh.from_circuit(chip("svd_mesh"), "mesh")
    with pytest.raises(ParameterError, match="'mesh' holds no matrix yet"):
        mesh.matrix()
    held = mesh.program(np.ones((2, 3)))
    with pytest.raises(ParameterError, match=r"x must be \(batch, 3\)"):
        held.apply(np.ones((5, 2)))
    with pytest.raises(ParameterError, match="read in phase only: x must be real"):
        held.apply(1j * np.ones((5, 3)))
    with pytest.raises(ParameterError, match="Wavelengths must be positive"):
        Mesh.from_circuit(chip("clements_mesh"), "mesh", wl=-1.55)
    with pytest.raises(ParameterError, match="rate must be above 0"):
        Mesh.from_circuit(chip("clements_mesh"), "mesh", rate=0.0)


@pytest.mark.parametrize("wrong", [{"coupling": -0.1}, {"phase": np.nan}, {"offset": np.inf}], ids=str)
def test_impossible_errors_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        MeshErrors(**wrong)

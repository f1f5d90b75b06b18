"""Decompositions: phases make the matrix, in the kernel and in the engine's circuit, whatever the matrix."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import photosim as ps
from photosim.components.mesh_places import PLACES, Arrangement
from photosim.errors import ParameterError
from photosim.training.devices.mesh.decomposition import MeshPhases, decompose, decompose_pair

ComplexArray = NDArray[np.complex128]

ARRANGEMENTS: tuple[Arrangement, ...] = ("clements", "reck")
SIZES = st.integers(2, 8)
SEEDS = st.integers(0, 2**32 - 1)


def haar(n: int, seed: int) -> ComplexArray:
    """A unitary drawn evenly: QR of normal numbers, with the phases of R's diagonal taken out (Mezzadri)."""
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n)))
    phases = np.diagonal(r) / np.abs(np.diagonal(r))
    return np.asarray(q * phases)


@cache
def mesh(component: str, n: int, arrangement: str | None = None) -> ps.Circuit:
    """A mesh alone, its ports exposed by guide."""
    names = [f"{side}{k}" for side in ("in", "out") for k in range(n)]
    inner = ps.part(component, n=n, arrangement=arrangement)
    return ps.Circuit(ps.Netlist({"mesh": inner}, ports={name: ("mesh", name) for name in names}))


def engine(circuit: ps.Circuit, held: Any) -> ComplexArray:
    """The engine's S from inputs to outputs at wl0, with these settings of the mesh."""
    n = len(circuit.ports) // 2
    outputs, inputs = [f"out{k}" for k in range(n)], [f"in{k}" for k in range(n)]
    return np.asarray(circuit.transfer([1.55], outputs, inputs, mesh=held)[0])


def relative(found: ComplexArray, wanted: ComplexArray) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@settings(deadline=None, max_examples=25)  # the first example of a size plans a circuit
@given(n=SIZES, seed=SEEDS)
def test_phases_give_the_circuit_the_unitary(arrangement: Arrangement, n: int, seed: int) -> None:
    unitary = haar(n, seed)
    phases = decompose(unitary, arrangement)
    found = engine(mesh(f"{arrangement}_mesh", n), phases.settings())
    np.testing.assert_allclose(found, unitary, atol=1e-12)
    np.testing.assert_allclose(found, phases.matrix(), atol=1e-12)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@settings(deadline=None, max_examples=25)
@given(n=SIZES, seed=SEEDS)
def test_any_phases_make_the_unitary_of_the_circuit(arrangement: Arrangement, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    theta, phi = rng.uniform(-7.0, 7.0, (2, n * (n - 1) // 2))
    phases = MeshPhases(arrangement, theta, phi, rng.uniform(-7.0, 7.0, n))
    unitary = phases.matrix()
    np.testing.assert_allclose(engine(mesh(f"{arrangement}_mesh", n), phases.settings()), unitary, atol=1e-12)
    # Other phases, perhaps, but the same unitary.
    np.testing.assert_allclose(decompose(unitary, arrangement).matrix(), unitary, atol=1e-13)


@pytest.mark.parametrize("n", [2, 3, 16, 64, 255, 256])
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_decomposition_is_right_to_rounding(arrangement: Arrangement, n: int) -> None:
    unitary = haar(n, n)
    phases = decompose(unitary, arrangement)
    assert relative(phases.matrix(), unitary) < 1e-14
    assert phases.places == PLACES[arrangement](n)
    assert phases.theta.min() >= 0.0
    assert phases.theta.max() <= np.pi
    assert max(np.abs(phases.phi).max(), np.abs(phases.end).max()) <= np.pi


def special(n: int) -> dict[str, ComplexArray]:
    """Unitaries whose elimination meets zeros, ties and tiny numbers."""
    k = np.arange(n)
    rotation = np.eye(n, dtype=np.complex128)
    rotation[:2, :2] = [[np.cos(1e-170), np.sin(1e-170)], [-np.sin(1e-170), np.cos(1e-170)]]
    return {
        "identity": np.eye(n, dtype=np.complex128),
        "phases": np.diag(np.exp(1j * k)),
        "reversal": np.eye(n, dtype=np.complex128)[::-1],
        "shift": np.roll(np.eye(n, dtype=np.complex128), 1, axis=0),
        "fourier": np.exp(2j * np.pi * np.outer(k, k) / n) / np.sqrt(n),
        "real": np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0].astype(np.complex128),
        "blocks": np.kron(np.eye(n // 2), np.array([[0.6, 0.8j], [0.8j, 0.6]])),
        "tiny rotation": rotation,
    }


@pytest.mark.parametrize("name", special(2))
@pytest.mark.parametrize("n", [2, 4, 6])
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_sparse_and_degenerate_unitaries(arrangement: Arrangement, n: int, name: str) -> None:
    unitary = special(n)[name]
    phases = decompose(unitary, arrangement)
    np.testing.assert_allclose(phases.matrix(), unitary, atol=1e-14)
    np.testing.assert_allclose(engine(mesh(f"{arrangement}_mesh", n), phases.settings()), unitary, atol=1e-14)


def test_a_mesh_with_nothing_to_do_keeps_its_guides() -> None:
    for arrangement in ARRANGEMENTS:
        np.testing.assert_array_equal(decompose(np.eye(5), arrangement).theta, np.pi)


def test_the_unitary_given_is_left_alone() -> None:
    unitary = haar(5, 1)
    before = unitary.copy()
    decompose(unitary)
    np.testing.assert_array_equal(unitary, before)


SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 6))


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@settings(deadline=None, max_examples=25)
@given(shape=SHAPES, seed=SEEDS, real=st.booleans(), power=st.floats(-6.0, 6.0))
def test_a_pair_of_meshes_holds_any_matrix(
    arrangement: Arrangement, shape: tuple[int, int], seed: int, real: bool, power: float
) -> None:
    rng = np.random.default_rng(seed)
    wanted = 10.0**power * (rng.standard_normal(shape) + (0j if real else 1j * rng.standard_normal(shape)))
    pair = decompose_pair(wanted.real if real else wanted, arrangement=arrangement)
    n = max(2, *shape)
    padded = np.zeros((n, n), dtype=np.complex128)
    padded[: shape[0], : shape[1]] = wanted
    assert pair.scale == pytest.approx(np.linalg.norm(wanted, 2), rel=1e-12)
    np.testing.assert_allclose(pair.matrix(), padded, atol=1e-13 * pair.scale)
    found = engine(mesh("svd_mesh", n, arrangement), pair.settings())
    np.testing.assert_allclose(pair.scale * found, padded, atol=1e-12 * pair.scale)


def test_a_pair_holds_zeros_and_more_guides_than_the_matrix() -> None:
    zero = decompose_pair(np.zeros((3, 2)))
    assert zero.scale == 0.0
    np.testing.assert_allclose(engine(mesh("svd_mesh", 3), zero.settings()), 0.0, atol=1e-15)
    wanted = np.array([[1.0, 1.0], [1.0, 1.0]])  # of rank 1
    found = decompose_pair(wanted, n=5).matrix()
    np.testing.assert_allclose(found, np.pad(wanted, (0, 3)), atol=1e-14)


@pytest.mark.parametrize(
    ("matrix", "text"),
    [
        (2.0 * np.eye(3), r"U\^H U differs from 1 by 3, more than 1e-08\. .*decompose_pair"),
        (np.full((3, 3), np.nan), "unitary matrices only"),
        (np.ones((2, 3)), r"square matrix of 2 to 256 guides, got shape \(2, 3\)"),
        (np.eye(1), r"got shape \(1, 1\)"),
        (np.eye(257), r"got shape \(257, 257\)"),
    ],
)
def test_what_no_mesh_can_hold_is_refused(matrix: NDArray[np.float64], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        decompose(matrix)


@pytest.mark.parametrize(
    ("matrix", "n", "text"),
    [
        (np.ones((3, 4)), 3, r"mesh of 3 guides \(2 to 256\) cannot hold a matrix of shape \(3, 4\)"),
        (np.ones((1, 257)), None, "mesh of 257 guides"),
        (np.ones(3), None, r"got shape \(3,\)"),
        (np.ones((0, 3)), None, r"got shape \(0, 3\)"),
        (np.array([[1.0, np.inf]]), None, "finite"),
    ],
)
def test_what_no_pair_can_hold_is_refused(matrix: NDArray[np.float64], n: int | None, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        decompose_pair(matrix, n)


def test_an_unknown_arrangement_is_refused_with_the_nearest() -> None:
    with pytest.raises(ParameterError, match=r"'clement'.*clements, reck.*Did you mean 'clements'"):
        decompose(np.eye(2), "clement")  # type: ignore[arg-type]

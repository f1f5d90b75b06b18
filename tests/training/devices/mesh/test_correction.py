"""Imperfect meshes: programmed by known errors, by powers they read themselves, and calibrated by those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.media.unitaries import haar
from photosim.training.devices import Mesh, MeshErrors, decompose
from photosim.training.devices.mesh.blocks import OneMesh
from photosim.training.devices.mesh.calibration import PowerTaps, calibrated
from photosim.training.devices.mesh.circuit import find_mesh, mesh_chip
from photosim.training.devices.mesh.correction import STEPS, corrected, fringe, self_configured

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 6


def pair_of(arrangement: str, seed: int, *, crosstalk: float | None = None) -> tuple[OneMesh, OneMesh]:
    """A mesh as designed, away from the wavelength of its phases, and one as built."""
    design = find_mesh(mesh_chip(f"{arrangement}_mesh", N, crosstalk=crosstalk), "mesh", 1.56).u
    return design, design.drawn(0.02, 0.5, np.random.default_rng(seed))


def off(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize("seed", [2, 3])  # whose blocks all reach the divisions that they are asked for
@pytest.mark.parametrize("crosstalk", [None, 0.03])
@pytest.mark.parametrize("arrangement", ["clements", "reck"])
def test_known_errors_are_made_up_for(arrangement: Any, crosstalk: float | None, seed: int) -> None:
    design, built = pair_of(arrangement, seed, crosstalk=crosstalk)
    unitary = haar(N, np.random.default_rng(seed))
    wanted = decompose(unitary, arrangement)
    assert off(built.matrix(design.set_for(wanted)), unitary) > 0.3
    assert off(built.matrix(corrected(built, wanted)), unitary) < 1e-13


def test_what_couplers_cannot_divide_is_done_as_nearly_as_can_be() -> None:
    design, built = pair_of("clements", 0)
    keep = decompose(np.eye(N))  # every block keeps its guides, which needs equal couplers
    found = built.matrix(corrected(built, keep))
    assert 1e-4 < off(found, np.eye(N, dtype=complex)) < 0.3
    np.testing.assert_allclose(np.angle(np.diagonal(found)), 0.0, atol=0.1)
    assert design.matrix(corrected(design, keep)) == pytest.approx(np.eye(N), abs=1e-13)


@pytest.mark.parametrize("component", ["reck_mesh", "svd_mesh"])
def test_a_device_is_programmed_with_its_errors_known(component: str) -> None:
    rng = np.random.default_rng(5)
    weights = haar(4, rng) if component == "reck_mesh" else rng.standard_normal((3, 4))
    mesh = Mesh.from_circuit(mesh_chip(component, 4), "mesh", 1.56).with_errors(
        MeshErrors(coupling=0.005, offset=0.5), rng
    )
    plain, better = mesh.program(weights).matrix(), mesh.program(weights, correct=True).matrix()
    assert off(better, weights) < 0.05 * off(plain, weights)


def test_taps_find_what_a_mesh_is_made_of() -> None:
    for arrangement in ("clements", "reck"):
        design, built = pair_of(arrangement, 4)
        taps = PowerTaps(built, design)
        found = calibrated(taps)
        assert taps.counters["readings"] == 8 * N * (N - 1) // 2
        for name in ("split", "join"):
            np.testing.assert_allclose(getattr(found.blocks, name), getattr(built.blocks, name), atol=1e-12)
        for name in ("inner_offset", "outer_offset"):
            miss = getattr(found.blocks, name) - getattr(built.blocks, name)
            np.testing.assert_allclose(np.exp(1j * miss), 1.0, atol=1e-12)


def test_a_calibrated_mesh_is_programmed_up_to_the_phases_of_its_outputs() -> None:
    design, built = pair_of("clements", 2)
    unitary = haar(N, np.random.default_rng(2))
    errors = []
    for noise in (0.0, 1e-4, 1e-3):
        known = calibrated(PowerTaps(built, design, noise, np.random.default_rng(0)))
        made = built.matrix(corrected(known, decompose(unitary)))
        errors.append(off(np.abs(made), np.abs(unitary)))
    assert errors[0] < 1e-12
    assert 1e-5 < errors[1] < errors[2] < 0.02
    assert off(np.abs(built.matrix(design.set_for(decompose(unitary)))), np.abs(unitary)) > 0.2


@pytest.mark.parametrize("seed", [2, 3])
def test_a_triangle_configures_itself(seed: int) -> None:
    design, built = pair_of("reck", seed)
    unitary = haar(N, np.random.default_rng(seed))
    taps = PowerTaps(built, design)
    made = built.matrix(self_configured(taps, unitary, rounds=10))
    turned = np.exp(1j * np.angle(np.sum(made * unitary.conj(), axis=1)))
    assert off(made / turned[:, np.newaxis], unitary) < 1e-6
    assert taps.counters["readings"] == 6 * 10 * N * (N - 1) // 2


def test_a_fringe_is_found_from_three_readings() -> None:
    readings = 2.0 + 0.7 * np.cos(STEPS - 1.1)
    np.testing.assert_allclose(fringe(readings), [2.0, 0.7, -1.1])


def test_what_cannot_be_calibrated_is_refused() -> None:
    design, built = pair_of("clements", 0, crosstalk=0.01)
    with pytest.raises(ParameterError, match="heat must not leak"):
        calibrated(PowerTaps(built, design))
    design, built = pair_of("diamond", 0)
    with pytest.raises(ParameterError, match="every block of a diamond mesh"):
        calibrated(PowerTaps(built, design))
    with pytest.raises(ParameterError, match="triangular mesh, reck, got 'diamond'"):
        self_configured(PowerTaps(built, design), np.eye(N))

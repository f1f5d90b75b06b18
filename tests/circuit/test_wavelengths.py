"""Wavelengths as numbers, as texts, and refined where the circuit needs it, in every question."""

from __future__ import annotations

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError

RING = ps.load("add_drop_ring")


def test_auto_is_a_grid_wherever_a_circuit_takes_wavelengths() -> None:
    auto = "1.55:1.5525:auto"
    assert RING(auto).wl.size < 200
    grid = RING(auto, ports=["in", "drop"]).wl
    assert RING.transfer(auto, ["drop"], ["in"]).shape[0] > 64
    assert RING.fields(auto, {"in": 1e-3}, ["drop"])["drop"].shape[0] > 64
    assert sum(len(piece.wl) for piece in RING.stream(auto, ports=["in", "drop"])) == len(grid)
    loss = ps.losses.power([("in", "drop")])
    value, slopes = RING.value_and_grad(loss, wl=auto, parameters=["ring.radius"])
    assert np.isfinite([value, slopes["ring.radius"]]).all()
    values, pull = RING.pullback(auto, ["drop"], ["in"], ["ring.radius"])
    assert pull(2 * values)["ring.radius"].shape == values.shape[:1]
    link = ps.load("link")
    assert link.photocurrents("1.549:1.551:auto").sizes["wavelength"] >= 129


def test_points_of_auto_are_apart_and_inside() -> None:
    """Elements that turn at nearly the same wavelength had a point each, 0.8e-9 um from the next."""
    wl = ps.load("lattice_filter")("1.54:1.56:auto").wl
    assert np.diff(wl).min() >= 1e-9
    assert (wl[0], wl[-1]) == (1.54, 1.56)


@pytest.mark.parametrize("name", ["wdm_rings", "crow", "lattice_filter"])
def test_auto_has_points_at_the_bottom_of_every_dip(name: str) -> None:
    circuit = ps.load(name)
    s = circuit("1.54:1.56:auto")
    step = 1e-5
    dips = 0
    for pair in ((a, b) for a in s.ports for b in s.ports):
        level = s[pair].power_dB
        inner = (
            np.flatnonzero((level[1:-1] < level[:-2]) & (level[1:-1] < level[2:]) & (level[1:-1] > -60)) + 1
        )
        for at in inner:
            near = np.linspace(s.wl[at] - step, s.wl[at] + step, 201)
            found = np.abs(circuit.transfer(near, [pair[1]], [pair[0]])[:, 0, 0]) ** 2
            assert level[at] < 10 * np.log10(max(found.min(), 1e-6)) + 0.1, (pair, s.wl[at])
            dips += 1
    assert dips > 4


def test_texts_of_wavelengths_are_read_as_on_the_command_line() -> None:
    assert np.array_equal(RING("1.54:1.56:11").wl, ps.wavelengths(1.54, 1.56, 11))
    assert RING("1550nm").wl.tolist() == [1.55]
    with pytest.raises(ParameterError, match=r"write start:stop:points"):
        RING("1.54-1.56")

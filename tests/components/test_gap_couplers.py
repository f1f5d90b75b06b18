"""Couplers given by gap: against a mode solver, foundry tables, and the integral of kappa along a bend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import photosim as ps
from photosim.components.couplers import coupling_angle, field_coupling
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.files import read_table
from photosim.model import ClosedForm, registry
from photosim.model.algebra import NUMPY

# bolla2017: half the difference of the propagation constants of even and odd supermode, two strips of
# 500 x 220 nm in oxide, vector finite differences on a grid of 20 nm (gap in um, kappa in 1/um at 1.55 um,
# allowance; a grid of 10 nm gives 0.1096 at 0.1 um, 0.0424 at 0.2 um). Up to 200 nm the fit meets foundry
# tables as well, which differ from the solver by some per cent. A finer solve, in test_mode_solver.py, lies
# up to 4 % below this one.
SOLVED = [(0.05, 0.2016, 0.045), (0.1, 0.1114, 0.02), (0.15, 0.0681, 0.03), (0.2, 0.0432, 0.03),
          (0.27, 0.02327, 0.03), (0.3, 0.01793, 0.03), (0.4, 0.00754, 0.03)]  # fmt: skip
# Same solver and grid: d ln kappa/d wl per um at 1.55 um.
SLOPES = [(0.1, 3.20), (0.2, 4.26)]
# Same solver and grid at the ends of the window of wavelength: (um, gap in um, kappa in 1/um).
ENDS = [(1.45, 0.1, 0.07969), (1.45, 0.2, 0.02770), (1.45, 0.3, 0.01027), (1.45, 0.4, 0.003859),
        (1.65, 0.1, 0.15125), (1.65, 0.2, 0.06500), (1.65, 0.3, 0.02980), (1.65, 0.4, 0.01387)]  # fmt: skip
# Power that crosses in the library's half ring, gap 100 nm, radius 10 um, by a solve in three dimensions.
HALF_RING = [(1.50, 0.0529), (1.525, 0.0635), (1.55, 0.0763), (1.575, 0.0907), (1.60, 0.1080)]


def crossed(component: str, wl: Any, **settings: Any) -> Any:
    model = registry.get(component)
    assert isinstance(model, ClosedForm)
    return np.abs(model.s(wl, **settings)[:, 2, 0]) ** 2


@pytest.mark.parametrize(("gap", "kappa", "allowance"), SOLVED)
@pytest.mark.parametrize("component", ["coupler_straight", "coupler"])
def test_kappa_is_that_of_the_mode_solver(component: str, gap: float, kappa: float, allowance: float) -> None:
    length = 0.5 / kappa  # a third of a full crossing, where the power tells the angle well
    bends = {"radius": 0.0} if component == "coupler" else {}
    power = crossed(component, [1.55], gap=gap, length=length, **bends)[0]
    assert np.arcsin(np.sqrt(power)) / length == pytest.approx(kappa, rel=allowance)


def test_coupler_straight_agrees_by_default() -> None:
    assert crossed("coupler_straight", [1.55])[0] == pytest.approx(np.sin(0.02234 * 10) ** 2, rel=0.04)


@pytest.mark.parametrize(("gap", "slope"), SLOPES)
def test_slope_in_wavelength_is_that_of_the_mode_solver(gap: float, slope: float) -> None:
    power = crossed("coupler_straight", [1.549, 1.551], gap=gap, length=10.0)
    angle = np.arcsin(np.sqrt(power))
    assert np.log(angle[1] / angle[0]) / 0.002 == pytest.approx(slope, rel=0.01)


@pytest.mark.parametrize(("wl", "gap", "kappa"), ENDS)
def test_kappa_holds_up_to_the_ends_of_its_window(wl: float, gap: float, kappa: float) -> None:
    windows = {window.of: window for window in registry.get("coupler_straight").windows}
    assert wl in {windows["wl"].low, windows["wl"].high}
    angle = np.arcsin(np.sqrt(crossed("coupler_straight", [wl], gap=gap, length=5.0)[0]))
    # One grid of 20 nm, on which kappa is 4 % above the limit of fine grids.
    assert angle / 5.0 == pytest.approx(kappa, rel=0.05)


@pytest.mark.parametrize(("wl", "power"), HALF_RING)
def test_half_ring_crosses_what_the_foundry_says(wl: float, power: float) -> None:
    half = {"gap": 0.1, "radius": 10.0}
    assert crossed("coupler", [wl], **half)[0] == pytest.approx(power, rel=0.006)
    assert crossed("coupler_ring", [wl], length_x=0.0, **half)[0] == pytest.approx(power, rel=0.006)


def test_half_ring_follows_the_file_of_the_foundry(siepic: Path) -> None:
    table = read_table(siepic / "dc_halfring_gap100nm_radius10um.dat")
    wl = SPEED_OF_LIGHT_UM_S / table.frequency_Hz
    near = (wl > 1.5) & (wl < 1.6)
    expected = np.abs(table.s[near, 3, 0]) ** 2
    np.testing.assert_allclose(crossed("coupler", wl[near], gap=0.1, radius=10.0), expected, rtol=0.006)


@pytest.mark.parametrize("wl", [1.45, 1.55, 1.65])
@pytest.mark.parametrize("gap", [0.1, 0.2, 0.4])
def test_bend_adds_the_integral_of_kappa_along_it(wl: float, gap: float) -> None:
    # The gap beside an arc grows as z**2/(2 radius). The formula takes one decay for all of it, which falls a
    # little as the gap grows, and the foundry's tight bends couple more: both are within 10 % at 18 um.
    radius = 18.0
    along, _ = quad(lambda z: float(field_coupling(NUMPY, wl, gap + z**2 / (2 * radius))), -12, 12)
    assert coupling_angle(NUMPY, wl, gap, 0.0, radius) == pytest.approx(along, rel=0.1)


def test_rings_given_by_gap_carry_the_slope() -> None:
    # Without loss, an all-pass ring delays on resonance by (1 + r)/(1 - r) round trips, about 4/k**2.
    wl = np.linspace(1.49, 1.61, 24001)
    for component in ("ring_single", "racetrack"):
        settings: dict[str, Any] = {"gap": 0.1, "radius": 10.0, "loss_dB_cm": 0.0, "length_x": 0.0}
        circuit = ps.Circuit(
            {"instances": {"r": {"component": component, "settings": settings}},
             "ports": {"in": "r,o1", "out": "r,o2"}}
        )  # fmt: skip
        delay = circuit(wl)["in", "out"].group_delay
        peaks = np.flatnonzero((delay[1:-1] > delay[:-2]) & (delay[1:-1] > delay[2:])) + 1
        peaks = peaks[(wl[peaks] > 1.5) & (wl[peaks] < 1.6)]
        bus = delay.min() / 2
        r = np.sqrt(1 - np.interp(wl[peaks], *np.transpose(HALF_RING)))
        turns = (delay[peaks] - bus) / ((1 + r) / (1 - r))
        assert len(peaks) > 6
        assert np.ptp(turns) / turns.mean() < 0.06  # with a coupling that stays: a factor of two


def test_loss_of_the_coupler_is_part_of_every_round_trip() -> None:
    wl = np.linspace(1.54, 1.56, 201)
    circuit = ps.Circuit(
        {"instances": {"r": {"component": "ring_single",
                             "settings": {"coupling": 0.1, "coupler_loss_dB": 0.2, "neff": 2.4, "ng": 4.2}}},
         "ports": {"in": "r,o1", "out": "r,o2"}}
    )  # fmt: skip
    a, r = 10 ** (-0.2 / 20), np.sqrt(0.9)
    index = 2.4 - (wl - 1.55) * (4.2 - 2.4) / 1.55
    turn = np.exp(2j * np.pi * index * 2 * np.pi * 10.0 / wl)
    expected = a * (r - a * turn) / (1 - r * a * turn)  # the coupler's loss lies on the bus as well
    np.testing.assert_allclose(circuit(wl)["in", "out"].values, expected, atol=1e-11)

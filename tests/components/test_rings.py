"""Rings: composed against the formula, and both against the textbook (Bogaerts et al. 2012)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import photosim as ps
from photosim.model import ClosedForm, registry

WL = np.linspace(1.53, 1.57, 401)
NG = 4.19088
STRIP = {"neff": 2.44553, "ng": NG}


def alone(component: str, **settings: Any) -> ps.Circuit:
    """A circuit of one instance, `part`, with all its ports exposed."""
    ports = {p: ("part", p) for p in registry.get(component).ports}
    return ps.Circuit(ps.Netlist({"part": ps.part(component, **settings)}, ports=ports))


def formula(component: str, **settings: Any) -> Any:
    model = registry.get(component)
    assert isinstance(model, ClosedForm)
    return model.s(WL, **settings)


def finesse(x: float) -> float:
    """Bogaerts et al. 2012, eq. 21: x is the amplitude left after one round trip."""
    return float(np.pi * np.sqrt(x) / (1 - x))


def tolerance(x: float, radius: float) -> float:
    """1.5e-13 times the finesse, for each 300 rad of round trip: each of two doubles holds one to 6e-14."""
    return 1.5e-13 * max(1.0, finesse(x)) * max(1.0, 2 * np.pi * radius * 2.34 / 1.53 * 2 * np.pi / 300)


RINGS = {
    "ring_single": alone("ring_single", phase=0.0, temperature=300.0, loss_dB_cm=0.0),
    "ring_double": alone("ring_double", coupling_drop=0.1, phase=0.0, temperature=300.0, loss_dB_cm=0.0),
}
values = {
    "radius": st.floats(3.0, 10.0),
    "coupling": st.floats(0.01, 0.95),
    "phase": st.floats(-6.0, 6.0),
    "loss_dB_cm": st.floats(0.0, 50.0),
    "temperature": st.floats(280.0, 350.0),
}


@given(settings=st.fixed_dictionaries(values))
def test_composed_all_pass_ring_is_the_formula(settings: dict[str, Any]) -> None:
    found = RINGS["ring_single"](WL, part=settings).values
    bound = tolerance(np.sqrt(1 - settings["coupling"]), settings["radius"])
    np.testing.assert_allclose(found, formula("ring_single_ideal", **settings), rtol=0, atol=bound)


@given(settings=st.fixed_dictionaries({**values, "coupling_drop": st.floats(0.01, 0.95)}))
def test_composed_add_drop_ring_is_the_formula(settings: dict[str, Any]) -> None:
    found = RINGS["ring_double"](WL, part=settings).values
    r1r2 = np.sqrt((1 - settings["coupling"]) * (1 - settings["coupling_drop"]))
    bound = tolerance(r1r2, settings["radius"])
    np.testing.assert_allclose(found, formula("ring_double_ideal", **settings), rtol=0, atol=bound)


@pytest.mark.parametrize("coupling", [0.1, 0.03, 0.01, 0.003])
def test_rings_in_use_agree_to_1e_13_times_their_finesse(coupling: float) -> None:
    settings = {"coupling": coupling, "loss_dB_cm": 2.5, **STRIP}
    bound = 1e-13 * finesse(1 - coupling)
    found = RINGS["ring_double"](WL, part={**settings, "coupling_drop": coupling}).values
    expected = formula("ring_double_ideal", **settings, coupling_drop=coupling)
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound)
    found = RINGS["ring_single"](WL, part=settings).values
    bound = 1e-13 * finesse(np.sqrt(1 - coupling))
    np.testing.assert_allclose(found, formula("ring_single_ideal", **settings), rtol=0, atol=bound)


@given(settings=st.fixed_dictionaries({**values, "coupling_drop": st.floats(0.01, 0.95)}))
def test_add_drop_powers_are_those_of_the_review(settings: dict[str, Any]) -> None:
    s = np.abs(formula("ring_double_ideal", **settings, **STRIP)) ** 2
    r1, r2 = np.sqrt(1 - settings["coupling"]), np.sqrt(1 - settings["coupling_drop"])
    length = 2 * np.pi * settings["radius"]
    a = 10 ** (-settings["loss_dB_cm"] * length * 1e-4 / 20)
    neff = 2.44553 - (WL - 1.55) * (NG - 2.44553) / 1.55 + 2.00e-4 * (settings["temperature"] - 300)
    phi = 2 * np.pi * neff * length / WL + settings["phase"] * 1.55 / WL
    below = 1 - 2 * r1 * r2 * a * np.cos(phi) + (r1 * r2 * a) ** 2
    through = ((r2 * a) ** 2 - 2 * r1 * r2 * a * np.cos(phi) + r1**2) / below
    np.testing.assert_allclose(s[:, 3, 0], through, atol=1e-9)
    np.testing.assert_allclose(s[:, 1, 0], (1 - r1**2) * (1 - r2**2) * a / below, atol=1e-9)


def test_critical_coupling_extinguishes_the_through_port() -> None:
    loss = 20.0
    a = 10 ** (-loss * 2 * np.pi * 10 * 1e-4 / 20)
    resonance = 10 * 2 * np.pi * 2.34 / 95  # order 95 at neff 2.34 without dispersion
    model = registry.get("ring_single_ideal")
    assert isinstance(model, ClosedForm)
    s = model.s(resonance, coupling=1 - a**2, loss_dB_cm=loss, ng=2.34)
    assert abs(s[0, 1, 0]) < 1e-10


def test_free_spectral_range_is_wl_squared_over_ng_length() -> None:
    drop = RINGS["ring_double"](np.linspace(1.52, 1.58, 60001), part={"coupling": 0.01, **STRIP})[
        "o1", "o2"
    ].power
    grid = np.linspace(1.52, 1.58, 60001)
    inner = drop[1:-1]
    peaks = grid[1:-1][(inner > drop[:-2]) & (inner > drop[2:]) & (inner > 0.1)]
    for low, high in pairwise(peaks):
        # The group index is constant to first order only: neff is linear in wavelength, exactly.
        assert high - low == pytest.approx(low * high / (NG * 2 * np.pi * 10), rel=1e-4)


def test_heater_phase_of_two_pi_moves_the_comb_by_one_order() -> None:
    cold = RINGS["ring_single"](1.55, part={"coupling": 0.2, "phase": 0.0}).values
    hot = RINGS["ring_single"](1.55, part={"coupling": 0.2, "phase": 2 * np.pi}).values
    np.testing.assert_allclose(hot, cold, atol=1e-12)


def test_temperature_moves_the_resonance_as_the_index_does() -> None:
    base = {"coupling": 0.01, "coupling_drop": 0.01, **STRIP}
    grid = np.linspace(1.548, 1.556, 80001)
    ring = RINGS["ring_double"]
    peaks = [
        grid[ring(grid, part={**base, "temperature": t})["o1", "o2"].power.argmax()] for t in (300.0, 310.0)
    ]
    # d wl / dT = wl / ng * dneff/dT, 69 pm/K for bulk silicon's slope.
    assert (peaks[1] - peaks[0]) / 10 == pytest.approx(1.552 / NG * 2.00e-4, rel=0.01)


def test_gaps_couple_as_the_coupler_does() -> None:
    model = registry.get("coupler")
    assert isinstance(model, ClosedForm)
    wl = WL[::80]
    coupling = np.abs(model.s(wl, gap=0.15, radius=10.0, length_x=0.0)[:, 2, 0]) ** 2
    by_gap = alone("ring_double", gap=0.15, loss_dB_cm=3.0)(wl).values
    ring = alone("ring_double", loss_dB_cm=3.0)
    by_coupling = [ring([at], part={"coupling": k}).values[0] for at, k in zip(wl, coupling, strict=True)]
    np.testing.assert_allclose(by_gap, by_coupling, atol=1e-10)
    assert coupling[-1] > 1.2 * coupling[0]


def test_racetrack_is_as_long_as_its_straights_make_it() -> None:
    racetrack = alone("ring_single", radius=5.0, length_x=4.0, length_y=2.0)(WL).values
    circle = alone("ring_single", radius=5.0 + 12.0 / (2 * np.pi))(WL).values
    np.testing.assert_allclose(racetrack, circle, atol=1e-11)

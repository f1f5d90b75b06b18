"""Couplers with a length: against the fit they state, foundry tables, and rings cut into parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.components.guides import euler_bend_length
from photosim.components.multimode_interference import self_images
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.files import read_table
from photosim.model import ClosedForm, Numerical, registry
from photosim.model.algebra import NUMPY

WL = np.linspace(1.5, 1.6, 201)


def s_of(component: str, wl: Any, **settings: Any) -> Any:
    model = registry.get(component)
    assert isinstance(model, ClosedForm | Numerical)
    return model.s(wl, **settings)


# Through and crossed power of SiEPIC's coupler of 200 nm gap at 1550 nm.
@pytest.mark.parametrize(("length", "through", "crossed"), [(17.5, 0.493, 0.475), (37.5, None, 0.978)])
def test_directional_coupler_meets_the_foundry(length: float, through: float | None, crossed: float) -> None:
    power = np.abs(s_of("directional_coupler", 1.55, length=length)[0, :, 0]) ** 2
    assert power[2] == pytest.approx(crossed, abs=5e-3)
    assert through is None or power[3] == pytest.approx(through, abs=5e-3)


def test_coupling_slope_is_that_of_the_half_ring(siepic: Path) -> None:
    table = read_table(siepic / "dc_halfring_gap100nm_radius10um.dat")
    wl = SPEED_OF_LIGHT_UM_S / table.frequency_Hz
    near = (wl > 1.5) & (wl < 1.6)
    angle = np.arcsin(np.abs(table.s[near, 3, 0]))
    slope = np.polyfit(wl[near] - 1.55, np.log(angle), 1)[0]
    assert slope == pytest.approx(3.7, rel=0.02)
    # A coupler of the same angle and slope follows the table through the whole band.
    same = {"length": 0.0, "end_length": 0.178 * 2 / np.pi * 39.45, "coupling_slope": 3.7}
    crossed = np.abs(s_of("directional_coupler", wl[near], **same)[:, 2, 0])
    assert np.ptp(crossed / np.sin(angle)) < 0.02


def test_couplers_with_a_length_delay_by_their_guides() -> None:
    for name in ("directional_coupler", "coupler_straight"):
        net = {"instances": {"x": {"component": name, "settings": {"length": 100.0, "ng": 4.2}}},
               "ports": {"in": "x,o1", "out": "x,o4"}, "terminate": ["x,o2", "x,o3"]}  # fmt: skip
        delay = ps.Circuit(net)([1.55])["in", "out"].group_delay[0]
        assert delay == pytest.approx(4.2 * 100 / SPEED_OF_LIGHT_UM_S, rel=1e-9)


BEND = float(euler_bend_length(NUMPY, 10.0, 90.0, 0.5))


def ring_of_parts(gap: float, length_x: float, length_y: float) -> ps.Circuit:
    """Return gdsfactory's ring_single, in the parts and connections that its netlist has."""
    strip: dict[str, Any] = {"cross_section": "strip"}
    bend = {"component": "bend_euler", "settings": {"radius": 10.0, "loss_dB_cm": 0.0, **strip}}
    side = {"component": "straight", "settings": {"length": length_y, **strip}}
    return ps.Circuit(
        {
            "instances": {
                "cb": {
                    "component": "coupler_ring",
                    "settings": {"gap": gap, "radius": 10.0, "length_x": length_x, "bend": "bend_euler",
                                 "straight": "straight", "cross_section_bend": None, **strip},
                },
                "sl": side, "sr": side, "bl": bend, "br": bend,
                "st": {"component": "straight", "settings": {"length": length_x, **strip}},
            },
            "connections": {"sl,o1": "cb,o2", "bl,o2": "sl,o2", "st,o2": "bl,o1", "br,o2": "st,o1",
                            "sr,o1": "br,o1", "sr,o2": "cb,o3"},
            "ports": {"o1": "cb,o1", "o2": "cb,o4"},
        }
    )  # fmt: skip


@pytest.mark.parametrize(("gap", "length_x", "length_y"), [(0.2, 4.0, 0.6), (0.1, 0.01, 3.0)])
def test_ring_of_a_layouts_parts_is_the_ring(gap: float, length_x: float, length_y: float) -> None:
    found = ring_of_parts(gap, length_x, length_y)(WL)["o1", "o2"].values
    net = {
        "instances": {
            "ring": {"component": "ring_single",
                     "settings": {"gap": gap, "length_x": length_x, "radius": 10.0,
                                  "length_y": length_y + 2 * BEND - np.pi * 10.0}},
            "bus": {"component": "straight", "settings": {"length": 6.0 + length_x}},
        },
        "connections": {"ring,o2": "bus,o1"},
        "ports": {"o1": "ring,o1", "o2": "bus,o2"},
    }  # fmt: skip
    np.testing.assert_allclose(found, ps.Circuit(net)(WL)["o1", "o2"].values, atol=1e-11)


def test_two_quarter_bends_and_a_straight_are_the_ring_coupler() -> None:
    """As gdsfactory builds coupler_ring: coupler90, mirrored, then coupler_straight, then coupler90."""
    arm = {"gap": 0.15, "radius": 8.0, "length_straight": 3.0}
    net = {
        "instances": {
            "cbl": {"component": "coupler90", "settings": arm},
            "cs": {"component": "coupler_straight", "settings": {"gap": 0.15, "length": 4.0}},
            "cbr": {"component": "coupler90", "settings": arm},
        },
        "connections": {"cs,o4": "cbr,o1", "cs,o3": "cbr,o2", "cbl,o2": "cs,o2", "cbl,o1": "cs,o1"},
        "ports": {"o1": "cbl,o4", "o2": "cbl,o3", "o3": "cbr,o3", "o4": "cbr,o4"},
    }
    whole = s_of("coupler_ring", WL, gap=0.15, radius=8.0, length_x=4.0)
    found = ps.Circuit(net)(WL)
    order = [found.ports.index(port) for port in ("o1", "o2", "o3", "o4")]
    np.testing.assert_allclose(found.values[:, order][:, :, order], whole, atol=1e-12)


def test_adiabatic_coupler_is_within_a_twentieth_of_the_table(siepic: Path) -> None:
    table = read_table(siepic / "bdc_te1550.sparam")
    wl = SPEED_OF_LIGHT_UM_S / table.frequency_Hz
    near = (wl > 1.5) & (wl < 1.6)
    model = np.abs(s_of("adiabatic_coupler", wl[near])) ** 2
    for to, start in ((2, 0), (3, 0), (2, 1), (3, 1)):
        assert np.abs(np.abs(table.s[near, to, start]) ** 2 - model[:, to, start]).max() < 0.055
    middle = np.argmin(np.abs(wl - 1.55))
    powers = np.abs(table.s[middle, 2:, 0]) ** 2
    assert powers.sum() == pytest.approx(
        np.abs(s_of("adiabatic_coupler", 1.55)[0, 2:, 0] ** 2).sum(), abs=1e-3
    )


def images_of_modes(ports: int) -> Any:
    """Propagate narrow beams through the sine modes of a wide guide over 3 L_pi/ports, [output, input]."""
    order = np.arange(4000)
    place = (np.arange(ports) + 0.5) / ports
    narrow = np.exp(-(((order + 1) * np.pi * 0.005) ** 2) / 2)
    overlap = np.sin(np.outer(place, (order + 1) * np.pi)) * narrow
    # beta_k = beta_0 - k (k + 2) pi/(3 L_pi); whole turns are taken out so that the phase keeps its digits.
    phase = np.exp(-1j * np.pi / ports * ((order * (order + 2)) % (2 * ports)))
    images = (overlap * phase) @ overlap.T
    return images / np.linalg.norm(images[:, 0])


@pytest.mark.parametrize("ports", [1, 2, 3, 4, 5, 8, 13])
def test_images_are_those_of_the_modes_of_a_wide_guide(ports: int) -> None:
    ours, modes = self_images(ports), images_of_modes(ports)
    common = modes[0, 0] / ours[0, 0]
    assert abs(common) == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(modes, common * ours, atol=1e-9)


@pytest.mark.parametrize("ports", [1, 2, 4, 7])
def test_nxn_is_unitary_and_symmetric_and_its_series_is_its_derivative(ports: int) -> None:
    model = registry.get("mmi_nxn")
    assert isinstance(model, Numerical)
    s = model.s([1.55], ports=ports)[0]
    np.testing.assert_allclose(s.conj().T @ s, np.eye(2 * ports), atol=1e-13)
    np.testing.assert_array_equal(s, s.T)
    step, settings = 1e-4, {"ports": ports, "loss_dB": 0.5}
    low, middle, high = (model.s([1.56 + k * step], **settings) for k in (-1, 0, 1))
    value, slope, half_curvature = model.series([1.56], 3, **settings)
    np.testing.assert_array_equal(value, middle)
    np.testing.assert_allclose(slope, (high - low) / (2 * step), atol=1e-5)
    np.testing.assert_allclose(half_curvature, (high - 2 * middle + low) / (2 * step**2), atol=1e-4)


def test_grating_coupler_has_the_band_of_the_table(siepic: Path) -> None:
    model = 20 * np.log10(np.abs(s_of("grating_coupler", WL)[:, 1, 0]))
    assert model.max() == pytest.approx(-2.4, abs=0.01)
    assert np.ptp(WL[model > model.max() - 1.0]) == pytest.approx(0.033, abs=0.001)
    table = read_table(siepic / "gc_te1550.txt")
    wl = SPEED_OF_LIGHT_UM_S / table.frequency_Hz
    near = (wl > 1.53) & (wl < 1.575)
    measured = 20 * np.log10(np.abs(table.s[near, 1, 0]))
    model = 20 * np.log10(np.abs(s_of("grating_coupler", wl[near])[:, 1, 0]))
    assert np.abs(measured - model).max() < 0.7
    # Port 1 of the table is the fibre; into the guide it reflects 21.8 dB below at 1550 nm.
    into_guide = np.interp(1.55, wl[::-1], np.abs(table.s[::-1, 1, 1]) ** 2)
    reflected = np.abs(s_of("grating_coupler", 1.55)[0, 0, 0]) ** 2
    assert reflected == pytest.approx(6.6e-3)
    assert 10 * np.log10(reflected / into_guide) == pytest.approx(0.0, abs=0.5)


def test_edge_coupler_loses_1_6_dB() -> None:
    assert np.abs(s_of("edge_coupler", 1.55)[0, 1, 0]) ** 2 == pytest.approx(10**-0.16)

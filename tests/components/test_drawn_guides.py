"""Bends, unequal couplers, steps of width and star couplers against methods of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import expm

from photosim.circuit import Circuit
from photosim.components.couplers import field_coupling
from photosim.components.drawn_guides import OXIDE_INDEX, lateral_mode, slab_index
from photosim.components.star_couplers import places
from photosim.model import registry
from photosim.model.algebra import NUMPY

WL = np.array([1.5, 1.55, 1.6])


def s_of(name: str, wl: Any = WL, **settings: Any) -> Any:
    model: Any = registry.get(name)
    return model.s(np.asarray(wl), **settings)


@pytest.mark.parametrize(("dx", "dy"), [(11.0, 1.8), (90.0, -11.875), (10.0, 10.0), (5.0, 0.0)])
def test_an_s_bend_is_as_long_as_its_curve(dx: float, dy: float) -> None:
    def speed(t: float) -> float:
        x = 3 * ((1 - t) ** 2 * dx / 2 + t**2 * dx / 2)
        return float(np.hypot(x, 6 * t * (1 - t) * dy))

    length, _ = quad(speed, 0, 1, epsabs=1e-12)
    np.testing.assert_allclose(s_of("bend_s", dx=dx, dy=dy), s_of("bend_s", length=length), atol=1e-9)


def test_a_circular_bend_is_an_arc() -> None:
    bend = s_of("bend_circular", radius=7.0, angle=30.0, loss_dB_cm=3.0)
    arc = s_of("straight", length=7.0 * np.pi / 6, loss_dB_cm=3.0)
    np.testing.assert_allclose(bend, arc, atol=1e-12)


@pytest.mark.parametrize(("top", "bottom"), [(0.5, 0.5), (0.48, 0.53), (0.55, 0.45)])
def test_an_unequal_coupler_is_the_exponential_of_its_equations(top: float, bottom: float) -> None:
    length, gap, slope = 23.0, 0.2, 1.581
    s = s_of("coupler_straight_asymmetric", length=length, gap=gap, width_top=top, width_bot=bottom)
    for k, wl in enumerate(WL):
        index = 2.44553 - (wl - 1.55) * (4.19088 - 2.44553) / 1.55
        beta = 2 * np.pi / wl * (index + slope * (np.array([bottom, top]) - 0.5))
        kappa = field_coupling(NUMPY, wl, gap)
        field = expm(1j * length * (np.diag(beta) + kappa * np.array([[0, 1], [1, 0]])))
        # Inputs are the lower and the upper guide, o1 and o2; outputs o4 and o3.
        np.testing.assert_allclose(s[k][np.ix_([3, 2], [0, 1])], field, atol=1e-10)


def lateral_by_differences(wl: float, width: float, step: float = 0.004, half: float = 1.4) -> Any:
    """Index and field of a strip's even mode by finite differences of n**2 (H'/n**2)' on half the plane."""
    x = (np.arange(round(half / step)) + 0.5) * step
    inside = np.clip((width / 2 - (x - step / 2)) / step, 0, 1)
    core, out = float(slab_index(wl)) ** 2, OXIDE_INDEX**2
    eps = inside * core + (1 - inside) * out
    faces = 0.5 * (1 / eps[1:] + 1 / eps[:-1])
    k0 = 2 * np.pi / wl
    low = np.zeros((x.size, x.size))
    for i, face in enumerate(faces):
        low[i, i] -= face
        low[i + 1, i + 1] -= face
        low[i, i + 1] += face
        low[i + 1, i] += face
    matrix = eps[:, np.newaxis] * low / step**2 + np.diag(k0**2 * eps)
    values, vectors = np.linalg.eig(matrix)
    best = int(np.argmax(values.real))
    return np.sqrt(values[best].real) / k0, vectors[:, best].real


def test_a_step_of_width_is_the_overlap_of_two_modes() -> None:
    n1, h1 = lateral_by_differences(1.55, 0.5)
    n2, h2 = lateral_by_differences(1.55, 0.4)
    assert float(lateral_mode(np.array([1.55]), 0.5)[0][0]) == pytest.approx(n1, abs=3e-3)
    overlap = (h1 @ h2) ** 2 / ((h1 @ h1) * (h2 @ h2))
    reflected = ((n1 - n2) / (n1 + n2)) ** 2
    s = s_of("width_step", [1.55], width1=0.5, width2=0.4)[0]
    assert abs(s[0, 0]) ** 2 == pytest.approx(reflected, rel=0.05)
    assert 1 - abs(s[1, 0]) ** 2 == pytest.approx(1 - overlap * (1 - reflected), rel=0.05)


@pytest.mark.parametrize(("one", "other"), [(0.5, 0.45), (0.45, 0.55), (0.35, 0.8), (0.5, 0.5)])
def test_a_step_of_width_makes_no_power_and_turns_round(one: float, other: float) -> None:
    s, back = s_of("width_step", width1=one, width2=other), s_of("width_step", width1=other, width2=one)
    assert np.linalg.norm(s, 2, axis=(1, 2)).max() <= 1 + 1e-12
    np.testing.assert_allclose(s[:, ::-1, ::-1], back, atol=1e-12)


def test_many_teeth_reflect_at_their_period() -> None:
    period = 0.318  # 0.159 um each: 2 neff period is 1.54 um
    teeth = {f"t{k}": {"component": "dbr_cell"} for k in range(60)}
    steps = {
        f"s{k}": {"component": "width_step", "settings": {"width1": 0.55, "width2": 0.45}} for k in range(59)
    }
    nets = {f"t{k},o2": f"s{k},o1" for k in range(59)} | {f"s{k},o2": f"t{k + 1},o1" for k in range(59)}
    grating = Circuit(
        {"instances": teeth | steps, "connections": nets, "ports": {"in": "t0,o1", "out": "t59,o2"}}
    )
    wl = np.linspace(1.5, 1.6, 401)
    power = grating(wl)["in", "in"].power
    guide = s_of("straight_strip", wl, length=period)[:, 1, 0]
    index = np.mod(np.angle(guide), 2 * np.pi) * wl / (2 * np.pi * period)
    bragg = wl[np.argmin(np.abs(2 * index * period - wl))]
    assert wl[np.argmax(power)] == pytest.approx(bragg, abs=0.004)
    assert power.max() > 0.5


def spread_by_fourier(wl: float, index: float, length: float, spot: float, apart: float) -> complex:
    """Overlap with a spot `apart` of a Gaussian that Fresnel diffraction has carried over a length."""
    y = (np.arange(2**15) - 2**14) * 0.01
    q = 2 * np.pi * np.fft.fftfreq(y.size, 0.01)
    k = 2 * np.pi * index / wl
    start = np.exp(-(y**2) / spot**2)
    start = start / np.sqrt(np.sum(start**2))
    carried = np.fft.ifft(np.fft.fft(start) * np.exp(1j * (k - q**2 / (2 * k)) * length))
    there = np.exp(-((y - apart) ** 2) / spot**2)
    return complex(np.sum(carried * there) / np.sqrt(np.sum(there**2)))


def test_a_star_coupler_diffracts() -> None:
    settings = {"inputs": 2, "outputs": 3, "length": 30.0, "width1": 6.0, "width2": 8.0, "spot": 0.8}
    s = s_of("free_propagation_region", [1.55], **settings)[0]
    left, right = places(6.0, 0.5, 2), places(8.0, 0.5, 3)
    for i in range(2):
        for j in range(3):
            found = s[4 - j, i]  # outputs are numbered downwards: E0 is o5
            expected = spread_by_fourier(1.55, 2.8478, 30.0, 0.8, right[j] - left[i])
            assert found == pytest.approx(expected, abs=2e-5)  # of the neighbours' tails


@pytest.mark.parametrize("spot", [0.2, 0.6, 1.5])
def test_a_star_coupler_makes_no_power_where_spots_overlap(spot: float) -> None:
    s = s_of("free_propagation_region", inputs=5, outputs=9, width1=3.0, width2=6.0, length=5.0, spot=spot)
    assert np.linalg.norm(s, 2, axis=(1, 2)).max() <= 1 + 1e-12
    model = registry.get("free_propagation_region")
    assert model.aliases_for({"inputs": 2, "outputs": 3})["E0"] == "o5"
    assert model.aliases_for({"inputs": 2, "outputs": 3})["W1"] == "o2"

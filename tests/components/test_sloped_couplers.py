"""Couplers and rings given by their coupling: slope in wavelength, dispersion, insertion loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares

import photosim as ps
from photosim.components.guides import euler_bend_length
from photosim.errors import NetlistError, ParameterError
from photosim.model import registry
from photosim.model.algebra import NUMPY

C = 299_792_458.0
WL = np.linspace(1.5, 1.6, 501)
GUIDE = {"neff": 2.45, "ng": 4.18, "dispersion": 3e-4, "loss_dB_cm": 12.0}


def alone(component: str, **settings: Any) -> ps.Circuit:
    ports = {p: ("it", p) for p in registry.get(component).ports}
    return ps.Circuit(ps.Netlist({"it": ps.part(component, **settings)}, ports=ports))


def factor(length: float, wl: Any = WL) -> Any:
    """What a wave gains along the guide: phase to second order in frequency, and loss."""
    omega, middle = 2 * np.pi * C / (wl * 1e-6), 2 * np.pi * C / 1.55e-6
    beta = 2 * np.pi * 2.45 / 1.55e-6 + 4.18 / C * (omega - middle)
    beta -= 3e-4 * 1.55e-6**2 / (4 * np.pi * C) * (omega - middle) ** 2
    return np.exp(1j * beta * length * 1e-6) * 10 ** (-12.0 * length * 1e-4 / 20)


def couplings(coupling: float, slope: float, wl: Any = WL) -> tuple[Any, Any]:
    """Bar and cross amplitudes of coupled-mode theory."""
    angle = np.arcsin(np.sqrt(coupling)) * np.exp(slope * (wl - 1.55))
    return np.cos(angle), np.sin(angle)


def test_add_drop_ring_with_slope_dispersion_and_loss_is_the_formula() -> None:
    ring = {"radius": 5.0, "coupling": 0.03, "coupling_drop": 0.05, "coupling_slope": 5.0,
            "coupler_loss_dB": 0.05, **GUIDE}  # fmt: skip
    s = alone("ring_double", **ring)(WL)
    a = 10 ** (-0.05 / 20)
    (r1, k1), (r2, k2) = couplings(0.03, 5.0), couplings(0.05, 5.0)
    turn, half = factor(2 * np.pi * 5.0), factor(np.pi * 5.0)
    below = 1 - a**2 * r1 * r2 * turn
    np.testing.assert_allclose(s["o1", "o4"].values, a * (r1 - a**2 * r2 * turn) / below, atol=1e-10)
    np.testing.assert_allclose(s["o1", "o2"].values, -(a**2) * k1 * k2 * half / below, atol=1e-10)


@pytest.mark.parametrize("component", ["ring_single", "racetrack"])
def test_loop_on_one_bus_with_slope_dispersion_and_loss_is_the_formula(component: str) -> None:
    loop = {"radius": 5.0, "length_x": 4.0, "length_y": 2.0, "coupling": 0.08, "coupling_slope": 4.0,
            "coupler_loss_dB": 0.1, **GUIDE}  # fmt: skip
    found = alone(component, **loop)(WL)["o1", "o2"].values
    (r, _), a = couplings(0.08, 4.0), 10 ** (-0.1 / 20)
    bend = float(euler_bend_length(NUMPY, 5.0, 90.0, 0.5)) if component == "racetrack" else np.pi * 5.0 / 2
    turn = a * factor(4 * bend + 2 * 4.0 + 2 * 2.0)
    bus = factor(2 * 3.0 + 4.0) if component == "racetrack" else 1.0
    np.testing.assert_allclose(found, a * bus * (r - turn) / (1 - r * turn), atol=1e-10)


def test_chain_of_one_ring_is_the_ring_with_slope_and_loss() -> None:
    shared = {"radius": 6.0, "coupling_slope": 3.0, "coupler_loss_dB": 0.07, **GUIDE}
    chain = alone("crow", rings=1, coupling_end=0.2, **shared)(WL).values
    ring = alone("ring_double", coupling=0.2, **shared)(WL).values
    np.testing.assert_allclose(chain, ring, atol=1e-11)


@pytest.mark.parametrize("component", ["coupler", "coupler_ring"])
def test_slope_acts_on_the_angle_about_wl0(component: str) -> None:
    crossed = np.abs(alone(component, coupling=0.4, coupling_slope=6.0, wl0=1.53)(WL)["o1", "o3"].values)
    np.testing.assert_allclose(
        np.arcsin(crossed), np.arcsin(np.sqrt(0.4)) * np.exp(6.0 * (WL - 1.53)), rtol=1e-12
    )


@pytest.mark.parametrize("name", ["coupler_straight", "coupler90", "coupler_ring"])
def test_couplers_by_gap_take_an_insertion_loss(name: str) -> None:
    clear, lossy = (np.abs(alone(name, loss_dB=loss)(1.55).values) ** 2 for loss in (0.0, 0.3))
    np.testing.assert_allclose(lossy, 10**-0.03 * clear, atol=1e-14)


def test_gradient_by_coupling_and_slope_is_the_difference() -> None:
    circuit = alone("ring_double", coupling=0.2, coupling_slope=4.0, **GUIDE)
    loss = ps.losses.power([("o1", "o2")])
    wl = np.linspace(1.545, 1.555, 11)
    for name, step in (("coupling", 1e-6), ("coupling_slope", 1e-4), ("dispersion", 1e-7),
                       ("delta_width", 1e-7)):  # fmt: skip
        start = float(circuit.parameters[f"it.{name}"])
        _, gradient = circuit.value_and_grad(loss, wl=wl, parameters=[f"it.{name}"])
        high, low = (loss(circuit(wl, it={name: start + sign * step}))[0] for sign in (1, -1))
        assert gradient[f"it.{name}"] == pytest.approx((high - low) / (2 * step), rel=1e-4)


def test_slope_beside_a_gap_is_refused() -> None:
    for component in ("ring_single", "ring_double"):
        with pytest.raises((ParameterError, NetlistError), match=r"coupling_slope.*gap|gap.*slope"):
            alone(component, gap=0.2, coupling_slope=4.0)
    with pytest.raises(ParameterError, match="no effect if gap_bot and gap_top are set"):
        alone("ring_double", gap_bot=0.2, gap_top=0.3, coupling_slope=4.0)
    with pytest.raises(ParameterError, match=r"'coupling_slope' has an effect only together with 'coupling'"):
        alone("racetrack", coupling_slope=4.0)  # a racetrack has a gap unless its coupling is given


# --- a measured add-drop ring ---------------------------------------------------------------------


def fitted(wl: Any, through: Any, drop: Any, names: tuple[str, ...]) -> tuple[float, float]:
    """Root mean square of what is left in dB, through and drop, after a fit by the settings of these names.

    The baseline of each port is a parabola of its own, as grating couplers make it.
    """
    # Loss of the couplers acts as that of the guide does, and is not told apart from it.
    start = {"neff": 2.44, "ng": 4.18, "coupling": 0.03, "loss_dB_cm": 12.0, "dispersion": 0.0,
             "coupling_slope": 0.0}  # fmt: skip
    scale = {"neff": 1e-3, "ng": 1e-2, "coupling": 1e-2, "loss_dB_cm": 5.0, "dispersion": 1e-3,
             "coupling_slope": 5.0}  # fmt: skip
    circuit = alone("ring_double", radius=5.0, **start, wl0=float(wl.mean()))
    x = (wl - wl.mean()) / np.ptp(wl)
    base = np.stack((np.ones_like(x), x, x**2), 1)

    def left(at: Any) -> Any:
        settings = {n: start[n] + scale[n] * v for n, v in zip(names, at, strict=True)}
        s = circuit(wl, it=settings)
        rest = []
        for port, measured in (("o4", through), ("o2", drop)):
            gone = measured - s["o1", port].power_dB
            rest.append(gone - base @ np.linalg.lstsq(base, gone, rcond=None)[0])
        return np.concatenate(rest)

    # Resonances first: the comb must sit before widths and depths can be told.
    order = np.arange(-12, 13) * 1.0
    best = min(order, key=lambda v: float(np.sum(left([v, *[0.0] * (len(names) - 1)]) ** 2)))
    result = least_squares(left, [best, *[0.0] * (len(names) - 1)], method="lm", max_nfev=400)
    rest = np.sqrt(np.mean(result.fun.reshape(2, -1) ** 2, axis=1))
    return float(rest[0]), float(rest[1])


FEW = ("neff", "ng", "coupling", "loss_dB_cm")
ALL = (*FEW, "dispersion", "coupling_slope")


def test_measured_add_drop_ring_is_met_with_dispersion_and_slope(shared: Path) -> None:
    path = shared / "data" / "measured" / "add_drop_ring_te1550.csv"
    if not path.is_file():
        pytest.skip("the spectrum of a measured add-drop ring is not among the shared data")
    wl, through, drop = np.loadtxt(path, delimiter=",", skiprows=1).T
    inside = (wl > 1.495) & (wl < 1.561)
    spectrum = wl[inside], through[inside], drop[inside]
    few, every = fitted(*spectrum, FEW), fitted(*spectrum, ALL)
    assert every[0] < 0.25 < few[0]
    assert every[1] < 1.2 < few[1]


def test_fit_finds_dispersion_slope_and_loss_of_a_ring() -> None:
    # As in the measured ring: what dispersion and slope do over 66 nm is far above 0.1 dB.
    wl = np.linspace(1.495, 1.561, 1201)
    true = {"neff": 2.4403, "ng": 4.182, "coupling": 0.03, "loss_dB_cm": 12.0, "dispersion": 4e-4,
            "coupling_slope": 5.0, "coupler_loss_dB": 0.01, "wl0": float(wl.mean())}  # fmt: skip
    s = alone("ring_double", radius=5.0, **true)(wl)
    spectrum = wl, s["o1", "o4"].power_dB - 5 - 20 * (wl - 1.53), s["o1", "o2"].power_dB - 6
    few, every = fitted(*spectrum, FEW), fitted(*spectrum, ALL)
    assert max(every) < 0.02
    assert few[0] > 0.1
    assert few[1] > 0.1

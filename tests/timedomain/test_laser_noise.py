"""Intensity noise of rate-equation lasers against their own equations, linearised here by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import optimize, signal

import photosim as ps
from photosim.model import registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHARGE = 1.602176634e-19


def linearised(f: Any, component: str, *, carriers: bool = True, **settings: Any) -> NDArray[np.float64]:
    """One-sided relative intensity noise in 1/Hz at f (F,) in Hz: J of (N, S), and Langevin forces.

    2 D_SS = 2 R S, 2 D_NS = -2 R S, 2 D_NN = 2 R S + N/tau + pump eta I/q, with R = beta N/tau; without
    `carriers` the first alone.
    """
    s = {**registry.get(component).defaults, **settings}
    tau, photon_life, g = s["carrier_lifetime"], s["photon_lifetime"], s["differential_gain"]
    clear, eps, beta = s["transparency"], s["gain_compression"], s["spontaneous"]
    pump = s["injection_efficiency"] * s["current"] / CHARGE
    level, light = clear + 1 / (g * photon_life), 1e5

    def rest(x: NDArray[np.float64]) -> list[float]:
        n, photons = level * x[0], light * x[1]
        gain = g * (n - clear) / (1 + eps * photons)
        grown = (gain - 1 / photon_life) * photons + beta * n / tau
        return [1 - (n / tau + gain * photons) / pump, grown / pump]

    guess = [1.005, photon_life * (pump - level / tau) / light]
    n, photons = optimize.fsolve(rest, guess, xtol=1e-13) * (level, light)
    gain = g * (n - clear) / (1 + eps * photons)
    by_n, by_s = g / (1 + eps * photons), -gain * eps / (1 + eps * photons)
    jacobian = np.array(
        [
            [-1 / tau - photons * by_n, -gain - photons * by_s],
            [photons * by_n + beta / tau, gain - 1 / photon_life + photons * by_s],
        ]
    )
    r = beta * n / tau
    diffusion = np.array([[0.0, 0.0], [0.0, 2 * r * photons]])
    if carriers:
        diffusion[0] = 2 * r * photons + n / tau + s["pump_noise"] * pump, -2 * r * photons
        diffusion[1, 0] = -2 * r * photons
    answer = np.linalg.inv(2j * np.pi * np.asarray(f)[:, np.newaxis, np.newaxis] * np.eye(2) - jacobian)
    found = answer @ diffusion @ np.conj(np.swapaxes(answer, 1, 2))
    return np.asarray(2 * found[:, 1, 1].real / photons**2)


def measured(component: str, rate: float, duration: float, **settings: float) -> Any:
    """Frequencies in Hz and the relative intensity noise in 1/Hz of the photons of one run, by Welch."""
    one = ps.Circuit(
        {
            "instances": {
                "laser": {"component": component, "settings": settings},
                "end": {"component": "photodetector", "settings": {"bandwidth": 0.0}},
            },
            "connections": {"laser,o1": "end,o1"},
        }
    )
    out = ps.transient(one, duration, sample_rate=rate, settle=5e-9, noise=True, seed=3, probes=[])
    field = out.state.sel(state_name=["laser.field_re", "laser.field_im"]).values
    photons = (field**2).sum(axis=0)
    return signal.welch(photons / photons.mean() - 1, rate, nperseg=int(min(duration / 4, 2e-7) * rate))


def test_the_linearised_equations_give_the_known_figures() -> None:
    """The mean over 5 to 300 MHz at 40 mA: without carriers' noise, with it, and with that of the pump."""
    f = np.linspace(5e6, 3e8, 60)
    cases: Any = (({"carriers": False}, -152.5), ({}, -164.1), ({"pump_noise": 1.0}, -162.2))
    for options, dB in cases:
        found = linearised(f, "rate_equation_laser", current=40e-3, **options)
        assert 10 * np.log10(found.mean()) == pytest.approx(dB, abs=0.05)


@pytest.mark.parametrize(
    ("rate", "duration", "pump_noise"),
    [
        (40e9, 2e-6, 0.0),
        pytest.param(40e9, 2e-6, 1.0, marks=pytest.mark.nightly),
        pytest.param(100e9, 2e-6, 0.0, marks=pytest.mark.nightly),
        pytest.param(400e9, 2e-6, 0.0, marks=pytest.mark.nightly),
        (400e9, 2e-6, 1.0),
        pytest.param(1600e9, 1e-6, 0.0, marks=pytest.mark.nightly),
    ],
)
def test_intensity_noise_is_that_of_the_equations_at_any_step(
    rate: float, duration: float, pump_noise: float
) -> None:
    settings: Any = {"current": 40e-3, "pump_noise": pump_noise}
    f, found = measured("rate_equation_laser", rate, duration, **settings)
    expected = linearised(f[1:], "rate_equation_laser", **settings)
    # Twice the relaxation frequency of 8.15 GHz; a run of 1 us tells a band of 1 GHz to 0.2 dB.
    for low, high in ((5e6, 1e9), *((k * 1e9, (k + 1) * 1e9) for k in range(1, 16))):
        band = (f[1:] >= low) & (f[1:] < high)
        off = 10 * np.log10(found[1:][band].mean() / expected[band].mean())
        assert off == pytest.approx(0.0, abs=0.5), low


@pytest.mark.nightly
def test_mean_noise_at_low_frequency_does_not_depend_on_the_step() -> None:
    for rate in (40e9, 400e9):
        f, found = measured("rate_equation_laser", rate, 4e-6, current=40e-3)
        assert 10 * np.log10(found[(f >= 5e6) & (f <= 3e8)].mean()) == pytest.approx(-164.1, abs=0.5)


def test_intensity_noise_of_a_vcsel_is_that_of_its_equations() -> None:
    f, found = measured("vcsel", 160e9, 1e-6, current=3e-3)
    expected = linearised(f[1:], "vcsel", current=3e-3)
    for low, high in ((5e6, 1e9), (1e9, 3e9), (3e9, 6e9), (6e9, 10e9), (10e9, 16e9)):
        band = (f[1:] >= low) & (f[1:] < high)
        off = 10 * np.log10(found[1:][band].mean() / expected[band].mean())
        assert off == pytest.approx(0.0, abs=0.5), low

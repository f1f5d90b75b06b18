"""Control loops of the gallery against closed forms that use their static light alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.conventions import SPEED_OF_LIGHT_UM_S

RING = ("bus", "guide", "length", "actuator")
BEAT = 5e9


def test_bias_control_follows_the_drift_with_its_lag() -> None:
    drift = ps.waveforms.step(at=3e-3, low=1.0, high=1.3, rise=3e-3)
    found = ps.transient(
        ps.load("bias_control"), 4.5e-3, sample_rate=400e3, probes=[], drive={"drift.voltage": drift}
    )
    time, volt = found.time.values, found.voltage.sel(net="drift,e1").values
    mean = np.convolve(volt, np.ones(8) / 8, "same")  # over a period of the dither
    peak = 10e-3 * 10**-0.4
    unity = 600 * 500 * 0.05**2 / 2 * 1000 * peak * np.pi**2 / (2 * 4.0**2)
    assert unity == pytest.approx(461, abs=1)
    steepest = 0.3 * np.pi / 2 / 3e-3
    lag = mean[(time > 2.6e-3) & (time < 4.4e-3)].max() - 4.0
    assert lag == pytest.approx(steepest / (2 * np.pi * unity), rel=0.1)
    assert found.current.values[0][-400:].mean() < 1e-3 * peak


def transmission(detuning: float, frequency: Any) -> Any:
    """Return the amplitude transmission of the ring alone, by rising wavelength."""
    netlist = ps.load("pound_drever_hall").netlist
    part = {
        n: {"component": netlist.instances[n].component, "settings": dict(netlist.instances[n].settings)}
        for n in RING
    }
    part["guide"]["settings"] = {"phase": detuning}
    loop = {
        "bus,o3": "guide,o1",
        "guide,o2": "length,o1",
        "length,o2": "actuator,o1",
        "actuator,o2": "bus,o2",
    }
    ring = ps.Circuit({"instances": part, "connections": loop, "ports": {"in": "bus,o1", "out": "bus,o4"}})
    return ring(wl=np.sort(SPEED_OF_LIGHT_UM_S / frequency))["in", "out"].values


def error_signal(detuning: float, phase: float) -> float:
    """Return the mean of the mixer's output in V (Black 2001, with all sidebands)."""
    from scipy.special import jv

    order = np.arange(-6, 7)
    # Time goes as exp(-i omega t): exp(+i n w t) lies n w below the laser, at a longer wavelength.
    light = transmission(detuning, SPEED_OF_LIGHT_UM_S / 1.55 - BEAT * order)
    field = jv(order, np.pi * 0.8 / 4.0) * light
    beat = 1e-3 * np.sum(field[1:] * field[:-1].conj())
    return float(1000.0 * np.real(beat * np.conj(-1j * np.exp(1j * phase))))


@pytest.mark.parametrize(("detuning", "phase"), [(0.01, 0.0), (-0.05, 0.0), (0.03, 1.2)])
def test_pound_drever_hall_error_signal_is_its_closed_form(detuning: float, phase: float) -> None:
    """The loop is opened by an integrator whose range is nothing."""
    found = ps.transient(
        ps.load("pound_drever_hall"), 20e-9, sample_rate=40e9, probes=[], detuning=detuning,
        reference={"phase": phase}, lock={"output_low": -1e-9, "output_high": 1e-9},
    )  # fmt: skip
    mixed = found.voltage.sel(net="demodulate,e3").values
    assert mixed[-320:].mean() == pytest.approx(error_signal(detuning, phase), abs=1e-3)


@pytest.mark.nightly
def test_pound_drever_hall_locks_as_its_error_signal_says() -> None:
    from scipy.integrate import solve_ivp

    found = ps.transient(ps.load("pound_drever_hall"), 60e-9, sample_rate=40e9, probes=[])
    time, volt = found.time.values, found.voltage.sel(net="lock,e3").values
    grid = np.linspace(-0.005, 0.025, 13)
    errors = [error_signal(at, 0.0) for at in grid]

    def slope(_: float, y: Any) -> Any:
        """Return the slopes of the integral and of the two poles of the average."""
        pole = 2 * np.pi * 0.3e9 / np.sqrt(np.sqrt(2) - 1)
        error = np.interp(0.02 + np.pi * y[0] / 4.0, grid, errors)
        return [2 * np.pi * 0.5e6 * y[2], pole * (error - y[1]), pole * (y[1] - y[2])]

    wanted = solve_ivp(
        slope, (0.0, time[-1]), [0.0, 0.0, 0.0], t_eval=time, rtol=1e-8, atol=1e-10, max_step=1e-10
    )
    assert volt == pytest.approx(wanted.y[0], abs=0.02 * 0.0255)
    assert volt[-1] < -0.015  # most of the way to -0.02 rad x 4 V/pi

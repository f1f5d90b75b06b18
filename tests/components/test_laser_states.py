"""Lasers at rest under injected light, without time: against integration, Adler's range and the step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import photosim as ps
from photosim import waveforms
from photosim.components.laser_states import motion, settled, start
from photosim.errors import PhotosimWarning
from photosim.model import registry

PLANCK = 6.62607015e-34


def asked(name: str, power: float, offset: float, **settings: float) -> tuple[Any, Any, float, complex]:
    """Return constants, carrier, detuning in rad/s and injected rate of light `offset` Hz above a laser."""
    k = registry.get(name).constants(settings)[:, 0]  # type: ignore[attr-defined]
    carrier = k[11] + offset
    injected = math.sqrt(power / (PLANCK * carrier) * k[9] / k[3])
    return k, carrier, -2 * math.pi * offset, complex(injected)


def states(k: Any, power: float, carrier: float) -> Any:
    return settled(k, np.array([[math.sqrt(power)]], dtype=complex), np.array([carrier]))


@pytest.mark.parametrize("name", ["rate_equation_laser", "vcsel"])
@pytest.mark.parametrize("current", [0.0, 1e-12, 1e-3, 13e-3, 30e-3])
def test_a_laser_under_light_rests_where_integration_ends(name: str, current: float) -> None:
    k, carrier, detuning, injected = asked(name, 2e-3, 1e9, current=current)
    (found,) = states(k, 2e-3, carrier)
    began = np.array(start(*k))
    run = solve_ivp(
        lambda _, y: motion(k, y, detuning, injected)[0], (0.0, 60e-9), began, method="BDF",
        jac=lambda _, y: motion(k, y, detuning, injected)[1], rtol=1e-7, atol=1e-3,
    )  # fmt: skip
    size = np.array([max(found[0], 1.0), *2 * [math.hypot(found[1], found[2])]])
    np.testing.assert_allclose(run.y[:, -1] / size, found / size, atol=1e-4)


def test_derivatives_of_the_motion_are_those_of_differences() -> None:
    k, _, detuning, injected = asked("rate_equation_laser", 1e-4, 2e9, current=25e-3)
    for own in (np.add(start(*k), (0.0, 10.0, 40.0)), np.array([1e6, 0.3, -0.2])):
        _, by = motion(k, own, detuning, injected)
        for i in range(3):
            step = np.zeros(3)
            step[i] = 1e-5 * max(abs(own[i]), 1e-1)
            up, down = (motion(k, own + sign * step, detuning, injected)[0] for sign in (1, -1))
            np.testing.assert_allclose(
                by[:, i], (up - down) / (2 * step[i]), atol=1e-6 * np.abs(by[:, i]).max(), rtol=1e-5
            )


def test_weak_light_locks_a_laser_within_adlers_range_and_not_beyond() -> None:
    """Half the range is the injected rate over the field, times sqrt(1 + alpha^2) (Lang and Kobayashi)."""
    settings = {"current": 30e-3, "spontaneous": 0.0, "gain_compression": 0.0}
    k, _, _, injected = asked("rate_equation_laser", 1e-8, 0.0, **settings)
    edge = abs(injected) / start(*k)[1] * math.sqrt(1 + k[7] ** 2) / (2 * math.pi)
    for share, locked in ((-1.01, 0), (-0.99, 1), (-0.5, 1), (0.5, 1), (0.99, 1), (1.01, 0)):
        assert len(states(k, 1e-8, k[11] + share * edge)) == locked, share


def test_a_laser_without_spontaneous_emission_starts_above_threshold_with_what_the_current_leaves() -> None:
    """Without gain compression too it started dark, and stayed so."""
    k, *_ = asked("vcsel", 0.0, 0.0, current=4e-3, spontaneous=0.0, gain_compression=0.0)
    carriers, field, _ = start(*k)
    assert carriers == pytest.approx(k[5] + 1 / (k[4] * k[3]), rel=1e-12)
    assert field**2 == pytest.approx((k[1] * k[0] / 1.602176634e-19 - carriers / k[2]) * k[3], rel=1e-9)


def test_light_into_a_laser_below_threshold_begins_at_once_where_the_step_stays() -> None:
    """At 0 A and near threshold such a start was relaxed for half a minute, and was not found."""
    one = ps.Circuit({"instances": {"it": "rate_equation_laser"}, "ports": {"p": "it,o1"}})
    for current in (0.0, 13e-3):
        out = ps.transient(
            one, 1e-9, sample_rate=1e11, inputs={"p": 1e-3}, wl=1.55, it={"current": current}, probes=["p"]
        )
        assert out.attrs["starts"].startswith("it: steady, residual ")
        wave = out.wave.values[0, 0]
        np.testing.assert_allclose(wave, wave[0], rtol=1e-6)


def test_light_that_does_not_lock_a_laser_is_said_and_a_pulse_that_is_still_dark_is_not() -> None:
    one = ps.Circuit({"instances": {"it": "rate_equation_laser"}, "ports": {"p": "it,o1"}})
    with pytest.warns(PhotosimWarning, match="The first light into it does not lock it, so the two beat"):
        out = ps.transient(
            one, 1e-9, sample_rate=1e11, inputs={"p": {"power": 1e-6, "carrier": 1.55005}}, probes=["p"]
        )
    assert out.attrs["starts"] == "it: as without light, which does not lock it"
    late = waveforms.pulse(at=4e-10, width=1e-10, high=1e-5)
    out = ps.transient(one, 1e-9, sample_rate=1e11, inputs={"p": late}, wl=1.55, probes=["p"])
    assert out.attrs["starts"] == "it: as without light, which is too faint to count"

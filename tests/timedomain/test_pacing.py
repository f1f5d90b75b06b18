"""Parts far faster than the samples: their steps, and what is said of a run that takes long."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import photosim as ps
from photosim import waveforms
from photosim.kernels.saturation import gain_after
from photosim.timedomain import pacing


@pytest.mark.parametrize("rests", [(13.8, 13.8), (2.0, 4.6), (0.05, 0.05), (-0.2, -0.3), (-9.0, -9.0)])
@pytest.mark.parametrize("lifetime", [3e-15, 2e-12, 4e-10])
@pytest.mark.parametrize("strength", [1e-3, 3.0, 1e4])
@pytest.mark.parametrize("powers", [(0.0, 1.0), (1.0, 0.0), (1.0, 0.7), (0.2, 1.0)])
def test_saturation_follows_its_equation_however_stiff(
    rests: tuple[float, float], lifetime: float, strength: float, powers: tuple[float, float]
) -> None:
    # strength: the largest power over the power that saturates.
    dt, rate = 1e-11, strength / lifetime
    first, last = powers
    before, rest = rests
    h = 0.6 * before

    def slope(t: float, y: Any) -> Any:
        own = before + (rest - before) * t / dt
        return (own - y) / lifetime - (first + (last - first) * t / dt) * rate * np.expm1(y)

    def change(t: float, y: Any) -> Any:
        return [[-1 / lifetime - (first + (last - first) * t / dt) * rate * np.exp(y[0])]]

    with np.errstate(over="ignore"):
        right = solve_ivp(slope, (0, dt), [h], method="Radau", rtol=1e-6, atol=1e-8, jac=change)
    found = gain_after(h, first * rate, last * rate, before, rest, lifetime, dt)
    assert found == pytest.approx(right.y[0, -1], abs=3e-4)


@pytest.mark.parametrize(
    ("component", "settings"),
    [
        ("dynamic_soa", {"saturation_power": 1e-9}),
        ("dynamic_soa", {"lifetime": 1e-15, "gain_dB": 60.0}),
        ("saturable_absorber", {"saturation_power": 1e-9, "absorbance": 20.0}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*the usual values")
def test_amplifier_and_absorber_at_their_bounds_are_as_their_steady_state(
    component: str, settings: dict[str, Any]
) -> None:
    one = ps.Circuit(
        {
            "instances": {"m": {"component": component, "settings": settings}},
            "ports": {"in": "m,o1", "out": "m,o2"},
        }
    )
    light = {"power": waveforms.step(at=5e-9, low=1e-6, high=1e-3, rise=1e-9), "carrier": 1.55}
    out = ps.transient(one, 20e-9, sample_rate=1e11, inputs={"in": light})
    passed = abs(out.wave.sel(probe="out").values[0, -1]) ** 2 / 1e-3
    h = np.log(passed)
    filled = {"gain_dB": 20.0, "saturation_power": 5e-3} if component == "dynamic_soa" else {}
    values = {**filled, **settings}
    rest = values["gain_dB"] / 10 * np.log(10) if component == "dynamic_soa" else -values["absorbance"]
    strength = 1e-3 / values["saturation_power"]
    steady = brentq(lambda x: rest - x - strength * np.expm1(x), min(rest, 0.0), max(rest, 0.0), xtol=1e-15)
    assert h == pytest.approx(steady, rel=1e-4, abs=1e-7)


def test_long_run_is_said_once_as_soon_as_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("photosim.timedomain.pacing.now", lambda: clock[0])

    def run(seconds_a_sample: float) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for first, behind in pacing.Pace("slow").stretches(100_000):
                clock[0] += seconds_a_sample * (behind - first)
        return [str(one.message) for one in caught]

    (said,) = run(0.01)
    assert "The steps of slow are short against the samples: this run takes about 17 minutes" in said
    assert run(1e-5) == []


def test_pieces_of_a_run_are_the_run() -> None:
    seen = list(pacing.Pace("any").stretches(5000))
    assert seen[0][0] == 0
    assert seen[-1][1] == 5000
    assert all(a[1] == b[0] for a, b in pairwise(seen))

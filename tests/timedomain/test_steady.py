"""Runs begin in the steady state of their first light and settings: against S-matrices and fixed points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import PhotosimWarning
from photosim.model import registry
from photosim.timedomain.stepping import Stepper

GUIDE = {"neff": 2.44553, "ng": 4.19088}


def residual(out: Any) -> float:
    return float(out.attrs["starts"].partition("residual ")[2].partition(",")[0])


def loop(part: dict[str, Any], length: float = 400.0, coupling: float = 0.3, loss: float = 3.0) -> ps.Circuit:
    """A ring of one coupler and a guide, with a part in it."""
    guide = {"length": length, "loss_dB_cm": loss, **GUIDE}
    return ps.Circuit(
        {
            "instances": {
                "bus": {"component": "coupler", "settings": {"coupling": coupling}},
                "guide": {"component": "straight", "settings": guide},
                "part": part,
            },
            "connections": {"bus,o3": "guide,o1", "guide,o2": "part,o1", "part,o2": "bus,o2"},
            "ports": {"in": "bus,o1", "out": "bus,o4"},
        }
    )


def resonance(one: ps.Circuit) -> float:
    wl = np.linspace(1.549, 1.551, 20_001)
    return float(wl[np.argmin(one(wl)["in", "out"].power)])


@pytest.mark.parametrize("rate", [1e12, 4e12])
def test_driven_ring_begins_as_its_s_matrix_and_stays_there(rate: float) -> None:
    """A step far behind time 0: until then the ring stands still, where it used to start dark."""
    one = loop({"component": "phase_shifter"}, coupling=0.05)
    at = resonance(one)
    drive = {"part.phase": waveforms.step(at=1.5e-9, low=0.02, high=0.3, rise=50e-12)}
    out = ps.transient(
        one,
        2e-9,
        sample_rate=rate,
        inputs={"in": 1e-3},
        wl=at,
        drive=drive,
        probes=["out"],
        quasi_static=False,
    )
    assert "step by step" in out.attrs["drives"]
    assert residual(out) <= 1e-6
    s = one([at], part={"phase": 0.02})["in", "out"].values[0]
    before = out.wave.values[0, 0][: round(1.3e-9 * rate)]
    np.testing.assert_allclose(before, math.sqrt(1e-3) * s, rtol=0, atol=2e-4 * math.sqrt(1e-3))
    assert np.ptp(np.abs(before)) < 1e-5 * math.sqrt(1e-3)
    after = one([at], part={"phase": 0.3})["in", "out"].values[0]
    assert abs(out.wave.values[0, 0, -1] - math.sqrt(1e-3) * after) < 0.05 * math.sqrt(1e-3)


def test_ring_with_gain_begins_where_gain_and_field_agree() -> None:
    """Without time to settle: the amplifier's equation and the ring at its gain, from the first sample."""
    settings = {"gain_dB": 1.0, "saturation_power": 1e-3, "lifetime": 50e-12, "linewidth_enhancement": 0.0}
    one = loop({"component": "dynamic_soa", "settings": settings})
    out = ps.transient(
        one, 1e-10, sample_rate=1e12, inputs={"in": 2e-4}, wl=1.55, probes=["out", "part,o1:in"]
    )
    assert residual(out) <= 1e-6
    for k in (0, 99):
        h, arriving = float(out.state.values[0, k]), abs(out.wave.values[1, 0, k]) ** 2
        assert math.log(10) / 10 - h == pytest.approx(arriving / 1e-3 * math.expm1(h), rel=1e-4)
        turn = one.transfer([1.55], ["part,o1:in"], ["part,o2"])[0, 0, 0]
        expected = math.sqrt(2e-4) * 1j * math.sqrt(0.3 / 0.7) * turn / (1 - turn * math.exp(h / 2))
        assert out.wave.values[1, 0, k] == pytest.approx(expected, rel=1e-3)


def test_amplifier_alone_begins_saturated() -> None:
    settings = {"gain_dB": 20.0, "saturation_power": 1e-2, "lifetime": 300e-12}
    one = ps.Circuit({"instances": {"part": {"component": "dynamic_soa", "settings": settings}},
                      "ports": {"in": "part,o1", "out": "part,o2"}})  # fmt: skip
    out = ps.transient(one, 1e-10, sample_rate=1e12, inputs={"in": 1e-3}, wl=1.55)
    h = out.state.values[0]
    assert np.ptp(h) < 1e-5 * h[0]
    assert 2 * math.log(10) - h[0] == pytest.approx(1e-3 / 1e-2 * math.expm1(h[0]), rel=1e-4)


@pytest.mark.parametrize(("share", "bistable"), [(0.3, False), (0.7, True), (3.0, False)])
def test_bistable_ring_begins_on_the_branch_reached_from_dark_and_says_so(
    share: float, bistable: bool
) -> None:
    """Self-heating alone: the energy is a root of a cubic, and the lowest one is reached from dark."""
    settings = {"kerr": 0.0, "two_photon": 0.0, "absorbed": 1.0, "coupling": 0.01, "thermal_time": 1e-8}
    one = ps.Circuit(
        {
            "instances": {"part": {"component": "nonlinear_ring", "settings": settings}},
            "ports": {"in": "part,o1", "out": "part,o4"},
            "terminate": ["part,o2", "part,o3"],
        }
    )
    s = {name: float(value) for name, value in registry.get("nonlinear_ring").defaults.items()} | settings
    speed = 299_792_458.0
    loss = 2.5 * 100 * math.log(10) / 10 * speed / s["ng"]
    outlet = 0.01 * speed / (s["ng"] * 2 * math.pi * 10e-6)
    half = (loss + outlet) / 2
    turned = -3.0 * half  # rad/s: light below the resonance, which heat moves towards it
    frequency = speed / 1.55e-6 + turned / (2 * math.pi)
    per_energy = -2 * math.pi * speed / 1.55e-6 * s["dneff_dT"] / s["ng"] * s["thermal_resistance"] * loss
    # U ((turned - per_energy U)**2 + half**2) = outlet P; the lower branch ends where its slope is 0.
    ends = np.roots([3 * per_energy**2, -4 * turned * per_energy, turned**2 + half**2])
    end = float(ends.real.min())
    power = share * end * ((turned - per_energy * end) ** 2 + half**2) / outlet
    roots = np.roots([per_energy**2, -2 * turned * per_energy, turned**2 + half**2, -outlet * power])
    real = np.sort(roots[np.abs(roots.imag) < 1e-6 * np.abs(roots)].real)
    assert (real.size == 3) == bistable
    shift = turned - per_energy * real[0]
    expected = power * abs(1 - outlet / (half - 1j * shift)) ** 2
    out = ps.transient(
        one, 1e-9, sample_rate=4e11, inputs={"in": power}, wl=speed * 1e6 / frequency, probes=["out"]
    )
    found = np.abs(out.wave.values[0, 0]) ** 2
    np.testing.assert_allclose(found, expected, rtol=2e-3)
    assert residual(out) <= 1e-6
    assert ("bistable: on the branch reached from dark" in out.attrs["starts"]) == bistable


def test_where_no_steady_state_is_found_a_warning_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laser whose own reflection disturbs it keeps turning: the run starts at rest, and settle decides.

    That it turns shows early: the search is over long before its most samples.
    """
    samples, advance = [], Stepper.advance

    def counted(self: Stepper, begin: Any, incoming: Any, *rest: Any, **options: Any) -> Any:
        samples.append(len(incoming))
        return advance(self, begin, incoming, *rest, **options)

    monkeypatch.setattr(Stepper, "advance", counted)
    one = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "rate_equation_laser", "settings": {"current": 30e-3}},
                "guide": {"component": "straight", "settings": {"length": 3000.0, **GUIDE}},
                "mirror": {"component": "reflector", "settings": {"reflection": 1e-4}},
            },
            "connections": {"laser,o1": "guide,o1", "guide,o2": "mirror,o1"},
            "ports": {"out": "mirror,o2"},
        }
    )
    with pytest.warns(PhotosimWarning, match="No steady state was found for the first light .* settle="):
        out = ps.transient(one, 1e-10, sample_rate=1e12)
    assert sum(samples) < 1 << 20  # of 1 << 22
    assert "no steady state" in out.attrs["starts"]

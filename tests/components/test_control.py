"""Controllers, mixers, lock-in amplifiers and phase detectors against their closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps

F = np.geomspace(1e2, 1e6, 9)


def driven(component: str, pins: list[str], sources: dict[str, Any], **settings: Any) -> ps.Circuit:
    """Return a component with a voltage source at each of some pins and a load at the last one."""
    instances: dict[str, Any] = {"x": {"component": component, "settings": settings}, "load": "resistor"}
    nets = [[f"x,{pins[-1]}", "load,e1"], ["load,e2", *(f"{n},e2" for n in sources), "gnd"]]
    for pin, (name, own) in zip(pins, sources.items(), strict=False):
        instances[name] = own
        nets.append([f"{name},e1", f"x,{pin}"])
    return ps.Circuit({"instances": instances, "nets": nets})


def test_a_controller_has_the_gain_of_its_formula() -> None:
    own = {
        "proportional": 0.7,
        "integral_frequency": 2e3,
        "derivative_time": 3e-6,
        "derivative_bandwidth": 3e5,
    }
    circuit = driven(
        "pid_controller", ["e1", "e2", "e3"], {"a": "voltage_source", "b": "voltage_source"}, **own
    )
    s = 2j * np.pi * F
    pole = 2 * np.pi * 2e3 / 1e6
    wanted = 0.7 + 2 * np.pi * 2e3 / (s + pole) + 3e-6 * s / (1 + s / (2 * np.pi * 3e5))
    for source, sign in (("a", 1.0), ("b", -1.0)):
        found = ps.response(circuit, F, source=source).voltage.sel(net="x,e3").values
        assert found == pytest.approx(sign * wanted, rel=1e-9)


def test_an_integrator_stops_at_its_range_and_does_not_wind_up() -> None:
    circuit = driven(
        "integrator", ["e1", "e2", "e3"], {"a": "voltage_source", "b": "voltage_source"},
        unity_frequency=10e3, output_low=-2.0, output_high=1.0,
    )  # fmt: skip
    step = ps.waveforms.step(at=0.5e-3, low=0.4, high=-0.4, rise=1e-6)
    found = ps.transient(circuit, 1e-3, sample_rate=2e6, drive={"a.voltage": step})
    time, out = found.time.values, found.voltage.sel(net="x,e3").values
    assert 0.95 < out[0] < 1.0
    assert -2.0 < out[-1] < -1.9
    # Between the ends it is a straight line, which leaves the end at once.
    middle = (out > -1.6) & (out < 0.6)
    slope = np.polyfit(time[middle], out[middle], 1)[0]
    assert slope == pytest.approx(-0.4 * 2 * np.pi * 10e3, rel=1e-3)
    assert time[np.argmax(out < 0.5)] < 0.5e-3 + 40e-6


def test_a_mixer_multiplies_and_a_lock_in_takes_the_mean() -> None:
    a = {
        "component": "dither_source",
        "settings": {"amplitude": 0.3, "frequency": 1e5, "phase": 0.4, "offset": 0.7},
    }
    b = {"component": "dither_source", "settings": {"amplitude": 0.5, "frequency": 1e5}}
    mixed = ps.transient(
        driven("mixer", ["e1", "e2", "e3"], {"a": a, "b": b}, gain=2.0), 1e-4, sample_rate=2e6
    )
    w = 2 * np.pi * 1e5 * mixed.time.values
    assert mixed.voltage.sel(net="x,e3").values == pytest.approx(
        2 * (0.7 + 0.3 * np.sin(w + 0.4)) * 0.5 * np.sin(w), abs=1e-6
    )
    circuit = driven(
        "lock_in", ["e1", "e2", "e3"], {"a": a, "b": b}, gain=10.0, high_pass=1e3, bandwidth=2e3, order=3
    )
    found = ps.transient(circuit, 1.5e-3, sample_rate=1e6).voltage.sel(net="x,e3").values
    high = 1 / (1 - 1j * 1e3 / 1e5)
    wanted = 10.0 * 0.5 * 0.3 * abs(high) * np.cos(0.4 + np.angle(high)) / 2
    assert found[-100:].mean() == pytest.approx(wanted, rel=2e-3)


@pytest.mark.parametrize("phase", [0.8, pytest.param(2.4, marks=pytest.mark.nightly)])
def test_a_phase_detector_reads_phases_whatever_the_amplitudes(phase: float) -> None:
    a = {"component": "dither_source", "settings": {"amplitude": 0.3, "frequency": 1e5, "phase": phase}}
    b = {"component": "dither_source", "settings": {"amplitude": 2.0, "frequency": 1e5}}
    circuit = driven(
        "phase_detector", ["e1", "e2", "e3"], {"a": a, "b": b}, gain=1.5, threshold=0.03, bandwidth=6e3
    )  # fmt: skip
    found = ps.transient(circuit, 0.14e-3, sample_rate=2e6).voltage.sel(net="x,e3").values
    assert found[-40:].mean() == pytest.approx(1.5 * (1 - 2 * phase / np.pi), abs=0.05)


def test_filters_have_their_half_power_frequency() -> None:
    low = driven("low_pass_filter", ["e1", "e2"], {"a": "voltage_source"}, gain=3.0, bandwidth=1e4, order=3)
    high = driven("high_pass_filter", ["e1", "e2"], {"a": "voltage_source"}, gain=3.0, bandwidth=1e4)
    for circuit in (low, high):
        found = ps.response(circuit, [1e4], source="a").voltage.sel(net="x,e2").values
        assert abs(found[0]) == pytest.approx(3.0 / np.sqrt(2), rel=1e-9)

"""Light beside its carrier turned for ever before time 0: delays of any length know which phase it had."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import PhotosimWarning

RATE, BESIDE = 1e12, 5e9
WL = SPEED_OF_LIGHT_UM_S / (SPEED_OF_LIGHT_UM_S / 1.55 + BESIDE)
LIGHT = [{"power": 1e-3, "carrier": 1.55}, {"power": 2e-3, "carrier": WL}]
COUPLER = {"component": "coupler", "settings": {"coupling": 0.3}}


def guide(samples: float, loss_dB: float = 1.0) -> dict[str, Any]:
    """A guide of so many samples of delay and that loss."""
    length = samples / RATE * SPEED_OF_LIGHT_UM_S / 4.2
    settings = {"length": length, "neff": 2.4, "ng": 4.2, "loss_dB_cm": loss_dB * 1e4 / length}
    return {"component": "straight", "settings": settings}


def circuit(shape: str, samples: float) -> ps.Circuit:
    if shape == "guide":
        net: dict[str, Any] = {"instances": {"g": guide(samples)}, "ports": {"in": "g,o1", "out": "g,o2"}}
    elif shape == "interferometer":
        net = {"instances": {"a": COUPLER, "g": guide(samples), "h": guide(20.0), "b": COUPLER},
               "connections": {"a,o3": "g,o1", "a,o4": "h,o1", "g,o2": "b,o1", "h,o2": "b,o2"},
               "ports": {"in": "a,o1", "out": "b,o3"}, "terminate": ["a,o2", "b,o4"]}  # fmt: skip
    else:
        net = {"instances": {"a": COUPLER, "g": guide(samples)},
               "connections": {"a,o3": "g,o1", "g,o2": "a,o2"},
               "ports": {"in": "a,o1", "out": "a,o4"}}  # fmt: skip
    return ps.Circuit(net)


def both(one: ps.Circuit, time: Any, **settings: Any) -> Any:
    """The wave at `out` of two lines that never change, by S at their wavelengths."""
    s = one(np.array([WL, 1.55]), **settings)["in", "out"].values
    return np.sqrt(1e-3) * s[1] + np.sqrt(2e-3) * s[0] * np.exp(-2j * np.pi * BESIDE * time)


@pytest.mark.parametrize("samples", [300.0, 12_345.6, 100_000.0])
@pytest.mark.parametrize("shape", ["guide", "interferometer", "loop"])
def test_delays_of_any_length_see_light_turn_that_always_did(shape: str, samples: float) -> None:
    one = circuit(shape, samples)
    out = ps.transient(one, 2e-9, sample_rate=RATE, inputs={"in": LIGHT}, wl=1.55, probes=["out"])
    np.testing.assert_allclose(out.wave.values[0, 0], both(one, out.time.values), rtol=0, atol=1e-7)


@pytest.mark.parametrize("order", [("m", "g"), ("g", "m")])
def test_a_driven_part_had_passed_both_lines_as_it_is_at_first(order: tuple[str, str]) -> None:
    first, last = order
    one = ps.Circuit({"instances": {"g": guide(20_000.0), "m": "phase_shifter"},
                      "connections": {f"{first},o2": f"{last},o1"},
                      "ports": {"in": f"{first},o1", "out": f"{last},o2"}})  # fmt: skip
    drive = {"m.phase": waveforms.step(at=2e-9, low=0.3, high=1.0, rise=1e-10)}
    out = ps.transient(
        one, 3e-9, sample_rate=RATE, inputs={"in": LIGHT}, wl=1.55, probes=["out"], drive=drive
    )
    right = both(one, out.time.values, m={"phase": 0.3})
    np.testing.assert_allclose(out.wave.values[0, 0][:1700], right[:1700], rtol=0, atol=1e-7)


@pytest.mark.parametrize("samples", [12.0, 5000.0])
def test_a_stepped_loop_begins_as_both_lines_have_filled_it(samples: float) -> None:
    one = ps.Circuit({"instances": {"a": COUPLER, "g": guide(samples, 2.0), "m": "phase_shifter"},
                      "connections": {"a,o3": "g,o1", "g,o2": "m,o1", "m,o2": "a,o2"},
                      "ports": {"in": "a,o1", "out": "a,o4"}})  # fmt: skip
    out = ps.transient(
        one, 3e-9, sample_rate=RATE, inputs={"in": LIGHT}, wl=1.55, probes=["out"], quasi_static=False,
        drive={"m.phase": waveforms.step(at=2e-9, low=0.3, high=0.5, rise=3e-10)},
    )  # fmt: skip
    assert "step by step" in out.attrs["drives"]
    assert out.attrs["starts"] == "m: steady for each line"
    right = both(one, out.time.values, m={"phase": 0.3})
    np.testing.assert_allclose(out.wave.values[0, 0][:1500], right[:1500], rtol=0, atol=1e-4)


@pytest.mark.parametrize("bandwidth", [1e4, 1e7, 1e9])
def test_a_slow_detector_has_long_averaged_the_beat_of_two_lines(bandwidth: float) -> None:
    lines = {name: {"component": "laser", "settings": {"wl": wl, "power": 2e-3, "linewidth": 0.0}}
             for name, wl in (("l1", 1.55), ("l2", WL))}  # fmt: skip
    seen = {"bandwidth": bandwidth, "dark_current": 1e-4, "responsivity": 1.0}
    one = ps.Circuit({"instances": {**lines, "c": "coupler",
                                    "pd": {"component": "photodetector", "settings": seen}},
                      "connections": {"l1,o1": "c,o1", "l2,o1": "c,o2", "c,o3": "pd,o1"},
                      "terminate": ["c,o4"]})  # fmt: skip
    current = ps.transient(one, 2e-9, sample_rate=RATE).current.values[0]
    from scipy import signal

    b, a = signal.bessel(4, 2 * np.pi * bandwidth, analog=True, norm="mag")
    _, beat = signal.freqs(b, a, [2 * np.pi * BESIDE])
    assert current.mean() == pytest.approx(2.1e-3, rel=1e-6)
    assert np.ptp(current) / 2 == pytest.approx(2e-3 * abs(beat[0]), rel=1e-2, abs=1e-12)


def beaten(part: dict[str, Any], behind: float, **options: Any) -> list[str]:
    """Warnings of a nonlinear part in which two lines beat, a guide behind it."""
    one = ps.Circuit({"instances": {"part": part, "g": guide(behind)}, "connections": {"part,o2": "g,o1"},
                      "ports": {"in": "part,o1", "out": "g,o2"}})  # fmt: skip
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ps.transient(one, 1e-9, sample_rate=RATE, inputs={"in": LIGHT}, wl=1.55, probes=["out"], **options)
    return [str(one.message) for one in seen if issubclass(one.category, PhotosimWarning)]


def test_what_is_not_known_of_nonlinear_parts_before_time_0_is_said() -> None:
    amplifier = {"component": "dynamic_soa", "settings": {"gain_dB": 10.0, "lifetime": 100e-12}}
    assert beaten(amplifier, 300.0) == []
    (message,) = beaten(amplifier, 20_000.0)
    assert "delays behind it need the light of" in message
    assert "settle=" in message
    assert beaten(amplifier, 20_000.0, settle=2.5e-8) == []
    slow = {**amplifier, "settings": {"gain_dB": 10.0, "lifetime": 20e-9}}
    (message,) = beaten(slow, 300.0)
    assert "is still changing then" in message

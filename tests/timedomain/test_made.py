"""Light that nonlinear and driven parts make is held against the band: in loops, with noise, all the time."""

from __future__ import annotations

import math
import re
import tracemalloc
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import OpticalPower

C_UM = 299_792_458.0e6


def _kerr(
    state: Any,  # noqa: ARG001
    before: Any,  # noqa: ARG001
    now: Any,
    out: Any,
    constants: Any,
    carriers: Any,  # noqa: ARG001
    noise: Any,  # noqa: ARG001
    dt: float,  # noqa: ARG001
) -> None:
    for c in range(now.shape[1]):
        phase = (now[0, c].real ** 2 + now[0, c].imag ** 2) / constants[0]
        out[1, c] = now[0, c] * complex(math.cos(phase), math.sin(phase))


@ps.nonlinear(ports=("o1", "o2"), source="saleh2019", step=_kerr, paths=(("o1", "o2"),))
def instant_kerr(*, radian: OpticalPower = 1e-3) -> Any:
    """Phase by its own power, at once.

    Left out: everything but the phase.

    Settings:
        radian: power that turns the phase by one radian.
    """
    return (radian,)


LINES = [
    {"field": math.sqrt(1e-3), "carrier": C_UM / (C_UM / 1.55 + 17.5e9)},
    {"field": math.sqrt(1e-3), "carrier": C_UM / (C_UM / 1.55 - 17.5e9)},
]
"""A beat of 35 GHz: the phase swings by 2 rad, as a driven one with harmonics at 70 and 105 GHz."""


def alone() -> ps.Circuit:
    return ps.Circuit({"instances": {"part": "instant_kerr"}, "ports": {"in": "part,o1", "out": "part,o2"}})


def looped(part: str, **settings: float) -> ps.Circuit:
    """Return a ring with a hundredth of its light in a round, and the part in it."""
    return ps.Circuit(
        {
            "instances": {
                "part": {"component": part, "settings": settings},
                "c": {"component": "coupler", "settings": {"coupling": 0.99}},
                "g": {"component": "straight", "settings": {"length": 3000.0}},
            },
            "connections": {"c,o3": "part,o1", "part,o2": "g,o1", "g,o2": "c,o2"},
            "ports": {"in": "c,o1", "out": "c,o4"},
        }
    )


def lines_of(wave: np.ndarray, apart: float, rate: float) -> np.ndarray:
    """Return the sizes of lines at odd multiples of half of `apart`, the carrier being in the middle."""
    time = np.arange(wave.size) / rate
    window = np.hanning(wave.size)
    turns = [np.exp(2j * np.pi * (k - 0.5) * apart * time) * window for k in range(-1, 4)]
    return np.array([abs(turn @ wave) / window.sum() for turn in turns])


@pytest.mark.parametrize("noise", [False, True])
def test_harmonics_of_a_nonlinear_part_are_refused_where_they_leave_the_band(noise: bool) -> None:
    """They were mirrored into the band: the check looked at samples that had mirrored them already."""
    asked: dict[str, Any] = {"inputs": {"in": LINES}, "wl": 1.55, "noise": noise, "probes": ["out"]}
    with pytest.raises(ParameterError, match=r"too low for the light out of 'part': .* 4e\+10 Hz from"):
        ps.transient(alone(), 4e-9, sample_rate=100e9, **asked)
    out = ps.transient(alone(), 4e-9, sample_rate=1600e9, **asked)
    found = lines_of(out.wave.values[0, 0], 35e9, 1600e9)
    # The field by hand: sqrt(P) 2 cos(pi d t) exp(i (2 + 2 cos(2 pi d t))).
    phase = 2 * np.pi * np.arange(4096) / 4096 * 2
    field = math.sqrt(1e-3) * 2 * np.cos(phase / 2) * np.exp(1j * (2 + 2 * np.cos(phase)))
    exact = np.abs(np.fft.fft(field)) / 4096
    np.testing.assert_allclose(found, [exact[abs(2 * k - 1)] for k in range(-1, 4)], atol=1e-5)


@pytest.mark.parametrize("noise", [False, True])
def test_harmonics_within_a_loop_are_refused(noise: bool) -> None:
    asked: dict[str, Any] = {"inputs": {"in": LINES}, "wl": 1.55, "noise": noise, "probes": ["out"]}
    circuit = looped("instant_kerr", radian=1e-3)
    with pytest.raises(ParameterError, match=r"too low for the light out of 'part'"):
        ps.transient(circuit, 4e-9, sample_rate=100e9, **asked)
    weak = {"in": [{**line, "field": 0.003} for line in LINES]}
    ps.transient(circuit, 4e-9, sample_rate=100e9, inputs=weak, wl=1.55, noise=noise)


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("loop", [False, True])
def test_harmonics_of_a_drive_are_refused_with_noise_and_in_loops(noise: bool, loop: bool) -> None:
    """With noise only the harmonics on the first value of the light were looked at: here it is dark first."""
    later = waveforms.step(at=1e-9, rise=0.2e-9, high=1e-3)
    drive = {"part.phase": waveforms.sine(35e9, amplitude=2.4)}
    one = looped("phase_shifter") if loop else ps.Circuit(
        {"instances": {"part": "phase_shifter"}, "ports": {"in": "part,o1", "out": "part,o2"}}
    )  # fmt: skip
    asked: dict[str, Any] = {"inputs": {"in": later}, "wl": 1.55, "noise": noise, "drive": drive}
    with pytest.raises(ParameterError, match=r"too low for the light out of 'part"):
        ps.transient(one, 4e-9, sample_rate=100e9, quasi_static=False if loop else None, **asked)


def test_beats_are_refused_with_noise_too() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "g": "straight",
                "pd": {"component": "photodetector", "settings": {"bandwidth": 0}},
            },
            "connections": {"g,o2": "pd,o1"},
            "ports": {"in": "g,o1"},
        }
    )
    lines = [
        {**line, "carrier": C_UM / (C_UM / 1.55 + f)} for line, f in zip(LINES, (35e9, -35e9), strict=True)
    ]
    with pytest.raises(ParameterError, match=r"too low for the current of 'pd'"):
        ps.transient(circuit, 10e-9, sample_rate=100e9, inputs={"in": lines}, wl=1.55, noise=True)


@pytest.mark.parametrize("component", ["mach_zehnder_modulator", "phase_shifter", "mzi"])
def test_strong_drives_are_right_at_the_worst_sample_or_spoken_of(component: str) -> None:
    """Of harmonics 5.6e-4 of the power lay beyond the band, all the time: 5.6 % at the worst sample."""
    setting, settings, bias, amplitude = {
        "mach_zehnder_modulator": (
            "voltage", {"loss_dB": 0.0, "v_pi": 4.0, "extinction_dB": 80.0, "bandwidth": 0.0}, 2.0, 6.0
        ),
        "phase_shifter": ("phase", {}, 0.3, 2.2),
        "mzi": ("phase", {"delta_length": 0.0, "loss_dB_cm": 0.0}, 0.7, 4.4),
    }[component]  # fmt: skip
    one = ps.Circuit(
        {
            "instances": {"m": {"component": component, "settings": settings}},
            "ports": {"in": "m,o1", "out": "m,o2"},
        }
    )
    refused = 0
    for rate in (200e9, 240e9, 320e9, 400e9, 640e9):
        drive = {f"m.{setting}": waveforms.sine(30e9, offset=bias, amplitude=amplitude)}
        light = {"in": {"power": 1e-3, "carrier": 1.55}}
        try:
            out = ps.transient(one, 1e-9, sample_rate=rate, inputs=light, drive=drive, probes=["out"])
        except (ParameterError, PhotosimWarning) as error:
            assert re.search(r"low for the light out of 'm", str(error))  # noqa: PT017 - some rates are enough
            refused += 1
            continue
        kept = slice(80, 120)  # behind the kink with which the sine begins
        at = out.drive.values[0, kept]
        right = one.transfer(1.55, ["out"], ["in"], m={setting: at}).ravel() * np.sqrt(1e-3)
        got = out.wave.values[0, 0, kept]
        wrong = np.abs(got - right).max() / np.sqrt(1e-3)
        assert wrong < 0.012
        stated = [float(text) for text in re.findall(r"up to (\S+) of", out.attrs["beyond"])]
        assert wrong <= 1.1 * max(stated, default=1e-3)
    assert 1 <= refused <= 4


def test_a_hundredth_of_the_field_beyond_the_band_is_warned_of() -> None:
    """Harmonics of a phase, 6e-5 of the power, that are off by 1.2 % at the worst sample."""
    one = ps.Circuit({"instances": {"p": "phase_shifter"}, "ports": {"in": "p,o1", "out": "p,o2"}})
    drive = {"p.phase": waveforms.sine(22e9, amplitude=1.9)}
    light = {"in": {"power": waveforms.constant(1e-3), "carrier": 1.55}}
    with pytest.warns(PhotosimWarning, match="changes its field by up to"):
        out = ps.transient(one, 3e-9, sample_rate=240e9, drive=drive, inputs=light, probes=["out"])
    still = one(1.55, ports=["in", "out"])["in", "out"].values[0]
    right = still * np.sqrt(1e-3) * np.exp(1j * out.drive.values[0])
    off = np.abs(out.wave.values[0, 0] - right)[100:-100].max() / np.sqrt(1e-3)
    stated = float(re.findall(r"up to ([\d.e-]+) of the largest", out.attrs["beyond"])[0])
    assert off == pytest.approx(stated, rel=0.4)
    assert off > 5e-3


@pytest.mark.parametrize(
    ("frequency", "amplitude", "rate"), [(22e9, 1.0, 240e9), (5e9, 1.0, 240e9), (10e9, 0.5, 640e9)]
)
def test_the_kink_where_a_drive_begins_is_as_large_as_the_page_says(
    frequency: float, amplitude: float, rate: float
) -> None:
    one = ps.Circuit({"instances": {"p": "phase_shifter"}, "ports": {"in": "p,o1", "out": "p,o2"}})
    light: dict[str, Any] = {"in": {"power": waveforms.constant(1.0), "carrier": 1.55}}
    still = one(1.55, ports=["in", "out"])["in", "out"].values[0]
    step = 2 * np.pi * frequency / rate * amplitude
    off = []
    for phase in (0.0, np.pi / 2):  # a kink, and a step of the slope's slope
        sine = waveforms.sine(frequency, amplitude=amplitude, phase=phase)
        out = ps.transient(one, 2e-9, sample_rate=rate, drive={"p.phase": sine}, inputs=light, probes=["out"])
        off.append(np.abs(out.wave.values[0, 0] - still * np.exp(1j * out.drive.values[0])) / step)
    kinked, smooth = off
    assert kinked[0] == pytest.approx(0.025, abs=0.003)
    assert kinked[:10].max() < 0.028
    assert kinked[10:-100].max() < 0.0055
    assert smooth[:100].max() < 0.01


def test_a_short_run_of_a_loop_with_a_long_fibre_takes_the_memory_of_the_run() -> None:
    """Ten million samples in the fibre; what comes back after the end of a run need not be kept."""
    instances = {
        "c": "directional_coupler", "a": {"component": "dynamic_soa", "settings": {"gain_dB": 1.0}},
        "f": {"component": "fibre", "settings": {"length_km": 20.0}},
    }  # fmt: skip
    links = {"c,o4": "f,o1", "f,o2": "a,o1", "a,o2": "c,o2"}
    one = ps.Circuit({"instances": instances, "connections": links, "ports": {"in": "c,o1", "out": "c,o3"}})
    light = {"in": {"power": waveforms.sine(1e9, offset=1e-3, amplitude=5e-4), "carrier": 1.55}}
    tracemalloc.start()
    out = ps.transient(one, 5e-9, sample_rate=1e11, inputs=light, probes=["out"])
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 1e8
    # The fibre gives back what the first light left in it, whatever enters now.
    wave = out.wave.values[0, 0]
    held = np.sqrt(1e-3 + 5e-4 * np.sin(2 * np.pi * 1e9 * out.time.values))
    coupler = ps.Circuit(
        {"instances": {"c": "directional_coupler"}, "ports": {f"o{k}": f"c,o{k}" for k in (1, 2, 3, 4)}}
    )
    bar = coupler(1.55)["o1", "o3"].values[0]
    moved = (wave - wave[0]) - bar * (held - held[0])
    assert np.abs(moved)[200:-200].max() < 1e-3 * np.abs(wave).max()

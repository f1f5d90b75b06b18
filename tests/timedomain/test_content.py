"""What a sample rate cannot carry is refused; what it can is right up to the last sample."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import signal

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError
from photosim.timedomain.content import check_band, share_and_worst, share_beyond

if TYPE_CHECKING:
    from pathlib import Path

C_UM = 299_792_458.0e6
GUIDE = {"neff": 2.44553, "ng": 4.19088}
RATE = 1e11


@pytest.mark.parametrize(
    ("wave", "said"),
    [
        (waveforms.sine(110e9), "too low for the drive of 'phase', which has .*1.1e.11 Hz: take 2.75e.11 Hz"),
        (waveforms.sine(-110e9, offset=1.0, amplitude=1e-6), "which has frequencies of 1.1e.11 Hz"),
        (waveforms.sine(1e300), "which has frequencies of 1e.300 Hz"),
        ({"wave": "prbs", "rate": 1e300}, "which has frequencies of 5e.299 Hz"),
        (waveforms.prbs(81e9), "which has frequencies of 4.05e.10 Hz"),
        (waveforms.pulse(at=0.5e-9, width=1e-15), "which has frequencies of 4.4e.14 Hz"),
        (waveforms.pulse(at=0.5e-9, width=1e-9, period=1e-300), "which has frequencies of 1e.300 Hz"),
        (waveforms.Waveform(lambda t: np.sin(2 * np.pi * 110e9 * t)), "100 % of its power lies more than"),
        (waveforms.Waveform(lambda t: 1 / (t - 0.5e-9)), "must be finite, got .*inf at 5e-10 s"),
        (waveforms.samples(np.where(np.arange(100) == 3, np.nan, 0.0)), "must be finite, got nan at 3e-11 s"),
        (waveforms.samples(np.resize([0.0, 1.0], 100)), "of its power lies more than"),
    ],
)  # fmt: skip
def test_waveform_that_the_sample_rate_cannot_carry_is_refused(wave: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        ps.transient(ps.load("link"), 1e-9, sample_rate=RATE, drive={"phase": wave})


def test_file_of_samples_finer_than_the_clock_is_refused_where_it_matters(tmp_path: Path) -> None:
    time = np.arange(4000) * 0.25e-12
    for frequency, refused in ((8e9, False), (90e9, True)):
        np.savetxt(tmp_path / "wave.txt", np.stack([time, np.cos(2 * np.pi * frequency * time)], axis=1))
        drive = {"phase": waveforms.file(tmp_path / "wave.txt")}
        if refused:
            with pytest.raises(ParameterError, match="too low for the drive of 'phase'"):
                ps.transient(ps.load("link"), 1e-9, sample_rate=RATE, drive=drive)
        else:
            out = ps.transient(ps.load("link"), 1e-9, sample_rate=RATE, drive=drive)
            expected = np.cos(2 * np.pi * frequency * out.time.values)
            np.testing.assert_allclose(out.drive.values[0], expected, atol=2e-3)


@pytest.mark.parametrize("light", ["power", "field", "source"])
def test_light_that_the_sample_rate_cannot_carry_is_refused(light: str) -> None:
    wave = waveforms.sine(110e9, offset=1e-3, amplitude=1e-4)
    one = ps.Circuit({"instances": {"g": "straight"}, "ports": {"in": "g,o1", "out": "g,o2"}})
    asked: dict[str, Any] = {"inputs": {"in": {light: wave}}, "wl": 1.55}
    if light == "source":
        one, asked = ps.load("link"), {"drive": {"laser.power": wave}}
    with pytest.raises(ParameterError, match=r"too low for the .*which has frequencies of"):
        ps.transient(one, 1e-9, sample_rate=RATE, **asked)


@pytest.mark.parametrize("at", [3, 5000, 123_456, 199_990])
def test_one_fast_pulse_is_found_wherever_it_lies(at: int) -> None:
    """It lay between the four stretches that were looked at."""
    values = np.zeros(200_000)
    values[at] = 1.0
    assert share_beyond(values, 0.4) == pytest.approx(0.2, rel=0.1)  # of a flat spectrum
    with pytest.raises(ParameterError, match="too low for it"):
        check_band(values, RATE, "it")


def test_edges_keep_their_place_between_the_samples() -> None:
    """A step behind a low-pass, against its exponential; sampled first, it would be late by half a sample."""
    rate, bandwidth = 200e9, 10e9
    time = np.arange(400) / rate
    for at in (0.5e-9, 0.5e-9 + 0.31 / rate, 0.5e-9 + 0.77 / rate):
        found = waveforms.step(at=at, bandwidth=bandwidth).sample(time)
        expected = np.where(time > at, -np.expm1(-2 * np.pi * bandwidth * (time - at)), 0.0)
        # A clock eight times as fine as the samples: an edge is wrong by a sixteenth of one.
        assert np.abs(found - expected).max() < 2 * np.pi * bandwidth / rate / 16 * 1.3


def test_last_samples_of_a_run_are_as_right_as_the_others() -> None:
    """Two modulators and guides in a row, driven to the end, against their closed form."""
    one = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-3}},
                "a": {"component": "mach_zehnder_modulator", "settings": {"bandwidth": 0.0, "loss_dB": 0.0}},
                "b": {"component": "mach_zehnder_modulator", "settings": {"bandwidth": 0.0, "loss_dB": 0.0}},
                "pd": {"component": "photodetector", "settings": {"bandwidth": 0.0, "responsivity": 1.0}},
            },
            "connections": {"laser,o1": "a,o1", "a,o2": "b,o1", "b,o2": "pd,o1"},
        }
    )
    drive = {"a.voltage": waveforms.sine(5e9, phase=0.3), "b.voltage": waveforms.sine(7e9, phase=1.1)}
    out = ps.transient(one, 2.03e-9, sample_rate=640e9, drive=drive, a={"bias": 2.0}, b={"bias": 2.0})
    q2 = 10**-2.5
    power = np.full(out.sizes["time"], 1e-3)
    for voltage in out.drive.values:
        power = power * (1 + q2 + (1 - q2) * np.cos(np.pi * (voltage + 2) / 4)) / 2
    # The phase of a modulator is a delay of femtoseconds, which the closed form leaves out: 1e-5.
    np.testing.assert_allclose(out.current.values[0][300:], power[300:], rtol=0, atol=1e-5 * 1e-3)


def test_last_samples_of_a_field_of_tones_are_as_right_as_the_others() -> None:
    """What follows a list of samples is not known; tones foretell it."""
    one = ps.Circuit(
        {
            "instances": {"r": {"component": "ring_double", "settings": {"coupling": 0.2, **GUIDE}}},
            "ports": {"in": "r,in", "out": "r,through"},
            "terminate": ["r,drop", "r,add"],
        }
    )
    rate = 2e12
    time = np.arange(4000) / rate
    tones = {1e11: 1.0, -3.3e11: 0.4, 6.1e11: 0.2j}
    field = sum(a * np.exp(-2j * np.pi * f * time) for f, a in tones.items())
    out = ps.transient(one, 2e-9, sample_rate=rate, inputs={"in": {"field": field}}, wl=1.55, probes=["out"])
    s = [one([C_UM / (C_UM / 1.55 + f)])["in", "out"].values[0] for f in tones]
    right = sum(k * a * np.exp(-2j * np.pi * f * time) for k, (f, a) in zip(s, tones.items(), strict=True))
    assert np.abs(out.wave.values[0, 0] - right)[1500:].max() < 2e-6
    assert float(re.findall(r"right to (\S+) of", out.attrs["ends"])[0]) < 1e-6


def test_end_of_a_list_that_nothing_foretells_is_stated() -> None:
    """Noise in the band, cut at several places: the end differs from that of the longer record as stated."""
    one = ps.Circuit(
        {
            "instances": {"r": {"component": "ring_double", "settings": {"coupling": 0.6, **GUIDE}}},
            "ports": {"in": "r,in", "out": "r,through"},
            "terminate": ["r,drop", "r,add"],
        }
    )
    rate, rng = 2e12, np.random.default_rng(5)
    white = rng.standard_normal(6000) + 1j * rng.standard_normal(6000)
    for width in (0.1, 0.3):
        field = np.convolve(white, signal.firwin(301, 2 * width), "same")
        options: dict[str, Any] = {"sample_rate": rate, "wl": 1.55, "probes": ["out"]}
        whole = ps.transient(one, 3e-9, inputs={"in": {"field": field}}, **options).wave.values[0, 0]
        for samples in (3000, 4111, 5002):
            light = {"in": {"field": field[:samples]}}
            out = ps.transient(one, samples / rate, inputs=light, **options)
            wrong = np.abs(out.wave.values[0, 0] - whole[:samples]).max() / np.abs(field).max()
            stated = float(re.findall(r"right to (\S+) of", out.attrs["ends"])[0])
            assert wrong < 3 * stated
            assert stated < 0.5


@pytest.mark.parametrize("size", [65, 4096, 6143, 9000])
@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1.0, 1e200])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_share_is_that_of_double_precision_whatever_the_size_of_the_signal(
    kind: str, scale: float, size: int
) -> None:
    """Numbers whose inverse overflows gave a share of 1, every second one of a field an error of numpy."""
    turns = 2j * np.pi * np.arange(2 * size)
    fields = np.exp(0.05 * turns) + 0.01 * np.exp(0.43 * turns)
    values = (fields if kind == "complex" else fields.real)[::2]
    length, shares, means = min(size, 4096) // 2 * 2, [], []
    padded = np.pad(values, length // 2, mode="edge")
    for start in range(0, padded.size - length + 1, length // 2):
        own = padded[start : start + length] * np.hanning(length + 1)[:-1]
        density = np.abs(np.fft.fft(own)) ** 2
        means.append(density.sum())
        shares.append(density[np.abs(np.fft.fftfreq(length)) > 0.2].sum())
    expected = np.max(np.array(shares) / np.maximum(means, np.mean(means)))
    assert share_beyond(scale * values, 0.2) == pytest.approx(expected, rel=1e-3)


def test_the_faintest_signals_are_analysed_like_others() -> None:
    values = np.resize([0.0, 1.0, 1.0, 0.0], 400) + 0j
    assert share_and_worst(5e-324 * values, 0.2, skip=4) == share_and_worst(values, 0.2, skip=4)


def test_field_given_as_every_second_sample_is_the_same_field() -> None:
    one = ps.Circuit({"instances": {"g": "straight"}, "ports": {"in": "g,o1", "out": "g,o2"}})
    field = 1e-2 * np.exp(0.05j * np.arange(200))
    found = [
        ps.transient(one, 1e-9, sample_rate=RATE, inputs={"in": {"field": wave}}, wl=1.55).wave.values
        for wave in (field[::2], field[::2].copy())
    ]
    np.testing.assert_array_equal(*found)

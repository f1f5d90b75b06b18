"""Loops step by step: rational fits, kept passive, rings through nonlinear parts, a laser with feedback."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError, PhotosimError, UnphysicalResult
from photosim.files import read_table, write
from photosim.model import registry
from photosim.timedomain.rational import FITTED, fit, passive

if TYPE_CHECKING:
    from pathlib import Path

C_UM = 299_792_458.0e6
GUIDE = {"neff": 2.44553, "ng": 4.19088}


def bins(size: int) -> Any:
    return np.fft.fftfreq(size)


# --- rational fits ---------------------------------------------------------------------------------------


def test_fit_finds_a_response_that_is_rational() -> None:
    """Poles well inside the band come back, with the delay in front; the fall beyond it takes others."""
    z = np.exp(2j * np.pi * np.arange(1024) / 1024)
    response = 0.3 * (1 - 0.9) / (z - 0.9 * np.exp(0.02j)) * z**-9.0
    found = fit(response, 1)
    assert found.error < 2e-5
    assert np.abs(found.poles - 0.9 * np.exp(0.02j)).min() < 1e-3
    assert (np.abs(found.poles) < 1).all()


@pytest.mark.parametrize(("delay", "error"), [(2.6, 2e-3), (5.3, 1e-3), (10.4, 3e-4), (40.7, 3e-4)])
def test_fit_of_a_delay_is_exact_at_the_carrier_and_good_beside_it(delay: float, error: float) -> None:
    response = 0.9 * np.exp(1j - 2j * np.pi * bins(1024) * delay)
    found = fit(response, 1)
    assert found.error < error
    assert found.at(np.ones(1, dtype=complex))[0] == pytest.approx(response[0], abs=1e-12)
    everywhere = found.at(np.exp(2j * np.pi * np.linspace(0, 1, 5001)))
    assert np.abs(everywhere).max() < 1.0  # it falls beyond the band, and does not ring there


def test_recursion_of_a_fit_is_its_response() -> None:
    found = fit(0.8 * np.exp(-2j * np.pi * bins(512) * 6.2), 1)
    impulse = np.zeros(4096, dtype=complex)
    impulse[0] = 1.0
    memory, out = np.zeros(found.poles.size, dtype=complex), np.zeros(4096, dtype=complex)
    for t in range(4096 - found.delay):
        out[t + found.delay] = found.direct * impulse[t] + found.residues @ memory
        memory = found.poles * memory + impulse[t]
    z = np.exp(2j * np.pi * np.arange(4096) / 4096)
    np.testing.assert_allclose(np.fft.fft(out), found.at(z), atol=1e-9)


def test_matrix_of_fits_is_made_passive_by_little() -> None:
    """Two fits that amplify in and beyond the band are pushed below 1; the band moves by that alone."""
    z = np.exp(2j * np.pi * np.arange(2048) / 2048)
    first, second = (fit(a * np.exp(-2j * np.pi * bins(512) * d), 1) for a, d in ((0.72, 1.6), (0.69, 1.2)))
    places = [(0, 0), (0, 1)]
    before = np.array([one.at(z) for one in (first, second)])
    size = np.sqrt((np.abs(before) ** 2).sum(axis=0))
    assert size.max() > 1.01
    assert size[0] < 1
    pushed, left = passive([first, second], places, 2048)
    assert left == 1.0
    after = np.array([one.at(z) for one in pushed])
    assert np.sqrt((np.abs(after) ** 2).sum(axis=0)).max() <= 1.0
    # At the carrier nothing moves, nor does the slope there.
    np.testing.assert_allclose(after[:, [0, 1, -1]], before[:, [0, 1, -1]], atol=1e-4)
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=1e-12)
    inside = np.abs(bins(2048)) <= FITTED
    assert np.abs(after - before)[:, inside].max() < 2 * (size.max() - 1)


def test_passive_fits_stay_as_they_are() -> None:
    one = fit(0.9 * np.exp(-2j * np.pi * bins(512) * 8.3), 1)
    (same,), largest = passive([one], [(0, 0)], 1024)
    assert largest == 1.0
    assert same is one


@pytest.mark.parametrize("delay", [1.2, 1.6, 2.0, 2.4, 3.0, 3.5, 5.0, 40.7])
@pytest.mark.parametrize("size", [1.0, 0.95])
def test_fit_made_passive_has_neither_gain_nor_another_value_at_the_carrier(
    delay: float, size: float
) -> None:
    response = size * np.exp(1j - 2j * np.pi * bins(512) * delay)
    (one,), largest = passive([fit(response, 1)], [(0, 0)], 1024)
    assert largest < 1 + 1e-5
    assert one.at(np.ones(1, dtype=complex))[0] == pytest.approx(response[0], abs=1e-9)
    everywhere = np.exp(2j * np.pi * np.linspace(0, 1, 20_001))
    assert np.abs(one.at(everywhere)).max() < 1 + 2e-5


# --- rings through a nonlinear part ---------------------------------------------------------------------


def loop(part: dict[str, Any], length: float = 400.0, coupling: float = 0.3) -> ps.Circuit:
    """A ring of one coupler and a guide, with a part in it."""
    return ps.Circuit(
        {
            "instances": {
                "bus": {"component": "coupler", "settings": {"coupling": coupling}},
                "guide": {
                    "component": "straight",
                    "settings": {"length": length, "loss_dB_cm": 3.0, **GUIDE},
                },
                "part": part,
            },
            "connections": {"bus,o3": "guide,o1", "guide,o2": "part,o1", "part,o2": "bus,o2"},
            "ports": {"in": "bus,o1", "out": "bus,o4"},
        }
    )


TRANSPARENT = {"component": "dynamic_soa", "settings": {"gain_dB": 0.0, "linewidth_enhancement": 0.0}}


def test_ring_through_a_part_that_does_nothing_is_the_linear_ring() -> None:
    """The part cuts the ring, so the light is stepped; its twin is the S-matrix of the ring without it."""
    rate, samples = 2e12, 4096
    time = np.arange(samples) / rate
    wave = np.exp(-(((time - 0.4e-9) / 60e-12) ** 2)) * np.exp(-2j * np.pi * 1.5e10 * time)
    stepped = loop(TRANSPARENT)
    out = ps.transient(
        stepped, samples / rate, sample_rate=rate, inputs={"in": {"field": wave}}, wl=1.55, probes=["out"]
    )
    assert "part to part" in out.attrs["fits"]
    linear = loop({"component": "phase_shifter"})
    s = linear(C_UM / (C_UM / 1.55 - np.fft.fftfreq(samples, 1 / rate)))["in", "out"].values
    expected = np.fft.ifft(s * np.fft.fft(wave))
    np.testing.assert_allclose(out.wave.values[0, 0], expected, atol=1e-3)
    # And nothing but the cut is different: without a nonlinear part the same light goes by FFT.
    through = ps.transient(
        linear, samples / rate, sample_rate=rate, inputs={"in": {"field": wave}}, wl=1.55, probes=["out"]
    )
    np.testing.assert_allclose(through.wave.values[0, 0], expected, atol=1e-6)


@pytest.mark.parametrize("turn", [1.3, 2.0, 2.5, 3.5, 1000.4])
@pytest.mark.parametrize("coupling", [0.1, 0.3])
def test_stepped_ring_settles_where_its_s_matrix_says_at_every_rate(turn: float, coupling: float) -> None:
    """However few samples a round trip has: S at the carrier is exact, on resonance and beside it."""
    rate = 1e12
    length = turn / rate * C_UM / GUIDE["ng"]
    linear = loop({"component": "phase_shifter"}, length, coupling)
    wl = 1.55 + np.linspace(0, 1.55**2 / GUIDE["ng"] / length, 7)
    at = wl[np.argmin(linear(wl)["in", "out"].power)]
    settle = 600 * turn / rate
    out = ps.transient(
        loop(TRANSPARENT, length, coupling), 1e-11, sample_rate=rate, settle=settle,
        inputs={"in": waveforms.constant(1.0)}, wl=at, probes=["out"],
    )  # fmt: skip
    expected = linear([at])["in", "out"].values[0]
    assert out.wave.values[0, 0, -1] == pytest.approx(expected, abs=1e-6)


def test_ring_with_gain_settles_where_gain_and_field_agree() -> None:
    """Steady state: the field of the linear ring with gain exp(h/2), h by the amplifier's equation."""
    settings = {"gain_dB": 1.0, "saturation_power": 1e-3, "lifetime": 50e-12, "linewidth_enhancement": 0.0}
    one = loop({"component": "dynamic_soa", "settings": settings})
    light = waveforms.constant(2e-4)
    out = ps.transient(
        one, 1e-10, sample_rate=1e12, settle=3e-9, inputs={"in": light}, wl=1.55, probes=["out", "part,o1:in"]
    )
    h = float(out.state.values[0, -1])
    arriving = abs(out.wave.values[1, 0, -1]) ** 2
    assert settings["gain_dB"] * math.log(10) / 10 - h == pytest.approx(
        arriving / 1e-3 * math.expm1(h), rel=1e-4
    )
    turn = one.transfer([1.55], ["part,o1:in"], ["part,o2"])[0, 0, 0] * math.exp(h / 2)
    first = 1j * math.sqrt(0.3 / 0.7) * turn / math.exp(h / 2)  # across the coupler instead of along it
    expected = math.sqrt(2e-4) * first / (1 - turn)
    assert out.wave.values[1, 0, -1] == pytest.approx(expected, rel=1e-3)


def test_laser_with_feedback_lives_on_a_mode_of_its_external_cavity() -> None:
    """lang1980: E = A exp(-i d t) with feedback f has a gain -2 Re f above its loss; d follows alpha."""
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
    rate = 1e12
    out = ps.transient(one, 1e-9, sample_rate=rate, settle=20e-9)
    n, re, im = out.state.values
    field = re + 1j * im
    shift = -np.polyfit(out.time.values, np.unwrap(np.angle(field)), 1)[
        0
    ]  # d: the frequency above the carrier's
    s = registry.get("rate_equation_laser").defaults
    photons = float(np.mean(np.abs(field) ** 2))
    gain = s["differential_gain"] * (n[-1] - s["transparency"]) / (1 + s["gain_compression"] * photons)
    emitted = s["spontaneous"] * n[-1] / s["carrier_lifetime"] / photons
    surplus = gain - 1 / s["photon_lifetime"]
    frequency = C_UM / 1.55 + shift / (2 * np.pi)
    back = one.transfer([C_UM / frequency], ["laser,o1:in"], ["laser,o1"])[0, 0, 0]
    outlet = s["output"] / s["photon_lifetime"]
    # The wave out is sqrt(outlet) E - in, so what is fed back is outlet back/(1 + back) E.
    feedback = outlet * back / (1 + back)
    assert surplus + emitted == pytest.approx(-2 * feedback.real, abs=0.02 * abs(feedback))
    assert shift == pytest.approx(
        s["linewidth_enhancement"] * surplus / 2 - feedback.imag, abs=0.02 * abs(feedback)
    )
    assert abs(shift) > 0.1 * abs(feedback)


# --- bad input --------------------------------------------------------------------------------------------


def test_loop_shorter_than_a_sample_says_which_rate_to_take() -> None:
    with pytest.raises(ParameterError, match=r"back to 'part' after 5\.59e-12 s, less than a sample, 1e-11"):
        ps.transient(
            loop(TRANSPARENT), 1e-9, sample_rate=1e11, inputs={"in": waveforms.constant(1e-3)}, wl=1.55
        )


def test_loop_in_frequency_says_that_it_needs_the_time_domain() -> None:
    with pytest.raises(ParameterError, match=r"use ps\.transient"):
        loop(TRANSPARENT)([1.55])


@pytest.mark.filterwarnings("ignore:.*undersampled")
def test_s_matrix_that_answers_before_it_is_asked_is_refused(tmp_path: Path) -> None:
    """A guide with its phase turned round: a table in exp(+i omega t) that nobody has conjugated.

    Its magnitude varies, or the part would be given the least delay that its points allow.
    """
    wl = np.linspace(1.53, 1.57, 2001)
    guide = ps.Circuit(
        {"instances": {"g": {"component": "straight", "settings": {"length": 1000.0, **GUIDE}}},
         "ports": {"o1": "g,o1", "o2": "g,o2"}}
    )  # fmt: skip
    s = guide(wl)
    ripple = 0.6 + 0.3 * np.cos(2 * np.pi * (wl - 1.53) / 0.01)
    write(tmp_path / "back.npz", ps.SMatrix(wl, s.ports, ripple[:, None, None] * s.values.conj(), "back"))
    table = read_table(tmp_path / "back.npz")
    one = ps.Circuit(
        {"instances": {"part": {"component": "sampled", "settings": {"file": table}}},
         "ports": {"in": "part,o1", "out": "part,o2"}}
    )  # fmt: skip
    with pytest.raises(
        UnphysicalResult,
        match=r"port in is not causal: its impulse response begins 1.*e-11 s before the input",
    ):
        ps.transient(
            one, 1e-9, sample_rate=5e11, inputs={"in": waveforms.pulse(at=5e-10, width=2e-11)}, wl=1.55
        )


GUIDE_ALONE = {
    "instances": {"g": {"component": "straight", "settings": {"length": 100.0, **GUIDE}}},
    "ports": {"in": "g,o1", "out": "g,o2"},
}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sample_rate": 1e10, "inputs": {"in": waveforms.pulse(at=5e-9, width=1e-10)}}, "is too low for"),
        ({"inputs": {"in": 1e-3}, "wl": None}, "'in': say at which wavelength with wl"),
        ({"inputs": {}, "wl": None}, "has no light: give it a source"),
        ({"inputs": {"inn": 1e-3}}, "exposes no port 'inn'.*Did you mean 'in'"),
        ({"inputs": {"in": -1e-3}}, "falls to -0.001 W: it must not be negative"),
        ({"inputs": {"in": 1e-3}, "drive": {"g.lenght": 1.0}}, "Did you mean 'length'"),
        ({"inputs": {"in": 1e-3}, "drive": {"g.length": -1.0}}, "'length' is -1 um"),
        ({"inputs": {"in": 1e-3}, "wl": [1.55, 1.5501]}, r"closer than the sample rate .* overlap"),
        ({"inputs": {"in": 1e-3}, "duration": -1.0}, "duration .* must be a positive number"),
        ({"inputs": {"in": 1e-3}, "duration": 1.0}, "samples: between 2 and"),
        ({"inputs": {"in": {"power": np.zeros(7)}}}, "shape .7,., but 10000 samples"),
        ({"inputs": {"in": {"field": np.zeros(7, complex)}}}, "shape .7,., not .10000,"),
        ({"inputs": {"in": np.zeros(10_000)}}, "may be a power or a field: write {'power': ...} for W"),
        ({"inputs": {"in": np.zeros(10_000, complex)}}, "may be a power or a field"),
        ({"inputs": {"in": [0.0] * 10_000}}, "may be a power or a field"),
        ({"inputs": {"in": 1e-3j}}, "may be a power or a field"),
        ({"inputs": {"in": {"power": np.zeros(10_000, complex)}}}, "its power is complex: write {'field'"),
        ({"inputs": {"in": {"carrier": 1.55}}}, "either a power in W or a field .*, but has neither"),
        ({"inputs": {"in": {"power": 1.0, "field": 1.0}}}, "but has both"),
        ({"inputs": {"in": {"powr": 1.0}}}, "no option 'powr'.* Did you mean 'power'"),
        ({"inputs": {"in": {"power": 1.0, "carrier": 1550.0}}}, "looks like nm"),
        ({"inputs": {"in": {"power": 1.0, "carrier": [1.55, 1.56]}}}, "must be one wavelength"),
        ({"inputs": {"in": {"field": [1.0, math.nan]}}}, "got NaN or infinity"),
        ({"inputs": {"in": 1e-3}, "wl": [1.55, 1.57]}, "carriers at 1.55, 1.57 um: {'power': ..., 'carrier'"),
        ({"inputs": {"in": 1e-3}, "wl": [1.55, 1.55]}, "carrier of 1.55 um is given twice: give it once"),
        ({"inputs": {"in": 1e-3}, "wl": [1.55, 1.5501]}, "take only one of them as a carrier; it includes"),
        ({"inputs": {"in": 1e-3}, "g": {"length": [1.0, 2.0]}}, "of one circuit: give each setting one"),
        ({"inputs": {"in": {3: 1e-3}}}, "no option 3. It may have: power, field, carrier"),
        ({"inputs": {"in": 1e-3}, "probes": ["g"]}, "names no port"),
        ({"inputs": {"in": 1e-3}, "seed": -1}, "seed must be 0 or more, got -1"),
        ({"inputs": {"in": "bright"}}, "must be a number or a mapping with wave"),
    ],
    # A waveform's text holds its address, which differs between the processes that share the tests.
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)  # fmt: skip
def test_bad_input_is_one_sentence(options: dict[str, Any], said: str) -> None:
    full = {"duration": 1e-8, "sample_rate": 1e12, "wl": 1.55, **options}
    with pytest.raises(PhotosimError, match=said):
        ps.transient(ps.Circuit(GUIDE_ALONE), full.pop("duration"), **full)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            {"wave": "prbz", "rate": 1e9},
            "must be a number or a mapping with wave: .*, but is the text 'prbz'. Did you mean 'prbs'",
        ),
        ({"wave": "prbs"}, "needs the option 'rate'"),
        ({"wave": "prbs", "rate": 1e9, "hi": 2}, "no option 'hi'"),
        ({"wave": "prbs", "rate": 1e9, "order": 8}, "order of 7, 9"),
        ({"wave": "prbs", "rate": 1e9, "levels": 3}, "2, 4, 8"),
        (
            {"wave": "prbs", "rate": 1e9, "order": 7.5},
            "'order' must be a whole number from 0, but is .* 7.5",
        ),
        (
            {"wave": "prbs", "rate": 1e9, "seed": -1},
            "'seed' must be a whole number from 0, but is .* -1",
        ),
        (
            {"wave": "prbs", "rate": 1e9, "low": "abc"},
            "\\(prbs\\): 'low' must be a number, but is .* 'abc'",
        ),
        ({"wave": "prbs", "rate": 1e9, "bandwidth": -1}, "positive bandwidth, got -1"),
        ({"wave": "sine", "frequency": "abc"}, "'frequency' must be a number, but is the text 'abc'"),
        ({"wave": "constant", "value": True}, "'value' must be a number, but is the flag True"),
        ({"wave": "pulse", "at": 1e-9, "width": 0.0}, "positive width"),
        ({"wave": "pulse", "at": 1e-9, "width": 1e-9, "shape": "gauss"}, "no pulse of shape 'gauss'"),
        ({"wave": "file", "path": "nowhere.csv"}, "cannot read a waveform"),
        ("fast", "must be a number or a mapping with wave: constant, .*, but is the text 'fast'"),
    ],
    ids=str,
)
def test_bad_waveform_is_one_sentence(value: Any, said: str) -> None:
    with pytest.raises(PhotosimError, match=said):
        waveforms.read_waveform(value)

"""Delays of any length in time: a pulse arrives when its group delay says, however long that is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import memory, waveforms
from photosim.errors import ParameterError
from photosim.signals.delays import mean_delay
from photosim.timedomain import band, convolution
from photosim.timedomain.convolution import convolve

C_UM = 299_792_458.0e6
RATE, CARRIER = 640e9, 193.4e12
DELAYS = [1, 6, 127, 255, 256, 614, 999, 1000, 1023, 1024, 1030, 1100, 2100, 3000, 65_536, 10**6]


def delayed(samples: int) -> Any:
    """S of a delay of whole samples, by its closed form."""

    def transfer(wl: Any) -> Any:
        return np.exp(2j * np.pi * ((C_UM / np.asarray(wl) - CARRIER) * samples / RATE))[:, None, None]

    return transfer


def pulse(samples: int, at: int) -> Any:
    return np.exp(-(((np.arange(samples) - at) / 4.0) ** 2)) + 0j


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("samples", [1, 2, 500, 4096, 9000, 300_000])
def test_delay_of_whole_samples_moves_a_pulse_by_that_many(delay: int, samples: int) -> None:
    found = band.response(delayed(delay), CARRIER, RATE, "a delay")
    wave = pulse(samples, 40)
    out = convolve(found, {0: wave}, 1, samples)[0]
    right = np.concatenate([np.full(delay, wave[0]), wave])[:samples]
    assert np.abs(out - right).max() < 1e-6


@pytest.mark.parametrize("delay", [1030, 3000, 50_000])
def test_interferometer_with_one_long_arm_has_both_pulses(delay: int) -> None:
    def transfer(wl: Any) -> Any:
        return 0.5 * (delayed(3)(wl) + delayed(delay)(wl))

    found = band.response(transfer, CARRIER, RATE, "an interferometer")
    wave = pulse(delay + 200, 40)
    out = convolve(found, {0: wave}, 1, wave.size)[0]
    right = 0.5 * (pulse(wave.size, 43) + pulse(wave.size, 40 + delay))
    assert np.abs(out - right).max() < 1e-6


@pytest.mark.parametrize("block", [200, 256, 1000, 4096, 1 << 15])
@pytest.mark.parametrize("delay", [1, 6, 255, 1030, 65_536])
def test_blocks_of_every_size_give_the_same(monkeypatch: pytest.MonkeyPatch, block: int, delay: int) -> None:
    monkeypatch.setattr(convolution, "SHORTEST_BLOCK", block)
    monkeypatch.setattr(convolution, "BLOCK_SAMPLES", 2 * block)

    def transfer(wl: Any) -> Any:
        return 0.5 * (delayed(2)(wl) + delayed(delay)(wl))

    samples = delay + 5000
    found = band.response(transfer, CARRIER, RATE, "an interferometer")
    wave = pulse(samples, 40) + 0.5 * pulse(samples, 3000)
    out = convolve(found, {0: wave}, 1, samples)[0]
    right = sum(pulse(samples, 40 + d) + 0.5 * pulse(samples, 3000 + d) for d in (2, delay)) / 2
    assert np.abs(out - right).max() < 1e-6


def test_each_way_of_an_island_keeps_its_own_delay() -> None:
    """A tap in front of a long guide and what comes out behind it: short responses, two delays."""

    def transfer(wl: Any) -> Any:
        return np.concatenate([0.1 * delayed(5)(wl), 0.9 * delayed(60_000_000)(wl)], axis=1)

    found = band.response(transfer, CARRIER, RATE, "a tap")
    assert found.taps.shape[-1] < 2048
    assert found.delay[0, 0] == 0
    assert found.delay[1, 0] == pytest.approx(60_000_000, abs=1024)
    wave = pulse(2000, 40)
    near, far = convolve(found, {0: wave}, 2, 2000)
    assert np.abs(near - 0.1 * pulse(2000, 45)).max() < 1e-6
    assert np.abs(far).max() < 1e-4


def test_response_that_the_longest_stretch_wraps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Echoes beyond the longest stretch fall into its quiet part or not: S between the bins tells."""
    monkeypatch.setattr(band, "LONGEST", 4000)

    def transfer(wl: Any) -> Any:
        return 0.6 * delayed(3)(wl) + 0.4 * delayed(2048 + 20)(wl)

    with pytest.raises(ParameterError, match=r"Light in two ways lasts longer than 1.9.*e-09 s"):
        band.response(transfer, CARRIER, RATE, "two ways")


def test_mean_delay_is_found_however_many_turns_the_phase_makes() -> None:
    for delay in (0, 7, 12_345, 64_000_000, 250_000_000):
        one = delayed(delay)

        def of_light(frequency: Any, one: Any = one) -> Any:
            return one(C_UM / frequency)

        for together in (False, True):
            found = mean_delay(of_light, CARRIER, RATE, together=together)
            assert found.ravel() * RATE == pytest.approx(delay, abs=0.1)


@pytest.mark.parametrize(
    ("length", "ng", "rate"), [(118e3, 4.2, 640e9), (20e9, 1.4682, 1e9), (80e9, 1.4682, 1e9)]
)
def test_long_guides_deliver_a_pulse_after_their_group_delay(length: float, ng: float, rate: float) -> None:
    settings = {"length": length, "neff": ng, "ng": ng, "loss_dB_cm": 0.0}
    instances = {"part": {"component": "straight", "settings": settings}}
    one = ps.Circuit({"instances": instances, "ports": {"in": "part,o1", "out": "part,o2"}})
    delay = length * ng / C_UM * rate
    samples = round(delay) + 300
    wave = pulse(samples, 100)
    found = ps.transient(
        one, samples / rate, sample_rate=rate, inputs={"in": {"field": wave}}, wl=1.55, probes=["out"]
    )
    power = np.abs(found.wave.values[0, 0]) ** 2
    assert int(np.argmax(power)) == pytest.approx(100 + delay, abs=1)
    assert power.sum() == pytest.approx(float((np.abs(wave) ** 2).sum()), rel=1e-3)


@pytest.mark.parametrize(
    "turn", [1030.0, *(pytest.param(t, marks=pytest.mark.nightly) for t in (3000.4, 50_000.25))]
)
def test_loop_through_a_nonlinear_part_returns_its_pulses_after_its_delay(turn: float) -> None:
    """A pulse comes back once a round, by the coupler's series: t, then -k x (t x)**n."""
    rate, coupling = 1e12, 0.3
    length = turn / rate * C_UM / 4.2
    settings = {"length": length, "neff": 4.2, "ng": 4.2, "loss_dB_cm": 0.0}
    one = ps.Circuit(
        {
            "instances": {
                "bus": {"component": "coupler", "settings": {"coupling": coupling}},
                "guide": {"component": "straight", "settings": settings},
                "part": {
                    "component": "dynamic_soa",
                    "settings": {"gain_dB": 0.0, "linewidth_enhancement": 0.0},
                },
            },
            "connections": {"bus,o3": "guide,o1", "guide,o2": "part,o1", "part,o2": "bus,o2"},
            "ports": {"in": "bus,o1", "out": "bus,o4"},
        }
    )
    samples = round(2 * turn) + 400
    width = 12.0
    wave = np.exp(-(((np.arange(samples) - 100) / width) ** 2)) + 0j
    out = ps.transient(
        one, samples / rate, sample_rate=rate, inputs={"in": {"field": wave}}, wl=1.55, probes=["out"]
    )
    t, k = math.sqrt(1 - coupling), coupling
    x = np.exp(2j * np.pi * length * 4.2 / 1.55)
    right = t * wave
    for n in (1, 2):
        late = np.exp(-(((np.arange(samples) - 100 - n * turn) / width) ** 2))
        right = right - k * t ** (n - 1) * x**n * late
    np.testing.assert_allclose(out.wave.values[0, 0], right, atol=2e-3)


def test_run_beyond_the_machines_memory_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 km at 640 GS/s for the whole of a pulse, whose delay alone is 251 million samples."""
    monkeypatch.setattr(memory, "memory_bytes", lambda: 16e9)
    settings = {"length": 80e9, "neff": 1.4682, "ng": 1.4682, "loss_dB_cm": 2e-6}
    instances = {"part": {"component": "straight", "settings": settings}}
    one = ps.Circuit({"instances": instances, "ports": {"in": "part,o1", "out": "part,o2"}})
    duration = 80e9 * 1.4682 / C_UM + 1e-9
    said = r"250,74\d,\d\d\d samples of 6 signals would take 27 GB of memory, and this machine has 16 GB"
    with pytest.raises(ParameterError, match=said):
        ps.transient(one, duration, sample_rate=640e9, inputs={"in": {"power": 1e-3}}, wl=1.55)


def test_80_km_at_640_gs_per_s_are_carried() -> None:
    """In front of the pulse there is the light of before, as strong as the guide lets through."""
    settings = {"length": 80e9, "neff": 1.4682, "ng": 1.4682, "loss_dB_cm": 2e-6}
    instances = {"part": {"component": "straight", "settings": settings}}
    one = ps.Circuit({"instances": instances, "ports": {"in": "part,o1", "out": "part,o2"}})
    light = {"power": waveforms.pulse(at=1e-9, width=2e-11, low=1e-3, high=2e-3)}
    out = ps.transient(one, 2e-9, sample_rate=640e9, inputs={"in": light}, wl=1.55, probes=["out"])
    np.testing.assert_allclose(np.abs(out.wave.values) ** 2, 1e-3 * 10**-1.6, rtol=1e-3)

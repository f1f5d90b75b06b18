"""Delays of any length in time: a pulse arrives when its group delay says, however long that is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.timedomain import band

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
@pytest.mark.parametrize("samples", [500, 9000])
def test_delay_of_whole_samples_moves_a_pulse_by_that_many(delay: int, samples: int) -> None:
    found = band.response(delayed(delay), CARRIER, RATE, "a delay")
    wave = pulse(samples, 40)
    out = band.convolve(found, {0: wave}, 1, samples)[0]
    right = np.concatenate([np.full(delay, wave[0]), wave])[:samples]
    assert np.abs(out - right).max() < 1e-6


@pytest.mark.parametrize("delay", [1030, 3000, 50_000])
def test_interferometer_with_one_long_arm_has_both_pulses(delay: int) -> None:
    def transfer(wl: Any) -> Any:
        return 0.5 * (delayed(3)(wl) + delayed(delay)(wl))

    found = band.response(transfer, CARRIER, RATE, "an interferometer")
    wave = pulse(delay + 200, 40)
    out = band.convolve(found, {0: wave}, 1, wave.size)[0]
    right = 0.5 * (pulse(wave.size, 43) + pulse(wave.size, 40 + delay))
    assert np.abs(out - right).max() < 1e-6


def test_mean_delay_is_found_however_many_turns_the_phase_makes() -> None:
    for delay in (0, 7, 12_345, 64_000_000, 250_000_000):
        assert band.mean_delay(delayed(delay), CARRIER, RATE) == pytest.approx(delay, abs=0.1)


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

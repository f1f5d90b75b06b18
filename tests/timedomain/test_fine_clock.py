"""Waveforms on the finer clock: piece by piece they are what they are as a whole, bit for bit."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from photosim import waveforms
from photosim.errors import ParameterError
from photosim.timedomain import fine_clock
from photosim.timedomain.band import OUT_OF_BAND, PASS
from photosim.timedomain.content import EDGE, WINDOW, Bound, share_beyond
from photosim.timedomain.low_pass import BLOCK, low_pass
from photosim.timedomain.waveform import Waveform

RATE = 1e12
WAVES: dict[str, Waveform] = {
    "bits": waveforms.prbs(25e9, low=-2.0, high=2.0, order=15),
    "bits of light": waveforms.prbs(25e9, order=9),
    "bits behind a filter": waveforms.prbs(25e9, low=-1.0, high=0.0, bandwidth=30e9, filter_order=4),
    "sine": waveforms.sine(7e9, offset=0.3),
    "step": waveforms.step(at=2e-9, rise=30e-12, bandwidth=40e9),
    "constant": waveforms.constant(0.7),
    "function": Waveform(lambda t: np.sin(2e10 * t) / (1.0 + t[0])),
}


@pytest.mark.parametrize("name", list(WAVES))
@pytest.mark.parametrize("samples", [20_000, 30_001])
def test_samples_are_the_same_bits_in_pieces_as_in_a_whole(name: str, samples: int) -> None:
    wave, time, rate = WAVES[name], np.arange(samples) / RATE, 8 * RATE
    assert 8 * samples > 2 * BLOCK
    fine = wave.values(time[0] + np.arange(8 * samples) / rate)
    if wave.bandwidth is not None:
        fine = low_pass(fine, wave.bandwidth, rate, order=wave.order)
    np.testing.assert_array_equal(wave.sample(time, rate=RATE), fine[::8])
    if wave.bandwidth is None:
        fine = low_pass(fine, 30e9, rate)
        np.testing.assert_array_equal(wave.sample(time, rate=RATE, behind=30e9), fine[::8])


def test_most_waveforms_are_sampled_without_their_instants(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(fine_clock, "whole", never)
    for name in ("bits", "sine", "constant", "function"):
        WAVES[name].sample(np.arange(20_000) / RATE, rate=RATE, behind=30e9)


@pytest.mark.parametrize("samples", [9000, 20_000])
@pytest.mark.parametrize(
    ("wave", "refused"),
    [
        (waveforms.prbs(25e9, rise=0.0), True),
        (waveforms.prbs(25e9, bandwidth=15e9), False),
        (waveforms.pulse(at=0.1e-9, width=12e-12, shape="square", rise=0.2e-12), True),
        (waveforms.pulse(at=2e-9, width=60e-12), False),
    ],
)
def test_content_beyond_the_band_is_refused_in_pieces_too(
    wave: Waveform, refused: bool, samples: int
) -> None:
    time = np.arange(samples) / 100e9
    fine = wave.values(np.arange(8 * samples) / 800e9)
    if wave.bandwidth is not None:
        fine = low_pass(fine, wave.bandwidth, 800e9)
    share = share_beyond(fine, (PASS + EDGE) / 8, 8 * WINDOW)
    assert (share > OUT_OF_BAND) == refused
    said = f"too low for the waveform: {100 * share:.3g} % of its power lies more than"
    with pytest.raises(ParameterError, match=re.escape(said)) if refused else nullcontext():
        wave.sample(time, rate=100e9)


def test_values_that_are_not_finite_are_named_in_pieces_too() -> None:
    def wave(time: Any) -> Any:
        return np.where(np.abs(time - 15e-9) < 1e-13, np.nan, 1.0)

    with pytest.raises(ParameterError, match=r"must be finite, got nan at 1\.5e-08 s"):
        Waveform(wave).sample(np.arange(20_000) / RATE, rate=RATE)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("size", [64, 4095, 4096, 20_001])
def test_bound_is_never_below_the_share(kind: str, size: int) -> None:
    rng = np.random.default_rng(size)
    t = np.arange(size)
    for width in (0.02, 0.1, 0.18, 0.25, 0.4):
        tones = rng.uniform(-width, width, 20)
        values: Any = np.exp(2j * np.pi * tones * t[:, np.newaxis]) @ rng.normal(size=20)
        values = values if kind == "complex" else values.real.copy()
        values[size // 2 :] += rng.normal(size=size - size // 2) * 10.0 ** rng.uniform(-6, 0)
        right = share_beyond(values, 0.2)
        for turns in (1, 2, 3):
            # Spectra are in single precision.
            assert not Bound.of(values, 0.2, turns=turns).within(0.99 * right - 1e-9)
    slow = np.sin(0.05 * t) * np.hanning(size)
    assert Bound.of(slow if kind == "real" else slow + 0j, 0.2, turns=3).within(1e-6)


@pytest.mark.parametrize("scale", [0.0, 5e-324, 1e-170, 1e170])
def test_bound_of_what_squares_do_not_hold_is_not_known(scale: float) -> None:
    values = scale * np.sin(0.05 * np.arange(5000))
    assert not Bound.of(values, 0.2, turns=3).within(0.5)

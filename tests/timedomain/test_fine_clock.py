"""Waveforms on the finer clock: piece by piece, and at few instants, they are what they are as a whole."""

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
from photosim.timedomain.between import REACH, Between, beyond
from photosim.timedomain.content import EDGE, WINDOW, Bound, share_beyond
from photosim.timedomain.low_pass import BLOCK, low_pass, one_factor
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
def test_samples_are_the_same_in_pieces_as_in_a_whole(name: str, samples: int) -> None:
    wave, time, rate = WAVES[name], np.arange(samples) / RATE, 8 * RATE
    assert 8 * samples > 2 * BLOCK
    fine = wave.values(time[0] + np.arange(8 * samples) / rate)
    plain = fine
    if wave.bandwidth is not None:
        fine = low_pass(fine, wave.bandwidth, rate, order=wave.order)
    limit = 0.0 if wave.bandwidth is None else _rounding(wave.bandwidth, rate)
    np.testing.assert_allclose(wave.sample(time, rate=RATE), fine[::8], rtol=0, atol=limit)
    if wave.bandwidth is None:
        for behind in (0.3e9, 30e9, 300e9):
            fine = low_pass(plain, behind, rate)
            found = wave.sample(time, rate=RATE, behind=behind)
            np.testing.assert_allclose(found, fine[::8], rtol=0, atol=_rounding(behind, rate))


def _rounding(bandwidth: float, rate: float) -> float:
    """Return what steps of a filter that are taken together may round otherwise than one by one."""
    return 1e-14 + 2e-16 * rate / (2 * np.pi * bandwidth)


@pytest.mark.parametrize("often", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("order", [0, 1, 3, 4])
def test_samples_of_any_clock_are_those_of_a_whole(often: int, order: int) -> None:
    time = np.arange(300_000 // often) / RATE
    wave = waveforms.prbs(20e9, low=-0.2, high=0.9, order=9)
    passes = [(25e9, order)] if order else []
    clock = fine_clock.Clock(time, RATE, often)
    blocks = fine_clock.Blocks(wave.values, clock, wave.values)
    found = fine_clock.sampled(blocks, passes, 1e100)
    assert found is not None
    np.testing.assert_allclose(
        found, fine_clock.whole(blocks, passes)[::often], rtol=0, atol=_rounding(25e9, often * RATE)
    )


@pytest.mark.parametrize(("rise", "chosen"), [(20e-12, 8), (2e-12, 4), (0.0, 1)])
def test_the_smoother_a_signal_the_fewer_instants_of_it_are_computed(
    rise: float, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, plain = [], fine_clock._seen

    def noted(blocks: Any, modes: Any, every: int, largest: float) -> Any:
        seen.append(every)
        return plain(blocks, modes, every, largest)

    monkeypatch.setattr(fine_clock, "_seen", noted)
    wave = waveforms.prbs(25e9, rise=rise)
    wave.sample(np.arange(20_000) / RATE, rate=RATE, behind=30e9)
    assert seen == [chosen]


@pytest.mark.parametrize("behind", [None, 10e9, 60e9, 400e9])
@pytest.mark.parametrize("order", [1, 4])
@pytest.mark.parametrize("rise", [0.0, 2e-12, 20e-12])
def test_bound_of_what_lies_between_is_never_below_it(behind: float | None, order: int, rise: float) -> None:
    length, rate = 32768, 8 * RATE
    for wave in (
        waveforms.prbs(25e9, low=-1.0, high=2.0, order=9, rise=rise),
        waveforms.step(at=3e-9, low=0.1, rise=rise),
        waveforms.pulse(at=0.1e-12, width=12e-12, shape="sech2"),
    ):
        values = wave.values(np.arange(3 * length) / rate)
        modes = () if behind is None else one_factor(behind, rate, order=order)
        assert modes is not None
        between = Between(modes, length)
        held = np.pad(values, REACH, mode="edge")
        half = length // 2
        for begin in range(0, 3 * length, half):
            more = REACH if begin + half == 3 * length else 0
            between.take(held[begin : begin + half + REACH + more])
        # Behind its end a signal goes on as the filter lets it.
        onward = np.pad(values, (0, length), mode="edge")
        fine = onward if behind is None else low_pass(onward, behind, rate, order=order)
        padded = np.pad(fine, (half, 0), mode="edge")
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        for every in (2, 4, 8):
            energies = []
            for begin in range(0, padded.size - length, half):
                spectrum = np.abs(np.fft.fft(padded[begin : begin + length] * window)) ** 2 / length
                energies.append(spectrum[length // 2 // every + 1 : -(length // 2 // every)].sum())
            assert between.energy(every) >= max(energies) * (1 - 1e-9)


def test_what_lies_beyond_is_found_from_what_is_seen_and_missed() -> None:
    """Two tones lie beyond a band, and what is seen mirrors one of them: the bound holds both."""
    n, every, cutoff = np.arange(4096), 4, 0.05
    rng = np.random.default_rng(3)
    for _ in range(50):
        low, middle, high = rng.uniform(0, 0.05), rng.uniform(0.06, 0.12), rng.uniform(0.13, 0.5)
        sizes = 1.0, *10.0 ** rng.uniform(-4, -1, 2)
        tones = [
            a * np.exp(2j * np.pi * np.rint(4096 * f) / 4096 * n)
            for a, f in zip(sizes, (low, middle, high), strict=True)
        ]
        spectrum, seen = (np.abs(np.fft.fft(x)) ** 2 for x in (sum(tones), sum(tones)[::every]))
        place, coarse = (np.abs(np.fft.fftfreq(size)) for size in (4096, 4096 // every))
        right = spectrum[place > cutoff].sum() / spectrum.sum()
        share = seen[coarse > cutoff * every].sum() / seen.sum()
        missed = spectrum[place > 0.5 / every].sum() / 4096 / (every * seen.sum() / (4096 // every))
        assert beyond(share, missed, every) >= right * (1 - 1e-9)
        assert beyond(share, missed, every) < 20 * (share + missed)


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

"""Pre-emphasis, equalisers and recovery of the clock, in circuits and alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import photosim as ps
from photosim import waveforms
from photosim.analysis import traces
from photosim.analysis.figures import Figures
from photosim.errors import ParameterError
from photosim.model import ClockRecovery, Equaliser
from photosim.timedomain.low_pass import low_pass
from photosim.timedomain.symbolwise import delayed, worked

BAUD, RATIO = 10e9, 16
RATE = BAUD * RATIO
Floats = NDArray[np.float64]


def link(behind: Any, **modulator: Any) -> ps.Circuit:
    """Laser, modulator, receiver, amplifier, and one part behind it."""
    return ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-3}},
                "modulator": {"component": "mach_zehnder_modulator", "settings": {"bias": 2.0, **modulator}},
                "receiver": {"component": "photodetector", "settings": {"bandwidth": 40e9}},
                "amplifier": {"component": "transimpedance_amplifier", "settings": {"bandwidth": 4.5e9}},
                "last": behind,
            },
            "connections": {
                "laser,o1": "modulator,o1", "modulator,o2": "receiver,o1", "receiver,e1": "amplifier,e1",
                "amplifier,e2": "last,e1",
            },
        }
    )  # fmt: skip


def data(levels: int = 2) -> waveforms.Waveform:
    return waveforms.prbs(BAUD, low=-0.6, high=0.6, levels=levels, order=9)


def eye(circuit: ps.Circuit, levels: int = 2, *, noise: bool = False) -> tuple[traces.Eye, Any]:
    wave = data(levels)
    out = ps.transient(
        circuit, 60e-9, sample_rate=RATE, drive={"modulator.voltage": wave}, noise=noise, seed=1
    )
    assert wave.symbols is not None
    return traces.eye(out.current.values[0], RATE, BAUD, sent=wave.symbols[1]), out


def test_fixed_taps_are_a_sum_of_late_signals() -> None:
    time = np.arange(4000) / RATE
    tone = 1.0 + np.sin(2 * np.pi * 3.1e9 * time)
    for symbol_rate in (BAUD, 0.93 * BAUD):
        out, said = worked("eq", tone, Equaliser((-0.1, 1.2, -0.3), 1, symbol_rate), RATE)
        wanted = sum(
            c * (1.0 + np.sin(2 * np.pi * 3.1e9 * (time - k / symbol_rate)))
            for k, c in enumerate((-0.1, 1.2, -0.3))
        )
        assert said == ""
        np.testing.assert_allclose(out[200:-200], np.asarray(wanted)[200:-200], atol=2e-4)
    np.testing.assert_allclose(delayed(tone, 5.0)[5:], tone[:-5])


def test_equalisers_open_the_eye_that_a_slow_amplifier_closes() -> None:
    plain, _ = eye(link({"component": "adc", "settings": {"bits": 12}}))
    for adaptation in ("least_squares", "lms"):
        part = {
            "component": "feed_forward_equaliser",
            "settings": {"adaptation": adaptation, "symbol_rate": BAUD, "step": 0.01},
        }
        found, out = eye(link(part))
        assert "last: taps" in out.attrs["symbolwise"]
        assert found.q > 1.8 * plain.q
    fixed = {"component": "feed_forward_equaliser", "settings": {"symbol_rate": BAUD}}
    same, _ = eye(link(fixed))
    assert same.q == pytest.approx(plain.q, rel=0.02)


def test_equaliser_weighs_noise_as_it_weighs_the_signal() -> None:
    """White noise behind a wide low-pass grows by the root of the sum of squares of the taps."""
    settings = {"symbol_rate": BAUD, "main": 1.4, "pre1": -0.2, "post1": -0.2}
    noise = []
    for part in (
        {"component": "feed_forward_equaliser", "settings": {"symbol_rate": BAUD}},
        {"component": "feed_forward_equaliser", "settings": settings},
    ):
        circuit = link(part)
        out = ps.transient(
            circuit, 200e-9, sample_rate=RATE, drive={"modulator.voltage": 0.0}, noise=True, seed=3,
            amplifier={"bandwidth": 40e9, "noise_density": 100e-12},
        )  # fmt: skip
        noise.append(float(out.current.values[0].std()))
    assert noise[1] / noise[0] == pytest.approx(np.sqrt(1.4**2 + 2 * 0.2**2), rel=0.03)


def test_pre_emphasis_stands_between_a_converter_and_its_modulator() -> None:
    def circuit(emphasis: bool) -> ps.Circuit:
        wires = {"dac,e1": "pre,e1", "pre,e2": "modulator,e1"} if emphasis else {"dac,e1": "modulator,e1"}
        pre = {"component": "pre_emphasis", "settings": {"symbol_rate": BAUD, "pre1": -0.06, "post1": -0.2}}
        return ps.Circuit(
            {
                "instances": {
                    "laser": {"component": "laser", "settings": {"power": 1e-3}},
                    "dac": {"component": "dac", "settings": {"bits": 12, "jitter": 0.0}},
                    **({"pre": pre} if emphasis else {}),
                    "modulator": {
                        "component": "mach_zehnder_modulator", "settings": {"bias": 2.0, "bandwidth": 3e9},
                    },
                    "receiver": {"component": "photodetector", "settings": {"bandwidth": 0.0}},
                },
                "connections": {"laser,o1": "modulator,o1", "modulator,o2": "receiver,o1", **wires},
            }
        )  # fmt: skip

    wave = data()
    assert wave.symbols is not None
    q = []
    for emphasis in (False, True):
        out = ps.transient(circuit(emphasis), 60e-9, sample_rate=RATE, drive={"dac.voltage": wave})
        q.append(traces.eye(out.current.values[0], RATE, BAUD, sent=wave.symbols[1]).q)
    assert q[1] > 1.5 * q[0]
    # A constant passes with the sum of the taps: 1 - 0.06 - 0.2.
    slow = [
        circuit(emphasis).photocurrents(1.55, dac={"voltage": v}).values.item()
        for emphasis, v in ((False, 0.74), (True, 1.0))
    ]
    assert slow[0] == pytest.approx(slow[1], rel=2e-3)


def trembling(frequency: float, symbols: int = 20_000, offset: float = 0.0) -> tuple[Floats, Floats]:
    """Symbols of a sequence whose edges move by a tenth of a symbol, rms, and how far they do."""
    sent = waveforms.prbs(1.0, order=9).symbols
    assert sent is not None
    time = np.arange(symbols * RATIO) / RATIO
    late = 0.05 * np.sin(2 * np.pi * frequency / BAUD * time)
    heights = np.resize(sent[1], symbols)
    own = time * (1 + offset) - late
    signal = np.interp(
        own, np.arange(symbols)[:, np.newaxis].repeat(2, 1).ravel() + np.tile([0.2, 0.8], symbols),
        heights.repeat(2),
    )  # fmt: skip
    return signal, late


def followed(frequency: float) -> float:
    """Share of a jitter that is left in the instants of a clock of 10 MHz."""
    signal, _ = trembling(frequency)
    _, said = worked("cdr", signal, ClockRecovery(BAUD, 10e6, 2.0), RATE)
    return float(said.split("jitter ")[1].split()[0]) / float(0.05 / np.sqrt(2))


def test_clock_follows_slow_jitter_to_half_power_at_its_bandwidth() -> None:
    assert followed(1.5e6) == pytest.approx(1.0, abs=0.1)
    assert followed(10e6) == pytest.approx(np.sqrt(0.5), abs=0.1)
    assert followed(80e6) < 0.2


def test_clock_follows_another_rate_and_its_values_lie_in_the_middle() -> None:
    signal, _ = trembling(1e6, offset=100e-6)
    out, said = worked("cdr", signal, ClockRecovery(BAUD, 20e6, 2.0), RATE)
    assert float(said.split("clock ")[1].split()[0]) == pytest.approx(100.0, abs=10.0)
    assert np.mean((out < 0.02) | (out > 0.98)) > 0.99


def test_clock_recovery_in_a_link_takes_jitter_out_of_its_figures() -> None:
    part = {"component": "clock_recovery", "settings": {"symbol_rate": BAUD, "bandwidth": 20e6}}
    wave = data()
    assert wave.symbols is not None
    out = ps.transient(link(part), 60e-9, sample_rate=RATE, drive={"modulator.voltage": wave})
    assert "last: clock" in out.attrs["symbolwise"]
    found = ps.figures(out.current[0], symbol_rate=BAUD, sent=wave.symbols[1])
    assert isinstance(found, Figures)
    assert found.symbol_errors == 0
    assert found.eye.width > 0.9 / BAUD


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (Equaliser((1.0,), 0, 1e11), "'x' works at 1e.11 symbols per s.*take a sample rate of 4e.11"),
        (Equaliser((1.0, 0.0), 0, BAUD, "least_squares"), "needs 32 symbols or more, got 20"),
        (ClockRecovery(BAUD, 1e6, 2.0), "needs 32 symbols or more, got 20"),
    ],
)
def test_what_cannot_be_followed_is_refused(work: Equaliser | ClockRecovery, said: str) -> None:
    wave = low_pass(np.resize(np.repeat([0.0, 1.0], RATIO), 20 * RATIO), BAUD, RATE)
    with pytest.raises(ParameterError, match=said):
        worked("x", wave, work, RATE)


def test_questions_without_time_refuse_parts_that_work_symbol_by_symbol() -> None:
    circuit = link({"component": "feed_forward_equaliser"})
    with pytest.raises(ParameterError, match=r"'last' .feed_forward_equaliser. works symbol by symbol"):
        ps.link(circuit)
    wide = link({"component": "clock_recovery", "settings": {"symbol_rate": BAUD, "bandwidth": 5e9}})
    with pytest.raises(ParameterError, match="too wide"):
        ps.transient(wide, 20e-9, sample_rate=RATE, drive={"modulator.voltage": data()})

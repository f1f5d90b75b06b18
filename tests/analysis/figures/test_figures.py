"""Figures of transceivers on traces whose figures are known by construction."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import erfc, erfinv

import photosim as ps
from photosim import waveforms
from photosim.analysis.figures import ConstellationFigures, Figures
from photosim.errors import ParameterError

BAUD, RATIO = 1e9, 16
RATE = BAUD * RATIO
Floats = NDArray[np.float64]


def pattern(order: int = 7, levels: int = 4) -> Floats:
    symbols = waveforms.prbs(BAUD, order=order, levels=levels, high=levels - 1).symbols
    assert symbols is not None
    return symbols[1]


def square(heights: Floats, symbols: int, edge: float = 0.25) -> Floats:
    """Symbols with straight edges of a part of a symbol, in the middle of which symbols change."""
    whole = np.resize(heights, symbols + 1)
    corners = np.arange(symbols)[:, np.newaxis] + np.array([edge / 2, 1.0 - edge / 2])
    return np.interp(np.arange(symbols * RATIO) / RATIO, corners.ravel(), np.repeat(whole[:symbols], 2))


def judged(trace: Any, sent: Any = None, **options: Any) -> Figures:
    found = ps.figures(trace, RATE, BAUD, sent=sent, **options)
    assert isinstance(found, Figures)
    return found


def test_levels_of_a_square_trace_are_exact() -> None:
    sent = pattern(9)
    heights = np.array([1.0, 2.0, 3.5, 5.0])[sent.astype(int)]
    found = judged(square(heights, 1100), sent)
    assert found.oma_outer == pytest.approx(4.0, abs=1e-9)
    assert found.extinction_dB == pytest.approx(10 * math.log10(5), abs=1e-9)
    # 120D.3.1.2: middle 3, ES1 = 1/2, ES2 = 1/4: the least of 1.5, 0.75, 0.5 and 1.25.
    assert found.rlm == pytest.approx(0.5, abs=1e-9)
    assert found.vecp_dB == pytest.approx(0.0, abs=1e-9)
    assert found.rise == pytest.approx(0.6 * 0.25 / BAUD, rel=1e-6)
    assert found.fall == pytest.approx(0.6 * 0.25 / BAUD, rel=1e-6)
    assert found.jitter is not None
    # Edges from 2 to 3.5 cross the middle at two thirds of their way up, and at a third on their way down.
    assert found.jitter.peak_to_peak == pytest.approx(0.25 / 3, abs=1e-9)
    assert found.jitter.random == pytest.approx(0.0, abs=1e-9)
    assert (found.pattern, found.symbol_errors, found.bit_errors) == ("PRBS9Q", 0, 0)
    assert found.tdecq is not None


def test_outer_levels_are_those_of_the_runs_of_the_standard() -> None:
    """A droop that has ended in the middle of seven threes and six zeros is left out there alone."""
    wave = waveforms.prbs13q(BAUD, low=1.0, high=2.0, rise=0.25e-9)
    trace = wave.sample(np.arange(8300 * RATIO) / RATE)
    assert wave.symbols is not None
    sent = wave.symbols[1]
    whole = np.resize(sent, 8300)
    low, high = (
        next(n for n in range(8200) if np.all(whole[n : n + count] == level))
        for level, count in ((1.0, 6), (2.0, 7))
    )
    for start, count in ((low, 6), (high, 7)):
        middle = (start + count / 2) * RATIO
        trace[int(middle - RATIO) : int(middle + RATIO) + 1] += 0.25 if start == high else -0.125
    found = judged(trace, sent)
    assert found.pattern == "PRBS13Q"
    assert found.high == pytest.approx(2.25, abs=0.02)
    assert found.low == pytest.approx(0.875, abs=0.02)


def test_jitter_of_constructed_crossings() -> None:
    """Edges moved by what was sent before, and at random."""
    sent = pattern(7, 2)
    symbols = 127 * 8
    whole = np.resize(sent, symbols)
    late = np.where(whole[np.arange(symbols) - 2] > 0.5, 0.04, -0.02)
    random = 0.01 * np.random.default_rng(7).standard_normal(symbols)
    edge = np.arange(symbols) + late + random
    corners = np.stack([edge + 0.1, np.append(edge[1:], symbols) - 0.1], axis=1).ravel()
    trace = np.interp(np.arange(symbols * 64) / 64, corners, np.repeat(whole, 2))
    found = ps.figures(trace, 64 * BAUD, BAUD, sent=sent)
    assert isinstance(found, Figures)
    assert found.jitter is not None
    moved = np.flatnonzero(whole[1:] != whole[:-1]) + 1
    moved = moved[(moved > 6) & (moved < symbols - 1)]
    wanted = (late + random)[moved]
    assert found.jitter.rms == pytest.approx(wanted.std(), rel=0.02)
    assert found.jitter.peak_to_peak == pytest.approx(np.ptp(wanted), rel=0.05)
    assert found.jitter.random == pytest.approx(0.01, rel=0.1)
    # The means of eight random ones each spread by themselves.
    assert found.jitter.data_dependent == pytest.approx(0.06, abs=0.02)
    assert found.jitter_s()["rms"] == pytest.approx(found.jitter.rms / BAUD)


def test_errors_are_counted_and_estimated() -> None:
    sent = waveforms.prbs(BAUD, levels=4, high=3.0, seed=2).symbols
    assert sent is not None
    trace = square(sent[1], 6000) + 0.25 * np.random.default_rng(7).standard_normal(6000 * RATIO)
    found = judged(trace, sent[1])
    assert found.symbol_errors is not None
    # Q = 2: 1.5 x 2.3 % of 6000 are 205 +- 14 errors, each of one bit in Gray's code.
    assert abs(found.symbol_errors - 205) < 80
    assert found.bit_errors == pytest.approx(found.symbol_errors, abs=2)
    assert found.counted_over_estimated == pytest.approx(1.0, abs=0.3)
    assert "of the 524288 symbols sent" in found.remarks[0]
    quiet = judged(square(sent[1], 2000), sent[1])
    assert quiet.counted_over_estimated is None


# --- TDECQ ------------------------------------------------------------------------------------------------


def ideal_noise(levels: Floats, thresholds: Floats) -> float:
    """Rms of noise at which levels err as 1.5 tails of Q_t, by bisection of a sum of tails."""

    def rate(noise: float) -> float:
        apart = np.abs(levels[:, np.newaxis] - thresholds) / noise
        return float((erfc(apart / math.sqrt(2)) / 2).sum(axis=1).mean())

    allowed = 1.5 * float(erfc(3.414 / math.sqrt(2)) / 2)
    low, high = 1e-3, 3.0
    for _ in range(32):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if rate(middle) < allowed else (low, middle)
    return low


@pytest.mark.parametrize("levels", [(0.0, 1.0, 2.0, 3.0), (0.0, 1.1, 1.9, 3.0)])
def test_tdecq_without_interference_is_the_closed_form(levels: tuple[float, ...]) -> None:
    sent = pattern(7)
    heights = np.array(levels)[sent.astype(int)]
    found = judged(square(heights, 127 * 4, edge=0.5), sent, received=True).tdecq
    assert found is not None
    thresholds = heights.mean() + np.array([-1.0, 0.0, 1.0])
    wanted = 10 * math.log10(3.0 / (6 * 3.414 * ideal_noise(heights, thresholds)))
    assert found.value_dB == pytest.approx(wanted, abs=0.05)
    assert found.noise_gain == pytest.approx(1.0, abs=0.02)
    assert sum(found.taps) == pytest.approx(1.0, abs=1e-12)


def test_tdecq_of_noise_alone_is_the_closed_form() -> None:
    """Noise in the trace leaves less to be added, 5 log10 of 1 - (6 Q_t noise/OMA)^2; a scope's does not."""
    sent = waveforms.prbs(BAUD, levels=4, high=3.0, seed=3).symbols
    assert sent is not None
    symbols = 30_000
    # Every quantile of a Gaussian once, so that its tails are those of the formula.
    normal = math.sqrt(2) * erfinv((2 * np.arange(symbols) + 1) / symbols - 1)
    noise = np.repeat(0.07 * np.random.default_rng(7).permutation(normal), RATIO)
    trace = square(sent[1], symbols, edge=0.5) + noise
    found = judged(trace, sent[1], received=True, taps=1).tdecq
    assert found is not None
    wanted = -5 * math.log10(1 - (6 * 3.414 * 0.07 / 3.0) ** 2)
    assert found.value_dB == pytest.approx(wanted, abs=0.05)
    told = judged(trace, sent[1], received=True, taps=1, scope_noise=0.07).tdecq
    assert told is not None
    assert told.value_dB == pytest.approx(0.0, abs=0.05)


def behind(trace: Floats, bandwidth: float) -> Floats:
    """A periodic trace behind an analogue Bessel low-pass of order 4, bandwidth in symbol rates."""
    from scipy import signal

    b, a = signal.bessel(4, 2 * np.pi * bandwidth, analog=True, norm="mag")
    frequency = np.fft.rfftfreq(trace.size, 1 / RATIO)
    _, response = signal.freqs(b, a, 2 * np.pi * frequency)
    return np.fft.irfft(np.fft.rfft(trace) * response, trace.size)


class Twin:
    """TDECQ by brute force: one period by FFT, windows by interpolation, tails summed one by one."""

    def __init__(self, period: Floats, oma: float) -> None:
        self.seen, self.oma = behind(period, 0.5), oma
        points = np.linspace(0, 8, 1601)
        from scipy import signal

        b, a = signal.bessel(4, np.pi, analog=True, norm="mag")
        power = np.abs(signal.freqs(b, a, 2 * np.pi * points)[1]) ** 2
        self.noise = points, power / np.trapezoid(power, points)

    def __call__(self, taps: Floats) -> float:
        """Return the TDECQ in dB with these taps, the first of them for the newest symbol."""
        out = sum(t * np.roll(self.seen, k * RATIO) for k, t in enumerate(taps))
        middle = self.seen.mean()
        place = np.flatnonzero((out > middle) != (np.roll(out, -1) > middle))
        after = np.roll(out, -1)[place]
        times = (place + (middle - out[place]) / (after - out[place])) / RATIO
        crossing = np.angle(np.exp(2j * np.pi * times).mean()) / (2 * np.pi)
        whole = np.append(out, out[:RATIO])
        symbols = np.arange(self.seen.size // RATIO)
        worst = math.inf
        for at in (0.45, 0.55):
            offsets = crossing + at + np.linspace(-0.016, 0.016, 5)
            spots = (symbols[:, np.newaxis] + offsets % 1.0).ravel() * RATIO
            values = np.interp(spots, np.arange(whole.size), whole)
            worst = min(worst, ideal_noise(values, middle + self.oma / 3 * np.array([-1.0, 0.0, 1.0])))
        f, density = self.noise
        filtered = np.abs(sum(t * np.exp(-2j * np.pi * f * k) for k, t in enumerate(taps))) ** 2
        gain = math.sqrt(np.trapezoid(density * filtered, f))
        return 10 * math.log10(self.oma / (6 * 3.414 * worst / gain))


def test_tdecq_with_interference_is_that_of_a_brute_force_search() -> None:
    sent = pattern(7)
    period = behind(np.repeat(sent, RATIO), 0.42)
    found = judged(np.tile(period, 5), sent).tdecq
    assert found is not None
    twin = Twin(period, found.oma_outer)
    assert twin(np.array(found.taps)) == pytest.approx(found.value_dB, abs=0.03)
    random = np.random.default_rng(1)
    pairs = [(a, b) for a in np.linspace(-0.5, 0.1, 7) for b in np.linspace(-0.5, 0.1, 7)]
    grid = [np.array([0.0, a, 1 - a - b, b, 0.0]) for a, b in pairs]
    best = min(grid, key=twin)
    least, reach = twin(best), 0.06
    for _ in range(16):
        for _ in range(20):
            tried = best + reach * random.standard_normal(5)
            tried += (1 - tried.sum()) / 5
            value = twin(tried)
            if value < least:
                best, least = tried, value
        reach *= 0.8
    assert found.value_dB == pytest.approx(least, abs=0.05)
    assert found.value_dB > 1.0
    assert found.noise_gain > 1.1


def test_reference_receiver_is_undone_by_a_trace_made_for_it() -> None:
    """A trace whose spectrum is that of open symbols over the receiver's response has no penalty."""
    from scipy import signal

    sent = pattern(7)
    wave = waveforms.prbs(BAUD, levels=4, high=3.0, rise=0.5e-9)
    open_eye = wave.sample(np.arange(127 * RATIO) / RATE + 127 / BAUD)
    frequency = np.fft.rfftfreq(open_eye.size, 1 / RATIO)
    b, a = signal.bessel(4, np.pi, analog=True, norm="mag")
    _, response = signal.freqs(b, a, 2 * np.pi * frequency)
    spectrum = np.where(frequency < 5.0, np.fft.rfft(open_eye) / response, 0.0)
    found = judged(np.tile(np.fft.irfft(spectrum, open_eye.size), 5), sent).tdecq
    assert found is not None
    assert found.value_dB == pytest.approx(0.0, abs=0.05)


def test_tdecq_of_a_closed_eye_is_remarked() -> None:
    sent = pattern(7)
    trace = square(sent, 127 * 6) + np.repeat(0.3 * np.random.default_rng(7).standard_normal(127 * 6), RATIO)
    found = judged(trace, sent, received=True)
    assert found.tdecq is not None
    assert found.tdecq.wrong > 0.01
    assert "TDECQ says nothing here" in found.remarks[0]
    judged_well = plain().tdecq
    assert judged_well is not None
    assert judged_well.wrong == 0.0


# --- constellations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [4, 16])
@pytest.mark.parametrize("blind", [False, True])
def test_error_vectors_of_constructed_constellations(points: int, blind: bool) -> None:
    side = int(math.sqrt(points))
    numbers = np.random.default_rng(7).integers(0, side, (2, 500))
    sent = 2.0 * numbers - side + 1
    ideal = sent[0] + 1j * sent[1]
    errors = (
        0.05
        * np.sqrt(np.mean(np.abs(ideal) ** 2))
        * np.exp(2j * np.pi * np.random.default_rng(8).random(500))
    )
    trace = np.repeat((ideal + errors) * 3e-3 * np.exp(0.7j), RATIO)
    found = ps.figures(
        np.roll(trace, 5 * RATIO), RATE, BAUD, sent=None if blind else ideal, levels=points if blind else None
    )
    assert isinstance(found, ConstellationFigures)
    assert found.evm == pytest.approx(0.05, rel=0.02)
    assert found.evm_peak == pytest.approx(0.05, rel=0.1)
    assert found.evm_dB == pytest.approx(20 * math.log10(0.05), abs=0.2)
    if not blind:
        assert found.symbol_errors == 0
        assert found.delay == 5
        assert np.angle(found.gain) == pytest.approx(0.7, abs=0.01)
    else:
        assert "nearest" in found.remarks[0]


# --- invariance, and what is refused ------------------------------------------------------------------------

SENT = pattern(7)
TRACE = behind(np.repeat(SENT, RATIO), 0.6)
TRACE = np.tile(TRACE, 3)


@cache
def plain() -> Figures:
    return judged(TRACE + 1.0, SENT)


@settings(max_examples=5, deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(-3.0, 3.0), st.booleans())
def test_scale_and_offset_matter_only_where_they_should(scale: float, offset: float, upside: bool) -> None:
    trace = scale * (TRACE + offset)
    found = judged(trace, 3.0 - SENT if upside else SENT)
    assert found.oma_outer == pytest.approx(scale * plain().oma_outer, rel=1e-6)
    assert found.rlm == pytest.approx(plain().rlm, abs=1e-6)
    assert found.rise == pytest.approx(plain().rise, rel=1e-5)
    assert found.vecp_dB == pytest.approx(plain().vecp_dB, abs=1e-6)
    assert found.tdecq_dB == pytest.approx(plain().tdecq_dB, abs=0.01)
    assert found.jitter is not None
    jitter = plain().jitter
    assert jitter is not None
    assert found.jitter.rms == pytest.approx(jitter.rms, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trace": TRACE[: 100 * RATIO], "sent": SENT}, "holds 96 symbols .* too few for the pattern PRBS7Q"),
        ({"trace": np.full(4000, 2.0)}, "constant"),
        ({"trace": TRACE, "symbol_rate": 1.3e9, "sent": SENT}, "does not follow the symbols sent"),
        ({"trace": TRACE, "symbol_rate": 9e9}, "2 samples a symbol"),
        ({"trace": TRACE, "levels": 3}, "has 2, 4, 8 or 16 levels, got 3|levels, got 3"),
        ({"trace": TRACE, "levels": 2, "sent": SENT}, "the symbols sent have 4 levels"),
        ({"trace": TRACE, "sent": []}, "No sent symbols"),
        ({"trace": TRACE, "sample_rate": None}, "sample_rate"),
        ({"trace": TRACE + 0j, "levels": 5}, "4, 16, 64.* points, got 5"),
        ({"trace": np.full(4000, 2.0 + 1j)}, "constant"),
        ({"trace": TRACE * np.exp(1j), "sent": np.ones(9)}, "are all"),
        ({"trace": TRACE, "skip": -1}, "skip must be 0 or more"),
        ({"trace": np.array(["a", "b"])}, "real or complex numbers"),
    ],
)
def test_what_has_no_figures_is_refused_in_a_sentence(options: dict[str, Any], said: str) -> None:
    given_ = {"sample_rate": RATE, "symbol_rate": BAUD, **options}
    trace = given_.pop("trace")
    with pytest.raises(ParameterError, match=said):
        ps.figures(trace, given_.pop("sample_rate"), given_.pop("symbol_rate"), **given_)


def test_figures_without_the_symbols_sent_say_so_and_are_printed() -> None:
    found = judged(TRACE + 1.0, levels=4)
    assert "not given" in found.remarks[0]
    assert found.symbol_errors is None
    assert found.oma_outer == pytest.approx(plain().oma_outer, rel=1e-3)
    names = [row[0] for row in found.tables()[0].rows]
    assert "vertical eye closure penalty (dB)" in names
    assert plain().numbers()["tdecq"]["tdecq_dB"] == plain().tdecq_dB


def test_a_whole_result_is_not_a_trace() -> None:
    out = ps.transient(ps.load("link"), 20 / 10e9, sample_rate=80e9)
    with pytest.raises(
        ParameterError, match=r"one trace, such as out\.current\[0\]\. This result has .*current"
    ):
        ps.figures(out, symbol_rate=10e9)

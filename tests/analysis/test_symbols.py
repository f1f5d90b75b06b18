"""Errors and eyes against records whose wrong symbols, delay, sign and noise are known by construction."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import norm

import photosim as ps
from photosim import waveforms
from photosim.analysis import traces, transient
from photosim.analysis.transient_options import read_options
from photosim.errors import ParameterError, PhotosimWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

SYMBOLS = 10e9


def sequence(count: int, levels: int = 2) -> NDArray[np.float64]:
    return np.random.default_rng(9).integers(0, levels, count).astype(float)


def record(
    sent: Any, rate: float, *, symbols: int, delay: float = 0.0, noise: float = 0.0, seed: int = 1
) -> NDArray[np.float64]:
    """Symbols (N,), repeating, that arrive `delay` symbols late with raised-cosine edges, dark before."""
    place = np.arange(int(symbols * rate / SYMBOLS)) / rate * SYMBOLS - delay
    number = np.floor(place + 0.5).astype(int)
    share = 0.5 - 0.5 * np.cos(np.pi * np.clip((place - number) / 0.4 + 0.5, 0, 1))
    level = np.concatenate([[0.0], np.resize(sent, symbols + 2)])
    before, after = level[np.maximum(number, 0)], level[np.maximum(number + 1, 0)]
    clean = np.where(number < 0, 0.0, before + (after - before) * share)
    return np.asarray(clean + noise * np.random.default_rng(seed).standard_normal(clean.size))


RATES = [2e10, 4e10, 7e10, 9e10, 64e10]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("delay", [0.0, 0.3, 0.9, 64.0, 201.6])
@pytest.mark.parametrize("levels", [2, 4])
def test_wrong_symbols_are_counted_at_any_delay_and_rate(rate: float, delay: float, levels: int) -> None:
    right = sequence(600, levels)
    flipped = np.random.default_rng(3).choice(np.arange(10, 380), 7, replace=False)
    received = right.copy()
    received[flipped] = (received[flipped] + 1) % levels
    signal = 1e-3 * record(received, rate, symbols=600, delay=delay)
    for sign in (1, -1):
        found = traces.errors(sign * signal, rate, SYMBOLS, right)
        assert found.count == int(found) == 7
        assert found.inverted == (sign < 0)
        # Edges are 0.4 of a symbol long, in their middle at whole ones: symbols are right from 0.2 to 0.8.
        assert 0.2 - SYMBOLS / rate / 2 < found.delay + found.at - delay < 0.8 + SYMBOLS / rate / 2
        assert 600 - delay - 6 <= found.symbols <= 600 - delay


@pytest.mark.parametrize("delay", [0, 3, 64, 130, 300])
def test_symbols_before_the_light_do_not_count_even_if_the_sequence_is_short(delay: int) -> None:
    _, sent = waveforms.prbs(SYMBOLS, order=7).symbols or (0, np.zeros(1))
    found = traces.errors(record(sent, 4e10, symbols=1000, delay=delay), 4e10, SYMBOLS, sent)
    assert (found.count, found.delay, found.symbols) == (0, delay, 1000 - max(delay, 4))


def test_a_start_up_that_follows_nothing_is_left_out_and_single_errors_are_not() -> None:
    sent = sequence(2000)
    signal = record(sent, 8e10, symbols=2000, noise=0.15)
    signal[: 8 * 60] = 0.0  # a laser that turns on late: 60 symbols are never seen
    found = traces.errors(signal, 8e10, SYMBOLS, sent)
    assert 1935 <= found.symbols <= 1942
    assert found.count <= 6  # Q 3.3: one of 2000, and two that agree by chance may be kept with one that errs
    early = sent.copy()
    early[8] = 1 - early[8]
    assert traces.errors(record(early, 8e10, symbols=2000), 8e10, SYMBOLS, sent) == 1


def test_a_record_cut_from_a_longer_one_has_a_negative_delay() -> None:
    sent = sequence(400)
    whole = record(sent, 4e10, symbols=1000, noise=0.1)
    assert traces.errors(whole[4 * 37 :], 4e10, SYMBOLS, sent).delay == -37


@pytest.mark.parametrize("true_q", [0.96, 1.6, 3.0])
@pytest.mark.parametrize("rate", [4e10, 16e10])
def test_closing_eye_has_its_true_q_and_errors_by_the_symbols_sent(true_q: float, rate: float) -> None:
    sent = sequence(20_000)
    signal = record(sent, rate, symbols=20_000, delay=5.3, noise=0.5 / true_q)
    seen = traces.eye(signal, rate, SYMBOLS, sent=sent)
    # The spread of 10,000 symbols is known to 0.7 %; the best of 16 instants may take three of them.
    assert seen.q == pytest.approx(true_q, rel=0.025)
    assert (seen.delay, seen.inverted) == (5, False)
    expected = float(norm.sf(true_q))
    assert seen.error_rate == pytest.approx(expected, rel=0.1 if true_q < 2 else 0.3)
    wrong = traces.errors(signal, rate, SYMBOLS, sent)
    assert wrong.count == pytest.approx(expected * 20_000, abs=5 * np.sqrt(expected * 20_000) + 20)


def test_eye_without_the_symbols_sent_warns_where_it_flatters() -> None:
    closed = record(sequence(4000), 4e10, symbols=4000, noise=0.5)
    with pytest.warns(PhotosimWarning, match=r"nearly closed .Q 1\.\d+.*eye.*sent=symbols"):
        assert traces.eye(closed, 4e10, SYMBOLS).q > 1.3  # 1 is right
    traces.eye(record(sequence(4000), 4e10, symbols=4000, noise=0.17), 4e10, SYMBOLS)  # open: no warning


@pytest.mark.parametrize("rate", [2e10, 3.5e10, 4e10, 6e10, 7.3e10, 64e10])
def test_eye_does_not_average_noise_between_samples(rate: float) -> None:
    """White noise of known spread on symbols of a band-limited pulse, sampled at any rate: Q 5.8."""
    sent = sequence(3000)
    place = np.arange(int(3000 * rate / SYMBOLS)) / rate * SYMBOLS
    clean = np.zeros(place.size)
    for shift in range(-6, 7):  # pulses with zeros at all other symbols, band-limited to 0.75 of their rate
        x = place - np.floor(place) - 0.5 - shift
        roll = np.cos(0.5 * np.pi * x) / np.where(np.isclose(abs(x), 1), np.inf, 1 - x**2)
        pulse = np.sinc(x) * np.where(np.isclose(abs(x), 1), np.pi / 4, roll)
        clean += pulse * sent[(np.floor(place).astype(int) + shift) % sent.size]
    signal = clean + 0.5 / 5.8 * np.random.default_rng(2).standard_normal(clean.size)
    for seen in (traces.eye(signal, rate, SYMBOLS, sent=sent), traces.eye(signal, rate, SYMBOLS)):
        # 1,500 symbols of each level: 1.3 % on Q; the ends of the pulses take less than 3 %.
        assert seen.q == pytest.approx(5.8, rel=0.06)
    points = traces.constellation(signal, rate, SYMBOLS)
    told = sent[4 : 4 + points.size]
    assert np.std(points.real - told) == pytest.approx(0.5 / 5.8, rel=0.06)


def test_eye_of_four_levels_adds_the_errors_of_its_three_openings() -> None:
    sent = sequence(40_000, 4)
    signal = record(sent, 4e10, symbols=40_000, noise=0.25)
    seen = traces.eye(signal, 4e10, SYMBOLS, sent=sent)
    assert seen.error_rate == pytest.approx(1.5 * norm.sf(2.0), rel=0.06)
    assert traces.errors(signal, 4e10, SYMBOLS, sent).rate == pytest.approx(1.5 * norm.sf(2.0), rel=0.08)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: traces.eye(np.full(4000, 2e-3), 4e10, SYMBOLS), r"is constant \(0.002\), so it has no eye"),
        (lambda: traces.eye(np.full(4000, 2e-3), 4e10, SYMBOLS, sent=[0, 1, 1]), "is constant"),
        (lambda: traces.errors(np.zeros(4000), 4e10, SYMBOLS, [0, 1, 1]), "is constant"),
        (
            lambda: traces.errors(
                record(sequence(900), 4e10, symbols=900), 4e10, SYMBOLS, sequence(901)[::-1]
            ),
            "does not follow the symbols sent",
        ),
        (lambda: traces.errors(record(sequence(90), 4e10, symbols=90), 4e10, SYMBOLS, [1, 1]), "got 1"),
        (lambda: traces.eye([0.0, np.nan] * 99, 4e10, SYMBOLS), "not finite"),
        (
            lambda: traces.eye(np.arange(999.0), 4e10, SYMBOLS, levels=4, sent=[0, 1]),
            "levels is 4, but the symbols",
        ),
    ],
)
def test_what_has_no_answer_is_one_sentence(ask: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        ask()


def test_errors_are_a_number_that_pickles_with_what_it_used() -> None:
    sent = sequence(300)
    found = traces.errors(-record(sent, 4e10, symbols=300, delay=12), 4e10, SYMBOLS, sent)
    assert found == 0
    for other in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):  # noqa: S301 - our own bytes
        assert repr(other) == repr(found) == "Errors(0, symbols=288, at=0.5, delay=12, inverted=True)"


def test_a_link_with_a_slow_receiver_has_the_errors_that_were_made() -> None:
    """A quiet link and a receiver of half the symbol rate: no errors, wherever the eye opens."""
    link = ps.load("link")
    data = waveforms.prbs(SYMBOLS, high=np.pi, seed=4)
    slow = {"bandwidth": 5e9}
    out = ps.transient(link, 40e-9, sample_rate=160e9, drive={"phase": data}, receiver=slow)
    assert data.symbols is not None
    found = traces.errors(out.current.values[0], 160e9, SYMBOLS, data.symbols[1])
    assert found.count == 0
    assert found.delay + found.at > 0.55  # the receiver's delay
    entry = {
        "kind": "transient",
        "duration": 20e-9,
        "sample_rate": 160e9,
        "drive": {"phase": {"wave": "prbs", "rate": SYMBOLS, "high": np.pi}},
        "eye": {"signal": "receiver", "rate": SYMBOLS},
        "settings": {"receiver": slow},
    }
    (seen,) = transient.transient(link, read_options(entry, link)).eyes.values()
    assert seen.delay is not None
    assert seen.numbers()["delay_symbols"] == seen.delay

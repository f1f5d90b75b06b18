"""Streamed runs: samples and noise of `ps.transient`, counted in any blocks, killed and resumed."""

import shutil
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.analysis import traces
from photosim.analysis.result import UNKNOWN
from photosim.analysis.streams import run as streaming
from photosim.analysis.streams.result import StreamResult, confidence
from photosim.timedomain import convolution
from photosim.timedomain.streamed import ready

RATE = 400e9
NOISY = {"laser": {"power": 2e-4, "linewidth": 1e7, "rin_dB_Hz": -145.0}}
DATA = waveforms.prbs(25e9, low=-2.0, high=2.0, order=7)


def link(*parts: tuple[str, Any], receiver: dict[str, Any] | None = None) -> ps.Circuit:
    """Laser, modulator, other parts in a row, detector."""
    row = [
        ("laser", {"component": "laser", "settings": {"power": 1e-3}}),
        ("modulator", {"component": "mach_zehnder_modulator", "settings": {"bias": 2.0}}),
        *parts,
        ("receiver", {"component": "photodetector", "settings": receiver or {"bandwidth": 20e9}}),
    ]
    joins = {f"{a},o{1 if a == 'laser' else 2}": f"{b},o1" for (a, _), (b, _) in pairwise(row)}
    return ps.Circuit({"instances": dict(row), "connections": joins})


RING = ("ring", {"component": "ring_single", "settings": {"radius": 10.0, "coupling": 0.1}})
GUIDE = ("guide", {"component": "straight", "settings": {"length": 3e6}})  # 50,000 samples late at 400 GHz
SLOW = {"component": "photodetector", "settings": {"bandwidth": 1e9, "load_resistance": 50.0}}


def interferometer() -> ps.Circuit:
    """A laser that meets itself 20,000 samples later on two detectors."""
    return ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-3}},
                "split": "coupler",
                "modulator": "phase_shifter",
                "late": {"component": "straight", "settings": {"length": 1.2e6}},
                "join": "coupler",
                "up": {"component": "photodetector", "settings": {"bandwidth": 20e9}},
                "down": {"component": "photodetector", "settings": {"bandwidth": 20e9}},
            },
            "terminate": ["split,o2"],
            "connections": {
                "laser,o1": "split,o1", "split,o3": "modulator,o1", "split,o4": "late,o1",
                "modulator,o2": "join,o1", "late,o2": "join,o2", "join,o3": "up,o1", "join,o4": "down,o1",
            },
        }
    )  # fmt: skip


CASES: dict[str, tuple[ps.Circuit, dict[str, Any]]] = {
    "ring": (link(RING), {"drive": {"modulator.voltage": DATA}, **NOISY}),
    "quiet": (link(RING), {"drive": {"modulator.voltage": DATA}, "noise": False}),
    "late": (link(GUIDE), {"drive": {"modulator.voltage": DATA}, **NOISY}),
    "slow receiver": (
        link(receiver={"bandwidth": 2e9}),
        {"drive": {"modulator.voltage": waveforms.sine(1e9, amplitude=1.0)}, **NOISY},
    ),
    "interferometer": (
        interferometer(), {"drive": {"modulator.phase": waveforms.sine(3.7e9, amplitude=1.0)}, **NOISY}
    ),
    "driven laser": (
        link(), {"drive": {"laser.power": waveforms.prbs(10e9, low=1e-4, high=1e-3)}, **NOISY}
    ),
    "beside": (link(RING), {"drive": {"modulator.voltage": DATA}, "wl": 1.55005, **NOISY}),
}  # fmt: skip


def _sent(wave: waveforms.Waveform) -> Any:
    assert wave.symbols is not None
    return wave.symbols[1]


@pytest.mark.parametrize("case", CASES)
def test_samples_are_those_of_the_ordinary_run_in_any_block_and_fft(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuit, options = CASES[case]
    options = {"noise": True, "seed": 5, **options}
    samples = 60_000
    whole = ps.transient(circuit, samples / RATE, sample_rate=RATE, probes=(), **options).current
    settings = {k: v for k, v in options.items() if k not in {"drive", "noise", "seed", "wl"}}
    found = ready(
        circuit, samples, sample_rate=RATE, drive=options["drive"], inputs={}, wl=options.get("wl"),
        noise=options["noise"], seed=5, quasi_static=None, settings=settings,
    )  # fmt: skip
    for block, shortest in ((samples, 4096), (13_011, 4096), (17_000, 16384)):
        monkeypatch.setattr(convolution, "SHORTEST_BLOCK", shortest)
        pieces = [found.currents(a, min(samples, a + block))[0] for a in range(0, samples, block)]
        for k, name in enumerate(circuit.detectors):
            wrong = np.abs(np.concatenate([piece[name] for piece in pieces]) - whole.values[k]).max()
            assert wrong < 1e-12 * np.abs(whole.values[k]).max()


def test_light_into_ports_is_streamed() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "guide": "straight",
                "receiver": {"component": "photodetector", "settings": {"bandwidth": 20e9}},
            },
            "connections": {"guide,o2": "receiver,o1"},
            "ports": {"in": "guide,o1"},
        }
    )
    power = waveforms.prbs(10e9, low=1e-5, high=2e-5, bandwidth=15e9)
    light = {"in": {"power": power, "carrier": 1.55}}
    whole = ps.transient(circuit, 60_000 / RATE, sample_rate=RATE, inputs=light, noise=True).current.values[0]
    found = ps.stream(circuit, 60_000 / RATE, sample_rate=RATE, inputs=light, block=1 << 14)
    assert found.moments["receiver"].mean == pytest.approx(whole.mean(), rel=1e-12)
    assert found.moments["receiver"].most == pytest.approx(whole.max(), rel=1e-12)
    assert found.errors == traces.errors(whole, RATE, 10e9, _sent(power))


@pytest.fixture(scope="module")
def noisy() -> tuple[ps.Circuit, dict[str, Any]]:
    options = {"drive": {"modulator.voltage": DATA}, "laser": {"power": 2e-5, "rin_dB_Hz": -140.0}, "seed": 2}
    return link(RING), options


@pytest.mark.parametrize("rate", [RATE, 310e9])
def test_errors_eye_and_moments_are_those_of_all_samples(noisy: Any, rate: float) -> None:
    circuit, options = noisy
    samples = 60_000
    whole = ps.transient(circuit, samples / rate, sample_rate=rate, noise=True, **options).current.values[0]
    known = traces.errors(whole, rate, 25e9, _sent(DATA))
    found = ps.stream(circuit, samples / rate, sample_rate=rate, block=9000, **options)
    assert known > 5
    assert (found.errors, found.symbols) == (known, known.symbols)
    assert (found.at, found.delay, found.inverted) == (known.at, known.delay, known.inverted)
    own = found.moments["receiver"]
    assert own.samples == samples
    assert own.mean == pytest.approx(whole.mean(), rel=1e-12)
    assert own.deviation == pytest.approx(whole.std(), rel=1e-11)
    apart = (whole - whole.mean()) / whole.std()
    assert own.skewness == pytest.approx((apart**3).mean(), rel=1e-9, abs=1e-9)
    assert own.kurtosis == pytest.approx((apart**4).mean(), rel=1e-9)
    assert (own.least, own.most) == pytest.approx((whole.min(), whole.max()), rel=1e-12, abs=1e-18)
    assert found.eye is not None
    assert found.eye.counts.sum() == samples
    step = np.diff(found.eye.edges)[0]
    middle = (found.eye.edges[1:] + found.eye.edges[:-1]) / 2
    assert middle @ found.eye.counts.sum(axis=0) / samples == pytest.approx(own.mean, abs=step / 10)


def test_tail_is_estimated_beside_the_count() -> None:
    """Thermal noise behind a wide receiver: Gaussians about four levels, of which many err."""
    data = waveforms.prbs(25e9, low=-1.2, high=1.2, order=9, levels=4, rise=3.5e-11, bandwidth=22e9)
    circuit = link(receiver={"bandwidth": 20e9})
    quiet = {"power": 1e-4, "linewidth": 0.0, "rin_dB_Hz": -160.0}
    found = ps.stream(
        circuit, 160_000 / RATE, sample_rate=RATE, drive={"modulator.voltage": data}, laser=quiet
    )
    assert found.errors is not None
    assert found.errors > 400
    assert found.counted_over_estimated == pytest.approx(1.0, abs=4 / np.sqrt(found.errors))
    assert found.bits == 2 * found.symbols
    assert found.bit_errors == found.errors  # neighbours alone are confused: one bit each
    assert found.numbers()["bit_errors"] == found.bit_errors
    assert "errors counted over estimated" in str(found.tables()[1].rows)


def test_bits_are_those_of_grays_code() -> None:
    confusion = np.array([[90, 3, 2, 1], [4, 96, 5, 0], [0, 6, 97, 7], [0, 0, 8, 81]])
    levels, spreads = np.array([4.0, 3.0, 2.0, 1.0]), np.full(4, 0.25)  # inverted
    made = StreamResult(
        "made", 400, 1e9, 0, {}, confusion=confusion, levels=levels, spreads=spreads,
        thresholds=np.array([1.5, 2.5, 3.5]),
    )  # fmt: skip
    # 0, 1, 2, 3 are 00, 01, 11, 10: two bits differ between 0 and 2, and between 1 and 3.
    assert (made.errors, made.bit_errors, made.bits) == (36, 38, 800)
    tails = np.array([1.0, 2.0, 2.0, 1.0]) @ confusion.sum(axis=1) / 400 * 0.022750131948179195
    assert made.estimated_error_rate == pytest.approx(tails, rel=1e-12)
    assert made.counted_over_estimated == pytest.approx(36 / (400 * tails), rel=1e-12)
    few = StreamResult("few", 1, 1e9, 0, {}, confusion=np.array([[50, 1], [2, 47]]), levels=levels[:2],
                       spreads=spreads[:2], thresholds=np.array([3.5]))  # fmt: skip
    assert few.counted_over_estimated is None
    three = StreamResult(
        "three", 1, 1e9, 0, {}, confusion=np.diag([5, 6, 7]), levels=levels[:3], spreads=spreads[:3],
        thresholds=np.array([1.5, 2.5]), at=0.5,
    )  # fmt: skip
    assert (three.symbols, three.errors, three.bits, three.bit_errors) == (18, 0, None, None)
    assert ("bit errors", UNKNOWN) in three.tables()[1].rows


def test_results_are_the_same_bits_on_any_threads_and_after_a_kill(
    noisy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuit, options = noisy
    options = {**options, "sample_rate": RATE, "block": 8192}
    monkeypatch.setattr(streaming, "EVERY_S", 0.0)
    monkeypatch.setenv("PHOTOSIM_THREADS", "1")
    path, cut = tmp_path / "run.npz", tmp_path / "cut.npz"

    def watch(_name: str, done: int, _total: int) -> None:
        if 30_000 < done < 40_000:
            shutil.copy(path, cut)  # what a kill leaves

    alone = ps.stream(circuit, 1e5 / RATE, checkpoint=path, progress=watch, **options)
    monkeypatch.setenv("PHOTOSIM_THREADS", "2")
    assert ps.stream(circuit, 1e5 / RATE, **options) == alone
    seen: list[int] = []
    resumed = ps.stream(
        circuit, 1e5 / RATE, checkpoint=cut, progress=lambda _n, done, _t: seen.append(done), **options
    )
    assert seen[0] > 20_000
    assert resumed == alone

    def stop(_name: str, done: int, _total: int) -> None:
        if done > 50_000:
            raise KeyboardInterrupt

    path.unlink()
    with pytest.raises(KeyboardInterrupt):
        ps.stream(circuit, 1e5 / RATE, checkpoint=path, progress=stop, **options)
    assert ps.stream(circuit, 1e5 / RATE, checkpoint=path, **options) == alone
    with pytest.raises(ps.DataError, match="checkpoint of another run"):
        ps.stream(circuit, 1e5 / RATE, checkpoint=path, **{**options, "seed": 9})
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ps.DataError, match="is not the checkpoint"):
        ps.stream(circuit, 1e5 / RATE, checkpoint=path, **options)


def test_memory_does_not_grow_with_the_run(noisy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit, options = noisy
    monkeypatch.setenv("PHOTOSIM_THREADS", "1")
    peaks = []
    for samples in (300_000, 900_000):
        tracemalloc.start()
        ps.stream(circuit, samples / RATE, sample_rate=RATE, block=1 << 15, **options)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0]
    assert peaks[1] < 300e6  # all samples of its five waves alone would be 130 MB, with what they are made of


def test_a_pattern_too_long_to_keep_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from photosim.timedomain import tape

    circuit, options = CASES["ring"]
    kept = ps.stream(circuit, 3e5 / RATE, sample_rate=RATE, **options)
    monkeypatch.setattr(tape, "MOST_REPEATED", 0)
    drawn = ps.stream(circuit, 3e5 / RATE, sample_rate=RATE, block=50_000, **options)
    assert drawn.moments["receiver"].mean == pytest.approx(kept.moments["receiver"].mean, rel=1e-12)
    assert drawn.moments["receiver"].most == pytest.approx(kept.moments["receiver"].most, rel=1e-9)


def test_confidence_is_clopper_and_pearsons() -> None:
    # Their table for 10 trials, to the digits given there; and the rule of three.
    assert confidence(1, 10) == pytest.approx((0.0025, 0.4450), abs=5e-5)
    low, high = confidence(0, 10**6)
    assert low == 0.0
    assert high == pytest.approx(3.69e-6, rel=1e-2)
    assert confidence(10, 10) == pytest.approx((0.6915, 1.0), abs=5e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"drive": {"modulator.voltage": waveforms.step(at=1e-9)}}, "'modulator.voltage' does not repeat"),
        ({"drive": {"modulator.voltage": np.zeros(60_000)}}, "does not repeat"),
        ({"block": 3}, "A block of a streamed run has 4096 to"),
        ({"signal": "reciever"}, "Did you mean 'receiver'"),
        ({"symbol_rate": 3e9}, "No drive or input has 3e\\+09 symbols per s; they have 2.5e\\+10"),
        ({"seed": -1}, "seed.*0 or more"),
        ({"sample_rate": -1.0}, "sample rate of a streamed run must be a positive number"),
    ],
)  # fmt: skip
def test_what_cannot_be_streamed_is_refused(options: dict[str, Any], said: str) -> None:
    asked = {"sample_rate": RATE, "drive": {"modulator.voltage": DATA}, **options}
    with pytest.raises(ps.ParameterError, match=said):
        ps.stream(link(RING), 60_000 / RATE, **asked)


def test_parts_without_end_are_refused() -> None:
    lit = link(("soa", {"component": "dynamic_soa", "settings": {}}))
    with pytest.raises(
        ps.ParameterError, match=r"cannot have 'soa' \(dynamic_soa\), which is simulated step"
    ):
        ps.stream(lit, 20_000 / RATE, sample_rate=RATE, drive={"modulator.voltage": DATA})
    dark = ps.Circuit({"instances": {"guide": "straight"}, "ports": {"in": "guide,o1", "out": "guide,o2"}})
    with pytest.raises(ps.ParameterError, match="needs light and a detector"):
        ps.stream(dark, 20_000 / RATE, sample_rate=RATE, inputs={"in": 1e-3}, wl=1.55)

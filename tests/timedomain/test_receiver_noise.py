"""Noise in time against links, kind by kind: the same variances, or a refusal that names them."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import signal, stats

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError
from photosim.signals import TERMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

C_UM = 299_792_458.0e6
QUIET = {"linewidth": 0.0, "rin_dB_Hz": -400.0}


def receiver(laser: dict[str, Any], *stages: tuple[str, dict[str, Any]], **detector: Any) -> ps.Circuit:
    """A laser, a detector, and electronics behind it one after the other."""
    instances: dict[str, Any] = {
        "laser": {"component": "laser", "settings": {**QUIET, **laser}},
        "pd": {"component": "photodetector", "settings": {"bandwidth": 5e9, **detector}},
    }
    connections, last = {"laser,o1": "pd,o1"}, "pd,e1"
    for k, (component, own) in enumerate(stages):
        instances[f"s{k}"] = {"component": component, "settings": own}
        connections[last], last = f"s{k},e1", f"s{k},e2"
    return ps.Circuit({"instances": instances, "connections": connections})


def interferometer(linewidth: float) -> ps.Circuit:
    """Arms whose delays differ by a nanosecond, at half of the light, so that phase turns into power."""
    guide = {"neff": 2.4, "ng": 4.0, "loss_dB_cm": 0.0, "length": 1e-9 * C_UM / 4.0}
    return ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {**QUIET, "linewidth": linewidth}},
                "split": "splitter", "join": "splitter",
                "long": {"component": "straight", "settings": guide},
                "short": {"component": "phase_shifter", "settings": {"phase": 0.7}},
                "pd": {"component": "photodetector", "settings": {"bandwidth": 5e9, "load_resistance": 1e9}},
            },
            "connections": {
                "laser,o1": "split,o1", "split,o2": "long,o1", "long,o2": "join,o2",
                "split,o3": "short,o1", "short,o2": "join,o3", "join,o1": "pd,o1",
            },
        }
    )  # fmt: skip


def bessel(f: NDArray[np.float64], bandwidth: float) -> NDArray[np.float64]:
    b, a = signal.bessel(4, 2 * np.pi * bandwidth, analog=True, norm="mag")
    return np.asarray(np.abs(signal.freqs(b, a, 2 * np.pi * f)[1]) ** 2)


def spread(samples: int, rate: float, bandwidth: float) -> float:
    """Relative standard deviation of the variance of samples of noise behind a low-pass."""
    f = np.linspace(0, 6 * bandwidth, 3001)
    lags = np.arange(1, max(2, int(6 * rate / bandwidth))) / rate
    power = bessel(f, bandwidth)
    alike = np.trapezoid(power * np.cos(2 * np.pi * f * lags[:, np.newaxis]), f) / np.trapezoid(power, f)
    return float(np.sqrt(2 / samples * (1 + 2 * (alike**2).sum())))


CASES: dict[str, tuple[ps.Circuit, float]] = {
    "shot": (receiver({"power": 2e-3}, load_resistance=1e9), 5e9),
    "thermal": (receiver({"power": 1e-9}), 5e9),
    "rin": (receiver({"power": 1e-3, "rin_dB_Hz": -130.0}), 5e9),
    "phase": (interferometer(1e5), 5e9),
    "amplifier": (
        receiver({"power": 1e-6}, ("transimpedance_amplifier", {"bandwidth": 4e9, "noise_density": 5e-11})),
        4e9,
    ),
    "quantisation": (
        receiver(
            {"power": 1e-4},
            ("transimpedance_amplifier", {"bandwidth": 4e9, "noise_density": 1e-10}),
            ("adc", {"bits": 7, "jitter": 0.0}),
        ),
        4e9,
    ),
}  # fmt: skip


@pytest.mark.parametrize("term", CASES)
@pytest.mark.parametrize("rate", [40e9, 160e9])
def test_noise_in_time_has_the_variance_of_the_link(term: str, rate: float) -> None:
    circuit, bandwidth = CASES[term]
    found = ps.link(circuit)["pd"]
    assert found.variances[term] > 0.7 * sum(found.variances.values()) or term == "quantisation"
    samples = 400_000
    out = ps.transient(circuit, samples / rate, sample_rate=rate, noise=True, seed=8)
    current = out.current.values[0]
    # Phase noise over a nanosecond has a spectrum of its own, narrower than the low-pass.
    sigma = spread(samples, rate, 0.3e9 if term == "phase" else bandwidth)
    assert np.var(current) == pytest.approx(sum(found.variances.values()), rel=0.01 + 4 * sigma, abs=0)
    assert current.mean() == pytest.approx(found.current, abs=5 * found.noise * np.sqrt(rate / samples / 1e8))


@pytest.mark.parametrize("rate", [3e9, 11e9, 200e9])
def test_detection_noise_does_not_depend_on_the_sample_rate(rate: float) -> None:
    circuit, _ = CASES["thermal"]
    out = ps.transient(circuit, 100_000 / rate, sample_rate=rate, noise=True, seed=2)
    expected = sum(ps.link(circuit)["pd"].variances.values())
    low, high = stats.norm.interval(0.999, 1.0, spread(100_000, rate, 5e9))
    assert low < np.var(out.current.values[0]) / expected < high


def test_noise_of_a_cascade_has_its_spectrum() -> None:
    stages = (("transimpedance_amplifier", {"bandwidth": 3e9, "noise_density": 5e-11}), ("adc", {"bits": 24}))
    circuit = receiver({"power": 1e-6}, *stages)
    out = ps.transient(circuit, 4e-6, sample_rate=100e9, noise=True, seed=4)
    f, found = signal.welch(out.current.values[0], 100e9, nperseg=1024)
    expected = 2.5e-21 * bessel(f, 3e9) * bessel(f, 30e9)
    band = (f > 2e8) & (f < 6e9)
    np.testing.assert_allclose(found[band], expected[band], rtol=0.2)  # 780 windows: 3.6 % each
    assert found[band].sum() == pytest.approx(expected[band].sum(), rel=0.02)


@pytest.mark.parametrize("tone", [1e9, 9e9])
def test_jitter_of_a_converter_that_reads_a_sine_is_that_of_the_link(tone: float) -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {**QUIET, "power": 1e-3}},
                "pd": {"component": "photodetector", "settings": {"bandwidth": 20e9}},
                "tia": {"component": "transimpedance_amplifier",
                        "settings": {"bandwidth": 20e9, "noise_density": 0.0, "gain": 100.0}},
                "adc": {"component": "adc", "settings": {"bits": 24, "jitter": 3e-12}},
            },
            "connections": {"laser,o1": "pd,o1", "pd,e1": "tia,e1", "tia,e2": "adc,e1"},
        }
    )  # fmt: skip
    drive = {"laser.power": waveforms.sine(tone, offset=1e-3, amplitude=0.5e-3)}
    moved, still = (
        ps.transient(circuit, 2e-6, sample_rate=40e9, drive=drive, noise=True, seed=1, adc={"jitter": t})
        for t in (3e-12, 0.0)
    )
    quiet = [term for term in TERMS if term != "jitter"]
    expected = ps.link(circuit, tone=tone, depth=0.5, without=quiet)["pd"].variances["jitter"]
    added = np.var(moved.current.values[0] - still.current.values[0])
    assert added == pytest.approx(expected, rel=0.03, abs=0)  # 80,000 squares: 0.5 %


def test_jitter_of_a_converter_that_drives_a_waveform_is_refused() -> None:
    one = ps.load("modulator")
    drive = {"dac.voltage": waveforms.sine(1e9, amplitude=1.0)}
    with pytest.raises(ParameterError, match=r"jitter of converter 'dac' .*use ps\.link\(tone"):
        ps.transient(one, 1e-9, sample_rate=640e9, drive=drive, noise=True)
    ps.transient(one, 1e-9, sample_rate=640e9, drive=drive, noise=True, dac={"jitter": 0.0})


@pytest.mark.parametrize(("rate", "warns"), [(40e9, True), (60e9, True), (110e9, False)])
def test_noise_of_a_laser_that_a_receiver_would_pass_from_beyond_the_band_is_said(
    rate: float, warns: bool
) -> None:
    """The part left out, by the Bessel filter itself from scipy."""
    one = ps.Circuit(
        {
            "instances": {
                "bright": {"component": "laser", "settings": {"rin_dB_Hz": -140.0, "linewidth": 0.0}},
                "pd": {"component": "photodetector", "settings": {"bandwidth": 20e9}},
            },
            "connections": {"bright,o1": "pd,o1"},
        }
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ps.transient(one, 4e-9, sample_rate=rate, noise=True)
    texts = [str(one.message) for one in said if "passes more" in str(one.message)]
    assert len(texts) == warns
    if warns:
        b, a = signal.bessel(4, 2 * np.pi * 20e9, analog=True, norm="mag")
        f = np.linspace(0, 400e9, 400_001)
        power = np.abs(signal.freqs(b, a, 2 * np.pi * f)[1]) ** 2
        share = 100 * power[f > 0.4 * rate].sum() / power.sum()
        found = re.search(r"noise of 'bright' is .* detector 'pd' .* (\S+) % of white", texts[0])
        assert found
        assert float(found[1]) == pytest.approx(share, rel=0.05)


@pytest.mark.parametrize("term", ["rin", "thermal"])
def test_receiver_slower_than_the_run_has_the_noise_of_the_link(term: str) -> None:
    """A low-pass that remembers more than the run: noise has had a past, at the first sample and the last."""
    quiet = {"linewidth": 0.0, "rin_dB_Hz": -110.0 if term == "rin" else -400.0}
    circuit = receiver(quiet, bandwidth=3e7, dark_current=0.0, load_resistance=1e9 if term == "rin" else 5.0)
    expected = sum(ps.link(circuit)["pd"].variances.values())
    drawn = [
        ps.transient(circuit, 2e-9, sample_rate=10e9, noise=True, seed=k).current.values[0]
        for k in range(150)
    ]
    low, high = stats.chi2.interval(0.9999, len(drawn) - 1)
    for place in (0, -1):
        spread = np.var([one[place] for one in drawn], ddof=1) * (len(drawn) - 1) / expected
        assert low < spread < high


def test_noise_of_a_receiver_that_is_too_slow_for_any_run_is_refused() -> None:
    with pytest.raises(
        ps.ParameterError, match=r"The noise of detector 'pd' .*1000 Hz needs 2e.08 samples.*ps.link"
    ):
        ps.transient(receiver({}, bandwidth=1e3), 2e-9, sample_rate=100e9, noise=True)

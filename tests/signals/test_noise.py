"""Noise of a link: closed forms, published figures, and samples drawn from the processes themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, signal, stats

import photosim as ps
from photosim.engine.windows import unasked
from photosim.signals import TERMS, Tone, contributions, effective_bits, operating_point, sample

Q, K, H, C = 1.602176634e-19, 1.380649e-23, 6.62607015e-34, 299_792_458.0


def link(
    *between: tuple[str, dict[str, Any]], laser: dict[str, Any] | None = None, **detector: Any
) -> ps.Circuit:
    """A laser, two-port parts one after the other, and a photodetector."""
    instances: dict[str, Any] = {"laser": {"component": "laser", "settings": laser or {}}}
    connections, last = {}, "laser,o1"
    for k, (component, settings) in enumerate(between):
        instances[f"p{k}"] = {"component": component, "settings": settings}
        connections[last] = f"p{k},o1"
        last = f"p{k},o2"
    instances["pd"] = {"component": "photodetector", "settings": detector}
    return ps.Circuit({"instances": instances, "connections": {**connections, last: "pd,o1"}})


def bessel(frequency: Any, bandwidth: float) -> Any:
    """Response of a Bessel low-pass of order 4 by scipy's own evaluation of its polynomials."""
    b, a = signal.bessel(4, 2 * np.pi * bandwidth, analog=True, norm="mag")
    return signal.freqs(b, a, 2 * np.pi * np.asarray(frequency))[1]


NOISE_BANDWIDTH = integrate.quad(lambda x: abs(bessel([x], 1.0)[0]) ** 2, 0, np.inf)[0]
"""Noise bandwidth over half-power frequency of one low-pass: 1.0464."""


def near(value: float, rel: float = 1e-6, abs: float = 0.0) -> Any:  # noqa: A002
    """Approximately equal; variances are far below pytest's own absolute tolerance."""
    return pytest.approx(value, rel=rel, abs=abs)


def only(*terms: str) -> tuple[str, ...]:
    return tuple(term for term in TERMS if term not in terms)


def variances(circuit: ps.Circuit, **options: Any) -> dict[str, float]:
    return dict(contributions(operating_point(circuit, {}), 0, **options).variances)


# --- closed forms ---------------------------------------------------------------------------------------


def test_textbook_terms_of_a_milliwatt() -> None:
    found = variances(link(laser={"power": 1e-3, "rin_dB_Hz": -145.0}, responsivity=0.8, dark_current=2e-6,
                           bandwidth=1e10, load_resistance=75.0, temperature=320.0))  # fmt: skip
    b = NOISE_BANDWIDTH * 1e10
    assert b == near(1.04637e10, rel=1e-5)
    assert found["shot"] == near(2 * Q * (0.8e-3 + 2e-6) * b, rel=1e-9)
    assert found["thermal"] == near(4 * K * 320.0 * b / 75.0, rel=1e-9)
    assert found["rin"] == near(10**-14.5 * b * (0.8e-3) ** 2, rel=1e-4)  # to five times the bandwidth
    assert found["phase"] < 1e-12 * found["rin"]  # a plain delay turns no phase into power
    assert [found[t] for t in ("ase_signal", "ase_ase", "amplifier", "jitter", "quantisation")] == [0] * 5


@pytest.mark.parametrize(
    ("rate", "powers"),
    [(1e9, (-27.0, -24.0, -21.0, -18.0, -14.9, -11.7)), (5e9, (-23.5, -20.5, -17.5, -14.4, -11.2, -7.3)),
     (1e10, (-22.0, -19.0, -16.0, -12.8, -9.4, -4.3))],
)  # fmt: skip
def test_sensitivity_is_the_published_one(rate: float, powers: tuple[float, ...]) -> None:
    # alqadasi2022, eq. 8 with the constants of the public code; powers in dBm to a tenth, for 1 to 6 bits.
    # Its bandwidth is that of an ideal low-pass.
    circuit = link(responsivity=1.2, dark_current=35e-9, load_resistance=50.0, temperature=0.0259 * Q / K,
                   bandwidth=rate / np.sqrt(2) / NOISE_BANDWIDTH, laser={"rin_dB_Hz": -140.0})  # fmt: skip
    for bits, dBm in enumerate(powers, start=1):
        power = 1e-3 * 10 ** (dBm / 10)
        on, off = (
            np.sqrt(
                sum(contributions(operating_point(circuit, {"laser": {"power": p}}), 0).variances.values())
            )
            for p in (power, 0.0)
        )
        assert float(effective_bits(1.2 * power / (on + off))) == near(bits, abs=0.03)


def test_avalanche_multiplies_signal_and_noise() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-5}},
                "pd": {"component": "avalanche_photodetector",
                       "settings": {"responsivity": 0.8, "multiplication": 10.0, "ionisation_ratio": 0.1}},
            },
            "connections": {"laser,o1": "pd,o1"},
        }
    )  # fmt: skip
    expected = 2 * Q * 100 * 2.71 * (0.8e-5 + 1e-9) * 10e9 * NOISE_BANDWIDTH
    assert variances(circuit)["shot"] == near(expected, rel=1e-9)
    assert circuit.photocurrents().values.item() == near(8e-5 + 1e-8)


DELAY_UM = 2000.0


def interferometer(linewidth: float, length: float = DELAY_UM, **detector: Any) -> ps.Circuit:
    quadrature = np.pi / 2 - 2 * np.pi * 2.34 * length / 1.55
    settings = {"delta_length": length, "phase": quadrature % (2 * np.pi) + 0.2, "splitter": "splitter"}
    return link(("mzi", settings), laser={"linewidth": linewidth, "rin_dB_Hz": -400.0}, **detector)


@pytest.mark.parametrize("bandwidth", [1e9, 20e9, 2e12])
def test_delayed_self_interference_is_the_closed_form(bandwidth: float) -> None:
    circuit = interferometer(1e6, bandwidth=bandwidth)
    delay = 3.4 * DELAY_UM * 1e-6 / C
    turned = 2 * circuit.photocurrents().values.item() / 1e-3 - 1  # the cosine of the phase between the arms
    f = np.linspace(1.0, 6 * bandwidth, 2_000_001)
    density = 1e6 / (np.pi * f**2) * 4 * np.sin(np.pi * f * delay) ** 2
    change = integrate.simpson(density * np.abs(bessel(f, bandwidth)) ** 2, x=f)
    # At 2 THz the guides' dispersion of the second order, which bends the arms' delays, is left out here.
    expected = 0.25e-6 * (1 - turned**2) * change
    assert variances(circuit)["phase"] == near(expected, rel=2e-2 if bandwidth > 1e12 else 1e-3)
    if bandwidth > 1e12:
        assert change == near(2 * np.pi * 1e6 * delay, rel=0.02)  # a random walk over the delay


def test_intensity_noise_cancels_in_a_balanced_pair_and_adds_in_one_diode() -> None:
    instances = {
        "laser": {"component": "laser", "settings": {"rin_dB_Hz": -130.0, "linewidth": 0.0}},
        "split": {"component": "splitter", "settings": {"ratio": 0.5}},
        "pd": {"component": "balanced_photodetector", "settings": {"mismatch": 0.02}},
    }
    connections = {"laser,o1": "split,o1", "split,o2": "pd,o1", "split,o3": "pd,o2"}
    found = variances(ps.Circuit({"instances": instances, "connections": connections}))
    assert found["rin"] == near(1e-13 * 20e9 * NOISE_BANDWIDTH * (1e-3 * 0.02 / 2) ** 2, rel=1e-4)
    assert found["shot"] == near(2 * Q * (1e-3 + 2e-10) * 20e9 * NOISE_BANDWIDTH, rel=1e-9)


def amplified(gain_dB: float, *after: tuple[str, dict[str, Any]], **detector: Any) -> ps.Circuit:
    soa = {"gain_dB": gain_dB, "inversion": 2.0, "saturation_power": 1.0}
    return link(
        ("soa", soa), *after, laser={"power": 1e-5, "linewidth": 0.0, "rin_dB_Hz": -400.0}, **detector
    )


def test_beat_of_signal_and_emission_is_olssons() -> None:
    density = 2.0 * H * C / 1.55e-6 * (100.0 - 1)
    found = variances(amplified(20.0, bandwidth=5e9))
    assert found["ase_signal"] == near(4 * 1e-3 * density * 5e9 * NOISE_BANDWIDTH, rel=2e-4)


def test_beat_of_emission_with_itself_is_that_of_its_spectrum() -> None:
    # 2 R^2 B integral of density^2, while the bandwidth is far below the width of the emission.
    found = variances(amplified(20.0, bandwidth=5e9))
    nu = np.linspace(C / 1.75e-6, C / 1.38e-6, 20001)
    gain = 10 ** (2.0 * np.exp(-np.log(2) * (2 * (C / nu - 1.55e-6) / 0.08e-6) ** 2))
    density, b = 2.0 * H * nu * (gain - 1), 5e9 * NOISE_BANDWIDTH
    assert found["ase_ase"] == near(2 * b * np.trapezoid(density**2, nu), rel=2e-3)
    extra = variances(amplified(20.0, bandwidth=5e9))["shot"] - 2 * Q * (1e-3 + 1e-10) * b
    assert extra == near(2 * Q * np.trapezoid(density, nu) * b, rel=2e-3)


def test_noise_of_an_amplifier_is_its_noise_figure() -> None:
    # Shot noise limited light through the amplifier: signal to noise falls by 2 n (G - 1)/G + 1/G.
    before = variances(link(laser={"power": 1e-5, "rin_dB_Hz": -400.0, "linewidth": 0.0}, dark_current=0.0,
                            responsivity=1.55e-6 * Q / (H * C)))  # fmt: skip
    after = variances(amplified(20.0, dark_current=0.0, responsivity=1.55e-6 * Q / (H * C)),
                      without=("ase_ase", "thermal"))  # fmt: skip
    shot = before["shot"] * 100.0  # the shot noise of the signal alone behind the amplifier
    figure = (after["ase_signal"] + shot) / (before["shot"] * 100.0**2)
    assert figure == near(2 * 2.0 * 0.99 + 0.01, rel=1e-3)


# --- samples ----------------------------------------------------------------------------------------------


def chance(drawn: Any, expected: float, rate: float, bandwidth: float) -> float:
    """Probability of a variance this far out, both sides, of samples of noise behind one low-pass.

    Neighbours are alike: the sum of their squared correlations says how many of them count.
    """
    f = np.linspace(0, 8 * bandwidth, 4001)
    passed = np.abs(bessel(f, bandwidth)) ** 2
    lags = np.arange(1, int(np.ceil(8 * rate / bandwidth))) / rate
    alike = np.trapezoid(passed * np.cos(2 * np.pi * f * lags[:, np.newaxis]), f) / np.trapezoid(passed, f)
    count = (np.size(drawn) - 1) / (1 + 2 * float((alike**2).sum()))
    below = float(stats.chi2.cdf(count * np.var(drawn) / expected, count))
    return 2 * min(below, 1 - below)


def chi_square(circuit: ps.Circuit, term: str, seeds: int = 4, samples: int = 2048) -> float:
    """Probability of a variance this far out, both sides, of samples over all seeds."""
    expected = variances(circuit, without=only(term))[term]
    drawn = np.concatenate(
        [sample(circuit, samples, seed=k, without=only(term)).values[0] for k in range(seeds)]
    )
    bandwidth = float(circuit.parameters["pd.bandwidth"])
    return chance(drawn, expected, 2 * bandwidth, bandwidth)


@pytest.mark.parametrize(
    ("term", "circuit"),
    [
        ("shot", link(bandwidth=5e9)),
        ("thermal", link(bandwidth=5e9)),
        ("rin", link(laser={"rin_dB_Hz": -140.0}, bandwidth=5e9)),
        # Delays far below the time of a sample make white noise.
        ("phase", interferometer(1e4, length=500.0, bandwidth=2e9)),
        ("ase_signal", amplified(20.0, bandwidth=5e9)),
        ("ase_ase", amplified(20.0, bandwidth=5e9)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_samples_have_the_variance_of_the_formula(term: str, circuit: ps.Circuit) -> None:
    # Fixed seeds; a correct model fails one time in a thousand at new ones.
    assert chi_square(circuit, term) > 1e-3


def receiver(**adc: Any) -> ps.Circuit:
    return ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 0.5e-3}},
                "pd": {"component": "photodetector", "settings": {"bandwidth": 5e9}},
                "tia": {
                    "component": "transimpedance_amplifier", "settings": {"gain": 500.0, "output_range": 4.0}
                },
                "adc": {"component": "adc", "settings": {"offset": 0.25, **adc}},
            },
            "connections": {"laser,o1": "pd,o1", "pd,e1": "tia,e1", "tia,e2": "adc,e1"},
        }
    )  # fmt: skip


def test_amplifier_noise_is_sampled_in_volts() -> None:
    circuit = receiver(bits=24)
    assert variances(circuit)["thermal"] == 0.0  # the amplifier stands in the place of the load
    passed = lambda f: abs(bessel([f], 20.0)[0] * bessel([f], 30.0)[0]) ** 2  # noqa: E731 - amplifier, adc
    band = 1e9 * integrate.quad(passed, 0, np.inf)[0]
    expected = variances(circuit)["amplifier"] * 500.0**2
    assert expected == near((15e-12 * 500) ** 2 * band, rel=1e-6)  # the detector stands in front of it
    drawn = sample(circuit, 8192, without=only("amplifier"))
    assert drawn.unit.item() == "V"
    # Samples at 10 GHz of noise up to 17 GHz are all but independent.
    assert np.var(drawn.values) == near(expected, rel=3.5 * np.sqrt(2 / 8191))


def test_steps_add_their_uniform_error() -> None:
    circuit = receiver(bits=10)
    fine = sample(circuit, 8192, without=("jitter", "quantisation")).values[0]
    coarse = sample(circuit, 8192, without=("jitter",)).values[0]
    expected = variances(circuit)["quantisation"] * 500.0**2
    assert expected == near((1 / 1023) ** 2 / 12)
    # Noise of half a step spreads the errors evenly, to a few percent.
    assert np.std(fine) > 0.4 / 1023
    assert np.mean((coarse - fine) ** 2) == near(expected, rel=0.05)
    codes = (coarse + 0.25) * 1023
    np.testing.assert_allclose(codes, np.rint(codes), atol=1e-9)


def test_jitter_of_a_sine_is_its_slope() -> None:
    circuit = receiver(bits=24, jitter=1e-12)
    options: dict[str, Any] = {"tone": 1e9, "depth": 0.5}
    without = only("jitter")
    still = sample(circuit, 4096, without=TERMS, **options).values[0]
    moved = sample(circuit, 4096, without=without, **options).values[0]
    expected = variances(circuit, tone=Tone(1e9, 0.5))["jitter"] * 500.0**2
    passed = abs(np.prod([bessel([1e9], b) for b in (5e9, 20e9, 30e9)]))
    assert expected == near((2 * np.pi * 1e9 * 1e-12 * 0.5 * 0.25 * passed) ** 2 / 2)
    # The mean of 4096 products of a slope and a Gaussian: 3.5 standard deviations are 9 %.
    assert np.mean((moved - still) ** 2) == near(expected, rel=0.09)


def test_one_laser_is_one_process_at_two_detectors() -> None:
    instances = {
        "laser": {"component": "laser", "settings": {"rin_dB_Hz": -130.0}},
        "split": {"component": "splitter", "settings": {"ratio": 0.5}},
        "a": "photodetector", "b": "photodetector",
    }  # fmt: skip
    connections = {"laser,o1": "split,o1", "split,o2": "a,o1", "split,o3": "b,o1"}
    both = sample(ps.Circuit({"instances": instances, "connections": connections}), 1024, without=only("rin"))
    np.testing.assert_allclose(both.values[0], both.values[1], rtol=1e-9)
    apart = sample(
        ps.Circuit({"instances": instances, "connections": connections}), 1024, without=only("shot")
    )
    assert abs(np.corrcoef(apart.values)[0, 1]) < 0.13  # four standard deviations of 1/sqrt(1024)


def test_samples_are_clipped_and_counted_by_stage() -> None:
    circuit = receiver(input_range=0.002)
    drawn = sample(circuit, 4096)
    assert drawn.attrs["beyond_range"]["tia"] == 0
    # Samples beyond 1 mV to either side of the mean.
    beyond = 2 * stats.norm.sf(1e-3 / (500 * ps.link(circuit, without=["quantisation"])["pd"].noise))
    assert drawn.attrs["beyond_range"]["adc"] == near(4096 * beyond, rel=0.15)
    assert drawn.values.max() <= 0.251 + 1e-12


def test_the_same_seed_draws_the_same_and_silence_is_silent() -> None:
    circuit = link(bandwidth=5e9)
    np.testing.assert_array_equal(sample(circuit, 64, seed=3), sample(circuit, 64, seed=3))
    assert np.std(sample(circuit, 64, without=TERMS).values) < 1e-15


def test_wide_lasers_are_doubted() -> None:
    narrow, wide = (contributions(operating_point(interferometer(w), {}), 0) for w in (1e6, 5e9))
    assert narrow.second_order < 1e-3
    assert not narrow.higher
    assert wide.second_order > 0.05
    assert any("a narrower linewidth" in text for text in ps.link(interferometer(5e9)).remarks)


def two_ways(walk: float, delay: float, phase: float, bandwidth: float) -> ps.Circuit:
    """Light of a line whose phase walks by sqrt(walk) rad over the delay, on two equal ways."""
    guide = {"neff": 2.4, "ng": 4.0, "loss_dB_cm": 0.0, "length": delay * C * 1e6 / 4.0}
    return ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser",
                          "settings": {"linewidth": walk / (2 * np.pi * delay), "rin_dB_Hz": -400.0}},
                "split": "splitter", "join": "splitter",
                "late": {"component": "straight", "settings": guide},
                "turn": {"component": "phase_shifter", "settings": {"phase": phase}},
                "pd": {"component": "photodetector", "settings": {"bandwidth": bandwidth}},
            },
            "connections": {
                "laser,o1": "split,o1", "split,o2": "late,o1", "late,o2": "join,o2",
                "split,o3": "turn,o1", "turn,o2": "join,o3", "join,o1": "pd,o1",
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize("phase", [0.1, 1.3, 2.9])
@pytest.mark.parametrize("walk", [1e-4, 0.01, 0.1, 0.63])
@pytest.mark.parametrize(("delay", "bandwidth"), [(1e-8, 20e9), (2e-12, 1e9), (1e-6, 20e9)])
@pytest.mark.filterwarnings("ignore:.*the usual values")
def test_what_first_order_leaves_of_a_lines_noise_is_said(
    delay: float, bandwidth: float, walk: float, phase: float
) -> None:
    # A Lorentzian line on two ways: the phase between them is Gaussian, so mean and variance are exact.
    circuit = two_ways(walk, delay, phase, bandwidth)
    cosine = 2 * circuit.photocurrents().values.item() / 1e-3 - 1
    angle = np.arccos(np.clip(cosine, -1, 1))
    exact = 0.5 * (1 + np.cos(2 * angle) * np.exp(-2 * walk)) - cosine**2 * np.exp(-walk)
    wrong = abs(exact / (np.sin(angle) ** 2 * walk) - 1)
    found = contributions(operating_point(circuit, {}), 0, without=only("phase"))
    stated = found.higher.get("phase", 0.01)
    # A slow receiver passes the same part of first and second order only about.
    assert wrong <= stated * (1.0 if bandwidth > 1e9 else 1.1)
    assert found.second_order >= 0.98 * abs(cosine) * (1 - np.exp(-walk / 2)) / (1 + cosine)
    told = any("first order" in text for text in ps.link(circuit, without=only("phase")).remarks)
    assert told == ("phase" in found.higher)


@pytest.mark.parametrize("noise", [-135.0, -118.0])
def test_intensity_noise_that_first_order_misses_is_said(noise: float) -> None:
    delay, power = 150e-12, 10 ** (noise / 10)
    circuit = two_ways(0.0, delay, 0.4, 7e9)
    settings: Any = {"laser": {"rin_dB_Hz": noise}}
    link = ps.link(circuit, without=only("rin"), **settings)
    drawn = np.concatenate(
        [sample(circuit, 16384, seed=k, without=only("rin"), **settings).values[0] for k in range(4)]
    )
    told = [text for text in link.remarks if "'rin' at 'pd' is that of first order" in text]
    wrong = abs(np.var(drawn) / link["pd"].variances["rin"] - 1)
    assert bool(told) == (power * 35e9 > 0.01)
    assert wrong < (0.06 if told else 0.03)  # 65536 values of a band of half their rate: 1 %


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda c: sample(c, 1), "A sample has 2 to 262144 samples, got 1"),
        (lambda c: sample(c, 64, tone=-1e9), "positive frequency in Hz and a depth of 0 or more, got -1"),
        (lambda c: sample(c, 64, without=("rinn",)), "no noise 'rinn' to switch off.*Did you mean 'rin'"),
        (
            lambda c: sample(c, 64, temperature=[300.0, 301.0]),
            "one circuit at one point, but 'temperature'",
        ),
    ],
)
def test_wrong_requests_are_refused(call: Any, text: str) -> None:
    with pytest.raises(ps.ParameterError, match=text):
        call(link())


def test_time_domain_draws_the_same_excess_noise() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {
                    "component": "laser", "settings": {"power": 1e-4, "linewidth": 0.0, "rin_dB_Hz": -400.0}
                },
                # Wider than the samples: what lies beyond half their rate is folded back into them.
                "pd": {"component": "avalanche_photodetector", "settings": {"bandwidth": 1e12}},
            },
            "connections": {"laser,o1": "pd,o1"},
        }
    )  # fmt: skip
    out = ps.transient(circuit, 40e-9, sample_rate=100e9, noise=True, seed=5)
    terms = variances(circuit)
    expected = terms["shot"] + terms["thermal"]
    current = out.current.values[0]
    total = float(((current - current.mean()) ** 2).sum() / expected)
    low, high = stats.chi2.interval(0.999, current.size - 1)
    assert low < total < high


# --- spectra that are finer than any fixed grid -----------------------------------------------------------


def delayed(seconds: float, linewidth: float, **detector: Any) -> ps.Circuit:
    """A lossless interferometer whose arms differ by a delay."""
    guide = {"neff": 2.4, "ng": 4.0, "loss_dB_cm": 0.0, "length": seconds * C * 1e6 / 4.0}
    return ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"linewidth": linewidth, "rin_dB_Hz": -130.0}},
                "split": "splitter", "join": "splitter",
                "long": {"component": "straight", "settings": guide},
                "short": {"component": "phase_shifter", "settings": {"phase": 0.7}},
                "pd": {"component": "photodetector", "settings": {"dark_current": 0.0, **detector}},
            },
            "connections": {
                "laser,o1": "split,o1", "split,o2": "long,o1", "long,o2": "join,o2",
                "split,o3": "short,o1", "short,o2": "join,o3", "join,o1": "pd,o1",
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize("delay", [1e-9, 1e-8, 1e-7, 1e-6, 1e-5])
@pytest.mark.filterwarnings("ignore:.*the usual values")
def test_phase_noise_of_any_delay_is_the_closed_form(delay: float) -> None:
    circuit = delayed(delay, 1e-4 / delay, bandwidth=5e9)
    turned = 2 * circuit.photocurrents().values.item() / 1e-3 - 1
    # linewidth/(pi f^2) 4 sin(pi f delay)^2 behind the low-pass: fringes one by one, then their mean.
    near_f, far_f = np.linspace(0, 100 / delay, 400_001)[1:], np.geomspace(100 / delay, 5e10, 20_001)
    low = 4 * np.sin(np.pi * near_f * delay) ** 2 / near_f**2 * np.abs(bessel(near_f, 5e9)) ** 2
    high = 2 / far_f**2 * np.abs(bessel(far_f, 5e9)) ** 2 if far_f[-1] > far_f[0] else 0 * far_f
    change = 1e-4 / delay / np.pi * (np.trapezoid(low, near_f) + np.trapezoid(high, far_f))
    found = contributions(operating_point(circuit, {}), 0)
    assert found.variances["phase"] == near(0.25e-6 * (1 - turned**2) * change, rel=2e-3)
    assert not found.unresolved


@pytest.mark.parametrize("delay", [1e-9, 1e-7, 1e-6])
def test_intensity_noise_over_many_fringes_is_the_mean_of_their_squares(delay: float) -> None:
    """The gain of intensity noise at each frequency, summed over a comb that no fringe is in step with."""
    circuit = delayed(delay, 0.0, bandwidth=5e9)
    point = operating_point(circuit, {})
    found = contributions(point, 0)
    f = np.arange(1, 60_001) * (5e9 / 12_000) * 1.000_37
    wl = C * 1e6 / (point.lines[0].frequency + np.concatenate([[0.0], f, -f]))
    waves = point.transfer(wl, ("pd,o1",), ("laser,o1",))[:, 0, 0]
    upper, lower = waves[1 : f.size + 1], waves[f.size + 1 :]
    gain = 0.5 * np.abs(np.conj(waves[0]) * upper + waves[0] * np.conj(lower))
    expected = 1e-13 * 1e-6 * float((gain**2 * np.abs(bessel(f, 5e9)) ** 2).sum() * f[0])
    assert found.variances["rin"] == near(expected, rel=0.01)


@pytest.mark.parametrize("delay", [1e-8, 1e-7])
def test_samples_are_longer_than_the_delays_on_the_way(delay: float) -> None:
    """A delay of many times the record: the phase of the arms differs by a random walk over all of it."""
    circuit = delayed(delay, 2e-4 / delay, bandwidth=5e9)
    expected = variances(circuit, without=only("phase"))["phase"]
    drawn = [sample(circuit, 64, seed=k, without=only("phase")).values[0] for k in range(120)]
    # The walk changes over the delay, which is longer than the record: one independent value a seed, about.
    assert np.mean([np.mean((d - np.mean(drawn)) ** 2) for d in drawn]) == near(expected, rel=0.45)
    assert np.mean([np.var(d) for d in drawn]) < 0.5 * expected


def test_samples_refuse_delays_beyond_any_record() -> None:
    with pytest.raises(ps.ParameterError, match="Delays on the way to the detectors differ by more than"):
        sample(delayed(1e-3, 1e3, bandwidth=50e9), 64)


@pytest.mark.parametrize("coupling", [0.01, 0.003])
def test_emission_behind_narrow_filters_is_a_sum_over_all_their_resonances(coupling: float) -> None:
    settings = {"radius": 10.0, "coupling": coupling, "neff": 60 * 1.55 / (2 * np.pi * 10.0), "ng": 4.2}
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {
                    "component": "laser", "settings": {"power": 1e-5, "linewidth": 0.0, "rin_dB_Hz": -400.0}
                },
                "soa": {"component": "soa", "settings": {"gain_dB": 20.0, "saturation_power": 1.0}},
                "ring": {"component": "ring_double", "settings": {**settings, "loss_dB_cm": 0.0}},
                "pd": {"component": "photodetector", "settings": {"dark_current": 0.0}},
            },
            "connections": {"laser,o1": "soa,o1", "soa,o2": "ring,in", "ring,drop": "pd,o1"},
            "terminate": ["ring,add", "ring,through"],
        }
    )  # fmt: skip
    point = operating_point(circuit, {})
    nu = np.linspace(C / 1.75e-6, C / 1.38e-6, 1 << 20)
    wl = C * 1e6 / nu
    gain = 10 ** (2.0 * np.exp(-np.log(2) * (2 * (wl - 1.55) / 0.08) ** 2))
    with unasked():
        waves = point.transfer(wl, ("pd,o1",), ("soa,o2",))[:, 0, 0]
    density, step = 2.0 * H * nu * (gain - 1) * np.abs(waves) ** 2, nu[1] - nu[0]
    lags = np.fft.irfft(np.abs(np.fft.rfft(density, 2 * nu.size)) ** 2)[: nu.size] * 2 * step
    f = step * np.arange(int(1e11 / step))
    expected = np.trapezoid(lags[: f.size] * np.abs(bessel(f, 20e9)) ** 2, f)
    found = contributions(point, 0)
    assert found.variances["ase_ase"] == near(expected, rel=0.01)
    current = point.currents(0).sum() + density.sum() * step
    assert point.mean_current(0) == near(current, rel=1e-3)


def test_resonances_that_nobody_looks_at_are_said_without_a_figure() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-5}},
                "amplifier": {"component": "soa", "settings": {"gain_dB": 20.0}},
                "ring": {"component": "ring_double", "settings": {"coupling": 0.001, "radius": 10.0}},
                "pd": {"component": "photodetector", "settings": {"bandwidth": 20e9}},
            },
            "connections": {"laser,o1": "amplifier,o1", "amplifier,o2": "ring,in", "ring,drop": "pd,o1"},
            "terminate": ["ring,add", "ring,through"],
        }
    )
    found = contributions(operating_point(circuit, {}), 0)
    assert np.isnan(found.unresolved["ase_ase"])
    (said,) = [text for text in ps.link(circuit).remarks if "ase_ase" in text]
    assert "How much they add is not known" in said
    assert "%" not in said


def test_slow_receiver_beside_a_fast_one_has_its_own_noise() -> None:
    """The record is longer than what the slowest receiver remembers."""

    def circuit(slow: float) -> ps.Circuit:
        return ps.Circuit(
            {
                "instances": {
                    "laser": {"component": "laser", "settings": {"linewidth": 0.0, "rin_dB_Hz": -120.0}},
                    "split": "splitter",
                    "fast": {"component": "photodetector", "settings": {"bandwidth": 20e9}},
                    "slow": {"component": "photodetector", "settings": {"bandwidth": slow}},
                },
                "connections": {"laser,o1": "split,o1", "split,o2": "fast,o1", "split,o3": "slow,o1"},
            }
        )

    one = circuit(2e7)
    expected = ps.link(one)["slow"].variances
    for term in ("rin", "thermal"):
        drawn = [sample(one, 8, seed=k, without=only(term)).sel(detector="slow").values for k in range(100)]
        low, high = stats.chi2.interval(0.9999, len(drawn) - 1)
        spread = np.var([values[-1] for values in drawn], ddof=1) * (len(drawn) - 1) / expected[term]
        assert low < spread < high
    with pytest.raises(
        ps.ParameterError, match=r"The receiver of 'slow' has a low-pass of 100 Hz, .*use ps.link"
    ):
        sample(circuit(100.0), 8)

"""Noise of a link: closed forms, published figures, and samples drawn from the processes themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import photosim as ps
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
    assert found["shot"] == near(2 * Q * (0.8e-3 + 2e-6) * 1e10, rel=1e-12)
    assert found["thermal"] == near(4 * K * 320.0 * 1e10 / 75.0, rel=1e-12)
    assert found["rin"] == near(10**-14.5 * 1e10 * (0.8e-3) ** 2, rel=1e-9)
    assert found["phase"] < 1e-12 * found["rin"]  # a plain delay turns no phase into power
    assert [found[t] for t in ("ase_signal", "ase_ase", "amplifier", "jitter", "quantisation")] == [0] * 5


@pytest.mark.parametrize(
    ("rate", "powers"),
    [(1e9, (-27.0, -24.0, -21.0, -18.0, -14.9, -11.7)), (5e9, (-23.5, -20.5, -17.5, -14.4, -11.2, -7.3)),
     (1e10, (-22.0, -19.0, -16.0, -12.8, -9.4, -4.3))],
)  # fmt: skip
def test_sensitivity_is_the_published_one(rate: float, powers: tuple[float, ...]) -> None:
    # alqadasi2022, eq. 8 with the constants of the public code; powers in dBm to a tenth, for 1 to 6 bits.
    circuit = link(responsivity=1.2, dark_current=35e-9, load_resistance=50.0, temperature=0.0259 * Q / K,
                   bandwidth=rate / np.sqrt(2), laser={"rin_dB_Hz": -140.0})  # fmt: skip
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
    expected = 2 * Q * 100 * 2.71 * (0.8e-5 + 1e-9) * 10e9
    assert variances(circuit)["shot"] == near(expected, rel=1e-12)
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
    density = lambda f: 1e6 / (np.pi * f**2) * 4 * np.sin(np.pi * f * delay) ** 2  # noqa: E731
    change = integrate.quad(density, 1.0, bandwidth, limit=2000)[0]
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
    assert found["rin"] == near(1e-13 * 20e9 * (1e-3 * 0.02 / 2) ** 2, rel=1e-9)
    assert found["shot"] == near(2 * Q * (1e-3 + 2e-10) * 20e9, rel=1e-9)


def amplified(gain_dB: float, *after: tuple[str, dict[str, Any]], **detector: Any) -> ps.Circuit:
    soa = {"gain_dB": gain_dB, "inversion": 2.0, "saturation_power": 1.0}
    return link(
        ("soa", soa), *after, laser={"power": 1e-5, "linewidth": 0.0, "rin_dB_Hz": -400.0}, **detector
    )


def test_beat_of_signal_and_emission_is_olssons() -> None:
    density = 2.0 * H * C / 1.55e-6 * (100.0 - 1)
    found = variances(amplified(20.0, bandwidth=5e9))
    assert found["ase_signal"] == near(4 * 1e-3 * density * 5e9, rel=1e-4)


def test_beat_of_emission_with_itself_is_that_of_its_spectrum() -> None:
    # 2 R^2 B integral of density^2, while the bandwidth is far below the width of the emission.
    found = variances(amplified(20.0, bandwidth=5e9))
    nu = np.linspace(C / 1.75e-6, C / 1.38e-6, 20001)
    gain = 10 ** (2.0 * np.exp(-np.log(2) * (2 * (C / nu - 1.55e-6) / 0.08e-6) ** 2))
    density = 2.0 * H * nu * (gain - 1)
    assert found["ase_ase"] == near(2 * 5e9 * np.trapezoid(density**2, nu), rel=2e-3)
    extra = variances(amplified(20.0, bandwidth=5e9))["shot"] - 2 * Q * (1e-3 + 1e-10) * 5e9
    assert extra == near(2 * Q * np.trapezoid(density, nu) * 5e9, rel=2e-3)


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


def chi_square(circuit: ps.Circuit, term: str, seeds: int = 4, samples: int = 2048, **options: Any) -> float:
    """Probability of a sum of squares this far out, both sides, of samples over all seeds."""
    tone = {"tone": Tone(options["tone"], options.get("depth", 1.0))} if "tone" in options else {}
    expected = variances(circuit, without=only(term), **tone)[term]
    drawn = np.concatenate(
        [sample(circuit, samples, seed=k, without=only(term), **options).values[0] for k in range(seeds)]
    )
    total = float(((drawn - drawn.mean()) ** 2).sum() / expected)
    below = float(stats.chi2.cdf(total, drawn.size - 1))
    return 2 * min(below, 1 - below)


@pytest.mark.parametrize(
    ("term", "circuit"),
    [
        ("shot", link(bandwidth=5e9)),
        ("thermal", link(bandwidth=5e9)),
        ("rin", link(laser={"rin_dB_Hz": -140.0}, bandwidth=5e9)),
        # Delays far below the time of a sample make white noise: its samples are independent.
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
    expected = variances(circuit)["amplifier"] * 500.0**2
    drawn = sample(circuit, 8192, without=only("amplifier"))
    assert drawn.unit.item() == "V"
    total = float(((drawn.values - drawn.values.mean()) ** 2).sum() / expected)
    assert stats.chi2.interval(0.999, 8191)[0] < total < stats.chi2.interval(0.999, 8191)[1]


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
    assert expected == near((2 * np.pi * 1e9 * 1e-12 * 0.5 * 0.25) ** 2 / 2)
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
    drawn = sample(receiver(input_range=0.002), 4096)
    assert drawn.attrs["beyond_range"]["tia"] == 0
    assert 800 < drawn.attrs["beyond_range"]["adc"] < 1400
    assert drawn.values.max() <= 0.251 + 1e-12


def test_the_same_seed_draws_the_same_and_silence_is_silent() -> None:
    circuit = link(bandwidth=5e9)
    np.testing.assert_array_equal(sample(circuit, 64, seed=3), sample(circuit, 64, seed=3))
    assert np.std(sample(circuit, 64, without=TERMS).values) < 1e-15


def test_wide_lasers_are_doubted() -> None:
    narrow, wide = (contributions(operating_point(interferometer(w), {}), 0) for w in (1e6, 5e9))
    assert narrow.second_order < 1e-3
    assert wide.second_order > 0.05
    assert any("take a narrower linewidth" in text for text in ps.link(interferometer(5e9)).remarks)


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
                # Wider than the samples: no low-pass, so that their density is white up to half their rate.
                "pd": {"component": "avalanche_photodetector", "settings": {"bandwidth": 1e12}},
            },
            "connections": {"laser,o1": "pd,o1"},
        }
    )  # fmt: skip
    out = ps.transient(circuit, 40e-9, sample_rate=100e9, noise=True, seed=5)
    terms = variances(circuit)
    expected = (terms["shot"] + terms["thermal"]) / 1e12 * 50e9
    current = out.current.values[0]
    total = float(((current - current.mean()) ** 2).sum() / expected)
    low, high = stats.chi2.interval(0.999, current.size - 1)
    assert low < total < high

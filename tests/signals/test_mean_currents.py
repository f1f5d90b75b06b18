"""One mean current for every question: of light, emission, and dark; interference is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError, PhotosimWarning
from photosim.signals import TERMS, sample
from photosim.signals.interference import InterferenceError, Lit, refuse_interference

H, C = 6.62607015e-34, 299_792_458.0


def receiving(detector: str, *between: Any, power: float = 1e-3, **settings: Any) -> ps.Circuit:
    """A laser, a splitter where the detector has two ports, and two-port parts before its first port."""
    pair = detector == "balanced_photodetector"
    instances: dict[str, Any] = {
        "laser": {"component": "laser", "settings": {"power": power}},
        "pd": {"component": detector, "settings": settings},
    }
    connections, last = {}, "laser,o1"
    for k, (component, own) in enumerate(between):
        instances[f"p{k}"] = {"component": component, "settings": own}
        connections[last], last = f"p{k},o1", f"p{k},o2"
    if pair:
        instances["split"] = {"component": "splitter", "settings": {"ratio": 0.3}}
        connections |= {last: "split,o1", "split,o2": "pd,o1", "split,o3": "pd,o2"}
    else:
        connections[last] = "pd,o1"
    return ps.Circuit({"instances": instances, "connections": connections})


def answers(one: ps.Circuit) -> dict[str, float]:
    """The mean current of the one detector, by question."""
    drawn = sample(one, 256, without=TERMS)
    return {
        "photocurrents": float(one.photocurrents().sum()),
        "tuned": float(one.photocurrents([1.55])[0, 0]),
        "link": ps.link(one)["pd"].current,
        "sample": float(drawn.mean()),
        "transient": float(ps.transient(one, 2e-10, sample_rate=4e10).current[0, -1]),
    }


CASES = {
    "photodetector": (receiving("photodetector", dark_current=2e-5), 1e-3 + 2e-5),
    # The dark currents of a pair cancel on average.
    "balanced": (receiving("balanced_photodetector", dark_current=2e-5), None),
    "avalanche": (receiving("avalanche_photodetector", power=1e-5, dark_current=1e-6), 8e-5 + 1e-5),
}


@pytest.mark.parametrize("name", CASES)
def test_dark_current_is_in_every_mean_current(name: str) -> None:
    one, expected = CASES[name]
    found = answers(one)
    if expected is None:
        expected = float(one.photocurrents(pd={"dark_current": 0.0}).sum())
    for question, value in found.items():
        assert value == pytest.approx(expected, rel=1e-9), question


def test_spontaneous_emission_is_in_every_mean_current() -> None:
    settings = {"gain_dB": 20.0, "inversion": 2.0, "saturation_power": 1.0}
    one = receiving("photodetector", ("soa", settings), power=1e-5)
    nu = np.linspace(C / 1.75e-6, C / 1.38e-6, 20001)
    gain = 10 ** (2.0 * np.exp(-np.log(2) * (2 * (C / nu - 1.55e-6) / 0.08e-6) ** 2))
    emitted = np.trapezoid(2.0 * H * nu * (gain - 1), nu)
    assert emitted > 1e-4  # a tenth of the light
    for question, value in answers(one).items():
        assert value == pytest.approx(1e-3 + 1e-10 + emitted, rel=2e-4), question
    batch = one.photocurrents(p0={"gain_dB": np.array([10.0, 20.0])}).values
    assert batch.shape == (2, 1, 1)
    assert batch[1, 0, 0] == pytest.approx(answers(one)["link"], rel=1e-9)


def test_the_sum_over_the_lines_is_the_current_of_the_detector() -> None:
    one = receiving("photodetector", ("soa", {"saturation_power": 1.0}), dark_current=1e-5)
    comb: dict[str, Any] = {"laser": {"lines": 4, "power": 1e-4}}
    currents = one.photocurrents(**comb)
    assert currents.sizes["wavelength"] == 4
    assert float(currents.sum()) == pytest.approx(ps.link(one, **comb)["pd"].current, rel=1e-9)


def test_time_refuses_the_noise_of_a_linear_amplifier_and_says_what_it_keeps() -> None:
    one = receiving("photodetector", ("soa", {}), ("straight", {}), power=1e-5)
    with pytest.raises(ParameterError, match=r"emission of 'p0' is wider.*use ps\.link.*dynamic_soa"):
        ps.transient(one, 1e-9, sample_rate=4e10, noise=True)
    modulated = receiving("photodetector", ("soa", {}), ("mach_zehnder_modulator", {}), power=1e-5)
    with pytest.warns(PhotosimWarning, match="spontaneous emission of 'p0' is computed at the first"):
        ps.transient(modulated, 1e-9, sample_rate=16e10, drive={"p1.voltage": ps.waveforms.sine(1e9)})


# --- interference -------------------------------------------------------------------------------------


def two_lasers(*, apart: float = 0.0, receiver: str = "coherent_receiver", **more: Any) -> ps.Circuit:
    """Two lasers on the ports of a receiver, or on one photodetector behind a splitter."""
    wl = C * 1e6 / (C * 1e6 / 1.55 + apart)
    instances: dict[str, Any] = {
        "signal": {"component": "laser", "settings": {"linewidth": 0.0, **more}},
        "oscillator": {"component": "laser", "settings": {"linewidth": 0.0, "wl": wl}},
        "rx": {"component": receiver},
    }
    if receiver == "coherent_receiver":
        connections = {"signal,o1": "rx,o1", "oscillator,o1": "rx,o2"}
    else:
        instances["join"] = {"component": "splitter", "settings": {"ratio": 0.5}}
        connections = {"signal,o1": "join,o2", "oscillator,o1": "join,o3", "join,o1": "rx,o1"}
    return ps.Circuit({"instances": instances, "connections": connections})


QUESTIONS: dict[str, Any] = {
    "photocurrents": lambda c: c.photocurrents(),
    "tuned": lambda c: c.photocurrents([1.55, 1.56]),
    "link": ps.link,
    "sample": lambda c: sample(c, 64),
}


@pytest.mark.parametrize("receiver", ["coherent_receiver", "photodetector"])
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("apart", [0.0, 3e9])
def test_questions_that_add_powers_refuse_where_lasers_interfere(
    receiver: str, question: str, apart: float
) -> None:
    one = two_lasers(apart=apart, receiver=receiver)
    with pytest.raises(InterferenceError, match=r"interferes at 'rx.*Use ps\.transient"):
        QUESTIONS[question](one)


def test_time_has_the_interference_and_other_questions_the_light_of_one() -> None:
    out = ps.transient(two_lasers(), 1e-9, sample_rate=4e10)
    np.testing.assert_allclose(out.current[:, -1], [1e-3 * 10**-0.05, 0.0], atol=1e-12)
    one = two_lasers(receiver="photodetector", power=0.0)
    assert float(one.photocurrents().sum()) == pytest.approx(0.5e-3 + 1e-10)
    assert ps.link(one)["rx"].current == pytest.approx(0.5e-3 + 1e-10)


def test_lines_beyond_the_bandwidth_add_in_power() -> None:
    one = two_lasers(apart=100e9, receiver="photodetector")
    assert float(one.photocurrents().sum()) == pytest.approx(1e-3 + 1e-10)
    assert ps.link(one)["rx"].current == pytest.approx(1e-3 + 1e-10)


def test_two_lines_of_one_laser_are_never_at_one_frequency() -> None:
    one = receiving("photodetector")
    with pytest.raises(ps.ParameterError, match="'spacing' is 0 Hz, but must be 1 to"):
        one.photocurrents(laser={"lines": 2, "spacing": 0.0})


def test_command_shows_the_own_light_of_sources_that_would_interfere_if_tuned(tmp_path: Any) -> None:
    from typer.testing import CliRunner

    from photosim.cli.app import app

    place = tmp_path / "two.yml"
    place.write_text(
        "instances:\n  a: laser\n  b: {component: laser, settings: {wl: 1.551}}\n"
        "  j: {component: splitter, settings: {ratio: 0.5}}\n  d: photodetector\n"
        "connections:\n  a,o1: j,o2\n  b,o1: j,o3\n  j,o1: d,o1\n",
        encoding="utf-8",
    )
    done = CliRunner().invoke(app, ["simulate", str(place), "--wl", "1.55:1.56:11"])
    assert done.exit_code == 0, done.stderr
    assert "No currents over the wavelengths: Light of 'a' and 'b' interferes" in done.stderr
    assert "1000" in done.stdout
    out = ["--out", str(tmp_path / "o.csv")]
    drawn = CliRunner().invoke(app, ["simulate", str(place), "--wl", "1.55", *out])
    assert drawn.exit_code == 1
    assert "interferes at 'd'" in drawn.stderr


def test_two_lines_of_one_source_at_one_frequency_interfere() -> None:
    """Sources of the library keep their lines 1 Hz apart; one that a user declares may not."""
    fields = np.full((2, 1), math.sqrt(1e-3), dtype=complex)
    lit = Lit("pd", 1e9, np.ones((1, 2)), fields)
    said = r"Two lines of 'twin' interfere at 'pd' \(at one frequency\): the current changes by up to 0.002 A"
    with pytest.raises(InterferenceError, match=said):
        refuse_interference("a link", ["twin", "twin"], np.array([2e14, 2e14]), [lit])
    refuse_interference("a link", ["twin", "twin"], np.array([2e14, 2e14 + 1.0]), [lit])

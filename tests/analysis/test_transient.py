"""Eyes, spectra and error rates of known signals; the analysis of kind transient and its command."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim import plotting, runner, waveforms
from photosim.analysis import traces, transient
from photosim.analysis.transient_options import read_options
from photosim.cli.app import app
from photosim.errors import ParameterError, PhotosimError

if TYPE_CHECKING:
    from pathlib import Path

RATE, SYMBOLS = 64e9, 1e9
TIME = np.arange(64 * 600) / RATE


def levels(count: int = 2, noise: float = 0.0) -> Any:
    wave = waveforms.prbs(SYMBOLS, low=0.0, high=3.0, levels=count, rise=0.2e-9, order=9)
    return wave.sample(TIME) + noise * np.random.default_rng(4).standard_normal(TIME.size)


# --- questions asked of signals ---------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 4])
def test_eye_of_a_clean_signal_is_its_levels(count: int) -> None:
    one = traces.eye(levels(count), RATE, SYMBOLS, levels=count)
    np.testing.assert_allclose(one.levels, np.linspace(0, 3, count), atol=1e-12)
    assert one.height == pytest.approx(3 / (count - 1), abs=1e-12)
    assert 0.8e-9 < one.width <= 1e-9  # an edge takes a fifth of a symbol
    assert one.error_rate == 0.0


def test_eye_of_a_noisy_signal_has_its_q_and_the_errors_that_follow() -> None:
    one = traces.eye(levels(noise=0.5), RATE, SYMBOLS)
    # 600 symbols tell a spread to 4 %, and the best of 64 instants looks better than the mean.
    assert one.q == pytest.approx(3.0, rel=0.15)
    assert traces.error_rate(3.0) == pytest.approx(1.35e-3, rel=1e-2)
    assert traces.error_rate(3.0, 4) == pytest.approx(1.5 * traces.error_rate(3.0))
    sent = waveforms.prbs(SYMBOLS, order=9).symbols
    assert sent is not None
    assert traces.errors(levels(), RATE, SYMBOLS, sent[1]) == 0
    wrong = traces.errors(levels(noise=1.0), RATE, SYMBOLS, sent[1])
    # Q = 1.5: 6.7 % of 600 symbols, 40 +- 6; five spreads are a false alarm in two million.
    assert abs(wrong - 40) < 31
    assert wrong > 0


def test_sequence_is_maximal_and_gray_coded_levels_differ_by_one_bit() -> None:
    _, heights = waveforms.prbs(SYMBOLS, order=7).symbols or (0, np.zeros(1))
    assert heights.size == 127
    assert heights.sum() == 64
    runs = {tuple(np.roll(heights, k)[:7].tolist()) for k in range(127)}
    assert len(runs) == 127


def test_constellation_takes_the_wave_at_its_symbols() -> None:
    wave = np.exp(0.5j * np.pi * levels(4))
    points = traces.constellation(wave, RATE, SYMBOLS)
    assert np.abs(points - np.round(points.real) - 1j * np.round(points.imag)).max() < 1e-9


def test_spectrum_puts_light_above_the_carrier_at_positive_frequencies() -> None:
    wave = 2e-2 * np.exp(-2j * np.pi * 5e9 * TIME)
    density = traces.power_spectrum(wave, RATE)
    assert float(density.frequency[int(np.argmax(density.values))]) == pytest.approx(5e9, abs=6e7)
    step = float(density.frequency[1] - density.frequency[0])
    assert float(density.sum()) * step == pytest.approx(4e-4, rel=1e-2)


def test_errors_need_enough_symbols() -> None:
    with pytest.raises(ParameterError, match="needs 8 symbols"):
        traces.eye(TIME[:640], RATE, SYMBOLS)
    with pytest.raises(ParameterError, match="2 samples a symbol"):
        traces.eye(np.zeros(640), RATE, RATE)


# --- the analysis --------------------------------------------------------------------------------------


LINK = {"kind": "transient", "name": "data", "duration": 4e-9, "sample_rate": "320e9",
        "drive": {"phase": {"wave": "prbs", "rate": "10e9", "high": 3.14}},
        "eye": {"signal": "receiver", "rate": 10e9}}  # fmt: skip


def test_analysis_reads_its_options_and_returns_figures() -> None:
    link = ps.load("link")
    result = transient.transient(link, read_options(LINK, link))
    numbers = result.numbers()
    assert numbers["samples"] == 1280
    assert numbers["eyes"]["receiver"]["levels"][1] == pytest.approx(0.9021e-3, rel=0.02)
    assert [t.title for t in result.tables()] == ["data: signals", "data: eye of receiver"]
    assert [row[0] for row in result.tables()[1].rows][:2] == ["levels (mA)", "height (mA)"]
    assert set(plotting.for_transient(result)) == {"currents", "eye"}


def test_an_eye_has_as_many_levels_as_the_symbols_sent() -> None:
    circuit = ps.load("pam4_transmitter")
    drive = {"wave": "prbs", "levels": 4, "order": 7, "rate": 14e9, "low": -1.0, "high": 1.0, "rise": 9e-12}
    entry: dict[str, Any] = {"kind": "transient", "duration": 10e-9, "sample_rate": 896e9, "eye": {}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = read_options({**entry, "drive": {"modulator.voltage": drive}}, circuit)
        result = transient.transient(circuit, options)
    one = result.eyes["receiver"]
    # half of 3.98 mA times 1 + sin(pi/2 voltage/2 V), for voltages of -1, -1/3, 1/3 and 1 V
    expected = 1.99e-3 * (1 + np.sin(np.pi / 4 * np.array([-1, -1 / 3, 1 / 3, 1])))
    assert one.levels == pytest.approx(expected, rel=0.03)
    assert one.q > 5


def test_an_eye_that_follows_no_symbols_has_the_levels_of_the_drive() -> None:
    rng = np.random.default_rng(3)
    options = read_options(
        {**LINK, "drive": {"phase": {"wave": "prbs", "levels": 4, "rate": "10e9"}}}, ps.load("link")
    )
    own = np.repeat(rng.integers(0, 4, 40), 32) + 0.01 * rng.standard_normal(1280)
    assert options.eye is not None
    assert transient._seen(own, options, options.eye).levels == pytest.approx([0, 1, 2, 3], abs=0.02)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dur": 1}, "has no option 'dur'"),
        ({"duration": "long"}, "'duration' must be a positive number, but is the text 'long'"),
        ({"drive": {"phas": 1.0}}, "drive: the circuit has no setting 'phas'.*Did you mean 'phase'"),
        ({"drive": {"phase": {"wave": "prbs"}}}, "drive: phase \\(prbs\\) needs the option 'rate'"),
        ({"inputs": {"in": 1.0}}, "inputs: the circuit has no port 'in'. It has: none"),
        (
            {"eye": {"signal": "laser", "rate": 1e9}},
            "signal: there is no signal 'laser'. There are: receiver",
        ),
        ({"noise": "loud"}, "'noise' must be true or false, but is the text 'loud'"),
        ({"seed": -1}, "'seed' must be a whole number from 0, but is the number -1"),
    ],
    ids=str,
)
def test_bad_option_is_one_sentence(change: dict[str, Any], said: str) -> None:
    link = ps.load("link")
    with pytest.raises(PhotosimError, match=said):
        read_options({**LINK, **change}, link)


def test_an_eye_without_a_rate_has_that_of_the_symbols() -> None:
    link = ps.load("link")
    read = read_options({**LINK, "eye": {}}, link)
    assert read.eye is not None
    assert read.eye.rate == read_options(LINK, link).drive["phase"].symbols[0]  # type: ignore[index]


def test_noise_is_that_of_its_seed() -> None:
    laser = ps.load("direct_laser")
    options = read_options({**laser.netlist.analyses[0], "duration": 3e-9, "settle": 0.0}, laser)
    first, again, other = (transient.transient(laser, options, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.data.current, again.data.current)
    assert np.abs(first.data.current - other.data.current).max() > 1e-6


# --- the command ----------------------------------------------------------------------------------------


def test_command_writes_picture_and_table_and_prints_json(tmp_path: Path) -> None:
    drive = "phase=prbs:rate=1e10,high=3.14"
    command = [
        "transient", "link", "--duration", "3e-9", "--rate", "320e9", "--drive", drive,
        "--plot", str(tmp_path / "link.png"), "--out", str(tmp_path / "link.csv"), "--json",
    ]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert shown["signals"]["receiver"]["most"] == pytest.approx(0.9e-3, rel=0.05)
    header, first = (tmp_path / "link.csv").read_text(encoding="utf-8").splitlines()[:2]
    assert header == "time_s,current_A:receiver,drive:phase"
    assert float(first.split(",")[0]) == 0.0
    assert (tmp_path / "link.png").stat().st_size > 10_000


def test_waves_come_back_from_netcdf(tmp_path: Path) -> None:
    import xarray

    from photosim.timedomain import files

    ring = ps.load("all_pass_ring")
    port = ring.ports[0]
    out = ps.transient(ring, 1e-10, sample_rate=1e12, inputs={port: waveforms.constant(1e-3)}, wl=1.55)
    files.write(tmp_path / "out.nc", out)
    with xarray.open_dataset(tmp_path / "out.nc", engine="scipy") as data:
        np.testing.assert_allclose(data.wave_re.values + 1j * data.wave_im.values, out.wave.values)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "say how long with --duration SECONDS"),
        (["--duration", "1e-9", "--rate", "1e11", "--drive", "phase"], "Cannot read the drive 'phase'"),
        (["--duration", "1e-9", "--rate", "1e11", "--drive", "phase=prbs:rate"], "write OPTION=VALUE"),
        (["--analysis", "eye"], "lists no transient called 'eye'; it has none"),
        (
            ["--duration", "1e-9", "--rate", "fast"],
            "'sample_rate' must be a positive number, but is the text 'fast'",
        ),
    ],
    ids=str,
)
def test_bad_command_is_one_sentence(more: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["transient", "link", *more])
    assert done.exit_code == 1
    assert said in done.stderr


def test_run_files_an_analysis_in_time(tmp_path: Path) -> None:
    text = (
        "name: short\ninstances:\n  l: laser\n  d: photodetector\nconnections:\n  l,o1: d,o1\n"
        "analyses:\n  - {kind: transient, name: light, duration: 1.0e-9, sample_rate: 1.0e+11}\n"
    )
    (tmp_path / "short.yml").write_text(text, encoding="utf-8")
    report = runner.run(tmp_path / "short.yml", out=tmp_path / "out")
    assert {path.name for path in report.files} == {"light_currents.png", "light.csv", "results.json"}
    assert report.numbers["analyses"][0]["signals"]["d"]["mean"] == pytest.approx(1e-3, rel=1e-6)


# --- figures of a transceiver, in analyses and on the command line ------------------------------------------

PRBS = "phase=prbs:rate=10e9,high=2.0,order=7"


def test_figures_of_an_analysis_follow_the_drive_and_are_drawn() -> None:
    circuit = ps.load("link")
    entry = {
        "kind": "transient", "name": "judged", "duration": 15e-9, "sample_rate": 160e9,
        "drive": {"phase": {"wave": "prbs", "rate": 10e9, "levels": 4, "high": 2.0}}, "figures": {},
    }  # fmt: skip
    result = transient.transient(circuit, read_options(entry, circuit))
    found = result.figures["receiver"].numbers()
    assert found["pattern"] == "PRBS7Q"
    assert found["tdecq"]["tdecq_dB"] > 0.0
    # Without low-passes the levels are those of cos^2, upside down.
    wanted = 0.9 * 2e-3 * 10**-0.3
    assert found["high"] == pytest.approx(wanted, rel=1e-2)
    assert found["extinction_dB"] == pytest.approx(-20 * np.log10(np.cos(1.0)), rel=1e-2)
    assert any("figures of receiver" in table.title for table in result.tables())
    assert set(plotting.for_transient(result)) >= {"figures"}
    picture = plotting.for_transient(result)["figures"]()
    written = [text.get_text() for axes in picture.axes for text in axes.texts]
    assert "extinction ratio (dB)" in written


def test_two_signals_are_a_constellation() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-3}},
                "split": {"component": "splitter"},
                "modulator": {"component": "phase_shifter"},
                "receiver": {"component": "coherent_receiver", "settings": {"bandwidth": 0.0}},
            },
            "connections": {
                "laser,o1": "split,o1", "split,o2": "modulator,o1", "split,o3": "receiver,o2",
                "modulator,o2": "receiver,o1",
            },
        }
    )  # fmt: skip
    levels = {"wave": "prbs", "rate": 10e9, "levels": 4, "high": 1.5 * np.pi}
    entry = {
        "name": "qpsk", "duration": 15e-9, "sample_rate": 160e9, "drive": {"modulator.phase": levels},
        "figures": {"signal": "receiver.in_phase", "quadrature": "receiver.quadrature"},
    }  # fmt: skip
    result = transient.transient(circuit, read_options(entry, circuit))
    found = result.figures["receiver.in_phase"].numbers()
    assert found["kind"] == "constellation"
    assert found["evm"] < 0.02
    assert len(plotting.for_transient(result)["figures"]().axes) == 2


def test_figures_of_a_net_are_asked_by_any_of_its_members() -> None:
    """A net has the name of its first member, which may lie inside of an instance."""
    circuit = ps.Circuit(
        {
            "instances": {"src": "voltage_source", "amp": "driver", "laser": "laser",
                          "mod": "lumped_modulator", "pd": "junction_photodiode", "load": "resistor"},
            "connections": {"laser,o1": "mod,o1", "mod,o2": "pd,o1"},
            "nets": [["src,e1", "amp,e1"], ["amp,e2", "mod,e1"], ["pd,e2", "load,e1"],
                     ["src,e2", "mod,e2", "pd,e1", "load,e2", "gnd"]],
        }
    )  # fmt: skip
    data = {"wave": "prbs", "rate": 20e9, "high": 0.3, "rise": 2e-11}
    entry = {"name": "x", "duration": 8e-9, "sample_rate": 320e9, "drive": {"src.voltage": data}}
    for member in ("load,e1", "pd,e2", "pd.series,e2"):
        options = read_options({**entry, "figures": {"signal": member}}, circuit)
        assert options.figures is not None
        assert options.figures.signal == "pd.series,e2"
    judged = transient.transient(circuit, options).figures["pd.series,e2"]
    assert judged.numbers()["symbol_errors"] == 0
    with pytest.raises(PhotosimError, match="no signal 'load,e2'") as caught:
        read_options({**entry, "eye": {"signal": "load,e2"}}, circuit)
    assert "gnd" not in str(caught.value)


def test_figures_on_the_command_line(tmp_path: Path) -> None:
    command = ["transient", "link", "--duration", "15e-9", "--rate", "160e9", "--figures"]
    plot = tmp_path / "figures.png"
    done = CliRunner().invoke(app, [*command, "--drive", PRBS, "--json", "--plot", str(plot)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["figures"]["receiver"]
    assert found["pattern"] == "PRBS7"
    assert found["symbol_errors"] == 0
    assert found["tdecq"] is None
    assert plot.stat().st_size > 1000
    done = CliRunner().invoke(app, [*command, "--drive", PRBS])
    assert "outer modulation amplitude (mA)" in done.stdout


@pytest.mark.parametrize(
    ("figures", "drive", "said"),
    [
        ({"signal": "reciever"}, True, "there is no signal 'reciever'.*did you mean 'receiver'"),
        ({}, False, "no drive or input has symbols.*give `rate`"),
        ({"rates": 1e9}, True, "rates"),
        ({"rate": 3e9}, True, "3e.09 symbols per s do not fit: .* have 1e.10|10000000000"),
    ],
)
def test_figures_that_cannot_be_read_are_refused(figures: dict[str, Any], drive: bool, said: str) -> None:
    circuit = ps.load("link")
    data = {"phase": {"wave": "prbs", "rate": 10e9, "high": 2.0}} if drive else {}
    entry = {"name": "x", "duration": 15e-9, "sample_rate": 160e9, "drive": data, "figures": figures}
    with pytest.raises(PhotosimError, match=f"(?i){said}"):
        transient.transient(circuit, read_options(entry, circuit))

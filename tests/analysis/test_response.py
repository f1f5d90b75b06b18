"""The analysis of kind response: against closed forms, from a netlist, on the command line, and refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim import runner
from photosim.analysis.response import bandwidth, frequencies, read_options
from photosim.cli.questions import app
from photosim.errors import PhotosimError

TEXT = """\
instances:
  src: voltage_source
  r: {component: resistor, settings: {resistance: 50.0}}
  c: {component: capacitor, settings: {capacitance: 1.0e-13}}
  laser: laser
  mod: {component: mach_zehnder_modulator, settings: {bandwidth: 0, bias: 1.5}}
  pd: {component: photodetector, settings: {bandwidth: 0}}
connections: {"laser,o1": "mod,o1", "mod,o2": "pd,o1"}
nets:
- ["src,e1", "r,e1"]
- ["r,e2", "c,e1", "mod,e1"]
- ["src,e2", "c,e2", gnd]
analyses:
- {kind: response, name: s21, source: src, frequency: "100MHz:200GHz:601"}
"""
POLE = 1 / (2 * np.pi * 50.0 * 1e-13)


def _circuit(folder: Path, text: str = TEXT) -> Path:
    file = folder / "link.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_netlist_files_response_of_an_rc_driver(tmp_path: Path) -> None:
    report = runner.run(_circuit(tmp_path), out=tmp_path / "out")
    found = report.numbers["analyses"][0]["outputs"]
    # -3 dB is half of the power, to the interpolation between points.
    assert found["r,e2"]["bandwidth_3dB_Hz"] == pytest.approx(POLE, rel=1e-4)
    assert found["pd"]["bandwidth_3dB_Hz"] == pytest.approx(POLE, rel=1e-4)
    assert found["pd"]["bandwidth_6dB_Hz"] == pytest.approx(POLE * np.sqrt(3.0), rel=1e-4)
    with (tmp_path / "out" / "s21.csv").open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    table = {name: np.array([float(row[k]) for row in rows[1:]]) for k, name in enumerate(rows[0])}
    volt = table["voltage_re:r,e2"] + 1j * table["voltage_im:r,e2"]
    assert volt == pytest.approx(1 / (1 + 1j * table["frequency_Hz"] / POLE), rel=1e-9)
    assert (tmp_path / "out" / "s21_response.png").stat().st_size > 1000


def test_command_writes_and_prints(tmp_path: Path) -> None:
    file, out, plot = _circuit(tmp_path), tmp_path / "a.nc", tmp_path / "a.png"
    typed = ["response", str(file), "--frequency", "1e9,31.830988618379067GHz", "--noise", "--json",
             "--out", str(out), "--plot", str(plot)]  # fmt: skip
    answer = CliRunner().invoke(app, typed)
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["outputs"]["r,e2"]["noise_V_rms"] > 0.0
    assert plot.stat().st_size > 1000
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(out, engine="scipy") as data:
        own = data.voltage_re.sel(net="r,e2").values + 1j * data.voltage_im.sel(net="r,e2").values
    assert own[1] == pytest.approx(1 / (1 + 1j), rel=1e-6)


def test_setting_of_the_netlist_is_a_source() -> None:
    """At quadrature the slope of the current over a slow phase is that of two calls."""
    link = ps.load("link")
    found = ps.response(link, [1e3], source="phase", phase=np.pi / 2)
    up, down = (float(link.photocurrents(phase=np.pi / 2 + d).sum()) for d in (1e-4, -1e-4))
    assert found.current.values[0, 0] == pytest.approx((up - down) / 2e-4, rel=1e-5)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("0:4:5", [0, 1, 2, 3, 4]), ("1:100:3", [1, 10, 100]), ("1:3:3:linear", [1, 2, 3]), (5, [5]),
     ("1kHz,2 GHz", [1e3, 2e9]), ([1, 2.5], [1, 2.5])],
)  # fmt: skip
def test_frequencies_are_read(value: Any, wanted: list[float]) -> None:
    assert frequencies(value) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frequency": "5:1:3"}, "rises"), ({"frequency": "1:2"}, "START:STOP:POINTS"),
        ({"frequency": "1GHz:2Ghz:4"}, "'2Ghz' is not a frequency"), ({"frequency": [2, 1]}, "rise"),
        ({"frequency": "0:1e9:5:log"}, "cannot start at 0 Hz"), ({"frequency": "1:2:1"}, "2 to 1000000"),
        ({"frequency": -1.0}, "0 Hz or more"), ({"source": "scr"}, "Did you mean 'src'"),
        ({"source": "laser.power"}, "has no small signal"), ({"sources": "src"}, "'source'"),
        ({"settings": {"mod": {"volt": 1}}}, "volt"),
    ],
)  # fmt: skip
def test_wrong_options_are_one_sentence(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    circuit = ps.load(_circuit(tmp_path))
    entry = {"kind": "response", "source": "src", "frequency": "1e9:1e10:3", **change}
    with pytest.raises(PhotosimError) as reason:
        read_options(entry, circuit)
    assert words in str(reason.value)
    assert "\n" not in str(reason.value)


def test_command_asks_for_a_source(tmp_path: Path) -> None:
    file = _circuit(tmp_path, TEXT.partition("analyses")[0])
    answer = CliRunner().invoke(app, ["response", str(file)])
    assert answer.exit_code == 1
    assert "name a source with --source" in answer.stderr
    assert "src" in answer.stderr


def test_response_that_does_not_fall_has_no_bandwidth() -> None:
    assert bandwidth(np.array([1.0, 2.0]), np.array([1.0, 1.0j])) is None
    assert bandwidth(np.array([1.0, 2.0]), np.array([0.0, 1.0j])) is None


def test_electronics_alone_run_in_time_on_the_command_line(tmp_path: Path) -> None:
    """A charged capacitor: table, picture and file have the voltages of the nets."""
    text = """\
instances: {src: {component: voltage_source, settings: {voltage: 2.0}}, r: resistor, c: capacitor}
ports: {a: "r,e2"}
nets: [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["src,e2", "c,e2", gnd]]
"""
    out, plot = tmp_path / "v.csv", tmp_path / "v.png"
    typed = ["transient", str(_circuit(tmp_path, text)), "--duration", "1e-10", "--rate", "1e11"]
    answer = CliRunner().invoke(app, [*typed, "--json", "--out", str(out), "--plot", str(plot)])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["signals"]["r,e2"]["mean"] == pytest.approx(2.0, rel=1e-9)
    assert plot.stat().st_size > 1000
    from photosim.timedomain import files

    back = files.read(out)
    assert back.voltage.sel(net="r,e2").values == pytest.approx(np.full(10, 2.0), rel=1e-9)
    assert back.branch_current.values == pytest.approx(np.zeros((1, 10)), abs=1e-9)

"""Sweeps against calls of the circuit, their grids, files and errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc
from typer.testing import CliRunner

import photosim as ps
from photosim import runner
from photosim.analysis.sweeps import files
from photosim.analysis.sweeps.options import compute, read_options
from photosim.cli.questions import app
from photosim.files import datasets

WL = "1.545:1.555:301"


def test_grid_has_the_values_of_single_calls() -> None:
    circuit = ps.load("add_drop_ring")
    radii, couplings = [9.9, 10.0, 10.1], [0.02, 0.05]
    data = ps.sweep(circuit, {"ring.radius": radii, "ring": {"coupling": couplings}}, wl="1.54:1.56:2001")
    assert data.S.dims == ("ring.radius", "ring.coupling", "to", "from", "wavelength")
    for radius in radii:
        for coupling in couplings:
            s = circuit(data.wavelength.values, ring={"radius": radius, "coupling": coupling})
            mine = data.S.sel({"ring.radius": radius, "ring.coupling": coupling})
            assert np.allclose(mine.values, np.moveaxis(s.values, 0, -1), rtol=0.0, atol=1e-13)


def test_threads_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = ps.load("add_drop_ring")
    found = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("PHOTOSIM_THREADS", threads)
        found.append(ps.sweep(circuit, {"ring.radius": "9.9:10.1:37"}, wl=WL, metrics=True))
    assert all(found[0].equals(other) for other in found[1:])


def test_zip_and_samples() -> None:
    circuit = ps.load("add_drop_ring")
    vary = {"ring.radius": [9.9, 10.0, 10.1], "ring.coupling": [0.02, 0.03, 0.04]}
    data = ps.sweep(circuit, vary, wl=[1.55], mode="zip", inputs=["in"], outputs=["drop"])
    for k in range(3):
        settings: dict[str, Any] = {name: values[k] for name, values in vary.items()}
        expected = circuit([1.55], **settings)["in", "drop"].values[0]
        assert complex(data.S[k].item()) == pytest.approx(expected, abs=1e-13)
    box = {"ring.radius": (9.9, 10.1), "ring.coupling": (0.01, 0.05)}
    drawn = ps.sweep(circuit, box, wl=[1.55], mode="samples", samples=64, seed=3, keep="power")
    unit = qmc.Sobol(2, scramble=True, seed=3).random_base2(6)
    assert np.allclose(drawn["ring.coupling"], 0.01 + 0.04 * unit[:, 1])
    assert set(drawn.data_vars) == {"power"}


@pytest.mark.parametrize("method", ["sobol", "halton", "lhs", "random"])
def test_samples_fill_the_box(method: str) -> None:
    box = {"ring.radius": (9.9, 10.1)}
    data = ps.sweep(
        ps.load("add_drop_ring"), box, wl=[1.55], mode="samples", samples=256, method=method, keep="none"
    )
    assert float(data["ring.radius"].mean()) == pytest.approx(10.0, abs=0.02)
    assert 9.9 <= float(data["ring.radius"].min()) <= float(data["ring.radius"].max()) <= 10.1


def test_settings_that_shape_the_circuit_have_a_plan_each() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "c": {"component": "coupler", "settings": {"reflection": 0.0}},
                "g": {"component": "straight", "settings": {"length": 10.0}},
            },
            "connections": {"c,out0": "g,o1"},
            "ports": {"in": "c,in0", "out": "g,o2"},
            "terminate": ["c,in1", "c,out1"],
        }
    )
    assert "c.reflection" not in circuit.compiled.continuous
    data = ps.sweep(circuit, {"c.reflection": [0.0, 0.1, 0.2], "g.length": [10.0, 11.0]}, wl=[1.55, 1.551])
    for reflection in (0.0, 0.1, 0.2):
        s = circuit([1.55, 1.551], c={"reflection": reflection}, g={"length": 11.0})
        mine = data.S.sel({"c.reflection": reflection, "g.length": 11.0})
        assert np.allclose(mine.values, np.moveaxis(s.values, 0, -1), rtol=0.0, atol=1e-13)
    assert float(np.abs(data.S.sel({"c.reflection": 0.2, "from": "in", "to": "in"})).min()) > 0.1


def test_every_point_is_filled_where_settings_shape_the_circuit_and_repeat() -> None:
    circuit = ps.load("mzi_lattice")
    name = next(iter(circuit.graph.structural))
    first = circuit.graph.structural[name]
    data = ps.sweep(circuit, {name: [first, first, first]}, wl=[1.55], mode="zip")
    assert np.array_equal(data.S.values[1:], data.S.values[:1].repeat(2, axis=0))
    assert np.array_equal(data.S.values[0], ps.sweep(circuit, {}, wl=[1.55]).S.values)


def test_metrics_are_those_of_the_traces() -> None:
    circuit = ps.load("add_drop_ring")
    data = ps.sweep(circuit, {"ring.coupling": [0.02, 0.05]}, wl="1.54:1.56:2001", metrics=True)
    for k, coupling in enumerate([0.02, 0.05]):
        for pair in (("in", "drop"), ("in", "through")):
            exact = circuit(data.wavelength.values, ring={"coupling": coupling})[pair].metrics()
            mine = data.isel({"ring.coupling": k}).sel({"from": pair[0], "to": pair[1]})
            for name in ("resonance", "fsr", "fwhm", "q", "bandwidth_3dB"):
                assert float(mine[name]) == pytest.approx(float(exact[name]), rel=1e-4)
            assert float(mine.extinction_dB) == pytest.approx(float(exact.extinction_dB), abs=1e-3)
    assert data.fwhm.attrs["units"] == "um"
    assert {"photosim", "netlist_sha256", "seed", "question"} <= set(data.attrs)


@pytest.mark.parametrize("coupling", [3e-2, 3e-4, 3e-5])
def test_auto_finds_lines_that_a_grid_misses(coupling: float) -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "r": {
                    "component": "ring_double",
                    "settings": {"radius": 10.0, "coupling": coupling, "loss_dB_cm": 0.1},
                }
            },
            "ports": {"in": "r,in", "drop": "r,drop"},
            "terminate": ["r,add", "r,through"],
        }
    )
    data = ps.sweep(circuit, wl="1.54:1.56:auto", inputs=["in"], outputs=["drop"], metrics=True)
    assert int(data.lines.squeeze()) == 2
    kept = (1 - coupling) * 10 ** (-0.1 * 20 * np.pi * 1e-4 / 20)
    peak = coupling**2 * 10 ** (-0.1 * 20 * np.pi * 1e-4 / 20) / (1 - kept) ** 2
    assert float(data.insertion_loss_dB.squeeze()) == pytest.approx(-10 * np.log10(peak), abs=1e-3)
    assert data.sizes["wavelength"] < 400
    with pytest.warns(ps.PhotosimWarning, match="undersamples the spectrum"):
        coarse = ps.sweep(circuit, wl="1.54:1.56:101", inputs=["in"], outputs=["drop"])
    assert "1.54:1.56:auto" in coarse.attrs["remarks"]


def test_a_fine_grid_is_not_blamed() -> None:
    data = ps.sweep(ps.load("add_drop_ring"), wl="1.54:1.56:4001")
    assert data.attrs["remarks"] == ""


@pytest.mark.parametrize(
    ("vary", "more", "words"),
    [
        ({"ring.radus": [10.0]}, {}, "Did you mean 'ring.radius'"),
        ({"ring.radius": [-1.0]}, {}, "radius"),
        ({"ring.radius": [9.9, 10.0], "ring.coupling": [0.1]}, {"mode": "zip"}, "2 and 1 values"),
        ({"ring.radius": [9.9, 10.0]}, {"mode": "sample"}, "Did you mean 'samples'"),
        ({"ring.radius": [9.9, 10.0]}, {"mode": "samples"}, "needs their number"),
        ({"ring.radius": [10.0]}, {"samples": 4}, "belongs to mode='samples'"),
        ({"ring.radius": [10.0]}, {"method": "zip"}, "method='zip' belongs to mode='samples'.*mean 'zip'"),
        ({"ring.radius": [10.1, 9.9]}, {"mode": "samples", "samples": 4}, "between two numbers"),
        ({"ring.radius": [9.9, 10.1]}, {"mode": "samples", "samples": 4, "method": "sobal"}, "'sobol'"),
        ({"ring.radius": "9.9:10.1"}, {}, "start:stop:count"),
        ({"ring.radius": [9.9]}, {"settings": {"ring.radius": 10.0}}, "swept and fixed"),
        ({"ring.radius": [9.9]}, {"outputs": ["dorp"]}, "dorp"),
        ({"ring.radius": [9.9]}, {"keep": "all"}, "elements, power or none"),
        ({"ring.radius": [9.9]}, {"wl": "1.54:auto"}, "start:stop:auto"),
        ({"ring.radius": [9.9]}, {"wl": [1.55], "metrics": True}, "4 wavelengths"),
    ],
)
def test_bad_questions_get_a_sentence(vary: dict, more: dict, words: str) -> None:  # type: ignore[type-arg]
    options = {"wl": "1.549:1.5491:11", **more}
    with pytest.raises(ps.PhotosimError, match=words):
        ps.sweep(ps.load("add_drop_ring"), vary, **options)


def test_files_come_back(tmp_path: Path) -> None:
    circuit = ps.load("add_drop_ring")
    entry = {
        "name": "s",
        "wl": "1.5505:1.5520:401",
        "vary": {"ring.radius": "9.9995:10.0005:3"},
        "metrics": True,
    }
    result = compute(circuit, read_options(entry, circuit))
    files.write(tmp_path / "s.nc", result)
    back = datasets.read(tmp_path / "s.nc")
    assert np.array_equal(back.S.values, result.data.S.values)
    assert np.array_equal(back.q.values, result.data.q.values, equal_nan=True)
    files.write(tmp_path / "s.csv", result)
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("ring.radius,resonance:in->drop")


def test_command_and_kind_say_the_same(tmp_path: Path) -> None:
    text = (Path(ps.netlist.find("add_drop_ring"))).read_text()
    file = tmp_path / "ring.yml"
    file.write_text(
        text + 'analyses:\n  - {kind: sweep, name: radius, wl: "1.5480:1.5545:1301", '
        'vary: {ring.radius: "9.99:10.01:3"}, metrics: true}\n'
    )
    report = runner.run(file, out=tmp_path / "out")
    names = {path.name for path in report.files}
    assert {"radius_spectra.png", "radius_metrics.png", "radius.csv", "results.json"} == names
    done = CliRunner().invoke(
        app,
        ["sweep", str(file), "--json", "--out", str(tmp_path / "a.nc"), "--plot", str(tmp_path / "a.png")],
    )
    assert done.exit_code == 0, done.output
    numbers = json.loads(done.stdout)
    mine = report.numbers["analyses"][0]["pairs"]["in to drop"]
    assert numbers["pairs"]["in to drop"]["q"] == mine["q"]
    assert len(mine["q"]) == 3
    assert all(Path(name).is_file() for name in numbers["files"])

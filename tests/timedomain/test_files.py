"""Signals in files: what is written comes back, by names of any sort, and drives another simulation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

import photosim as ps
from photosim import files as tables
from photosim import runner
from photosim.errors import DataError
from photosim.timedomain import files, waveforms

NAMES = st.lists(
    st.one_of(
        st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=5),
        st.sampled_from(["pd", "x_0_re", "drive:x", "a,b", 'q"r', "g\u00fc", "bank<0.1>", "wave_re:1:"]),
    ),
    min_size=1, max_size=3, unique=True,
)  # fmt: skip


def signals(probes: list[str], detectors: list[str], drives: list[str], states: list[str]) -> xarray.Dataset:
    """A Dataset in the form of `ps.transient`, of two carriers and five samples."""
    rng = np.random.default_rng(len(probes))
    wave = rng.normal(size=(len(probes), 2, 5)) + 1j * rng.normal(size=(len(probes), 2, 5))
    return xarray.Dataset(
        {
            "wave": (("probe", "carrier", "time"), wave, {"units": "sqrt(W)"}),
            "current": (("detector", "time"), rng.normal(size=(len(detectors), 5)), {"units": "A"}),
            "drive": (("setting", "time"), rng.normal(size=(len(drives), 5))),
            "state": (("state_name", "time"), rng.normal(size=(len(states), 5))),
        },
        {
            "time": ("time", np.arange(5) / 3e11, {"units": "s"}), "probe": probes,
            "carrier": ("carrier", [1.5500000000000003, 1.55], {"units": "um"}), "detector": detectors,
            "setting": drives, "state_name": states,
        },
        {"circuit": "made", "seed": -1},
    )  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(probes=NAMES, detectors=NAMES, drives=NAMES, states=NAMES, suffix=st.sampled_from([".csv", ".nc"]))
def test_signals_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    probes: list[str],
    detectors: list[str],
    drives: list[str],
    states: list[str],
    suffix: str,
) -> None:
    data = signals(probes, detectors, drives, states)
    path = files.write(tmp_path_factory.mktemp("signals") / f"s{suffix}", data)
    back = files.read(path)
    xarray.testing.assert_equal(back, data)
    assert back.wave.attrs == data.wave.attrs
    assert back.time.attrs == data.time.attrs
    assert back.attrs.get("circuit") == ("made" if suffix == ".nc" else None)


@pytest.mark.parametrize("suffix", [".csv", ".nc"])
def test_a_simulation_comes_back_and_drives_another(tmp_path: Path, suffix: str) -> None:
    link = ps.load("link")
    drive = {"phase": waveforms.sine(frequency=2e9, amplitude=0.5)}
    data = ps.transient(link, 2e-9, sample_rate=160e9, drive=drive, probes=["receiver,o1:in"])
    path = files.write(tmp_path / f"s{suffix}", data)
    back = files.read(path)
    for name in ("current", "drive", "wave"):
        np.testing.assert_array_equal(back[name].values, data[name].values)
    if suffix == ".csv":
        again = ps.transient(
            link, 2e-9, sample_rate=160e9, drive={"phase": waveforms.file(path, column="drive:phase")}
        )
        # Behind their end the samples of a file are carried on as they may have gone, which filters feel.
        again_current, current = again.current.values[:, 100:], data.current.values[:, 100:]
        np.testing.assert_allclose(again_current[:, :-24], current[:, :-24], rtol=1e-6)
        np.testing.assert_allclose(again_current, current, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "time,x\n0,1\n", r"a\.csv:1: its columns are time, x; expected time_s, then current_A:"),
        ("a.csv", "time_s,wave_re:1.55:p\n0,1\n", "its columns are"),
        ("a.csv", "time_s,drive:a,drive:a\n0,1,2\n", "two of its columns have one name"),
        ("a.csv", "time_s,drive:a\n0,x\n", r"a\.csv:2: 'x' is not a number"),
        ("a.csv", "time_s,drive:a\n", "there are no rows"),
        ("a.nc", "no", r"Cannot read .*a\.nc as the NetCDF file of signals"),
        ("a.txt", "", r"known suffixes are \.csv, \.nc"),
    ],
)
def test_what_is_no_table_of_signals(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        files.read(tmp_path / name)
    with pytest.raises(DataError, match="There is no file"):
        files.read(tmp_path / "gone.nc")


def test_columns_of_a_waveform_file(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("time_s,current_A:pd,drive:phase\n0,1,5\n1e-9,2,6\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"several columns: say which by `column`, one of current_A:pd, drive"
    ):
        waveforms.file(path)
    with pytest.raises(DataError, match=r"no column 'drive:phas'.*did you mean 'drive:phase'|Did you mean"):
        waveforms.file(path, column="drive:phas")
    wave = waveforms.read_waveform({"wave": "file", "path": str(path), "column": "drive:phase"})
    assert wave.values(np.array([0.5e-9])) == pytest.approx([5.5])
    path.write_text("time_s,x\n0,1\n1e-9,2\n", encoding="utf-8")
    assert waveforms.file(path).values(np.array([0.25e-9])) == pytest.approx([1.25])
    path.write_text("0,1\n1e-9,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="its columns have no names"):
        waveforms.file(path, column="x")


def test_numbers_of_a_link_come_back_as_json(tmp_path: Path) -> None:
    netlist = tmp_path / "dark.yml"
    netlist.write_text(
        "instances:\n  laser: {component: laser, settings: {power: 1e-3}}\n  lit: photodetector\n"
        "  dark: photodetector\nconnections: {'laser,o1': 'lit,o1'}\nterminate: ['dark,o1']\n"
        "analyses: [{kind: link}]\n", encoding="utf-8",
    )  # fmt: skip
    report = runner.run(netlist, out=tmp_path / "out")

    def refuse(word: str) -> None:
        raise AssertionError(word)

    text = (tmp_path / "out" / "results.json").read_text(encoding="utf-8")
    back = json.loads(text, parse_constant=refuse)
    assert json.loads(json.dumps(report.numbers)) == back
    assert "dark" in text


def test_photocurrents_come_back_by_columns(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from photosim.cli.app import app

    out = tmp_path / "i.csv"
    command = ["simulate", "link", "--wl", "1.54:1.56:5", "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    columns = tables.read_columns(out)
    assert [*columns] == ["wavelength_um", "receiver_A"]
    exact = ps.load("link").photocurrents(columns["wavelength_um"])
    np.testing.assert_array_equal(columns["receiver_A"], exact.values[:, 0])

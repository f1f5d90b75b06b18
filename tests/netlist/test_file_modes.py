"""Files that hold several modes in netlists of one: map, setting or option say which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from photosim import files, netlist
from photosim.circuit import Circuit, load
from photosim.cli.app import app
from photosim.errors import DataError, NetlistError, PhotosimWarning
from photosim.model import SampledData

WL = np.linspace(1.54, 1.56, 11)
PORTS = ("o1@TE", "o1@TM", "o2@TE", "o2@TM")
TE, TM = 0.9j, 0.5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file of two modes that do not couple, and a netlist of one mode around it."""
    s = np.zeros((5, 4, 4), dtype=complex)
    s[:, 2, 0] = s[:, 0, 2] = TE
    s[:, 3, 1] = s[:, 1, 3] = TM
    table = SampledData(np.linspace(190e12, 196e12, 5), s, PORTS, ("TE", "TM", "TE", "TM"))
    files.write(tmp_path / "both.dat", table)
    (tmp_path / "one.yml").write_text(
        "instances:\n  a: {component: sampled, settings: {file: both.dat}}\n  g: {component: straight}\n"
        "connections: {'a,o2': 'g,o1'}\nports: {in: 'a,o1', out: 'g,o2'}\n", encoding="utf-8",
    )  # fmt: skip
    (tmp_path / "one.spi").write_text("a p m both\ng m q straight length=10u\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("mode", "amplitude"), [("TE", 0.9), ("TM", 0.5), ("tm", 0.5)])
def test_the_option_takes_one_mode(folder: Path, mode: str, amplitude: float) -> None:
    circuit = load(folder / "one.yml", mode=mode, strict=True)
    assert circuit.ports == ("in", "out")
    assert np.abs(circuit(WL)["in", "out"].values) == pytest.approx(np.full(11, amplitude))
    out = folder / "s.csv"
    command = ["simulate", str(folder / "one.yml"), "--wl", "1.55", "--mode", mode, "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert np.abs(files.read(out)["in", "out"].values) == pytest.approx(amplitude)


@pytest.mark.parametrize(("mode", "amplitude"), [("TE", 0.9), ("TM", 0.5)])
def test_a_map_and_a_setting_say_the_mode_and_beat_the_option(
    folder: Path, mode: str, amplitude: float
) -> None:
    text = f"cells: {{both: {{file: both.dat, mode: {mode}}}}}"
    (folder / "one.map.yml").write_text(text, encoding="utf-8")
    written = (folder / "one.yml").read_text(encoding="utf-8").replace("both.dat", f"both.dat, mode: {mode}")
    (folder / "own.yml").write_text(written, encoding="utf-8")
    for name, start, end in (("one.spi", "p", "q"), ("own.yml", "in", "out")):
        for other in (None, "TE"):
            circuit = load(folder / name, mode=other, strict=True)
            assert np.abs(circuit(WL)[start, end].values) == pytest.approx(np.full(11, amplitude))
    again = netlist.to_yaml(netlist.read(folder / "own.yml"))
    (folder / "again.yml").write_text(again, encoding="utf-8")
    assert netlist.read(folder / "again.yml").instances["a"].settings["mode"] == mode


def test_without_a_word_the_first_mode_is_taken_and_the_other_is_named(folder: Path) -> None:
    with pytest.warns(PhotosimWarning, match="mode TM of 'a,o2' at 'g,o1' meets a part without it"):
        s = load(folder / "one.yml")(WL)
    assert np.abs(s["in@TE", "out"].values) == pytest.approx(np.full(11, 0.9))


def test_a_mode_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(NetlistError, match=r"one\.yml:2:3: instance 'a' .*has no mode 'TE1': it has TE, TM"):
        netlist.read(folder / "one.yml", mode="TE1")
    (folder / "plain.yml").write_text("instances: {g: straight}\nports: {o1: 'g,o1', o2: 'g,o2'}", "utf-8")
    with pytest.raises(NetlistError, match="chooses nothing: no file of 'plain' has several modes"):
        netlist.read(folder / "plain.yml", mode="TE")
    (folder / "m.yml").write_text("cells: {both: {component: straight, mode: TE}}", encoding="utf-8")
    with pytest.raises(NetlistError, match="cell 'both': 'mode' chooses among those of a 'file'"):
        netlist.read(folder / "one.spi", cell_map=folder / "m.yml")


def test_a_table_of_one_mode_is_itself_unless_it_is_the_other_polarisation() -> None:
    s = np.ones((2, 1, 1), dtype=complex)
    for label, mode, fits in (
        ("TE", "TE", True),
        ("mode 1", "TE", True),
        ("", "TM", True),
        ("TE", "TM", False),
    ):
        table = SampledData(np.array([1.9e14, 1.95e14]), s, ("o1",), (label,), "t.dat")
        if fits:
            assert table.of_mode(mode) == (table, 0.0)
        else:
            with pytest.raises(DataError, match=r"t\.dat has no mode 'TM': it has TE"):
                table.of_mode(mode)


def test_light_that_leaves_the_mode_is_said() -> None:
    s = np.zeros((2, 4, 4), dtype=complex)
    s[:, 2, 0] = s[:, 0, 2] = 0.9
    s[:, 3, 0] = 0.2
    table = SampledData(np.array([1.9e14, 1.95e14]), s, PORTS, ("TE", "TM", "TE", "TM"), "t.dat")
    read = netlist.from_dict({
        "instances": {"a": {"component": "sampled", "settings": {"file": table, "mode": "TE"}}},
        "ports": {"in": "a,o1", "out": "a,o2"},
    })  # fmt: skip
    (warning,) = netlist.check(read)
    assert "mode TE gives up to -14 dB to modes that are left out" in warning
    with pytest.warns(PhotosimWarning, match="left out"):
        assert Circuit(read).ports == ("in", "out")

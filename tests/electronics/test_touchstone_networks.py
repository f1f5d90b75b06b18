"""Touchstone files as parts of nets: against chain matrices, modes and references worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import files
from photosim.electronics.tables import fitted_network
from photosim.electronics.vector_fit import fit
from photosim.errors import DataError, PhotosimError
from photosim.model import ElectricalTable

F = np.linspace(0.0, 40e9, 161)


def _chain(f: np.ndarray) -> np.ndarray:
    """Return ABCD (F, 2, 2) of a shunt capacitor, a line with skin loss, and a series inductor."""
    omega, one, none = 2j * np.pi * f, 1.0 + 0 * f, 0j * f
    turn = 0.3 * np.sqrt(1j * f / 40e9) + omega * 25e-12
    line = np.array([[np.cosh(turn), 55.0 * np.sinh(turn)], [np.sinh(turn) / 55.0, np.cosh(turn)]])
    shunt = np.array([[one, none], [omega * 30e-15, one]])
    series = np.array([[one, omega * 0.1e-9], [none, one]])
    return np.asarray(np.moveaxis(shunt, 2, 0) @ np.moveaxis(line, 2, 0) @ np.moveaxis(series, 2, 0))


def _scattering(chain: np.ndarray, first: float, second: float) -> np.ndarray:
    """Return S (F, 2, 2) of power waves between two reference impedances."""
    a, b, c, d = (chain[:, i, j] for i in (0, 1) for j in (0, 1))
    below = a * second + b + c * first * second + d * first
    root = 2.0 * np.sqrt(first * second)
    s = [[a * second + b - c * first * second - d * first, root * (a * d - b * c)],
         [root + 0 * a, -a * second + b - c * first * second + d * first]]  # fmt: skip
    return np.asarray(np.moveaxis(np.array(s) / below, 2, 0))


def _write(path: Path, s: np.ndarray, head: str = "# Hz S RI R 50", lines: tuple[str, ...] = ()) -> Path:
    """Write rows of a file, of a two-port in the order 11 21 12 22."""
    flat = [x.T.ravel() if s.shape[1] == 2 else x.ravel() for x in s]
    rows = [
        f"{f:.12g} " + " ".join(f"{v.real:.15g} {v.imag:.15g}" for v in x)
        for f, x in zip(F, flat, strict=True)
    ]
    path.write_text("\n".join([*lines[:1], head, *lines[1:], *rows]) + "\n", encoding="utf-8")
    return path


def _netlist(file: str, component: str = "touchstone_two_port", **settings: Any) -> dict[str, Any]:
    return {
        "instances": {
            "src": "voltage_source", "r": {"component": "resistor", "settings": {"resistance": 30.0}},
            "dut": {"component": component, "settings": {"file": file, **settings}},
            "load": {"component": "resistor", "settings": {"resistance": 70.0}},
        },
        "nets": [["src,e1", "r,e1"], ["r,e2", "dut,e1"], ["dut,e2", "load,e1"], ["src,e2", "load,e2", "gnd"]],
    }  # fmt: skip


@pytest.mark.parametrize("second", [50.0, 80.0])
def test_two_port_between_resistors(tmp_path: Path, second: float) -> None:
    """Two reference impedances are those of version 2."""
    pytest.importorskip("skrf")
    s = _scattering(_chain(F), 50.0, second)
    if second == 50.0:
        file = _write(tmp_path / "cable.s2p", s)
    else:
        words = ("[Version] 2.0", "[Number of Ports] 2", "[Two-Port Data Order] 21_12",
                 f"[Number of Frequencies] {F.size}", "[Reference] 50", f"{second:g}",
                 "[Network Data]")  # fmt: skip
        file = _write(tmp_path / "cable.ts", s, lines=words)
    table = files.read_network(file)
    assert table.ohm.tolist() == [50.0, second]
    circuit = ps.Circuit(_netlist(table, tolerance=1e-4))  # type: ignore[arg-type]
    grid = np.array([0.0, 1e8, 1e9, 1e10, 3.9e10])
    found = ps.response(circuit, grid, source="src").voltage.sel(net="dut,e2").values
    a, b, c, d = (_chain(grid)[:, i, j] for i in (0, 1) for j in (0, 1))
    assert found == pytest.approx(70.0 / (a * 70.0 + b + 30.0 * (c * 70.0 + d)), abs=1e-3)


def test_netlist_names_file_and_runs_in_time(tmp_path: Path) -> None:
    pytest.importorskip("skrf")
    import yaml

    _write(tmp_path / "cable.s2p", _scattering(_chain(F), 50.0, 50.0))
    text = yaml.safe_dump(_netlist("cable.s2p"))
    (tmp_path / "link.yml").write_text(text, encoding="utf-8")
    circuit = ps.load(tmp_path / "link.yml")
    wave = ps.waveforms.sine(10e9)
    run = ps.transient(circuit, 0.5e-9, sample_rate=160e9, drive={"src.voltage": wave})
    time, volt = run.time.values[-32:], run.voltage.sel(net="dut,e2").values[-32:]
    tones = np.stack([np.sin(2e10 * np.pi * time), np.cos(2e10 * np.pi * time)], axis=1)
    sine = np.linalg.lstsq(tones, volt, rcond=None)[0]
    a, b, c, d = (_chain(np.array([10e9]))[0, i, j] for i in (0, 1) for j in (0, 1))
    assert sine[0] + 1j * sine[1] == pytest.approx(70.0 / (a * 70.0 + b + 30.0 * (c * 70.0 + d)), abs=2e-3)


def test_mixed_modes_are_single_ended_again(tmp_path: Path) -> None:
    """A differential wire of 100 ohm: what enters as a difference leaves as one, the common mode stays."""
    pytest.importorskip("skrf")
    through = _scattering(_chain(F), 50.0, 50.0)
    s = np.zeros((F.size, 4, 4), dtype=complex)
    s[:, :2, :2] = through  # d1, d2
    s[:, 2, 2] = s[:, 3, 3] = 1.0  # the common mode is open
    by_setting = files.read_network(_write(tmp_path / "pair.s4p", s))
    words = ("[Version] 2.0", "[Number of Ports] 4", "[Number of Frequencies] 161", "[Reference] 50 50 50 50",
             "[Mixed-Mode Order] D1,2 D3,4 C1,2 C3,4", "[Network Data]")  # fmt: skip
    by_file = files.read_network(_write(tmp_path / "pair.ts", s, lines=words))
    grid = np.array([1e9, 2e10])
    instances = {
        "src": "voltage_source", "load": {"component": "resistor", "settings": {"resistance": 140.0}},
        "r1": {"component": "resistor", "settings": {"resistance": 30.0}},
        "r2": {"component": "resistor", "settings": {"resistance": 30.0}},
    }  # fmt: skip
    nets = [["src,e1", "r1,e1"], ["src,e2", "r2,e1", "gnd"], ["r1,e2", "dut,e1"], ["r2,e2", "dut,e2"],
            ["dut,e3", "load,e1"], ["dut,e4", "load,e2"]]  # fmt: skip
    a, b, c, d = (_chain(grid)[:, i, j] for i in (0, 1) for j in (0, 1))
    # In differential quantities everything has twice the impedance.
    wanted = 70.0 / (a * 70.0 + b + 30.0 * (c * 70.0 + d))
    for table, order in ((by_setting, "mixed"), (by_file, "single")):
        dut = {"component": "touchstone_four_port", "settings": {"file": table, "order": order}}
        circuit = ps.Circuit({"instances": {**instances, "dut": dut}, "nets": nets})
        volt = ps.response(circuit, grid, source="src").voltage
        found = volt.sel(net="dut,e3").values - volt.sel(net="dut,e4").values
        assert found == pytest.approx(wanted, abs=4e-3)
    # The modes of a file that names them must not be taken apart twice.
    twice = {"component": "touchstone_four_port", "settings": {"file": by_file, "order": "mixed"}}
    with pytest.raises(
        PhotosimError, match=r"'dut'.*pair\.ts.*names its modes itself.*leave setting 'order'"
    ):
        ps.Circuit({"instances": {**instances, "dut": twice}, "nets": nets})


def test_fit_is_passive_where_the_table_is() -> None:
    table = ElectricalTable(F, _scattering(_chain(F), 50.0, 50.0), np.array([50.0, 50.0]))
    found = fitted_network(table, 1e-3, enforce=True)
    grid = np.concatenate([np.linspace(0.0, 100e9, 4001), np.geomspace(1e11, 1e14, 300)])
    turn = np.exp(-2j * np.pi * grid[:, np.newaxis] * found.delays)
    s = (found.fit.at(grid) * turn).reshape(-1, 2, 2)
    assert np.linalg.svd(s)[1].max() <= 1.0 + 1e-6
    assert (found.fit.poles.real < 0.0).all()
    assert found.error < 5e-3


def test_fit_finds_poles_that_made_the_response() -> None:
    poles = 2e9 * np.pi * np.array([-1.0, -0.2 + 3j, -0.2 - 3j])
    residues = 2e9 * np.pi * np.array([0.5, 0.3 + 0.1j, 0.3 - 0.1j])
    f = np.linspace(0.0, 10e9, 101)
    values = 0.2 + (residues / (2j * np.pi * f[:, np.newaxis] - poles)).sum(axis=1)
    found = fit(f, values[:, np.newaxis], tolerance=1e-10)
    assert found.poles == pytest.approx(poles, rel=1e-6)
    assert found.residues[0] == pytest.approx(residues, rel=1e-6)
    assert found.direct[0] == pytest.approx(0.2, rel=1e-6)


def test_amplifier_needs_its_word() -> None:
    gain = 3.0 / (1.0 + 1j * F / 20e9)
    s = np.zeros((F.size, 2, 2), dtype=complex)
    s[:, 1, 0] = gain
    table = ElectricalTable(F, s, np.array([50.0, 50.0]), file="amp.s2p")
    with pytest.raises(PhotosimError, match=r"'dut'.*amp\.s2p.*creates power.*3\.0000.*enforce: none"):
        ps.Circuit(_netlist(table))  # type: ignore[arg-type]
    circuit = ps.Circuit(_netlist(table, enforce="none"))  # type: ignore[arg-type]
    found = ps.response(circuit, [0.0, 20e9], source="src").voltage.sel(net="dut,e2").values
    # Matched input and output of 50 ohm, a source of 30 and a load of 70 ohm.
    wanted = 3.0 * 50.0 / 80.0 * 2.0 * 70.0 / 120.0
    assert found == pytest.approx([wanted, wanted / (1 + 1j)], abs=3e-3)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.s2p", "# Hz S RI R 50 x\n0 1 0 0 0 0 0 1 0\n1 1 0 0 0 0 0 1 0\n", "reference impedance"),
        ("a.s2p", "# Hz S RI R -5\n0 1 0 0 0 0 0 1 0\n1 1 0 0 0 0 0 1 0\n", "above 0"),
        ("a.s2p", "# Hz S RI R 50\n5 1 0 0 0 0 0 1 0\n5 1 0 0 0 0 0 1 0\n", "do not rise"),
        ("a.s2p", "# Hz Y RI R 50\n0 1 0 0 0 0 0 1 0\n1 1 0 0 0 0 0 1 0\n", "holds Y parameters"),
        ("a.txt", "", "as a network"),
        ("a.s2p", "# Hz S RI R 50\n0 1 0 0 0 0 0 1 zero\n", "'zero' is not a number"),
    ],
)
def test_damaged_files_are_one_sentence(tmp_path: Path, name: str, text: str, words: str) -> None:
    pytest.importorskip("skrf")
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words) as reason:
        files.read_network(tmp_path / name)
    assert "\n" not in str(reason.value)


def test_missing_file_and_wrong_ports_are_told() -> None:
    table = ElectricalTable(
        F, np.zeros((F.size, 4, 4), dtype=np.complex128), np.full(4, 50.0), file="pair.s4p"
    )
    with pytest.raises(PhotosimError, match=r"4 ports.*take touchstone_four_port"):
        ps.Circuit(_netlist(table))  # type: ignore[arg-type]
    with pytest.raises(PhotosimError, match="setting 'file' is missing"):
        ps.Circuit({"instances": {"dut": "touchstone_two_port"}, "nets": [["dut,e1", "gnd"]]})

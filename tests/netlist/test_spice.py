"""SiEPIC netlists: the real interferometer with its real parts, the forms of the language, mistakes."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from photosim import netlist
from photosim.circuit import Circuit, load
from photosim.cli.app import app
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import NetlistError, PhotosimWarning
from photosim.netlist.cells import number

LASER, DETECTOR = "ebeam_gc_te1550_laser1", "ebeam_gc_te1550_detector2"


@pytest.fixture
def kit(siepic: Path, tmp_path: Path) -> Path:
    """A folder with the kit's files and a map whose guide has the kit's indices."""
    for file in siepic.iterdir():
        shutil.copy(file, tmp_path)
    neff, ng = np.loadtxt(siepic / "wg_w500_h220.txt")[[1, 3]]
    text = f"""
cells:
  ebeam_y_1550: {{file: ybranch_te1550.sparam}}
  ebeam_gc_te1550: {{file: gc_te1550.txt, ports: [o1, o2]}}
  ebeam_wg_integral_1550:
    component: straight
    settings: {{length: wg_length, neff: {neff}, ng: {ng}, wl0: 1.55}}
    ignore: [wg_width, radius]
"""
    (tmp_path / "MZI4.map.yml").write_text(text, encoding="utf-8")
    return tmp_path


def fringe_frequencies(frequency: Any, power: Any) -> Any:
    """Frequencies of the minima, each the vertex of a parabola through the seven points around it."""
    found = []
    for k in range(6, len(power) - 6):
        if power[k] == power[k - 6 : k + 7].min():
            around = slice(k - 3, k + 4)
            bend, slope, _ = np.polyfit(frequency[around] - frequency[k], power[around], 2)
            found.append(frequency[k] - slope / (2 * bend))
    return np.sort(found)


def test_free_spectral_range_of_the_real_interferometer(kit: Path) -> None:
    circuit = load(kit / "MZI4.spi")
    wl = np.linspace(1.54, 1.56, 4001)
    frequency = SPEED_OF_LIGHT_UM_S / wl
    minima = fringe_frequencies(frequency, circuit(wl)[LASER, DETECTOR].power)
    assert len(minima) >= 7
    spacing = np.polyfit(np.arange(len(minima)), minima, 1)[0]
    fsr_nm = 1e3 * 1.55**2 / SPEED_OF_LIGHT_UM_S * spacing
    ng = np.loadtxt(kit / "wg_w500_h220.txt")[3]
    assert fsr_nm == pytest.approx(1e3 * 1.55**2 / (ng * (297.394 - 67.730)), rel=0.005)
    assert fsr_nm == pytest.approx(2.496, rel=0.005)


def test_the_interferometer_is_its_parts_composed(kit: Path) -> None:
    # Splitters, grating couplers and guides multiplied by hand, without their reflections of -20 dB.
    from photosim.files import read_table
    from photosim.model.conditioning import condition

    wl = np.linspace(1.53, 1.57, 201)
    circuit = load(kit / "MZI4.spi")
    frequency = SPEED_OF_LIGHT_UM_S / wl
    split = condition(read_table(kit / "ybranch_te1550.sparam")).interpolant(frequency)
    grating = condition(read_table(kit / "gc_te1550.txt")).interpolant(frequency)
    neff, ng = np.loadtxt(kit / "wg_w500_h220.txt")[[1, 3]]
    index = neff - (wl - 1.55) * (ng - neff) / 1.55
    arm = {length: np.exp(2j * np.pi * index * length / wl) for length in (67.730, 297.394, 256.152)}
    # Nodes: part 3 takes N$5 at pin 2 and N$4 at pin 3, part 0 N$2 at pin 2 and N$1 at pin 3.
    both = split[:, 1, 0] * arm[297.394] * split[:, 0, 1] + split[:, 2, 0] * arm[67.730] * split[:, 0, 2]
    whole = grating[:, 1, 0] * arm[256.152] * both * grating[:, 0, 1]
    found = circuit(wl)[LASER, DETECTOR].values
    scale = np.abs(whole).max()
    assert np.abs(found - whole).max() < 0.1 * scale
    assert np.sqrt(np.mean(np.abs(found - whole) ** 2)) < 0.03 * scale


def test_analyser_becomes_an_analysis_and_the_map_beside_is_found(kit: Path) -> None:
    main = netlist.read(kit / "MZI4_main.spi")
    assert main.analyses == (
        {"kind": "spectrum", "name": "ona", "wl": "1.5:1.6:2000", "from": [LASER], "to": [DETECTOR]},
    )
    assert main.ports == {DETECTOR: ("ebeam_gc_te1550_1", "o1"), LASER: ("ebeam_gc_te1550_2", "o1")}
    assert netlist.check(main, strict=True) == []
    wl = np.linspace(1.54, 1.56, 11)
    assert np.array_equal(Circuit(main)(wl).values, load(kit / "MZI4.spi")(wl).values)


@pytest.mark.parametrize(
    ("values", "wl"),
    [
        ("start=1500e-9 stop=1600e-9", "1.5:1.6:101"),
        ("input_parameter=center_and_range center=1550e-9 range=100e-9", "1.5:1.6:101"),
        ("input_unit=frequency start=190e12 stop=195e12", "1.53739722:1.57785504:101"),
    ],
)
def test_ranges_of_an_analyser(tmp_path: Path, values: str, wl: str) -> None:
    text = f".ona {values} number_of_points=101 input(1)=X,q output=X,p\ng p q straight length=3u\n"
    (tmp_path / "a.spi").write_text(text, encoding="utf-8")
    (analysis,) = netlist.read(tmp_path / "a.spi").analyses
    assert analysis == {"kind": "spectrum", "name": "ona", "wl": wl, "from": ["p"], "to": ["q"]}


@pytest.mark.parametrize(
    "path",
    [r"C:\Users\someone\AppData\Local\Temp\TOP.spi", "/var/folders/n8/T/TOP.spi", r"\\host\share\TOP.spi"],
)
def test_an_include_of_another_machine_is_the_file_beside(tmp_path: Path, path: str) -> None:
    form = (
        ".ona input_unit=wavelength start=1500.000e-9 stop=1600.000e-9 number_of_points=101\n"
        f'  + input(1)=TOP,detector2\n  + output=TOP,laser1\n.INCLUDE "{path}"\n'
    )
    (tmp_path / "main.spi").write_text(form, encoding="utf-8")
    with pytest.raises(NetlistError, match=r"main\.spi:4:1: .*(TOP\.spi|lies outside)"):
        netlist.read(tmp_path / "main.spi")
    text = ".subckt TOP detector2 laser1\ng laser1 detector2 straight length=5u\n.ends TOP\n"
    (tmp_path / "TOP.spi").write_text(text, encoding="utf-8")
    read = netlist.read(tmp_path / "main.spi")
    assert read.analyses[0]["from"] == ["laser1"]
    assert netlist.check(read, strict=True) == []


HEATED = """
.subckt TOP heater_1_elec1 heater_1_elec2 laser1 detector2
 heater_1  heater_1_elec1 heater_1_elec2 laser1 N$0 heater library="kit" lay_x=1u
 split_2  N$0 N$1 N$2 split
 guide_3  N$1 detector2 straight length=5u
.ends TOP
TOP  heater_1_elec1 heater_1_elec2 laser1 detector2 TOP sch_x=-1
N1 heater_1_elec1 dcsource amplitude=0 sch_x=-2.3
N2 heater_1_elec2 "DC Source" amplitude=0
"""
SPLIT = "  split: {component: mmi1x2, terminate: [o3]}\n"


@pytest.mark.parametrize(
    ("ports", "electrical"),
    [("[e1, none, o1, o2]", ["heater_1_elec1"]), ("[none, null, o1, o2]", []), ("[o1, o2]", []), ("[]", [])],
)
def test_electrical_pins_and_terminated_ports(tmp_path: Path, ports: str, electrical: list[str]) -> None:
    (tmp_path / "a.spi").write_text(HEATED, encoding="utf-8")
    heater = f"  heater: {{component: thermo_optic_shifter, ports: {ports}, settings: {{}}}}\n"
    (tmp_path / "a.map.yml").write_text(f"cells:\n{heater}{SPLIT}", encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read = netlist.read(tmp_path / "a.spi")
    said = [str(w.message) for w in caught]
    assert len(said) == (0 if "n" in ports else 1)
    assert all("electrical pins elec1, elec2 of cell 'heater' are not simulated" in text for text in said)
    assert netlist.check(read, strict=True) == []
    assert [*read.ports] == [*electrical, "laser1", "detector2"]
    assert read.terminate == (("split_2", "o3"),)
    plain = Circuit({
        "instances": {"h": "thermo_optic_shifter", "s": "mmi1x2",
                      "g": {"component": "straight", "settings": {"length": 5.0}}},
        "connections": {"h,o2": "s,o1", "s,o2": "g,o1"}, "terminate": ["s,o3"],
        "ports": {"a": "h,o1", "b": "g,o2"},
    })  # fmt: skip
    wl = np.array([1.55])
    assert Circuit(read)(wl)["laser1", "detector2"].values == pytest.approx(plain(wl)["a", "b"].values)


def test_a_voltage_is_named_and_a_signal_joins_one_output_with_inputs(tmp_path: Path) -> None:
    (tmp_path / "a.spi").write_text(HEATED.replace("amplitude=0 sch", "amplitude=2.5 sch"), encoding="utf-8")
    heater = "  heater: {component: thermo_optic_shifter, ports: [none, none, o1, o2]}\n"
    (tmp_path / "a.map.yml").write_text(f"cells:\n{heater}{SPLIT}", encoding="utf-8")
    with pytest.warns(PhotosimWarning, match=r"1 voltage sources, such as 'N1' of 2\.5 V, are not simulated"):
        netlist.read(tmp_path / "a.spi")
    drive = (
        "d w dac voltage=1.0\nm w p q electro_absorption_modulator\nn w q r electro_absorption_modulator\n"
    )
    (tmp_path / "b.spi").write_text(drive, encoding="utf-8")
    shifter = "{component: electro_absorption_modulator, ports: [e1, o1, o2]}"
    (tmp_path / "b.map.yml").write_text(
        f"cells:\n  electro_absorption_modulator: {shifter}", encoding="utf-8"
    )
    read = netlist.read(tmp_path / "b.spi")
    assert [*read.ports] == ["p", "r"]
    assert {*read.connections} == {
        (("m", "o2"), ("n", "o1")), (("d", "e1"), ("m", "e1")), (("d", "e1"), ("n", "e1")),
    }  # fmt: skip


def test_ports_terminated_beside_the_cells(tmp_path: Path) -> None:
    text = ".subckt a p q\ns p x y mmi1x2\ng x q straight length=3u\n.ends\n"
    (tmp_path / "a.spi").write_text(text, encoding="utf-8")
    assert "'s,o3' is left open" in netlist.check(netlist.read(tmp_path / "a.spi"))[0]
    (tmp_path / "a.map.yml").write_text("cells: {}\nterminate: ['s,o3']", encoding="utf-8")
    assert netlist.check(netlist.read(tmp_path / "a.spi"), strict=True) == []
    for wrong, message in (
        ("['t,o3']", "there is no part 't'"),
        ("[3]", "."),
        ("x", "'terminate' a list of ports"),
    ):
        (tmp_path / "a.map.yml").write_text(f"cells: {{}}\nterminate: {wrong}", encoding="utf-8")
        with pytest.raises(NetlistError, match=message):
            netlist.read(tmp_path / "a.spi")
    (tmp_path / "a.map.yml").write_text("cells: {mmi1x2: {component: mmi1x2, terminate: [o4]}}", "utf-8")
    with pytest.raises(NetlistError, match=r"part 's' \(mmi1x2\) has no port 'o4', which the map terminates"):
        netlist.read(tmp_path / "a.spi")


def test_command_line_takes_a_map(kit: Path) -> None:
    (kit / "MZI4.map.yml").rename(kit / "other.yml")
    command = ["simulate", str(kit / "MZI4.spi"), "--wl", "1.55:1.56:11", "--out", str(kit / "out.csv")]
    failed = CliRunner().invoke(app, command)
    assert failed.exit_code == 1
    done = CliRunner().invoke(app, [*command, "--map", str(kit / "other.yml")])
    assert done.exit_code == 0, done.output
    assert (kit / "out.csv").read_text(encoding="utf-8").startswith("wavelength_um,")


def test_written_as_yaml_the_interferometer_stays_the_same(kit: Path) -> None:
    first = netlist.read(kit / "MZI4.spi")
    (kit / "again.yml").write_text(netlist.to_yaml(first), encoding="utf-8")
    again = netlist.read(kit / "again.yml")
    assert dict(again.instances) == dict(first.instances)
    wl = np.linspace(1.54, 1.56, 11)
    assert np.array_equal(Circuit(again)(wl).values, Circuit(first)(wl).values)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("67.730u", 67.73), ("67.730um", 67.73), ("500n", 0.5), ("0.1m", 100.0),
        ("5.0", 5.0),
        ("-1e-3", -1e-3), ("7.4E-6", 7.4e-6), ("strip", "strip"), ("5 u", "5 u"), ("[[1,2]]", "[[1,2]]"),
        ("1.5meg", "1.5meg"),
    ],
)  # fmt: skip
def test_numbers_of_the_netlist(text: str, value: float | str) -> None:
    assert number(text) == (pytest.approx(value) if isinstance(value, float) else value)


NESTED = """
* two sub-circuits, a line continued, nodes at the outside
.param width = 0.5
.subckt arm a b
 guide a m straight length=10u
  + neff=2.4
 shift m b phase_shifter phase=0.5
.ends arm
.subckt pair in out
 one in x arm
 two x out arm
.ends pair
left p q pair
right q r straight length=5
"""


def test_hierarchy_continuation_and_outer_nodes(tmp_path: Path) -> None:
    (tmp_path / "nested.spi").write_text(NESTED, encoding="utf-8")
    read = netlist.read(tmp_path / "nested.spi")
    assert netlist.check(read, strict=True) == []
    assert read.ports == {"p": ("left", "in"), "r": ("right", "o2")}
    s = Circuit(read)(np.array([1.55]))
    index = 2.4
    expected = np.exp(2j * np.pi * index * 20 / 1.55 + 1j + 2j * np.pi * 2.34 * 5 / 1.55)
    assert s["p", "r"].values[0] == pytest.approx(expected, abs=1e-12)


def test_values_that_nothing_uses_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.spi").write_text(
        ".subckt a p q\n g p q straight length=3u tilt=4 lay_x=1\n.ends\n", "utf-8"
    )
    with pytest.warns(PhotosimWarning, match=r"the values tilt of cell 'straight' are not simulated"):
        read = netlist.read(tmp_path / "a.spi")
    assert read.instances["g"].settings == {"length": 3.0}


PART = "g p q straight length=3u"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the file holds no circuit"),
        (f".subckt a p q\n{PART}\n", r"a\.spi:1:1: \.subckt a is not closed by \.ends"),
        (f".subckt a p q\n{PART}\n.subckt b p q\n", r"a\.spi:3:1: \.subckt a is still open, from line 1"),
        (".ends\n", r"a\.spi:1:1: \.ends closes no \.subckt"),
        (".subckt a p p\n", r"two pins of sub-circuit 'a' have one name"),
        (".sbckt a p q\n", r"no directive '\.sbckt'.* Did you mean '\.subckt'\?"),
        (f".subckt a p q\n{PART}\n{PART}\n.ends\n", r"a\.spi:3:1: part 'g' is given twice"),
        (f".subckt a p q r\n{PART}\n.ends\n", r"no part is at the pin 'r' of sub-circuit 'a'"),
        (
            f".subckt a p q\n{PART}\nh q q straight\n.ends\n",
            r"a\.spi:3:1: 'g,o2', 'h,o1' meet at the pin 'q'",
        ),
        ("a 1 2 straight\nb 1 3 straight\nc 1 4 straight\n", r":3:1: .*'c,o1' meet at node '1'"),
        ("g p q strait\n", r"a\.spi:1:1: part 'g': the cell 'strait' is not a component, and no map"),
        ("g p straight\n", r"part 'g' \(straight\) has 1 pins, but 2 ports: o1, o2"),
        ("straight\n", r"a part is a name, the nodes of its pins and its cell"),
        ("g p q straight length=3u more\n", r"'more' stands behind key=value"),
        ("g p q straight length=3u length=4u\n", r"'length' is given twice"),
        (
            ".subckt a p q\nx p q b\n.ends\n.subckt b p q\ny p q a\n.ends\nt 1 2 a\n",
            r"contain each other: a, b, a",
        ),
        ('.include "../x.spi"\n', r"a\.spi:1:1: the file '\.\./x\.spi' lies outside"),
        ('.include "gone.spi"\n', r"a\.spi:1:1: .*gone\.spi cannot be read: no such file"),
        ('.include "a.spi"\n', r"a\.spi includes itself"),
        (f"{PART}\n.ona start=1\n", r"a\.spi:2:1: \.ona needs start and stop \(or center and range\)"),
        (
            f"{PART}\n.ona start=1.5e-6 stop=1.6e-6 number_of_points=3 output=X,s\n",
            r"\.ona: the circuit has no port 's'. It has: p, q",
        ),
        ("a.b p q straight\n", r"a\.spi:1:1: 'a\.b' cannot name an instance"),
    ],
)
def test_mistakes_are_one_sentence_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.spi").write_text(text, encoding="utf-8")
    with pytest.raises(NetlistError, match=message):
        netlist.read(tmp_path / "a.spi")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cell: {}", r"a map holds 'cells'"),
        ("cells: {c: 3}", r"m\.yml:1:9: cell 'c' must be a mapping"),
        ("cells: {c: {fil: x}}", r"cell 'c' has no key 'fil'.* Did you mean 'file'\?"),
        ("cells: {c: {}}", r"there is no component None\. Give 'component' or 'file'"),
        ("cells: {c: strait}", r"there is no component 'strait'.*Did you mean 'straight'\?"),
        ("cells: {c: {file: gone.sparam}}", r"m\.yml:1:19: cell 'c': .*gone\.sparam cannot be read"),
        ("cells: {c: {file: /etc/passwd}}", r"lies outside the netlist's folder"),
        (
            "cells: {c: {component: straight, ports: o1}}",
            r"cell 'c': 'ports' must be a list of names, but is the text 'o1'",
        ),
        (
            "cells: {c: {component: straight, settings: 4}}",
            r"m\.yml:1:34: cell 'c': 'settings' must be a mapping of names to values, but is the number 4",
        ),
        (
            "cells: {c: {component: straight, settings: {length: w}}}",
            r"needs the value 'w', which is not given",
        ),
        ("cells: {c: {component: straight, settings: {length: k}}}", r"'k', which is 'text', not a number"),
        ("cells: {c: {component: straight, settings: {length: f(1)}}}", r"m\.yml:1:9: setting 'length'"),
    ],
)
def test_mistakes_of_a_map_are_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.spi").write_text("g p q c k=text\n", encoding="utf-8")
    (tmp_path / "m.yml").write_text(text, encoding="utf-8")
    with pytest.raises(NetlistError, match=message):
        netlist.read(tmp_path / "a.spi", cell_map=tmp_path / "m.yml")


def test_damaged_files_end_in_an_error_or_a_netlist(kit: Path) -> None:
    text = (kit / "MZI4.spi").read_bytes()
    rng = np.random.default_rng(5)
    messages = []
    for _ in range(200):
        broken = bytearray(text)
        for at in rng.integers(0, len(text), 3):
            broken[at] = rng.integers(0, 256)
        (kit / "MZI4.spi").write_bytes(bytes(broken[: rng.integers(1, len(text) + 1)]))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PhotosimWarning)
                netlist.check(netlist.read(kit / "MZI4.spi"))
        except NetlistError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in message for message in messages)


def test_an_include_of_another_machine_that_is_not_here_is_said_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.spi"
    file.write_text('* a\n.include "D:\\\\chips\\\\TOP.spi"\n', encoding="utf-8")
    with pytest.raises(NetlistError, match=r"a\.spi:2:.*another machine.* no file 'TOP\.spi' in the"):
        netlist.read(file)

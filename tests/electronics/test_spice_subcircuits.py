"""SPICE subcircuits in nets: against photosim's own parts, closed forms, charges; decks that are refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import photosim as ps
from photosim import files
from photosim.electronics.ngspice import installed, library
from photosim.electronics.ngspice.library import Refused, ask
from photosim.errors import DataError, ParameterError, PhotosimError

said = pytest.mark.filterwarnings("ignore:.*needs the shared library of ngspice")
"""What reads and draws works without ngspice, and says there that a run will need it."""
needed = pytest.mark.skipif(
    installed() is None, reason="the library of ngspice is not installed (Debian: libngspice0)"
)

DECK = """* parts of a transceiver
.subckt Ladder in out
r1 in n1 50
l1 n1 n2 0.2n
c1 n2 0 60f
l2 n2 n3 0.3n   ; inner inductor
c2 n3 0 80f
l3 n3 out
+ 0.2n
c3 out 0 50f
r2 out 0 70
.ends
.subckt CE IN OUT vcc params: rc=1k re={rc/10}
q1 out b e npn1
rb1 vcc b 40k
rb2 b 0 10k
cin in b 10u
rc vcc out {rc}
re e 0 {re}
.model npn1 npn(is=1e-16 bf=100 cje=10f cjc=5f tf=1p)
.ends CE
.subckt clip a
d1 a 0 dm
d2 0 a dm
.ends
.model dm d(is=1e-14 n=1.1 rs=2 cjo=20f tt=5p)
.subckt divider a b
r1 a b 1k
r2 b 0 1k
.ends
.subckt tia in out
e1 x 0 0 in 1k
r1 x y 50
c1 y 0 10f
eo out 0 y 0 1
rf in out 500
.ends
"""


def _deck(folder: Path, text: str = DECK, name: str = "parts.cir") -> Any:
    place = folder / name
    place.write_text(text, encoding="utf-8")
    return files.read_spice(place)


def _x(deck: Any, subckt: str, **settings: Any) -> dict[str, Any]:
    return {
        "component": "spice_subcircuit",
        "settings": {"file": deck, "subckt": subckt, "temperature": 300.15, **settings},
    }


def _r(ohm: float) -> dict[str, Any]:
    return {"component": "resistor", "settings": {"resistance": ohm}}


def _rows() -> tuple[dict[str, Any], list[list[str]]]:
    """The ladder of photosim's own parts: instances and nets."""
    henry, farad = (("inductor", "inductance"), ("capacitor", "capacitance"))
    rows = {
        "r1": (("resistor", "resistance"), 50.0, "in", "a"), "l1": (henry, 0.2e-9, "a", "b"),
        "c1": (farad, 60e-15, "b", "0"), "l2": (henry, 0.3e-9, "b", "c"), "c2": (farad, 80e-15, "c", "0"),
        "l3": (henry, 0.2e-9, "c", "out"), "c3": (farad, 50e-15, "out", "0"),
        "r2": (("resistor", "resistance"), 70.0, "out", "0"),
    }  # fmt: skip
    nets: dict[str, list[str]] = {"out": [], "in": ["src,e1"], "0": ["src,e2", "gnd"]}
    instances: dict[str, Any] = {"src": "voltage_source"}
    for name, ((component, setting), value, a, b) in rows.items():
        instances[name] = {"component": component, "settings": {setting: value}}
        for pin, node in (("e1", a), ("e2", b)):
            nets.setdefault(node, []).append(f"{name},{pin}")
    return instances, list(nets.values())


@needed
def test_ladder_of_a_deck_is_that_of_our_own_parts(tmp_path: Path) -> None:
    """Small signals to rounding; time, and the current of the source, to the error that the run states."""
    instances, nets = _rows()
    own = ps.Circuit({"instances": instances, "nets": nets})
    given = ps.Circuit({
        "instances": {"src": "voltage_source", "x": _x(_deck(tmp_path), "ladder"), "load": _r(1e9)},
        "nets": [["src,e1", "x,in"], ["x,out", "load,e1"], ["src,e2", "load,e2", "gnd"]],
    })  # fmt: skip
    grid = np.array([0.0, 1e8, 1e9, 1e10, 5e10])
    wanted = ps.response(own, grid, source="src").voltage.sel(net="l3,e2").values
    found = ps.response(given, grid, source="src").voltage.sel(net="x,e2").values
    assert found == pytest.approx(wanted, abs=1e-6)
    drive = {"src.voltage": ps.waveforms.prbs(20e9, low=-1.0, high=1.0)}
    one, other, again = (ps.transient(c, 0.5e-9, sample_rate=320e9, drive=drive) for c in (own, given, given))
    assert other.voltage.sel(net="x,e2").values == pytest.approx(
        one.voltage.sel(net="l3,e2").values, abs=1e-5
    )
    branch = {"branch": "src.v"}
    assert other.branch_current.sel(branch).values == pytest.approx(
        one.branch_current.sel(branch).values, abs=1e-7
    )
    assert np.array_equal(other.voltage.values, again.voltage.values)


@needed
def test_clipper_at_rest_and_in_time(tmp_path: Path) -> None:
    """Slow sine: in every instant what a diode equation in series with resistors has."""
    clip = ps.Circuit({
        "instances": {"src": "voltage_source", "r": _r(100.0), "x": _x(_deck(tmp_path), "clip")},
        "nets": [["src,e1", "r,e1"], ["r,e2", "x,a"], ["src,e2", "gnd"]],
    })  # fmt: skip
    run = ps.transient(
        clip, 2e-6, sample_rate=64e6, drive={"src.voltage": ps.waveforms.sine(1e6, amplitude=2.0)}
    )
    thermal = 1.1 * 1.380649e-23 * 300.15 / 1.602176634e-19

    def solved(volt: float) -> float:
        def left(i: float) -> float:  # i through one diode, its series resistance and the resistor
            return i * 102.0 + thermal * float(np.log1p(i / 1e-14)) - abs(volt)

        i = float(brentq(left, 0.0, abs(volt) / 100.0 + 1e-12, xtol=1e-16))
        return float(np.sign(volt) * (abs(volt) - 100.0 * i))

    volts = run.voltage.sel(net="src,e1").values
    wanted = np.array([solved(v) for v in volts])
    found = run.voltage.sel(net="r,e2").values
    assert np.abs(found).max() < 1.0 < np.abs(volts).max()
    # The charge of the junctions moves with the sine: 2 pi 1 MHz, 0.5 pF and 100 ohm of 2 V.
    assert found == pytest.approx(wanted, abs=2e-3)
    assert found.max() == pytest.approx(solved(float(volts.max())), abs=1e-4)


@needed
def test_amplifier_at_rest_in_small_signals_and_noise(tmp_path: Path) -> None:
    """A common emitter stage: gain -rc/(re + 1/gm) roughly, and what its collector resistor's noise is."""
    circuit = ps.Circuit({
        "instances": {
            "src": "voltage_source", "vcc": {"component": "voltage_source", "settings": {"voltage": 5.0}},
            "amp": _x(_deck(tmp_path), "CE", parameters="rc=2k"), "load": _r(1e6),
        },
        "nets": [["src,e1", "amp,in"], ["amp,OUT", "load,e1"], ["vcc,e1", "amp,vcc"],
                 ["src,e2", "vcc,e2", "load,e2", "gnd"]],
    })  # fmt: skip
    run = ps.transient(circuit, 1e-6, sample_rate=64e6)
    rest = float(run.voltage.sel(net="amp,e2").values[0])
    assert run.voltage.sel(net="amp,e2").values == pytest.approx(rest, abs=1e-6)
    collector = (5.0 - rest) / 2e3 - rest / 1e6
    gm = collector / (1.380649e-23 * 300.15 / 1.602176634e-19)
    found = ps.response(circuit, [1e5], source="src", noise=True)
    gain = found.voltage.sel(net="amp,e2").values[0]
    assert abs(gain + (2e3 * 1e6 / (2e3 + 1e6)) / (200.0 / 0.99 + 1.0 / gm)) < 0.02 * abs(gain)
    resistor = 4 * 1.380649e-23 * 300.15 * 2e3
    assert found.voltage_noise.sel(net="amp,e2").values[0] > resistor
    wave = ps.waveforms.sine(1e6, amplitude=1e-3)
    run = ps.transient(circuit, 8e-6, sample_rate=64e6, drive={"src.voltage": wave})
    out = run.voltage.sel(net="amp,e2").values[-64:]
    assert np.ptp(out) / 2e-3 == pytest.approx(abs(gain), rel=1e-2)


@needed
def test_noise_of_a_divider(tmp_path: Path) -> None:
    """4 k T R of what the node sees, half of it photosim's own at another temperature."""
    circuit = ps.Circuit({
        "instances": {
            "src": "voltage_source", "x": _x(_deck(tmp_path), "divider"),
            "own": {"component": "resistor", "settings": {"resistance": 500.0, "temperature": 200.0}},
        },
        "nets": [["src,e1", "x,a"], ["x,b", "own,e1"], ["src,e2", "own,e2", "gnd"]],
    })  # fmt: skip
    found = ps.response(circuit, [0.0, 1e6], source="src", noise=True).voltage_noise.sel(net="x,e2").values
    seen = 250.0
    wanted = 4 * 1.380649e-23 * (300.15 / 500.0 + 200.0 / 500.0) * seen**2
    assert found == pytest.approx(wanted, rel=1e-5)


@needed
def test_noise_over_time_beside_a_deck(tmp_path: Path) -> None:
    """A resistor and a capacitor beside a deck's divider: (250 ohm/500 ohm) kT/C, without the deck's own."""
    circuit = ps.Circuit({
        "instances": {
            "src": {"component": "voltage_source", "settings": {"voltage": 0.0}},
            "x": _x(_deck(tmp_path), "divider"),
            "c": {"component": "capacitor", "settings": {"capacitance": 1e-13}},
            "own": {"component": "resistor", "settings": {"resistance": 500.0, "temperature": 300.0}},
        },
        "nets": [["src,e1", "x,a"], ["x,b", "own,e1", "c,e1"], ["src,e2", "own,e2", "c,e2", "gnd"]],
    })  # fmt: skip
    found = ps.transient(circuit, 2e-8, sample_rate=1e11, noise=True, seed=2, settle=2e-10, probes=[])
    assert (
        "noise of 1 elements up to 2e+11 Hz, without the noise inside SPICE decks"
        in found.attrs["electronics"]
    )
    pole = 1 / (2 * np.pi * 250.0 * 1e-13)
    wanted = 0.5 * 1.380649e-23 * 300.0 / 1e-13 * 2 / np.pi * np.arctan(2e11 / pole)
    independent = 2e-8 * 2 * np.pi * pole
    assert found.voltage.sel(net="x,e2").values.var() == pytest.approx(
        wanted, rel=4 * np.sqrt(2 / independent)
    )


@needed
def test_driver_of_a_deck_and_a_modulator_that_loads_it(tmp_path: Path) -> None:
    """The light of a lumped modulator behind the ladder is that behind the same ladder of our own parts."""
    light = {"laser": "laser", "mod": "lumped_modulator", "pd": "photodetector"}
    link = {"laser,o1": "mod,o1", "mod,o2": "pd,o1"}
    instances, nets = _rows()
    nets = [[*net, *(["mod,e1"] if "r2,e1" in net else ["mod,e2"] if "r2,e2" in net else [])] for net in nets]
    one = ps.Circuit({"instances": instances | light, "connections": link, "nets": nets})
    other = ps.Circuit({
        "instances": {"src": "voltage_source", "x": _x(_deck(tmp_path), "Ladder"), **light},
        "connections": link,
        "nets": [["src,e1", "x,e1"], ["x,e2", "mod,e1"], ["src,e2", "mod,e2", "gnd"]],
    })  # fmt: skip
    drive = {"src.voltage": ps.waveforms.prbs(20e9, low=0.0, high=2.0)}
    first, second = (ps.transient(c, 0.5e-9, sample_rate=320e9, drive=drive, probes=[]) for c in (one, other))
    largest = float(np.abs(first.current.values).max())
    assert second.current.values == pytest.approx(first.current.values, abs=1e-5 * largest)
    grid = np.geomspace(1e8, 5e10, 5)
    first, second = (ps.response(c, grid, source="src") for c in (one, other))
    assert second.current.values == pytest.approx(first.current.values, rel=1e-5)
    rest = [float(c.photocurrents(src={"voltage": 0.7}).sum()) for c in (one, other)]
    assert rest[1] == pytest.approx(rest[0], rel=1e-9)


@needed
def test_photodiode_into_an_amplifier_of_a_deck(tmp_path: Path) -> None:
    """All charge of the light goes through the feedback resistor: 500 ohm of it is the voltage."""
    circuit = ps.Circuit({
        "instances": {
            "laser": "laser", "mod": {"component": "mach_zehnder_modulator", "settings": {"bandwidth": 0}},
            "pd": "junction_photodiode",
            "sense": {"component": "voltage_source", "settings": {"voltage": 0.0}}, "src": "voltage_source",
            "amp": _x(_deck(tmp_path), "tia"), "load": _r(1e3),
        },
        "connections": {"laser,o1": "mod,o1", "mod,o2": "pd,o1"},
        "nets": [["src,e1", "mod,e1"], ["pd,e2", "sense,e1"], ["sense,e2", "amp,in"], ["amp,out", "load,e1"],
                 ["src,e2", "pd,e1", "load,e2", "gnd"]],
    })  # fmt: skip
    time = np.arange(640) / 160e9
    pulse = np.exp(-(((time - 1.5e-9) / 0.15e-9) ** 2))
    run = ps.transient(circuit, 4e-9, sample_rate=160e9, drive={"src.voltage": pulse}, probes=[])
    out = run.voltage.sel(net="amp,e2").values
    through = run.branch_current.sel(branch="sense.v").values
    current = run.current.values[0]
    assert np.ptp(out) > 0.5 * 500.0 * np.ptp(current)
    charge = float((current - current[0]).sum())
    assert abs(float((through - through[0]).sum())) == pytest.approx(abs(charge), rel=1e-9)
    assert abs(float((out - out[0]).sum())) == pytest.approx(500.0 * abs(charge), rel=2e-2)


@said
def test_drawing_has_the_names_of_the_pins(tmp_path: Path) -> None:
    part = _x(_deck(tmp_path), "CE")
    nets = [["src,e1", "x,in"], ["src,e2", "x,vcc", "gnd"]]
    instances = {"src": "voltage_source", "x": part, "load": _r(50.0)}
    picture = ps.Circuit({
        "instances": instances, "nets": [*nets, ["x,out", "load,e1"], ["load,e2", "gnd"]]
    }).draw()  # fmt: skip
    text = picture._repr_svg_() if hasattr(picture, "_repr_svg_") else str(picture)
    assert all(f">{word}<" in text for word in ("IN", "OUT", "vcc"))
    assert "file parts.cir" in text


@needed
def test_deck_is_named_by_a_netlist_and_shown_by_check(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "d.lib").write_text(
        ".lib slow\n.model dm d(is=1e-15)\n.endl\n.lib fast\n.model dm d(is=1e-13)\n.endl\n"
    )
    (tmp_path / "clip.cir").write_text('.lib "models/d.lib" fast\n.subckt clip a\nd1 a 0 dm\n.ends\n.end\n')
    text = (
        "instances:\n  src: {component: current_source, settings: {current: 1.0e-3}}\n"
        "  x: {component: spice_subcircuit, settings: {file: clip.cir, temperature: 300.15}}\n"
        'nets:\n- ["src,e2", "x,a"]\n- ["src,e1", gnd]\n'
    )
    (tmp_path / "net.yml").write_text(text)
    circuit = ps.load(tmp_path / "net.yml")
    run = ps.transient(circuit, 1e-9, sample_rate=10e9)
    thermal = 1.380649e-23 * 300.15 / 1.602176634e-19
    assert run.voltage.sel(net="src,e2").values[0] == pytest.approx(thermal * np.log1p(1e10), rel=1e-4)
    (tmp_path / "models" / "d.lib").write_text(".lib fast\n.model dm d(is=1e-12)\n.endl\n")
    run = ps.transient(ps.load(tmp_path / "net.yml"), 1e-9, sample_rate=10e9)
    assert run.voltage.sel(net="src,e2").values[0] == pytest.approx(thermal * np.log1p(1e9), rel=1e-4)


@needed
def test_end_of_ngspice_is_not_ours(tmp_path: Path) -> None:
    """`quit` ends its process, a shell has no processes, and the next question is answered."""
    mark = tmp_path / "mark"
    deck = ["v1 a 0 1", "r1 a 0 1k"]
    with pytest.raises(Refused, match="ended"):
        ask("op", deck, ["quit"], [])
    with suppress(Refused, ParameterError):
        ask("op", deck, [f"shell touch {mark}", f"write {mark}"], [])
    assert not mark.exists()
    assert ask("op", deck, ["op"], ["v(a)"]).values.tolist() == [1.0]


def slow_run(seconds: float) -> list[str]:
    """Return a command that takes about so long, in steps that end at every point of the grid."""
    return [f"tran 1n {seconds * 2e-4:g}"]


@needed
@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGSTOP"])
def test_a_process_that_is_ended_or_stops_is_one_sentence(
    signal_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it computes; the next question is answered by a new process, and the old one is gone."""
    monkeypatch.setattr(library, "_PATIENCE", 3.0)
    deck = ["v1 a 0 1", "r1 a 0 1k"]
    ask("op", deck, ["op"], ["v(a)"])
    running = library._KEEPER.process
    assert running is not None
    number = running.process.pid
    later = threading.Timer(0.5, os.kill, (number, getattr(signal, signal_name)))
    later.start()
    words = "crashed on this circuit" if signal_name == "SIGKILL" else "did not answer for 3 s"
    with pytest.raises(ParameterError, match=words):
        ask("tran", ["v1 a 0 sin(0 1 1g)", "r1 a b 1k", "c1 b 0 1p"], slow_run(1000.0), ["v(b)"], grid=1e-9)
    later.join()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert ask("op", deck, ["op"], ["v(a)"]).values.tolist() == [1.0]


@needed
def test_a_process_that_was_ended_while_idle_is_replaced() -> None:
    deck = ["v1 a 0 1", "r1 a 0 1k"]
    ask("op", deck, ["op"], ["v(a)"])
    running = library._KEEPER.process
    assert running is not None
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait()
    assert ask("op", deck, ["op"], ["v(a)"]).values.tolist() == [1.0]


@needed
def test_ngspice_ends_with_the_process_that_asks(tmp_path: Path) -> None:
    """Killed while ngspice computes, Python leaves no process behind."""
    script = tmp_path / "asks.py"
    script.write_text(
        "from photosim.electronics.ngspice import library\n"
        "library.ask('op', ['v1 a 0 1', 'r1 a 0 1k'], ['op'], ['v(a)'])\n"
        "print(library._KEEPER.process.process.pid, flush=True)\n"
        "library.ask('tran', ['v1 a 0 sin(0 1 1g)', 'r1 a b 1k', 'c1 b 0 1p'], ['tran 1n 0.2'], ['v(b)'],\n"
        "    grid=1e-9)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout is not None
        number = int(asking.stdout.readline())
        time.sleep(0.5)
        asking.kill()
    for _ in range(100):
        if not Path(f"/proc/{number}").exists() or " Z " in Path(f"/proc/{number}/stat").read_text():
            break
        time.sleep(0.1)
    else:
        pytest.fail(f"process {number} of ngspice lives on")


@needed
def test_nets_without_a_solution_are_told(tmp_path: Path) -> None:
    text = (
        ".subckt both a b\nv1 a b 1\n.ends\n.subckt cap a b\nc1 a b 1p\n.ends\n.subckt wild a\nr1 a "
        "x 1k\nc1 x y 1p\nc2 y 0 1p\n.ends\n"
    )
    deck = _deck(tmp_path, text)
    source = {"src": "voltage_source"}
    with pytest.raises(PhotosimError, match=r"no path to gnd at rest"):
        ps.Circuit({"instances": {**source, "x": _x(deck, "cap"), "c": {"component": "capacitor"}},
                    "nets": [["src,e1", "x,a"], ["x,b", "c,e1"], ["src,e2", "c,e2", "gnd"]]})  # fmt: skip
    loop = ps.Circuit({"instances": {**source, "x": _x(deck, "both")},
                       "nets": [["src,e1", "x,a"], ["src,e2", "x,b", "gnd"]]})  # fmt: skip
    with pytest.raises(PhotosimError, match=r"the current of|inside of 'x'"):
        ps.transient(loop, 1e-9, sample_rate=1e10)
    inner = ps.Circuit({"instances": {**source, "x": _x(deck, "wild")},
                        "nets": [["src,e1", "x,a"], ["src,e2", "gnd"]]})  # fmt: skip
    with pytest.raises(PhotosimError, match=r"'y' inside of 'x'"):
        ps.transient(inner, 1e-9, sample_rate=1e10)


@needed
def test_unknown_parameter_of_a_model_is_told_with_its_line(tmp_path: Path) -> None:
    deck = _deck(tmp_path, ".subckt clip a\nd1 a 0 dm\n.model dm d(is=1e-14 cj0x=1p)\n.ends\n")
    with pytest.raises(PhotosimError, match=r"'x'.*parts.cir:3: ngspice says .*cj0x"):
        ps.Circuit(
            {"instances": {"x": _x(deck, ""), "r": _r(1.0)}, "nets": [["x,a", "r,e1"], ["r,e2", "gnd"]]}
        )


@said
def test_loops_through_a_deck_are_refused(tmp_path: Path) -> None:
    """A heater that follows its own light through an inverting deck."""
    text = ".subckt inv a b\ne1 c 0 a 0 2\nr1 c b 100\n.ends\n"
    circuit = ps.Circuit({
        "instances": {"laser": "laser", "load": _r(1e3), "pd": "photodetector",
                      "mod": {"component": "mach_zehnder_modulator", "settings": {"bandwidth": 0}},
                      "x": _x(_deck(tmp_path, text), "inv")},
        "connections": {"laser,o1": "mod,o1", "mod,o2": "pd,o1"},
        "nets": [["pd,e1", "load,e1", "x,a"], ["x,b", "mod,e1"], ["load,e2", "gnd"]],
    })  # fmt: skip
    with pytest.raises(PhotosimError, match=r"SPICE subcircuit 'x' is in a control loop.*mod.voltage"):
        ps.transient(circuit, 1e-9, sample_rate=1e11)


BAD = {
    ".control": (
        ".subckt a b\nr1 b 0 1\n.ends\n.control\nshell ls\n.endc\n",
        r"bad.cir:4: '.control' has no place.*commands",
    ),
    ".exec": (".exec ls\n.subckt a b\nr1 b 0 1\n.ends\n", r":1: '.exec'"),
    "starred command": ("*#shell touch x\n.subckt a b\nr1 b 0 `ls`\n.ends\n", r":3: the character '`'"),
    "outside include": (
        ".include ../secret.lib\n.subckt a b\nr1 b 0 1\n.ends\n",
        r":1: '../secret.lib' lies outside",
    ),
    "absolute include": (
        '.include "/etc/passwd"\n.subckt a b\nr1 b 0 1\n.ends\n',
        r":1: '/etc/passwd' lies outside",
    ),
    "missing include": (
        ".include modles.lib\n.subckt a b\nr1 b 0 1\n.ends\n",
        r":1: there is no file 'modles.lib'",
    ),
    "own include": (".include bad.cir\n.subckt a b\nr1 b 0 1\n.ends\n", r"includes itself"),
    "no section": (".lib ok.lib slow\n.subckt a b\nr1 b 0 1\n.ends\n", r"ok.lib has no section 'slow'"),
    "unknown model": (
        ".subckt a b\nd1 b 0 dmodel\n.ends\n.model dmodle d(is=1e-14)\n",
        r":2: 'd1' uses the model 'dmodel'.*Did you mean 'dmodle'",
    ),
    "wrong type": (
        ".subckt a b\nq1 b b 0 dm\n.ends\n.model dm d(is=1e-14)\n",
        r":2: 'q1' uses the model 'dm' of type 'd', but needs npn",
    ),
    "unknown type": (
        ".model m1 npm(bf=3)\n.subckt a b\nr1 b 0 1\n.ends\n",
        r":1: model 'm1' has the unknown type 'npm'.*Did you mean 'pnp'",
    ),
    "unknown subckt": (
        ".subckt buffer b\nr1 b 0 1\n.ends\n.subckt a b\nx1 b bufer\n.ends\n",
        r":5: 'x1' is the subcircuit 'bufer'.*Did you mean 'buffer'",
    ),
    "pin count": (
        ".subckt buffer b c\nr1 b c 1\n.ends\n.subckt a b\nx1 b buffer\n.ends\n",
        r":5: 'x1' has 1 nodes, but subcircuit 'buffer' has the 2 pins b c",
    ),
    "no parameter": (
        ".subckt buffer b rr=1\nr1 b 0 {rr}\n.ends\n.subckt a b\nx1 b buffer r=2\n.ends\n",
        r":5: subcircuit 'buffer' has no parameter 'r'",
    ),
    "recursion": (".subckt a b\nx1 b a\n.ends\n", r":2: subcircuit 'a' contains itself"),
    "no end": (".subckt a b\nr1 b 0 1\n", r":1: subcircuit 'a' has no '.ends'"),
    "other end": (".subckt a b\nr1 b 0 1\n.ends c\n", r":3: '.ends c' ends subcircuit 'a'"),
    "stray end": (".ends\n", r":1: '.ends' ends no subcircuit"),
    "outside": ("my title\n.subckt a b\nr1 b 0 1\n.ends\n", r":1: 'my' stands outside of a subcircuit"),
    "analysis": (".subckt a b\nr1 b 0 1\n.ends\n.tran 1p 1n\n", r":4: '.tran' has no place in a netlist"),
    "misspelt line": (".subkt a b\nr1 b 0 1\n.ends\n", r":1: '.subkt' is not a line.*Did you mean '.subckt'"),
    "no value": (".subckt a b\nr1 b 0\n.ends\n", r":2: 'r1' needs 2 nodes and a value"),
    "bad value": (
        ".subckt a b\nr1 b 0 1..3\n.ends\n",
        r":2: the value of 'r1' is '1..3', which is not a number",
    ),
    "parameter without braces": (
        ".param rr=3\n.subckt a b\nr1 b 0 rr\n.ends\n",
        r":3: the value of 'r1' is 'rr': write the parameter in braces",
    ),
    "unknown parameter": (
        ".param rload=3\n.subckt a b\nr1 b 0 {2*rlaod}\n.ends\n",
        r":3: the value of 'r1' uses the parameter 'rlaod'.*Did you mean 'rload'",
    ),
    "moving source": (".subckt a b\nv1 b 0 sin(0 1 1g)\n.ends\n", r":2: 'v1' changes over time"),
    "external source": (".subckt a b\ni1 b 0 external\n.ends\n", r":2: 'i1' changes over time"),
    "source with ac": (".subckt a b\nv1 b 0 dc 1 ac 1\n.ends\n", r":2: 'v1' has 'ac 1'"),
    "time": (".subckt a b\nb1 b 0 v=sin(time)\n.ends\n", r":2: 'b1' uses 'time'"),
    "code model": (".subckt a b\na1 [b] [c] adc\n.ends\n", r":2: 'a1' is a code model"),
    "unknown element": (".subckt a b\n?1 b 0 3\n.ends\n", r":2: '\?1' is not an element"),
    "unknown node": (
        ".subckt amp inp\nb1 inp 0 i=v(inn)*3\n.ends\n",
        r":2: 'b1' uses the node 'inn'.*Did you mean 'inp'",
    ),
    "unknown source": (
        ".subckt a b\nvs1 b 0 0\nf1 b 0 vs2 3\n.ends\n",
        r":3: 'f1' uses the source 'vs2'.*Did you mean 'vs1'",
    ),
    "twice": (".subckt a b\nr1 b 0 3\nr1 b 0 4\n.ends\n", r":3: element 'r1' stands there twice"),
    "ground pin": (".subckt a b gnd\nr1 b gnd 3\n.ends\n", r":1: subcircuit 'a' has ground as a pin"),
    "loose pin": (".subckt a b c\nr1 b 0 3\n.ends\n", r":1: pin 'c' of subcircuit 'a' leads nowhere"),
    "empty": ("* nothing\n", r"has no subcircuit"),
    "dangling continuation": ("+ r1 a 0 1\n", r":1: a '\+' continues a line"),
    "explosion": (
        "".join(f".subckt a{k} b\n" + f"x1 b a{k + 1}\nx2 b a{k + 1}\n" + ".ends\n" for k in range(20))
        + ".subckt a20 b\nr1 b 0 1\n.ends\n",
        r"has \d+ elements; the bound is",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_decks_are_told(tmp_path: Path, name: str) -> None:
    text, words = BAD[name]
    (tmp_path / "ok.lib").write_text(".lib fast\n.model dm d(is=1e-13)\n.endl\n")
    (tmp_path / "bad.cir").write_text(text)
    with pytest.raises(DataError, match=words) as reason:
        files.read_spice(tmp_path / "bad.cir")
    assert "\n" not in str(reason.value)


def test_wrong_settings_and_pins_are_told(tmp_path: Path) -> None:
    deck = _deck(tmp_path)

    def made(settings: dict[str, Any], pin: str = "e1") -> None:
        part = {"component": "spice_subcircuit", "settings": settings}
        ps.Circuit({"instances": {"x": part, "r": _r(1.0)}, "nets": [[f"x,{pin}", "r,e1"], ["r,e2", "gnd"]]})

    with pytest.raises(PhotosimError, match="setting 'file' is missing"):
        made({})
    with pytest.raises(PhotosimError, match="has several subcircuits"):
        made({"file": deck})
    with pytest.raises(PhotosimError, match=r"has no subcircuit 'clpi'.*Did you mean 'clip'"):
        made({"file": deck, "subckt": "clpi"})
    with pytest.raises(PhotosimError, match=r"no port 'e3'|no port 'b'"):
        made({"file": deck, "subckt": "clip"}, "e3")
    with pytest.raises(PhotosimError, match=r"no port 'OTU'.*Did you mean 'OUT'"):
        made({"file": deck, "subckt": "ce"}, "OTU")
    with pytest.raises(PhotosimError, match=r"has no parameter 'rcc'.*It has: rc, re"):
        made({"file": deck, "subckt": "ce", "parameters": "rcc=1"}, "OUT")
    with pytest.raises(PhotosimError, match=r"must be a number such as 4\.7k"):
        made({"file": deck, "subckt": "ce", "parameters": "rc={time}"}, "OUT")


@said
def test_deck_outside_of_the_netlists_folder_is_refused(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    _deck(tmp_path)
    text = (
        "instances:\n  x: {component: spice_subcircuit, settings: {file: ../parts.cir, subckt: clip}}\n"
        'nets:\n- ["x,a", gnd]\n'
    )
    (inner / "net.yml").write_text(text)
    with pytest.raises(PhotosimError, match="outside the netlist's folder"):
        ps.load(inner / "net.yml")
    shutil.copy(tmp_path / "parts.cir", inner)
    (inner / "net.yml").write_text(text.replace("../", ""))
    assert ps.load(inner / "net.yml").netlist.instances


def test_absence_of_ngspice_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photosim.electronics.ngspice import library as module

    monkeypatch.setattr(module, "installed", lambda: None)
    with pytest.raises(ParameterError, match="libngspice0"):
        module.ask("op", ["r1 a 0 1"], ["op"], ["v(a)"])
    del tmp_path

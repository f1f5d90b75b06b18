"""SPICE: ladders and exported blocks against ngspice, where its library is installed, and text for others."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.electronics.spice import export, subcircuit, verilog_a
from photosim.errors import PhotosimError
from photosim.model import elements as ideal


class _Vector(ctypes.Structure):
    """What ngspice's vector_info is (sharedspice.h)."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("type", ctypes.c_int), ("flags", ctypes.c_short),
        ("real", ctypes.POINTER(ctypes.c_double)), ("complex", ctypes.POINTER(ctypes.c_double)),
        ("length", ctypes.c_int),
    )  # fmt: skip


class Ngspice:
    """The shared library, one for the process."""

    def __init__(self, name: str) -> None:
        self.library = ctypes.CDLL(name)
        self.said: list[str] = []
        text = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
        ends = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.c_int, ctypes.c_bool, ctypes.c_bool, ctypes.c_int, ctypes.c_void_p
        )
        self.held = (
            text(self._say), text(lambda *_: 0),
            ends(lambda *_: 0),
        )  # fmt: skip
        self.library.ngSpice_Init(*self.held, None, None, None, None)
        self.library.ngGet_Vec_Info.restype = ctypes.POINTER(_Vector)

    def _say(self, line: bytes, _number: int, _pointer: Any) -> int:
        self.said.append(line.decode())
        return 0

    def run(self, deck: str, command: str, names: list[str]) -> list[np.ndarray]:
        """Run a command on a deck and return vectors by name."""
        lines = [line.encode() for line in ["* test", *deck.strip().splitlines(), ".end"]]
        array = (ctypes.c_char_p * (len(lines) + 1))(*lines, None)
        assert self.library.ngSpice_Circ(array) == 0, self.said[-5:]
        assert self.library.ngSpice_Command(command.encode()) == 0, self.said[-5:]
        found = []
        for name in names:
            pointer = self.library.ngGet_Vec_Info(name.encode())
            assert pointer, (name, self.said[-5:])
            one = pointer.contents
            if one.flags & 2:
                pairs = np.ctypeslib.as_array(one.complex, (one.length, 2)).copy()
                found.append(pairs[:, 0] + 1j * pairs[:, 1])
            else:
                found.append(np.ctypeslib.as_array(one.real, (one.length,)).copy())
        self.library.ngSpice_Command(b"destroy all")
        self.library.ngSpice_Command(b"remcirc")
        return found


@pytest.fixture(scope="module")
def ngspice() -> Ngspice:
    name = ctypes.util.find_library("ngspice")
    if name is None:
        pytest.skip("the library of ngspice is not installed (Debian: libngspice0)")
    return Ngspice(name)


LADDER = """
r1 in n1 50
l1 n1 n2 0.2n
c1 n2 0 60f
l2 n2 n3 0.3n
c2 n3 0 80f
l3 n3 out 0.2n
c3 out 0 50f
r2 out 0 70
"""


def _ladder() -> ps.Circuit:
    kinds = {"r": "resistor", "l": "inductor", "c": "capacitor"}
    names = {"r": "resistance", "l": "inductance", "c": "capacitance"}
    instances: dict[str, Any] = {"src": "voltage_source"}
    nets: dict[str, list[str]] = {"in": ["src,e1"], "0": ["src,e2", "gnd"]}
    scale = {"n": 1e-9, "f": 1e-15}
    for line in LADDER.strip().splitlines():
        name, a, b, value = line.split()
        number = float(value.rstrip("nf")) * scale.get(value[-1], 1.0)
        instances[name] = {"component": kinds[name[0]], "settings": {names[name[0]]: number}}
        nets.setdefault(a, []).append(f"{name},e1")
        nets.setdefault(b, []).append(f"{name},e2")
    return ps.Circuit({"instances": instances, "nets": list(nets.values())})


def test_ladder_in_small_signals(ngspice: Ngspice) -> None:
    deck = f"v1 in 0 dc 0 ac 1\n{LADDER}"
    frequency, wanted = ngspice.run(deck, "ac dec 5 1e8 1e11", ["frequency", "out"])
    found = ps.response(_ladder(), frequency.real, source="src").voltage.sel(net="l3,e2").values
    assert found == pytest.approx(wanted, abs=1e-6)


def test_ladder_in_time(ngspice: Ngspice) -> None:
    deck = f".options reltol=1e-7 abstol=1e-15 vntol=1e-9 trtol=1\nv1 in 0 sin(0 1 10g)\n{LADDER}"
    time, wanted = ngspice.run(deck, "tran 0.05p 300p 0 0.05p", ["time", "out"])
    drive = {"src.voltage": ps.waveforms.sine(10e9)}
    run = ps.transient(_ladder(), 300e-12, sample_rate=640e9, drive=drive)
    found = run.voltage.sel(net="l3,e2").values
    assert found == pytest.approx(np.interp(run.time.values, time, wanted), abs=1e-4)


def test_exported_electrode_is_the_same_in_spice(ngspice: Ngspice) -> None:
    """Lossy line between 40 and 60 ohm: rational fit, delays and ports, as elements of another simulator."""
    settings: dict[str, Any] = {"length": 2000.0, "skin_loss_dB_cm": 8.0, "band": 60e9}
    text = export("lossy_line", name="tline", **settings)
    deck = f"{text}v1 in 0 dc 0 ac 1\nrs in a 40\nx1 a b 0 tline\nrl b 0 60"
    frequency, wanted = ngspice.run(deck, "ac dec 4 1e8 5e10", ["frequency", "b"])
    circuit = ps.Circuit({
        "instances": {
            "src": "voltage_source", "rs": {"component": "resistor", "settings": {"resistance": 40.0}},
            "line": {"component": "lossy_line", "settings": settings},
            "rl": {"component": "resistor", "settings": {"resistance": 60.0}},
        },
        "nets": [["src,e1", "rs,e1"], ["rs,e2", "line,e1"], ["line,e2", "rl,e1"],
                 ["src,e2", "line,e3", "rl,e2", "gnd"]],
    })  # fmt: skip
    found = ps.response(circuit, frequency.real, source="src").voltage.sel(net="line,e2").values
    assert found == pytest.approx(wanted, abs=1e-5)


def test_diode_is_the_same_in_spice(ngspice: Ngspice) -> None:
    text = export("diode", saturation_current=1e-12, ideality=1.5, series_resistance=5.0, temperature=300.15)
    (wanted,) = ngspice.run(f"{text}v1 in 0 1.2\nr1 in a 100\nx1 a 0 diode", "op", ["a"])
    own = {"saturation_current": 1e-12, "ideality": 1.5, "series_resistance": 5.0, "temperature": 300.15}
    circuit = ps.Circuit({
        "instances": {
            "v": {"component": "voltage_source", "settings": {"voltage": 1.2}},
            "r": {"component": "resistor", "settings": {"resistance": 100.0}},
            "d": {"component": "diode", "settings": own},
        },
        "nets": [["v,e1", "r,e1"], ["r,e2", "d,e1"], ["v,e2", "d,e2", "gnd"]],
    })  # fmt: skip
    run = ps.transient(circuit, 1e-10, sample_rate=100e9)
    assert run.voltage.sel(net="r,e2").values[-1] == pytest.approx(wanted[0], rel=1e-5)


def test_verilog_a_has_waves_both_ways() -> None:
    line = (ideal.line("t", "e1", "gnd", "e2", "gnd", 50.0, 1e-11), ideal.inductance("l", "e2", "x", 1e-9))
    text = verilog_a("cable", ("e1", "e2"), line)
    assert "absdelay(V(w_t_r), 1e-11)" in text
    assert "absdelay(V(w_t_f), 1e-11)" in text
    assert "branch (e2, n_x) b_l;" in text
    assert "V(b_l) <+ 1e-09*ddt(I(b_l));" in text
    assert text.count("module") == 2


def test_exports_that_cannot_be_are_told() -> None:
    with pytest.raises(PhotosimError, match="is not made of electrical elements"):
        export("straight")
    with pytest.raises(PhotosimError, match="Did you mean 'spice'"):
        export("resistor", language="spyce")
    with pytest.raises(PhotosimError, match="is not a name for SPICE"):
        export("resistor", name="1 r")
    with pytest.raises(PhotosimError, match="of kind 'junction', which Verilog-A does not have"):
        export("diode", language="verilog-a")
    with pytest.raises(PhotosimError, match="of kind 'heating'"):
        subcircuit("h", ("a",), [ideal.heating("h", "a", "gnd", "t", 1.0)])

"""The process in which ngspice runs: it answers questions on its standard input, one after the other.

A frame is four bytes, the length of a JSON text, the text, then as many bytes of doubles as the text's
"size" says. The process knows nothing of photosim and needs the standard library alone.
Once ngspice is loaded it can open no file and start no process.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time
from array import array
from contextlib import suppress
from typing import Any, BinaryIO

ALIVE_S = 5.0
"""Time in s after which a run says that it still goes on."""
MOST_POINTS = 1 << 23
"""Steps of a run after which it is given up."""
_NOISE_OF_NGSPICE = (
    "note:",
    "using ",
    "doing analysis",
    "no. of data rows",
    "circuit:",
    "warning: v1: no dc value",
)


class _Vector(ctypes.Structure):
    """What ngspice's vector_info is (sharedspice.h)."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("type", ctypes.c_int), ("flags", ctypes.c_short),
        ("real", ctypes.POINTER(ctypes.c_double)), ("complex", ctypes.POINTER(ctypes.c_double)),
        ("length", ctypes.c_int),
    )  # fmt: skip


_TEXT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
_EXIT = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.c_bool, ctypes.c_bool, ctypes.c_int, ctypes.c_void_p
)
_SOURCE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_double),
    ctypes.c_double,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_void_p,
)
_SYNC = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_double, ctypes.POINTER(ctypes.c_double), ctypes.c_double, ctypes.c_int,
    ctypes.c_int, ctypes.c_int, ctypes.c_void_p,
)  # fmt: skip


class Failed(Exception):  # noqa: N818 - it is what ngspice did
    """Ngspice did not do what it was asked."""


class Ngspice:
    """The library, one for the process, and the inputs of the run in progress."""

    def __init__(self, name: str, frames: Frames) -> None:
        self.library = ctypes.CDLL(name)
        self.frames = frames
        self.said: list[str] = []
        self.inputs: dict[bytes, array[float]] = {}
        self.grid, self.points, self.heard = 1.0, 0, time.monotonic()
        self.held = (
            _TEXT(self._say), _TEXT(lambda *_: 0), _EXIT(self._exit), _SOURCE(self._source),
            _SYNC(self._step),
        )  # fmt: skip
        self.library.ngSpice_Init(*self.held[:3], None, None, None, None)
        number = ctypes.c_int(0)
        self.library.ngSpice_Init_Sync(self.held[3], self.held[3], self.held[4], ctypes.byref(number), None)
        self.library.ngGet_Vec_Info.restype = ctypes.POINTER(_Vector)
        # A circuit without a state at rest is refused, not settled in a transient of its own.
        self.library.ngSpice_Command(b"optran 1 1 1 0 0 0")

    def _say(self, line: bytes, _number: int, _pointer: Any) -> int:
        text = line.decode("latin-1").partition(" ")[2].strip()
        if text and not text.lower().startswith(_NOISE_OF_NGSPICE) and len(self.said) < 1000:
            self.said.append(text[:500])
        return 0

    def _exit(self, status: int, *_: Any) -> int:
        self.frames.answer({"ended": status, "said": self.said})
        os._exit(3)

    def _source(self, value: Any, time: float, name: bytes, *_: Any) -> int:
        """Give the value of a source at a time, on straight lines between the instants of the grid."""
        own = self.inputs[name]
        at = time / self.grid
        k = int(at)
        if k >= len(own) - 1:
            value[0] = own[-1]
        else:
            value[0] = own[k] + (at - k) * (own[k + 1] - own[k])
        return 0

    def _step(
        self, time_s: float, step: Any, _old: float, redo: int, _number: int, place: int, _p: Any
    ) -> int:
        """Let steps end at every instant of the grid; those that ngspice rejects it chooses itself."""
        if place == 0 and not redo:
            self.points += 1
            if self.points % 256 == 0 and time.monotonic() > self.heard + ALIVE_S:
                self.heard = time.monotonic()
                self.frames.answer({"alive": time_s})
            if self.points > MOST_POINTS:
                self.frames.answer({"failed": [f"it took {MOST_POINTS} steps up to {time_s:.6g} s"]})
                os._exit(4)
            ahead = (int(time_s / self.grid + 1e-6) + 1) * self.grid
            if time_s + step[0] > ahead - 1e-3 * self.grid:
                step[0] = ahead - time_s
        return 0

    def command(self, text: str) -> None:
        """Run a command; Failed where it does not succeed."""
        if self.library.ngSpice_Command(text.encode()) != 0:
            raise Failed

    def begin(self, lines: list[str]) -> None:
        """Load a circuit."""
        self.said.clear()
        whole = [line.encode("ascii") for line in ("* circuit", *lines, ".end")]
        if self.library.ngSpice_Circ((ctypes.c_char_p * (len(whole) + 1))(*whole, None)) != 0:
            raise Failed

    def end(self) -> None:
        """Forget the circuit and its results."""
        for text in (b"destroy all", b"remcirc"):
            self.library.ngSpice_Command(text)

    def vector(self, name: str) -> tuple[Any, int]:
        """Return the numbers of a vector, complex ones as pairs, and how many there are of each."""
        pointer = self.library.ngGet_Vec_Info(name.encode())
        if not pointer or pointer.contents.length <= 0:
            raise Failed(f"it has no result {name!r}")
        one = pointer.contents
        if one.flags & 2:
            return ctypes.string_at(one.complex, 16 * one.length), 2
        return ctypes.string_at(one.real, 8 * one.length), 1

    def ask(self, question: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the answer to a question and its numbers."""
        self.begin(question["deck"])
        said = list(self.said)
        found = bytearray()
        try:
            if question["kind"] == "parse":
                return {"said": said}, b""
            if question["kind"] == "tran":
                self._prepare(question, data)
            for text in question["commands"]:
                self.command(text)
                for name in question["vectors"]:
                    values, parts = self.vector(name)
                    found += values if parts == question["parts"] else _paired(values)
                if question["kind"] != "tran":
                    self.library.ngSpice_Command(b"destroy all")
        finally:
            self.end()
        return {"said": said}, bytes(found)

    def _prepare(self, question: dict[str, Any], data: bytes) -> None:
        whole = array("d")
        whole.frombytes(data)
        names = question["inputs"]
        each = len(whole) // max(len(names), 1)
        self.inputs = {n.encode(): whole[k * each : (k + 1) * each] for k, n in enumerate(names)}
        self.grid, self.points = question["grid"], 0


def _paired(values: bytes) -> bytes:
    """Return real numbers as complex ones."""
    real = array("d")
    real.frombytes(values)
    both = array("d", bytes(16 * len(real)))
    both[::2] = real
    return both.tobytes()


class Frames:
    """Questions and answers over two pipes."""

    def __init__(self, entering: BinaryIO, leaving: BinaryIO) -> None:
        self.entering, self.leaving = entering, leaving

    def question(self) -> tuple[dict[str, Any], bytes] | None:
        """Return the next question and its numbers; None at the end."""
        head = self.entering.read(4)
        if len(head) < 4:
            return None
        text = json.loads(self.entering.read(int.from_bytes(head, "little")))
        return text, self.entering.read(text.get("size", 0))

    def answer(self, text: dict[str, Any], data: bytes = b"") -> None:
        """Write an answer."""
        whole = json.dumps({**text, "size": len(data)}).encode()
        self.leaving.write(len(whole).to_bytes(4, "little") + whole + data)
        self.leaving.flush()


def _follow(parent: int) -> None:
    """End with the process that asks, also while ngspice computes."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(5)


def _confine() -> None:
    """Give up files and processes: what is loaded now is all that there will be."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        resource.setrlimit(resource.RLIMIT_NPROC, (0, resource.getrlimit(resource.RLIMIT_NPROC)[1]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def main(name: str) -> None:
    """Answer questions with the library of this name until they end."""
    leaving = os.fdopen(os.dup(1), "wb")
    entering = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # what ngspice prints goes nowhere
        os.dup2(nothing, number)
    frames = Frames(entering, leaving)
    ngspice = Ngspice(name, frames)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    _confine()
    while (asked := frames.question()) is not None:
        try:
            text, data = ngspice.ask(*asked)
        except Failed as error:
            text, data = {"failed": [*ngspice.said, *map(str, error.args)]}, b""
        frames.answer(text, data)


if __name__ == "__main__":
    main(sys.argv[1])

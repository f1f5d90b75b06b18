"""The shared library of ngspice, in a process of its own: what it does there cannot hurt this one."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

PACKAGE = "libngspice0"
"""Debian's package of the library."""
_LIMIT = 1 << 30
"""Longest answer in bytes."""
_PATIENCE = 600.0
"""Time in s without a word after which ngspice is given up; runs in time give one every few seconds."""


@cache
def installed() -> str | None:
    """Return the name of ngspice's shared library; None where it is not installed."""
    from ctypes.util import find_library

    return find_library("ngspice")


def require() -> str:
    """Return the name of ngspice's shared library; ParameterError where it is not installed."""
    found = installed()
    if found is None:
        message = (
            "A SPICE subcircuit needs the shared library of ngspice, which is not installed: Debian and "
            f"Ubuntu have it as {PACKAGE}."
        )
        raise ParameterError(message)
    return found


@dataclass(frozen=True)
class Answer:
    """What ngspice found: numbers in order, and what it said."""

    values: FloatArray
    said: tuple[str, ...]


class Refused(Exception):  # noqa: N818 - it is what ngspice did
    """Ngspice did not do what it was asked; `said` are its words."""

    def __init__(self, said: list[str]) -> None:
        super().__init__("; ".join(said[-3:]))
        self.said = said


class _Silent(Exception):  # noqa: N818 - it is what ngspice is
    """Ngspice has not answered for too long."""


class _Process:
    """A process that answers questions; it ends with this one, or when it has ended by itself."""

    def __init__(self, name: str) -> None:
        self.owner = os.getpid()
        # Models write reports beside them, and a .spiceinit would be read: it works in an empty folder.
        self.folder = TemporaryDirectory(prefix="photosim-ngspice-")
        kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH", "LANG") if key in os.environ}
        self.process = subprocess.Popen(  # noqa: S603 - our own file, no shell
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("worker.py")), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self.folder.name,
            env={**kept, "HOME": self.folder.name}, start_new_session=True, bufsize=0,
        )  # fmt: skip

    def ask(self, question: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the answer and its numbers; EOFError where the process has ended, _Silent where it hangs."""
        text = json.dumps({**question, "size": len(data)}).encode()
        self._write(len(text).to_bytes(4, "little") + text + data)
        while True:
            answer: dict[str, Any] = json.loads(self._read(int.from_bytes(self._read(4), "little")))
            size = int(answer["size"])
            if size > _LIMIT:
                self.close()
                raise Refused([f"its answer has {size} bytes, at most {_LIMIT}"])
            if "alive" not in answer:
                return answer, self._read(size)

    def _write(self, data: bytes) -> None:
        entering = self.process.stdin
        assert entering is not None  # noqa: S101 - it is a pipe
        left = memoryview(data)
        while left:
            try:
                left = left[entering.write(left) or 0 :]
            except OSError:
                raise EOFError from None

    def _read(self, count: int) -> bytes:
        leaving = self.process.stdout
        assert leaving is not None  # noqa: S101 - it is a pipe
        found = bytearray()
        while len(found) < count:
            # Windows cannot wait for a pipe; there ngspice is waited for without end.
            if os.name != "nt" and not select.select([leaving], [], [], _PATIENCE)[0]:
                raise _Silent
            part = leaving.read(min(count - len(found), 1 << 20))
            if not part:
                raise EOFError
            found += part
        return bytes(found)

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
        if self.owner == os.getpid():
            with suppress(OSError):
                self.process.kill()
            self.process.wait()
            with suppress(OSError):
                self.folder.cleanup()


class _Keeper:
    """Keeps one process for all questions of this one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: _Process | None = None

    def ask(self, question: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        name = require()
        with self.lock:
            if self.process is not None and self.process.owner != os.getpid():
                self.process = None  # that of a parent
            if self.process is not None and self.process.process.poll() is not None:
                self.close()  # it was ended while nobody asked
            if self.process is None:
                self.process = _Process(name)
            try:
                return self.process.ask(question, data)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        if self.process is not None:
            self.process.close()
            self.process = None


_KEEPER = _Keeper()
atexit.register(_KEEPER.close)


def ask(
    kind: str, deck: list[str], commands: list[str], vectors: list[str],
    inputs: dict[str, FloatArray] | None = None, *,
    complex_values: bool = False, grid: float = 1.0,
) -> Answer:  # fmt: skip
    """Return what commands on a deck give: all vectors behind each command, one after the other.

    kind: "parse", "op", "ac", "noise" or "tran".  inputs: values (K + 1,) of external sources at
    multiples of `grid` s, at which steps of a run end.  Complex numbers come as pairs.

    Raises Refused for what ngspice refuses, ParameterError where it is missing or has crashed.
    """
    given = inputs or {}
    data = b"".join(np.ascontiguousarray(values, dtype=np.float64).tobytes() for values in given.values())
    question = {
        "kind": kind, "deck": deck, "commands": commands, "vectors": vectors,
        "parts": 2 if complex_values else 1,
        "inputs": list(given), "grid": grid,
    }  # fmt: skip
    try:
        text, found = _KEEPER.ask(question, data)
    except EOFError:
        message = (
            "ngspice crashed on this circuit, and its process ended. Look for extreme values in the deck "
            "and its models."
        )
        raise ParameterError(message) from None
    except _Silent:
        message = (
            f"ngspice did not answer for {_PATIENCE:g} s on this circuit, so photosim stopped it. Look for "
            "models that do not converge, or make the deck smaller."
        )
        raise ParameterError(message) from None
    if "ended" in text:
        _KEEPER.close()
        raise Refused([*text.get("said", []), "ngspice gave up and ended"])
    if "failed" in text:
        raise Refused(list(text["failed"]) or ["it gave no reason"])
    return Answer(np.frombuffer(found), tuple(text.get("said", ())))

"""The netlist on the desk: its text as edited, and the circuits made of texts, each kept for a while."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim import netlist as netlists
from photosim.circuit import Circuit
from photosim.errors import NetlistError, ParameterError, PhotosimError
from photosim.explorer.curves import KEPT
from photosim.netlist.reader import map_beside
from photosim.netlist.save import with_settings

if TYPE_CHECKING:
    from photosim.explorer.progress import Remarks
    from photosim.model import Netlist

_YAML = (".yml", ".yaml", ".json")
_INSTANCE = re.compile(r"(?:[Ii]nstance|Setting) '([^'.,]+)")

_ENTRY = re.compile(r"specification, entry (.+?): ")


@dataclass(frozen=True)
class Opened:
    """A circuit made of a text; `key` is what pages call it, `remarks` what a reader should know of it."""

    key: str
    text: str
    circuit: Circuit
    remarks: tuple[str, ...]

    @property
    def netlist(self) -> Netlist:
        """The netlist as read."""
        return self.circuit.netlist


@dataclass(frozen=True)
class Mistake:
    """An error of a text, at its line and column, counted from 1."""

    line: int
    column: int
    message: str


class Unknown(ParameterError):  # noqa: N818 - the text that a key stands for is unknown
    """A key whose text this server has not seen, as after it was started anew."""


class Desk:
    """Reads texts as the file that is explored, and keeps the circuits that were made of them.

    cell_map, mode: as for `photosim.netlist.read`.
    """

    def __init__(
        self, file: str, remarks: Remarks, *, cell_map: Path | None = None, mode: str | None = None
    ) -> None:
        self.path = netlists.find(file)
        self.mode = mode
        self.cell_map = cell_map if cell_map is not None else map_beside(self.path)
        self._remarks = remarks
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._reading = threading.Lock()

    def text(self) -> str:
        """Return the text of the file as it is now; a netlist of another form is written as YAML.

        Raises NetlistError for a file that cannot be read.
        """
        if self.path.suffix.lower() in _YAML:
            from photosim.netlist.compose import MAX_BYTES
            from photosim.netlist.text import read_utf8

            return read_utf8(self.path, str(self.path), MAX_BYTES)
        return netlists.to_yaml(netlists.read(self.path, cell_map=self.cell_map, mode=self.mode))

    def open(self, text: str) -> Opened:
        """Return the circuit of a text; NetlistError or ParameterError where it describes none."""
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        with self._reading:
            if key not in self._opened:
                self._opened[key] = self._made(key, text)
                while len(self._opened) > KEPT:
                    self._opened.popitem(last=False)
            self._opened.move_to_end(key)
            return self._opened[key]

    def opened(self, key: str) -> Opened:
        """Return the circuit that a page knows by its key."""
        with self._reading:
            if key not in self._opened:
                message = "The server does not know this netlist: open it again."
                raise Unknown(message)
            self._opened.move_to_end(key)
            return self._opened[key]

    def _made(self, key: str, text: str) -> Opened:
        name = self.path.name.partition(".")[0]
        netlist = netlists.read_text(text, name, folder=self.path.parent, cell_map=self.cell_map)
        if self.mode is not None:
            from photosim.netlist.modes import with_mode

            netlist = with_mode(netlist, self.mode)
        with self._remarks.collected() as found:
            try:
                circuit = Circuit(netlist)
                _check_questions(circuit)
            except PhotosimError as error:
                raise _placed(error, netlist) from None
        return Opened(key, text, circuit, tuple(found))


def _check_questions(circuit: Circuit) -> None:
    """Raise an error for a specification or an analysis that cannot be read, as `photosim check` does."""
    from photosim import runner
    from photosim.analysis.yields.specification import read_specification

    read_specification(circuit, circuit.netlist.specification)
    runner.prepare(circuit)


def _placed(error: PhotosimError, netlist: Netlist) -> PhotosimError:
    """Return an error with the place of the instance that it names, if it has no place of its own."""
    if getattr(error, "mark", None) is not None:
        return error
    named = _INSTANCE.search(str(error))
    mark = netlist.mark("instances", named[1]) if named else None
    entry = _ENTRY.match(str(error))
    if entry:
        names = [str(one.get("name") or number) for number, one in enumerate(netlist.specification, 1)]
        mark = netlist.mark("specification", str(names.index(entry[1]))) if entry[1] in names else None
    return NetlistError(str(error), mark)


def mistake(error: PhotosimError) -> Mistake:
    """Return what an editor shows of an error: its line and its sentence."""
    mark = getattr(error, "mark", None)
    sentence = error.message if isinstance(error, NetlistError) else str(error)
    sentence = sentence[:1].upper() + sentence[1:]
    return Mistake(1, 1, sentence) if mark is None else Mistake(mark.line, mark.column, sentence)


def changed(netlist: Netlist, settings: Mapping[str, Any]) -> Netlist:
    """Return a netlist with other settings by dotted name, the circuit's temperature among them."""
    return with_settings(netlist, settings) if settings else netlist

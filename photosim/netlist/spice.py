"""SiEPIC and KLayout netlists (.spi): parts between nodes, in sub-circuits, as INTERCONNECT reads them.

A part is `name node node ... cell key=value ...`; which component a cell is, :mod:`photosim.netlist.cells`
says. This module only splits text; it knows no component.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from photosim.errors import Mark, NetlistError, did_you_mean, listing
from photosim.netlist.tables import locate
from photosim.netlist.text import read_utf8

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES = 2 * 2**20
"""Size of a .spi file with all that it includes, in bytes: some 50,000 parts."""
MAX_LINE = 100_000
"""Characters of a line with those that continue it."""
MAX_INCLUDES = 100
_TOKEN = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_EQUALS = re.compile(r"""("[^"]*"|'[^']*')|\s*=\s*""")
_DIRECTIVES = (".subckt", ".ends", ".param", ".include", ".ona", ".end")


@dataclass(frozen=True)
class Line:
    """A part of a circuit: its name, the nodes of its pins in order, its cell and the values given to it."""

    name: str
    nodes: tuple[str, ...]
    cell: str
    values: Mapping[str, str]
    mark: Mark


@dataclass(frozen=True)
class Block:
    """A sub-circuit, or, without pins, what stands outside of all."""

    name: str
    pins: tuple[str, ...]
    mark: Mark
    lines: list[Line] = field(default_factory=list)


@dataclass
class Sheet:
    """All that a .spi file and those that it includes hold; `analyzers` are the values of `.ona` lines."""

    top: Block
    blocks: dict[str, Block] = field(default_factory=dict)
    analyzers: list[tuple[dict[str, str], Mark]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    size: int = 0


def read_sheet(place: Path, shown: str) -> Sheet:
    """Read a .spi file; `shown` is its name in messages.

    Raises:
        NetlistError: with file and line, what is missing, unknown, out of bounds or no text.
    """
    sheet = Sheet(Block("", (), Mark(shown, 1, 1)))
    _Scanner(sheet, place.parent).file(place, shown, None)
    return sheet


class _Scanner:
    """Fills a sheet from files; remembers the sub-circuit that is open."""

    def __init__(self, sheet: Sheet, folder: Path) -> None:
        self.sheet = sheet
        self.folder = folder
        self.open: Block | None = None

    def file(self, place: Path, shown: str, mark: Mark | None) -> None:
        if place in self.sheet.files:
            raise NetlistError(f"{shown} includes itself", mark)
        if len(self.sheet.files) >= MAX_INCLUDES:
            raise NetlistError(f"more than {MAX_INCLUDES} files are included, the bound", mark)
        self.sheet.files.append(place)
        for number, column, text in _logical(self._text(place, shown, mark), shown):
            here = Mark(shown, number, column)
            tokens = _TOKEN.findall(_EQUALS.sub(lambda m: m[1] or "=", text))
            if text.startswith("."):
                self._directive(tokens, here)
            else:
                self._part(tokens, here)
        if self.open is not None:
            raise NetlistError(f".subckt {self.open.name} is not closed by .ends", self.open.mark)

    def _text(self, place: Path, shown: str, mark: Mark | None) -> str:
        text = read_utf8(place, shown, MAX_BYTES - self.sheet.size, mark)
        self.sheet.size += len(text)
        return text

    def _directive(self, tokens: list[str], mark: Mark) -> None:
        word = tokens[0].lower()
        positional, values = _split(tokens[1:], mark)
        if word == ".subckt":
            self._begin(positional, mark)
        elif word == ".ends":
            if self.open is None:
                raise NetlistError(".ends closes no .subckt", mark)
            self.open = None
        elif word == ".include":
            if len(positional) != 1:
                raise NetlistError('.include names one file, as in .include "./MZI4.spi"', mark)
            name = self._included(positional[0].strip("\"'"), mark)
            self.file(locate(name, self.folder), str(self.folder / name), mark)
        elif word == ".ona":
            self.sheet.analyzers.append((values, mark))
        elif word not in _DIRECTIVES:
            hint = did_you_mean(word, _DIRECTIVES)
            raise NetlistError(
                f"there is no directive {word!r}. There are: {listing(_DIRECTIVES)}.{hint}", mark
            )

    def _included(self, written: str, mark: Mark) -> str:
        """Name below the folder of a file to include; of a path of another machine, its last part counts."""
        foreign = written.startswith(("/", "\\")) or bool(PureWindowsPath(written).drive)
        name = written.replace("\\", "/")
        beside = PureWindowsPath(written).name
        if foreign and beside and (self.folder / beside).is_file():
            name = beside
        elif PureWindowsPath(written).drive:
            raise NetlistError(
                f".include names {written!r}, a path of another machine, and there is no file {beside!r} in "
                f"the folder of this one, {self.folder}: put it there",
                mark,
            )
        try:
            locate(name, self.folder)
        except NetlistError as error:
            also = f"; there is no file {beside!r} in the folder of this file either" if foreign else ""
            raise NetlistError(error.message + also, mark) from None
        return name

    def _begin(self, names: list[str], mark: Mark) -> None:
        if self.open is not None:
            raise NetlistError(
                f".subckt {self.open.name} is still open, from line {self.open.mark.line}", mark
            )
        if not names:
            raise NetlistError(".subckt lacks a name", mark)
        name, pins = names[0], tuple(names[1:])
        if name in self.sheet.blocks:
            line = self.sheet.blocks[name].mark
            raise NetlistError(f"sub-circuit {name!r} is given twice, first at {line}", mark)
        if len(set(pins)) < len(pins):
            raise NetlistError(f"two pins of sub-circuit {name!r} have one name", mark)
        self.open = self.sheet.blocks[name] = Block(name, pins, mark)

    def _part(self, tokens: list[str], mark: Mark) -> None:
        positional, values = _split(tokens, mark)
        if len(positional) < 2:
            raise NetlistError("a part is a name, the nodes of its pins and its cell, then key=value", mark)
        block = self.open or self.sheet.top
        block.lines.append(Line(positional[0], tuple(positional[1:-1]), positional[-1], values, mark))


def _logical(text: str, shown: str) -> list[tuple[int, int, str]]:
    """Return (line, column, text) of each line, joined where `+` continues one; comments are left out."""
    found: list[tuple[int, int, list[str]]] = []
    size = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("*"):
            continue
        if line.startswith("+") and found:
            found[-1][2].append(line[1:])
            size += len(line)
        else:
            found.append((number, len(raw) - len(raw.lstrip()) + 1, [line]))
            size = len(line)
        if size > MAX_LINE:
            message = f"a line, with those that continue it, has more than {MAX_LINE} characters, the bound"
            raise NetlistError(message, Mark(shown, *found[-1][:2]))
    return [(number, column, " ".join(texts)) for number, column, texts in found]


def _split(tokens: list[str], mark: Mark) -> tuple[list[str], dict[str, str]]:
    """Return the words before the first key=value, and the values."""
    words: list[str] = []
    values: dict[str, str] = {}
    for token in tokens:
        key, equals, value = token.partition("=")
        if not equals:
            if values:
                raise NetlistError(
                    f"{token[:40]!r} stands behind key=value, where only more of these may be", mark
                )
            words.append(token)
        elif key in values:
            raise NetlistError(f"{key!r} is given twice", mark)
        else:
            values[key] = value.strip("\"'")
    return words, values

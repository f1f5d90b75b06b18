"""Files of SPICE subcircuits: lines joined, other files of their folder included, everything checked.

A deck can do nothing but describe a circuit: lines that run commands, name files outside of the folder or
belong to an analysis are refused, and ngspice is given the lines that are left, no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from photosim.errors import DataError, did_you_mean, listing
from photosim.files.spice_elements import check_lines
from photosim.files.spice_scopes import RESERVED, Line, Scope, damaged_line
from photosim.files.tables import damaged, read_lines
from photosim.model.spice_deck import MAX_PINS, SpiceDeck, Subcircuit

MAX_LINES = 20_000
MAX_FILES = 32
MAX_ELEMENTS = 50_000
"""Bounds of a deck: lines with those of included files, files, and elements with all subcircuits expanded."""

_TEXT = re.compile(r"[\w\s+\-*/^().,?:<>=!&|%~{}'\[\]@#]*", re.ASCII)
_NAME = re.compile(r"[a-z_][\w.\-]*", re.ASCII)
_COMMENT = re.compile(r";.*|//.*|(?<=[\s,])\$.*|^\$.*")
_KNOWN = (".subckt", ".ends", ".model", ".param", ".func", ".include", ".lib", ".end")
_COMMANDS = {
    ".control": "it runs commands of ngspice", ".endc": "it runs commands of ngspice",
    ".exec": "it runs commands", ".shell": "it runs commands", ".system": "it runs commands",
    ".csparam": "it serves commands of ngspice", ".global": "a global node goes past the pins of a "
    "subcircuit",
    ".temp": "the setting 'temperature' says it", ".if": "a deck has no conditions here",
    ".elseif": "a deck has no conditions here", ".else": "a deck has no conditions here",
    ".endif": "a deck has no conditions here", ".verilog": "compiled models are not loaded",
    ".hdl": "compiled models are not loaded", ".pre_osdi": "compiled models are not loaded",
    **dict.fromkeys((".option", ".options", ".ic", ".nodeset", ".width", ".title"),
                    "photosim sets how ngspice computes"),
    **dict.fromkeys((".tran", ".ac", ".dc", ".op", ".noise", ".pz", ".tf", ".sens", ".disto", ".four", ".pss",
                     ".print", ".plot", ".probe", ".save", ".meas", ".measure", ".step", ".mc"),
                    "photosim asks the analyses: a deck describes subcircuits alone"),
}  # fmt: skip
"""Lines that are refused, and why."""


def read_spice(path: str | Path, folder: Path | None = None) -> SpiceDeck:
    """Return the subcircuits of a SPICE deck; its .include and .lib may read below `folder`, else its own.

    Raises DataError, with file and line, for what is missing, unknown, or anything but a subcircuit.
    """
    source = Path(path)
    if not source.is_file():
        message = f"There is no file {source}."
        raise DataError(message)
    reader = _Reader((folder or source.parent).resolve())
    reader.read(source, "")
    return _parsed(reader.lines, source)


@dataclass
class _Reader:
    """Joins the lines of a file with those that it includes."""

    folder: Path
    lines: list[Line] = field(default_factory=list)
    open: list[Path] = field(default_factory=list)
    files: int = 0

    def read(self, path: Path, section: str) -> None:
        """Add the lines of a file, or of one section of it."""
        place = path.resolve()
        self.open.append(place)
        self.files += 1
        found, inside = not section, not section
        for line in _joined(path):
            word = line.words[0]
            if section and word == ".lib" and len(line.words) == 2:
                inside = line.words[1] == section
                found = found or inside
            elif word == ".endl":
                if not section:
                    raise damaged_line(
                        line, "'.endl' ends a section of a library: include it by .lib FILE SECTION"
                    )
                inside = False
            elif inside and word in {".include", ".inc", ".lib"}:
                self._include(line)
            elif inside:
                self.lines.append(line)
                if len(self.lines) > MAX_LINES:
                    raise damaged_line(line, f"the deck has more than {MAX_LINES} lines")
        if not found:
            raise DataError(f"{path} has no section {section!r} ('.lib {section}' to '.endl').")
        self.open.pop()

    def _include(self, line: Line) -> None:
        match = re.fullmatch(r"\s*\.\w+\s+(?:\"([^\"]+)\"|'([^']+)'|(\S+))(?:\s+(\w+))?\s*", line.raw)
        name = next((g for g in match.groups()[:3] if g), "") if match else ""
        section = (match[4] or "").lower() if match else ""
        wanted = line.words[0] == ".lib"
        if not name or wanted != bool(section):
            how = ".lib FILE SECTION" if wanted else ".include FILE"
            raise damaged_line(line, f"{line.raw.strip()[:80]!r} does not name a file: write {how}")
        place = (line.path.parent / name).resolve()
        if not place.is_relative_to(self.folder):
            raise damaged_line(
                line, f"{name[:200]!r} lies outside of the folder {self.folder}, below which a deck may read"
            )
        if not place.is_file():
            near = [p.name for p in place.parent.iterdir()] if place.parent.is_dir() else []
            raise damaged_line(line, f"there is no file {name[:200]!r}.{did_you_mean(place.name, near)}")
        if place in self.open:
            raise damaged_line(line, f"{name!r} includes itself")
        if self.files >= MAX_FILES:
            raise damaged_line(line, f"the deck includes more than {MAX_FILES} files")
        self.read(place, section)


def _joined(path: Path) -> list[Line]:
    """Return the lines of a file without comments, continuations joined, in small letters."""
    found: list[Line] = []
    for number, text in enumerate(read_lines(path), 1):
        if text.lstrip()[:1] in {"*", ""}:
            continue
        plain = _COMMENT.sub("", text).rstrip()
        if not plain.strip():
            continue
        if plain.lstrip()[0] == "+":
            if not found:
                raise damaged(path, number, "a '+' continues a line, but there is none before it")
            before = found[-1]
            found[-1] = Line(path, before.number, f"{before.raw} {plain.lstrip()[1:].strip()}")
            continue
        found.append(Line(path, number, plain.strip()))
    for line in found:
        if line.words[0] in {".include", ".inc", ".lib"}:
            continue
        if not _TEXT.fullmatch(line.raw):
            bad = next(c for c in line.raw if not _TEXT.fullmatch(c))
            raise damaged_line(line, f"the character {bad!r} has no place in a circuit")
    return found


def _parsed(lines: list[Line], source: Path) -> SpiceDeck:
    """Return the checked deck of joined lines."""
    top = Scope("", None)
    scope, kept = top, list[Line]()
    for line in lines:
        word = line.words[0]
        if word == ".end":
            break
        if word[0] == ".":
            scope = _dotted(line, word, scope)
        elif scope is top:
            raise damaged_line(
                line,
                f"{line.first!r} stands outside of a subcircuit: put elements between .subckt and .ends "
                "(a title needs a '*' in front)",
            )
        else:
            scope.elements.append(line)
        kept.append(line)
    if scope is not top:
        assert scope.line is not None  # noqa: S101 - of an open subcircuit
        raise damaged_line(scope.line, f"subcircuit {scope.name!r} has no '.ends'")
    if not top.inner:
        raise DataError(f"{source} has no subcircuit: a deck has lines from '.subckt NAME PINS' to '.ends'.")
    check_lines(top)
    sizes: dict[int, int] = {}
    subcircuits = {}
    for name, own in top.inner.items():
        size = own.size(sizes)
        if size > MAX_ELEMENTS:
            assert own.line is not None  # noqa: S101 - of a subcircuit
            raise damaged_line(own.line, f"{name!r} has {size} elements; the bound is {MAX_ELEMENTS}")
        subcircuits[name] = _subcircuit(own)
    places = tuple(f"{line.path.name}:{line.number}" for line in kept)
    return SpiceDeck(subcircuits, tuple(line.text for line in kept), places, source.name)


def _subcircuit(scope: Scope) -> Subcircuit:
    line = scope.line
    assert line is not None  # noqa: S101 - of a subcircuit
    written = {word.lower(): word for word in line.raw.split()}
    pins = tuple(written.get(pin, pin) for pin in scope.pins)
    return Subcircuit(
        written.get(scope.name, scope.name), pins, dict(scope.parameters), f"{line.path.name}:{line.number}",
        tuple(tuple(written.get(n, n) for n in group) for group in scope.joined()),
    )  # fmt: skip


def _dotted(line: Line, word: str, scope: Scope) -> Scope:  # noqa: C901 - one branch a kind of line
    """Take a line that begins with a dot; return the scope behind it."""
    if word == ".subckt":
        return _begun(line, scope)
    if word == ".ends":
        if scope.outer is None:
            raise damaged_line(line, "'.ends' ends no subcircuit")
        if len(line.words) > 1 and line.words[1] != scope.name:
            raise damaged_line(line, f"'.ends {line.words[1]}' ends subcircuit {scope.name!r}")
        return scope.outer
    if word == ".model":
        scope.add_model(line)
    elif word == ".param":
        pairs = _pairs(line, line.text.partition(".param")[2])
        for name, value in pairs.items():
            scope.values[name] = value
            scope.written[name] = line
    elif word == ".func":
        match = re.match(r"\.func\s+([a-z_]\w*)\s*\(([\w\s,]*)\)\s*=?\s*\S", line.text)
        if match is None:
            raise damaged_line(line, f"{line.raw[:60]!r} is not a function: write .func name(a) {{...}}")
        scope.functions[match[1]] = {a.strip() for a in match[2].split(",")}
        scope.written[match[1]] = line
    elif word in _COMMANDS:
        raise damaged_line(line, f"'{word}' has no place in a netlist: {_COMMANDS[word]}")
    else:
        raise damaged_line(line, f"'{word}' is not a line of a subcircuit.{did_you_mean(word, _KNOWN)}")
    return scope


def _begun(line: Line, scope: Scope) -> Scope:
    """Return the scope of the subcircuit that a line begins."""
    words = [w for w in line.words[1:] if w != "params:"]
    names = [w for w in words if "=" not in w]
    if not names or not _NAME.fullmatch(names[0]):
        raise damaged_line(line, "a subcircuit needs a name: .subckt NAME PINS")
    name, pins = names[0], tuple(names[1:])
    if name in scope.inner:
        first = scope.inner[name].line
        at = f" (first in {first.path.name}:{first.number})" if first is not None else ""
        raise damaged_line(line, f"subcircuit {name!r} is defined twice{at}")
    if not pins:
        raise damaged_line(line, f"subcircuit {name!r} has no pins")
    twice = next((pin for pin in pins if pins.count(pin) > 1), None)
    if twice is not None:
        raise damaged_line(line, f"pin {twice!r} of subcircuit {name!r} stands there twice")
    if "0" in pins or "gnd" in pins:
        raise damaged_line(line, f"subcircuit {name!r} has ground as a pin, which every circuit has anyway")
    if scope.outer is None and len(pins) > MAX_PINS:
        raise damaged_line(line, f"subcircuit {name!r} has {len(pins)} pins; the bound is {MAX_PINS}")
    pairs = _pairs(line, " ".join(w for w in words if "=" in w))
    own = Scope(name, scope, line, pins, pairs, dict(pairs))
    scope.inner[name] = own
    return own


def _pairs(line: Line, text: str) -> dict[str, str]:
    """Return the name=value pairs of a text."""
    pattern = re.compile(r"\s*([a-z_]\w*)\s*=\s*(\{[^}]*\}|'[^']*'|[^\s,]+)[\s,]*")
    found: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        match = pattern.match(text, at)
        if match is None:
            raise damaged_line(line, f"{text[at : at + 40].strip()!r} is not a parameter: write name=value")
        if match[1] in RESERVED:
            raise damaged_line(
                line, f"a parameter cannot be called {match[1]!r}: {listing(RESERVED)} have a meaning"
            )
        found[match[1]] = match[2]
        at = match.end()
    return found

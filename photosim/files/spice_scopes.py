"""Lines of a SPICE deck, and what is defined in each of its subcircuits, by name in small letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from photosim.errors import DataError, did_you_mean
from photosim.model.joins import Joins

GROUNDS = ("0", "gnd")
RESERVED = ("time", "temper", "hertz", "and", "or", "not", "ac", "dc")
"""Names with a meaning in ngspice."""
TYPES = {
    "r": ("r", "res"), "c": ("c", "cap"), "l": ("l", "ind"), "d": ("d",), "q": ("npn", "pnp"),
    "m": ("nmos", "pmos", "vdmos", "nsoi", "psoi"), "j": ("njf", "pjf"),
    "z": ("nmf", "pmf", "nhfet", "phfet"),
    "s": ("sw",), "w": ("csw",), "o": ("ltra",), "u": ("urc",),
}  # fmt: skip
"""Types of models, by the letter of the elements that take them."""


@dataclass(frozen=True)
class Line:
    """A line of a deck, continuations joined: the file, its first line's number, and the text as written."""

    path: Path
    number: int
    raw: str

    @cached_property
    def text(self) -> str:
        """The line in small letters, without blanks about '='."""
        return re.sub(r"\s*=\s*", "=", " ".join(self.raw.lower().split()))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the text: blanks and commas part them, but not inside brackets and quotes."""
        found, depth, quoted, word = list[str](), 0, False, ""
        for c in self.text:
            depth += (c in "({[") - (c in ")}]")
            quoted ^= c == "'"
            if c in " ," and depth <= 0 and not quoted:
                found.append(word)
                word = ""
            else:
                word += c
        return tuple(w for w in (*found, word) if w)

    @property
    def first(self) -> str:
        """The first word as written."""
        return self.raw.split(maxsplit=1)[0]


def damaged_line(line: Line, what: str) -> DataError:
    """Return the error about a line."""
    # A hint ends the sentence by itself.
    return DataError(f"{line.path}:{line.number}: {what}{'' if what[-1] in '.?' else '.'}")


@dataclass(eq=False)
class Scope:
    """A subcircuit, or what is outside of all of them, with what is defined there, by name."""

    name: str
    outer: Scope | None
    line: Line | None = None
    pins: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    inner: dict[str, Scope] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    functions: dict[str, set[str]] = field(default_factory=dict)
    written: dict[str, Line] = field(default_factory=dict)
    elements: list[Line] = field(default_factory=list)
    ends: dict[str, tuple[str, ...]] = field(default_factory=dict)
    calls: dict[str, Scope] = field(default_factory=dict)
    paths: list[tuple[str, ...]] = field(default_factory=list)
    groups: list[tuple[str, ...]] | None = None

    def around(self) -> Iterator[Scope]:
        """Yield this scope and those about it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def known(self, what: str) -> list[str]:
        """Return the names of "models", "inner", "values" or "functions" that can be used here."""
        return list(dict.fromkeys(name for scope in self.around() for name in getattr(scope, what)))

    def add_model(self, line: Line) -> None:
        """Take a .model line."""
        match = re.match(r"\.model\s+([^\s(]+)\s+([a-z_]\w*)\s*(.*)$", line.text)
        if match is None:
            raise damaged_line(line, "a model needs a name and a type: .model NAME TYPE(...)")
        name, kind, rest = match.groups()
        every = [t for types in TYPES.values() for t in types]
        if kind not in every:
            hint = did_you_mean(kind, every)
            raise damaged_line(line, f"model {name!r} has the unknown type {kind!r}.{hint}")
        if name in self.models:
            raise damaged_line(line, f"model {name!r} is defined twice")
        if rest.count("(") != rest.count(")"):
            raise damaged_line(line, f"the brackets of model {name!r} do not match")
        self.models[name] = kind
        self.written[f".model {name}"] = line

    def size(self, sizes: dict[int, int]) -> int:
        """Return the number of elements with all subcircuits expanded."""
        if id(self) not in sizes:
            sizes[id(self)] = len(self.elements) + sum(own.size(sizes) for own in self.calls.values())
        return sizes[id(self)]

    def joined(self) -> list[tuple[str, ...]]:
        """Return the groups of pins, and "0", that a direct current can pass between."""
        if self.groups is None:
            self.groups = self._joined()
        return self.groups

    def _joined(self) -> list[tuple[str, ...]]:
        sets = Joins()
        groups = [list(path) for path in self.paths]
        for name, own in self.calls.items():
            at = dict(zip(own.pins, self.ends[name], strict=True)) | {"0": "0"}
            groups += [[at[pin] for pin in group] for group in own.joined()]
        for group in groups:
            for node in group:
                sets.join(_node(node), _node(group[0]))
        found: dict[str, list[str]] = {}
        for node in (*self.pins, "0"):
            found.setdefault(sets.root(node), []).append(node)
        return [tuple(group) for group in found.values() if len(group) > 1]


def _node(name: str) -> str:
    return "0" if name in GROUNDS else name

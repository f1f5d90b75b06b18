"""YAML or JSON text to plain data that remembers where each value was written.

Built from the events of PyYAML's C parser without recursion: libyaml's own composer recurses once for each
level of nesting and takes quadratic time on deep ones, and half its time on large files goes into nodes that
are thrown away. Scalars follow YAML 1.2's core schema: ``yes`` and ``1:30`` are texts, ``1e-3`` is a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from photosim.errors import Mark, NetlistError
from photosim.netlist.text import comma_hint, mark_of_byte

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

MAX_BYTES = 16 * 2**20
"""Size of a netlist file, in bytes."""
MAX_DEPTH = 50
"""Levels of mappings and lists inside each other."""
MAX_VALUES = 320_000
"""Names and values in a file, those repeated by aliases counted each time: no file takes over 200 MB."""

_PLAIN = re.compile(
    r"(?P<null>~|null|Null|NULL|)$|(?P<true>true|True|TRUE)$|(?P<false>false|False|FALSE)$"
    r"|(?P<int>[-+]?[0-9]+)$|(?P<float>[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)$"
    r"|(?P<special>[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
)
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_TEXT = "tag:yaml.org,2002:str"


Place: TypeAlias = int
"""Line and column of a key, then of its value, from 0, in one number: half the memory of a tuple of four."""
_BITS = 25
"""Bits of each of the four, as MAX_BYTES lies below 2**25."""


@dataclass(frozen=True)
class Tree:
    """Plain data (dict, list, str, int, float, bool, None) and the places of everything in its containers.

    `places` maps the id of a container to the places of its entries, by key or by position. `folder` is where
    the files that it names are, the working folder if it is None. `kept` holds
    containers whose ids are in `places` though `data` no longer has them.
    """

    data: Any
    file: str | None = None
    places: dict[int, dict[Hashable, Place]] = field(default_factory=dict, repr=False)
    folder: Path | None = None
    kept: Any = None

    def mark(self, container: object, key: Hashable, *, value: bool = False) -> Mark | None:
        """Place of a key of a container, or of the value that it has there."""
        place = self.places.get(id(container), {}).get(key)
        if place is None:
            return None
        line, column = _unpacked(place if value else place >> 2 * _BITS)
        return Mark(self.file, line + 1, column + 1)

    def follow(self, path: Sequence[Hashable]) -> Mark | None:
        """Place of the last step of a path of keys that can be found."""
        container, found = self.data, None
        for key in path:
            found = self.mark(container, key) or found
            try:
                container = container[key]
            except (LookupError, TypeError):
                break
        return found


@dataclass
class _Frame:
    """A mapping or list that is being filled."""

    container: Any
    start: Any
    anchor: str | None
    places: dict[Hashable, Place] = field(default_factory=dict)
    key: str | None = None
    key_mark: Any = None
    merged: list[Any] = field(default_factory=list)
    size: int = 1
    braces: bool = False


class _Composer:
    """State of one reading: open containers, anchors, and sizes with aliases written out."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.stack: list[_Frame] = [_Frame([], None, None)]
        self.anchors: dict[str, Any] = {}
        self.places: dict[int, dict[Hashable, Place]] = {}
        self.sizes: dict[int, int] = {}
        self.kept: list[Any] = []  # containers stay alive while their ids are keys

    def run(self, events: Iterator[Any]) -> None:
        """Take events until the end of the stream."""
        documents = 0
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event, {} if kind is yaml.MappingStartEvent else [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise self.error(
                        "a second document starts here; a netlist file holds one", event.start_mark
                    )

    def error(self, message: str, spot: Any) -> NetlistError:
        return NetlistError(message, Mark(self.file, spot.line + 1, spot.column + 1))

    def _scalar(self, event: Any) -> None:
        frame = self.stack[-1]
        text = event.value
        if event.anchor is not None:
            self.anchors[event.anchor] = text
        if type(frame.container) is dict and frame.key is None:
            self._key(frame, text, event)
            return
        tag = event.tag
        if tag is not None and tag != "!" and tag not in _TAGS:
            raise self.error(f"the tag {tag!r} is not allowed; a netlist holds plain data", event.start_mark)
        value = text if event.style or tag in {_TEXT, "!"} else _resolve(text)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        self._put(value, event.start_mark, 1)

    def _key(self, frame: _Frame, text: str, event: Any) -> None:
        if text in frame.container:
            line = _unpacked(frame.places[text] >> 2 * _BITS)[0] + 1
            if self.stack[-2].key == "connections":
                message = (
                    f"port {_clip(text)!r} is connected twice, here and on line {line}; a port has one use."
                )
            else:
                message = (
                    f"{_clip(text)!r} is given twice in this mapping, first on line {line}; keep one of them."
                )
            empty = next((key for key, value in frame.container.items() if value is None), None)
            hint = "" if empty is None or not frame.braces else comma_hint(frame.container, empty)
            raise self.error(message + hint, event.start_mark)
        frame.key = text
        frame.key_mark = event.start_mark

    def _open(self, event: Any, container: Any) -> None:
        top = self.stack[-1]
        if type(top.container) is dict and top.key is None:
            raise self.error("a mapping or list stands where a name should be", event.start_mark)
        if len(self.stack) > MAX_DEPTH:
            raise self.error(f"values are nested deeper than {MAX_DEPTH} levels, the bound", event.start_mark)
        if event.tag is not None and event.tag not in _TAGS:
            raise self.error(
                f"the tag {event.tag!r} is not allowed; a netlist holds plain data", event.start_mark
            )
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_Frame(container, event.start_mark, event.anchor, braces=bool(event.flow_style)))

    def _close(self) -> None:
        frame = self.stack.pop()
        for mapping in frame.merged:  # keys written here win over merged ones, earlier merges over later
            for key, value in mapping.items():
                frame.container.setdefault(key, value)
        if frame.places:
            self.places[id(frame.container)] = frame.places
            self.kept.append(frame.container)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = frame.container
            self.sizes[id(frame.container)] = frame.size
        self._put(frame.container, frame.start, frame.size)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            raise self.error(
                f"the alias *{event.anchor} stands for nothing that is complete before it", event.start_mark
            )
        target = self.anchors[event.anchor]
        frame = self.stack[-1]
        if type(frame.container) is dict and frame.key is None:
            raise self.error(f"the alias *{event.anchor} cannot be a name", event.start_mark)
        self._put(target, event.start_mark, self.sizes.get(id(target), 1))

    def _put(self, value: Any, spot: Any, size: int) -> None:
        frame = self.stack[-1]
        frame.size += size if type(frame.container) is list else size + 1
        if frame.size > MAX_VALUES:
            raise self.error(
                f"with its aliases written out the file has more than {MAX_VALUES} names and values", spot
            )
        container = frame.container
        if type(container) is list:
            frame.places[len(container)] = _packed(spot, spot)
            container.append(value)
            return
        key, frame.key = frame.key, None
        if key == "<<":
            frame.merged.extend(self._mergeable(value, spot))
            return
        frame.places[key] = _packed(frame.key_mark, spot)
        container[key] = value

    def _mergeable(self, value: Any, spot: Any) -> list[Any]:
        mappings = value if type(value) is list else [value]
        if not all(type(m) is dict for m in mappings):
            raise self.error("'<<' merges mappings: give the alias of one, as in <<: *base", spot)
        return mappings


def _packed(key: Any, value: Any) -> Place:
    first: int = key.line << _BITS | key.column
    second: int = value.line << _BITS | value.column
    return first << 2 * _BITS | second


def _unpacked(place: Place) -> tuple[int, int]:
    """Line and column in the lower half of a place."""
    low = (1 << _BITS) - 1
    return place >> _BITS & low, place & low


def compose(text: str, file: str | None = None, folder: Path | None = None) -> Tree:
    """Data and places of a YAML or JSON text; `file` is the name that messages show, `folder` where it lies.

    Raises:
        NetlistError: text that is not YAML, a key given twice, or a bound of this module passed.
    """
    if len(text) > MAX_BYTES:
        raise NetlistError(f"{file or 'the netlist'} has {len(text)} characters; the bound is {MAX_BYTES}")
    composer = _Composer(file)
    try:
        loader = yaml.CSafeLoader(text)
        try:
            composer.run(iter(loader.get_event, None))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error, file) from None
    except yaml.reader.ReaderError as error:
        spot = mark_of_byte(text.encode(), error.position, file)
        raise NetlistError(f"this is not YAML or JSON: {_one_line(str(error.reason))}", spot) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise NetlistError(f"{file or 'the text'} is not YAML or JSON: {_one_line(str(error))}") from None
    found = composer.stack[0].container
    return Tree(found[0] if found else None, file, composer.places, folder)


def _unreadable(error: yaml.MarkedYAMLError, file: str | None) -> NetlistError:
    spot = error.problem_mark or error.context_mark
    mark = Mark(file, spot.line + 1, spot.column + 1) if spot else None
    if "nesting depth" in str(error.problem):
        # Newer versions of libyaml have a bound of their own, and meet it while they look ahead of us.
        return NetlistError(f"values are nested deeper than {MAX_DEPTH} levels, the bound", mark)
    context = f" {error.context}" if error.context else ""
    return NetlistError(f"this is not YAML or JSON: {_one_line(str(error.problem))}{context}", mark)


def _resolve(text: str) -> Any:
    """Value of a plain scalar."""
    if text and text[0] not in "0123456789+-.~nNtTfF":
        return text
    match = _PLAIN.match(text)
    kind = match.lastgroup if match else None
    if match is None or kind is None:
        return text
    if kind == "int" and len(text) <= len(str(-(2**63))) and -(2**63) <= int(text) < 2**63:
        return int(text)
    if match["int"] or match["float"]:
        return float(text)
    if match["special"]:
        return float(text.replace(".", ""))
    return None if match["null"] is not None else match["true"] is not None


def plain(text: str) -> bool:
    """Whether a text written without quotes is read back as a text."""
    return isinstance(_resolve(text), str)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _clip(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."

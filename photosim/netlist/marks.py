"""Places of a netlist's parts in its file, kept as plain numbers until one is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from photosim.errors import Mark

_BITS = 32
"""Bits of a column."""


@dataclass(frozen=True)
class Marks(Mapping[tuple[str, ...], Mark]):
    """Path of keys, such as ("instances", "ring", "settings", "radius"), to its place.

    A file with a hundred thousand places would spend more time on Mark objects than on anything else, and
    more memory on pairs than on its content: line and column share one number.
    """

    file: str | None = None
    places: dict[tuple[str, ...], int] = field(default_factory=dict)

    def add(self, path: tuple[str, ...], mark: Mark | None) -> None:
        """Remember a place, if there is one."""
        if mark is not None:
            self.places[path] = mark.line << _BITS | mark.column

    def __getitem__(self, path: tuple[str, ...]) -> Mark:
        place = self.places[path]
        return Mark(self.file, place >> _BITS, place & (1 << _BITS) - 1)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

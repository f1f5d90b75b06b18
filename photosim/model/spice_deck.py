"""Subcircuits of a SPICE deck: what a file of them holds, read and checked, ready for ngspice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model.sampled import FileTable

MAX_PINS = 16
"""Most pins of a subcircuit that stands in nets."""


@dataclass(frozen=True)
class Subcircuit:
    """A subcircuit: name, pins and parameters (name to text) as the file has them, and its file and line.

    joined: groups of pins that a direct current can pass between, "0" being ground.
    """

    name: str
    pins: tuple[str, ...]
    parameters: Mapping[str, str] = field(hash=False)
    place: str
    joined: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class SpiceDeck(FileTable):
    """Subcircuits by name in small letters, and the lines that define them, with the place of each.

    The lines hold elements, models, parameters and functions alone: nothing that runs a command or reads a
    file. file: name for messages and netlists.
    """

    noun: ClassVar[str] = "SPICE subcircuits"
    reader: ClassVar[str] = "read_spice"
    includes: ClassVar[bool] = True

    subcircuits: Mapping[str, Subcircuit]
    lines: tuple[str, ...]
    places: tuple[str, ...]
    file: str = ""

    @cached_property
    def digest(self) -> str:
        """Hash of the lines."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    def __repr__(self) -> str:
        """Say what the deck holds, in one line that differs for different ones."""
        return f"SpiceDeck({self.name!r}: {listing(self.subcircuits)}, {self.digest[:12]})"

    def subcircuit(self, name: str) -> Subcircuit:
        """Return a subcircuit by name, the only one for ""; ParameterError lists what there is."""
        known = [one.name for one in self.subcircuits.values()]
        if not name and len(known) == 1:
            return next(iter(self.subcircuits.values()))
        if not name:
            message = f"deck {self.name!r} has several subcircuits: name one of {listing(known)} by 'subckt'."
            raise ParameterError(message)
        found = self.subcircuits.get(name.lower())
        if found is None:
            message = f"deck {self.name!r} has no subcircuit {name!r}. It has: {listing(known)}."
            raise ParameterError(message + did_you_mean(name, known))
        return found


@dataclass(frozen=True)
class SpiceCall:
    """A subcircuit of a deck with numbers for its parameters, and the temperature in K at which it works."""

    deck: SpiceDeck
    subcircuit: Subcircuit
    parameters: tuple[tuple[str, str], ...]
    temperature: float

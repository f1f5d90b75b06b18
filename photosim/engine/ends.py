"""Ends of connections while a netlist is flattened: what the name of a port of an instance stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from photosim.conventions import mode_of, ports_by_mode
from photosim.engine.graph import Part
from photosim.errors import NetlistError, did_you_mean, listing
from photosim.model.netlist import PortRef

End: TypeAlias = "int | dict[str, int] | PortRef"
"""What a port's name stands for: a number, a number for each of its modes, or an electrical port."""
Place: TypeAlias = "Part | Callable[[str], End]"
"""What was made of an instance: a part that is as others are, or what finds its ports."""


def end_of(place: Place, port: str) -> End:
    """Return what the name of a port stands for."""
    if not isinstance(place, Part):
        return place(port)
    if port in place.ports:
        return place.first_port + place.ports.index(port)
    return PartPorts(place, dict(zip(place.written, place.numbers or (), strict=True)))(port)


def by_mode(end: int | dict[str, int], written: str) -> dict[str, int]:
    """Return the numbers of a port by mode; one that is named alone has the mode that its name says."""
    return end if isinstance(end, dict) else {mode_of(written): end}


@dataclass(frozen=True)
class Ports:
    """Resolves the exposed ports of a placed sub-circuit."""

    name: str
    optical: Mapping[str, int]
    electrical: Mapping[str, PortRef]
    aliases: Mapping[str, str]

    def __call__(self, port: str) -> End:
        """Return what the name of an exposed port stands for."""
        port = port if port in self.optical or port in self.electrical else self.aliases.get(port, port)
        if port in self.optical:
            return self.optical[port]
        if port in self.electrical:
            return self.electrical[port]
        modes = ports_by_mode(self.optical).get(port)
        if modes:
            return {mode: self.optical[name] for mode, name in modes.items()}
        known = (*self.optical, *self.electrical, *self.aliases)
        message = f"instance {self.name!r} has no port {port!r}. It has: {listing(known)}."
        raise NetlistError(message + did_you_mean(port, known))


@dataclass(slots=True)
class PartPorts:
    """Resolves the ports of a part, by name or alias."""

    part: Part
    settings: Mapping[str, Any]

    def __call__(self, port: str) -> End:
        """Return what the name of a port of the part stands for."""
        part = self.part
        if port in part.ports:
            return part.first_port + part.ports.index(port)
        where = f"instance {part.name!r} ({part.model.name})"
        name = part.model.port(port, self.settings, where)
        if name in part.ports:
            return part.first_port + part.ports.index(name)
        modes = ports_by_mode(part.ports).get(name)
        if modes:
            return {mode: part.first_port + part.ports.index(own) for mode, own in modes.items()}
        return part.name, name

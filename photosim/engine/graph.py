"""The flat circuit: its parts, how their ports are joined, and the value of every named setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from photosim.conventions import ports_by_mode
from photosim.engine.bindings import TEMPERATURE, Bindings
from photosim.errors import NetlistError, did_you_mean, listing
from photosim.model import Block, Composite, Detector, Model, Network, Nonlinear, Source
from photosim.model.netlist import PortRef

if TYPE_CHECKING:
    import numpy as np

    from photosim.model.windows import Window


class Part(NamedTuple):
    """One part of the flat circuit: dotted name, model, settings written, number of its first port.

    `numbers` has the values of the settings written where all of them are plain numbers; they are not bound
    one by one.
    """

    name: str
    model: Model
    written: tuple[str, ...]
    ports: tuple[str, ...]
    aliases: Mapping[str, str]
    first_port: int
    kit_windows: tuple[Window, ...] = ()
    numbers: tuple[float, ...] | None = None

    @property
    def windows(self) -> tuple[Window, ...]:
        """Windows of the model, and those that a kit states."""
        return (*self.model.windows, *self.kit_windows) if self.kit_windows else self.model.windows

    def bound(self) -> Iterator[tuple[str, float]]:
        """Yield the settings of a part whose settings are plain numbers, by dotted name."""
        for name, value in zip(self.written, self.numbers or (), strict=True):
            yield f"{self.name}.{name}", value

    def switched(self) -> Iterator[tuple[str, Any]]:
        """Yield the switches of a part that are not written, by dotted name, with their defaults."""
        for name in self.model.switches:
            if name not in self.written:
                yield f"{self.name}.{name}", self.model.parameters[name].default


@dataclass(frozen=True)
class Graph:
    """The flat circuit.

    Optical ports are numbered part by part. `partner[p]` is the port that p is
    joined to, or -1. `exposed` and `electrical` map names to a port number and
    to (part name, port); `wires` are the pairs of electrical ports that are
    connected. `bindings` holds the value of every named setting;
    `structural` those whose change needs a new graph. `composites` holds the
    models of the instances that were written out, `buses` the names of the ports
    that carry buses, and `bus_ranges` the waves of them that a connection
    names: port to first wave and one past the last. `written` has the names of
    the settings written for each composite, `nets` the electrical nets by their
    members, `open_pins` those of sub-circuits that nothing outside joins. `doors` finds the ports of the
    instances that were written out: the number of an optical port, or those of its modes.
    `without_temperature` has, by the name of the temperature that holds around them, what has none of its
    own.
    """

    parts: tuple[Part, ...]
    partner: np.ndarray[Any, np.dtype[np.int64]]
    exposed: Mapping[str, int]
    electrical: Mapping[str, PortRef]
    bindings: Bindings
    structural: Mapping[str, Any]
    composites: Mapping[str, Composite] = field(repr=False, default_factory=dict)
    buses: Mapping[int, str] = field(repr=False, default_factory=dict)
    bus_ranges: Mapping[int, tuple[int, int]] = field(repr=False, default_factory=dict)
    wires: tuple[tuple[PortRef, PortRef], ...] = ()
    written: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)
    without_temperature: Mapping[str, Sequence[str]] = field(repr=False, default_factory=dict)
    nets: tuple[tuple[PortRef, ...], ...] = ()
    open_pins: frozenset[PortRef] = frozenset()
    doors: Mapping[str, Callable[[str], Any]] = field(repr=False, default_factory=dict)

    @cached_property
    def index(self) -> dict[str, int]:
        """The number of each part by name."""
        return {part.name: k for k, part in enumerate(self.parts)}

    @cached_property
    def owners(self) -> tuple[Part, ...]:
        """The part of every optical port, by number; a wave has the number of the port that it arrives at."""
        return tuple(part for part in self.parts for _ in part.ports)

    def settings_of(self, part: Part) -> dict[str, Any]:
        """Return every setting of a part as written, with defaults and the circuit's temperature."""
        found = part.model.defaults
        if TEMPERATURE in found:
            found[TEMPERATURE] = self.bindings.value(TEMPERATURE)
        if part.numbers is not None:
            return found | dict(zip(part.written, part.numbers, strict=True))
        return found | {name: self.bindings.value(f"{part.name}.{name}") for name in part.written}

    def check_answers(self, name: str) -> None:
        """Raise NetlistError for a circuit without ports, sources and detectors, which answers nothing."""
        if self.exposed or self.electrical or any(_answers(part.model) for part in self.parts):
            return
        message = (
            f"Circuit {name!r} has nothing to compute: it exposes no port and has no light source, no "
            "detector and no electrical network; name ports under 'ports', as in ports: {in: 'a,o1'}."
        )
        raise NetlistError(message)

    def part(self, name: str) -> Part:
        """Return the part of that dotted name; NetlistError with the nearest one if there is none."""
        if name not in self.index:
            message = f"The circuit has no instance {name!r}.{did_you_mean(name, self.index)}"
            raise NetlistError(message)
        return self.parts[self.index[name]]

    def port(self, instance: str, port: str) -> int:
        """Return the number of an optical port, by name or alias; the instance may have parts inside."""
        if instance in self.doors:
            return self._inner_port(instance, port)
        part = self.part(instance)
        own = part.aliases.get(port, port)
        if own not in part.ports:
            modes = ports_by_mode(part.ports).get(own)
            if modes:
                message = f"Port {port!r} of instance {instance!r} carries modes: name one, as in "
                raise NetlistError(message + f"{instance},{next(iter(modes.values()))}.")
            known = (*part.ports, *part.aliases)
            message = f"Instance {instance!r} has no port {port!r}. It has: {listing(known)}."
            raise NetlistError(message + did_you_mean(port, known))
        return part.first_port + part.ports.index(own)

    def _inner_port(self, instance: str, port: str) -> int:
        """Return the number of the port of a part that an instance with parts inside exposes as `port`."""
        found = self.doors[instance](port)
        if isinstance(found, int):
            return found
        if isinstance(found, dict):
            message = f"Port {port!r} of instance {instance!r} carries modes: name one, as in "
            raise NetlistError(message + f"{instance},{port}@{next(iter(found))}.")
        message = f"Port {port!r} of instance {instance!r} is electrical: it carries no light."
        raise NetlistError(message)


def _answers(model: Model) -> bool:
    """Return whether a part has light of its own, detects, or belongs to a chain of free space."""
    return isinstance(model, Source | Detector | Block | Network) or (
        isinstance(model, Nonlinear) and bool(model.emits)
    )

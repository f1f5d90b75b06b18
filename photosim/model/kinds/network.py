"""Components with electrical pins: elements between nodes, joined by nets that obey Kirchhoff's laws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from photosim.errors import ParameterError, did_you_mean
from photosim.model.elements import Element
from photosim.model.kinds.base import Judged


@dataclass(frozen=True)
class Reading:
    """A signal that a component reads off its own network: the voltage between two nodes, in `unit`."""

    unit: str
    nodes: tuple[str, str]


@dataclass(frozen=True, eq=False)
class Network(Judged):
    """A part of the electronics with pins: its function returns the elements between them.

    `pins` may stand in nets; `thermal` ones carry temperatures (in K) and powers (in W) in place of voltages
    and currents. `reads` holds the signals that leave it one way, by port; `drives` the settings behind those
    that enter. `pins_of` gives, for settings that decide it, the names of the pins in their order, as many as
    there are; None while they are not known.
    """

    pins: tuple[str, ...] = ()
    thermal: tuple[str, ...] = ()
    reads: Mapping[str, Reading] = field(default_factory=dict)
    pins_of: Callable[..., tuple[str, ...] | None] | None = None

    kind = "network"

    def electrical_unit(self, port: str, settings: Mapping[str, Any]) -> str:
        """Return the unit of the signal at a one-way port; a pin has none."""
        if port in self.reads:
            return self.reads[port].unit
        return super().electrical_unit(port, settings)

    def _named(self, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
        return None if self.pins_of is None else self.pins_of(**self.full(settings))

    def electrical_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the pins and one-way ports of an instance with these settings."""
        named = self._named(settings)
        if named is None:
            return self.electrical
        return (*self.pins[: len(named)], *(port for port in self.electrical if port not in self.pins))

    def aliases_for(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the other names of the pins of an instance with these settings."""
        named = zip(self._named(settings) or (), self.pins, strict=False)
        found = {other: pin for name, pin in named for other in (name, name.lower())}
        return {**self.aliases, **{name: pin for name, pin in found.items() if name not in self.pins}}

    def domain_of(self, port: str, settings: Mapping[str, Any]) -> str:
        """Return what a pin carries, "electrical" or "thermal"; empty for a one-way port."""
        del settings
        return "" if port not in self.pins else "thermal" if port in self.thermal else "electrical"

    @cached_property
    def followed(self) -> tuple[str, ...]:
        """Names of the settings that its sources follow over time, those of a file not known yet left out."""
        if any(p.kind == "table" and p.default is None for p in self.parameters.values()):
            return tuple(self.drives.values())
        return tuple(e.setting for e in self.elements() if e.setting)

    def elements(self, **settings: Any) -> tuple[Element, ...]:
        """Return the elements at these settings; ParameterError for a wrong setting or element."""
        found = tuple(self.function(**self.full(settings)))
        names = [element.name for element in found]
        for element in found:
            if names.count(element.name) > 1:
                message = f"Component {self.name!r} has two elements named {element.name!r}."
                raise ParameterError(message)
            for branch in element.branches:
                if branch not in names:
                    message = (
                        f"Component {self.name!r}: {element.name!r} uses the current of {branch!r}, which "
                    )
                    raise ParameterError(message + f"is not an element of it.{did_you_mean(branch, names)}")
        return found

"""Components made of components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from photosim.conventions import exposed_names, port_places
from photosim.errors import ParameterError
from photosim.model import registry
from photosim.model.claims import Symmetries
from photosim.model.kinds.base import Model, port_names
from photosim.model.netlist import Netlist


@dataclass(frozen=True, eq=False)
class Composite(Model):
    """A component made of components: its function returns a Netlist, which the engine flattens.

    `exclusive` holds pairs of settings of which at most one may be given.
    """

    exclusive: tuple[tuple[str, str], ...] = ()
    symmetries: Symmetries = field(default_factory=dict)

    kind = "composite"

    def check(self, settings: Mapping[str, Any], where: str | None = None) -> None:
        """Raise ParameterError for a wrong setting, or for two settings that exclude each other."""
        super().check(settings, where)
        for first, second in self.exclusive:
            if settings.get(first) is not None and settings.get(second) is not None:
                message = (
                    f"{where or f'component {self.name!r}'}: settings {first!r} and {second!r} "
                    "exclude each other: give one of them."
                )
                raise ParameterError(message)

    def build(self, settings: Mapping[str, Any]) -> Netlist:
        """Return the inner netlist for these settings; real ones may be expressions."""
        return self.function(**self.full(settings))  # type: ignore[no-any-return]

    def ports_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the declared ports, or those that the inner netlist exposes."""
        if self.ports:
            return self.ports
        optical, _ = self._exposed(settings)
        return optical

    def aliases_for(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the other names of the ports; ports that the inner netlist exposes are half on the left."""
        if self.ports:
            return self.aliases
        optical, _ = self._exposed(settings)
        return port_names(optical, (len(port_places(optical)) + 1) // 2, self.aliases)

    def electrical_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the electrical ports that the inner netlist exposes."""
        if self.ports:
            return self.electrical
        _, electrical = self._exposed(settings)
        return electrical

    def electrical_unit(self, port: str, settings: Mapping[str, Any]) -> str:
        """Return the unit of the signal at an electrical port: that of the part inside."""
        model, own, inner = self._inside(port, settings)
        return model.electrical_unit(own, inner)

    def domain_of(self, port: str, settings: Mapping[str, Any]) -> str:
        """Return what a pin carries, "electrical" or "thermal", as the part inside says; empty for others."""
        model, own, inner = self._inside(port, settings)
        return model.domain_of(own, inner)

    def _structure(self, settings: Mapping[str, Any]) -> Netlist:
        """Return the inner netlist by the settings that shape it alone."""
        return self.build(
            {k: v for k, v in settings.items() if k in self.parameters and self.parameters[k].structural}
        )

    def _inside(self, port: str, settings: Mapping[str, Any]) -> tuple[Model, str, Mapping[str, Any]]:
        """Return the part that has a port inside: its model, the port's name there, and its settings."""
        net = self._structure(settings)
        instance, own = net.ports[port]
        inner = net.instances[instance]
        return registry.get(inner.component), own, inner.settings

    def _exposed(self, settings: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        net = self._structure(settings)
        optical: list[str] = []
        electrical: list[str] = []
        known: dict[int, tuple[str, ...]] = {}  # equal rows of an array are one object, built once
        for outer, (instance, port) in net.ports.items():
            inner = net.instances[instance]
            model = registry.get(inner.component)
            if id(inner) not in known:
                known[id(inner)] = model.electrical_for(inner.settings)
            if port in known[id(inner)]:
                electrical.append(outer)
            else:
                optical += exposed_names(outer, model.modes(port, inner.settings))
        return tuple(optical), tuple(electrical)

"""Which ports the instances of a netlist have, under all their names."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from photosim.conventions import exposed_names, ports_by_mode
from photosim.errors import NetlistError, ParameterError
from photosim.model import Block, ClosedForm, Detector, Network, Nonlinear, Source, registry
from photosim.netlist.arrays import base_name
from photosim.netlist.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.model import Instance, Model, Netlist


MAX_SIZE = {"composite": 300_000, "numerical": 10**9}
"""Product of the counts of one component, by its kind: what it builds, and the elements of its matrix."""


@dataclass(frozen=True)
class Ports:
    """Ports of one instance: `canonical` maps every name, aliases included, to the port's own.

    `modes` holds the ports that carry modes: the name of the whole, and the port of each mode;
    `buses` those that carry a bus, of which a part can be named.
    """

    optical: tuple[str, ...]
    electrical: frozenset[str]
    canonical: Mapping[str, str]
    modes: Mapping[str, Mapping[str, str]]
    buses: frozenset[str] = frozenset()


class PortTable:
    """Ports of the instances of a netlist, looked up once for each component and its structural settings."""

    def __init__(self, netlist: Netlist, values: Mapping[str, Any]) -> None:
        self.netlist = netlist
        self.values = values
        self._known: dict[Any, Ports] = {}

    def of(self, name: str) -> Ports:
        """Ports of the instance of that name."""
        instance = self.netlist.instances[name]
        component = instance.component
        found = self._known.get(component)
        if found is not None:
            return found
        sub = self.netlist.components.get(component)
        if sub is not None:
            return self._known.setdefault(component, _exposed(sub))
        model = registry.get(component)
        fixed = Block | ClosedForm | Detector | Network | Nonlinear | Source
        if isinstance(model, fixed) and getattr(model, "pins_of", None) is None:
            ports = _ports(model.ports, model.electrical, model.aliases)
            ports = replace(ports, buses=frozenset(model.buses)) if isinstance(model, Block) else ports
            return self._known.setdefault(component, ports)
        return self._of_settings(name, instance)

    def electrical_unit(self, name: str, port: str) -> str:
        """Unit of the signal at an electrical port, by the port's own name; empty for a pin."""
        model, own, settings = self._behind(name, port)
        return model.electrical_unit(own, settings)

    def domain(self, name: str, port: str) -> str:
        """What a pin carries, "electrical" or "thermal", by the port's own name; empty for other ports."""
        model, own, settings = self._behind(name, port)
        return model.domain_of(own, settings)

    def _behind(self, name: str, port: str) -> tuple[Model, str, dict[str, Any]]:
        """Model, port and structural settings of the part behind a port, also inside a sub-netlist."""
        instance = self.netlist.instances[name]
        sub = self.netlist.components.get(instance.component)
        if sub is not None:
            inner, own = sub.ports[port]
            table = PortTable(sub, self.values)
            return table._behind(inner, table.of(inner).canonical.get(own, own))
        model = registry.get(instance.component)
        shapes = {key for key, parameter in model.parameters.items() if parameter.structural}
        return model, port, {key: value for key, value in instance.settings.items() if key in shapes}

    def pins(self, name: str) -> list[str]:
        """Pins of an instance, by their own names."""
        return sorted(port for port in self.of(name).electrical if self.domain(name, port))

    def _of_settings(self, name: str, instance: Instance) -> Ports:
        """Ports of a component whose number of ports may be a setting."""
        model = registry.get(instance.component)
        where = f"instance {name!r} ({instance.component})"
        structural = {
            key: _count(evaluate(value, self.values, where), parameter.kind)
            for key, value in instance.settings.items()
            if (parameter := model.parameters.get(key)) is not None and parameter.structural
        }
        self._refuse_sizes(model, structural, where, instance)
        key = (instance.component, tuple(sorted((k, repr(v)) for k, v in structural.items())))
        if key not in self._known:
            try:
                self._known[key] = _ports(
                    model.ports_for(structural),
                    model.electrical_for(structural),
                    model.aliases_for(structural),
                )
            except ParameterError as error:
                mark = instance.mark or self.netlist.mark("instances", base_name(name))
                raise NetlistError(f"{where}: {error}", mark) from None
        return self._known[key]

    def _refuse_sizes(
        self, model: Model, structural: Mapping[str, Any], where: str, instance: Instance
    ) -> None:
        """Stop counts that multiply to more than a machine can hold, before anything is built."""
        values = {**model.defaults, **structural}
        counts = {name: values[name] for name, parameter in model.parameters.items() if parameter.counts}
        size = math.prod(value for value in counts.values() if isinstance(value, int))
        bound = MAX_SIZE.get(model.kind, size)
        if size > bound:
            product = " x ".join(f"{name} {value}" for name, value in counts.items())
            raise NetlistError(
                f"{where} has {product} = {size} elements; the bound is {bound}.", instance.mark
            )


def _count(value: Any, kind: str) -> Any:
    """A whole number that an expression has worked out as a float."""
    return int(value) if kind == "whole" and isinstance(value, float) and value.is_integer() else value


def _ports(optical: tuple[str, ...], electrical: tuple[str, ...], aliases: Mapping[str, str]) -> Ports:
    modes = ports_by_mode(optical)
    canonical = {port: port for port in (*optical, *electrical, *modes)}
    for alias, port in aliases.items():
        canonical.setdefault(alias, port)
    return Ports(tuple(optical), frozenset(electrical), canonical, modes)


def _exposed(netlist: Netlist) -> Ports:
    """Ports of a sub-netlist: what it exposes; electrical where the part behind is."""
    inner = PortTable(netlist, {})
    optical: list[str] = []
    electrical: list[str] = []
    for outer, (name, port) in netlist.ports.items():
        behind = inner.of(name) if name in netlist.instances else None
        own = behind.canonical.get(port, port) if behind else port
        if behind and own in behind.electrical:
            electrical.append(outer)
        else:
            optical += exposed_names(outer, behind.modes.get(own, ()) if behind else ())
    return _ports(tuple(optical), tuple(electrical), {})

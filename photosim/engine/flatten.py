"""Flatten a netlist: hierarchy gone, every port joined, exposed or left open, every setting bound to a name.

Composite components are called with symbols in place of their real settings,
so each setting of each part is a number or an expression over named settings
further up. Changing a setting later means evaluating expressions, not
flattening again; only a structural setting (a count, a reflection switched on)
changes the graph.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from photosim.conventions import bus_range, exposed_names, mode_of, modes_that_meet, ports_by_mode
from photosim.engine.ambient import is_lit, scopes, without_temperature
from photosim.engine.bindings import TEMPERATURE, Bindings, Scoped, owner, setting_value
from photosim.engine.graph import Graph, Part
from photosim.engine.nets import Collected, joined
from photosim.errors import NetlistError, did_you_mean, listing
from photosim.expressions import Expr, symbol
from photosim.model import GROUND_MEMBER, Block, ClosedForm, Composite, Model, registry
from photosim.model.netlist import Instance, Netlist, PortRef
from photosim.model.parameters import Parameter
from photosim.model.windows import Window

End: TypeAlias = "int | dict[str, int] | PortRef"
"""What a port's name stands for: a number, a number for each of its modes, or an electrical port."""

MAX_DEPTH = 64
"""Deepest hierarchy accepted; deeper is taken for a component that contains itself."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector while many objects that stay are made: it would walk them all, often."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def flatten(netlist: Netlist, overrides: Mapping[str, Any] | None = None) -> Graph:
    """Return the flat graph of a checked netlist.

    `overrides` replaces settings by dotted name, structural ones included.
    Raises NetlistError for a component that contains itself.
    """
    builder = _Builder(dict(overrides or {}))
    exposed, electrical = builder.place(netlist, "", (), ())
    partner = np.full(builder.ports, -1, dtype=np.int64)
    for a, b in builder.joins:
        partner[a], partner[b] = b, a
    metal = builder.electrical
    index = {part.name: k for k, part in enumerate(builder.parts)}
    bindings = Bindings(builder.bound)
    return Graph(
        tuple(builder.parts), partner, exposed, electrical, bindings, builder.structural, index,
        builder.composites, builder.buses, builder.bus_ranges, tuple(metal.wires), builder.written,
        without_temperature(builder.cold, builder.composites, builder.warm), joined(metal.nets),
        frozenset(metal.open_pins), builder.doors,
    )  # fmt: skip


class _Builder:
    """Collects parts, joins and bindings while walking down the hierarchy."""

    def __init__(self, overrides: dict[str, Any]) -> None:
        self.overrides = overrides
        self.parts: list[Part] = []
        self.joins: list[tuple[int, int]] = []
        self.buses: dict[int, str] = {}
        self.bus_ranges: dict[int, tuple[int, int]] = {}
        self.electrical = Collected()
        self.bound: dict[str, Any] = {}
        self.structural: dict[str, Any] = {}
        self.composites: dict[str, Composite] = {}
        self.doors: dict[str, _Ports] = {}
        self.written: dict[str, tuple[str, ...]] = {}
        self.cold: list[tuple[str, str, Model]] = []
        self.warm: set[str] = set()
        self.ports = 0
        self._templates: dict[Any, Netlist] = {}
        self._temperature_scopes: dict[str, str] = {"": ""}

    def place(
        self, netlist: Netlist, scope: str, parents: tuple[Mapping[str, Netlist], ...], chain: tuple[str, ...]
    ) -> tuple[dict[str, int], dict[str, PortRef]]:
        """Add a netlist under a dotted scope; return its exposed optical and electrical ports."""
        if len(chain) > MAX_DEPTH:
            message = (
                f"Hierarchy is deeper than {MAX_DEPTH} levels: {' > '.join(chain[-4:])} contains itself."
            )
            raise NetlistError(message)
        prefix = f"{scope}." if scope else ""
        for name, value in netlist.settings.items():
            if prefix + name not in self.bound:
                self._bind(prefix + name, value, scope)
        if scope and prefix + TEMPERATURE in self.bound:
            self._temperature_scopes[scope] = scope
        visible = (netlist.components, *parents)
        inner = {
            name: self._instance(instance, prefix + name, scope, visible, (*chain, instance.component))
            for name, instance in netlist.instances.items()
        }
        self._join(netlist, inner)
        self.electrical.note_open(netlist, {n: p for n, p in inner.items() if isinstance(p, _Ports)}, scope)
        optical: dict[str, int] = {}
        electrical: dict[str, PortRef] = {}
        for outer, (instance, port) in netlist.ports.items():
            found = inner[instance](port)
            if isinstance(found, int):
                optical[outer] = found
            elif isinstance(found, dict):
                optical.update(zip(exposed_names(outer, found), found.values(), strict=True))
            else:
                electrical[outer] = found
        return optical, electrical

    def _join(self, netlist: Netlist, inner: Mapping[str, Callable[[str], End]]) -> None:
        for (a, port_a), (b, port_b) in netlist.connections:
            left, right = inner[a](port_a), inner[b](port_b)
            if isinstance(left, int) and isinstance(right, int):
                self.joins.append((left, right))
                self._note_bus_ranges((left, port_a), (right, port_b))
            elif isinstance(left, tuple) != isinstance(right, tuple):
                message = f"Connection {a},{port_a} to {b},{port_b} joins an optical and an electrical port."
                raise NetlistError(message, netlist.mark("connections", f"{a},{port_a}"))
            elif isinstance(left, tuple) and isinstance(right, tuple):
                self.electrical.connect(left, right)
            elif not isinstance(left, tuple) and not isinstance(right, tuple):
                pairs = modes_that_meet(_by_mode(left, port_a), _by_mode(right, port_b))
                if not pairs:
                    message = f"Connection {a},{port_a} to {b},{port_b} joins ports that share no mode."
                    raise NetlistError(message, netlist.mark("connections", f"{a},{port_a}"))
                self.joins += pairs
        for net in netlist.nets:
            self.electrical.join([end if end == GROUND_MEMBER else inner[end[0]](end[1]) for end in net])

    def _note_bus_ranges(self, *ends: tuple[int, str]) -> None:
        """Note the parts of buses that the two ends of a connection name."""
        for port, name in ends:
            found = bus_range(name)[1] if port in self.buses else None
            if found is not None:
                self.bus_ranges[port] = found

    def _bind(
        self, name: str, value: Any, scope: str, parameter: Parameter | None = None, where: str = ""
    ) -> None:
        """Bind a name to a value, in the form that its parameter has where a component declares it."""
        value = self.overrides.get(name, value)
        if parameter is not None:
            value = parameter.read(value, where)
        elif not isinstance(value, Expr):
            value = setting_value(value, name)
        self.bound[name] = Scoped(value, scope) if isinstance(value, Expr) else value

    def _note_temperature(self, name: str, model: Model, ports: tuple[str, ...], outer: str) -> None:
        """Note whether a part follows the temperature around it, that of the scope `outer`."""
        if not is_lit(model, ports):
            return
        if TEMPERATURE in model.parameters:
            self.warm.update(scopes(name) if outer or "." in name else ())
        else:
            self.cold.append((f"{outer}.{TEMPERATURE}" if outer else TEMPERATURE, name, model))

    def _temperature_scope(self, scope: str) -> str:
        """Return the innermost scope around a scope, itself included, that has a temperature of its own."""
        if scope not in self._temperature_scopes:
            self._temperature_scopes[scope] = self._temperature_scope(owner(scope)[0])
        return self._temperature_scopes[scope]

    def _instance(
        self,
        instance: Instance,
        name: str,
        scope: str,
        visible: tuple[Mapping[str, Netlist], ...],
        chain: tuple[str, ...],
    ) -> Any:
        """Add one instance; return a function from a port name to its number or electrical reference."""
        own = {k.rpartition(".")[2]: v for k, v in self.overrides.items() if k.rpartition(".")[0] == name}
        settings = {**instance.settings, **own} if own else instance.settings
        for table in visible:
            if instance.component in table:
                return self._sub_netlist(table[instance.component], settings, name, scope, visible, chain)
        model = registry.get(instance.component)
        if isinstance(model, Composite):
            return self._composite(model, settings, name, scope, chain)
        return self._part(model, settings, name, scope, instance.windows)

    def _sub_netlist(
        self,
        inner: Netlist,
        settings: Mapping[str, Any],
        name: str,
        scope: str,
        visible: Any,
        chain: tuple[str, ...],
    ) -> Any:
        for key, value in settings.items():
            # A netlist has a temperature as every circuit has; other settings are built into it.
            if value is not None and (key in inner.settings or key == TEMPERATURE):
                self._bind(f"{name}.{key}", value, scope)
        optical, electrical = self.place(inner, name, visible, chain)
        self.doors[name] = _Ports(name, optical, electrical, {})
        return self.doors[name]

    def _composite(
        self, model: Composite, settings: Mapping[str, Any], name: str, scope: str, chain: tuple[str, ...]
    ) -> Any:
        where = f"instance {name!r} ({model.name})"
        self.composites[name] = model
        self.written[name] = tuple(k for k, v in settings.items() if v is not None)
        arguments: dict[str, Any] = {}
        for key, parameter in model.parameters.items():
            value = settings.get(key)
            if value is None:
                value = parameter.default
            if parameter.structural or value is None:
                arguments[key] = self._concrete(f"{name}.{key}", value, scope, parameter, where)
            else:
                arguments[key] = symbol(key)
                inherited = key == TEMPERATURE and settings.get(key) is None
                own, around = (symbol(key), self._temperature_scope(scope)) if inherited else (value, scope)
                self._bind(f"{name}.{key}", own, around, parameter, where)
        template = self._template(model, arguments)
        optical, electrical = self.place(template, name, (), chain)
        self.doors[name] = _Ports(name, optical, electrical, model.aliases_for(settings))
        return self.doors[name]

    def _template(self, model: Composite, arguments: Mapping[str, Any]) -> Netlist:
        """Build each composite once for each set of structural settings."""
        key = (model.name, tuple((k, None if isinstance(v, Expr) else repr(v)) for k, v in arguments.items()))
        if key not in self._templates:
            self._templates[key] = model.build(arguments)
        return self._templates[key]

    def _part(
        self, model: Model, settings: Mapping[str, Any], name: str, scope: str, windows: tuple[Window, ...]
    ) -> Any:
        where = f"instance {name!r} ({model.name})"
        written = {k: v for k, v in settings.items() if k not in model.layout_settings and v is not None}
        if isinstance(model, ClosedForm):
            model = model.select(written, where)
        for key, value in written.items():
            parameter = model.parameters.get(key)
            if parameter is None:
                message = f"{where} has no setting {key!r}. It has: {listing(model.parameters, 20)}."
                raise NetlistError(message + did_you_mean(key, model.parameters))
            if parameter.structural and not self._is_on(parameter, f"{name}.{key}", value, scope):
                written[key] = self._concrete(f"{name}.{key}", value, scope, parameter, where)
                self.bound[f"{name}.{key}"] = written[key]
            else:
                self._bind(f"{name}.{key}", value, scope, parameter, where)
        outer = self._temperature_scope(scope)
        if outer and TEMPERATURE in model.parameters and TEMPERATURE not in written:
            written[TEMPERATURE] = symbol(TEMPERATURE)
            self._bind(f"{name}.{TEMPERATURE}", written[TEMPERATURE], outer)
        for key in model.switches:
            if key not in written:
                self.structural[f"{name}.{key}"] = model.parameters[key].default
        ports = model.ports_for(written)
        self._note_temperature(name, model, ports, outer)
        part = Part(name, model, tuple(written), ports, model.aliases_for(written), self.ports, windows)
        if isinstance(model, Block):
            self.buses |= {self.ports + ports.index(port): f"{name},{port}" for port in model.buses}
        self.ports += len(ports)
        self.parts.append(part)
        self.electrical.models[name] = model
        return _PartPorts(part, written)

    def _is_on(self, parameter: Parameter, name: str, value: Any, scope: str) -> bool:
        """Return whether a switch such as a reflection is on: it can then change without a new graph."""
        if parameter.kind != "real":
            return False
        value = self.overrides.get(name, value)
        now = Bindings(self.bound).evaluate_scoped(Scoped(value, scope)) if isinstance(value, Expr) else value
        return bool(np.all(np.asarray(parameter.read(now, name)) != 0))

    def _concrete(self, name: str, value: Any, scope: str, parameter: Parameter, where: str) -> Any:
        """Return the value of a structural setting; settings it was computed from become structural too."""
        value = self.overrides.get(name, value)
        if isinstance(value, Expr):
            used = Scoped(value, scope)
            bindings = Bindings(self.bound)
            for source in bindings.sources(used):
                self.structural[source] = self.bound[source]
            value = bindings.evaluate_scoped(used)
        value = parameter.read(value, where)
        self.structural[name] = value
        return value


def _by_mode(end: int | dict[str, int], written: str) -> dict[str, int]:
    """Return the numbers of a port by mode; one that is named alone has the mode that its name says."""
    return end if isinstance(end, dict) else {mode_of(written): end}


@dataclass(frozen=True)
class _Ports:
    """Resolves the exposed ports of a placed sub-circuit."""

    name: str
    optical: Mapping[str, int]
    electrical: Mapping[str, PortRef]
    aliases: Mapping[str, str]

    def __call__(self, port: str) -> End:
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
class _PartPorts:
    """Resolves the ports of a part, by name or alias."""

    part: Part
    settings: Mapping[str, Any]

    def __call__(self, port: str) -> End:
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

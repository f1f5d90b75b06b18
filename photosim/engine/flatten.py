"""Flatten a netlist: hierarchy gone, every port joined, exposed or left open, every setting bound to a name.

Composite components are called with symbols in place of their real settings,
so each setting of each part is a number or an expression over named settings
further up. Changing a setting later means evaluating expressions, not
flattening again; only a structural setting (a count, a reflection switched on)
changes the graph.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from photosim.conventions import bus_range, exposed_names, modes_that_meet
from photosim.engine import alike
from photosim.engine.alike import Expanded, Kind, Run, kind_of
from photosim.engine.ambient import Unheated, is_lit, scopes
from photosim.engine.bindings import TEMPERATURE, Bindings, Scoped, owner, setting_value
from photosim.engine.ends import PartPorts, Place, Ports, by_mode, end_of
from photosim.engine.graph import Graph, Part
from photosim.engine.nets import Collected, joined
from photosim.errors import NetlistError, did_you_mean, listing
from photosim.expressions import Expr, symbol
from photosim.model import GROUND_MEMBER, Block, ClosedForm, Composite, Model, registry
from photosim.model.netlist import Instance, Netlist, PortRef
from photosim.model.parameters import Parameter
from photosim.model.windows import Window

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
    ends = np.array(builder.joins, dtype=np.int64).reshape(-1, 2)
    partner[ends[:, 0]], partner[ends[:, 1]] = ends[:, 1], ends[:, 0]
    metal = builder.electrical
    parts = tuple(builder.parts)
    bindings = Bindings(builder.bound)
    structural: Mapping[str, Any] = builder.structural
    if builder.has_runs:
        bindings = Bindings(builder.bound, lambda own: Expanded(own, parts, Part.bound))
        structural = Expanded(builder.structural, parts, Part.switched)
    return Graph(
        parts, partner, exposed, electrical, bindings,
        structural,
        builder.composites, builder.buses, builder.bus_ranges, tuple(metal.wires), builder.written,
        Unheated(builder.cold, builder.composites, builder.warm), joined(metal.nets),
        frozenset(metal.open_pins), builder.doors,
    )  # fmt: skip


class _Builder:
    """Collects parts, joins and bindings while walking down the hierarchy."""

    def __init__(self, overrides: dict[str, Any]) -> None:
        self.overrides = overrides
        self.parts: list[Part] = []
        self.joins = array("q")
        self.buses: dict[int, str] = {}
        self.bus_ranges: dict[int, tuple[int, int]] = {}
        self.electrical = Collected()
        self.bound: dict[Any, Any] = {}
        self.structural: dict[Any, Any] = {}
        self.composites: dict[str, Composite] = {}
        self.doors: dict[str, Ports] = {}
        self.written: dict[str, tuple[str, ...]] = {}
        self.cold: dict[str, list[Part]] = {}
        self.warm: set[str] = set()
        self.ports = 0
        self._templates: dict[Any, Netlist] = {}
        self._kinds: dict[tuple[str, ...], Kind | None] = {}
        self._run: Run | None = None
        self.has_runs = False
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
        for own, value in netlist.settings.items():
            if prefix + own not in self.bound:
                self._bind(prefix + own, value, scope)
        if scope and prefix + TEMPERATURE in self.bound:
            self._temperature_scopes[scope] = scope
        visible = (netlist.components, *parents)
        inner: dict[str, Place] = {}
        like = len(netlist.instances) >= alike.MANY and not self.overrides
        like &= not self._temperature_scope(scope)
        others: set[str] = set().union(*visible)
        for own, one in netlist.instances.items():
            name = prefix + own
            part = self._alike(one, name) if like and one.component not in others else None
            if part is None:
                inner[own] = self._instance(one, name, scope, visible, (*chain, one.component))
            else:
                inner[own] = part
        self._join(netlist, inner)
        self.electrical.note_open(netlist, {n: p for n, p in inner.items() if isinstance(p, Ports)}, scope)
        optical: dict[str, int] = {}
        electrical: dict[str, PortRef] = {}
        for outer, (instance, port) in netlist.ports.items():
            found = end_of(inner[instance], port)
            if isinstance(found, int):
                optical[outer] = found
            elif isinstance(found, dict):
                optical.update(zip(exposed_names(outer, found), found.values(), strict=True))
            else:
                electrical[outer] = found
        return optical, electrical

    def _join(self, netlist: Netlist, inner: Mapping[str, Place]) -> None:
        for (a, port_a), (b, port_b) in netlist.connections:
            left, right = end_of(inner[a], port_a), end_of(inner[b], port_b)
            if isinstance(left, int) and isinstance(right, int):
                self.joins.extend((left, right))
                if self.buses:
                    self._note_bus_ranges((left, port_a), (right, port_b))
            elif isinstance(left, tuple) != isinstance(right, tuple):
                message = f"Connection {a},{port_a} to {b},{port_b} joins an optical and an electrical port."
                raise NetlistError(message, netlist.mark("connections", f"{a},{port_a}"))
            elif isinstance(left, tuple) and isinstance(right, tuple):
                self.electrical.connect(left, right)
            elif not isinstance(left, tuple) and not isinstance(right, tuple):
                pairs = modes_that_meet(by_mode(left, port_a), by_mode(right, port_b))
                if not pairs:
                    message = f"Connection {a},{port_a} to {b},{port_b} joins ports that share no mode."
                    raise NetlistError(message, netlist.mark("connections", f"{a},{port_a}"))
                for pair in pairs:
                    self.joins.extend(pair)
        for net in netlist.nets:
            self.electrical.join(
                [end if end == GROUND_MEMBER else end_of(inner[end[0]], end[1]) for end in net]
            )

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

    def _note_temperature(self, part: Part, outer: str) -> None:
        """Note whether a part follows the temperature around it, that of the scope `outer`."""
        if not is_lit(part.model, part.ports):
            return
        if TEMPERATURE in part.model.parameters:
            self.warm.update(scopes(part.name) if outer or "." in part.name else ())
        else:
            self.cold.setdefault(f"{outer}.{TEMPERATURE}" if outer else TEMPERATURE, []).append(part)

    def _temperature_scope(self, scope: str) -> str:
        """Return the innermost scope around a scope, itself included, that has a temperature of its own."""
        if scope not in self._temperature_scopes:
            self._temperature_scopes[scope] = self._temperature_scope(owner(scope)[0])
        return self._temperature_scopes[scope]

    def _alike(self, instance: Instance, name: str) -> Part | None:
        """Add an instance whose settings are plain numbers within bounds; return None for another one."""
        key = instance.component, *instance.settings
        try:
            kind = self._kinds[key]
        except KeyError:
            kind = self._kinds[key] = kind_of(key[0], key[1:])
        numbers = None if kind is None else kind.numbers(instance.settings)
        if kind is None or numbers is None:
            return None
        model = kind.model
        part = Part(
            name, model, kind.written, model.ports, model.aliases, self.ports, instance.windows, numbers
        )
        if self._run is None:
            self._run = Run(len(self.parts), len(self.parts))
            self.has_runs = True
            self.bound[self._run] = self.structural[self._run] = None
        self._run.last += 1
        self.ports += len(part.ports)
        self.parts.append(part)
        if kind.cold:
            self.cold.setdefault(TEMPERATURE, []).append(part)
        elif "." in name:
            self._note_temperature(part, "")
        return part

    def _instance(
        self,
        instance: Instance,
        name: str,
        scope: str,
        visible: tuple[Mapping[str, Netlist], ...],
        chain: tuple[str, ...],
    ) -> Any:
        """Add one instance; return a function from a port name to its number or electrical reference."""
        self._run = None
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
        self.doors[name] = Ports(name, optical, electrical, {})
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
        self.doors[name] = Ports(name, optical, electrical, model.aliases_for(settings))
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
        part = Part(name, model, tuple(written), ports, model.aliases_for(written), self.ports, windows)
        self._note_temperature(part, outer)
        if isinstance(model, Block):
            self.buses |= {self.ports + ports.index(port): f"{name},{port}" for port in model.buses}
        self.ports += len(ports)
        self.parts.append(part)
        self.electrical.models[name] = model
        return PartPorts(part, written)

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

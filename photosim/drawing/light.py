"""What the wires of a drawing carry: which ports of parts they are, and their powers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from photosim.conventions import port_places
from photosim.drawing.flow import PortRef
from photosim.drawing.instances import Names, evaluated
from photosim.drawing.layout import Layout
from photosim.drawing.names import steps, wire_name
from photosim.drawing.sketch import inner_netlist
from photosim.model import Block, registry

if TYPE_CHECKING:
    from photosim.model import Netlist

Measure = Callable[[Sequence[Sequence[PortRef]]], Sequence[float]]
"""Gives the power in W at each group of ports of parts, the modes of one guide."""


def wire_powers(netlist: Netlist, layout: Layout, measure: Measure) -> dict[str, float]:
    """Return the power in W of every guide of a layout, by the name of its wire."""
    flat = _Flat(netlist)
    wires: dict[str, Sequence[PortRef]] = {}
    for wire in _wires(layout):
        ends = [ports for end in wire if end[0] and (ports := flat.ports(end))]
        if ends:
            wires[wire_name(wire)] = ends[0]
    return dict(zip(wires, measure(list(wires.values())), strict=True))


def _wires(layout: Layout) -> list[tuple[PortRef, ...]]:
    found = [placed.wire.ends for placed in layout.wires if placed.wire.domain == "light"]
    for placed in layout.boxes.values():
        found += _wires(placed.box.inner) if placed.box.inner else []
    return found


class _Flat:
    """Finds the ports of parts that a port of an instance is, however deep they lie."""

    def __init__(self, netlist: Netlist) -> None:
        self._levels: dict[str, Netlist | None] = {"": netlist}
        self._names: dict[str, Names] = {}

    def ports(self, end: PortRef) -> list[PortRef]:
        """Return the ports of parts, one for each mode; none where light ends at a bus of free space."""
        *above, name = steps(end[0])
        scope = ".".join(above)
        level = self._level(scope)
        if level is None:
            return []
        instance = level.instances[name]
        inner = self._level(end[0])
        if inner is not None:
            ports = [port for port in inner.ports if port_places([port])[0] == end[1]]
            return [
                found
                for port in ports
                for found in self.ports(
                    (f"{end[0]}.{inner.ports[port][0]}", self._own(end[0], inner.ports[port]))
                )
            ]
        model = registry.get(instance.component)
        if isinstance(model, Block) and end[1] in model.buses:
            return []
        own = [
            port
            for port in model.ports_for(instance.settings)
            if port == end[1] or port_places([port])[0] == end[1]
        ]
        return [(end[0], port) for port in own]

    def _own(self, scope: str, end: PortRef) -> str:
        """Return the port that an inner end means, its mode included."""
        if "@" in end[1]:
            return end[1]
        level = self._level(scope)
        if scope not in self._names and level is not None:
            self._names[scope] = Names(level)
        return self._names[scope](end)

    def _level(self, path: str) -> Netlist | None:
        if path not in self._levels:
            *above, name = steps(path)
            outer = self._level(".".join(above))
            self._levels[path] = inner_netlist(evaluated(outer)[name], outer) if outer else None
        return self._levels[path]

"""Electrical nets of a flat circuit, as flattening collects them: those that share a member are one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from photosim.model import GROUND_MEMBER, Electronic, Model, Netlist, PortRef


@dataclass
class Collected:
    """Wires, nets and open pins, as flattening meets them; `models` are those of the parts by name."""

    models: dict[str, Model] = field(default_factory=dict)
    wires: list[tuple[PortRef, PortRef]] = field(default_factory=list)
    nets: list[tuple[PortRef, ...]] = field(default_factory=list)
    open_pins: set[PortRef] = field(default_factory=set)

    def connect(self, left: PortRef, right: PortRef) -> None:
        """Note a connection of two electrical ports: a net where one of them is a pin."""
        pins = self._is_pin(left) or self._is_pin(right)
        (self.nets if pins else self.wires).append((left, right))

    def join(self, ends: Sequence[Any]) -> None:
        """Note a net; one of one-way signals alone is wires from the one that drives to the others."""
        members = tuple(end for end in ends if isinstance(end, tuple))
        if any(end == GROUND_MEMBER or self._is_pin(end) for end in members):
            self.nets.append(members)
            return
        driving = [end for end in members if not self._is_input(end)] or [members[0]]
        self.wires += [(driving[0], end) for end in members if end != driving[0]]

    def note_open(self, netlist: Netlist, placed: Mapping[str, Any], scope: str) -> None:
        """Note the pins of placed sub-circuits, by name, that nothing around them joins.

        scope: of the netlist that they are placed in, empty outermost, where exposed pins are open too.
        """
        if not placed:
            return
        members = [end for net in (*netlist.connections, *netlist.nets) for end in net]
        members += list(netlist.ports.values()) if scope else []
        ends = [placed[name](port) for name, port in members if name in placed]
        used = {end for end in ends if isinstance(end, tuple)}
        for ports in placed.values():
            self.open_pins |= {e for e in ports.electrical.values() if self._is_pin(e) and e not in used}

    def _is_pin(self, end: PortRef) -> bool:
        model = self.models.get(end[0])
        return model is not None and bool(model.domain_of(end[1], {}))

    def _is_input(self, end: PortRef) -> bool:
        model = self.models[end[0]]
        return end[1] in model.drives or (isinstance(model, Electronic) and end[1] in model.inputs)


def joined(nets: Iterable[Sequence[PortRef]]) -> tuple[tuple[PortRef, ...], ...]:
    """Return the nets, those that share a member as one; GROUND_MEMBER joins nothing."""
    of: dict[PortRef, list[PortRef]] = {}
    for net in nets:
        whole = list(net)
        for end in net:
            whole += [other for other in of.get(end, []) if other not in whole]
        for end in whole:
            if end != GROUND_MEMBER:
                of[end] = whole
    unique = {id(whole): tuple(dict.fromkeys(whole)) for whole in of.values()}
    return tuple(unique.values())

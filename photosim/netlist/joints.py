"""Where the instances of a layout meet: cells that nothing here knows, and guides of two widths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from photosim.errors import NetlistError
from photosim.model import Instance
from photosim.netlist.arrays import base_name

if TYPE_CHECKING:
    from photosim.model import PortRef
    from photosim.model.netlist import Connection
    from photosim.netlist.layouts import Layout

_STEP = "width_step"
_GRID_UM = 1.5e-3
"""Widths that differ by less are one: layouts snap them to a grid of 1 nm."""
_METAL = re.compile(r"(.*_)?e\d+")


class Joints:
    """The connections of a netlist whose instances a layout may have drawn."""

    def __init__(self, layout: Layout, connections: list[Connection]) -> None:
        self.layout, self.connections = layout, connections

    def without_strangers(self, instances: dict[str, Instance], ports: dict[str, PortRef]) -> None:
        """Leave out the drawn instances of unknown cells that no light reaches.

        Those that no connection and no port names, or only by ports of metal, are layout.
        """
        ends = [end for pair in self.connections for end in pair] + list(ports.values())
        reached = {base_name(name) for name, port in ends if _METAL.fullmatch(port) is None}
        gone = {
            name for name in instances
            if (self.layout.is_stranger(base_name(name)) or base_name(name) in self.layout.metal)
            and base_name(name) not in reached
        }  # fmt: skip
        for name in gone:
            self.layout.left_out[base_name(name)] = instances.pop(name).component
        self.connections = [(a, b) for a, b in self.connections if a[0] not in gone and b[0] not in gone]
        for outer in [outer for outer, end in ports.items() if end[0] in gone]:
            del ports[outer]

    def with_steps(self, instances: dict[str, Instance]) -> None:
        """Put a `width_step` where two guides of different width meet.

        Raises NetlistError where no model of such a step holds.
        """
        found: list[Connection] = []
        for left, right in self.connections:
            a, b = (self.layout.width(base_name(name), port) for name, port in (left, right))
            if a is None or b is None or abs(a - b) < _GRID_UM:
                found.append((left, right))
                continue
            self._require_silicon(left, right, a, b)
            name = f"step_{len(instances)}"
            instances[name] = Instance(_STEP, {"width1": a, "width2": b})
            found += [(left, (name, "o1")), ((name, "o2"), right)]
            text = f"guides of {a:g} and {b:g} um meet, so a `width_step` lies between them: {{}}."
            self.layout.note(text, name)
        self.connections = found

    def _require_silicon(self, left: PortRef, right: PortRef, a: float, b: float) -> None:
        """Refuse a step that is not one of two silicon strips."""
        sections = [self.layout.sections.get(base_name(name), "") for name, _ in (left, right)]
        others = [name for name in sections if re.search(r"nitride|sin|nc|rib|slab|pin|pn|metal\d", name)]
        if others or not all(0.2 <= width <= 1.0 for width in (a, b)):
            of = f" of cross-section {others[0]!r}" if others else ""
            raise NetlistError(
                f"guides of {a:g} and {b:g} um{of} meet at '{','.join(left)}' and '{','.join(right)}', and "
                "`width_step` describes silicon strips from 0.2 to 1 um only: put a taper or a part with a "
                "file of S-parameters between them"
            )

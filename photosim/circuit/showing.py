"""How a circuit shows itself: a line, and in notebooks its drawing and what it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.display import drawing, properties, table
from photosim.engine.vector import unit_of
from photosim.errors import listing

if TYPE_CHECKING:
    from photosim.circuit.circuit import Circuit

MOST_SETTINGS = 12
"""Settings that a notebook lists."""
_MOST_NAMES = 8


def words(circuit: Circuit) -> str:
    """Return what a circuit is, in one line."""
    return f"Circuit({circuit.name!r}: {len(circuit.graph.parts)} parts, ports {listing(circuit.ports)})"


def html_blocks(circuit: Circuit) -> Iterator[str]:
    """Yield the drawing of a circuit, what it has, and its first settings with their units."""
    yield drawing(circuit.netlist)
    yield properties(
        f"Circuit {circuit.name!r}",
        {
            "parts": f"{len(circuit.graph.parts):,}",
            "ports": listing(circuit.ports, _MOST_NAMES),
            "sources": listing(circuit.sources, _MOST_NAMES) if circuit.sources else "",
            "detectors": listing(circuit.detectors, _MOST_NAMES) if circuit.detectors else "",
            "remarks": " ".join(circuit.remarks),
        },
    )
    rows = [(name, _value(value), unit_of(circuit.compiled, name)) for name, value in _own(circuit).items()]
    left = len(circuit.parameters) - min(len(rows), MOST_SETTINGS)
    title = f"settings, and {left:,} more in circuit.parameters" if left else "settings"
    yield table(("setting", "value", "unit"), rows[:MOST_SETTINGS], title) if rows else ""


def _own(circuit: Circuit) -> dict[str, Any]:
    """Return the settings that the netlist writes down, those of the circuit first; else all of them."""
    every, netlist = circuit.parameters, circuit.netlist
    written = [
        *netlist.settings,
        *(f"{name}.{key}" for name, one in netlist.instances.items() for key in one.settings),
    ]
    return {name: every[name] for name in written if name in every} or every


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{len(value)} values" if np.ndim(value) else str(value)

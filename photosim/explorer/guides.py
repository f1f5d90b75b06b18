"""The drawing for the page, and the power that each of its guides carries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import ports_by_mode
from photosim.drawing import svg
from photosim.errors import PhotosimError
from photosim.explorer.curves import KEPT, grid_of, start_of
from photosim.explorer.desk import changed
from photosim.units import power_dB

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.engine.graph import Graph
    from photosim.explorer.asks import View

_WIRE = re.compile(r'data-wire="([^"]*)"|data-wire=\'([^\']*)\'')
_EXPOSED = "port "
INPUT_W = 1e-3
"""Power in W that enters at a port; a source sends out its own."""
MOST_WIRES = 20_000


@dataclass(frozen=True)
class Guide:
    """A wire of the drawing: its name there, and the waves that run along it and back."""

    name: str
    along: tuple[str, ...]
    back: tuple[str, ...]


def drawing(circuit: Circuit, view: View) -> dict[str, Any]:
    """Return the drawing with the settings of the view, as SVG text."""
    try:
        netlist = changed(circuit.netlist, view.settings)
        return {"svg": svg(netlist)}
    except PhotosimError:  # a setting inside of a component, which no drawing shows
        return {"svg": svg(circuit.netlist)}


def powers(circuit: Circuit, view: View) -> dict[str, Any]:
    """Return the power in dBm of every guide of the drawing, along the wire and back, at the marker.

    1 mW enters at a port; a source has the power of its strongest line.
    """
    start = start_of(circuit, view)
    if view.at is None:
        grid = grid_of(circuit, view)
        at = 0.5 * float(grid[0] + grid[-1])
    else:
        at = view.at
    compiled, point = circuit.driven_at(view.settings)
    guides = guides_of(circuit)
    names = tuple(dict.fromkeys(wave for guide in guides for wave in (*guide.along, *guide.back)))
    sent = _sent(circuit, view, start)
    found: dict[str, float] = {}
    if names:
        waves = compiled.waves(names, (start,), point, np.array([at]))[0, :, 0]
        found = dict(zip(names, (sent * np.abs(waves) ** 2).tolist(), strict=True))
    return {
        "at": at,
        "sent_dBm": _dBm(sent),
        "guides": [
            {
                "wire": guide.name,
                "along": _strongest(guide.along, found),
                "back": _strongest(guide.back, found),
            }
            for guide in guides
        ],
    }


@lru_cache(maxsize=KEPT)
def guides_of(circuit: Circuit) -> tuple[Guide, ...]:
    """Return the optical wires of the drawing."""
    text = svg(circuit.netlist)
    names = list(dict.fromkeys(unescape(a or b) for a, b in _WIRE.findall(text)))[:MOST_WIRES]
    found = (_guide(name, circuit.graph) for name in names)
    return tuple(guide for guide in found if guide is not None)


def _guide(name: str, graph: Graph) -> Guide | None:
    """Return the waves of a wire called "a,o1:b,o2"; None for one that carries no single waves of light."""
    for cut in (match.start() for match in re.finditer(":", name)):
        ends = name[:cut], name[cut + 1 :]
        if all("," in end for end in ends):
            inner = [end for end in ends if not end.startswith(_EXPOSED)]
            waves = [_waves(end, graph) for end in inner]
            if len(inner) == 2 and all(waves):
                return Guide(name, waves[1], waves[0])
            if len(inner) == 1 and waves[0]:
                arriving = waves[0]
                leaving = tuple(wave.removesuffix(":in") for wave in arriving)
                along = ends[0].startswith(_EXPOSED)
                return Guide(name, arriving if along else leaving, leaving if along else arriving)
    return None


def _waves(end: str, graph: Graph) -> tuple[str, ...]:
    """Return the waves that arrive at "instance,port", one for each mode; none for metal and buses."""
    instance, _, port = end.rpartition(",")
    if instance in graph.index:
        part = graph.part(instance)
        own = part.aliases.get(port, port)
        if own in part.ports:
            bus = part.first_port + part.ports.index(own) in graph.buses
            return () if bus else (f"{end}:in",)
        modes = ports_by_mode(part.ports).get(own, {})
        return tuple(f"{instance},{mode}:in" for mode in modes.values())
    if instance not in graph.doors:
        return ()
    try:
        found = graph.doors[instance](port)
    except PhotosimError:
        return ()
    if isinstance(found, int):
        return () if found in graph.buses else (f"{end}:in",)
    return tuple(f"{end}@{mode}:in" for mode in found) if isinstance(found, dict) else ()


def _sent(circuit: Circuit, view: View, start: str) -> float:
    """Return the power in W that enters: of the strongest line of a source, else 1 mW."""
    from photosim.model import Source

    instance = start.rpartition(",")[0]
    part = circuit.graph.part(instance) if instance in circuit.graph.index else None
    if part is None or not isinstance(part.model, Source):
        return INPUT_W
    compiled, point = circuit.driven_at(view.settings)
    _, power = part.model.lines(**compiled.parts.settings_of(part, point))
    return float(np.max(power, initial=0.0))


def _strongest(waves: tuple[str, ...], found: dict[str, float]) -> dict[str, Any]:
    """Return the power of all modes together in dBm, None for the dark, and the wave that has most of it."""
    if not waves:
        return {"wave": None, "dBm": None}
    return {"wave": max(waves, key=lambda w: found[w]), "dBm": _dBm(sum(found[w] for w in waves))}


def _dBm(power: float) -> float | None:
    level = float(power_dB(np.array(power / 1e-3)))
    return round(level, 4) if np.isfinite(level) and level > -200.0 else None

"""The free-space chains of a circuit: blocks on buses, followed from a camera back to the light."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import NetlistError, ParameterError, listing
from photosim.media.camera import Camera
from photosim.media.cascade import BusSlice, Cascade, Identity
from photosim.media.chain import OpticalChain
from photosim.media.medium import Medium
from photosim.model import Block, Source
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Graph, Part
    from photosim.engine.parts import Point


@dataclass(frozen=True)
class Table:
    """The blocks of a circuit at one point of settings, as what they do, by part name."""

    graph: Graph
    made: Mapping[str, Any]

    def width(self, port: int) -> int:
        """Return how many waves the whole bus of a port has; 1 for a single wave."""
        if port not in self.graph.buses:
            return 1
        part = self.graph.owners[port]
        made = self.made[part.name]
        if hasattr(made, "shape"):
            return int(made.shape[1] if port == part.first_port else made.shape[0])
        return int(made.pixels)

    def bus_range(self, port: int) -> tuple[int, int]:
        """Return the part of a bus that its connection takes, first wave and one past the last."""
        return self.graph.bus_ranges.get(port, (0, self.width(port)))

    def before(self, part: Part) -> tuple[Part, int] | None:
        """Return the block whose bus feeds a block, and the number of its port; None at a single wave."""
        port = int(self.graph.partner[part.first_port])
        if port < 0 or not isinstance(self.graph.owners[port].model, Block):
            return None
        return self.graph.owners[port], port


def blocks(compiled: Compiled, point: Point) -> Table:
    """Return the blocks of a circuit; ParameterError for settings that one refuses."""
    made = {}
    for part in compiled.graph.parts:
        if isinstance(part.model, Block):
            made[part.name] = part.model.make(**compiled.parts.settings_of(part, point))
    return Table(compiled.graph, made)


def check_buses(compiled: Compiled) -> None:
    """Raise NetlistError where a connection joins buses of different width, or a bus to a single wave."""
    buses = compiled.graph.buses
    if not buses:
        return
    table = blocks(compiled, compiled.parts.point({}))
    for port in buses:
        other = int(compiled.graph.partner[port])
        if other < 0 or (other in buses and other < port):
            continue
        first, second = _checked(table, port), _checked(table, other)
        if first[1] - first[0] != second[1] - second[0]:
            message = (
                f"{_words(table, port)} cannot be joined to {_words(table, other)}: "
                "name equal parts of them, as in out[0:1000]."
            )
            raise NetlistError(message)


def _checked(table: Table, port: int) -> tuple[int, int]:
    """Return the piece of a bus; NetlistError where the bus does not have it."""
    first, end = table.bus_range(port)
    if not 0 <= first < end <= table.width(port):
        message = f"{_words(table, port)} has no part [{first}:{end}]: give 0 to {table.width(port)}, rising."
        raise NetlistError(message)
    return first, end


def _words(table: Table, port: int) -> str:
    part, width = table.graph.owners[port], table.width(port)
    what = f"the bus of {width} waves" if width > 1 else "the single wave"
    first, end = table.bus_range(port)
    count = f", {end - first} of them," if (first, end) != (0, width) and first < end <= width else ""
    return f"{what}{count} at '{part.name},{part.ports[port - part.first_port]}'"


def optical_chain(
    circuit: Circuit, camera: str | None, wl: float | None, settings: Mapping[str, Any]
) -> OpticalChain:
    """Return the chain that ends at a camera; ParameterError where it has no light, modulator or end.

    Single waves are followed by the engine: the beam on the modulator and the
    reference on the camera are what arrives there of the one laser behind them.
    """
    compiled, point = circuit.driven_at(settings)
    if point.leading:
        message = "A free-space chain takes one value for each setting, not a batch: make one chain for each."
        raise ParameterError(message)
    table = blocks(compiled, point)
    end = _camera(table, circuit.name, camera)
    start, stages = _stages(table, end)
    laser, wl = _laser(compiled, point, circuit.name, wl)
    beam = _arriving(compiled, point, laser, f"{start.name},{start.ports[0]}", wl)
    reference = _arriving(compiled, point, laser, f"{end.name},{end.ports[1]}", wl)
    if beam == 0:
        message = f"No light of {laser[0]!r} reaches '{start.name},in': connect a laser to it."
        raise ParameterError(message)
    return OpticalChain(
        modulator=table.made[start.name], camera=table.made[end.name],
        medium=(stages[0] if len(stages) == 1 else Cascade(tuple(stages))).at_wavelength(wl),
        wl=wl, beam=beam, reference=reference,
    )  # fmt: skip


@dataclass(frozen=True)
class BusChain:
    """What light meets on buses, from a modulator to what reads it, with the light that falls on the first.

    stages: names of the blocks and what they do, in the order in which light meets them.  wl: in um.
    beam: amplitude in sqrt(W).  laser: settings of its laser.
    """

    stages: tuple[tuple[str, Any], ...]
    wl: float
    beam: complex
    laser: Mapping[str, Any]


def bus_chain(circuit: Circuit, settings: Mapping[str, Any]) -> BusChain:
    """Return the chain that ends at a circuit's one block without a bus behind it.

    Raises ParameterError for circuits without a single chain that begins with a modulator and its light.
    """
    compiled, point = circuit.driven_at(settings)
    if point.leading:
        message = "A chain on buses takes one value for each setting, not a batch: make one chain for each."
        raise ParameterError(message)
    table = blocks(compiled, point)
    fed = {found[0].name for part in _block_parts(table) if (found := table.before(part)) is not None}
    ends = [part for part in _block_parts(table) if part.name not in fed]
    if len(ends) != 1:
        names = listing([part.name for part in ends])
        message = f"A chain on buses ends at one block; {circuit.name!r} has {len(ends)}: {names}."
        raise ParameterError(message)
    parts = [ends[0]]
    while (found := table.before(parts[0])) is not None:
        if table.bus_range(found[1]) != (0, table.width(found[1])):
            message = f"{_words(table, found[1])}: this chain takes whole buses."
            raise ParameterError(message)
        parts.insert(0, found[0])
    laser, wl = _laser(compiled, point, circuit.name, None)
    beam = _arriving(compiled, point, laser, f"{parts[0].name},{parts[0].ports[0]}", wl)
    if beam == 0:
        message = f"No light of {laser[0]!r} reaches '{parts[0].name},in': connect a laser to it."
        raise ParameterError(message)
    own = compiled.parts.settings_of(compiled.graph.part(laser[0]), point)
    stages = tuple((part.name, table.made[part.name]) for part in parts)
    return BusChain(stages, wl, beam, own)


def _block_parts(table: Table) -> list[Part]:
    return [part for part in table.graph.parts if part.name in table.made]


def _camera(table: Table, circuit: str, wanted: str | None) -> Part:
    cameras = [name for name, made in table.made.items() if isinstance(made, Camera)]
    if wanted is None and len(cameras) == 1:
        return table.graph.part(cameras[0])
    if wanted not in cameras:
        which = (
            f"there is no {wanted!r} among them" if wanted else "name one of them, as in circuit.chain(name)"
        )
        message = f"Circuit {circuit!r} has the cameras {listing(cameras)}: "
        message = f"{message}{which}." if cameras else f"Circuit {circuit!r} has no camera to end a chain."
        raise ParameterError(message)
    return table.graph.part(wanted)


def _stages(table: Table, end: Part) -> tuple[Part, list[Medium]]:
    """Return the modulator behind a camera, and the media between them in the order light meets them."""
    stages: list[Medium] = []
    current, seen = end, set()
    while True:
        found = table.before(current)
        if found is None or found[0].name in seen:
            where = f"'{current.name},{current.ports[0]}'"
            message = f"The chain into {where} has no modulator at its start: put a dmd or an slm there."
            raise ParameterError(message)
        stages[:0] = _join(table, found[1], current.first_port)
        current = found[0]
        seen.add(current.name)
        if hasattr(table.made[current.name], "modulate"):
            return current, stages or [Identity(table.width(found[1]))]
        stages.insert(0, table.made[current.name])


def _join(table: Table, left: int, right: int) -> Iterator[Medium]:
    """Return what takes a part of the bus at one port into a part of the bus at another: nothing for all."""
    for port, leaving in ((left, True), (right, False)):
        width, bus_range = table.width(port), table.bus_range(port)
        if bus_range != (0, width):
            whole = (0, width)
            yield BusSlice(Identity(width), bus_range if leaving else whole, whole if leaving else bus_range)


def _laser(
    compiled: Compiled, point: Point, circuit: str, wl: float | None
) -> tuple[tuple[str, float], float]:
    """Return ((name, power in W), wavelength in um) of the one line that lights a circuit.

    A laser of one line is tuned to wl; of several lines wl names one, and its power alone counts.
    """
    sources = [part for part in compiled.graph.parts if isinstance(part.model, Source)]
    if len(sources) != 1:
        message = (
            f"A free-space chain needs one laser for beam and reference; {circuit!r} has {len(sources)}."
        )
        raise ParameterError(message)
    part = sources[0]
    lines, power = part.model.lines(**compiled.parts.settings_of(part, point))  # type: ignore[attr-defined]
    if wl is not None:
        wl = float(as_wavelengths(wl)[0])
    if len(lines) == 1:
        return (part.name, float(power[0])), float(lines[0]) if wl is None else wl
    chosen = 0 if wl is None else int(np.abs(lines - wl).argmin())
    # Written with as many digits as the message has, it is the line.
    if wl is None or abs(lines[chosen] - wl) > 1e-6 * wl:
        shown = listing([f"{line:.7g}" for line in lines], 8)
        asked = "" if wl is None else f", none of them at wl={wl:.7g} um"
        message = (
            f"{part.name!r} has {len(lines)} lines{asked}: choose one of them for the chain, wl=..., of "
            f"{shown} um."
        )
        raise ParameterError(message)
    return (part.name, float(power[chosen])), float(lines[chosen])


def _arriving(compiled: Compiled, point: Point, laser: tuple[str, float], port: str, wl: float) -> complex:
    """Return the amplitude in sqrt(W) that arrives at a port for single waves from the laser."""
    wave = compiled.waves([f"{port}:in"], [f"{laser[0]},o1"], point, as_wavelengths(wl))
    return complex(wave[0, 0, 0] * np.sqrt(laser[1]))

"""From the lines of a .spi file and a map of its cells to a Netlist."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photosim.errors import NetlistError, ParameterError, PhotosimWarning, did_you_mean, listing
from photosim.model import Instance, Netlist, registry
from photosim.netlist.analysers import analysis
from photosim.netlist.arrays import MAX_INSTANCES, check_name
from photosim.netlist.cells import NO_PORT, Cell, CellMap, number, read_map, settings_of
from photosim.netlist.marks import Marks
from photosim.netlist.nodes import Nodes
from photosim.netlist.spice import Sheet, read_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from photosim.model import PortRef
    from photosim.netlist.spice import Block, Line

SUFFIX = ".spi"
MAP_SUFFIX = ".map.yml"
MAX_LEVELS = 64
_SUPPLIES = {"dcsource", "dc_source"}
"""Cells of voltage sources, as SiEPIC-Tools puts one at each electrical pin."""


def read_spi(place: Path, shown: str, cell_map: Path | None) -> Netlist:
    """Netlist of a .spi file.

    Without a map, that beside the file, or beside one that it includes, of the same name with the suffix
    .map.yml counts; a cell that no map names must be a component.

    Raises:
        NetlistError: a file that is missing or damaged, a cell that is unknown; with file and line.
    """
    sheet = read_sheet(place, shown)
    if cell_map is None:
        beside = [file.with_name(file.stem + MAP_SUFFIX) for file in sheet.files]
        cell_map = next((file for file in beside if file.is_file()), None)
    known = read_map(cell_map) if cell_map is not None else CellMap()
    netlist = _with_terminated(_Builder(sheet, known.cells).top(place.stem), known.terminate)
    return replace(netlist, analyses=tuple(analysis(netlist, k, *a) for k, a in enumerate(sheet.analyzers)))


def _with_terminated(netlist: Netlist, terminated: tuple[PortRef, ...]) -> Netlist:
    """The netlist with ports that its map terminates, which are no longer shown to the outside."""
    for name, port in terminated:
        if name not in netlist.instances:
            hint = did_you_mean(name, netlist.instances)
            raise NetlistError(f"the map terminates '{name},{port}', but there is no part {name!r}.{hint}")
    ports = {pin: end for pin, end in netlist.ports.items() if end not in terminated}
    return replace(netlist, ports=ports, terminate=tuple(dict.fromkeys((*netlist.terminate, *terminated))))


class _Builder:
    """Netlists of the sub-circuits, each built once."""

    def __init__(self, sheet: Sheet, cells: Mapping[str, Cell]) -> None:
        self.sheet = sheet
        self.cells = cells
        self.built: dict[str, Netlist] = {}
        self.unused: dict[str, list[str]] = {}
        self.unseen: dict[str, tuple[str, ...]] = {}
        self.outputs: dict[str, dict[str, bool]] = {}
        """For each sub-circuit, its electrical pins, and whether they are outputs."""

    def top(self, name: str) -> Netlist:
        """The circuit: what stands outside of all sub-circuits, or the one that no other uses."""
        top = _without_supplies(self.sheet.top)
        if not top.lines:
            netlist = self.block(self._only(), ())
        elif len(top.lines) == 1 and top.lines[0].cell in self.sheet.blocks:
            netlist = self._called(top.lines[0])
        else:
            netlist = self._netlist(replace(top, name=name), ())
        for cell, names in self.unused.items():
            message = (
                f"the values {listing(names)} of cell {cell!r} are not simulated: "
                "use them under 'settings' of the map, or list them under 'ignore'."
            )
            warnings.warn(message, PhotosimWarning, stacklevel=5)
        for cell, pins in self.unseen.items():
            message = (
                f"the electrical pins {listing(pins)} of cell {cell!r} are not simulated: "
                "'ports' of the map says which port each pin is, or none."
            )
            warnings.warn(message, PhotosimWarning, stacklevel=5)
        return netlist

    def _only(self) -> Block:
        blocks = self.sheet.blocks
        used = {line.cell for block in blocks.values() for line in block.lines}
        found = [block for name, block in blocks.items() if name not in used]
        if len(found) != 1:
            what = f"several circuits: {listing(b.name for b in found)}" if found else "no circuit"
            raise NetlistError(
                f"the file holds {what}; name the circuit in a line outside of .subckt",
                self.sheet.top.mark,
            )
        return found[0]

    def _called(self, line: Line) -> Netlist:
        """One sub-circuit alone: its parts without a prefix, its ports under the names of the nodes."""
        inner = self.block(self.sheet.blocks[line.cell], ())
        pins = {node: pin for node, pin in zip(line.nodes, self._ports(line, {}), strict=True) if pin}
        ports = {node: inner.ports[pin] for node, pin in pins.items()}
        if len(set(line.nodes)) < len(line.nodes):
            raise NetlistError(f"two pins of {line.name!r} are at one node", line.mark)
        marks = Marks(line.mark.file, dict(inner.marks.places) if isinstance(inner.marks, Marks) else {})
        for node in ports:
            marks.add(("ports", node), line.mark)
        return replace(inner, ports=ports, marks=marks)

    def block(self, block: Block, chain: tuple[str, ...]) -> Netlist:
        """Netlist of a sub-circuit, inside those of the chain."""
        if block.name in chain or len(chain) >= MAX_LEVELS:
            raise NetlistError(
                f"sub-circuits contain each other: {listing((*chain, block.name), 8)}", block.mark
            )
        if block.name not in self.built:
            self.built[block.name] = self._netlist(block, (*chain, block.name))
        return self.built[block.name]

    def _netlist(self, block: Block, chain: tuple[str, ...]) -> Netlist:
        instances: dict[str, Instance] = {}
        inner: dict[str, Netlist] = {}
        nodes = Nodes(block, Marks(block.mark.file))
        for line in _without_supplies(block).lines:
            self._check_part(line, instances)
            if line.cell in self.sheet.blocks:
                inner[line.cell] = self.block(self.sheet.blocks[line.cell], chain)
                instance = Instance(line.cell, {}, line.mark)
            else:
                instance = self._instance(line)
            instances[line.name] = instance
            nodes.marks.add(("instances", line.name), line.mark)
            electrical = self._electrical(line, instance.settings)
            for node, port in zip(line.nodes, self._ports(line, instance.settings), strict=True):
                nodes.join(node, line, port, electrical)
            nodes.terminate += self._terminated(line, nodes)
        ports = nodes.exposed()
        self.outputs[block.name] = {
            pin: nodes.outputs[end] for pin, end in ports.items() if end in nodes.outputs
        }
        return Netlist(
            instances=instances,
            connections=(*nodes.optical_pairs(), *nodes.electrical_pairs()),
            ports=ports,
            terminate=tuple(nodes.terminate),
            components=inner,
            name=block.name,
            marks=nodes.marks,
        )

    def _electrical(self, line: Line, settings: Mapping[str, Any]) -> Mapping[str, bool]:
        """Electrical ports of a part, and whether each is an output."""
        if line.cell in self.sheet.blocks:
            return self.outputs[line.cell]
        model = registry.get(self._cell(line).component)
        inputs = {*model.drives, *getattr(model, "inputs", ())}
        return {port: port not in inputs for port in model.electrical_for(settings)}

    def _terminated(self, line: Line, nodes: Nodes) -> list[PortRef]:
        """Ports of a part that the map terminates, where no node joins them with another part."""
        if line.cell in self.sheet.blocks or not self._cell(line).terminate:
            return []
        terminated = [(line.name, port) for port in self._cell(line).terminate]
        nodes.open_ends |= set(terminated)
        return terminated

    def _check_part(self, line: Line, instances: Mapping[str, Instance]) -> None:
        try:
            check_name(line.name)
        except NetlistError as error:
            raise NetlistError(error.message, line.mark) from None
        if line.name in instances:
            raise NetlistError(f"part {line.name!r} is given twice", line.mark)
        if len(instances) >= MAX_INSTANCES:
            raise NetlistError(f"a circuit has more than {MAX_INSTANCES} parts, the bound", line.mark)

    def _cell(self, line: Line) -> Cell:
        if line.cell in self.cells:
            return self.cells[line.cell]
        if registry.known(line.cell):
            own = registry.get(line.cell).parameters
            return Cell(line.cell, settings={k: number(v) for k, v in line.values.items() if k in own})
        known = [*self.cells, *self.sheet.blocks]
        raise NetlistError(
            f"part {line.name!r}: the cell {line.cell!r} is not a component, and no map says what it is: "
            f"give one with --map, which has 'cells: {{{line.cell}: ...}}'.{did_you_mean(line.cell, known)}",
            line.mark,
        )

    def _instance(self, line: Line) -> Instance:
        cell = self._cell(line)
        where = f"part {line.name!r} ({line.cell})"
        settings, unused = settings_of(cell, line.values, where, line.mark)
        unused = [name for name in unused if name not in settings]
        if unused:
            self.unused.setdefault(line.cell, unused)
        return Instance(cell.component, settings, line.mark, cell.windows)

    def _ports(self, line: Line, settings: Mapping[str, Any]) -> tuple[str | None, ...]:
        """Ports of a part in the order of its pins; None where a pin is not simulated."""
        if line.cell in self.sheet.blocks:
            block = self.sheet.blocks[line.cell]
            exposed = self.block(block, ()).ports
            ports = [pin if pin in exposed else None for pin in block.pins]
        else:
            ports = self._ports_of_cell(line, settings)
        if len(ports) != len(line.nodes):
            raise NetlistError(
                f"part {line.name!r} ({line.cell}) has {len(line.nodes)} pins, but {len(ports)} ports: "
                f"{listing(port or NO_PORT for port in ports)}",
                line.mark,
            )
        return tuple(ports)

    def _ports_of_cell(self, line: Line, settings: Mapping[str, Any]) -> list[str | None]:
        """Ports of a component; electrical pins, known by their nodes, need not be among them."""
        cell = self._cell(line)
        model = registry.get(cell.component)
        try:
            optical, electrical = model.ports_for(settings), model.electrical_for(settings)
        except ParameterError as error:
            raise NetlistError(f"part {line.name!r} ({line.cell}): {error}", line.mark) from None
        if isinstance(cell.ports, Mapping):
            raise NetlistError(
                f"part {line.name!r} ({line.cell}): a .spi file has pins without names: "
                "'ports' of the map is a list in their order",
                cell.mark,
            )
        named = [None if port == NO_PORT else port for port in cell.ports]
        known = [*optical, *electrical, *model.aliases_for(settings)]
        for port in cell.terminate:
            if port not in known:
                raise NetlistError(
                    f"part {line.name!r} ({line.cell}) has no port {port!r}, which the map terminates. "
                    f"It has: {listing(known)}.{did_you_mean(port, known)}",
                    line.mark,
                )
        own: list[str | None] = named or [*optical, *electrical]
        if len(own) == len(line.nodes):
            return own
        wires = [_is_electrical(line, node) for node in line.nodes]
        seen: list[str | None] = named or list(optical)
        if len(seen) != wires.count(False):
            return own
        pins = tuple(
            node.removeprefix(f"{line.name}_") for node, wire in zip(line.nodes, wires, strict=True) if wire
        )
        self.unseen.setdefault(line.cell, pins)
        rest = iter(seen)
        return [None if wire else next(rest) for wire in wires]


def _is_electrical(line: Line, node: str) -> bool:
    """Whether a node is named as SiEPIC-Tools names an electrical pin: the part's name, then the pin's."""
    return node.startswith(f"{line.name}_")


def _without_supplies(block: Block) -> Block:
    """A circuit without its voltage sources; those of a voltage that is not 0 are named in a warning."""
    supplies = [line for line in block.lines if line.cell.strip("\"'").replace(" ", "").lower() in _SUPPLIES]
    live = [line for line in supplies if number(line.values.get("amplitude", "0")) != 0.0]
    if live:
        message = (
            f"{live[0].mark}: {len(live)} voltage sources, such as {live[0].name!r} of "
            f"{live[0].values['amplitude'][:20]} V, are not simulated: settings in the map stand for them."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=5)
    return replace(block, lines=[line for line in block.lines if line not in supplies]) if supplies else block

"""From the lines of a .spi file and a map of its cells to a Netlist."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photosim.errors import NetlistError, ParameterError, PhotosimWarning, did_you_mean, listing
from photosim.model import Instance, Netlist, registry
from photosim.netlist.arrays import MAX_INSTANCES, check_name
from photosim.netlist.cells import Cell, number, read_map, settings_of
from photosim.netlist.marks import Marks
from photosim.netlist.spice import Sheet, read_sheet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from photosim.errors import Mark
    from photosim.model import PortRef
    from photosim.netlist.spice import Block, Line

SUFFIX = ".spi"
MAP_SUFFIX = ".map.yml"
MAX_LEVELS = 64
_END = re.compile(r"(input|output)(\(\d+\))?")


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
    netlist = _Builder(sheet, read_map(cell_map) if cell_map is not None else {}).top(place.stem)
    return replace(netlist, analyses=tuple(_analysis(netlist, k, *a) for k, a in enumerate(sheet.analyzers)))


class _Builder:
    """Netlists of the sub-circuits, each built once."""

    def __init__(self, sheet: Sheet, cells: Mapping[str, Cell]) -> None:
        self.sheet = sheet
        self.cells = cells
        self.built: dict[str, Netlist] = {}
        self.unused: dict[str, list[str]] = {}

    def top(self, name: str) -> Netlist:
        """The circuit: what stands outside of all sub-circuits, or the one that no other uses."""
        top = self.sheet.top
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
        return netlist

    def _only(self) -> Block:
        blocks = self.sheet.blocks
        used = {line.cell for block in blocks.values() for line in block.lines}
        found = [block for name, block in blocks.items() if name not in used]
        if len(found) != 1:
            what = f"several circuits: {listing(b.name for b in found)}" if found else "no circuit"
            raise NetlistError(
                f"the file holds {what}; a line outside of .subckt says which counts", self.sheet.top.mark
            )
        return found[0]

    def _called(self, line: Line) -> Netlist:
        """One sub-circuit alone: its parts without a prefix, its ports under the names of the nodes."""
        inner = self.block(self.sheet.blocks[line.cell], ())
        pins = self._ports(line, {})
        ports = {node: inner.ports[pin] for node, pin in zip(line.nodes, pins, strict=True)}
        if len(ports) < len(pins):
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
        ends: dict[str, list[PortRef]] = {}
        marks = Marks(block.mark.file)
        for line in block.lines:
            self._check_part(line, instances)
            if line.cell in self.sheet.blocks:
                inner[line.cell] = self.block(self.sheet.blocks[line.cell], chain)
                instance = Instance(line.cell, {}, line.mark)
            else:
                instance = self._instance(line)
            instances[line.name] = instance
            marks.add(("instances", line.name), line.mark)
            for node, port in zip(line.nodes, self._ports(line, instance.settings), strict=True):
                marks.add(("connections", f"{line.name},{port}"), line.mark)
                ends.setdefault(node, []).append((line.name, port))
                _check_node(block, node, ends[node], line.mark)
        missing = [pin for pin in block.pins if pin not in ends]
        if missing:
            raise NetlistError(
                f"no part is at the pin {missing[0]!r} of sub-circuit {block.name!r}", block.mark
            )
        pairs = [found for node, found in ends.items() if len(found) == 2]
        exposed = block.pins or [node for node, found in ends.items() if len(found) == 1]
        for pin in exposed:
            marks.add(("ports", pin), marks["connections", ",".join(ends[pin][0])])
        return Netlist(
            instances=instances,
            connections=tuple((a, b) for a, b in pairs),
            ports={pin: ends[pin][0] for pin in exposed},
            components=inner,
            name=block.name,
            marks=marks,
        )

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
        return Instance(cell.component, settings, line.mark)

    def _ports(self, line: Line, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Ports of a part in the order of its pins."""
        if line.cell in self.sheet.blocks:
            ports = self.sheet.blocks[line.cell].pins
        else:
            cell = self._cell(line)
            model = registry.get(cell.component)
            try:
                ports = cell.ports or (*model.ports_for(settings), *model.electrical_for(settings))
            except ParameterError as error:
                raise NetlistError(f"part {line.name!r} ({line.cell}): {error}", line.mark) from None
        if len(ports) != len(line.nodes):
            raise NetlistError(
                f"part {line.name!r} ({line.cell}) has {len(line.nodes)} pins, but {len(ports)} ports: "
                f"{listing(ports)}",
                line.mark,
            )
        return tuple(ports)


def _check_node(block: Block, node: str, found: list[PortRef], mark: Mark) -> None:
    """Refuse a node that a third pin joins, or a second one where the node is a pin of the sub-circuit."""
    if len(found) > (1 if node in block.pins else 2):
        at = f"the pin {node!r} of sub-circuit {block.name!r}" if node in block.pins else f"node {node!r}"
        ends = listing(f"'{','.join(end)}'" for end in found)
        raise NetlistError(f"{ends} meet at {at}; light passes from one port to one other", mark)


def _analysis(netlist: Netlist, position: int, values: Mapping[str, str], mark: Mark) -> dict[str, Any]:
    """The spectrum that an optical network analyser (`.ona`) is set to: wavelengths in m, ports by pin."""
    try:
        start, stop = (1e6 * float(values[key]) for key in ("start", "stop"))
        points = int(values["number_of_points"])
    except (KeyError, ValueError):
        message = ".ona needs start and stop in m and number_of_points, as in start=1500e-9 stop=1600e-9"
        raise NetlistError(message, mark) from None
    ends: dict[str, list[str]] = {"input": [], "output": []}
    for key, value in values.items():
        match = _END.fullmatch(key)
        if match is None:
            continue
        pin = value.rpartition(",")[2]
        if pin not in netlist.ports:
            hint = did_you_mean(pin, netlist.ports)
            raise NetlistError(
                f".ona: the circuit has no port {pin!r}. It has: {listing(netlist.ports)}.{hint}", mark
            )
        ends[match[1]].append(pin)
    name = f"ona{position + 1}" if position else "ona"
    analysis: dict[str, Any] = {"kind": "spectrum", "name": name, "wl": f"{start:.9g}:{stop:.9g}:{points}"}
    return analysis | {key: ends[end] for key, end in (("from", "input"), ("to", "output")) if ends[end]}

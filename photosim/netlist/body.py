"""One netlist of a file: its form, then instances, connections and ports, with what a layout has in them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from sys import intern
from typing import TYPE_CHECKING, Any

from photosim.errors import Mark, NetlistError, PhotosimWarning, listing
from photosim.expressions import CONSTANTS
from photosim.model import GROUND_MEMBER, Instance, Net, Netlist, PortRef, ref
from photosim.model.netlist import Connection, Placement
from photosim.model.netlist import member as read_member
from photosim.netlist.arrays import MAX_INSTANCES, base_name, check_name, members
from photosim.netlist.cells import CellMap
from photosim.netlist.form_errors import describe
from photosim.netlist.joints import Joints
from photosim.netlist.layouts import Layout, Placed
from photosim.netlist.marks import Marks
from photosim.netlist.placements import placement_of, spread
from photosim.netlist.routes import SECTIONS, Wires
from photosim.netlist.schema import InstanceForm, NetlistForm, validate
from photosim.netlist.tables import read_named
from photosim.netlist.values import (
    AMBIENT,
    numeric_parameters,
    read_value,
    require_number,
    resolve,
    table_parameters,
)

if TYPE_CHECKING:
    from photosim.netlist.compose import Tree


class Body:
    """One netlist of a tree: its form, then its content."""

    def __init__(self, tree: Tree, path: tuple[str, ...], data: Any, cells: CellMap | None = None) -> None:
        if not isinstance(data, dict):
            message = f"{path[-1]!r} must be a netlist, a mapping with 'instances', but is {describe(data)}"
            raise NetlistError(message, tree.follow(path))
        self.tree = tree
        self.data = data
        self.form: NetlistForm = validate(data, tree, path)
        self.marks = Marks(tree.file)
        self.cells = cells or CellMap()
        self.layout = Layout(self.cells, {}, drawn=False)

    def components(self) -> list[str]:
        """Components that the instances name, each once."""
        return list(dict.fromkeys(instance.component for instance in self.form.instances.values()))

    def netlist(self, name: str, components: Mapping[str, Netlist]) -> Netlist:
        """The netlist, with its sub-netlists."""
        form = self.form
        settings = self._settings()
        self.layout = Layout(self.cells, components, drawn=form.placements is not None)
        instances, connections = self._instances(settings, components), self._connections()
        ports = {outer: self._exposed(outer, text) for outer, text in form.ports.items()}
        seen = {outer: end for outer, end in ports.items() if end is not None}
        joins = self._routes(instances, {*seen.values(), *(end for pair in connections for end in pair)})
        joints = Joints(self.layout, [*connections, *joins])
        joints.without_strangers(instances, seen)
        joints.with_steps(instances)
        for cell, names in self.layout.unused.items():
            text = (
                f"the settings {listing(names)} of cell {cell!r} are not simulated: "
                "use them under 'settings' of the map, or list them under 'ignore'."
            )
            warnings.warn(text, PhotosimWarning, stacklevel=5)
        used = {instance.component for instance in instances.values()}
        drawn = self.layout.drawn
        return Netlist(
            instances=instances,
            connections=tuple(joints.connections),
            ports=seen,
            settings=settings,
            terminate=(*self._terminated(), *self._of_map(instances)),
            components={n: sub for n, sub in components.items() if n in used or not drawn},
            name=form.name or name,
            analyses=self._analyses(),
            specification=self._specification(),
            chip=self._chip(),
            marks=self.marks,
            remarks=(*self.layout.remarks, *self._left_out()),
            layout=tuple(self.layout.layout),
            hidden=frozenset(outer for outer in ports if outer not in seen),
            drawn=drawn,
            placements=self._placements(),
            nets=tuple(self._nets()),
        )

    def _specification(self) -> tuple[Mapping[str, Any], ...]:
        """The entries of the specification, and where each of them stands."""
        for position in range(len(self.form.specification)):
            self._mark_all(("specification", str(position)), self.data["specification"], position)
        return tuple(self.form.specification)

    def _mark_all(self, path: tuple[str, ...], raw: Any, key: Any) -> None:
        """Remember the place of an entry of a mapping or list, and of all below it."""
        self.marks.add(path, self.tree.mark(raw, key))
        inner = raw[key]
        listed = range(len(inner)) if isinstance(inner, list) else ()
        for below in inner if isinstance(inner, Mapping) else listed:
            self._mark_all((*path, str(below)), inner, below)

    def _left_out(self) -> list[str]:
        """A remark about the instances that carry no light."""
        gone = self.layout.left_out
        if not gone:
            return []
        cells = listing(sorted(set(gone.values())), 8)
        return [f"{len(gone)} instances are layout only and not simulated: {cells}."]

    def _of_map(self, instances: Mapping[str, Instance]) -> list[PortRef]:
        """Ports that the map terminates."""
        written = {name: self.form.instances[base_name(name)].component
                   for name in instances if base_name(name) in self.form.instances}  # fmt: skip
        cells = self.cells.cells
        found = [
            (name, port) for name, cell in written.items() if cell in cells for port in cells[cell].terminate
        ]
        return [*found, *(end for end in self.cells.terminate if end[0] in instances)]

    def _placements(self) -> dict[str, Placement]:
        """Where the layout puts the instances, as far as it says so in numbers."""
        found: dict[str, Placement] = {}
        tables = self.form.placements if isinstance(self.form.placements, Mapping) else {}
        own = {name: form.placement for name, form in self.form.instances.items() if form.placement}
        for name, where in {**tables, **own}.items():
            origin = placement_of(where)
            if origin is None:
                continue
            array = self.form.instances[name].array if name in self.form.instances else None
            found |= {name: origin} if array is None else spread(name, origin, array)
        return found

    def _routes(self, instances: dict[str, Instance], used: set[PortRef]) -> list[Connection]:
        """Add the guides of routes to the instances; return their connections, and warn of the rest."""
        found: list[Connection] = []
        for section in SECTIONS:
            mark = self.tree.mark(self.data, section)
            wires = Wires(section, getattr(self.form, section), used, partial(self._port, mark=mark))
            found += wires.connect(instances)
            for message in wires.warnings:
                text = f"{mark}: {message}" if mark else message
                warnings.warn(text, PhotosimWarning, stacklevel=5)
        return found

    def _settings(self) -> dict[str, Any]:
        raw = self.form.settings
        found: dict[str, Any] = {}
        for key, value in raw.items():
            mark = self.tree.mark(self.data["settings"], key, value=True)
            self.marks.add(("settings", key), self.tree.mark(self.data["settings"], key))
            if key in CONSTANTS:
                message = f"setting {key!r} is a constant of expressions: give it another name"
                raise NetlistError(message, self.tree.mark(self.data["settings"], key))
            try:
                found[key] = read_value(value, raw, number=True)
            except NetlistError as error:
                raise NetlistError(f"setting {key!r}: {error.message}", mark) from None
            require_number(found[key], f"setting {key!r}", mark)
        try:
            resolve(found)
        except NetlistError as error:
            raise NetlistError(error.message, self.tree.mark(self.data, "settings")) from None
        return found

    def _instances(
        self, settings: Mapping[str, Any], components: Mapping[str, Netlist]
    ) -> dict[str, Instance]:
        raw = self.data["instances"]
        found: dict[str, Instance] = {}
        for name, form in self.form.instances.items():
            mark = self.tree.mark(raw, name)
            self.marks.add(("instances", name), mark)
            try:
                check_name(name)
                placed = self.layout.place(name, form)
                if placed is None:
                    continue
                inner = self._instance_settings(name, form, placed, settings, components)
                instance = Instance(placed.component, inner, mark, placed.windows)
                names = [name] if form.array is None else members(name, form.array.columns, form.array.rows)
            except NetlistError as error:
                raise error if error.mark else NetlistError(error.message, mark) from None
            for member in names:
                if member in found:
                    raise NetlistError(f"instance {member!r} is given twice, once as an array's member", mark)
                found[member] = instance
            if len(found) > MAX_INSTANCES:
                raise NetlistError(f"the arrays make more than {MAX_INSTANCES} instances, the bound", mark)
        return found

    def _instance_settings(
        self,
        name: str,
        form: InstanceForm,
        placed: Placed,
        settings: Mapping[str, Any],
        components: Mapping[str, Netlist],
    ) -> dict[str, Any]:
        if not placed.settings:
            return {}
        sub = components.get(placed.component)
        numeric = {*sub.settings, AMBIENT} if sub is not None else numeric_parameters(placed.component)
        tables = table_parameters(placed.component) if sub is None else {}
        written = self.data["instances"][name].get("settings") if form.settings else None
        found: dict[str, Any] = {}
        for key, value in placed.settings.items():
            mark = self.tree.mark(written, key)
            self.marks.add(("instances", name, "settings", key), mark)
            try:
                if key in tables and isinstance(value, str):
                    found[key] = read_named(value, self.tree.folder, tables[key])
                else:
                    found[key] = read_value(value, settings, number=key in numeric)
            except NetlistError as error:
                message = f"instance {name!r} ({form.component}), setting {key!r}: {error.message}"
                raise NetlistError(message, self.tree.mark(written, key, value=True)) from None
        return found

    def _connections(self) -> list[Connection]:
        found = []
        for left, right in self.form.connections.items():
            raw = self.data["connections"]
            a = self._port(left, self.tree.mark(raw, left))
            found.append((a, self._port(right, self.tree.mark(raw, left, value=True))))
        for position, net in enumerate(self.form.nets):
            if isinstance(net, list):
                continue
            raw = self.data["nets"][position]
            a = self._port(net.p1, self.tree.mark(raw, "p1", value=True))
            found.append((a, self._port(net.p2, self.tree.mark(raw, "p2", value=True))))
        return [(a, b) for a, b in found if a is not None and b is not None]

    def _nets(self) -> list[Net]:
        """Electrical nets: the entries of `nets` that are lists of members."""
        found = []
        for position, net in enumerate(self.form.nets):
            if not isinstance(net, list):
                continue
            mark = self.tree.mark(self.data["nets"], position)
            members = []
            for k, text in enumerate(net):
                place = self.tree.mark(self.data["nets"][position], k) or mark
                try:
                    end = read_member(text)
                    known = end if end == GROUND_MEMBER else self._known(*end)
                except NetlistError as error:
                    raise NetlistError(f"net {position + 1}: {error.message}", place) from None
                if known is not None:
                    self.marks.add(("nets", ",".join(known)), place)
                    members.append(known)
            if len(net) < 2:
                count = f"{len(net)} member{'s' * (len(net) != 1)}"
                message = f"net {position + 1} has {count}, but a net joins two or more"
                raise NetlistError(message, mark)
            found.append(tuple(members))
        return found

    def _port(self, text: str, mark: Mark | None) -> PortRef | None:
        """A reference inside a connection; the second place of one port is kept beside the first."""
        try:
            port = self._known(*ref(text))
        except NetlistError as error:
            raise NetlistError(error.message, mark) from None
        if port is None:
            return None
        joined = ",".join(port)
        path = ("connections", text if text == joined else joined)  # one of two equal texts is kept
        self.marks.add((*path, "again") if path in self.marks.places else path, mark)
        return port

    def _known(self, instance: str, name: str) -> PortRef | None:
        """A port by the component's name for it; None for one that carries no light."""
        port = self.layout.port(base_name(instance), name)
        return None if port is None else (instance, intern(port))  # most names are o1 or o2

    def _exposed(self, outer: str, text: str) -> PortRef | None:
        """What an exposed port is; its name must not look like a wave inside, which has a comma."""
        if not outer or "," in outer or outer != outer.strip():
            message = (
                f"{outer!r} cannot name a port: a name is not empty, has no comma and no space around it"
            )
            raise NetlistError(message, self.tree.mark(self.data["ports"], outer))
        return self._known(*self._ref(self.data["ports"], outer, text, ("ports", outer)))

    def _ref(self, container: Any, key: str | int, text: str, path: tuple[str, ...]) -> PortRef:
        mark = self.tree.mark(container, key)
        self.marks.add(path, mark)
        try:
            return ref(text)
        except NetlistError as error:
            raise NetlistError(error.message, self.tree.mark(container, key, value=True)) from None

    def _terminated(self) -> tuple[PortRef, ...]:
        raw = self.data.get("terminate")
        return tuple(
            self._ref(raw, i, text, ("terminate", text)) for i, text in enumerate(self.form.terminate)
        )

    def _chip(self) -> dict[str, Any] | None:
        if self.form.chip is not None:
            self.marks.add(("chip",), self.tree.mark(self.data, "chip"))
            for key in self.form.chip:
                self.marks.add(("chip", str(key)), self.tree.mark(self.data["chip"], key))
        return self.form.chip

    def _analyses(self) -> tuple[dict[str, Any], ...]:
        raw = self.data.get("analyses") or ()
        for position, analysis in enumerate(self.form.analyses):
            mark = self.tree.mark(raw, position)
            self._mark_all(("analyses", str(position)), raw, position)
            if not isinstance(analysis.get("kind"), str):
                message = f"analysis {position + 1} does not say its kind, as in {{kind: spectrum, ...}}"
                raise NetlistError(message, mark)
        return tuple(self.form.analyses)

"""From text or dictionaries to Netlists: arrays expanded, expressions parsed, sub-netlists nested."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any

from photosim.arguments import check_arguments
from photosim.errors import Mark, NetlistError, PhotosimWarning
from photosim.expressions import CONSTANTS
from photosim.model import Instance, Netlist, PortRef, ref
from photosim.model.netlist import Connection
from photosim.netlist.arrays import MAX_INSTANCES, check_name, members
from photosim.netlist.compose import MAX_BYTES, Tree, compose
from photosim.netlist.find import find
from photosim.netlist.form_errors import describe
from photosim.netlist.marks import Marks
from photosim.netlist.modes import with_mode
from photosim.netlist.routes import SECTIONS, Wires
from photosim.netlist.schema import InstanceForm, NetlistForm, validate
from photosim.netlist.siepic import SUFFIX as SPI_SUFFIX
from photosim.netlist.siepic import read_spi
from photosim.netlist.tables import read_named
from photosim.netlist.text import read_utf8
from photosim.netlist.values import numeric_parameters, read_value, require_number, resolve, table_parameters

if TYPE_CHECKING:
    from os import PathLike

MAX_LEVELS = 64
"""Levels of hierarchy."""
TOP = "top_level"
"""Name of the circuit in a recursive netlist, as SAX has it; without it, the first netlist is the circuit."""


def read(
    path: str | PathLike[str],
    *,
    strict: bool = False,
    cell_map: str | PathLike[str] | None = None,
    mode: str | None = None,
) -> Netlist:
    """Read a netlist file, YAML, JSON or .spi, or one of the gallery by its name.

    `cell_map` says what the cells of a .spi file are; without it a map beside the file counts, MZI.map.yml
    for MZI.spi. `mode` chooses one of those that a file of S-parameters holds, for every instance that does
    not say its own.

    Only the file is judged; :func:`photosim.netlist.check` says whether the netlist describes a circuit, and
    `strict` asks it to, with open ports as errors.

    Raises:
        NetlistError: the file is missing or not a netlist; with file, line and column.
    """
    check_arguments(read, locals())
    from photosim.netlist.check import check

    place = find(path)
    if place.suffix.lower() == SPI_SUFFIX:
        netlist = read_spi(place, str(path), Path(cell_map) if cell_map is not None else None)
    elif cell_map is not None:
        raise NetlistError(f"{path} needs no map: a map says what the cells of a .spi file are")
    else:
        netlist = _read_yaml(place, str(path))
    if mode is not None:
        netlist = with_mode(netlist, mode)
    if strict:
        check(netlist, strict=True)
    return netlist


def _read_yaml(place: Path, path: str) -> Netlist:
    text = read_utf8(place, path, MAX_BYTES)
    netlist = _netlist(compose(text, path, place.parent), place.name.partition(".")[0])
    return replace(netlist, folder=place.parent)


def read_text(text: str, name: str = "circuit") -> Netlist:
    """Read a netlist from YAML or JSON text; `name` is its name where the text gives none.

    Raises:
        NetlistError: as :func:`read`.
    """
    check_arguments(read_text, locals())
    return _netlist(compose(text), name)


def from_dict(data: Mapping[str, Any], name: str = "circuit") -> Netlist:
    """Netlist of a dictionary in the form of a file; settings may be expressions and arrays too.

    Raises:
        NetlistError: as :func:`read`, without a place.
    """
    check_arguments(from_dict, locals())
    return _netlist(Tree(_plain(data)), name)


def _plain(data: Any, depth: int = 3) -> Any:
    """Mappings as dicts and Instances as their form, down to the instances of a recursive dict."""
    if isinstance(data, Instance):
        return {"component": data.component, "settings": dict(data.settings)}
    if isinstance(data, Mapping) and depth:
        return {key: _plain(value, depth - 1) for key, value in data.items()}
    return data


def _netlist(tree: Tree, name: str) -> Netlist:
    data = tree.data
    if not isinstance(data, dict):
        found = "it is empty" if data is None else f"it is {describe(data)}"
        start = Mark(tree.file, 1, 1) if tree.file else None
        raise NetlistError(
            f"a netlist is a mapping with 'instances', 'connections' and 'ports', but {found}", start
        )
    nested = [key for key, value in data.items() if isinstance(value, dict) and "instances" in value]
    if "instances" in data or not nested:
        return _Reader(tree, (), data).netlist(name, {})
    return _Hierarchy(tree).top(name)


class _Hierarchy:
    """The netlists of a recursive file, each built once, with the ones that it refers to inside it."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.readers = {str(key): _Reader(tree, (str(key),), value) for key, value in tree.data.items()}
        self.built: dict[str, Netlist] = {}

    def top(self, name: str) -> Netlist:
        """The circuit, with the netlists that nobody refers to beside those that it uses itself."""
        key = TOP if TOP in self.readers else next(iter(self.readers))
        used = {component for reader in self.readers.values() for component in reader.components()}
        extra = {other: self.build(other, ()) for other in self.readers if other not in used and other != key}
        return self.readers[key].netlist(name if key == TOP else key, {**self.inner(key, ()), **extra})

    def inner(self, key: str, chain: tuple[str, ...]) -> dict[str, Netlist]:
        """The netlists that one refers to."""
        names = self.readers[key].components()
        return {name: self.build(name, (*chain, key)) for name in names if name in self.readers}

    def build(self, key: str, chain: tuple[str, ...]) -> Netlist:
        """One sub-netlist, inside those of the chain."""
        if key in chain:
            circle = " -> ".join([*chain[chain.index(key) :], key])
            raise NetlistError(
                f"netlist {key!r} contains itself: {circle}", self.tree.mark(self.tree.data, key)
            )
        if len(chain) >= MAX_LEVELS:
            message = f"netlists contain each other over more than {MAX_LEVELS} levels, the bound"
            raise NetlistError(message, self.tree.mark(self.tree.data, key))
        if key not in self.built:
            self.built[key] = self.readers[key].netlist(key, self.inner(key, chain))
        return self.built[key]


class _Reader:
    """One netlist of a tree: its form, then its content."""

    def __init__(self, tree: Tree, path: tuple[str, ...], data: Any) -> None:
        if not isinstance(data, dict):
            message = f"{path[-1]!r} must be a netlist, a mapping with 'instances', but is {describe(data)}"
            raise NetlistError(message, tree.follow(path))
        self.tree = tree
        self.data = data
        self.form: NetlistForm = validate(data, tree, path)
        self.marks = Marks(tree.file)

    def components(self) -> list[str]:
        """Components that the instances name, each once."""
        return list(dict.fromkeys(instance.component for instance in self.form.instances.values()))

    def netlist(self, name: str, components: Mapping[str, Netlist]) -> Netlist:
        """The netlist, with its sub-netlists."""
        form = self.form
        settings = self._settings()
        instances, connections = self._instances(settings, components), self._connections()
        ports = {outer: self._exposed(outer, text) for outer, text in form.ports.items()}
        joins = self._routes(instances, {*ports.values(), *(end for pair in connections for end in pair)})
        return Netlist(
            instances=instances,
            connections=(*connections, *joins),
            ports=ports,
            settings=settings,
            terminate=self._terminated(),
            components=dict(components),
            name=form.name or name,
            analyses=self._analyses(),
            marks=self.marks,
        )

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
                inner = self._instance_settings(name, form, settings, components)
                instance = Instance(form.component, inner, mark)
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
        self, name: str, form: InstanceForm, settings: Mapping[str, Any], components: Mapping[str, Netlist]
    ) -> dict[str, Any]:
        if not form.settings:
            return {}
        sub = components.get(form.component)
        numeric = sub.settings if sub is not None else numeric_parameters(form.component)
        tables = table_parameters(form.component) if sub is None else {}
        written = self.data["instances"][name]["settings"]
        found: dict[str, Any] = {}
        for key, value in form.settings.items():
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

    def _connections(self) -> tuple[tuple[PortRef, PortRef], ...]:
        found = []
        for left, right in self.form.connections.items():
            raw = self.data["connections"]
            a = self._port(left, self.tree.mark(raw, left))
            found.append((a, self._port(right, self.tree.mark(raw, left, value=True))))
        for position, net in enumerate(self.form.nets):
            raw = self.data["nets"][position]
            a = self._port(net.p1, self.tree.mark(raw, "p1", value=True))
            found.append((a, self._port(net.p2, self.tree.mark(raw, "p2", value=True))))
        return tuple(found)

    def _port(self, text: str, mark: Mark | None) -> PortRef:
        """A reference inside a connection; the second place of one port is kept beside the first."""
        try:
            instance, name = ref(text)
        except NetlistError as error:
            raise NetlistError(error.message, mark) from None
        port = instance, intern(name)  # most names are o1 or o2
        joined = ",".join(port)
        path = ("connections", text if text == joined else joined)  # one of two equal texts is kept
        self.marks.add((*path, "again") if path in self.marks.places else path, mark)
        return port

    def _exposed(self, outer: str, text: str) -> PortRef:
        """What an exposed port is; its name must not look like a wave inside, which has a comma."""
        if not outer or "," in outer or outer != outer.strip():
            message = (
                f"{outer!r} cannot name a port: a name is not empty, has no comma and no space around it"
            )
            raise NetlistError(message, self.tree.mark(self.data["ports"], outer))
        return self._ref(self.data["ports"], outer, text, ("ports", outer))

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

    def _analyses(self) -> tuple[dict[str, Any], ...]:
        raw = self.data.get("analyses") or ()
        for position, analysis in enumerate(self.form.analyses):
            mark = self.tree.mark(raw, position)
            self.marks.add(("analyses", str(position)), mark)
            for key in analysis:
                self.marks.add(("analyses", str(position), str(key)), self.tree.mark(raw[position], key))
            if not isinstance(analysis.get("kind"), str):
                message = f"analysis {position + 1} does not say its kind, as in {{kind: spectrum, ...}}"
                raise NetlistError(message, mark)
        return tuple(self.form.analyses)

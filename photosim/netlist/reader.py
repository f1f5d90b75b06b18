"""From text or dictionaries to Netlists: arrays expanded, expressions parsed, sub-netlists nested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.errors import Mark, NetlistError
from photosim.model import Instance, Netlist
from photosim.netlist.body import Body
from photosim.netlist.cells import CellMap, read_map
from photosim.netlist.compose import MAX_BYTES, Tree, compose
from photosim.netlist.find import find
from photosim.netlist.form_errors import describe
from photosim.netlist.kfnetlist import converted
from photosim.netlist.layout_table import MISSING, missing, rule_of, without_parts
from photosim.netlist.modes import with_mode
from photosim.netlist.siepic import MAP_SUFFIX, read_spi
from photosim.netlist.siepic import SUFFIX as SPI_SUFFIX
from photosim.netlist.text import read_utf8

if TYPE_CHECKING:
    from os import PathLike

MAX_LEVELS = 64
"""Levels of hierarchy."""
TOP = "top_level"
"""Name of the circuit in a recursive netlist, as SAX has it; without it, the first netlist is the circuit."""


@public
def read(
    path: str | PathLike[str],
    *,
    strict: bool = False,
    cell_map: str | PathLike[str] | None = None,
    mode: str | None = None,
) -> Netlist:
    """Return the netlist of a file (YAML, JSON or .spi), or of a gallery circuit by its name.

    Only the file is checked. :func:`photosim.netlist.check` checks whether the netlist describes a circuit.

    path: of the file, or a name of the gallery.  strict: check the circuit too, with open ports as errors.
    cell_map: file that maps the cells of a layout to components; by default a map beside the file,
    MZI.map.yml for MZI.spi and for MZI.yml.  mode: mode to read from S-parameter files that hold several, for
    every instance without its own.

    Raises:
        NetlistError: the file is missing or not a netlist; with file, line and column.
    """
    from photosim.netlist.check import check

    place = find(path)
    if place.suffix.lower() == SPI_SUFFIX:
        netlist = read_spi(place, str(path), Path(cell_map) if cell_map is not None else None)
    else:
        known = Path(cell_map) if cell_map is not None else map_beside(place)
        netlist = _read_yaml(place, str(path), read_map(known) if known is not None else None)
    if netlist.drawn:
        _require_parts(netlist, str(path))
    if mode is not None:
        netlist = with_mode(netlist, mode)
    if strict:
        check(netlist, strict=True)
    return netlist


def map_beside(place: Path) -> Path | None:
    """Return the map of cells that lies beside a netlist, MZI.map.yml beside MZI.yml, or None."""
    beside = place.with_name(place.name.partition(".")[0] + MAP_SUFFIX)
    return beside if beside.is_file() else None


def _require_parts(netlist: Netlist, file: str) -> None:
    """Refuse a cell of a layout that has no part which carries light."""
    if not netlist.instances:
        raise NetlistError(without_parts(netlist.name), Mark(file, 1, 1))


def _read_yaml(place: Path, path: str, cells: CellMap | None) -> Netlist:
    text = read_utf8(place, path, MAX_BYTES)
    netlist = _netlist(compose(text, path, place.parent), place.name.partition(".")[0], cells)
    return replace(netlist, folder=place.parent)


@public
def read_text(
    text: str,
    name: str = "circuit",
    *,
    folder: str | PathLike[str] | None = None,
    cell_map: str | PathLike[str] | None = None,
) -> Netlist:
    """Return the netlist of YAML or JSON text.

    text: of the netlist.  name: of the circuit, if the text has none.  folder: folder of the files that the
    text names, by default the working folder.  cell_map: as for :func:`read`.

    Raises:
        NetlistError: as :func:`read`.
    """
    place = Path(folder) if folder is not None else None
    cells = read_map(Path(cell_map)) if cell_map is not None else None
    return replace(_netlist(compose(text, None, place), name, cells), folder=place)


@public
def from_dict(
    data: Mapping[str, Any], name: str = "circuit", *, cell_map: str | PathLike[str] | None = None
) -> Netlist:
    """Return the netlist of a dictionary in the form of a file; settings may be expressions and arrays too.

    data: mapping with instances, connections, ports, ....  name: of the circuit, if the mapping has none.
    cell_map: as for :func:`read`.

    Raises:
        NetlistError: as :func:`read`, without a place.
    """
    cells = read_map(Path(cell_map)) if cell_map is not None else None
    return _netlist(Tree(_plain(data)), name, cells)


def _plain(data: Any, depth: int = 3) -> Any:
    """Mappings as dicts and Instances as their form, down to the instances of a recursive dict."""
    if isinstance(data, Instance):
        return {"component": data.component, "settings": dict(data.settings)}
    if isinstance(data, Mapping) and depth:
        return {key: _plain(value, depth - 1) for key, value in data.items()}
    return data


def _netlist(tree: Tree, name: str, cells: CellMap | None = None) -> Netlist:
    tree = converted(tree)
    data = tree.data
    if not isinstance(data, dict):
        found = "it is empty" if data is None else f"it is {describe(data)}"
        start = Mark(tree.file, 1, 1) if tree.file else None
        raise NetlistError(
            f"a netlist is a mapping with 'instances', 'connections' and 'ports', but {found}", start
        )
    nested = [key for key, value in data.items() if isinstance(value, dict) and "instances" in value]
    if "instances" in data or not nested:
        return Body(tree, (), data, cells).netlist(name, {})
    return _Hierarchy(tree, cells).top(name)


class _Hierarchy:
    """The netlists of a recursive file, each built once, with the ones that it refers to inside it."""

    def __init__(self, tree: Tree, cells: CellMap | None) -> None:
        self.tree = tree
        self.readers = {str(key): Body(tree, (str(key),), value, cells) for key, value in tree.data.items()}
        self.built: dict[str, Netlist] = {}

    def top(self, name: str) -> Netlist:
        """The circuit, with the netlists that nobody refers to beside those that it uses itself."""
        used = {component for reader in self.readers.values() for component in reader.components()}
        key, remark = self._circuit(used)
        reader = self.readers[key]
        if reader.form.placements is not None and key not in reader.cells.cells:
            rule = rule_of(key)
            if key in MISSING:
                raise NetlistError(missing(key), self.tree.mark(self.tree.data, key))
            if rule is not None and rule.instead:
                raise NetlistError(without_parts(key), self.tree.mark(self.tree.data, key))
        extra = {other: self.build(other, ()) for other in self.readers if other not in used and other != key}
        found = reader.netlist(name if key == TOP else key, {**self.inner(key, ()), **extra})
        return replace(found, remarks=(*remark, *found.remarks)) if remark else found

    def _circuit(self, used: set[str]) -> tuple[str, tuple[str, ...]]:
        """The netlist that is the circuit, and a remark where that is not plain.

        A layout tool writes the cell before those that it uses; a file in alphabetical order lost that.
        """
        first = next(iter(self.readers))
        unused = [key for key in self.readers if key not in used]
        if TOP in self.readers or first not in used or len(unused) != 1:
            return (TOP if TOP in self.readers else first), ()
        if self.readers[first].form.placements is None:
            text = f"The circuit is {first!r}, the first netlist of the file, although {unused[0]!r} uses it"
            return first, (f"{text}: the name {TOP!r} says which one is the circuit.",)
        return unused[0], (f"The circuit is {unused[0]!r}, which no other netlist of the file uses.",)

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

"""Netlists as YAML text that :func:`photosim.netlist.read_text` reads back to an equal netlist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from photosim.arguments import public
from photosim.errors import NetlistError
from photosim.expressions import Expr
from photosim.model.netlist import shown_member
from photosim.model.sampled import FileTable
from photosim.netlist.arrays import base_name
from photosim.netlist.compose import plain
from photosim.netlist.layout_table import CIRCUITS
from photosim.netlist.placements import pitches
from photosim.netlist.placements import written as written_place
from photosim.netlist.reader import TOP
from photosim.netlist.values import evaluate, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.model import Connection, Netlist


class _Dumper(yaml.CSafeDumper):
    """Quotes every text that our reader would take for a number, and repeats shared values in full."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _text(dumper: _Dumper, data: str) -> yaml.ScalarNode:
    style = None if plain(data) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


class _Members(list[str]):
    """The members of a net, written on one line."""


class _OneLine(dict[str, Any]):
    """A mapping that is written on one line."""


def _one_line(dumper: _Dumper, data: _OneLine) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)


def _members(dumper: _Dumper, data: _Members) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_Members, _members)
_Dumper.add_representer(_OneLine, _one_line)


@public
def to_yaml(netlist: Netlist) -> str:
    """Return a netlist as YAML text; with sub-netlists, a recursive file with the circuit first.

    Raises:
        NetlistError: a setting that YAML cannot hold (a complex number, a table without a file), or two
            sub-netlists of one name.
    """
    others: dict[str, Netlist] = {}
    _collect(netlist, others)
    data = _body(netlist)
    if others:
        data = {TOP: data, **{name: _body(sub) for name, sub in others.items()}}
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


@public
def to_gdsfactory(netlist: Netlist) -> dict[str, Any]:
    """Return netlists by name in the form of gdsfactory's `get_netlist(recursive=True)`, the circuit first.

    Expressions are replaced by their values, because gdsfactory has none. A sub-netlist becomes one cell for
    each set of its settings. Members of an array become one instance with columns and rows. SAX reads the
    same form.

    Raises:
        NetlistError: as :func:`to_yaml`.
    """
    _collect(netlist, {})
    cells: dict[str, Any] = {netlist.name: None}
    cells[netlist.name] = _Cells(cells).body(netlist, {})
    return cells


class _Cells:
    """The cells of a recursive file: one for each sub-netlist and set of its settings.

    cells: bodies by name, filled as sub-netlists are met.
    """

    def __init__(self, cells: dict[str, Any]) -> None:
        self.cells = cells
        self.names: dict[tuple[str, str], str] = {}

    def body(self, netlist: Netlist, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return one netlist in gdsfactory's form, its settings replaced by those given."""
        if netlist.nets:
            message = (
                f"netlist {netlist.name!r} has electrical nets of its parts, which gdsfactory's form does "
                "not hold"
            )
            raise NetlistError(message)
        settings = resolve({**netlist.settings, **given})
        instances: dict[str, Any] = {}
        for name, instance in netlist.instances.items():
            base = base_name(name)
            if base in instances:
                array = instances[base]["array"]
                column, row = (int(k) for k in name.removeprefix(base)[1:-1].split("."))
                array["columns"] = max(array["columns"], column + 1)
                array["rows"] = max(array["rows"], row + 1)
                continue
            values = {key: evaluate(value, settings, name) for key, value in instance.settings.items()}
            written = self._instance(netlist, instance.component, values, name)
            array = {"columns": 1, "rows": 1, **pitches(base, netlist.placements)}
            instances[base] = written if base == name else {**written, "array": array}
        placed = netlist.placements
        places = {
            name: written_place(placed[own]) for name in instances
            if (own := name if name in placed else f"{name}<0.0>") in placed
        }  # fmt: skip
        return {
            "instances": instances,
            "placements": {name: places.get(name, {}) for name in instances},
            "nets": [{"p1": ",".join(a), "p2": ",".join(b)} for a, b in netlist.connections],
            "ports": {name: ",".join(port) for name, port in netlist.ports.items()},
        }

    def _instance(
        self, netlist: Netlist, component: str, values: dict[str, Any], name: str
    ) -> dict[str, Any]:
        inner = netlist.components.get(component)
        if inner is None:
            written = {"component": component, "settings": _values(values, name)}
            # Without info it is the component of that name, not gdsfactory's cell, which is another circuit.
            return written if component in CIRCUITS else {**written, "info": {}}
        own = {key: value for key, value in values.items() if key in inner.settings}
        left = {key: value for key, value in values.items() if key not in inner.settings}
        key = (component, repr(sorted(own.items())))
        if key not in self.names:
            count = sum(known == component for known, _ in self.names)
            cell = f"{component}_{count}" if count else component
            while cell in self.cells:
                count += 1
                cell = f"{component}_{count}"
            self.names[key], self.cells[cell] = cell, None
            self.cells[cell] = self.body(inner, own)
        return {"component": self.names[key], "settings": _values(left, name), "info": {}}


def _collect(netlist: Netlist, found: dict[str, Netlist]) -> None:
    for name, sub in netlist.components.items():
        if name == TOP or (name in found and found[name] is not sub and found[name] != sub):
            raise NetlistError(f"two netlists are called {name!r}, and a recursive file can hold one of them")
        if name not in found:
            found[name] = sub
            _collect(sub, found)


def _body(netlist: Netlist) -> dict[str, Any]:
    body: dict[str, Any] = {"name": netlist.name}
    if netlist.settings:
        body["settings"] = _values(netlist.settings, "the settings")
    body["instances"] = {
        name: {
            "component": i.component,
            **({"settings": _OneLine(_values(i.settings, name))} if i.settings else {}),
        }
        for name, i in netlist.instances.items()
    }
    body |= _connections(netlist.connections)
    if netlist.nets:
        lists = [_Members(shown_member(end) for end in net) for net in netlist.nets]
        body["nets"] = [*body.get("nets", []), *lists]
    if netlist.ports:
        body["ports"] = {name: ",".join(port) for name, port in netlist.ports.items()}
    if netlist.terminate:
        body["terminate"] = [",".join(port) for port in netlist.terminate]
    if netlist.specification:
        body["specification"] = [_values(entry, "an entry") for entry in netlist.specification]
    if netlist.analyses:
        body["analyses"] = [_values(analysis, "an analysis") for analysis in netlist.analyses]
    if netlist.chip is not None:
        body["chip"] = _values(netlist.chip, "the chip")
    return body


def _connections(connections: tuple[Connection, ...]) -> dict[str, Any]:
    pairs = [(",".join(a), ",".join(b)) for a, b in connections]
    if len({left for left, _ in pairs}) == len(pairs):
        return {"connections": dict(pairs)} if pairs else {}
    # One electrical output that drives several inputs would be one key given twice.
    return {"nets": [{"p1": left, "p2": right} for left, right in pairs]}


def _values(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    return {name: _value(value, f"{name!r} of {where}") for name, value in values.items()}


def _value(value: Any, where: str) -> Any:
    if isinstance(value, Expr):
        return str(value) if value.names else value.evaluate({})
    if isinstance(value, FileTable):
        if not value.file:
            raise NetlistError(f"setting {where} is a table without a file: photosim.files.write makes one")
        return value.file
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return _values(value, where)
    if isinstance(value, list | tuple):
        return [_value(v, where) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise NetlistError(f"setting {where} is {value!r}, which a netlist file cannot hold")

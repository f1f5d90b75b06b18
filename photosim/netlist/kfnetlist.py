"""kfnetlist's JSON, as kfactory 3 and gdsfactory write it, in the form of our own files.

    {"instances": {name: {"kcl", "component", "settings", "array": {"na", "nb"}}},
     "nets": [[{"instance", "port", "ia", "ib"}, {"name"}], ...], "ports": [{"name"}, ...]}

A net is a list of members: ports of instances and, as {"name"}, ports of the circuit. Members of arrays are
counted from 1, but from 0 in a netlist of which a member has the index 0: kfnetlist 0.3 extracts them so
from layouts. Several netlists stand in one file by the names of their cells; an instance is of the cell
that it names in "cell", or whose name its own name begins with, or of the only one of its component.
PlacedNetlist adds a placement to each instance.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photosim.errors import NetlistError, listing
from photosim.netlist.form_errors import describe

if TYPE_CHECKING:
    from photosim.netlist.compose import Tree

_METAL = re.compile(r"(.*_)?e\d+")
"""Ports of metal, of which any number may meet."""
_PLAIN = ("component", "settings", "info", "kcl", "placement")


def is_kfnetlist(data: Any) -> bool:
    """Whether data has the form of kfnetlist: nets that are lists of members, or ports that are a list."""
    if not isinstance(data, Mapping) or not isinstance(data.get("instances"), Mapping):
        return False
    nets = data.get("nets")
    return isinstance(data.get("ports"), list) or (
        isinstance(nets, list)
        and bool(nets)
        # Members that are texts are those of our own electrical nets.
        and all(isinstance(net, list) and not any(isinstance(m, str) for m in net) for net in nets)
    )


def converted(tree: Tree) -> Tree:
    """Return a tree of kfnetlist's JSON in the form of our files, with the places of what it holds.

    Any other tree is returned as it is. Raises NetlistError for what the form does not allow, and for a net
    of three members that carry light.
    """
    data = tree.data
    if is_kfnetlist(data):
        bodies, single = {"": data}, True
    elif isinstance(data, Mapping) and data and all(is_kfnetlist(body) for body in data.values()):
        bodies, single = dict(data), False
    else:
        return tree
    writer = _Writer(tree, bodies)
    made = {name: writer.body(name, body) for name, body in bodies.items()}
    if single:
        return replace(tree, data=made[""], kept=data)
    inner = {name: body for name, body in made.items() if body["instances"] or name == next(iter(made))}
    used = {i["component"] for body in inner.values() for i in body["instances"].values()}
    top = [name for name in inner if name not in used] or list(inner)
    ordered = {top[0]: inner[top[0]], **{name: inner[name] for name in inner if name in used}}
    writer.copy(data, ordered)
    return replace(tree, data=ordered, kept=data)


class _Writer:
    """Writes netlists anew; the places of what is kept are kept."""

    def __init__(self, tree: Tree, bodies: Mapping[str, Any]) -> None:
        self.tree = tree
        self.first = 1
        """Index of the first member of an array in the netlist that is being written."""
        self.cells = sorted(
            (name for name, body in bodies.items() if body["instances"]), key=len, reverse=True
        )

    def copy(self, old: Any, new: Any) -> None:
        """Give a new container the places of an old one."""
        places = self.tree.places.get(id(old))
        if places is not None:
            self.tree.places[id(new)] = places

    def body(self, name: str, data: Any) -> dict[str, Any]:
        """Return one netlist in our form."""
        self.first = _first_index(data.get("nets"))
        instances = {key: self.instance(key, value, data) for key, value in data["instances"].items()}
        self.copy(data["instances"], instances)
        new: dict[str, Any] = {"instances": instances, "nets": [], "ports": {}, "placements": {}}
        if name:
            new["name"] = name
        self.copy(data, new)
        places: dict[Hashable, Any] = {}
        for position, net in enumerate(data.get("nets") or []):
            self.net(net, position, data, new, places)
        self.tree.places[id(new["ports"])] = places
        self._lost(data, new)
        return new

    def instance(self, name: str, written: Any, data: Any) -> dict[str, Any]:
        """Return one instance in our form."""
        mark = self.tree.mark(data["instances"], name)
        if not isinstance(written, Mapping) or not isinstance(written.get("component"), str):
            raise NetlistError(f"instance {name!r} must be a mapping with a 'component'", mark)
        new = {key: written[key] for key in _PLAIN if key in written}
        inner = self.cell_of(name, written["component"], written.get("cell"), mark)
        if inner:
            new["component"] = inner
        array = written.get("array")
        if array is not None:
            new["array"] = self.array(name, array, mark)
            if new["array"] == {"columns": 1, "rows": 1}:
                del new["array"]
        unknown = set(written) - {*_PLAIN, "array", "cell", "name"}
        if unknown:
            raise NetlistError(f"instance {name!r} has no key {min(unknown)!r} in kfnetlist's form", mark)
        self.copy(written, new)
        return new

    def cell_of(self, name: str, component: str, cell: Any, mark: Any) -> str:
        """Return the netlist of the file that an instance is; empty where it is a part by itself."""
        if cell is not None:
            return cell if cell in self.cells else ""
        found = [c for c in self.cells if c and name.startswith(f"{c}_")][:1]
        if not found:  # named by its designer; cells are called by their component, cut off, and a hash
            found = [c for c in self.cells if c and _is_of(c, component)]
        if len(found) > 1:
            raise NetlistError(
                f"instance {name!r} ({component}) may be any of the cells {listing(found)}: write a "
                "PlacedNetlist, whose instances name their cell",
                mark,
            )
        return found[0] if found else ""

    def array(self, name: str, written: Any, mark: Any) -> dict[str, int]:
        """Return the columns and rows of an array."""
        counts: list[Any] = [written.get(k, 1) if isinstance(written, Mapping) else 0 for k in ("na", "nb")]
        if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in counts):
            message = f"the array of instance {name!r} must be {{na: ..., nb: ...}}, whole numbers from 1"
            raise NetlistError(message, mark)
        return {"columns": counts[0], "rows": counts[1]}

    def net(self, net: Any, position: int, data: Any, new: Any, places: dict[Hashable, Any]) -> None:
        """Add one net, as a connection, as exposed ports, or both."""
        mark = self.tree.mark(data["nets"], position)
        place = self.tree.places.get(id(data["nets"]), {}).get(position)
        if not isinstance(net, list):
            raise NetlistError(f"net {position + 1} must be a list of members, but is {describe(net)}", mark)
        inner = [self.member(m, position, data, mark) for m in net if not _is_outer(m)]
        outer = [m["name"] for m in net if _is_outer(m)]
        light = [text for text in inner if _METAL.fullmatch(text.rpartition(",")[2]) is None]
        if len(light) + len(outer) > 2 and light:
            members = "; ".join([*inner, *(f"port {name!r}" for name in outer)])
            raise NetlistError(
                f"net {position + 1} joins {len(net)} ports that carry light: {members}; light does not "
                "divide at a point: put a `splitter` or a `coupler` between them",
                mark,
            )
        if len(outer) > 1 and not inner:
            raise NetlistError(f"net {position + 1} joins two ports of the circuit through nothing", mark)
        for text in inner[1:]:
            pair = {"p1": inner[0], "p2": text}
            if place is not None:
                self.tree.places[id(pair)] = {"p1": place, "p2": place}
            new["nets"].append(pair)
        if inner and (len(inner) == 1 or not light):
            for name in outer:
                if name in new["ports"]:
                    raise NetlistError(f"port {name!r} of the circuit is in two nets", mark)
                new["ports"][name] = inner[0]
                if place is not None:
                    places[name] = place

    def member(self, member: Any, position: int, data: Any, mark: Any) -> str:
        """Return a member of a net as instance,port."""
        known = {"instance", "port", "ia", "ib"}
        if (
            not isinstance(member, Mapping)
            or not set(member) <= known
            or not {"instance", "port"} <= set(member)
        ):
            raise NetlistError(
                f"net {position + 1}: a member is {{instance, port}} (in an array with ia, ib) or {{name}}",
                mark,
            )
        name, port = member["instance"], member["port"]
        if not isinstance(name, str) or not isinstance(port, str):
            raise NetlistError(f"net {position + 1}: instance and port of a member are texts", mark)
        written = data["instances"].get(name)
        array = written.get("array") if isinstance(written, Mapping) else None
        counts = (array.get("na", 1), array.get("nb", 1)) if isinstance(array, Mapping) else (1, 1)
        at = [member.get(key, self.first) for key in ("ia", "ib")]
        if not all(isinstance(k, int) and not isinstance(k, bool) and k >= self.first for k in at):
            raise NetlistError(
                f"net {position + 1}: member {name},{port} has ia {at[0]!r} and ib {at[1]!r}, but they are "
                f"whole numbers that count from {self.first}",
                mark,
            )
        if counts == (1, 1):
            return f"{name},{port}"
        if not {"ia", "ib"} <= set(member):
            raise NetlistError(
                f"net {position + 1}: {name!r} is an array of {counts[0]} x {counts[1]}, so its member needs "
                f"ia and ib, which count from {self.first}",
                mark,
            )
        if any(k - self.first >= n for k, n in zip(at, counts, strict=True)):
            raise NetlistError(
                f"net {position + 1}: {name!r} is an array of {counts[0]} x {counts[1]} and has no member "
                f"ia {at[0]}, ib {at[1]}, which count from {self.first}",
                mark,
            )
        return f"{name}<{at[0] - self.first}.{at[1] - self.first}>,{port}"

    def _lost(self, data: Any, new: Any) -> None:
        """Refuse ports of the circuit that are joined to nothing, but those of metal."""
        for position, port in enumerate(data.get("ports") or []):
            name = port.get("name") if isinstance(port, Mapping) else None
            mark = self.tree.mark(data["ports"], position)
            if not isinstance(name, str):
                raise NetlistError("'ports' lists {name: ...}, one for each port of the circuit", mark)
            if name not in new["ports"] and new["instances"] and _METAL.fullmatch(name) is None:
                raise NetlistError(f"port {name!r} of the circuit is joined to no instance", mark)


def _first_index(nets: Any) -> int:
    """Return the index of the first member of an array: 0 where a member has it, else 1."""
    members = [m for net in nets or () if isinstance(net, list) for m in net if isinstance(m, Mapping)]
    found = [m[key] for m in members for key in ("ia", "ib") if key in m]
    return 0 if any(type(k) is int and k == 0 for k in found) else 1


def _is_of(cell: str, component: str) -> bool:
    """Whether a cell may be called after a component."""
    start = cell.rpartition("_")[0]
    return (
        cell == component or cell.startswith(f"{component}_") or (start != "" and component.startswith(start))
    )


def _is_outer(member: Any) -> bool:
    """Whether a member of a net is a port of the circuit."""
    return isinstance(member, Mapping) and set(member) == {"name"} and isinstance(member["name"], str)

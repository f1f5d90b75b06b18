"""Arrays that are drawn once: members of an array, or instances numbered in their names, of one component."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photosim.drawing.boxes import Box
    from photosim.drawing.flow import PortRef
    from photosim.model import Netlist

_MEMBER = re.compile(r"(?P<stem>.*?)(?:<\d+\.\d+>|(?<=[A-Za-z_])\d+)")
_ANY = 3
"""Arrays of more members than this many times the limit are folded however they are wired."""


@dataclass(frozen=True)
class Folds:
    """Which instances are drawn as one: the first of each family, by name of member."""

    first: dict[str, str]
    family: dict[str, tuple[str, ...]]

    def leader(self, name: str) -> str:
        """Return the instance that is drawn for `name`."""
        return self.first.get(name, name)

    def members(self, name: str) -> tuple[str, ...]:
        """Return the instances that are drawn as `name`."""
        return self.family.get(name, (name,))

    def title(self, name: str) -> str:
        """Return what is written at a folded family: its name and how many there are."""
        members = self.members(name)
        found = _MEMBER.fullmatch(name)
        stem = found["stem"] if found else name
        return f"{stem} x {len(members)}"


def folds(netlist: Netlist, limit: int) -> Folds:
    """Return the families of more than `limit` members that are drawn once.

    Members are of one component and wired alike: each port to the same instance or the same family, none to
    its own, and all or none exposed. Very large families are folded even where they are not.
    """
    families: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, instance in netlist.instances.items():
        found = _MEMBER.fullmatch(name)
        if found:
            families[found["stem"], instance.component].append(name)
    large = {key: names for key, names in families.items() if len(names) > limit}
    family_of = {name: names[0] for names in large.values() for name in names}
    place = {name: k for names in large.values() for k, name in enumerate(names)}
    meets: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    crossed: set[str] = set()  # families whose members are not alike: wired to other places, or some exposed
    for a, b in list(netlist.connections) + [(net[0], other) for net in netlist.nets for other in net[1:]]:
        for (name, port), (other, _) in ((a, b), (b, a)):
            if name in family_of:
                meets[family_of[name]][port].add(family_of.get(other, other))
                if place.get(other, place[name]) != place[name]:
                    crossed.add(family_of[name])
    exposed = Counter((family_of[name], port) for name, port in netlist.ports.values() if name in family_of)
    members = {names[0]: len(names) for names in large.values()}
    crossed.update(first for (first, _), count in exposed.items() if count != members[first])
    kept = [
        names
        for names in large.values()
        if len(names) > _ANY * limit
        or (names[0] not in crossed and all(len(others) == 1 for others in meets[names[0]].values()))
    ]
    return Folds(
        {name: names[0] for names in kept for name in names}, {names[0]: tuple(names) for names in kept}
    )


@dataclass(frozen=True)
class Bundles:
    """Ports of one instance that lead to the members of a folded array: drawn as one, the first of them."""

    first: dict[PortRef, PortRef]

    def hidden(self, name: str) -> frozenset[str]:
        """Return the ports of an instance that are not drawn."""
        return frozenset(
            port for (owner, port), shown in self.first.items() if owner == name and shown[1] != port
        )

    def pin(self, box: Box, end: PortRef) -> PortRef:
        """Return the pin that is drawn for a port of an instance."""
        return self.first.get(end, end) if end[1] not in box.pins else end


def bundles(netlist: Netlist, groups: Folds, canonical: Callable[[PortRef], str]) -> Bundles:
    """Return the ports of single instances that are wired to the same port of members of one folded array."""
    found: dict[tuple[str, str, str], list[PortRef]] = defaultdict(list)
    for a, b in netlist.connections:
        for (name, port), (other, far) in ((a, b), (b, a)):
            if (
                len(groups.members(groups.leader(other))) > 1
                and len(groups.members(groups.leader(name))) == 1
            ):
                key = (name, groups.leader(other), canonical((other, far)))
                found[key].append((name, canonical((name, port))))
    return Bundles({end: ends[0] for ends in found.values() if len(ends) > 1 for end in ends})


def wired_ports(netlist: Netlist, canonical: Callable[[PortRef], str]) -> set[PortRef]:
    """Return the ports of instances that are connected, exposed or terminated."""
    ends = [end for pair in (*netlist.connections, *netlist.nets) for end in pair if end[0]]
    ends += [*netlist.ports.values(), *netlist.terminate]
    return {(name, canonical((name, port))) for name, port in ends}

"""Connections, exposed and terminated ports: each optical port is used once, or is open and said to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from photosim.errors import NetlistError, did_you_mean, listing
from photosim.netlist.arrays import base_name

if TYPE_CHECKING:
    from photosim.model import Netlist, PortRef
    from photosim.netlist.ports import PortTable


@dataclass(frozen=True)
class _Use:
    """What holds a port, in words, and the path of keys where that is written."""

    words: str
    path: tuple[str, ...]


class _Wires:
    """Uses of the ports of one netlist, by instance and the port's own name."""

    def __init__(self, netlist: Netlist, table: PortTable, inside: str) -> None:
        self.netlist = netlist
        self.table = table
        self.inside = inside
        self.uses: dict[PortRef, _Use] = {}

    def own(self, port: PortRef, path: tuple[str, ...]) -> tuple[PortRef, bool]:
        """The port under its own name, and whether it is electrical."""
        name, given = port
        instance = self.netlist.instances.get(name)
        if instance is None:
            raise NetlistError(self._no_instance(name, given), self.netlist.mark(*path))
        ports = self.table.of(name)
        found = ports.canonical.get(given)
        if found is None:
            known = ports.canonical
            raise NetlistError(
                f"instance {name!r} ({instance.component}){self.inside} has no port {given!r}. "
                f"It has: {listing(known, 16)}.{did_you_mean(given, known)}",
                self.netlist.mark(*path),
            )
        return (name, found), found in ports.electrical

    def _no_instance(self, name: str, port: str) -> str:
        """Words for a reference to nothing, with the members if it is an array's name."""
        found = [n for n in self.netlist.instances if base_name(n) == name]
        start = f"'{name},{port}'{self.inside} names a port of {name!r}, but there is no such instance."
        if found:
            return f"{start} It is an array; its members are {listing(found, 4)}."
        return start + did_you_mean(name, self.netlist.instances)

    def use(self, own: PortRef, written: PortRef, words: str, path: tuple[str, ...]) -> None:
        """Note a use of an optical port, or refuse the second one."""
        before = self.uses.get(own)
        if before is None:
            self.uses[own] = _Use(words, path)
            return
        alias = "" if own == written else f" ({own[1]})"
        first = self.netlist.mark(*before.path)
        place = f" on line {first.line}" if first else ""
        raise NetlistError(
            f"port '{','.join(written)}'{alias}{self.inside} is {words} here, "
            f"but already {before.words}{place}; a port has one use.",
            self.netlist.mark(*path, "again"),
        )

    def connect(self) -> None:
        """Note both ends of every connection."""
        for left, right in self.netlist.connections:
            left_path, right_path = ("connections", ",".join(left)), ("connections", ",".join(right))
            a, a_electrical = self.own(left, left_path)
            b, b_electrical = self.own(right, right_path)
            if a_electrical != b_electrical:
                one, other = ("electrical", "optical") if a_electrical else ("optical", "electrical")
                raise NetlistError(
                    f"the {one} port '{','.join(left)}' cannot be connected with the {other} port "
                    f"'{','.join(right)}'{self.inside}.",
                    self.netlist.mark(*left_path),
                )
            if a == b:
                message = f"port '{','.join(left)}'{self.inside} is connected with itself."
                raise NetlistError(message, self.netlist.mark(*left_path))
            if not a_electrical:  # one electrical output may drive many inputs
                self.use(a, left, f"connected with '{','.join(right)}'", left_path)
                self.use(b, right, f"connected with '{','.join(left)}'", right_path)

    def expose(self) -> None:
        """Note every exposed and every terminated port."""
        for outer, port in self.netlist.ports.items():
            own, electrical = self.own(port, ("ports", outer))
            if not electrical:
                self.use(own, port, f"exposed as {outer!r}", ("ports", outer))
        for port in self.netlist.terminate:
            path = ("terminate", ",".join(port))
            own, electrical = self.own(port, path)
            if not electrical:
                self.use(own, port, "terminated", path)

    def open_ports(self) -> list[PortRef]:
        """Optical ports without any use, in the order of the instances."""
        return [
            (name, port)
            for name in self.netlist.instances
            for port in self.table.of(name).optical
            if (name, port) not in self.uses
        ]


def check_wires(netlist: Netlist, table: PortTable, inside: str, *, strict: bool) -> list[str]:
    """Check connections, exposed and terminated ports of one netlist; return a warning that lists open ports.

    Raises:
        NetlistError: an unknown instance or port, a port used twice, or, with `strict`, an open port.
    """
    wires = _Wires(netlist, table, inside)
    wires.connect()
    wires.expose()
    found = wires.open_ports()
    if not found:
        return []
    names = [f"'{name},{port}'" for name, port in found]
    if len(names) == 1:
        message = f"inner port {names[0]}{inside} is left open and counts as matched: connect it, "
        message += "expose it under 'ports' or list it under 'terminate'."
    else:
        message = f"{len(names)} inner ports{inside} are left open and count as matched: {listing(names)}; "
        message += "connect them, expose them under 'ports' or list them under 'terminate'."
    first = found[0][0]
    mark = netlist.instances[first].mark or netlist.mark("instances", base_name(first))
    if strict:
        raise NetlistError(message, mark)
    return [f"{mark}: {message}" if mark else message]

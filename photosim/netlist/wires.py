"""Connections: each optical port is connected or exposed exactly once, or listed under `terminate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photosim.conventions import bus_range, exposed_names, mode_of, modes_that_meet, port_places
from photosim.errors import NetlistError, did_you_mean, listing
from photosim.model import GROUND_MEMBER, Network, registry
from photosim.model.netlist import shown_member
from photosim.netlist.arrays import base_name
from photosim.netlist.plain_wires import open_if_plain
from photosim.netlist.uses import Use, written_end

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.errors import Mark
    from photosim.model import Netlist, PortRef
    from photosim.netlist.ports import PortTable


_NO_MODES: dict[str, str] = {}
_DRIVERS = {
    "A": "a current_driver in place of a dac",
    "W": "a heater_driver in place of a dac",
    "V": "a dac for a modulator, or a transimpedance_amplifier behind a detector",
}
"""Parts of the library that give a signal in a unit."""


class _Wires:
    """Uses of the ports of one netlist, by instance and the port's own name."""

    def __init__(self, netlist: Netlist, table: PortTable, inside: str) -> None:
        self.netlist = netlist
        self.table = table
        self.inside = inside
        self.uses: dict[PortRef, Use] = {}
        self.unmet: dict[PortRef, PortRef] = {}
        self.in_net: dict[PortRef, int] = {}
        self.wired: set[PortRef] = set()

    def own(self, port: PortRef, key: str, entry: PortRef | str) -> tuple[PortRef, bool, Mapping[str, str]]:
        """The port under its own name, whether it is electrical, and its modes, if it is named as a whole.

        key, entry: where it is written.
        """
        name, written = port
        instance = self.netlist.instances.get(name)
        if instance is None:
            raise NetlistError(self._no_instance(name, written), self.netlist.mark(key, written_end(entry)))
        ports = self.table.of(name)
        found = ports.canonical.get(written)
        if found is None and ports.buses:
            whole = ports.canonical.get(bus_range(written)[0])
            found = whole if whole in ports.buses else None
        if found is None:
            known = ports.canonical
            raise NetlistError(
                f"instance {name!r} ({instance.component}){self.inside} has no port {written!r}. "
                f"It has: {listing(known, 16)}.{did_you_mean(written, known)}",
                self.netlist.mark(key, written_end(entry)),
            )
        return (
            port if found == written and type(port) is tuple else (name, found),
            found in ports.electrical,
            ports.modes.get(found, _NO_MODES),
        )

    def _no_instance(self, name: str, port: str) -> str:
        """Words for a reference to nothing, with the members if it is an array's name."""
        found = [n for n in self.netlist.instances if base_name(n) == name]
        start = f"'{name},{port}'{self.inside} names a port of {name!r}, but there is no such instance."
        if name == GROUND_MEMBER[1]:
            return f"{start} In nets the ground stands alone: {name}."
        if found:
            return f"{start} It is an array; its members are {listing(found, 4)}."
        return start + did_you_mean(name, self.netlist.instances)

    def use(self, own: PortRef, written: PortRef, use: Use) -> None:
        """Note a use of an optical port, or refuse the second one."""
        before = self.uses.setdefault(own, use)
        if before is use:
            return
        alias = "" if own == written else f" ({own[1]})"
        first = self.netlist.mark(*before.path)
        place = f" on line {first.line}" if first else ""
        raise NetlistError(
            f"port '{','.join(written)}'{alias}{self.inside} is {use} here, "
            f"but already {before}{place}; a port has one use.",
            self.netlist.mark(*use.path, "again"),
        )

    def connect(self) -> None:
        """Note both ends of every connection."""
        for left, right in self.netlist.connections:
            a, a_electrical, a_modes = self.own(left, "connections", left)
            b, b_electrical, b_modes = self.own(right, "connections", right)
            if a_electrical != b_electrical:
                one, other = ("electrical", "optical") if a_electrical else ("optical", "electrical")
                raise NetlistError(
                    f"the {one} port '{','.join(left)}' cannot be connected with the {other} port "
                    f"'{','.join(right)}'{self.inside}.",
                    self.netlist.mark("connections", ",".join(left)),
                )
            if a == b:
                message = f"port '{','.join(left)}'{self.inside} is connected with itself."
                raise NetlistError(message, self.netlist.mark("connections", ",".join(left)))
            if a_electrical:  # one electrical output may drive many inputs
                mark = self.netlist.mark("connections", ",".join(left))
                self._compare_units(left, a, right, b, mark)
                self._compare_domains([left, right], [a, b], mark)
                self.wired |= {a, b}
                continue
            pairs = [(a, b)]
            if a_modes or b_modes:
                pairs = self._meeting(left, _each(a, left, a_modes), right, _each(b, right, b_modes))
            for a, b in pairs:
                self.use(a, left, Use("connected with", right, "connections", left))
                self.use(b, right, Use("connected with", left, "connections", right))

    def join(self) -> None:
        """Check every electrical net: what its members are, and that they can meet."""
        for number, net in enumerate(self.netlist.nets):
            owns = []
            for end in net:
                if end == GROUND_MEMBER:
                    continue
                path = ("nets", ",".join(end))
                own, electrical, _ = self.own(end, *path)
                if not electrical:
                    raise NetlistError(
                        f"net {number + 1}{self.inside} joins the optical port '{','.join(end)}' with "
                        f"{listing([repr(shown_member(e)) for e in net if e != end])}. Nets are electrical: "
                        "connect two optical ports under 'connections'.",
                        self.netlist.mark(*path),
                    )
                before = self.in_net.setdefault(own, number)
                if before != number or own in owns:
                    where = (
                        "twice in one net" if own in owns else f"in two nets, {before + 1} and {number + 1}"
                    )
                    raise NetlistError(
                        f"'{','.join(end)}'{self.inside} stands {where}: write all its members as one net, "
                        "once.",
                        self.netlist.mark(*path),
                    )
                owns.append(own)
            written = [end for end in net if end != GROUND_MEMBER]
            mark = self.netlist.mark("nets", ",".join(written[0])) if written else None
            self._compare_domains(written, owns, mark)
            if len(net) == len(owns) == 2 and not any(self.table.domain(*own) for own in owns):
                self._compare_units(written[0], owns[0], written[1], owns[1], mark)  # a wire of two signals
            self.wired |= set(owns)

    def _compare_domains(self, written: list[PortRef], owns: list[PortRef], mark: Mark | None) -> None:
        """Refuse members of a net that carry different things."""
        domains = {end: self.table.domain(*own) for end, own in zip(written, owns, strict=True)}
        pins = {end: domain for end, domain in domains.items() if domain}
        for end, own in zip(written, owns, strict=True):
            if not pins:
                break
            first, domain = next(iter(pins.items()))
            unit = self.table.electrical_unit(*own)
            name, other = f"'{','.join(end)}'", f"'{','.join(first)}'"
            if domains[end] and domains[end] != domain:
                raise NetlistError(
                    f"{name} is {_a(domains[end])} pin and {other} {_a(domain)} one{self.inside}: they "
                    "cannot be in one net.", mark,
                )  # fmt: skip
            if not domains[end] and (unit not in {"V", "A"} or domain == "thermal"):
                raise NetlistError(
                    f"{name} is a signal in {unit or 'no unit'}{self.inside} and {other} a pin, where "
                    "voltages and "
                    "currents meet: a net takes signals in V and A only. Connect it with an output in "
                    f"{unit or 'its unit'}, such as that of a heater_driver or a heater.", mark,
                )  # fmt: skip

    def _compare_units(
        self, left: PortRef, a: PortRef, right: PortRef, b: PortRef, mark: Mark | None
    ) -> None:
        """Refuse a wire between a voltage and a current or a power, naming the driver that is missing."""
        units = [self.table.electrical_unit(*port) for port in (a, b)]
        if units[0] == units[1] or not all(units):
            return
        words = [
            f"'{','.join(port)}' ({self.netlist.instances[port[0]].component}) is in {unit}"
            for port, unit in zip((left, right), units, strict=True)
        ]
        models = [self.netlist.instances[port[0]].component for port in (a, b)]
        driven = [
            unit
            for model, port, unit in zip(models, (a, b), units, strict=True)
            if registry.known(model) and port[1] in registry.get(model).drives
        ]
        wanted = driven[0] if driven else "V"
        message = (
            f"the electrical port {words[0]}, {words[1]}{self.inside}: a driver is missing that gives "
            f"{wanted}, such as {_DRIVERS.get(wanted, 'an amplifier')}."
        )
        raise NetlistError(message, mark)

    def _meeting(
        self, left: PortRef, a: Mapping[str, PortRef], right: PortRef, b: Mapping[str, PortRef]
    ) -> list[tuple[PortRef, PortRef]]:
        """The pairs that a connection of ports with modes joins; notes the modes that meet nothing."""
        pairs = modes_that_meet(a, b)
        words = f"'{','.join(left)}' and '{','.join(right)}'{self.inside} cannot be connected: "
        mark = self.netlist.mark("connections", ",".join(left))
        if not pairs:
            raise NetlistError(
                f"{words}the one has mode {listing(a)}, the other {listing(b)}; "
                "name a mode on both sides, as in a,o2@TE: b,o1@TE0.",
                mark,
            )
        if any(one == other for one, other in pairs):
            raise NetlistError(f"{words}they are one port.", mark)
        joined = {port for pair in pairs for port in pair}
        for modes, beyond in ((a, right), (b, left)):
            for port in modes.values():
                if port not in joined:
                    self.unmet[port] = beyond
        return pairs

    def expose(self) -> None:
        """Note every exposed and every terminated port."""
        for outer, port in self.netlist.ports.items():
            own, electrical, modes = self.own(port, "ports", outer)
            if modes:
                self._refuse_names(outer, port, modes)
            if not electrical:
                for one in _each(own, port, modes).values():
                    self.use(one, port, Use("exposed as", outer, "ports", outer))
        for port in self.netlist.terminate:
            own, electrical, modes = self.own(port, "terminate", port)
            if not electrical:
                for one in _each(own, port, modes).values():
                    self.use(one, port, Use("terminated", "", "terminate", port))

    def _refuse_names(self, outer: str, port: PortRef, modes: Mapping[str, str]) -> None:
        """Refuse a name that cannot stand for all modes of a port."""
        names = exposed_names(outer, modes)
        if mode_of(outer):
            message = f"{outer!r}{self.inside} names one mode, but '{','.join(port)}' has {listing(modes)}: "
            message += f"expose one of them, as in '{port[0]},{next(iter(modes.values()))}'."
            raise NetlistError(message, self.netlist.mark("ports", outer))
        for name in names:
            if name in self.netlist.ports:
                message = f"port {name!r}{self.inside} is exposed twice: by its name, and by {outer!r}, "
                message += f"which exposes {listing(names)}."
                raise NetlistError(message, self.netlist.mark("ports", name))

    def open_ports(self) -> list[PortRef]:
        """Optical ports without any use, in the order of the instances."""
        return [
            (name, port)
            for name in self.netlist.instances
            for port in self.table.of(name).optical
            if (name, port) not in self.uses
        ]


def _open_pins(netlist: Netlist, table: PortTable, wires: _Wires, inside: str) -> str:
    """Return the warning about pins that no net, no connection and no exposed port has; empty without any."""
    components = {instance.component for instance in netlist.instances.values()} - netlist.components.keys()
    networks = {one for one in components if isinstance(registry.get(one), Network)}
    if not networks:
        return ""
    named = {(name, table.of(name).canonical.get(port, port))
             for name, port in (*netlist.ports.values(), *netlist.terminate)}  # fmt: skip
    used = wires.wired | named
    found = [
        f"'{name},{port}'"
        for name in netlist.instances
        if netlist.instances[name].component in networks  # others join their pins inside
        for port in table.pins(name)
        if (name, port) not in used
    ]
    if not found:
        return ""
    subject = f"Pin {found[0]}{inside} is" if len(found) == 1 else f"{len(found)} pins{inside} are"
    which = "" if len(found) == 1 else f" ({listing(found)})"
    return (
        f"{subject} in no net{which}: no current flows there; list such pins under 'terminate' if that "
        "is meant."
    )


def _each(own: PortRef, written: PortRef, modes: Mapping[str, str]) -> dict[str, PortRef]:
    """The port for each mode, if it is named as a whole; else the port, with the mode that its name says."""
    if not modes:
        return {mode_of(written[1]): own}
    return {mode: (own[0], port) for mode, port in modes.items()}


def check_wires(netlist: Netlist, table: PortTable, inside: str, *, strict: bool) -> list[str]:
    """Check connections, exposed and terminated ports of one netlist; return warnings that list open ports.

    Modes that meet a part without them are open too, in a warning of their own.

    Raises:
        NetlistError: an unknown instance or port, a port used twice, or, with `strict`, an open port.
    """
    wires = _Wires(netlist, table, inside)
    found = open_if_plain(netlist, table)
    if found is None:
        wires.connect()
        wires.join()
        wires.expose()
        found = wires.open_ports()
    unmet = [port for port in found if port in wires.unmet]
    loose = [port for port in found if port not in wires.unmet]
    pins = _open_pins(netlist, table, wires, inside)
    warnings = [pins] if pins else []
    for ports in (unmet, loose):
        if not ports:
            continue
        message = _about_unmet(unmet, wires.unmet, inside) if ports is unmet else _about_open(loose, inside)
        first = ports[0][0]
        mark = netlist.instances[first].mark or netlist.mark("instances", base_name(first))
        if strict:
            raise NetlistError(message, mark)
        warnings.append(f"{mark}: {message}" if mark else message)
    return warnings


def _about_open(ports: list[PortRef], inside: str) -> str:
    names = [f"'{name},{port}'" for name, port in ports]
    if len(names) == 1:
        message = f"inner port {names[0]}{inside} is left open and counts as matched: connect it, "
        return message + "expose it under 'ports' or list it under 'terminate'."
    message = f"{len(names)} inner ports{inside} are left open and count as matched: {listing(names)}; "
    return message + "connect them, expose them under 'ports' or list them under 'terminate'."


def _about_unmet(ports: list[PortRef], meets: Mapping[PortRef, PortRef], inside: str) -> str:
    names = [
        f"mode {mode_of(port)} of '{name},{port_places([port])[0]}' at '{','.join(meets[name, port])}'"
        for name, port in ports
    ]
    start = f"{names[0]}{inside} meets a part without it and counts as matched"
    if len(names) > 1:
        start = f"{len(names)} modes{inside} meet parts without them and count as matched: {listing(names)}"
    return f"{start}; if that is meant, list '{','.join(ports[0])}' under 'terminate'."


def _a(domain: str) -> str:
    return f"an {domain}" if domain == "electrical" else f"a {domain}"

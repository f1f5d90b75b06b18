"""A quick look at the connections of a netlist, which are many and mostly right."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photosim.model import Netlist, PortRef
    from photosim.netlist.ports import Ports, PortTable


def open_if_plain(netlist: Netlist, table: PortTable) -> list[PortRef] | None:
    """Return the optical ports without any use, in the order of the instances; None to look at each use.

    None is for all that is not plain: nets, ports of metal, of many modes or waves, and whatever is wrong.
    """
    found = None if netlist.nets else _numbered(netlist, table)
    if found is None:
        return None
    number, starts, places = found
    used = bytearray(starts.pop())
    try:
        for (a, port_a), (b, port_b) in netlist.connections:
            one, other = number[a], number[b]
            left, right = starts[one] + places[one][port_a], starts[other] + places[other][port_b]
            if left == right or used[left] or used[right]:
                return None
            used[left] = used[right] = 1
        for name, port in (*netlist.ports.values(), *netlist.terminate):
            place = starts[number[name]] + places[number[name]][port]
            if used[place]:
                return None
            used[place] = 1
    except KeyError:
        return None
    if all(used):
        return []
    every = ((name, port) for name in netlist.instances for port in table.of(name).optical)
    return [end for end, use in zip(every, used, strict=True) if not use]


def _numbered(
    netlist: Netlist, table: PortTable
) -> tuple[dict[str, int], array[int], list[dict[str, int]]] | None:
    """Return the number of each instance, its first port with the number of all ports last, and its ports."""
    number: dict[str, int] = {}
    starts, places, count = array("q"), [], 0
    known: dict[int, dict[str, int] | None] = {}
    for name in netlist.instances:
        ports = table.of(name)
        if id(ports) not in known:
            known[id(ports)] = _places(ports)
        of_ports = known[id(ports)]
        if of_ports is None:
            return None
        number[name] = len(starts)
        starts.append(count)
        places.append(of_ports)
        count += len(ports.optical)
    starts.append(count)
    return number, starts, places


def _places(ports: Ports) -> dict[str, int] | None:
    """Return the number of each optical port by all of its names; None where a name may stand for several."""
    if ports.modes or ports.buses:
        return None
    place = {port: k for k, port in enumerate(ports.optical)}
    return {name: place[own] for name, own in ports.canonical.items() if own in place}

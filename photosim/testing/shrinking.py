"""A circuit that breaks a law, made as small as it can be: parts are taken out as long as it still does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from photosim.circuit import Circuit
from photosim.errors import PhotosimError
from photosim.model import Instance, Netlist
from photosim.testing.subjects import quiet_circuit

MOST_TRIALS = 200
"""Smaller circuits that are tried at most."""


def smallest_circuit(circuit: Circuit, breaks: Callable[[Circuit], bool]) -> Circuit:
    """Return the smallest circuit found that `breaks`: parts taken out, then settings at their defaults.

    Ports that lose their partner are exposed. The circuit itself breaks, and is returned where nothing
    smaller does.
    """
    trials = 0

    def smaller(netlist: Netlist) -> Circuit | None:
        nonlocal trials
        trials += 1
        try:
            found = quiet_circuit(netlist)
            return found if found.ports and breaks(found) else None
        except PhotosimError:
            return None

    best, again = circuit, True
    while again and trials < MOST_TRIALS:
        again = False
        for name in list(best.netlist.instances):
            found = smaller(_without(best.netlist, name)) if len(best.netlist.instances) > 1 else None
            if found is not None:
                best, again = found, True
    for name, instance in list(best.netlist.instances.items()):
        for setting in instance.settings:
            if trials >= MOST_TRIALS:
                return best
            best = smaller(_at_default(best.netlist, name, setting)) or best
    return best


def _without(netlist: Netlist, name: str) -> Netlist:
    """Return a netlist without an instance, the ports that it was connected to exposed."""
    ports = {outer: port for outer, port in netlist.ports.items() if port[0] != name}
    kept = []
    nets = [tuple(end for end in net if end[0] != name) for net in netlist.nets]
    for a, b in netlist.connections:
        if name not in (a[0], b[0]):
            kept.append((a, b))
        else:
            ports |= {f"{end[0]}_{end[1]}".replace("@", "_"): end for end in (a, b) if end[0] != name}
    return replace(
        netlist,
        instances={key: own for key, own in netlist.instances.items() if key != name},
        connections=tuple(kept),
        nets=tuple(net for net in nets if len(net) > 1),
        ports=ports,
        terminate=tuple(port for port in netlist.terminate if port[0] != name),
        analyses=(),
    )


def _at_default(netlist: Netlist, name: str, setting: str) -> Netlist:
    """Return a netlist with a setting of an instance left out."""
    own = netlist.instances[name]
    settings = {key: value for key, value in own.settings.items() if key != setting}
    return replace(
        netlist, instances={**netlist.instances, name: Instance(own.component, settings, own.mark)}
    )

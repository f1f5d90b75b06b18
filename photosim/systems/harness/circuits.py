"""Circuits of published systems as netlists have them: which instance is what, meshes of another size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from photosim.circuit import Circuit
from photosim.errors import ParameterError, listing
from photosim.model import Connection, Netlist
from photosim.netlist import read
from photosim.training.devices.mesh.circuit import MESHES, find_mesh


def instance_of(netlist: str, components: Collection[str], what: str) -> str:
    """Return the name of a netlist's only instance of some components; ParameterError unless it has one.

    what: the instance in words, as the message says it.
    """
    found = [name for name, own in read(netlist).instances.items() if own.component in components]
    if len(found) != 1:
        held = f"it has {listing(found)}" if found else "it has none"
        message = f"Netlist {netlist!r} must have one {what} ({' or '.join(components)}): {held}."
        raise ParameterError(message)
    return found[0]


@dataclass(frozen=True)
class Projector:
    """Names of the instances of a projection by a medium; `filter` dims its reference, if there is one."""

    laser: str
    modulator: str
    medium: str
    camera: str
    filter: str | None = None


@lru_cache(maxsize=8)
def projector(netlist: str, modulator: str) -> Projector:
    """Return the names of the laser, the modulator, the medium and the camera of a netlist.

    modulator: its component, `dmd` or `slm`. Raises ParameterError where one is missing or not the only one.
    """
    camera = instance_of(netlist, ("camera",), "camera")
    written = read(netlist)
    behind = [own for wire in written.connections if (own := _other_end(wire, camera, "reference"))]
    dimmed = [own for own in behind if written.instances[own].component == "attenuator"]
    return Projector(
        instance_of(netlist, ("laser",), "laser"),
        instance_of(netlist, (modulator,), "modulator"),
        instance_of(netlist, ("scattering_medium",), "medium"),
        camera,
        dimmed[0] if dimmed else None,
    )


def _other_end(wire: Connection, instance: str, port: str) -> str | None:
    """Return the instance that a connection joins to a port; None for other connections."""
    ends = list(wire)
    if (instance, port) not in ends:
        return None
    return ends[1 - ends.index((instance, port))][0]


@lru_cache(maxsize=16)
def mesh(netlist: str, guides: int, **settings: Any) -> Circuit:
    """Return the circuit of a netlist with a mesh of `guides` guides.

    settings: of the mesh's component. A component is drawn in the size that is wanted; a mesh that is found
    by its structure must have it. Raises ParameterError for a netlist with several meshes or without one, or
    one of another size.
    """
    written = read(netlist)
    found = [name for name, own in written.instances.items() if own.component in MESHES]
    if len(found) > 1:
        message = f"Netlist {netlist!r} must have one mesh, but has {listing(found)}."
        raise ParameterError(message)
    if found:
        return Circuit(_resized(written, found[0], guides, settings))
    circuit = Circuit(netlist)
    size = find_mesh(circuit).guides
    if size != guides or settings:
        wanted = f"settings {listing(settings)}" if size == guides else f"{guides} guides"
        message = (
            f"The mesh of netlist {netlist!r} has {size} guides and is found by its structure, but {wanted} "
            f"are wanted: only a component, such as {MESHES[0]}, can be changed."
        )
        raise ParameterError(message)
    return circuit


def _resized(written: Netlist, name: str, guides: int, settings: dict[str, Any]) -> Netlist:
    """Return the netlist with `guides` guides in the mesh of that name, its free ports exposed."""
    old = written.instances[name]
    instance = replace(old, settings={**old.settings, **settings, "n": guides})
    joined = {end for wire in written.connections for end in wire}
    ports = {port: end for port, end in written.ports.items() if end[0] != name}
    sides = [f"{side}{k}" for side in ("in", "out") for k in range(guides)]
    ports |= {port: (name, port) for port in sides if (name, port) not in joined}
    return replace(
        written,
        instances={**written.instances, name: instance},
        ports=ports,
        terminate=tuple(end for end in written.terminate if end[0] != name),
        analyses=(),
    )

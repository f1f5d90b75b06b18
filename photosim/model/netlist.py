"""The frozen nouns of a circuit as written: instances, connections, exposed ports.

A Netlist is what a file reader and a composite component both produce. It
keeps what the user wrote; checking and flattening are done elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any, TypeAlias

from photosim.arguments import public
from photosim.display import Shown, drawing, table
from photosim.errors import Mark, NetlistError, did_you_mean, listing
from photosim.model.elements import GROUND
from photosim.reals import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photosim.expressions import Expr
    from photosim.model.sampled import SampledData
    from photosim.model.windows import Window

PortRef: TypeAlias = tuple[str, str]
"""(instance name, port name)"""
Connection: TypeAlias = tuple[PortRef, PortRef]
Net: TypeAlias = tuple[PortRef, ...]
"""Electrical members that meet at one voltage; GROUND_MEMBER among them says that it is 0."""
_LONGEST = 40
"""Letters of a setting in a table."""
GROUND_MEMBER: PortRef = ("", GROUND)
"""The member of a net that a netlist writes as gnd."""
Value: TypeAlias = "float | int | bool | str | complex | NDArray[np.float64] | Expr | SampledData | None"
"""What a setting can be: a number, an array of a batch, a choice by name, an expression, or a table."""


@public(types=False)
@dataclass(frozen=True, slots=True)
class Instance:
    """One named use of a component in a circuit: the component, its settings, and its place in the file.

    windows: of a design kit, in addition to those of the component.  mark: place in the file.
    """

    component: str
    settings: Mapping[str, Any] = field(default_factory=dict)  # each a Value
    mark: Mark | None = field(default=None, compare=False)
    windows: tuple[Window, ...] = ()


@public(types=False)
@dataclass(frozen=True)
class Placement:
    """Place of an instance in a layout: its drawing is mirrored at the x axis, rotated, and then moved.

    x, y: of its origin in um.  rotation: in degrees, counterclockwise.  mirror: whether the sign of y
    changes.
    """

    x: float
    y: float
    rotation: float = 0.0
    mirror: bool = False


@public(types=False)
@dataclass(frozen=True)
class Netlist(Shown):
    """A circuit as data.

    `ports` exposes ports of instances under a name. `nets` are electrical nets of any number of members.
    `settings` are numbers or expressions that instance settings may use by name. `components` holds
    sub-netlists that instances may name as their component. `specification` lists
    the circuit's requirements, an entry for each quantity. `marks` maps a
    path of keys, such as ("instances", "ring", "settings", "radius"), to its
    place in the file. `folder` is where the file lies, below which the files that
    it names are found; the working folder if it is None. `remarks` are what a reader
    changed, `layout` what it left out, `hidden` ports of metal that are not exposed; `drawn`
    says that a layout tool wrote the file, and `placements` where it put the instances.

    connections: pairs of ports that are joined.  terminate: ports that are left open on purpose.  analyses:
    entries of the analyses, as written.  chip: entry of the chip in the loop, None for none.
    """

    instances: Mapping[str, Instance]
    connections: tuple[Connection, ...] = ()
    ports: Mapping[str, PortRef] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    terminate: tuple[PortRef, ...] = ()
    components: Mapping[str, Netlist] = field(default_factory=dict)
    name: str = "circuit"
    analyses: tuple[Mapping[str, Any], ...] = ()
    specification: tuple[Mapping[str, Any], ...] = ()
    chip: Mapping[str, Any] | None = None
    marks: Mapping[tuple[str, ...], Mark] = field(default_factory=dict, compare=False, repr=False)
    folder: Path | None = field(default=None, compare=False, repr=False)
    remarks: tuple[str, ...] = field(default=(), compare=False, repr=False)
    layout: tuple[str, ...] = field(default=(), compare=False, repr=False)
    hidden: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    drawn: bool = field(default=False, compare=False, repr=False)
    placements: Mapping[str, Placement] = field(default_factory=dict, compare=False, repr=False)
    nets: tuple[Net, ...] = ()

    def __repr__(self) -> str:
        """Say what the netlist has, in one line."""
        counts = {"instance": len(self.instances), "connection": len(self.connections)}
        sizes = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items())
        return f"Netlist({self.name!r}: {sizes}, ports {listing(self.ports)})"

    def html_blocks(self) -> Iterator[str]:
        """Yield the HTML that a notebook displays: the drawing, and the instances with their settings."""
        yield drawing(self)
        rows = [
            (
                name,
                one.component,
                ", ".join(f"{key}: {_written(value)}" for key, value in one.settings.items()),
            )
            for name, one in self.instances.items()
        ]
        yield table(("instance", "component", "settings"), rows, f"Netlist {self.name!r}")

    def mark(self, *path: str) -> Mark | None:
        """Return the place of the longest known prefix of a path of keys."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.marks:
                return self.marks[path[:length]]
        return None


def _written(value: Any) -> str:
    """Return a setting as a table shows it: a list by its length."""
    text = f"{len(value)} values" if hasattr(value, "shape") and value.shape else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


@public
def part(component: str, **settings: Value) -> Instance:
    """Return an instance of a component; settings that are None keep their defaults.

    >>> import photosim as ps
    >>> ring = ps.part("ring_single", radius=10.0, coupling=0.02)
    >>> netlist = ps.Netlist({"ring": ring}, ports={"in": ps.ref("ring,o1"), "out": ps.ref("ring,o2")})
    >>> ps.Circuit(netlist).ports
    ('in', 'out')
    """
    return Instance(component, {name: value for name, value in settings.items() if value is not None})


@public
def ref(text: str) -> PortRef:
    """Return the pair (instance, port) of a text "instance,port".

    text: instance and port with a comma between them, as in ring,o1.

    Raises NetlistError for another form.

    >>> import photosim as ps
    >>> ps.ref("ring,o1")
    ('ring', 'o1')
    """
    instance, comma, port = text.rpartition(",")
    if not comma or not instance.strip() or not port.strip():
        message = f"{text!r} does not name a port: write instance,port, as in ring,o1."
        raise NetlistError(message)
    return intern(instance.strip()), intern(port.strip())  # the same few names, again and again


@public
def links(*texts: str) -> tuple[Connection, ...]:
    """Return the connections of texts such as "a,o2:b,o1".

    texts: connections, each as instance,port:instance,port.

    >>> import photosim as ps
    >>> ps.links("a,o2:b,o1")
    ((('a', 'o2'), ('b', 'o1')),)
    """
    pairs = []
    written: tuple[Any, ...] = texts
    for text in written:
        if not isinstance(text, str):
            message = f"{shown(text)} does not connect two ports: write a,o2:b,o1."
            raise NetlistError(message)
        left, colon, right = text.partition(":")
        if not colon:
            message = f"{text!r} does not connect two ports: write a,o2:b,o1."
            raise NetlistError(message)
        pairs.append((ref(left), ref(right)))
    return tuple(pairs)


@public
def net(*members: str) -> Net:
    """Return the electrical net of its members: texts such as "a,e1", or "gnd" for the node at 0 V."""
    return tuple(member(text) for text in members)


def member(text: Any) -> PortRef:
    """Return the (instance, port) of a member of a net, GROUND_MEMBER for gnd; else NetlistError."""
    if not isinstance(text, str):
        message = f"{shown(text)} is not a member of a net: write instance,port, as in r1,e1, or gnd."
        raise NetlistError(message)
    if "," in text:
        return ref(text)
    if text.strip() == GROUND:
        return GROUND_MEMBER
    message = f"{text!r} is not a member of a net: write instance,port, as in r1,e1, or gnd."
    raise NetlistError(message + did_you_mean(text, [GROUND]))


def shown_member(end: PortRef) -> str:
    """Return a member of a net as a netlist writes it."""
    return GROUND if end == GROUND_MEMBER else ",".join(end)

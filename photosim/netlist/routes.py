"""Routes of a layout: each link is a guide of the length that the file says, or a join.

gdsfactory writes {routes: {name: {links: {'a,o2': 'b,o1'}, settings: ..., info: {length: 12.3}}}}, and
`bundles` in older files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from photosim.errors import NetlistError, listing
from photosim.model import Instance
from photosim.netlist.arrays import check_name
from photosim.reals import NotReal, as_real, shown

if TYPE_CHECKING:
    from photosim.model import PortRef
    from photosim.model.netlist import Connection

SECTIONS = ("routes", "bundles")
_GUIDE = "straight"


class Link(NamedTuple):
    """One link of a route: its two ends as written, and its length in um where the file has one."""

    route: str
    number: int
    start: str
    end: str
    length: float | None

    def instance(self) -> Instance:
        """Return the guide that stands for the link."""
        return Instance(_GUIDE, {"length": self.length})


class Wires:
    """The wires that a section of routes makes, and in `warnings` what a reader should know of them.

    used: ends that are connected or exposed already; a link between such is the layout of that connection.
    port: reads an end; None for one of metal.
    """

    def __init__(
        self, section: str, written: Any, used: set[PortRef], port: Callable[[str], PortRef | None]
    ) -> None:
        self.section, self.written, self.used, self.port = section, written, used, port
        self.warnings: list[str] = []

    def connect(self, instances: dict[str, Instance]) -> list[Connection]:
        """Add the guides of links to the instances; return the connections."""
        found: list[Connection] = []
        joined: list[str] = []
        links = list(links_of(self.written))
        for link in links:
            start, end = self.port(link.start), self.port(link.end)
            if start is None or end is None or start in self.used or end in self.used:
                continue
            self.used |= {start, end}
            if link.length is None:
                joined.append(f"{link.start} to {link.end}")
                found.append((start, end))
                continue
            name = link.route if link.route not in instances else f"{link.route}_{link.number}"
            check_name(name)
            instances[name] = link.instance()
            found += [(start, (name, "o1")), ((name, "o2"), end)]
        if joined:
            self.warnings.append(
                f"{self.section!r} has no length for {listing(joined)}: the ports are joined with no "
                "waveguide between them; write info: {length: ...} next to `links`."
            )
        if not links and isinstance(self.written, Mapping | list) and self.written:
            self.warnings.append(
                f"{self.section!r} is layout and not simulated: a guide that matters belongs under "
                "'instances', its ends under 'connections'."
            )
        return found


def links_of(written: Any) -> Iterator[Link]:
    """Yield the links of a section of routes; none for what has another form."""
    if not isinstance(written, Mapping):
        return
    for name, route in written.items():
        links = route.get("links") if isinstance(route, Mapping) else None
        if not isinstance(links, Mapping):
            continue
        for number, (start, end) in enumerate(links.items()):
            if isinstance(start, str) and isinstance(end, str):
                yield Link(str(name), number, start, end, _length(route, start, f"route {name!r}"))


def _length(route: Mapping[str, Any], start: str, where: str) -> float | None:
    """Return the length in um of the link that starts at a port: of the route, its info or its settings.

    None where the file has no length. Raises NetlistError for one that is not a length.
    """
    for place in (route, route.get("info"), route.get("settings")):
        found = place.get("length") if isinstance(place, Mapping) else None
        if isinstance(found, Mapping):
            found = found.get(start)
        if found is None:
            continue
        try:
            length = as_real(found)
        except NotReal as error:
            raise NetlistError(f"{where}: the length of {start} must be a number in um, {error}") from None
        if isinstance(length, float) and 0.0 <= length < float("inf"):
            return length
        raise NetlistError(f"{where}: the length of {start} must be 0 um or more, got {shown(found)}")
    return None

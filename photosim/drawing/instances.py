"""The boxes of the instances of a netlist: sides of their ports, symbols, labels and tooltips."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import port_places
from photosim.drawing.boxes import Box, body_box, label_lines, symbol_box
from photosim.drawing.catalogue import ENTERING, symbols_of
from photosim.drawing.symbols import symbol
from photosim.expressions import Expr
from photosim.model import Block, Electronic, Netlist, Network, registry
from photosim.model.sampled import FileTable, SampledData
from photosim.netlist.values import evaluate, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from photosim.model import Instance, Model

_MOST_SETTINGS = 2
_SCALED = frozenset({"Hz", "W", "A", "V", "s", "ohm", "F", "H"})
_PREFIXES = ("f", "p", "n", "u", "m", "", "k", "M", "G", "T")
_MOST_WRITTEN = 2
_MOST_FACING = 8
"""Ports of a table of S-parameters up to which its sides are found by the light between them."""
_NUMBERED = re.compile(r"(?P<stem>[A-Za-z]+)(?P<number>\d+)")
_INPUT_NAME = re.compile(r"(in|add)(?![a-z])")
_WIDTHS = {-1: ("pixels", "inputs", "side"), 1: ("pixels", "nodes", "outputs", "inputs", "side")}
"""Settings that say how many waves a bus of free space carries, on the left and on the right."""


@dataclass(frozen=True)
class Ports:
    """Ports of an instance by side, from top to bottom, and the domain of each."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    electrical_left: tuple[str, ...]
    electrical_right: tuple[str, ...]
    domains: Mapping[str, str]

    def without(self, hidden: frozenset[str]) -> Ports:
        """Return the ports but for some."""
        sides = (self.left, self.right, self.electrical_left, self.electrical_right)
        kept = [tuple(port for port in side if port not in hidden) for side in sides]
        return Ports(kept[0], kept[1], kept[2], kept[3], self.domains)


def evaluated(netlist: Netlist) -> dict[str, Instance]:
    """Return the instances with expressions worked out: a reader wants the radius, not its formula.

    Expressions of what other parts hold, as the heat of neighbours, stay: they have a value in a simulation.
    """
    numbers = resolve(netlist.settings)

    def number(key: str, value: Any) -> Any:
        known = not isinstance(value, Expr) or set(value.names) <= numbers.keys()
        return evaluate(value, numbers, key) if known else value

    return {
        name: replace(found, settings={key: number(key, value) for key, value in found.settings.items()})
        for name, found in netlist.instances.items()
    }


class Names:
    """Gives the port that a name or an alias of a port of an instance means; its modes are one port here."""

    def __init__(self, netlist: Netlist) -> None:
        self._netlist = netlist
        self._known: dict[str, dict[str, str]] = {}

    def __call__(self, end: tuple[str, str]) -> str:
        """Return the port; ParameterError for one that the instance does not have."""
        name, port = end
        found = self._netlist.instances[name]
        if found.component in self._netlist.components:
            return port_places([port])[0]
        model = registry.get(found.component)
        if name not in self._known:
            # Composites build their circuit to answer: once for each instance.
            ports = (*model.ports_for(found.settings), *model.electrical_for(found.settings))
            self._known[name] = {**model.aliases_for(found.settings), **{own: own for own in ports}}
        own = self._known[name].get(port) or model.port(port, found.settings, f"instance {name!r}")
        return port_places([own])[0]


def box_of(
    name: str, instance: Instance, netlist: Netlist, detail: int,
    hidden: frozenset[str] = frozenset(), wired: AbstractSet[tuple[str, str]] | None = None,
) -> Box:  # fmt: skip
    """Return the box of an instance with evaluated settings, without the `hidden` ports.

    wired: connected ports; many electrical outputs that are not are left out, and counted in the label.

    detail: 0 for name, component and settings, 1 for name and component, 2 for the name, 3 for none.
    """
    own = instance.component not in netlist.components
    model = registry.get(instance.component) if own else None
    ports = _ports(model, instance) if model else _ports_of_netlist(netlist.components[instance.component])
    units = {parameter.name: parameter.unit for parameter in model.parameters.values()} if model else {}
    kind = model.kind if model else "netlist"
    unread = [p for p in ports.electrical_right if wired is not None and (name, p) not in wired]
    if isinstance(model, Network) and wired is not None:  # a source that nothing drives
        hidden = hidden | {p for p in model.drives if (name, p) not in wired}
    lines = _lines(name, instance, units, own=own)
    if len(unread) > _MOST_WRITTEN:
        hidden = hidden | set(unread)
        lines = (*lines, f"{len(unread)} outputs {unread[0]} ... {unread[-1]}")
    ports = ports.without(hidden)
    drawn = symbols_of(instance.component, kind) if own else ()
    more: dict[str, Any] = {
        "notes": _notes(name, instance, units), "component": instance.component,
        "domain": _domain(model, ports),
    }  # fmt: skip
    box = None
    for symbol_name in drawn:
        sides = (ports.left, ports.right, ports.electrical_left, ports.electrical_right)
        shown = label_lines(lines[: (99, 2, 1, 0)[detail]])
        box = box or symbol_box(name, symbol(symbol_name), sides, ports.domains, lines=shown, **more)
    if box is None:
        inside = "group" if kind in {"composite", "netlist"} else "body"
        left = (*ports.left, *ports.electrical_left)
        right = (*ports.right, *ports.electrical_right)
        box = body_box(name, inside, left, right, ports.domains, lines[: (99, 2, 2, 1)[detail]], **more)
        if isinstance(model, Network):  # pins of a deck have names of their own
            pairs = list(model.aliases_for(instance.settings).items())
            labels = {pin: other for other, pin in reversed(pairs)}
            box = replace(box, labelled={pin: labels.get(pin, pin) for pin in box.pins})
    elif detail == 0 and box.component != "camera":
        aliases = model.aliases_for(instance.settings) if model else {}
        named = {
            port: alias for alias, port in aliases.items() if not alias[-1].isdigit() and "@" not in alias
        }
        box = replace(
            box,
            labelled={
                port: named.get(port, port)
                for side in (ports.left, ports.right)
                if len(side) > 1
                for port in side
            },
        )
    return _with_widths(box, model, instance)


def returning(box: Box, instance: Instance, netlist: Netlist) -> frozenset[str]:
    """Return the ports of a box at which light leaves on the side that it came from: drop ports of rings."""
    if box.symbol is None or not box.symbol.returns or instance.component in netlist.components:
        return frozenset()
    aliases = registry.get(instance.component).aliases_for(instance.settings)
    return frozenset(aliases[alias] for alias in box.symbol.returns if alias in aliases)


def _with_widths(box: Box, model: Model | None, instance: Instance) -> Box:
    if not isinstance(model, Block):
        return box
    full = model.full(instance.settings)

    def waves(heading: int) -> int:
        found = next((key for key in _WIDTHS[heading] if full.get(key)), None)
        count = int(full[found]) if found else 0
        return count * count if found == "side" else count

    pins = {
        name: replace(pin, waves=waves(pin.heading)) if pin.domain == "free space" else pin
        for name, pin in box.pins.items()
    }
    return replace(box, pins=pins)


def _domain(model: Model | None, ports: Ports) -> str:
    if isinstance(model, Block):
        return "free space"
    return "light" if ports.left or ports.right or model is None else "electricity"


def _ports(model: Model, instance: Instance) -> Ports:
    settings = instance.settings
    optical = port_places(model.ports_for(settings))
    electrical = model.electrical_for(settings)
    aliases = {alias: port for alias, port in model.aliases_for(settings).items() if port in optical}
    left, right = _sides(optical, aliases, model.kind)
    table = settings.get("file")
    if isinstance(table, SampledData) and optical == table.ports:
        left, right = _sides_of_table(table)
    entering = {*model.drives, *(model.inputs if isinstance(model, Electronic) else ())}
    pins = [port for port in electrical if model.domain_of(port, settings)]
    if model.name in ENTERING:
        entering |= set(ENTERING[model.name])
    elif not isinstance(model, Network):
        entering |= set(pins) if right else set()  # of a modulator or laser; those of a detector leave it
    else:
        half = (
            0
            if {*electrical} - {*pins} - set(model.reads)
            else len(pins)
            if model.reads
            else (len(pins) + 1) // 2
        )
        entering |= set(pins[:half])
    buses = model.buses if isinstance(model, Block) else ()
    domains = {port: "free space" if port in buses else "light" for port in optical}
    domains |= {
        port: "heat" if model.domain_of(port, settings) == "thermal" else "electricity" for port in electrical
    }
    return Ports(
        left,
        right,
        tuple(p for p in electrical if p in entering),
        tuple(p for p in electrical if p not in entering),
        domains,
    )


def _ports_of_netlist(inner: Netlist) -> Ports:
    """Return the ports of a sub-netlist: those named as inputs on the left."""
    domains = {}
    for outer, (name, port) in inner.ports.items():
        found = inner.instances[name]
        if found.component in inner.components:
            domains[outer] = _ports_of_netlist(inner.components[found.component]).domains.get(port, "light")
        else:
            model = registry.get(found.component)
            own = port_places([model.port(port, found.settings, f"instance {name!r}")])[0]
            domains[outer] = _ports(model, found).domains[own]
    places = port_places(inner.ports)
    domains = {
        place: domains.get(place, domains.get(name, "light"))
        for place in places
        for name in inner.ports
        if port_places([name])[0] == place
    }
    left, right = _split_by_name(places)
    return Ports(left, right, (), (), domains)


def _sides(
    ports: tuple[str, ...], aliases: Mapping[str, str], kind: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (left, right), each from top to bottom.

    Ports are numbered clockwise from the lower left; more than two on a side stand by number from the top.
    """
    if kind == "source":
        return (), ports
    if kind == "detector":
        return ports if len(ports) > _MOST_WRITTEN else ports[::-1], ()
    left = [port for port in ports if any(_is_input(alias) for alias, p in aliases.items() if p == port)]
    if not left and not aliases:
        return _split_by_name(ports)
    right = [port for port in ports if port not in left]
    if max(len(left), len(right)) > _MOST_WRITTEN:
        return tuple(left), tuple(right[::-1])
    return tuple(left[::-1]), tuple(right)


def _sides_of_table(table: SampledData) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (left, right) of a table, from top to bottom: most light passes from side to side.

    The first port is on the left; of equal choices the one of lower port numbers is taken.
    """
    ports = table.ports
    if not 2 < len(ports) <= _MOST_FACING:
        return _split_by_name(ports)
    power = np.mean(np.abs(table.s) ** 2, axis=0)
    power += power.T
    best, kept = -1.0, {0}
    for size in range(len(ports) - 1):
        for others in combinations(range(1, len(ports)), size):
            left = [0, *others]
            right = [k for k in range(len(ports)) if k not in left]
            passed = float(power[np.ix_(left, right)].sum())
            if passed > best + 1e-3:
                best, kept = passed, set(left)
    return (
        tuple(port for k, port in enumerate(ports) if k in kept)[::-1],
        tuple(port for k, port in enumerate(ports) if k not in kept),
    )


def _is_input(alias: str) -> bool:
    return alias == "in" or (alias.startswith("in") and alias[2:].isdigit())


def _split_by_name(ports: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Put ports named in.. or add.. left; where no name says, the lower half of the numbers."""
    left = [port for port in ports if _INPUT_NAME.match(port)]
    if left and len(left) < len(ports):
        return tuple(left), tuple(port for port in ports if port not in left)
    numbered = all(_NUMBERED.fullmatch(port) for port in ports)
    half = (len(ports) + 1) // 2
    return (ports[:half][::-1] if numbered else ports[:half]), ports[half:]


def _lines(name: str, instance: Instance, units: Mapping[str, str], *, own: bool) -> tuple[str, ...]:
    shown = [
        f"{setting} {_value(value, units.get(setting, ''))}"
        for setting, value in instance.settings.items()
        if value is not None and (not own or setting in units)
    ]
    more = len(shown) - _MOST_SETTINGS
    if more > 1:
        shown = [*shown[:_MOST_SETTINGS], f"and {more} more"]
    # The symbol says the component; a name that says it too is enough.
    same = name.partition("<")[0].rstrip("0123456789_") == instance.component
    return (name, *(() if same else (instance.component,)), *shown)


def _notes(name: str, instance: Instance, units: Mapping[str, str]) -> str:
    settings = [
        f"{key} = {_value(value, units.get(key, ''), 200)}" for key, value in instance.settings.items()
    ]
    return "\n".join((f"{name}: {instance.component}", *settings))


def _value(value: Any, unit: str, longest: int = 22) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        text, unit = str(value).lower() if isinstance(value, bool) else str(value), ""
    elif isinstance(value, FileTable):
        text, unit = value.name, ""
    elif isinstance(value, Expr):
        text, unit = "by other parts" if len(str(value)) > longest else str(value), ""
    elif np.ndim(value):
        text = f"{np.size(value)} values"
    elif unit in _SCALED and value:
        power = min(max(math.floor(math.log10(abs(value)) / 3.0), -5), 4)
        text, unit = f"{value / 1000.0**power:.4g}", f"{_PREFIXES[power + 5]}{unit}"
    else:
        text = f"{value:.6g}"
    if len(text) > longest:
        text = f"{text[: longest - 3]}..."
    # Plain numbers have the unit "1", names of choices "-": nobody writes them.
    return text if unit in {"", "1", "-"} else f"{text} {unit}"

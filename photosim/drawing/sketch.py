"""From a netlist to boxes and wires: composites opened, arrays folded, nets joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from photosim.conventions import port_places
from photosim.drawing.boxes import Box, junction_box, terminal_box
from photosim.drawing.flow import Pair, PortRef, columns_of, turn
from photosim.drawing.folding import bundles, folds, wired_ports
from photosim.drawing.frames import frame
from photosim.drawing.instances import Names, box_of, evaluated, returning
from photosim.drawing.layout import Layout, Wire, arrange
from photosim.drawing.rings import ring_boxes
from photosim.drawing.style import Style
from photosim.model import GROUND_MEMBER, Composite, Netlist, registry

if TYPE_CHECKING:
    from photosim.model import Instance

_INPUTS = ("in", "add")
_INSET = 60.0
"""How much narrower than the page what is inside of a frame is, in px."""


@dataclass
class Sketch:
    """Boxes of one level and what joins them; `where` gives the pin of a port of an instance."""

    boxes: dict[str, Box] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    nets: list[tuple[list[PortRef], tuple[PortRef, ...], str]] = field(default_factory=list)
    """Pins of a net of three or more, the ports that they are, and the domain."""
    exposed: dict[str, tuple[PortRef, PortRef]] = field(default_factory=dict)
    """By port: its pin, and the port of an instance that it is."""
    loose: dict[PortRef, str] = field(default_factory=dict)
    returning: dict[str, frozenset[str]] = field(default_factory=dict)
    moved: dict[PortRef, PortRef] = field(default_factory=dict)
    """Pins that have become those of a chain of rings."""
    ports_of: dict[str, tuple[str, ...]] = field(default_factory=dict)


def inner_netlist(instance: Instance, netlist: Netlist) -> Netlist | None:
    """Return the circuit inside of an instance with evaluated settings; None for one that has none."""
    if instance.component in netlist.components:
        inner = netlist.components[instance.component]
        return replace(
            inner,
            settings={**inner.settings, **instance.settings},
            components={**netlist.components, **inner.components},
        )
    model = registry.get(instance.component)
    return model.build(model.read(instance.settings)) if isinstance(model, Composite) else None


def lay_out_level(netlist: Netlist, style: Style, prefix: str = "", path: str = "") -> Layout:
    """Return the layout of a netlist at `path`; `prefix` stands before the names of its instances."""
    sketch = _sketch(netlist, style, prefix)
    cliques: list[Pair] = [wire.pins for wire in sketch.wires]
    for pins, _, _ in sketch.nets:
        cliques += [(pins[0], pin) for pin in pins[1:]]
    starts = _starts(sketch)
    boxes = turn(sketch.boxes, cliques, starts, sketch.returning)
    wires = list(sketch.wires)
    for number, (pins, ends, domain) in enumerate(sketch.nets):
        name = f"net {prefix}{number}"
        boxes[name] = junction_box(
            name, {f"{k}": -boxes[box].pins[pin].heading for k, (box, pin) in enumerate(pins)}, domain
        )
        wires += [
            Wire(((box, pin), (name, f"{k}")), (end, *ends), domain, 1)
            for k, ((box, pin), end) in enumerate(zip(pins, ends, strict=True))
        ]
    columns = {name: column + 1 for name, column in columns_of(boxes, [wire.pins for wire in wires]).items()}
    last = max(columns.values(), default=0) + 1
    terminals: dict[str, Box] = {}
    for port, ((name, pin), end) in _by_place(sketch.exposed, boxes):
        own = boxes[name].pins[pin]
        terminal = f"port {port}"
        terminals[terminal] = terminal_box(terminal, port, -own.heading, own.domain)
        far = own.heading > 0 or path or port.startswith(_INPUTS)
        columns[terminal] = (last if own.heading > 0 else 0) if far else columns[name] - 1
        wires.append(Wire(((terminal, port), (name, pin)), (("", port), end), own.domain, own.waves))
    wires = [_with_waves(wire, boxes, terminals) for wire in wires]
    columns = _closed_up(columns)
    return arrange({**boxes, **terminals}, wires, columns, sketch.loose, style)


def _by_place(
    exposed: Mapping[str, tuple[PortRef, PortRef]], boxes: Mapping[str, Box]
) -> list[tuple[str, tuple[PortRef, PortRef]]]:
    """Return exposed ports from top to bottom: numbered ones as they are, others by their pins."""
    order = list(boxes)

    def height(item: tuple[str, tuple[PortRef, PortRef]]) -> tuple[int, float]:
        port, ((name, pin), _) = item
        return (0, 0.0) if port[-1:].isdigit() else (order.index(name) + 1, boxes[name].pins[pin].y)

    return sorted(exposed.items(), key=height)


def _closed_up(columns: dict[str, int]) -> dict[str, int]:
    """Return columns numbered anew, so that none is empty."""
    used = {column: k for k, column in enumerate(sorted(set(columns.values())))}
    return {name: used[column] for name, column in columns.items()}


def _with_waves(wire: Wire, boxes: Mapping[str, Box], terminals: Mapping[str, Box]) -> Wire:
    pins = [box.pins[pin] for name, pin in wire.pins for box in [boxes.get(name) or terminals[name]]]
    if any(pin.domain == "free space" and pin.waves != 1 for pin in pins):
        return replace(
            wire, domain="free space", waves=min((pin.waves for pin in pins if pin.waves > 1), default=0)
        )
    return wire


def _starts(sketch: Sketch) -> list[PortRef]:
    """Return the pins where light begins: exposed ports named as inputs, else the first; and the sources."""
    named = [pin for port, (pin, _) in sketch.exposed.items() if port.startswith(_INPUTS)]
    sources = [
        (name, box.right[0])
        for name, box in sketch.boxes.items()
        if box.right and not box.left and box.kind != "frame" and box.pins[box.right[0]].domain == "light"
    ]
    return [*(named or ([] if sources else [pin for pin, _ in sketch.exposed.values()][:1])), *sources]


def _sketch(netlist: Netlist, style: Style, prefix: str) -> Sketch:
    sketch = Sketch()
    instances = evaluated(netlist)
    groups = folds(netlist, style.fold)
    names = Names(netlist)
    bundled = bundles(netlist, groups, names)
    wired = wired_ports(netlist, names)
    for name, instance in instances.items():
        if groups.leader(name) != name:
            continue
        members = groups.members(name)
        box = _open(name, instance, netlist, style, prefix, names)
        if box is None:
            hidden = bundled.hidden(name)
            box = box_of(name, instance, netlist, style.detail, hidden, wired | {(name, p) for p in hidden})
        if len(members) > 1:
            full = tuple(prefix + member for member in members)
            box = replace(box, count=len(members), members=full, lines=(groups.title(name), *box.lines[1:]))
        sketch.boxes[name] = box
        sketch.ports_of[name] = tuple(box.pins)
        sketch.returning[name] = returning(box, instance, netlist)

    def here(end: PortRef) -> PortRef:
        name = groups.leader(end[0])
        return bundled.pin(sketch.boxes[name], (name, names(end)))

    def full_name(end: PortRef) -> PortRef:
        return prefix + end[0], names(end)

    _join(sketch, netlist, here, full_name)
    ring_boxes(sketch)
    _note_loose(sketch, netlist, lambda end: sketch.moved.get(here(end), here(end)))
    return sketch


def _join(
    sketch: Sketch, netlist: Netlist, here: Callable[[PortRef], PortRef], full: Callable[[PortRef], PortRef]
) -> None:
    """Note wires, nets and exposed ports; those of folded arrays become one, as wide as they were many."""
    pairs_of: dict[Pair, list[Pair]] = {}
    for a, b in netlist.connections:
        if here(a)[0] == here(b)[0] and a[0] != b[0]:
            continue  # inside of a folded array
        pairs_of.setdefault((here(a), here(b)), []).append((full(a), full(b)))
    for wire, pairs in pairs_of.items():
        (box, port), _ = wire
        sketch.wires.append(Wire(wire, pairs[0], sketch.boxes[box].pins[port].domain, len(pairs)))
    for net in netlist.nets:
        members = [end for end in net if end != GROUND_MEMBER]
        pins_of = list(dict.fromkeys(here(end) for end in members))
        ends = tuple(full(end) for end in members)
        domain = sketch.boxes[pins_of[0][0]].pins[pins_of[0][1]].domain if pins_of else "electricity"
        if len(members) < len(net):
            sketch.loose |= dict.fromkeys(pins_of, "ground")
        elif len(pins_of) == 2:
            sketch.wires.append(Wire((pins_of[0], pins_of[1]), ends, domain))
        elif len(pins_of) > 1:
            sketch.nets.append((pins_of, ends[: len(pins_of)], domain))
    taken: set[PortRef] = set()
    for port in netlist.ports:
        end = netlist.ports[port]
        pin = here(end)
        place = port_places([port])[0]
        if pin not in taken:
            taken.add(pin)
            sketch.exposed[place] = (pin, full(end))


def _open(
    name: str, instance: Instance, netlist: Netlist, style: Style, prefix: str, names: Names
) -> Box | None:
    """Return the frame of an instance that is to be opened, with its circuit inside; else None."""
    path = prefix + name
    asked = [wanted for wanted in style.expand if wanted == path or wanted.startswith(f"{path}.")]
    if style.depth < 1 and not asked:
        return None
    inner = inner_netlist(instance, netlist)
    if inner is None:
        return None
    below = replace(style, depth=max(style.depth - 1, 0), page=style.page - _INSET)
    layout = lay_out_level(inner, below, f"{path}.", path)
    outside = box_of(name, instance, netlist, 1)
    return frame(outside, layout, lambda port: names((name, port)))


def _note_loose(sketch: Sketch, netlist: Netlist, here: Callable[[PortRef], PortRef]) -> None:
    """Note what pins without a wire are: terminated, or open."""
    joined = {pin for wire in sketch.wires for pin in wire.pins} | {
        pin for pins, _, _ in sketch.nets for pin in pins
    }
    joined |= {pin for pin, _ in sketch.exposed.values()} | set(sketch.loose)
    terminated = {here(end) for end in netlist.terminate}
    for name, box in sketch.boxes.items():
        for port, pin in box.pins.items():
            # An electrical output that nobody reads is not an open end.
            if (name, port) not in joined and pin.domain in {"light", "free space"}:
                sketch.loose[name, port] = "terminated" if (name, port) in terminated else "open"

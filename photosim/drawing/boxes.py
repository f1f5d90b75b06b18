"""What a schematic shows of each part: its box, with ports left and right, a label and key settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import port_places
from photosim.model import registry
from photosim.model.kinds import Electronic
from photosim.netlist.values import evaluate, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.model import Instance, Netlist

PITCH = 22.0
LINE = 14.0
_PADDING = 11.0
_MOST_SETTINGS = 3
_NUMBERED = re.compile(r"(?P<stem>[A-Za-z]+)(?P<number>\d+)")
_INPUT_NAME = re.compile(r"(in|add)(?![a-z])")


@dataclass(frozen=True)
class Box:
    """A part as drawn: ports from top to bottom on either side, text lines in the middle.

    kind: "part", "source", "detector", "numerical", "group" (something with a circuit inside) or
    "terminal" (an exposed port). notes: all settings, for the tooltip.
    """

    name: str
    kind: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    lines: tuple[str, ...]
    electrical: frozenset[str] = frozenset()
    notes: str = ""

    def flipped(self) -> Box:
        """Return the mirrored box."""
        return Box(self.name, self.kind, self.right, self.left, self.lines, self.electrical, self.notes)

    @property
    def width(self) -> float:
        """Width in px: room for the text between the port names."""
        text = max(
            (text_width(line, 12.0 if k == 0 else 10.0) for k, line in enumerate(self.lines)), default=0.0
        )
        if self.kind == "terminal":
            return text + 12.0
        ports = sum(
            max((text_width(port, 9.0) for port in side), default=0.0) for side in (self.left, self.right)
        )
        return max(64.0, text + ports + 4.0 * _PADDING)

    @property
    def height(self) -> float:
        """Height in px."""
        if self.kind == "terminal":
            return PITCH
        rows = max(len(self.left), len(self.right), 1)
        return max(rows * PITCH, len(self.lines) * LINE + 2.0 * _PADDING)

    def port_offset(self, port: str) -> float:
        """Distance of a port from the top of the box in px."""
        side = self.left if port in self.left else self.right
        return self.height / 2.0 + (side.index(port) - (len(side) - 1) / 2.0) * PITCH


def text_width(text: str, size: float) -> float:
    """Width in px of `text` set in a common sans-serif of `size` px, a little on the wide side."""
    return sum(0.34 if c in "iljtf.,:;|'()[] I" else 0.86 if c in "mwMW@%" else 0.6 for c in text) * size


def boxes_of(netlist: Netlist) -> dict[str, Box]:
    """Return the box of every instance of the top level of `netlist`."""
    numbers = resolve(netlist.settings)
    return {
        name: _box(name, _evaluated(instance, numbers), netlist)
        for name, instance in netlist.instances.items()
    }


def canonical(netlist: Netlist, instance: str, port: str) -> str:
    """Return the port of an instance that `port`, a name or an alias, means; its modes are one port here."""
    found = netlist.instances[instance]
    if found.component not in netlist.components:
        port = registry.get(found.component).port(port, found.settings, f"instance {instance!r}")
    return port_places([port])[0]


def _evaluated(instance: Instance, numbers: Mapping[str, Any]) -> Instance:
    """Return an instance whose expressions are worked out: a reader wants the radius, not its formula."""
    settings = {key: evaluate(value, numbers, key) for key, value in instance.settings.items()}
    return replace(instance, settings=settings)


def _box(name: str, instance: Instance, netlist: Netlist) -> Box:
    if instance.component in netlist.components:
        inner = netlist.components[instance.component]
        left, right = _split_by_name(port_places(inner.ports))
        return Box(name, "group", left, right, _lines(name, instance, {}), notes=_notes(name, instance, {}))
    model = registry.get(instance.component)
    ports = port_places(model.ports_for(instance.settings))
    aliases = model.aliases_for(instance.settings)
    electrical = model.electrical_for(instance.settings)
    left, right = _sides(ports, aliases, model.kind)
    units = {parameter.name: parameter.unit for parameter in model.parameters.values()}
    kind = {"source": "source", "detector": "detector", "numerical": "numerical", "composite": "group"}
    entering = {*model.drives, *(model.inputs if isinstance(model, Electronic) else ())}
    left = (*left, *(port for port in electrical if port in entering))
    right = (*right, *(port for port in electrical if port not in entering))
    return Box(
        name, kind.get(model.kind, "part"), left, right, _lines(name, instance, units),
        frozenset(electrical), _notes(name, instance, units),
    )  # fmt: skip


def _sides(
    ports: tuple[str, ...], aliases: Mapping[str, str], kind: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (left, right), each from top to bottom: ports are numbered clockwise from the lower left."""
    if kind == "source":
        return (), ports
    if kind == "detector":
        return ports[::-1], ()
    left = [port for port in ports if any(_is_input(alias) for alias, p in aliases.items() if p == port)]
    if not left and not aliases:
        return _split_by_name(ports)
    return tuple(left[::-1]), tuple(port for port in ports if port not in left)


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


def _lines(name: str, instance: Instance, units: Mapping[str, str]) -> tuple[str, ...]:
    shown = [
        f"{setting} {_value(value, units.get(setting, ''))}"
        for setting, value in instance.settings.items()
        if value is not None and (not units or setting in units)
    ]
    more = len(shown) - _MOST_SETTINGS
    if more > 0:
        shown = [*shown[:_MOST_SETTINGS], f"and {more} more"]
    return (name, instance.component, *shown)


def _notes(name: str, instance: Instance, units: Mapping[str, str]) -> str:
    settings = [
        f"{key} = {_value(value, units.get(key, ''), 200)}" for key, value in instance.settings.items()
    ]
    return "\n".join((f"{name}: {instance.component}", *settings))


def _value(value: Any, unit: str, longest: int = 22) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        text = str(value).lower() if isinstance(value, bool) else str(value)
    elif np.ndim(value):
        text = f"{np.size(value)} values"
    else:
        text = f"{value:.6g}"
    if len(text) > longest:
        text = f"{text[: longest - 3]}..."
    # Plain numbers have the unit "1", which nobody writes.
    return text if unit in {"", "1"} else f"{text} {unit}"

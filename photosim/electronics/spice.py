"""Networks as text for other simulators: a SPICE subcircuit, or a Verilog-A module.

R, L, C, coupled inductors, sources, controlled sources, lossless lines and junctions stand there as what they
are in either language; fits of tables and electrodes are made of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.errors import NetlistError, ParameterError, did_you_mean, listing
from photosim.model import Network, registry
from photosim.model.elements import GROUND, Element

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")
_LETTERS = {
    "resistance": "R", "capacitance": "C", "inductance": "L", "mutual": "K", "voltage": "V", "current": "I",
    "voltage_gain": "E", "transconductance": "G", "transresistance": "H", "current_gain": "F", "line": "T",
    "junction": "D",
}  # fmt: skip


def _check(name: str, elements: Sequence[Element], known: Sequence[str], language: str) -> None:
    if not _NAME.fullmatch(name):
        message = (
            f"{name!r} is not a name for {language}: letters, digits and underscores, a letter in front."
        )
        raise NetlistError(message)
    for element in elements:
        if element.kind not in known:
            message = (
                f"Element {element.name!r} is of kind {element.kind!r}, which {language} does not have: "
                "leave the part out."
            )
            raise NetlistError(message)


def _number(value: float) -> str:
    return f"{value:.12g}"


def subcircuit(name: str, pins: Sequence[str], elements: Sequence[Element]) -> str:
    """Return a SPICE subcircuit of elements between pins, node 0 being gnd.

    Raises NetlistError for a name that SPICE does not take, and for elements without a counterpart.
    """
    _check(name, elements, (*_LETTERS, "noise"), "SPICE")
    lines = [f".subckt {name} {' '.join(pins)}"]
    models = []
    for element in elements:
        if element.kind == "noise":
            continue  # noise alone, which SPICE has with its resistors
        letter = _LETTERS[element.kind]
        nodes = " ".join("0" if node == GROUND else node for node in element.nodes)
        values = [_number(value) for value in element.values]
        label = f"{letter}{element.name}"
        if element.kind == "mutual":
            first, second = element.branches
            lines.append(f"{label} L{first} L{second} {values[0]}")
        elif element.kind in {"transresistance", "current_gain"}:
            lines.append(f"{label} {nodes} V{element.branches[0]} {values[0]}")
        elif element.kind == "line":
            lines.append(f"{label} {nodes} Z0={values[0]} TD={values[1]}")
        elif element.kind == "junction":
            lines.append(f"{label} {nodes} D{element.name}_model")
            models.append(_junction_model(element))
        elif element.kind == "resistance":
            noisy = "" if element.temperature > 0.0 else " noisy=0"
            lines.append(f"{label} {nodes} {values[0]}{noisy}")
        else:
            lines.append(f"{label} {nodes} {values[0]}")
    return "\n".join([*lines, *models, f".ends {name}"]) + "\n"


def _junction_model(element: Element) -> str:
    saturation, thermal, capacitance, potential, grading, transit = element.values
    emission = thermal / (1.380649e-23 * 300.15 / 1.602176634e-19)  # SPICE's temperature is 27 degrees C
    return (
        f".model D{element.name}_model D(IS={_number(saturation)} N={_number(emission)} "
        f"CJO={_number(capacitance)} VJ={_number(potential)} M={_number(grading)} TT={_number(transit)})"
    )


@dataclass
class _Module:
    """A Verilog-A module in the making."""

    pins: Sequence[str]
    lines: list[str] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)

    def across(self, a: str, b: str) -> str:
        """Return the voltage between two nodes."""
        inner = [self.node(node) for node in (a, b) if node != GROUND]
        if not inner:
            return "0.0"
        return f"V({', '.join(inner)})" if a != GROUND else f"(-V({inner[0]}))"

    def node(self, name: str) -> str:
        """Return the name of a node: inner ones apart from words of the language."""
        return name if name in self.pins else f"n_{re.sub('[^A-Za-z0-9_]', '_', name)}"

    def into(self, a: str, b: str, value: str) -> None:
        """Add a current from one node to another, inside."""
        if a == GROUND:
            a, b, value = b, a, f"-({value})"
        end = "" if b == GROUND else f", {self.node(b)}"
        self.lines.append(f"I({self.node(a)}{end}) <+ {value};")


def _line(module: _Module, element: Element) -> None:
    """Add a lossless line by its forward and its backward wave, each delayed."""
    a, b, c, d = element.nodes
    impedance, delay = (_number(value) for value in element.values)
    for own, ends in (("f", (a, b)), ("r", (c, d))):
        wave = f"w_{element.name}_{own}"
        module.branches[wave] = "electrical"
        # What leaves this end: v + Z i, with i = (v - what arrives)/Z.
        other = f"w_{element.name}_{'r' if own == 'f' else 'f'}"
        v = module.across(*ends)
        module.lines.append(f"V({wave}) <+ 2.0*{v} - absdelay(V({other}), {delay});")
        module.into(*ends, f"({v} - absdelay(V({other}), {delay}))/{impedance}")


def _simple(module: _Module, element: Element) -> None:
    a, b = element.nodes[:2]
    value = _number(element.values[0])
    v = module.across(a, b)
    if element.kind == "resistance":
        module.into(a, b, f"{v}/{value}")
    elif element.kind == "capacitance":
        module.into(a, b, f"{value}*ddt({v})")
    elif element.kind == "transconductance":
        module.into(a, b, f"{value}*{module.across(*element.nodes[2:])}")
    elif element.kind == "current":
        module.into(a, b, value)
    else:
        branch = f"b_{element.name}"
        ends = ", ".join(module.node(node) for node in (a, b) if node != GROUND)
        sign = "-" if a == GROUND else ""
        module.branches[branch] = f"({ends})"
        right = {
            "voltage": value,
            "voltage_gain": f"{value}*{module.across(*element.nodes[2:])}" if len(element.nodes) > 2 else "",
            "inductance": f"{value}*ddt(I({branch}))",
        }[element.kind]
        # An inductor's voltage and current turn together; a source's voltage turns alone.
        module.lines.append(
            f"V({branch}) <+ {right if element.kind == 'inductance' else f'{sign}({right})'};"
        )


_VERILOG: dict[str, Callable[[_Module, Element], None]] = {
    **dict.fromkeys(
        ("resistance", "capacitance", "transconductance", "current", "voltage", "voltage_gain", "inductance"),
        _simple,
    ),
    "line": _line,
}


def verilog_a(name: str, pins: Sequence[str], elements: Sequence[Element]) -> str:
    """Return a Verilog-A module of linear elements between pins; lines have a forward and a backward wave.

    Raises NetlistError for a name that the language does not take, and for elements that are not written.
    """
    _check(name, elements, tuple(_VERILOG), "Verilog-A")
    module = _Module(pins)
    for element in elements:
        _VERILOG[element.kind](module, element)
    nodes = dict.fromkeys(n for e in elements for n in e.nodes if n != GROUND and n not in pins)
    waves = [key for key, value in module.branches.items() if value == "electrical"]
    inner = [*(module.node(node) for node in nodes), *waves]
    text = ['`include "disciplines.vams"', "", f"module {name}({', '.join(pins)});"]
    text += [f"  inout {', '.join(pins)};", f"  electrical {', '.join([*pins, *inner])};"]
    text += [f"  branch {ends} {key};" for key, ends in module.branches.items() if ends != "electrical"]
    text += ["  analog begin", *(f"    {line}" for line in module.lines), "  end", "endmodule", ""]
    return "\n".join(text)


@public
def export(component: str, *, language: str = "spice", name: str | None = None, **settings: Any) -> str:
    """Return a component with pins as text: a SPICE subcircuit, or a Verilog-A module.

    The pins are in the order of the component; voltages that it reads from elsewhere follow them. Fits of
    Touchstone files and electrodes become ideal elements, and their delays lossless lines.

    component: name of the component.  language: "spice" or "verilog-a".  name: of the subcircuit or module.
    settings: settings of the component.

    Raises ParameterError for a component without pins or another language, and NetlistError for an element
    that the language does not have.
    """
    model = registry.get(component)
    if not isinstance(model, Network):
        message = (
            f"Component {component!r} ({model.kind}) is not made of electrical elements: export one with "
            "pins, such as lossy_line, or the parts inside of a composite."
        )
        raise ParameterError(message)
    writers = {"spice": subcircuit, "verilog-a": verilog_a}
    if language not in writers:
        message = f"There is no language {language!r}: write {listing(writers)}."
        raise ParameterError(message + did_you_mean(language, writers))
    model.check(settings)
    pins = (*model.pins, *(r.nodes[0] for r in model.reads.values() if r.nodes[1] == GROUND))
    return writers[language](name or component, tuple(dict.fromkeys(pins)), model.elements(**settings))

"""Settings given on the command line: `--set ring.radius=10`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from photosim.engine.bindings import no_setting
from photosim.errors import ParameterError
from photosim.expressions import parse

if TYPE_CHECKING:
    from photosim.circuit import Circuit

_ARGUMENTS = ("wl", "ports", "inputs", "outputs")
"""Names of a circuit's own settings that no call could tell from its arguments."""


def read_settings(texts: Sequence[str], circuit: Circuit) -> dict[str, Any]:
    """Return settings by dotted name, as `circuit(wl, **settings)` takes them.

    Each text is NAME=VALUE with a dotted name of `circuit.parameters`; a value is a number, an expression of
    numbers such as pi/4, true or false, or a name. Raises ParameterError for anything else.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name or not value.strip():
            message = (
                f"Cannot read the setting {text!r}: write instance.parameter=value, as in ring.radius=10."
            )
            raise ParameterError(message)
        if name in circuit.graph.structural:
            message = f"The setting {name!r} shapes the circuit: change it in the netlist."
            raise ParameterError(message)
        if name not in circuit.parameters:
            said = no_setting(name, circuit.parameters)
            message = f"{said} `photosim check FILE --settings` lists all of them."
            raise ParameterError(message)
        if name in _ARGUMENTS:
            message = (
                f"The setting {name!r} has the name of an argument of calls: rename it to change it here."
            )
            raise ParameterError(message)
        if name in found:
            message = f"The setting {name!r} is given twice: give it once."
            raise ParameterError(message)
        found[name] = _value(value.strip())
    return found


def _value(text: str) -> Any:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        expression = parse(text)
    except ParameterError:
        return text
    # A bare word such as `gaussian` parses as a symbol: it is the name of a choice.
    return text if expression.names else float(expression.evaluate({}))

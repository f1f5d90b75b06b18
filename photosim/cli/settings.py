"""Settings given on the command line: `--set ring.radius=10`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from photosim.errors import ParameterError, did_you_mean
from photosim.expressions import parse

if TYPE_CHECKING:
    from photosim.circuit import Circuit

# Members of an array are called name<column.row>: that dot parts nothing.
_DOT = re.compile(r"\.(?![^<]*>)")


def read_settings(texts: Sequence[str], circuit: Circuit) -> dict[str, Any]:
    """Return settings as `circuit(wl, **settings)` takes them, nested as the instances are.

    Each text is NAME=VALUE with a dotted name of `circuit.parameters`; a value is a number, an expression of
    numbers such as pi/4, true or false, or a name. Raises ParameterError for anything else.
    """
    nested: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name or not value.strip():
            message = (
                f"Cannot read the setting {text!r}: write instance.parameter=value, as in ring.radius=10."
            )
            raise ParameterError(message)
        if name not in circuit.parameters:
            message = (
                f"The circuit has no setting {name!r}.{did_you_mean(name, circuit.parameters)} "
                "`photosim check FILE --settings` lists all of them."
            )
            raise ParameterError(message)
        _put(nested, name, _value(value.strip()))
    return nested


def seeds(seed: int | None, circuit: Circuit, settings: dict[str, Any]) -> dict[str, Any]:
    """Return `settings` with `seed` in every setting called `seed` of the circuit that is not set yet."""
    if seed is None:
        return settings
    merged = dict(settings)
    for name in _seed_names(circuit.parameters):
        if not _has(settings, name):
            _put(merged, name, seed)
    return merged


def _seed_names(names: Iterable[str]) -> list[str]:
    return [name for name in names if _DOT.split(name)[-1] == "seed"]


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


def _put(nested: dict[str, Any], name: str, value: Any) -> None:
    """Set a dotted name in nested mappings."""
    *path, last = _DOT.split(name)
    for step in path:
        nested = nested.setdefault(step, {})
    nested[last] = value


def _has(nested: dict[str, Any], name: str) -> bool:
    for step in _DOT.split(name):
        if step not in nested:
            return False
        nested = nested[step]
    return True

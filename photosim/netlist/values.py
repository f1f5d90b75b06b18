"""Settings of a netlist: texts become expressions where a number is wanted, expressions become numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import NetlistError, ParameterError, did_you_mean, listing
from photosim.expressions import CONSTANTS, Expr, parse
from photosim.model import registry
from photosim.reals import NotReal, as_real

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from photosim.errors import Mark
    from photosim.model import Model, Value
    from photosim.model.parameters import Parameter
    from photosim.model.sampled import FileTable


AMBIENT = "temperature"
"""A setting of every netlist, written or not: parts without a temperature of their own follow it."""
_SHOWN = 12
"""Settings of a circle that a message shows."""


def parameters_of(model: Model) -> dict[str, Parameter]:
    """Every parameter of a component, those of its variants included."""
    found: dict[str, Parameter] = dict(model.parameters)
    for variant in getattr(model, "variants", {}).values():
        for name, parameter in variant.parameters.items():
            found.setdefault(name, parameter)
    return found


@lru_cache(maxsize=1024)
def _numeric(component: str) -> frozenset[str] | None:
    """Parameters of a component that are numbers; None for a component that does not exist."""
    if not registry.known(component):
        return None
    parameters = parameters_of(registry.get(component))
    return frozenset(name for name, p in parameters.items() if p.kind in {"real", "whole"})


def table_parameters(component: str) -> dict[str, type[FileTable]]:
    """Parameters of a library component for which a text names a file, and what the file holds."""
    if not registry.known(component):
        return {}
    parameters = registry.get(component).parameters
    return {name: p.table for name, p in parameters.items() if p.kind == "table"}


def numeric_parameters(component: str) -> frozenset[str]:
    """Parameters of a library component for which a text is an expression."""
    found = _numeric(component)
    if found is None:
        _numeric.cache_clear()  # it may be declared later, in a notebook
        return frozenset()
    return found


def read_value(value: Any, known: Iterable[str], *, number: bool) -> Value:
    """One setting as written; with `number`, a text is an expression over the names in `known`.

    An expression without names is a number at once, a list of numbers an array.

    Raises:
        NetlistError: a text that is not an expression, a name that is not known, a number that is not finite.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise NetlistError(f"a finite number is wanted, but it is {value!r}")
    if isinstance(value, str) and number:
        return _read_expression(value, known)
    if isinstance(value, list | tuple) and number:
        return _read_array(value)
    return value  # type: ignore[no-any-return]


def _read_expression(text: str, known: Iterable[str]) -> Value:
    try:
        expression = parse(text)
        if not expression.names:
            return expression.evaluate({})
    except ParameterError as error:
        raise NetlistError(f"{error}") from None
    for name in sorted(expression.names):
        if name not in known:
            names = [*known, *CONSTANTS]
            raise NetlistError(
                f"the expression {_clip(text)!r} uses {name!r}, which is not among the netlist's settings: "
                f"{listing(names)}.{did_you_mean(name, names)}"
            )
    return expression


def _read_array(value: Any) -> Value:
    try:
        array = np.asarray(as_real(value))
    except NotReal as error:
        raise NetlistError(f"a list must hold numbers only, all rows of one length, {error}") from None
    if not np.all(np.isfinite(array)):
        raise NetlistError("a list must hold at least one number, and finite ones only")
    return array


def resolve(settings: Mapping[str, Any], replacing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Numbers of a netlist's settings, whose expressions may use one another.

    `replacing` takes the place of some of them, as an instance of a sub-netlist does.

    Raises:
        NetlistError: settings that refer to each other in a circle, or to one that is not a number.
    """
    wanted = {**settings, **(replacing or {})}
    values = {name: value for name, value in wanted.items() if not isinstance(value, Expr)}
    waiting = {name: value for name, value in wanted.items() if isinstance(value, Expr)}
    missing = {name: sum(n not in values for n in value.names) for name, value in waiting.items()}
    users: dict[str, list[str]] = {}
    for name, value in waiting.items():
        for n in value.names:
            users.setdefault(n, []).append(name)
    ready = [name for name, count in missing.items() if not count]
    for name in ready:  # grows while it is walked through
        values[name] = evaluate(waiting.pop(name), values, f"setting {name!r}")
        for user in users.get(name, ()):
            missing[user] -= 1
            if not missing[user]:
                ready.append(user)
    if waiting:
        raise NetlistError(_circle(waiting, values))
    return values


def _circle(waiting: Mapping[str, Expr], values: Mapping[str, Any]) -> str:
    name = next(iter(waiting))
    chain: dict[str, None] = {}
    while name not in chain:
        chain[name] = None
        missing = sorted(n for n in waiting[name].names if n not in values)
        if missing[0] not in waiting:
            known = listing([*values, *waiting])
            return f"setting {name!r} uses {missing[0]!r}, which is not one of the settings: {known}"
        name = missing[0]
    circle = [*chain, name]
    circle = circle[circle.index(name) :]
    shown = circle if len(circle) <= _SHOWN else [*circle[: _SHOWN - 1], "...", name]
    return f"settings refer to each other in a circle: {' -> '.join(shown)}"


def evaluate(value: Any, values: Mapping[str, Any], where: str) -> Any:
    """A setting with its expression worked out; other values stay."""
    if not isinstance(value, Expr):
        return value
    try:
        return value.evaluate(values)
    except ParameterError as error:
        raise NetlistError(f"{where}: {error}.") from None


def number_of(value: Any) -> float | None:
    """A number as a float; None for anything else, a text, a list and null among it."""
    try:
        found = as_real(value)
    except NotReal:
        return None
    return found if isinstance(found, float) else None


def as_written(value: object) -> str:
    """A value for a message, with what it was worked out from."""
    return f" (from {_clip(str(value))!r})" if isinstance(value, Expr) else ""


def require_number(value: object, where: str, mark: Mark | None) -> None:
    """Refuse a circuit-level setting that is neither a number, true or false, nor an expression."""
    if isinstance(value, bool | Expr):
        return
    try:
        as_real(value)
    except NotReal as error:
        raise NetlistError(f"{where}: a number or an expression is wanted, {error}", mark) from None


def _clip(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."

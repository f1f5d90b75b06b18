"""Layouts of gdsfactory as circuits: a component brings its own netlist; gdsfactory is not imported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.circuit import Circuit
from photosim.errors import NetlistError, ParameterError
from photosim.netlist import from_dict
from photosim.netlist.layout_table import plain_name, rule_of
from photosim.reals import shown

if TYPE_CHECKING:
    from pathlib import Path

    from photosim.engine.windows import Policy

_CELL = "cell"


@public(types=False)  # components of another package, by what they answer
def from_gdsfactory(
    component: Any,
    *,
    cell_map: str | Path | None = None,
    strict: bool = False,
    windows: Policy | None = None,
) -> Circuit:
    """Return the circuit of a gdsfactory component, from the netlist that gdsfactory extracts.

    `component.get_netlist(recursive=True)` is called, or `netlist()` for a cell of kfactory. A component that
    is drawn as one shape becomes a circuit with one part and its settings.

    component: gdsfactory component or kfactory cell.  cell_map, strict, windows: as for
    :func:`photosim.load`.

    Raises ParameterError for an object without a netlist, and NetlistError if the netlist cannot be extracted
    or if one of its cells has no model.
    """
    data = _netlist_of(component)
    name = str(getattr(component, "name", "circuit"))
    rule = rule_of(plain_name(str(getattr(component, "function_name", None) or name)))
    if (rule is not None and rule.instead) or not any(
        body.get("instances") for body in data.values() if isinstance(body, Mapping)
    ):
        data = _single(component)
    return Circuit(from_dict(data, name, cell_map=cell_map), strict=strict, windows=windows)


def _netlist_of(component: Any) -> dict[str, Any]:
    """Return the netlists of a component and of the cells inside it, as plain data."""
    placed = getattr(component, "get_netlist", None)
    plain = getattr(component, "netlist", None)
    if not callable(placed) and not callable(plain):
        message = f"from_gdsfactory takes a component, which has get_netlist(); got {shown(component)}."
        raise ParameterError(message)
    try:
        found: Any = placed(recursive=True) if callable(placed) else plain()  # type: ignore[misc]
    except Exception as error:
        what = str(error).split("\n", maxsplit=1)[0]
        message = f"component {getattr(component, 'name', '?')!r} cannot write its netlist: {what}"
        raise NetlistError(message) from error
    if callable(getattr(found, "to_json", None)):
        return {"circuit": json.loads(found.to_json())}
    if not isinstance(found, Mapping):
        message = f"the netlist of a component is a mapping, got {shown(found)}."
        raise ParameterError(message)
    return {
        str(key): json.loads(body.to_json()) if callable(getattr(body, "to_json", None)) else body
        for key, body in found.items()
    }


def _single(component: Any) -> dict[str, Any]:
    """Return a netlist of one part, for a component that has no parts of its own."""
    names = (getattr(component, key, None) for key in ("function_name", "factory_name", "name"))
    name = next((n for n in names if isinstance(n, str) and n), None)
    if name is None:
        message = f"{shown(component)} has neither instances nor a name, so its component is not known."
        raise ParameterError(message)
    ports = [port for port in getattr(component, "ports", ()) if _is_optical(port)]
    part = {"component": name, "settings": _table(component, "settings"), "info": _table(component, "info")}
    return {
        "instances": {_CELL: part},
        "ports": {str(port.name): f"{_CELL},{port.name}" for port in ports},
        "placements": {},
    }


def _is_optical(port: Any) -> bool:
    return str(getattr(port, "port_type", "optical")).startswith(("optical", "vertical", "edge"))


def _table(component: Any, key: str) -> dict[str, Any]:
    """Return the settings or the info of a component as a dictionary."""
    found: Any = getattr(component, key, None)
    dumped = found.model_dump() if callable(getattr(found, "model_dump", None)) else found
    return dict(dumped) if isinstance(dumped, Mapping) else {}

"""A netlist with other settings, as a file: what was found by an optimiser or a fit, written down."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.errors import DataError, NetlistError, ParameterError, did_you_mean
from photosim.expressions import Expr, symbol
from photosim.model import Composite, Instance, Netlist, registry
from photosim.netlist.check import check
from photosim.netlist.values import AMBIENT, evaluate, resolve
from photosim.netlist.write import to_yaml
from photosim.reals import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".yml", ".yaml")
_DOT = re.compile(r"\.(?![^<>]*>)")  # not one inside the index of an array's member


@public
def save(netlist: Netlist, path: str | Path, settings: Any = None) -> Path:
    """Write a netlist as YAML with other settings, and return the path.

    settings: nested or by dotted name, or a Dataset with `setting` and `value`, as `ps.optimise` returns it,
    whose constant settings (attribute `held`) are written too.

    Raises ParameterError for settings that the netlist does not have or that are lists, and DataError for a
    file that cannot be written; an existing file then stays as it was.
    """
    from photosim.files.atomic import write_text

    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        message = f"A netlist is written to a .yml file, not to {target}."
        raise DataError(message)
    changed = with_settings(netlist, dict(_flat(settings)))
    check(changed)
    write_text(target, to_yaml(changed))
    return target


def _flat(settings: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by dotted name."""
    if settings is None:
        return
    if hasattr(settings, "data_vars"):
        if "setting" not in settings.coords or "value" not in settings:
            message = (
                "A Dataset of settings has the dimension setting and the variable value; this one does not."
            )
            raise ParameterError(message)
        yield from _flat(json.loads(settings.attrs.get("held", "{}")))
        names, values = settings["setting"].values, settings["value"].values
        yield from ((str(n), float(v)) for n, v in zip(names, values, strict=True))
        return
    if not isinstance(settings, Mapping):
        message = f"Settings are given by name, got {shown(settings)}."
        raise ParameterError(message)
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
            continue
        plain = value.item() if isinstance(value, np.generic | np.ndarray) and np.ndim(value) == 0 else value
        if not isinstance(plain, int | float | str) or (isinstance(plain, float) and not np.isfinite(plain)):
            message = (
                f"Setting {prefix + str(name)!r} must be one finite number or a name, got {shown(value)}."
            )
            raise ParameterError(message)
        yield f"{prefix}{name}", plain


def with_settings(netlist: Netlist, settings: Mapping[str, Any]) -> Netlist:
    """Return a netlist with other settings by dotted name.

    Settings inside a sub-netlist give the instance a copy of it; those inside a component of the library, its
    inner netlist as it is for the written settings.
    """
    own: dict[str, Any] = {}
    by_instance: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        first, *rest = _DOT.split(name)
        if not rest:
            if first not in {*netlist.settings, AMBIENT}:
                message = f"The netlist {netlist.name!r} has no setting {first!r}."
                raise ParameterError(message + did_you_mean(first, netlist.settings))
            own[first] = value
        elif first not in netlist.instances:
            message = (
                f"The netlist {netlist.name!r} has no instance {first!r}, of which {name!r} is a setting."
            )
            raise ParameterError(message + did_you_mean(first, netlist.instances))
        else:
            by_instance.setdefault(first, {})[".".join(rest)] = value
    instances, components = dict(netlist.instances), dict(netlist.components)
    for name, changes in by_instance.items():
        instances[name] = _changed(netlist, name, changes, components)
    return replace(
        netlist, settings={**netlist.settings, **own}, instances=instances, components=components, marks={}
    )


def _changed(
    netlist: Netlist, name: str, changes: Mapping[str, Any], components: dict[str, Netlist]
) -> Instance:
    """Return an instance with other settings; new sub-netlists are added to the components."""
    instance = netlist.instances[name]
    direct = {key: value for key, value in changes.items() if len(_DOT.split(key)) == 1}
    inner = {key: value for key, value in changes.items() if key not in direct}
    settings = {**instance.settings, **direct}
    sub = components.get(instance.component)
    if sub is not None:
        unknown = [key for key in direct if key not in {*sub.settings, AMBIENT}]
        if unknown:
            message = f"Sub-netlist {instance.component!r} has no setting {unknown[0]!r}."
            raise ParameterError(message + did_you_mean(unknown[0], sub.settings))
    if not inner:
        return replace(instance, settings=settings)
    if sub is None:
        model = registry.get(instance.component)
        if not isinstance(model, Composite):
            key = next(iter(inner))
            message = f"Instance {name!r} has no parts, of which {name + '.' + key!r} could be a setting."
            raise ParameterError(message)
        sub, settings = _as_netlist(model, settings, netlist, name)
    made = f"{instance.component}_of_{name}".replace("<", "_").replace(">", "").replace(".", "_")
    if made in components:
        raise NetlistError(f"The netlist has a sub-netlist {made!r} already: rename it.")
    components[made] = replace(with_settings(sub, inner), name=made)
    return replace(instance, component=made, settings=settings)


def _as_netlist(
    model: Composite, settings: Mapping[str, Any], netlist: Netlist, name: str
) -> tuple[Netlist, dict[str, Any]]:
    """Return the inner netlist of an instance, its settings as they were, and what the instance gives to it.

    Settings that shape the netlist are built in; the others keep their names, so that analyses find them.
    """
    outer = resolve(netlist.settings)
    built: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, parameter in model.parameters.items():
        value = settings.get(key)
        value = parameter.default if value is None else value
        if parameter.structural or value is None:
            built[key] = evaluate(value, outer, name) if isinstance(value, Expr) else value
        else:
            built[key], own[key] = symbol(key), parameter.default
    inner = _named_as_used(model.build(built), model.aliases_for(settings), netlist, name)
    if own.pop(AMBIENT, None) is not None:
        inner = _in_the_ambient(inner)
    given = {key: value for key, value in settings.items() if value is not None and key in {*own, AMBIENT}}
    return replace(inner, settings=own), given


def _in_the_ambient(inner: Netlist) -> Netlist:
    """Return a netlist whose parts follow the temperature around it, where they were given that by name."""
    instances = {}
    for name, one in inner.instances.items():
        left = {k: v for k, v in one.settings.items() if not (k == AMBIENT and str(v) == AMBIENT)}
        instances[name] = replace(one, settings=left)
    return replace(inner, instances=instances)


def _named_as_used(inner: Netlist, aliases: Mapping[str, str], netlist: Netlist, name: str) -> Netlist:
    """Return the inner netlist of an instance, its ports named as `netlist` names them: `in` for `o1`."""
    members = [*netlist.ports.values(), *netlist.terminate]
    members += [member for group in (*netlist.connections, *netlist.nets) for member in group]
    called = {aliases[port]: port for one, port in members if one == name and port in aliases}
    ports = {}
    for port, behind in inner.ports.items():
        whole, at, mode = port.partition("@")
        ports[f"{called.get(whole, whole)}{at}{mode}"] = behind
    return replace(inner, ports=ports)

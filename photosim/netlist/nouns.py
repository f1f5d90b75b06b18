"""Whether a Netlist that Python code made holds what its fields say: instances, pairs of names, netlists."""

from __future__ import annotations

from dataclasses import fields
from itertools import chain
from typing import TYPE_CHECKING, Any

from photosim.arguments import check_arguments
from photosim.errors import Mark, NetlistError
from photosim.model import Instance, Netlist
from photosim.reals import shown

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_nouns(netlist: Netlist) -> None:
    """Raise NetlistError, or ParameterError, for a field of a netlist that holds something else."""
    plain = _are_joins(netlist.connections)
    entries = {name: held for name, held in vars(netlist).items() if not (plain and name == "connections")}
    check_arguments(Netlist.__init__, entries)
    instances: Mapping[str, Any] = netlist.instances
    others = () if _all_plain(instances) else {id(i): (n, i) for n, i in instances.items()}.values()
    for name, instance in others:  # members of an array once
        if not isinstance(instance, Instance):
            _refuse(f"instance {name!r} must be an Instance, as photosim.part makes them", instance)
        if not _is_plain(instance):
            held = {field.name: getattr(instance, field.name) for field in fields(instance)}
            check_arguments(Instance.__init__, held)
    components: Mapping[str, Any] = netlist.components
    for name, inner in components.items():
        if not isinstance(inner, Netlist):
            _refuse(f"component {name!r} must be a Netlist", inner)
    for connection in () if plain else netlist.connections:
        if not (_is_pair(connection) and all(_is_port(end) for end in connection)):
            _refuse("a connection joins two (instance, port)", connection)
    _check_nets(netlist.nets)
    for end in (*netlist.ports.values(), *netlist.terminate):
        if not _is_port(end):
            _refuse("ports and terminate name (instance, port)", end)


def _is_plain(instance: Instance) -> bool:
    """Whether an instance is as readers and photosim.part make it: seen at once, where there are many."""
    return (
        type(instance.component) is str
        and type(instance.settings) is dict
        and all(type(name) is str for name in instance.settings)
        and (instance.mark is None or type(instance.mark) is Mark)
        and instance.windows == ()
    )


def _all_plain(instances: Mapping[str, Any]) -> bool:
    """Whether all instances are plain: a few passes that are quick, as there may be many."""
    every = instances.values()
    if type(instances) is not dict or set(map(type, every)) - {Instance}:
        return False
    settings = [instance.settings for instance in every]
    return (
        set(map(type, settings)) <= {dict}
        and set(map(type, chain.from_iterable(settings))) <= {str}
        and {type(instance.component) for instance in every} <= {str}
        and {type(instance.mark) for instance in every} <= {type(None), Mark}
        and not any(instance.windows for instance in every)
    )


def _are_joins(connections: Any) -> bool:
    """Whether connections are pairs of (instance, port), all of them tuples: a few passes that are quick."""
    level = connections
    for _ in range(2):
        if type(level) is not tuple or set(map(type, level)) - {tuple} or set(map(len, level)) - {2}:
            return False
        level = tuple(chain.from_iterable(level))
    return set(map(type, level)) <= {str}


def _check_nets(nets: tuple[Any, ...]) -> None:
    for net in nets:
        if not (isinstance(net, tuple | list) and len(net) > 1 and all(_is_port(end) for end in net)):
            _refuse("a net joins two or more (instance, port), as photosim.net makes them", net)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2


def _is_port(value: Any) -> bool:
    return _is_pair(value) and isinstance(value[0], str) and isinstance(value[1], str)


def _refuse(rule: str, value: Any) -> None:
    raise NetlistError(f"{rule}, got {shown(value)}")

"""The mode that a single-mode netlist takes of files that hold several."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from photosim.errors import DataError, NetlistError
from photosim.model import Instance, Netlist, SampledData

if TYPE_CHECKING:
    from collections.abc import Iterator


def with_mode(netlist: Netlist, mode: str) -> Netlist:
    """Return the netlist with `mode` for every table of several modes whose instance does not say one.

    Raises:
        NetlistError: a table lacks the mode, or no table of the netlist has several.
    """
    if not any(table.has_modes for table in _tables(netlist)):
        raise NetlistError(
            f"the mode {mode!r} chooses nothing: no file of {netlist.name!r} has several modes"
        )
    return _with_mode(netlist, mode)


def _tables(netlist: Netlist) -> Iterator[SampledData]:
    for instance in netlist.instances.values():
        yield from (value for value in instance.settings.values() if isinstance(value, SampledData))
    for inner in netlist.components.values():
        yield from _tables(inner)


def _with_mode(netlist: Netlist, mode: str) -> Netlist:
    inner = {name: _with_mode(sub, mode) for name, sub in netlist.components.items()}
    instances = {name: _chosen(name, instance, mode) for name, instance in netlist.instances.items()}
    return replace(netlist, instances=instances, components=inner)


def _chosen(name: str, instance: Instance, mode: str) -> Instance:
    table = instance.settings.get("file")
    if not isinstance(table, SampledData) or not table.has_modes or "mode" in instance.settings:
        return instance
    try:
        table.of_mode(mode)
    except DataError as error:
        message = f"instance {name!r} ({instance.component}): {str(error).removesuffix('.')}"
        raise NetlistError(message, instance.mark) from None
    return replace(instance, settings={**instance.settings, "mode": mode})

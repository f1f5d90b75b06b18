"""What a call asks to be drawn, held against the circuit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photosim.drawing.instances import evaluated
from photosim.drawing.names import steps
from photosim.drawing.sketch import inner_netlist
from photosim.errors import ParameterError, did_you_mean, listing

if TYPE_CHECKING:
    from photosim.model import Netlist

DEEPEST = 16


def check_depth(depth: int, fold: int) -> None:
    """Raise ParameterError for a depth or a limit of arrays out of bounds."""
    if not 0 <= depth <= DEEPEST:
        message = f"depth is {depth}, but must be 0 (the top level alone) to {DEEPEST}."
        raise ParameterError(message)
    if fold < 1:
        message = f"fold is {fold}, but must be 1 or more: arrays of more equal instances are drawn once."
        raise ParameterError(message)


def check_expand(netlist: Netlist, names: tuple[str, ...]) -> None:
    """Raise ParameterError unless every name is an instance with a circuit inside."""
    for path in names:
        level, where = netlist, ""
        for name in steps(path) or [path]:
            found = evaluated(level)
            if name not in found:
                of = f" of {where!r}" if where else ""
                message = f"There is no instance {name!r}{of} to expand. There are: {listing(found, 16)}."
                raise ParameterError(message + did_you_mean(name, found))
            inner = inner_netlist(found[name], level)
            where = f"{where}.{name}" if where else name
            if inner is None:
                message = (
                    f"Instance {where!r} cannot be expanded: {found[name].component!r} has no circuit inside."
                )
                raise ParameterError(message)
            level = inner

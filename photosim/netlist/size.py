"""How many parts a netlist has when it is written out, counted without writing it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from photosim.arguments import public
from photosim.expressions import Expr
from photosim.memory import require_memory, size
from photosim.model import Netlist, registry
from photosim.model.kinds.composite import Composite
from photosim.netlist.values import evaluate, resolve

BYTES_OF_PART, SECONDS_OF_PART = 7.5e3, 3e-4
"""What a part of a weight bank takes on one core of a cloud machine: banks of 20 x 20, 50 x 50 and 120 x 120
took 2.5e-4, 2.6e-4 and 3.0e-4 s, and 4.7, 5.9 and 7.3 kB, for each part."""
_COUNTED = 250_000
"""Components whose counts multiply to less than this are not counted: they are done at once."""
_MANY = 1000
"""Instances in an array from which each is counted."""
_SAID = 200_000
"""Parts from which a reader is told what the circuit takes."""


@public
def check_size(netlist: Netlist) -> str:
    """Return a sentence about a circuit that takes long to make, else ""; netlist and settings are checked.

    Raises ParameterError where it needs more memory than there is.
    """
    count = _Count().netlist(netlist, {})
    if count <= _SAID:
        return ""
    what = f"Circuit {netlist.name!r} has {count:,} parts, which"
    require_memory(count * BYTES_OF_PART, what, "make its arrays or meshes smaller")
    cost = f"take about {size(count * BYTES_OF_PART)} and {count * SECONDS_OF_PART:.0f} s to make"
    return f"{what} {cost}, before anything is computed."


class _Count:
    """Counts parts; what was counted once is remembered by its settings."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def netlist(self, netlist: Netlist, settings: Mapping[str, Any], *, exact: bool = False) -> int:
        """Return the parts of a netlist with the settings that an instance of it gives.

        exact: count small components too, as those inside of a large one are many.
        """
        own = {name: value for name, value in settings.items() if name in netlist.settings}
        values: dict[str, Any] | None = None
        total = 0
        kinds = {(id(i.settings), i.component): i for i in netlist.instances.values()}
        for key, number in Counter((id(i.settings), i.component) for i in netlist.instances.values()).items():
            instance = kinds[key]
            inner = netlist.components.get(instance.component)
            model = None if inner is not None else registry.get(instance.component)
            if inner is None and not isinstance(model, Composite):
                total += number
                continue
            if values is None:
                values = resolve(netlist.settings, own)
            known = {k: evaluate(v, values, k) for k, v in instance.settings.items()}
            whole = exact or number >= _MANY
            if inner is not None:
                total += number * self.netlist(inner, known, exact=whole)
            else:
                total += number * self._composite(model, known, exact=whole)
        return total

    def _composite(self, model: Any, settings: Mapping[str, Any], *, exact: bool) -> int:
        shaping = {k: v for k, v in settings.items() if k in model.switches and not isinstance(v, Expr)}
        known = model.full(shaping)
        key = exact, model.name, tuple(sorted((k, repr(v)) for k, v in shaping.items()))
        if key not in self.known:
            bound = 1
            for name, parameter in model.parameters.items():
                if parameter.kind == "whole" and isinstance(known[name], int) and parameter.high > 64:
                    bound *= max(1, known[name]) if parameter.high <= 1e6 else 1
            large = exact or bound * bound >= _COUNTED
            self.known[key] = self.netlist(model.build(shaping), {}, exact=True) if large else 1
        return self.known[key]

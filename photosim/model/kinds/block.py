"""A part of free space: what acts on a bus of thousands of waves at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from photosim.conventions import bus_range
from photosim.errors import ParameterError
from photosim.model.kinds.base import Model


@dataclass(frozen=True, eq=False)
class Block(Model):
    """A part whose ports are buses; its function returns the modulator, medium or camera of its settings.

    `buses` are the ports that carry a bus; any other carries a single wave.
    A bus is one line of a netlist whatever its width, and `in[0:1000]` a part
    of it. The engine never writes its waves out: light on a single wave ends
    at a block, and nothing comes back.
    """

    buses: tuple[str, ...] = ()

    kind = "block"
    scalar_settings = True

    def make(self, **settings: Any) -> Any:
        """Return what acts on the bus; ParameterError for a wrong setting."""
        return self.function(**self.full(settings))

    def port(self, name: str, settings: Mapping[str, Any], where: str) -> str:
        """Return the port that a name, an alias or a part of a bus means."""
        bus, selection = bus_range(name)
        own = super().port(bus, settings, where)
        if selection is not None and own not in self.buses:
            message = f"{where}: port {bus!r} carries a single wave, so it has no part {name!r}."
            raise ParameterError(message)
        return own

"""What a port of a netlist is used for, and where that is written, as words where they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from photosim.model import PortRef


class Use(NamedTuple):
    """What holds a port: a verb and what it names, and the key and the entry under which that is written."""

    verb: str
    other: PortRef | str
    key: str
    entry: PortRef | str

    @property
    def name(self) -> str:
        """What the verb names."""
        return written_end(self.other)

    @property
    def path(self) -> tuple[str, str]:
        """The path of keys where the use is written."""
        return self.key, written_end(self.entry)

    def __str__(self) -> str:
        return f"{self.verb} {self.name!r}" if self.name else self.verb


def written_end(end: PortRef | str) -> str:
    """A port as a netlist writes it; a name stays."""
    return end if isinstance(end, str) else ",".join(end)

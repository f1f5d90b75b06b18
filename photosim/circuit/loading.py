"""From a file or a name to a circuit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from photosim import netlist as reading
from photosim.arguments import public
from photosim.circuit.circuit import Circuit

if TYPE_CHECKING:
    from photosim.engine.windows import Policy


@public
def load(
    path: str | Path,
    *,
    strict: bool = False,
    windows: Policy | None = None,
    cell_map: str | Path | None = None,
    mode: str | None = None,
) -> Circuit:
    """Return the circuit of a netlist file, or of the gallery circuit with that name.

    path: of the file, or a name of the gallery.  strict: an inner port left open, or a setting that a model
    has to guess, is an error.  windows: as for `Circuit`.  cell_map: file that maps the cells of a layout to
    components.  mode: mode to read from S-parameter files that hold several.

    Raises NetlistError with file, line and column.

    >>> import photosim as ps
    >>> ps.load("add_drop_ring")
    Circuit('add_drop_ring': 4 parts, ports in, drop, add, through)
    """
    netlist = reading.read(reading.find(path), cell_map=cell_map, mode=mode)
    return Circuit(netlist, strict=strict, windows=windows)

"""Hexagonal meshes of tunable couplers, in which circuits with and without loops are programmed."""

from __future__ import annotations

from typing import Annotated

from photosim.components.hexagonal_places import hexagonal_places
from photosim.components.programmable import CELL, CellSettings
from photosim.model import Netlist, Power, Quantity, composite, part

MeshSize = Annotated[int, Quantity("1", 1, 12, whole=True)]
"""Hexagons along a side of a hexagonal mesh; 12 of them make 1260 cells."""


@composite(source="sanchez2025")
def hexagonal_mesh(*, size: MeshSize = 3, coupling: Power = 0.0, cell: CellSettings = CELL) -> Netlist:
    """Programmable hexagonal mesh of 9 size**2 - 3 size cells `c0`, `c1`, ..., each a `tunable_coupler`.

    Each side of each hexagon is a cell, numbered in rows from the top; size 3 has 72 cells. Three cells meet
    at each corner, and their ends are joined there. Light in cells with coupling 0 (bar state) runs round a
    hexagon; in cells with coupling 1 (cross state) it changes to the next hexagon. Ports o1 to o36 (12 size
    of them) are the outer ends at the rim, clockwise from the lower left; the guides from there to facets are
    parts of their own. `photosim.analysis.routing` finds the couplings of a circuit. Left out: the length of
    the joints, which is in the cells, and what `tunable_coupler` leaves out. The chip of the source has 40
    ports at its core; how its 72 cells lie is not said there.

    Settings:
        size: number of hexagons along each side of the mesh.
        coupling: fraction of the power that crosses in cells without a value of their own.
    """
    places = hexagonal_places(size)
    each = part("tunable_coupler", coupling=coupling, **cell.settings())
    return Netlist(
        instances=dict.fromkeys(places.cells, each),
        connections=places.joins,
        ports=places.ports,
        name="hexagonal_mesh",
    )

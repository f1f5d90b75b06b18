"""Where a layout puts instances: its tables read, arrays spread, and placements written back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from photosim.model.netlist import Placement
from photosim.netlist.arrays import members
from photosim.netlist.values import number_of

if TYPE_CHECKING:
    from photosim.netlist.schema import ArrayForm


def placement_of(where: Any) -> Placement | None:
    """Return an entry of gdsfactory's `placements`, or a placement of kfnetlist; None without x and y.

    gdsfactory says `rotation`, kfnetlist `orientation`, both in degrees; dx and dy move the origin. A place
    by another instance's port is not a number, and is left to the layout.
    """
    if not isinstance(where, Mapping):
        return None
    x, y = (number_of(where.get(key)) for key in ("x", "y"))
    if x is None or y is None:
        return None
    dx, dy = (number_of(where.get(key)) or 0.0 for key in ("dx", "dy"))
    turn = number_of(where.get("rotation", where.get("orientation"))) or 0.0
    return Placement(x + dx, y + dy, turn, where.get("mirror") is True)


def spread(name: str, origin: Placement, array: ArrayForm) -> dict[str, Placement]:
    """Return the places of the members of an array, whose columns lie along x and rows along y.

    Nothing where there is more than one column or row and no pitch.
    """
    columns, rows = (number_of(pitch) for pitch in (array.column_pitch, array.row_pitch))
    if (columns is None and array.columns > 1) or (rows is None and array.rows > 1):
        return {}
    found = {}
    for number, member in enumerate(members(name, array.columns, array.rows)):
        column, row = divmod(number, array.rows)
        x, y = origin.x + column * (columns or 0.0), origin.y + row * (rows or 0.0)
        found[member] = Placement(x, y, origin.rotation, origin.mirror)
    return found


def written(place: Placement) -> dict[str, Any]:
    """Return a placement as gdsfactory writes it; turns and mirrors that do nothing are left out."""
    turned = {"rotation": place.rotation} if place.rotation else {}
    return {"x": place.x, "y": place.y, **turned, **({"mirror": True} if place.mirror else {})}


def pitches(name: str, places: Mapping[str, Placement]) -> dict[str, float]:
    """Return the pitches of an array by the places of its first members, as far as they are known."""
    first = places.get(f"{name}<0.0>")
    right, above = places.get(f"{name}<1.0>"), places.get(f"{name}<0.1>")
    found = {}
    if first is not None and right is not None:
        found["column_pitch"] = right.x - first.x
    if first is not None and above is not None:
        found["row_pitch"] = above.y - first.y
    return found

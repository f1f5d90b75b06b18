"""Islands of an electrical circuit: nodes that elements join, ground apart, which solve by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from photosim.model.elements import GROUND
from photosim.model.joins import Joins

if TYPE_CHECKING:
    from photosim.electronics.assembly import Placed


def islands(placed: Sequence[Placed]) -> dict[str, str]:
    """Return the island of each node, by the name of one node: those that elements join, ground apart."""
    sets = Joins()
    by_name = {one.name: one for one in placed}
    for one in placed:
        own = touched(one, by_name)
        for node in own:
            sets.join(node, own[0])
    return {node: sets.root(node) for node in sets.parent}


def touched(one: Placed, by_name: Mapping[str, Placed]) -> list[str]:
    """Return the nodes that an element joins into one island, those of elements whose current it uses too."""
    others = [n for name in one.element.branches for n in by_name[f"{one.part}.{name}"].nodes]
    return [node for node in (*one.nodes, *others) if node != GROUND]

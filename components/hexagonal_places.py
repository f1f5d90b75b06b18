"""Where the cells of a hexagonal mesh stand, which of their ends meet, and where light enters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import atan2, pi, sqrt

Hexagon = tuple[int, int]
"""A hexagon by its axial coordinates; those beyond the mesh name the outside along its rim."""
End = tuple[str, str]
"""A cell and one of its ports."""

_AROUND = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))


@dataclass(frozen=True)
class HexagonalPlaces:
    """A mesh of hexagons, `size` along each side: its cells, the ends that meet, and the ports.

    cells: name to the two hexagons that the cell lies between.  ends: (cell, port) to (vertex, hexagon): at
    which of its two vertices, and to which side, that port of a cell lies.  joins: pairs of ends that meet.
    ports: name to the end that is exposed there, clockwise from the lower left.
    """

    size: int
    cells: dict[str, tuple[Hexagon, Hexagon]]
    ends: dict[End, tuple[frozenset[Hexagon], Hexagon]]
    joins: tuple[tuple[End, End], ...]
    ports: dict[str, End]

    @property
    def hexagons(self) -> tuple[Hexagon, ...]:
        """Hexagons of the mesh, all their six sides being cells."""
        return _hexagons(self.size)

    def around(self, hexagon: Hexagon) -> tuple[str, ...]:
        """Names of the six cells round a hexagon, anticlockwise."""
        names = {frozenset(pair): name for name, pair in self.cells.items()}
        return tuple(names[frozenset((hexagon, _add(hexagon, step)))] for step in _AROUND)

    def position(self, corner: frozenset[Hexagon] | tuple[Hexagon, ...]) -> tuple[float, float]:
        """Middle of hexagons, in lengths of a cell: of one its centre, of two a cell's, of three a vertex."""
        places = [_centre(hexagon) for hexagon in corner]
        return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)


@lru_cache(maxsize=8)
def hexagonal_places(size: int) -> HexagonalPlaces:
    """Places of a mesh of hexagons, `size` along each side: 9 size**2 - 3 size cells.

    Cells are numbered in rows from the top, each from the left. A cell's o1 and o4 lie to the right of the
    way from its left to its right end, o2 and o3 to the left of it, so that bar keeps light beside the same
    hexagon. Where three cells meet, their ends are joined beside each of the three hexagons; where only two
    do, at the rim, the two outer ends are ports.
    """
    inside = set(_hexagons(size))
    pairs = {tuple(sorted((hexagon, _add(hexagon, step)))) for hexagon in inside for step in _AROUND}
    ordered = sorted(pairs, key=lambda pair: (-round(_middle(pair)[1], 6), _middle(pair)[0]))
    cells: dict[str, tuple[Hexagon, Hexagon]] = {
        f"c{k}": (pair[0], pair[1]) for k, pair in enumerate(ordered)
    }
    ends: dict[End, tuple[frozenset[Hexagon], Hexagon]] = {}
    for name, (a, b) in cells.items():
        left, right = sorted(_vertices(a, b), key=lambda vertex: _middle(tuple(vertex))[0])
        upper, lower = _sides(a, b, left, right)
        ends |= {
            (name, "o1"): (left, lower), (name, "o2"): (left, upper),
            (name, "o3"): (right, upper), (name, "o4"): (right, lower),
        }  # fmt: skip
    corners: dict[tuple[frozenset[Hexagon], Hexagon], list[End]] = {}
    for end, corner in ends.items():
        corners.setdefault(corner, []).append(end)
    joins = tuple((met[0], met[1]) for met in corners.values() if len(met) == 2)
    open_ends = [(corner, met[0]) for corner, met in corners.items() if len(met) == 1]
    open_ends.sort(key=lambda found: _clockwise(found[0], cells[found[1][0]]))
    ports = {f"o{k}": end for k, (_, end) in enumerate(open_ends, 1)}
    return HexagonalPlaces(size, cells, ends, joins, ports)


def _hexagons(size: int) -> tuple[Hexagon, ...]:
    span = range(1 - size, size)
    return tuple((q, r) for q in span for r in span if abs(q + r) < size)


def _add(hexagon: Hexagon, step: Hexagon) -> Hexagon:
    return hexagon[0] + step[0], hexagon[1] + step[1]


def _vertices(a: Hexagon, b: Hexagon) -> list[frozenset[Hexagon]]:
    """The two ends of the cell between two hexagons, each the three hexagons that meet there."""
    shared = {_add(a, step) for step in _AROUND} & {_add(b, step) for step in _AROUND}
    return [frozenset((a, b, third)) for third in shared]


def _centre(hexagon: Hexagon) -> tuple[float, float]:
    q, r = hexagon
    return 1.5 * q, sqrt(3.0) * (r + q / 2.0)


def _middle(corner: tuple[Hexagon, ...]) -> tuple[float, float]:
    places = [_centre(hexagon) for hexagon in corner]
    return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)


def _sides(
    a: Hexagon, b: Hexagon, left: frozenset[Hexagon], right: frozenset[Hexagon]
) -> tuple[Hexagon, Hexagon]:
    """The hexagons to the left and to the right of the way from the left end of a cell to the right one."""
    (x0, y0), (x1, y1) = _middle(tuple(left)), _middle(tuple(right))
    x, y = _centre(a)
    turn = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
    return (a, b) if turn > 0 else (b, a)


def _clockwise(
    corner: tuple[frozenset[Hexagon], Hexagon], cell: tuple[Hexagon, Hexagon]
) -> tuple[float, float]:
    """Angle clockwise from the lower left of a vertex of the rim, then that of the cell that ends there."""

    def angle(place: tuple[float, float]) -> float:
        return round((-3.0 * pi / 4.0 - atan2(place[1], place[0])) % (2.0 * pi), 9)

    return angle(_middle(tuple(corner[0]))), angle(_middle(cell))

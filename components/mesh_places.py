"""Where the blocks and shifters of a mesh stand, and which shifters warm each other."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

Arrangement = Literal["clements", "reck", "diamond", "butterfly"]
"""Layout of the blocks of a mesh: a rectangle, a triangle, a rhombus, or that of a fast Fourier transform."""

Place = tuple[int, int]
"""Column of a block, counted from the inputs, and the first of the two guides that it joins."""


def clements_places(n: int) -> tuple[Place, ...]:
    """Places of a rectangular mesh: n columns, even ones start at guide 0 and odd ones at guide 1."""
    return tuple((column, mode) for column in range(n) for mode in range(column % 2, n - 1, 2))


def reck_places(n: int) -> tuple[Place, ...]:
    """Places of a triangular mesh: 2n - 3 columns, those at guide m from column m on."""
    return tuple(
        (column, mode)
        for column in range(2 * n - 3)
        for mode in range(column % 2, min(column, 2 * n - 4 - column) + 1, 2)
    )


def diamond_places(n: int) -> tuple[Place, ...]:
    """Places of a rhombus on 2n - 2 guides: the triangle on the last n of them, and its mirror image."""
    return tuple(
        (column, n - 2 + mode)
        for column in range(2 * n - 3)
        for mode in range(-min(column, 2 * n - 4 - column), min(column, 2 * n - 4 - column) + 1, 2)
    )


def butterfly_places(n: int) -> tuple[Place, ...]:
    """Places of columns that join guides 1, 2, 4, ... apart; a guide without partner passes by."""
    return tuple(
        (column, mode)
        for column in range((n - 1).bit_length())
        for mode in range(n - 2**column)
        if mode >> column & 1 == 0
    )


def reach(arrangement: str, column: int) -> int:
    """Distance of the two guides that a block of a column joins."""
    return 2**column if arrangement == "butterfly" else 1


def dark_guides(arrangement: str, n: int) -> int:
    """Number of guides before the first input of a mesh of n, which are dark unless light strays there."""
    return n - 2 if arrangement == "diamond" else 0


PLACES = {
    "clements": clements_places,
    "reck": reck_places,
    "diamond": diamond_places,
    "butterfly": butterfly_places,
}
"""Places of an arrangement by its name, in the order in which light meets the blocks."""


def warm_pairs(arrangement: str, n: int) -> tuple[tuple[str, str], ...]:
    """Pairs of shifters that warm each other, by name: "m0_1.outer", "m0_1.inner", "end2".

    Nearest neighbours: before and after each other on a guide, above and below in a column. Blocks have
    their outer shifter ahead of the inner one, and the output shifters are a column of their own.
    """
    places = PLACES[arrangement](n)
    end, dark = 2 * (1 + max(column for column, _ in places)), dark_guides(arrangement, n)
    names = {(2 * column + 1, mode): f"m{column}_{mode}.inner" for column, mode in places}
    names |= {(2 * column, mode): f"m{column}_{mode}.outer" for column, mode in places}
    names |= {(end, dark + k): f"end{k}" for k in range(n)}
    by_guide, by_column = sorted(names, key=lambda spot: (spot[1], spot[0])), sorted(names)
    pairs = [(a, b) for a, b in pairwise(by_guide) if a[1] == b[1]]
    pairs += [(a, b) for a, b in pairwise(by_column) if a[0] == b[0]]
    return tuple((names[a], names[b]) for a, b in pairs)

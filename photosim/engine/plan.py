"""An elimination plan: a list of steps over slots of a work array, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from photosim.display import Shown, properties, table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.two_way_plan import TwoWay
    from photosim.engine.waves import Request


class EdgeList(Mapping[tuple[int, int], int]):
    """Edges, (from wave, to wave) to the number of the value between, held as arrays.

    A circuit of many parts has millions of them, each of which takes ten times the memory in a dictionary.
    ends: (n, 2), no two alike.  numbers: (n,). Both are kept in half the bytes where no number needs more.
    """

    def __init__(self, ends: NDArray[np.integer], numbers: NDArray[np.integer]) -> None:
        most = max(int(ends.max(initial=0)), int(numbers.max(initial=0)))
        kind = np.int32 if most <= np.iinfo(np.int32).max else np.int64
        self.ends: NDArray[np.integer] = ends.astype(kind, copy=False)
        self.numbers: NDArray[np.integer] = numbers.astype(kind, copy=False)

    @cached_property
    def _table(self) -> dict[tuple[int, int], int]:
        """All of them as a dictionary, which only a search for single edges needs."""
        return dict(zip(self, self.numbers.tolist(), strict=True))

    def __getitem__(self, pair: tuple[int, int]) -> int:
        """Return the number of the value between two waves."""
        return self._table[pair]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield the two waves of each edge."""
        sources, targets = self.ends.T.tolist()
        return zip(sources, targets, strict=True)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.numbers)


def ends_of(edges: Iterable[tuple[int, int]]) -> NDArray[np.integer]:
    """Return the two waves of every edge, (n, 2)."""
    if isinstance(edges, EdgeList):
        return edges.ends
    return np.fromiter(chain.from_iterable(edges), dtype=np.int64).reshape(-1, 2)


def columns_of(edges: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the sources and the targets of all edges, (2, n), as kernels take them: of one kind."""
    return np.ascontiguousarray(ends_of(edges).T, dtype=np.int64)


def numbers_of(edges: Mapping[tuple[int, int], int]) -> NDArray[np.integer]:
    """Return the number of the value of every edge, (n,)."""
    return edges.numbers if isinstance(edges, EdgeList) else np.fromiter(edges.values(), dtype=np.int64)


@dataclass(frozen=True)
class WantedElement:
    """An element to compute: the wave at `output` per wave at `input`, and where it goes in the result.

    `mirror` is the place of the equal element of the reciprocal path, or -1.
    """

    input: int
    output: int
    place: int
    mirror: int = -1


@dataclass(frozen=True)
class Plan(Shown):
    """The steps (see kernels.elimination for their layout), and where results are left.

    `code` holds all steps; `starts` the position of each. `exits` (n, 3) is
    slot, place, mirror of each wanted element. `slots` counts the slots of
    the work array, `products` the complex multiply-adds of one wavelength,
    `removed` the waves that were eliminated, `loops` those among them with a
    path back to themselves, `fill` the elements between waves that elimination
    made, `islands` the sets of waves that no light connects. `costs` gives the
    multiply-adds of each pair of ports.
    """

    code: NDArray[np.int32]
    starts: NDArray[np.int64]
    exits: NDArray[np.int64]
    slots: int
    products: int
    removed: int
    loops: int
    fill: int = 0
    islands: int = 0
    costs: Callable[[], Mapping[str, int]] | None = field(default=None, compare=False, repr=False)

    @property
    def work_bytes(self) -> int:
        """Size of the slots of one wavelength."""
        return 16 * self.slots

    def __repr__(self) -> str:
        """Return the size of the plan in a line."""
        return (
            f"Plan({self.removed} waves eliminated, {self.loops} of them in loops, {self.products} complex "
            f"multiply-adds a wavelength, {len(self.exits)} elements)"
        )

    def html_blocks(self) -> Iterator[str]:
        """Return what a notebook shows: the size of the plan, and the dearest pairs of ports."""
        yield properties(
            "Plan",
            {
                "waves eliminated": f"{self.removed:,}",
                "of them in loops": f"{self.loops:,}",
                "islands": f"{self.islands:,}",
                "complex multiply-adds a wavelength": f"{self.products:,}",
                "elements of fill": f"{self.fill:,}",
                "elements computed": f"{len(self.exits):,}",
                "slots": f"{self.slots:,} ({self.work_bytes / 1024:.3g} KiB a wavelength)",
            },
        )
        pairs = {} if self.costs is None else self.costs()
        if pairs:
            rows = [(name, f"{cost:,}") for name, cost in pairs.items()]
            yield table(("pair of ports", "multiply-adds alone"), rows)

    def explain(self) -> str:
        """Return the plan's size in words, and which pairs of ports cost most where that is known."""
        text = (
            f"{self.removed} waves eliminated ({self.loops} of them in loops) in {self.islands} islands, "
            f"{self.products} complex multiply-adds a wavelength, {self.fill} elements of fill, "
            f"{len(self.exits)} elements computed, {self.slots} slots "
            f"({self.work_bytes / 1024:.3g} KiB a wavelength)"
        )
        pairs = {} if self.costs is None else self.costs()
        lines = [f"  {name}: {cost} multiply-adds alone" for name, cost in pairs.items()]
        return "\n".join([text, *lines])


@dataclass(frozen=True)
class Planned:
    """A request and how it is answered: by sweeps where light runs two ways, or by elimination.

    `make` makes the elimination plan, when that is needed for the first time.
    """

    request: Request
    make: Callable[[], Plan] = field(repr=False)
    two_way: TwoWay | None = None

    @cached_property
    def plan(self) -> Plan:
        """The elimination plan."""
        return self.make()

    @property
    def products(self) -> int:
        """About the complex multiply-adds of one wavelength."""
        return self.plan.products if self.two_way is None else self.two_way.products

"""The equations of an electrical circuit: d/dt (C x + q(x)) + G x + i(x) = B u.

Unknowns x are the voltages of all nodes but ground, then the currents of voltage sources, inductors, lines
and voltages that follow something (modified nodal analysis, ho1975). q and i belong to junctions, i also to
products of voltages, such as the power of a heater, and to what has limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import NetlistError
from photosim.model.elements import GROUND, Element

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

WITH_CURRENT = frozenset({"voltage", "inductance", "voltage_gain", "transresistance"})
"""Elements whose current is an unknown."""
DENSE = 300
"""Most unknowns that are solved with full matrices; more are sparse."""


@dataclass(frozen=True)
class Placed:
    """An element in its circuit: the part that it belongs to, and its nodes by their names in the circuit."""

    part: str
    element: Element
    nodes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the element in the circuit."""
        return f"{self.part}.{self.element.name}"


@dataclass(frozen=True)
class System:
    """The matrices of a circuit.

    nodes: number of each node's voltage among the unknowns.  branches: that of each current, by element.
    conductance, charge: G and C as (rows, columns, values).  inputs: names of the elements that drive,
    columns of B.  resting: their values at rest, (m,).  junctions: (anode, cathode) numbers, -1 being ground,
    and (J, 6) numbers.  products: (a, b, c, d, e, f)
    numbers and gains, a current from a to b of gain v(c, d) v(e, f).  limited: (a, b, c, d) numbers and
    (siemens, ampere).  lines: numbers of (a, b, c, d, current of the
    first port, of the second), impedances and delays.
    """

    nodes: Mapping[str, int]
    branches: Mapping[str, int]
    conductance: tuple[IntArray, IntArray, FloatArray]
    charge: tuple[IntArray, IntArray, FloatArray]
    drive: tuple[IntArray, IntArray, FloatArray]
    inputs: tuple[str, ...]
    resting: FloatArray
    junctions: tuple[IntArray, FloatArray]
    products: tuple[IntArray, FloatArray]
    limited: tuple[IntArray, FloatArray]
    lines: tuple[IntArray, FloatArray]
    placed: tuple[Placed, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return len(self.nodes) + len(self.branches)

    @property
    def linear(self) -> bool:
        """Whether the circuit has no junction, no product of voltages, no limit and no SPICE subcircuit."""
        return not self.spice and not any(
            len(table[0]) for table in (self.junctions, self.products, self.limited)
        )

    @cached_property
    def spice(self) -> bool:
        """Whether a SPICE subcircuit stands in it, so that ngspice solves it."""
        return any(one.element.kind == "spice" for one in self.placed)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Words for the unknowns, in order."""
        voltages = [f"the voltage of {name!r}" for name in self.nodes]
        return (*voltages, *(f"the current of {name!r}" for name in self.branches))

    def matrix(self, which: tuple[IntArray, IntArray, FloatArray], columns: int | None = None) -> FloatArray:
        """Return one of the matrices, full."""
        rows, across, values = which
        found = np.zeros((self.size, self.size if columns is None else columns))
        np.add.at(found, (rows, across), values)
        return found

    def sparse(self, which: tuple[IntArray, IntArray, FloatArray], columns: int | None = None) -> Any:
        """Return one of the matrices, sparse by columns."""
        from scipy.sparse import csc_array

        rows, across, values = which
        shape = (self.size, self.size if columns is None else columns)
        return csc_array((values, (rows, across)), shape=shape)


class _Matrix:
    """Collects the entries of a matrix; those of ground are left out."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []

    def add(self, row: int, column: int, value: float) -> None:
        if row >= 0 and column >= 0 and value != 0.0:
            self.rows.append(row)
            self.columns.append(column)
            self.values.append(value)

    def between(self, rows: Sequence[int], columns: Sequence[int], value: float) -> None:
        """Add a current from the first row's node to the second's that follows the columns' difference."""
        (a, b), (c, d) = rows, columns
        for row, sign in ((a, 1.0), (b, -1.0)):
            self.add(row, c, sign * value)
            self.add(row, d, -sign * value)

    def arrays(self) -> tuple[IntArray, IntArray, FloatArray]:
        whole = [np.array(x, dtype=np.int64) for x in (self.rows, self.columns)]
        return whole[0], whole[1], np.array(self.values, dtype=np.float64)


class _Builder:
    """Stamps elements one after the other."""

    def __init__(self, placed: Sequence[Placed]) -> None:
        self.placed = tuple(placed)
        names = dict.fromkeys(n for one in placed for n in one.nodes if n != GROUND)
        self.nodes = {name: k for k, name in enumerate(names)}
        currents = [one.name for one in placed if one.element.kind in WITH_CURRENT]
        for one in placed:
            if one.element.kind == "line":
                currents += [f"{one.name}:1", f"{one.name}:2"]
        self.branches = {name: len(self.nodes) + k for k, name in enumerate(currents)}
        self.conductance, self.charge, self.drive = _Matrix(), _Matrix(), _Matrix()
        self.inputs: dict[str, float] = {}
        self.henries = {one.name: one.element.values[0] for one in placed if one.element.kind == "inductance"}
        self.junctions: list[tuple[list[int], tuple[float, ...]]] = []
        self.products: list[tuple[list[int], tuple[float, ...]]] = []
        self.limited: list[tuple[list[int], tuple[float, ...]]] = []
        self.lines: list[tuple[list[int], tuple[float, ...]]] = []

    def stamp(self, one: Placed) -> None:
        """Add one element to the equations."""
        ends = [self.nodes.get(name, -1) for name in one.nodes]
        getattr(self, f"_{one.element.kind}")(one, ends, one.element.values)

    def _resistance(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one
        self.conductance.between(ends, ends, 1.0 / values[0])

    def _capacitance(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one
        self.charge.between(ends, ends, values[0])

    def _branch(self, name: str, ends: Sequence[int]) -> int:
        """Add an unknown current between two nodes, and their voltage to its own row; return its number."""
        own = self.branches[name]
        for node, sign in zip(ends[:2], (1.0, -1.0), strict=True):
            self.conductance.add(node, own, sign)
            self.conductance.add(own, node, sign)
        return own

    def _inductance(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        own = self._branch(one.name, ends)
        self.charge.add(own, own, -values[0])

    def _mutual(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del ends
        first, second = (f"{one.part}.{name}" for name in one.element.branches)
        between = values[0] * sqrt(self.henries[first] * self.henries[second])
        for a, b in ((first, second), (second, first)):
            self.charge.add(self.branches[a], self.branches[b], -between)

    def _voltage(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        own = self._branch(one.name, ends)
        self.drive.add(own, self._input(one, values[0]), 1.0)

    def _current(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        column = self._input(one, values[0])
        self.drive.add(ends[0], column, -1.0)
        self.drive.add(ends[1], column, 1.0)

    def _input(self, one: Placed, value: float) -> int:
        self.inputs[one.name] = value
        return len(self.inputs) - 1

    def _voltage_gain(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        own = self._branch(one.name, ends)
        self.conductance.add(own, ends[2], -values[0])
        self.conductance.add(own, ends[3], values[0])

    def _transconductance(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one
        self.conductance.between(ends[:2], ends[2:], values[0])

    def _transresistance(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        own = self._branch(one.name, ends)
        self.conductance.add(own, self.branches[f"{one.part}.{one.element.branches[0]}"], -values[0])

    def _current_gain(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        read = self.branches[f"{one.part}.{one.element.branches[0]}"]
        self.conductance.add(ends[0], read, values[0])
        self.conductance.add(ends[1], read, -values[0])

    def _line(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        """Add the two ports; what arrives from the other end is an input of every solution."""
        numbers = list(ends)
        for k in (0, 1):
            own = self._branch(f"{one.name}:{k + 1}", ends[2 * k : 2 * k + 2])
            numbers.append(own)
        self.lines.append((numbers, values))

    def _junction(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one
        self.junctions.append((ends, values))

    def _noise(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one, ends, values  # the response alone has it

    def _spice(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one, ends, values  # ngspice has it

    def _heating(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one
        a, b, to = ends
        self.products.append(([-1, to, a, b, a, b], (1.0 / values[0],)))

    def _product(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one
        self.products.append((ends, values))

    def _limited(self, one: Placed, ends: list[int], values: tuple[float, ...]) -> None:
        del one
        self.limited.append((ends, values))

    def system(self) -> System:
        """Return what has been stamped."""
        return System(
            self.nodes,
            self.branches,
            self.conductance.arrays(),
            self.charge.arrays(),
            self.drive.arrays(),
            tuple(self.inputs),
            np.array(list(self.inputs.values()), dtype=np.float64),
            _table(self.junctions, 2, 6),
            (_table(self.products, 6, 1)[0], _table(self.products, 6, 1)[1].reshape(-1)),
            _table(self.limited, 4, 2),
            _table(self.lines, 6, 2),
            self.placed,
        )


def _table(
    rows: list[tuple[list[int], tuple[float, ...]]], ends: int, values: int
) -> tuple[IntArray, FloatArray]:
    return (
        np.array([e for e, _ in rows], dtype=np.int64).reshape(-1, ends),
        np.array([v for _, v in rows], dtype=np.float64).reshape(-1, values),
    )


def assemble(placed: Sequence[Placed]) -> System:
    """Return the equations of a circuit of placed elements.

    Raises NetlistError for a resistor of 0 ohm, and for other numbers that have no equation.
    """
    builder = _Builder(placed)
    for one in placed:
        _check(one)
        builder.stamp(one)
    return builder.system()


def _check(one: Placed) -> None:
    kind, values = one.element.kind, one.element.values
    if not all(np.isfinite(values)):
        message = f"Element {one.name!r} has the values {values}, but they must be finite numbers."
        raise NetlistError(message)
    if kind in {"resistance", "heating"} and values[0] == 0.0:
        raise NetlistError(f"The resistance of {one.name!r} is 0 ohm: join its nodes by a net instead.")
    if kind == "line" and not (values[0] > 0.0 and values[1] > 0.0):
        raise NetlistError(f"Line {one.name!r} needs an impedance and a delay above 0, got {values}.")

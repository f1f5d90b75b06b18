"""The S-matrix values of all parts at one point of settings: one flat array, evaluated as needed.

An address table says where each value of each instance starts and how it
steps over batch entries and blocks of wavelengths, so that what does not
depend on wavelength or batch is stored and computed once. The arrays of the
last sweep are kept, while they are small enough: a setting that changes
re-evaluates its own instance.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import TEMPERATURE
from photosim.engine.waves import UNIT_VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.parts import Group, NumericalPart, Parts, Point

REAL_SIZE = 8
ONE_WAVELENGTH = np.ones((1, 1))
"""Stands for the wavelength of values that do not depend on it."""
KEPT_BYTES = 16_000_000
"""Values of a sweep that are kept for the next one; more are computed as fast as they are fetched."""
CALL = 2000
"""Wavelengths whose value is computed in the time that it takes to call a kernel."""


@dataclass
class RowBlock:
    """Instances of one group that share a layout: without or with a batch axis.

    `view` (rows, B, values, orders, 2, W) is their part of the flat array,
    `parameters` (rows, B, P) what it was last evaluated at.
    """

    group: Group
    rows: NDArray[np.int64]
    view: NDArray[np.float64]
    parameters: NDArray[np.float64]

    def fill(self, wl: NDArray[np.float64], parameters: NDArray[np.float64], *, all_rows: bool) -> None:
        """Evaluate the rows whose parameters have changed, or all of them. wl (1, W) or (B, W)."""
        if not all_rows and parameters is self.parameters:
            return
        stale = np.flatnonzero((parameters != self.parameters).any(axis=(1, 2)))
        if all_rows or len(stale) * (CALL + wl.size) > len(self.rows) * wl.size:
            self._evaluate(wl, parameters, self.view)
        else:
            for k in stale.tolist():
                self._evaluate(wl, parameters[k : k + 1], self.view[k : k + 1])
        self.parameters = parameters

    def _evaluate(
        self, wl: NDArray[np.float64], parameters: NDArray[np.float64], view: NDArray[np.float64]
    ) -> None:
        if view.shape[3] > 1:
            self.group.kernel.series(wl, parameters, view)
        else:
            self.group.kernel.evaluate(wl, parameters, view[:, :, :, 0])


@dataclass
class Table:
    """Values of all parts for a chunk of wavelengths, with the address of each value.

    address (values, 6): offset, batch stride, block stride, lane stride,
    distance of the imaginary part, distance of the next Taylor coefficient.
    """

    values: NDArray[np.float64]
    address: NDArray[np.int64]
    row_blocks: list[RowBlock]
    numerical_parts: list[tuple[NumericalPart, NDArray[np.float64]]]
    wl: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    settings: dict[int, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fill(
        self, parts: Parts, point: Point, parameters: Sequence[NDArray[np.float64]], wl: NDArray[np.float64]
    ) -> None:
        """Bring all values up to date for a point and wavelengths wl (W,) or (B, W), W the table's width."""
        before, self.wl = self.wl, np.empty(0)  # until all is done: a part that raises leaves nothing stale
        first = not before.size
        same = not first and np.array_equal(before, wl)
        grids = wl if wl.ndim > 1 else wl[np.newaxis]
        for row_block, wanted in zip(self.row_blocks, parameters, strict=True):
            if row_block.group.kernel.dispersive:
                row_block.fill(grids, wanted, all_rows=not same)
            else:
                row_block.fill(ONE_WAVELENGTH, wanted, all_rows=first)
        for number, (numerical_part, view) in enumerate(self.numerical_parts):
            settings = parts.settings_of(numerical_part.part, point)
            if not same or not _equal(self.settings.get(number), settings):
                _fill_numerical(numerical_part, view, wl, settings)
                self.settings[number] = settings
        self.wl = before if same else wl.copy()


@dataclass(frozen=True)
class Parameters:
    """The parameters of all parts at one point, by pieces, and the size of their values at a wavelength."""

    values: Values
    point: Point
    split: list[tuple[Group, NDArray[np.int64], NDArray[np.float64]]]
    bytes_per_wavelength: int
    lanes: int
    orders: int

    def tables(self, width: int, chunks: int | None = 1) -> Tables:
        """Return the tables of a sweep of so many chunks of `width` wavelengths; None has one a thread."""
        which = tuple((rows.tobytes(), p.shape[1]) for _, rows, p in self.split)
        kept = self.values.kept((width, self.lanes, self.orders, self.point.batch, which))
        apart = chunks is not None and self.bytes_per_wavelength * width * chunks <= KEPT_BYTES
        return Tables(self, width, kept, apart)


@dataclass(frozen=True)
class Tables:
    """The tables of one sweep, made as they are needed.

    Each chunk has its own or, in a sweep too large to keep, each thread.
    """

    parameters: Parameters
    width: int
    kept: dict[int, Table]
    apart: bool

    @contextmanager
    def filled(self, chunk: int, member: int, wl: NDArray[np.float64]) -> Iterator[Table]:
        """Give a table, up to date at the wavelengths wl of a chunk, to a member of the crew alone."""
        table = self._free(chunk if self.apart else member)
        try:
            wanted = [p for _, _, p in self.parameters.split]
            table.fill(self.parameters.values.parts, self.parameters.point, wanted, wl)
            yield table
        finally:
            table.lock.release()

    def _free(self, number: int) -> Table:
        """Return a table that nobody uses, locked."""
        table = self.kept.get(number)
        if table is None or not table.lock.acquire(blocking=False):
            of = self.parameters
            table = of.values.make(of.split, of.point.batch, self.width, of.lanes, of.orders)
            table.lock.acquire()
            self.kept[number] = table
        return table


class Values:
    """Gives out tables; those of the last sweep are kept and used again where their layout fits."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._kept: tuple[Any, dict[int, Table]] = (None, {})

    def at(self, point: Point, lanes: int = 1, orders: int = 1, *, own_grids: bool = False) -> Parameters:
        """Return the parameters of all parts at a point, to run in blocks of `lanes`.

        With `orders` above 1 values are that many Taylor coefficients in wavelength. With `own_grids` each
        batch entry has wavelengths of its own, so every dispersive value has a batch axis.
        """
        split = [(group, *row_block) for group in self.parts.groups for row_block in split_rows(group, point)]
        if own_grids and point.batch > 1:
            split = [
                (g, rows, np.repeat(p, point.batch, axis=1) if g.kernel.dispersive and p.shape[1] == 1 else p)
                for g, rows, p in split
            ]
        size = sum(p.shape[0] * p.shape[1] * g.kernel.values for g, _, p in split if g.kernel.dispersive)
        size += sum(len(s.elements) * point.batch for s in self.parts.numerical_parts)
        return Parameters(self, point, split, 2 * REAL_SIZE * orders * max(1, size), lanes, orders)

    def kept(self, layout: Any) -> dict[int, Table]:
        """Return the tables of that layout which the last sweep left, none if it had another."""
        kept = self._kept  # read once: another thread may sweep with another layout
        if kept[0] != layout:
            kept = self._kept = (layout, {})
        return kept[1]

    def make(
        self, split: Sequence[tuple[Group, Any, Any]], batch: int, width: int, lanes: int, orders: int
    ) -> Table:
        """Return an empty table."""
        address = np.zeros((self.parts.count, 6), dtype=np.int64)
        address[UNIT_VALUE] = (0, 0, 0, 0, 1, 0)
        places = []
        size = 2  # the unit value, 1 + 0i
        for group, rows, parameters in split:
            own = (orders, 2, width) if group.kernel.dispersive else (1, 2, 1)
            shape = (len(rows), parameters.shape[1], group.kernel.values, *own)
            _address_group(address, group, rows, (*shape, lanes), size)
            places.append((size, shape))
            size += int(np.prod(shape))
        numerical_places = []
        for numerical_part in self.parts.numerical_parts:
            numerical_shape = (batch, len(numerical_part.elements), orders, 2, width)
            _address_numerical(address, numerical_part, (*numerical_shape, lanes), size)
            numerical_places.append((size, numerical_shape))
            size += int(np.prod(numerical_shape))
        values = np.zeros(size, dtype=np.float64)
        values[0] = 1.0
        views = [values[at : at + int(np.prod(shape))].reshape(shape) for at, shape in places]
        row_blocks = [
            RowBlock(g, rows, view, np.full_like(p, np.nan))
            for (g, rows, p), view in zip(split, views, strict=True)
        ]
        numerical_parts = [
            (numerical_part, values[at : at + int(np.prod(shape))].reshape(shape))
            for numerical_part, (at, shape) in zip(self.parts.numerical_parts, numerical_places, strict=True)
        ]
        return Table(values, address, row_blocks, numerical_parts)


def group_parameters(group: Group, rows: NDArray[np.int64], point: Point) -> NDArray[np.float64]:
    """Return the parameters (rows, B, P) of some instances at a point, every batch entry written out."""
    out = np.empty((len(group.parts), point.batch, group.parameters.shape[1]), dtype=np.float64)
    for found, parameters in split_rows(group, point):
        out[found] = parameters
    return np.ascontiguousarray(out[rows])


def varied_rows(group: Group, point: Point) -> NDArray[np.int64]:
    """Return the rows of a group whose parameters are arrays at a point."""
    varied = np.zeros(len(group.parts), dtype=bool)
    for (part, _), value in point.changed.items():
        if part in group.rows and np.ndim(value):
            varied[group.rows[part]] = True
    if np.ndim(point.settings.get(TEMPERATURE, 0.0)):
        varied |= group.ambient
    return np.flatnonzero(varied)


def split_rows(group: Group, point: Point) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return (rows, parameters (rows, 1 or B, P)) of the instances without and with a batch at a point."""
    own = [(group.rows[part], p, v) for (part, p), v in point.changed.items() if part in group.rows]
    ambient = TEMPERATURE in point.settings and bool(group.ambient.any())
    if not own and not ambient:
        return [(group.all_rows, group.written)]
    full = group.written.copy()
    if not point.leading:
        if ambient:
            full[group.ambient, :, group.columns[TEMPERATURE]] = point.settings[TEMPERATURE]
        for row, parameter, value in own:
            full[row, :, group.columns[parameter]] = value
        return [(group.all_rows, full)]
    varied = varied_rows(group, point)
    batched = np.repeat(full[varied], point.batch, axis=1)
    position = np.full(len(group.parts), -1)
    position[varied] = np.arange(len(varied))
    if ambient:
        value, column = point.settings[TEMPERATURE], group.columns[TEMPERATURE]
        batched[position[group.ambient & (position >= 0)], :, column] = value
        if not np.ndim(value):
            full[group.ambient, :, column] = value
    for row, parameter, value in own:
        if position[row] >= 0:
            batched[position[row], :, group.columns[parameter]] = value
        else:
            full[row, :, group.columns[parameter]] = value
    if not len(varied):
        return [(group.all_rows, full)]
    fixed = np.flatnonzero(position < 0)
    row_blocks = [(fixed, np.ascontiguousarray(full[fixed]))] if len(fixed) else []
    return [*row_blocks, (varied, batched)]


def _address_group(
    address: NDArray[np.int64], group: Group, rows: NDArray[np.int64], shape: tuple[int, ...], start: int
) -> None:
    """Write the addresses of values stored from `start`.

    shape = (rows, batch, values, orders, parts, wavelengths; lanes of a block).
    """
    _, batch, values, orders, _, width, lanes = shape
    step = orders * 2 * width
    number = np.arange(values)
    at = group.first_value + rows[:, np.newaxis] * values + number
    lane = int(group.kernel.dispersive)
    address[at, 0] = start + (np.arange(len(rows)) * batch * values * step)[:, np.newaxis] + number * step
    address[at, 1:] = (values * step if batch > 1 else 0, lanes * lane, lane, width, 2 * width)


def _address_numerical(
    address: NDArray[np.int64], numerical_part: NumericalPart, shape: tuple[int, ...], start: int
) -> None:
    """Write the addresses of values stored from `start`.

    shape = (batch, elements, orders, parts, wavelengths; lanes of a block).
    """
    batch, elements, orders, _, width, lanes = shape
    step = orders * 2 * width
    rows = address[numerical_part.first_value : numerical_part.first_value + elements]
    rows[:, 0] = start + np.arange(elements) * step
    rows[:, 1:] = (step * elements if batch > 1 else 0, lanes, 1, width, 2 * width)


def _fill_numerical(
    numerical_part: NumericalPart,
    view: NDArray[np.float64],
    wl: NDArray[np.float64],
    settings: dict[str, Any],
) -> None:
    """Evaluate a numerical part by its own function, one batch entry after the other."""
    model: Any = numerical_part.part.model
    to = [a for a, _ in numerical_part.elements]
    source = [b for _, b in numerical_part.elements]
    for b in range(len(view)):
        one = {k: v[b % len(v)] if isinstance(v, np.ndarray) and v.ndim else v for k, v in settings.items()}
        orders = view.shape[2]
        grid = wl[b] if wl.ndim > 1 else wl
        series = model.series(grid, orders, **one) if orders > 1 else model.s(grid, **one)[np.newaxis]
        for order in range(orders):
            picked = series[order][:, to, source].T
            view[b, :, order, 0], view[b, :, order, 1] = picked.real, picked.imag


def _equal(a: dict[str, Any] | None, b: dict[str, Any]) -> bool:
    return a is not None and a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in b)

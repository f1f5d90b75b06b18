"""The S-matrix values of all parts of a circuit, evaluated together.

Instances of one model share one kernel call. Values lie in one flat array;
an address table says where each value of each instance starts and how it
steps over batch entries and blocks of wavelengths, so that what does not
depend on wavelength or batch is stored and computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bindings import TEMPERATURE
from photosim.codegen import Kernels, kernels
from photosim.errors import ParameterError
from photosim.kernels.lanes import LANES
from photosim.model import ClosedForm, Numerical
from photosim.waves import UNIT_VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.graph import Graph, Leaf

REAL_SIZE = 8


@dataclass(frozen=True)
class Group:
    """The instances of one closed-form model: their rows of parameters and where their values are numbered from.

    `parameters` (n, P) holds the settings as written; `given[row]` the names
    that were written, the others follow the defaults.
    """

    model: ClosedForm
    kernel: Kernels
    rows: Mapping[str, int]
    given: tuple[tuple[str, ...], ...]
    parameters: NDArray[np.float64]
    first_value: int

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Leaf names by row."""
        return tuple(self.rows)

    def value(self, row: int, number: int) -> int:
        """Return the circuit's number of a value of one instance."""
        return self.first_value + row * self.kernel.values + number


@dataclass(frozen=True)
class Single:
    """An instance of a numerical model, evaluated by its own function."""

    leaf: Leaf
    elements: tuple[tuple[int, int], ...]
    first_value: int


@dataclass(frozen=True)
class Point:
    """Settings of one call: changed leaf parameters, values shared by all parts, and the size of the batch.

    `changed` maps (leaf name, parameter) to a number or an array (B,).
    `leading` says that arrays were given, so results carry a batch axis.
    `settings` holds what was changed and all that follows from it, by dotted
    name; `overridden` the names that were changed outright.
    """

    changed: Mapping[tuple[str, str], Any]
    batch: int
    leading: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    overridden: frozenset[str] = frozenset()


@dataclass
class Table:
    """Where values lie for one chunk: flat array, addresses, and the jobs that fill it."""

    values: NDArray[np.float64]
    address: NDArray[np.int64]
    jobs: list[tuple[Any, NDArray[np.float64], NDArray[np.float64]]]


class Parts:
    """All leaves of a graph that have an S-matrix, grouped by model."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups: list[Group] = []
        self.singles: list[Single] = []
        self.count = UNIT_VALUE + 1
        by_model: dict[ClosedForm, list[Leaf]] = {}
        for leaf in graph.leaves:
            if isinstance(leaf.model, ClosedForm):
                by_model.setdefault(leaf.model, []).append(leaf)
            elif isinstance(leaf.model, Numerical):
                elements = leaf.model.structure(self._settings(leaf))
                self.singles.append(Single(leaf, elements, self.count))
                self.count += len(elements)
        for model, leaves in by_model.items():
            self.groups.append(self._group(model, leaves))
        self._group_of = {g.model: g for g in self.groups}

    def _settings(self, leaf: Leaf) -> dict[str, Any]:
        return {name: self.graph.bindings.value(f"{leaf.name}.{name}") for name in leaf.given}

    def _group(self, model: ClosedForm, leaves: list[Leaf]) -> Group:
        kernel = kernels(model)
        defaults = [0.0 if p.default is None else float(p.default) for p in model.parameters.values()]
        parameters = np.tile(np.array(defaults, dtype=np.float64), (len(leaves), 1))
        column = {name: k for k, name in enumerate(model.parameters)}
        if TEMPERATURE in column:
            parameters[:, column[TEMPERATURE]] = self.graph.bindings.value(TEMPERATURE)
        for row, leaf in enumerate(leaves):
            for name in leaf.given:
                value = self.graph.bindings.value(f"{leaf.name}.{name}")
                if np.ndim(value) == 0:  # an array is a batch: it reaches the row through the Point of each call
                    parameters[row, column[name]] = value
        rows = {leaf.name: k for k, leaf in enumerate(leaves)}
        group = Group(model, kernel, rows, tuple(leaf.given for leaf in leaves), parameters, self.count)
        self.count += len(leaves) * kernel.values
        return group

    def elements(self) -> Iterator[tuple[Leaf, list[tuple[tuple[int, int], int]]]]:
        """Yield each leaf with its ((to, from) port numbers, value number) pairs."""
        for group in self.groups:
            ports = group.model.ports
            for name, row in group.rows.items():
                leaf = self.graph.leaf(name)
                structure = group.model.structure(self._structural(leaf))
                yield leaf, [
                    ((to, source), group.value(row, group.kernel.value_of[ports[source], ports[to]]))
                    for to, source in structure
                ]
        for single in self.singles:
            yield single.leaf, [(pair, single.first_value + k) for k, pair in enumerate(single.elements)]

    def _structural(self, leaf: Leaf) -> dict[str, Any]:
        bindings = self.graph.bindings
        return {n: bindings.value(f"{leaf.name}.{n}") for n in leaf.given if leaf.model.parameters[n].structural}

    @property
    def reciprocal(self) -> bool:
        """Whether every part is reciprocal."""
        singles = all(s.leaf.model.reciprocal for s in self.singles if isinstance(s.leaf.model, Numerical))
        return singles and all(g.model.reciprocal for g in self.groups)

    # --- evaluation ------------------------------------------------------------------------------

    def point(self, overrides: Mapping[str, Any]) -> Point:
        """Return the leaf parameters that a set of changed settings, by dotted name, leads to.

        Arrays written in the netlist itself count as changed. Raises
        ParameterError when batches of different length meet or a value leaves
        its bounds.
        """
        bindings = self.graph.bindings
        written = {n: v for n, v in bindings.bound.items() if isinstance(v, np.ndarray) and v.ndim}
        values = bindings.evaluate({**written, **overrides}) if written or overrides else {}
        changed: dict[tuple[str, str], Any] = {}
        for name, value in values.items():
            instance, _, parameter = name.rpartition(".")
            index = self.graph.index.get(instance)
            if index is None:
                continue
            leaf = self.graph.leaves[index]
            if parameter in leaf.model.parameters:
                leaf.model.parameters[parameter].check(value, f"instance {instance!r} ({leaf.model.name})")
                changed[instance, parameter] = value
        leading = any(np.ndim(v) for v in values.values())
        return Point(changed, _batch(values), leading, values, frozenset({**written, **overrides}))

    def bytes_per_wavelength(self, point: Point) -> int:
        """Return the size of all values at one wavelength, batch included."""
        size = 0
        for group in self.groups:
            rows = len(group.rows)
            varied = len(self._varied(group, point)) if point.batch > 1 else 0
            size += (rows - varied + varied * point.batch) * group.kernel.values * 2 if group.kernel.dispersive else 0
        size += sum(len(s.elements) * 2 * point.batch for s in self.singles)
        return REAL_SIZE * max(1, size)

    def table(self, point: Point, wavelengths: int) -> Table:
        """Return the layout of all values for chunks of `wavelengths` (a multiple of LANES), with constants filled in."""
        address = np.zeros((self.count, 5), dtype=np.int64)
        jobs: list[tuple[Any, Any, Any]] = []
        pieces: list[tuple[Any, int, NDArray[np.float64], tuple[int, ...]]] = []
        size = 2  # the unit value
        address[UNIT_VALUE] = (0, 0, 0, 0, 1)
        for group in self.groups:
            for rows, parameters in self._split(group, point):
                width = wavelengths if group.kernel.dispersive else 1
                shape = (len(rows), parameters.shape[1], group.kernel.values, 2, width)
                _address_rows(address, group, rows, shape, size, lanes=group.kernel.dispersive)
                pieces.append((group, size, parameters, shape))
                size += int(np.prod(shape))
        for single in self.singles:
            shape = (point.batch, len(single.elements), 2, wavelengths)
            step = 2 * wavelengths
            numbers = np.arange(len(single.elements))
            rows_at = address[single.first_value : single.first_value + len(numbers)]
            rows_at[:, 0] = size + numbers * step
            rows_at[:, 1] = step * len(numbers) if point.batch > 1 else 0
            rows_at[:, 2:] = (LANES, 1, wavelengths)
            pieces.append((single, size, np.empty(0), shape))
            size += int(np.prod(shape))
        values = np.zeros(size, dtype=np.float64)
        values[0] = 1.0
        for piece, start, parameters, shape in pieces:
            view = values[start : start + int(np.prod(shape))].reshape(shape)
            if isinstance(piece, Group) and not piece.kernel.dispersive:
                piece.kernel.evaluate(np.ones(1), parameters, view)
            else:
                jobs.append((piece, parameters, view))
        return Table(values, address, jobs)

    def fill(self, table: Table, wl: NDArray[np.float64], point: Point) -> None:
        """Evaluate everything that depends on wavelength at wl, of the table's chunk length."""
        for piece, parameters, view in table.jobs:
            if isinstance(piece, Group):
                piece.kernel.evaluate(wl, parameters, view)
            else:
                self._fill_single(piece, view, wl, point)

    def _fill_single(self, single: Single, view: NDArray[np.float64], wl: NDArray[np.float64], point: Point) -> None:
        settings = self._settings(single.leaf) | {
            parameter: value for (leaf, parameter), value in point.changed.items() if leaf == single.leaf.name
        }
        to = [a for a, _ in single.elements]
        source = [b for _, b in single.elements]
        for b in range(point.batch):
            one = {k: v[b % len(v)] if isinstance(v, np.ndarray) and v.ndim else v for k, v in settings.items()}
            s = single.leaf.model.s(wl, **one)  # type: ignore[attr-defined]
            picked = s[:, to, source].T
            view[b, :, 0], view[b, :, 1] = picked.real, picked.imag

    def parameters(self, group: Group, rows: list[int], point: Point) -> NDArray[np.float64]:
        """Return the parameters (rows, B, P) of some instances of a group at a point, every batch entry written out."""
        out = np.empty((len(rows), point.batch, group.parameters.shape[1]), dtype=np.float64)
        position = {row: k for k, row in enumerate(rows)}
        for found, parameters in self._split(group, point):
            for k, row in enumerate(found):
                if row in position:
                    out[position[row]] = parameters[k]
        return out

    def _varied(self, group: Group, point: Point) -> list[int]:
        """Return the rows of a group whose parameters are arrays in this call."""
        names = {leaf for (leaf, _), v in point.changed.items() if np.ndim(v) and leaf in group.rows}
        if self._shared_array(group, point):
            return list(group.rows.values())
        return sorted(group.rows[name] for name in names)

    @staticmethod
    def _shared_array(group: Group, point: Point) -> bool:
        return TEMPERATURE in group.model.parameters and bool(np.ndim(point.settings.get(TEMPERATURE, 0.0)))

    def _split(self, group: Group, point: Point) -> Iterable[tuple[list[int], NDArray[np.float64]]]:
        """Return (rows, parameters (n, 1 or B, P)) of the instances without and with a batch in this call."""
        column = {name: k for k, name in enumerate(group.model.parameters)}
        varied = self._varied(group, point)
        apart = set(varied)
        fixed = [row for row in range(len(group.rows)) if row not in apart]
        full = group.parameters
        own = [(leaf, p, v) for (leaf, p), v in point.changed.items() if leaf in group.rows]
        if own or TEMPERATURE in point.settings:
            full = full.copy()
        batched = np.repeat(full[varied][:, np.newaxis, :], point.batch, axis=1)
        if TEMPERATURE in point.settings and TEMPERATURE in column:
            follows = [row for row in range(len(group.rows)) if TEMPERATURE not in group.given[row]]
            value = point.settings[TEMPERATURE]
            if np.ndim(value):
                at = [varied.index(row) for row in follows]
                batched[at, :, column[TEMPERATURE]] = value
            else:
                full[follows, column[TEMPERATURE]] = value
                batched[[varied.index(r) for r in follows if r in apart], :, column[TEMPERATURE]] = value
        position = {row: k for k, row in enumerate(varied)}
        for leaf, parameter, value in own:
            row = group.rows[leaf]
            if row in apart:
                batched[position[row], :, column[parameter]] = value
            else:
                full[row, column[parameter]] = value
        pieces = []
        if fixed:
            pieces.append((fixed, np.ascontiguousarray(full[fixed][:, np.newaxis, :])))
        if varied:
            pieces.append((varied, np.ascontiguousarray(batched)))
        return pieces


def _address_rows(  # noqa: PLR0913 - one row of the layout
    address: NDArray[np.int64], group: Group, rows: list[int], shape: tuple[int, ...], start: int, *, lanes: bool
) -> None:
    """Write the addresses of a group's values, stored as (rows, batch, value, part, wavelength) from `start`."""
    _, batch, values, _, width = shape
    row, number = np.meshgrid(np.arange(len(rows)), np.arange(values), indexing="ij")
    at = group.first_value + np.asarray(rows)[row] * values + number
    step = 2 * width
    address[at, 0] = start + row * batch * values * step + number * step
    address[at, 1] = values * step if batch > 1 else 0
    address[at, 2] = LANES if lanes else 0
    address[at, 3] = 1 if lanes else 0
    address[at, 4] = width


def _batch(values: Mapping[str, Any]) -> int:
    """Return the length that all array values share, 1 if there are none."""
    sizes: dict[int, str] = {}
    for name, value in values.items():
        array = np.asarray(value)
        if array.ndim > 1:
            message = f"Setting {name!r} has shape {array.shape}: a batch of settings has one axis."
            raise ParameterError(message)
        if array.ndim:
            sizes.setdefault(len(array), name)
    sizes.pop(1, None)
    if len(sizes) > 1:
        (first, a), (second, b) = list(sizes.items())[:2]
        message = f"Settings {a!r} and {b!r} hold {first} and {second} values: all arrays must have one length."
        raise ParameterError(message)
    return next(iter(sizes), 1)

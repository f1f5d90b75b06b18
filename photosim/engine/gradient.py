"""From derivatives by S-matrix values to derivatives by settings.

The plan run in reverse gives dL/dS of every value of every part; the partials
generated from the formulas carry that to the parameters of the parts, and the
expressions of the netlist to the settings a person has named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import TEMPERATURE, owner
from photosim.engine.trapped import NEARLY_SINGULAR, pull_again
from photosim.engine.two_way import Collector, Tables, reverse_planned
from photosim.engine.values import group_parameters
from photosim.errors import ParameterError
from photosim.kernels.chain import contract
from photosim.memory import require_memory
from photosim.model import ClosedForm, Nonlinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Graph
    from photosim.engine.parts import Group, Parts, Point
    from photosim.engine.plan import Planned


@dataclass(frozen=True)
class Derivatives:
    """The rows and columns of one group's parameters whose derivatives a target needs."""

    group: Group
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    first_values: NDArray[np.int64]


@dataclass(frozen=True)
class Target:
    """Settings to differentiate by, prepared once: where each is found among the parameters of the parts.

    The derivatives of all rows and columns in `asked` are one list, row after
    row; `places` maps the dotted name of a part's parameter to its number
    there. `order` has the numbers of `names`, -1 where no part has one.
    `follows` says that some settings act through expressions, `ambient` that some act through the
    circuit's temperature.
    """

    names: tuple[str, ...]
    derivatives: tuple[Derivatives, ...]
    places: Mapping[str, int]
    order: NDArray[np.int64]
    follows: bool
    ambient: bool

    def check_memory(self, point: Point, points: int, *, summed: bool) -> None:
        """Raise ParameterError where derivatives at so many wavelengths need more memory than there is."""
        number = sum(len(a.rows) * len(a.columns) for a in self.derivatives)
        # Tables of the parts, one list of them all, and of it what was requested.
        each = 8.0 if summed else 24.0
        what = f"Derivatives by {number:,} parameters of parts at {point.batch * points:,} points"
        instead = "ask for fewer wavelengths, samples or parameters at a time"
        require_memory(each * number * point.batch * points, what, instead)


def prepare(graph: Graph, parts: Parts, names: Sequence[str]) -> Target:
    """Return the target for settings by dotted name.

    Raises ParameterError for a setting of a part that has no formula.
    """
    followers = graph.bindings.affected(names)
    wanted = dict.fromkeys([*names, *followers])
    rows: dict[int, dict[int, None]] = {}
    columns: dict[int, dict[str, None]] = {}
    own_rows = []
    number = {id(group.model): k for k, group in enumerate(parts.groups)}
    for name in wanted:
        instance, parameter = owner(name)
        index = graph.index.get(instance)
        if index is None:
            continue
        model = graph.parts[index].model
        if isinstance(model, Nonlinear) and name not in names:
            continue  # what follows a setting there acts on no wave of a linear island
        if not isinstance(model, ClosedForm):
            message = (
                f"Cannot differentiate by {name!r}: component {model.name} is not a closed-form formula."
            )
            raise ParameterError(message)
        k = number[id(model)]
        rows.setdefault(k, {})[parts.groups[k].rows[instance]] = None
        columns.setdefault(k, {})[parameter] = None
        own_rows.append((name, k, parts.groups[k].rows[instance], parameter))
    if TEMPERATURE in wanted:
        _refuse_numerical(parts)
        for k, group in enumerate(parts.groups):
            if group.ambient.any():
                rows.setdefault(k, {}).update(dict.fromkeys(np.flatnonzero(group.ambient).tolist()))
                columns.setdefault(k, {})[TEMPERATURE] = None
    derivatives: list[Derivatives] = []
    places: dict[str, int] = {}
    size = 0
    for k, wanted_rows in rows.items():
        group = parts.groups[k]
        chosen = np.array(list(wanted_rows), dtype=np.int64)
        by = np.array([group.columns[name] for name in columns[k]], dtype=np.int64)
        derivatives.append(Derivatives(group, chosen, by, group.first_value + chosen * group.kernel.values))
        row_at = {row: i for i, row in enumerate(wanted_rows)}
        column_at = {name: i for i, name in enumerate(columns[k])}
        own = [(name, row, parameter) for name, group_number, row, parameter in own_rows if group_number == k]
        places |= {name: size + row_at[row] * len(by) + column_at[p] for name, row, p in own}
        size += len(chosen) * len(by)
    order = np.array([places.get(name, -1) for name in names], dtype=np.int64)
    ambient = TEMPERATURE in wanted
    return Target(tuple(names), tuple(derivatives), places, order, bool(followers) or ambient, ambient)


def _refuse_numerical(parts: Parts) -> None:
    """Raise ParameterError for a part that follows the circuit's temperature and has no formula."""
    for numerical in (n.part for n in parts.numerical_parts):
        if TEMPERATURE in numerical.model.parameters and TEMPERATURE not in numerical.written:
            message = (
                f"Cannot differentiate by the circuit's temperature: instance {numerical.name!r} "
                f"({numerical.model.name}) follows it and is not a closed-form formula."
            )
            raise ParameterError(message)


def pull_back(
    graph: Graph,
    parts: Parts,
    planned: Planned,
    target: Target,
    point: Point,
    wl: NDArray[np.float64],
    cotangent: NDArray[np.complex128],
    *,
    summed: bool = False,
) -> NDArray[np.float64]:
    """Return dL/dname for all names of a target, shape (names, B, W), from the cotangent of a result.

    `cotangent` (..., W, n_out, n_in) holds dL/dRe + i dL/dIm; the plan keeps
    all its slots. With `summed` the wavelengths are added up, W = 1.
    """
    parameters = [group_parameters(a.group, a.rows, point) for a in target.derivatives]

    def collect(
        into: Tables, start: int, count: int, chunk: NDArray[np.float64], slopes: NDArray[np.float64]
    ) -> None:
        for a, table, values in zip(target.derivatives, into, parameters, strict=True):
            shape = (*values.shape[:2], values.shape[2] + 1, a.group.kernel.values, 2, len(chunk))
            partials = np.empty(shape, dtype=np.float64)
            a.group.kernel.partials(chunk[np.newaxis], values, partials)
            contract(partials, slopes, a.first_values, a.columns, table[..., start : start + count])

    def empty(points: int) -> Tables:
        return [np.zeros((len(a.rows), point.batch, len(a.columns), points)) for a in target.derivatives]

    flat = np.moveaxis(cotangent, -3, -1).reshape(point.batch, -1, len(wl))
    tables, smallest = reverse_planned(parts, planned, point, wl, flat, Collector(empty, collect))
    flagged = np.flatnonzero((smallest < NEARLY_SINGULAR).any(axis=0))
    if len(flagged) and planned.plan.loops:
        for number, slopes in pull_again(parts, planned.request, point, wl, flagged, flat):
            collect(tables, number, 1, wl[number : number + 1], slopes)
    if summed:  # before expressions are followed: their slopes are the same at all wavelengths
        tables = [table.sum(axis=-1, keepdims=True) for table in tables]
    shape = (point.batch, 1 if summed else len(wl))
    pieces = [np.swapaxes(table, 1, 2).reshape(-1, *shape) for table in tables]
    listed = np.concatenate([*pieces, np.zeros((1, *shape))])  # the last stands for what no part follows
    if not target.follows:
        return np.asarray(listed[target.order])
    found: dict[str, Any] = {name: listed[number] for name, number in target.places.items()}
    if target.ambient:
        found[TEMPERATURE] = sum(
            _ambient(a, table) for a, table in zip(target.derivatives, tables, strict=True)
        )
    found = graph.bindings.pull_back(found, target.names, point.settings, point.set_directly)
    return np.array([np.broadcast_to(found[name], shape) for name in target.names])


def _ambient(derivatives: Derivatives, table: NDArray[np.float64]) -> Any:
    """Return the derivative by the circuit's temperature through the parts that take it, (B, W)."""
    if TEMPERATURE not in derivatives.group.columns:
        return 0.0
    column = np.flatnonzero(derivatives.columns == derivatives.group.columns[TEMPERATURE])
    seen = derivatives.group.ambient[derivatives.rows]
    return table[seen][:, :, column].sum(axis=(0, 2))

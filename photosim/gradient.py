"""From derivatives by S-matrix values to derivatives by settings.

The plan run in reverse gives dL/dS of every value of every part; the partials
generated from the formulas carry that to the parameters of the parts, and the
expressions of the netlist to the settings a person has named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bindings import TEMPERATURE
from photosim.errors import ParameterError
from photosim.model import ClosedForm
from photosim.solve import solve_reverse
from photosim.values import group_parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.compiled import Compiled
    from photosim.parts import Group, Parts, Point
    from photosim.plan import Plan


def pull_back(
    compiled: Compiled,
    plan: Plan,
    point: Point,
    wl: NDArray[np.float64],
    cotangent: NDArray[np.complex128],
    names: Sequence[str],
) -> dict[str, NDArray[np.float64]]:
    """Return dL/dname at each wavelength, shape (W,) or (B, W), from the cotangent of a result.

    `cotangent` (..., W, n_out, n_in) holds dL/dRe + i dL/dIm. Raises
    ParameterError for a setting of a part that has no formula.
    """
    parts, bindings = compiled.parts, compiled.graph.bindings
    reached = {*names, *bindings.affected(names)}
    wanted = _leaf_parameters(compiled, reached)
    slopes = {f"{leaf}.{parameter}": np.zeros((point.batch, len(wl))) for _, leaf, parameter in wanted}
    if TEMPERATURE in reached:
        slopes[TEMPERATURE] = np.zeros((point.batch, len(wl)))
    rows = _rows_by_group(wanted, parts, everyone=TEMPERATURE in reached)

    def collect(start: int, count: int, chunk: NDArray[np.float64], by_value: NDArray[np.float64]) -> None:
        for group, chosen, columns in rows:
            by_parameter = _by_parameter(group, chosen, columns, point, chunk, by_value)[..., :count]
            for row, table in zip(chosen, by_parameter, strict=True):
                _add(slopes, group, row, columns, table, slice(start, start + count))

    flat = np.moveaxis(cotangent, -3, -1)
    flat = flat.reshape(point.batch, -1, len(wl))
    solve_reverse(parts, plan, point, wl, flat, collect)
    result = bindings.pull_back(slopes, names, point.settings, point.overridden)
    full = {name: np.broadcast_to(slope, (point.batch, len(wl))) for name, slope in result.items()}
    return full if point.leading else {name: slope[0] for name, slope in full.items()}


def _leaf_parameters(compiled: Compiled, names: set[str]) -> list[tuple[Any, str, str]]:
    """Return (model, leaf, parameter) of the names that are settings of a part."""
    found = []
    for name in names:
        instance, _, parameter = name.rpartition(".")
        index = compiled.graph.index.get(instance)
        if index is None:
            continue
        model = compiled.graph.leaves[index].model
        if not isinstance(model, ClosedForm):
            message = (
                f"Setting {name!r} belongs to a {model.name}, which is no formula and has no derivative."
            )
            raise ParameterError(message)
        found.append((model, instance, parameter))
    return found


def _rows_by_group(
    wanted: list[tuple[Any, str, str]], parts: Parts, *, everyone: bool
) -> list[tuple[Group, list[int], list[int]]]:
    """Return each group with the rows and parameter columns whose partial derivatives are needed."""
    rows: dict[int, set[int]] = {}
    columns: dict[int, set[str]] = {}
    group_of = {group.model: k for k, group in enumerate(parts.groups)}
    for model, leaf, parameter in wanted:
        k = group_of[model]
        rows.setdefault(k, set()).add(parts.groups[k].rows[leaf])
        columns.setdefault(k, set()).add(parameter)
    if everyone:
        for k, group in enumerate(parts.groups):
            if TEMPERATURE in group.model.parameters:
                rows[k] = set(group.rows.values())
                columns.setdefault(k, set()).add(TEMPERATURE)
    number = {k: {name: c for c, name in enumerate(parts.groups[k].model.parameters)} for k in rows}
    return [(parts.groups[k], sorted(rows[k]), sorted(number[k][n] for n in columns[k])) for k in rows]


def _by_parameter(
    group: Group,
    rows: list[int],
    columns: list[int],
    point: Point,
    wl: NDArray[np.float64],
    by_value: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return dL/dparameter (rows, B, columns, W) of some instances, from dL/dvalue (B, values, 2, W)."""
    parameters = group_parameters(group, rows, point)
    shape = (len(rows), parameters.shape[1], parameters.shape[2] + 1, group.kernel.values, 2, len(wl))
    partials = np.empty(shape, dtype=np.float64)
    group.kernel.partials(wl, parameters, partials)
    first = np.array([group.value(row, 0) for row in rows])
    numbers = first[:, np.newaxis] + np.arange(group.kernel.values)
    slopes = by_value[:, numbers].swapaxes(0, 1)[:, :, np.newaxis]  # (rows, B, 1, values, 2, W)
    # A reflection that is off has an infinite slope (a square root at 0) and no element to act through.
    acting = (slopes != 0).any(axis=(1, 5), keepdims=True)
    products: NDArray[np.float64] = np.where(acting, partials[:, :, columns] * slopes, 0.0)
    return np.asarray(products.sum(axis=(3, 4)))


def _add(
    slopes: dict[str, NDArray[np.float64]],
    group: Group,
    row: int,
    columns: list[int],
    table: NDArray[np.float64],
    where: slice,
) -> None:
    """Add the derivatives (B, columns, W) of one instance to those that were asked for."""
    leaf, names = group.names[row], tuple(group.model.parameters)
    for k, column in enumerate(columns):
        name = f"{leaf}.{names[column]}"
        if name in slopes:
            slopes[name][:, where] += table[:, k]
        if names[column] == TEMPERATURE and TEMPERATURE in slopes and TEMPERATURE not in group.given[row]:
            slopes[TEMPERATURE][:, where] += table[:, k]

"""The parts of a circuit, grouped by model, and their parameters at one point of settings.

Instances of one model form a group that shares one kernel; every S-matrix
value of every part has a number. Where the values lie and when they are
evaluated again is the business of photosim.engine.values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from photosim.engine.bindings import TEMPERATURE, Scoped, owner
from photosim.engine.values import Values
from photosim.engine.waves import UNIT_VALUE
from photosim.errors import ParameterError, listing
from photosim.model import ClosedForm, Model, Numerical
from photosim.model.codegen import Kernels, kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.converters import Drive
    from photosim.engine.graph import Graph, Part


Pattern: TypeAlias = tuple[tuple[int, int], ...]
"""The (to, from) port numbers of the elements of a part that can be non-zero."""

LIBRARY = "photosim.components"


@dataclass(frozen=True)
class Group:
    """The instances of one closed-form model: one row of parameters each, and their first S-matrix element.

    `parameters` (n, P) holds the settings as written; `first_ports` (n,) the number of each row's first port.
    """

    model: ClosedForm
    kernel: Kernels
    parts: tuple[Part, ...]
    parameters: NDArray[np.float64]
    first_value: int
    first_ports: NDArray[np.int64]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Part names by row."""
        return tuple(part.name for part in self.parts)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Rows by the name of the part."""
        return {part.name: k for k, part in enumerate(self.parts)}

    @cached_property
    def columns(self) -> dict[str, int]:
        """Parameter names to their column."""
        return {name: k for k, name in enumerate(self.model.parameters)}

    @cached_property
    def all_rows(self) -> NDArray[np.int64]:
        """The number of every row, shape (n,)."""
        return np.arange(len(self.parts))

    @cached_property
    def written(self) -> NDArray[np.float64]:
        """The parameters as written with an axis for a batch of one, (n, 1, P): always the same object."""
        return self.parameters[:, np.newaxis]

    @cached_property
    def ambient(self) -> NDArray[np.bool_]:
        """Whether each row takes the circuit's temperature, having been given none of its own, shape (n,)."""
        sees = TEMPERATURE in self.model.parameters
        return np.array([sees and TEMPERATURE not in part.written for part in self.parts], dtype=bool)


@dataclass(frozen=True)
class NumericalPart:
    """An instance of a numerical model, evaluated by its own function."""

    part: Part
    elements: tuple[tuple[int, int], ...]
    first_value: int


@dataclass(frozen=True)
class Point:
    """Settings of one call: changed part parameters, values shared by all parts, and the size of the batch.

    `changed` maps (part name, parameter) to a number or an array (B,).
    `leading` says that arrays were given, so results carry a batch axis.
    `settings` holds what was changed and all that follows from it, by dotted
    name; `set_directly` the names that the call itself set. `drives` is what
    wired converters put in, at a point of a circuit under its own light.
    """

    changed: Mapping[tuple[str, str], Any]
    batch: int
    leading: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    set_directly: frozenset[str] = frozenset()
    drives: tuple[Drive, ...] = ()

    @cached_property
    def of_part(self) -> dict[str, dict[str, Any]]:
        """What is changed, by part name: parameter to value."""
        found: dict[str, dict[str, Any]] = {}
        for (name, parameter), value in self.changed.items():
            found.setdefault(name, {})[parameter] = value
        return found

    def part_of_batch(self, first: int, last: int) -> Point:
        """Return the point of the batch entries first to last, the last one excluded."""
        return self._cut(slice(first, last), last - first)

    def entries(self, numbers: NDArray[np.int64]) -> Point:
        """Return the point of some batch entries."""
        return self._cut(numbers, len(numbers))

    def _cut(self, chosen: Any, batch: int) -> Point:
        def cut(value: Any) -> Any:
            return value[chosen] if np.ndim(value) and len(value) > 1 else value

        changed = {key: cut(value) for key, value in self.changed.items()}
        settings = {name: cut(value) for name, value in self.settings.items()}
        return replace(self, changed=changed, settings=settings, batch=batch)


class Parts:
    """All parts of a graph that have an S-matrix, grouped by model."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups: list[Group] = []
        self.numerical_parts: list[NumericalPart] = []
        self.count = UNIT_VALUE + 1
        by_model: dict[ClosedForm, list[Part]] = {}
        for part in graph.parts:
            if isinstance(part.model, ClosedForm):
                by_model.setdefault(part.model, []).append(part)
            elif isinstance(part.model, Numerical):
                elements = part.model.structure(graph.settings_of(part))
                self.numerical_parts.append(NumericalPart(part, elements, self.count))
                self.count += len(elements)
        for model, parts in by_model.items():
            self.groups.append(self._group(model, parts))
        self.values = Values(self)
        self._written_arrays = {
            n: v for n, v in graph.bindings.own.items() if isinstance(v, np.ndarray) and v.ndim
        }

    def _group(self, model: ClosedForm, parts: list[Part]) -> Group:
        kernel = kernels(model)
        defaults = [0.0 if p.default is None else float(p.default) for p in model.parameters.values()]
        parameters = np.tile(np.array(defaults, dtype=np.float64), (len(parts), 1))
        column = {name: k for k, name in enumerate(model.parameters)}
        if TEMPERATURE in column:
            warm = self.graph.bindings.value(TEMPERATURE)
            if np.ndim(warm) == 0:  # a batch reaches the rows through the Point of each call, as below
                parameters[:, column[TEMPERATURE]] = warm
        equal: dict[tuple[str, ...], list[int]] = {}
        for row, part in enumerate(parts):
            if part.numbers is not None:
                equal.setdefault(part.written, []).append(row)
                continue
            for name in part.written:
                value = self.graph.bindings.value(f"{part.name}.{name}")
                if (
                    np.ndim(value) == 0
                ):  # an array is a batch: it reaches the row through the Point of each call
                    parameters[row, column[name]] = value
        for names, rows in equal.items():
            columns = [column[name] for name in names]
            numbers = np.array([parts[row].numbers for row in rows], dtype=np.float64)
            parameters[np.ix_(rows, columns)] = numbers.reshape(len(rows), len(columns))
        first_ports = np.array([part.first_port for part in parts], dtype=np.int64)
        group = Group(model, kernel, tuple(parts), parameters, self.count, first_ports)
        self.count += len(parts) * kernel.values
        return group

    def elements(self) -> NDArray[np.int64]:
        """Return the elements of all parts, (n, 3): port light arrives at, port it leaves, value's number."""
        found = [np.empty((0, 3), dtype=np.int64)]
        for group in self.groups:
            found += [self._elements(group, pattern, rows) for pattern, rows in self._patterns(group).items()]
        for numerical_part in self.numerical_parts:
            to_from = numerical_part.part.first_port + np.array(
                numerical_part.elements, dtype=np.int64
            ).reshape(-1, 2)
            numbers = numerical_part.first_value + np.arange(len(to_from))
            found.append(np.column_stack([to_from[:, ::-1], numbers]))
        return np.concatenate(found)

    def _elements(self, group: Group, pattern: Pattern, rows: list[int]) -> NDArray[np.int64]:
        """Return the elements of the rows of a group that share a pattern."""
        ports, values = group.model.ports, group.kernel.values
        out = np.empty((len(rows), len(pattern), 3), dtype=np.int64)
        places = np.array(pattern, dtype=np.int64).reshape(-1, 2)
        out[..., :2] = group.first_ports[rows, np.newaxis, np.newaxis] + places[:, ::-1]
        out[..., 2] = group.first_value + np.array(rows)[:, np.newaxis] * values
        numbers = [group.kernel.value_of[ports[source], ports[to]] for to, source in pattern]
        out[..., 2] += np.array(numbers, dtype=np.int64)  # a dark part has none, and an empty list is float
        return out.reshape(-1, 3)

    def _patterns(self, group: Group) -> dict[Pattern, list[int]]:
        """Return the rows of a group by the (to, from) port numbers of elements that can be non-zero."""
        switches = {name for name, p in group.model.parameters.items() if p.structural}
        found: dict[Pattern, list[int]] = {}
        plain: list[int] | None = None
        for row, part in enumerate(group.parts):
            own = () if part.numbers is not None or not switches else switches.intersection(part.written)
            if not own:
                if plain is None:
                    plain = found.setdefault(group.model.structure({}), [])
                plain.append(row)
                continue
            settings = {n: self.graph.bindings.value(f"{part.name}.{n}") for n in own}
            found.setdefault(group.model.structure(settings), []).append(row)
        return found

    @cached_property
    def foreign(self) -> frozenset[Model]:
        """The models that come from outside the library, whose formulas nobody has tested."""
        models: set[Model] = {g.model for g in self.groups} | {s.part.model for s in self.numerical_parts}
        return frozenset(m for m in models if not m.module.startswith(LIBRARY))

    @cached_property
    def active(self) -> tuple[Group, ...]:
        """The groups of parts that may amplify."""
        return tuple(group for group in self.groups if group.model.active)

    @property
    def reciprocal(self) -> bool:
        """Whether every part is reciprocal."""
        numerical_parts = all(
            s.part.model.reciprocal_for(self.graph.settings_of(s.part))
            for s in self.numerical_parts
            if isinstance(s.part.model, Numerical)
        )
        return numerical_parts and all(g.model.reciprocal for g in self.groups)

    # --- evaluation ------------------------------------------------------------------------------

    def point(self, overrides: Mapping[str, Any]) -> Point:
        """Return the part parameters that a set of changed settings, by dotted name, leads to.

        Arrays written in the netlist itself count as changed. The settings
        given are within bounds. Raises ParameterError when batches of different
        length meet, or one that follows from them leaves its bounds.
        """
        bindings = self.graph.bindings
        changes = {**self._written_arrays, **overrides}
        values = bindings.evaluate(changes) if changes else {}
        changed: dict[tuple[str, str], Any] = {}
        for name, value in values.items():
            instance, parameter = owner(name)
            index = self.graph.index.get(instance)
            if index is None:
                continue
            part = self.graph.parts[index]
            if parameter in part.model.parameters:
                if name not in changes:
                    self._check_follower(part, parameter, value, changes)
                changed[instance, parameter] = value
        if TEMPERATURE in values:
            self._check_temperature(values[TEMPERATURE])
        leading = any(np.ndim(v) for v in values.values())
        return Point(changed, _batch(values), leading, values, frozenset(changes))

    def _check_follower(self, part: Part, parameter: str, value: Any, changes: Mapping[str, Any]) -> None:
        """Raise ParameterError, naming what was given, where what follows from it leaves its bounds."""
        try:
            part.model.parameters[parameter].check(value, f"instance {part.name!r} ({part.model.name})")
        except ParameterError as error:
            bindings = self.graph.bindings
            scoped = bindings.bound[f"{part.name}.{parameter}"]
            causes = bindings.sources(scoped) & changes.keys() if isinstance(scoped, Scoped) else set()
            message = f"The values of {listing(sorted(causes))} lead out of bounds: {error}"
            raise ParameterError(message) from None

    def _check_temperature(self, value: Any) -> None:
        """Raise ParameterError for a temperature of the circuit that a part of it cannot have."""
        for group in self.groups:
            if group.ambient.any():
                group.model.parameters[TEMPERATURE].check(value, "the circuit")

    def settings_of(self, part: Part, point: Point) -> dict[str, Any]:
        """Return every setting of a part at a point, a number or an array (B,) each.

        Defaults, what the netlist wrote, the circuit's temperature, and what the point changes; that includes
        what wired converters drive where the point is one of `Compiled.driven_at`.
        """
        found = self.graph.settings_of(part)
        if TEMPERATURE in found and TEMPERATURE in point.settings and TEMPERATURE not in part.written:
            found[TEMPERATURE] = point.settings[TEMPERATURE]
        return found | point.of_part.get(part.name, {})


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
        message = (
            f"Settings {a!r} and {b!r} hold {first} and {second} values: all arrays must have one length."
        )
        raise ParameterError(message)
    return next(iter(sizes), 1)

"""A netlist made ready to run: graph, parts, plans, and the settings they take without being made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.ambient import Ambient
from photosim.engine.bindings import TEMPERATURE, flat_settings, no_setting, owner, steps
from photosim.engine.converters import converter_drives
from photosim.engine.electrics import Electrics
from photosim.engine.exclusions import Exclusions, why_fixed
from photosim.engine.flatten import collector_paused, flatten
from photosim.engine.gradient import Target, prepare, pull_back
from photosim.engine.graph import Graph
from photosim.engine.guards import check_finite, check_linear, check_passive, check_stable
from photosim.engine.looping import rest_settings
from photosim.engine.parts import Parts, Point
from photosim.engine.plan import EdgeList, Plan, Planned
from photosim.engine.plan_search import make_plan
from photosim.engine.solve import solve, solve_series
from photosim.engine.trapped import NEARLY_SINGULAR, mend, series_again
from photosim.engine.two_way import solve_planned
from photosim.engine.two_way_plan import planned_request
from photosim.engine.waves import Request, find_wave, matrix_request, one_wave, part_edges, wave_request
from photosim.engine.windows import Told, Windows
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.memory import require_memory
from photosim.model import Netlist
from photosim.model.codegen import ORDERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PAIRS = 36
"""Pairs of ports whose cost a plan still explains one by one."""
MOST_PRODUCTS = 20_000
"""Multiply-adds of a plan that is still made again for each pair, to explain it."""
KEPT_TARGETS = 8
"""Sets of settings to differentiate by that are kept prepared."""


class Compiled:
    """One graph of a netlist and everything that follows from it alone.

    `structural` overrides settings by dotted name, those included that shape
    the graph. Plans are made when first requested and kept. `told` knows what
    has been said about windows of models, and what follows from leaving one.
    """

    def __init__(self, netlist: Netlist, structural: Mapping[str, Any], told: Told | None = None) -> None:
        self.netlist = netlist
        self.structural = dict(structural)
        with collector_paused():
            self.graph: Graph = flatten(netlist, structural)
        self.windows = Windows(self.graph, told or Told())
        self.windows.look_at_written()
        self.exclusions = Exclusions(self.graph)
        self.ambient = Ambient(self.graph)
        self.electrics = Electrics(self.graph)
        self.electrics.check()
        self._plans: dict[Any, Planned] = {}
        self._targets: dict[tuple[str, ...], Target] = {}
        self._rebuilt: dict[str, Compiled] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes as the netlist and its structural settings."""
        return Compiled, (self.netlist, self.structural, self.windows.told)

    def __deepcopy__(self, _memo: dict[int, Any]) -> Compiled:
        """Return itself: nothing in it changes but what it remembers of past work."""
        return self

    @cached_property
    def parts(self) -> Parts:
        """The parts, grouped by model, with their compiled kernels."""
        with collector_paused():
            return Parts(self.graph)

    @cached_property
    def edges(self) -> EdgeList:
        """The edges of the signal-flow graph: (from wave, to wave) to the number of a value."""
        return part_edges(self.graph, self.parts)

    # --- settings ----------------------------------------------------------------------------------

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Every setting by dotted name with its value: the circuit's, composites', and all of all parts."""
        bindings = self.graph.bindings
        table = {name: bindings.value(name) for name in bindings.bound}
        for part in self.graph.parts:
            for name, value in self.graph.settings_of(part).items():
                table.setdefault(f"{part.name}.{name}", value)
        return table

    @cached_property
    def continuous(self) -> frozenset[str]:
        """Names of the settings that can change without a new graph: those with a number to start from."""
        structural = self.graph.structural
        return frozenset(n for n, v in self.parameters.items() if v is not None and n not in structural)

    def at(self, settings: Mapping[str, Any]) -> tuple[Compiled, Point]:
        """Return what to run, and the point to run it at, for nested settings of a call.

        Structural settings give another graph, kept for the next call. Raises
        ParameterError for a setting that does not exist or is out of bounds.
        """
        flat = flat_settings(settings)
        for name in flat:
            if name not in self.parameters and name not in self.graph.structural:
                self._refuse(name)
            flat[name] = self._read(name, flat[name])
        self.exclusions.check(flat)
        structural = {k: v for k, v in flat.items() if k not in self.continuous}
        if not structural:
            return self, self.point(flat)
        wanted = {**self.structural, **structural}
        key = repr(sorted((k, np.asarray(v).tolist()) for k, v in wanted.items()))
        if key not in self._rebuilt:
            self._rebuilt[key] = Compiled(self.netlist, wanted, self.windows.told)
        other = self._rebuilt[key]
        return other, other.point({k: v for k, v in flat.items() if k not in structural})

    def point(self, changes: Mapping[str, Any]) -> Point:
        """Return the point that changed settings by dotted name, none structural, lead to."""
        point = self.parts.point(changes)
        self.ambient.check(point.settings)
        return point

    def driven_at(self, settings: Mapping[str, Any]) -> tuple[Compiled, Point]:
        """Return what to run, and the point, of the circuit under its own light.

        There wired converters drive settings; what they drive takes the place of what the netlist says.
        Raises ParameterError where `settings` give one of those.
        """
        compiled, point = self.at(settings)
        drives = converter_drives(compiled.graph, lambda part: compiled.parts.settings_of(part, point))
        called = flat_settings(settings)
        for drive in drives:
            if drive.name in called:
                message = (
                    f"Setting {drive.name!r} is driven by {drive.converter!r}, which is wired there: set "
                    "the values of the converter, or leave the wire out of the netlist."
                )
                raise ParameterError(message)
        changes = {name: point.settings[name] for name in point.set_directly}
        if drives:
            changes |= {drive.name: drive.value for drive in drives}
            point = replace(compiled.parts.point(changes), drives=drives)
        compiled.electrics.refuse_driven(called)
        if nets := rest_settings(compiled, point):
            point = replace(compiled.parts.point(changes | nets), drives=drives)
        return compiled, point

    def differentiable(self, name: str) -> str:
        """Return the name of a setting that has a derivative; ParameterError with the nearest otherwise."""
        if name not in self.continuous:
            if name not in self.graph.structural and name not in self.parameters:
                raise ParameterError(no_setting(name, filter(self.continuous.__contains__, self.parameters)))
            raise ParameterError(f"Setting {name!r} has no derivative: it {why_fixed(self.graph, name)}.")
        self.exclusions.check([name])
        return name

    def _read(self, name: str, value: Any) -> Any:
        """Return a value in the form that its setting has; ParameterError if it is out of bounds."""
        instance, setting = owner(name)
        number = self.graph.index.get(instance)
        model = self.graph.composites.get(instance) if number is None else self.graph.parts[number].model
        if model is not None and setting in model.parameters:
            return model.parameters[setting].read(value, f"instance {instance!r} ({model.name})")
        if isinstance(value, str) or (isinstance(value, bool) and setting == TEMPERATURE):
            message = f"Setting {name!r} must be a number or an array of numbers, got {value!r}."
            raise ParameterError(message)
        return value

    def _refuse(self, name: str) -> None:
        instance, setting = owner(name)
        own = [inner for outer, inner in map(owner, self.parameters) if outer == instance]
        if own and instance:
            message = f"Instance {instance!r} has no setting {setting!r}. It has: {listing(own, 20)}."
            raise ParameterError(message + did_you_mean(setting, own))
        inside = [inner for outer, inner in map(owner, self.parameters) if outer == name]
        if inside:
            message = (
                f"{name!r} is an instance, which takes its settings by name: {{{inside[0]!r}: ...}}. "
                f"It has: {listing(inside, 20)}."
            )
            raise ParameterError(message)
        tops = sorted({steps(n)[0] for n in self.parameters})
        message = f"The circuit has no setting {name!r}. It has: {listing(tops, 20)}."
        raise ParameterError(message + did_you_mean(name, self.parameters))

    # --- plans ---------------------------------------------------------------------------------------

    def matrix_plan(self, ports: tuple[str, ...], *, keep: bool = False) -> Planned:
        """Return the plan of the S-matrix between exposed ports."""

        def request() -> Request:
            numbers = [self._exposed(p) for p in ports]
            check_linear(self.graph, self.edges, [len(self.graph.partner) + n for n in numbers], numbers)
            return matrix_request(self.graph, self.edges, numbers, reciprocal=self.parts.reciprocal)

        return self._planned(("matrix", ports), request, keep=keep)

    def explained_plan(self, ports: tuple[str, ...]) -> Plan:
        """Return the elimination plan of the S-matrix between exposed ports, with the cost of pairs."""
        planned = self.matrix_plan(ports)
        return replace(planned.plan, costs=lambda: self._costs(ports, planned))

    def _costs(self, ports: tuple[str, ...], planned: Planned) -> dict[str, int]:
        """Return the multiply-adds that each pair of ports, or each input of many, would cost alone."""
        wanted = planned.request.wanted
        if len(wanted) <= MOST_PAIRS and planned.plan.products <= MOST_PRODUCTS:
            groups = {f"{ports[w.place % len(ports)]} to {ports[w.place // len(ports)]}": [w] for w in wanted}
        elif len(ports) <= MOST_PAIRS and planned.plan.products <= MOST_PRODUCTS:
            groups = {
                f"{p} to all": [w for w in wanted if w.place % len(ports) == k] for k, p in enumerate(ports)
            }
        else:
            return {}
        return {
            name: make_plan(planned.request.edges, group).products for name, group in groups.items() if group
        }

    def wave_plan(self, outputs: tuple[str, ...], inputs: tuple[str, ...], *, keep: bool = False) -> Planned:
        """Return the plan of the waves `outputs` per waves `inputs`, named as find_wave has it."""

        def request() -> Request:
            to = [find_wave(self.graph, n, entering=False) for n in outputs]
            source = [find_wave(self.graph, n, entering=True) for n in inputs]
            check_linear(self.graph, self.edges, to, source)
            return wave_request(self.edges, to, source)

        return self._planned(("waves", outputs, inputs), request, keep=keep)

    def _planned(self, key: Any, make_request: Callable[[], Request], *, keep: bool) -> Planned:
        full = (*key, keep)
        if full not in self._plans:
            with collector_paused():
                self._plans[full] = planned_request(self.graph, make_request(), keep=keep)
        return self._plans[full]

    def _exposed(self, port: str) -> int:
        exposed = self.graph.exposed
        if port not in exposed:
            message = f"The circuit exposes no port {port!r}. It has: {listing(exposed, 20)}."
            raise ParameterError(message + did_you_mean(port, exposed))
        return one_wave(self.graph, exposed[port], port)

    def target(self, names: Sequence[str], point: Point, points: int, *, summed: bool = False) -> Target:
        """Return the settings to differentiate by, prepared; the last few are kept.

        Raises ParameterError where their derivatives at so many wavelengths need more memory than there is.
        """
        key = tuple(names)
        found = self._targets.get(key)
        if found is None:
            for name in key:
                self.differentiable(name)
            if len(self._targets) >= KEPT_TARGETS:
                self._targets.clear()  # of any thread: each goes on with the target it has found
            found = self._targets[key] = prepare(self.graph, self.parts, key)
        found.check_memory(point, points, summed=summed)
        return found

    def pull_back(
        self,
        planned: Planned,
        target: Target,
        point: Point,
        wl: NDArray[np.float64],
        cotangent: NDArray[np.complex128],
    ) -> dict[str, NDArray[np.float64]]:
        """Return the derivative by each setting of a target at each wavelength, (..., W)."""
        slopes = pull_back(self.graph, self.parts, planned, target, point, wl, cotangent)
        return dict(zip(target.names, slopes if point.leading else slopes[:, 0], strict=True))

    def pull_back_sums(
        self,
        planned: Planned,
        target: Target,
        point: Point,
        wl: NDArray[np.float64],
        cotangent: NDArray[np.complex128],
    ) -> dict[str, Any]:
        """Return the derivative by each setting of a target, wavelengths added up: a float, or (B,)."""
        sums = pull_back(self.graph, self.parts, planned, target, point, wl, cotangent, summed=True)[..., 0]
        return dict(zip(target.names, sums if point.leading else sums[:, 0].tolist(), strict=True))

    def waves(
        self, outputs: Sequence[str], inputs: Sequence[str], point: Point, wl: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Return the waves `outputs` per waves `inputs` at a point, shape (..., W, n_out, n_in)."""
        planned = self.wave_plan(tuple(outputs), tuple(inputs))
        return self.solve(planned, point, wl, (len(outputs), len(inputs)))

    def solve(
        self, planned: Planned, point: Point, wl: NDArray[np.float64], shape: tuple[int, int]
    ) -> NDArray[np.complex128]:
        """Return the planned elements, shape (..., W, rows, columns), with a batch axis where one was given.

        Raises UnphysicalResult for a part that creates power or has no value, and
        SingularCircuit for a loop that oscillates or has no solution; warns of
        light trapped in a loop that nothing reaches.
        """
        number = float(point.batch) * len(wl) * (20 * shape[0] * shape[1] + 16)
        what = f"{shape[0]} x {shape[1]} elements at {point.batch * len(wl):,} points"
        require_memory(
            number, what, "ask for fewer wavelengths at a time, as circuit.stream does, or fewer ports"
        )
        self.windows.look(point, wl)
        check_passive(self.parts, point, wl)
        check_stable(self.graph, self.parts, self.edges, point, wl)
        out, smallest = solve_planned(self.parts, planned, point, wl, shape[0] * shape[1])
        least = smallest.min()
        if not np.isfinite(least):
            check_finite(self.parts, point, wl[~np.isfinite(smallest).all(axis=0)])
        if not least > NEARLY_SINGULAR and planned.plan.loops:  # nor where it is not a number
            mend(self.parts, planned.request, point, wl, smallest, out, self.netlist.name)
        matrix = out.reshape(len(out), *shape, out.shape[-1]).transpose(0, 3, 1, 2)
        return matrix if point.leading else matrix[0]

    def series(self, ports: tuple[str, ...], point: Point, wl: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the Taylor coefficients of the S-matrix at wl (W,) or (B, W), (ORDERS, ..., W, P, P)."""
        return self._coefficients(self.matrix_plan(ports), point, wl, (len(ports), len(ports)))

    def wave_series(
        self, outputs: tuple[str, ...], inputs: tuple[str, ...], point: Point, wl: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Return the same of `waves`, (ORDERS, ..., W, n_out, n_in)."""
        return self._coefficients(self.wave_plan(outputs, inputs), point, wl, (len(outputs), len(inputs)))

    def _coefficients(
        self, planned: Planned, point: Point, wl: NDArray[np.float64], shape: tuple[int, int]
    ) -> NDArray[np.complex128]:
        plan, request, places = planned.plan, planned.request, shape[0] * shape[1]
        out = solve_series(self.parts, plan, point, wl, places, ORDERS)
        if plan.loops:
            _, smallest = solve(self.parts, plan, point, wl, places)
            series_again(self.parts, request, point, wl, smallest, out, self.netlist.name)
        matrix = np.moveaxis(out.reshape(*out.shape[:2], *shape, -1), -1, 2)
        return matrix if point.leading else matrix[:, 0]

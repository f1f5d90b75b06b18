"""Time-dependent settings: the parts they change, and how those are separated from the linear circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.bindings import TEMPERATURE
from photosim.engine.compiled import Planned
from photosim.engine.plan_search import make_plan
from photosim.engine.waves import leaving, wave_request
from photosim.errors import ParameterError
from photosim.model import ClosedForm, Detector, Electronic, Nonlinear, Numerical, Source
from photosim.model.algebra import NUMPY
from photosim.timedomain.content import bandwidth_of
from photosim.timedomain.cut import Edges, Element, factor_element, matrix_element, part_edges, resonators

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Part
    from photosim.engine.parts import Point

QUASI_STATIC = 0.03
"""Error of a wave, relative to the light, up to which a driven resonator may follow its drive at once."""
_LOOKS = 65
"""Samples of a drive at which a resonator's speed is looked at."""
_CHUNK = 1 << 13
"""Samples for which a driven resonator is solved at a time."""
_TABLE = 4097
"""Points of the table that stands for a part that is not a closed-form formula."""
_STEP_HZ = 1e8
"""Difference of frequency for slopes: narrow against any line, wide against rounding."""


@dataclass(frozen=True)
class Drives:
    """Driven settings at every sample.

    names: the settings.  values: (T,) of each.  base: the point of the first sample.  full: that of all
    samples, driven settings being arrays (T,).  elements: those of driven parts, kept.
    """

    compiled: Compiled
    values: Mapping[str, NDArray[np.float64]]
    base: Point
    full: Point
    sample_rate: float
    elements: dict[Any, dict[tuple[str, str], NDArray[np.complex128]]] = field(
        default_factory=dict, repr=False
    )

    def settings(self, part: Part) -> dict[str, Any]:
        """Return every setting of a part, a number or (T,)."""
        return self.compiled.parts.settings_of(part, self.full)

    def driven(self) -> list[Part]:
        """Return the parts with a setting that changes, in the order of the circuit."""
        names = {part for (part, _), value in self.full.changed.items() if np.ndim(value)}
        if np.ndim(self.full.settings.get(TEMPERATURE, 0.0)):
            names |= {
                part.name
                for part in self.compiled.graph.parts
                if TEMPERATURE in part.model.parameters and TEMPERATURE not in part.written
            }
        return [part for part in self.compiled.graph.parts if part.name in names]


def cut_driven(
    drives: Drives, edges: Edges, carriers: Sequence[float], quasi_static: bool | None
) -> tuple[list[Element], dict[str, str]]:
    """Cut all driven linear parts out of `edges`; return their elements and what was done with each.

    A part that light passes once multiplies what leaves it. In a resonator the whole of it follows its drive
    at once, where that is right to QUASI_STATIC (or `quasi_static` says so); else it stays a loop.
    """
    graph = drives.compiled.graph
    rounds = resonators(graph, edges)
    fresh = 4 * len(graph.partner) + 4
    elements: list[Element] = []
    how: dict[str, str] = {}
    done: set[str] = set()
    for part in drives.driven():
        if isinstance(part.model, Source | Nonlinear | Electronic) or part.name in done:
            continue
        if isinstance(part.model, Detector):
            message = f"A setting of the detector {part.name!r} is driven, but detectors keep theirs."
            raise ParameterError(message)
        ring = next((names for names in rounds if part.name in names), None)
        if ring is not None and quasi_static is not False:
            own: Edges = {}
            for name in sorted(ring):
                own |= part_edges(graph, graph.part(name), edges)
            name = f"resonator of {part.name}"
            element = matrix_element(name, "resonator", sorted(ring), own, dict(edges))
            error = _delay_error(drives, element, carriers)
            if quasi_static or error <= QUASI_STATIC:
                element = matrix_element(name, "resonator", sorted(ring), own, edges)
                elements.append(element)
                done |= ring
                how[part.name] = f"quasi-static with its resonator, error of waves up to {error:.2g}"
                continue
        own = part_edges(graph, part, edges)
        once = len({target for _, target in own}) == len(own)
        settings = drives.settings(part)
        as_factor = once and not _vanishes(drives, part, settings, own, carriers)
        error = _own_error(drives, part, own, carriers, as_factor=as_factor)
        if error > QUASI_STATIC and not quasi_static:
            message = (
                f"Instance {part.name!r} ({part.model.name}) is too slow for its drive to be a factor at "
                f"the carrier: waves would be wrong by {error:.2g} of the light. Slow the drive, take "
                "quasi_static=True, or a part that is stepped: ring_single, or nonlinear_ring in detuning."
            )
            raise ParameterError(message)
        note = f"at the carrier, error of waves up to {error:.2g}"
        if as_factor:
            element = factor_element(part, own, edges, fresh)
            fresh += len(own)
            how[part.name] = f"in its place as a factor {note}"
        else:
            element = matrix_element(part.name, "matrix", (part.name,), own, edges)
            how[part.name] = f"in its place as a matrix {note}"
        elements.append(element)
        done.add(part.name)
    return elements, how


def factors(drives: Drives, element: Element, carriers: Sequence[float]) -> list[NDArray[np.complex128]]:
    """Return the factor of each path of a "factor" element, (C, T) or (C, 1)."""
    part = drives.compiled.graph.part(element.parts[0])
    settings = drives.settings(part)
    rows: list[list[Any]] = [[] for _ in element.edges]
    for carrier in carriers:
        values = _elements(drives, part, settings, carrier)
        for row, pair in zip(rows, _port_pairs(drives, part, element.edges), strict=True):
            row.append(values[pair] / values[pair][0])
    return [np.array(np.broadcast_arrays(*row)) for row in rows]


def matrices(drives: Drives, element: Element, carriers: Sequence[float]) -> NDArray[np.complex128]:
    """Return the matrix of a "matrix" or "resonator" element, (C, T, outs, ins)."""
    if element.kind == "resonator":
        count = next(iter(drives.values.values())).size
        wl = [SPEED_OF_LIGHT_UM_S / f for f in carriers]
        pieces = [_solved(drives, element, wl, slice(a, a + _CHUNK)) for a in range(0, count, _CHUNK)]
        return np.moveaxis(np.concatenate(pieces), 1, 0)
    part = drives.compiled.graph.part(element.parts[0])
    settings = drives.settings(part)
    out = []
    for carrier in carriers:
        values = _elements(drives, part, settings, carrier)
        size = max(v.size for v in values.values())
        s = np.zeros((size, len(element.departures), len(element.arrivals)), dtype=np.complex128)
        for (a, b), pair in zip(element.edges, _port_pairs(drives, part, element.edges), strict=True):
            s[:, element.departures.index(b), element.arrivals.index(a)] += values[pair]
        out.append(s)
    return np.array(out)


def _solved(drives: Drives, element: Element, wl: Sequence[float], samples: slice) -> NDArray[np.complex128]:
    """Return the matrix of a resonator (T', W, outs, ins) for a part of the samples, by its own plan."""
    request = wave_request(dict(element.edges), element.departures, element.arrivals)
    planned = Planned(make_plan(request.edges, request.wanted), request)
    changed = {name: value[samples] for name, value in drives.values.items()}
    kept = drives.base.settings.items()
    rest = {n: v for n, v in kept if n in drives.base.set_directly and n not in changed}
    point = drives.compiled.parts.point({**rest, **changed})
    shape = (len(element.departures), len(element.arrivals))
    return drives.compiled.solve(planned, point, np.array(wl), shape)


def _delay_error(drives: Drives, element: Element, carriers: Sequence[float]) -> float:
    """Return how wrong a resonator that follows at once is: 2 pi bandwidth times the largest |dS/d omega|."""
    count = next(iter(drives.values.values())).size
    few = np.unique(np.linspace(0, count - 1, _LOOKS).astype(int))
    looked = replace(drives, values={n: v[few] for n, v in drives.values.items()})
    wl = [SPEED_OF_LIGHT_UM_S / (f + d) for f in carriers for d in (-_STEP_HZ, _STEP_HZ)]
    s = _solved(looked, element, wl, slice(None))
    slope = np.abs(s[:, 1::2] - s[:, 0::2]).max() / (2 * _STEP_HZ)
    return float(slope * bandwidth_of(list(drives.values.values()), drives.sample_rate))


def _own_error(
    drives: Drives, part: Part, own: Edges, carriers: Sequence[float], *, as_factor: bool
) -> float:
    """Return how wrong a part is that follows its drive at once, by its slope over frequency.

    As a factor only what the drive changes counts: the delay that it has at rest stays in its island.
    """
    count = next(iter(drives.values.values())).size
    few = np.unique(np.linspace(0, count - 1, _LOOKS).astype(int))
    settings = {k: v[few] if np.ndim(v) else v for k, v in drives.settings(part).items()}
    worst = 0.0
    for carrier in carriers:
        sides = [
            _evaluated(part, settings, np.array([SPEED_OF_LIGHT_UM_S / (carrier + d)]))
            for d in (-_STEP_HZ, _STEP_HZ)
        ]
        for pair in _port_pairs(drives, part, own):
            low, high = (side[pair] for side in sides)
            slope = high - low
            if as_factor:
                slope = slope - (low + high) / 2 * (high[0] - low[0]) / ((low[0] + high[0]) / 2)
            worst = max(worst, float(np.abs(slope).max()) / (2 * _STEP_HZ))
    return worst * bandwidth_of(list(drives.values.values()), drives.sample_rate)


def _elements(
    drives: Drives, part: Part, settings: Mapping[str, Any], carrier: float
) -> dict[tuple[str, str], NDArray[np.complex128]]:
    """Return the S-matrix elements of a driven part at a carrier in Hz, (T,) or (1,), by (from, to)."""
    key = (part.name, carrier)
    if key not in drives.elements:
        drives.elements[key] = _evaluated(part, settings, np.array([SPEED_OF_LIGHT_UM_S / carrier]))
    return drives.elements[key]


def _evaluated(
    part: Part, settings: Mapping[str, Any], wl: NDArray[np.float64]
) -> dict[tuple[str, str], NDArray[np.complex128]]:
    """Return the S-matrix elements of a part at a wavelength, (T,) or (1,), by (from, to)."""
    model = part.model
    if isinstance(model, ClosedForm):
        columns = {k: np.asarray(v)[:, np.newaxis] if np.ndim(v) else v for k, v in settings.items()}
        found = model.entries(NUMPY, wl, columns)
        return {pair: np.asarray(v, dtype=np.complex128).reshape(-1) for pair, v in found.items()}
    assert isinstance(model, Numerical)  # noqa: S101 - the only other kind with an S-matrix
    return _tabulated(part, model, settings, wl)


def _tabulated(
    part: Part, model: Numerical, settings: Mapping[str, Any], wl: NDArray[np.float64]
) -> dict[tuple[str, str], NDArray[np.complex128]]:
    """Return the elements of a part that is not a formula, from a table over its one driven setting."""
    from scipy.interpolate import CubicSpline

    moving = [name for name, value in settings.items() if np.ndim(value)]
    if len(moving) > 1:
        message = (
            f"Instance {part.name!r} ({model.name}) is not a formula: one of its settings can be driven, "
            f"not {len(moving)}."
        )
        raise ParameterError(message)
    values = settings[moving[0]]
    places = np.linspace(values.min(), values.max(), _TABLE)
    rows = np.array([model.s(wl, **{**settings, moving[0]: float(v)})[0] for v in places])
    s = CubicSpline(places, rows)(values)
    return {(a, b): s[:, m, n] for n, a in enumerate(part.ports) for m, b in enumerate(part.ports)}


def _port_pairs(drives: Drives, part: Part, own: Mapping[tuple[int, int], int]) -> list[tuple[str, str]]:
    """Return the (from, to) ports of the edges of a part."""
    graph = drives.compiled.graph
    behind = {leaving(graph, part.first_port + k): port for k, port in enumerate(part.ports)}
    return [(part.ports[a - part.first_port], behind[b]) for a, b in own]


def _vanishes(
    drives: Drives, part: Part, settings: Mapping[str, Any], own: Edges, carriers: Sequence[float]
) -> bool:
    """Return whether a path is all but dark at the first sample, so that nothing can be its multiple."""
    for carrier in carriers:
        values = _elements(drives, part, settings, carrier)
        for pair in _port_pairs(drives, part, own):
            if abs(values[pair][0]) <= 1e-6 * max(float(np.abs(values[pair]).max()), 1e-300):
                return True
    return False

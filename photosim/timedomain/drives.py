"""Time-dependent settings: the parts they change, and how those are separated from the linear circuit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.bindings import TEMPERATURE
from photosim.errors import ParameterError
from photosim.model import Detector, Electronic, Network, Nonlinear, Source
from photosim.timedomain.content import moves
from photosim.timedomain.cut import (
    Edges,
    Element,
    factor_element,
    matrix_element,
    nonlinear_paths,
    part_edges,
    resonators,
)
from photosim.timedomain.scattering import part_entries, port_pairs
from photosim.timedomain.spectral import lag, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Part
    from photosim.engine.parts import Point
    from photosim.timedomain.cut import Cut

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

QUASI_STATIC = 0.03
"""Error of a wave, relative to the light, up to which a driven part may follow its drive at once."""
_LEVELS = 256
"""Values of a drive at which a part is evaluated, each where the drive is fastest there."""
_FAINT = 1e-6
"""Part of its largest element below which nothing is a multiple of an element as it is at first."""


@dataclass(frozen=True)
class Drives:
    """Driven settings at every sample.

    values: (T,) of each, those that do not change among them.  base: the point of the first sample.  full:
    that of all samples, settings that change being arrays (T,).  tables: what is kept of driven parts.
    """

    compiled: Compiled
    values: Mapping[str, FloatArray]
    base: Point
    full: Point
    sample_rate: float
    tables: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def moving(self) -> dict[str, FloatArray]:
        """Return the settings that change."""
        return changing(self.values)

    @property
    def samples(self) -> int:
        """Return the number of samples of a driven setting."""
        return next(iter(self.moving.values())).size

    def with_values(self, values: Mapping[str, FloatArray], sample_rate: float) -> Drives:
        """Return the driven settings with other values (N,) of those that change, on another clock."""
        kept = self.base.settings.items()
        rest = {n: v for n, v in kept if n in self.base.set_directly and n not in values}
        full = self.compiled.parts.point({**rest, **values})
        return replace(self, values=values, full=full, sample_rate=sample_rate, tables={})

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

    @cached_property
    def telling(self) -> IntArray:
        """Return instants that have all values of each drive, each where the drive is fastest there."""
        from photosim.kernels.drives import fastest_at

        found: list[IntArray] = [np.array([0], dtype=np.int64)]
        for value in self.moving.values():
            fastest = np.full(_LEVELS + 1, -1, dtype=np.int64)
            fastest_at(value, float(value.min()), float(value.max()), fastest)
            found.append(fastest[fastest >= 0])
        return np.unique(np.concatenate(found))

    def few(self) -> IntArray:
        """Return about 64 of the telling instants, all drives' ends among them."""
        ends = [k for value in self.moving.values() for k in (int(value.argmin()), int(value.argmax()))]
        every = np.linspace(0, self.telling.size - 1, 64).astype(int)
        return np.unique(np.concatenate([[0], ends, self.telling[every]]))


def changing(values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the settings (T,) whose values change."""
    return {name: value for name, value in values.items() if moves(value)}


def cut_driven(
    drives: Drives, edges: Edges, carriers: Sequence[float], beside: Sequence[FloatArray],
    quasi_static: bool | None,
) -> tuple[list[Element], dict[str, str]]:  # fmt: skip
    """Cut all driven linear parts out of `edges`; return their elements and what was done with each.

    A part that light passes once multiplies what leaves it. In a resonator the whole of it follows its drive
    at once, where that is right to QUASI_STATIC (or `quasi_static` says so); else it stays a loop. beside:
    where the light of each carrier lies, in Hz from it.
    """
    graph = drives.compiled.graph
    rounds = resonators(graph, edges)
    turning = set().union(*resonators(graph, {**edges, **nonlinear_paths(graph)}))
    fresh = 4 * len(graph.partner) + 4
    elements: list[Element] = []
    how: dict[str, str] = {}
    done: set[str] = set()
    for part in drives.driven():
        if isinstance(part.model, Source | Nonlinear | Electronic | Network) or part.name in done:
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
            error = _lag(drives, element, carriers, beside)
            if quasi_static or error <= QUASI_STATIC:
                element = matrix_element(name, "resonator", sorted(ring), own, edges)
                elements.append(element)
                done |= ring
                how[part.name] = f"quasi-static with its resonator, error of waves up to {error:.2g}"
                continue
        own = part_edges(graph, part, edges)
        element = matrix_element(part.name, "matrix", (part.name,), own, dict(edges))
        error = _lag(drives, element, carriers, beside)
        if error > QUASI_STATIC and not quasi_static:
            message = (
                f"Instance {part.name!r} ({part.model.name}) is too slow for its drive to act at once: waves "
                f"would be wrong by {error:.2g} of the light. Slow the drive, take quasi_static=True, "
                "or a part that is stepped: ring_single, or nonlinear_ring in detuning."
            )
            raise ParameterError(message)
        note = f"with its spectrum at each instant, error of waves up to {error:.2g}"
        # What is stepped acts as at the carrier: as a factor the part keeps its own delay.
        once = len({target for _, target in own}) == len(own)
        if part.name in turning and once and not _faint(drives, part, own, carriers):
            element = factor_element(part, own, edges, fresh)
            fresh += len(own)
            how[part.name] = f"in its place as a factor {note}"
        else:
            element = matrix_element(part.name, "matrix", (part.name,), own, edges)
            how[part.name] = f"in its place as a matrix {note}"
        elements.append(element)
        done.add(part.name)
    return elements, how


def with_probes(elements: Sequence[Element], probes: Collection[int]) -> list[Element]:
    """Return the elements, resonators also handing out the waves inside them that are probed."""
    from photosim.engine.guards import reached
    from photosim.timedomain.cut import adjacency

    found = []
    for element in elements:
        inner = {b for _, b in element.edges} & set(probes) if element.kind == "resonator" else set()
        more = tuple(sorted(inner - set(element.departures)))
        if more:
            departures = (*element.departures, *more)
            ahead = adjacency(element.edges)
            paths = tuple(
                (i, departures.index(d))
                for i, a in enumerate(element.arrivals)
                for d in sorted(reached(ahead, [a]) & set(departures))
            )
            found.append(replace(element, departures=departures, paths=paths))
        else:
            found.append(element)
    return found


def note_loops(
    drives: Drives, cut: Cut, carriers: Sequence[float], beside: Sequence[FloatArray], how: dict[str, str]
) -> None:
    """Say which driven parts are stepped in loops, where they act as at the carrier.

    Raises ParameterError where that is wrong for light beside it.
    """
    for members in cut.order:
        for element in (cut.elements[k] for k in members if members[0] in cut.loops):
            if element.kind in {"nonlinear", "delay"}:
                continue
            wrong = max(
                spread(drives, element, c, f, drives.few()) for c, f in zip(carriers, beside, strict=True)
            )
            if wrong > QUASI_STATIC:
                message = (
                    f"The driven part {element.name!r} lies in a loop that is simulated step by step with "
                    f"its S-matrix at the carrier: light at other frequencies would be wrong by {wrong:.2g}. "
                    "Use separate carriers (a lower sample rate), or quasi_static=True if its drive "
                    "is slow enough."
                )
                raise ParameterError(message)
            name = element.parts[0] if element.kind != "resonator" else element.name
            how[name] = f"step by step in its loop, as at the carrier to {wrong:.2g}"


def _lag(drives: Drives, element: Element, carriers: Sequence[float], beside: Sequence[FloatArray]) -> float:
    """Return how wrong an element is that follows its drive at once, the largest of all light."""
    return max(
        lag(drives, element, carrier, offsets, drives.telling)
        for carrier, offsets in zip(carriers, beside, strict=True)
    )


def _faint(drives: Drives, part: Part, own: Edges, carriers: Sequence[float]) -> bool:
    """Return whether a path is all but dark at first at a carrier, so that nothing can be its multiple."""
    for carrier in carriers:
        found = part_entries(drives, part, drives.few(), np.array([SPEED_OF_LIGHT_UM_S / carrier]))
        for pair in port_pairs(drives, part, own):
            size = np.abs(found[pair])
            if size[0].min() <= _FAINT * max(float(size.max()), 1e-300):
                return True
    return False

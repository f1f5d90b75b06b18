"""Nonlinear parts of a device: in which order light passes them, and the linear circuit between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import owner
from photosim.engine.guards import reached
from photosim.engine.waves import find_wave, leaving
from photosim.errors import ParameterError
from photosim.model import Nonlinear
from photosim.timedomain.cut import adjacency, nonlinear_paths
from photosim.training.arrays import ComplexArray, FloatArray

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.engine.graph import Part

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Stage:
    """One nonlinear part that light of the inputs reaches.

    arrivals: waves "inst,port:in" where light arrives.  departures: waves "inst,port" that it leaves in.
    paths: (number of an arrival, number of a departure).
    """

    part: str
    component: str
    arrivals: tuple[str, ...]
    departures: tuple[str, ...]
    paths: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Segments:
    """The linear circuit between stages at settings, and what each stage does.

    waves: (T, W, arrivals of all stages and then waves read, inputs and then departures of all stages).
    models, settings: of each stage, settings by name, numbers or (T, 1).  pull: takes the cotangent of
    `waves` and slopes by the settings of stages, (T, 1), to derivatives (T,) by parameter.
    """

    waves: ComplexArray
    models: tuple[Nonlinear, ...]
    settings: tuple[dict[str, Any], ...]
    pull: Callable[[ComplexArray, Mapping[str, Any]], dict[str, FloatArray]]


def nonlinear_stages(circuit: Circuit, inputs: Iterable[str]) -> tuple[Stage, ...]:
    """Return the nonlinear parts that light of waves or sources reaches, in the order in which it does.

    Raises ParameterError, saying what would do, for parts that have no steady state in closed form or shine
    by themselves, and for light that comes back to a part.
    """
    graph = circuit.graph
    parts = [part for part in graph.parts if isinstance(part.model, Nonlinear)]
    if not parts:
        return ()
    ahead = adjacency(circuit.compiled.edges)
    lit = lit_waves(circuit, inputs)
    stages = [_stage(part, lit) for part in parts if _glows(part) or _entered(part, lit)]
    behind = [
        reached(ahead, [leaving(graph, graph.port(*_port(name))) for name in stage.departures])
        for stage in stages
    ]
    enters = [[graph.port(*_port(name)) for name in stage.arrivals] for stage in stages]
    left, order = list(range(len(stages))), []
    while left:
        free = [k for k in left if not any(behind[other].intersection(enters[k]) for other in left)]
        if not free:
            name = next((k for k in left if behind[k].intersection(enters[k])), left[0])
            message = (
                f"Light that leaves instance {stages[name].part!r} ({stages[name].component}) comes back to "
                "a nonlinear part, so that the circuit may have several steady states: ps.transient finds "
                "the one that light comes to; a device is made of a circuit without that loop."
            )
            raise ParameterError(message)
        order += free
        left = [k for k in left if k not in free]
    return tuple(stages[k] for k in order)


def lit_waves(circuit: Circuit, inputs: Iterable[str]) -> set[int]:
    """Return the numbers of all waves that light of some waves reaches, also through nonlinear parts."""
    through = adjacency([*circuit.compiled.edges, *nonlinear_paths(circuit.graph)])
    return reached(through, [find_wave(circuit.graph, name, entering=True) for name in inputs])


def _port(wave: str) -> tuple[str, str]:
    instance, _, port = wave.removesuffix(":in").rpartition(",")
    return instance, port


def _glows(part: Part) -> bool:
    assert isinstance(part.model, Nonlinear)  # noqa: S101 - the caller chose by kind
    return part.model.line is not None


def _entered(part: Part, lit: set[int]) -> bool:
    return any(part.first_port + k in lit for k in range(len(part.ports)))


def _stage(part: Part, lit: set[int]) -> Stage:
    model: Any = part.model
    if model.line is not None or model.steady is None:
        why = "shines by itself" if model.line is not None else "has no steady state in closed form"
        message = (
            f"Instance {part.name!r} ({model.name}) is nonlinear and {why}: a device is made of nonlinear "
            "parts that are declared with `steady`, such as ring_activation, or of the linear circuit on "
            "either side of it; ps.transient has all of them in time."
        )
        raise ParameterError(message)
    number = {port: part.first_port + k for k, port in enumerate(part.ports)}
    paths = [(a, b) for a, b in model.paths if number[a] in lit]
    arrivals, departures = (list(dict.fromkeys(end)) for end in zip(*paths, strict=True))
    return Stage(
        part.name,
        model.name,
        tuple(f"{part.name},{port}:in" for port in arrivals),
        tuple(f"{part.name},{port}" for port in departures),
        tuple((arrivals.index(a), departures.index(b)) for a, b in paths),
    )


def segments(
    circuit: Circuit,
    wl: FloatArray,
    stages: Sequence[Stage],
    ends: tuple[Sequence[str], Sequence[str]],
    parameters: Sequence[str],
    values: Values,
) -> Segments:
    """Return the circuit between stages at settings (T,) by name.

    ends: waves read, and waves that are lit.  parameters: settings by which `pull` has derivatives.
    """
    outputs = [name for stage in stages for name in stage.arrivals] + list(ends[0])
    inputs = list(ends[1]) + [name for stage in stages for name in stage.departures]
    own = {stage.part for stage in stages}
    linear = [name for name in parameters if owner(name)[0] not in own]
    pull_linear: Any = None
    if linear:
        waves, pull_linear = circuit.pullback(wl, outputs, inputs, linear, **values)
    else:
        waves = circuit.transfer(wl, outputs, inputs, **values)
    compiled, point = circuit.at(values)
    bindings = compiled.graph.bindings
    parts: list[Any] = [compiled.graph.part(stage.part) for stage in stages]
    settings = [
        {name: _column(value) for name, value in compiled.parts.settings_of(part, point).items()}
        for part in parts
    ]
    models = tuple(part.model for part in parts)

    def pull(cotangent: ComplexArray, slopes: Mapping[str, Any]) -> dict[str, FloatArray]:
        found = bindings.pull_back(slopes, parameters, point.settings, point.set_directly)
        count = len(cotangent)
        total = {
            name: np.broadcast_to(np.asarray(own), (count, 1))[:, 0].copy() for name, own in found.items()
        }
        if pull_linear is not None:
            for name, slope in pull_linear(cotangent.reshape(waves.shape)).items():
                total[name] += np.atleast_2d(slope).sum(axis=-1)
        return total

    return Segments(waves.reshape(-1, *waves.shape[-3:]), models, tuple(settings), pull)


def _column(value: Any) -> Any:
    return value[:, np.newaxis] if isinstance(value, np.ndarray) and value.ndim == 1 else value

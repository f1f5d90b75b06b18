"""The electrical side of a circuit: what drives what, and the stages that a current passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from photosim.engine.graph import Graph
from photosim.errors import ParameterError
from photosim.model import Electronic, PortRef, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

Real = TypeVar("Real", bound=np.floating)
StageOf = Callable[[str], Stage]
"""The stage of an electronic part, by its name."""


@dataclass(frozen=True)
class Chain:
    """The stages that a signal passes one after the other, by name of the part."""

    names: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()

    @property
    def bandwidth(self) -> float:
        """Smallest noise bandwidth in Hz: the low-passes are ideal, so the narrowest one counts."""
        return min((stage.bandwidth for stage in self.stages), default=inf)

    @property
    def virtual_ground(self) -> bool:
        """Whether the current flows into an amplifier instead of a load."""
        return bool(self.stages) and self.stages[0].virtual_ground

    def gains(self) -> tuple[float, ...]:
        """Return the gain up to the input of each stage, and that of all stages, last."""
        return tuple(float(g) for g in np.cumprod([1.0, *(stage.gain for stage in self.stages)]))

    def amplifier_density(self) -> float:
        """Return the density of the noise of all stages, referred to the input, in its units^2/Hz."""
        return sum((s.noise_density / g) ** 2 for s, g in zip(self.stages, self.gains(), strict=False))

    def steps(self) -> tuple[float, ...]:
        """Return the steps of the converters, referred to the input."""
        return tuple(
            s.step / g for s, g in zip(self.stages, self.gains()[1:], strict=True) if s.bits is not None
        )

    def jitters(self) -> tuple[float, ...]:
        """Return the jitter of each stage in s."""
        return tuple(stage.jitter for stage in self.stages if stage.jitter > 0.0)


def drivers(graph: Graph) -> dict[PortRef, PortRef]:
    """Return what is wired to each electrical input: input port to output port.

    Raises ParameterError for a wire between two outputs or two inputs, and for an input with two drivers.
    """
    found: dict[PortRef, PortRef] = {}
    for left, right in graph.wires:
        ends = sorted((left, right), key=lambda end: _is_input(graph, end))
        if [_is_input(graph, end) for end in ends] != [False, True]:
            what, rest = (
                ("inputs", "an output (dac, amplifier, detector) to each")
                if _is_input(graph, left)
                else ("outputs", "each to an input (adc, amplifier, modulator)")
            )
            message = f"{_name(left)} and {_name(right)} are both electrical {what}; connect {rest}."
            raise ParameterError(message)
        output, entry = ends
        if entry in found:
            message = f"{_name(entry)} is driven by both {_name(found[entry])} and {_name(output)}."
            raise ParameterError(message)
        found[entry] = output
    return found


def chain_behind(graph: Graph, start: PortRef, stage_of: StageOf) -> Chain:
    """Return the stages that the signal of an electrical output passes; it must not branch into several."""
    readers: dict[PortRef, list[PortRef]] = {}
    for entry, output in drivers(graph).items():
        readers.setdefault(output, []).append(entry)
    names: list[str] = []
    here = start
    while here in readers:
        behind = [entry for entry in readers[here] if isinstance(graph.part(entry[0]).model, Electronic)]
        if len(behind) > 1:
            message = f"{_name(here)} is read by {_name(behind[0])} and {_name(behind[1])}: one can follow."
            raise ParameterError(message)
        if not behind or behind[0][0] in names:
            break
        names.append(behind[0][0])
        model = graph.part(names[-1]).model
        if not isinstance(model, Electronic) or not model.outputs:
            break
        here = (names[-1], model.outputs[0])
    return Chain(tuple(names), tuple(stage_of(name) for name in names))


@dataclass(frozen=True)
class StaticDrives:
    """What parts without input, such as a dac, drive.

    settings: {"modulator.voltage": V}, in steps and within the range.  jitters: rms error in s of the
    instants at which a driven part changes, by its name.  remarks: what left its range.
    """

    settings: Mapping[str, float]
    jitters: Mapping[str, float]
    remarks: tuple[str, ...]


def static_drives(graph: Graph, stage_of: StageOf) -> StaticDrives:
    """Return what parts without input drive."""
    settings: dict[str, float] = {}
    jitters: dict[str, float] = {}
    remarks: list[str] = []
    for (name, port), (driver, _) in drivers(graph).items():
        setting = graph.part(name).model.drives.get(port)
        model = graph.part(driver).model
        if setting is None or not isinstance(model, Electronic) or model.inputs:
            continue
        stage = stage_of(driver)
        if not stage.low <= stage.level <= stage.high:
            remarks.append(out_of_range(driver, "is asked for", stage.level, stage))
        settings[f"{name}.{setting}"] = float(convert(np.array(stage.level), stage)[0])
        jitters[name] = stage.jitter
    return StaticDrives(settings, jitters, tuple(remarks))


def convert(values: NDArray[Real], stage: Stage) -> tuple[NDArray[Real], int]:
    """Return values as they leave the range and the steps of a stage, and how many lay beyond the range."""
    held = np.asarray(np.clip(values, stage.low, stage.high))
    beyond = int(np.count_nonzero(held != values))
    if stage.bits is not None:
        held -= stage.low
        held /= stage.step
        np.rint(held, out=held)
        held *= stage.step
        held += stage.low
    return held, beyond


def out_of_range(name: str, what: str, value: float, stage: Stage) -> str:
    """Return the sentence about a stage that is to put out more, or less, than it can."""
    return (
        f"{name!r} {what} {value:.4g} V, outside its range of {stage.low:.4g} to {stage.high:.4g} V: "
        "its output stays at the end of the range; change its range, or what comes before it."
    )


def _is_input(graph: Graph, end: Any) -> bool:
    name, port = end
    model = graph.part(name).model
    return port in model.drives or (isinstance(model, Electronic) and port in model.inputs)


def _name(end: Any) -> str:
    return f"'{end[0]},{end[1]}'"

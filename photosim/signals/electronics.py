"""The stages that the current of a detector passes, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np

from photosim.engine.converters import drivers
from photosim.engine.graph import Graph
from photosim.errors import ParameterError
from photosim.model import Electronic, PortRef, Stage
from photosim.signals.filters import noise_bandwidth

StageOf = Callable[[str], Stage]
"""The stage of an electronic part, by its name."""


@dataclass(frozen=True)
class Chain:
    """The stages that a signal passes one after the other, by name of the part."""

    names: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()

    @property
    def bandwidth(self) -> float:
        """Smallest half-power frequency in Hz of the stages."""
        return min((stage.bandwidth for stage in self.stages), default=inf)

    @property
    def virtual_ground(self) -> bool:
        """Whether the current flows into an amplifier instead of a load."""
        return bool(self.stages) and self.stages[0].virtual_ground

    def split(self) -> tuple[Chain, Chain]:
        """Return the stages up to the first one that works symbol by symbol, and the rest with it."""
        k = next((k for k, s in enumerate(self.stages) if s.work is not None), len(self.stages))
        return Chain(self.names[:k], self.stages[:k]), Chain(self.names[k:], self.stages[k:])

    def gains(self) -> tuple[float, ...]:
        """Return the gain up to the input of each stage, and that of all stages, last."""
        return tuple(float(g) for g in np.cumprod([1.0, *(stage.gain for stage in self.stages)]))

    def amplifier_densities(self) -> tuple[float, ...]:
        """Return the density of the noise of each stage, referred to the input, in its units^2/Hz."""
        return tuple((s.noise_density / g) ** 2 for s, g in zip(self.stages, self.gains(), strict=False))

    @property
    def noisy_bandwidth(self) -> float:
        """Largest frequency in Hz up to which a stage's own noise passes to the end; 0 for none."""
        passes = [stage.bandwidth for stage in self.stages]
        ends = (min(passes[k:]) for k, stage in enumerate(self.stages) if stage.noise_density > 0.0)
        return max((end for end in ends if np.isfinite(end)), default=0.0)

    def amplifier_variance(self) -> float:
        """Return the variance of the noise of all stages, referred to the input.

        The noise of a stage passes its low-pass and those behind it, not those in front.
        """
        passes = tuple(stage.bandwidth for stage in self.stages)
        densities = self.amplifier_densities()
        return sum(d * noise_bandwidth(passes[k:]) for k, d in enumerate(densities) if d > 0.0)

    def steps(self) -> tuple[float, ...]:
        """Return the steps of the converters, referred to the input."""
        return tuple(
            s.step / g for s, g in zip(self.stages, self.gains()[1:], strict=True) if s.bits is not None
        )

    def jitters(self) -> tuple[float, ...]:
        """Return the jitter of each stage in s."""
        return tuple(stage.jitter for stage in self.stages if stage.jitter > 0.0)


def chain_behind(graph: Graph, start: PortRef, stage_of: StageOf, *, timed: bool = False) -> Chain:
    """Return the stages that the signal of an electrical output passes; it must not branch into several.

    timed: the caller follows signals over time, as stages that work symbol by symbol need. Raises
    ParameterError for such a stage elsewhere.
    """
    readers: dict[PortRef, list[PortRef]] = {}
    for entry, output in drivers(graph).items():
        readers.setdefault(output, []).append(entry)
    names: list[str] = []
    here = start
    while here in readers:
        behind = [entry for entry in readers[here] if isinstance(graph.part(entry[0]).model, Electronic)]
        if len(behind) > 1:
            message = f"{_name(here)} is read by {_name(behind[0])} and {_name(behind[1])}: one may follow."
            raise ParameterError(message)
        if not behind or behind[0][0] in names:
            break
        names.append(behind[0][0])
        model = graph.part(names[-1]).model
        if not isinstance(model, Electronic) or not model.outputs:
            break
        here = (names[-1], model.outputs[0])
    stages = tuple(stage_of(name) for name in names)
    for name, stage in zip(names, stages, strict=True):
        if stage.work is not None and not timed:
            message = (
                f"{name!r} ({graph.part(name).model.name}) works symbol by symbol, which only ps.transient "
                "follows: ask that, or leave it out of this netlist."
            )
            raise ParameterError(message)
    return Chain(tuple(names), stages)


def _name(end: PortRef) -> str:
    return f"'{end[0]},{end[1]}'"

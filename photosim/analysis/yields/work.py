"""Chips drawn and judged as work that is cut into chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.provenance import OfCircuit, content_of
from photosim.analysis.yields.normals import CHUNK, Normals
from photosim.analysis.yields.specification import pairs_of
from photosim.analysis.yields.tuning import FINER, tune
from photosim.jobs.work import Arrays, spectrum_seconds

if TYPE_CHECKING:
    from photosim.analysis.yields.run import Made
    from photosim.circuit import Circuit


@dataclass(frozen=True, eq=False)
class YieldWork(OfCircuit):
    """All chips of a yield.

    make: makes the question ready, from circuit and arguments.  question, seed: for the reader.
    """

    circuit: Circuit
    make: Callable[..., Made]
    arguments: tuple[Any, ...]
    count: int
    seed: int
    method: str
    question: Mapping[str, Any]
    made: Made | None = None
    kind: str = "yield"
    unit: int = CHUNK
    axis: int = -1

    @cached_property
    def ready(self) -> Made:
        """The question made ready, once in each process."""
        return self.made or self.make(self.circuit, *self.arguments)

    @cached_property
    def normals(self) -> Normals:
        """The draws."""
        return Normals(self.count, self.ready.judge.draws.dimensions, self.seed, self.method)

    @cached_property
    def seconds(self) -> float:
        """What a chip takes about."""
        judge, tuning = self.ready.judge, self.ready.tuning
        starts, ends = pairs_of(judge.entries)
        compiled = judge.draws.compiled
        planned = compiled.wave_plan(ends, starts)
        one = spectrum_seconds(planned.products, len(compiled.graph.parts), len(judge.wl))
        return one * (1 if tuning is None else 1 + len(FINER) * tuning.points * len(tuning.heaters))

    def content(self) -> tuple[Any, ...]:
        """Return circuit, question and draws."""
        asked = [repr(entry) for entry in self.ready.judge.entries]
        return (*content_of(self.circuit), *self.arguments, asked, self.count, self.seed, self.method)

    def __getstate__(self) -> dict[str, Any]:
        """Cross processes without what each process prepares for itself."""
        return {**{item.name: getattr(self, item.name) for item in fields(self)}, "made": None}

    def empty(self, count: int) -> Arrays:
        """Return values (entries, chips) and, where chips are tuned, those after it, phases and power."""
        entries, tuning = len(self.ready.judge.entries), self.ready.tuning
        found: Arrays = {"values": np.empty((entries, count))}
        if tuning is not None:
            found["tuned"] = np.empty((entries, count))
            found["phases"] = np.empty((len(tuning.heaters), count))
            found["power"] = np.empty(count)
        return found

    def fill(self, first: int, last: int, out: Arrays) -> None:
        """Draw and judge the chips first to last."""
        judge, tuning = self.ready.judge, self.ready.tuning
        for at, z in self.normals.chunks(first, last):
            where = slice(at - first, at - first + len(z))
            out["values"][:, where] = judge.values(z)
            if tuning is not None:
                found = tune(judge, z, tuning)
                out["tuned"][:, where], out["phases"][:, where], out["power"][where] = found

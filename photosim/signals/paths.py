"""The way of light from a source to a detector: which parts it passes, and what each of them costs."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.model import ClosedForm, Numerical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Part
    from photosim.engine.parts import Point
    from photosim.signals.operating import Line, OperatingPoint

TOLL_dB = 1e-6
"""Loss counted for each part on top of its own, which keeps a way through lossless parts short."""


@public(types=False)
@dataclass(frozen=True)
class Passage:
    """A part on the way: its name, the loss in it in dB (negative for gain), and the power in W behind it.

    element: name of the part.  loss_dB: loss in the part, negative for gain.
    """

    element: str
    loss_dB: float
    power: float


@public
def passages(point: OperatingPoint, line: Line, port: str) -> tuple[Passage, ...]:
    """Return the parts that a line passes on its way to a port of a detector; empty if there is no path.

    The path is the one of least loss, counted part by part. The parts are those of the netlist; a composite
    counts as one. Powers include interference and resonance, and the losses add up to the loss from the
    source to the detector.

    point: operating point of a link.  line: line of a source.  port: of a detector.
    """
    compiled, at = point.circuit.at(point.settings)
    graph = compiled.graph
    target, start = (graph.port(*name.split(",")) for name in (port, line.port))
    ways = Ways(compiled, at, line.wl)
    way = ways.between(int(graph.partner[start]), target)
    if not way:
        return ()
    entries = entered(ways.names(way))
    if entries[-1][0] == len(way) - 1:  # the detector itself is the end
        entries = entries[:-1]
    waves = ways.names(way)
    outputs = (*(f"{waves[k]}:in" for k, _ in entries), port)
    powers = line.power * np.abs(point.waves(outputs, line, np.zeros(1))[0]) ** 2
    return tuple(
        Passage(part, loss(before, after), float(after))
        for (_, part), before, after in zip(entries, powers[:-1], powers[1:], strict=True)
    )


def entered(waves: Sequence[str]) -> list[tuple[int, str]]:
    """Return where a way of waves "instance,port" enters another part of the netlist, and its name."""
    parts = [wave.partition(",")[0].partition(".")[0] for wave in waves]
    return [(k, part) for k, part in enumerate(parts) if k == 0 or part != parts[k - 1]]


def driving_jitters(point: OperatingPoint, number: int) -> tuple[float, ...]:
    """Return the jitters in s of what drives the parts that the wanted line of a receiver passes."""
    if not point.jitters:
        return ()
    line, port = point.wanted(number)
    passed = {passage.element for passage in passages(point, point.lines[line], port)}
    return tuple(jitter for name, jitter in point.jitters.items() if name.partition(".")[0] in passed)


class Ways:
    """Ways of light through a circuit, by the loss of the parts at a wavelength in um."""

    def __init__(self, compiled: Compiled, at: Point, wl: float) -> None:
        self.compiled, self.at, self.wl = compiled, at, wl
        self.graph = compiled.graph
        self._losses: dict[str, NDArray[np.float64]] = {}

    def between(self, first: int, target: int) -> list[int]:
        """Return the ports at which light arrives on the way of least loss between two ports, both included.

        Light arrives at `first`; a target is a port at which it arrives, or an exposed one that it leaves.
        Empty where no way leads there.
        """
        if first < 0:
            return []
        best, before = {first: 0.0}, {first: -1}
        queue = [(0.0, first)]
        leaves = self.graph.partner[target] < 0
        while queue:
            cost, here = heapq.heappop(queue)
            if here == target and (here != first or not leaves):
                return self._retrace(here, before)
            if cost > best[here]:
                continue
            part = self.graph.owners[here]
            for k, own in enumerate(self._through(part)[:, here - part.first_port]):
                leaving = part.first_port + k
                there = int(self.graph.partner[leaving])
                there = leaving if there < 0 and leaving == target else there
                if there >= 0 and cost + own < best.get(there, np.inf):
                    best[there], before[there] = cost + own, here
                    heapq.heappush(queue, (cost + own, there))
        return []

    def names(self, way: Sequence[int]) -> list[str]:
        """Return ports as "instance,port"."""
        return [f"{(p := self.graph.owners[k]).name},{p.ports[k - p.first_port]}" for k in way]

    def _retrace(self, here: int, before: dict[int, int]) -> list[int]:
        way = []
        while here >= 0:
            way.append(here)
            here = before[here]
        return way[::-1]

    def _through(self, part: Part) -> NDArray[np.float64]:
        """Return the loss in dB through one part, (to, from); gain counts as none, no way as infinite."""
        if part.name not in self._losses:
            size = len(part.ports)
            power = np.zeros((size, size))
            if isinstance(part.model, ClosedForm | Numerical):
                settings = self.compiled.parts.settings_of(part, self.at)
                power = np.abs(part.model.s([self.wl], **settings)).reshape(-1, size, size)[0] ** 2
            with np.errstate(divide="ignore"):
                self._losses[part.name] = np.maximum(-10.0 * np.log10(power), 0.0) + TOLL_dB
        return self._losses[part.name]


def loss(before: float, after: float) -> float:
    """Return a loss in dB; infinite where nothing arrives."""
    return float(10.0 * np.log10(before / after)) if after > 0.0 and before > 0.0 else float("inf")

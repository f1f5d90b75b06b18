"""The way of light from a source to a detector: which parts it passes, and what each of them costs."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.model import ClosedForm, Numerical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Part
    from photosim.signals.operating import Line, OperatingPoint

TOLL_dB = 1e-6
"""Loss counted for each part on top of its own, which keeps a way through lossless parts short."""


@public(types=False)
@dataclass(frozen=True)
class Passage:
    """A part on the way: its name, the loss in it in dB (negative for gain), and the power in W behind it."""

    element: str
    loss_dB: float
    power: float


@public
def passages(point: OperatingPoint, line: Line, port: str) -> tuple[Passage, ...]:
    """Return the parts that a line passes on its way to a port of a detector; none where no way leads there.

    The way is that of least loss counted part by part; parts are those of the netlist, what is inside a
    composite counts as one. Powers are those that really flow: interference and resonance are in them, and
    the losses add up to that from the source to the detector.
    """
    way = _Ways(point, line).to(port)
    if not way:
        return ()
    parts = [wave.partition(",")[0].partition(".")[0] for wave in way]
    # Where the way enters another part of the netlist; the detector itself is the end.
    entries = [k for k in range(len(way)) if k == 0 or parts[k] != parts[k - 1]]
    if entries[-1] == len(way) - 1:
        entries = entries[:-1]
    outputs = (*(f"{way[k]}:in" for k in entries), port)
    powers = line.power * np.abs(point.waves(outputs, line, np.zeros(1))[0]) ** 2
    return tuple(
        Passage(parts[k], _loss(before, after), float(after))
        for k, before, after in zip(entries, powers[:-1], powers[1:], strict=True)
    )


def driving_jitters(point: OperatingPoint, number: int) -> tuple[float, ...]:
    """Return the jitters in s of what drives the parts that the wanted line of a receiver passes."""
    if not point.jitters:
        return ()
    line, port = point.wanted(number)
    passed = {passage.element for passage in passages(point, point.lines[line], port)}
    return tuple(jitter for name, jitter in point.jitters.items() if name.partition(".")[0] in passed)


class _Ways:
    """Ways of one line through a circuit, by the loss of the parts at its wavelength."""

    def __init__(self, point: OperatingPoint, line: Line) -> None:
        self.compiled, self.at = point.circuit.at(point.settings)
        self.graph, self.line = self.compiled.graph, line
        self._losses: dict[str, NDArray[np.float64]] = {}

    def to(self, port: str) -> list[str]:
        """Return the waves "instance,port" that arrive on the way of least loss to a port, that included."""
        target, start = (self.graph.port(*name.split(",")) for name in (port, self.line.port))
        first = int(self.graph.partner[start])
        if first < 0:
            return []
        best, before = {first: 0.0}, {first: -1}
        queue = [(0.0, first)]
        while queue:
            cost, here = heapq.heappop(queue)
            if here == target:
                return self._retrace(here, before)
            if cost > best[here]:
                continue
            part = self.graph.owners[here]
            for k, loss in enumerate(self._through(part)[:, here - part.first_port]):
                there = int(self.graph.partner[part.first_port + k])
                if there >= 0 and cost + loss < best.get(there, np.inf):
                    best[there], before[there] = cost + loss, here
                    heapq.heappush(queue, (cost + loss, there))
        return []

    def _retrace(self, here: int, before: dict[int, int]) -> list[str]:
        way = []
        while here >= 0:
            part = self.graph.owners[here]
            way.append(f"{part.name},{part.ports[here - part.first_port]}")
            here = before[here]
        return way[::-1]

    def _through(self, part: Part) -> NDArray[np.float64]:
        """Return the loss in dB through one part, (to, from); gain counts as none, no way as infinite."""
        if part.name not in self._losses:
            size = len(part.ports)
            power = np.zeros((size, size))
            if isinstance(part.model, ClosedForm | Numerical):
                settings = self.compiled.parts.settings_of(part, self.at)
                power = np.abs(part.model.s([self.line.wl], **settings)).reshape(-1, size, size)[0] ** 2
            with np.errstate(divide="ignore"):
                self._losses[part.name] = np.maximum(-10.0 * np.log10(power), 0.0) + TOLL_dB
        return self._losses[part.name]


def _loss(before: float, after: float) -> float:
    """Return a loss in dB; infinite where nothing arrives."""
    return float(10.0 * np.log10(before / after)) if after > 0.0 and before > 0.0 else float("inf")

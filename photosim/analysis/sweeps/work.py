"""The points of a sweep as work that is cut into chunks: solved, read and kept range by range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim import metrics as reading
from photosim.analysis.provenance import OfCircuit, content_of
from photosim.engine.batches import solve_slices
from photosim.errors import ParameterError
from photosim.jobs.work import Arrays, spectrum_seconds
from photosim.kernels import spectra as kernel
from photosim.metrics.reading import MOST_LINES, PART

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point

LINES = 8
"""Lines of each spectrum that a sweep keeps, next to the wavelength that counts."""
KINDS: Mapping[str, Any] = {"elements": np.complex128, "power": np.float64}
"""Type of the stored spectra."""
ELEMENTS = "elements"


@dataclass(frozen=True)
class Run:
    """Points of a sweep that share a graph: their numbers, rising, and what to solve."""

    numbers: NDArray[np.int64]
    compiled: Compiled
    point: Point


@dataclass(frozen=True, eq=False)
class SweepWork(OfCircuit):
    """All points of a sweep.

    values: of the swept settings at every point.  constant: settings that stay.  grid: wavelengths (W,) in
    um.  near: where the line that counts lies.  channels: for crosstalk.  question, seed: for the reader.
    """

    circuit: Circuit
    count: int
    values: Mapping[str, Any]
    constant: Mapping[str, Any]
    grid: NDArray[np.float64]
    ends: tuple[str, ...]
    starts: tuple[str, ...]
    keep: str
    near: float | None
    channels: tuple[float, ...] | None
    metrics: bool
    question: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    kind: str = "sweep"
    unit: int = 1
    axis: int = 0
    made: list[Run] | None = None

    def __post_init__(self) -> None:
        """Refuse wavelengths that metrics cannot be read at."""
        if self.metrics and np.any(np.diff(self.rising) <= 0.0):
            message = "Metrics need different wavelengths, but some repeat."
            raise ParameterError(message)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Numbers of the wavelengths, rising."""
        return np.argsort(self.grid, kind="stable")

    @cached_property
    def rising(self) -> NDArray[np.float64]:
        """The wavelengths, rising."""
        return np.ascontiguousarray(self.grid[self.order])

    @cached_property
    def runs(self) -> list[Run]:
        """The points by graph: settings that shape the graph, or are choices, have one value in each."""
        return self.made or runs(self.circuit, self.count, self.values, self.constant)

    @cached_property
    def seconds(self) -> float:
        """What a point takes about."""
        compiled = self.runs[0].compiled
        planned = compiled.wave_plan(self.ends, self.starts)
        return spectrum_seconds(planned.products, len(compiled.graph.parts), len(self.grid))

    def content(self) -> tuple[Any, ...]:
        """Return circuit, points and the quantities computed at them."""
        asked = (self.values, self.constant, self.grid, self.ends, self.starts, self.keep, self.near)
        return (*content_of(self.circuit), *asked, self.channels, self.metrics)

    def __getstate__(self) -> dict[str, Any]:
        """Cross processes without what each process prepares for itself."""
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**own, "made": None}

    def empty(self, count: int) -> Arrays:
        """Return arrays over (points, pairs, ...)."""
        pairs, lines = len(self.ends) * len(self.starts), min(LINES, MOST_LINES)
        found: Arrays = {}
        if self.keep in KINDS:
            found["kept"] = np.empty((count, pairs, len(self.grid)), dtype=KINDS[self.keep])
        if self.metrics:
            found["lines"] = np.empty((count, pairs, lines, kernel.COLUMNS))
            found["counts"] = np.empty((count, pairs, 3), dtype=np.int64)
            found["summary"] = np.empty((count, pairs, 2))
            if self.channels is not None and len(self.channels) > 1:
                found["crosstalk"] = np.empty((count, pairs))
        return found

    def fill(self, first: int, last: int, out: Arrays) -> None:
        """Solve the points first to last, and keep what is wanted of every slice."""
        for run in self.runs:
            a, b = np.searchsorted(run.numbers, (first, last)).tolist()
            if a < b:
                self._solve(run, a, b, first, out)

    def _solve(self, run: Run, a: int, b: int, first: int, out: Arrays) -> None:
        numbers = run.numbers[a:b] - first
        contiguous = len(numbers) == numbers[-1] - numbers[0] + 1
        alike = run.point.batch == 1  # nothing but what shapes the graph varies: all points are one
        sorted_already = bool(np.array_equal(self.rising, self.grid))

        def take(start: int, stop: int, values: NDArray[np.complex128]) -> None:
            where: Any = numbers if alike else numbers[start:stop]
            if contiguous:
                where = slice(int(where[0]), int(where[-1]) + 1)
            if self.keep in KINDS:
                kept = values if self.keep == ELEMENTS else values.real**2 + values.imag**2
                out["kept"][where] = kept
            if self.metrics:
                s = values if sorted_already else np.ascontiguousarray(values[..., self.order])
                self._read(where, s, out)

        planned = run.compiled.wave_plan(self.ends, self.starts)
        point = run.point if alike or b - a == len(run.numbers) else run.point.part_of_batch(a, b)
        solve_slices(run.compiled, planned, point, self.grid, len(self.ends) * len(self.starts), take)

    def _read(self, where: Any, s: NDArray[np.complex128], out: Arrays) -> None:
        lines = np.full((len(s), *out["lines"].shape[1:]), np.nan)
        lines[..., kernel.FLAGS] = 0.0
        counts = np.zeros((len(s), s.shape[1], 3), dtype=np.int64)
        summary = np.zeros((len(s), s.shape[1], 2))
        near = 0.5 * float(self.rising[0] + self.rising[-1]) if self.near is None else float(self.near)
        kernel.read_lines(self.rising[np.newaxis], s, PART, np.array([near]), lines, counts, summary)
        out["lines"][where], out["counts"][where], out["summary"][where] = lines, counts, summary
        if "crosstalk" in out:
            out["crosstalk"][where] = reading.crosstalk_dB(self.rising, s, self.channels or ())


def runs(circuit: Circuit, count: int, values: Mapping[str, Any], constant: Mapping[str, Any]) -> list[Run]:
    """Return points by graph."""
    continuous = circuit.compiled.continuous
    shaping = [n for n, v in values.items() if n not in continuous or not isinstance(v, np.ndarray)]
    groups: dict[tuple[Any, ...], list[int]] = {(): list(range(count))}
    if shaping:
        groups = {}
        for k in range(count):
            groups.setdefault(tuple(_plain(values[n][k]) for n in shaping), []).append(k)
    found = []
    for key, members in groups.items():
        numbers = np.array(members)
        own = {n: v[numbers] for n, v in values.items() if n not in shaping}
        compiled, point = circuit.at({**constant, **dict(zip(shaping, key, strict=True)), **own})
        found.append(Run(numbers, compiled, point))
    return found


def _plain(value: Any) -> Any:
    number = value.item() if isinstance(value, np.generic) else value
    return int(number) if isinstance(number, float) and number.is_integer() else number


def chosen_channels(channels: Sequence[float] | None) -> tuple[float, ...] | None:
    """Return the channels of crosstalk: none where there are fewer than two."""
    return None if channels is None else tuple(float(c) for c in channels)

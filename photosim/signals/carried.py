"""Small signals carried through nets and light, to and fro where light follows itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.electronics import noise_density
from photosim.electronics import response as responses
from photosim.engine.following import Read, value_of
from photosim.signals.beats import beats
from photosim.signals.contributions import emission, shot_current_density
from photosim.signals.filters import low_pass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.electrics import SettingsOf
    from photosim.engine.following import Equations
    from photosim.signals.operating import OperatingPoint

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class Solved:
    """Equations at rest, and the responses of all unknowns to inputs of theirs, (F, n + 1, inputs)."""

    equations: Equations
    x: FloatArray

    @property
    def lit(self) -> dict[str, int]:
        """The inputs that are currents of detectors, by detector."""
        return {s.part: k for k, s in enumerate(self.equations.signals) if s.kind == "detector"}

    def per(self, grid: FloatArray, columns: list[int]) -> ComplexArray:
        """Return all unknowns (F, n + 1, columns) per unit of inputs; the last one is 0."""
        size = self.equations.system.size
        found = np.zeros((len(grid), size + 1, len(columns)), dtype=np.complex128)
        if size and columns:
            found[:, :size] = responses(self.equations.system, self.x, grid, columns, range(size))
        return found


@dataclass(frozen=True)
class Carried:
    """Nets at rest and the light between them, at frequencies (F,) in Hz.

    solved: the nets that drive light and those that detectors feed, or all of them where they are `looped`.
    reads: the settings that the first of them drive.  lit: the light, without
    lines in the dark; None without detectors.
    """

    grid: FloatArray
    solved: tuple[Solved, ...]
    reads: tuple[Read, ...]
    lit: OperatingPoint | None
    compiled: Compiled
    settings_of: SettingsOf
    looped: bool

    def turned(self, element: str, frequency: float) -> ComplexArray:
        """Return the unknowns (n + 1,) of a loop per unit of an element that turns at a frequency in Hz."""
        found, _ = replace(self, grid=np.array([frequency])).moved_by(element, [])
        return np.asarray(found[0][0])

    def moved_by(
        self, element: str, moved: list[tuple[Read, float]]
    ) -> tuple[list[ComplexArray], dict[str, ComplexArray]]:
        """Return unknowns (F, n + 1) of each set of nets and photocurrents (F,) per unit of what moves.

        element: of the nets.  moved: settings of optical parts, and by how much.
        """
        direct = [self._direct(solved, element) for solved in self.solved]
        flat = np.ones(len(self.grid), dtype=np.complex128)
        moves = [(read, value_of(self.solved[0].equations, read, direct[0].T)) for read in self.reads]
        currents = self._photocurrents([*moves, *((read, by * flat) for read, by in moved)])
        if self.looped:
            names = list(currents)
            sent = np.array(list(currents.values())).T[..., np.newaxis]
            currents = dict(zip(names, np.linalg.solve(self._turns, sent)[..., 0].T, strict=True))
        for k, (solved, per) in enumerate(zip(self.solved, self._per_current, strict=True)):
            for column, name in enumerate(solved.lit):
                direct[k] = direct[k] + per[..., column] * currents[name][:, np.newaxis]
        return direct, currents

    @cached_property
    def _per_current(self) -> tuple[ComplexArray, ...]:
        """Unknowns of each set of nets per A of its detectors, (F, n + 1, detectors)."""
        return tuple(solved.per(self.grid, list(solved.lit.values())) for solved in self.solved)

    @cached_property
    def _backwards(self) -> tuple[ComplexArray, ComplexArray]:
        """Light and nets of a loop: A per unit of settings (F, D, m), settings per A (F, m, D)."""
        assert self.lit is not None  # noqa: S101 - a loop has light
        (solved,), reads = self.solved, self.reads
        names = [r.name for r in self.lit.receivers]
        light = np.zeros((len(self.grid), len(names), len(reads)), dtype=np.complex128)
        nets = np.zeros((len(self.grid), len(reads), len(names)), dtype=np.complex128)
        (per,) = self._per_current
        for m, read in enumerate(reads):
            light[..., m] = self._passed(read).T
            for column, name in enumerate(solved.lit):
                nets[:, m, names.index(name)] = value_of(solved.equations, read, per[..., column].T)
        return light, nets

    @cached_property
    def _turns(self) -> ComplexArray:
        """1 less what comes back of each current of a loop, (F, D, D)."""
        light, nets = self._backwards
        return np.asarray(np.eye(light.shape[1]) - light @ nets)

    @cached_property
    def _shot(self) -> dict[str, float]:
        """Density of the shot noise of every detector in A^2/Hz, both diodes of a pair and dark currents."""
        assert self.lit is not None  # noqa: S101 - asked where there are detectors
        found = {}
        for k, receiver in enumerate(self.lit.receivers):
            glow = emission(self.lit, k).current()
            found[receiver.name] = shot_current_density(self.lit, k, glow)
        return found

    def noise(self, number: int, row: int) -> FloatArray:
        """Return the density of the noise of a voltage of a set of nets in V^2/Hz."""
        solved, back = self.solved[number], None
        per = self._per_current[number][:, row]
        receivers = {r.name: r for r in self.lit.receivers} if self.lit is not None else {}
        if self.looped:  # what light adds to the voltage per current, and per unknown that light follows
            names = list(receivers)
            through = np.zeros((len(self.grid), len(names)), dtype=np.complex128)
            through[:, [names.index(name) for name in solved.lit]] = per
            turns = self._turns.transpose(0, 2, 1)
            through = np.asarray(np.linalg.solve(turns, through[..., np.newaxis])[..., 0])
            unit = np.eye(solved.equations.system.size + 1)
            reads = [value_of(solved.equations, read, unit)[:-1] for read in self.reads]
            back = (through[:, np.newaxis] @ self._backwards[0])[:, 0] @ np.array(reads)
            per = through[:, [names.index(name) for name in solved.lit]]
        total = noise_density(solved.equations.system, solved.x, self.grid, row, back)
        for k, name in enumerate(solved.lit):
            passed = np.abs(per[:, k] * self._low_pass(receivers[name])) ** 2
            total = total + self._shot[name] * passed
        return total

    def _direct(self, solved: Solved, element: str) -> ComplexArray:
        """Return what an element of a set of equations does there, (F, n + 1); nothing if it is elsewhere."""
        inputs = solved.equations.system.inputs
        if element not in inputs:
            return np.zeros((len(self.grid), solved.equations.system.size + 1), dtype=np.complex128)
        return solved.per(self.grid, [inputs.index(element)])[..., 0]

    def _low_pass(self, receiver: Any) -> ComplexArray:
        passes = [b for b in receiver.low_passes if 0.0 < b < np.inf]
        return low_pass(self.grid, passes)

    def _photocurrents(self, moves: list[tuple[Read, ComplexArray]]) -> dict[str, ComplexArray]:
        """Return the current (F,) of every detector for settings that move, each by (F,)."""
        if self.lit is None:
            return {}
        found = np.zeros((len(self.lit.receivers), len(self.grid)), dtype=np.complex128)
        for read, by in moves:
            if self.lit.lines and np.any(by != 0.0):
                found += self._passed(read) * by
        return dict(zip((r.name for r in self.lit.receivers), found, strict=True))

    def _passed(self, read: Read) -> ComplexArray:
        """Return the photocurrents per unit of a setting, (detectors, F)."""
        if read.name not in self._known:
            assert self.lit is not None  # noqa: S101 - asked where there is light
            part = self.compiled.graph.part(read.part)
            low_passes = np.array([self._low_pass(receiver) for receiver in self.lit.receivers])
            made = beats(self.lit, part, self.settings_of(part), read, self.grid)
            self._known[read.name] = low_passes * made
        return self._known[read.name]

    @cached_property
    def _known(self) -> dict[str, ComplexArray]:
        return {}

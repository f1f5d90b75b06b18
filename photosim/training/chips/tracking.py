"""Following a chip that drifts: few readings now and then, and the phases that explain them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.bounds import check_number, check_whole
from photosim.training.arrays import FloatArray
from photosim.training.chips.calibration import Calibration
from photosim.training.chips.chip import Chip
from photosim.training.chips.programming import phases_for, powers_for

_HOUR = 3600.0


@dataclass
class Tracker:
    """Kalman filter that follows the phases of a calibrated chip while they drift.

    `follow(seconds)` gets the time since the last measurement, takes `readings` at random settings, and
    updates the phases.

    drift: random walk of each phase in rad in an hour.  common: deviation in rad of what moves all of them
    together, such as temperature.  noise: deviation of a reading relative to it.  floor: and what is added to
    it, per light sent in.
    """

    chip: Chip
    known: Calibration
    readings: int = 120
    drift: float = 0.05
    common: float = 0.01
    noise: float = 0.01
    floor: float = 1e-3
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __post_init__(self) -> None:
        """Raise ParameterError for numbers out of bounds."""
        check_arguments(Tracker.__init__, {"known": self.known})
        check_whole(self, 1, readings=self.readings)
        check_number(self, 0.0, drift=self.drift, common=self.common)
        check_number(self, 0.0, above=True, noise=self.noise, floor=self.floor)
        size = self.known.numbers.offset.size
        self._spread = np.full((size, size), self.common**2) + 0.01**2 * np.eye(size)

    def program(self, unitary: Any) -> FloatArray:
        """Return the voltages (H,) in V for a unitary matrix (n, n), by the newest phases."""
        return self.known.program(unitary)

    def phases(self, unitary: Any) -> FloatArray:
        """Return the phases of the heaters for a unitary matrix, which do not change with drift."""
        return phases_for(self.known.model, self.known.numbers, unitary)

    def voltages(self, phases: FloatArray) -> FloatArray:
        """Return the voltages in V that now give these phases."""
        wiring = self.known.model.wiring
        return wiring.voltages(powers_for(self.known.model, self.known.numbers, phases))

    def follow(self, seconds: float) -> Calibration:
        """Return the calibration from new readings, `seconds` after the last ones."""
        check_number("follow", 0.0, seconds=seconds)
        numbers, model = self.known.numbers, self.known.model
        size = numbers.offset.size
        spread = self._spread + self.drift**2 * seconds / _HOUR * np.eye(size)
        # What is common comes and goes: it is as unsure as it ever was.
        spread = spread + self.common**2 * min(seconds / _HOUR * 12.0, 1.0)
        powers, entrances, seen = self._read()
        before = np.linalg.inv(spread)
        offset = numbers.offset
        for _ in range(2):
            here = replace(numbers, offset=offset)
            expected, slopes = model.slopes(here, powers, entrances, offsets_only=True)
            weight = 1.0 / np.hypot(self.noise * expected, self.floor)
            error = ((seen - expected) * weight).ravel()
            moved = (slopes * weight[..., np.newaxis]).reshape(error.size, size)
            sure = before + moved.T @ moved
            step = np.linalg.solve(sure, moved.T @ error - before @ (offset - numbers.offset))
            offset = np.asarray(offset + step, dtype=np.float64)
        self._spread = np.asarray(np.linalg.inv(sure), dtype=np.float64)
        self.known = replace(
            self.known, numbers=replace(numbers, offset=offset), readings=self.known.readings + len(seen)
        )
        return self.known

    def _read(self) -> tuple[FloatArray, Any, FloatArray]:
        wiring = self.chip.wiring
        powers, entrances, seen = [], [], []
        for _ in range(self.readings):
            voltages = wiring.voltages(wiring.most * self.rng.uniform(0.0, 1.0, len(wiring.heaters)))
            entrances.append(int(self.rng.integers(wiring.n)))
            self.chip.set_voltages(voltages)
            seen.append(self.chip.read_powers(entrances[-1]))
            powers.append(wiring.powers(voltages))
        return np.array(powers), np.array(entrances), np.array(seen)

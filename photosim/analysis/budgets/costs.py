"""What rows cost for given constants, and the interval that the constants' intervals lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.analysis.budgets.light import needed_light

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.budgets.constants import Constant
    from photosim.analysis.budgets.rows import Row
    from photosim.analysis.budgets.work import Work

    FloatArray = NDArray[np.float64]
    Values = Mapping[str, float]

BOUNDS = ("value", "low", "high")


@dataclass(frozen=True)
class Stage:
    """Something that light or a signal passes: a delay in s that is known, or in cycles by a constant."""

    name: str
    delay: float = 0.0
    cycles: str = ""


@dataclass(frozen=True)
class Costs:
    """A circuit whose cost is asked: its rows, its clock, and what it does in a cycle.

    rate: cycles a second of the pipelined circuit.  use: fraction of the cycles that compute.  bits:
    that a detector must give, which then decides the light; lines: how many lines share it.  per_cycle: what
    a cycle does, by name.  works: trainings.
    """

    rows: tuple[Row, ...]
    stages: tuple[Stage, ...]
    rate: float
    use: float
    pipelined: bool
    bits: float | None
    lines: int
    per_cycle: Mapping[str, float]
    works: tuple[Work, ...]

    def line_power(self, k: Values) -> float:
        """Return the power in W of a line that gives the bits behind the losses of the link."""
        receiver = {n.removeprefix("receiver."): v for n, v in k.items() if n.startswith("receiver.")}
        lost = sum(v for n, v in k.items() if n.startswith("link."))
        return float(needed_light(self.bits or 0.0, self.rate, receiver) * 10.0 ** (lost / 10.0))

    def parts(self, k: Values) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return static power in W, energy of a cycle in J, and area in um^2 of each row."""
        static, cycle = np.zeros(len(self.rows)), np.zeros(len(self.rows))
        light = None if self.bits is None else self.line_power(k) * self.lines
        written = sum(row.amount for row in self.rows if row.category == "laser")
        for n, row in enumerate(self.rows):
            if row.category == "laser":
                own = row.amount if light is None else light * row.amount / written
                static[n] = own / k["wall_plug_efficiency"]
            elif row.category in STATIC:
                static[n] = STATIC[row.category](row, k)
            elif row.category in CYCLE:
                cycle[n] = CYCLE[row.category](row, k)
        area = np.array([_area(row, k) for row in self.rows])
        return static, cycle, area

    def latency(self, k: Values) -> FloatArray:
        """Return the delay of every stage in s."""
        return np.array([s.delay + (k[s.cycles] / self.rate if s.cycles else 0.0) for s in self.stages])

    def cycles_a_second(self, k: Values) -> float:
        """Return how many cycles are begun a second: one must end before the next without a pipeline."""
        if self.pipelined:
            return self.rate
        return float(1.0 / max(1.0 / self.rate, self.latency(k).sum()))

    def all(self, k: Values) -> dict[str, FloatArray]:
        """Return every quantity, the sum of all rows last: power, static power, area, latency, energies."""
        static, cycle, area = self.parts(k)
        rate = self.cycles_a_second(k)
        power = static + self.use * rate * cycle
        found = {"power": power, "static_power": static, "area": area, "latency": self.latency(k)}
        for name, number in {"cycle": 1.0, **self.per_cycle}.items():
            found[f"energy {name}"] = power / (self.use * rate * number)
        for work in self.works:
            run = static * work.seconds + cycle * work.cycles
            digital = k["digital_energy"]
            found[f"energy update {work.name}"] = np.append(
                run / work.updates, digital * work.update_products
            )
            own = run / work.inferences if work.inferences else np.zeros_like(run)
            found[f"energy inference {work.name}"] = np.append(own, digital * work.forward_products)
        return {name: np.append(values, values.sum()) for name, values in found.items()}


STATIC: Mapping[str, Callable[[Row, Values], float]] = {
    "amplifier": lambda row, k: max(0.0, row.amount) / k["amplifier_efficiency"],
    "heated": lambda row, _: row.amount,
    "current": lambda row, k: row.amount * k["diode_voltage"],
    "heater": lambda row, k: _held(row, k) / np.pi * k["heater_power_pi"],
    "camera": lambda row, k: row.count * k["camera_power"],
    "mirrors": lambda row, k: row.count * k["mirrors_power"],
}
"""Power in W of rows that take it whether they are used or not."""
CYCLE: Mapping[str, Callable[[Row, Values], float]] = {
    "modulator": lambda row, k: row.count * k["modulator_energy"],
    "drive": lambda row, k: _drive_steps(row, k) * k["dac_step_energy"],
    "dac": lambda row, k: row.steps * k["dac_step_energy"],
    "adc": lambda row, k: row.steps * k["adc_step_energy"],
    "tia": lambda row, k: row.count * k["tia_energy"],
}
"""Energy in J of a cycle of rows that take it when they are used."""


def _held(row: Row, k: Values) -> float:
    return row.count * k["heater_phase"] if "heater_phase" in k else row.amount


def _drive_steps(row: Row, k: Values) -> float:
    return row.steps if np.isfinite(row.steps) else float(row.count * 2.0 ** k["drive_bits"])


def _area(row: Row, k: Values) -> float:
    pitch = k["guide_pitch"]
    own = row.area + row.length * pitch + row.box + row.edge * pitch + row.round * pitch**2
    return float(own + sum(number * k[name] for name, number in row.places.items()))


@dataclass(frozen=True)
class Intervals:
    """Every quantity as (entries, bounds), and what the total of each does over each constant's interval."""

    found: Mapping[str, FloatArray]
    effect: Mapping[str, Mapping[str, tuple[float, float]]]


def intervals(costs: Costs, constants: Mapping[str, Constant]) -> Intervals:
    """Return quantities with the interval that all constants' intervals lead to together.

    Each constant pushes a quantity one way over its interval, so the ends are reached where every constant
    is at the end that pushes there.
    """
    middle = {name: c.value for name, c in constants.items()}
    base = costs.all(middle)
    loose = [name for name, c in constants.items() if c.low < c.high]
    ends = {
        name: tuple(costs.all({**middle, name: end}) for end in (constants[name].low, constants[name].high))
        for name in loose
    }
    found, effect = {}, {}
    for what, value in base.items():
        rises = np.array([ends[name][1][what] >= ends[name][0][what] for name in loose])
        rises = rises.reshape(len(loose), len(value))
        low, high = value.copy(), value.copy()
        for pattern in np.unique(rises, axis=1).T:
            own = (rises == pattern[:, np.newaxis]).all(axis=0)
            for up, target in ((False, low), (True, high)):
                at = {n: _end(constants[n], rising == up) for n, rising in zip(loose, pattern, strict=True)}
                target[own] = costs.all({**middle, **at})[what][own]
        found[what] = np.column_stack([value, low, high])
        effect[what] = {n: (float(ends[n][0][what][-1]), float(ends[n][1][what][-1])) for n in loose}
    return Intervals(found, effect)


def _end(constant: Constant, high: object) -> float:
    return constant.high if high else constant.low

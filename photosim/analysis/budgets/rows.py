"""What costs something in a circuit: its parts, sorted by what they do, alike ones in one row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import steps
from photosim.engine.converters import drivers
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import Block, ClosedForm, Detector, Electronic, Network, Nonlinear, Source

if TYPE_CHECKING:
    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Part
    from photosim.engine.parts import Point

MOST_ROWS = 48
"""Rows beyond which parts whose names differ in numbers alone stand in one."""
UNKNOWN = "unknown"
"""Category of parts that take power of which nothing is known."""
_BLOCKS = MappingProxyType(
    {"camera": "camera", "dmd": "mirrors", "slm": "mirrors", "weighing_mirrors": "mirrors",
     "large_area_vcsel": UNKNOWN, "weighing_detector": UNKNOWN}
)  # fmt: skip
_DIGITS = re.compile(r"\d+")
_TURN = 2.0 * np.pi


@dataclass
class Row:
    """Parts that cost alike.

    category: what they do.  amount: what the cost goes with, of all together: W of light (laser, amplifier),
    rad (heater), W (heated), A (current).  steps: 2**bits of converters, of all together.  length: of guides
    in um.  box, edge: sums of 4 r**2 in um^2 and 4 r in um over the `round` ones.  places: classes of parts
    with an area of their own, and how many.  area: stated, in um^2.  ports: first and number of each part's.
    """

    name: str
    component: str
    category: str
    count: int = 0
    amount: float = 0.0
    steps: float = 0.0
    length: float = 0.0
    box: float = 0.0
    edge: float = 0.0
    round: int = 0
    places: dict[str, int] = field(default_factory=dict)
    area: float = 0.0
    ports: list[tuple[int, int]] = field(default_factory=list)

    def add(self, other: Row) -> None:
        """Take the costs of another row in."""
        for name in ("count", "amount", "steps", "length", "box", "edge", "round", "area"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, number in other.places.items():
            self.places[kind] = self.places.get(kind, 0) + number
        self.ports += other.ports


@dataclass(frozen=True)
class Reading:
    """What rows are read with: settings of parts, the rate in Hz, bits of converters if stated."""

    compiled: Compiled
    at: Point
    rate: float
    converter_bits: float | None
    static: tuple[str, ...]
    footprint: Mapping[str, float]


def rows_of(reading: Reading, *, grouped: bool | None) -> list[Row]:
    """Return the rows of a circuit; alike parts in one if there are many, or as `grouped` says.

    Raises ParameterError for a pattern that no part has.
    """
    graph = reading.compiled.graph
    _check_patterns(reading)
    driven = {entry for entry, _ in drivers(graph).items()}
    found: list[Row] = []
    placed: set[str] = set()
    heaters: dict[str, Row] = {}
    for part in graph.parts:
        settings = reading.compiled.parts.settings_of(part, reading.at)
        row = _row(part, settings, reading)
        over = next((p for p in _prefixes(part.name) if _matches(p, reading.footprint)), None)
        if over is not None:
            row.length, row.box, row.edge, row.round, row.places = 0.0, 0.0, 0.0, 0, {}
            if over not in placed:
                placed.add(over)
                pattern = next(p for p in reading.footprint if fnmatchcase(over, p))
                found.append(Row(f"{over} cell", "", "area", 1, area=reading.footprint[pattern]))
        found.append(row)
        if row.category == "modulator" and not any((part.name, e) in driven for e in _electrical(part)):
            found.append(Row(f"{part.name} drive", "dac", "drive", 1, steps=_drive_steps(reading)))
        if _holds_phase(part):
            _heat(heaters, part, float(settings["phase"]), _of_ring(reading.compiled, part))
    for heater in heaters.values():
        heater.amount = float(np.mod(heater.amount, _TURN))
        found.append(heater)
    many = len(found) > MOST_ROWS if grouped is None else grouped
    return _grouped(found, (lambda name: _DIGITS.sub("*", name)) if many else str)


def uncounted(rows: Sequence[Row], footprint: Mapping[str, float]) -> tuple[str, ...]:
    """Return remarks of the rows whose power, or area, is not known and counts as none."""
    found = []
    unknown = [f"{row.name} ({row.component})" for row in rows if row.category == UNKNOWN]
    if unknown:
        found.append(f"Power that is not known and not counted: of {listing(unknown, 8)}.")
    bare = [
        row.name
        for row in rows
        if row.component and row.category != "drive" and not _has_area(row)
        and not any(_matches(prefix, footprint) for prefix in _prefixes(row.name))
    ]  # fmt: skip
    if bare:
        found.append(f"Area that is not known and not counted: of {listing(bare, 8)}.")
    return tuple(found)


def _has_area(row: Row) -> bool:
    return bool(row.length or row.round or row.places or row.area)


def _grouped(rows: list[Row], name: Callable[[str], str]) -> list[Row]:
    kept: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        key = (name(row.name), row.component, row.category)
        if key not in kept:
            kept[key] = Row(*key)
        kept[key].add(row)
    return list(kept.values())


def _heat(heaters: dict[str, Row], part: Part, phase: float, ring: str | None) -> None:
    """Add a phase in rad to the heater of a part; guides of one ring have one heater."""
    name = f"{ring or part.name} heater"
    if name not in heaters:
        heaters[name] = Row(name, "", "heater", 1)
    heaters[name].amount += phase


def _of_ring(compiled: Compiled, part: Part) -> str | None:
    """Return the ring that a heated guide is a part of."""
    above = _prefixes(part.name)[:-1]
    made = compiled.graph.composites.get(above[-1]) if above else None
    return above[-1] if made is not None and made.name.startswith(("ring_", "racetrack")) else None


def _row(part: Part, settings: Mapping[str, Any], reading: Reading) -> Row:
    model, kind = part.model, part.model.name.partition(".")[0]
    row = Row(part.name, kind, "passive", 1)
    if part.ports:
        row.ports.append((part.first_port, len(part.ports)))
    if isinstance(model, Source):
        row.category, row.amount = "laser", float(np.sum(model.lines(**settings)[1]))
    elif isinstance(model, Detector):
        row.category = "detector"
        row.places["detector_area"] = 1
    elif isinstance(model, Electronic):
        _electronic(row, model, settings, reading)
    elif isinstance(model, Nonlinear):
        row.category = UNKNOWN
        if "current" in settings:
            row.category, row.amount = "current", abs(float(settings["current"]))
    elif isinstance(model, Network):
        row.category = UNKNOWN
    elif isinstance(model, Block):
        row.category = _BLOCKS.get(kind, "passive")
    elif isinstance(model, ClosedForm):
        _optical(row, part, model, settings, reading)
    return row


def _electronic(row: Row, model: Electronic, settings: Mapping[str, Any], reading: Reading) -> None:
    stage = model.stage(**settings)
    if row.component == "heater_driver":
        row.category = "driver"  # the heater's power is counted at the heater
        row.places["dac_area"] = 1
        return
    if row.component not in ("adc", "dac", "transimpedance_amplifier"):
        row.category = UNKNOWN
        return
    if stage.bits is None:
        row.category = "tia"
        row.places["tia_area"] = 1
        return
    row.category = "adc" if model.inputs else "dac"
    row.steps = 2.0 ** effective_bits(stage.bits, stage.jitter, reading)
    row.places[f"{row.category}_area"] = 1


def effective_bits(bits: int, jitter: float, reading: Reading) -> float:
    """Return the effective bits of a converter: those stated, else what steps and jitter leave of a sine.

    The sine has half the rate and spans the range: steps leave 1.5 4**bits, jitter 1/(2 pi f jitter)**2.
    """
    if reading.converter_bits is not None:
        return reading.converter_bits
    noise = 1.0 / (1.5 * 4.0**bits) + (np.pi * reading.rate * jitter) ** 2
    return float((-10.0 * np.log10(noise) - 1.76) / 6.02)


def _drive_steps(reading: Reading) -> float:
    return np.nan if reading.converter_bits is None else 2.0**reading.converter_bits


def _optical(row: Row, part: Part, model: ClosedForm, settings: Mapping[str, Any], reading: Reading) -> None:
    driven = set((model.drives or {}).values())
    still = any(fnmatchcase(part.name, pattern) for pattern in reading.static)
    if "power" in driven:
        row.category, row.amount = "heated", float(settings["power"])
    elif "current" in driven:
        row.category, row.amount = "current", abs(float(settings["current"]))
    elif driven and not still:
        row.category = "modulator"
    elif model.emission_of is not None:
        row.category = "amplifier"
    radius = settings.get("radius")
    if radius is not None and np.ndim(radius) == 0 and float(radius) > 0.0:
        row.box, row.edge, row.round = 4.0 * float(radius) ** 2, 4.0 * float(radius), 1
    elif "length" in settings and np.ndim(settings["length"]) == 0:
        row.length = float(settings["length"])
    elif driven:
        row.places["modulator_area"] = 1
    elif "phase" in settings:
        row.places["shifter_area"] = 1
    elif len(part.ports) > 2:
        row.places["coupler_area"] = 1


def _holds_phase(part: Part) -> bool:
    parameter = part.model.parameters.get("phase") if isinstance(part.model, ClosedForm) else None
    return parameter is not None and parameter.unit == "rad"


def _electrical(part: Part) -> tuple[str, ...]:
    return tuple(getattr(part.model, "drives", None) or ())


def _prefixes(name: str) -> list[str]:
    path = steps(name)
    return [".".join(path[: k + 1]) for k in range(len(path))]


def _matches(name: str, patterns: Mapping[str, Any]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _check_patterns(reading: Reading) -> None:
    names = {prefix for part in reading.compiled.graph.parts for prefix in _prefixes(part.name)}
    for what, patterns in (("static", reading.static), ("footprint", tuple(reading.footprint))):
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                message = f"{what}: no instance of the circuit matches {pattern!r}."
                raise ParameterError(message + did_you_mean(pattern, names))

"""What `photosim calibrate` finds, judges and shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from photosim.analysis.result import Table
from photosim.bounds import check_number, check_whole
from photosim.display import Tabled
from photosim.media.unitaries import haar
from photosim.smatrix import ByValue
from photosim.training.arrays import FloatArray
from photosim.training.chips.calibration import Calibration, calibrate
from photosim.training.chips.chip import Chip
from photosim.training.chips.fidelity import fidelity
from photosim.training.chips.programming import known_mesh
from photosim.training.chips.simulated import SimulatedChip
from photosim.training.chips.tracking import Tracker
from photosim.training.devices.mesh.blocks import OneMesh
from photosim.training.devices.mesh.calibration import PowerTaps, calibrated
from photosim.training.devices.mesh.correction import corrected
from photosim.training.devices.mesh.decomposition import decompose

LOOK_SECONDS = 60.0
"""How often a chip that drifts is measured."""
NEAREST = 1.2
"""Distance up to which heaters are neighbours in the table."""


@dataclass(frozen=True, eq=False)
class Held(ByValue):
    """Fidelity of a chip that drifts and is corrected from a few readings at regular times.

    fidelity: just before each correction, (corrections,).  start: fidelity at the beginning.
    """

    hours: float
    start: float
    fidelity: FloatArray
    busy: float


@dataclass(frozen=True, eq=False)
class CalibrationReport(Tabled, ByValue):
    """A calibration, and for a simulated chip the fidelity of programmed unitary matrices.

    fidelity: of each target, (targets,).  seconds: time of the readings in s.  taps: fidelity and number of
    readings of a calibration with power taps inside the mesh.  held: fidelity during drift. fidelity, taps
    and held are None for a chip that is not simulated.
    """

    name: str
    found: Calibration
    seconds: float | None = None
    truth: SimulatedChip | None = None
    fidelity: FloatArray | None = None
    taps: tuple[FloatArray, int] | None = None
    held: Held | None = None

    def numbers(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        found, wiring = self.found, self.found.model.wiring
        plain: dict[str, Any] = {
            "kind": "calibrate",
            "name": self.name,
            "arrangement": wiring.arrangement,
            "guides": wiring.n,
            "heaters": list(wiring.heaters),
            "readings": found.readings,
            "seconds": self.seconds,
            "misfit": found.error,
            "couplers": found.couplers.tolist(),
            "phases at rest in rad": found.offsets.tolist(),
            "W for pi": found.watts_per_pi.tolist(),
            "crosstalk": found.crosstalk.tolist(),
        }
        if self.fidelity is not None:
            plain["fidelity"] = self.fidelity.tolist()
        if self.taps is not None:
            plain["fidelity by taps"], plain["readings by taps"] = self.taps[0].tolist(), self.taps[1]
        if self.held is not None:
            plain["held"] = {
                "hours": self.held.hours,
                "start": self.held.start,
                "lowest": float(self.held.fidelity.min()),
                "mean": float(self.held.fidelity.mean()),
                "share of the time": self.held.busy,
            }
        return plain

    def tables(self) -> tuple[Table, ...]:
        """Return tables of the calibrated parameters, of the fidelities, and of the drift."""
        tables = [self._found()]
        if self.fidelity is not None:
            rows = [_row("powers at the outputs", self.fidelity, self.found.readings)]
            if self.taps is not None:
                label = "taps inside the mesh, without crosstalk and with known powers for pi"
                rows.append(_row(label, *self.taps))
            columns = ("calibrated by", "readings", "targets", "mean fidelity", "lowest")
            tables.append(Table(f"{self.name}: fidelity of unitaries drawn evenly", columns, tuple(rows)))
        if self.held is not None:
            held = self.held
            row = (
                f"{held.hours:g}", f"{held.start:.5f}", f"{held.fidelity.mean():.5f}",
                f"{held.fidelity.min():.5f}", f"{100.0 * held.busy:.3g}",
            )  # fmt: skip
            columns = ("hours", "fidelity at start", "mean", "lowest", "share of the time in %")
            tables.append(Table(f"{self.name}: held as it drifts", columns, (row,)))
        return tuple(tables)

    def _found(self) -> Table:
        found, truth = self.found, self.truth
        near = self._near()
        lines: list[tuple[str, FloatArray, FloatArray | None, str]] = [
            ("power that couplers cross", found.couplers.ravel(), None, "1"),
            ("power for pi", 1e3 * found.watts_per_pi, None, "mW"),
            ("heat of the nearest heaters", 100.0 * found.crosstalk[near], None, "%"),
        ]
        if truth is not None:
            hidden = replace(found, numbers=truth.hidden)
            true = (hidden.couplers.ravel(), 1e3 * hidden.watts_per_pi, 100.0 * truth.heat[near])
            lines = [(name, seen, own, unit) for (name, seen, _, unit), own in zip(lines, true, strict=True)]
        rows = tuple(
            (
                f"{name}, {unit}" if unit != "1" else name,
                f"{np.mean(seen):.4g}",
                f"{np.std(seen):.3g}",
                None if own is None else f"{_seen_error(seen, own):.2g}",
            )
            for name, seen, own, unit in lines
        )
        took = "" if self.seconds is None else f" in {self.seconds:.3g} s"
        title = (
            f"{self.name}: {found.model.wiring.n} guides, {found.readings:,} readings{took}, misfit "
            f"{found.error:.2f} of their noise"
        )
        return Table(title, ("found", "mean", "spread", "rms error"), rows)

    def _near(self) -> tuple[Any, ...]:
        distance = self.found.model.wiring.distances[: 2 * self.found.model.wiring.blocks]
        return np.nonzero((distance > 0.0) & (distance < NEAREST))


def _seen_error(seen: FloatArray, own: FloatArray) -> float:
    """Return the root mean square error; of powers for pi that no reading shows none counts."""
    return float(np.sqrt(np.mean((seen - own) ** 2)))


def _row(label: str, found: FloatArray, readings: int) -> tuple[str, str, str, str, str]:
    return label, f"{readings:,}", str(found.size), f"{found.mean():.5f}", f"{found.min():.5f}"


def report(
    chip: Chip,
    name: str,
    *,
    readings: int | None = None,
    targets: int = 20,
    hours: float = 0.0,
    seed: int = 0,
) -> CalibrationReport:
    """Calibrate a chip, and test the calibration if the chip is simulated.

    targets: number of random unitary matrices that are programmed.  hours: time in h for which one is held.
    """
    check_whole("report", 0, targets=targets, seed=seed)
    check_number("report", 0.0, hours=hours)
    before = getattr(chip, "seconds", None)
    found = calibrate(chip, readings, seed=seed)
    if not isinstance(chip, SimulatedChip):
        return CalibrationReport(name, found)
    seconds = chip.seconds - float(before or 0.0)
    rng = np.random.default_rng(seed)
    unitaries = [haar(chip.wiring.n, rng) for _ in range(targets)]
    reached = np.array([_reached(chip, found, unitary) for unitary in unitaries])
    return CalibrationReport(
        name,
        found,
        seconds,
        chip,
        reached if targets else None,
        _by_taps(chip, unitaries, rng) if targets else None,
        hold(chip, found, haar(chip.wiring.n, rng), hours) if hours else None,
    )


def _reached(chip: SimulatedChip, found: Calibration, unitary: Any) -> float:
    chip.set_voltages(found.program(unitary))
    return fidelity(chip.matrix(), unitary)


def hold(chip: SimulatedChip, found: Calibration, unitary: Any, hours: float) -> Held:
    """Hold a unitary matrix on a simulated chip that drifts, with a correction every minute."""
    own = chip.options
    tracker = Tracker(chip, found, drift=own.drift, common=abs(own.kelvin * own.per_kelvin))
    phases = tracker.phases(unitary)
    tracker.follow(LOOK_SECONDS)
    chip.set_voltages(tracker.voltages(phases))
    start, seen, busy = fidelity(chip.matrix(), unitary), [], 0.0
    began = chip.seconds
    while chip.seconds - began < 3600.0 * hours:
        last = chip.seconds
        chip.wait(LOOK_SECONDS)
        seen.append(fidelity(chip.matrix(), unitary))
        looked = chip.seconds
        tracker.follow(chip.seconds - last)
        chip.set_voltages(tracker.voltages(phases))
        busy += chip.seconds - looked
    return Held(hours, start, np.array(seen), busy / (chip.seconds - began))


def _by_taps(chip: SimulatedChip, unitaries: list[Any], rng: np.random.Generator) -> tuple[FloatArray, int]:
    """Return the fidelities that taps behind every coupler of the same chip give, and their readings.

    As `devices.mesh.calibration` has it: the heat between heaters switched off, their powers for pi known.
    """
    model, hidden, k = found_model(chip), chip.hidden, chip.wiring.blocks
    plain = known_mesh(model, hidden)
    offset = {"inner_offset": hidden.offset[:k], "outer_offset": hidden.offset[k:]}
    built: OneMesh = replace(plain, blocks=replace(plain.blocks, **offset))
    taps = PowerTaps(built, known_mesh(model, model.start()), chip.options.noise, rng)
    known = calibrated(taps)
    made = [built.matrix(corrected(known, decompose(own, chip.wiring.arrangement))) for own in unitaries]
    scores = [fidelity(one, own) for one, own in zip(made, unitaries, strict=True)]
    return np.array(scores), taps.counters["readings"]


def found_model(chip: SimulatedChip) -> Any:
    """Return the model of a chip's design."""
    from photosim.training.chips.model import Model

    return Model(chip.wiring)

"""Calibration of a chip from powers at its outputs, with light in one input at a time."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.bounds import check_number, check_whole
from photosim.errors import DataError
from photosim.files.atomic import replacing
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.chips.chip import Chip
from photosim.training.chips.fitting import Fit, Seen, fit
from photosim.training.chips.model import Model, Numbers
from photosim.training.chips.programming import phases_for, powers_for
from photosim.training.chips.start import Readings, first_numbers
from photosim.training.chips.wiring import Wiring
from photosim.training.data.files import read_npz

PER_SQUARE = 50
"""Readings of a calibration, in units of the number of guides squared."""


@dataclass(frozen=True)
class Calibration:
    """Result of a calibration: couplers, phases, powers for pi, losses and crosstalk of a chip.

    error: rms residual of the readings in units of their noise; about 1 if the model describes the chip.
    readings: number of readings used.  fitted: the last fit; None for a loaded calibration.
    """

    model: Model
    numbers: Numbers
    error: float
    readings: int
    fitted: Fit | None = None

    @property
    def couplers(self) -> FloatArray:
        """Cross-coupled power of the first and second coupler of each block, from 0 to 1, shape (K, 2)."""
        return np.asarray(np.sin(np.stack([self.numbers.split, self.numbers.join], axis=-1)) ** 2)

    @property
    def offsets(self) -> FloatArray:
        """Phases at rest in rad, theta of all blocks and phi of all blocks, shape (2 K,)."""
        return np.asarray(np.mod(self.numbers.offset, 2.0 * np.pi))

    @property
    def watts_per_pi(self) -> FloatArray:
        """Power in W for a phase of pi of each block's heaters, shape (2 K,)."""
        return np.asarray(self.model.wiring.watt_pi * np.exp(self.numbers.per_pi))

    @property
    def crosstalk(self) -> FloatArray:
        """Fraction of each heater's power (H columns) that reaches each heater of a block (2 K rows)."""
        return self.model.heat(self.numbers)

    def program(self, unitary: Any) -> FloatArray:
        """Return the voltages (H,) in V for which the chip is nearest to a unitary matrix (n, n).

        Phases of inputs and outputs are free, because readings do not show them. Raises ParameterError for a
        matrix that is not unitary or has another size.
        """
        phases = phases_for(self.model, self.numbers, unitary)
        return self.model.wiring.voltages(powers_for(self.model, self.numbers, phases))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the calibration as an .npz file without pickle; return its path.  Raises DataError."""
        check_arguments(Calibration.save, {"path": path})
        file = Path(path)
        if file.suffix != ".npz":
            message = f"A calibration is saved as an .npz file, got {file}."
            raise DataError(message)
        wiring = self.model.wiring
        design = {"arrangement": wiring.arrangement, "n": wiring.n, "ohm": wiring.ohm}
        design |= {"watt_pi": wiring.watt_pi, "volt_max": wiring.volt_max}
        with replacing(file) as temporary, temporary.open("wb") as opened:
            np.savez(
                opened,
                allow_pickle=False,
                design=np.array(json.dumps(design)),
                numbers=self.numbers.vector(),
                found=np.array([self.error, self.readings]),
            )
        return file

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Calibration:
        """Return the calibration of a file that `save` wrote; DataError for a missing or damaged one."""
        check_arguments(Calibration.load, {"path": path})
        file = Path(path)
        if not file.is_file():
            message = f"There is no file {file}."
            raise DataError(message)
        arrays = read_npz(file, ("design", "numbers", "found"))
        try:
            model = Model(Wiring(**json.loads(str(arrays["design"]))))
            vector: Any = arrays["numbers"]
            blank = model.start()
            if vector.shape != blank.vector().shape:
                message = f"{file} is damaged: it holds {vector.size} numbers."
                raise DataError(message)
            error, readings = (float(value) for value in np.asarray(arrays["found"], dtype=np.float64))
        except (ValueError, TypeError, KeyError) as error_found:
            message = f"{file} is not a calibration: {error_found}."
            raise DataError(message) from error_found
        return cls(model, blank.of(np.asarray(vector, dtype=np.float64)), error, int(readings))

    def matrix(self, voltages: FloatArray) -> ComplexArray:
        """Return the matrix (n, n) of the calibrated model at these voltages in V, except for end phases."""
        return self.model.matrix(self.numbers, self.model.wiring.powers(np.asarray(voltages)))


def calibrate(chip: Chip, readings: int | None = None, *, noise: float = 0.01, seed: int = 0) -> Calibration:
    """Calibrate a chip from readings of its output powers, with light in one input at a time.

    The first readings are fringes of single heaters on unique paths through the mesh. More readings have
    random settings. A fit of a model of the chip to all readings then gives its parameters. readings:
    approximate number of readings; by default 50 n^2.  noise: relative standard deviation of a reading.
    seed: of the random settings. Phases of inputs and outputs are left out, because readings do not show
    them.
    """
    check_arguments(calibrate, {"readings": readings, "noise": noise, "seed": seed})
    check_number("calibrate", 0.0, 1.0, above=True, noise=noise)
    check_whole("calibrate", 0, seed=seed)
    model = Model(chip.wiring)
    budget = PER_SQUARE * chip.wiring.n**2 if readings is None else readings
    check_whole("calibrate", 1, readings=budget)
    kept = Readings()
    numbers = first_numbers(chip, model, kept)
    rng = np.random.default_rng(seed)
    heaters, n = len(chip.wiring.heaters), chip.wiring.n
    while len(kept.seen) < budget:
        powers = chip.wiring.most * rng.uniform(0.0, 1.0, heaters)
        kept.read(chip, powers, int(rng.integers(n)))
    seen = Seen(np.array(kept.powers), np.array(kept.entrances), np.array(kept.seen))
    found = fit_in_steps(model, seen, numbers, noise)
    return Calibration(model, found.numbers, found.error, len(seen), found)


def fit_in_steps(model: Model, seen: Seen, numbers: Numbers, noise: float) -> Fit:
    """Fit phases first, then couplers and heat by its law, then every pair of heaters."""
    some = seen.some(slice(0, len(seen) // 2))
    coarse = numbers.places("offset", "per_pi", "share", "reach")
    found = fit(model, some, numbers, coarse, noise=0.1, floor=0.05, enough=1e-2)
    more = numbers.places("split", "join", "offset", "per_pi", "loss", "entry", "leave", "share", "reach")
    found = fit(model, some, found.numbers, more, noise=0.03, floor=0.01, enough=1e-2)
    every = np.arange(numbers.vector().size)
    return fit(model, seen, found.numbers, every, noise=noise, floor=5e-4, enough=1e-3)

"""First numbers of a chip from its outputs alone: fringes of one heater after the other.

Diagonals. Light that moves a guide down in every column meets a chain of blocks and reaches the output at
its end by no other way, so that the power there is a product of one factor for each block of the chain,
whatever all other phases are: each theta shows a fringe, whose top is where the block crosses. Blocks of
chains before it, set to cross or keep, lead light in and out.

Loops. With all blocks keeping their guides but two that halve the light, one behind the other on the same
guides, these are an interferometer, whose fringe tells the phi of the second.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from photosim.training.arrays import FloatArray
from photosim.training.chips.chip import Chip
from photosim.training.chips.model import Model, Numbers
from photosim.training.chips.wiring import Wiring

ROUGH, FINE = 6, 10
"""Settings of a fringe in the first and second round."""
_CANDIDATES = 181


@dataclass
class Readings:
    """What was read: powers of heaters (R, H) in units of the design's for pi, inputs, outputs (R, n)."""

    powers: list[FloatArray] = field(default_factory=list)
    entrances: list[int] = field(default_factory=list)
    seen: list[FloatArray] = field(default_factory=list)

    def read(self, chip: Chip, powers: FloatArray, entrance: int) -> FloatArray:
        """Set the chip, read it once, and keep the reading."""
        voltages = chip.wiring.voltages(powers)
        chip.set_voltages(voltages)
        found = chip.read_powers(entrance)
        self.powers.append(chip.wiring.powers(voltages))
        self.entrances.append(entrance)
        self.seen.append(found)
        return found


def first_numbers(chip: Chip, model: Model, readings: Readings) -> Numbers:
    """Return numbers of the chip near enough for a fit to find the rest."""
    numbers = _diagonals(chip, model, readings)
    return _loops(chip, model, readings, numbers)


def _chains(wiring: Wiring) -> list[list[int]]:
    """Return the chains of blocks, each a guide lower than the one before it, longest first on each side."""
    order = {place: k for k, place in enumerate(wiring.places)}
    heads = [place for place in wiring.places if (place[0] - 1, place[1] - 1) not in order]
    chains = []
    for column, mode in sorted(heads, key=lambda place: (place[1], place[0])):
        chain = []
        while (column, mode) in order:
            chain.append(order[column, mode])
            column, mode = column + 1, mode + 1  # noqa: PLW2901 - the next block of the chain
        chains.append(chain)
    return chains


def _diagonals(chip: Chip, model: Model, readings: Readings) -> Numbers:
    """Find theta of all blocks: phase at rest, and power for pi."""
    wiring, numbers = model.wiring, model.start()
    found: set[int] = set()
    for chain in _chains(wiring):
        (column, mode), (last, low) = wiring.places[chain[0]], wiring.places[chain[-1]]
        ways = {k for k in found if _on(wiring, k, mode) and wiring.places[k][0] < column}
        ways |= {k for k in found if _on(wiring, k, low + 1) and wiring.places[k][0] > last}
        powers = np.zeros(len(wiring.heaters))
        for k in sorted(found):
            powers[k] = _power_for(numbers, k, np.pi if k in ways else 0.0)
        for count in (ROUGH, FINE):
            for k in chain:
                steps = np.linspace(0.0, 0.98 * wiring.most, count)
                seen = np.array(
                    [readings.read(chip, _with(powers, k, step), mode)[low + 1] for step in steps]
                )
                offset, per_pi = _fringe(steps, seen)
                numbers.offset[k], numbers.per_pi[k] = offset, per_pi
                powers[k] = _power_for(numbers, k, 0.0)
        found.update(chain)
    return numbers


def _loops(chip: Chip, model: Model, readings: Readings, numbers: Numbers) -> Numbers:
    """Find phi of all blocks that have one behind which it shows; the others are free to be 0."""
    wiring = model.wiring
    order = {place: k for k, place in enumerate(wiring.places)}
    count = wiring.blocks
    for k, (column, mode) in enumerate(wiring.places):
        before = order.get((column - 2, mode))
        if before is None:
            continue
        powers = np.zeros(len(wiring.heaters))
        for other in range(count):
            half = other in (k, before)
            powers[other] = _power_for(numbers, other, np.pi / 2.0 if half else np.pi)
        steps = np.linspace(0.0, 0.98 * wiring.most, FINE)
        settings = np.array([_with(powers, count + k, step) for step in steps])
        seen = np.array([readings.read(chip, setting, mode) for setting in settings])[:, [mode, mode + 1]]
        numbers.offset[count + k] = _best_phase(model, numbers, settings, mode, count + k, seen)
    return numbers


def _best_phase(
    model: Model, numbers: Numbers, settings: FloatArray, mode: int, heater: int, seen: FloatArray
) -> float:
    """Return the phase at rest of a heater that explains two outputs' fringes best, among many."""
    entrances = np.full(len(settings), mode)
    worst, best = np.inf, 0.0
    for phase in np.linspace(0.0, 2.0 * np.pi, _CANDIDATES, endpoint=False):
        offset = numbers.offset.copy()
        offset[heater] = phase
        expected = model.readings(replace(numbers, offset=offset), settings, entrances)
        error = float(np.sum((expected[:, [mode, mode + 1]] - seen) ** 2))
        if error < worst:
            worst, best = error, float(phase)
    return best


def _fringe(steps: FloatArray, seen: FloatArray) -> tuple[float, float]:
    """Return phase at rest and log power for pi of a fringe a + b cos(pi step / p + phase), b above 0."""
    worst, phase, best = np.inf, 0.0, 0.0
    for log in np.linspace(-0.25, 0.25, 51):
        turn = np.pi * steps * np.exp(-log)
        columns = np.stack([np.ones_like(turn), np.cos(turn), np.sin(turn)], axis=-1)
        parts, *_ = np.linalg.lstsq(columns, seen, rcond=None)
        # A mild pull to the design's power keeps few points from choosing it by their noise.
        error = float(np.sum((columns @ parts - seen) ** 2) + 1e-3 * log**2 * np.sum(seen**2))
        if error < worst:
            worst, phase, best = error, float(-np.arctan2(parts[2], parts[1])), float(log)
    return phase, best


def _power_for(numbers: Numbers, heater: int, phase: float) -> float:
    """Return the smallest power, in units of the design's for pi, that gives a heater this phase."""
    return float(np.mod(phase - numbers.offset[heater], 2.0 * np.pi) / np.pi * np.exp(numbers.per_pi[heater]))


def _with(powers: FloatArray, heater: int, power: float) -> FloatArray:
    changed = powers.copy()
    changed[heater] = power
    return changed


def _on(wiring: Wiring, block: int, guide: int) -> bool:
    return guide in wiring.pairs[block]

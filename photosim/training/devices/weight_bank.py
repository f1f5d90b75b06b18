"""A microring weight bank as a device: a matrix times a vector of optical powers (filipovich2022)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.devices.bank_circuit import BankCircuit, find_bank
from photosim.training.devices.bank_program import Calibration, calibrate, solve
from photosim.training.devices.device import Energy
from photosim.training.devices.receiver import Converters

if TYPE_CHECKING:
    from photosim.circuit import Circuit

Noise = Literal["physical", "measured"]

FIRST_REACH = 0.9
"""Share of what the weakest isolated ring reaches that stands for the largest weight; crosstalk takes of
the rest.
"""
SHRINK = 0.85
SMALLEST_REACH = 0.2
"""A matrix that crosstalk forbids is scaled down by SHRINK until it fits, or given up below this share."""


@dataclass(frozen=True)
class Measured:
    """The noise that filipovich2022's code adds to a product: max|x| of the batch times N(mean, deviation).

    It stands for weights between -1 and 1. The defaults are their example: the off-chip detector, sigma =
    0.098.
    """

    mean: float = 0.03
    deviation: float = 0.618


@dataclass(frozen=True)
class Tiles:
    """A matrix cut into T = across x down pieces of the bank's size, and what the bank makes of each.

    target, solved, held: wanted weights, those of the solved phases and those after the heater converters, in
    the matrix's own units, shape (outputs, inputs).  phases: as held, shape (T, M, N), in rad.
    plus, minus: photocurrents in A of full power in each channel, shape (down, across, M, N).
    unit: current that stands for 1 in the matrix's units.  full: that of its largest weight.
    """

    target: FloatArray
    solved: FloatArray
    held: FloatArray
    phases: FloatArray
    plus: FloatArray
    minus: FloatArray
    unit: float
    full: float
    clipped_settings: int


@dataclass(frozen=True)
class WeightBank:
    """Signed products by powers of light, rows read by balanced detectors.

    A vector x is sent as its positive and then its negative part, two cycles a tile, each sample scaled by
    its largest |x| into the modulators' range; the modulators are ideal but for their converters. A matrix
    larger than the bank is cut into tiles, one after the other.

    noise: None for none; "physical" for shot, thermal and relative intensity noise of the circuit's own
    detectors and laser, one intensity fluctuation a channel and cycle for all rows and both diodes;
    "measured" for the published model.  Left out: drift and thermal crosstalk of the heaters, extinction of
    the modulators, beating.
    """

    hardware: BankCircuit
    calibration: Calibration
    converters: Converters = field(default_factory=Converters)
    noise: Noise | None = None
    measured: Measured = field(default_factory=Measured)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    reach: float = FIRST_REACH
    tiles: Tiles | None = None
    counters: Counter[str] = field(default_factory=Counter, compare=False)

    @classmethod
    def from_circuit(cls, circuit: Circuit, name: str, converters: Converters | None = None) -> WeightBank:
        """Return the bank that is instance `name` of a circuit, nothing programmed yet, without noise.

        Raises ParameterError when the instance is no bank or its rings cannot hold weights of both signs.
        """
        hardware = find_bank(circuit, name)
        hardware.check_rows()
        return cls(hardware, calibrate(hardware), converters or Converters())

    def with_noise(
        self, noise: Noise | None, rng: np.random.Generator, measured: Measured | None = None
    ) -> WeightBank:
        """Return the same bank and settings with this noise, drawn from rng, and counters of its own."""
        return replace(self, noise=noise, rng=rng, measured=measured or self.measured, counters=Counter())

    def program(self, weights: FloatArray) -> WeightBank:
        """Return the bank holding `weights` (outputs, inputs), scaled into its reach; see program_all."""
        return self.program_all([weights])[0]

    def program_all(self, matrices: Sequence[FloatArray]) -> list[WeightBank]:
        """Return one bank for each matrix (outputs, inputs), all solved together.

        Each is scaled so that its largest entry takes `reach` of what the weakest ring can do alone, and less
        where crosstalk forbids that. Raises ParameterError for a matrix that is empty, not finite or zero,
        and when crosstalk leaves no useful range.
        """
        exact = [np.array(matrix, dtype=np.float64) for matrix in matrices]
        cut = [_cut(matrix, self.hardware) for matrix in exact]
        banks: dict[int, WeightBank] = {}
        reach = self.reach
        while len(banks) < len(exact):
            if reach < SMALLEST_REACH:
                message = (
                    f"Crosstalk leaves the rings of {self.hardware.name!r} less than {SMALLEST_REACH:.0%} of "
                    "their range for these weights: widen the channel spacing or weaken the coupling."
                )
                raise ParameterError(message)
            todo = [k for k in range(len(exact)) if k not in banks]
            units = [reach * self.calibration.reach / float(np.abs(exact[k]).max()) for k in todo]
            phases, found = solve(
                self.hardware,
                self.calibration,
                np.concatenate([cut[k] * u for k, u in zip(todo, units, strict=True)]),
            )
            ends = np.cumsum([len(cut[k]) for k in todo])[:-1]
            for k, unit, own, right in zip(
                todo, units, np.split(phases, ends), np.split(found, ends), strict=True
            ):
                if right.all():
                    banks[k] = replace(self, tiles=self._hold(exact[k], own, unit), counters=Counter())
            reach *= SHRINK
        return [banks[k] for k in range(len(exact))]

    @property
    def programmed(self) -> Tiles:
        """The tiles of the programmed matrix; ParameterError if there is none yet."""
        if self.tiles is None:
            message = f"Bank {self.hardware.name!r} holds no matrix yet: use what program(weights) returns."
            raise ParameterError(message)
        return self.tiles

    def matrix(self) -> FloatArray:
        """Return the effective matrix of the heaters' present settings, shape (outputs, inputs)."""
        return self.programmed.held

    def apply(self, x: RealArray, gain: RealArray | None = None) -> FloatArray:
        """Return gain * (x @ matrix.T), shape (batch, outputs), as the hardware reads it.

        `gain` is that of the rows' amplifiers, between detector and converter. Clipped readings are counted.
        """
        tiles = self.programmed
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != tiles.target.shape[1]:
            message = (
                f"The bank holds {tiles.target.shape[1]} inputs: x must be (batch, {tiles.target.shape[1]})."
            )
            raise ParameterError(message)
        outputs = tiles.target.shape[0]
        amplify = np.ones((len(x), outputs)) if gain is None else np.asarray(gain, dtype=np.float64)
        if self.noise == "measured":
            return self._apply_measured(x, amplify)
        scale = np.abs(x).max(axis=1, keepdims=True)
        shares = x / np.where(scale > 0.0, scale, 1.0)
        # The cycles of positive and negative parts differ in nothing but their input: one call reads both.
        parts = np.concatenate([np.maximum(shares, 0.0), np.maximum(-shares, 0.0)])
        readings = self._read(parts, np.concatenate([amplify, amplify]))
        self._count(len(x))
        return np.asarray((readings[: len(x)] - readings[len(x) :]) * scale)

    @property
    def clipped_settings(self) -> int:
        """How many heaters would have needed a phase beyond their converters' range."""
        return self.programmed.clipped_settings

    def energy(self) -> Energy:
        """Return cycles and samples so far, their time at the receivers' rate and the laser's light in it."""
        cycles = self.counters["cycles"]
        seconds = cycles * self.hardware.receiver.cycle_s
        light = seconds * float(self.hardware.power.sum())
        return Energy(cycles, self.counters["samples"], seconds, light)

    def _hold(self, matrix: FloatArray, phases: FloatArray, unit: float) -> Tiles:
        """Return what the heater converters make of solved phases (T, M, N) for one matrix."""
        held, clipped = self.converters.heaters(phases)
        solved = self.hardware.weights(phases)
        plus, minus = self.hardware.currents(held)
        down = -(-matrix.shape[0] // self.hardware.rows)
        shape = (down, -1, self.hardware.rows, self.hardware.channels)
        return Tiles(
            target=matrix,
            solved=_join(solved, matrix.shape) / unit,
            held=_join(plus - minus, matrix.shape) / unit,
            phases=held,
            plus=plus.reshape(shape),
            minus=minus.reshape(shape),
            unit=unit,
            full=unit * float(np.abs(matrix).max()),
            clipped_settings=clipped,
        )

    def _read(self, x: FloatArray, amplify: FloatArray) -> FloatArray:
        """Return products (batch, outputs) in the matrix's units, of x (batch, inputs) between 0 and 1."""
        tiles = self.programmed
        down, across, rows, channels = tiles.plus.shape
        light = np.zeros((len(x), across * channels))
        light[:, : x.shape[1]] = self.converters.inputs(x)
        # One vector to every tile, at its own time: axes (down, across, batch, channel).
        light = np.broadcast_to(
            light.reshape(len(x), across, channels).swapaxes(0, 1), (down, across, len(x), channels)
        )
        current = self._detect(light)
        padded = np.zeros((len(x), down * rows))
        padded[:, : amplify.shape[1]] = amplify
        gains = padded.reshape(len(x), down, 1, rows).transpose(1, 2, 0, 3)
        readings, clipped = self.converters.readings(gains * current / tiles.full)
        self.counters["clipped readings"] += clipped
        total = readings.sum(axis=1).transpose(1, 0, 2).reshape(len(x), down * rows)
        return np.asarray(total[:, : amplify.shape[1]] * (tiles.full / tiles.unit))

    def _detect(self, light: FloatArray) -> FloatArray:
        """Return currents in A (down, across, batch, M) of relative powers (down, across, batch, N)."""
        tiles = self.programmed
        plus, minus = tiles.plus.swapaxes(-1, -2), tiles.minus.swapaxes(-1, -2)
        if self.noise is None:
            return np.asarray(light @ (plus - minus))
        receiver = self.hardware.receiver
        variance = receiver.current_variance(light @ (plus + minus))
        # One fluctuation a channel and cycle: every row and both of its diodes see the same light.
        flicker = np.sqrt(receiver.relative_intensity_variance) * self.rng.standard_normal(light.shape)
        current = (light * (1.0 + flicker)) @ (plus - minus)
        return np.asarray(current + np.sqrt(variance) * self.rng.standard_normal(variance.shape))

    def _apply_measured(self, x: RealArray, amplify: FloatArray) -> FloatArray:
        tiles = self.programmed
        product = x @ tiles.held.T
        size = np.abs(x).max() * np.abs(tiles.target).max()
        error = size * (
            self.measured.mean + self.measured.deviation * self.rng.standard_normal(product.shape)
        )
        self._count(len(x))
        return np.asarray(amplify * (product + error))

    def _count(self, samples: int) -> None:
        down, across = self.programmed.plus.shape[:2]
        self.counters["samples"] += samples
        self.counters["cycles"] += 2 * down * across * samples  # the positive part, then the negative one
        self.counters["readings"] += 2 * down * across * samples * self.hardware.rows


def effective_bits(bank: WeightBank, rng: np.random.Generator, samples: int = 256) -> float:
    """Return log2(2 / sigma) of a bank's products, as filipovich2022 measures them.

    Random inputs between 0 and 1 meet the programmed weights; products are normalised so that they lie
    between -1 and 1, and sigma is the deviation of what is read from what was asked. Infinite for an exact
    bank.
    """
    target = bank.programmed.target
    probe = bank.with_noise(bank.noise, rng)
    x = rng.uniform(0.0, 1.0, (samples, target.shape[1]))
    error = (probe.apply(x) - x @ target.T) / (np.abs(target).max() * target.shape[1])
    sigma = float(np.std(error))
    return float(np.log2(2.0 / sigma)) if sigma > 0.0 else float("inf")


def _cut(matrix: FloatArray, bank: BankCircuit) -> FloatArray:
    """Return a matrix (outputs, inputs) as tiles (T, M, N), padded with zeros, left to right, then down."""
    if matrix.ndim != 2 or not np.isfinite(matrix).all() or not np.any(matrix):
        message = (
            f"A bank holds a finite matrix (outputs, inputs) that is not zero, got shape {matrix.shape}."
        )
        raise ParameterError(message)
    down, across = (
        -(-size // piece) for size, piece in zip(matrix.shape, (bank.rows, bank.channels), strict=True)
    )
    padded = np.zeros((down * bank.rows, across * bank.channels))
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    pieces = padded.reshape(down, bank.rows, across, bank.channels).swapaxes(1, 2)
    return pieces.reshape(-1, bank.rows, bank.channels)


def _join(tiles: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return the matrix of a given shape that tiles (T, M, N) were cut from."""
    rows, channels = tiles.shape[1:]
    down, across = -(-shape[0] // rows), -(-shape[1] // channels)
    whole = tiles.reshape(down, across, rows, channels).swapaxes(1, 2).reshape(down * rows, across * channels)
    return np.asarray(whole[: shape[0], : shape[1]])

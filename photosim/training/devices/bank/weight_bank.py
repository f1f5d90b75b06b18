"""A microring weight bank as a device: a matrix times a vector of optical powers (filipovich2022)."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_choice, check_number
from photosim.display import Shown
from photosim.errors import ParameterError, PhotosimWarning
from photosim.signals.normals import normal_numbers
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.devices.bank.circuit import BankCircuit, find_bank
from photosim.training.devices.bank.diodes import Diodes, check_brightness
from photosim.training.devices.bank.drift import DriftRealisation, TemperatureDrift
from photosim.training.devices.bank.modulators import Modulators, find_modulators
from photosim.training.devices.bank.noise import deviation, published
from photosim.training.devices.bank.picture import html_blocks
from photosim.training.devices.bank.program import Calibration, calibrate, solve
from photosim.training.devices.bank.receivers import read_tiles
from photosim.training.devices.bank.tiles import Tiles, cut, join
from photosim.training.devices.bank.warm import WarmTiles
from photosim.training.devices.device import Energy, check_batch, check_real
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


@public
@dataclass(frozen=True)
class Measured:
    """Noise of a product as in the code of filipovich2022: max|x| of the batch times N(mean, deviation).

    It is for weights between -1 and 1. The defaults are their off-chip detector, sigma = 0.098.
    """

    mean: float = 0.03
    deviation: float = 0.618

    def __post_init__(self) -> None:
        """Raise ParameterError for a mean beyond the largest weight, or a deviation below 0."""
        check_number(self, -1.0, 1.0, mean=self.mean)
        check_number(self, 0.0, deviation=self.deviation)


@public
@dataclass(frozen=True)
class WeightBank(Shown):
    """A device that multiplies by signed weights with powers of light, read by balanced detectors.

    A vector x is sent in two cycles for each tile, first its positive and then its negative part, each sample
    scaled by its largest |x| to the range of the modulators. Ring modulators of the circuit are set one by
    one as if alone, and affect each other's channels. Without modulators in the circuit, they are ideal apart
    from their converters. A matrix larger than the bank is divided into tiles, one after the other. A reading
    is the output of the amplifiers and the converter behind each detector; without any, it is the current
    itself, or that of `converters`.

    gated: apply the activation's derivative in the row amplifiers, before the ADC; otherwise multiply
    digitally, after it.  noise: None for none; "physical" for shot, thermal and relative intensity noise of
    the circuit's detectors and laser, where one intensity fluctuation for each channel and cycle acts on all
    rows and both diodes; "measured" for the published model.  drift: of the bank's temperature, without noise
    or with physical noise; currents at each sample's temperature are correct to 1e-5 of the largest. Light
    beyond the saturation_power of a diode gives no further current; it is counted, with a warning the first
    time.  Left out: thermal crosstalk of the heaters, drift of the modulators, beating, the speed of the
    modulators.
    """

    hardware: BankCircuit
    calibration: Calibration
    converters: Converters = field(default_factory=Converters)
    noise: Noise | None = None
    measured: Measured = field(default_factory=Measured)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    reach: float = FIRST_REACH
    modulators: Modulators | None = None
    gated: bool = True
    drift: TemperatureDrift | None = None
    realisation: DriftRealisation | None = None
    tiles: Tiles | None = None
    counters: Counter[str] = field(default_factory=Counter, compare=False)
    warned: set[str] = field(default_factory=set, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for a noise that there is not, and no reach."""
        check_choice(self, (None, *get_args(Noise)), noise=self.noise)
        check_number(self, 0.0, 1.0, above=True, reach=self.reach)

    @classmethod
    def from_circuit(cls, circuit: Circuit, name: str, converters: Converters | None = None) -> WeightBank:
        """Return instance `name` of a circuit as a device without noise, nothing programmed yet.

        Raises ParameterError if the instance is not a weight bank, if its rings cannot hold weights of both
        signs, and if both the circuit and `converters` have converters of the readings.
        """
        hardware = find_bank(circuit, name)
        converters = converters or Converters()
        hardware.check_converters(converters)
        hardware.check_rows()
        modulators = find_modulators(circuit, hardware.wl, converters.input_bits)
        if modulators is not None:
            hardware.check_modulators(modulators)
        calibration = calibrate(hardware)
        check_brightness(hardware, calibration)
        return cls(hardware, calibration, converters, modulators=modulators)

    def with_noise(
        self,
        noise: Noise | None,
        rng: np.random.Generator,
        measured: Measured | None = None,
        drift: TemperatureDrift | None = None,
    ) -> WeightBank:
        """Return the same bank and settings with this noise, drawn from rng, and with new counters.

        measured: the published model, which has no drift.  drift: of the temperature, from its start.
        """
        realisation, tiles = None, self.tiles
        if drift is not None:
            realisation = DriftRealisation.drawn(drift, rng)
            tiles = self._warmed(self.programmed, drift)
        return replace(
            self,
            noise=noise, rng=rng, measured=measured or self.measured, drift=drift, realisation=realisation,
            tiles=tiles, counters=Counter(),
        )  # fmt: skip

    def program(self, weights: FloatArray) -> WeightBank:
        """Return the bank with `weights` (outputs, inputs), scaled to its range; see program_all."""
        return self.program_all([weights])[0]

    def program_all(self, matrices: Sequence[FloatArray]) -> list[WeightBank]:
        """Return one programmed bank for each matrix (outputs, inputs), all computed together.

        Each is scaled so that its largest entry takes the fraction `reach` of the range of the weakest ring,
        and less if crosstalk requires it. Raises ParameterError for a matrix that is empty, not finite or
        zero, and if crosstalk leaves no useful range.
        """
        exact = [np.array(matrix, dtype=np.float64) for matrix in matrices]
        cuts = [cut(matrix, self.hardware.rows, self.hardware.channels) for matrix in exact]
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
                np.concatenate([cuts[k] * u for k, u in zip(todo, units, strict=True)]),
            )
            ends = np.cumsum([len(cuts[k]) for k in todo])[:-1]
            for k, unit, own, right in zip(
                todo, units, np.split(phases, ends), np.split(found, ends), strict=True
            ):
                if right.all():
                    tiles = self._warmed(self._hold(exact[k], own, unit), self.drift)
                    banks[k] = replace(self, tiles=tiles, counters=Counter())
            reach *= SHRINK
        return [banks[k] for k in range(len(exact))]

    def html_blocks(self) -> Iterator[str]:
        """Yield the HTML that a notebook displays: the programmed weights, and a short description."""
        return html_blocks(self)

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

    def apply(self, x: RealArray, gain: RealArray | None = None) -> RealArray:
        """Return gain * (x @ matrix.T), shape (batch, outputs), as the hardware reads it.

        gain: of the row amplifiers before the converter, relative to the netlist's own; of a digital factor,
        unless the bank is `gated`. Clipped readings and limited gains are counted. In single precision if x
        is, which is finer than any converter.
        """
        tiles = self.programmed
        x = np.asarray(x)
        check_real("WeightBank multiplies", x)
        x = x if x.dtype == np.float32 else x.astype(np.float64, copy=False)
        check_batch("The bank", x, gain, tiles.target.shape)
        outputs = tiles.target.shape[0]
        slope = np.ones((len(x), outputs), x.dtype) if gain is None else np.asarray(gain, dtype=x.dtype)
        gates = gain is not None and self.gated
        if self.noise == "measured":
            product = published(self, x) * slope
            self._count(len(x), gates=gates)
            return product
        scale = np.abs(x).max(axis=1, keepdims=True)
        shares = x / np.where(scale > 0.0, scale, 1.0)
        # The cycles of positive and negative parts differ in nothing but their input: one call reads both.
        parts = np.concatenate([np.maximum(shares, 0.0), np.maximum(-shares, 0.0)])
        readings = self._read(parts, np.concatenate([slope, slope]) if gates else None)
        self._count(len(x), gates=gates)
        product = (readings[: len(x)] - readings[len(x) :]) * scale
        return np.asarray(product if gates else product * slope)

    def noise_deviation(self, x: RealArray) -> FloatArray:
        """Return the standard deviation (batch, outputs) of the noise of `apply(x)`, x (batch, inputs)."""
        return deviation(self, x)

    @property
    def clipped_settings(self) -> int:
        """Number of heaters whose phase lay outside the range of their converters."""
        return self.programmed.clipped_settings

    def energy(self) -> Energy:
        """Return cycles and samples so far, their time at the receivers' rate, and the laser's energy."""
        cycles = self.counters["cycles"]
        seconds = cycles * self.hardware.receiver.cycle_s
        light = seconds * float(self.hardware.power.sum())
        return Energy(cycles, self.counters["samples"], seconds, light)

    def _warmed(self, tiles: Tiles, drift: TemperatureDrift | None) -> Tiles:
        """Return tiles that know their currents at the temperatures of a drift."""
        if drift is None:
            return replace(tiles, warm=None)
        if tiles.warm is not None and tiles.warm.kelvin == drift.kelvin:
            return tiles  # what a bank knows of its tiles holds for every drift of that size
        return replace(tiles, warm=WarmTiles.of(self.hardware, tiles, drift.kelvin))

    def _hold(self, matrix: FloatArray, phases: FloatArray, unit: float) -> Tiles:
        """Return what the heater converters make of solved phases (T, M, N) for one matrix."""
        held, clipped = self.converters.heaters(phases)
        solved = self.hardware.weights(phases)
        plus, minus = self.hardware.currents(held)
        down = -(-matrix.shape[0] // self.hardware.rows)
        shape = (down, -1, self.hardware.rows, self.hardware.channels)
        return Tiles(
            target=matrix,
            solved=join(solved, matrix.shape) / unit,
            held=join(plus - minus, matrix.shape) / unit,
            phases=held,
            plus=plus.reshape(shape),
            minus=minus.reshape(shape),
            unit=unit,
            full=unit * float(np.abs(matrix).max()),
            clipped_settings=clipped,
        )

    def _read(self, x: RealArray, gates: RealArray | None) -> RealArray:
        """Return products (batch, outputs) in the matrix's units, of x (batch, inputs) between 0 and 1.

        gates: gains of the rows' amplifiers, in units of the netlist's own, (batch, outputs); None for 1.
        """
        tiles = self.programmed
        down, across, _, channels = tiles.plus.shape
        light = np.zeros((len(x), across * channels), x.dtype)
        light[:, : x.shape[1]] = x
        light = self._modulate(light.reshape(-1, channels)).reshape(len(x), -1)
        # One vector to every tile, at its own time: axes (down, across, batch, channel).
        light = np.broadcast_to(
            light.reshape(len(x), across, channels).swapaxes(0, 1), (down, across, len(x), channels)
        )
        current = self._detect(light)
        # The amplifiers' noise is referred to their input: it is in the current, and gated with it.
        total, beyond = read_tiles(self.hardware.receiver, self.converters, current, gates, tiles.full)
        self.counters["clipped readings"] += beyond
        swing = 1.0 if self.modulators is None else self.modulators.swing
        return np.asarray(total[:, : tiles.target.shape[0]] * (tiles.full / tiles.unit / swing))

    def _modulate(self, x: RealArray) -> RealArray:
        """Return powers relative to full ones for inputs (samples, N) from 0 to 1."""
        return self.converters.inputs(x) if self.modulators is None else self.modulators.light(x)

    def _kelvin(self, rows: int) -> FloatArray:
        """Return the temperature's deviation in K, (rows,), for a batch's positive and negative parts."""
        assert self.realisation is not None  # noqa: S101 - warm tiles come with it
        down, across = self.programmed.plus.shape[:2]
        first = self.counters["samples"]
        samples = np.arange(first, first + rows // 2) * (2 * down * across)
        kelvin = self.realisation.kelvin(samples * self.hardware.receiver.cycle_s)
        return np.concatenate([kelvin, kelvin])

    def _diodes(self, light: RealArray) -> Diodes:
        """Return the diodes as light (down, across, batch, N) finds them."""
        tiles = self.programmed
        if tiles.warm is not None and light.shape[-2]:
            return tiles.warm.diodes(self._kelvin(light.shape[-2]), light.dtype)
        return tiles.diodes(self.hardware, light.dtype)

    def _detect(self, light: RealArray) -> RealArray:
        """Return currents in A (down, across, batch, M) of relative powers (down, across, batch, N)."""
        receiver, diodes = self.hardware.receiver, self._diodes(light)
        self._note_saturated(diodes, light)
        if self.noise is None:
            return diodes.difference(light)
        total = diodes.total(light)
        current = normal_numbers(self.rng, total.shape, light.dtype)
        # One fluctuation a channel and cycle: every row and both of its diodes see the same light.
        flicker = normal_numbers(self.rng, light.shape, light.dtype)
        flicker *= light.dtype.type(np.sqrt(receiver.relative_intensity_variance))
        receiver.add_noise(diodes.difference(light + light * flicker), total, current)
        return current

    def _note_saturated(self, diodes: Diodes, light: RealArray) -> None:
        """Count readings that a diode in saturation makes; the first ones of a bank warn."""
        if not diodes.bright(light):
            return
        power = diodes.power(light)
        found = np.asarray((power > diodes.limit).any(axis=0))
        if found.any():
            self.counters["saturated readings"] += int(np.count_nonzero(found))
            if not self.warned:
                self.warned.add(diodes.report(power))
                warnings.warn(diodes.report(power), PhotosimWarning, stacklevel=5)

    def _count(self, samples: int, *, gates: bool) -> None:
        down, across = self.programmed.plus.shape[:2]
        cycles = 2 * down * across * samples  # the positive part, then the negative one
        self.counters["samples"] += samples
        self.counters["cycles"] += cycles
        self.counters["readings"] += cycles * self.hardware.rows
        # Tiles side by side have the same rows and gains: they change with the sample and the row of tiles.
        if gates:
            self.counters["gains set"] += down * samples * self.hardware.rows

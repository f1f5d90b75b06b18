"""What the electronics of a device add: noise of the detected light, and converters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole, is_number
from photosim.engine.converters import convert
from photosim.errors import ParameterError
from photosim.kernels.receivers import add_noise, read_rows
from photosim.reals import shown
from photosim.signals.electronics import Chain
from photosim.signals.filters import noise_bandwidth
from photosim.signals.noise import intensity_density, shot_density, thermal_density
from photosim.signals.saturation import saturation_power
from photosim.training.arrays import FloatArray, RealArray

MOST_BITS = 32
"""No converter has more; the bound also keeps 2**bits exact."""


@public
@dataclass(frozen=True)
class Receiver:
    """A balanced receiver, the same in every row, from the circuit's own settings; noise as in saleh2019.

    bandwidth: half-power frequency in Hz of the narrowest part.  dark_current: of each diode, in A.
    load_resistance, temperature: in ohm and K, for thermal noise, once for each pair of diodes because they
    share the load; the noise of an amplifier replaces it.  rin_dB_Hz: one-sided relative intensity noise of
    the laser.  chain: amplifiers and converters behind the detector; none is an ideal ammeter.  saturation:
    power in W above which the current of a diode is constant.  low_passes: half-power frequencies of the
    detector and of the parts behind it; by default one of `bandwidth`. Left out: jitter of the converter,
    because light is constant in a cycle.
    """

    bandwidth: float
    dark_current: float
    load_resistance: float
    temperature: float
    rin_dB_Hz: float
    chain: Chain = field(default_factory=Chain)
    saturation: float = np.inf
    low_passes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Raise ParameterError for numbers that no receiver has."""
        check_number(self, 0.0, above=True, bandwidth=self.bandwidth, load_resistance=self.load_resistance)
        check_number(self, 0.0, dark_current=self.dark_current, temperature=self.temperature)
        check_number(self, 0.0, above=True, endless=True, saturation=self.saturation)
        if not (is_number(self.rin_dB_Hz) and self.rin_dB_Hz < np.inf):  # -inf is light without noise
            message = f"Receiver: rin_dB_Hz must be a number below infinity, got {shown(self.rin_dB_Hz)}."
            raise ParameterError(message)
        for bandwidth in self.low_passes:
            check_number("Receiver", 0.0, above=True, endless=True, low_passes=bandwidth)

    @classmethod
    def of(cls, detector: Mapping[str, Any], laser: Mapping[str, Any], chain: Chain) -> Receiver:
        """Return the receiver that a detector's and a laser's settings and the parts behind it describe."""
        dark_current, load, temperature = (
            float(detector[name]) for name in ("dark_current", "load_resistance", "temperature")
        )
        low_passes = (float(detector["bandwidth"]), *(stage.bandwidth for stage in chain.stages))
        return cls(min(low_passes), dark_current, load, temperature, float(laser["rin_dB_Hz"]), chain,
                   saturation_power(detector), low_passes)  # fmt: skip

    @property
    def noise_bandwidth(self) -> float:
        """Noise bandwidth in Hz of all low-passes one after the other."""
        return noise_bandwidth(self.low_passes or (self.bandwidth,))

    @property
    def cycle_s(self) -> float:
        """Shortest time of one reading in s: a bandwidth B gives 2 B independent values per s (Nyquist)."""
        return 0.5 / self.bandwidth

    @property
    def converts(self) -> bool:
        """Whether one of the parts behind the detector is a converter."""
        return any(stage.bits is not None for stage in self.chain.stages)

    @property
    def relative_intensity_variance(self) -> float:
        """Variance of the power of a laser line relative to its squared mean."""
        return float(intensity_density(self.rin_dB_Hz)) * self.noise_bandwidth

    def current_variance(self, total: RealArray) -> RealArray:
        """Return the variance in A^2 of the difference of two photocurrents, `total` in A being their sum.

        Shot noise of independent currents adds, whatever their sign; then comes the noise of the load or of
        the amplifiers, referred to their input.
        """
        shot = np.asarray(total + 2.0 * self.dark_current)
        shot *= self.shot_slope
        shot += self.still_variance
        return shot

    def add_noise(self, difference: RealArray, total: RealArray, current: RealArray) -> None:
        """Make currents in A of the normal numbers in `current`: `difference`, with its noise.

        total: sum in A of the two photocurrents. All three arrays have one shape and type.
        """
        own = current.dtype.type
        add_noise(
            difference.reshape(-1), total.reshape(-1), own(2.0 * self.dark_current), own(self.shot_slope),
            own(self.still_variance), current.reshape(-1),
        )  # fmt: skip

    @cached_property
    def still_variance(self) -> float:
        """The variance in A^2 that does not depend on the light: of the amplifiers, or of the load."""
        variance = self.chain.amplifier_variance()
        if not self.chain.virtual_ground:
            density = float(thermal_density(self.temperature, self.load_resistance))
            variance += density * self.noise_bandwidth
        return variance

    @cached_property
    def shot_slope(self) -> float:
        """Slope of `current_variance` by the sum of the currents, in A."""
        return float(shot_density(1.0)) * self.noise_bandwidth

    def read(self, current: RealArray, unit: float) -> tuple[RealArray, int]:
        """Return currents in A as read behind all parts, in units of `unit` in A, and the clipped number.

        The reading is a voltage, given as the current that would cause it. The array `current` is
        overwritten.
        """
        beyond = 0
        for stage in self.chain.stages:
            current *= stage.gain
            current, clipped = convert(current, stage)
            beyond += clipped
        current /= self.chain.gains()[-1] * unit
        return current, beyond

    def read_rows(self, current: RealArray, gates: RealArray | None, unit: float) -> tuple[RealArray, int]:
        """Return currents (down, across, batch, M) as `read` does, added over tiles side by side.

        gates: gain of each output in front of the parts, (batch, outputs); None for 1. The readings have
        shape (batch, down M). The array `current` is overwritten.
        """
        own = current.dtype
        stages = np.array(
            [
                (s.gain, s.low, s.high, 0.0 if s.bits is None else s.step)
                for s in self.chain.stages
            ], own,
        ).reshape(-1, 4)  # fmt: skip
        down, _, batch, rows = current.shape
        out = np.empty((batch, down * rows), own)
        gains = np.zeros((batch, 0 if gates is None else down * rows), own)
        if gates is not None:
            gains[:, : gates.shape[1]] = gates
        full = own.type(self.chain.gains()[-1] * unit)
        beyond = read_rows(np.ascontiguousarray(current), gains, stages, full, out)
        return out, int(beyond)


@public
@dataclass(frozen=True)
class Converters:
    """Bits and ranges of the converters of a weight bank; None bits mean an ideal converter.

    heater_bits, heater_range: DACs of the heater phases, with equal steps of phase from 0 to heater_range in
    rad (drivers linear in heater power).  input_bits: DACs of the modulators, from no light to the full power
    of a line.  adc_bits, adc_range: ADCs of the photocurrents, for a circuit without an `adc` of its own; the
    range is +- adc_range times the current of one channel at full power and the largest programmed weight.
    """

    heater_bits: int | None = 12
    heater_range: float = float(np.pi)
    input_bits: int | None = 8
    adc_bits: int | None = None
    adc_range: float | None = None

    def __post_init__(self) -> None:
        """Raise ParameterError for bits or ranges that no converter has."""
        check_whole(self, 2, MOST_BITS, none=True, heater_bits=self.heater_bits, input_bits=self.input_bits)
        check_whole(self, 2, MOST_BITS, none=True, adc_bits=self.adc_bits)
        if (self.adc_bits is None) != (self.adc_range is None):
            message = "adc_bits and adc_range go together: give both, or neither for what the circuit has."
            raise ParameterError(message)
        check_number(self, 0.0, above=True, heater_range=self.heater_range)
        check_number(self, 0.0, above=True, none=True, adc_range=self.adc_range)

    def heaters(self, phases: FloatArray) -> tuple[FloatArray, int]:
        """Return the nearest phases that the drivers can hold, and the number of phases out of range."""
        held = np.clip(phases, 0.0, self.heater_range)
        nearest = _steps(held, self.heater_range, self.heater_bits).astype(np.float64, copy=False)
        return nearest, int(np.count_nonzero(held != phases))

    def inputs(self, x: RealArray) -> RealArray:
        """Return the nearest modulator settings for x between 0 and 1."""
        return _steps(x, 1.0, self.input_bits)

    def readings(self, values: RealArray) -> tuple[RealArray, int]:
        """Return converted currents in units of the reference, and the number of clipped ones.

        There are 2**bits - 1 codes, symmetric about zero, and zero is one of them.
        """
        if self.adc_bits is None or self.adc_range is None:
            return values, 0
        step = self.adc_range / (2 ** (self.adc_bits - 1) - 1)
        held = np.clip(values, -self.adc_range, self.adc_range)
        clipped = int(np.count_nonzero(held != values))
        held /= step
        np.rint(held, out=held)
        held *= step
        return held, clipped


def _steps(values: RealArray, full: float, bits: int | None) -> RealArray:
    if bits is None:
        return values
    codes = 2**bits - 1
    return np.asarray(np.rint(values * (codes / full)) * (full / codes))

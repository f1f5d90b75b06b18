"""What the electronics of a device add: noise of the detected light, and converters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from photosim.errors import ParameterError
from photosim.signals.noise import intensity_density, shot_density, thermal_density
from photosim.training.arrays import FloatArray, RealArray

MOST_BITS = 32
"""No converter has more; the bound also keeps 2**bits exact."""


@dataclass(frozen=True)
class Receiver:
    """Noise of a balanced receiver (saleh2019), from the circuit's own settings.

    bandwidth: noise bandwidth in Hz.  dark_current: of each diode, in A.  load_resistance in ohm and
    temperature in K set the thermal noise, once a pair since the two diodes share the load.  rin_dB_Hz: the
    laser's relative intensity noise, one-sided.
    """

    bandwidth: float
    dark_current: float
    load_resistance: float
    temperature: float
    rin_dB_Hz: float  # noqa: N815 - the netlist's name

    @classmethod
    def of(cls, detector: Mapping[str, Any], laser: Mapping[str, Any]) -> Receiver:
        """Return the receiver that a detector's and a laser's settings describe."""
        names = ("bandwidth", "dark_current", "load_resistance", "temperature")
        return cls(**{name: float(detector[name]) for name in names}, rin_dB_Hz=float(laser["rin_dB_Hz"]))

    @property
    def cycle_s(self) -> float:
        """Shortest time of one reading in s: a bandwidth B resolves 2 B values a second (Nyquist)."""
        return 0.5 / self.bandwidth

    @property
    def relative_intensity_variance(self) -> float:
        """Variance of the power of a laser line relative to its squared mean."""
        return float(intensity_density(self.rin_dB_Hz)) * self.bandwidth

    def current_variance(self, total: RealArray) -> RealArray:
        """Return the variance in A^2 of the difference of two photocurrents, `total` in A being their sum.

        Shot noise of independent currents adds, whatever their sign; thermal noise is the load's.
        """
        shot = np.asarray(total + 2.0 * self.dark_current)
        shot *= float(shot_density(1.0)) * self.bandwidth
        shot += float(thermal_density(self.temperature, self.load_resistance)) * self.bandwidth
        return shot


@dataclass(frozen=True)
class Converters:
    """Bits and ranges of the converters round a weight bank; None bits mean an ideal converter.

    heater_bits, heater_range: digital to analogue converters of the heater phases, equal steps of phase
    (drivers linear in heater power) from 0 to heater_range in rad.
    input_bits: converters of the modulators, from no light to a line's full power.
    adc_bits, adc_range: converters of the photocurrents; the range is +- adc_range in units of what one
    channel at full power gives at the largest programmed weight.
    """

    heater_bits: int | None = 12
    heater_range: float = float(np.pi)
    input_bits: int | None = 8
    adc_bits: int | None = 8
    adc_range: float = 3.0

    def __post_init__(self) -> None:
        """Raise ParameterError for bits or ranges that no converter has."""
        for name in ("heater_bits", "input_bits", "adc_bits"):
            bits = getattr(self, name)
            if bits is not None and not (isinstance(bits, int) and 2 <= bits <= MOST_BITS):
                message = (
                    f"{name} must be a whole number from 2 to {MOST_BITS}, or none for ideal, got {bits!r}."
                )
                raise ParameterError(message)
        for name in ("heater_range", "adc_range"):
            if not getattr(self, name) > 0.0:
                message = f"{name} must be positive, got {getattr(self, name)!r}."
                raise ParameterError(message)

    def heaters(self, phases: FloatArray) -> tuple[FloatArray, int]:
        """Return the nearest phases that the drivers can hold, and how many lay outside their range."""
        held = np.clip(phases, 0.0, self.heater_range)
        nearest = _steps(held, self.heater_range, self.heater_bits).astype(np.float64, copy=False)
        return nearest, int(np.count_nonzero(held != phases))

    def inputs(self, x: RealArray) -> RealArray:
        """Return the nearest modulator settings for x between 0 and 1."""
        return _steps(x, 1.0, self.input_bits)

    def readings(self, values: RealArray) -> tuple[RealArray, int]:
        """Return currents in units of the reference as converted, and how many were clipped.

        Zero is a code of its own and the codes lie symmetrically, 2**bits - 1 of them.
        """
        if self.adc_bits is None:
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

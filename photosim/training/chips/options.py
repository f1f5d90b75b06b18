"""The `chip:` block of a netlist: errors, noise and drift of a simulated chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from photosim.bounds import check_number, check_whole
from photosim.netlist.forms import Number

_Size = Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class ChipOptions:
    """Fabrication errors, noise and drift of a simulated chip; deviations are standard deviations.

    seed: decides all errors, noise and drift.
    coupling: deviation of the power of each coupler, 0.03 of 0.5 by default.  offset: deviation of each phase
    at rest in rad; None for any phase.  crosstalk: share of a heater's power that one at the least distance
    gets.  reach: distance in which that falls to 1/e, in steps of half a block.  crosstalk_spread: relative
    deviation of each pair from that law.  power_spread: relative deviation of the power for pi.
    loss_dB: deviation of each shifter's loss.  ends_dB: deviation of the loss of each input and output.
    drift: random walk of each phase, rad in an hour.  kelvin: deviation of the common temperature, which
    strays within `kelvin_seconds` and turns each phase by `per_kelvin` rad.
    bits: of the DACs of the voltages; None for ideal ones.  volt_max, ohm, watt_pi: of drivers, heaters.
    noise: deviation of a reading relative to it.  dark: deviation of a reading in the dark, relative to the
    light sent in.  reading_us, settling_us: time that a reading and a new setting take.
    Not in the model of calibration: self_heating, relative rise of a phase at the power for pi; stray,
    share of the light that reaches every output outside of the guides.
    """

    seed: Annotated[int, Field(ge=0)] = 0
    coupling: _Size = 0.03
    offset: _Size | None = None
    crosstalk: Annotated[Number, Field(ge=0, le=0.25)] = 0.02
    reach: Annotated[Number, Field(gt=0, le=100)] = 1.0
    crosstalk_spread: _Size = 0.2
    power_spread: _Size = 0.05
    loss_dB: _Size = 0.0
    ends_dB: _Size = 0.0
    drift: _Size = 0.0
    kelvin: _Size = 0.0
    kelvin_seconds: Annotated[Number, Field(gt=0)] = 600.0
    per_kelvin: Number = 0.075
    bits: Annotated[int, Field(ge=2, le=24)] | None = 12
    volt_max: Annotated[Number, Field(gt=0)] = 7.2
    ohm: Annotated[Number, Field(gt=0)] = 1000.0
    watt_pi: Annotated[Number, Field(gt=0)] = 0.02
    noise: _Size = 0.01
    dark: _Size = 1e-6
    reading_us: _Size = 10.0
    settling_us: _Size = 20.0
    self_heating: Number = 0.0
    stray: _Size = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError for numbers out of bounds."""
        check_whole(self, 0, seed=self.seed)
        check_whole(self, 2, 24, none=True, bits=self.bits)
        check_number(self, 0.0, none=True, offset=self.offset)
        check_number(self, 0.0, 0.5, coupling=self.coupling)
        check_number(self, 0.0, 0.25, crosstalk=self.crosstalk)
        check_number(self, 0.0, 1.0, crosstalk_spread=self.crosstalk_spread, power_spread=self.power_spread)
        check_number(self, 0.0, 1.0, noise=self.noise, dark=self.dark, stray=self.stray)
        check_number(self, 0.0, loss_dB=self.loss_dB, ends_dB=self.ends_dB, drift=self.drift)
        check_number(self, 0.0, kelvin=self.kelvin, reading_us=self.reading_us, settling_us=self.settling_us)
        check_number(self, -1.0, 1.0, self_heating=self.self_heating)
        check_number(self, per_kelvin=self.per_kelvin)
        positive = {
            name: getattr(self, name) for name in ("reach", "kelvin_seconds", "volt_max", "ohm", "watt_pi")
        }
        check_number(self, 0.0, above=True, **positive)

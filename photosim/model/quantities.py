"""The physical quantities that component parameters are annotated with: unit and bounds.

`coupling: Power = 0.5` says that the parameter is a plain number for type
checkers and, for photosim, a power ratio between 0 and 1. Bounds are
inclusive; an infinite bound is not a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated


@dataclass(frozen=True)
class Quantity:
    """Unit and inclusive bounds of a parameter; `whole` marks counts and seeds.

    `usual` is the range of use: a value far outside of it gives a warning with the unit. 0 never does.
    """

    unit: str
    low: float = -inf
    high: float = inf
    whole: bool = False
    usual: tuple[float, float] = (-inf, inf)


def other_unit(value: float, unit: str, low: float, high: float) -> str:
    """Return the guess that a value was written in another unit, where it would lie from low to high there.

    Of lengths, nm and m; of temperatures, degrees Celsius. Empty without a guess.
    """
    if unit == "K" and 0.0 < value < 150.0 and low <= value + 273.15 <= high:
        return f" It looks like degrees Celsius: write {value + 273.15:g}."
    factors = {"um": (("nm", 1e-3), ("m", 1e6)), "km": (("m", 1e-3),)}.get(unit, ())
    for other, factor in factors:
        if max(low, 1e-3) <= value * factor <= min(high, 1e9):
            return f" It looks like {other}: write {value * factor:g}."
    return ""


Length = Annotated[float, Quantity("um", 0.0, inf)]
"""A geometric length in um; never negative."""
PathLength = Annotated[float, Quantity("um", 0.0, 1e11, usual=(0.01, 1e11))]
"""Length of a guide in um; never negative, and at most 100 km. Layouts join cells by guides of 10 nm."""
SignedLength = Annotated[float, Quantity("um", -1e11, 1e11)]
"""A difference of lengths in um."""
Gap = Annotated[float, Quantity("um", 0.0, 10.0, usual=(1e-3, 10.0))]
"""Distance between the walls of two guides in um; beyond 10 um nothing couples, and 200 is nm."""
Radius = Annotated[float, Quantity("um", 0.0, 1e5, usual=(0.1, 1e5))]
"""A bending radius in um, at most 10 cm."""
RingRadius = Annotated[float, Quantity("um", 0.1, 1e5)]
"""Radius of a ring in um; never zero, and 1e-5 is m."""
Wavelength = Annotated[float, Quantity("um", 0.1, 100.0)]
"""A vacuum wavelength in um."""
Index = Annotated[float, Quantity("1", 0.5, 10.0)]
"""An effective or group index."""
Power = Annotated[float, Quantity("1", 0.0, 1.0)]
"""A power ratio of a passive part."""
Loss_dB_cm = Annotated[float, Quantity("dB/cm", 0.0, 1e6, usual=(0.0, 500.0))]
"""Propagation loss in dB/cm."""
Loss_dB = Annotated[float, Quantity("dB", 0.0, 1e5, usual=(0.0, 200.0))]
"""Insertion loss in dB."""
Phase = Annotated[float, Quantity("rad", -inf, inf)]
"""A phase in rad."""
Angle = Annotated[float, Quantity("rad", -inf, inf)]
"""A geometric angle in rad."""
Temperature = Annotated[float, Quantity("K", 0.0, 1e4, usual=(150.0, 600.0))]
"""An absolute temperature in K."""
ThermoOptic = Annotated[float, Quantity("1/K", -1e-2, 1e-2)]
"""Change of an effective index per kelvin."""
OpticalPower = Annotated[float, Quantity("W", 0.0, 1e6, usual=(0.0, 1.0))]
"""Optical power in W."""
SaturationPower = Annotated[float, Quantity("W", 1e-12, 1e6, usual=(1e-9, 10.0))]
"""Optical power in W beyond which a part saturates; never zero."""
Responsivity = Annotated[float, Quantity("A/W", 0.0, 100.0, usual=(0.0, 10.0))]
"""Photocurrent per optical power in A/W."""
Current = Annotated[float, Quantity("A", 0.0, 1e3, usual=(0.0, 1.0))]
"""An electric current in A."""
DarkCurrent = Annotated[float, Quantity("A", 0.0, 1e3, usual=(0.0, 1e-4))]
"""Current of a detector without light in A."""
Bandwidth = Annotated[float, Quantity("Hz", 0.0, 1e18, usual=(10.0, 1e15))]
"""A bandwidth in Hz; 0 stands for no low-pass at all."""
Spacing = Annotated[float, Quantity("Hz", 1.0, 1e15, usual=(1e6, 1e14))]
"""Distance of neighbouring lines in Hz; never zero."""
Linewidth = Annotated[float, Quantity("Hz", 0.0, 1e15, usual=(100.0, 1e11))]
"""Full width of a line in Hz; 0 is a line without phase noise."""
Voltage = Annotated[float, Quantity("V", -1e6, 1e6, usual=(-200.0, 200.0))]
"""A voltage in V."""
Duration = Annotated[float, Quantity("s", 0.0, 1e3, usual=(1e-18, 1e-3))]
"""A time interval in s."""
Resistance = Annotated[float, Quantity("ohm", 1e-12, 1e12)]
"""An electric resistance in ohm."""
NoiseDensity_dB_Hz = Annotated[float, Quantity("dB/Hz", -1000.0, 0.0, usual=(-1000.0, -50.0))]
"""A one-sided noise density relative to the mean, in dB/Hz."""
Ratio_dB = Annotated[float, Quantity("dB", 0.0, 1e5)]
"""A ratio of powers in dB, one or more."""
Fraction = Annotated[float, Quantity("1", 0.0, 1.0)]
"""A dimensionless fraction."""
Count = Annotated[int, Quantity("1", 1, 1_000_000, whole=True)]
"""A whole number of things, at least one."""
Seed = Annotated[int, Quantity("1", 0, 2**63 - 1, whole=True)]
"""Seed of a random generator."""

"""The physical quantities that component parameters are annotated with: unit and bounds.

`coupling: Power = 0.5` says that the parameter is a plain number for type
checkers and, for photosim, a power ratio between 0 and 1. Bounds are
inclusive; an infinite bound is no bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated


@dataclass(frozen=True)
class Quantity:
    """Unit and inclusive bounds of a parameter; `whole` marks counts and seeds."""

    unit: str
    low: float = -inf
    high: float = inf
    whole: bool = False


Length = Annotated[float, Quantity("um", 0.0, inf)]
"""A geometric length in um; never negative."""
SignedLength = Annotated[float, Quantity("um", -inf, inf)]
"""A difference of lengths in um."""
Wavelength = Annotated[float, Quantity("um", 0.1, 100.0)]
"""A vacuum wavelength in um."""
Index = Annotated[float, Quantity("1", 0.5, 10.0)]
"""An effective or group index."""
Power = Annotated[float, Quantity("1", 0.0, 1.0)]
"""A power ratio of a passive part."""
Loss_dB_cm = Annotated[float, Quantity("dB/cm", 0.0, inf)]
"""Propagation loss in dB/cm."""
Loss_dB = Annotated[float, Quantity("dB", 0.0, inf)]
"""Insertion loss in dB."""
Phase = Annotated[float, Quantity("rad", -inf, inf)]
"""A phase in rad."""
Angle = Annotated[float, Quantity("rad", -inf, inf)]
"""A geometric angle in rad."""
Temperature = Annotated[float, Quantity("K", 0.0, inf)]
"""An absolute temperature in K."""
ThermoOptic = Annotated[float, Quantity("1/K", -1e-2, 1e-2)]
"""Change of an effective index per kelvin."""
OpticalPower = Annotated[float, Quantity("W", 0.0, inf)]
"""Optical power in W."""
Responsivity = Annotated[float, Quantity("A/W", 0.0, inf)]
"""Photocurrent per optical power in A/W."""
Current = Annotated[float, Quantity("A", 0.0, inf)]
"""An electric current in A."""
Bandwidth = Annotated[float, Quantity("Hz", 0.0, inf)]
"""A frequency interval in Hz."""
Voltage = Annotated[float, Quantity("V", -inf, inf)]
"""A voltage in V."""
Duration = Annotated[float, Quantity("s", 0.0, inf)]
"""A time interval in s."""
Resistance = Annotated[float, Quantity("ohm", 1e-12, inf)]
"""An electric resistance in ohm."""
NoiseDensity_dB_Hz = Annotated[float, Quantity("dB/Hz", -inf, 0.0)]
"""A one-sided noise density relative to the mean, in dB/Hz."""
Ratio_dB = Annotated[float, Quantity("dB", 0.0, inf)]
"""A ratio of powers in dB, one or more."""
Fraction = Annotated[float, Quantity("1", 0.0, 1.0)]
"""A dimensionless fraction."""
Count = Annotated[int, Quantity("1", 1, 1_000_000, whole=True)]
"""A whole number of things, at least one."""
Seed = Annotated[int, Quantity("1", 0, 2**63 - 1, whole=True)]
"""Seed of a random generator."""

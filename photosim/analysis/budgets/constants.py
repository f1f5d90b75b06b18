"""Constants that a netlist does not hold, such as a laser's efficiency: value, interval, unit, source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.netlist.forms import Number
from photosim.netlist.mappings import read
from photosim.reals import shown

EXAMPLE = "worked example of a 64 x 64 processor at 10 GHz and 6 bits (secondary)"
OURS = "assumed"


@dataclass(frozen=True)
class Constant:
    """A number with the interval in which it may lie, its unit, and where it comes from."""

    value: float
    low: float
    high: float
    unit: str
    source: str


@dataclass(frozen=True)
class Stated:
    """A constant as it is written: low and high are the value itself where they are left out."""

    value: Number
    low: Number | None = None
    high: Number | None = None
    source: Annotated[str, "where it comes from"] = "stated"

    def of(self, unit: str, name: str) -> Constant:
        """Return the constant in a unit; ParameterError for an interval that does not hold the value."""
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        if not low <= self.value <= high:
            message = (
                f"{name}: the value {self.value:g} must lie between low and high, got {low:g} and {high:g}."
            )
            raise ParameterError(message)
        return Constant(self.value, low, high, unit, self.source)


KNOWN: Mapping[str, Constant] = MappingProxyType({
    "wall_plug_efficiency": Constant(0.1, 0.05, 0.2, "1", OURS),
    "amplifier_efficiency": Constant(0.05, 0.01, 0.1, "1", OURS),
    "diode_voltage": Constant(1.5, 1.0, 2.0, "V", OURS),
    "modulator_energy": Constant(0.2e-12, 0.05e-12, 1e-12, "J", EXAMPLE),
    "dac_step_energy": Constant(1e-12 / 64, 0.3e-12 / 64, 3e-12 / 64, "J", f"{EXAMPLE}, by 2**bits"),
    "adc_step_energy": Constant(3e-12 / 64, 1e-12 / 64, 9e-12 / 64, "J", f"{EXAMPLE}, by 2**bits"),
    "drive_bits": Constant(6.0, 5.0, 7.0, "1", EXAMPLE),
    "tia_energy": Constant(1e-12, 0.3e-12, 3e-12, "J", EXAMPLE),
    "heater_power_pi": Constant(24.8e-3, 10e-3, 30e-3, "W", "harris2014; of heaters without undercut"),
    "digital_energy": Constant(50e-15, 20e-15, 4.6e-12, "J", f"{EXAMPLE}; 32 bits at 45 nm: horowitz2014"),
    "camera_power": Constant(3.0, 2.0, 5.0, "W", OURS),
    "mirrors_power": Constant(5.0, 3.0, 15.0, "W", OURS),
    "guide_pitch": Constant(5.0, 3.0, 10.0, "um", OURS),
    "coupler_area": Constant(200.0, 50.0, 500.0, "um^2", OURS),
    "shifter_area": Constant(620.0, 300.0, 1500.0, "um^2", "harris2014: 61.6 um long, 10 um of room"),
    "modulator_area": Constant(3000.0, 500.0, 1e5, "um^2", OURS),
    "detector_area": Constant(1000.0, 300.0, 5000.0, "um^2", OURS),
    "tia_area": Constant(5000.0, 2000.0, 2e4, "um^2", OURS),
    "dac_area": Constant(2e4, 5e3, 1e5, "um^2", OURS),
    "adc_area": Constant(5e4, 1e4, 2e5, "um^2", OURS),
    "dac_cycles": Constant(1.0, 1.0, 4.0, "1", OURS),
    "adc_cycles": Constant(4.0, 1.0, 12.0, "1", OURS),
})  # fmt: skip
"""Constants by name. Nothing here follows from the published total of a system.

Energies are those of a sample; of converters, those of a step, times 2**(effective bits) (walden1999).
"""
OPTIONAL = MappingProxyType({"heater_phase": "rad"})
"""Constants without a value of their own, and their units. heater_phase: mean phase that a heater holds."""
RECEIVER = MappingProxyType(
    {
        "responsivity": "A/W",
        "dark_current": "A",
        "load_resistance": "ohm",
        "temperature": "K",
        "rin_dB_Hz": "dB/Hz",
    }
)
"""What the light that a detector needs depends on, and the units."""


def read_stated(value: Any, where: str) -> Stated:
    """Return a constant as written: a number, or a mapping of value, low, high, source."""
    if isinstance(value, Stated):
        return value
    written = value if isinstance(value, Mapping) else {"value": value}
    if not isinstance(value, Mapping) and (
        isinstance(value, bool) or not isinstance(value, int | float | str)
    ):
        message = f"{where} must be a number or a mapping of value, low, high and source, got {shown(value)}."
        raise ParameterError(message)
    return read(Stated, written, where)


def read_constants(stated: Mapping[str, Any]) -> dict[str, Constant]:
    """Return all constants with those of `stated` in place of ours.

    Raises ParameterError for an unknown name, and a value or interval that is not one.
    """
    found = dict(KNOWN)
    for name, value in stated.items():
        known = {**{n: c.unit for n, c in KNOWN.items()}, **OPTIONAL}
        if name not in known:
            message = f"There is no constant {name!r}. There are: {listing(known, 40)}."
            raise ParameterError(message + did_you_mean(name, known))
        given = read_stated(value, f"constants: {name}").of(known[name], name)
        if given.low < 0.0 or (given.low == 0.0 and name.endswith("efficiency")):
            least = "positive" if name.endswith("efficiency") else "0 or more"
            unit = "" if given.unit == "1" else f" {given.unit}"
            message = f"constants: {name} must be {least}, got {given.low:g}{unit}."
            raise ParameterError(message)
        if name.endswith("efficiency") and given.high > 1.0:
            message = f"constants: {name} must be at most 1, got {given.high:g}."
            raise ParameterError(message)
        found[name] = given
    return found

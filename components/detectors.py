"""Photodetectors: light in, current out."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.model import (
    Bandwidth,
    DarkCurrent,
    Fraction,
    Quantity,
    Resistance,
    Responsivity,
    SaturationPower,
    Temperature,
    detector,
)

Mismatch = Annotated[float, Quantity("1", -2.0, 2.0)]
"""Difference of two responsivities over their mean."""
Multiplication = Annotated[float, Quantity("1", 1.0, 1000.0)]
"""Electrons that come of each photoelectron on average."""


@detector(ports=("o1",), electrical=("e1",), source="saleh2019")
def photodetector(
    m: Any,
    wl: Any,
    *,
    responsivity: Responsivity = 1.0,
    dark_current: DarkCurrent = 1e-10,
    bandwidth: Bandwidth = 20e9,
    saturation_power: SaturationPower = 20e-3,
    load_resistance: Resistance = 50.0,
    temperature: Temperature = 300.0,
) -> Any:
    """PIN photodetector: the current responsivity |a|**2 + dark_current at e1, with shot and thermal noise.

    Matched: no light comes back. Waves of different wavelength add in power, since their beat lies beyond the
    bandwidth. Above saturation_power the current is constant, and an analysis that needs it warns. Left out:
    the bend of the curve before saturation, dependence of the responsivity on wavelength, transit time.

    Settings:
        responsivity: photocurrent per optical power.
        dark_current: current without light.
        bandwidth: half-power frequency, of a Bessel low-pass of order 4.
        saturation_power: power above which the current stays constant.
        load_resistance: load resistor that sets the thermal noise.
        temperature: temperature of the load resistor.
    """
    # The rest is the receiver's, not the junction's.
    del m, wl, dark_current, bandwidth, saturation_power, load_resistance, temperature
    return {"o1": responsivity}


@detector(
    ports=("o1", "o2"), electrical=("e1",), source="filipovich2022", aliases={"plus": "o1", "minus": "o2"}
)
def balanced_photodetector(
    m: Any,
    wl: Any,
    *,
    responsivity: Responsivity = 1.0,
    mismatch: Mismatch = 0.0,
    dark_current: DarkCurrent = 1e-10,
    bandwidth: Bandwidth = 20e9,
    saturation_power: SaturationPower = 20e-3,
    load_resistance: Resistance = 50.0,
    temperature: Temperature = 300.0,
) -> Any:
    """Balanced photodetector: the photocurrent of o1 minus that of o2, at e1; the noise of both adds.

    The dark currents cancel on average and add in shot noise. Each diode saturates
    for itself. Left out: dependence on wavelength, unequal bandwidths or delays.

    Settings:
        responsivity: mean photocurrent per optical power of the two diodes.
        mismatch: responsivity of o1 minus that of o2, over their mean.
        dark_current: current of each diode without light.
        bandwidth: half-power frequency, of a Bessel low-pass of order 4.
        saturation_power: power above which the current of a diode stays constant.
        load_resistance: load resistor that sets the thermal noise.
        temperature: temperature of the load resistor.
    """
    # The rest is the receiver's, not the junctions'.
    del m, wl, dark_current, bandwidth, saturation_power, load_resistance, temperature
    return {"o1": responsivity * (1 + mismatch / 2), "o2": -responsivity * (1 - mismatch / 2)}


def _avalanche(*, multiplication: Any, ionisation_ratio: Any, **_: Any) -> tuple[float, float]:
    """Return the multiplication and McIntyre's excess noise factor (mcintyre1966)."""
    gain, k = multiplication, ionisation_ratio
    return gain, k * gain + (1 - k) * (2 - 1 / gain)


@detector(ports=("o1",), electrical=("e1",), source="mcintyre1966", multiplication=_avalanche)
def avalanche_photodetector(
    m: Any,
    wl: Any,
    *,
    responsivity: Responsivity = 0.8,
    multiplication: Multiplication = 10.0,
    ionisation_ratio: Fraction = 0.1,
    dark_current: DarkCurrent = 1e-9,
    bandwidth: Bandwidth = 10e9,
    saturation_power: SaturationPower = 1e-3,
    load_resistance: Resistance = 50.0,
    temperature: Temperature = 300.0,
) -> Any:
    """Avalanche photodetector: `multiplication` times the current of a PIN diode, with excess shot noise.

    Shot noise has the density 2 q multiplication**2 F (responsivity |a|**2 + dark_current) with McIntyre's
    F = k M + (1 - k)(2 - 1/M), k the ratio of the ionisation coefficients of the carriers. Left out:
    dependence of the multiplication on bias and temperature, surface leakage that is not multiplied, the
    build-up time (the bandwidth holds at this multiplication), what `photodetector` leaves out.

    Settings:
        responsivity: photocurrent per optical power before multiplication.
        multiplication: mean number of electrons for each photoelectron.
        ionisation_ratio: smaller over larger ionisation coefficient; 0 is the least noise.
        dark_current: current without light, before multiplication.
        bandwidth: half-power frequency, of a Bessel low-pass of order 4, at this multiplication.
        saturation_power: power above which the current stays constant.
        load_resistance: load resistor that sets the thermal noise.
        temperature: temperature of the load resistor.
    """
    del m, wl, ionisation_ratio, dark_current, bandwidth, saturation_power, load_resistance, temperature
    return {"o1": responsivity * multiplication}

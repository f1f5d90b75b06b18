"""Photodetectors: light in, current out."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.model import detector
from photosim.quantities import Bandwidth, Current, Quantity, Resistance, Responsivity, Temperature

Mismatch = Annotated[float, Quantity("1", -2.0, 2.0)]
"""Difference of two responsivities over their mean."""


@detector(ports=("o1",), electrical=("e1",), source="saleh2019")
def photodetector(
    m: Any,
    wl: Any,
    *,
    responsivity: Responsivity = 1.0,
    dark_current: Current = 1e-10,
    bandwidth: Bandwidth = 20e9,
    load_resistance: Resistance = 50.0,
    temperature: Temperature = 300.0,
) -> Any:
    """Photodetector: current responsivity |a|**2 + dark_current out of e1, with shot and thermal noise.

    Matched: no light comes back. Waves of different wavelength add in power,
    since their beat lies beyond the bandwidth. Left out: saturation,
    dependence of the responsivity on wavelength, transit time.

    Settings:
        responsivity: photocurrent per optical power.
        dark_current: current without light.
        bandwidth: noise bandwidth, one-sided.
        load_resistance: load that sets the thermal noise.
        temperature: temperature of the load.
    """
    del m, wl, dark_current, bandwidth, load_resistance, temperature  # the receiver's, not the junction's
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
    dark_current: Current = 1e-10,
    bandwidth: Bandwidth = 20e9,
    load_resistance: Resistance = 50.0,
    temperature: Temperature = 300.0,
) -> Any:
    """Balanced pair: the current of o1 minus that of o2 flows out of e1; their noises add.

    The dark currents cancel on average and add in shot noise. Left out:
    saturation, dependence on wavelength, unequal bandwidths or delays.

    Settings:
        responsivity: mean photocurrent per optical power of the two diodes.
        mismatch: responsivity of o1 minus that of o2, over their mean.
        dark_current: current of each diode without light.
        bandwidth: noise bandwidth, one-sided.
        load_resistance: load that sets the thermal noise.
        temperature: temperature of the load.
    """
    del m, wl, dark_current, bandwidth, load_resistance, temperature  # the receiver's, not the junctions'
    return {"o1": responsivity * (1 + mismatch / 2), "o2": -responsivity * (1 - mismatch / 2)}

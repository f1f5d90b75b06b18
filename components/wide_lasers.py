"""Lasers of wide aperture, which take the waves of a bus and send as many out."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.components.dynamic_lasers import Enhancement, Time
from photosim.media.wide_laser import WideLaser
from photosim.model import Current, Fraction, Index, PathLength, Quantity, Wavelength, block

Cells = Annotated[int, Quantity("1", 4, 512, whole=True)]
"""Cells along the side of a square."""
Pitch = Annotated[float, Quantity("um", 0.01, 1e3)]
"""Distance of neighbouring cells; never zero."""
Density = Annotated[float, Quantity("1/um^2", 0.0, 1e9)]
"""Carriers in an area."""
AreaGain = Annotated[float, Quantity("um^2/s", 1.0, 1e15)]
"""Rate of amplification by a carrier in an area; never zero."""
Diffusion = Annotated[float, Quantity("um^2/s", 0.0, 1e13)]
"""Diffusion constant of carriers."""
Coupling = Annotated[float, Quantity("1", 1e-6, 1.0)]
"""Part of the photons lost; never zero."""


@block(ports=("o1", "o2"), buses=("o1", "o2"), source="lang1980")
def large_area_vcsel(
    *,
    side: Cells = 32,
    pitch: Pitch = 2.0,
    diameter: PathLength = 48.0,
    wl: Wavelength = 0.92,
    current: Current = 0.04,
    injection_efficiency: Fraction = 0.8,
    carrier_lifetime: Time = 1e-9,
    photon_lifetime: Time = 1e-12,
    differential_gain: AreaGain = 2e7,
    transparency: Density = 5e4,
    linewidth_enhancement: Enhancement = 3.0,
    index: Index = 3.5,
    diffusion: Diffusion = 1e9,
    output: Coupling = 0.7,
) -> Any:
    """Vertical-cavity laser of wide aperture, locked by the light of a bus: a grid of coupled `vcsel` cells.

    Diffraction in the resonator couples the field of neighbouring cells and
    diffusion their carriers; gain saturates. Light enters and leaves through
    the same mirror. Per area, gain and transparency are those of `vcsel` in an
    aperture of some 7 um; a photon's lifetime is half of that. The threshold is
    36 mA. Left out: polarisation, heat, gain compression, current crowding.

    Settings:
        side: number of cells along a side; the buses have side**2 waves.
        pitch: distance of neighbouring cells.
        diameter: diameter of the aperture, which is pumped and lets light in.
        wl: wavelength at threshold of an infinite aperture.
        current: current through the laser.
        injection_efficiency: carriers in the active layer per electron.
        carrier_lifetime: lifetime of the carriers without stimulated emission.
        photon_lifetime: lifetime of a photon in the resonator.
        differential_gain: rate of amplification per carrier in an area.
        transparency: carriers in an area at which light is neither amplified nor absorbed.
        linewidth_enhancement: Henry's factor alpha, the change of the index with the gain.
        index: refractive index of the resonator, which sets how strongly light diffracts.
        diffusion: diffusion constant of the carriers.
        output: fraction of the photons lost from the resonator that leave through the top mirror.
    """
    return WideLaser(
        side=side, pitch=pitch, diameter=diameter, wl=wl, current=current, output=output, index=index,
        injection_efficiency=injection_efficiency, carrier_lifetime=carrier_lifetime, diffusion=diffusion,
        photon_lifetime=photon_lifetime, differential_gain=differential_gain, transparency=transparency,
        linewidth_enhancement=linewidth_enhancement,
    )  # fmt: skip

"""Optical fibres, in the units of their data sheets."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import Index, Quantity, Wavelength, Window, component

Kilometres = Annotated[float, Quantity("km", 0.0, 20_000.0, usual=(1e-3, 1_000.0))]
"""Length of a fibre in km; patch cords have a metre, spans between amplifiers a hundred kilometres."""
Loss_dB_km = Annotated[float, Quantity("dB/km", 0.0, 1e4)]
"""Loss of a fibre in dB/km."""
Dispersion_ps_nm_km = Annotated[float, Quantity("ps/(nm km)", -1e4, 1e4)]
"""Dispersion parameter D in ps/(nm km)."""
Slope_ps_nm2_km = Annotated[float, Quantity("ps/(nm2 km)", -100.0, 100.0)]
"""Change of the dispersion parameter with wavelength in ps/(nm**2 km)."""

_UM_PER_KM = 1_000_000_000
# ps/(nm km) is 1e-12 s/(1e-3 um 1e9 um), and a slope has another 1e-3 um below.
_D_S_PER_UM2 = 1e-18
_S_S_PER_UM3 = 1e-15


@component(
    ports=("o1", "o2"), inputs=1, source="agrawal2019", lossless_when={"loss_dB_km": 0.0},
    aliases={"in": "o1", "out": "o2"},
    windows=(Window("wl", -0.1, 0.1, "dispersion of first order about wl0", about="wl0"),),
)  # fmt: skip
def fibre(
    m: Any,
    wl: Any,
    *,
    length_km: Kilometres = 1.0,
    loss_dB_km: Loss_dB_km = 0.2,
    dispersion_ps_nm_km: Dispersion_ps_nm_km = 17.0,
    slope_ps_nm2_km: Slope_ps_nm2_km = 0.058,
    neff: Index = 1.4468,
    ng: Index = 1.4682,
    wl0: Wavelength = 1.55,
) -> Any:
    """Single-mode fibre with loss and dispersion.

    The delay per length is ng/c + D (wl - wl0) + slope (wl - wl0)**2/2. The phase is the integral of this
    delay over the angular frequency, and 2 pi neff length/wl0 at wl0. The defaults are those of standard
    single-mode fibre (ITU-T G.652) at 1550 nm. Left out: the other polarisation and its delay, dependence of
    the loss on wavelength, Kerr effect, Raman and Brillouin scattering, backscattering, connectors.

    Settings:
        length_km: length of the fibre in km, the unit of its data sheet.
        loss_dB_km: propagation loss in dB/km.
        dispersion_ps_nm_km: dispersion parameter at wl0 in ps/(nm km).
        slope_ps_nm2_km: change of the dispersion parameter with wavelength in ps/(nm**2 km).
        neff: effective index at wl0.
        ng: group index at wl0.
        wl0: wavelength at which indices, dispersion and slope are given.
    """
    length = length_km * _UM_PER_KM
    # Minus 2 pi c times the integrals of the delay's terms over wl**-2 d wl, from wl0 on.
    ratio = m.log(wl / wl0)
    first = ratio + wl0 / wl - 1
    second = wl - wl0 * wl0 / wl - 2 * wl0 * ratio
    bend = dispersion_ps_nm_km * _D_S_PER_UM2 * first + slope_ps_nm2_km * _S_S_PER_UM3 * second / 2
    turns = neff / wl0 + ng * (1 / wl - 1 / wl0) - SPEED_OF_LIGHT_UM_S * bend
    # dB/km times km is dB.
    return {("o1", "o2"): m.amplitude_dB(loss_dB_km * length_km) * m.cis(2 * m.pi * length * turns)}

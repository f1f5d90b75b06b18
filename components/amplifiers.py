"""Optical amplifiers: small-signal gain and the noise that comes with it."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.components.guides import GuidedMode
from photosim.conventions import PLANCK_J_S, SPEED_OF_LIGHT_UM_S
from photosim.model import (
    PathLength,
    Quantity,
    SaturationPower,
    Wavelength,
    Window,
    component,
)

Gain_dB = Annotated[float, Quantity("dB", 0.0, 60.0)]
"""Gain of power in dB."""
BandWidth = Annotated[float, Quantity("um", 1e-3, 1.0)]
"""Width of a gain curve in um."""
Inversion = Annotated[float, Quantity("1", 1.0, 20.0)]
"""Population inversion factor; 1 is complete inversion."""

# Lasers of this material move by 0.1 nm per kelvin; dneff_dT is ng/wl0 times that. The guides are a few um
# wide, so errors of their width move the indices little: not at all unless somebody knows better.
_MODE = GuidedMode(
    neff=3.2, ng=3.7, dneff_dT=2.4e-4, dneff_dw=0.0, dneff_dh=0.0, dng_dw=0.0, dng_dh=0.0,
)  # fmt: skip


def _gain_dB(m: Any, wl: Any, gain_dB: Any, fwhm: Any, wl0: Any) -> Any:
    """Gain in dB: a Gaussian over the wavelength."""
    detuning = 2 * (wl - wl0) / fwhm
    return gain_dB * m.exp(-m.log(2) * detuning * detuning)


def _spontaneous(
    m: Any, wl: Any, *, gain_dB: Any, fwhm: Any, wl0: Any, inversion: Any, **_: Any
) -> dict[str, Any]:
    """Amplified spontaneous emission in W/Hz of the guided mode out of either end (olsson1989)."""
    gain = 1 / m.amplitude_dB(_gain_dB(m, wl, gain_dB, fwhm, wl0)) ** 2
    density = inversion * PLANCK_J_S * SPEED_OF_LIGHT_UM_S / wl * (gain - 1)
    return {"o1": density, "o2": density}


@component(
    ports=("o1", "o2"), inputs=1, source="olsson1989", active=True, emission=_spontaneous,
    windows=(
        Window("wl", -1.0, 1.0, "a Gaussian gain, one fwhm to either side of wl0", about="wl0", scale="fwhm"),
    ),
)  # fmt: skip
def soa(
    m: Any,
    wl: Any,
    *,
    gain_dB: Gain_dB = 15.0,
    wl0: Wavelength = 1.55,
    fwhm: BandWidth = 0.08,
    inversion: Inversion = 2.0,
    saturation_power: SaturationPower = 10e-3,
    length: PathLength = 500.0,
    mode: GuidedMode = _MODE,
) -> Any:
    """Semiconductor optical amplifier for weak signals: gain in both directions, with spontaneous emission.

    The gain in dB, inner losses included, is a Gaussian over the wavelength. Out of either end comes noise of
    inversion h nu (gain - 1) per hertz in the guided mode: a noise figure of 2 inversion (gain - 1)/gain +
    1/gain. The facets do not reflect. Left out: saturation (light above saturation_power is reported
    by `photosim.link`; `dynamic_soa` saturates), four-wave mixing, dependence on polarisation, the index that
    carriers change, the gain's dependence on temperature (the phase follows it; dneff_dT is that of the
    lasers of this material, 0.1 nm per kelvin).

    Settings:
        gain_dB: gain at wl0.
        wl0: wavelength of the largest gain, at which neff and ng are given.
        fwhm: full width at half maximum of the gain in dB over wavelength.
        inversion: population inversion factor n_sp.
        saturation_power: output power up to which the gain counts as unsaturated.
        length: length of the amplifier's waveguide.
    """
    del inversion, saturation_power
    wave = mode.wave(m, wl, length)
    return {("o1", "o2"): m.amplitude_dB(-_gain_dB(m, wl, gain_dB, fwhm, wl0)) * wave}

"""Light sources: one line, or a comb of lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.model import source
from photosim.quantities import Bandwidth, Count, NoiseDensity_dB_Hz, OpticalPower, Wavelength


def channel_wavelength(wl0: Any, spacing: Any, channel: int, channels: int) -> Any:
    """Vacuum wavelength in um of one of several channels spaced equally in frequency (Hz) about wl0.

    Channel 0 has the shortest wavelength. Works on numbers and expressions.
    """
    offset = channel - (channels - 1) / 2
    return wl0 / (1 - offset * spacing * wl0 / SPEED_OF_LIGHT_UM_S)


@source(ports=("o1",), aliases={"out": "o1", "out0": "o1"}, source="coldren2012")
def laser(
    *,
    wl: Wavelength = 1.55,
    power: OpticalPower = 1e-3,
    lines: Count = 1,
    spacing: Bandwidth = 100e9,
    linewidth: Bandwidth = 1e6,
    rin_dB_Hz: NoiseDensity_dB_Hz = -150.0,
) -> Any:
    """Laser of continuous light: one line, or a comb of equal lines equally spaced in frequency about wl.

    Lines come in order of rising wavelength. The phase is a random walk
    (Lorentzian line), relative intensity noise is white. Left out: the
    dynamics of field and carriers, mode hops, shape of a comb's envelope, and
    light that comes back, which is absorbed without effect.

    Settings:
        wl: wavelength of the line, or the centre of the comb.
        power: power of each line.
        lines: number of lines.
        spacing: distance of neighbouring lines.
        linewidth: full width at half maximum of each line.
        rin_dB_Hz: relative intensity noise, one-sided density.
    """
    del linewidth, rin_dB_Hz  # they shape the noise around the lines, not the lines
    offsets = np.arange(lines) - (lines - 1) / 2
    if np.any(offsets * spacing * wl >= SPEED_OF_LIGHT_UM_S):
        message = f"laser: {lines} lines {spacing:g} Hz apart about {wl:g} um reach below zero frequency."
        raise ParameterError(message)
    wavelengths = np.array([channel_wavelength(wl, spacing, n, lines) for n in range(lines)])
    return wavelengths, np.full(lines, float(power))

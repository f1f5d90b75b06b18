"""Light sources: one line, a comb of lines, pulses."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.model import (
    Linewidth,
    NoiseDensity_dB_Hz,
    OpticalPower,
    Quantity,
    Spacing,
    Wavelength,
    source,
)

LineCount = Annotated[int, Quantity("1", 1, 10_000, whole=True)]
"""Lines of a comb: links and simulations in time take milliseconds for each."""
SpectralWidth = Annotated[float, Quantity("Hz", 1.0, 1e18)]
"""Width of a spectrum in Hz; never zero."""
PulseDuration = Annotated[float, Quantity("s", 1e-16, 1.0, usual=(1e-15, 1e-6))]
"""Duration of a pulse in s; never zero."""


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
    lines: LineCount = 1,
    spacing: Spacing = 100e9,
    linewidth: Linewidth = 1e6,
    rin_dB_Hz: NoiseDensity_dB_Hz = -150.0,
) -> Any:
    """Continuous-wave laser: one line, or several equal lines equally spaced in frequency about wl.

    Lines come in order of rising wavelength. The phase is a random walk
    (Lorentzian line), relative intensity noise is white. Left out: the
    dynamics of field and carriers, mode hops, shape of a comb's envelope, and
    light that comes back, which is absorbed without effect.

    Settings:
        wl: wavelength of the line, or the centre of the comb.
        power: power of each line.
        lines: number of lines.
        spacing: frequency distance of neighbouring lines.
        linewidth: full width at half maximum of each line.
        rin_dB_Hz: one-sided density of the relative intensity noise.
    """
    del linewidth, rin_dB_Hz  # they shape the noise around the lines, not the lines
    return _comb_wavelengths("laser", wl, spacing, lines), np.full(lines, float(power))


def _comb_wavelengths(name: str, wl: Any, spacing: Any, lines: int) -> Any:
    """Return the wavelengths (lines,) of a comb, rising; refuses one that reaches below zero frequency."""
    offsets = np.arange(lines) - (lines - 1) / 2
    if np.any(offsets * spacing * wl >= SPEED_OF_LIGHT_UM_S):
        message = f"{name}: {lines} lines {spacing:g} Hz apart about {wl:g} um reach below zero frequency."
        raise ParameterError(message)
    return np.array([channel_wavelength(wl, spacing, n, lines) for n in range(lines)])


def _sech2_comb(name: str, wl: Any, spacing: Any, lines: int, fwhm: Any, power: Any) -> tuple[Any, Any]:
    """Return wavelengths and powers of a comb under sech**2 of that full width in Hz, `power` altogether."""
    offsets = (np.arange(lines) - (lines - 1) / 2) * spacing
    # sech**2 is a half at 0.8814; a large argument would overflow cosh, and has no light.
    argument = np.minimum(np.abs(2 * np.arccosh(np.sqrt(2)) * offsets / fwhm), 350.0)
    envelope = 1 / np.cosh(argument) ** 2
    return _comb_wavelengths(name, wl, spacing, lines), power * envelope / envelope.sum()


@source(ports=("o1",), aliases={"out": "o1", "out0": "o1"}, source="kippenberg2018")
def frequency_comb(
    *,
    wl: Wavelength = 1.55,
    power: OpticalPower = 1e-3,
    lines: LineCount = 21,
    spacing: Spacing = 100e9,
    fwhm: SpectralWidth = 1e12,
    linewidth: Linewidth = 1e5,
    rin_dB_Hz: NoiseDensity_dB_Hz = -140.0,
) -> Any:
    """Frequency comb with a sech**2 envelope, such as that of a soliton in a microresonator.

    Lines come in order of rising wavelength. Left out: the pump line, dispersive waves, conversion
    efficiency, noise that differs from line to line.

    Settings:
        wl: centre of the comb.
        power: power of all lines together.
        lines: number of lines.
        spacing: frequency distance of neighbouring lines.
        fwhm: full width at half maximum of the envelope.
        linewidth: full width at half maximum of each line.
        rin_dB_Hz: one-sided density of the relative intensity noise of each line.
    """
    del linewidth, rin_dB_Hz
    return _sech2_comb("frequency_comb", wl, spacing, lines, fwhm, power)


@source(ports=("o1",), aliases={"out": "o1", "out0": "o1"}, source="haus2000")
def pulsed_laser(
    *,
    wl: Wavelength = 1.55,
    power: OpticalPower = 1e-3,
    repetition_rate: Spacing = 10e9,
    duration: PulseDuration = 2e-12,
    lines: LineCount = 101,
    linewidth: Linewidth = 1e4,
    rin_dB_Hz: NoiseDensity_dB_Hz = -140.0,
) -> Any:
    """Mode-locked laser: transform-limited sech**2 pulses, as a comb of lines that are all in phase.

    The spectrum is a sech**2 of full width 0.3148/duration, its lines repetition_rate apart; pulses are peaks
    of 0.88 power/(repetition_rate duration). Left out: chirp, jitter of the pulses, the lines beyond those
    counted, build-up.

    Settings:
        wl: centre of the spectrum.
        power: mean power over time, that of all lines together.
        repetition_rate: pulses per second, and distance of neighbouring lines.
        duration: full width at half maximum of the power of a pulse.
        lines: number of lines.
        linewidth: full width at half maximum of each line.
        rin_dB_Hz: one-sided density of the relative intensity noise of each line.
    """
    del linewidth, rin_dB_Hz
    # A field sech(t/T) has a spectrum sech(pi**2 T f): widths 2 arccosh(sqrt 2) T and that over pi**2 T.
    half = np.arccosh(np.sqrt(2))
    fwhm = (2 * half / np.pi) ** 2 / duration
    return _sech2_comb("pulsed_laser", wl, repetition_rate, lines, fwhm, power)

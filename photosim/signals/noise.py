"""Noise of light and of its detection: spectral densities, one-sided, said once for all receivers.

A density times the noise bandwidth B in Hz is a variance. Currents are in A, densities of currents in A^2/Hz.
Arguments are numbers or arrays that broadcast. Sources: shot and thermal noise saleh2019; excess noise
mcintyre1966; phase noise armstrong1966; beats with amplified spontaneous emission olsson1989.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.conventions import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

TERMS = (
    "shot",
    "thermal",
    "rin",
    "phase",
    "ase_signal",
    "ase_ase",
    "amplifier",
    "jitter",
    "quantisation",
)
"""Names of all contributions: shot noise; thermal noise of the load; a laser's relative intensity noise and
phase noise; the beats of amplified spontaneous emission with the signal and with itself; noise of the
electrical amplifiers; jitter and steps of converters."""


def shot_density(current: Any, multiplication: Any = 1.0, excess: Any = 1.0) -> Any:
    """Density of shot noise in A^2/Hz, 2 q current multiplication excess, of independent charges.

    `current` is what flows behind the multiplication, currents of two diodes added whatever their sign.
    """
    return 2.0 * ELEMENTARY_CHARGE_C * np.asarray(current) * multiplication * excess


def thermal_density(temperature: Any, resistance: Any) -> Any:
    """Density of the thermal noise of a resistance in ohm at a temperature in K, 4 k T/R, in A^2/Hz."""
    return 4.0 * BOLTZMANN_J_K * np.asarray(temperature) / resistance


def intensity_density(rin_dB_Hz: Any) -> Any:
    """Density of the relative power of a laser in 1/Hz, from its relative intensity noise in dB/Hz."""
    return 10.0 ** (np.asarray(rin_dB_Hz) / 10.0)


def phase_density(linewidth: Any, frequency: Any) -> Any:
    """Density of a laser's phase in rad^2/Hz at a frequency in Hz, linewidth/(pi frequency^2).

    The phase is a random walk: white noise of the frequency, of density linewidth/pi.
    """
    return np.asarray(linewidth) / (np.pi * np.asarray(frequency) ** 2)


def quantisation_variance(step: Any) -> Any:
    """Variance of an error that is uniform over one step."""
    return np.asarray(step) ** 2 / 12.0


def jitter_variance(jitter: Any, frequency: Any, amplitude: Any) -> Any:
    """Variance that an error of the instant makes of a sine: jitter^2 times its mean squared slope."""
    return (2.0 * np.pi * np.asarray(frequency) * jitter * amplitude) ** 2 / 2.0


@public
def effective_bits(ratio: ArrayLike) -> Any:
    """Return the bits of an ideal converter with this ratio of full scale to rms noise.

    These are (20 log10 ratio - 1.76)/6.02 (alqadasi2022, eq. 8, with its constants).
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # without a signal or without noise: infinite
        return (20.0 * np.log10(np.asarray(ratio, dtype=np.float64)) - 1.76) / 6.02


def laser_conversion(carrier: Any, upper: Any, lower: Any) -> tuple[Any, Any]:
    """Return (intensity, phase): change of a power per relative change of a laser's power, and per radian.

    carrier, upper and lower are the waves per wave of the laser at its line, and at a distance f above and
    below it. A laser's light is modulated as a whole wherever it goes, so that all its paths add as waves:
    to first order in the noise intensity = (carrier* upper + carrier lower*)/2 and
    phase = i (carrier* upper - carrier lower*). A plain delay turns no phase noise into intensity; paths of
    different length do (delayed self-interference), and so does the slope of a filter.
    """
    above, below = np.conj(carrier) * upper, carrier * np.conj(lower)
    return (above + below) / 2.0, 1j * (above - below)

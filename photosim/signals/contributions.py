"""What each kind of noise contributes to the current of a receiver: variances from spectral densities."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import public
from photosim.bounds import check_whole
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.windows import unasked
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.signals.emission import Emission
from photosim.signals.filters import STOP, low_pass
from photosim.signals.noise import (
    TERMS,
    intensity_density,
    jitter_variance,
    laser_conversion,
    phase_density,
    quantisation_variance,
    shot_density,
    thermal_density,
)
from photosim.signals.operating import Line, OperatingPoint, Receiver
from photosim.signals.paths import driving_jitters
from photosim.signals.quadrature import octaves, resolved

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

LOWEST = 2.0**-24
"""Lowest frequency that is looked at, as a part of the bandwidth: below it densities go on as they are."""
MOST = 1 << 17
"""Frequencies at which densities are computed for all lines together, at most."""
FAINT = 1e-16
"""Variance over a squared current that no noise of light falls below: shot noise has a million times that."""
VISIBLE = 0.01
"""Part of a variance beyond which what is unresolved of it is said."""


@public
@dataclass(frozen=True)
class Tone:
    """A sine on the current, at which jitter is reckoned: frequency in Hz, amplitude relative to the mean."""

    frequency: float
    depth: float = 1.0

    def __post_init__(self) -> None:
        """Raise ParameterError for a frequency or a depth that no sine has."""
        if not (0.0 < self.frequency < np.inf and 0.0 <= self.depth < np.inf):
            message = (
                f"A tone needs a positive frequency in Hz and a depth of 0 or more, got {self.frequency!r} "
                f"and {self.depth!r}."
            )
            raise ParameterError(message)

    def amplitude(self, current: float, bandwidth: float) -> float:
        """Return its amplitude in A on a mean current, behind a low-pass."""
        return self.depth * current if self.frequency <= bandwidth else 0.0


def check_terms(without: Collection[str]) -> None:
    """Raise ParameterError for the name of a noise that there is not."""
    for name in without:
        if name not in TERMS:
            message = f"There is no noise {name!r} to switch off. There are: {listing(TERMS, 12)}."
            raise ParameterError(message + did_you_mean(name, TERMS))


@public
@dataclass(frozen=True)
class Contributions:
    """Variances in A^2 by the name of the noise, referred to the current of the detector.

    second_order: what phase noise does to the mean current to second order, over that current: where it is
    not small, `phase` is not right.  unresolved: part of a variance that may be wrong, by name, where spectra
    are finer than the frequencies at which they are computed; NaN where nobody knows how large it is.
    """

    variances: Mapping[str, float]
    second_order: float
    unresolved: Mapping[str, float] = field(default_factory=dict)


@public
def contributions(
    point: OperatingPoint, number: int, *, without: Collection[str] = (), tone: Tone | None = None
) -> Contributions:
    """Return what each noise gives the current of a receiver.

    All terms of `noise.TERMS` are there, those in `without` as zeros. Laser noise is taken to first order.
    """
    check_terms(without)
    check_whole("contributions", 0, len(point.receivers) - 1, number=number)
    receiver = point.receivers[number]
    found, unresolved = dict.fromkeys(TERMS, 0.0), {}
    glow = emission(point, number)
    b = receiver.noise_bandwidth
    found["shot"] = float(shot_current_density(point, number, glow.current()) * b)
    if not receiver.chain.virtual_ground:
        found["thermal"] = float(thermal_density(receiver.temperature, receiver.load_resistance) * b)
    found["amplifier"] = receiver.chain.amplifier_variance()
    light = np.array([_of_line(point, number, k) for k in range(len(point.lines))])
    parts, errors = light[:, 0], light[:, 1]
    for column, term in enumerate(("rin", "phase", "ase_signal")):
        found[term] = float(parts[:, column].sum())
        if (parts[:, column] * errors[:, column]).sum() > VISIBLE * found[term] > 0.0:
            unresolved[term] = float((parts[:, column] * errors[:, column]).sum() / found[term])
    found["ase_ase"] = glow.beat_variance(receiver.low_passes)
    if glow.error > VISIBLE or glow.hidden:
        unresolved["ase_ase"] = np.nan if glow.hidden else glow.error
    found["quantisation"] = float(sum(quantisation_variance(step) for step in receiver.chain.steps()))
    if tone is not None:
        amplitude = tone.amplitude(float(point.currents(number).sum()), receiver.bandwidth)
        jitters = (*receiver.chain.jitters(), *driving_jitters(point, number))
        found["jitter"] = sum(float(jitter_variance(t, tone.frequency, amplitude)) for t in jitters)
    current = float(np.abs(point.currents(number)).sum())
    doubt = float(parts[:, 3].sum())
    doubt = 0.0 if "phase" in without or doubt == 0.0 else doubt / max(current, np.finfo(float).tiny)
    terms = {term: 0.0 if term in without else value for term, value in found.items()}
    left = {term: value for term, value in unresolved.items() if term not in without}
    return Contributions(terms, doubt, left)


def _of_line(point: OperatingPoint, number: int, line: int) -> tuple[FloatArray, FloatArray]:
    """Return what a line's noise and its beat with emission give a receiver, and how wrong that may be.

    Variances of relative intensity noise, phase noise and the beat, and the change of the current to second
    order in the phase, (4,); what is unresolved of each, relative to it, (4,).
    """
    receiver, light = point.receivers[number], point.lines[line]
    top = min(STOP * receiver.bandwidth, 0.5 * light.frequency)

    def densities(frequency: FloatArray) -> FloatArray:
        frequency = np.maximum(frequency, LOWEST * top)
        with unasked():
            conversion = Conversion(point, number, line, frequency)
        rin, phase = conversion.laser()
        wander = phase_density(light.linewidth, frequency)
        passed = np.abs(low_pass(frequency, receiver.low_passes)) ** 2
        found = (
            np.abs(rin) ** 2 * intensity_density(light.rin_dB_Hz),
            np.abs(phase) ** 2 * wander,
            conversion.emission_density(),
            conversion.second_order() * wander,
        )
        return np.asarray(np.stack(found, axis=-1) * passed[:, np.newaxis])

    # What is far below shot noise may be rounding, which no panel resolves.
    current = float(np.abs(receiver.responsivity[:, line]) @ point.arriving[line, point.columns(number)])
    floor = FAINT * current * np.array([current, current, current, 1.0])
    panels = resolved(
        densities, octaves(top, LOWEST * top), floor=floor, most=max(MOST // len(point.lines), 1 << 12)
    )
    found: FloatArray = panels.integral()
    return found, panels.error


def shot_current_density(point: OperatingPoint, number: int, emission: float) -> float:
    """Return the density of the shot noise in A^2/Hz, of light, emission included, and of dark current."""
    receiver = point.receivers[number]
    light = float(np.abs(point.currents(number)).sum()) + emission
    dark = receiver.dark_current * receiver.multiplication * len(receiver.ports)
    return float(shot_density(light + dark, receiver.multiplication, receiver.excess))


def live_responsivity(point: OperatingPoint, number: int) -> FloatArray:
    """Return the responsivity to small changes, (ports, lines): none where a port is saturated."""
    return np.where(point.linear(number)[:, np.newaxis], point.receivers[number].responsivity, 0.0)


class Conversion:
    """How noise beside one line, `frequency` (F,) in Hz away from it, becomes current in a receiver."""

    def __init__(self, point: OperatingPoint, number: int, line: int, frequency: FloatArray) -> None:
        self.point, self.frequency = point, frequency
        self.receiver: Receiver = point.receivers[number]
        self.line: Line = point.lines[line]
        self.responsivity = live_responsivity(point, number)[:, line]
        offsets = np.concatenate(([0.0], frequency, -frequency))
        self.wl = SPEED_OF_LIGHT_UM_S / (self.line.frequency + offsets)
        inputs = (self.line.port, *(emitter.port for emitter in point.emitters))
        waves = point.transfer(self.wl, self.receiver.ports, inputs)
        self.carrier, size = waves[0, :, 0], len(frequency)
        self.upper, self.lower = waves[1 : size + 1], waves[size + 1 :]

    def laser(self) -> tuple[ComplexArray, ComplexArray]:
        """Return current per relative change of the line's power, and per radian of its phase, (F,) each."""
        intensity, phase = laser_conversion(self.carrier, self.upper[..., 0], self.lower[..., 0])
        per_unit = self.responsivity * self.line.power
        return intensity @ per_unit, phase @ per_unit

    def second_order(self) -> FloatArray:
        """Return the change of the current per rad^2 of phase at each frequency, (F,), at its largest.

        |upper lower - carrier^2| vanishes for a plain delay, and for equal paths.
        """
        change = np.abs(self.upper[..., 0] * self.lower[..., 0] - self.carrier**2)
        return np.asarray(change @ np.abs(self.responsivity) * self.line.power)

    def emission_density(self) -> FloatArray:
        """Return the density of the beat of the line with spontaneous emission, (F,), in A^2/Hz.

        2 P sum over both sides of |sum over ports of responsivity carrier* wave|^2 density: for one port and
        flat emission 4 R^2 P density, olsson1989. Light of one emitter beats coherently at all ports.
        """
        size, total = len(self.frequency), np.zeros(len(self.frequency))
        weight = self.responsivity * self.carrier.conj()
        for k, emitter in enumerate(self.point.emitters, start=1):
            density = emitter.density(self.wl)
            for side, own in ((self.upper, density[1 : size + 1]), (self.lower, density[size + 1 :])):
                total += 2.0 * self.line.power * np.abs(side[..., k] @ weight) ** 2 * own
        return total


def emission(point: OperatingPoint, number: int) -> Emission:
    """Return the spontaneous emission at a receiver, by its responsivity to small changes."""
    return Emission(point, number, live_responsivity(point, number).mean(axis=1))


def mean_emission_current(point: OperatingPoint, number: int) -> float:
    """Return the mean current in A that spontaneous emission gives a receiver, signed as its ports are."""
    return emission(point, number).mean_current()

"""What each kind of noise contributes to the current of a receiver: variances from spectral densities."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, did_you_mean, listing
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

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

NODES = 256
"""Frequencies at which densities are computed within a noise bandwidth."""
MOST_OPTICAL = 1 << 14
"""Optical frequencies at which spontaneous emission is computed, at most."""
DARK = 1e-4
"""Spontaneous emission weaker than this part of its peak is left out."""


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


@dataclass(frozen=True)
class Contributions:
    """Variances in A^2 by the name of the noise, referred to the current of the detector.

    second_order: what phase noise does to the mean current to second order, over that current: where it is
    not small, `phase` is not right.
    """

    variances: Mapping[str, float]
    second_order: float


def contributions(
    point: OperatingPoint, number: int, *, without: Collection[str] = (), tone: Tone | None = None
) -> Contributions:
    """Return what each noise gives the current of a receiver.

    All terms of `noise.TERMS` are there, those in `without` as zeros. Laser noise is taken to first order.
    """
    check_terms(without)
    receiver = point.receivers[number]
    b, found = receiver.bandwidth, dict.fromkeys(TERMS, 0.0)
    emission = _Emission(point, number)
    found["shot"] = float(shot_current_density(point, number, emission.current()) * b)
    if not receiver.chain.virtual_ground:
        found["thermal"] = float(thermal_density(receiver.temperature, receiver.load_resistance) * b)
    found["amplifier"] = receiver.chain.amplifier_density() * b
    doubt = 0.0
    frequency, weights = (b * values for values in _unit_nodes())
    for k, line in enumerate(point.lines):
        conversion = Conversion(point, number, k, frequency)
        rin, phase = conversion.laser()
        found["rin"] += float(weights @ np.abs(rin) ** 2 * intensity_density(line.rin_dB_Hz))
        found["phase"] += float(weights @ (np.abs(phase) ** 2 * phase_density(line.linewidth, frequency)))
        found["ase_signal"] += float(weights @ conversion.emission_density())
        doubt += float(weights @ (conversion.second_order() * phase_density(line.linewidth, frequency)))
    found["ase_ase"] = float(emission.beat_variance(b))
    found["quantisation"] = float(sum(quantisation_variance(step) for step in receiver.chain.steps()))
    if tone is not None:
        amplitude = tone.amplitude(float(point.currents(number).sum()), b)
        jitters = (*receiver.chain.jitters(), *driving_jitters(point, number))
        found["jitter"] = sum(float(jitter_variance(t, tone.frequency, amplitude)) for t in jitters)
    light = float(np.abs(point.currents(number)).sum())
    doubt = 0.0 if "phase" in without or doubt == 0.0 else doubt / max(light, np.finfo(float).tiny)
    terms = {term: 0.0 if term in without else value for term, value in found.items()}
    return Contributions(terms, doubt)


@cache
def _unit_nodes() -> tuple[FloatArray, FloatArray]:
    """Return the places and weights of Gauss and Legendre between 0 and 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2


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


class _Emission:
    """Spontaneous emission at the ports of one receiver over the optical spectrum.

    spectrum: cross spectra of the ports, (W, ports, ports) in W/Hz, `step` Hz apart; None where nothing
    emits.
    """

    def __init__(self, point: OperatingPoint, number: int) -> None:
        self.receiver = point.receivers[number]
        self.weight = live_responsivity(point, number).mean(axis=1)
        self.step = 0.0
        self.spectrum: ComplexArray | None = None
        if not point.emitters:
            return
        wl, self.step = _optical_grid(point, self.receiver.bandwidth)
        waves = point.transfer(wl, self.receiver.ports, tuple(emitter.port for emitter in point.emitters))
        density = np.stack([emitter.density(wl) for emitter in point.emitters], axis=-1)
        self.spectrum = np.einsum("wpk,wk,wqk->wpq", waves, density, waves.conj())

    def current(self) -> float:
        """Return the mean current in A of the emission, currents of all ports added."""
        if self.spectrum is None:
            return 0.0
        power = np.einsum("wpp->p", self.spectrum.real) * self.step
        return float(np.abs(self.weight) @ power)

    def mean_current(self) -> float:
        """Return the mean current in A of the emission, signed."""
        if self.spectrum is None:
            return 0.0
        return float(self.weight @ np.einsum("wpp->p", self.spectrum.real) * self.step)

    def beat_density(self, frequency: FloatArray) -> FloatArray:
        """Return the density in A^2/Hz of the beat of the emission with itself at `frequency` (F,) in Hz.

        2 integral of sum over ports p, q of R_p R_q C_pq(v)* C_pq(v + f): for one port and a flat band Bo
        2 R^2 density^2 (Bo - f), olsson1989 for the one polarisation that a circuit has.
        """
        if self.spectrum is None:
            return np.zeros(len(frequency))
        size = len(self.spectrum)
        transformed = np.fft.fft(self.spectrum, 2 * size, axis=0)
        lags = np.fft.ifft(np.abs(transformed) ** 2, axis=0)[:size].real
        weighted = np.einsum("p,q,wpq->w", self.weight, self.weight, lags) * 2.0 * self.step
        return np.asarray(np.interp(frequency, self.step * np.arange(size), weighted), dtype=np.float64)

    def beat_variance(self, bandwidth: float) -> float:
        """Return the variance in A^2 of the beat of the emission with itself."""
        grid = np.linspace(0.0, bandwidth, NODES + 1)
        return float(np.trapezoid(self.beat_density(grid), grid))


def beat_density(point: OperatingPoint, number: int, frequency: FloatArray) -> FloatArray:
    """Return the density in A^2/Hz of the beat of spontaneous emission with itself, (F,)."""
    return _Emission(point, number).beat_density(frequency)


def mean_emission_current(point: OperatingPoint, number: int) -> float:
    """Return the mean current in A that spontaneous emission gives a receiver, signed as its ports are."""
    return _Emission(point, number).mean_current()


def emission_current(point: OperatingPoint, number: int) -> float:
    """Return the mean current in A that spontaneous emission gives a receiver, ports added."""
    return _Emission(point, number).current()


def _optical_grid(point: OperatingPoint, bandwidth: float) -> tuple[FloatArray, float]:
    """Return wavelengths (W,) equally spaced in frequency over all that is emitted, and their step in Hz."""
    centre = np.mean([line.wl for line in point.lines] or [1.55])
    wide = centre * np.linspace(0.6, 1.8, 6001)
    density = np.max([emitter.density(wide) for emitter in point.emitters], axis=0)
    lit = wide[density > DARK * density.max()] if density.max() > 0.0 else wide[[2000, 2001]]
    low, high = SPEED_OF_LIGHT_UM_S / lit[-1], SPEED_OF_LIGHT_UM_S / lit[0]
    size = int(np.clip(np.ceil(4.0 * (high - low) / bandwidth), 1024, MOST_OPTICAL))
    step = (high - low) / size
    return SPEED_OF_LIGHT_UM_S / (low + step * (np.arange(size) + 0.5)), float(step)

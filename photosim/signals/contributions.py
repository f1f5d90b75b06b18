"""What each kind of noise contributes to the current of a receiver: variances from spectral densities."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
from photosim.signals.quadrature import TOLERANCE, octaves, resolved

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

LOWEST = 2.0**-24
"""Lowest frequency that is computed, as a part of the bandwidth: below it densities go on as they are."""
MOST = 1 << 17
"""Frequencies at which densities are computed for all lines together, at most."""
FAINT = 1e-16
"""Variance over a squared current that no noise of light falls below: shot noise has a million times that."""
VISIBLE = 0.01
"""Part of a variance beyond which what is unresolved of it, or of higher order, is said."""
COUNTS = 1e-3
"""Part of all variances below which nobody asks how right one of them is."""
WIDEST = 2e12
"""Frequency in Hz up to which the effect of the light's phase on a mean current is computed."""
SLOW = 1e-4
"""Linewidth over the frequency up to which noise is computed; below it nothing beyond is missed."""


@public
@dataclass(frozen=True)
class Tone:
    """A sine on the current, for which jitter is computed: frequency in Hz, and `depth`.

    depth: amplitude relative to the mean.
    """

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

    def amplitude(self, current: float, low_passes: Sequence[float] = ()) -> float:
        """Return its amplitude in A on a mean current, behind low-passes."""
        return self.depth * current * float(np.abs(low_pass(self.frequency, low_passes)))


def check_terms(without: Collection[str]) -> None:
    """Raise ParameterError for the name of a noise that there is not."""
    for name in without:
        if name not in TERMS:
            message = f"There is no noise {name!r} to switch off. There are: {listing(TERMS, 12)}."
            raise ParameterError(message + did_you_mean(name, TERMS))


@public
@dataclass(frozen=True)
class Contributions:
    """Variances in A^2 by the name of the noise, all referred to the current of the detector.

    variances: in A^2, by the name of the noise.  second_order: change of the mean current by noise of phase
    and intensity to second order, relative to that current.  higher: by name, the fraction of a variance that
    orders beyond the first may add or remove, if it matters.  unresolved: by name, the fraction of a variance
    that may be wrong, because a spectrum has details finer than the frequencies at which it is computed; nan
    if its size is not known.
    """

    variances: Mapping[str, float]
    second_order: float
    higher: Mapping[str, float] = field(default_factory=dict)
    unresolved: Mapping[str, float] = field(default_factory=dict)


@public
def contributions(
    point: OperatingPoint, number: int, *, without: Collection[str] = (), tone: Tone | None = None
) -> Contributions:
    """Return the variance in A^2 that each noise adds to the current of a receiver.

    All terms of `noise.TERMS` are included, those in `without` as zeros. Laser noise is taken to first order.

    point: operating point of a link.  number: of the receiver, from 0.  without: names of noise that is off.
    tone: sine on the light, for which jitter is computed; None for none.
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
        amplitude = tone.amplitude(float(point.currents(number).sum()), receiver.low_passes)
        jitters = (*receiver.chain.jitters(), *driving_jitters(point, number))
        found["jitter"] = sum(float(jitter_variance(t, tone.frequency, amplitude)) for t in jitters)
    terms = {term: 0.0 if term in without else value for term, value in found.items()}
    left = {term: value for term, value in unresolved.items() if term not in without}
    current = max(float(np.abs(point.currents(number)).sum()), np.finfo(float).tiny)
    change, higher = _beyond_first_order(parts[:, 3:], terms, current)
    return Contributions(terms, change / current, higher, left)


def _beyond_first_order(
    changes: FloatArray, terms: Mapping[str, float], current: float
) -> tuple[float, dict[str, float]]:
    """Return the change of the mean current in A by noise to second order, and what that does to variances.

    changes: of the current to second order in A, for each line: by intensity and by phase behind the
    low-passes, and both before them, (L, 4).

    For light on two ways of any power and phase, the next order of the variance is at most 4 D^2, D being the
    largest change of the current; that of intensity adds 2 D over the current of the variance. What passes
    the low-passes of that is as much as passes of D.
    """
    change, higher = 0.0, {}
    for k, term in enumerate(("rin", "phase")):
        if not terms[term]:
            continue
        passed, whole = changes[:, k], changes[:, 2 + k]
        change += float(whole.sum())
        extra = 4.0 * float((passed * whole).sum())
        extra += 2.0 * float(whole.sum()) / current * terms[term] if term == "rin" else 0.0
        if extra > VISIBLE * terms[term] and extra > COUNTS * sum(terms.values()):
            higher[term] = extra / terms[term]
    return change, higher


def _of_line(point: OperatingPoint, number: int, line: int) -> tuple[FloatArray, FloatArray]:
    """Return what a line's noise and its beat with emission give a receiver, and how wrong that may be.

    Variances of relative intensity noise, phase noise and the beat, and the changes of the current to second
    order in intensity and phase, behind the low-passes and before them, (7,); what is unresolved of each,
    relative to it, (7,).
    """
    receiver, light = point.receivers[number], point.lines[line]
    top = min(STOP * receiver.bandwidth, 0.5 * light.frequency)

    def changes(conversion: Conversion, frequency: FloatArray) -> tuple[FloatArray, FloatArray]:
        change = conversion.second_order()
        power = intensity_density(light.rin_dB_Hz)
        return 0.25 * change * power, change * phase_density(light.linewidth, frequency)

    def densities(frequency: FloatArray) -> FloatArray:
        frequency = np.maximum(frequency, LOWEST * top)
        with unasked():
            conversion = Conversion(point, number, line, frequency)
        rin, phase = conversion.laser()
        by_power, by_phase = changes(conversion, frequency)
        passed = np.abs(low_pass(frequency, receiver.low_passes)) ** 2
        found = (
            np.abs(rin) ** 2 * intensity_density(light.rin_dB_Hz) * passed,
            np.abs(phase) ** 2 * phase_density(light.linewidth, frequency) * passed,
            conversion.emission_density() * passed,
            by_power * passed,
            by_phase * passed,
            by_power,
            by_phase,
        )
        return np.asarray(np.stack(found, axis=-1))

    # What is far below shot noise may be rounding, which no panel resolves; changes need no more than 1e-4.
    current = float(np.abs(receiver.responsivity[:, line]) @ point.arriving[line, point.columns(number)])
    floor = current * np.array([*[FAINT * current] * 3, *[1.0] * 4])
    panels = resolved(
        densities, octaves(top, LOWEST * top), floor=floor, most=max(MOST // len(point.lines), 1 << 12)
    )
    found: FloatArray = panels.integral()
    if light.linewidth > SLOW * top and top < WIDEST:
        # Phases that turn faster than the receiver looks change its mean current all the same.
        def beyond(frequency: FloatArray) -> FloatArray:
            with unasked():
                return changes(Conversion(point, number, line, frequency), frequency)[1][:, np.newaxis]

        edges = octaves(WIDEST, top)[1:]
        found[6] += resolved(beyond, edges, tolerance=10 * TOLERANCE, most=1 << 12).integral()[0]
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

"""Sampled noise: the currents of all receivers over time, drawn from the processes themselves.

Fields of the lines carry their random walk of phase and their relative intensity noise, pass the circuit as
waves, and are detected as powers; nothing is linear here but the circuit. One line is drawn once, so that its
noise is the same process at all receivers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import public
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.converters import convert
from photosim.engine.windows import unasked
from photosim.errors import ParameterError
from photosim.reals import shown
from photosim.signals.contributions import (
    Tone,
    check_terms,
    emission,
    live_responsivity,
    shot_current_density,
)
from photosim.signals.delays import Transfer, mean_delay, response_span
from photosim.signals.filters import MEMORY, low_pass
from photosim.signals.noise import intensity_density, thermal_density
from photosim.signals.operating import Line, OperatingPoint, Receiver, operating_point
from photosim.signals.paths import driving_jitters

if TYPE_CHECKING:
    import xarray

    from photosim.circuit import Circuit

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

OVERSAMPLING = 4
"""Samples of the fields for each sample that is returned; more where an amplifier's noise reaches further."""
MOST_SAMPLES = 1 << 18
MOST_FIELD = 1 << 24
"""Numbers of the waves of one line over a record, at most."""


@dataclass(frozen=True)
class _Grid:
    """Instants and frequencies of the fields.

    samples: those that are returned, `rate` in Hz.  oversampling: of the fields against those.  spread:
    fields' samples over which the circuit spreads a pulse to either side of its mean delay; so many at both
    ends are not returned, since fields come round.
    """

    samples: int
    rate: float
    spread: int = 64
    oversampling: int = OVERSAMPLING

    @property
    def guard(self) -> int:
        """Samples ahead of those that are returned."""
        return self.samples // 8 + 64 + -(-self.spread // self.oversampling)

    @property
    def size(self) -> int:
        from scipy import fft

        least = (self.samples + self.guard) * self.oversampling + self.spread
        return int(fft.next_fast_len(least, real=True))

    @property
    def step(self) -> float:
        """Distance of the instants of the fields in s."""
        return 1.0 / (self.rate * self.oversampling)

    @property
    def offsets(self) -> FloatArray:
        """Frequencies in Hz in the order of numpy's fft, positive above the line.

        numpy's fft has the sign opposite to exp(-i omega t).
        """
        return np.asarray(-np.fft.fftfreq(self.size, self.step))

    def low_pass(self, values: FloatArray, bandwidths: Sequence[float]) -> FloatArray:
        """Return values behind low-passes."""
        frequency = np.fft.rfftfreq(self.size, self.step)
        return np.asarray(np.fft.irfft(np.fft.rfft(values) * low_pass(frequency, bandwidths), self.size))

    def slopes(self, values: FloatArray) -> FloatArray:
        """Return the slopes per second of values that low-passes have made smooth."""
        frequency = np.fft.rfftfreq(self.size, self.step)
        return np.asarray(np.fft.irfft(np.fft.rfft(values) * 2j * np.pi * frequency, self.size))

    def kept(self, values: FloatArray) -> FloatArray:
        """Return the samples that are returned."""
        return values[self.guard * self.oversampling :: self.oversampling][: self.samples]


@public
def sample(
    circuit: Circuit,
    samples: int = 4096,
    *,
    seed: int = 0,
    without: Collection[str] = (),
    tone: float | None = None,
    depth: float = 1.0,
    **settings: Any,
) -> xarray.DataArray:
    """Return sampled outputs of all receivers with noise, dimensions (detector, time).

    A detector without electronics gives its current in A, one with an amplifier a voltage in V. Samples are
    taken at twice the largest bandwidth. The attribute `beyond_range` has the number of samples that each
    stage clipped, and `remarks` other values outside of a range. The same seed gives the same samples. The
    common delay of all paths is removed. Left out: beats between different lines, and noise light except for
    its beats within the bandwidth.

    circuit: with sources and detectors.  samples: number of samples.  seed: of the noise.  without: names of
    noise to switch off (`signals.TERMS`).  tone, depth: frequency in Hz and relative depth of a sine on the
    current, at which jitter shows.  settings: settings by instance or dotted name.

    Raises ParameterError for more samples than MOST_SAMPLES, for delays that differ by more than a record can
    hold, and if light of separate lasers interferes at a detector.
    """
    import xarray

    check_terms(without)
    if not 2 <= samples <= MOST_SAMPLES:
        message = f"A sample has 2 to {MOST_SAMPLES} samples, got {samples}."
        raise ParameterError(message)
    samples = int(samples)
    if seed < 0:
        message = f"The seed of a sample must be 0 or more, got {shown(seed)}."
        raise ParameterError(message)
    point = operating_point(circuit, settings, "sampled noise")
    wave = None if tone is None else Tone(tone, depth)
    lights, *rest = np.random.default_rng(seed).spawn(1 + len(point.receivers))
    rate = 2.0 * max(receiver.bandwidth for receiver in point.receivers)
    widest = max(receiver.chain.noisy_bandwidth for receiver in point.receivers)
    finer = max(OVERSAMPLING, int(np.ceil(2 * OVERSAMPLING * widest / rate)))
    first = _Grid(samples, rate, oversampling=finer)
    # Records come round: they are longer than what the slowest receiver remembers.
    spread = max(first.spread, _remembered(point, first.step))
    grid, passed = _grid(point, replace(first, spread=spread))
    fields = [
        _fields(point, line, grid, waves, lights, without)
        for line, waves in zip(point.lines, passed, strict=True)
    ]
    beyond: dict[str, int] = {}
    rows = []
    for number, rng in enumerate(rest):
        current = _current(point, number, grid, fields, rng, without)
        receiver, early = point.receivers[number], np.zeros(samples)
        if wave is not None:
            amplitude = wave.amplitude(float(point.currents(number).sum()))
            angle: FloatArray = (
                2 * np.pi * wave.frequency * grid.step * np.arange(grid.size, dtype=np.float64)
            )
            current += amplitude * np.sin(angle)
            if "jitter" not in without:
                jitter = np.hypot.reduce([0.0, *driving_jitters(point, number)])
                behind = wave.amplitude(float(point.currents(number).sum()), receiver.low_passes)
                slope = behind * 2 * np.pi * wave.frequency * np.cos(grid.kept(angle))
                early = slope * jitter * rng.standard_normal(samples)
        rows.append(_through(receiver, current, early, grid, rng, without, beyond))
    units = ["V" if receiver.chain.stages else "A" for receiver in point.receivers]
    return xarray.DataArray(
        np.array(rows), dims=("detector", "time"), name="output",
        coords={"detector": [r.name for r in point.receivers],
                "time": ("time", np.arange(samples) / grid.rate, {"units": "s"}),
                "unit": ("detector", units)},
        attrs={"beyond_range": beyond, "remarks": list(point.remarks)},
    )  # fmt: skip


def _remembered(point: OperatingPoint, step: float) -> int:
    """Return how many samples of the fields the slowest receiver remembers; ParameterError for too many."""
    slowest = min(point.receivers, key=lambda receiver: receiver.bandwidth)
    needed = MEMORY / (slowest.bandwidth * step)
    if needed * len(point.ports) * (1 + len(point.emitters)) > MOST_FIELD:
        message = (
            f"The receiver of {slowest.name!r} has a low-pass of {slowest.bandwidth:g} Hz, and another "
            f"one has {max(receiver.bandwidth for receiver in point.receivers):g} Hz. One record of "
            "noise cannot hold both: use ps.link, or choose bandwidths that are closer to each other."
        )
        raise ParameterError(message)
    return int(np.ceil(needed))


def _grid(point: OperatingPoint, grid: _Grid) -> tuple[_Grid, list[ComplexArray]]:
    """Return a grid that is long enough for the circuit's delays, and the waves of each line on it.

    Waves are (size, ports, inputs), inputs being the line and what emits, less the mean delay of the line.
    """
    while True:
        found, spread = [], 0
        for line in point.lines:
            inputs = (line.port, *(emitter.port for emitter in point.emitters))

            def transfer(
                offset: FloatArray, line: Line = line, inputs: tuple[str, ...] = inputs
            ) -> ComplexArray:
                wl = SPEED_OF_LIGHT_UM_S / (line.frequency + offset)
                with unasked():
                    return point.transfer(wl, point.ports, inputs)

            rate = 1.0 / grid.step
            delay = float(
                mean_delay(_of_light(transfer, line.frequency), line.frequency, rate, together=True)
            )
            waves = transfer(grid.offsets)
            own = response_span(transfer, waves, rate, delay)
            spread = max(spread, grid.size if own is None else own)
            if own is None:
                break
            turn = np.exp(-2j * np.pi * ((grid.offsets * delay) % 1.0))
            found.append(waves * turn[:, np.newaxis, np.newaxis])
        if spread <= grid.spread:
            return grid, found
        grid = replace(grid, spread=max(4 * grid.spread, spread))
        if grid.size * len(point.ports) * (1 + len(point.emitters)) > MOST_FIELD:
            message = (
                f"Delays on the way to the detectors differ by more than {grid.spread * grid.step / 2:.3g} "
                "s, the longest record of noise that can be drawn: shorten them, or use ps.link."
            )
            raise ParameterError(message)


def _of_light(transfer: Transfer, line: float) -> Transfer:
    """Return waves by frequencies of light in Hz from those by distances from a line in Hz."""
    return lambda frequency: transfer(frequency - line)


def _fields(
    point: OperatingPoint,
    line: Line,
    grid: _Grid,
    waves: ComplexArray,
    rng: np.random.Generator,
    without: Collection[str],
) -> tuple[ComplexArray, ComplexArray]:
    """Return the waves of a line and the emission beside it at all ports, (size, ports) each.

    waves: (size, ports, inputs) per wave of the line and of each emitter.
    """
    steps = rng.standard_normal(grid.size) * np.sqrt(2 * np.pi * line.linewidth * grid.step)
    phase = np.cumsum(steps) if "phase" not in without else np.zeros(grid.size)
    # White noise of one-sided density S has the variance S/(2 step) in samples `step` apart.
    relative = rng.standard_normal(grid.size) * np.sqrt(intensity_density(line.rin_dB_Hz) / (2 * grid.step))
    power = line.power * np.maximum(1.0 + (relative if "rin" not in without else 0.0), 0.0)
    sent = np.fft.fft(np.sqrt(power) * np.exp(1j * phase))
    arrived = np.fft.ifft(waves[..., 0] * sent[:, np.newaxis], axis=0)
    wl = SPEED_OF_LIGHT_UM_S / (line.frequency + grid.offsets)
    noise = np.zeros_like(waves[..., 0])
    for k, emitter in enumerate(point.emitters, start=1):
        # Of both sides and complex: density/step is the variance of a sample.
        scale = np.sqrt(emitter.density(wl) / grid.step * grid.size / 2)
        own = rng.standard_normal(grid.size) + 1j * rng.standard_normal(grid.size)
        noise += waves[..., k] * (own * scale)[:, np.newaxis]
    return arrived, np.fft.ifft(noise, axis=0)


def _current(
    point: OperatingPoint,
    number: int,
    grid: _Grid,
    fields: list[tuple[ComplexArray, ComplexArray]],
    rng: np.random.Generator,
    without: Collection[str],
) -> FloatArray:
    """Return the current of a receiver in A, (size,), with all noise up to its electronics."""
    receiver, columns, glow = point.receivers[number], point.columns(number), emission(point, number)
    live, fixed = live_responsivity(point, number), point.currents(number)
    current = np.full(grid.size, point.dark_current(number) + glow.mean_current())
    for k, (waves, noise) in enumerate(fields):
        own, beside = waves[:, columns], noise[:, columns]
        current += (np.abs(own) ** 2) @ live[:, k]
        current += fixed[~point.linear(number), k].sum()
        if "ase_signal" not in without:
            current += (2.0 * (own.conj() * beside).real) @ live[:, k]
    frequency: FloatArray = np.fft.rfftfreq(grid.size, grid.step).astype(np.float64)
    density = np.zeros(frequency.size)
    if "shot" not in without:
        density += shot_current_density(point, number, glow.current())
    if "thermal" not in without and not receiver.chain.virtual_ground:
        density += thermal_density(receiver.temperature, receiver.load_resistance)
    if "ase_ase" not in without and glow.spectrum is not None:
        beats = glow.beat_panels(receiver.low_passes)
        density += np.interp(frequency, beats.places, beats.flat[:, 0])
    white = np.fft.rfft(rng.standard_normal(grid.size))
    return current + np.fft.irfft(white * np.sqrt(density / (2 * grid.step)), grid.size)


def _through(
    receiver: Receiver,
    current: FloatArray,
    early: FloatArray,
    grid: _Grid,
    rng: np.random.Generator,
    without: Collection[str],
    beyond: dict[str, int],
) -> FloatArray:
    """Return the samples (samples,) behind all stages; `beyond` counts those outside the range of a stage.

    early: what was added to the samples by errors of the instants at which the light was driven.
    """
    signal = grid.low_pass(current, receiver.low_passes)
    if "amplifier" not in without:
        signal += _amplifiers(receiver, grid, rng)
    values, slopes = grid.kept(signal) + early, grid.kept(grid.slopes(signal))
    chain = receiver.chain
    for name, stage in zip(chain.names, chain.stages, strict=True):
        if "jitter" not in without:
            values = values + slopes * stage.jitter * rng.standard_normal(values.size)
        values, slopes = values * stage.gain, slopes * stage.gain
        bits = None if "quantisation" in without else stage.bits
        values, clipped = convert(values, replace(stage, bits=bits))
        beyond[name] = beyond.get(name, 0) + clipped
    return values


def _amplifiers(receiver: Receiver, grid: _Grid, rng: np.random.Generator) -> FloatArray:
    """Return the noise of the stages, (size,), referred to the current: each behind its own low-passes."""
    total = np.zeros(grid.size)
    for k, density in enumerate(receiver.chain.amplifier_densities()):
        if density > 0.0:
            own = rng.standard_normal(grid.size) * np.sqrt(density / (2 * grid.step))
            total += grid.low_pass(own, receiver.low_passes[k + 1 :])
    return total

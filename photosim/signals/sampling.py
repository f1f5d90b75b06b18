"""Sampled noise: the currents of all receivers over time, drawn from the processes themselves.

Fields of the lines carry their random walk of phase and their relative intensity noise, pass the circuit as
waves, and are detected as powers; nothing is linear here but the circuit. One line is drawn once, so that its
noise is the same process at all receivers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.converters import convert
from photosim.errors import ParameterError
from photosim.signals.contributions import (
    Tone,
    beat_density,
    check_terms,
    emission_current,
    live_responsivity,
    mean_emission_current,
    shot_current_density,
)
from photosim.signals.noise import intensity_density, thermal_density
from photosim.signals.operating import OperatingPoint, Receiver, operating_point
from photosim.signals.paths import driving_jitters

if TYPE_CHECKING:
    import xarray

    from photosim.circuit import Circuit

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

OVERSAMPLING = 4
"""Samples of the fields for each sample that is returned."""
MOST_SAMPLES = 1 << 18


@dataclass(frozen=True)
class _Grid:
    """Instants and frequencies of the fields, with a guard ahead that the circuit's memory may spoil."""

    samples: int
    rate: float

    @property
    def guard(self) -> int:
        return self.samples // 8 + 64

    @property
    def size(self) -> int:
        return (self.samples + self.guard) * OVERSAMPLING

    @property
    def step(self) -> float:
        """Distance of the instants of the fields in s."""
        return 1.0 / (self.rate * OVERSAMPLING)

    @property
    def offsets(self) -> FloatArray:
        """Frequencies in Hz in the order of numpy's fft, positive above the line.

        numpy's fft has the sign opposite to exp(-i omega t).
        """
        return np.asarray(-np.fft.fftfreq(self.size, self.step))

    def low_pass(self, values: FloatArray, bandwidth: float) -> FloatArray:
        """Return values below an ideal low-pass."""
        spectrum = np.fft.rfft(values)
        spectrum[np.fft.rfftfreq(self.size, self.step) > bandwidth] = 0.0
        return np.asarray(np.fft.irfft(spectrum, self.size))

    def kept(self, values: FloatArray) -> FloatArray:
        """Return the samples that are returned."""
        return values[self.guard * OVERSAMPLING :: OVERSAMPLING]


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
    """Return sampled outputs of all receivers, dimensions (detector, time), as the last stage puts them out.

    Samples are taken at twice the largest noise bandwidth. A detector without electronics gives its current
    in A, one with an amplifier a voltage in V. `tone` is the frequency in Hz of a sine of that relative depth
    on the current, at which jitter shows. `without` switches kinds of noise off (`signals.TERMS`). The
    attribute `beyond_range` counts the samples that a stage clipped, by stage; `remarks` says what else is
    outside its range. The same seed gives the same samples. Left out: beats of different lines, and noise
    light other than its beats within the bandwidth.
    """
    import xarray

    check_terms(without)
    if not 2 <= samples <= MOST_SAMPLES:
        message = f"A sample has 2 to {MOST_SAMPLES} samples, got {samples}."
        raise ParameterError(message)
    point = operating_point(circuit, settings, "sampled noise")
    grid = _Grid(samples, 2.0 * max(receiver.bandwidth for receiver in point.receivers))
    wave = None if tone is None else Tone(tone, depth)
    lights, *rest = np.random.default_rng(seed).spawn(1 + len(point.receivers))
    fields = _fields(point, grid, lights, without)
    beyond: dict[str, int] = {}
    rows = []
    for number, rng in enumerate(rest):
        current = _current(point, number, grid, fields, rng, without)
        receiver, early = point.receivers[number], np.zeros(samples)
        if wave is not None:
            amplitude = wave.amplitude(float(point.currents(number).sum()), receiver.bandwidth)
            angle: FloatArray = (
                2 * np.pi * wave.frequency * grid.step * np.arange(grid.size, dtype=np.float64)
            )
            current += amplitude * np.sin(angle)
            if "jitter" not in without:
                jitter = np.hypot.reduce([0.0, *driving_jitters(point, number)])
                slope = amplitude * 2 * np.pi * wave.frequency * np.cos(grid.kept(angle))
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


def _fields(
    point: OperatingPoint, grid: _Grid, rng: np.random.Generator, without: Collection[str]
) -> list[tuple[ComplexArray, ComplexArray]]:
    """Return, for each line, its waves and the emission beside it at all ports, (size, ports) each."""
    found = []
    for line in point.lines:
        steps = rng.standard_normal(grid.size) * np.sqrt(2 * np.pi * line.linewidth * grid.step)
        phase = np.cumsum(steps) if "phase" not in without else np.zeros(grid.size)
        # White noise of one-sided density S has the variance S/(2 step) in samples `step` apart.
        relative = rng.standard_normal(grid.size) * np.sqrt(
            intensity_density(line.rin_dB_Hz) / (2 * grid.step)
        )
        power = line.power * np.maximum(1.0 + (relative if "rin" not in without else 0.0), 0.0)
        wl = SPEED_OF_LIGHT_UM_S / (line.frequency + grid.offsets)
        inputs = (line.port, *(emitter.port for emitter in point.emitters))
        waves = point.transfer(wl, point.ports, inputs)
        sent = np.fft.fft(np.sqrt(power) * np.exp(1j * phase))
        arrived = np.fft.ifft(waves[..., 0] * sent[:, np.newaxis], axis=0)
        noise = np.zeros_like(waves[..., 0])
        for k, emitter in enumerate(point.emitters, start=1):
            # Of both sides and complex: density/step is the variance of a sample.
            scale = np.sqrt(emitter.density(wl) / grid.step * grid.size / 2)
            own = rng.standard_normal(grid.size) + 1j * rng.standard_normal(grid.size)
            noise += waves[..., k] * (own * scale)[:, np.newaxis]
        found.append((arrived, np.fft.ifft(noise, axis=0)))
    return found


def _current(
    point: OperatingPoint,
    number: int,
    grid: _Grid,
    fields: list[tuple[ComplexArray, ComplexArray]],
    rng: np.random.Generator,
    without: Collection[str],
) -> FloatArray:
    """Return the current of a receiver in A, (size,), with all noise up to its electronics."""
    receiver, columns = point.receivers[number], point.columns(number)
    live, fixed = live_responsivity(point, number), point.currents(number)
    steady = point.dark_current(number) + mean_emission_current(point, number)
    current = np.full(grid.size, steady)
    for k, (waves, noise) in enumerate(fields):
        own, beside = waves[:, columns], noise[:, columns]
        current += (np.abs(own) ** 2) @ live[:, k]
        current += fixed[~point.linear(number), k].sum()
        if "ase_signal" not in without:
            current += (2.0 * (own.conj() * beside).real) @ live[:, k]
    frequency: FloatArray = np.fft.rfftfreq(grid.size, grid.step).astype(np.float64)
    density = np.zeros(frequency.size)
    if "shot" not in without:
        density += shot_current_density(point, number, emission_current(point, number))
    if "thermal" not in without and not receiver.chain.virtual_ground:
        density += thermal_density(receiver.temperature, receiver.load_resistance)
    if "amplifier" not in without:
        density += receiver.chain.amplifier_density()
    if "ase_ase" not in without:
        density += beat_density(point, number, frequency)
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
    signal = grid.low_pass(current, receiver.bandwidth)
    values, slopes = grid.kept(signal) + early, grid.kept(np.gradient(signal, grid.step))
    chain = receiver.chain
    for name, stage in zip(chain.names, chain.stages, strict=True):
        if "jitter" not in without:
            values = values + slopes * stage.jitter * rng.standard_normal(values.size)
        values, slopes = values * stage.gain, slopes * stage.gain
        bits = None if "quantisation" in without else stage.bits
        values, clipped = convert(values, replace(stage, bits=bits))
        beyond[name] = beyond.get(name, 0) + clipped
    return values

"""A spectrum slicer over many images: the chain of a netlist in time, without a run of the engine for each.

Pixels drive the modulator by a sum of one pixel's drives, its answer is a polynomial of the drive, filters act
by FFT, and a reading is a weighted sum of powers. Every one of these is what `ps.transient` does to the same
samples: impulse responses are those of its islands, low-passes and clocks are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.model import Source
from photosim.timedomain import band
from photosim.timedomain.beats import FINER, coarser, finer
from photosim.training.arrays import ComplexArray, FloatArray, RealArray
from photosim.training.devices.slicer.receivers import KEPT, Receivers, Weights
from photosim.training.devices.slicer.scan import Scan

if TYPE_CHECKING:
    from photosim.circuit import Circuit

BATCH = 16
"""Images computed together: their light stays in cache."""
_BEFORE, _AFTER = 2, 24
"""Pixels ahead of a pixel and behind it that its drive may reach."""
_DEGREE = 40
_MARGIN = 0.05
"""Part of the drive's swing by which it may go beyond it, as filters ring."""
_FAINT = 1e-14


@dataclass(frozen=True)
class Light:
    """The light of the laser: power in W, linewidth in Hz, relative intensity noise in 1/Hz."""

    power: float
    linewidth: float
    rin: float

    def fluctuation(self, shape: tuple[int, int], rate: float, rng: np.random.Generator) -> ComplexArray:
        """Return the factors (B, T) of its noise: a random walk of phase, white intensity noise."""
        single = np.float32
        phase = np.cumsum(rng.standard_normal(shape, single), axis=1) * np.sqrt(
            2 * np.pi * self.linewidth / rate
        )
        strength = 1.0 + rng.standard_normal(shape, single) * np.sqrt(self.rin * rate / 2)
        return np.asarray(np.exp(1j * phase) * np.sqrt(np.maximum(strength, 0.0)))


@dataclass(frozen=True, eq=False)
class SpectrumSlicer:
    """Laser, modulator, filters and receivers of a circuit, as features of images.

    pulse: what a pixel adds to the drive in the pixels around, (pixels, samples), last first.  answer:
    Chebyshev coefficients of the modulated light in sqrt(W) over the drive, complex.  span: lowest and
    highest drive in V.  responses: of the filters in the band, by node.  weights: of powers around a reading.
    first: sample of the first reading, counted from the first pixel.
    """

    scan: Scan
    side: int
    precision: str
    light: Light
    pulse: FloatArray
    answer: ComplexArray
    span: tuple[float, float]
    responses: band.Response
    receivers: Receivers
    weights: Weights
    first: int

    @classmethod
    def from_circuit(
        cls,
        circuit: Circuit,
        scan: Scan,
        side: int = 28,
        *,
        modulator: str = "modulator",
        precision: str = "single",
        **settings: Any,
    ) -> SpectrumSlicer:
        """Return the device of a circuit with one laser, a modulator and detectors behind filters.

        scan: how images become waveforms.  side: pixels along a side of an image.  modulator: instance whose
        voltage pixels drive, from 0 to its v_pi.  precision: of the light; readings are about 1e-5 right in
        single.  settings: of the circuit, as in a call. Raises ParameterError for a circuit without these.
        """
        check_arguments(cls.from_circuit.__func__, locals())  # type: ignore[attr-defined]
        if precision not in KEPT:
            message = f"A slicer's precision is single or double, not {precision!r}."
            raise ParameterError(message)
        wl, light, source = _laser(circuit, settings)
        compiled, point = circuit.at(settings)
        graph = compiled.graph
        if modulator not in graph.index or "voltage" not in graph.part(modulator).model.drives.values():
            message = f"The circuit {circuit.name!r} has no modulator {modulator!r} that a voltage drives."
            raise ParameterError(message)
        own = compiled.parts.settings_of(graph.part(modulator), point)
        swing = float(own["v_pi"])
        span = (-_MARGIN * swing, (1.0 + _MARGIN) * swing)
        out = f"{modulator},{graph.part(modulator).ports[-1]}"

        def modulated(voltage: FloatArray) -> ComplexArray:
            held = {**settings, f"{modulator}.voltage": voltage}
            return np.sqrt(light.power) * circuit.transfer([wl], [out], [f"{source},o1"], **held)[:, 0, 0, 0]

        receivers = Receivers.of(circuit, **settings)
        ends = [f"{name},o1" for name in receivers.names]

        def filters(grid: Any) -> ComplexArray:
            return np.asarray(circuit.transfer(np.ascontiguousarray(grid), ends, [out], **settings))

        responses = band.response(filters, SPEED_OF_LIGHT_UM_S / wl, scan.rate, f"the filters of {circuit.name!r}")
        weights = receivers.weights(scan.rate, precision)
        middle = scan.patch**2 * scan.samples / 2
        first = round(middle + weights.delay + _mean_delay(responses))
        return cls(
            scan, side, precision, light, _pulse(scan, swing, float(own["bandwidth"])),
            _chebyshev(modulated, span), span, responses, receivers, weights, first,
        )  # fmt: skip

    @property
    def nodes(self) -> int:
        """Number of filters."""
        return len(self.receivers.names)

    @property
    def instants(self) -> FloatArray:
        """Times of the readings in s, (patches,), counted from the start of the first guard."""
        patch = self.scan.patch**2 * self.scan.samples
        start = self.scan.guard * self.scan.samples + self.first
        return np.asarray((start + patch * np.arange(self.scan.patches(self.side))) / self.scan.rate)

    def features(
        self,
        images: RealArray,
        rng: np.random.Generator | None = None,
        *,
        workers: int = 1,
        report: Callable[[int, int], None] | None = None,
    ) -> RealArray:
        """Return the readings (B, nodes, patches) in A, referred to the detectors, of images (B, side**2).

        images: of pixels from 0 to 1.  rng: draws the noise of laser, detectors and amplifiers, jitter and
        steps of the converters; without it there is none, and no steps.  workers: threads.
        """
        check_arguments(SpectrumSlicer.features, locals())
        if images.ndim != 2 or images.shape[1] != self.side**2:
            message = f"Images of {self.side} x {self.side} pixels are wanted, got an array of shape {images.shape}."
            raise ParameterError(message)
        from threadpoolctl import threadpool_limits

        passage = Passage(self)
        parts = [slice(a, min(a + BATCH, len(images))) for a in range(0, len(images), BATCH)]
        seeds: list[Any] = [None] * len(parts) if rng is None else list(rng.spawn(len(parts)))
        out = np.empty((len(images), self.nodes, self.scan.patches(self.side)), passage.real)

        def compute(number: int) -> None:
            out[parts[number]] = passage.readings(images[parts[number]], seeds[number])

        # One thread of the linear algebra for each of ours: its own would wait for one another.
        with threadpool_limits(1), ThreadPoolExecutor(max(1, workers)) as pool:
            for done, _ in enumerate(_in_turn(pool, compute, len(parts)), 1):
                if report is not None and done % 64 == 0:
                    report(done, len(parts))
        return out


class Passage:
    """What all images of a slicer share: spectra of the filters, and weights cut into patches."""

    def __init__(self, slicer: SpectrumSlicer, responses: band.Response | None = None) -> None:
        scan, found = slicer.scan, slicer.responses if responses is None else responses
        single = slicer.precision == "single"
        self.slicer, self.real, self.complex = (
            slicer, np.float32 if single else np.float64, np.complex64 if single else np.complex128,
        )  # fmt: skip
        pixels = scan.order(slicer.side).size + 2 * scan.guard
        self.samples = pixels * scan.samples
        from scipy import fft

        reach = found.taps.shape[-1] + int(found.delay.max()) + 2 * band.LEAD
        self.size = int(fft.next_fast_len(self.samples + min(reach, self.samples)))
        self.filters = self._spectra(impulses(found, self.size))
        low, high = slicer.span
        self.drive = np.array([(low + high) / 2, (high - low) / 2], self.real)
        self._cut(slicer.weights)
        self.noise: FloatArray | None = None

    def _spectra(self, taps: ComplexArray) -> ComplexArray:
        """Return the spectra (nodes, FINER, size) of the filters on both instants of the finer clock."""
        pulse = np.zeros(self.size)
        pulse[self.size // 2] = 1.0
        between = finer(pulse).reshape(-1, FINER).T
        between = np.roll(between, -(self.size // 2), axis=1)
        found = np.fft.fft(taps, axis=-1)[:, np.newaxis] * np.fft.fft(between, axis=-1)
        return np.ascontiguousarray(found.astype(self.complex))

    def _cut(self, weights: Weights) -> None:
        """Cut the weights by patches: (instants, patch samples, patches back times power, noise and slope)."""
        scan, slicer = self.slicer.scan, self.slicer
        patch = scan.patch**2 * scan.samples
        self.start, inside = divmod(scan.guard * scan.samples + slicer.first, patch)
        count, last = weights.noise.size, weights.start + weights.noise.size
        self.back = range((weights.start - inside + patch - 1) // patch - 1, (last + patch - inside) // patch + 1)
        table = np.zeros((len(weights.power), patch, len(self.back), 3))
        for column, back in enumerate(self.back):
            after = back * patch + inside - np.arange(patch) - weights.start
            held = (after >= 0) & (after < count)
            table[:, held, column, 0] = weights.power[:, after[held]]
            table[0, held, column, 1] = weights.noise[after[held]]
            table[:, held, column, 2] = weights.slopes[:, after[held]]
        self.table = np.ascontiguousarray(table.reshape(len(table), patch, -1).astype(self.real))
        self.sums = weights.power.sum(axis=1)
        self.blocks = -(-self.samples // patch)
        # Before the first sample and behind the last one nothing differs from the dark.
        self.ahead = max(0, self.back[-1] - self.start)
        last_block = self.start + scan.patches(slicer.side) - 1 - self.back[0]
        self.blocks = self.ahead + max(self.blocks, last_block + 1)
        self.start += self.ahead

    def fields(self, images: RealArray, rng: np.random.Generator | None) -> ComplexArray:
        """Return the light behind the modulator, (B, samples) in sqrt(W)."""
        from photosim.kernels.slicing import modulated

        slicer = self.slicer
        stream = slicer.scan.stream(np.asarray(images, self.real), slicer.side)
        stream = np.pad(stream, ((0, 0), (slicer.pulse.shape[0] - 1 - _BEFORE, _BEFORE)))
        out = np.empty((len(images), self.samples), self.complex)
        answer = slicer.answer
        modulated(
            np.ascontiguousarray(stream), slicer.pulse.astype(self.real), self.drive[0], self.drive[1],
            answer.real.astype(self.real), answer.imag.astype(self.real), out,
        )  # fmt: skip
        if rng is not None:
            out *= slicer.light.fluctuation(out.shape, slicer.scan.rate, rng).astype(self.complex)
        return out

    def spectra(self, fields: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
        """Return light as (first samples (B, 1), spectra (B, size) of what differs from them)."""
        from scipy import fft

        rest = fields[:, :1].copy()
        return rest, fft.fft(fields - rest, self.size, axis=1)

    def readings(self, images: RealArray, rng: np.random.Generator | None) -> RealArray:
        """Return the readings (B, nodes, patches) in A of some images."""
        rest, spectra = self.spectra(self.fields(images, rng))
        out = np.empty((len(images), self.slicer.nodes, self.slicer.scan.patches(self.slicer.side)), self.real)
        for node in range(self.slicer.nodes):
            power, dark, slope = self._sums(rest, spectra, node)
            out[:, node] = self._received(node, power, dark, slope, rng)
        return out

    def behind(self, rest: ComplexArray, spectra: ComplexArray, node: int, phase: int) -> ComplexArray:
        """Return the light (B, samples) on a node's detector at one of the instants of the finer clock."""
        from scipy import fft

        own = self.filters[node, phase]
        return np.asarray(fft.ifft(spectra * own, axis=1)[:, : self.samples] + rest * own[0])

    def _sums(self, rest: ComplexArray, spectra: ComplexArray, node: int) -> tuple[RealArray, RealArray, RealArray]:
        """Return weighted sums (B, patches) around the readings: of power, of noise's weights, of slopes."""
        lights = [self.behind(rest, spectra, node, phase) for phase in range(FINER)]
        powers = [light.real**2 + light.imag**2 for light in lights]
        if len(self.table) == 1:
            whole = np.stack(powers, axis=-1).reshape(len(powers[0]), -1)
            powers = [np.maximum(coarser(whole), 0.0)]
        found: Any = sum(self.summed(power - power[:, :1], k) for k, power in enumerate(powers))
        base = sum(power[:, :1] * self.sums[k] for k, power in enumerate(powers))
        return found[..., 0] + base, found[..., 1] + powers[0][:, :1], found[..., 2]

    def summed(self, power: RealArray, phase: int) -> RealArray:
        """Return the sums (B, patches, 3) of powers (B, samples) at one instant of a sample."""
        count = self.slicer.scan.patches(self.slicer.side)
        patch = self.table.shape[1]
        padded = np.zeros((len(power), self.blocks * patch), self.real)
        first = self.ahead * patch
        padded[:, first : first + self.samples] = power
        parts = (padded.reshape(-1, patch) @ self.table[phase]).reshape(len(power), self.blocks, len(self.back), 3)
        return np.asarray(
            sum(
                parts[:, self.start - back : self.start - back + count, column]
                for column, back in enumerate(self.back)
            )
        )

    def _received(
        self, node: int, power: RealArray, light: RealArray, slope: RealArray, rng: np.random.Generator | None
    ) -> RealArray:
        """Return readings (B, patches) in A: with noise, if any, and as converters give them."""
        receivers = self.slicer.receivers
        per_watt, dark = receivers.responsivity[node], receivers.dark[node]
        current = per_watt * power.astype(np.float64) + dark
        if rng is not None:
            if self.noise is None:
                patch = self.slicer.scan.patch**2 * self.slicer.scan.samples
                self.noise = receivers.correlation(self.slicer.scan.rate, patch, power.shape[1])
            deviation = np.sqrt(receivers.noise_variance(np.maximum(per_watt * light + dark, 0.0)))
            current = current + deviation * (rng.standard_normal(power.shape) @ self.noise.T)
        return np.asarray(receivers.read(current, per_watt * slope, rng), self.real)


def impulses(found: band.Response, size: int) -> ComplexArray:
    """Return impulse responses (nodes, size) whose first sample is that of their cause, wrapped round."""
    out = np.zeros((found.taps.shape[0], size), dtype=np.complex128)
    for node, taps in enumerate(found.taps[:, 0]):
        places = np.arange(taps.size) + int(found.delay[node, 0]) - band.LEAD
        np.add.at(out[node], places % size, taps)
    return out


def _mean_delay(found: band.Response) -> float:
    """Return the mean delay of all filters' energy in samples."""
    taps = np.abs(found.taps[:, 0]) ** 2
    lag = np.arange(taps.shape[1]) - band.LEAD
    return float(np.mean((taps * lag).sum(axis=1) / taps.sum(axis=1) + found.delay[:, 0]))


def _pulse(scan: Scan, swing: float, bandwidth: float) -> FloatArray:
    """Return what one pixel of 1 adds to the drive around it, (pixels, samples), the last pixel first."""
    size = _BEFORE + _AFTER + 8
    pixels = np.ones(size)
    pixels[_BEFORE] = 2.0  # above 0, where low-passes of one pole do not clip what rings below it
    time = np.arange(size * scan.samples) / scan.rate
    drive = scan.waveform(pixels, swing).sample(time, behind=bandwidth or None, what="a pixel's drive")
    around = (drive - swing).reshape(size, scan.samples)[: _BEFORE + 1 + _AFTER]
    counted = np.flatnonzero(np.abs(around).max(axis=1) > _FAINT * swing)
    return np.ascontiguousarray(around[: int(counted[-1]) + 1][::-1])


def _chebyshev(answer: Callable[[FloatArray], ComplexArray], span: tuple[float, float]) -> ComplexArray:
    """Return the Chebyshev coefficients of a complex function over a range, as far as they count."""
    from numpy.polynomial import chebyshev

    low, high = span
    points = chebyshev.chebpts1(_DEGREE + 1)
    values = answer((low + high) / 2 + (high - low) / 2 * points)
    table = chebyshev.chebvander(points, _DEGREE)
    table[:, 0] /= 2
    found = np.asarray(2.0 / (_DEGREE + 1) * (table.T @ values))
    counted = np.flatnonzero(np.abs(found) > _FAINT * np.abs(found).max())
    return found[: int(counted[-1]) + 1]


def _laser(circuit: Circuit, settings: Any) -> tuple[float, Light, str]:
    """Return wavelength in um, light and name of the only laser of a circuit."""
    compiled, point = circuit.at(settings)
    sources = [part for part in compiled.graph.parts if isinstance(part.model, Source)]
    if len(sources) != 1 or not circuit.detectors:
        message = (
            f"A spectrum slicer has one laser and a detector or more; {circuit.name!r} has {len(sources)} and "
            f"{len(circuit.detectors)}."
        )
        raise ParameterError(message)
    own = compiled.parts.settings_of(sources[0], point)
    wl, powers = sources[0].model.lines(**own)  # type: ignore[attr-defined]
    if len(wl) != 1:
        message = f"The laser {sources[0].name!r} of a spectrum slicer has one line, got {len(wl)}."
        raise ParameterError(message)
    density = own.get("rin_dB_Hz")
    rin = 0.0 if density is None else 10 ** (float(density) / 10)
    return float(wl[0]), Light(float(powers[0]), float(own.get("linewidth") or 0.0), rin), sources[0].name


def _in_turn(pool: ThreadPoolExecutor, compute: Callable[[int], None], count: int) -> Iterator[None]:
    yield from pool.map(compute, range(count))

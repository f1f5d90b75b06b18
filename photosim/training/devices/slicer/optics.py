"""A spectrum slicer over many images: the chain of a netlist in time, without a run of the engine each.

Pixels drive the modulator by a sum of one pixel's drives, its answer is a polynomial of the drive, filters
act by FFT, and a reading is a weighted sum of powers. Every one of these is what `ps.transient` does to the
same samples: impulse responses are those of its islands, low-passes and clocks are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.display import Brief, Shown
from photosim.errors import ParameterError
from photosim.model import Source
from photosim.signals.normals import normal_numbers
from photosim.timedomain import band
from photosim.training.arrays import ComplexArray, FloatArray, RealArray
from photosim.training.devices.slicer.passage import BEFORE, SUMS, Passage
from photosim.training.devices.slicer.receivers import KEPT, Receivers, Weights
from photosim.training.devices.slicer.scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

BATCH = 16
"""Images computed together: their light stays in cache."""
CHUNK = 512
"""Images read together."""
_AFTER = 24
"""Pixels behind a pixel that its drive may reach."""
_DEGREE = 40
_MARGIN = 0.05
"""Part of the drive's swing by which it may go beyond it, as filters ring."""
_FAINT = 1e-14


@dataclass(frozen=True)
class Light(Brief):
    """The light of the laser: power in W, linewidth in Hz, relative intensity noise in 1/Hz."""

    power: float
    linewidth: float
    rin: float

    def fluctuation(
        self, shape: tuple[int, int], rate: float, rng: np.random.Generator
    ) -> NDArray[np.complex64]:
        """Return the factors (B, T) of its noise: a random walk of phase, white intensity noise."""
        single = np.float32
        phase = np.cumsum(normal_numbers(rng, shape, single), axis=1)
        phase *= single(np.sqrt(2 * np.pi * self.linewidth / rate))
        strength = normal_numbers(rng, shape, single)
        strength *= single(np.sqrt(self.rin * rate / 2))
        amplitude = np.sqrt(np.maximum(strength + single(1.0), single(0.0)))
        out = np.empty(shape, np.complex64)
        np.multiply(amplitude, np.cos(phase), out=out.real)
        np.multiply(amplitude, np.sin(phase), out=out.imag)
        return out


@dataclass(frozen=True, eq=False)
class SpectrumSlicer(Shown):
    """Laser, modulator, filters and receivers of a circuit, as features of images.

    carrier: frequency of the laser in Hz.  pulse: what a pixel adds to the drive in the pixels around,
    (pixels, samples), last first.  answer: Chebyshev coefficients of the modulated light in sqrt(W) over the
    drive, complex.  span: lowest and
    highest drive in V.  responses: of the filters in the band, by node.  weights: of powers around a reading.
    first: sample of the first reading, counted from the first pixel.
    """

    scan: Scan
    side: int
    precision: str
    light: Light
    carrier: float
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
            found = circuit.transfer([wl], [out], [f"{source},o1"], **held)[:, 0, 0, 0]
            return np.asarray(np.sqrt(light.power) * found)

        receivers = Receivers.of(circuit, **settings)
        ends = [f"{name},o1" for name in receivers.names]

        def filters(grid: Any) -> ComplexArray:
            return np.asarray(circuit.transfer(np.ascontiguousarray(grid), ends, [out], **settings))

        responses = band.response(
            filters, SPEED_OF_LIGHT_UM_S / wl, scan.rate, f"the filters of {circuit.name!r}"
        )
        weights = receivers.weights(scan.rate, precision)
        middle = scan.patch**2 * scan.samples / 2
        first = round(middle + weights.delay + _mean_delay(responses))
        return cls(
            scan, side, precision, light, SPEED_OF_LIGHT_UM_S / wl,
            _pulse(scan, swing, float(own["bandwidth"])),
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
        light, reading = (None, None) if rng is None else rng.spawn(2)
        return self.read(self.averages(images, light, workers=workers, report=report), reading)

    def averages(
        self,
        images: RealArray,
        rng: np.random.Generator | None = None,
        *,
        workers: int = 1,
        report: Callable[[int, int], None] | None = None,
    ) -> RealArray:
        """Return what readings need to know of the light, (3, B, nodes, patches).

        That is the power in W that a reading averages, its slope in W/s, and the power of its shot noise.
        rng: draws the noise of the laser.  workers: threads.
        """
        check_arguments(SpectrumSlicer.averages, locals())
        if images.ndim != 2 or images.shape[1] != self.side**2:
            message = f"Images have {self.side} x {self.side} pixels each, got an array {images.shape}."
            raise ParameterError(message)
        from threadpoolctl import threadpool_limits

        passage = Passage(self)
        parts = [slice(a, min(a + BATCH, len(images))) for a in range(0, len(images), BATCH)]
        seeds: list[Any] = [None] * len(parts) if rng is None else list(rng.spawn(len(parts)))
        shape = (SUMS, len(images), self.nodes, self.scan.patches(self.side))
        out: RealArray = np.empty(shape, passage.real)

        def compute(number: int) -> None:
            out[:, parts[number]] = passage.averages(images[parts[number]], seeds[number])

        # One thread of the linear algebra for each of ours: its own would wait for one another.
        with threadpool_limits(1), ThreadPoolExecutor(max(1, workers)) as pool:
            for done, _ in enumerate(pool.map(compute, range(len(parts))), 1):
                if report is not None and done % 64 == 0:
                    report(done, len(parts))
        return out

    def read(self, averages: RealArray, rng: np.random.Generator | None = None) -> RealArray:
        """Return what receivers read, (B, nodes, patches) in A referred to the detectors, of `averages`.

        rng: draws their noise and the converters' jitter, and lets converters round.
        """
        check_arguments(SpectrumSlicer.read, locals())
        own = self.receivers
        per_watt, dark = own.responsivity[:, np.newaxis], own.dark[:, np.newaxis]
        out: RealArray = np.empty(averages[0].shape, averages.dtype)
        patch = self.scan.patch**2 * self.scan.samples
        factor = None if rng is None else own.correlation(self.scan.rate, patch, self.scan.patches(self.side))
        for first in range(0, len(out), CHUNK):
            part = slice(first, first + CHUNK)
            power, slope, noise = (per_watt * one[part].astype(np.float64) for one in averages)
            current = power + dark
            if rng is not None and factor is not None:
                deviation = np.sqrt(own.noise_variance(np.maximum(noise + dark, 0.0)))
                current = current + deviation * (rng.standard_normal(current.shape) @ factor.T)
            out[part] = own.read(current, slope, rng)
        return out


def _mean_delay(found: band.Response) -> float:
    """Return the mean delay of all filters' energy in samples."""
    taps = np.abs(found.taps[:, 0]) ** 2
    lag = np.arange(taps.shape[1]) - band.LEAD
    return float(np.mean((taps * lag).sum(axis=1) / taps.sum(axis=1) + found.delay[:, 0]))


def _pulse(scan: Scan, swing: float, bandwidth: float) -> FloatArray:
    """Return what one pixel of 1 adds to the drive around it, (pixels, samples), the last pixel first."""
    size = BEFORE + _AFTER + 8
    pixels = np.ones(size)
    pixels[BEFORE] = 2.0  # above 0, where low-passes of one pole do not clip what rings below it
    time = np.arange(size * scan.samples) / scan.rate
    drive = scan.waveform(pixels, swing).sample(time, behind=bandwidth or None, what="a pixel's drive")
    around = (drive - swing).reshape(size, scan.samples)[: BEFORE + 1 + _AFTER]
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
            f"A spectrum slicer has one laser and some detectors; {circuit.name!r} has {len(sources)} and "
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

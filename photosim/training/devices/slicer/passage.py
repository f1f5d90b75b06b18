"""The light of images on its way through a slicer: spectra of its filters, averages of its receivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.timedomain import band
from photosim.timedomain.beats import FINER, coarser, finer
from photosim.training.arrays import ComplexArray, RealArray

if TYPE_CHECKING:
    from photosim.training.devices.slicer.optics import SpectrumSlicer
    from photosim.training.devices.slicer.receivers import Weights

SUMS = 3
"""Weighted sums of power that a reading needs: itself, its slope, the power of its shot noise."""
BEFORE = 2
"""Pixels ahead of a pixel that its drive may reach."""


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

    def between(self) -> ComplexArray:
        """Return the spectra (FINER, size) that lead from samples to both instants of the finer clock."""
        pulse = np.zeros(self.size)
        pulse[self.size // 2] = 1.0
        instants = np.roll(finer(pulse).reshape(-1, FINER).T, -(self.size // 2), axis=1)
        return np.asarray(np.fft.fft(instants, axis=-1))

    def _spectra(self, taps: ComplexArray) -> ComplexArray:
        """Return the spectra (nodes, FINER, size) of the filters on both instants of the finer clock."""
        found = np.fft.fft(taps, axis=-1)[:, np.newaxis] * self.between()
        return np.ascontiguousarray(found.astype(self.complex))

    def _cut(self, weights: Weights) -> None:
        """Cut the weights by patches: (instants, patch samples, patches back times sums)."""
        scan, slicer = self.slicer.scan, self.slicer
        patch = scan.patch**2 * scan.samples
        self.start, inside = divmod(scan.guard * scan.samples + slicer.first, patch)
        count = weights.values.shape[1]
        last = weights.start + count
        self.back = range(
            (weights.start - inside + patch - 1) // patch - 1, (last + patch - inside) // patch + 1
        )
        table = np.zeros((len(weights.values), patch, len(self.back), SUMS))
        for column, back in enumerate(self.back):
            after = back * patch + inside - np.arange(patch) - weights.start
            held = (after >= 0) & (after < count)
            table[:, held, column] = weights.values[:, after[held]]
        self.table = np.ascontiguousarray(table.reshape(len(table), patch, -1).astype(self.real))
        self.sums = weights.values.sum(axis=1)
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
        stream = np.pad(stream, ((0, 0), (slicer.pulse.shape[0] - 1 - BEFORE, BEFORE)))
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

    def averages(self, images: RealArray, rng: np.random.Generator | None) -> RealArray:
        """Return the sums (SUMS, B, nodes, patches) of some images, in W, W/s and W."""
        rest, spectra = self.spectra(self.fields(images, rng))
        found = [self._sums(rest, spectra, node) for node in range(self.slicer.nodes)]
        return np.moveaxis(np.stack(found, axis=1), -1, 0)

    def behind(self, rest: ComplexArray, spectra: ComplexArray, node: int, phase: int) -> ComplexArray:
        """Return the light (B, samples) on a node's detector at one of the instants of the finer clock."""
        from scipy import fft

        own = self.filters[node, phase]
        return np.asarray(fft.ifft(spectra * own, axis=1)[:, : self.samples] + rest * own[0])

    def _sums(self, rest: ComplexArray, spectra: ComplexArray, node: int) -> RealArray:
        """Return the sums (B, patches, SUMS) of the power on a node's detector around the readings."""
        if len(self.table) == 1:
            return self._coarse(rest, spectra, node)
        from scipy import fft

        from photosim.kernels.slicing import detected

        found: Any = 0.0
        still = np.empty(len(rest), self.real)
        for phase in range(FINER):
            own = self.filters[node, phase]
            light = fft.ifft(spectra * own, axis=1, overwrite_x=True)
            padded, first = self._padded(len(rest))
            detected(light, rest[:, 0] * own[0], self.samples, first, padded, still)
            found = found + self._weighed(padded, phase)
            found += (still[:, np.newaxis] * self.sums[phase])[:, np.newaxis]
        return np.asarray(found)

    def _coarse(self, rest: ComplexArray, spectra: ComplexArray, node: int) -> RealArray:
        """Return the sums of `_sums` where the receivers have no finer clock."""
        lights = [self.behind(rest, spectra, node, phase) for phase in range(FINER)]
        whole = np.stack([light.real**2 + light.imag**2 for light in lights], axis=-1)
        power = np.maximum(coarser(whole.reshape(len(whole), -1)), 0.0)
        found = self.summed(power - power[:, :1], 0)
        return np.asarray(found + (power[:, :1] * self.sums[0])[:, np.newaxis])

    def _padded(self, count: int) -> tuple[RealArray, int]:
        """Return zeros for powers in whole patches, (count, blocks times patch), and where they start."""
        patch = self.table.shape[1]
        return np.zeros((count, self.blocks * patch), self.real), self.ahead * patch

    def summed(self, power: RealArray, phase: int) -> RealArray:
        """Return the sums (B, patches, SUMS) of powers (B, samples) at one instant of a sample."""
        padded, first = self._padded(len(power))
        padded[:, first : first + self.samples] = power
        return self._weighed(padded, phase)

    def _weighed(self, padded: RealArray, phase: int) -> RealArray:
        """Return the sums of `summed` from powers in whole patches."""
        count = self.slicer.scan.patches(self.slicer.side)
        patch = self.table.shape[1]
        parts = (padded.reshape(-1, patch) @ self.table[phase]).reshape(
            len(padded), self.blocks, len(self.back), SUMS
        )
        return np.asarray(
            sum(
                parts[:, self.start - back : self.start - back + count, column]
                for column, back in enumerate(self.back)
            )
        )

    def spread(self, cotangent: RealArray, phase: int) -> RealArray:
        """Return derivatives by power (B, samples) from those by its averages (B, patches): the transpose."""
        count, patch = cotangent.shape[1], self.table.shape[1]
        parts = np.zeros((len(cotangent), self.blocks, len(self.back)))
        for column, back in enumerate(self.back):
            parts[:, self.start - back : self.start - back + count, column] += cotangent
        table = self.table[phase].reshape(patch, len(self.back), SUMS)[:, :, 0]
        first = self.ahead * patch
        out = (parts @ table.T).reshape(len(cotangent), -1)[:, first : first + self.samples]
        # What is there before is taken off and counted as if it had been there for ever.
        out[:, 0] += cotangent.sum(axis=1) * self.sums[phase, 0] - out.sum(axis=1)
        return np.asarray(out)


def impulses(found: band.Response, size: int) -> ComplexArray:
    """Return impulse responses (nodes, size) whose first sample is that of their cause, wrapped round."""
    out = np.zeros((found.taps.shape[0], size), dtype=np.complex128)
    for node, taps in enumerate(found.taps[:, 0]):
        places = np.arange(taps.size) + int(found.delay[node, 0]) - band.LEAD
        np.add.at(out[node], places % size, taps)
    return out

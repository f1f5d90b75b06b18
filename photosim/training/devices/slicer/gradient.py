"""Gradients through a slicer: of any loss of its averages, by settings of the circuit's filters.

Backwards through the weighted sums, the squares and the FFT to the spectra of the filters, and from there by
the engine's own reverse pass to the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.errors import ParameterError
from photosim.timedomain import band
from photosim.timedomain.beats import FINER
from photosim.training.arrays import ComplexArray, FloatArray, IndexArray, RealArray
from photosim.training.devices.slicer.passage import Passage

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.training.devices.slicer.optics import SpectrumSlicer

BINS = 2048
"""Frequencies at which the filters' S-matrix is requested; their responses are over in so many samples."""


class TrainableFilters:
    """Filters of a slicer whose settings are learnt, through the chain and the engine.

    circuit: that of the slicer.  parameters: dotted names, such as "slicer.node2.detuning".
    """

    def __init__(
        self,
        circuit: Circuit,
        slicer: SpectrumSlicer,
        parameters: Sequence[str],
        modulator: str = "modulator",
    ) -> None:
        """Raise ParameterError for a slicer in double precision, whose receivers clip."""
        check_arguments(TrainableFilters.__init__, locals())
        if slicer.precision != "single":
            message = "Filters are learnt through a slicer in single precision; take precision='single'."
            raise ParameterError(message)
        self.circuit, self.slicer, self.names = circuit, slicer, list(parameters)
        self.passage = Passage(slicer)
        carrier = slicer.carrier
        self.grid = np.asarray(band.grid(carrier, slicer.scan.rate, BINS))
        self.weight = band.roll_off(np.fft.fftfreq(BINS, 1 / slicer.scan.rate), slicer.scan.rate)
        out = circuit.graph.part(modulator).ports[-1]
        self.ends = [f"{name},o1" for name in slicer.receivers.names], [f"{modulator},{out}"]
        self.between = self.passage.between()
        self.pull: Any = None

    def hold(self, values: Mapping[str, Any]) -> None:
        """Let the filters have these settings, by name."""
        order = np.argsort(self.grid)
        found, pull = self.circuit.pullback(self.grid[order], *self.ends, self.names, **values)
        s = np.empty_like(found)
        s[order] = found
        taps = np.fft.ifft(s[:, :, 0].T * self.weight, axis=-1)
        spectra = np.fft.fft(self._wrapped(taps), axis=-1)[:, np.newaxis] * self.between
        self.passage.filters = np.ascontiguousarray(spectra.astype(self.passage.complex))
        self.pull, self.order = pull, order

    def averages(self, images: RealArray) -> FloatArray:
        """Return the power in W that each reading averages, (B, nodes, patches), without noise."""
        return np.asarray(self.passage.averages(images, None)[0], dtype=np.float64)

    def gradient(self, images: RealArray, cotangent: FloatArray) -> dict[str, float]:
        """Return a loss's derivatives by the settings, from those by the averages (B, nodes, patches)."""
        if self.pull is None:
            message = "The filters have no settings yet: call hold() first."
            raise ParameterError(message)
        own = self.passage
        rest, spectra = own.spectra(own.fields(images, None))
        by_taps = np.zeros((self.slicer.nodes, BINS), dtype=np.complex128)
        for node in range(self.slicer.nodes):
            by_filter = np.zeros(own.size, dtype=np.complex128)
            for phase in range(FINER):
                light = own.behind(rest, spectra, node, phase)
                slope = 2.0 * light * own.spread(cotangent[:, node], phase)
                found = np.conj(spectra) * np.fft.fft(slope, own.size, axis=1) / own.size
                by_spectrum = found.sum(axis=0)
                by_spectrum[0] += np.sum(np.conj(rest) * slope.sum(axis=1, keepdims=True))
                by_filter += np.conj(self.between[phase]) * by_spectrum
            by_taps[node] = self._gathered(np.fft.ifft(by_filter) * own.size)
        by_s = np.fft.fft(by_taps, axis=-1) / BINS * self.weight
        whole = np.zeros((BINS, self.slicer.nodes, 1), dtype=np.complex128)
        whole[:, :, 0] = by_s.T[self.order]
        return {name: float(np.sum(value)) for name, value in self.pull(whole).items()}

    @property
    def _places(self) -> IndexArray:
        """Return where the samples of a response (BINS,) lie in a longer stretch; negative times are last."""
        return np.asarray(np.r_[: BINS - band.LEAD, -band.LEAD : 0] % self.passage.size)

    def _wrapped(self, taps: ComplexArray) -> ComplexArray:
        """Return responses (nodes, BINS) in a longer stretch (nodes, size)."""
        out = np.zeros((len(taps), self.passage.size), dtype=np.complex128)
        for one, own in zip(out, taps, strict=True):
            np.add.at(one, self._places, own)
        return out

    def _gathered(self, whole: ComplexArray) -> ComplexArray:
        """Return the same places of a stretch (size,) as (BINS,): the transpose of `_wrapped`."""
        return np.asarray(whole[self._places])

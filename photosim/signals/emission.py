"""Spontaneous emission of linear amplifiers at a receiver: its mean current, and its beat with itself."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.windows import unasked
from photosim.signals.filters import STOP, low_pass
from photosim.signals.quadrature import NODES, TOLERANCE, Panels, octaves, resolved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.signals.operating import OperatingPoint

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

DARK = 1e-4
"""Spontaneous emission weaker than this part of its peak is left out."""
WIDEST = 64
"""Panels into which the emitted spectrum is cut at first."""
NEAR = 16
"""Halvings of the panels on the way to each line, where filters are tuned to."""
MOST = 1 << 18
"""Optical frequencies at which spontaneous emission is computed, at most."""
MOST_LAGS = 1 << 21
"""Optical frequencies at which its beats are summed, at most."""


class Emission:
    """Spontaneous emission at the ports of one receiver.

    spectrum: cross spectra of the ports over the optical frequency, (ports, ports) in W/Hz; None where
    nothing emits.  fine: width in Hz of its finest structure, infinite where it is smooth.  error: what the
    panels leave unresolved, relative to current and beats.  hidden: whether resonances away from the lines
    may lie between them.
    """

    def __init__(self, point: OperatingPoint, number: int, weight: FloatArray) -> None:
        self.receiver, self.weight = point.receivers[number], weight
        self.spectrum: Panels | None = None
        self.error, self.hidden, self.fine = 0.0, False, np.inf
        if point.emitters:
            self.spectrum = self._resolved(point)
            self.error = float(self.spectrum.error.max())

    def _resolved(self, point: OperatingPoint) -> Panels:
        """Return the spectrum on panels that follow it: fine ones everywhere if it is fine at the lines.

        Resonances come again a free spectral range on, where no panel would look for them.
        """

        def spectrum(frequency: FloatArray) -> ComplexArray:
            wl = SPEED_OF_LIGHT_UM_S / frequency
            with unasked():
                waves = point.transfer(wl, self.receiver.ports, tuple(e.port for e in point.emitters))
            density = np.stack([emitter.density(wl) for emitter in point.emitters], axis=-1)
            return np.asarray(np.einsum("wpk,wk,wqk->wpq", waves, density, waves.conj()))

        low, high = _range(point)
        step = (high - low) / WIDEST
        near = np.array([line.frequency for line in point.lines])[:, np.newaxis]
        near = np.concatenate([(near + s * step * 0.5 ** np.arange(NEAR)).ravel() for s in (-1, 1)])
        edges = np.concatenate([np.linspace(low, high, WIDEST + 1), near[(near > low) & (near < high)]])
        found = resolved(spectrum, _apart(edges), figures=self._figures, most=MOST)
        looks = int(np.clip(4 * (high - low) / self.receiver.bandwidth, 1 << 11, 1 << 14))
        look = low + (high - low) * (np.arange(looks) + 0.5) / looks
        right, seen = self._figures(spectrum(look)), self._figures(found.at(look))
        if (np.abs(right - seen).sum(axis=0) <= TOLERANCE * right.sum(axis=0)).all():
            return found
        self.fine = min(found.finest, (high - low) / looks * NODES)
        count = int(np.ceil((high - low) / self.fine))
        self.hidden = 3 * NODES * count > MOST
        edges = np.linspace(low, high, min(count, MOST // (4 * NODES)) + 1)
        return resolved(
            spectrum, _apart(np.concatenate([edges, found.low])), figures=self._figures, most=2 * MOST
        )

    def _figures(self, spectrum: ComplexArray) -> FloatArray:
        """Return what has to be resolved, (W, 2): the current, and the beats at low frequency."""
        current = np.einsum("p,wpp->w", np.abs(self.weight), spectrum.real)
        beats = np.einsum("p,q,wpq->w", np.abs(self.weight), np.abs(self.weight), np.abs(spectrum) ** 2)
        return np.stack([current, beats], axis=-1)

    def power(self) -> FloatArray:
        """Return the power in W at each port, (ports,)."""
        if self.spectrum is None:
            return np.zeros(len(self.weight))
        return np.asarray(np.diagonal(self.spectrum.integral()).real)

    def current(self) -> float:
        """Return the current in A of the emission, those of all ports added whatever their sign."""
        return float(np.abs(self.weight) @ self.power())

    def mean_current(self) -> float:
        """Return the mean current in A of the emission, signed as the ports are."""
        return float(self.weight @ self.power())

    def beat_density(self, frequency: FloatArray) -> FloatArray:
        """Return the density in A^2/Hz of the beat of the emission with itself at `frequency` (F,) in Hz.

        2 integral of sum over ports p, q of R_p R_q C_pq(v)* C_pq(v + f): for one port and a flat band Bo
        2 R^2 density^2 (Bo - f), olsson1989 for the one polarisation that a circuit has.
        """
        if self.spectrum is None:
            return np.zeros(len(frequency))
        step, lags = self._lags
        return np.asarray(np.interp(frequency, step * np.arange(len(lags)), lags), dtype=np.float64)

    @cached_property
    def _lags(self) -> tuple[float, FloatArray]:
        """Return a step in Hz, and the density of the beats at its multiples up to where low-passes end."""
        from scipy import fft

        assert self.spectrum is not None  # noqa: S101 - the callers looked
        low, high = float(self.spectrum.low[0]), float(self.spectrum.high[-1])
        width = min(self.receiver.bandwidth / 2, self.fine) / 8
        size = int(np.clip(np.ceil((high - low) / width), 1 << 12, MOST_LAGS))
        step = (high - low) / size
        spectrum = self.spectrum.at(low + step * (np.arange(size, dtype=np.float64) + 0.5))
        length = fft.next_fast_len(2 * size)
        power = np.zeros(length)
        for p, q in np.ndindex(len(self.weight), len(self.weight)):
            if self.weight[p] * self.weight[q]:
                found = fft.fft(spectrum[:, p, q], length)
                power += self.weight[p] * self.weight[q] * np.abs(found) ** 2
        lags = 2.0 * step * fft.ifft(power)[:size].real
        return step, lags

    def beat_panels(self, bandwidths: tuple[float, ...]) -> Panels:
        """Return the density of the beats over frequency, and that behind low-passes, (2,) each."""
        assert self.spectrum is not None  # noqa: S101 - the caller looked
        step, _ = self._lags
        top = STOP * min(bandwidths)

        def density(frequency: FloatArray) -> FloatArray:
            plain = self.beat_density(frequency)
            return np.stack([plain, plain * np.abs(low_pass(frequency, bandwidths)) ** 2], axis=-1)

        return resolved(density, octaves(top, min(4 * step, top / 8)), most=1 << 12)

    def beat_variance(self, bandwidths: tuple[float, ...]) -> float:
        """Return the variance in A^2 of the beat of the emission with itself behind low-passes."""
        return 0.0 if self.spectrum is None else float(self.beat_panels(bandwidths).integral()[1])


def _apart(edges: FloatArray) -> FloatArray:
    """Return edges that rise, without those that lie on each other but for rounding."""
    edges = np.sort(edges)
    far = np.diff(edges, prepend=-np.inf) > 1e-9 * (edges[-1] - edges[0])
    return np.asarray(edges[far])


def _range(point: Any) -> tuple[float, float]:
    """Return the optical frequencies in Hz between which all is emitted that counts."""
    centre = np.mean([line.wl for line in point.lines] or [1.55])
    wide = centre * np.linspace(0.6, 1.8, 6001)
    density = np.max([emitter.density(wide) for emitter in point.emitters], axis=0)
    lit = wide[density > DARK * density.max()] if density.max() > 0.0 else wide[[2000, 2001]]
    return float(SPEED_OF_LIGHT_UM_S / lit[-1]), float(SPEED_OF_LIGHT_UM_S / lit[0])

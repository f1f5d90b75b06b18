"""The field of a laser of wide aperture in time: how it settles, and whether injected light locks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError
from photosim.media.wide_laser import WideLaser

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STABLE = 2.5
"""Largest step times the fastest rate of the grid that Runge and Kutta take: theory says 2.8."""
CHUNK = 50
"""Steps whose noise is drawn together."""


@public
@dataclass(frozen=True)
class WideState:
    """State of a wide laser: field in sqrt(photons)/um and carriers in 1/um^2, (side, side), finer grid."""

    field: NDArray[np.complex128]
    carriers: NDArray[np.float64]


@public
@dataclass(frozen=True, kw_only=True)
class WideLaserField:
    """A wide laser over time, on a grid `finer` times as fine as its own, by Runge and Kutta's method.

    Laplacians are fourth-order differences on a periodic grid. Light outside the aperture is absorbed,
    because nothing is pumped there.

    step: in s; by default the longest stable one.  spontaneous: photons per s from spontaneous emission into
    each transverse mode, divided by `differential_gain` N; 1 for full inversion, 0 for none.
    """

    laser: WideLaser
    finer: int = 2
    step: float | None = None
    spontaneous: float = 0.0

    def __post_init__(self) -> None:
        check_whole(self, 1, finer=self.finer)
        check_number(self, 0.0, spontaneous=self.spontaneous)
        if self.step is not None:
            check_number(self, 0.0, self.longest, above=True, step=self.step)

    @property
    def longest(self) -> float:
        """The longest stable step in s."""
        laser = self.laser
        grid = 32 / 3 * laser.diffraction / (laser.pitch / self.finer) ** 2
        loss = (1.0 + abs(laser.linewidth_enhancement)) * (
            1 / laser.photon_lifetime + laser.differential_gain * laser.transparency
        )
        return STABLE / (grid + loss)

    @property
    def dt(self) -> float:
        """The time step used, in s."""
        return self.longest if self.step is None else self.step

    def start(self) -> WideState:
        """Return the state without light, with the carriers that the current alone maintains."""
        pump = self.laser.pump(self.finer)
        field = np.zeros(pump.shape, dtype=np.complex128)
        return WideState(field, pump * self.laser.carrier_lifetime)

    def injected(self, waves: ArrayLike) -> NDArray[np.complex128]:
        """Return waves (cells,) in sqrt(W) a cell of the laser's grid on the finer one, interpolated."""
        n, finer = self.laser.side, self.finer
        given = np.asarray(waves, dtype=np.complex128)
        if given.shape != (n * n,):
            message = f"A laser of {n} x {n} cells takes waves ({n * n},), got {given.shape}."
            raise ParameterError(message)
        spectrum = np.fft.fftshift(np.fft.fft2(given.reshape(n, n)))
        wide = np.zeros((n * finer, n * finer), dtype=np.complex128)
        first = (n * finer - n + 1) // 2
        wide[first : first + n, first : first + n] = spectrum
        return np.asarray(np.fft.ifft2(np.fft.ifftshift(wide)) * finer**2)

    def run(
        self,
        waves: ArrayLike,
        duration: float,
        state: WideState | None = None,
        *,
        wl: float | None = None,
        rng: np.random.Generator | None = None,
    ) -> WideState:
        """Return the state after `duration` s of injected waves (cells,) in sqrt(W), from `state` on.

        wl: of the injected light in um.  rng: draws spontaneous emission; none without it.
        """
        from photosim.kernels.wide_laser import advance

        laser, state = self.laser, state or self.start()
        wl = laser.wl if wl is None else wl
        source = self._driven(waves, wl)
        held = np.stack([state.field.real, state.field.imag, state.carriers])
        pump, k = laser.pump(self.finer), laser.constants(wl, self.finer)
        steps = max(1, round(duration / self.dt))
        dt = duration / steps
        quiet = rng is None or self.spontaneous == 0.0
        while steps > 0:
            count = steps if quiet else min(CHUNK, steps)
            kicks = self._kicks(held[2], dt, 0 if quiet else count, rng)
            advance(held, source, pump, k, dt, kicks, count)
            steps -= count
        return WideState(held[0] + 1j * held[1], held[2])

    def _driven(self, waves: ArrayLike, wl: float) -> NDArray[np.float64]:
        """Return what injection adds to d/dt of Re E and Im E, on the finer grid."""
        laser = self.laser
        flat = laser.driven(np.ones((laser.side, laser.side)), wl).real.max()
        found = self.injected(waves) * (flat * laser.aperture(self.finer))
        return np.stack([found.real, found.imag])

    def _kicks(
        self, carriers: NDArray[np.float64], dt: float, count: int, rng: np.random.Generator | None
    ) -> NDArray[np.float64]:
        if rng is None or count == 0:
            return np.empty((0, 2, *carriers.shape))
        area = (self.laser.pitch / self.finer) ** 2
        rate = self.spontaneous * self.laser.differential_gain * np.maximum(carriers, 0.0) / area
        return np.asarray(rng.standard_normal((count, 2, *carriers.shape)) * np.sqrt(rate * dt / 2))

    def out(self, waves: ArrayLike, state: WideState, wl: float | None = None) -> NDArray[np.complex128]:
        """Return the waves out (cells,) in sqrt(W) a cell of the laser's grid in a state."""
        laser, n = self.laser, self.laser.side
        given = np.asarray(waves, dtype=np.complex128).reshape(n, n)
        own = state.field[:: self.finer, :: self.finer]
        return np.asarray(laser.out(own, given, laser.wl if wl is None else wl).ravel())

    def spectrum(
        self, waves: ArrayLike, *, settle: float, samples: int, spacing: float, **how: Any
    ) -> Spectrum:
        """Return the spectrum of what leaves the laser, `samples` states `spacing` s apart after `settle` s.

        how: the further arguments of `run`.
        """
        state = self.run(waves, settle, **how)
        fields = np.empty((samples, self.laser.side**2), dtype=np.complex128)
        for number in range(samples):
            state = self.run(waves, spacing, state, **how)
            fields[number] = self.out(waves, state, how.get("wl"))
        return Spectrum(fields, spacing)


@public
@dataclass(frozen=True)
class Spectrum:
    """Waves out (samples, cells) in sqrt(W), `spacing` s apart, in the frame of the injected line."""

    fields: NDArray[np.complex128]
    spacing: float

    def power(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return frequencies in Hz above the injected line, rising, and the power in W at each."""
        found = np.sum(np.abs(np.fft.fft(self.fields, axis=0) / len(self.fields)) ** 2, axis=1)
        beside = -np.fft.fftfreq(len(self.fields), self.spacing)  # light turns as exp(-i omega t)
        order = np.argsort(beside)
        return np.asarray(beside[order]), np.asarray(found[order])

    def off_line(self) -> float:
        """Return the fraction of the power that is not at the injected line."""
        total = np.mean(np.sum(np.abs(self.fields) ** 2, axis=1))
        line = np.sum(np.abs(np.mean(self.fields, axis=0)) ** 2)
        return float(1.0 - line / total)

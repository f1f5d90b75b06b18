"""Lasers of wide aperture that injected light locks: what they send out when they have settled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.conventions import ELEMENTARY_CHARGE_C, PLANCK_J_S, SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EDGE = 0.3
"""Width in um over which pump and mirror end at the aperture's rim."""
SIGMA, DAMPING = 1.6, 0.5
"""Shift of the settling steps over the photons' loss rate in amplitude, and how far carriers go in a step."""
BATCH = 32
"""Images settled together: they stay in the caches."""


@public
@dataclass(frozen=True, kw_only=True)
class WideLaser:
    """A vertical-cavity laser of wide aperture: field and carriers on a square grid, light injected on top.

    dE/dt = (1 - i alpha)/2 (G - 1/photon_lifetime) E - i w E + i D_f Lap E + sqrt(output/photon_lifetime) in
    dN/dt = J - N/carrier_lifetime - G |E|^2 + D Lap N,   G = differential_gain (N - transparency)

    with |E|^2 in photons/um^2 and N in carriers/um^2, in the frame of the injected light, which lies w above
    the line of an infinite aperture at threshold; D_f = c wl/(4 pi index^2) is diffraction in the mean-field
    limit, J the current's within the aperture. The wave out is sqrt(output/photon_lifetime) E - in, as of
    `rate_equation_laser` (lang1980, coldren2012), one mode along the axis. Left out: polarisation, heat, gain
    compression, current crowding at the rim.

    side: cells along a side.  pitch, diameter, wl in um.  current in A.  times in s.
    differential_gain in um^2/s.  transparency in 1/um^2.  diffusion in um^2/s.
    """

    side: int = 32
    pitch: float = 2.0
    diameter: float = 48.0
    wl: float = 0.92
    current: float = 0.04
    injection_efficiency: float = 0.8
    carrier_lifetime: float = 1e-9
    photon_lifetime: float = 1e-12
    differential_gain: float = 2e7
    transparency: float = 5e4
    linewidth_enhancement: float = 3.0
    index: float = 3.5
    diffusion: float = 1e9
    output: float = 0.7
    iterations: int = 24

    def __post_init__(self) -> None:
        check_whole(self, 4, side=self.side)
        check_whole(self, 1, iterations=self.iterations)
        check_number(
            self, 0.0, above=True, pitch=self.pitch, diameter=self.diameter, wl=self.wl, index=self.index,
            carrier_lifetime=self.carrier_lifetime, photon_lifetime=self.photon_lifetime,
            differential_gain=self.differential_gain,
        )  # fmt: skip
        check_number(
            self, 0.0, current=self.current, transparency=self.transparency, diffusion=self.diffusion
        )
        check_number(self, 0.0, 1.0, injection_efficiency=self.injection_efficiency)
        check_number(self, 0.0, 1.0, above=True, output=self.output)
        check_number(self, linewidth_enhancement=self.linewidth_enhancement)
        if self.diameter > self.side * self.pitch:
            message = (
                f"WideLaser: the aperture of {self.diameter:g} um does not fit into {self.side} cells of "
                f"{self.pitch:g} um."
            )
            raise ParameterError(message)

    @property
    def shape(self) -> tuple[int, int]:
        """As many waves out as in: one for each cell."""
        return self.side**2, self.side**2

    @property
    def threshold(self) -> float:
        """Carriers in 1/um^2 at which an infinite aperture begins to lase."""
        return self.transparency + 1.0 / (self.differential_gain * self.photon_lifetime)

    @property
    def threshold_current(self) -> float:
        """Current in A that keeps the carriers at threshold over the aperture."""
        area = np.pi * self.diameter**2 / 4
        made = self.carrier_lifetime * self.injection_efficiency
        return float(ELEMENTARY_CHARGE_C * self.threshold * area / made)

    @property
    def diffraction(self) -> float:
        """D_f in um^2/s."""
        return float(SPEED_OF_LIGHT_UM_S * self.wl / (4 * np.pi * self.index**2))

    def places(self, finer: int = 1) -> NDArray[np.float64]:
        """Return the distances in um of the cells from the axis, of a grid `finer` times as fine.

        Every `finer`-th cell along a side is one of the grid's own.
        """
        x = (np.arange(self.side * finer) / finer - self.side // 2) * self.pitch
        return np.hypot(x[:, np.newaxis], x)

    def aperture(self, finer: int = 1) -> NDArray[np.float64]:
        """Return 1 within the aperture and 0 outside, with a soft rim."""
        beyond = (self.places(finer) - self.diameter / 2) / EDGE
        return np.asarray(1 / (1 + np.exp(np.clip(beyond, -50.0, 50.0))))

    def pump(self, finer: int = 1) -> NDArray[np.float64]:
        """Return J in carriers/(s um^2), cell by cell."""
        lit = self.aperture(finer)
        per_area = np.pi * self.diameter**2 / 4
        rate = self.injection_efficiency * self.current / ELEMENTARY_CHARGE_C / per_area
        return np.asarray(rate * lit)

    def constants(self, wl: float, finer: int = 1) -> NDArray[np.float64]:
        """Return the constants of the kernel's steps for light injected at wl in um; rates in 1/s."""
        beside = SPEED_OF_LIGHT_UM_S * (1 / self.wl - 1 / wl)
        pitch = self.pitch / finer
        return np.array([
            self.carrier_lifetime, self.photon_lifetime, self.differential_gain, self.transparency,
            self.linewidth_enhancement, 2 * np.pi * beside, self.diffraction / pitch**2,
            self.diffusion / pitch**2,
        ])  # fmt: skip

    def driven(self, injected: NDArray[Any], wl: float) -> NDArray[np.complex128]:
        """Return the change of dE/dt by injected waves (..., side, side) in sqrt(W) per cell."""
        photons = np.sqrt(PLANCK_J_S * SPEED_OF_LIGHT_UM_S / wl) * self.pitch
        let_in = np.sqrt(self.output / self.photon_lifetime) * self.aperture()
        return np.asarray(injected * (let_in / photons))

    def out(
        self, field: NDArray[Any], injected: NDArray[Any], wl: float
    ) -> NDArray[np.complexfloating[Any, Any]]:
        """Return the emitted waves in sqrt(W) per cell for fields of the resonator, (..., side, side)."""
        photons = np.sqrt(PLANCK_J_S * SPEED_OF_LIGHT_UM_S / wl) * self.pitch
        return np.asarray(field * (photons * np.sqrt(self.output / self.photon_lifetime)) - injected)

    @cached_property
    def waves(self) -> NDArray[np.float64]:
        """D_f q^2 in 1/s for every transverse wave of the grid, (side, side), as an FFT orders them."""
        q = 2 * np.pi * np.fft.fftfreq(self.side, self.pitch)
        return np.asarray(self.diffraction * (q[:, np.newaxis] ** 2 + q**2))

    def settle(self, injected: ArrayLike, wl: float | None = None) -> NDArray[np.complex64]:
        """Return the emitted waves (batch, cells) in sqrt(W) in the steady state under injected waves.

        wl: of the injected light in um, by default that of the laser. The steady state of both equations is
        found by an iteration that acts in turn on cells and on transverse waves (peaceman1955). It does not
        show whether the laser locks to the injected light, because it does not follow time; `WideLaserField`
        does.
        """
        given = np.asarray(injected)
        if given.ndim != 2 or given.shape[1] != self.side**2:
            message = (
                f"A laser of {self.side} x {self.side} cells takes waves (batch, {self.side**2}), "
                f"got {given.shape}."
            )
            raise ParameterError(message)
        wl = self.wl if wl is None else wl
        out = np.empty(given.shape, dtype=np.complex64)
        for start in range(0, len(given), BATCH):
            part = given[start : start + BATCH].reshape(-1, self.side, self.side)
            field = self._settled(self.driven(part, wl), wl)
            out[start : start + BATCH] = self.out(field, part, wl).reshape(len(part), -1)
        return out

    def _settled(self, driven: NDArray[np.complex128], wl: float) -> NDArray[np.complex64]:
        """Return the settled fields of the resonator, in the roots of photons/um^2, (batch, side, side)."""
        from scipy import fft

        from photosim.kernels.wide_laser import relax

        rate = 0.5 / self.photon_lifetime  # times in units of its inverse, so that all is near 1
        scale = np.array([rate, rate, 1 / rate, 1.0, 1.0, 1 / rate, 1 / rate, 1 / rate])
        k = (self.constants(wl) * scale).astype(np.float32)
        pump = (self.pump() / rate).astype(np.float32)
        source = (driven / rate).astype(np.complex64)
        turn = (1j * self.waves / rate).astype(np.complex64)
        step = ((SIGMA - turn) / (SIGMA + turn)).astype(np.complex64)
        right, field = np.zeros_like(source), np.zeros_like(source)
        carriers = np.full(source.shape, self.transparency, dtype=np.float32)
        for _ in range(self.iterations):
            relax(right, source, pump, k, SIGMA, DAMPING, carriers, field)
            right = fft.ifft2(fft.fft2(right, overwrite_x=True) * step, overwrite_x=True)
        return np.asarray(field)

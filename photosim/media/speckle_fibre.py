"""A multimode fibre between micro-mirrors and a plane that its speckle lights: grains of one size."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError
from photosim.media.gaussian import DenseMedium
from photosim.media.medium import MATRIX, check_size, precision, require_room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.media.medium import ComplexArray

THERMO_OPTIC, EXPANSION = 8.6e-6, 0.55e-6
"""Of fused silica near room temperature, 1/K: change of its index, and of its length over itself."""


@public
@dataclass(frozen=True, eq=False)
class SpeckleFibre(DenseMedium):
    """A multimode fibre whose end is imaged on a square plane: transmission from mirrors to cells.

    T = F exp(i phi) G. G excites every mode from every mirror with an independent circular Gaussian amplitude
    (popoff2010). F has the field of each mode in the plane: the transverse waves with q <= pi/speckle that
    fit into it, so that a grain has the area speckle^2 4/pi (goodman2007). phi is the phase from the delay of
    a mode: -phi_max (q/q_max)^2 times the relative change of the optical path, phi_max = k L NA^2/(2 n)
    (saleh2019). Left out: different losses of the modes, polarisation, the round rim of the core.

    side: cells along a side.  pitch, speckle, length, wl: in um.  transmission: mean power from a mirror to
    all cells together.  warmer: temperature in K above that at which G was drawn.
    """

    inputs: int
    side: int = 32
    pitch: float = 2.0
    speckle: float = 2.5
    transmission: float = 0.1
    length: float = 1e6
    aperture: float = 0.22
    index: float = 1.46
    wl: float = 0.92
    drawn_at: float = 0.92
    warmer: float = 0.0
    seed: int = 0
    dtype: np.dtype[Any] = field(default_factory=lambda: precision("complex64"))

    def __post_init__(self) -> None:
        check_size(self.side, self.inputs)
        check_whole(self, 0, seed=self.seed)
        check_number(self, 0.0, above=True, pitch=self.pitch, speckle=self.speckle, wl=self.wl)
        check_number(self, 0.0, above=True, index=self.index, drawn_at=self.drawn_at)
        check_number(self, 0.0, length=self.length)
        check_number(self, 0.0, 1.0, transmission=self.transmission)
        check_number(self, 0.0, self.index, above=True, aperture=self.aperture)
        check_number(self, warmer=self.warmer)
        object.__setattr__(self, "dtype", precision(self.dtype))
        if self.speckle < self.pitch:
            message = (
                f"SpeckleFibre: grains of {self.speckle:g} um are not seen on a grid of {self.pitch:g} um; "
                "make the pitch as small as the grains, or smaller."
            )
            raise ParameterError(message)
        most = 1 / (1 + np.sqrt(self.inputs / self.modes.size)) ** 2
        if self.transmission > most:
            message = (
                f"SpeckleFibre: a transmission of {self.transmission:g} from {self.inputs} mirrors into "
                f"{self.modes.size} modes creates power; the Marchenko-Pastur law allows {most:.3g} at most."
            )
            raise ParameterError(message)

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Number of cells and of mirrors."""
        return self.side**2, self.inputs

    @cached_property
    def _radii(self) -> NDArray[np.float64]:
        """(q/q_max)^2 of every transverse wave of the plane, (side^2,), as an FFT orders them."""
        q = 2 * np.pi * np.fft.fftfreq(self.side, self.pitch)
        return np.asarray((q[:, np.newaxis] ** 2 + q**2).ravel() * (self.speckle / np.pi) ** 2)

    @cached_property
    def modes(self) -> NDArray[np.int64]:
        """Numbers of the transverse waves that are modes of the fibre."""
        return np.flatnonzero(self._radii <= 1.0)

    @property
    def phases(self) -> NDArray[np.float64]:
        """Phase in rad of every mode relative to when the fibre was drawn."""
        longer = (EXPANSION + THERMO_OPTIC / self.index) * self.warmer + self.drawn_at / self.wl - 1.0
        largest = np.pi / self.drawn_at * self.length * self.aperture**2 / self.index
        return np.asarray(-largest * longer * self._radii[self.modes])

    @cached_property
    def columns(self) -> ComplexArray:
        """The transposed matrix (mirrors, cells)."""
        require_room(self.shape, 3 * self.dtype.itemsize, MATRIX, "take fewer mirrors or cells")
        rng = np.random.default_rng(self.seed)
        drawn = rng.standard_normal((self.inputs, 2 * self.modes.size), dtype=np.float32).view(np.complex64)
        drawn = drawn * np.exp(1j * self.phases) * np.sqrt(self.transmission / (2 * self.modes.size))
        waves = np.zeros((self.inputs, self.side**2), dtype=self.dtype)
        waves[:, self.modes] = drawn
        plane = np.fft.ifft2(waves.reshape(-1, self.side, self.side), norm="ortho")
        return np.ascontiguousarray(plane.reshape(self.inputs, -1), dtype=self.dtype)

    def at_wavelength(self, wl: float) -> SpeckleFibre:
        """Return the same fibre for light of wl in um."""
        return replace(self, wl=wl)

    def at_temperature(self, warmer: float) -> SpeckleFibre:
        """Return the same fibre at a temperature higher by `warmer` K."""
        return replace(self, warmer=warmer)

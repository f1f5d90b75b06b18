"""Lossless disorder seen whole: a waveguide whose channels are all controlled, and a fibre of many modes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole, is_number
from photosim.errors import ParameterError
from photosim.media.gaussian import DenseMedium
from photosim.media.medium import MATRIX, check_size, precision, require_room
from photosim.media.unitaries import haar
from photosim.memory import say_time
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.media.medium import ComplexArray

WAVEGUIDE_BYTES, FIBRE_BYTES = 96, 80
"""What the unitary matrices of a medium take at the most while they are made, for each of its entries.

With numpy 2.5, whose QR holds one matrix more than before.
"""
WAVEGUIDE_SECONDS, FIBRE_SECONDS = 2.6e-9, 1.9e-9
"""What it takes to make them on one core, over the third power of the channels; 2000 took 20.6 and 14.7 s."""
_FEWER = "take fewer channels"


@public
@dataclass(frozen=True, eq=False)
class WaveguideMedium(DenseMedium):
    """Transmission matrix of all channels of a lossless disordered waveguide.

    T = U diag(sqrt(tau)) V with U and V uniform over the unitary matrices and the bimodal eigenvalues of
    beenakker1997, tau = 1/cosh(u)**2, u even over [0, s], s = thickness over mean free path: some channels
    are open and most closed, with the mean tanh(s)/s. `BusSlice` of it is what an instrument of limited
    aperture sees (goetschy2013): between this law and that of Marchenko and Pastur. Left out: reflected
    light, absorption, wavelength; N**3 work to make it, 8 N**2 bytes to keep it.
    """

    channels: int
    thickness: float = 5.0
    seed: int = 0
    dtype: np.dtype[Any] = field(default_factory=lambda: precision("complex64"))

    def __post_init__(self) -> None:
        check_size(self.channels, self.channels)
        check_whole(self, 0, seed=self.seed)
        check_number(self, 0.0, above=True, thickness=self.thickness)
        object.__setattr__(self, "dtype", precision(self.dtype))

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """As many outputs as inputs."""
        return self.channels, self.channels

    @cached_property
    def columns(self) -> ComplexArray:
        """The transposed matrix (inputs, outputs)."""
        require_room(self.shape, WAVEGUIDE_BYTES, MATRIX, _FEWER)
        _say_time(WAVEGUIDE_SECONDS, self.channels)
        rng = np.random.default_rng(self.seed)
        left, right = haar(self.channels, rng), haar(self.channels, rng)
        t = (left * np.sqrt(open_channels(self.channels, self.thickness))) @ right
        return np.ascontiguousarray(t.T, dtype=self.dtype)


@public
@dataclass(frozen=True, eq=False)
class FibreMedium(DenseMedium):
    """Multimode fibre: fixed modes, each with a phase of its own, between a speckle basis at both ends.

    T = U exp(i beta L) U^H, U uniform over the unitary matrices, beta = k sqrt(n**2 - NA**2 q/M) for mode q
    of M, the law of a step-index fibre with many modes (saleh2019): unitary, and with a spectral width of
    about c over the spread of optical paths, L NA**2/(2 n). Left out: coupling of modes, loss, polarisation,
    the shapes of modes.

    length and wl in um.
    """

    modes: int
    length: float = 1e6
    aperture: float = 0.22
    index: float = 1.46
    wl: float = 0.633
    seed: int = 0
    dtype: np.dtype[Any] = field(default_factory=lambda: precision("complex64"))

    def __post_init__(self) -> None:
        check_size(self.modes, self.modes)
        check_whole(self, 0, seed=self.seed)
        check_number(self, 0.0, length=self.length)
        check_number(self, 0.0, above=True, index=self.index, wl=self.wl)
        object.__setattr__(self, "dtype", precision(self.dtype))
        if not (is_number(self.aperture) and 0 < self.aperture < self.index):
            message = (
                f"The numerical aperture of a fibre is above 0 and below its index {self.index:g}, "
                f"got {shown(self.aperture)}."
            )
            raise ParameterError(message)

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """As many outputs as modes."""
        return self.modes, self.modes

    def at_wavelength(self, wl: float) -> FibreMedium:
        """Return the fibre for another wavelength in um: the same modes with other phases."""
        return replace(self, wl=wl)

    @cached_property
    def columns(self) -> ComplexArray:
        """The transposed matrix (inputs, outputs)."""
        require_room(self.shape, FIBRE_BYTES, MATRIX, _FEWER)
        _say_time(FIBRE_SECONDS, self.modes)
        basis = haar(self.modes, np.random.default_rng(self.seed))
        order = (np.arange(self.modes) + 0.5) / self.modes
        beta = 2 * np.pi / self.wl * np.sqrt(self.index**2 - self.aperture**2 * order)
        t = (basis * np.exp(1j * beta * self.length)) @ basis.conj().T
        return np.ascontiguousarray(t.T, dtype=self.dtype)


@public
def open_channels(count: int, thickness: float) -> NDArray[np.float64]:
    """Return `count` transmission eigenvalues of a lossless waveguide, largest first."""
    if not (is_number(thickness) and thickness > 0):
        message = f"The thickness over the mean free path is a positive number, got {shown(thickness)}."
        raise ParameterError(message)
    return 1 / np.cosh((np.arange(count) + 0.5) / count * thickness) ** 2


@public
def _say_time(each: float, channels: int) -> None:
    """Warn where the matrix of so many channels takes long to make."""
    what = f"{MATRIX} of {channels:,} x {channels:,} entries"
    say_time(each * float(channels) ** 3, what, f"{_FEWER} for less")

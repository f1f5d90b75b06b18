"""Wave optics: random phase screens, free propagation between them, and lenses, all by Fourier transforms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_choice, check_number, check_whole
from photosim.errors import ParameterError
from photosim.media.medium import ALL, COPY, LESS, Medium, Selection, fields, numbers, require_room
from photosim.media.waveguide import open_channels
from photosim.memory import require_memory

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.media.medium import ComplexArray

Law = Literal["lossless", "gaussian", "waveguide"]
"""Which law the singular values of the screens follow."""


class _Planes(Medium):
    """What media have in common that act on square planes of pixels and are never formed as a matrix."""

    side: int

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """As many pixels behind as before."""
        return self.side**2, self.side**2

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """Single precision."""
        return np.dtype("complex64")

    def _forward(self, plane: ComplexArray) -> ComplexArray:
        """Return the plane behind, for (batch, side, side), which may be overwritten."""
        raise NotImplementedError

    def _back(self, plane: ComplexArray) -> ComplexArray:
        """Return the adjoint of `_forward`."""
        raise NotImplementedError

    def project(self, x: ArrayLike) -> ComplexArray:
        """Return T x for fields (batch, pixels), a row of pixels after the other."""
        return self._sent(x, self._forward)

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return conj(T).T y: the way back through the conjugate of everything."""
        return self._sent(y, self._back)

    def _sent(self, x: ArrayLike, way: Any) -> ComplexArray:
        batch, vector = fields(x, self.side**2, self.dtype, self.side**2)
        out = np.empty(batch.shape, dtype=self.dtype)
        for row, plane in zip(out, batch, strict=True):  # one plane at a time stays in the caches
            row[:] = way(plane.astype(self.dtype).reshape(self.side, self.side)).ravel()
        return out[0] if vector else out

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return a part of the matrix, by a transform for each row or column, whichever are fewer."""
        row, column = (numbers(s, self.side**2, w) for s, w in ((rows, "rows"), (columns, "columns")))
        require_room((row.size, column.size), 2 * self.dtype.itemsize, COPY, LESS)  # in pieces, and joined
        if row.size < column.size:
            return np.stack([self.adjoint(_unit(k, self.side**2)).conj()[column] for k in row])
        return np.stack([self.project(_unit(k, self.side**2))[row] for k in column], axis=1)


@public
@dataclass(frozen=True, eq=False)
class LensMedium(_Planes):
    """A lens: a unitary Fourier transform from its front to its back focal plane, centre to centre.

    Left out: aberrations, the aperture, the pitch in the back focal plane (wl f over the width of the front
    one).
    """

    side: int
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(self, 1, side=self.side)
        check_whole(self, 0, seed=self.seed)

    def _forward(self, plane: ComplexArray) -> ComplexArray:
        from scipy import fft

        moved = fft.fft2(fft.ifftshift(plane), norm="ortho", overwrite_x=True)
        return np.asarray(fft.fftshift(moved))

    def _back(self, plane: ComplexArray) -> ComplexArray:
        from scipy import fft

        moved = fft.ifft2(fft.ifftshift(plane), norm="ortho", overwrite_x=True)
        return np.asarray(fft.fftshift(moved))


@public
@dataclass(frozen=True, eq=False)
class ScreensMedium(_Planes):
    """Thin random phase screens with free propagation between them, seen in the focal plane of a lens.

    A screen delays each pixel by a random path up to `depth`. Between screens the angular spectrum of the
    field is multiplied by exp(i kz distance) (goodman2007); evanescent waves decay. Work and memory grow as N
    log N and N with the number of pixels N. Each pair of screens `distance` apart has the memory effect of
    that thickness. The plane is periodic: light that leaves it on one side enters on the other.

    law "lossless": a product of unitary steps, all singular values 1. No opaque medium has these; a small
    section of an opaque medium has nearly the same statistics. "gaussian" and "waveguide" filter the first
    propagation, so that the squared singular values follow the law of an N x N Gaussian matrix (mean
    `transmission`), or the bimodal law of a waveguide of `thickness` mean free paths. This is exact for
    pitches above 0.71 wavelengths, where no wave is evanescent. Left out: reflections, polarisation, and
    correlations that a volume of scatterers does not have but few screens do.

    side: pixels along a side.  pitch, distance, wl, depth: in um.
    """

    side: int
    pitch: float = 1.0
    distance: float = 4000.0
    screens: int = 2
    depth: float = 0.633
    wl: float = 0.633
    law: Law = "lossless"
    transmission: float = 0.1
    thickness: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(self, 1, side=self.side)
        check_whole(self, 0, seed=self.seed)
        check_number(self, 0.0, above=True, pitch=self.pitch, wl=self.wl, thickness=self.thickness)
        check_number(self, 0.0, distance=self.distance, depth=self.depth)
        check_number(self, 0.0, 1.0, transmission=self.transmission)
        check_choice(self, get_args(Law), law=self.law)
        check_whole(self, 1, screens=self.screens)
        if self.law != "lossless" and self.screens < 2:
            message = (
                f"The law {self.law!r} needs 2 screens or more, got {self.screens}: it is set between them."
            )
            raise ParameterError(message)

    def at_wavelength(self, wl: float) -> ScreensMedium:
        """Return the same screens for another wavelength in um."""
        return replace(self, wl=wl)

    @cached_property
    def phases(self) -> tuple[NDArray[np.complex64], ...]:
        """Complex factors of each screen, (side, side)."""
        what = f"{self.screens:,} screens of {self.side:,} x {self.side:,} pixels"
        require_memory(8.0 * (self.screens + 4) * self.side**2, what, "take fewer screens or pixels")
        rng = np.random.default_rng([self.seed, 1])
        turn = np.float32(2 * np.pi * self.depth / self.wl)
        shape = (self.side, self.side)
        return tuple(
            np.exp(1j * turn * rng.random(shape, dtype=np.float32)).astype(np.complex64)
            for _ in range(self.screens)
        )

    @cached_property
    def steps(self) -> tuple[NDArray[np.complex64], ...]:
        """Factors of the angular spectrum for each propagation, (side, side)."""
        f = np.fft.fftfreq(self.side, self.pitch)
        kz = 2 * np.pi * np.sqrt((1 / self.wl**2 - f[:, np.newaxis] ** 2 - f**2).astype(np.complex128))
        free = np.exp(1j * kz * self.distance).astype(np.complex64)
        if self.law == "lossless" or self.screens < 2:
            return (free,) * (self.screens - 1)
        values = singular_values(self.law, self.side**2, self.transmission, self.thickness)
        mixed = np.random.default_rng([self.seed, 2]).permutation(values).reshape(free.shape)
        return (free * mixed.astype(np.float32), *(free,) * (self.screens - 2))

    def _forward(self, plane: ComplexArray) -> ComplexArray:
        from scipy import fft

        plane *= self.phases[0]
        for step, phases in zip(self.steps, self.phases[1:], strict=True):
            spectrum = fft.fft2(plane, overwrite_x=True)
            spectrum *= step
            plane = fft.ifft2(spectrum, overwrite_x=True)
            plane *= phases
        return np.asarray(fft.fft2(plane, norm="ortho", overwrite_x=True))

    def _back(self, plane: ComplexArray) -> ComplexArray:
        from scipy import fft

        plane = fft.ifft2(plane, norm="ortho", overwrite_x=True)
        for step, phases in zip(self.steps[::-1], self.phases[:0:-1], strict=True):
            plane *= phases.conj()
            spectrum = fft.fft2(plane, overwrite_x=True)
            spectrum *= step.conj()
            plane = fft.ifft2(spectrum, overwrite_x=True)
        plane *= self.phases[0].conj()
        return np.asarray(plane)


@public
def singular_values(law: Law, count: int, transmission: float, thickness: float) -> NDArray[np.float64]:
    """Return `count` singular values, one in the middle of each slice of equal probability of their law.

    law: "gaussian", the quarter circle of a square Gaussian matrix with mean square `transmission`, at most
    1/4, where the largest value is 1; "waveguide", sqrt(tau) of `open_channels`; "lossless", ones.
    """
    if law == "lossless":
        return np.ones(count)
    if law == "waveguide":
        return np.sqrt(open_channels(count, thickness))
    if transmission > 0.25:
        message = (
            f"transmission {transmission:g} creates power: a square Gaussian matrix allows at most 0.25."
        )
        raise ParameterError(message)
    # The chance of a value below 2 sin(a) is (2 a + sin(2 a))/pi: inverted on a fine grid.
    a = np.linspace(0.0, np.pi / 2, 4097)
    middle = (np.arange(count) + 0.5) / count
    values = 2 * np.sin(np.interp(middle, (2 * a + np.sin(2 * a)) / np.pi, a))
    return np.asarray(values * np.sqrt(transmission))


def _unit(place: int, size: int) -> NDArray[np.float32]:
    out = np.zeros(size, dtype=np.float32)
    out[place] = 1.0
    return out

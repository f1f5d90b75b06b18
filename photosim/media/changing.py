"""Media that change: with the angle and the wavelength of the light, and with time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.media.gaussian import DenseMedium, StoredMedium
from photosim.media.medium import ALL, Medium, Selection, check_media

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.media.medium import ComplexArray


@public
@dataclass(frozen=True, eq=False)
class Mixture(Medium):
    """A weighted sum of media of the same size; the weights are complex."""

    weights: NDArray[np.complex128]
    media: tuple[Medium, ...]

    def __post_init__(self) -> None:
        for medium in self.media:
            check_media(self, media=medium)
        shapes = {medium.shape for medium in self.media}
        if np.shape(self.weights) != (len(self.media),) or len(shapes) != 1:
            message = "A mixture adds media of one size, with one weight each."
            raise ParameterError(message)
        object.__setattr__(self, "weights", np.asarray(self.weights))

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Number of outputs and inputs, the same for all of the media."""
        return self.media[0].shape

    @property
    def seed(self) -> int:  # type: ignore[override]
        """Seed of the first."""
        return self.media[0].seed

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """Precision of the first."""
        return self.media[0].dtype

    def at_wavelength(self, wl: float) -> Mixture:
        """Return the sum of all of them at that wavelength in um, with the same weights."""
        return Mixture(self.weights, tuple(medium.at_wavelength(wl) for medium in self.media))

    def project(self, x: ArrayLike) -> ComplexArray:
        """Return the weighted sum of the fields (batch, outputs) behind all media."""
        return self._sum(lambda medium: medium.project(x), self.weights)

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return conj(T).T y of the sum, (batch, inputs), for fields y (batch, outputs)."""
        return self._sum(lambda medium: medium.adjoint(y), self.weights.conj())

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return some rows and columns of the sum."""
        return self._sum(lambda medium: medium.block(rows, columns), self.weights)

    def _sum(self, part: Callable[[Medium], ComplexArray], weights: NDArray[np.complex128]) -> ComplexArray:
        total: ComplexArray = part(self.media[0]) * self.dtype.type(weights[0])
        for weight, medium in zip(weights[1:], self.media[1:], strict=True):
            total += part(medium) * self.dtype.type(weight)
        return total


@public
@dataclass(frozen=True, eq=False)
class TiltedSlab(Mixture):
    """The media of a `SlabMedium` with the phases of their paths for light tilted by `tilt` rad."""

    slab: SlabMedium
    tilt: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number(self, tilt=self.tilt)

    def at_wavelength(self, wl: float) -> TiltedSlab:
        """Return the slab for light of another wavelength in um: detuned, at the same tilt."""
        detuning = SPEED_OF_LIGHT_UM_S * (1 / wl - 1 / self.slab.wl)
        return self.slab.sent(self.tilt, detuning, tuple(m.at_wavelength(wl) for m in self.media))


@public
@dataclass(frozen=True, eq=False)
class SlabMedium:
    """A diffusive slab: a sum of independent media, one for each range of path delays and lateral shifts.

    Light on paths of delay t gets the phase omega t. On paths that leave the slab at a lateral distance r
    from their entry it gets the phase q r, where q = k theta for a tilt theta. Both distributions are divided
    into slices of equal weight. Each slice has the delay and distance of a random place within it, the
    outermost ones of their middle. The correlation of the fields at two settings is then that of diffusion
    theory (feng1988, rotter2017), with 32 slices within some 0.02:

        tilt      q L/sinh(q L); that of the intensity falls to half at q L = 1.4914
        detuning  z/sinh(z), z = sqrt(-i omega L**2/D): to half at omega L**2/D = 9.181; D = v l/3

    Delays and distances are paired at random. Far apart, the intensity correlation of one medium does not
    fall below chance: it is exponentially distributed with mean `floor`, 1/slices. Left out: the shift of the
    whole speckle with the tilt, and correlations of the speckle beyond those of the field (C2, C3).

    make: function that returns the medium of a seed.  thickness, free_path, wl: thickness, transport mean
    free path l and wavelength, in um.
    """

    make: Callable[[int], Medium]
    thickness: float = 20.0
    free_path: float = 1.0
    index: float = 1.3
    wl: float = 0.532
    slices: int = 32
    seed: int = 0
    media: tuple[Medium, ...] = field(init=False)

    def __post_init__(self) -> None:
        check_whole(self, 1, slices=self.slices)
        check_whole(self, 0, seed=self.seed)
        check_number(self, 0.0, above=True, thickness=self.thickness, free_path=self.free_path)
        check_number(self, 0.0, above=True, index=self.index, wl=self.wl)
        first = self.seed * self.slices
        object.__setattr__(self, "media", tuple(self.make(first + k) for k in range(self.slices)))
        for medium in self.media:
            check_media(self, make=medium)

    @property
    def diffusion(self) -> float:
        """Diffusion constant of light D = v l/3 in um**2/s."""
        return SPEED_OF_LIGHT_UM_S / self.index * self.free_path / 3

    @property
    def floor(self) -> float:
        """Mean intensity correlation of two settings far apart; for a real slab it is 0."""
        return 1 / self.slices

    @cached_property
    def delays(self) -> NDArray[np.float64]:
        """Delay of each slice of paths in s.

        The probability of a delay below t is 1 + 2 sum_n (-1)**n exp(-(n pi)**2 t D/L**2), Kolmogorov's
        distribution of sqrt(t).
        """
        from scipy.special import kolmogi

        below = self._places(1)
        return np.asarray(2 * kolmogi(1 - below) ** 2 / np.pi**2 * self.thickness**2 / self.diffusion)

    @cached_property
    def reaches(self) -> NDArray[np.float64]:
        """Lateral distance in um between entry and exit of each slice of paths, along the tilt."""
        reach = 2 / np.pi * np.arctanh(2 * self._places(2) - 1) * self.thickness
        return np.random.default_rng([self.seed, self.slices]).permutation(reach)

    def at(self, *, tilt: float = 0.0, detuning: float = 0.0) -> TiltedSlab:
        """Return the medium for light tilted by `tilt` rad and of a frequency `detuning` Hz higher."""
        check_number("SlabMedium.at", tilt=tilt, detuning=detuning)
        return self.sent(tilt, detuning, self.media)

    def sent(self, tilt: float, detuning: float, media: tuple[Medium, ...]) -> TiltedSlab:
        """Return the sum of these media, one for each slice, with the phases of their paths."""
        cycles = 1 / self.wl + detuning / SPEED_OF_LIGHT_UM_S
        phase = 2 * np.pi * (detuning * self.delays + tilt * cycles * self.reaches)
        return TiltedSlab(np.exp(1j * phase) / np.sqrt(self.slices), media, self, tilt)

    def _places(self, which: int) -> NDArray[np.float64]:
        """Return a random place in each of `slices` equal parts of 0 to 1, in the outermost the middle.

        Even places would make delays and reaches nearly even too, and the fields alike again far out. The
        outermost parts are long tails, in which a random place would be most of the error near the centre.
        """
        drawn = np.random.default_rng([self.seed, self.slices, which]).random(self.slices)
        drawn[[0, -1]] = 0.5
        return (np.arange(self.slices) + drawn) / self.slices


@public
def drifted(medium: Medium, fresh: Medium, *, frames: float, persistence: float) -> Medium:
    """Return a medium some frames later: rho T + sqrt(1 - rho**2) W, rho = exp(-frames/persistence).

    W, `fresh`, is a new medium with the same statistics as T, `medium`. Repeated calls make an autoregressive
    process: fields n frames apart have the correlation exp(-n/persistence), and the statistics of T do not
    change. Stored media stay one matrix. Other media, and those that depend on wavelength, grow by one medium
    with each call. Left out: a faster drift at first, as while a set-up warms up.

    frames: number of frames.  persistence: in frames.
    """
    if not (frames >= 0 and persistence > 0):
        message = f"A drift takes 0 frames or more and a positive persistence, got {frames}, {persistence}."
        raise ParameterError(message)
    rho = float(np.exp(-frames / persistence))
    rest = float(np.sqrt(1 - rho**2))
    if isinstance(medium, DenseMedium) and not (_dispersive(medium) or _dispersive(fresh)):
        return StoredMedium.of(medium.block() * np.float32(rho) + fresh.block() * np.float32(rest))
    if type(medium) is Mixture:
        return Mixture(np.append(medium.weights * rho, rest), (*medium.media, fresh))
    return Mixture(np.array([rho, rest], dtype=np.complex128), (medium, fresh))


def _dispersive(medium: Medium) -> bool:
    """Return whether a medium may be another one at another wavelength."""
    return type(medium).at_wavelength is not Medium.at_wavelength

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
    """A sum of media of one size, each with a complex weight."""

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
        """That of all of them."""
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
        """Return the weighted sum of what all of them project."""
        return self._sum(lambda medium: medium.project(x), self.weights)

    def adjoint(self, y: ArrayLike) -> ComplexArray:
        """Return the adjoint of the sum."""
        return self._sum(lambda medium: medium.adjoint(y), self.weights.conj())

    def block(self, rows: Selection = ALL, columns: Selection = ALL) -> ComplexArray:
        """Return a part of the sum."""
        return self._sum(lambda medium: medium.block(rows, columns), self.weights)

    def _sum(self, part: Callable[[Medium], ComplexArray], weights: NDArray[np.complex128]) -> ComplexArray:
        total: ComplexArray = part(self.media[0]) * self.dtype.type(weights[0])
        for weight, medium in zip(weights[1:], self.media[1:], strict=True):
            total += part(medium) * self.dtype.type(weight)
        return total


@public
@dataclass(frozen=True, eq=False)
class TiltedSlab(Mixture):
    """A slab's media with the phases of its paths for light tilted by `tilt` rad; see `SlabMedium`."""

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
    """A diffusive slab: independent media, one for each slice of its paths, which differ in length and reach.

    Light on paths of delay t gains the phase omega t, and on paths that come out a distance r beside their
    entry the phase q r as the light is tilted by q = k theta. Both distributions are cut into slices of equal
    weight; each stands at a random place within, the outermost ones in their middle. The fields at two
    settings then correlate as diffusion theory says (feng1988, rotter2017), with 32 slices to some 0.02:

        tilt      q L/sinh(q L), so that the intensity's falls to half at q L = 1.4914
        detuning  z/sinh(z), z = sqrt(-i omega L**2/D): to half at omega L**2/D = 9.181; D = v l/3

    Delays and distances are paired at random. Far out, where these fall below it, the intensity's correlation
    of one medium is chance, exponentially spread round `floor`, 1/slices. Left out: the shift of the speckle
    as a whole by the tilt, its correlations beyond the field's (C2, C3).

    make: medium of a seed.  thickness, free_path (transport mean free path l), wl in um.
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
        """Mean correlation of intensities however far apart two settings are; a real slab's falls to 0."""
        return 1 / self.slices

    @cached_property
    def delays(self) -> NDArray[np.float64]:
        """Delay of each slice of paths in s.

        Their chance of staying below t is 1 + 2 sum_n (-1)**n exp(-(n pi)**2 t D/L**2), Kolmogorov's law
        of sqrt(t).
        """
        from scipy.special import kolmogi

        below = self._places(1)
        return np.asarray(2 * kolmogi(1 - below) ** 2 / np.pi**2 * self.thickness**2 / self.diffusion)

    @cached_property
    def reaches(self) -> NDArray[np.float64]:
        """Distance between entry and exit of each slice of paths, along the tilt, in um."""
        reach = 2 / np.pi * np.arctanh(2 * self._places(2) - 1) * self.thickness
        return np.random.default_rng([self.seed, self.slices]).permutation(reach)

    def at(self, *, tilt: float = 0.0, detuning: float = 0.0) -> TiltedSlab:
        """Return the medium for light tilted by `tilt` rad and of a frequency `detuning` Hz higher."""
        check_number("SlabMedium.at", tilt=tilt, detuning=detuning)
        return self.sent(tilt, detuning, self.media)

    def sent(self, tilt: float, detuning: float, media: tuple[Medium, ...]) -> TiltedSlab:
        """Return the sum of these media, one a slice, with the phases of their paths."""
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

    Repeated with a new `fresh` medium W of the same law each time, it is an autoregressive walk: fields
    n frames apart correlate as exp(-n/persistence), and the law of T stays. Stored media stay one
    matrix; others, and those that depend on wavelength, grow by one medium a step. Left out: what drifts
    faster at first, as a device warms up.
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

"""Cameras: light to electrons to grey levels, with all that is lost on the way counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.bounds import check_number, check_whole
from photosim.conventions import PLANCK_J_S, SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.memory import require_memory

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

NORMAL_ABOVE = 50.0
"""Mean count above which a Poisson law is drawn as a rounded normal one: a skewness of 0.14 is lost."""
FRAME_BYTES = 45.0
"""Memory of a pixel while a frame is read: its power, mean, chance, reading and marks of what is wrong."""


@public
@dataclass(frozen=True)
class Frame:
    """Readings of a camera for one exposure of a batch.

    electrons: photo-electrons (batch, pixels), each in the middle of its grey level.  saturated: number of
    readings at the end of the well or of the converter, which are lower limits.  dark: number of readings
    that noise took below zero, which are given as zero.
    """

    electrons: NDArray[Any]
    saturated: int
    dark: int

    def __post_init__(self) -> None:
        check_whole(self, 0, saturated=self.saturated, dark=self.dark)


@public
@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera of independent pixels, each as large as a speckle grain.

    The number of electrons is Poisson distributed with mean efficiency P t / (h nu) + dark_rate t. Normal
    read noise is added, the full well limits the sum, and the converter gives floor(electrons / level), with
    2**bits levels over the full well.

    exposure: in s.  dark_rate: in electrons/s.  read_noise: rms in electrons.  full_well: in electrons.
    bits: of the converter, 0 for no converter.  shot: whether there is shot noise.
    """

    pixels: int
    efficiency: float = 0.6
    exposure: float = 400e-6
    dark_rate: float = 100.0
    read_noise: float = 2.0
    full_well: float = 10_000.0
    bits: int = 8
    shot: bool = True

    def __post_init__(self) -> None:
        check_whole(self, 1, pixels=self.pixels)
        check_whole(self, 0, 16, bits=self.bits)
        check_number(self, 0.0, 1.0, above=True, efficiency=self.efficiency)
        check_number(self, 0.0, above=True, exposure=self.exposure)
        check_number(self, 0.0, dark_rate=self.dark_rate, read_noise=self.read_noise)
        check_number(self, 1.0, endless=True, full_well=self.full_well)
        if self.bits and not np.isfinite(self.full_well):
            message = f"A converter of {self.bits} bits needs a finite full well, to spread its levels over."
            raise ParameterError(message)

    @classmethod
    def ideal(cls, pixels: int) -> Camera:
        """Return a camera without noise, dark current, full well or converter."""
        return cls(pixels=pixels, dark_rate=0.0, read_noise=0.0, full_well=inf, bits=0, shot=False)

    @property
    def level(self) -> float:
        """Electrons in a grey level; 0 without a converter."""
        return self.full_well / 2**self.bits if self.bits else 0.0

    def electrons_per_watt(self, wl: float) -> float:
        """Return the photo-electrons in one exposure per W on a pixel, at wl in um."""
        photon = PLANCK_J_S * SPEED_OF_LIGHT_UM_S / wl
        return self.efficiency * self.exposure / photon

    def exposed_for(self, power: float, wl: float, electrons: float) -> Camera:
        """Return the camera with the exposure for `electrons` from `power` in W on a pixel, at wl in um."""
        return replace(self, exposure=self.exposure * electrons / (power * self.electrons_per_watt(wl)))

    def expose(self, power: ArrayLike, wl: float, rng: np.random.Generator) -> Frame:
        """Return the readings for powers (batch, pixels) or (pixels,) in W at wl in um.

        rng: draws the noise. Powers in single precision give readings in single precision, in half the time.

        Raises ParameterError for powers of another shape, negative or not finite, and for more frames than
        fit into the memory.
        """
        check_arguments(Camera.expose, locals())
        check_number("Camera.expose", 0.0, above=True, wl=wl)
        power = np.asarray(power)
        if power.ndim not in {1, 2} or power.shape[-1] != self.pixels:
            message = (
                f"A camera of {self.pixels} pixels takes powers of shape (batch, {self.pixels}), "
                f"got {power.shape}."
            )
            raise ParameterError(message)
        what = f"{power.size // self.pixels:,} frames of {self.pixels:,} pixels"
        require_memory(FRAME_BYTES * power.size, what, "expose fewer at a time")
        wrong = ~((power >= 0) & np.isfinite(power))
        if wrong.any():
            message = f"A camera takes powers of 0 W or more, got {power[wrong][0]:g} W."
            raise ParameterError(message)
        # Both constants are plain floats, which leave the precision as it is.
        mean = power.astype(_real(power), copy=False) * float(self.electrons_per_watt(wl))
        mean += float(self.dark_rate * self.exposure)
        found = detected(mean, rng, self.read_noise) if self.shot else mean
        if self.read_noise and not self.shot:
            found = found + float(self.read_noise) * rng.standard_normal(found.shape, dtype=_real(found))
        below = int(np.count_nonzero(found < 0))
        found = np.clip(found, 0.0, self.full_well)
        if not self.bits:
            return Frame(found, int(np.count_nonzero(found >= self.full_well)), below)
        top = 2**self.bits - 1
        grey = np.minimum(np.floor(found / float(self.level)), top)
        return Frame((grey + 0.5) * float(self.level), int(np.count_nonzero(grey >= top)), below)

    def watts(self, electrons: NDArray[Any], wl: float) -> NDArray[Any]:
        """Return the power in W for readings in electrons, without the mean dark signal."""
        return (electrons - float(self.dark_rate * self.exposure)) / float(self.electrons_per_watt(wl))


@public
def detected(mean: NDArray[Any], rng: np.random.Generator, read_noise: float = 0.0) -> NDArray[Any]:
    """Return Poisson counts with these means, plus normal read noise, in the precision of the means.

    Counts up to NORMAL_ABOVE are exact. Larger ones are normal numbers, at a tenth of the cost (goodman2007:
    counts of bright light); one normal number then has the variance of both noises. Without read noise it is
    rounded.

    mean: mean number of electrons, of any shape.  rng: draws the counts.  read_noise: rms in electrons.
    """
    found = rng.standard_normal(mean.shape, dtype=_real(mean))
    found *= np.sqrt(mean + float(read_noise**2))
    found += mean
    if not read_noise:
        np.rint(found, out=found)
        np.maximum(found, 0.0, out=found)
    few = mean <= NORMAL_ABOVE
    if few.any():
        dim = mean[few]
        found[few] = rng.poisson(dim) + float(read_noise) * rng.standard_normal(dim.shape, dtype=_real(dim))
    return found


def _real(values: NDArray[Any]) -> Any:
    """Return single precision for values in it, else double."""
    return np.float32 if values.dtype == np.float32 else np.float64

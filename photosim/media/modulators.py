"""Modulators of a wide beam: micro-mirrors that are on or off, and liquid crystal that shifts the phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole, is_number
from photosim.errors import ParameterError
from photosim.memory import require_memory
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PATTERN_BYTES = 40.0
"""Memory of a pixel while it is shown: phases in double precision, and the amplitude that they give."""


class Modulator(Protocol):
    """Turns patterns into the amplitudes that leave its pixels, for a beam that lights all of them evenly."""

    @property
    def pixels(self) -> int:
        """Number of mirrors or cells."""

    def modulate(self, patterns: ArrayLike) -> NDArray[Any]:
        """Return the amplitudes (batch, pixels) per amplitude of the beam, for patterns of that shape."""


@public
@dataclass(frozen=True, kw_only=True)
class Dmd:
    """Digital micro-mirror device: each mirror reflects its share of the beam towards the medium, or away.

    contrast: intensity of a mirror that is on divided by that of one that is off; infinite without leakage.
    efficiency: fraction of the light of a mirror that is on which reaches the medium.
    """

    pixels: int
    contrast: float = 1000.0
    efficiency: float = 0.7

    def __post_init__(self) -> None:
        if not (is_number(self.contrast) and self.contrast > 1.0):
            message = f"The contrast of a DMD is a ratio of intensities above 1, got {shown(self.contrast)}."
            raise ParameterError(message)
        check_whole(self, 1, pixels=self.pixels)
        check_number(self, 0.0, 1.0, efficiency=self.efficiency)

    @property
    def leak(self) -> float:
        """Amplitude of a mirror that is off over that of one that is on."""
        return float(1 / np.sqrt(self.contrast))

    def modulate(self, patterns: ArrayLike) -> NDArray[np.float32]:
        """Return real amplitudes for patterns of zeros and ones; ParameterError for anything else."""
        found = _shaped(patterns, self.pixels, "A DMD", "mirrors")
        lit = found.astype(np.float32)
        if not ((lit == 0) | (lit == 1)).all():
            wrong = lit[(lit != 0) & (lit != 1)][0]
            message = f"A DMD shows zeros and ones, got {wrong:g}: show the bits of a number in turn."
            raise ParameterError(message)
        lit *= np.float32(1 - self.leak)
        lit += np.float32(self.leak)
        lit *= np.float32(np.sqrt(self.efficiency / self.pixels))
        return lit


@public
@dataclass(frozen=True, kw_only=True)
class Slm:
    """Spatial light modulator: each cell shifts the phase of its share of the beam, in 2**bits steps.

    bits: of the phase; 0 for continuous phases.  efficiency: fraction of the light that is modulated and goes
    on.
    """

    pixels: int
    bits: int = 8
    efficiency: float = 0.7

    def __post_init__(self) -> None:
        check_whole(self, 1, pixels=self.pixels)
        check_whole(self, 0, 16, bits=self.bits)
        check_number(self, 0.0, 1.0, efficiency=self.efficiency)

    def modulate(self, patterns: ArrayLike) -> NDArray[np.complex64]:
        """Return complex amplitudes for finite phases in rad, which are taken modulo 2 pi."""
        phases = _shaped(patterns, self.pixels, "An SLM", "cells").astype(np.float64)
        if not np.isfinite(phases).all():
            message = f"An SLM shows phases in rad, got {phases[~np.isfinite(phases)][0]:g}."
            raise ParameterError(message)
        if self.bits:
            step = 2 * np.pi / 2**self.bits
            phases = np.round(phases / step) * step
        shown: NDArray[np.complex64] = np.exp(1j * phases).astype(np.complex64)
        shown *= np.float32(np.sqrt(self.efficiency / self.pixels))
        return shown


def _shaped(patterns: ArrayLike, pixels: int, who: str, what: str) -> NDArray[Any]:
    try:
        found = np.atleast_2d(np.asarray(patterns))
    except ValueError:  # rows of unequal length
        found = np.empty((1, 0), dtype=object)
    if found.ndim != 2 or found.shape[1] != pixels or found.dtype.kind not in "biuf":
        message = (
            f"{who} with {pixels} {what} takes real patterns of shape (batch, {pixels}), "
            f"got {found.dtype} of shape {found.shape}."
        )
        raise ParameterError(message)
    what = f"{len(found):,} patterns of {pixels:,} {what}"
    require_memory(PATTERN_BYTES * found.size, what, "show fewer at a time")
    return found

"""How an image becomes a waveform: patches one after the other, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError
from photosim.timedomain.waveform import Waveform
from photosim.training.arrays import FloatArray, IndexArray

LEAST_SAMPLES = 8
"""Samples of a pixel, at least."""
EDGE = 0.5
"""Length of the edges between pixels, raised cosines, in pixels."""


@dataclass(frozen=True)
class Scan:
    """The order and the clock in which the pixels of an image drive a modulator.

    patch: pixels along a side of a patch; patches follow each other in rows, their pixels likewise.  stride:
    distance of neighbouring patches in pixels.  pixel: duration of a pixel in s.  samples: of the simulation
    in a pixel.  guard: dark pixels before and after each image, in which filters forget.
    """

    patch: int = 4
    stride: int = 3
    pixel: float = 67.5e-12
    samples: int = LEAST_SAMPLES
    guard: int = 40

    def __post_init__(self) -> None:
        """Raise ParameterError for sizes that are not whole or too small, or a duration of nothing."""
        check_whole(self, 1, patch=self.patch, stride=self.stride, guard=self.guard)
        check_whole(self, LEAST_SAMPLES, samples=self.samples)
        check_number(self, 1e-15, pixel=self.pixel)

    @property
    def rate(self) -> float:
        """Sample rate in Hz."""
        return self.samples / self.pixel

    def patches(self, side: int) -> int:
        """Return the number of patches of an image with that many pixels along a side."""
        return self._along(side) ** 2

    def order(self, side: int) -> IndexArray:
        """Return the numbers of an image's pixels in the order in which they are sent, shape (pixels,)."""
        first = self.stride * np.arange(self._along(side))
        inside = np.arange(self.patch)
        rows = first[:, np.newaxis] + inside  # (patches along a side, pixels along a patch)
        places = rows[:, np.newaxis, :, np.newaxis] * side + rows[np.newaxis, :, np.newaxis, :]
        return np.asarray(places.reshape(-1))

    def stream(self, images: FloatArray, side: int) -> FloatArray:
        """Return the pixels in the order of sending, guards around, (B, pixels), of images (B, side**2)."""
        return np.pad(images[:, self.order(side)], ((0, 0), (self.guard, self.guard)))

    def duration(self, side: int) -> float:
        """Return the time of an image in s, guards included."""
        return (self.order(side).size + 2 * self.guard) * self.pixel

    def waveform(self, stream: FloatArray, swing: float) -> Waveform:
        """Return the drive that pixels (pixels,) make: `swing` for a pixel of 1, with rounded edges."""
        levels = swing * np.asarray(stream, dtype=np.float64)

        def values(time: FloatArray) -> FloatArray:
            # Edges lie between pixels: pixel n holds from n to n + 1.
            place = np.floor(time / self.pixel + 0.5).astype(np.int64)
            rise = np.clip((time / self.pixel - place) / EDGE + 0.5, 0.0, 1.0)
            before = levels[np.clip(place - 1, 0, levels.size - 1)]
            after = levels[np.clip(place, 0, levels.size - 1)]
            return np.asarray(before + (after - before) * (0.5 - 0.5 * np.cos(np.pi * rise)))

        return Waveform(values, symbols=(1.0 / self.pixel, levels))

    def _along(self, side: int) -> int:
        if side < self.patch:
            message = (
                f"Images of {side} x {side} pixels are smaller than a patch of {self.patch} x {self.patch}."
            )
            raise ParameterError(message)
        return (side - self.patch) // self.stride + 1

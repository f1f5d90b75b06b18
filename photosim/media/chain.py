"""A chain of free space: a beam, a modulator, a medium, a camera, and a reference beam beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, is_number
from photosim.errors import ParameterError
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.media.camera import Camera, Frame
    from photosim.media.medium import ComplexArray, Medium
    from photosim.media.modulators import Modulator


@public
@dataclass(frozen=True, kw_only=True)
class OpticalChain:
    """A free-space set-up in the order of the light: modulator, medium and camera.

    beam: amplitude in sqrt(W) of the light on the whole modulator.  reference: amplitude in sqrt(W) of the
    reference beam, spread evenly over the camera; 0 for none.  wl: vacuum wavelength in um.
    """

    modulator: Modulator
    medium: Medium
    camera: Camera
    wl: float
    beam: complex = 1.0
    reference: complex = 0.0

    def __post_init__(self) -> None:
        check_number(self, 0.0, above=True, wl=self.wl)
        if not all(hasattr(self.modulator, name) for name in ("pixels", "modulate")):
            message = f"OpticalChain: modulator must be a Dmd or an Slm, got {shown(self.modulator)}."
            raise ParameterError(message)
        amplitudes: dict[str, Any] = {"beam": self.beam, "reference": self.reference}
        for name, value in amplitudes.items():
            known = isinstance(value, complex | np.complexfloating) or is_number(value)
            if not (known and np.isfinite(value)):
                message = f"OpticalChain: {name} must be a finite amplitude in sqrt(W), got {shown(value)}."
                raise ParameterError(message)
        outputs, inputs = self.medium.shape
        if (self.modulator.pixels, self.camera.pixels) != (inputs, outputs):
            message = (
                f"The medium has {inputs} inputs and {outputs} outputs, but the modulator "
                f"{self.modulator.pixels} pixels and the camera {self.camera.pixels}: they must be as many."
            )
            raise ParameterError(message)

    @property
    def reference_at_pixel(self) -> complex:
        """Amplitude of the reference in sqrt(W) on one pixel."""
        return complex(self.reference / np.sqrt(self.camera.pixels))

    def fields(self, patterns: ArrayLike) -> ComplexArray:
        """Return the fields (batch, pixels) in sqrt(W) at the camera for patterns, without reference beam."""
        waves = self.medium.project(self.modulator.modulate(patterns))
        waves *= waves.dtype.type(self.beam)
        return waves

    def expose(
        self, waves: NDArray[Any], rng: np.random.Generator, reference: NDArray[Any] | complex = 0.0
    ) -> Frame:
        """Return the camera's frame for fields (batch, pixels) plus a reference in sqrt(W) for each pixel."""
        total = waves + np.asarray(reference, dtype=waves.dtype)
        return self.camera.expose(total.real**2 + total.imag**2, self.wl, rng)

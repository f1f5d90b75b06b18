"""From intensities back to fields: four ways to read a linear projection off a camera, frames counted.

Each takes a chain and patterns (batch, modulator pixels), and gives fields in
sqrt(W) relative to the phase of its reference. Without noise, steps and dark
light each is exact to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_whole, is_number
from photosim.errors import ParameterError
from photosim.media.modulators import Dmd
from photosim.reals import holds_masked, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from photosim.media.camera import Frame
    from photosim.media.chain import OpticalChain

OVERSAMPLING = 4
"""Camera pixels to a grain along the fringes of off-axis holography: the least that keeps all terms apart."""


@public
@dataclass(frozen=True)
class Readout:
    """Values (batch, outputs) of a reading, the number of frames, and the number of saturated readings."""

    values: NDArray[Any]
    frames: int
    saturated: int
    dark: int = 0

    def __post_init__(self) -> None:
        check_whole(self, 0, frames=self.frames, saturated=self.saturated, dark=self.dark)

    @classmethod
    def of(cls, values: NDArray[Any], *frames: Frame) -> Readout:
        """Return the readout with these values, computed from one or more frames of a batch."""
        exposures = sum(len(frame.electrons) for frame in frames)
        return cls(values, exposures, sum(f.saturated for f in frames), sum(f.dark for f in frames))


@public(types=False)
def intensity(chain: OpticalChain, patterns: ArrayLike, rng: np.random.Generator) -> Readout:
    """Return the powers |T x|**2 in W for each pixel, from one frame."""
    frame = chain.expose(chain.fields(patterns), rng)
    return Readout.of(chain.camera.watts(frame.electrons, chain.wl), frame)


@public(types=False)
def phase_stepping(
    chain: OpticalChain, patterns: ArrayLike, rng: np.random.Generator, *, steps: int = 3
) -> Readout:
    """Return the fields from `steps` frames with an in-line reference A whose phase steps through 2 pi.

    E = (1/(K |A|)) sum_k I_k exp(i phi_k), phi_k = 2 pi k/K, relative to the phase of A (goodman2007). Two
    steps give only the real part, (I_0 - I_pi)/(4 |A|).

    Raises ParameterError for a chain without a reference.
    """
    if not is_number(steps) or not 2 <= steps < np.inf or steps % 1:
        message = (
            f"Phase stepping takes 2 frames for the real part or 3 and more for a field, got {shown(steps)}."
        )
        raise ParameterError(message)
    waves, reference = chain.fields(patterns), _reference(chain)
    phases = 2 * np.pi * np.arange(steps) / steps
    frames = [chain.expose(waves, rng, reference * np.exp(1j * phase)) for phase in phases]
    powers = [chain.camera.watts(frame.electrons, chain.wl) for frame in frames]
    if steps == 2:
        return Readout.of((powers[0] - powers[1]) / (4 * abs(reference)), *frames)
    summed = sum(p * np.exp(1j * phase) for p, phase in zip(powers, phases, strict=True))
    return Readout.of(np.asarray(summed) / (steps * abs(reference)), *frames)


@public(types=False)
def off_axis(chain: OpticalChain, patterns: ArrayLike, rng: np.random.Generator) -> Readout:
    """Return the fields from one frame with a tilted reference beam (off-axis holography).

    The camera has OVERSAMPLING pixels for each grain along its rows. The field has frequencies up to half a
    cycle per grain, and the reference 3/2 cycles per grain. So |E|**2 lies below one cycle, the wanted term
    between one and two, and a Fourier transform separates it. The camera of the chain describes one of these
    pixels. Only noise within the band of the wanted term reaches the result.
    """
    waves, reference = chain.fields(patterns), _reference(chain)
    count = waves.shape[-1]
    padded = count + count % 2  # the band is cut at whole frequencies: an even number of grains
    spectrum = np.fft.fftshift(np.fft.fft(waves.astype(np.complex128), padded, axis=-1), axes=-1)
    wide = np.zeros((len(waves), OVERSAMPLING * padded), dtype=np.complex128)
    wide[:, :padded] = spectrum
    fine = np.fft.ifft(np.roll(wide, -padded // 2, axis=-1), axis=-1) * OVERSAMPLING
    # A fine pixel gathers 1/OVERSAMPLING of a grain's light; the reference fringes likewise.
    grain = np.arange(fine.shape[-1]) / OVERSAMPLING
    tilted = abs(reference) * np.exp(-3j * np.pi * grain)
    share = 1 / np.sqrt(OVERSAMPLING)
    turned = fine * np.exp(-1j * np.angle(reference))
    total = turned * share + tilted * share
    fine_camera = replace(chain.camera, pixels=fine.shape[-1])
    frame = fine_camera.expose(total.real**2 + total.imag**2, chain.wl, rng)
    powers = chain.camera.watts(frame.electrons, chain.wl) * OVERSAMPLING
    carried = np.fft.fft(powers * np.exp(-3j * np.pi * grain), axis=-1)
    band = np.roll(carried, padded // 2, axis=-1)[:, :padded]
    values = np.fft.ifft(np.fft.ifftshift(band, axes=-1), axis=-1) / (OVERSAMPLING * abs(reference))
    return Readout.of(values[:, :count], frame)


@public(types=False)
def anchored(
    chain: OpticalChain, held: NDArray[np.float64] | None = None
) -> Callable[[ArrayLike, np.random.Generator], Readout]:
    """Return a readout without a reference beam, for a chain with a DMD.

    The pattern with all mirrors on is the anchor a, and a - x the complement of each pattern x. Then (|T
    a|**2 + |T x|**2 - |T (a - x)|**2)/(2 |T a|) = Re(exp(-i arg T a) T x). This takes two frames for each
    pattern, and one for the anchor in the first call (ohana2023). Mirrors that are off leak the amplitude d,
    so that pattern and complement add up to (1 + d) a; the result is corrected for this. Where |T a| is
    small, noise is large: a grain with a tenth of the mean power has three times the noise.

    held: powers in W of the anchor, (pixels,), if they are known; nan if not: the first call writes them
    there. By default an array of the readout's own.
    """
    if not isinstance(chain.modulator, Dmd):
        message = "The anchor readout shows a pattern and its complement, which needs a DMD as the modulator."
        raise ParameterError(message)
    both = 1 + chain.modulator.leak
    anchor = np.full(chain.camera.pixels, np.nan) if held is None else held

    def read(patterns: ArrayLike, rng: np.random.Generator) -> Readout:
        shown = np.atleast_2d(np.asarray(patterns, dtype=np.float32))
        first = []
        if np.isnan(anchor).any():
            first = [chain.expose(chain.fields(np.ones((1, shown.shape[1]))), rng)]
            anchor[...] = np.maximum(chain.camera.watts(first[0].electrons, chain.wl), 0.0)[0]
        frames = [chain.expose(chain.fields(p), rng) for p in (shown, 1 - shown)]
        pattern, complement = (chain.camera.watts(f.electrons, chain.wl) for f in frames)
        norm = 2 * both * np.sqrt(anchor)
        top = both**2 * anchor + pattern - complement
        values = np.divide(top, norm, out=np.zeros_like(top), where=norm > 0)
        return Readout.of(values, *first, *frames)

    return read


def _reference(chain: OpticalChain) -> complex:
    reference = chain.reference_at_pixel
    if reference == 0:
        message = "The chain has no reference beam: light the camera's 'reference', or read with an anchor."
        raise ParameterError(message)
    return reference


@public(types=False)
def signed(
    read: Callable[[ArrayLike, np.random.Generator], Readout], signs: ArrayLike, rng: np.random.Generator
) -> Readout:
    """Return T e for e with entries -1, 0 and 1: the reading of its ones minus that of its minus ones.

    read: a linear readout with its chain as its first argument given. The number of frames doubles.

    Raises ParameterError for other entries.
    """
    if holds_masked(signs):
        message = "Signs are -1, 0 and 1, but some are masked: fill them, as in signs.filled(0)."
        raise ParameterError(message)
    shown = np.atleast_2d(np.asarray(signs))
    other = ~np.isin(shown, (-1, 0, 1))
    if other.any():
        message = (
            f"Signs are -1, 0 and 1, got {shown[other][0]}: round them, or show the bits of a number in turn."
        )
        raise ParameterError(message)
    plus, minus = read(shown > 0, rng), read(shown < 0, rng)
    return Readout(
        plus.values - minus.values,
        plus.frames + minus.frames,
        plus.saturated + minus.saturated,
        plus.dark + minus.dark,
    )

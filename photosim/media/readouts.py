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
    """Values (batch, outputs) that were read; frames exposed for them; readings at the end of the scale."""

    values: NDArray[Any]
    frames: int
    saturated: int
    dark: int = 0

    def __post_init__(self) -> None:
        check_whole(self, 0, frames=self.frames, saturated=self.saturated, dark=self.dark)

    @classmethod
    def of(cls, values: NDArray[Any], *frames: Frame) -> Readout:
        """What was computed from frames of a batch each."""
        exposures = sum(len(frame.electrons) for frame in frames)
        return cls(values, exposures, sum(f.saturated for f in frames), sum(f.dark for f in frames))


@public(types=False)
def intensity(chain: OpticalChain, patterns: ArrayLike, rng: np.random.Generator) -> Readout:
    """Powers |T x|**2 in W a pixel, in one frame."""
    frame = chain.expose(chain.fields(patterns), rng)
    return Readout.of(chain.camera.watts(frame.electrons, chain.wl), frame)


@public(types=False)
def phase_stepping(
    chain: OpticalChain, patterns: ArrayLike, rng: np.random.Generator, *, steps: int = 3
) -> Readout:
    """Fields from `steps` frames with an in-line reference A stepped through 2 pi (goodman2007).

    E = (1/(K |A|)) sum_k I_k exp(i phi_k), phi_k = 2 pi k/K, relative to the phase of A. Two steps
    give the real part alone, (I_0 - I_pi)/(4 |A|). Raises ParameterError without a reference.
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
    """Fields from one frame with a reference tilted so that its fringes carry them.

    A camera with OVERSAMPLING pixels to a grain along its rows sees the field, which has frequencies up to
    half a cycle a grain, and a reference at 3/2 cycles a grain: |E|**2 stays below one cycle, the wanted
    term lies between one and two, and a Fourier transform cuts it out. The chain's camera describes
    one of these pixels; noise in the cut-out band alone reaches the result.
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
    """Return a readout without any reference beam, for a chain with a DMD.

    With all mirrors on as the anchor a, and the complement a - x of each pattern,
    (|T a|**2 + |T x|**2 - |T (a - x)|**2)/(2 |T a|) = Re(exp(-i arg T a) T x): two frames a pattern, and
    one for the anchor, taken with the first call (ohana2023). Mirrors that are off leak the amplitude d,
    so that pattern and complement add to (1 + d) a, which is allowed for. Where |T a| is small, noise
    is large: a grain at a tenth of the mean power has three times the noise.

    held: the anchor's powers in W, shape (pixels,), if they have been taken; nan if not yet: the first call
    writes them there. An array of its own if left out.
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
    """Read T e for e of -1, 0 and 1: the pattern of the ones less that of the minus ones, both binary.

    `read` is one of the linear readouts with its chain given; the frames double. Raises ParameterError for
    other numbers.
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

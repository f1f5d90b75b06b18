"""Free space: what shapes a wide beam, and what looks at it. Scattering media are in media.py."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.media.camera import Camera
from photosim.media.modulators import Dmd, Slm
from photosim.media.weighing import WeighingDetector, WeighingMirrors
from photosim.model import Bandwidth, Count, Power, Quantity, SaturationPower, block

Contrast = Annotated[float, Quantity("1", 1.0001, 1e12)]
"""Ratio of two intensities."""
Bits = Annotated[int, Quantity("1", 0, 16, whole=True)]
"""Bits of a converter; 0 for none."""
Duration = Annotated[float, Quantity("s", 1e-12, 1e6)]
"""A time in s."""
Rate = Annotated[float, Quantity("1/s", 0.0, 1e12)]
"""Events per second."""
Electrons = Annotated[float, Quantity("1", 0.0, 1e12)]
"""A number of electrons."""
Side = Annotated[int, Quantity("1", 1, 4096, whole=True)]
"""Cells along the side of a square."""
PositiveResponsivity = Annotated[float, Quantity("A/W", 1e-6, 100.0)]
"""Current per power; never zero."""
NoiseCurrent = Annotated[float, Quantity("A/sqrt(Hz)", 0.0, 1e-3)]
"""Density of a noise current."""
DeepBits = Annotated[int, Quantity("1", 0, 24, whole=True)]
"""Bits of a slow converter; 0 for none."""
Well = Annotated[float, Quantity("1", 1.0, 1e12)]
"""Electrons that a pixel holds."""


@block(ports=("o1", "o2"), buses=("o2",), source="goodman2007")
def dmd(*, pixels: Count = 1024, contrast: Contrast = 1000.0, efficiency: Power = 0.7) -> Any:
    """Digital micromirror device (DMD): mirrors that are on reflect their part of the beam of `in` to `out`.

    Each mirror has an equal part of the beam's power. Left out: the shape of
    the beam, diffraction between mirrors, wavelength (the blaze of the array
    is in `efficiency`), heating.

    Settings:
        pixels: number of mirrors, or of groups of mirrors that move together.
        contrast: intensity of a mirror that is on over that of one that is off.
        efficiency: fraction of its light that a mirror reflects when it is on.
    """
    return Dmd(pixels=pixels, contrast=contrast, efficiency=efficiency)


@block(ports=("o1", "o2"), buses=("o2",), source="goodman2007")
def slm(*, pixels: Count = 1024, bits: Bits = 8, efficiency: Power = 0.7) -> Any:
    """Spatial light modulator (SLM): each cell shifts the phase of its part of the beam of `in`.

    Phases are taken modulo 2 pi and rounded to steps. Left out: the shape of
    the beam, crosstalk of neighbouring cells, flicker, unmodulated light.

    Settings:
        pixels: number of cells.
        bits: number of bits; a phase has 2**bits steps in 2 pi; 0 for any phase.
        efficiency: fraction of the power that leaves the modulator.
    """
    return Slm(pixels=pixels, bits=bits, efficiency=efficiency)


@block(
    ports=("o1", "o2"), buses=("o1",), source="goodman2007", inputs=2, aliases={"in": "o1", "reference": "o2"}
)
def camera(
    *,
    pixels: Count = 1024,
    efficiency: Power = 0.6,
    exposure: Duration = 400e-6,
    dark_rate: Rate = 100.0,
    read_noise: Electrons = 2.0,
    full_well: Well = 10_000.0,
    bits: Bits = 8,
    shot_noise: bool = True,
) -> Any:
    """Camera: counts the photo-electrons of each pixel, with shot and read noise, in grey levels.

    A pixel is as large as a speckle grain. A beam into `reference` is spread evenly over the pixels and adds
    as a wave. Readings at the end of the well or of the converter are counted with each result. Left out:
    light spilling into neighbours, pixels that differ, dead time between frames, partial polarisation.

    Settings:
        pixels: number of pixels.
        efficiency: photo-electrons per photon.
        exposure: time of one frame.
        dark_rate: electrons per second in a pixel without light.
        read_noise: standard deviation of the read noise, in electrons.
        full_well: number of electrons at which a pixel is full.
        bits: number of bits of the converter, 2**bits levels over the full well; 0 for no converter.
        shot_noise: whether the electrons have shot noise.
    """
    return Camera(
        pixels=pixels, efficiency=efficiency, exposure=exposure, dark_rate=dark_rate, read_noise=read_noise,
        full_well=full_well, bits=bits, shot=shot_noise,
    )  # fmt: skip


@block(ports=("o1", "o2"), buses=("o1", "o2"), source="bueno2018")
def weighing_mirrors(
    *, side: Side = 32, nodes: Count = 450, contrast: Contrast = 1000.0, efficiency: Power = 0.7
) -> Any:
    """Micromirrors as Boolean weights: each reflects the light of its cell to the detector, or away from it.

    The mirrors lie in the image of a square grid of cells; the `nodes` cells
    nearest its axis have a mirror each. Negative weights take a second
    reading. Left out: blur of the image, light that mirrors share.

    Settings:
        side: number of cells along a side; the bus `in` has side**2 waves.
        nodes: number of mirrors, and of waves on the bus `out`.
        contrast: intensity of a mirror that is on over that of one that is off.
        efficiency: fraction of its light that a mirror reflects when it is on.
    """
    return WeighingMirrors(side=side, nodes=nodes, contrast=contrast, efficiency=efficiency)


@block(ports=("o1",), buses=("o1",), source="goodman2007", inputs=1, aliases={"in": "o1"})
def weighing_detector(
    *,
    pixels: Count = 450,
    responsivity: PositiveResponsivity = 0.6,
    noise_density: NoiseCurrent = 1e-11,
    bandwidth: Bandwidth = 1e6,
    bits: DeepBits = 12,
    full_scale: SaturationPower = 0.01,
) -> Any:
    """Detector that adds the powers of all waves of a bus in one current, with noise and a converter.

    Waves of different mirrors do not interfere: they fall on different
    places. Noise is the amplifier's, the photocurrent's shot noise, and the
    laser's relative intensity noise. Left out: dark current, saturation.

    Settings:
        pixels: number of waves on the bus.
        responsivity: photocurrent per optical power.
        noise_density: density of the amplifier's noise current at its input.
        bandwidth: noise bandwidth of a reading.
        bits: number of bits of the converter; 0 for no converter.
        full_scale: power at the upper end of the converter's range.
    """
    return WeighingDetector(
        pixels=pixels, responsivity=responsivity, noise_density=noise_density, bandwidth=bandwidth, bits=bits,
        full_scale=full_scale,
    )  # fmt: skip

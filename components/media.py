"""Scattering media: many ports in, many out."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np

from photosim.conventions import standard_aliases
from photosim.errors import ParameterError
from photosim.media.gaussian import StoredMedium, largest_singular_value
from photosim.media.procedural import ProceduralMedium
from photosim.media.screens import LensMedium, ScreensMedium
from photosim.media.speckle_fibre import SpeckleFibre
from photosim.media.waveguide import FibreMedium, WaveguideMedium
from photosim.model import Count, Index, PathLength, Power, Quantity, Seed, Wavelength, block, numerical

ChannelCount = Annotated[int, Quantity("1", 1, 10_000, whole=True)]
"""Channels whose S-matrix is written out; `scattering_medium` carries buses of any width."""
Ratio = Annotated[float, Quantity("1", 1e-3, 1e3)]
"""A length over another."""
Aperture = Annotated[float, Quantity("1", 0.01, 0.49)]
"""Sine of the steepest angle; below every index."""
Grain = Annotated[float, Quantity("um", 0.01, 1e3)]
"""Size of a grain or of a cell; never zero."""
ScreenCount = Annotated[int, Quantity("1", 1, 1000, whole=True)]
"""Screens that a field passes one after the other."""
Side = Annotated[int, Quantity("1", 1, 4096, whole=True)]
"""Pixels along the side of a square."""


def _ports(*, inputs: int, outputs: int, **_: Any) -> tuple[str, ...]:
    return tuple(f"o{k}" for k in range(1, inputs + outputs + 1))


def _aliases(*, inputs: int, outputs: int, **_: Any) -> dict[str, str]:
    return standard_aliases(_ports(inputs=inputs, outputs=outputs), inputs)


def _structure(*, inputs: int, outputs: int, **_: Any) -> tuple[tuple[int, int], ...]:
    forward = [(inputs + b, a) for a in range(inputs) for b in range(outputs)]
    return tuple(sorted(forward + [(a, b) for b, a in forward]))


@lru_cache(maxsize=8)
def gaussian_transmission(inputs: int, outputs: int, seed: int) -> tuple[Any, float]:
    """Matrix (outputs, inputs) of independent circular Gaussians, and its largest singular value.

    Row k belongs to out<k>, column k to in<k>. A column has unit power on average.
    """
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((outputs, inputs)) + 1j * rng.standard_normal((outputs, inputs))
    matrix /= np.sqrt(2 * outputs)
    matrix.setflags(write=False)
    return matrix, largest_singular_value(matrix)


def _series(wl: Any, orders: int, **settings: Any) -> Any:
    """Return the Taylor coefficients in wavelength: the medium itself, then zeros."""
    s = speckle_medium.s(wl, **settings)
    return np.concatenate([s[np.newaxis], np.zeros((orders - 1, *s.shape), dtype=np.complex128)])


@numerical(
    source="popoff2010",
    ports_of=_ports,
    aliases_of=_aliases,
    structure_of=_structure,
    reciprocal=True,
    series_of=_series,
)
def speckle_medium(
    wl: Any, *, inputs: ChannelCount = 4, outputs: ChannelCount = 4, transmission: Power = 0.1, seed: Seed = 0
) -> Any:
    """Scattering medium between single ports: a random transmission matrix with Gaussian elements.

    The medium is thick, and its ports are few of its many channels. Elements from in<j> to out<k> are
    independent circular complex Gaussians; light into one input reaches all outputs together with the power
    `transmission` on average. The same seed gives the same medium. Reciprocal: the way back is the transpose.
    The statistics hold while inputs and outputs are few of the channels, so the largest singular value must
    stay below 1, which needs about transmission (1 + sqrt(inputs/outputs))**2 < 1. Left out: reflected light,
    correlations (bimodal law, memory effect), change with wavelength, drift.

    Settings:
        inputs: number of input ports in0, in1, ...
        outputs: number of output ports out0, out1, ...
        transmission: mean power from one input to all outputs together.
        seed: seed of the medium.
    """
    matrix, norm = gaussian_transmission(int(inputs), int(outputs), int(seed))
    if np.sqrt(transmission) * norm > 1.0:
        message = (
            f"speckle_medium: transmission {transmission:g} creates power in {inputs} x {outputs} "
            f"channels (seed {seed}): a Gaussian matrix allows at most {1 / norm**2:.4g} here."
        )
        raise ParameterError(message)
    size = int(inputs + outputs)
    s = np.zeros((np.size(wl), size, size), dtype=np.complex128)
    # Outputs are numbered downwards on the right: out0 is the last port.
    s[:, inputs:, :inputs] = np.sqrt(transmission) * matrix[::-1]
    s[:, :inputs, inputs:] = np.sqrt(transmission) * matrix[::-1].T
    return s


@block(ports=("o1", "o2"), buses=("o1", "o2"), source="popoff2010")
def scattering_medium(
    *,
    inputs: Count = 1024,
    outputs: Count = 1024,
    transmission: Power = 0.1,
    matrix: Literal["stored", "procedural"] = "stored",
    seed: Seed = 0,
) -> Any:
    """Scattering medium between two buses of any width: a random Gaussian matrix as in `speckle_medium`.

    Entries from in[j] to out[k] are independent circular complex Gaussians;
    light into one input reaches all outputs together with the power
    `transmission` on average. A stored matrix takes 8 bytes an entry, a
    procedural one none: its entries are computed where they are used, and are
    other numbers than those of the stored one. `transmission` (1 +
    sqrt(inputs/outputs))**2 must stay below 1, or power would be created. Left
    out: reflected light, correlations (bimodal law, memory effect), change
    with wavelength, drift.

    Settings:
        inputs: number of waves on the bus `in`.
        outputs: number of waves on the bus `out`.
        transmission: mean power from one input to all outputs together.
        matrix: `stored` keeps the matrix in memory, `procedural` computes it where it is used.
        seed: seed of the medium.
    """
    most = 1 / (1 + np.sqrt(inputs / outputs)) ** 2
    if transmission > most:
        message = (
            f"scattering_medium: transmission {transmission:g} creates power in {inputs} x {outputs} "
            f"channels: the Marchenko-Pastur law allows at most {most:.4g}."
        )
        raise ParameterError(message)
    kind = StoredMedium if matrix == "stored" else ProceduralMedium
    return kind(outputs, inputs, seed, transmission)


@block(ports=("o1", "o2"), buses=("o1", "o2"), source="beenakker1997")
def disordered_waveguide(*, channels: Count = 512, thickness: Ratio = 5.0, seed: Seed = 0) -> Any:
    """Lossless disordered waveguide: a random matrix with the bimodal law of open and closed channels.

    The transmission eigenvalues follow the bimodal law, with mean tanh(s)/s,
    s = `thickness`. A part of its bus, `out[0:100]`, is what an instrument of
    small aperture sees. Left out: reflected light, absorption, wavelength.

    Settings:
        channels: number of waves on either bus.
        thickness: length of the waveguide over the mean free path.
        seed: seed of the medium.
    """
    return WaveguideMedium(channels, thickness, seed)


@block(ports=("o1", "o2"), buses=("o1", "o2"), source="goodman2007")
def phase_screens(
    *,
    side: Side = 32,
    pitch: PathLength = 1.0,
    screens: ScreenCount = 2,
    distance: PathLength = 4000.0,
    depth: PathLength = 0.633,
    law: Literal["lossless", "gaussian", "waveguide"] = "lossless",
    transmission: Power = 0.1,
    thickness: Ratio = 5.0,
    seed: Seed = 0,
) -> Any:
    """Random phase screens with free propagation between them, then a lens, computed by Fourier transforms.

    Lossless screens are unitary: seen whole, their singular values are 1,
    unlike those of any opaque medium. The other laws filter the light between
    the first screens so that the singular values follow a Gaussian medium's or
    a waveguide's. Left out: reflections, polarisation.

    Settings:
        side: number of pixels along a side; the buses have side**2 waves.
        pitch: distance of neighbouring pixels.
        screens: number of screens.
        distance: distance from screen to screen.
        depth: largest delay of a screen, as a length in vacuum.
        law: distribution of the singular values.
        transmission: mean transmission of the gaussian law.
        thickness: thickness of the waveguide law, in mean free paths.
        seed: seed of the screens.
    """
    return ScreensMedium(side, pitch, distance, screens, depth, 0.633, law, transmission, thickness, seed)


@block(ports=("o1", "o2"), buses=("o1", "o2"), source="goodman2007")
def lens(*, side: Side = 32) -> Any:
    """Lens between its two focal planes: a unitary two-dimensional Fourier transform, centre to centre.

    Left out: aberrations, aperture, the scale of the plane behind.

    Settings:
        side: number of pixels along a side; the buses have side**2 waves.
    """
    return LensMedium(side)


@block(ports=("o1", "o2"), buses=("o1", "o2"), source="saleh2019")
def multimode_fiber(
    *,
    modes: Count = 500,
    length: PathLength = 1e6,
    aperture: Aperture = 0.22,
    index: Index = 1.46,
    seed: Seed = 0,
) -> Any:
    """Lossless multimode fibre between two speckle fields: each mode has its own phase constant.

    Left out: coupling of modes, loss, the modes' shapes, polarisation.

    Settings:
        modes: number of modes, and of waves on either bus.
        length: length of the fibre.
        aperture: numerical aperture.
        index: refractive index of the core.
        seed: seed of the random bases of the fields at both ends.
    """
    return FibreMedium(modes, length, aperture, index, seed=seed)


@block(ports=("o1", "o2"), buses=("o1", "o2"), source="goodman2007")
def speckle_fiber(
    *,
    inputs: Count = 1024,
    side: Side = 32,
    pitch: Grain = 2.0,
    speckle: Grain = 2.5,
    transmission: Power = 0.1,
    length: PathLength = 1e6,
    aperture: Aperture = 0.22,
    index: Index = 1.46,
    wl: Wavelength = 0.92,
    seed: Seed = 0,
) -> Any:
    """Multimode fibre from micromirrors to the image of its end: speckle with grains of finite size.

    Every mirror lights every mode with an independent circular Gaussian
    amplitude; modes are the transverse waves of the plane up to one half
    period per `speckle`. Another wavelength than `wl` changes their phases.
    `transmission` (1 + sqrt(inputs/modes))**2 must stay below 1, or power would
    be created. Left out: loss that differs among modes, polarisation, the rim.

    Settings:
        inputs: number of mirrors, and of waves on the bus `in`.
        side: number of cells along a side; the bus `out` has side**2 waves.
        pitch: distance of neighbouring cells.
        speckle: size of a grain, half the shortest period of the field.
        transmission: mean power from one mirror to all cells together.
        length: length of the fibre.
        aperture: numerical aperture of the fibre.
        index: refractive index of the core.
        wl: wavelength for which the modes are drawn.
        seed: seed of the modes' amplitudes.
    """
    return SpeckleFibre(
        inputs, side, pitch, speckle, transmission, length, aperture, index, wl, wl, seed=seed
    )

"""Couplers with a length: two guides side by side, a guide beside a bend or half a ring, adiabatic."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.components.couplers import (
    ALIKE,
    GAP_WINDOWS,
    RADIUS_WINDOW,
    Slope,
    coupling_angle,
    sloped_angle,
)
from photosim.components.guides import PLACEHOLDER, STRIP_MODE, Guide, GuidedMode, euler_bend_length
from photosim.model import (
    Fraction,
    Gap,
    Loss_dB,
    PathLength,
    Power,
    Quantity,
    Radius,
    Window,
    component,
)

BeatLength = Annotated[float, Quantity("um", 0.1, 1e11)]
"""Length in um over which all light crosses; never zero."""

_LAYOUT = ("cross_section", "cross_section_bend", "bend", "straight", "layer", "dx", "dy", "width",
           "coupler90", "coupler_straight", "bend_cross_section")  # fmt: skip
_FOUR = ("o1", "o2", "o3", "o4")


def side_by_side(m: Any, angle: Any, lower: Any, upper: Any) -> dict[tuple[str, str], Any]:
    """Elements of a point coupler with half of each guide before it and half after it.

    lower and upper are the factors of half of the guides o1-o4 and o2-o3: their products keep it unitary.
    """
    bar, cross = m.cos(angle), m.i * m.sin(angle)
    return {
        ("o1", "o4"): lower * lower * bar,
        ("o2", "o3"): upper * upper * bar,
        ("o1", "o3"): lower * upper * cross,
        ("o2", "o4"): lower * upper * cross,
    }


@component(
    ports=_FOUR, inputs=2, source="yariv1973", lossless_when={"loss_dB": 0.0}, layout=_LAYOUT,
    symmetries=ALIKE,
    windows=(Window("wl", -0.05, 0.05, "the slope of a coupler from 1.5 to 1.6 um", about="wl0"),),
)  # fmt: skip
def directional_coupler(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 17.5,
    beat_length: BeatLength = 39.45,
    end_length: PathLength = 2.0,
    coupling_slope: Slope = 4.3,
    mode: GuidedMode = STRIP_MODE,
    loss_dB: Loss_dB = 0.11,
) -> Any:
    """Directional coupler of two equal waveguides by its length: bar cos(angle), cross i sin(angle).

    Both waveguides add the phase of their length. Coupled-mode theory: angle = pi (length + end_length)/(2
    beat_length) exp(coupling_slope (wl - wl0)). The defaults are fitted to the SiEPIC coupler of 200 nm gap
    (500 x 220 nm strips, TE): crossed power 0.975 sin(pi (length + 2.0 um)/(2 39.45 um))**2 at 1550 nm, half
    the light at 17.5 um. Dependence on wavelength is a model: the same relative slope at every length, by
    default that of kappa at a gap of 200 nm, by a mode solver on grids of 20 and 10 nm (zhu2002). Left out:
    unequal guides, reflection, the curvature of the slope, the phase of the bends at the ends.

    Settings:
        length: length over which the guides run side by side.
        beat_length: length over which all light crosses to the other waveguide at wl0.
        end_length: extra length that stands for the coupling in the bends at both ends together.
        coupling_slope: relative change of the coupling per um of wavelength.
        neff: effective index of each guide alone at wl0.
        ng: group index of each guide alone at wl0.
        wl0: wavelength at which beat_length and the indices are given.
        loss_dB: insertion loss of every path.
    """
    angle = m.pi * (length + end_length) / (2 * beat_length) * m.exp(coupling_slope * (wl - mode.wl0))
    half = m.amplitude_dB(loss_dB / 2) * mode.wave(m, wl, length / 2)
    return side_by_side(m, angle, half, half)


@component(
    ports=_FOUR, inputs=2, source="siepic", lossless_when={"loss_dB_cm": 0.0, "loss_dB": 0.0}, layout=_LAYOUT,
    windows=GAP_WINDOWS, symmetries=ALIKE,
)  # fmt: skip
def coupler_straight(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 10.0,
    gap: Gap = 0.27,
    guide: Guide = PLACEHOLDER,
    loss_dB: Loss_dB = 0.0,
) -> Any:
    """Straight section of a directional coupler: two waveguides side by side, with the coupling of their gap.

    kappa, a function of gap and wavelength, is that of `coupler`. Left out: change of the coupling with width
    and temperature, the bends at both ends (`coupler90` has them), reflection.

    Settings:
        length: length of both guides.
        gap: distance between their walls.
        neff: effective index of each guide alone at wl0.
        ng: group index of each guide alone at wl0.
        loss_dB: insertion loss of every path, beside propagation loss.
    """
    half = m.amplitude_dB(loss_dB / 2) * guide.wave(m, wl, length / 2)
    return side_by_side(m, coupling_angle(m, wl, gap, length, 0), half, half)


@component(
    ports=_FOUR, inputs=2, source="siepic", lossless_when={"loss_dB_cm": 0.0, "loss_dB": 0.0},
    layout=_LAYOUT, windows=(*GAP_WINDOWS, RADIUS_WINDOW),
)  # fmt: skip
def coupler90(
    m: Any,
    wl: Any,
    *,
    gap: Gap = 0.2,
    radius: Radius = 10.0,
    p: Fraction = 0.5,
    length_straight: PathLength = 10.0,
    guide: Guide = PLACEHOLDER,
    loss_dB: Loss_dB = 0.0,
) -> Any:
    """Half of the coupler of a circular ring: a straight waveguide o1-o4 next to a 90 degree bend o2-o3.

    The bend is as long as `bend_euler` of that radius and p. Its coupling is that of a circular bend, at
    every wavelength. Left out: change of the coupling with width and temperature, bending loss, reflection.

    Settings:
        gap: distance between the walls where guide and bend are closest.
        radius: radius of the circular bend with the same end points.
        p: fraction of the turn made while the curvature changes; 0 is a circular bend.
        length_straight: length of the guide.
        loss_dB_cm: propagation loss of guide and bend.
        loss_dB: insertion loss of every path, beside propagation loss.
    """
    lost = m.amplitude_dB(loss_dB)
    along = lost * guide.wave(m, wl, length_straight)
    turn = lost * guide.wave(m, wl, euler_bend_length(m, radius, 90, p))
    angle = coupling_angle(m, wl, gap, 0, radius) / 2
    bar, cross = m.cos(angle), m.i * m.sin(angle)
    # The guides are closest at o1 and o2: light couples there, and only then goes along one of them.
    return {
        ("o1", "o4"): along * bar,
        ("o2", "o3"): turn * bar,
        ("o1", "o3"): turn * cross,
        ("o2", "o4"): along * cross,
    }


@component(
    ports=_FOUR, inputs=2, source="siepic", lossless_when={"loss_dB_cm": 0.0, "loss_dB": 0.0}, layout=_LAYOUT,
    windows=(*GAP_WINDOWS, RADIUS_WINDOW), symmetries={("o4", "o3", "o2", "o1"): {}},
)  # fmt: skip
def coupler_ring(
    m: Any,
    wl: Any,
    *,
    gap: Gap = 0.2,
    radius: Radius = 5.0,
    length_x: PathLength = 4.0,
    length_extension: PathLength = 3.0,
    p: Fraction = 0.5,
    guide: Guide = PLACEHOLDER,
    loss_dB: Loss_dB = 0.0,
) -> Any:
    """Coupler section of a ring: a bus o1-o4 with half a racetrack o2-o3 next to it, by its gap.

    Its coupling is that of `coupler`, and both waveguides add their phase. The racetrack's half is a straight
    of length_x between two bends, each as long as `bend_euler` of that radius and p; the bus is 2
    length_extension + length_x long. Bends and straights close it to a ring, as layouts do. The coupling
    depends on wavelength. Left out: its change with width and temperature, bending loss, reflection.

    Settings:
        gap: distance between the walls of bus and racetrack.
        radius: radius of the circular bends with the same end points.
        length_x: length of the straight along the bus.
        length_extension: length of the bus on either side of that straight.
        p: fraction of a bend's turn made while the curvature changes; 0 is a circular bend.
        loss_dB_cm: propagation loss of bus and racetrack.
        loss_dB: insertion loss of every path, beside propagation loss.
    """
    angle = coupling_angle(m, wl, gap, length_x, radius)
    return side_by_side(m, angle, *_halves(m, wl, radius, length_x, length_extension, p, guide, loss_dB))


@coupler_ring.variant(when="coupling", lossless_when={"loss_dB_cm": 0.0, "loss_dB": 0.0})
def coupler_ring_of_coupling(
    m: Any,
    wl: Any,
    *,
    coupling: Power = 0.1,
    coupling_slope: Slope = 0.0,
    radius: Radius = 5.0,
    length_x: PathLength = 4.0,
    length_extension: PathLength = 3.0,
    p: Fraction = 0.5,
    guide: Guide = PLACEHOLDER,
    loss_dB: Loss_dB = 0.0,
) -> Any:
    """Coupler section of a ring: a bus o1-o4 with half a racetrack o2-o3 next to it, by its coupling at wl0.

    The angle of coupled-mode theory is asin(sqrt(coupling)) exp(coupling_slope (wl - wl0)). Left out: what
    `coupler_ring` leaves out, curvature of the slope.

    Settings:
        coupling: fraction of the power that crosses over at wl0.
        coupling_slope: relative change of the coupling of the fields per um of wavelength.
        radius: radius of the circular bends with the same end points.
        length_x: length of the straight along the bus.
        length_extension: length of the bus on either side of that straight.
        p: fraction of a bend's turn made while the curvature changes; 0 is a circular bend.
        loss_dB_cm: propagation loss of bus and racetrack.
        loss_dB: insertion loss of every path, beside propagation loss.
    """
    angle = sloped_angle(m, wl, coupling, coupling_slope, guide.wl0)
    return side_by_side(m, angle, *_halves(m, wl, radius, length_x, length_extension, p, guide, loss_dB))


def _halves(
    m: Any,
    wl: Any,
    radius: Any,
    length_x: Any,
    length_extension: Any,
    p: Any,
    guide: Guide,
    loss_dB: Any,
) -> tuple[Any, Any]:
    """Factors of half of the bus and of half of the racetrack's part."""
    lost = m.amplitude_dB(loss_dB / 2)
    bus = guide.wave(m, wl, length_extension + length_x / 2)
    return lost * bus, lost * guide.wave(m, wl, euler_bend_length(m, radius, 90, p) + length_x / 2)


@component(
    ports=_FOUR, inputs=2, source="yun2013", lossless_when={"loss_dB": 0.0}, layout=_LAYOUT,
    symmetries={("o4", "o3", "o2", "o1"): {}},
    windows=(Window("wl", 1.5, 1.6, "SiEPIC's tabulated adiabatic coupler"),),
)  # fmt: skip
def adiabatic_coupler(m: Any, wl: Any, *, coupling: Power = 0.5, loss_dB: Loss_dB = 0.035) -> Any:
    """Adiabatic coupler: a splitter for all wavelengths, which turns o1 and o2 into even and odd modes.

    o1 to o4 sqrt(1 - coupling), o1 to o3 and o2 to o4 sqrt(coupling), o2 to o3 -sqrt(1 - coupling): no
    quarter turn between bar and cross, other than in a directional coupler. SiEPIC's tabulated one passes
    0.502 and 0.490 of the power at 1550 nm, and stays between 0.44 and 0.55 from 1.5 to 1.6 um. Left out:
    dependence on wavelength, light that changes between the modes on the way, phase of the body, reflection.

    Settings:
        coupling: fraction of the power that crosses over.
        loss_dB: insertion loss of every path.
    """
    del wl
    amplitude = m.amplitude_dB(loss_dB)
    bar, cross = amplitude * m.sqrt(1 - coupling), amplitude * m.sqrt(coupling)
    return {("o1", "o4"): bar, ("o2", "o3"): -bar, ("o1", "o3"): cross, ("o2", "o4"): cross}

"""Directional couplers: given by their coupling, or by gap and radius."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.model import (
    Gap,
    Loss_dB,
    PathLength,
    Power,
    Quantity,
    Radius,
    Symmetries,
    Wavelength,
    Window,
    component,
)

Slope = Annotated[float, Quantity("1/um", -20.0, 20.0)]
"""Relative change of a coupling of fields per um of wavelength."""

# One fit to two sources (500 x 220 nm silicon strips in oxide, TE). Foundry tables of SiEPIC: eleven ring
# couplers at 1.55 um (radius 3 to 18 um, gap 50 to 200 nm), powers met within 9 %, one of them from 1.5 to
# 1.6 um within 0.5 %. Vector finite differences for straight guides, gap 50 to 400 nm (zhu2002, extrapolated
# from grids of 20 and 10 nm; bolla2017 on one of 20 nm lies 4 % above): kappa met within 6 % up to 200 nm
# and within 3 % beyond, where no table reaches.
FIT_WL_UM = 1.55
COUPLING_PER_UM = 0.2252
DECAY_PER_UM = 8.548
NEAR_EXCESS = 0.780
NEAR_RANGE_UM = 0.0628
COUPLING_POWER = 3.29
DECAY_POWER = 1.954
BEND_REACH_UM = 0.484

ALIKE: Symmetries = {("o4", "o3", "o2", "o1"): {}, ("o2", "o1", "o4", "o3"): {}}
"""Symmetries of a 2x2 part of two equal guides: turned left to right, and upside down."""

GAP_WINDOWS = (
    Window("wl", 1.45, 1.65, "where the fit meets a mode solver within 4 %"),
    Window("gap", 0.05, 0.4, "where the fit meets tables and a mode solver"),
)
"""Where the fit of the coupling by gap holds."""
RADIUS_WINDOW = Window("radius", 3.0, basis="the ring couplers that the fit rests on")
"""Where the bend's part of that fit holds."""


def field_coupling(m: Any, wl: Any, gap: Any) -> Any:
    """Coupling of the fields of two straight strips side by side, kappa in 1/um.

    kappa = 0.2252 r**3.29 exp(-8.548 gap r**-1.954 + 0.78 exp(-gap/0.0628)), r = wl/1.55, gap and wl in um.
    """
    near = NEAR_EXCESS * m.exp(-gap / NEAR_RANGE_UM)
    return COUPLING_PER_UM * (wl / FIT_WL_UM) ** COUPLING_POWER * m.exp(near - _far_decay(wl) * gap)


def coupling_angle(m: Any, wl: Any, gap: Any, length: Any, radius: Any) -> Any:
    """Angle in rad of coupled-mode theory: a straight of that length, and a bend to either side of it.

    kappa(gap) (length + sqrt(2 pi radius/decay) (radius + 2 b)/(radius + b)), decay = -d ln kappa/d gap. The
    root is the integral of exp(-decay z**2/(2 radius)); the last factor, b = 0.484 um, lets tight bends
    couple as much more as the tables say.
    """
    decay = _far_decay(wl) + NEAR_EXCESS / NEAR_RANGE_UM * m.exp(-gap / NEAR_RANGE_UM)
    lean = (radius + 2 * BEND_REACH_UM) / (radius + BEND_REACH_UM)
    return field_coupling(m, wl, gap) * (length + m.sqrt(2 * m.pi * radius / decay) * lean)


def sloped_angle(m: Any, wl: Any, coupling: Any, slope: Any, wl0: Any) -> Any:
    """Angle in rad of a coupler that crosses the power `coupling` at wl0, and its relative slope per um."""
    return m.asin(m.sqrt(coupling)) * m.exp(slope * (wl - wl0))


def _far_decay(wl: Any) -> Any:
    """Decay of kappa with the gap in 1/um between guides that are far apart; it falls as modes widen."""
    return DECAY_PER_UM * (wl / FIT_WL_UM) ** -DECAY_POWER


def two_by_two(m: Any, bar: Any, cross: Any, loss_dB: Any, reflection: Any) -> dict[tuple[str, str], Any]:
    """Elements of a symmetric 2x2 part: bar and i cross forwards, and a weak mirror in its middle.

    A mirror of power reflection R half-way turns round i sqrt(R) of the wave,
    which then crosses the same half again: the light comes back distributed
    as it would go through. That is unitary for any R as long as
    bar**2 + cross**2 = 1.
    """
    forward = m.amplitude_dB(loss_dB) * m.sqrt(1 - reflection)
    back = m.amplitude_dB(loss_dB) * m.i * m.sqrt(reflection)
    cross = m.i * cross
    return {
        ("o1", "o4"): forward * bar,
        ("o2", "o3"): forward * bar,
        ("o1", "o3"): forward * cross,
        ("o2", "o4"): forward * cross,
        **{(port, port): back * bar for port in ("o1", "o2", "o3", "o4")},
        ("o1", "o2"): back * cross,
        ("o3", "o4"): back * cross,
    }


@component(
    ports=("o1", "o2", "o3", "o4"),
    inputs=2,
    source="yariv2000",
    lossless_when={"loss_dB": 0.0},
    symmetries=ALIKE,
    structural=("reflection",),
    layout=("cross_section", "cross_section_bend", "dx", "dy", "length_extension", "bend", "straight",
            "width", "allow_min_radius_violation"),
)  # fmt: skip
def coupler(
    m: Any, wl: Any, *, coupling: Power = 0.5, loss_dB: Loss_dB = 0.0, reflection: Power = 0.0
) -> Any:
    """Directional coupler: bar sqrt(1 - coupling) from o1 to o4, cross i sqrt(coupling) from o1 to o3.

    A point: it has no length, so its guides add no phase. Instead of `coupling` it takes `gap`, `radius`,
    `length_x` and `length` (um), from which coupled-mode theory gives the coupling and its dependence on
    wavelength; a `coupling` is the same at all wavelengths unless `coupling_slope` is given. Left out: modes
    other than the two guided ones, unequal guides.

    Settings:
        coupling: fraction of the power that crosses over.
        loss_dB: insertion loss of every path.
        reflection: fraction of the power that a mirror in the middle sends back.
    """
    del wl
    return two_by_two(m, m.sqrt(1 - coupling), m.sqrt(coupling), loss_dB, reflection)


@coupler.variant(when="coupling_slope", lossless_when={"loss_dB": 0.0}, symmetries=ALIKE)
def coupler_with_slope(
    m: Any,
    wl: Any,
    *,
    coupling: Power = 0.5,
    coupling_slope: Slope = 0.0,
    wl0: Wavelength = 1.55,
    loss_dB: Loss_dB = 0.0,
    reflection: Power = 0.0,
) -> Any:
    """Directional coupler whose coupling changes with wavelength: bar cos(theta), cross i sin(theta).

    theta = asin(sqrt(coupling)) exp(coupling_slope (wl - wl0)): the coupling of the fields, over a length
    that stays, changes by the same fraction per um. Strips of 500 x 220 nm have 3.2 per um at a gap of
    0.1 um and 4.3 at 0.2 um; half rings have 3.7 and more. Left out: curvature of that slope, and what
    `coupler` leaves out.

    Settings:
        coupling: fraction of the power that crosses over at wl0.
        coupling_slope: relative change of the coupling of the fields per um of wavelength.
        wl0: wavelength at which the coupling is given.
        loss_dB: insertion loss of every path.
        reflection: fraction of the power that a mirror in the middle sends back.
    """
    theta = sloped_angle(m, wl, coupling, coupling_slope, wl0)
    return two_by_two(m, m.cos(theta), m.sin(theta), loss_dB, reflection)


@coupler.variant(
    when="gap", lossless_when={"loss_dB": 0.0}, symmetries=ALIKE, windows=(*GAP_WINDOWS, RADIUS_WINDOW)
)
def coupler_of_gap(
    m: Any,
    wl: Any,
    *,
    gap: Gap = 0.2,
    radius: Radius = 10.0,
    length_x: PathLength = 0.0,
    length: PathLength = 0.0,
    loss_dB: Loss_dB = 0.0,
    reflection: Power = 0.0,
) -> Any:
    """Directional coupler of a bus and a ring, by its gap: bar cos(theta), cross i sin(theta).

    Coupled-mode theory, with r = wl/1.55 um and all lengths in um:
    theta = kappa (length_x + length + sqrt(2 pi radius/decay) (radius + 0.968)/(radius + 0.484)),
    kappa = 0.2252 r**3.29 exp(-8.548 gap r**-1.954 + 0.78 exp(-gap/0.0628)), decay = -d ln kappa/d gap.
    The root is what the ring adds where it bends away, its gap growing as the square of the distance. Silicon
    strips of 500 x 220 nm in oxide, TE: the coupled powers of eleven SiEPIC ring couplers at 1.55 um (gap 50
    to 200 nm) come out within 9 %, one of them from 1.5 to 1.6 um within 0.5 %; kappa of a mode solver
    (zhu2002, extrapolated from grids of 20 and 10 nm) within 6 % from 50 to 200 nm, and within 2 % at 0.27,
    0.3 and 0.4 um, where the tables end. kappa rises by 3.2 per um of wavelength at a gap of 0.1 um, by 4.3
    at 0.2 um and by 6.4 at 0.4 um. Left out: dependence on guide width and temperature, loss at small gaps.

    Settings:
        gap: distance between the walls of bus and ring where they are closest.
        radius: bending radius of the ring; the bus is straight.
        length_x: length of the straight part, as rings name it.
        length: length of the straight part, as layouts of couplers name it; adds to length_x.
        loss_dB: insertion loss of every path.
        reflection: fraction of the power that a mirror in the middle sends back.
    """
    theta = coupling_angle(m, wl, gap, length_x + length, radius)
    return two_by_two(m, m.cos(theta), m.sin(theta), loss_dB, reflection)

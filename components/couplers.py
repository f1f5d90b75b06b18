"""Directional couplers: given by their coupling, or by gap and radius."""

from __future__ import annotations

from typing import Any

from photosim.model import Length, Loss_dB, Power, component

# Coupling per length kappa(gap) = COUPLING_PER_UM exp(-DECAY_PER_UM gap), fitted to the eleven ring couplers
# of the SiEPIC library (500 x 220 nm strip, TE, 1550 nm; radius 3 to 18 um, gap 50 to 200 nm). The fit meets
# their coupled powers within 14 %, and the library's straight coupler of 200 nm gap within 9 % in kappa.
COUPLING_PER_UM = 0.3386
DECAY_PER_UM = 10.315


def coupling_angle(m: Any, gap: Any, length: Any, radius: Any) -> Any:
    """Angle in rad of coupled-mode theory: a straight of that length, and a bend to either side of it."""
    kappa = COUPLING_PER_UM * m.exp(-DECAY_PER_UM * gap)
    return kappa * (length + m.sqrt(2 * m.pi * radius / DECAY_PER_UM))


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
    structural=("reflection",),
    layout=("cross_section", "cross_section_bend", "dx", "dy", "length_extension", "bend", "straight",
            "width", "allow_min_radius_violation"),
)  # fmt: skip
def coupler(
    m: Any, wl: Any, *, coupling: Power = 0.5, loss_dB: Loss_dB = 0.0, reflection: Power = 0.0
) -> Any:
    """Directional coupler: bar sqrt(1 - coupling) from o1 to o4, cross i sqrt(coupling) from o1 to o3.

    A point: it has no length, so its guides add no phase. Instead of
    `coupling` it takes `gap`, `radius`, `length_x` and `length` (um), from
    which coupled-mode theory with a fitted decay gives the coupling. Left out: dependence on
    wavelength, modes other than the two guided ones, unequal guides.

    Settings:
        coupling: power that crosses over.
        loss_dB: insertion loss of every path.
        reflection: power that a mirror in the middle sends back.
    """
    del wl
    return two_by_two(m, m.sqrt(1 - coupling), m.sqrt(coupling), loss_dB, reflection)


@coupler.variant(when="gap", lossless_when={"loss_dB": 0.0})
def coupler_of_gap(
    m: Any,
    wl: Any,
    *,
    gap: Length = 0.2,
    radius: Length = 10.0,
    length_x: Length = 0.0,
    length: Length = 0.0,
    loss_dB: Loss_dB = 0.0,
    reflection: Power = 0.0,
) -> Any:
    """Directional coupler of a bus and a ring, from its gap: bar cos(theta), cross i sin(theta).

    Coupled-mode theory: theta = kappa(gap) (length_x + length + sqrt(2 pi radius / decay)),
    kappa(gap) = 0.3386 per um * exp(-10.315 per um * gap); the root is what the
    ring adds where it bends away, its gap growing as the square of the
    distance. Fitted to the SiEPIC ring couplers (silicon strip 500 x 220 nm,
    TE, 1550 nm; 50 to 200 nm): their coupled powers come out within 14 %. Left
    out: dependence on wavelength and guide width, loss at small gaps.

    Settings:
        gap: distance between the walls of bus and ring where they are closest.
        radius: bending radius of the ring; the bus is straight.
        length_x: length of the straight part, as rings name it.
        length: length of the straight part, as layouts of couplers name it; adds to length_x.
        loss_dB: insertion loss of every path.
        reflection: power that a mirror in the middle sends back.
    """
    del wl
    theta = coupling_angle(m, gap, length_x + length, radius)
    return two_by_two(m, m.cos(theta), m.sin(theta), loss_dB, reflection)
